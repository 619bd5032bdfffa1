//! Which runs a reading gives, and what it asks besides.

use bowline_contract::pipeline::{RunEvent, validate_runs};
use bowline_pipeline::RunQuery;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::vendor::{Asked, Vendor, always, description, ids, ok, runs, source, status, window};

const DESCRIPTION: &str = r#"
version = 1
[http]
base_url = "{{ credentials.url }}"
limits = { in_flight = 3 }
[sources.jobs]
path = "/jobs"
key = "record.id"
[sources.ended]
path = "/ended"
query = { since = "{{ window.start | epoch_ms }}", state = ["ok", "bad"], note = "", gone = "{{ none }}" }
key = "[record.job, record.id]"
[sources.active]
path = "/active"
[sources.asked]
for_each = "run_ids"
path = "/runs/{{ parent }}"
missing = [404]
[sources.steps]
for_each = { source = "ended", batch = 2 }
path = "/steps"
json = { runs = "{{ batch | map(attribute='id') | list }}", limit = 9 }
key = "record.run"
many = true
[sources.logs]
for_each = { source = "steps", when = "parent.state == 'broken'" }
path = "/logs/{{ parent.run }}/{{ parent.name }}"
format = "ndjson"
when = "record.level == 'error'"
missing = [404]
key = "[parent.run, parent.name]"
many = true
[assets]
from = "jobs"
fields = { job_source_id = "record.id", name = "record.name" }
[runs]
from = "ended"
also = ["active"]
by_id = "asked"
when = "not record.hidden | default(false)"
[runs.let]
at = "(record.end or record.start) | time('ms')"
[runs.fields]
job_source_id = "record.job"
run_source_id = "record.id"
status = "record.state"
event_time = "at"
end_time = "record.end | time('ms')"
properties = { key = "'job'", value = "jobs[record.job].name" }
error = { message = "(steps[record.id] | having('state', 'broken') | first).text if record.state[0] == 'broken'" }
[runs.fields.task_runs]
each = "steps[record.id]"
run_source_id = "record.id ~ '.' ~ item.name"
task_source_id = "item.name"
status = "item.state"
event_time = "at"
end_time = "at"
error = { message = "(logs[[item.run, item.name]] | last).text if item.state == 'broken'" }
"#;

fn run(id: &str, state: Value, start: i64, end: Option<i64>) -> Value {
    json!({"id": id, "job": "j", "state": state, "start": start * 1000, "end": end.map(|end| end * 1000)})
}

/// Runs around the window from second 100 to second 200.
fn respond(asked: &Asked) -> Value {
    match asked.path.as_str() {
        "/jobs" => json!([{"id": "j", "name": "The job"}]),
        "/ended" => json!([
            run("before", json!(["done"]), 90, Some(99)),
            run("first", json!(["done"]), 90, Some(100)),
            run("pair", json!(["broken", "late"]), 110, Some(120)),
            run("failed", json!(["broken", "other"]), 110, Some(130)),
            run("odd", json!(["Weird"]), 110, Some(140)),
            run("last", json!(["DONE"]), 110, Some(199)),
            run("after", json!(["done"]), 110, Some(200)),
            run("running", json!(["done"]), 150, Some(190)),
            {"id": "hidden", "job": "j", "state": ["done"], "start": 150_000, "end": 160_000, "hidden": true},
        ]),
        "/active" => json!([
            run("running", json!(["running"]), 150, None),
            run("old", json!(["running"]), 1, None)
        ]),
        "/steps" => asked.body["runs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|id| {
                let broken = matches!(id.as_str(), Some("failed" | "pair"));
                let state = if broken { "broken" } else { "done" };
                json!({"run": id, "name": "s/1", "state": state, "text": "step broke"})
            })
            .collect(),
        other => panic!("{other}"),
    }
}

fn vendor() -> Vendor {
    Vendor::start(|asked| {
        Some(match asked.path.as_str() {
            "/logs/failed/s%2F1" => {
                let lines = "{\"level\":\"info\",\"text\":\"begin\"}\n{\"level\":\"error\",\"text\":\"first\"}\n{\"level\":\"error\",\"text\":\"the cause\"}\n";
                let mut answer = ok(Value::Null);
                answer.body = lines.as_bytes().to_vec();
                answer
            }
            path if path.starts_with("/logs/") => status(404, json!({})),
            "/runs/first" => ok(run("first", json!(["done"]), 90, Some(100))),
            path if path.starts_with("/runs/") => status(404, json!({"detail": "not found"})),
            _ => ok(respond(asked)),
        })
    })
}

