use serde_json::json;

use super::*;
use crate::pipeline::{Asset, Run};

fn run(changes: Value) -> Value {
    changed(
        json!({
            "job_source_id": "orders", "run_source_id": "1", "status": "success",
            "event_time": "2026-11-22T18:00:00Z", "end_time": "2026-11-22T18:00:00Z"
        }),
        changes,
    )
}

fn asset(changes: Value) -> Value {
    changed(
        json!({"job_source_id": "orders", "name": "Orders"}),
        changes,
    )
}

fn changed(mut record: Value, changes: Value) -> Value {
    for (key, value) in changes.as_object().unwrap() {
        record[key] = value.clone();
    }
    record
}

fn runs(events: &[Value]) -> Vec<EventError> {
    let events: Vec<RunEvent> = events.iter().cloned().map(RunEvent::new).collect();
    validate_runs(&events)
}

fn assets(events: &[Value]) -> Vec<EventError> {
    let events: Vec<AssetEvent> = events.iter().cloned().map(AssetEvent::new).collect();
    validate_assets(&events)
}

fn told(errors: &[EventError]) -> Vec<String> {
    errors.iter().map(ToString::to_string).collect()
}

fn of_run(changes: Value) -> Vec<String> {
    told(&runs(&[run(changes)]))
}

fn of_asset(changes: Value) -> Vec<String> {
    told(&assets(&[asset(changes)]))
}

#[test]
fn complete_events_are_valid_and_come_back_unchanged() {
    let refs =
        |role: &str| json!([{"asset_type": "TABLE", "role": role, "fully_qualified_name": "db.t"}]);
    let complete = asset(json!({
        "group": {"source_id": "g", "name": "G", "group_type": "pool"},
        "description": "", "folder": "/a", "is_paused": false, "job_url": "http://x",
        "schedule": {"kind": "cron", "cron_expression": "5 4 * * *", "timezone": "Europe/Berlin",
                     "next_run_at": "2026-11-22T18:00:00+01:00", "raw": {"a": null}},
        "owner": {"primary_email": "a@example.com", "notification_emails": ["b@example.com"]},
        "properties": [{"key": "k", "value": "v"}, {"key": "bare"}],
        "attributes": {"any": [1, null, {}]},
        "inputs": refs("INPUT"), "outputs": refs("OUTPUT"),
        "tasks": [{"task_source_id": "t", "name": "T", "inputs": refs("INPUT"), "upstream_task_source_ids": ["s"]}],
        "triggered_job_source_ids": ["next"]
    }));
    assert_eq!(told(&assets(std::slice::from_ref(&complete))), [""; 0]);
    let typed: Asset = serde_json::from_value(complete.clone()).unwrap();
    assert_eq!(serde_json::to_value(&typed).unwrap(), complete);

    let complete = run(json!({
        "status": "failed", "trigger": "SCHEDULE", "attempt_number": 2,
        "error": {"message": "m", "code": "E", "retryable": true, "structured_fields": {}},
        "task_runs": [run(json!({"task_source_id": "t", "outputs": refs("OUTPUT")}))]
    }));
    assert_eq!(told(&runs(std::slice::from_ref(&complete))), [""; 0]);
    let typed: Run = serde_json::from_value(complete.clone()).unwrap();
    assert_eq!(serde_json::to_value(&typed).unwrap(), complete);
}

#[test]
fn nulls_and_empty_lists_count_as_absent_and_are_not_written() {
    let mut event = run(json!({}));
    for field in Run::FIELDS {
        if field.presence == Presence::Optional && event.get(field.name).is_none() {
            event[field.name] = Value::Null;
        }
    }
    event["inputs"] = json!([]);
    assert_eq!(told(&runs(std::slice::from_ref(&event))), [""; 0]);
    let typed: Run = serde_json::from_value(event).unwrap();
    assert_eq!(serde_json::to_value(&typed).unwrap(), run(json!({})));
}

#[test]
fn required_fields_are_missed() {
    assert_eq!(
        told(&runs(&[json!({})])),
        [
            "event 0: `job_source_id`: required, but missing",
            "event 0: `run_source_id`: required, but missing",
            "event 0: `status`: required, but missing",
            "event 0: `event_time`: required, but missing",
        ]
    );
    assert_eq!(
        told(&assets(&[json!({"job_source_id": " ", "name": null})])),
        [
            "event 0: `job_source_id`: required, but empty",
            "event 0: `name`: required, but missing",
        ]
    );
}

