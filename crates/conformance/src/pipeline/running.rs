//! Whether runs are given that have not ended yet.

use std::collections::BTreeSet;

use bowline_contract::pipeline::{RunEvent, RunStatus, Window};
use bowline_pipeline::SourceError;
use bowline_words::counted;
use jiff::{SignedDuration, Timestamp};

use super::check;
use super::cuts::whole_second;
use super::outcome::{Doubt, Outcome, failure};
use super::reading::run_label;
use super::runner::{PAGE, Suite};
use super::times::{SHOWN, SKEW};
use crate::Verdict;

/// A vendor that has a run under way for this share of the time, in percent, is hardly ever seen without one.
const BUSY: i128 = 90;
/// How long a run may have gone on before the vendor shows it.
const SHOWING: SignedDuration = SignedDuration::from_secs(60);

/// What was there of runs that had not ended.
pub(super) enum Watch {
    /// Some were there.
    Seen(usize),
    /// None was; everything that had begun by a moment should be among these.
    Unseen {
        /// What is to be said where the list may lack some.
        doubt: Option<Outcome>,
        span: Window,
        before: Timestamp,
        known: BTreeSet<String>,
    },
}

/// Looks for runs that have not ended. When there is none, notes what there is instead, up to a moment to come: so
/// that a run that ends while it is noted, or at a vendor whose clock is ahead, is noted too.
pub(super) fn watch(
    suite: &mut Suite<'_>,
    span: Window,
    first: &[RunEvent],
) -> Result<Watch, SourceError> {
    let active = first.iter().filter(|run| is_under_way(run)).count();
    if active > 0 {
        return Ok(Watch::Seen(active));
    }
    let now = whole_second((suite.options.clock)());
    let span = Window {
        start: span.start,
        end: now + SKEW + SKEW,
    };
    let reading = suite.reader.runs(span, PAGE)?;
    let active = reading
        .events
        .iter()
        .filter(|run| is_under_way(run))
        .count();
    if active > 0 {
        return Ok(Watch::Seen(active));
    }
    let doubt =
        (!reading.is_whole()).then(|| Outcome::Supported.of_whole_lists([&reading.summary]));
    // The vendor's clock may be off; what it had written down before is told in its own time.
    let newest = first.iter().filter_map(RunEvent::event_time).max();
    let surely = now - SKEW;
    Ok(Watch::Unseen {
        doubt,
        span,
        before: newest.map_or(surely, |at| surely.max(at - SHOWING)),
        known: reading.events.iter().filter_map(run_label).collect(),
    })
}

/// Whether runs that have not ended are given: some were there, or one that has ended since was.
pub(super) fn running(
    suite: &mut Suite<'_>,
    watch: Result<Watch, SourceError>,
    first: &[RunEvent],
) {
    let (doubt, span, before, known) = match watch {
        Err(error) => {
            suite.settle(&check::RUNNING, failure(&error), "");
            return;
        }
        Ok(Watch::Seen(active)) => {
            let basis = format!("{} under way", counted(active, "run"));
            suite.settle(&check::RUNNING, Outcome::Supported, basis);
            return;
        }
        Ok(Watch::Unseen {
            doubt,
            span,
            before,
            known,
        }) => (doubt, span, before, known),
    };
    let later = Window {
        start: (suite.window.end - SKEW).max(span.start),
        end: whole_second((suite.options.clock)()) + SKEW + SKEW,
    };
    let reading = match suite.reader.runs(later, PAGE) {
        Ok(reading) => reading,
        Err(error) => {
            suite.settle(&check::RUNNING, failure(&error), "");
            return;
        }
    };
    let hidden: Vec<String> = reading
        .events
        .iter()
        .filter(|run| doubt.is_none() && run.has_ended())
        .filter_map(|run| {
            let start = run.start_time()?;
            let end = run.end_time()?;
            let label = run_label(run)?;
            let was_under_way = span.start <= start && start <= before && !known.contains(&label);
            was_under_way
                .then(|| format!("{label} began at {start}, ended at {end}, and came only then"))
        })
        .collect();
    let cause = [&check::WINDOW, &check::PAGES]
        .into_iter()
        .find(|cause| suite.verdict(cause) == Some(Verdict::Wrong));
    let outcome = if let (false, Some(by)) = (hidden.is_empty(), cause) {
        Outcome::Blocked { by }
    } else if !hidden.is_empty() {
        Outcome::wrong(
            "runs that have not ended, too",
            format!("{} that came only when ended", counted(hidden.len(), "run")),
        )
        .with_evidence(hidden.into_iter().take(SHOWN))
        .with_hint("give runs that have not ended with the time that they began as `event_time`")
    } else if reading.events.iter().any(is_under_way) {
        Outcome::Supported
    } else if let Some(doubt) = doubt {
        doubt
    } else if !reading.is_whole() {
        Outcome::Supported.of_whole_lists([&reading.summary])
    } else {
        // What rests while the suite looks has nothing to show, however busy it was before.
        let ran = reading
            .events
            .iter()
            .any(|run| run.end_time().is_some_and(|end| end > before));
        unseen(if ran {
            busy(first, suite.window.end)
        } else {
            0
        })
    };
    suite.settle(&check::RUNNING, outcome, "");
}

