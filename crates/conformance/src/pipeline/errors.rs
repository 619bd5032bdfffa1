//! Errors of what went well.

use bowline_contract::pipeline::RunEvent;
use bowline_words::counted;

use super::outcome::Outcome;
use super::reading::run_label;
use super::statuses::OPPOSITES;
use super::times::SHOWN;
use super::words::{Fate, fate};

/// So many runs that went well do not all have a warning.
pub(super) const MANY: usize = 10;

/// Errors of all runs that went well, of which there are many: nobody is warned of each.
pub(super) fn all_well_with_errors(runs: &[RunEvent]) -> Option<Outcome> {
    let is_well = |run: &&RunEvent| run.status().and_then(fate) == Some(Fate::Well);
    let well = || runs.iter().filter(is_well);
    let is_all = well().nth(MANY - 1).is_some() && well().all(|run| run.has("error"));
    well_with_errors(runs).filter(|_| is_all)
}

/// Runs that went well and have an error, where most have, or where no other run has one.
pub(super) fn well_with_errors(runs: &[RunEvent]) -> Option<Outcome> {
    let well: Vec<&RunEvent> = runs
        .iter()
        .filter(|run| run.status().and_then(fate) == Some(Fate::Well))
        .collect();
    let with: Vec<&&RunEvent> = well.iter().filter(|run| run.has("error")).collect();
    let is_told = |run: &RunEvent| run.has("error") && run.status().is_some();
    let errors = runs.iter().filter(|run| is_told(run)).count();
    let is_all = with.len() == errors;
    if with.len() < OPPOSITES || !is_all && 2 * with.len() <= well.len() {
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
pub(super) fn well_tasks_with_errors(runs: &[RunEvent]) -> Option<Outcome> {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
