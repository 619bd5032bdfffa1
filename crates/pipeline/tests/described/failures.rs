//! What vendors do wrong, and what becomes of it.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bowline_pipeline::{DescribedPipeline, Pipeline as _, RunQuery, SourceError, SourceErrorKind};
use bowline_words::Diagnose;
use serde_json::{Value, json};

use crate::vendor::{Answer, SECRET, Vendor, always, ok, runs, source, status, try_source};

fn description(http: &str) -> String {
    format!(
        r#"
version = 1
[http]
base_url = "{{{{ credentials.url }}}}/api"
{http}
[http.limits]
retries = 2
longest_wait_seconds = 0.01
timeout_seconds = 20
body_mb = 1
[sources.jobs]
path = "/jobs"
[sources.runs]
path = "/runs"
[assets]
from = "jobs"
[assets.fields]
job_source_id = "record.id"
name = "record.name"
owner = {{ primary_email = "record.owner.mail" }}
[runs]
from = "runs"
fields = {{ run_source_id = "record.id" }}
"#
    )
}

const BASIC: &str = r#"auth = { kind = "basic", username = "{{ credentials.user }}", password = "{{ credentials.secret }}" }"#;

fn assets(source: &DescribedPipeline) -> Result<Vec<Value>, SourceError> {
    let mut events = Vec::new();
    source.assets(
        "2026-01-01T00:00:00Z".parse().unwrap(),
        None,
        &mut |event| events.push(event.into_json()),
    )?;
    Ok(events)
}

#[test]
fn jobs_that_share_an_id_are_told() {
    for (other, told) in [("b", 0), ("a", 1)] {
        let vendor = Vendor::start(move |_| {
            Some(ok(json!([
                {"id": "a", "name": "A", "owner": null},
                {"id": other, "name": "B", "owner": null},
            ])))
        });
        let source = source(&vendor.url, &description(BASIC));
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        let summary = source.assets(now, None, &mut |_| {}).unwrap();
        assert_eq!((summary.events, summary.notes.len()), (2, told), "{other}");
        assert!(summary.notes.iter().all(|note| note.contains("`a`")));
    }
}

fn failure(http: &str, answer: impl Fn() -> Option<Answer> + Send + Sync + 'static) -> SourceError {
    let vendor = Vendor::start(move |_| answer());
    let error = assets(&source(&vendor.url, &description(http))).unwrap_err();
    let told = error.to_string();
    assert!(!told.contains(SECRET) && !told.contains("Basic "), "{told}");
    error
}

#[test]
fn what_passes_is_tried_again() {
    for passing in [429, 500, 502, 503, 504, 408] {
        let answers = Mutex::new(0);
        let vendor = Vendor::start(move |_| {
            let mut answers = answers.lock().unwrap();
            *answers += 1;
            Some(if *answers < 3 {
                let mut answer = status(passing, json!({}));
                answer.headers.push(("retry-after", "7200".to_owned()));
                answer
            } else {
                ok(json!([{"id": "a", "name": "A", "owner": null}]))
            })
        });
        let events = assets(&source(&vendor.url, &description(""))).unwrap();
        assert_eq!(
            events,
            [json!({"job_source_id": "a", "name": "A"})],
            "{passing}"
        );
        assert_eq!(vendor.asked().len(), 3);
    }
}

#[test]
fn what_does_not_pass_is_told_with_the_vendors_words() {
    for (code, kind) in [
        (400, SourceErrorKind::Refused),
        (403, SourceErrorKind::Unauthorized),
        (404, SourceErrorKind::Refused),
        (422, SourceErrorKind::Refused),
        (429, SourceErrorKind::RateLimited),
        (503, SourceErrorKind::Vendor),
    ] {
        let error = failure(BASIC, move || {
            Some(status(code, json!({"detail": format!("no {SECRET} here")})))
        });
        assert_eq!(error.kind, kind);
        let told = error.to_string();
        assert!(
            told.contains(&format!("status {code}: {{\"detail\":\"no *** here\"}}")),
            "{told}"
        );
        assert!(told.contains("/api/jobs`"), "{told}");
    }
}

#[test]
fn a_retry_that_takes_its_time_is_told_with_the_reason() {
    let asked = Mutex::new(0);
    let vendor = Vendor::start(move |_| {
        let mut asked = asked.lock().unwrap();
        *asked += 1;
        Some(match *asked {
            // One short wait and one long.
            1 => status(500, json!({})),
            2 => {
                let mut answer = status(429, json!({}));
                answer.headers.push(("retry-after", "2".to_owned()));
                answer
            }
            _ => ok(json!([])),
        })
    });
    let patient =
        description("").replace("longest_wait_seconds = 0.01", "longest_wait_seconds = 2");
    let told = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&told);
    let source = source(&vendor.url, &patient).telling(Arc::new(move |why: &str, wait| {
        notes.lock().unwrap().push((why.to_owned(), wait));
    }));
    assets(&source).unwrap();
    let why = format!("`GET {}/api/jobs`: status 429", vendor.url);
    assert_eq!(*told.lock().unwrap(), [(why, Duration::from_secs(2))]);
}