fn a_window() -> RunQuery {
    window("1970-01-01T00:01:40Z", "1970-01-01T00:03:20Z")
}

#[test]
fn a_window_is_half_open_and_gives_each_run_once() {
    let vendor = vendor();
    let (events, summary) = runs(&source(&vendor.url, DESCRIPTION), &a_window()).unwrap();
    assert_eq!(
        ids(&events),
        ["running", "first", "pair", "failed", "odd", "last"]
    );
    assert_eq!(
        events[0]["status"], "in_progress",
        "what has not ended is read first"
    );
    assert_eq!(
        (
            summary.records,
            summary.events,
            summary.passed_over,
            summary.outside,
            summary.repeated
        ),
        (11, 6, 1, 3, 1)
    );
    assert_eq!(summary.requests, vendor.asked().len() as u64);
}

#[test]
fn neighbouring_windows_neither_overlap_nor_leave_a_gap() {
    let vendor = vendor();
    let source = source(&vendor.url, DESCRIPTION);
    let mut found = Vec::new();
    for (start, end) in [
        ("00:00:00", "00:01:40"),
        ("00:01:40", "00:02:10"),
        ("00:02:10", "01:00:00"),
    ] {
        let at = |time: &str| format!("1970-01-01T{time}Z");
        found.extend(ids(&runs(&source, &window(&at(start), &at(end)))
            .unwrap()
            .0));
    }
    found.retain(|id| id != "running");
    found.sort();
    assert_eq!(
        found,
        [
            "after", "before", "failed", "first", "last", "odd", "old", "pair"
        ]
    );
}

#[test]
fn statuses_are_mapped_and_what_is_not_is_counted() {
    let vendor = vendor();
    let (events, summary) = runs(&source(&vendor.url, DESCRIPTION), &a_window()).unwrap();
    let statuses: Vec<&str> = events
        .iter()
        .map(|run| run["status"].as_str().unwrap())
        .collect();
    assert_eq!(
        statuses,
        [
            "in_progress",
            "success",
            "timed_out",
            "failed",
            "unknown",
            "success"
        ]
    );
    assert_eq!(events[3]["raw_status"], "broken/other");
    assert_eq!(
        summary.unmapped.into_iter().collect::<Vec<_>>(),
        [("Weird".to_owned(), 1)]
    );
}

#[test]
fn sub_requests_are_joined_two_levels_down() {
    let vendor = vendor();
    let (events, _) = runs(&source(&vendor.url, DESCRIPTION), &a_window()).unwrap();
    let failed = &events[3];
    assert_eq!(failed["error"], json!({"message": "step broke"}));
    assert_eq!(
        failed["task_runs"][0]["error"],
        json!({"message": "the cause"})
    );
    assert_eq!(failed["task_runs"][0]["job_source_id"], "j");
    assert_eq!(
        failed["properties"],
        json!([{"key": "job", "value": "The job"}])
    );
    assert_eq!(events[1]["task_runs"][0].get("error"), None);
    let typed: Vec<RunEvent> = events.iter().cloned().map(RunEvent::new).collect();
    let errors = validate_runs(&typed);
    // The vendor gave no error text for one step: that is told, not hidden.
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(
        (errors[0].path.as_str(), errors[0].field.as_str()),
        ("2.0", "error")
    );
    let batches: Vec<usize> = vendor
        .asked()
        .iter()
        .filter(|asked| asked.path == "/steps")
        .map(|asked| asked.body["runs"].as_array().unwrap().len())
        .collect();
    assert_eq!(
        batches.iter().sum::<usize>(),
        7,
        "only runs in the window are asked about"
    );
    assert!(batches.iter().all(|size| *size <= 2), "{batches:?}");
}

#[test]
fn query_parameters_keep_their_forms() {
    let vendor = vendor();
    runs(&source(&vendor.url, DESCRIPTION), &a_window()).unwrap();
    let asked = vendor.asked();
    let ended = asked.iter().find(|asked| asked.path == "/ended").unwrap();
    assert_eq!(ended.query["since"], ["100000"]);
    assert_eq!(ended.query["state"], ["ok", "bad"]);
    assert_eq!(ended.query["note"], [""]);
    assert!(!ended.query.contains_key("gone"));
}

