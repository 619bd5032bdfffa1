//! The example connectors against recorded answers, cut down to what matters.

use std::path::{Path, PathBuf};

use bowline_contract::pipeline::{AssetEvent, RunEvent, validate_assets, validate_runs};
use bowline_pipeline::{DescribedPipeline, Example, Pipeline as _, PipelineConnector, RunQuery};
use serde_json::{Value, json};

use crate::vendor::{Asked, Vendor, always, ok, open, runs, status};

/// The most lines that the description of a whole orchestrator takes.
const MOST_LINES: usize = 150;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../examples/etl_connectors")
        .join(name)
}

/// The example, and a vendor that answers from the recording `tests/data/<name>.json`.
fn replayed(name: &str, api: &str) -> (Vendor, DescribedPipeline) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/{name}.json"));
    let recorded: Vec<Value> =
        serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let vendor = Vendor::start(move |asked| {
        let exchange = recorded.iter().find(|exchange| is_answer(exchange, asked));
        Some(match exchange {
            Some(exchange) => answer(exchange, asked),
            None => status(
                404,
                json!({"not recorded": [asked.method, asked.path, asked.body]}),
            ),
        })
    });
    let connector =
        PipelineConnector::load(&folder(name)).unwrap_or_else(|error| panic!("{error}"));
    let credentials = json!({"connect_args": {
        "api_url": format!("{}{api}", vendor.url), "username": "ann", "password": "s3cret-Passw0rd"
    }});
    (vendor, open(connector, &credentials))
}

fn is_answer(exchange: &Value, asked: &Asked) -> bool {
    let contains = exchange["contains"].as_str().unwrap_or_default();
    exchange["ask"] == format!("{} {}", asked.method, asked.path)
        && asked.body.to_string().contains(contains)
        && exchange["query"].as_object().is_none_or(|wanted| {
            wanted.iter().all(|(name, value)| {
                asked
                    .query
                    .get(name)
                    .and_then(|values| values.first())
                    .map(String::as_str)
                    == value.as_str()
            })
        })
}

/// The recorded answer; of a list, the part that was asked for.
fn answer(exchange: &Value, asked: &Asked) -> crate::vendor::Answer {
    let mut body = exchange["answer"].clone();
    let offset = ["offset", "page_offset"].iter().find_map(|name| {
        asked
            .number(name)
            .or_else(|| asked.body[*name].as_u64().map(|offset| offset as usize))
    });
    if let Some(list) = exchange["list"].as_str() {
        let list = if list.is_empty() {
            &mut body
        } else {
            &mut body[list]
        };
        let rest = list.as_array().unwrap().iter().skip(offset.unwrap_or(0));
        *list = rest.cloned().collect();
    }
    match exchange["status"].as_u64() {
        Some(code) => status(u16::try_from(code).unwrap(), body),
        None => ok(body),
    }
}

fn assets(source: &DescribedPipeline) -> Vec<Value> {
    let mut events = Vec::new();
    let now = "2026-11-23T00:00:00Z".parse().unwrap();
    source
        .assets(now, None, &mut |event| events.push(event))
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(validate_assets(&events), []);
    events.into_iter().map(AssetEvent::into_json).collect()
}

fn all_runs(source: &DescribedPipeline, query: &RunQuery) -> Vec<Value> {
    let (mut events, summary) = runs(source, query).unwrap_or_else(|error| panic!("{error}"));
    let typed: Vec<RunEvent> = events.iter().cloned().map(RunEvent::new).collect();
    assert_eq!(validate_runs(&typed), []);
    assert!(summary.unmapped.is_empty(), "{:?}", summary.unmapped);
    events.sort_by_key(|event| event["run_source_id"].to_string());
    events
}

