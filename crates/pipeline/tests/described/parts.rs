//! Parts of a reading that fail while the rest goes on.

use bowline_pipeline::{Part, Pipeline as _, SourceErrorKind};
use serde_json::{Value, json};

use crate::vendor::{Vendor, ids, ok, runs, source, status, window};

fn description(steps: &str) -> String {
    format!(
        r#"
version = 1
[http]
base_url = "{{{{ credentials.url }}}}"
limits = {{ retries = 0, timeout_seconds = 10 }}
[sources.jobs]
path = "/jobs"
key = "record.id"
[sources.runs]
path = "/runs"
key = "record.id"
[sources.steps]
for_each = "runs"
path = "/runs/{{{{ parent.id }}}}/steps"
key = "parent.id"
many = true
{steps}
[assets]
from = "jobs"
fields = {{ job_source_id = "record.id", name = "record.name" }}
[runs]
from = "runs"
[runs.fields]
job_source_id = "record.job"
run_source_id = "record.id"
status = "'done'"
event_time = "record.at | time"
end_time = "record.at | time"
task_runs = {{ each = "steps[record.id]", run_source_id = "item.id", task_source_id = "item.id", status = "'done'", event_time = "item.at | time", end_time = "item.at | time" }}
"#
    )
}

fn run(id: &str, at: &str) -> Value {
    json!({"id": id, "job": "j", "at": at})
}

/// A vendor with these runs; each has a step, and the steps of `bad` answer with a status.
fn vendor(list: Vec<Value>, bad: &'static str, code: u16) -> Vendor {
    Vendor::start(move |asked| {
        let parts: Vec<&str> = asked.path.trim_matches('/').split('/').collect();
        Some(match parts.as_slice() {
            ["jobs"] => {
                ok(json!([{"id": "a", "name": "A"}, {"id": "b"}, {"id": "c", "name": "C"}]))
            }
            ["runs"] => ok(Value::from(list.clone())),
            ["runs", id, "steps"] if *id == bad => status(code, json!({"error": "x"})),
            ["runs", id, "steps"] => {
                ok(json!([{"id": format!("{id}.1"), "at": "2026-01-01T10:00:00Z"}]))
            }
            _ => status(404, json!({})),
        })
    })
}

const GOOD: &str = "2026-01-01T10:00:00Z";

#[test]
fn a_record_that_cannot_be_read_stops_nothing_else() {
    let list = vec![run("1", GOOD), run("2", "N/A"), run("3", GOOD)];
    let vendor = vendor(list, "", 200);
    let source = source(&vendor.url, &description(""));
    let day = window("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z");
    let (events, summary) = runs(&source, &day).unwrap();
    assert_eq!(ids(&events), ["1", "3"]);
    let [failed] = summary.failed.as_slice() else {
        panic!("{:?}", summary.failed);
    };
    assert_eq!(
        (failed.part, failed.run_source_id.as_deref()),
        (Part::Run, Some("2"))
    );
    assert_eq!(failed.record, run("2", "N/A"));
    assert!(
        failed.error.thing.contains("`record.at | time`"),
        "{}",
        failed.error
    );

    let mut assets = Vec::new();
    let now = "2026-01-02T00:00:00Z".parse().unwrap();
    let summary = source
        .assets(now, None, &mut |asset| assets.push(asset))
        .unwrap();
    assert_eq!(assets.len(), 2);
    assert_eq!(summary.failed.len(), 1);
    assert_eq!(summary.failed[0].part, Part::Job);
}

#[test]
fn what_fails_for_every_record_is_the_descriptions_fault() {
    let vendor = vendor(vec![run("1", "N/A"), run("2", "N/A")], "", 200);
    let day = window("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z");
    let error = runs(&source(&vendor.url, &description("")), &day).unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Expression);
}

#[test]
fn a_list_that_fails_is_left_out_where_the_description_says_so() {
    let day = window("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z");
    let list = || vec![run("1", GOOD), run("2", GOOD), run("3", GOOD)];
    for code in [403, 500] {
        let vendor = vendor(list(), "2", code);
        let read = |steps: &str| runs(&source(&vendor.url, &description(steps)), &day);
        assert!(read("").is_err());
        let (events, summary) = read("failing = \"leave_out\"").unwrap();
        let steps: Vec<usize> = events
            .iter()
            .map(|run| run["task_runs"].as_array().map_or(0, Vec::len))
            .collect();
        assert_eq!(
            (ids(&events), steps),
            (vec!["1".into(), "2".into(), "3".into()], vec![1, 0, 1])
        );
        let failed: Vec<_> = summary
            .failed
            .iter()
            .map(|failed| (failed.part, failed.run_source_id.as_deref()))
            .collect();
        assert_eq!(failed, [(Part::List, Some("2"))]);
        assert!(summary.failed[0].error.thing.contains("/runs/2/steps"));
    }
}

#[test]
fn an_entry_that_fails_does_not_take_its_event_along() {
    let vendor = Vendor::start(|asked| {
        Some(match asked.path.as_str() {
            "/runs" => ok(json!([run("1", GOOD)])),
            _ => ok(json!([{"id": "1.1", "at": GOOD}, {"id": "1.2", "at": "soon"}])),
        })
    });
    let day = window("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z");
    let (events, summary) = runs(&source(&vendor.url, &description("")), &day).unwrap();
    assert_eq!(events[0]["task_runs"].as_array().map(Vec::len), Some(1));
    let failed = &summary.failed[0];
    assert_eq!(
        (failed.part, failed.run_source_id.as_deref()),
        (Part::Entry, Some("1"))
    );
}
