//! Which tasks runs have, against those of their jobs.

use std::collections::{BTreeMap, BTreeSet};

use bowline_contract::pipeline::{AssetEvent, GivenTask, RunEvent, RunStatus};
use bowline_words::counted;

use super::jobs::{RHYTHM, mostly, named};
use super::outcome::Outcome;
use super::times::SHOWN;

/// How much of their runs' time is left at the end where a task is missing, as one in so many.
const LEFT: i128 = 10;

/// Tasks: where none that the runs of most jobs name is one of the job's.
pub(super) fn unknown_tasks(assets: &[AssetEvent], runs: &[RunEvent]) -> Option<Outcome> {
    let mut tasks: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for job in assets {
        if let Some(id) = job.job_source_id() {
            let own = job.tasks().filter_map(GivenTask::task_source_id);
            tasks.entry(id).or_default().extend(own);
        }
    }
    mostly(runs, "task", |run| {
        let known = tasks
            .get(run.job_source_id()?)
            .filter(|known| !known.is_empty())?;
        let named: Vec<&str> = run
            .task_runs()
            .filter_map(RunEvent::task_source_id)
            .collect();
        let first = named.first()?;
        let is_known = named.iter().any(|task| has(known, task));
        Some((
            is_known,
            format!("task `{first}`, which its job does not have"),
        ))
    })
}

/// Tasks: where all task runs of most runs that went well are of one task, though their jobs have several.
pub(super) fn one_task_for_all(assets: &[AssetEvent], runs: &[RunEvent]) -> Option<Outcome> {
    let jobs = assets.iter().filter(|job| job.tasks().nth(1).is_some());
    let several: BTreeSet<&str> = jobs.filter_map(AssetEvent::job_source_id).collect();
    mostly(runs, "task", |run| {
        let is_whole = run.status() == Some(RunStatus::Success);
        run.job_source_id()
            .filter(|job| is_whole && several.contains(job))?;
        let mut named = run.task_runs().filter_map(RunEvent::task_source_id);
        let (first, count) = (named.next()?, named.clone().count());
        let fits = (count > 0).then(|| named.any(|task| task != first))?;
        Some((
            fits,
            format!("task `{first}` for all of {} task runs", count + 1),
        ))
    })
}

/// Tasks: where all runs of most jobs that went well name one that the job does not have. One that is the same for all jobs is the
/// vendor's own.
pub(super) fn forgotten_tasks(assets: &[AssetEvent], runs: &[RunEvent]) -> Option<Outcome> {
    let mut judged = 0;
    let mut forgotten: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for job in assets {
        let known: BTreeSet<&str> = job.tasks().filter_map(GivenTask::task_source_id).collect();
        let Some(id) = job.job_source_id().filter(|_| !known.is_empty()) else {
            continue;
        };
        // What failed may not have come to all of its tasks.
        let named: Vec<BTreeSet<&str>> = runs
            .iter()
            .filter(|run| run.job_source_id() == Some(id) && run.has("task_runs"))
            .filter(|run| run.status() == Some(RunStatus::Success))
            .map(|run| {
                run.task_runs()
                    .filter_map(RunEvent::task_source_id)
                    .filter(|task| !has(&known, task))
                    .collect()
            })
            .collect();
        if named.len() < RHYTHM {
            continue;
        }
        judged += 1;
        let by_all = named.into_iter().reduce(|all, one| &all & &one);
        let lacking = by_all.unwrap_or_default();
        if !lacking.is_empty() {
            forgotten.insert(id, lacking);
        }
    }
    let common = forgotten.values().cloned().reduce(|all, one| &all & &one);
    forgotten.retain(|_, lacking| {
        lacking
            .iter()
            .any(|task| !common.iter().flatten().any(|own| own == task))
    });
    if forgotten.len() < 2 || 2 * forgotten.len() <= judged {
        return None;
    }
    let got = format!(
        "{} of {} that lack some",
        forgotten.len(),
        counted(judged, "job")
    );
    Some(
        Outcome::wrong("the tasks that every run of a job has", got)
            .with_evidence(forgotten.into_iter().take(SHOWN).map(|(job, tasks)| {
                format!(
                    "job `{job}` lacks task {}, which all its runs name",
                    named(tasks.into_iter())
                )
            }))
            .with_hint("give every task of a job in the metadata, under the id that its runs have"),
    )
}

/// Last tasks that no run of a job has, well or ill, although runs have those before and go on when all that they have are
/// over: so of every job that has one last task, and several. What runs after failures only is in some that failed.
pub(super) fn missing_tasks(assets: &[AssetEvent], runs: &[RunEvent]) -> Option<Outcome> {
    let mut lines = Vec::new();
    for job in assets {
        let id = job.job_source_id();
        let own = runs
            .iter()
            .filter(|run| run.job_source_id() == id && run.has_ended() && run.has("task_runs"));
        let own: Vec<&RunEvent> = own.collect();
        let ill = own
            .iter()
            .filter(|run| run.status().is_some_and(RunStatus::needs_error));
        if job.tasks().nth(1).is_none() || ill.count() == 0 || own.len() < RHYTHM {
            continue;
        }
        let seen: BTreeSet<&str> = own
            .iter()
            .flat_map(|run| run.task_runs())
            .filter_map(RunEvent::task_source_id)
            .collect();
        let Some((missing, mut before)) = last_task(job) else {
            continue;
        };
        let is_seen = |task: &str| seen.iter().any(|run| has(&BTreeSet::from([task]), run));
        if is_seen(missing) || !before.all(is_seen) {
            return None;
        }
        let (mut whole, mut left) = (0, 0);
        for run in own
            .iter()
            .filter(|run| run.status() == Some(RunStatus::Success))
        {
            let last = run.task_runs().filter_map(RunEvent::end_time).max();
            let (Some(start), Some(end), Some(last)) = (run.start_time(), run.end_time(), last)
            else {
                continue;
            };
            whole += end.duration_since(start).as_millis();
            left += end.duration_since(last).as_millis();
        }
        if left * LEFT <= whole {
            return None;
        }
        lines.push(format!(
            "job `{}` has task `{missing}`, which no run has, and runs go on after their tasks",
            id.unwrap_or_default()
        ));
    }
    if lines.len() < RHYTHM {
        return None;
    }
    let got = format!("{} with one that none has", counted(lines.len(), "job"));
    let told = Outcome::wrong("every task of the jobs in some run", got)
        .with_evidence(lines.into_iter().take(SHOWN));
    Some(told.with_hint("give the task runs of a run to the last one"))
}