#[test]
fn paths_say_where_inside() {
    let event = run(json!({
        "inputs": [{"asset_type": "TABLE", "role": "INPUT", "mcon": "m"}, {"asset_type": "TABLE", "role": "OUTPUT"}],
        "task_runs": [run(json!({"status": "bogus", "outputs": [7]}))]
    }));
    let events = [run(json!({})), json!("x"), run(json!({})), event];
    assert_eq!(
        told(&runs(&events)),
        [
            "event 1: expected an object, found text",
            &format!(
                "event 3.0: `status`: unknown word `bogus`: use one of `{}`",
                RunStatus::NAMES.join("`, `")
            ),
            "event 3.0.outputs.0: expected an object, found a number",
            "event 3.inputs.1: `role`: must be `INPUT` here",
            "event 3.inputs.1: `fully_qualified_name`: either `fully_qualified_name` or `mcon` is required",
        ]
    );
    assert_eq!(
        of_asset(json!({
            "group": {"schedule": {"kind": "CRON"}},
            "tasks": [{"task_source_id": "t", "name": "n", "outputs": [{"role": "OUTPUT", "mcon": "m"}]}],
            "properties": [{"value": "v"}]
        })),
        [
            "event 0: `group.source_id`: required, but missing",
            "event 0: `group.schedule.kind`: unknown word `CRON`: did you mean `cron`?",
            "event 0.properties.0: `key`: required, but missing",
            "event 0.tasks.0.outputs.0: `asset_type`: required, but missing",
        ]
    );
}

#[test]
fn an_ended_run_needs_its_end_and_a_failed_one_its_error() {
    for status in RunStatus::ALL {
        let errors = of_run(json!({"status": status.name(), "end_time": null}));
        let needs = usize::from(status.is_terminal()) + usize::from(status.needs_error());
        assert_eq!(errors.len(), needs, "{status}: {errors:?}");
    }
    assert_eq!(
        of_run(json!({"status": "failed"})),
        ["event 0: `error`: required, because the status is `failed`"]
    );
    assert_eq!(
        of_run(json!({"status": "failed", "error": {"message": ""}})),
        ["event 0: `error.message`: required, but empty"]
    );
}

#[test]
fn values_are_checked_by_their_shape() {
    for (changes, error) in [
        (
            json!({"job_source_id": 5}),
            "`job_source_id`: expected text, found a number",
        ),
        (
            json!({"attempt_number": 0}),
            "`attempt_number`: must be at least 1, found 0",
        ),
        (
            json!({"attempt_number": 1.5}),
            "`attempt_number`: expected a whole number, found a number with a fraction",
        ),
        (
            json!({"attempt_number": "1"}),
            "`attempt_number`: expected a whole number, found text",
        ),
        (
            json!({"event_time": "2026-11-22T18:00:00"}),
            "`event_time`: the time has no zone: `2026-11-22T18:00:00`",
        ),
        (
            json!({"start_time": 1.0}),
            "`start_time`: expected an ISO 8601 date and time as text, found a number",
        ),
        (
            json!({"trigger": "schedule"}),
            "`trigger`: unknown word `schedule`: did you mean `SCHEDULE`?",
        ),
        (
            json!({"group": "g"}),
            "`group`: expected an object, found text",
        ),
        (
            json!({"task_runs": {}}),
            "`task_runs`: expected a list of objects, found an object",
        ),
        (
            json!({"attributes": []}),
            "`attributes`: expected an object, found a list",
        ),
        (
            json!({"error": {"message": "m", "upstream_failed_task_source_ids": ["a", null]}}),
            "`error.upstream_failed_task_source_ids`: expected a list of texts, found null",
        ),
        (
            json!({"attempt_number": {"$not_json": "Decimal"}}),
            "`attempt_number`: `Decimal` is none of JSON's types",
        ),
        (
            json!({"group": {"$not_json": "set"}}),
            "`group`: `set` is none of JSON's types",
        ),
        (
            json!({"attributes": {"costs": [1, {"$not_json": "Decimal"}]}}),
            "`attributes.costs.1`: `Decimal` is none of JSON's types",
        ),
        (
            json!({"unknown_to_all": {"$not_json": "bytes"}}),
            "`unknown_to_all`: `bytes` is none of JSON's types",
        ),
        (
            json!({"error": {"message": "m", "upstream_failed_task_source_ids": ["a", {"$not_json": "bytes"}]}}),
            "`error.upstream_failed_task_source_ids`: `bytes` is none of JSON's types",
        ),
    ] {
        assert_eq!(of_run(changes), [format!("event 0: {error}")]);
    }
}

#[test]
fn at_most_fifty_errors_are_collected() {
    let events = vec![json!({}); 40];
    let errors = runs(&events);
    assert_eq!(errors.len(), MAX_EVENT_ERRORS);
    assert_eq!(errors[49].path, "12");
    let nested = [run(json!({"task_runs": vec![json!(null); 100]}))];
    assert_eq!(runs(&nested).len(), MAX_EVENT_ERRORS);
    assert_eq!(assets(&events).len(), MAX_EVENT_ERRORS);
}

#[test]
fn long_values_are_cut() {
    let told = of_run(json!({"event_time": "é".repeat(10_000)}));
    assert!(told[0].chars().count() < 200, "{}", told[0]);
}
