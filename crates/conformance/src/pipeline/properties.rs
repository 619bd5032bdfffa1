//! Properties of jobs and runs that cannot be so.

use std::collections::{BTreeMap, BTreeSet};

use bowline_contract::pipeline::{AssetEvent, RunEvent};
use serde_json::Value as Json;

use super::contradictions::{SEVERAL, label};
use super::reading::asset_label;

/// With so many jobs it is no accident that they say the same.
const MANY: usize = 5;

/// Runs with properties that have each the value of another one of their job's, where several do, and all that can be told.
pub(super) fn swapped_properties(jobs: &BTreeMap<&str, &Json>, runs: &[RunEvent]) -> Vec<String> {
    let mut of = BTreeSet::new();
    let mut lines = Vec::new();
    for run in runs {
        let Some((id, job)) = run.job_source_id().and_then(|id| jobs.get_key_value(id)) else {
            continue;
        };
        let (own, given) = (properties(job), properties(run.json()));
        let both: Vec<(&str, &str)> = own
            .iter()
            .filter(|(key, _)| given.contains_key(*key))
            .map(|(key, value)| (*key, *value))
            .collect();
        let values: BTreeSet<&str> = both.iter().map(|(_, value)| *value).collect();
        if both.len() < 2 || values.len() < both.len() {
            continue;
        }
        let turned = both.iter().find(|(key, value)| {
            let mut others = both.iter().filter(|(other, _)| other != key);
            others.any(|(other, own)| given[key] == *own && given[other] == *value)
        });
        let Some((key, value)) = turned else {
            return Vec::new();
        };
        of.insert(*id);
        lines.push(format!(
            "{}: `{key}` is `{}`, and of its job `{value}`",
            label(run),
            given[key]
        ));
    }
    if of.len() < 2 || lines.len() < SEVERAL {
        lines.clear();
    }
    lines
}

fn properties(event: &Json) -> BTreeMap<&str, &str> {
    let pairs = event["properties"].as_array().into_iter().flatten();
    pairs
        .filter_map(|pair| Some((pair["key"].as_str()?, pair["value"].as_str()?)))
        .collect()
}

/// Properties whose values are the same few words in all of many jobs, while their keys are others in most: the two were
/// taken for each other.
pub(super) fn turned_properties(assets: &[AssetEvent]) -> Vec<String> {
    let texts = |job: &AssetEvent, part: &str| -> BTreeSet<String> {
        let pairs = job.json()["properties"].as_array().into_iter().flatten();
        pairs
            .filter_map(|pair| Some(pair[part].as_str()?.to_owned()))
            .collect()
    };
    let with = || assets.iter().filter(|job| !texts(job, "key").is_empty());
    let values: BTreeSet<BTreeSet<String>> = with().map(|job| texts(job, "value")).collect();
    let keys: BTreeSet<BTreeSet<String>> = with().map(|job| texts(job, "key")).collect();
    let is_of_several = values.iter().all(|words| words.len() > 1);
    // Flags that are keys share a value.
    let is_each_once = |job: &AssetEvent| {
        let pairs = job.json()["properties"].as_array();
        pairs.map_or(0, Vec::len) == texts(job, "value").len()
    };
    if with().count() < MANY
        || values.len() > 1
        || !is_of_several
        || !with().all(is_each_once)
        || 2 * keys.len() <= with().count()
    {
        return Vec::new();
    }
    let labels = with().filter_map(asset_label);
    labels
        .map(|label| {
            format!("{label} has for keys of properties what are values, and the other way round")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::pipeline::contradictions::by_id;
    use crate::pipeline::samples::{job, run};

    fn pairs(one: (&str, &str), other: (&str, &str)) -> Json {
        let pair = |(key, value): (&str, &str)| json!({"key": key, "value": value});
        json!({"properties": [pair(one), pair(other)]})
    }

    #[test]
    fn keys_are_the_same_for_jobs_and_values_are_not() {
        let told = |of: &dyn Fn(&str) -> Json| {
            let jobs = ["a", "b", "c", "d", "e"].map(|id| job(id, of(id)));
            (
                turned_properties(&jobs).len(),
                turned_properties(&jobs[..4]).len(),
            )
        };
        assert_eq!(told(&|id| pairs((id, "team"), ("x", "tier"))), (5, 0));
        assert_eq!(told(&|id| pairs(("team", id), ("tier", "x"))), (0, 0));
        assert_eq!(told(&|id| pairs((id, "on"), ("x", "on"))), (0, 0), "flags");
        let more = |id: &str| {
            let mut job = pairs((id, "on"), ("x", "off"));
            let pairs = job["properties"].as_array_mut().unwrap();
            pairs.push(json!({"key": "y", "value": "on"}));
            job
        };
        assert_eq!(told(&more), (0, 0), "flags of two kinds");
        assert_eq!(
            told(&|_| pairs(("a", "team"), ("b", "tier"))),
            (0, 0),
            "all alike"
        );
    }

    #[test]
    fn properties_of_runs_that_have_each_others_values_are_told() {
        let jobs = ["a", "b"].map(|id| job(id, pairs(("host", id), ("team", "x"))));
        let told = |of: &dyn Fn(&str) -> Json| {
            let runs = [("a", 1), ("a", 2), ("b", 1)].map(|(id, hour)| run(id, hour, of(id)));
            swapped_properties(&by_id(&jobs), &runs).len()
        };
        assert_eq!(told(&|id| pairs(("host", "x"), ("team", id))), 3);
        assert_eq!(told(&|id| pairs(("host", id), ("team", "x"))), 0);
        assert_eq!(
            told(&|id| pairs(("host", "elsewhere"), ("team", id))),
            0,
            "moved"
        );
        assert_eq!(told(&|_| json!({})), 0);
    }
}
