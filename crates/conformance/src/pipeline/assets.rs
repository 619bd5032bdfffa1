//! The section `etl_metadata`: jobs, well formed, each once, at every page size.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;

use bowline_contract::pipeline::{AssetEvent, GivenTask, odd_assets, validate_assets};
use bowline_pipeline::SourceError;
use bowline_words::counted;

use super::check;
use super::claims::{claims, doubts};
use super::ledger::{Oddity, compare, take_renamed};
use super::outcome::{Doubt, Outcome, failure, invalid};
use super::page_sizes::{too_long, uneven};
use super::prints::sighted_assets;
use super::reading::{Reading, asset_label};
use super::runner::{PAGE, Suite};
use super::times::SHOWN;
use crate::Verdict;

/// With this many jobs or fewer, they are read one by one too.
const ONE_BY_ONE: usize = 24;
/// With so many jobs it is no accident.
const SEVERAL: usize = 3;
/// With more jobs than this, they are read at one other page size only.
const MANY: usize = 300;

/// Runs the section; gives the assets, if they could be read.
pub(super) fn metadata(suite: &mut Suite<'_>) -> Result<Option<Vec<AssetEvent>>, SourceError> {
    let now = suite.window.end;
    let mut read = suite.reader.assets(now, PAGE);
    if read.as_ref().is_ok_and(|first| first.events.is_empty())
        && suite.reader.pipeline.methods().is_some()
    {
        // A connector that drops its last page, which is its only one here, may still have something to show.
        read = suite.reader.assets(now, NonZeroUsize::MIN);
    }
    let first = match read {
        Ok(reading) => reading,
        Err(error) => {
            suite.failed(&check::ASSETS, error)?;
            if suite.verdict(&check::ASSETS) == Some(Verdict::Wrong) {
                for check in [
                    &check::ASSETS_VALID,
                    &check::ASSETS_LIMIT,
                    &check::ASSETS_PAGES,
                    &check::ASSETS_AGAIN,
                    &check::ASSETS_TASKS,
                    &check::ASSETS_VENDOR,
                ] {
                    let by = &check::ASSETS;
                    suite.settle(check, Outcome::Blocked { by }, "");
                }
            }
            return Ok(None);
        }
    };
    let basis = counted(first.events.len(), "job");
    if first.events.is_empty() {
        let nothing = Outcome::nothing_to_see(first.why_nothing());
        suite.settle(&check::ASSETS, nothing, "");
        return Ok(Some(first.events));
    }
    suite.settle(&check::ASSETS, Outcome::Supported, basis.as_str());
    let valid = invalid(
        &validate_assets(&first.events),
        &first.events,
        &asset_label,
        "asset",
    );
    suite.settle(&check::ASSETS_VALID, valid, basis.as_str());
    for odd in odd_assets(&first.events) {
        suite.advise(&check::ASSETS_VALID, odd);
    }
    let judged = match tasks(&first.events) {
        Outcome::Supported => claimed(&claims(&first.events, now)),
        judged => judged,
    };
    suite.settle(&check::ASSETS_TASKS, judged, basis.as_str());
    for doubt in doubts(&first.events) {
        suite.advise(&check::ASSETS_TASKS, doubt);
    }
    if suite.is_strict() {
        return Ok(Some(pages(suite, first).events));
    }
    Ok(Some(first.events))
}

