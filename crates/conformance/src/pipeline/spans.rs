//! Whether tasks lie within the time of their runs.

use std::collections::BTreeSet;

use bowline_contract::pipeline::RunEvent;
use jiff::Timestamp;

use super::reading::run_label;
use super::times::{BOOKING, SEVERAL, SLACK};

/// With so many runs of one trigger, and all of them, it is no accident.
const ENOUGH: usize = 5;

/// Runs of which no task lies within the run's own time, where that is so of most: a line each. Attempts that were
/// taken over from earlier may lie before.
pub(super) fn tasks_elsewhere(runs: &[RunEvent]) -> Vec<String> {
    let mut judged = 0;
    let mut lines = Vec::new();
    for run in runs {
        let (Some(start), Some(end)) = (run.start_time(), run.end_time()) else {
            continue;
        };
        let spans: Vec<(Timestamp, Timestamp)> = run
            .task_runs()
            .filter_map(|task| task.start_time().zip(task.end_time()))
            .collect();
        let is_elsewhere = |span: &(Timestamp, Timestamp)| {
            span.0.duration_since(end) > BOOKING || start.duration_since(span.1) > BOOKING
        };
        if let Some((first, _)) = spans.first() {
            judged += 1;
            if spans.iter().all(is_elsewhere) {
                let label = run_label(run).unwrap_or_else(|| "a run".to_owned());
                lines.push(format!(
                    "{label}: no task run lies between `start_time` {start} and `end_time` {end}; one began at {first}"
                ));
            }
        }
    }
    if lines.len() >= SEVERAL && 2 * lines.len() > judged {
        lines
    } else {
        Vec::new()
    }
}

/// Runs that ended before a task of theirs did, of those of which no task had ended and others had not even begun. Who
/// only begins tasks may end before them, and what tidies up may come after the end.
pub(super) fn tasks_that_all_follow(runs: &[RunEvent]) -> Vec<String> {
    let all_follow = |run: &&RunEvent| {
        let (ends, starts) = (
            run.task_runs().filter_map(RunEvent::end_time).min(),
            run.task_runs().filter_map(RunEvent::start_time).max(),
        );
        let end = run.end_time();
        end.zip(ends).is_some_and(|(end, first)| first > end)
            && end.zip(starts).is_some_and(|(end, last)| last > end)
    };
    let judged = runs
        .iter()
        .filter(|run| run.has_ended() && run.task_runs().nth(1).is_some());
    let following: Vec<RunEvent> = judged.clone().filter(all_follow).cloned().collect();
    if 2 * following.len() <= judged.count() {
        return Vec::new();
    }
    tasks_after_the_end(&following)
}

/// Runs that ended before a task of theirs did, where that is so of most: a line each.
pub(super) fn tasks_after_the_end(runs: &[RunEvent]) -> Vec<String> {
    let mut judged = 0;
    let mut lines = Vec::new();
    for run in runs {
        let last = run.task_runs().filter_map(RunEvent::end_time).max();
        let (Some(end), Some(last)) = (run.end_time(), last) else {
            continue;
        };
        judged += 1;
        // What is as long as the run itself is no delay in writing the end down.
        let own = run.start_time().map(|start| end.duration_since(start));
        let slack = own.map_or(BOOKING, |own| own.max(2 * SLACK).min(BOOKING));
        if last.duration_since(end) > slack {
            let label = run_label(run).unwrap_or_else(|| "a run".to_owned());
            lines.push(format!(
                "{label}: a task run ended at {last}, after `end_time` {end}"
            ));
        }
    }
    if lines.len() >= SEVERAL && 2 * lines.len() > judged {
        lines
    } else {
        Vec::new()
    }
}

/// Runs of one trigger that all ended in the moment that they began, although their tasks lasted.
pub(super) fn over_at_once(runs: &[&RunEvent]) -> Vec<String> {
    let is_over = |run: &RunEvent| {
        let task = run
            .task_runs()
            .filter_map(|task| task.start_time().zip(task.end_time()));
        let lasts = task.map(|(start, end)| end.duration_since(start)).max() > Some(SLACK);
        Some(run.start_time()? == run.end_time()? && lasts)
    };
    of_all(
        runs,
        &is_over,
        "began and ended at once, and its tasks lasted",
    )
}

/// A line for each run, where all that can be judged are at fault, enough of them, and of several jobs.
pub(super) fn of_all(
    runs: &[&RunEvent],
    is_at_fault: &dyn Fn(&RunEvent) -> Option<bool>,
    what: &str,
) -> Vec<String> {
    let judged: Vec<(&RunEvent, bool)> = runs
        .iter()
        .filter_map(|run| Some((*run, is_at_fault(run)?)))
        .collect();
    let jobs: BTreeSet<_> = judged.iter().map(|(run, _)| run.job_source_id()).collect();
    if judged.len() < ENOUGH || jobs.len() < 2 || judged.iter().any(|(_, at_fault)| !at_fault) {
        return Vec::new();
    }
    let label = |(run, _): (&RunEvent, bool)| Some(format!("{}: {what}", run_label(run)?));
    judged.into_iter().filter_map(label).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::pipeline::samples::run;

    fn at(hour: u8) -> String {
        format!("2026-01-01T{hour:02}:00:00Z")
    }

    #[test]
    fn runs_of_one_trigger_are_judged_where_all_are_alike_and_of_several_jobs() {
        let of = |job: &str, start: u8| {
            let tasks = json!([{"start_time": at(1), "end_time": at(3)}]);
            run(
                job,
                3,
                json!({"start_time": at(start), "end_time": at(3), "task_runs": tasks}),
            )
        };
        let told = |jobs: [&str; 5], starts: [u8; 5]| {
            let runs: Vec<RunEvent> = jobs
                .iter()
                .zip(starts)
                .map(|(job, start)| of(job, start))
                .collect();
            over_at_once(&runs.iter().collect::<Vec<_>>()).len()
        };
        assert_eq!(told(["a", "b", "a", "b", "a"], [3; 5]), 5);
        assert_eq!(told(["a"; 5], [3; 5]), 0, "one job");
        assert_eq!(told(["a", "b", "a", "b", "a"], [3, 3, 1, 3, 3]), 0);
    }
}
