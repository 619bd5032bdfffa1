//! The section `etl_run_details`: the newest runs, what they say, and the proofs that none is lost or doubled.

use std::num::NonZeroUsize;

use bowline_contract::pipeline::{RunEvent, Window, odd_runs, validate_runs};
use bowline_pipeline::{PageQuery, RunQuery, SourceError, Summary, Unmapped};
use bowline_words::counted;

use super::afresh::{afresh, pages_afresh, refused};
use super::by_id::{by_id, no_query, unknown_id};
use super::cuts::whole_second;
use super::ids::ids;
use super::older::{older, remembered};
use super::outcome::{Outcome, invalid};
use super::proofs::Proofs;
use super::reading::run_label;
use super::retries::{left_out, retries};
use super::runner::{PAGE, Suite};
use super::running::{running, watch};
use super::statuses::statuses;
use super::times::{self, sentinels, times};
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
    let timeless = sentinels(&look.summary);
    if events.is_empty() {
        let nothing = timeless.unwrap_or_else(|| Outcome::nothing_to_see(look.why_nothing));
        suite.settle(&check::RUNS, nothing, "");
        if suite.is_strict() {
            let watched = watch(suite, span, &events);
            running(suite, watched, &events);
        }
        return Ok(Some(FirstLook {
            runs: events,
            span,
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
    for odd in odd_runs(&events) {
        suite.advise(&check::RUNS_VALID, odd);
    }
    suite.settle(
        &check::STATUSES,
        statuses(&look.summary.unmapped, &events),
        basis.as_str(),
    );
    if let Some(advice) = super::statuses::doubts(&events) {
        suite.advise(&check::STATUSES, advice);
    }
    suite.settle(&check::IDS, ids(&events, &look.clashes), basis.as_str());
    if let Some(advice) = super::ids::doubts(&events) {
        suite.advise(&check::IDS, advice);
    }
    let judged = timeless.unwrap_or_else(|| times(&events, suite.window.end));
    suite.settle(&check::TIMES, judged, basis.as_str());
    for advice in times::doubts(&events) {
        suite.advise(&check::TIMES, advice);
    }
    by_id(suite, span, &events);
    let (judged, followed) = retries(&events);
    let judged = match judged {
        Outcome::Supported if suite.is_strict() => left_out(suite, span, &events),
        judged => judged,
    };
    suite.settle(&check::RETRIES, judged, followed);
    if suite.is_strict() {
        let watched = watch(suite, span, &events);
        unknown_id(suite, &events);
        let proof = proofs.prove(suite);
        by_offset(suite, span, &events);
        older(suite, span);
        remembered(suite, span, &events);
        running(suite, watched, &events);
        afresh(suite, &events);
        if let Some(proof) = proof {
            pages_afresh(suite, proof, &events);
        }
        refused(suite, span, &events);
    }
    Ok(Some(FirstLook {
        runs: events,
        span,
        unmapped: look.summary.unmapped,
    }))
}

/// Asks the contract's methods for the later half of the runs without the earlier one: what is given follows from the
/// offset, and not from what was asked before.
fn by_offset(suite: &mut Suite<'_>, span: Window, runs: &[RunEvent]) {
    let Some(methods) = suite.reader.pipeline.methods() else {
        return;
    };
    let offset = runs.len() / 2;
    if offset == 0 || suite.verdict(&check::PAGES) != Some(Verdict::Supported) {
        return;
    }
    let what = format!("runs of {span} from the {offset}th on");
    let page = PageQuery {
        limit: PAGE.get(),
        offset,
    };
    let query = RunQuery::Window(span);
    let Ok(given) = suite.reader.page(what, methods, Some(&query), page) else {
        return;
    };
    if given.events.is_empty() {
        let outcome = Outcome::wrong(
            format!("runs at offset {offset}, whatever was asked before"),
            "none",
        )
        .with_hint("read what `offset` says, and keep no place between calls");
        suite.settle(&check::PAGES, outcome, "");
    }
}

/// What the first look found.
pub(super) struct FirstLook {
    pub(super) runs: Vec<RunEvent>,
    /// The window that they are of.
    pub(super) span: Window,
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
