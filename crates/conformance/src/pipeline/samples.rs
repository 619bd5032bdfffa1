//! Jobs, runs and manifests for the tests of this module.

use bowline_contract::pipeline::{AssetEvent, PipelineManifest, RunEvent};
use serde_json::{Value as Json, json};

/// A job with these fields besides.
pub(super) fn job(id: &str, fields: Json) -> AssetEvent {
    AssetEvent::new(with(json!({"job_source_id": id, "name": id}), fields))
}

/// A run of a job in this hour, with these fields besides or instead.
pub(super) fn run(job: &str, hour: u8, fields: Json) -> RunEvent {
    let run = json!({
        "job_source_id": job, "run_source_id": format!("{job}-{hour}"), "status": "success",
        "event_time": format!("2026-01-01T{hour:02}:00:00Z"),
    });
    RunEvent::new(with(run, fields))
}

/// A manifest that maps these words.
pub(super) fn manifest(mapping: Json) -> PipelineManifest {
    let text = json!({
        "connection_type": "custom-etl-connector-51b0515", "connection_name": "x", "asset_class": "etl",
        "run_status_mapping": mapping,
    });
    PipelineManifest::parse(&text.to_string()).expect("a manifest")
}

fn with(mut event: Json, fields: Json) -> Json {
    let Json::Object(fields) = fields else {
        panic!("no fields: {fields}");
    };
    event.as_object_mut().expect("an event").extend(fields);
    event
}