/// What it means that no run was seen under way at a vendor that had one under way for this share of the time.
fn unseen(busy: i128) -> Outcome {
    const NOTHING: &str = "no run was under way while the suite looked";
    if busy < BUSY {
        return Outcome::Unknown(Doubt::NoOccasion(format!(
            "{NOTHING}; test again while one is"
        )));
    }
    Outcome::nothing_to_see(format!(
        "{NOTHING}, though one was for {busy} % of the time before; are those left out?"
    ))
}

/// The share of the time in which some run was under way, in percent: from when the first of these runs began until
/// now, by those that have ended.
fn busy(runs: &[RunEvent], now: Timestamp) -> i128 {
    let mut spans: Vec<(Timestamp, Timestamp)> = runs
        .iter()
        .filter_map(|run| Some((run.start_time()?, run.end_time()?)))
        .collect();
    spans.sort_unstable();
    let Some((first, _)) = spans.first().copied() else {
        return 0;
    };
    let mut until = first;
    let mut covered = 0;
    for (start, end) in spans {
        let end = end.min(now);
        covered += end.duration_since(start.max(until)).as_nanos().max(0);
        until = until.max(end);
    }
    let whole = now.duration_since(first).as_nanos().max(1);
    covered * 100 / whole
}

/// Whether a run has begun and not ended.
fn is_under_way(run: &RunEvent) -> bool {
    match run.status() {
        Some(
            RunStatus::InProgress
            | RunStatus::Cancelling
            | RunStatus::Restarting
            | RunStatus::Deferred
            | RunStatus::UpForRetry
            | RunStatus::UpForReschedule,
        ) => true,
        Some(RunStatus::Queued | RunStatus::Blocked) => run.start_time().is_some(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_vendor_at_rest_is_no_doubt_and_a_busy_one_without_runs_is() {
        let run = |start: &str, end: &str| {
            let [start, end] = [start, end].map(|hour| format!("2026-01-01T{hour}:00Z"));
            RunEvent::new(json!({"start_time": start, "end_time": end}))
        };
        let now: Timestamp = "2026-01-01T10:00:00Z".parse().unwrap();
        let idle = [run("00:00", "01:00"), run("00:30", "01:30")];
        assert_eq!(busy(&idle, now), 15);
        assert!(matches!(
            unseen(busy(&idle, now)),
            Outcome::Unknown(Doubt::NoOccasion(_))
        ));
        let chain = [
            run("05:00", "07:00"),
            run("00:00", "04:00"),
            run("03:00", "06:00"),
            run("07:06", "09:54"),
        ];
        assert_eq!(busy(&chain, now), 98);
        let Outcome::Unknown(Doubt::NothingToSee(why)) = unseen(busy(&chain, now)) else {
            panic!("it is odd that no run is under way");
        };
        assert!(why.contains("98 %"), "{why}");
        assert_eq!(busy(&[RunEvent::new(json!({}))], now), 0);
    }
}