/// The members of an event at these keys.
fn part(event: &Value, keys: &[&str]) -> Value {
    keys.iter()
        .map(|key| ((*key).to_owned(), event[*key].clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

#[test]
fn a_whole_orchestrator_takes_few_lines() {
    for Example { name, .. } in Example::ALL {
        let text = std::fs::read_to_string(folder(name).join("connector.toml")).unwrap();
        assert!(text.lines().count() <= MOST_LINES, "{name}");
    }
}

#[test]
fn prefect_comes_out_complete() {
    let (vendor, source) = replayed("prefect", "/api");
    assert_eq!(source.check().unwrap(), "3.8.8");
    let jobs = assets(&source);
    assert_eq!(
        part(
            &jobs[0],
            &[
                "name",
                "group",
                "schedule",
                "owner",
                "properties",
                "inputs",
                "outputs",
                "tasks"
            ]
        ),
        json!({
            "name": "orders/prod",
            "group": {"source_id": "pool", "name": "pool", "group_type": "work_pool"},
            "schedule": {"kind": "interval", "interval_seconds": 3600, "timezone": "Europe/Berlin", "paused": false},
            "owner": {"primary_email": "ann@example.com"},
            "properties": [
                {"key": "prod"}, {"key": "owner:ann@example.com"},
                {"key": "schedule", "value": "{\"cron\":\"0 1 * * *\",\"timezone\":\"UTC\"}"},
                {"key": "entrypoint", "value": "flows.py:orders"}, {"key": "version", "value": "1.0"}
            ],
            "inputs": [{"asset_type": "DATASET", "fully_qualified_name": "postgres://erp/orders", "role": "INPUT"}],
            "outputs": [{"asset_type": "DATASET", "fully_qualified_name": "s3://lake/orders", "role": "OUTPUT"}],
            "tasks": [
                {"task_source_id": "read", "name": "read"},
                {"task_source_id": "write-all", "name": "write-all", "upstream_task_source_ids": ["read"]}
            ]
        })
    );
    assert_eq!(jobs[1]["schedule"], json!({"kind": "manual"}));
    assert_eq!(jobs[1].get("group"), None);
    assert_eq!(jobs[2]["schedule"]["raw"], json!({"rrule": "FREQ=WEEKLY"}));
    assert_eq!(jobs[2]["schedule"]["kind"], "event");

    let runs = all_runs(&source, &always());
    assert_eq!(runs.len(), 3);
    assert_eq!(
        part(
            &runs[0],
            &[
                "status",
                "raw_status",
                "event_time",
                "trigger",
                "attempt_number",
                "error",
                "outputs"
            ]
        ),
        json!({
            "status": "failed", "raw_status": "FAILED/Failed", "event_time": "2026-11-22T18:05:00Z",
            "trigger": "SCHEDULE", "attempt_number": 2,
            "error": {"message": "Flow run encountered an exception: ValueError: no amount", "code": "ValueError", "failure_type": "Failed"},
            "outputs": [{"asset_type": "DATASET", "fully_qualified_name": "s3://lake/orders", "role": "OUTPUT"}]
        })
    );
    assert_eq!(
        runs[0]["run_url"],
        format!("{}/runs/flow-run/r1", vendor.url)
    );
    assert_eq!(runs[0]["task_runs"][1]["error"]["code"], "ValueError");
    assert_eq!(
        part(&runs[1], &["status", "trigger"]),
        json!({"status": "timed_out", "trigger": "EVENT"})
    );
    assert_eq!(
        runs[1].get("queued_at"),
        None,
        "it was to begin later than it did"
    );
    assert_eq!(
        part(&runs[2], &["status", "event_time"]),
        json!({"status": "queued", "event_time": "2026-11-22T18:10:15Z"})
    );
}

#[test]
fn airflow_comes_out_complete() {
    let (vendor, source) = replayed("airflow", "");
    assert_eq!(
        source.warnings().unwrap(),
        ["sales/broken.py: ModuleNotFoundError: nope"]
    );
    let jobs = assets(&source);
    assert_eq!(
        part(
            &jobs[0],
            &["name", "group", "schedule", "owner", "outputs", "tasks"]
        ),
        json!({
            "name": "Orders",
            "group": {"source_id": "sales", "name": "sales", "group_type": "dag_bundle"},
            "schedule": {"kind": "cron", "cron_expression": "15 5 * * 1-5", "next_run_at": "2026-11-23T04:15:00Z", "paused": false},
            "owner": {"primary_email": "jane@example.com", "primary_name": "jane"},
            "outputs": [{"asset_type": "DATASET", "fully_qualified_name": "s3://lake/orders", "role": "OUTPUT"}],
            "tasks": [
                {"task_source_id": "extract", "name": "extract", "task_type": "BashOperator"},
                {"task_source_id": "load", "name": "load", "task_type": "@task", "description": "Loads.", "upstream_task_source_ids": ["extract"]}
            ]
        })
    );
    assert_eq!(
        jobs[1]["schedule"],
        json!({"kind": "upstream", "paused": true, "upstream_job_source_ids": ["orders"]})
    );
    assert_eq!(
        jobs[1]["owner"],
        json!({"primary_email": "bob@example.com"})
    );
    assert_eq!(jobs[2]["schedule"]["interval_seconds"], 108_000);

    let runs = all_runs(&source, &always());
    assert_eq!(
        part(
            &runs[0],
            &["run_source_id", "status", "trigger", "error", "outputs"]
        ),
        json!({
            "run_source_id": "orders/manual__1", "status": "failed", "trigger": "SCHEDULE",
            "error": {"message": "HTTP 503 from crm", "code": "ConnectionError", "failure_type": "task_failed", "upstream_failed_task_source_ids": ["extract"]},
            "outputs": [{"asset_type": "DATASET", "fully_qualified_name": "s3://lake/orders", "role": "OUTPUT"}]
        })
    );
    assert_eq!(
        runs[0]["task_runs"][0]["error"]["message"],
        "HTTP 503 from crm"
    );
    assert_eq!(runs[0]["task_runs"][1]["status"], "scheduled");
    assert_eq!(
        part(
            &runs[0]["task_runs"][2],
            &["status", "raw_status", "task_source_id", "error"]
        ),
        json!({
            "status": "timed_out", "raw_status": "failed/AirflowTaskTimeout", "task_source_id": "extract",
            "error": {"message": "Timeout, PID: 7", "code": "AirflowTaskTimeout"}
        })
    );
    assert_eq!(
        part(&runs[1], &["status", "trigger"]),
        json!({"status": "in_progress", "trigger": "UPSTREAM"})
    );
    // The same id of a run in another DAG: neither its tasks nor its outputs are taken over.
    assert_eq!(
        runs[2]["error"],
        json!({"message": "marked by hand", "failure_type": "marked_failed"})
    );
    assert_eq!(
        (runs[2].get("task_runs"), runs[2].get("outputs")),
        (None, None)
    );
    let asked = vendor.asked();
    let logins = asked
        .iter()
        .filter(|asked| asked.path == "/auth/token")
        .count();
    assert_eq!(logins, 1);
    assert!(asked.iter().all(|asked| {
        asked.path == "/auth/token" || asked.headers["authorization"] == "Bearer jwt"
    }));
}

#[test]
fn dagster_comes_out_complete() {
    let (_vendor, source) = replayed("dagster", "");
    assert_eq!(
        source.warnings().unwrap(),
        ["broken: ModuleNotFoundError: nope"]
    );
    let jobs = assets(&source);
    assert_eq!(
        part(
            &jobs[0],
            &[
                "job_source_id",
                "group",
                "schedule",
                "owner",
                "properties",
                "inputs",
                "outputs",
                "tasks"
            ]
        ),
        json!({
            "job_source_id": "sales/repo/orders",
            "group": {"source_id": "sales", "name": "sales", "group_type": "code_location"},
            "schedule": {"kind": "cron", "cron_expression": "0 4 * * 1", "timezone": "UTC", "paused": true},
            "owner": {"primary_email": "ann@example.com", "team": "sales"},
            "properties": [
                {"key": "domain", "value": "sales"}, {"key": "schedule", "value": "0 22 * * *"},
                {"key": "runbook", "value": "https://wiki"}, {"key": "note", "value": "x"}
            ],
            "inputs": [{"asset_type": "DATASET", "fully_qualified_name": "raw", "role": "INPUT"}],
            "outputs": [{"asset_type": "DATASET", "fully_qualified_name": "lake/orders", "role": "OUTPUT"}],
            "tasks": [
                {"task_source_id": "a", "name": "a", "description": "A"},
                {"task_source_id": "b", "name": "b", "upstream_task_source_ids": ["a"]}
            ]
        })
    );
    assert_eq!(
        jobs[1]["schedule"],
        json!({"kind": "event", "event_trigger": {"sensor": "files"}, "paused": false})
    );

    let runs = all_runs(&source, &always());
    assert_eq!(
        part(
            &runs[0],
            &["status", "event_time", "start_time", "trigger", "error"]
        ),
        json!({
            "status": "failed", "event_time": "2026-11-22T18:00:05Z", "start_time": "2026-11-22T18:00:01.5Z", "trigger": "SCHEDULE",
            "error": {"message": "ValueError: no amount", "code": "ValueError", "failure_type": "STEP_FAILURE", "upstream_failed_task_source_ids": ["a"]}
        })
    );
    assert_eq!(
        part(
            &runs[0]["task_runs"][0],
            &[
                "run_source_id",
                "task_source_id",
                "status",
                "attempt_number",
                "error"
            ]
        ),
        json!({
            "run_source_id": "r1/a[amer]", "task_source_id": "a", "status": "failed", "attempt_number": 2,
            "error": {"message": "ValueError: no amount", "code": "ValueError"}
        })
    );
    assert_eq!(runs[1]["status"], "in_progress");
    // What broke by itself keeps its reason, what was stopped has none.
    assert_eq!(
        (&runs[2]["status"], runs[2].get("error")),
        (&json!("cancelled"), None)
    );
    let steps = runs[2]["task_runs"].as_array().unwrap();
    assert_eq!(
        steps
            .iter()
            .map(|step| part(step, &["status", "raw_status", "error"]))
            .collect::<Vec<_>>(),
        [
            json!({
                "status": "failed", "raw_status": "FAILURE",
                "error": {"message": "KeyError: 'amount'", "code": "KeyError"}
            }),
            json!({"status": "cancelled", "raw_status": "FAILURE/INTERRUPT", "error": null})
        ]
    );
    let asked = all_runs(&source, &RunQuery::Ids(vec!["r2".to_owned()]));
    assert_eq!(asked.len(), 1);
}
