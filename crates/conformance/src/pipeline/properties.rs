//! Properties of jobs that cannot be so.

use std::collections::BTreeSet;

use bowline_contract::pipeline::AssetEvent;

use super::reading::asset_label;

/// With so many jobs it is no accident that they say the same.
const MANY: usize = 5;

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
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::pipeline::samples::job;

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
}
