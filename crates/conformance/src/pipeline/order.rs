//! Whether the tasks of runs come in the order of their jobs.

use std::collections::BTreeMap;

use bowline_contract::pipeline::{AssetEvent, RunEvent};
use bowline_words::counted;
use jiff::Timestamp;

use super::outcome::Outcome;
use super::reading::run_label;
use super::times::SHOWN;

/// With so many runs it is no accident.
const RHYTHM: usize = 3;
/// With so many pairs of tasks nothing begins or ends in one moment by chance.
const MANY: usize = 10;

/// Tasks: where, in most runs, those that should come after others had ended before these began.
pub(super) fn turned_tasks(assets: &[AssetEvent], runs: &[RunEvent]) -> Option<Outcome> {
    let edges = edges(assets);
    let mut judged = 0;
    let mut lines = Vec::new();
    for run in runs {
        let Some(edges) = run.job_source_id().and_then(|job| edges.get(job)) else {
            continue;
        };
        let mut spans = spans(run);
        // What was tried again later may have ended after what follows it.
        let tries = by_task(run);
        spans.retain(|id, _| tries[id].len() == 1);
        let pairs: Vec<_> = edges
            .iter()
            .filter_map(|(before, after)| {
                Some((before, after, *spans.get(before)?, *spans.get(after)?))
            })
            .collect();
        let straight = pairs
            .iter()
            .filter(|(_, _, before, after)| before.1 <= after.0);
        let straight = straight.count();
        let turned: Vec<_> = pairs
            .iter()
            .filter(|(_, _, before, after)| after.1 <= before.0 && before != after)
            .collect();
        judged += usize::from(straight + turned.len() > 0);
        if let Some((before, after, ..)) = turned.first()
            && turned.len() > straight
        {
            let label = run_label(run).unwrap_or_default();
            lines.push(format!(
                "{label}: task `{after}` had ended when `{before}` began, and should come after it"
            ));
        }
    }
    if lines.len() < RHYTHM || 2 * lines.len() <= judged {
        return None;
    }
    let got = format!(
        "{} of {} the other way round",
        lines.len(),
        counted(judged, "run")
    );
    Some(
        Outcome::wrong("tasks that run in the order of their job", got)
            .with_evidence(lines.into_iter().take(SHOWN))
            .with_hint(
                "give as `upstream_task_source_ids` the tasks that come before, and each task run the id of its own task",
            ),
    )
}

/// Tasks: where, in all runs that have ended, those that should come after others began or ended in the very moment that these did.
pub(super) fn at_once(assets: &[AssetEvent], runs: &[RunEvent]) -> Option<Outcome> {
    let edges = edges(assets);
    let mut starts = Vec::new();
    let mut ends = Vec::new();
    for run in runs.iter().filter(|run| run.has_ended()) {
        let spans = spans(run);
        let edges = run.job_source_id().and_then(|job| edges.get(job));
        for (before, after) in edges.into_iter().flatten() {
            if let (Some(before), Some(after)) = (spans.get(before), spans.get(after))
                && before.0 < before.1
            {
                starts.push((run, before.0, after.0));
                ends.push((run, before.1, after.1));
            }
        }
    }
    for (what, mut times) in [("began", starts), ("ended", ends)] {
        // What is one stream, or is timed by the second, may begin in one second.
        times.retain(|(_, before, after)| {
            [before, after].iter().any(|at| at.subsec_nanosecond() != 0)
        });
        if times.len() < MANY || times.iter().any(|(_, before, after)| before != after) {
            continue;
        }
        let got = format!("{} that {what} as others did", counted(times.len(), "task"));
        let lines = times.into_iter().take(SHOWN).map(|(run, at, _)| {
            let label = run_label(run).unwrap_or_default();
            format!("{label}: a task and one that follows it {what} at {at}, as in all runs")
        });
        return Some(
            Outcome::wrong("tasks with times of their own", got)
                .with_evidence(lines)
                .with_hint("give each task run the times that the vendor says of it, and not those of its run"),
        );
    }
    None
}

/// The tasks of jobs that others follow, each with one that follows it.
pub(super) fn edges(assets: &[AssetEvent]) -> BTreeMap<&str, Vec<(&str, &str)>> {
    assets
        .iter()
        .filter_map(|job| {
            let tasks = job.tasks().filter_map(|task| {
                let id = task.task_source_id()?;
                let before = task.upstream_task_source_ids();
                Some(before.into_iter().map(move |before| (before, id)))
            });
            Some((job.job_source_id()?, tasks.flatten().collect()))
        })
        .collect()
}

