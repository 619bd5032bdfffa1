//! Task runs that the vendor lists and the connector never gives.

use std::collections::{BTreeMap, BTreeSet};

use bowline_contract::pipeline::{AssetEvent, GivenTask, RunEvent};
use bowline_words::counted;

use super::SEVERAL;
use super::left_out::left_out;
use super::owners::Place;
use super::records::{Record, Records};
use crate::pipeline::outcome::Outcome;
use crate::pipeline::times::SHOWN;

/// Tasks of the metadata that no run has, although the vendor's records of runs that have others say that they began, again
/// and again. What no metadata has, and what differs in kind, may be left out on purpose. `begun` and `task` are where
/// records of the list say when, and of which task they are.
pub(super) fn lost_tasks(
    records: &Records,
    list: Place<'_>,
    (begun, task): (&str, &str),
    runs: &[&RunEvent],
    assets: &[AssetEvent],
) -> Option<Outcome> {
    let mut known: BTreeSet<(&str, &str)> = BTreeSet::new();
    for job in assets {
        let id = job.job_source_id()?;
        let tasks = job.tasks().filter_map(GivenTask::task_source_id);
        known.extend(tasks.map(|task| (id, task)));
    }
    let mut with_tasks: BTreeMap<String, &RunEvent> = BTreeMap::new();
    let mut given: BTreeSet<&str> = BTreeSet::new();
    for run in runs.iter().filter(|run| run.has("task_runs")) {
        let of = run.job_source_id()?;
        let tasks = || run.task_runs().filter_map(RunEvent::task_source_id);
        // One that runs many times may be told apart by what stands behind it.
        known.retain(|(job, task)| *job != of || !tasks().any(|given| given.contains(task)));
        given.extend(tasks().chain(run.task_runs().filter_map(RunEvent::run_source_id)));
        with_tasks.extend(run.run_source_id().map(|id| (id.to_owned(), *run)));
    }
    let ids: BTreeSet<String> = with_tasks.keys().cloned().collect();
    let lost_by = |record: &Record| {
        let of: BTreeSet<&String> = record.named(&ids).collect();
        let run = with_tasks.get(*of.first().filter(|_| of.len() == 1)?)?;
        let task = record.said(begun).and(record.said(task))?.first()?;
        let own = (run.job_source_id()?, task.as_str());
        let lost = known.iter().find(|known| **known == own)?;
        Some((*lost, run.run_source_id()?))
    };
    let mut lost: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for (task, run) in records.kinds[list.0].records().filter_map(lost_by) {
        lost.entry(task).or_default().insert(run);
    }
    lost.retain(|_, runs| runs.len() > 1);
    let left_out = left_out(records, list, &given, &|record| lost_by(record).is_some());
    (lost.len() >= SEVERAL && !left_out.iter().any(|one| one.may_be_meant())).then(|| {
        let got = format!("{} that no run has", counted(lost.len(), "task"));
        let lines = lost.iter().filter_map(|((job, task), runs)| {
            let run = runs.first()?;
            Some(format!(
                "task `{task}` of job `{job}` ran in run `{run}`, by the vendor's records"
            ))
        });
        Outcome::wrong("task runs of every task of the metadata that ran", got)
            .with_evidence(lines.take(SHOWN))
            .with_hint("give all task runs of a run, from every page of them")
    })
}
