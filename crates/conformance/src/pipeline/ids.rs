//! Ids: one run each, one task run each, and written as the vendor writes them.

use std::collections::BTreeMap;

use bowline_contract::pipeline::RunEvent;
use bowline_words::counted;

use super::addresses::{bare_addresses, foreign_addresses};
use super::outcome::Outcome;
use super::reading::run_label;
use super::texts::{
    cut_messages, empty_texts, foreign_messages, is_nothing, shown_records, turned_codes,
};
use super::times::SHOWN;

/// With so many ids it is no accident.
const SEVERAL: usize = 3;

/// Ids: one run each, one task run each. Runs are asked for by their ids alone, whatever their job.
pub(super) fn ids(runs: &[RunEvent], clashes: &[String]) -> Outcome {
    let mut lines: Vec<String> = clashes
        .iter()
        .map(|label| format!("{label} is the id of several runs, which began at different times"))
        .collect();
    let misspelt = misspelt(runs);
    if !misspelt.is_empty() {
        return Outcome::wrong(
            "ids as the vendor writes them",
            counted(misspelt.len(), "other id"),
        )
        .with_evidence(misspelt.into_iter().take(SHOWN))
        .with_hint(
            "give ids as the vendor writes them, and leave out those that it does not give",
        );
    }
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
    // A run of another job may be a task of this one.
    let steps: Vec<String> = tasks
        .iter()
        .filter(|(id, run)| jobs.get(*id).copied() == run.job_source_id())
        .filter_map(|(id, run)| {
            Some(format!(
                "run `{id}` is a task run in {}, too",
                run_label(run)?
            ))
        })
        .collect();
    for (found, judged) in [(shared, tasks.len()), (foreign, told), (steps, tasks.len())] {
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

type IdOf = fn(&RunEvent) -> Option<&str>;

/// Ids that are not the vendor's but what a language made of them, a line each.
fn misspelt(runs: &[RunEvent]) -> Vec<String> {
    let mut lines = Vec::new();
    let fields: [(&str, IdOf); 4] = [
        ("run_source_id", RunEvent::run_source_id),
        ("job_source_id", RunEvent::job_source_id),
        ("task_source_id", RunEvent::task_source_id),
        (
            "parent_attempt_run_source_id",
            RunEvent::parent_attempt_run_source_id,
        ),
    ];
    for (field, id_of) in fields {
        let mut judged = 0;
        let mut found = Vec::new();
        for run in runs {
            let ids = std::iter::once(run)
                .chain(run.task_runs())
                .filter_map(id_of);
            for id in ids {
                judged += 1;
                if is_nothing(id) {
                    let label = run_label(run).unwrap_or_else(|| "a run".to_owned());
                    found.push(format!(
                        "{label}: `{field}` is `{id}`, which is nothing written as text"
                    ));
                }
            }
        }
        // A job or a task may be called so.
        let is_name = matches!(field, "job_source_id" | "task_source_id");
        let enough = if is_name { judged } else { judged / 2 + 1 };
        if found.len() >= SEVERAL.max(enough) {
            lines.extend(found);
        }
    }
    let own = runs.iter().filter_map(RunEvent::run_source_id).collect();
    lines.extend(fractions("run", own));
    lines
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
    let lines = fractions("task run", of_tasks.collect());
    let (first, all) = (lines.first()?, lines.len());
    Some(format!(
        "{first}, and so are all of {all}: see whether the vendor writes them so"
    ))
}

/// Ids that are numbers written as fractions, where several are and all of them: a line each.
fn fractions(noun: &str, ids: Vec<&str>) -> Vec<String> {
    if ids.len() < SEVERAL || !ids.iter().all(|id| is_fraction(id)) {
        return Vec::new();
    }
    let line = |id| format!("{noun} `{id}` is a number with a fraction or an exponent");
    ids.into_iter().map(line).collect()
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
    fn ids_that_a_language_wrote_for_nothing_or_as_fractions_are_shown() {
        let run = |id: &str| RunEvent::new(json!({"job_source_id": "a", "run_source_id": id}));
        let told = |ids: &[&str]| {
            let runs: Vec<RunEvent> = ids.iter().map(|id| run(id)).collect();
            misspelt(&runs).len()
        };
        assert_eq!(told(&["None"; 3]), 3);
        assert_eq!(told(&["None"; 2]), 0);
        assert_eq!(told(&["None", "None", "None", "4", "5", "6"]), 0, "some");
        assert_eq!(told(&["17.0", "18.0", "19.0"]), 3);
        assert_eq!(told(&["1e+20", "1.1e+20", "1.2e+20"]), 3);
        assert_eq!(told(&["1.0", "1.1", "1.2"]), 0, "versions");
        assert_eq!(told(&["17.0"]), 0);
        assert_eq!(told(&["20251129.0", "20251130.0", "20251201.0"]), 0, "days");
        assert_eq!(told(&["20259929.0", "20259930.0", "20259901.0"]), 3);
        let of_tasks = |ids: [&str; 3]| {
            let runs = ids.map(|id| RunEvent::new(of("a", "17", id)));
            (misspelt(&runs).len(), doubts(&runs).is_some())
        };
        assert_eq!(of_tasks(["18.0", "19.0", "20.0"]), (0, true));
        assert_eq!(
            of_tasks(["17.0", "17.0", "17.0"]),
            (0, false),
            "the first step of each"
        );
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
    fn a_task_is_of_its_runs_job_and_no_run_of_it() {
        let steps = |job: &str| -> Vec<Json> {
            let runs = ["1", "2", "3"].iter();
            let pair = |id: &&str| {
                [
                    of("a", id, &format!("t{id}")),
                    of(job, &format!("t{id}"), "9"),
                ]
            };
            runs.flat_map(pair).collect()
        };
        assert_eq!(told(&steps("a")).len(), 3);
        assert_eq!(
            told(&steps("b")),
            [""; 0],
            "a job that is a task of another"
        );
        let foreign = ["1", "2", "3"].map(|id| {
            let mut run = of("a", id, &format!("t{id}"));
            run["task_runs"][0]["job_source_id"] = json!("b");
            run
        });
        assert_eq!(told(&foreign).len(), 3);
        assert_eq!(told(&foreign[..2]), [""; 0]);
    }
}
