//! Ids: one run each, one task run each, and written as the vendor writes them.

use std::collections::BTreeMap;

use bowline_contract::pipeline::RunEvent;
use bowline_words::counted;

use super::addresses::{bare_addresses, foreign_addresses};
use super::outcome::Outcome;
use super::reading::run_label;
use super::texts::{doubled, empty_texts, shown_records, turned_codes};
use super::times::SHOWN;

/// With so many ids it is no accident.
const SEVERAL: usize = 3;

/// Ids: one run each, one task run each. Runs are asked for by their ids alone, whatever their job.
pub(super) fn ids(runs: &[RunEvent], clashes: &[String]) -> Outcome {
    let mut lines: Vec<String> = clashes
        .iter()
        .map(|label| format!("{label} is the id of several runs, which began at different times"))
        .collect();
    if lines.is_empty() {
        lines.extend(empty_texts(runs.iter().map(RunEvent::json)));
        let with_tasks = runs
            .iter()
            .flat_map(|run| [run].into_iter().chain(run.task_runs()));
        lines.extend(bare_addresses(with_tasks.map(RunEvent::json)));
        lines.extend(doubled(runs.iter().map(RunEvent::json)));
        for judge in [shown_records, turned_codes, foreign_addresses] {
            lines.extend(judge(runs));
        }
        if !lines.is_empty() {
            return Outcome::wrong("what the vendor says", counted(lines.len(), "text"))
                .with_evidence(lines.into_iter().take(SHOWN))
                .with_hint("leave out what the vendor does not say, and give the texts that people should read");
        }
    }
    let mut jobs: BTreeMap<&str, &str> = BTreeMap::new();
    let mut tasks: BTreeMap<&str, &RunEvent> = BTreeMap::new();
    let mut shared = Vec::new();
    let mut foreign = Vec::new();
    let mut told = 0;
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
            told += usize::from(task.job_source_id().is_some());
            if let Some(of) = task.job_source_id().filter(|of| *of != job) {
                foreign.push(format!("{label} has a task run of job `{of}`"));
            }
            let Some(task_run) = task.run_source_id() else {
                continue;
            };
            // A task run without an id of its own carries its run's, or its number; its task and attempt tell it apart.
            if task_run == id || is_count(task_run) {
                continue;
            }
            match tasks.get(task_run) {
                Some(other) if take_over(run, other) => {}
                Some(other) => {
                    let other = run_label(other).unwrap_or_default();
                    shared.push(format!(
                        "task run `{task_run}` is in {other} and in {label}"
                    ));
                }
                None => {
                    tasks.insert(task_run, run);
                }
            }
        }
    }
    for (found, judged) in [(shared, tasks.len()), (foreign, told)] {
        if found.len() >= SEVERAL && 2 * found.len() > judged {
            lines.extend(found);
        }
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

/// Whether one of two runs is another attempt of the other, or both are of one: it may have taken over the tasks that were
/// done.
fn take_over(run: &RunEvent, other: &RunEvent) -> bool {
    let [one, two] = [run, other].map(RunEvent::parent_attempt_run_source_id);
    let is_of =
        |parent: Option<&str>, run: &RunEvent| parent.is_some() && parent == run.run_source_id();
    is_of(one, other) || is_of(two, run) || (one.is_some() && one == two)
}

/// Whether an id counts within its run.
fn is_count(id: &str) -> bool {
    id.len() < 4 && id.bytes().all(|byte| byte.is_ascii_digit())
}

/// What somebody may have meant: a step may be called by two numbers with a point between them.
pub(super) fn doubts(runs: &[RunEvent]) -> Option<String> {
    // What counts within its run may stand behind a point.
    let of_tasks = runs.iter().flat_map(|run| {
        let is_own = move |id: &&str| {
            let whole = id.split_once('.').map(|(whole, _)| whole);
            whole.is_none() || whole != run.run_source_id()
        };
        let ids = run.task_runs().filter_map(RunEvent::run_source_id);
        ids.filter(is_own)
    });
    let ids: Vec<&str> = of_tasks.collect();
    if ids.len() < SEVERAL || !ids.iter().all(|id| is_fraction(id)) {
        return None;
    }
    Some(format!(
        "task run `{}` is a number with a fraction or an exponent, and so are all of {}: see whether the vendor writes them so",
        ids[0],
        ids.len()
    ))
}

/// Whether a text is a whole number as languages write one that they took for a fraction.
fn is_fraction(id: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(whole) = id.strip_suffix(".0") {
        return digits(whole) && !is_date(whole);
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

/// Whether digits are a day, as vendors name runs by it and a number.
fn is_date(digits: &str) -> bool {
    digits.len() == 8 && digits.parse::<jiff::civil::Date>().is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    #[test]
    fn ids_of_tasks_that_are_fractions_are_an_advice() {
        let told =
            |ids: [&str; 3]| doubts(&ids.map(|id| RunEvent::new(of("a", "17", id)))).is_some();
        assert!(told(["18.0", "19.0", "20.0"]));
        assert!(told(["1e+20", "1.1e+20", "1.2e+20"]));
        assert!(told(["20259929.0", "20259930.0", "20259901.0"]));
        assert!(!told(["1.0", "1.1", "1.2"]), "versions");
        assert!(!told(["20251129.0", "20251130.0", "20251201.0"]), "days");
        assert!(!told(["17.0", "17.0", "17.0"]), "the first step of each");
    }

    fn of(job: &str, run: &str, task_run: &str) -> Json {
        let tasks = json!([{"run_source_id": task_run}]);
        json!({"job_source_id": job, "run_source_id": run, "task_runs": tasks})
    }

    fn told(runs: &[Json]) -> Vec<String> {
        let runs: Vec<RunEvent> = runs.iter().cloned().map(RunEvent::new).collect();
        match ids(&runs, &[]) {
            Outcome::Wrong(fault) => fault.evidence,
            _ => Vec::new(),
        }
    }

    #[test]
    fn ids_that_several_runs_share_are_shown() {
        let shared = told(&[of("a", "1", "t1"), of("b", "1", "t2")]);
        assert_eq!(shared, ["run `1` is of job `a` and of `b`"]);
        let one = of("a", "1", "t");
        let others = ["2", "3", "4"].map(|id| of("a", id, "t"));
        let shared = [std::slice::from_ref(&one), &others[..]].concat();
        assert_eq!(told(&shared).len(), 3);
        assert_eq!(
            told(&shared)[0],
            "task run `t` is in run `1` of job `a` and in run `2` of job `a`"
        );
        assert_eq!(told(&shared[..2]), [""; 0], "once");
        let counted = ["1", "2", "3", "4"].map(|id| of("a", id, "7"));
        assert_eq!(told(&counted), [""; 0], "numbers within runs");
        let retries = others.map(|mut run| {
            run["parent_attempt_run_source_id"] = json!("1");
            run
        });
        let retries = [std::slice::from_ref(&one), &retries[..]].concat();
        assert_eq!(told(&retries), [""; 0], "attempts take over");
    }

    #[test]
    fn a_task_is_of_its_runs_job() {
        let foreign = ["1", "2", "3"].map(|id| {
            let mut run = of("a", id, &format!("t{id}"));
            run["task_runs"][0]["job_source_id"] = json!("b");
            run
        });
        assert_eq!(told(&foreign).len(), 3);
        assert_eq!(told(&foreign[..2]), [""; 0]);
    }
}