/// The task runs of a run, by their tasks.
fn by_task(run: &RunEvent) -> BTreeMap<&str, Vec<&RunEvent>> {
    let mut tasks: BTreeMap<&str, Vec<&RunEvent>> = BTreeMap::new();
    for task in run.task_runs() {
        if let Some(id) = task.task_source_id() {
            tasks.entry(id).or_default().push(task);
        }
    }
    tasks
}

/// When the tasks of a run were at work.
fn spans(run: &RunEvent) -> BTreeMap<&str, (Timestamp, Timestamp)> {
    // Of several attempts the last one counts.
    let mut spans: BTreeMap<&str, (Timestamp, Timestamp)> = BTreeMap::new();
    for task in run.task_runs() {
        let span = task.start_time().zip(task.end_time());
        if let (Some(id), Some(span)) = (task.task_source_id(), span) {
            let known = spans.entry(id).or_insert(span);
            *known = (*known).max(span);
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::pipeline::samples::{job, run};

    #[test]
    fn tasks_that_run_against_their_order_are_seen_where_most_do() {
        let job = job(
            "a",
            json!({"tasks": [
                {"task_source_id": "first"},
                {"task_source_id": "second", "upstream_task_source_ids": ["first"]},
            ]}),
        );
        let ran = |first: &str, second: &str| {
            let task = |id: &str, at: &str| {
                json!({"task_source_id": id, "start_time": format!("2026-01-01T{at}:00Z"),
                    "end_time": format!("2026-01-01T{at}:30Z")})
            };
            run(
                "a",
                1,
                json!({"task_runs": [task("first", first), task("second", second)]}),
            )
        };
        let (right, turned) = (ran("10:00", "10:01"), ran("10:01", "10:00"));
        let at_once = ran("10:00", "10:00");
        let known = [job];
        let is_wrong = |runs: &[RunEvent]| turned_tasks(&known, runs).is_some();
        assert!(is_wrong(&vec![turned.clone(); 3]));
        assert!(!is_wrong(&vec![turned.clone(); 2]));
        assert!(!is_wrong(
            &[vec![turned.clone(); 3], vec![right; 3]].concat()
        ));
        assert!(!is_wrong(&vec![at_once; 5]));
        let mut cleared = turned.json().clone();
        let before = cleared["task_runs"][0].clone();
        cleared["task_runs"].as_array_mut().unwrap().push(before);
        assert!(
            !is_wrong(&vec![RunEvent::new(cleared); 3]),
            "tried again later"
        );
    }

    #[test]
    fn tasks_that_follow_do_not_all_begin_or_end_at_once() {
        let job = job(
            "a",
            json!({"tasks": [
                {"task_source_id": "first"},
                {"task_source_id": "second", "upstream_task_source_ids": ["first"]},
            ]}),
        );
        let known = [job];
        let ran = |first: [&str; 2], second: [&str; 2]| {
            let task = |id: &str, span: [&str; 2]| {
                let [start, end] = span.map(|at| format!("2026-01-01T{at}Z"));
                json!({"task_source_id": id, "start_time": start, "end_time": end})
            };
            run(
                "a",
                1,
                json!({"task_runs": [task("first", first), task("second", second)]}),
            )
        };
        let is_wrong = |runs: &[RunEvent]| at_once(&known, runs).is_some();
        let both = ran(
            ["10:00:00.25", "10:09:00.25"],
            ["10:00:00.25", "10:09:00.25"],
        );
        assert!(is_wrong(&vec![both.clone(); MANY]));
        assert!(!is_wrong(&vec![both.clone(); MANY - 1]));
        assert!(is_wrong(&vec![
            ran(
                ["10:00:00.25", "10:04:00.25"],
                ["10:00:00.25", "10:09:00.25"]
            );
            MANY
        ]));
        assert!(is_wrong(&vec![
            ran(
                ["10:00:00.25", "10:09:00.25"],
                ["10:04:00.25", "10:09:00.25"]
            );
            MANY
        ]));
        let fine = ran(
            ["10:00:00.25", "10:04:00.25"],
            ["10:04:00.25", "10:09:00.25"],
        );
        assert!(!is_wrong(&[vec![both; MANY], vec![fine]].concat()));
        let seconds = ran(["10:00:00", "10:09:00"], ["10:00:00", "10:09:00"]);
        assert!(!is_wrong(&vec![seconds; MANY]), "by the second");
        let no_time = ran(
            ["10:00:00.25", "10:00:00.25"],
            ["10:00:00.25", "10:00:00.25"],
        );
        assert!(!is_wrong(&vec![no_time; MANY]));
    }
}
