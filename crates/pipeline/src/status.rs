//! Statuses: the contract's for the vendor's, and back.

use std::collections::BTreeMap;

use bowline_contract::pipeline::{PipelineManifest, RunEvent, RunStatus, StatusMapping};
use serde_json::Value as Json;

use crate::expression::text_of;

/// A vendor's words that no mapping has, and how often each was seen.
pub type Unmapped = BTreeMap<String, usize>;

const STATUS: &str = "status";
const RAW_STATUS: &str = "raw_status";
const JOB: &str = "job_source_id";

/// Puts the contract's statuses for the vendor's in a run as the contract's methods give it, and counts those that the
/// manifest does not map. Its task runs belong to the run's job where they do not say so themselves.
pub fn map_run(manifest: &PipelineManifest, run: &mut RunEvent, unmapped: &mut Unmapped) {
    map_status(run, &manifest.run_status_mapping, unmapped);
    let job = run.json().get(JOB).cloned();
    for task in run.task_runs_mut() {
        map_status(task, manifest.task_statuses(), unmapped);
        if let (Some(job), Some(task)) = (&job, task.fields_mut()) {
            task.entry(JOB).or_insert_with(|| job.clone());
        }
    }
}

/// Puts the contract's status for the vendor's, which is kept as `raw_status`.
///
/// A status of several words is looked up with all of them, then with one less from the end, and so on.
fn map_status(run: &mut RunEvent, mapping: &StatusMapping, unmapped: &mut Unmapped) {
    let Some(run) = run.fields_mut() else {
        return;
    };
    let words: Vec<String> = match run.get(STATUS) {
        None => return,
        Some(Json::Array(words)) => words.iter().map(text_of).collect(),
        Some(word) => vec![text_of(word)],
    };
    let raw = words.join("/");
    let found = (1..=words.len())
        .rev()
        .find_map(|count| mapping.find(&words[..count].join("/")));
    let status = found.unwrap_or_else(|| {
        *unmapped.entry(raw.clone()).or_default() += 1;
        RunStatus::Unknown
    });
    run.insert(STATUS.to_owned(), Json::from(status.name()));
    run.insert(RAW_STATUS.to_owned(), Json::from(raw));
}

/// Puts the vendor's statuses back where the contract's stand, in a run and its task runs.
pub fn unmap_run(manifest: &PipelineManifest, run: &mut RunEvent) {
    unmap_status(run, &manifest.run_status_mapping);
    for task in run.task_runs_mut() {
        unmap_status(task, manifest.task_statuses());
    }
}

/// The word is the one that the mapping has: of a status of several words, so many as were looked up.
fn unmap_status(run: &mut RunEvent, mapping: &StatusMapping) {
    let Some(run) = run.fields_mut() else {
        return;
    };
    let Some(Json::String(raw)) = run.remove(RAW_STATUS) else {
        return;
    };
    let words = raw.match_indices('/').map(|(at, _)| &raw[..at]);
    let known = std::iter::once(raw.as_str())
        .chain(words.rev())
        .find(|word| mapping.find(word).is_some());
    run.insert(STATUS.to_owned(), Json::from(known.unwrap_or(&raw)));
}
/// Lines to paste into a manifest that map these words as far as their meaning can be guessed: somebody who knows the
/// vendor has to confirm them.
#[must_use]
pub fn proposed_mapping<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    let mapping: serde_json::Map<String, Json> = words
        .into_iter()
        .map(|word| (word.to_owned(), Json::from(guessed_meaning(word))))
        .collect();
    format!("\"run_status_mapping\": {:#}", Json::Object(mapping))
}

/// What a word for how a run stands seems to mean, by its parts.
pub(crate) fn guessed_meaning(word: &str) -> &'static str {
    const PARTS: [(&str, &str); 27] = [
        ("upstreamfail", "upstream_failed"),
        ("forretry", "up_for_retry"),
        ("partial", "partial_success"),
        ("timeout", "timed_out"),
        ("timedout", "timed_out"),
        ("canceling", "cancelling"),
        ("cancelling", "cancelling"),
        ("stopping", "cancelling"),
        ("terminating", "cancelling"),
        ("cancel", "cancelled"),
        ("abort", "cancelled"),
        ("terminated", "cancelled"),
        ("stopped", "cancelled"),
        ("skip", "skipped"),
        ("fail", "failed"),
        ("error", "error"),
        ("crash", "failed"),
        ("succe", "success"),
        ("complete", "success"),
        ("finished", "success"),
        ("running", "in_progress"),
        ("progress", "in_progress"),
        ("start", "in_progress"),
        ("schedule", "scheduled"),
        ("paus", "blocked"),
        ("block", "blocked"),
        ("restart", "restarting"),
    ];
    const WAITING: [&str; 6] = [
        "queue",
        "pending",
        "wait",
        "created",
        "submitted",
        "incomplete",
    ];
    let letters = word.chars().filter(|letter| letter.is_alphanumeric());
    let word: String = letters.flat_map(char::to_lowercase).collect();
    if WAITING.iter().any(|part| word.contains(part)) {
        return "queued";
    }
    let found = PARTS.iter().find(|(part, _)| word.contains(part));
    found.map_or("unknown", |(_, means)| means)
}
