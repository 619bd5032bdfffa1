//! Statuses: every word that comes is mapped, to what it means, and runs fare as their tasks do.

use std::collections::{BTreeMap, BTreeSet};

use bowline_contract::pipeline::{PipelineManifest, RunEvent, RunStatus};
use bowline_pipeline::{Unmapped, proposed_mapping};
use bowline_words::counted;

use super::outcome::Outcome;
use super::reading::run_label;
use super::times::SHOWN;

/// With so many runs that say the opposite of their tasks it is no accident.
const OPPOSITES: usize = 3;
/// How many words advice names.
const NAMED: usize = 5;

/// What becomes of a run, as far as nobody can take one for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Well,
    Ill,
    Stopped,
    Open,
}

/// Words that mean the same at every vendor.
const PLAIN_WORDS: [(Fate, &[&str]); 4] = [
    (Fate::Well, &["success", "succeeded", "successful"]),
    (
        Fate::Ill,
        &["fail", "failed", "failure", "error", "errored", "crashed"],
    ),
    (Fate::Stopped, &["cancel", "canceled", "cancelled"]),
    (
        Fate::Open,
        &[
            "running",
            "inprogress",
            "started",
            "starting",
            "executing",
            "queued",
            "pending",
            "waiting",
        ],
    ),
];

/// What a status comes to; none where words of several kinds may be mapped to it.
fn fate(status: RunStatus) -> Option<Fate> {
    match status {
        RunStatus::Success | RunStatus::Pass => Some(Fate::Well),
        RunStatus::Failed | RunStatus::Error | RunStatus::Fail => Some(Fate::Ill),
        RunStatus::Cancelled => Some(Fate::Stopped),
        RunStatus::InProgress
        | RunStatus::Queued
        | RunStatus::Restarting
        | RunStatus::Scheduled
        | RunStatus::Deferred => Some(Fate::Open),
        _ => None,
    }
}

fn letters(word: &str) -> String {
    word.chars()
        .filter(|character| !matches!(character, '_' | '-' | ' '))
        .flat_map(char::to_lowercase)
        .collect()
}

/// Whether a word says that something has begun.
fn says_at_work(word: &str) -> bool {
    matches!(
        letters(word).as_str(),
        "running" | "inprogress" | "executing"
    )
}

/// Whether a status is that of something that has not begun.
const fn waits(status: RunStatus) -> bool {
    matches!(status, RunStatus::Queued | RunStatus::Scheduled)
}

/// Whether a status says neither that something went well nor that it went wrong.
const fn plays_down(status: RunStatus) -> bool {
    matches!(
        status,
        RunStatus::Warn | RunStatus::Skipped | RunStatus::Removed | RunStatus::Inactive
    )
}

/// What everybody means by a word; none for words of which that cannot be said.
fn plain(word: &str) -> Option<Fate> {
    let letters = letters(word);
    let found = PLAIN_WORDS
        .iter()
        .find(|(_, words)| words.contains(&letters.as_str()));
    found.map(|(fate, _)| *fate)
}

/// Whether a word says that something did not end by itself, and so not well.
fn says_cut_off(word: &str) -> bool {
    matches!(
        letters(word).as_str(),
        "timedout" | "timeout" | "aborted" | "killed"
    )
}