#[test]
fn answers_that_are_no_json_are_shown() {
    let error = failure("", || {
        Some(Answer {
            status: 200,
            headers: vec![("content-type", "text/html".to_owned())],
            body: b"<html>Please log in</html>".to_vec(),
        })
    });
    assert_eq!(error.kind, SourceErrorKind::Format);
    assert!(
        error.to_string().contains("not JSON (text/html)"),
        "{error}"
    );
    assert!(error.to_string().contains("Please log in"), "{error}");
    assert!(
        error
            .diagnose()
            .to_string()
            .contains("hint: see that the base address is the API's"),
        "{error}"
    );
}

#[test]
fn size_and_time_have_their_limits() {
    let large = failure("", || Some(ok(json!("x".repeat(2 << 20)))));
    assert_eq!(large.kind, SourceErrorKind::TooLarge);
    let silent = Vendor::start(|_| None);
    let hasty = description("").replace("timeout_seconds = 20", "timeout_seconds = 0.1");
    let slow = assets(&source(&silent.url, &hasty)).unwrap_err();
    assert_eq!(slow.kind, SourceErrorKind::Timeout);
    let redirected = failure(BASIC, || {
        let mut answer = status(302, json!({}));
        answer
            .headers
            .push(("location", "http://elsewhere.example.com/".to_owned()));
        Some(answer)
    });
    assert_eq!(redirected.kind, SourceErrorKind::Refused);
    assert!(
        redirected
            .diagnose()
            .to_string()
            .contains("hint: redirects are followed on the same host only"),
        "{redirected}"
    );
    assert!(redirected.to_string().contains("elsewhere.example.com"));
}

#[test]
fn a_vendor_that_is_not_there_is_named() {
    let error = assets(&source("http://127.0.0.1:1", &description(BASIC))).unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Unreachable);
    assert!(
        error.to_string().contains("http://127.0.0.1:1/api/jobs"),
        "{error}"
    );
}

#[test]
fn success_can_be_failure() {
    let reject = r#"reject = [{ when = "response.errors is defined", message = "response.errors[0].message" }]"#;
    let error = failure(reject, || {
        Some(ok(json!({"errors": [{"message": "no field x"}]})))
    });
    assert_eq!(error.kind, SourceErrorKind::Refused);
    assert!(error.to_string().contains("no field x"), "{error}");
}

const LOGIN: &str = r#"
[http.auth]
kind = "login"
token = "response.access_token"
request = { url = "{{ credentials.url }}/token", json = { user = "{{ credentials.user }}", password = "{{ credentials.secret }}" } }
"#;

#[test]
fn an_expired_token_is_renewed_once() {
    let issued = Mutex::new(0);
    let vendor = Vendor::start(move |asked| {
        let mut issued = issued.lock().unwrap();
        if asked.path == "/token" {
            assert_eq!(asked.body, json!({"user": "ann", "password": SECRET}));
            *issued += 1;
            return Some(status(
                201,
                json!({"access_token": format!("token-{issued}")}),
            ));
        }
        let current = asked.headers["authorization"] == "Bearer token-2";
        Some(if current {
            ok(json!([{"id": "a", "name": "A", "owner": {"mail": "m"}}]))
        } else {
            status(401, json!({}))
        })
    });
    let source = source(&vendor.url, &description(LOGIN));
    assert_eq!(
        assets(&source).unwrap()[0]["owner"],
        json!({"primary_email": "m"})
    );
    assert_eq!(assets(&source).unwrap().len(), 1);
    let logins = vendor
        .asked()
        .iter()
        .filter(|asked| asked.path == "/token")
        .count();
    assert_eq!(logins, 2);
}

#[test]
fn a_token_is_a_secret_too() {
    let vendor = Vendor::start(|asked| {
        Some(match asked.path.as_str() {
            "/token" => ok(json!({"access_token": "tok-abcdef"})),
            _ => status(403, json!({"you sent": asked.headers["authorization"]})),
        })
    });
    let error = assets(&source(&vendor.url, &description(LOGIN))).unwrap_err();
    assert!(error.to_string().contains("Bearer ***"), "{error}");
    let vendor = Vendor::start(|_| Some(ok(json!({"acess_token": "tok-abcdef"}))));
    let error = assets(&source(&vendor.url, &description(LOGIN))).unwrap_err();
    assert!(!error.to_string().contains("tok-abcdef"), "{error}");
    assert!(
        error
            .diagnose()
            .to_string()
            .contains("did you mean `acess_token`?"),
        "{error}"
    );
}

