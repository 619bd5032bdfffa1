//! Words for how runs stand, and what everybody means by them.

use std::collections::BTreeSet;

use bowline_contract::pipeline::{PipelineManifest, RunStatus, StatusMapping};

/// What becomes of a run, as far as nobody can take one for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
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
pub(super) fn fate(status: RunStatus) -> Option<Fate> {
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

/// Whether a word says that something was begun, which some vendors call done.
pub(super) fn says_begun(word: &str) -> bool {
    matches!(letters(word).as_str(), "started" | "starting")
}

/// Whether a word says that something has begun and goes on.
fn says_at_work(word: &str) -> bool {
    matches!(
        letters(word).as_str(),
        "running" | "inprogress" | "executing"
    )
}

/// Whether a status says neither that something went well nor that it went wrong.
const fn plays_down(status: RunStatus) -> bool {
    matches!(
        status,
        RunStatus::Warn | RunStatus::Skipped | RunStatus::Removed | RunStatus::Inactive
    )
}

/// What everybody means by a word; none for words of which that cannot be said.
pub(super) fn plain(word: &str) -> Option<Fate> {
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
        "timedout" | "timeout" | "abort" | "aborted" | "kill" | "killed"
    )
}

/// Whether a word says that something did not end by itself, where another one says that it went well.
fn says_stopped(word: &str) -> bool {
    matches!(
        letters(word).as_str(),
        "stopped" | "expired" | "interrupted"
    )
}

/// Whether a word that says so is mapped to what went well, as another one is that does not say so.
fn is_stopped(all: &StatusMapping, word: &str, status: RunStatus) -> bool {
    let goes_well = |(word, status)| fate(status) == Some(Fate::Well) && !says_stopped(word);
    says_stopped(word) && fate(status) == Some(Fate::Well) && all.iter().any(goes_well)
}

/// Whether a word says that something took longer than it may.
fn says_timed_out(word: &str) -> bool {
    matches!(letters(word).as_str(), "timedout" | "timeout")
}

/// Words that are mapped to the opposite of what they say, a line each. Where a word has several parts, all say so.
pub(super) fn contradictions(manifest: &PipelineManifest) -> Vec<String> {
    mapped(manifest, |all, word, status| {
        let contradicts = |part| contradicts(part, status);
        let is_wrong = is_stopped(all, word, status) || word.split('/').all(contradicts);
        is_wrong && !is_meant(all, word, status)
    })
}

/// Words that few vendors mean so and some do, a line each.
pub(super) fn odd_words(manifest: &PipelineManifest) -> Vec<String> {
    mapped(manifest, is_meant)
}

/// The words of a manifest that are mapped in some way, a line each.
fn mapped(
    manifest: &PipelineManifest,
    is_so: impl Fn(&StatusMapping, &str, RunStatus) -> bool,
) -> Vec<String> {
    let mut found = BTreeSet::new();
    for all in [&manifest.run_status_mapping, manifest.task_statuses()] {
        let those = all
            .iter()
            .filter(|(word, status)| is_so(all, word, *status));
        found.extend(those.map(|(word, status)| (word, status.name())));
    }
    found
        .into_iter()
        .map(|(word, status)| format!("`{word}` is mapped to `{status}`"))
        .collect()
}

/// Whether a vendor may mean by a word what it is mapped to, though it says something else: it is done once it has
/// started something, begins again what crashed, or goes on until it is stopped.
fn is_meant(all: &StatusMapping, word: &str, status: RunStatus) -> bool {
    letters(word) == "stopped" && is_stopped(all, word, status)
        || says_begun(word) && fate(status) == Some(Fate::Well)
        || plain(word) == Some(Fate::Ill) && status == RunStatus::Restarting
}

/// Whether a status is not what a word says.
fn contradicts(word: &str, status: RunStatus) -> bool {
    let said = plain(word);
    let waits = matches!(status, RunStatus::Queued | RunStatus::Scheduled);
    matches!((said, fate(status)), (Some(said), Some(mapped)) if said != mapped)
        || says_at_work(word) && waits
        || says_cut_off(word) && fate(status) == Some(Fate::Well)
        || says_timed_out(word) && fate(status) == Some(Fate::Stopped)
        || said.is_some() && status == RunStatus::TimedOut
        || said.is_some() && status == RunStatus::Unknown
        || matches!(said, Some(Fate::Well | Fate::Ill)) && plays_down(status)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::pipeline::samples::manifest;

    #[test]
    fn what_few_vendors_mean_is_told() {
        let odd = |word: &str, status: &str| odd_words(&manifest(json!({word: status}))).len();
        assert_eq!((odd("STARTED", "success"), odd("Done", "success")), (1, 0));
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
            ("abort", "success"),
            ("timed out", "cancelled"),
            ("Failed", "timed_out"),
            ("Failed/error", "success"),
        ] {
            if RunStatus::from_name(status).is_none() {
                continue;
            }
            let told = contradictions(&manifest(json!({word: status})));
            assert_eq!(told, [format!("`{word}` is mapped to `{status}`")]);
        }
        let told = |word: &str, other: &str| {
            let manifest = manifest(json!({word: "success", other: "success"}));
            (contradictions(&manifest).len(), odd_words(&manifest).len())
        };
        assert_eq!(told("Expired", "ok"), (1, 0));
        assert_eq!(told("Stopped", "ok"), (0, 1));
        assert_eq!(told("Stopped", "EXPIRED"), (0, 0));
        let of_tasks = PipelineManifest::parse(
            r#"{"connection_type": "custom-etl-connector-0123abc", "connection_name": "V", "asset_class": "etl",
                "run_status_mapping": {"ok": "success"}, "task_run_status_mapping": {"Expired": "success"}}"#,
        );
        assert_eq!(contradictions(&of_tasks.unwrap()), [""; 0], "its own words");
        let right = json!({
            "COMPLETED": "success", "ABORTED": "failed", "ERROR": "failed", "queued": "in_progress",
            "PARTIAL_SUCCESS": "failed", "timed_out": "failed", "SKIPPED": "success", "killed": "cancelled",
            "upstream_failed": "skipped", "pending": "scheduled", "failed": "upstream_failed",
        });
        assert_eq!(contradictions(&manifest(right)), [""; 0]);
        for (word, status) in [
            ("STARTED", "success"),
            ("Crashed", "restarting"),
            ("SKIPPED/SUCCESS", "skipped"),
            ("TERMINATED/TIMEDOUT", "success"),
        ] {
            let odd = manifest(json!({word: status}));
            assert_eq!(contradictions(&odd), [""; 0], "{word}");
        }
    }
}
