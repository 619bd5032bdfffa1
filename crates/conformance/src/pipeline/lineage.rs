//! What runs read and write, against what their jobs do.

use std::collections::{BTreeMap, BTreeSet};

use bowline_contract::pipeline::{AssetEvent, RunEvent};
use serde_json::Value as Json;

use super::jobs::mostly;
use super::outcome::Outcome;

/// What is read, and what is written.
type Sides<'e> = [BTreeSet<&'e str>; 2];

/// The names of what a job or a run reads, and of what it writes.
pub(super) fn sides(event: &Json) -> Sides<'_> {
    ["inputs", "outputs"].map(|side| {
        let list = event[side].as_array().into_iter().flatten();
        list.filter_map(|one| {
            one["fully_qualified_name"]
                .as_str()
                .or(one["mcon"].as_str())
        })
        .collect()
    })
}

/// What jobs read and write, by their ids.
fn of_jobs(assets: &[AssetEvent]) -> BTreeMap<&str, Sides<'_>> {
    let jobs = assets.iter();
    jobs.filter_map(|job| Some((job.job_source_id()?, sides(job.json()))))
        .collect()
}

/// Lineage: where runs write the names of what their jobs read, or of what they write, in another way.
pub(super) fn misnamed(
    assets: &[AssetEvent],
    runs: &[RunEvent],
    is_other: fn(&str, &str) -> bool,
) -> Option<Outcome> {
    let jobs = of_jobs(assets);
    mostly(runs, "dataset", |run| {
        let known = jobs.get(run.job_source_id()?)?;
        let given = sides(run.json());
        let mut all = given.iter().flatten();
        if all.any(|name| known.iter().any(|side| side.contains(name))) {
            return Some((true, String::new()));
        }
        let in_place_of = |name: &str, known: &BTreeSet<&str>| {
            let name = name.to_lowercase();
            let mut known = known.iter();
            let own = known.find(|own| is_other(&name, &own.to_lowercase()))?;
            Some((*own).to_owned())
        };
        let (name, own) = given.iter().zip(known).find_map(|(given, known)| {
            given
                .iter()
                .find_map(|name| Some((*name, in_place_of(name, known)?)))
        })?;
        Some((
            false,
            format!("dataset `{name}`, which its job names `{own}`"),
        ))
    })
}

/// Whether a name has the levels of a job's own in another order, such as a schema before its database, or only the last
/// of them.
pub(super) fn is_less(name: &str, own: &str) -> bool {
    let parts = |name: &str| {
        let mut parts: Vec<String> = name.split('.').map(str::to_owned).collect();
        parts.sort_unstable();
        parts
    };
    parts(own) == parts(name) || is_more(own, name)
}

/// Whether a name is a job's own with more levels before it.
pub(super) fn is_more(name: &str, own: &str) -> bool {
    let before = name.strip_suffix(own);
    before.is_some_and(|before| before.ends_with('.'))
}

/// Lineage: where runs read what their jobs write, and the other way round.
pub(super) fn turned_lineage(assets: &[AssetEvent], runs: &[RunEvent]) -> Option<Outcome> {
    let jobs = of_jobs(assets);
    mostly(runs, "dataset", |run| {
        let [reads, writes] = jobs.get(run.job_source_id()?)?;
        let [read, written] = sides(run.json());
        let straight = !read.is_disjoint(reads) || !written.is_disjoint(writes);
        let turned = read
            .intersection(writes)
            .next()
            .or(written.intersection(reads).next());
        let example = match turned {
            Some(turned) => *turned,
            None if straight => "",
            None => return None,
        };
        Some((
            straight,
            format!("dataset `{example}` on the other side than its job"),
        ))
    })
}

/// Lineage: where runs write all that their jobs only read. Whoever moves what it reads may say so.
pub(super) fn both_sides(assets: &[AssetEvent], runs: &[RunEvent]) -> Option<Outcome> {
    let jobs = of_jobs(assets);
    mostly(runs, "dataset", |run| {
        let [reads, writes] = jobs.get(run.job_source_id()?)?;
        let [read, written] = sides(run.json());
        // Whoever writes in place reads what it writes, and not the other way round.
        let mut only_read = reads.difference(writes).peekable();
        let first = only_read.peek().copied().filter(|_| !writes.is_empty())?;
        let is_both = read.contains(first) && only_read.all(|name| written.contains(name));
        Some((
            !is_both,
            format!("dataset `{first}` on both sides, which its job reads"),
        ))
    })
}
