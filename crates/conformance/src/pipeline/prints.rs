//! What tells jobs and runs of one reading from those of another.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use bowline_contract::pipeline::{AssetEvent, GivenRunError, RunEvent, Window};
use serde_json::Value as Json;

use super::ledger::{Seen, Sighting};
use super::reading::{Reading, asset_label, run_label};

/// The assets of a reading, to be compared with those of others.
pub(super) fn sighted_assets(reading: &Reading<AssetEvent>) -> Sighting {
    let seen = reading.events.iter().filter_map(|asset| {
        let name = asset.name().unwrap_or_default();
        let seen = Seen {
            at: None,
            kin: fingerprint(&[name]),
            print: fingerprint(&[name]),
            whole: asset_whole(asset),
            is_settled: true,
        };
        Some((asset_label(asset)?, seen))
    });
    Sighting {
        span: None,
        seen: seen.collect(),
    }
}

/// The runs of a reading that are in its window, to be compared with those of others.
pub(super) fn sighted_runs(reading: &Reading<RunEvent>, span: Window) -> Sighting {
    let mut seen = BTreeMap::new();
    for run in &reading.events {
        let (Some(label), Some(at)) = (run_label(run), run.event_time()) else {
            continue;
        };
        if !span.contains(at) {
            continue;
        }
        let job = run.job_source_id().unwrap_or_default();
        seen.insert(
            label,
            Seen {
                at: Some(at),
                kin: fingerprint(&[job, &at.to_string()]),
                print: run_print(run),
                whole: run_whole(run),
                is_settled: run.has_ended(),
            },
        );
    }
    Sighting {
        span: Some(span),
        seen,
    }
}

/// A number that is the same for runs that say the same.
pub(super) fn run_print(run: &RunEvent) -> u64 {
    let mut hasher = DefaultHasher::new();
    hash_run(run, &mut hasher);
    let mut tasks: Vec<u64> = run
        .task_runs()
        .map(|task| {
            let mut hasher = DefaultHasher::new();
            hash_run(task, &mut hasher);
            hasher.finish()
        })
        .collect();
    // The order of task runs means nothing.
    tasks.sort_unstable();
    tasks.hash(&mut hasher);
    hasher.finish()
}

/// A number that is the same for runs that say the same in everything that a platform shows: what they read and wrote and
/// their groups, too. What they say in properties may change at any time, addresses may be signed anew for every answer,
/// and what triggered a run may be told only of one run.
pub(super) fn run_whole(run: &RunEvent) -> u64 {
    let mut hasher = DefaultHasher::new();
    run_print(run).hash(&mut hasher);
    for field in ["group", "inputs", "outputs"] {
        let value = run.json().get(field);
        value
            .map(|value| canonical(value).to_string())
            .hash(&mut hasher);
    }
    run.json()["error"]["code"].to_string().hash(&mut hasher);
    hasher.finish()
}

/// A number that is the same for jobs that say the same. What they say in attributes and properties may change at any time.
fn asset_whole(asset: &AssetEvent) -> u64 {
    let mut said = asset.json().clone();
    leave_out(&mut said, &["attributes", "properties"]);
    fingerprint(&[&canonical(&said).to_string()])
}

/// Takes these fields out, however deep they lie.
pub(super) fn leave_out(value: &mut Json, names: &[&str]) {
    match value {
        Json::Array(items) => items.iter_mut().for_each(|item| leave_out(item, names)),
        Json::Object(fields) => {
            fields.retain(|name, _| !names.contains(&name.as_str()));
            fields
                .values_mut()
                .for_each(|field| leave_out(field, names));
        }
        _ => {}
    }
}

/// The same with everything in an order of its own: that of lists and keys means nothing here.
pub(super) fn canonical(value: &Json) -> Json {
    match value {
        Json::Array(items) => {
            let mut items: Vec<Json> = items.iter().map(canonical).collect();
            items.sort_by_cached_key(Json::to_string);
            Json::Array(items)
        }
        Json::Object(fields) => {
            let mut fields: Vec<(&String, Json)> = fields
                .iter()
                .map(|(name, value)| (name, canonical(value)))
                .collect();
            fields.sort_by_key(|(name, _)| *name);
            let fields = fields
                .into_iter()
                .map(|(name, value)| (name.clone(), value));
            Json::Object(fields.collect())
        }
        other => other.clone(),
    }
}

/// Takes in what cannot differ from one reading of a run that has ended to the next.
fn hash_run(run: &RunEvent, hasher: &mut DefaultHasher) {
    let ids = [
        run.job_source_id(),
        run.run_source_id(),
        run.task_source_id(),
        run.parent_attempt_run_source_id(),
    ];
    let times = [
        run.event_time(),
        run.queued_at(),
        run.start_time(),
        run.end_time(),
    ];
    ids.hash(hasher);
    times.hash(hasher);
    run.status().hash(hasher);
    run.trigger().hash(hasher);
    run.attempt_number().hash(hasher);
    run.error().and_then(GivenRunError::message).hash(hasher);
}

fn fingerprint(texts: &[&str]) -> u64 {
    let mut hasher = DefaultHasher::new();
    texts.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_order_of_task_runs_and_the_zone_of_times_mean_nothing() {
        let run = |end: &str, tasks: Json| {
            run_print(&RunEvent::new(json!({
                "job_source_id": "j", "run_source_id": "r", "end_time": end, "task_runs": tasks,
            })))
        };
        let one = run(
            "2026-01-01T00:00:00Z",
            json!([{"run_source_id": "a"}, {"run_source_id": "b"}]),
        );
        let other = run(
            "2026-01-01T01:00:00+01:00",
            json!([{"run_source_id": "b"}, {"run_source_id": "a"}]),
        );
        assert_eq!(one, other);
        assert_ne!(one, run("2026-01-01T00:00:00Z", json!([])));
    }

    #[test]
    fn what_may_change_from_answer_to_answer_means_nothing() {
        let run = |url: &str| {
            let run = json!({"job_source_id": "j", "run_source_id": "r", "run_url": url, "group": {"source_id": "g"}});
            run_whole(&RunEvent::new(run))
        };
        assert_eq!(
            run("https://logs.example/r?sig=1"),
            run("https://logs.example/r?sig=2")
        );
        let job = |state: &str, folder: &str| {
            asset_whole(&AssetEvent::new(json!({
                "job_source_id": "j", "folder": folder, "attributes": {"state": state},
                "tasks": [{"task_source_id": "t", "attributes": {"state": state}}],
            })))
        };
        assert_eq!(job("idle", "a"), job("running", "a"));
        assert_ne!(job("idle", "a"), job("idle", "b"));
    }
}