#[test]
fn a_wrong_path_shows_the_expression_and_the_record() {
    let error = failure("", || {
        Some(ok(
            json!([{"id": "a", "name": "A", "ownr": null, "api_token": "zzz", "long": "x".repeat(999)}]),
        ))
    });
    assert_eq!(error.kind, SourceErrorKind::Expression);
    let told = error.diagnose().to_string();
    assert!(told.starts_with("cannot evaluate: `record.owner.mail` (line 20)\nthe record has no field `owner`\nrecord: {"), "{told}");
    assert!(told.ends_with("hint: did you mean `ownr`?"), "{told}");
    assert!(!told.contains("zzz") && told.len() < 600, "{told}");
}

#[test]
fn a_description_tells_all_its_mistakes_with_their_places() {
    let mistaken = description("auht = 1")
        .replace("from = \"jobs\"", "from = \"jbos\"")
        .replace("record.owner.mail", "recrod.owner.mail");
    let told = try_source("http://x", &mistaken).err().unwrap();
    assert!(told.contains("unknown key `auht` in `[http]`"), "{told}");
    let told = try_source("http://x", &mistaken.replace("auht = 1", ""))
        .err()
        .unwrap();
    for part in [
        "unknown source `jbos` in `assets.from`",
        "did you mean `jobs`?",
        "unknown name `recrod` in `recrod.owner.mail`",
        "did you mean `record`?",
        ":20:1:",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let told = try_source("http://x", "version = 2").err().unwrap();
    assert!(told.contains("unknown format version"), "{told}");
}

#[test]
fn sources_that_wait_for_each_other_are_refused() {
    let circular = description("").replace(
        "path = \"/jobs\"",
        "path = \"/jobs\"\nfor_each = \"more\"\n[sources.more]\npath = \"/more\"\nfor_each = \"jobs\"",
    );
    let told = try_source("http://x", &circular).err().unwrap();
    assert!(
        told.contains("the source `jobs` waits for itself"),
        "{told}"
    );
}

#[test]
fn the_document_shows_a_description_that_loads() {
    let document = include_str!("../../../../docs/pipelines.md");
    let example = document.split("```toml\n").nth(1).unwrap();
    let example = example.split("```").next().unwrap();
    let parsed = bowline_pipeline::description::parse(Path::new("pipelines.md"), example);
    if let Err(told) = parsed {
        panic!("{told}");
    }
}

#[test]
fn a_shared_value_cannot_hide_a_source() {
    let hidden = description("").replace(
        "[assets.fields]",
        "let = { jobs = \"record.id\" }\n[assets.fields]",
    );
    let told = try_source("http://x", &hidden).err().unwrap();
    assert!(
        told.contains("`jobs` is the name of a source already"),
        "{told}"
    );
}

#[test]
fn a_reading_can_be_cancelled() {
    let vendor = Vendor::start(|_| Some(ok(json!([]))));
    let source = source(&vendor.url, &description(""));
    source.cancel();
    assert_eq!(
        runs(&source, &always()).unwrap_err().kind,
        SourceErrorKind::Cancelled
    );
    assert!(vendor.asked().is_empty());
}

#[test]
fn an_answer_that_says_what_failed_is_not_mended_by_a_default() {
    let told = |body: serde_json::Value| {
        let vendor = Vendor::start(move |_| Some(ok(body.clone())));
        let text = crate::vendor::description("path = \"/runs\"\nrecords = \"response.items\"");
        let error = runs(&source(&vendor.url, &text), &always()).unwrap_err();
        error.diagnose().to_string()
    };
    let refused = told(json!({"error": {"code": 403, "message": "Unauthorized access."}}));
    assert!(
        refused.contains("the vendor says: Unauthorized access.")
            && !refused.contains("default(none)"),
        "{refused}"
    );
    let other = told(json!({"entries": [], "message": "all runs of today"}));
    assert!(other.contains("default(none)"), "{other}");
}

#[test]
fn a_window_that_is_not_there_is_told() {
    let vendor = Vendor::start(|_| Some(ok(json!([]))));
    for query in [
        "since {{ window.start }}",
        "{{ window.start | epoch_ms + 1 }}",
    ] {
        let text = format!("path = \"/runs\"\nquery = {{ q = \"{query}\" }}");
        let source = source(&vendor.url, &crate::vendor::description(&text));
        let error = runs(&source, &RunQuery::Ids(vec!["a".to_owned()])).unwrap_err();
        let hint = error.hint.unwrap_or_default();
        assert!(
            hint.contains("have no window") && hint.contains("`by_id`"),
            "{query}: {hint}"
        );
        assert!(runs(&source, &always()).is_ok());
    }
}
