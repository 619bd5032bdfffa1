//! Statuses: every word that comes is mapped, to what it means, and runs fare as their tasks do.

use std::collections::{BTreeMap, BTreeSet};

use bowline_contract::pipeline::{AssetEvent, RunEvent, RunStatus};
use bowline_pipeline::{Unmapped, proposed_mapping};
use bowline_words::counted;

use super::order::edges;
use super::outcome::Outcome;
use super::reading::run_label;
use super::times::SHOWN;
use super::words::{Fate, fate};

/// With so many runs that say the opposite of their tasks it is no accident.
const OPPOSITES: usize = 3;
/// So many runs that went well do not all have a warning.
const MANY: usize = 10;

/// Judges the words that came.
pub(super) fn statuses(unmapped: &Unmapped, runs: &[RunEvent]) -> Outcome {
    if !unmapped.is_empty() {
        return Outcome::wrong(
            "a meaning for every status in `run_status_mapping` or `task_run_status_mapping`",
            format!("{} without one", counted(unmapped.len(), "status word")),
        )
        .with_evidence(
            unmapped
                .iter()
                .map(|(word, count)| format!("`{word}`, seen {}", counted(*count, "time"))),
        )
        .with_hint(format!(
            "map each of them in manifest.json, such as `{}`, once somebody has confirmed what it means",
            one_line(&proposed_mapping(unmapped.keys().map(String::as_str)))
        ));
    }
    let told: Vec<(&RunEvent, bool)> = runs
        .iter()
        .filter_map(|run| Some((run, is_opposite(run)?)))
        .collect();
    let opposite: Vec<&RunEvent> = told
        .iter()
        .filter(|(_, is_opposite)| *is_opposite)
        .map(|(run, _)| *run)
        .collect();
    let is_meant = is_allowed_to_fail(&opposite);
    if opposite.len() < OPPOSITES || 2 * opposite.len() <= told.len() || is_meant {
        return says_nothing(runs)
            .or_else(|| all_well_with_errors(runs))
            .or_else(|| well_tasks_with_errors(runs))
            .or_else(|| last_task_fared_ill(runs, Fate::Ill))
            .or_else(|| last_task_fared_ill(runs, Fate::Stopped))
            .unwrap_or(Outcome::Supported);
    }
    Outcome::wrong(
        "runs that end as their tasks do",
        format!(
            "{} of {} that say the opposite",
            opposite.len(),
            counted(told.len(), "run")
        ),
    )
    .with_evidence(opposite.into_iter().take(SHOWN).map(|run| {
        let status = run.status().map_or("", RunStatus::name);
        let label = run_label(run).unwrap_or_default();
        format!("{label} is `{status}`, and its tasks are not")
    }))
}

/// Whether the tasks of these runs that went wrong, while their runs went well, are always the same one, which may be
/// allowed to.
fn is_allowed_to_fail(opposite: &[&RunEvent]) -> bool {
    let well = opposite
        .iter()
        .filter(|run| run.status().and_then(fate) == Some(Fate::Well));
    let ill = well.clone().flat_map(|run| {
        let tasks = run.task_runs();
        tasks.filter(|task| task.status().and_then(fate) == Some(Fate::Ill))
    });
    let ids: BTreeSet<Option<&str>> = ill.map(RunEvent::task_source_id).collect();
    2 * well.count() > opposite.len() && ids.len() < 2
}

/// Errors of all runs that went well, of which there are many: nobody is warned of each.
fn all_well_with_errors(runs: &[RunEvent]) -> Option<Outcome> {
    let is_well = |run: &&RunEvent| run.status().and_then(fate) == Some(Fate::Well);
    let with: Vec<&RunEvent> = runs.iter().filter(is_well).collect();
    if with.len() < MANY || !with.iter().all(|run| run.has("error")) {
        return None;
    }
    let got = format!("{} that went well and have one", counted(with.len(), "run"));
    Some(
        Outcome::wrong("errors of runs that went wrong", got)
            .with_evidence(with.into_iter().take(SHOWN).filter_map(|run| {
                let message = run.error()?.message().unwrap_or_default();
                let label = run_label(run)?;
                Some(format!("{label} has the error `{message}`"))
            }))
            .with_hint("give `error` for runs that failed, and leave it out elsewhere"),
    )
}

