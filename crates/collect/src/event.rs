//! An event on its way: checked, with a key of its own, written as it goes out.

use std::fmt;

use bowline_contract::pipeline::{
    Asset, AssetEvent, AssetRef, EventError, Field, Run, RunEvent, Shape, validate_assets,
    validate_runs,
};
use jiff::Timestamp;
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::lineage::{Absent, Lineage};

/// The kinds of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A job: metadata.
    Asset,
    /// A run.
    Run,
}

impl Kind {
    /// Its name in lines and dead letters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asset => "asset",
            Self::Run => "run",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How events are written.
#[derive(Debug, Clone)]
pub enum Format {
    /// One line each: `{"kind", "key", "event"}`.
    Lines,
    /// As the push API takes them, with the key among the attributes.
    Push,
    /// One or more OpenLineage events each, a line for each of them.
    OpenLineage(Lineage),
}

/// An event, ready to be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its kind.
    pub kind: Kind,
    /// Its key: the same whenever the same event of the same connector is read, another one when anything in it is.
    pub key: Uuid,
    /// A run's time.
    pub at: Option<Timestamp>,
    /// How it is written; what the connector gave when there are problems.
    pub text: String,
    /// What is wrong with it by the contract; such an event is not delivered.
    pub problems: Vec<String>,
}

/// Makes events of what a connector reads.
#[derive(Debug, Clone)]
pub struct Encoder {
    format: Format,
    namespace: Uuid,
}

impl Encoder {
    /// An encoder; keys are told apart by the connector's type.
    #[must_use]
    pub fn new(connection_type: &str, format: Format) -> Self {
        Self {
            format,
            namespace: Uuid::new_v5(&Uuid::NAMESPACE_URL, connection_type.as_bytes()),
        }
    }

    /// The event of what a connector gave.
    #[must_use]
    pub fn event(&self, mut given: Given) -> Event {
        let kind = given.kind();
        given.make_sparse();
        let key = self.key(kind, given.json());
        let at = given.at();
        let mut problems = given.problems();
        if problems.is_empty() {
            match self.write(key, &mut given) {
                Ok(text) => {
                    return Event {
                        kind,
                        key,
                        at,
                        text,
                        problems,
                    };
                }
                Err(absent) => problems.push(absent.to_string()),
            }
        }
        Event {
            kind,
            key,
            at,
            text: given.json().to_string(),
            problems,
        }
    }

    /// An event of what no model describes, written as it is.
    pub(crate) fn raw(&self, kind: Kind, json: &Json) -> Event {
        Event {
            kind,
            key: self.key(kind, json),
            at: None,
            text: json.to_string(),
            problems: Vec::new(),
        }
    }

    fn key(&self, kind: Kind, json: &Json) -> Uuid {
        let mut canonical = kind.name().as_bytes().to_vec();
        write_canonical(json, &mut canonical);
        Uuid::new_v5(&self.namespace, &canonical)
    }