#[test]
fn runs_asked_for_by_id_are_those() {
    let vendor = vendor();
    let query = RunQuery::Ids(vec!["first".to_owned(), "nobody".to_owned()]);
    let (events, summary) = runs(&source(&vendor.url, DESCRIPTION), &query).unwrap();
    assert_eq!(ids(&events), ["first"]);
    assert_eq!(summary.records, 1);
}

#[test]
fn ids_without_a_source_of_their_own_are_picked_from_the_list() {
    let vendor = vendor();
    let without = DESCRIPTION
        .replace("by_id = \"asked\"\n", "")
        .replace("window.start | epoch_ms", "1");
    let query = RunQuery::Ids(vec!["last".to_owned(), "old".to_owned()]);
    let (mut events, _) = runs(&source(&vendor.url, &without), &query).unwrap();
    events.sort_by_key(|event| event["run_source_id"].to_string());
    assert_eq!(ids(&events), ["last", "old"]);
}

#[test]
fn a_second_reading_of_a_window_is_the_same() {
    let vendor = vendor();
    let source = source(&vendor.url, DESCRIPTION);
    assert_eq!(
        runs(&source, &always()).unwrap().0,
        runs(&source, &always()).unwrap().0
    );
}

#[test]
fn requests_run_side_by_side() {
    use std::sync::Barrier;
    // Nobody is answered before three ask: a reading one by one would run into its timeout.
    let three = Barrier::new(3);
    let vendor = Vendor::start(move |asked| {
        if !asked.path.starts_with("/runs/") {
            return Some(ok(json!([])));
        }
        three.wait();
        Some(status(404, json!({})))
    });
    let query = RunQuery::Ids((0..9).map(|index| format!("r{index}")).collect());
    let (events, _) = runs(&source(&vendor.url, DESCRIPTION), &query).unwrap();
    assert!(events.is_empty());
    let asked = vendor.asked();
    assert_eq!(
        asked.iter().filter(|asked| asked.path != "/jobs").count(),
        9
    );
}

#[test]
fn runs_that_are_all_in_the_future_have_local_times() {
    let now = Timestamp::now();
    let in_minutes = move |minutes: i64| (now + SignedDuration::from_mins(minutes)).to_string();
    let local = "the 2 runs that came are all in the future, by up to 3.0 h";
    for (ahead, told) in [
        (vec![120, 180], Some(local)),
        (vec![120, -60], None),
        // Clocks differ by that much.
        (vec![4], None),
    ] {
        let vendor = Vendor::start(move |_| {
            let runs = ahead
                .iter()
                .map(|minutes| json!({"id": minutes.to_string(), "at": in_minutes(*minutes)}));
            Some(ok(runs.collect()))
        });
        let description = description("path = \"/runs\"").replace(
            "event_time = \"'2026-01-01T00:00:00Z'\"",
            "event_time = \"record.at\"",
        );
        let source = source(&vendor.url, &description);
        let (_, summary) = runs(&source, &window(&in_minutes(-600), &now.to_string())).unwrap();
        let mut notes = summary
            .notes
            .iter()
            .filter_map(|note| note.split_once(": "));
        let note = notes.find(|(what, _)| what.contains("all in the future"));
        assert_eq!(note.map(|(what, _)| what), told);
    }
}

#[test]
fn runs_with_a_time_that_stands_for_none_are_told() {
    let vendor = Vendor::start(|_| {
        Some(ok(json!([
            {"id": "a", "at": 1_767_261_600_000_i64},
            {"id": "b", "at": -1},
            {"id": "c", "at": 253_402_300_799_000_i64},
            {"id": "d", "at": 631_152_000_000_i64},
        ])))
    });
    let text = crate::vendor::description("path = \"/runs\"").replace(
        "event_time = \"'2026-01-01T00:00:00Z'\"",
        "event_time = \"record.at | time('ms')\"",
    );
    let source = source(&vendor.url, &text);
    let (events, summary) = runs(&source, &always()).unwrap();
    assert_eq!((ids(&events), summary.outside), (vec!["a".to_owned()], 3));
    let told = summary.sentinels.expect("two are told");
    assert!(
        told.starts_with("2 runs left out because no run can have its `event_time`, such as 1969-12-31T23:59:59.999Z by `record.at | time('ms')`"),
        "{told}"
    );
    assert_eq!(summary.notes, [told]);
    // A run that is asked for by its id is what it is.
    let ids = RunQuery::Ids(vec!["a".to_owned()]);
    assert_eq!(runs(&source, &ids).unwrap().1.sentinels, None);
}