/// Runs that went wrong with tasks that went well and say what the run does, where most such runs have some.
fn well_tasks_with_errors(runs: &[RunEvent]) -> Option<Outcome> {
    let is_well = |task: &RunEvent| task.status().and_then(fate) == Some(Fate::Well);
    let message = |run: &RunEvent| Some(run.error()?.message()?.to_owned());
    let judged: Vec<(&RunEvent, bool)> = runs
        .iter()
        .filter(|run| run.status().and_then(fate) == Some(Fate::Ill))
        .filter(|run| run.task_runs().any(is_well))
        .filter_map(|run| {
            let own = message(run)?;
            let is_told = |task: &RunEvent| is_well(task) && message(task).as_ref() == Some(&own);
            Some((run, run.task_runs().any(is_told)))
        })
        .collect();
    let with = judged.iter().filter(|(_, is_told)| *is_told);
    if with.clone().count() < OPPOSITES || 2 * with.clone().count() <= judged.len() {
        return None;
    }
    let got = format!(
        "{} with tasks that went well and have one",
        counted(with.clone().count(), "run")
    );
    let lines = with.take(SHOWN).filter_map(|(run, _)| {
        Some(format!(
            "{}: a task went well, and has the error of its run",
            run_label(run)?
        ))
    });
    Some(
        Outcome::wrong("errors of task runs that went wrong", got)
            .with_evidence(lines)
            .with_hint("give `error` for task runs that failed, and leave it out elsewhere"),
    )
}

/// Runs that went well and have an error, of which there are several and not all: what went before may be meant.
pub(super) fn doubts(runs: &[RunEvent]) -> Option<String> {
    let is_well = |run: &&RunEvent| run.status().and_then(fate) == Some(Fate::Well);
    let with: Vec<&RunEvent> = runs
        .iter()
        .filter(is_well)
        .filter(|run| run.has("error"))
        .collect();
    let first = run_label(with.get(OPPOSITES - 1)?)?;
    let count = counted(with.len(), "run");
    Some(format!(
        "{count} that went well with an `error`, such as {first}: see whether that is meant"
    ))
}

/// Runs of which nobody is told how they fared: every word that came is mapped to `unknown`.
fn says_nothing(runs: &[RunEvent]) -> Option<Outcome> {
    let is_silent = |run: &RunEvent| run.status() == Some(RunStatus::Unknown);
    let words: BTreeSet<&str> = runs
        .iter()
        .filter_map(|run| run.json()["raw_status"].as_str())
        .collect();
    (!runs.is_empty() && runs.iter().all(is_silent)).then(|| {
        Outcome::wrong(
            "statuses that say how runs fared",
            format!("{}, all of them `unknown`", counted(runs.len(), "run")),
        )
        .with_evidence(
            words
                .into_iter()
                .take(SHOWN)
                .map(|word| format!("`{word}` is mapped to `unknown`")),
        )
        .with_hint(
            "map each word in `run_status_mapping` to what it means; `bowline explain status` lists the meanings"
                .to_owned(),
        )
    })
}

/// Tasks that all fare as their run does, where several runs went wrong: then the tasks' own statuses were not asked for.
/// Tasks that others must come after do not all fail together with those, in run after run.
pub(super) fn parroted(assets: &[AssetEvent], runs: &[RunEvent]) -> Option<Outcome> {
    let edges = edges(assets);
    let follows = |run: &RunEvent| {
        let edges = run.job_source_id().and_then(|job| edges.get(job));
        let has_begun = |id: &str| {
            let mut tasks = run.task_runs();
            tasks.any(|task| task.task_source_id() == Some(id) && task.has("start_time"))
        };
        let mut edges = edges.into_iter().flatten();
        edges.any(|(before, after)| has_begun(before) && has_begun(after))
    };
    let with_tasks: Vec<&RunEvent> = runs
        .iter()
        .filter(|run| run.has_ended() && run.task_runs().nth(1).is_some())
        .collect();
    let is_parrot = |run: &&RunEvent| {
        let own = run.status();
        own.is_some() && run.task_runs().all(|task| task.status() == own)
    };
    let ill: Vec<&RunEvent> = with_tasks
        .iter()
        .copied()
        .filter(|run| run.status().and_then(fate) == Some(Fate::Ill) && follows(run))
        .collect();
    if ill.len() < OPPOSITES || !with_tasks.iter().all(is_parrot) {
        return None;
    }
    let got = format!(
        "the status of the run, in all of {}",
        counted(ill.len(), "failed run")
    );
    Some(
        Outcome::wrong("task runs with statuses of their own", got)
            .with_evidence(ill.into_iter().take(SHOWN).map(|run| {
                let label = run_label(run).unwrap_or_default();
                format!("{label}: tasks failed, and others after them, every one")
            }))
            .with_hint("give each task run the status that the vendor says of it"),
    )
}