    fn write(&self, key: Uuid, given: &mut Given) -> Result<String, Absent> {
        let kind = given.kind();
        Ok(match (&self.format, given) {
            (Format::Lines, given) => {
                let json = given.json();
                format!(r#"{{"kind":"{kind}","key":"{key}","event":{json}}}"#)
            }
            (Format::Push, Given::Asset(asset)) => {
                asset
                    .fields_mut()
                    .into_iter()
                    .for_each(|asset| add_key(asset, key));
                format!(r#"{{"etl_asset":{asset}}}"#)
            }
            (Format::Push, Given::Run(run)) => {
                settle(run);
                run.fields_mut()
                    .into_iter()
                    .for_each(|run| add_key(run, key));
                run.to_string()
            }
            (Format::OpenLineage(lineage), Given::Asset(asset)) => lineage.asset(asset)?,
            (Format::OpenLineage(lineage), Given::Run(run)) => lineage.run(run)?,
        })
    }
}

/// What a connector gave.
#[derive(Debug, Clone, PartialEq)]
pub enum Given {
    /// A job.
    Asset(AssetEvent),
    /// A run.
    Run(RunEvent),
}

impl Given {
    const fn kind(&self) -> Kind {
        match self {
            Self::Asset(_) => Kind::Asset,
            Self::Run(_) => Kind::Run,
        }
    }

    fn at(&self) -> Option<Timestamp> {
        match self {
            Self::Asset(_) => None,
            Self::Run(run) => run.event_time(),
        }
    }

    const fn json(&self) -> &Json {
        match self {
            Self::Asset(asset) => asset.json(),
            Self::Run(run) => run.json(),
        }
    }

    /// Takes out nulls and empty lists, which an event must not hold.
    fn make_sparse(&mut self) {
        let (model, fields) = match self {
            Self::Asset(asset) => (Asset::FIELDS, asset.fields_mut()),
            Self::Run(run) => (Run::FIELDS, run.fields_mut()),
        };
        if let Some(fields) = fields {
            make_sparse(model, fields);
        }
    }

    /// What is wrong with it by the contract.
    fn problems(&self) -> Vec<String> {
        let errors = match self {
            Self::Asset(asset) => validate_assets(std::slice::from_ref(asset)),
            Self::Run(run) => validate_runs(std::slice::from_ref(run)),
        };
        errors.iter().map(told).collect()
    }
}

/// Takes out nulls and empty lists; what the model leaves to the vendor stays as it is.
fn make_sparse(fields: &'static [Field], object: &mut Map<String, Json>) {
    object.retain(|_, value| {
        !value.is_null() && value.as_array().is_none_or(|items| !items.is_empty())
    });
    for field in fields {
        let (inner, value) = match (&field.shape, object.get_mut(field.name)) {
            (Shape::Record(inner) | Shape::Records(inner), Some(value)) => (*inner, value),
            (Shape::Refs(_), Some(value)) => (AssetRef::FIELDS, value),
            (Shape::TaskRuns, Some(value)) => (Run::FIELDS, value),
            _ => continue,
        };
        match value {
            Json::Object(record) => make_sparse(inner, record),
            Json::Array(items) => {
                for record in items.iter_mut().filter_map(Json::as_object_mut) {
                    make_sparse(inner, record);
                }
            }
            _ => {}
        }
    }
}

/// What is wrong, with its place within the event.
fn told(error: &EventError) -> String {
    let within = error.path.split_once('.').map_or("", |(_, rest)| rest);
    let place: Vec<&str> = [within, error.field.as_str()]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    match place.as_slice() {
        [] => error.problem.to_string(),
        place => format!("`{}`: {}", place.join("."), error.problem),
    }
}

/// Puts the key among the attributes, the one place where the push API takes what its model does not name.
fn add_key(event: &mut Map<String, Json>, key: Uuid) {
    attributes(event).insert("event_key".to_owned(), Json::from(key.to_string()));
}

const RAW_STATUS: &str = "raw_status";

/// Moves the vendor's own status to the attributes too, also in task runs.
fn settle(run: &mut RunEvent) {
    if let Some(fields) = run.fields_mut()
        && let Some(raw) = fields.shift_remove(RAW_STATUS)
    {
        attributes(fields).entry(RAW_STATUS).or_insert(raw);
    }
    run.task_runs_mut().for_each(settle);
}

fn attributes(event: &mut Map<String, Json>) -> &mut Map<String, Json> {
    let slot = event.entry("attributes").or_insert(Json::Null);
    if !slot.is_object() {
        *slot = Json::Object(Map::new());
    }
    match slot {
        Json::Object(attributes) => attributes,
        _ => unreachable!("just made an object"),
    }
}

/// Writes JSON with sorted keys, so that the order of a vendor's fields does not matter.
fn write_canonical(json: &Json, out: &mut Vec<u8>) {
    match json {
        Json::Array(items) => {
            out.push(b'[');
            for item in items {
                write_canonical(item, out);
                out.push(b',');
            }
            out.push(b']');
        }
        Json::Object(members) => {
            let mut members: Vec<(&String, &Json)> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            out.push(b'{');
            for (name, member) in members {
                write_scalar(&name.as_str(), out);
                write_canonical(member, out);
                out.push(b',');
            }
            out.push(b'}');
        }
        scalar => write_scalar(scalar, out),
    }
}

fn write_scalar(scalar: &impl serde::Serialize, out: &mut Vec<u8>) {
    // A vector takes everything, and texts, numbers and null are always JSON.
    let _written = serde_json::to_writer(out, scalar);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn run() -> Json {
        json!({
            "job_source_id": "a", "run_source_id": "1", "status": "success", "raw_status": "DONE",
            "event_time": "2026-11-22T10:00:00Z", "end_time": "2026-11-22T10:00:00Z"
        })
    }

    fn of_run(json: Json) -> Given {
        Given::Run(RunEvent::new(json))
    }

    #[test]
    fn keys_follow_the_content_and_the_connector() {
        let encoder = Encoder::new("custom-etl-connector-abc1234", Format::Lines);
        let first = encoder.event(of_run(run()));
        let mut turned = Map::new();
        for (name, value) in run().as_object().unwrap().iter().rev() {
            turned.insert(name.clone(), value.clone());
        }
        assert_eq!(encoder.event(of_run(Json::Object(turned))).key, first.key);
        let mut other = run();
        other["status"] = json!("skipped");
        assert_ne!(encoder.event(of_run(other)).key, first.key);
        let elsewhere = Encoder::new("custom-etl-connector-abc1235", Format::Lines);
        assert_ne!(elsewhere.event(of_run(run())).key, first.key);
    }

    #[test]
    fn nulls_and_empty_lists_are_left_out() {
        let encoder = Encoder::new("custom-etl-connector-abc1234", Format::Lines);
        let mut full = run();
        full["start_time"] = Json::Null;
        full["inputs"] = json!([]);
        full["group"] = json!({"source_id": "g", "name": null});
        full["task_runs"] = json!([{
            "job_source_id": "a", "run_source_id": "2", "status": "queued",
            "event_time": "2026-11-22T10:00:00Z", "error": null,
        }]);
        full["attributes"] = json!({"theirs": null, "tags": []});
        let event = encoder.event(of_run(full));
        let line: Json = serde_json::from_str(&event.text).unwrap();
        let mut expected = run();
        expected["group"] = json!({"source_id": "g"});
        expected["task_runs"] = json!([{
            "job_source_id": "a", "run_source_id": "2", "status": "queued",
            "event_time": "2026-11-22T10:00:00Z",
        }]);
        expected["attributes"] = json!({"theirs": null, "tags": []});
        assert_eq!(line["event"], expected);
        assert_eq!(encoder.event(of_run(expected)).key, event.key);
    }

    #[test]
    fn lines_hold_the_event_unchanged() {
        let encoder = Encoder::new("custom-etl-connector-abc1234", Format::Lines);
        let event = encoder.event(of_run(run()));
        let line: Json = serde_json::from_str(&event.text).unwrap();
        assert_eq!(
            line,
            json!({"kind": "run", "key": event.key.to_string(), "event": run()})
        );
    }

    #[test]
    fn what_the_push_api_does_not_name_goes_to_the_attributes() {
        let encoder = Encoder::new("custom-etl-connector-abc1234", Format::Push);
        let mut with_task = run();
        with_task["task_runs"] = json!([run()]);
        with_task["attributes"] = json!({"pool": "p"});
        let event = encoder.event(of_run(with_task));
        let sent: Json = serde_json::from_str(&event.text).unwrap();
        assert_eq!(
            sent["attributes"],
            json!({"pool": "p", "raw_status": "DONE", "event_key": event.key.to_string()})
        );
        assert_eq!(
            sent["task_runs"][0]["attributes"],
            json!({"raw_status": "DONE"})
        );
        assert!(sent.get("raw_status").is_none());
        let asset = encoder.event(Given::Asset(AssetEvent::new(
            json!({"job_source_id": "a", "name": "A"}),
        )));
        let sent: Json = serde_json::from_str(&asset.text).unwrap();
        assert_eq!(sent["etl_asset"]["name"], "A");
        assert_eq!(
            sent["etl_asset"]["attributes"]["event_key"],
            asset.key.to_string()
        );
    }

    #[test]
    fn problems_say_where_in_the_event() {
        let encoder = Encoder::new("custom-etl-connector-abc1234", Format::Push);
        let mut bad = run();
        bad["end_time"] = Json::Null;
        bad["task_runs"] = json!([{"job_source_id": "a"}]);
        let event = encoder.event(of_run(bad.clone()));
        bad.as_object_mut().unwrap().shift_remove("end_time");
        assert_eq!(event.text, bad.to_string());
        assert!(
            event
                .problems
                .contains(&"`0.status`: required, but missing".to_owned()),
            "{:?}",
            event.problems
        );
    }
}
