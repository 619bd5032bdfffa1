//! Pages are read while what the rows before them need is asked for, and never more requests at once than allowed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::vendor::{Answer, Asked, Vendor, always, ids, ok, runs, source, status};

const RUNS: usize = 1_500;
const PATIENCE: Duration = Duration::from_secs(30);

fn description(in_flight: usize) -> String {
    format!(
        r#"
version = 1
[http]
base_url = "{{{{ credentials.url }}}}"
limits = {{ retries = 0, in_flight = {in_flight} }}
[sources.runs]
path = "/runs"
query = {{ limit = "{{{{ page.size }}}}", offset = "{{{{ page.offset }}}}" }}
records = "response.runs"
pages = {{ style = "offset", size = 100, total = "response.total" }}
id = "record.id"
[sources.logs]
path = "/logs/{{{{ parent.id }}}}"
for_each = {{ source = "runs", when = "parent.failed" }}
key = "record.run"
[assets]
from = "runs"
fields = {{ job_source_id = "record.id", name = "record.id" }}
[runs]
from = "runs"
[runs.fields]
job_source_id = "'job'"
run_source_id = "record.id"
status = "'broken' if record.failed else 'done'"
event_time = "'2026-01-01T00:00:00Z'"
end_time = "'2026-01-01T00:00:00Z'"
error = {{ message = "logs[record.id].text" }}
"#
    )
}

fn page(asked: &Asked) -> Answer {
    let from = asked.number("offset").unwrap_or(0);
    let to = (from + 100).min(RUNS);
    let page: Vec<Value> = (from..to)
        .map(|run| json!({"id": format!("r{run:04}"), "failed": run % 50 == 0}))
        .collect();
    ok(json!({"runs": page, "total": RUNS}))
}

fn log(asked: &Asked) -> Answer {
    let run = asked.path.trim_start_matches("/logs/");
    ok(json!({"run": run, "text": format!("{run} broke")}))
}

#[test]
fn pages_do_not_wait_for_what_hangs_on_them() {
    // The first log comes only after a page was asked for that is behind the runs completed together with its own.
    let furthest = Arc::new((Mutex::new(0), Condvar::new()));
    let vendor = Vendor::start(move |asked| {
        let (offset, moved) = &*furthest;
        let mut seen = offset.lock().unwrap();
        if asked.path == "/runs" {
            *seen = (*seen).max(asked.number("offset").unwrap_or(0));
            moved.notify_all();
            return Some(page(asked));
        }
        let (_seen, waited) = moved
            .wait_timeout_while(seen, PATIENCE, |seen| *seen < 600)
            .unwrap();
        Some(if waited.timed_out() {
            status(400, json!({"message": "nobody reads ahead"}))
        } else {
            log(asked)
        })
    });
    // More requests than there are logs to wait for, so that one is left for the pages.
    let (events, summary) = runs(&source(&vendor.url, &description(16)), &always()).unwrap();
    let expected: Vec<String> = (0..RUNS).map(|run| format!("r{run:04}")).collect();
    assert_eq!(ids(&events), expected);
    assert_eq!(events[50]["error"]["message"], "r0050 broke");
    assert_eq!(summary.records, RUNS);
}

#[test]
fn never_more_requests_than_allowed() {
    for in_flight in [1, 3] {
        let (now, most) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
        let seen = Arc::clone(&most);
        let vendor = Vendor::start(move |asked| {
            seen.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            let answer = match asked.path.as_str() {
                "/runs" => page(asked),
                _ => log(asked),
            };
            now.fetch_sub(1, Ordering::SeqCst);
            Some(answer)
        });
        let (events, _) = runs(&source(&vendor.url, &description(in_flight)), &always()).unwrap();
        assert_eq!(events.len(), RUNS);
        let most = most.load(Ordering::SeqCst);
        assert!(most <= in_flight, "{most} at once, {in_flight} allowed");
    }
}

#[test]
fn rows_read_before_a_failure_are_handed_on() {
    let vendor = Vendor::start(move |asked| {
        Some(match asked.number("offset") {
            Some(offset) if offset > 700 => status(400, json!({"message": "no more"})),
            Some(_) => page(asked),
            None => log(asked),
        })
    });
    for in_flight in [1, 8] {
        let mut count = 0;
        let source = source(&vendor.url, &description(in_flight));
        let read = bowline_pipeline::Pipeline::runs(&source, &always(), None, &mut |_| count += 1);
        assert!(read.unwrap_err().to_string().contains("no more"));
        // What is refused between two pages is asked for at the beginning of one.
        assert_eq!(count, 800, "{in_flight} at once");
    }
}

#[test]
fn what_fails_for_a_whole_group_is_told_where_it_went_well_before() {
    let vendor = Vendor::start(move |asked| {
        let from = asked.number("offset").unwrap_or(0);
        let page: Vec<Value> = (from..(from + 100).min(RUNS))
            .map(|run| {
                // The oldest have lost what came of them.
                let outcome = (run < 700).then(|| json!({"code": run % 50}));
                json!({"id": format!("r{run:04}"), "failed": false, "outcome": outcome})
            })
            .collect();
        Some(match asked.path.as_str() {
            "/runs" => ok(json!({"runs": page, "total": RUNS})),
            _ => log(asked),
        })
    });
    for in_flight in [1, 8] {
        let description = description(in_flight).replace(
            "when = \"parent.failed\"",
            "when = \"parent.outcome.code + 1 == 1\"",
        );
        let mut count = 0;
        let source = source(&vendor.url, &description);
        let summary =
            bowline_pipeline::Pipeline::runs(&source, &always(), None, &mut |_| count += 1)
                .unwrap();
        assert_eq!(
            (count, summary.failed.len()),
            (RUNS, 800),
            "{in_flight} at once"
        );
    }
}

#[test]
fn a_group_that_fails_stops_those_under_way() {
    let logs = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&logs);
    let vendor = Vendor::start(move |asked| {
        if asked.number("offset").is_some() {
            return Some(page(asked));
        }
        count.fetch_add(1, Ordering::SeqCst);
        let is_first = asked.path.ends_with("r0000");
        std::thread::sleep(Duration::from_millis(if is_first { 200 } else { 20 }));
        Some(if is_first {
            status(400, json!({"message": "no log"}))
        } else {
            log(asked)
        })
    });
    let description = description(8).replace("when = \"parent.failed\"", "when = \"True\"");
    let source = source(&vendor.url, &description);
    let read = bowline_pipeline::Pipeline::runs(&source, &always(), None, &mut |_| {});
    assert!(read.unwrap_err().to_string().contains("no log"));
    // All of the first two groups are three hundred.
    let logs = logs.load(Ordering::SeqCst);
    assert!(logs < 250, "{logs}");
}