/// Runs that went well although the task that ended last failed or was stopped, where that is so of most whose last task did, and of
/// several jobs. Tasks that others come after may fail.
fn last_task_fared_ill<'r>(runs: &'r [RunEvent], ill: Fate) -> Option<Outcome> {
    let last = |run: &'r RunEvent| run.task_runs().max_by_key(|task| task.end_time());
    // What somebody stopped on purpose lets what follows it be left out, and the run may go well.
    let may_be_meant = |run: &RunEvent| {
        let mut tasks = run.task_runs();
        ill == Fate::Stopped && tasks.any(|task| task.status() == Some(RunStatus::Skipped))
    };
    let judged: Vec<(&'r RunEvent, Fate)> = runs
        .iter()
        .filter(|run| !may_be_meant(run))
        .filter_map(|run| {
            let last = last(run)?;
            let is_ill = last.status().and_then(fate) == Some(ill);
            Some((run, fate(run.status()?)?)).filter(|_| is_ill)
        })
        .collect();
    let well = judged.iter().filter(|(_, own)| *own == Fate::Well);
    let well: Vec<&'r RunEvent> = well.map(|(run, _)| *run).collect();
    let jobs: BTreeSet<Option<&str>> = well.iter().map(|run| run.job_source_id()).collect();
    // One by the same name in all jobs, such as a notice, may be allowed to fail.
    let tasks: BTreeSet<Option<&str>> = well
        .iter()
        .map(|run| last(run).and_then(RunEvent::task_source_id))
        .collect();
    let is_meant = jobs.len() < 2 || tasks.len() < 2;
    if well.len() < OPPOSITES || 2 * well.len() <= judged.len() || is_meant {
        return None;
    }
    let got = format!(
        "{} of {} that went well",
        well.len(),
        counted(judged.len(), "run")
    );
    Some(
        Outcome::wrong("runs that end as their last task does", got)
            .with_evidence(well.into_iter().take(SHOWN).map(|run| {
                let label = run_label(run).unwrap_or_default();
                format!("{label} went well, and the task that ended last did not")
            }))
            .with_hint("give each run the status that the vendor says of it, and not that of one of its tasks"),
    )
}

fn one_line(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.join(" ")
}

/// Whether a run ended well though a task failed, or went wrong though all tasks ended well; none where that cannot be
/// said. Of a task with several attempts the last one counts.
fn is_opposite(run: &RunEvent) -> Option<bool> {
    let own = fate(run.status()?)?;
    let mut last: BTreeMap<&str, &RunEvent> = BTreeMap::new();
    for task in run.task_runs() {
        let id = task.task_source_id().or(task.run_source_id())?;
        let is_later = |other: &&RunEvent| task.start_time() >= other.start_time();
        if last.get(id).is_none_or(is_later) {
            last.insert(id, task);
        }
    }
    let fates: Vec<Fate> = last
        .values()
        .filter_map(|task| fate(task.status()?))
        .collect();
    if fates.is_empty() || fates.len() < last.len() {
        return None;
    }
    match own {
        Fate::Well => Some(fates.contains(&Fate::Ill)),
        Fate::Ill => Some(fates.iter().all(|fate| *fate == Fate::Well)),
        Fate::Stopped | Fate::Open => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::Verdict;
    use crate::pipeline::samples::{self, job};

    fn run(status: &str, tasks: &[&str]) -> RunEvent {
        let tasks: Vec<Json> = tasks
            .iter()
            .enumerate()
            .map(|(at, status)| json!({"task_source_id": at.to_string(), "status": status}))
            .collect();
        RunEvent::new(json!({
            "job_source_id": "j", "run_source_id": "r", "status": status, "task_runs": tasks,
        }))
    }

    #[test]
    fn what_went_well_is_no_error() {
        let well = |hour| {
            samples::run(
                "a",
                hour,
                json!({"status": "success", "error": {"message": "x"}}),
            )
        };
        let runs: Vec<RunEvent> = (1..4).map(well).collect();
        assert!(doubts(&runs).is_some() && doubts(&runs[1..]).is_none());
    }

    #[test]
    fn runs_fare_as_their_tasks_do() {
        let nothing = Unmapped::new();
        let swapped = [
            run("failed", &["success", "success"]),
            run("failed", &["success"]),
            run("success", &["success", "failed"]),
        ];
        assert_eq!(statuses(&nothing, &swapped).verdict(), Verdict::Wrong);
        let allowed = vec![run("success", &["success", "failed"]); 5];
        assert_eq!(statuses(&nothing, &allowed), Outcome::Supported);
        // A task that may fail, and one that was tried again.
        let right = [
            run("success", &["success", "failed"]),
            run("success", &["success"]),
            run("failed", &["failed", "success"]),
            run("cancelled", &["success"]),
            run("failed", &[]),
        ];
        assert_eq!(statuses(&nothing, &right), Outcome::Supported);
    }

    #[test]
    fn tasks_have_statuses_of_their_own() {
        let run = |status: &str, tasks: [&str; 2]| {
            RunEvent::new(json!({
                "job_source_id": "j", "run_source_id": "r", "status": status, "task_runs": [
                    {"task_source_id": "a", "status": tasks[0], "start_time": "2026-01-01T00:00:00Z",
                        "end_time": "2026-01-01T00:01:00Z"},
                    {"task_source_id": "b", "status": tasks[1], "start_time": "2026-01-01T00:01:00Z",
                        "end_time": "2026-01-01T00:02:00Z"},
                ],
            }))
        };
        let job = |before: Json| {
            [job(
                "j",
                json!({"tasks": [{"task_source_id": "a"}, {"task_source_id": "b", "upstream_task_source_ids": before}]}),
            )]
        };
        let known = job(json!(["a"]));
        let is_wrong = |runs: &[RunEvent]| parroted(&known, runs).is_some();
        let failed = run("failed", ["failed", "failed"]);
        let well = run("success", ["success", "success"]);
        let parrots = [vec![failed; 3], vec![well]].concat();
        assert!(is_wrong(&parrots));
        assert_eq!(
            parroted(&job(json!([])), &parrots),
            None,
            "steps of their own"
        );
        let own = [parrots.clone(), vec![run("failed", ["success", "failed"])]].concat();
        assert!(!is_wrong(&own));
        assert!(!is_wrong(&parrots[1..]));
    }

    #[test]
    fn errors_are_of_runs_that_went_wrong() {
        let run = |status: &str| {
            RunEvent::new(json!({
                "job_source_id": "j", "run_source_id": "r", "status": status, "error": {"message": "no error"},
            }))
        };
        let verdict = |runs: &[RunEvent]| statuses(&Unmapped::new(), runs).verdict();
        assert_eq!(verdict(&vec![run("success"); MANY]), Verdict::Wrong);
        let few = vec![run("success"); 3];
        assert_eq!(verdict(&few), Verdict::Supported, "warnings");
        assert_eq!(verdict(&vec![run("failed"); 3]), Verdict::Supported);
        assert_eq!(
            verdict(&vec![run("partial_success"); 3]),
            Verdict::Supported
        );
    }

    #[test]
    fn runs_fail_when_their_last_task_does() {
        let run = |job: &str, status: &str, tasks: [&str; 2]| {
            let tasks: Vec<Json> = (1..)
                .zip(tasks)
                .map(|(hour, status)| {
                    json!({"status": status, "task_source_id": format!("{job}-{hour}"),
                        "end_time": format!("2026-01-01T0{hour}:00:00Z")})
                })
                .collect();
            RunEvent::new(
                json!({"job_source_id": job, "run_source_id": "r", "status": status, "task_runs": tasks}),
            )
        };
        let well = |job: &str| run(job, "success", ["success", "failed"]);
        let told = |runs: &[RunEvent]| last_task_fared_ill(runs, Fate::Ill).is_some();
        assert!(told(&[well("a"), well("b"), well("a")]));
        assert!(
            !told(&[well("a"), well("a"), well("a")]),
            "one job may let it fail"
        );
        let notices = ["a", "b", "c"].map(|job| {
            let mut run = well(job).json().clone();
            run["task_runs"][1]["task_source_id"] = "notify".into();
            RunEvent::new(run)
        });
        assert!(!told(&notices), "all may let it fail");
        let stopped = |tasks: [&str; 2]| {
            let runs = ["a", "b", "a"].map(|job| run(job, "success", tasks));
            last_task_fared_ill(&runs, Fate::Stopped).is_some()
        };
        assert!(stopped(["success", "cancelled"]));
        assert!(!stopped(["cancelled", "skipped"]), "one way was left out");
        let ill = vec![run("a", "failed", ["success", "failed"]); 3];
        assert!(!told(
            &[vec![well("a"), well("b"), well("a")], ill].concat()
        ));
        let others = vec![
            run("a", "success", ["failed", "success"]),
            run("b", "success", ["failed", "success"]),
        ];
        assert!(
            !told(&[others.clone(), others].concat()),
            "others come after it"
        );
    }

    #[test]
    fn tasks_that_went_well_do_not_say_what_went_wrong() {
        let run_that = |status: &str, of_task: &str| {
            let error = json!({"message": "no such table"});
            let tasks = json!([{"status": "success", "error": {"message": of_task}}, {"status": "failed", "error": error}]);
            let run = json!({"job_source_id": "j", "run_source_id": "r", "status": status, "error": error, "task_runs": tasks});
            RunEvent::new(run)
        };
        let run = |of_task: &str| run_that("failed", of_task);
        let told = |runs: &[RunEvent]| well_tasks_with_errors(runs).is_some();
        assert!(told(&vec![run("no such table"); 3]));
        assert!(!told(&vec![run("no such table"); 2]));
        assert!(!told(&vec![run("a warning of its own"); 3]));
        let warned = run_that("success", "no such table");
        assert!(!told(&vec![warned; 3]), "it went well");
    }
}
