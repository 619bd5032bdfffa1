//! How a vendor is asked that wants fewer requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bowline_pipeline::SourceErrorKind;
use serde_json::json;

use crate::vendor::{Answer, Vendor, ok, run_ids, status, two};

const RUNS: &str = "path = \"/runs\"\nkey = \"record.id\"";
/// Waits as short as tests want them, whatever is asked for.
const QUICK: &str = "retries = 3\nlongest_wait_seconds = 0.01\n";

/// A vendor that refuses the first requests in this way.
fn refusing(times: usize, refusal: impl Fn() -> Answer + Send + Sync + 'static) -> Vendor {
    let asked = AtomicUsize::new(0);
    Vendor::start(move |_| {
        let number = asked.fetch_add(1, Ordering::SeqCst);
        Some(if number < times { refusal() } else { two() })
    })
}

fn limits(more: &str) -> String {
    format!("[http.limits]\n{QUICK}{more}")
}

#[test]
fn refusals_that_say_when_to_come_back_are_no_failures() {
    for (code, name, value) in [
        (429, "retry-after", "1.5"),
        (403, "retry-after", "3"),
        (400, "retry-after", "Sunday, 06-Nov-94 08:49:37 GMT"),
        (403, "x-ratelimit-remaining", "0"),
        (520, "server", "cloudflare"),
        (529, "server", "overloaded"),
    ] {
        let vendor = refusing(2, move || status(code, json!({})).with(name, value));
        assert_eq!(
            run_ids(&vendor, &limits(""), RUNS).unwrap(),
            ["a", "b"],
            "{code}"
        );
    }
    for (code, name, value) in [
        (403, "x-ratelimit-remaining", "17"),
        (403, "x-ratelimit-reset", "20"),
        (409, "server", "busy"),
        (501, "server", "none"),
    ] {
        let vendor = refusing(2, move || status(code, json!({})).with(name, value));
        assert!(
            run_ids(&vendor, &limits(""), RUNS).is_err(),
            "{code} {name}"
        );
    }
}

#[test]
fn refusals_that_say_in_words_that_fewer_are_wanted_are_no_failures() {
    for (code, body, passes) in [
        (
            400,
            json!({"__type": "ThrottlingException", "message": "Rate exceeded"}),
            true,
        ),
        (
            403,
            json!({"message": "You have exceeded a secondary rate limit."}),
            true,
        ),
        (
            403,
            json!({"error": {"errors": [{"reason": "rateLimitExceeded"}]}}),
            true,
        ),
        (400, json!({"__type": "ValidationException"}), false),
        (404, json!({"message": "no rate limit of this name"}), false),
    ] {
        let vendor = refusing(2, move || status(code, body.clone()));
        let found = run_ids(&vendor, &limits(""), RUNS);
        assert_eq!(found.is_ok(), passes, "{code}: {found:?}");
    }
}

#[test]
fn what_is_tried_again_is_the_authors_to_say() {
    let vendor = refusing(2, || status(409, json!({})));
    let own = limits("retry_statuses = [409]");
    assert_eq!(run_ids(&vendor, &own, RUNS).unwrap(), ["a", "b"]);
    let vendor = refusing(1, || status(503, json!({})));
    assert!(run_ids(&vendor, &own, RUNS).is_err());
    assert_eq!(vendor.asked().len(), 1);

    let rule = r#"reject = [{ when = "response.errors is defined", message = "response.errors[0].message", then = "retry" }]
"#;
    let answer = || ok(json!({"errors": [{"message": "Rate exceeded"}]}));
    let vendor = refusing(2, answer);
    let http = format!("{rule}{}", limits(""));
    assert_eq!(run_ids(&vendor, &http, RUNS).unwrap(), ["a", "b"]);
    let error = run_ids(&refusing(9, answer), &http, RUNS).unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::RateLimited);
    assert!(error.to_string().contains("Rate exceeded"), "{error}");
    // An answer whose status is no success may be one too.
    let vendor = refusing(2, || {
        status(400, json!({"errors": [{"message": "slow down"}]}))
    });
    assert_eq!(run_ids(&vendor, &http, RUNS).unwrap(), ["a", "b"]);
    let vendor = refusing(2, || status(400, json!("something else")));
    assert!(run_ids(&vendor, &http, RUNS).is_err());
}

#[test]
fn all_threads_share_what_is_left() {
    // So many are let through; then one is refused, and so on.
    let asked = Arc::new(AtomicUsize::new(0));
    let shared = Arc::clone(&asked);
    let vendor = Vendor::start(move |request| {
        if request.path == "/api/list" {
            let items: Vec<_> = (0..40).map(|id| json!({"id": id.to_string()})).collect();
            return Some(ok(json!(items)));
        }
        // Nine in ten are refused: each alone would have given up.
        let number = shared.fetch_add(1, Ordering::SeqCst);
        Some(if number % 10 == 9 {
            ok(json!({"id": request.path}))
        } else {
            status(429, json!({}))
        })
    });
    let sources =
        "for_each = \"list\"\npath = \"/one/{{ parent.id }}\"\n[sources.list]\npath = \"/list\"";
    let http = "[http.limits]\nretries = 9\nlongest_wait_seconds = 0.002\n";
    assert_eq!(run_ids(&vendor, http, sources).unwrap().len(), 40);
}

#[test]
fn what_is_not_ready_yet_is_asked_again_by_itself() {
    let vendor = Vendor::start(|request| {
        Some(match request.path.as_str() {
            "/api/list" => {
                let items: Vec<_> = (0..20).map(|id| json!({"id": id.to_string()})).collect();
                ok(json!(items))
            }
            "/api/one/0" => ok(json!({"state": "RUNNING"})),
            path => ok(json!({"state": "DONE", "id": path})),
        })
    });
    let sources = |more: &str| {
        format!(
            "for_each = \"list\"\npath = \"/one/{{{{ parent.id }}}}\"\n\
             reject = [{{ when = \"response.state == 'RUNNING'\", then = \"retry\" }}]\n{more}\n\
             [sources.list]\npath = \"/list\""
        )
    };
    let error = run_ids(&vendor, &limits(""), &sources("")).unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Vendor, "{error}");
    assert!(error.hint.unwrap().contains("`retries`"));
    // That others get through says nothing of it, and it keeps none of them back.
    let before = vendor.asked().len();
    let left = sources("failing = \"leave_out\"");
    assert_eq!(run_ids(&vendor, &limits(""), &left).unwrap().len(), 19);
    let asked = vendor.asked();
    let of_it = asked[before..]
        .iter()
        .filter(|one| one.path == "/api/one/0");
    assert_eq!(of_it.count(), 4);
}