/// The one task of a job that no other follows, and those before it.
fn last_task(job: &AssetEvent) -> Option<(&str, impl Iterator<Item = &str>)> {
    let before: BTreeSet<&str> = job
        .tasks()
        .flat_map(GivenTask::upstream_task_source_ids)
        .collect();
    let is_last = |task: &&GivenTask| task.task_source_id().is_some_and(|id| !before.contains(id));
    let mut last = job.tasks().filter(is_last);
    let (only, None) = (last.next()?, last.next()) else {
        return None;
    };
    Some((only.task_source_id()?, only.upstream_task_source_ids()))
}

/// Whether a job has a task, or the one that it was made of: `load` for `load[3]`.
fn has(known: &BTreeSet<&str>, task: &str) -> bool {
    let made = task
        .strip_suffix(']')
        .and_then(|task| task.rsplit_once('['));
    known.contains(task) || made.is_some_and(|(of, _)| known.contains(of))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::pipeline::samples::{job, run};

    #[test]
    fn a_task_that_all_runs_have_is_one_of_the_job() {
        let job = |id: &str| job(id, json!({"tasks": [{"task_source_id": "load"}]}));
        let runs = |id: &str, more: &str| -> Vec<RunEvent> {
            let tasks =
                json!({"task_runs": [{"task_source_id": "load"}, {"task_source_id": more}]});
            (1..4).map(|hour| run(id, hour, tasks.clone())).collect()
        };
        let known = [job("a"), job("b"), job("c")];
        let told = |names: [&str; 3]| {
            let all = ["a", "b", "c"].into_iter().zip(names);
            let runs: Vec<RunEvent> = all.flat_map(|(id, more)| runs(id, more)).collect();
            forgotten_tasks(&known, &runs).is_some()
        };
        assert!(told(["x", "y", "z"]));
        assert!(told(["x", "y", "load"]));
        assert!(!told(["x", "load", "load"]));
        assert!(!told(["load[a]", "load[b]", "load[0]"]), "made of one task");
        assert!(!told(["set up", "set up", "set up"]), "the vendor's own");
    }

    #[test]
    fn tasks_that_no_run_has_although_runs_go_on_are_told() {
        let ids = ["a", "b", "c"];
        let of = |before: Json| {
            let tasks = json!([{"task_source_id": "one"},
                {"task_source_id": "two", "upstream_task_source_ids": before}]);
            ids.map(|id| job(id, json!({"tasks": tasks})))
        };
        let (straight, apart) = (of(json!(["one"])), of(json!([])));
        let told_of = |jobs: &[AssetEvent], minute: u8, ran: &str, of_failed: &str| {
            let of = |id: &'static str| (1..5).map(move |hour| (id, hour));
            let runs: Vec<RunEvent> = ids
                .into_iter()
                .flat_map(of)
                .map(|(id, hour)| {
                    let (status, task) = if hour == 1 {
                        ("failed", of_failed)
                    } else {
                        ("success", ran)
                    };
                    let at = |minute: u8| format!("2026-01-01T{hour:02}:{minute:02}:00Z");
                    run(
                        id,
                        hour,
                        json!({
                            "status": status, "start_time": at(0), "end_time": at(40),
                            "task_runs": [{"task_source_id": task, "end_time": at(minute)}],
                        }),
                    )
                })
                .collect();
            missing_tasks(jobs, &runs).is_some()
        };
        let told = |minute, of_failed| told_of(&straight, minute, "one", of_failed);
        assert!(told(20, "one"));
        assert!(!told(39, "one"), "nothing is left to run");
        assert!(!told(20, "two"), "it runs after failures");
        assert!(!told(20, "two[0]"), "it runs after failures, in parts");
        assert!(!told_of(&apart, 20, "one", "one"), "it may handle the end");
        assert!(
            !told_of(&straight, 20, "three", "three"),
            "none before it ran"
        );
    }

    #[test]
    fn task_runs_are_of_several_tasks_where_jobs_have_them() {
        let told = |tasks: [&str; 2], given: [&str; 2]| {
            let tasks = json!({"tasks": tasks.map(|id| json!({"task_source_id": id}))});
            let given = json!({"status": "success", "task_runs": given.map(|id| json!({"task_source_id": id}))});
            let jobs = ["a", "b"].map(|id| job(id, tasks.clone()));
            let runs = ["a", "b"].map(|id| run(id, 1, given.clone()));
            one_task_for_all(&jobs, &runs).is_some()
        };
        assert!(told(["x", "y"], ["x", "x"]));
        assert!(!told(["x", "y"], ["x", "y"]));
        let one = ["a", "b"].map(|id| job(id, json!({"tasks": [{"task_source_id": "x"}]})));
        let twice = json!({"status": "success", "task_runs": [{"task_source_id": "x"}, {"task_source_id": "x"}]});
        let runs = ["a", "b"].map(|id| run(id, 1, twice.clone()));
        assert_eq!(one_task_for_all(&one, &runs), None, "it was tried twice");
    }
}
