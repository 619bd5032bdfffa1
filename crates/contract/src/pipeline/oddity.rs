//! What is odd about events that are valid: it costs no verdict, and is worth a word.

use std::collections::BTreeMap;

use bowline_words::{counted, nearest};
use serde_json::Value;

use super::reference::record_name;
use super::{Asset, AssetEvent, AssetRef, Field, Presence, Property, Run, RunEvent, Shape};

/// What is odd, what can be mended for certain first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Oddity {
    /// A key that is nearly one of the model.
    Slip,
    SaysNothing,
    NoValue,
    UnknownKey,
}

/// The most oddities that are told.
const TOLD: usize = 5;
/// Where the vendor's own word for a status is kept.
const RAW_STATUS: &str = "raw_status";

/// What is odd about assets: keys that the model does not know, keys that say nothing, tags without a value. Each is
/// said once, with how many records have it.
#[must_use]
pub fn odd_assets(events: &[AssetEvent]) -> Vec<String> {
    told(events.iter().map(AssetEvent::json), Asset::FIELDS)
}

/// The same of runs.
#[must_use]
pub fn odd_runs(events: &[RunEvent]) -> Vec<String> {
    told(events.iter().map(RunEvent::json), Run::FIELDS)
}

fn told<'v>(events: impl Iterator<Item = &'v Value>, fields: &'static [Field]) -> Vec<String> {
    let mut found = BTreeMap::new();
    events.for_each(|event| walk(event, fields, &mut found));
    let more = found.len().saturating_sub(TOLD);
    let told = found
        .into_iter()
        .map(|((_, words), count)| format!("{words} ({})", counted(count, "record")));
    let rest = (more > 0).then(|| format!("and {}", counted(more, "more such advice")));
    told.take(TOLD).chain(rest).collect()
}

fn walk(json: &Value, fields: &'static [Field], found: &mut BTreeMap<(Oddity, String), usize>) {
    let Some(record) = json.as_object() else {
        return;
    };
    let name = record_name(fields);
    let mut note = |oddity, words: String| *found.entry((oddity, words)).or_default() += 1;
    for (key, value) in record {
        match fields.iter().find(|field| field.name == key) {
            // What a vendor's status was is kept beside the contract's own.
            None if key == RAW_STATUS => {}
            None => {
                let missing = fields.iter().map(|field| field.name);
                let missing = missing.filter(|field| !record.contains_key(*field));
                let (oddity, hint) = match nearest(key, missing) {
                    Some(near) => (Oddity::Slip, format!("did you mean `{near}`?")),
                    None if fields.iter().any(|field| field.name == "attributes") => (
                        Oddity::UnknownKey,
                        "what else the vendor says belongs in `attributes`".to_owned(),
                    ),
                    None => (Oddity::UnknownKey, "nobody reads it".to_owned()),
                };
                let words = format!("`{name}.{key}` is no key of the model: {hint}");
                note(oddity, words);
            }
            Some(field) if field.presence == Presence::Optional && says_nothing(value) => {
                let words =
                    format!("`{name}.{key}` says nothing: leave it out where there is none");
                note(Oddity::SaysNothing, words);
            }
            Some(_) => {}
        }
    }
    if name == record_name(Property::FIELDS) && !record.contains_key("value") {
        let words = "a tag has no `value`: give one where the vendor has it";
        note(Oddity::NoValue, words.to_owned());
    }
    for field in fields {
        let Some(value) = record.get(field.name) else {
            continue;
        };
        let inner = match &field.shape {
            Shape::Record(fields) | Shape::Records(fields) => *fields,
            Shape::Refs(_) => AssetRef::FIELDS,
            Shape::TaskRuns => Run::FIELDS,
            _ => continue,
        };
        match value {
            Value::Array(items) => items.iter().for_each(|item| walk(item, inner, found)),
            value => walk(value, inner, found),
        }
    }
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_oddity_is_told_once() {
        let asset = json!({
            "job_source_id": "a", "name": "a", "descripton": "b", "owner": null, "tasks": [],
            "properties": [{"key": "daily"}, {"key": "tier", "value": "gold"}], "colour": "red",
            "schedule": {"kind": "cron", "cron": "0 2 * * *"},
        });
        let assets: Vec<AssetEvent> = vec![asset.clone().into(), asset.into()];
        assert_eq!(
            odd_assets(&assets),
            [
                "`asset.descripton` is no key of the model: did you mean `description`? (2 records)",
                "`asset.owner` says nothing: leave it out where there is none (2 records)",
                "`asset.tasks` says nothing: leave it out where there is none (2 records)",
                "a tag has no `value`: give one where the vendor has it (2 records)",
                "`asset.colour` is no key of the model: what else the vendor says belongs in `attributes` (2 records)",
                "and 1 more such advice",
            ]
        );
        let tagged = json!({"job_source_id": "a", "name": "a", "properties": [{"key": "daily"}]});
        assert_eq!(
            odd_assets(&[tagged.into()]),
            ["a tag has no `value`: give one where the vendor has it (1 record)"]
        );
    }

    #[test]
    fn runs_are_looked_at_with_their_task_runs() {
        let run =
            json!({"job_source_id": "a", "raw_status": "DONE", "task_runs": [{"startime": "x"}]});
        assert_eq!(
            odd_runs(&[run.into()]),
            ["`run.startime` is no key of the model: did you mean `start_time`? (1 record)"]
        );
    }
}