/// Reads the jobs again, at other page sizes and the same, and compares.
fn pages(suite: &mut Suite<'_>, first: Reading<AssetEvent>) -> Reading<AssetEvent> {
    let jobs = counted(first.events.len(), "job");
    let described = suite.reader.pipeline.methods().is_none();
    let sizes = sizes(first.events.len(), described);
    let mut readings = vec![first];
    for size in sizes.iter().copied().chain([PAGE]) {
        match suite.reader.assets(suite.window.end, size) {
            Ok(reading) => readings.push(reading),
            Err(error) => {
                suite.settle(&check::ASSETS_PAGES, failure(&error), "");
                return readings.swap_remove(0);
            }
        }
    }
    // The last of them is the second reading at the usual size.
    let again = readings.len() - 1;
    let sighted =
        |readings: &[Reading<AssetEvent>]| readings.iter().map(sighted_assets).collect::<Vec<_>>();
    let mut sightings = sighted(&readings);
    let mut comparison = compare(&sightings);
    if !(comparison.late.is_empty() && comparison.gone.is_empty()) {
        for size in sizes.first().copied().into_iter().chain([PAGE]) {
            readings.extend(suite.reader.assets(suite.window.end, size));
        }
        sightings = sighted(&readings);
        comparison = compare(&sightings);
    }
    let renamed = take_renamed(&sightings, &mut comparison);
    let mixed = std::mem::take(&mut comparison.mixed);
    let (lost_again, lost): (Vec<Oddity>, Vec<Oddity>) = std::mem::take(&mut comparison.lost)
        .into_iter()
        .partition(|one| one.reading == again);
    let shown: Vec<String> = sizes.iter().map(ToString::to_string).collect();
    let basis = format!("{jobs} at {PAGE}, {} to a page", shown.join(", "));
    suite.settle(&check::ASSETS_LIMIT, too_long(readings.iter()), "");
    let read = || readings.iter().map(|reading| &reading.summary);
    let outcome = once_each(&readings, &lost).of_whole_lists(read());
    let pages_wrong = outcome.verdict() == Verdict::Wrong;
    suite.settle(&check::ASSETS_PAGES, outcome, basis);
    let changed = comparison.late.len() + comparison.gone.len();
    let outcome = if let Some((old, new)) = renamed.first_key_value() {
        Outcome::wrong(
            "the same ids in every reading",
            format!("{} under other ids", counted(renamed.len(), "job")),
        )
        .with_evidence([format!("{old} became {new}, with the same name")])
        .with_hint("take as `job_source_id` what the vendor never changes")
    } else if !pages_wrong && mixed.len() > 1 {
        let labels: BTreeSet<&String> = mixed.iter().map(|one| &one.label).collect();
        Outcome::wrong(
            "jobs that say the same in every reading",
            format!("{} that say something else", counted(labels.len(), "job")),
        )
        .with_evidence(mixed.iter().take(SHOWN).map(|one| {
            let what = &readings[one.reading].what;
            format!("{} is not as before and after among {what}", one.label)
        }))
        .with_hint(
            "join owners, tags and schedules to jobs by their ids, not by their place in a list",
        )
    } else if pages_wrong && !(lost_again.is_empty() && changed == 0) {
        let by = &check::ASSETS_PAGES;
        Outcome::Blocked { by }
    } else if !lost_again.is_empty() {
        Outcome::wrong(
            "the same jobs again",
            format!("{} lost", counted(lost_again.len(), "job")),
        )
        .with_evidence(lost_again.into_iter().take(SHOWN).map(|one| one.label))
    } else if changed > 0 {
        Outcome::Unknown(Doubt::Changed(
            "jobs came or went at the vendor's while the suite was reading".to_owned(),
        ))
    } else {
        Outcome::Supported
    };
    let outcome = outcome.of_whole_lists(read());
    suite.settle(&check::ASSETS_AGAIN, outcome, jobs);
    readings.swap_remove(0)
}

/// Judges whether every reading holds every job, once.
fn once_each(readings: &[Reading<AssetEvent>], lost: &[Oddity]) -> Outcome {
    let twice: BTreeSet<String> = readings
        .iter()
        .flat_map(|reading| reading.repeated.iter().cloned().chain(doubles(reading)))
        .collect();
    if !twice.is_empty() {
        let got = format!("{} more than once", counted(twice.len(), "job"));
        return Outcome::wrong("each job once", got)
            .with_evidence(twice.into_iter().take(SHOWN))
            .with_hint(
                "give the events after the first `offset` ones, in an order that does not change between pages",
            );
    }
    if lost.is_empty() {
        return Outcome::Supported;
    }
    let labels: BTreeSet<&String> = lost.iter().map(|one| &one.label).collect();
    Outcome::wrong(
        "the same jobs at every page size",
        format!("{} lost at some of them", counted(labels.len(), "job")),
    )
    .with_evidence(lost.iter().take(SHOWN).map(|one| {
        let what = &readings[one.reading].what;
        format!("{} is not among {what}", one.label)
    }))
}

/// The other page sizes that a number of jobs is read at: about twenty pages at most, for methods that are cheap to ask
/// and vendors that are not.
fn sizes(jobs: usize, described: bool) -> Vec<NonZeroUsize> {
    let least = jobs.div_ceil(20).max(5);
    let small = uneven(&[least + 2, least + 1, least, least + 3], jobs);
    let mut sizes = vec![small];
    if jobs <= ONE_BY_ONE {
        sizes.push(NonZeroUsize::MIN);
    } else if jobs <= MANY || !described {
        sizes.push(small.saturating_add(6));
    }
    sizes
}

/// Jobs of one reading that are there more than once.
fn doubles(reading: &Reading<AssetEvent>) -> Vec<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for label in reading.events.iter().filter_map(asset_label) {
        *counts.entry(label).or_default() += 1;
    }
    let doubled = counts.into_iter().filter(|(_, count)| *count > 1);
    doubled.map(|(label, _)| label).collect()
}

