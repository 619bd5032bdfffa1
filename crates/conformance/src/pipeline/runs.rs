//! The section `etl_run_details`: the newest runs, what they say, and the proofs that none is lost or doubled.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use bowline_contract::pipeline::{RunEvent, Window, validate_runs};
use bowline_pipeline::{SourceError, Summary, Unmapped};
use bowline_words::counted;

use super::by_id::{by_id, no_query, unknown_id};
use super::cuts::whole_second;
use super::outcome::Outcome;
use super::proofs::{Proofs, invalid};
use super::reading::run_label;
use super::retries::retries;
use super::runner::{PAGE, Suite};
use super::running::{running, watch};
use super::times::{SHOWN, times};
use super::{Check, check};
use crate::Verdict;

/// With so many runs, the first look has seen enough.
const ENOUGH: usize = 100;
/// The parts of the window that are looked at, the newest first, until there is enough: dividing it by these.
const PARTS: [i32; 3] = [64, 8, 1];

/// Runs the section; gives what the first look found, if there was one.
pub(super) fn run_details(suite: &mut Suite<'_>) -> Result<Option<FirstLook>, SourceError> {
    let mut proofs = Proofs::new();
    let (span, look) = match look(suite, &mut proofs) {
        Ok(found) => found,
        Err(error) => {
            suite.failed(&check::RUNS, error)?;
            if suite.verdict(&check::RUNS) == Some(Verdict::Wrong) {
                block(suite, &check::RUNS);
            }
            return Ok(None);
        }
    };
    let events = look.events;
    let within = events.iter().filter(|run| is_within(run, span)).count();
    no_query(suite);
    if events.is_empty() {
        let nothing = Outcome::nothing_to_see(look.why_nothing);
        suite.settle(&check::RUNS, nothing, "");
        if suite.is_strict() {
            let watched = watch(suite, span, &events);
            running(suite, watched, &events);
        }
        return Ok(Some(FirstLook {
            runs: events,
            unmapped: look.summary.unmapped,
        }));
    }
    let basis = format!("{} of {span}", counted(within, "run"));
    if within == 0 {
        // The proof about windows says where these runs are.
        let by = &check::WINDOW;
        let outcome = if suite.is_strict() {
            Outcome::Blocked { by }
        } else {
            Outcome::wrong("a run in the window", "runs outside it only")
        };
        suite.settle(&check::RUNS, outcome, "");
    } else {
        suite.settle(&check::RUNS, Outcome::Supported, basis.as_str());
    }
    let errors = validate_runs(&events);
    let valid = invalid(&errors, &events, &run_label, "run");
    suite.settle(&check::RUNS_VALID, valid, basis.as_str());
    suite.settle(
        &check::STATUSES,
        statuses(&look.summary.unmapped),
        basis.as_str(),
    );
    suite.settle(&check::IDS, ids(&events, &look.clashes), basis.as_str());
    let judged = times(&events, suite.window.end);
    suite.settle(&check::TIMES, judged, basis.as_str());
    let (judged, followed) = retries(&events);
    suite.settle(&check::RETRIES, judged, followed);
    by_id(suite, span, &events);
    if suite.is_strict() {
        let watched = watch(suite, span, &events);
        unknown_id(suite, &events);
        proofs.prove(suite);
        running(suite, watched, &events);
    }
    Ok(Some(FirstLook {
        runs: events,
        unmapped: look.summary.unmapped,
    }))
}

/// What the first look found.
pub(super) struct FirstLook {
    pub(super) runs: Vec<RunEvent>,
    pub(super) unmapped: Unmapped,
}

/// Whether a run is in a window; one whose time cannot be read may be.
fn is_within(run: &RunEvent, window: Window) -> bool {
    run.event_time().is_none_or(|at| window.contains(at))
}

/// What the first look gave.
struct Look {
    events: Vec<RunEvent>,
    clashes: Vec<String>,
    summary: Summary,
    why_nothing: String,
}

/// Looks at the newest part of the window, and further back until there is enough.
fn look(suite: &mut Suite<'_>, proofs: &mut Proofs) -> Result<(Window, Look), SourceError> {
    let whole = suite.window.end.duration_since(suite.window.start);
    let mut parts = PARTS.into_iter();
    loop {
        let part = parts.next();
        let span = Window {
            start: match part {
                None | Some(1) => suite.window.start,
                Some(part) => whole_second(suite.window.end - whole / part),
            },
            end: suite.window.end,
        };
        let mut size = PAGE;
        let mut reading = suite.reader.runs(span, size)?;
        let is_last = part.is_none_or(|part| part == 1);
        if is_last && reading.events.is_empty() && suite.reader.pipeline.methods().is_some() {
            // A connector that drops its last page, which is its only one here, may still have something to show.
            proofs.look(span, size, reading);
            size = NonZeroUsize::MIN;
            reading = suite.reader.runs(span, size)?;
        }
        let within = reading.events.iter().filter(|run| is_within(run, span));
        if within.count() >= ENOUGH || is_last {
            let look = Look {
                events: reading.events.clone(),
                clashes: reading.clashes.clone(),
                summary: reading.summary.clone(),
                why_nothing: reading.why_nothing(),
            };
            proofs.look(span, size, reading);
            return Ok((span, look));
        }
        proofs.look(span, size, reading);
    }
}

/// Answers every open check of the section with what stands in its way.
fn block(suite: &mut Suite<'_>, by: &'static Check) {
    for check in check::CHECKS {
        if check.section == by.section && suite.verdict(check).is_none() {
            suite.settle(check, Outcome::Blocked { by }, "");
        }
    }
}

fn statuses(unmapped: &Unmapped) -> Outcome {
    if unmapped.is_empty() {
        return Outcome::Supported;
    }
    Outcome::wrong(
        "a meaning for every status in `run_status_mapping` or `task_run_status_mapping`",
        format!("{} without one", counted(unmapped.len(), "status word")),
    )
    .with_evidence(
        unmapped
            .iter()
            .map(|(word, count)| format!("`{word}`, seen {}", counted(*count, "time"))),
    )
    .with_hint("map each of them in manifest.json")
}

/// Ids: one run each, one task run each. Runs are asked for by their ids alone, whatever their job.
fn ids(runs: &[RunEvent], clashes: &[String]) -> Outcome {
    let mut lines: Vec<String> = clashes
        .iter()
        .map(|label| format!("{label} is the id of several runs, which began at different times"))
        .collect();
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