/// Words that are mapped to the opposite of what they say, a line each.
pub(super) fn contradictions(manifest: &PipelineManifest) -> Vec<String> {
    let mut words: Vec<(&str, RunStatus)> = manifest.run_status_mapping.iter().collect();
    words.extend(manifest.task_statuses().iter());
    words.sort_unstable_by_key(|(word, status)| (*word, status.name()));
    words.dedup();
    words
        .into_iter()
        .filter(|(word, status)| {
            let said = plain(word);
            matches!((said, fate(*status)), (Some(said), Some(mapped)) if said != mapped)
                || says_at_work(word) && waits(*status)
                || says_cut_off(word) && fate(*status) == Some(Fate::Well)
                || said.is_some() && *status == RunStatus::Unknown
                || matches!(said, Some(Fate::Well | Fate::Ill)) && plays_down(*status)
        })
        .map(|(word, status)| format!("`{word}` is mapped to `{}`", status.name()))
        .collect()
}

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
    if opposite.len() < OPPOSITES || 2 * opposite.len() <= told.len() {
        return says_nothing(runs)
            .or_else(|| parroted(runs))
            .or_else(|| left_behind(runs))
            .or_else(|| well_with_errors(runs))
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
/// Tasks that begin after another has failed do not all fail, in run after run.
fn parroted(runs: &[RunEvent]) -> Option<Outcome> {
    let follows = |run: &RunEvent| {
        let mut spans: Vec<_> = run
            .task_runs()
            .filter_map(|task| task.start_time().zip(task.end_time()))
            .collect();
        spans.sort_unstable();
        spans.windows(2).any(|pair| pair[0].1 <= pair[1].0)
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

/// Runs that have ended while a task is under way, where that is so of most whose tasks are.
fn left_behind(runs: &[RunEvent]) -> Option<Outcome> {
    let at_work: Vec<&RunEvent> = runs
        .iter()
        .filter(|run| {
            run.task_runs()
                .any(|task| task.status() == Some(RunStatus::InProgress))
        })
        .collect();
    let ended: Vec<&&RunEvent> = at_work.iter().filter(|run| run.has_ended()).collect();
    if ended.len() < OPPOSITES || 2 * ended.len() <= at_work.len() {
        return None;
    }
    let got = format!(
        "{} that have ended before their tasks",
        counted(ended.len(), "run")
    );
    Some(
        Outcome::wrong("runs that end after their tasks", got).with_evidence(
            ended.into_iter().take(SHOWN).map(|run| {
                let status = run.status().map_or("", RunStatus::name);
                let label = run_label(run).unwrap_or_default();
                format!("{label} is `{status}`, and a task is `in_progress`")
            }),
        ),
    )
}

/// Runs that went well and have an error, where most have.
fn well_with_errors(runs: &[RunEvent]) -> Option<Outcome> {
    let well: Vec<&RunEvent> = runs
        .iter()
        .filter(|run| run.status().and_then(fate) == Some(Fate::Well))
        .collect();
    let with: Vec<&&RunEvent> = well.iter().filter(|run| run.has("error")).collect();
    if with.len() < OPPOSITES || 2 * with.len() <= well.len() {
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

/// What to say of words that are mapped and did not come.
pub(super) fn unseen(manifest: &PipelineManifest, runs: &[RunEvent]) -> Option<String> {
    let tasks = runs.iter().flat_map(RunEvent::task_runs);
    let raw = |run: &RunEvent| Some(run.json()["raw_status"].as_str()?.to_lowercase());
    let seen: BTreeSet<String> = runs.iter().chain(tasks).filter_map(raw).collect();
    let words = manifest.run_status_mapping.iter();
    let is_there = |word: &str| {
        let word = word.to_lowercase();
        seen.iter().any(|raw| {
            raw.strip_prefix(&word)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    };
    let unseen: Vec<&str> = words
        .map(|(word, _)| word)
        .filter(|word| !is_there(word))
        .collect();
    if unseen.is_empty() {
        return None;
    }
    let named: Vec<String> = unseen
        .iter()
        .take(NAMED)
        .map(|word| format!("`{word}`"))
        .collect();
    let more = match unseen.len() - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(format!(
        "{} of `run_status_mapping` did not come: {}{more}",
        counted(unseen.len(), "word"),
        named.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::Verdict;

    fn manifest(mapping: Json) -> PipelineManifest {
        let text = json!({
            "connection_type": "custom-etl-connector-51b0515", "connection_name": "x", "asset_class": "etl",
            "run_status_mapping": mapping,
        });
        PipelineManifest::parse(&text.to_string()).unwrap()
    }

    #[test]
    fn words_that_everybody_means_the_same_by_are_held_to_it() {
        for (word, status) in [
            ("FAILED", "success"),
            ("succeeded", "failed"),
            ("Cancelled", "failed"),
            ("In Progress", "success"),
            ("queued", "skipped_by_nobody"),
            ("FAILED", "warn"),
            ("success", "skipped"),
            ("TIMED_OUT", "success"),
            ("aborted", "pass"),
            ("Running", "unknown"),
        ] {
            if RunStatus::from_name(status).is_none() {
                continue;
            }
            let told = contradictions(&manifest(json!({word: status})));
            assert_eq!(told, [format!("`{word}` is mapped to `{status}`")]);
        }
        let right = json!({
            "COMPLETED": "success", "ABORTED": "failed", "ERROR": "failed", "queued": "in_progress",
            "PARTIAL_SUCCESS": "failed", "timed_out": "failed", "SKIPPED": "success", "killed": "cancelled",
            "upstream_failed": "skipped", "pending": "scheduled", "failed": "upstream_failed",
        });
        assert_eq!(contradictions(&manifest(right)), [""; 0]);
    }

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
    fn runs_fare_as_their_tasks_do() {
        let nothing = Unmapped::new();
        let swapped = [
            run("failed", &["success", "success"]),
            run("failed", &["success"]),
            run("success", &["success", "failed"]),
        ];
        assert_eq!(statuses(&nothing, &swapped).verdict(), Verdict::Wrong);
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
    fn runs_that_are_all_unknown_tell_nothing() {
        let nothing = Unmapped::new();
        let silent = vec![run("unknown", &[]); 2];
        assert_eq!(statuses(&nothing, &silent).verdict(), Verdict::Wrong);
        let some = [silent, vec![run("success", &[])]].concat();
        assert_eq!(statuses(&nothing, &some), Outcome::Supported);
        assert_eq!(statuses(&nothing, &[]), Outcome::Supported);
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
        let verdict = |runs: &[RunEvent]| statuses(&Unmapped::new(), runs).verdict();
        let failed = run("failed", ["failed", "failed"]);
        let well = run("success", ["success", "success"]);
        let parrots = [vec![failed; 3], vec![well]].concat();
        assert_eq!(verdict(&parrots), Verdict::Wrong);
        let own = [parrots.clone(), vec![run("failed", ["success", "failed"])]].concat();
        assert_eq!(verdict(&own), Verdict::Supported);
        assert_eq!(verdict(&parrots[1..]), Verdict::Supported);
        let behind = run("success", ["success", "in_progress"]);
        assert_eq!(verdict(&vec![behind.clone(); 3]), Verdict::Wrong);
        let at_work = run("in_progress", ["success", "in_progress"]);
        let race = [vec![behind; 3], vec![at_work; 3]].concat();
        assert_eq!(verdict(&race), Verdict::Supported);
    }

    #[test]
    fn errors_are_of_runs_that_went_wrong() {
        let run = |status: &str| {
            RunEvent::new(json!({
                "job_source_id": "j", "run_source_id": "r", "status": status, "error": {"message": "no error"},
            }))
        };
        let verdict = |runs: &[RunEvent]| statuses(&Unmapped::new(), runs).verdict();
        assert_eq!(verdict(&vec![run("success"); 3]), Verdict::Wrong);
        assert_eq!(verdict(&vec![run("success"); 2]), Verdict::Supported);
        assert_eq!(verdict(&vec![run("failed"); 3]), Verdict::Supported);
        assert_eq!(
            verdict(&vec![run("partial_success"); 3]),
            Verdict::Supported
        );
    }

    #[test]
    fn words_that_did_not_come_are_named() {
        let manifest =
            manifest(json!({"DONE": "success", "TERMINATED": "failed", "LOST": "failed"}));
        let runs =
            ["done", "TERMINATED/FAILED"].map(|raw| RunEvent::new(json!({"raw_status": raw})));
        let told = unseen(&manifest, &runs);
        assert_eq!(
            told.as_deref(),
            Some("1 word of `run_status_mapping` did not come: `LOST`")
        );
        assert_eq!(
            unseen(&manifest, &[]).map(|told| told.starts_with("3 words")),
            Some(true)
        );
    }
}