/// Judges the tasks of jobs: ids of their own, edges that lead somewhere.
fn tasks(assets: &[AssetEvent]) -> Outcome {
    let mut lines = Vec::new();
    for asset in assets {
        let label = asset_label(asset).unwrap_or_else(|| "a job".to_owned());
        let mut ids = BTreeSet::new();
        for id in asset.tasks().filter_map(GivenTask::task_source_id) {
            if !ids.insert(id) {
                lines.push(format!("{label}: two tasks are `{id}`"));
            }
        }
        for task in asset.tasks() {
            let id = task.task_source_id().unwrap_or_default();
            for before in task.upstream_task_source_ids() {
                if before == id {
                    lines.push(format!("{label}: task `{id}` comes after itself"));
                } else if !ids.contains(before) {
                    lines.push(format!(
                        "{label}: task `{id}` comes after `{before}`, which the job does not have"
                    ));
                }
            }
        }
    }
    if lines.is_empty() {
        lines = circles(assets);
    }
    if lines.is_empty() {
        return Outcome::Supported;
    }
    Outcome::wrong(
        "tasks with ids of their own, and edges between them",
        counted(lines.len(), "misfit"),
    )
    .with_evidence(lines.into_iter().take(SHOWN))
}

/// Jobs of which no task can be the first, where that is so of all whose tasks follow others. One may go round and round.
fn circles(assets: &[AssetEvent]) -> Vec<String> {
    let mut lines = Vec::new();
    let with_edges = assets.iter().filter(|job| {
        let follows = |task: &GivenTask| task.upstream_task_source_ids().next().is_some();
        job.tasks().any(follows)
    });
    for job in with_edges {
        let begins = |task: &GivenTask| task.upstream_task_source_ids().next().is_none();
        if job.tasks().any(begins) {
            return Vec::new();
        }
        let label = asset_label(job).unwrap_or_else(|| "a job".to_owned());
        lines.push(format!(
            "{label}: every task comes after another, so that none can be the first"
        ));
    }
    if lines.len() < SEVERAL {
        lines.clear();
    }
    lines
}

/// Judges what else jobs say of themselves.
fn claimed(lines: &[String]) -> Outcome {
    if lines.is_empty() {
        return Outcome::Supported;
    }
    Outcome::wrong(
        "jobs that say of themselves what can be so",
        format!("{} that cannot", counted(lines.len(), "thing")),
    )
    .with_evidence(lines.iter().take(SHOWN).cloned())
    .with_hint("give what the vendor says of each job, and leave out what it does not say")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::samples::job;
    use super::*;

    #[test]
    fn page_sizes_stay_within_twenty_pages() {
        let sizes = |jobs, described| -> Vec<usize> {
            super::sizes(jobs, described)
                .into_iter()
                .map(NonZeroUsize::get)
                .collect()
        };
        assert_eq!(sizes(3, true), [7, 1]);
        assert_eq!(sizes(14, true), [6, 1]);
        assert_eq!(sizes(100, true), [7, 13]);
        assert_eq!(sizes(1000, true), [52]);
        assert_eq!(sizes(1000, false), [52, 58]);
    }

    #[test]
    fn edges_lead_to_tasks_of_the_job() {
        let job = |upstream: &str| {
            AssetEvent::new(json!({"job_source_id": "j", "tasks": [
                {"task_source_id": "a"},
                {"task_source_id": "b", "upstream_task_source_ids": [upstream]},
            ]}))
        };
        assert_eq!(tasks(&[job("a")]), Outcome::Supported);
        let Outcome::Wrong(fault) = tasks(&[job("c")]) else {
            panic!("an edge to nowhere");
        };
        assert_eq!(
            fault.evidence,
            ["job `j`: task `b` comes after `c`, which the job does not have"]
        );
        let Outcome::Wrong(fault) = tasks(&[job("b")]) else {
            panic!("an edge to itself");
        };
        assert_eq!(fault.evidence, ["job `j`: task `b` comes after itself"]);
    }

    #[test]
    fn tasks_go_round_where_all_do() {
        let looping = json!({"tasks": [
            {"task_source_id": "a", "upstream_task_source_ids": ["b"]},
            {"task_source_id": "b", "upstream_task_source_ids": ["a"]},
        ]});
        let jobs = ["x", "y", "z"].map(|id| job(id, looping.clone()));
        assert_eq!(circles(&jobs).len(), 3);
        assert_eq!(circles(&jobs[..2]), [""; 0]);
    }
}
