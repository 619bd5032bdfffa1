//! Ids: one run each, one task run each, and written as the vendor writes them.

use std::collections::BTreeMap;

use bowline_contract::pipeline::RunEvent;
use bowline_words::counted;

use super::outcome::Outcome;
use super::reading::run_label;
use super::texts::{
    bare_addresses, cut_messages, empty_texts, foreign_addresses, foreign_messages, is_nothing,
    shown_records, turned_codes,
};
use super::times::SHOWN;

/// With so many ids that are fractions they are numbers that were written as such.
const FRACTIONS: usize = 3;

/// Ids: one run each, one task run each. Runs are asked for by their ids alone, whatever their job.
pub(super) fn ids(runs: &[RunEvent], clashes: &[String]) -> Outcome {
    let mut lines: Vec<String> = clashes
        .iter()
        .map(|label| format!("{label} is the id of several runs, which began at different times"))
        .collect();
    lines.extend(misspelt(runs));
    if lines.is_empty() {
        lines.extend(empty_texts(runs.iter().map(RunEvent::json)));
        lines.extend(bare_addresses(runs.iter().map(RunEvent::json)));
        for judge in [
            shown_records,
            turned_codes,
            cut_messages,
            foreign_messages,
            foreign_addresses,
        ] {
            lines.extend(judge(runs));
        }
        if !lines.is_empty() {
            return Outcome::wrong("what the vendor says", counted(lines.len(), "text"))
                .with_evidence(lines.into_iter().take(SHOWN))
                .with_hint("leave out what the vendor does not say, and give the texts that people should read");
        }
    }
    let mut jobs: BTreeMap<&str, &str> = BTreeMap::new();
    let mut tasks: BTreeMap<&str, String> = BTreeMap::new();
    for run in runs {
        let (Some(id), Some(job), Some(label)) =
            (run.run_source_id(), run.job_source_id(), run_label(run))
        else {
            continue;
        };
        match jobs.get(id) {
            Some(other) => lines.push(format!("run `{id}` is of job `{other}` and of `{job}`")),
            None => {
                jobs.insert(id, job);
            }
        }
        for task in run.task_runs() {
            if let Some(of) = task.job_source_id().filter(|of| *of != job) {
                lines.push(format!("{label} has a task run of job `{of}`"));
            }
            let Some(task_run) = task.run_source_id() else {
                continue;
            };
            // A task run without an id of its own carries its run's; its task and attempt tell it apart.
            if task_run == id {
                continue;
            }
            match tasks.get(task_run) {
                Some(other) => {
                    lines.push(format!(
                        "task run `{task_run}` is in {other} and in {label}"
                    ));
                }
                None => {
                    tasks.insert(task_run, label.clone());
                }
            }
        }
    }
    let with_steps = runs.iter().filter(|run| run.has("task_runs")).count();
    let steps: Vec<(&&str, &String)> = tasks
        .iter()
        .filter(|(id, _)| jobs.contains_key(*id))
        .collect();
    if 2 * steps.len() > with_steps {
        lines.extend(
            steps
                .iter()
                .map(|(id, label)| format!("run `{id}` is a task run in {label}, too")),
        );
    }
    if lines.is_empty() {
        return Outcome::Supported;
    }
    Outcome::wrong(
        "an id for every run and task run that no other has",
        counted(lines.len(), "shared or foreign id"),
    )
    .with_evidence(lines.into_iter().take(SHOWN))
    .with_hint("put the job's id before a run's where runs of several jobs share ids")
}

/// Ids that are not the vendor's but what a language made of them, a line each.
fn misspelt(runs: &[RunEvent]) -> Vec<String> {
    let mut lines = Vec::new();
    let ids = |run: &RunEvent| {
        [
            ("run_source_id", run.run_source_id().map(str::to_owned)),
            ("job_source_id", run.job_source_id().map(str::to_owned)),
            ("task_source_id", run.task_source_id().map(str::to_owned)),
            (
                "parent_attempt_run_source_id",
                run.parent_attempt_run_source_id().map(str::to_owned),
            ),
        ]
    };
    for run in runs {
        let label = run_label(run).unwrap_or_else(|| "a run".to_owned());
        for (field, id) in std::iter::once(run).chain(run.task_runs()).flat_map(ids) {
            if let Some(id) = id.filter(|id| is_nothing(id)) {
                lines.push(format!(
                    "{label}: `{field}` is `{id}`, which is nothing written as text"
                ));
            }
        }
    }
    let numbers: Vec<&str> = runs.iter().filter_map(RunEvent::run_source_id).collect();
    if numbers.len() >= FRACTIONS && numbers.iter().all(|id| is_fraction(id)) {
        lines.extend(
            numbers
                .iter()
                .map(|id| format!("run `{id}` is a number with a fraction or an exponent")),
        );
    }
    lines
}

/// Whether a text is a whole number as languages write one that they took for a fraction.
fn is_fraction(id: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(whole) = id.strip_suffix(".0") {
        return digits(whole);
    }
    let Some((mantissa, exponent)) = id.split_once(['e', 'E']) else {
        return false;
    };
    let is_number = match mantissa.split_once('.') {
        Some((whole, part)) => digits(whole) && digits(part),
        None => digits(mantissa),
    };
    is_number && exponent.strip_prefix('+').is_some_and(digits)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ids_that_a_language_wrote_for_nothing_or_as_fractions_are_shown() {
        let run = |id: &str| RunEvent::new(json!({"job_source_id": "a", "run_source_id": id}));
        let told = |ids: &[&str]| {
            let runs: Vec<RunEvent> = ids.iter().map(|id| run(id)).collect();
            misspelt(&runs).len()
        };
        assert_eq!(told(&["None"]), 1);
        assert_eq!(told(&["17.0", "18.0", "19.0"]), 3);
        assert_eq!(told(&["1e+20", "1.1e+20", "1.2e+20"]), 3);
        assert_eq!(told(&["1.0", "1.1", "1.2"]), 0, "versions");
        assert_eq!(told(&["17.0"]), 0);
    }

    #[test]
    fn ids_that_several_runs_share_are_shown() {
        let runs = [
            json!({"job_source_id": "a", "run_source_id": "1", "task_runs": [{"run_source_id": "t"}]}),
            json!({"job_source_id": "b", "run_source_id": "1", "task_runs": [{"run_source_id": "t"}]}),
        ]
        .map(RunEvent::new);
        assert_eq!(ids(&runs[..1], &[]), Outcome::Supported);
        let Outcome::Wrong(fault) = ids(&runs, &[]) else {
            panic!("two runs share an id");
        };
        assert_eq!(
            fault.evidence,
            [
                "run `1` is of job `a` and of `b`",
                "task run `t` is in run `1` of job `a` and in run `1` of job `b`"
            ]
        );
    }
}
