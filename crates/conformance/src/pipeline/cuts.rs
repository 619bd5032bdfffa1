//! Windows of time, and where they are cut.

use bowline_contract::pipeline::{RunEvent, Window};
use jiff::{SignedDuration, Timestamp, TimestampRound, Unit};

/// The moment rounded down to what a connector in any language can be told: microseconds.
pub(super) fn tellable(at: Timestamp) -> Timestamp {
    floor(at, Unit::Microsecond)
}

/// The moment rounded down to the second.
pub(super) fn whole_second(at: Timestamp) -> Timestamp {
    floor(at, Unit::Second)
}

fn floor(at: Timestamp, unit: Unit) -> Timestamp {
    at.round(
        TimestampRound::new()
            .smallest(unit)
            .mode(jiff::RoundMode::Floor),
    )
    .unwrap_or(at)
}

/// The stretch of a span in which nothing goes on any more: between the runs that have not ended, where most of those
/// that have are. The whole span when there is no such stretch worth its while.
pub(super) fn quiet(span: Window, ended: &[Timestamp], open: &[Timestamp]) -> Window {
    /// With so many runs a stretch is worth its while, however many there are around it.
    const WORTH: usize = 20;
    let mut bounds: Vec<Timestamp> = open
        .iter()
        .copied()
        .filter(|at| span.contains(*at))
        .collect();
    bounds.sort_unstable();
    bounds.dedup();
    let starts = std::iter::once(span.start).chain(
        bounds
            .iter()
            .map(|at| tellable(*at) + SignedDuration::from_micros(1)),
    );
    let ends = bounds.iter().map(|at| tellable(*at)).chain([span.end]);
    let count = |span: Window| ended.iter().filter(|at| span.contains(**at)).count();
    let best = starts
        .zip(ends)
        .map(|(start, end)| Window { start, end })
        .filter(|part| part.start < part.end)
        .max_by_key(|part| count(*part));
    best.filter(|part| count(*part) >= WORTH.min(count(span).div_ceil(2)))
        .filter(|part| count(*part) > 0)
        .unwrap_or(span)
}

/// The stretch at the end of a span that holds the newest of some moments, at most this many.
pub(super) fn newest(span: Window, moments: &[Timestamp], most: usize) -> Window {
    let within = sorted_within(span, moments);
    match within.len().checked_sub(most) {
        None | Some(0) => span,
        Some(first) => Window {
            start: tellable(within[first]).max(span.start),
            end: span.end,
        },
    }
}

fn sorted_within(span: Window, moments: &[Timestamp]) -> Vec<Timestamp> {
    let mut within: Vec<Timestamp> = moments
        .iter()
        .copied()
        .filter(|at| span.contains(*at))
        .collect();
    within.sort_unstable();
    within
}

/// Where a span is cut to see how its parts meet: at the moments of runs, right behind one, and between two of them.
/// Whoever cuts the bounds of windows to whole seconds loses a run that a window ends right behind.
///
/// `moments` need not be sorted. No more than four cuts, each within the span.
pub(super) fn cuts(span: Window, moments: &[Timestamp]) -> Vec<Timestamp> {
    let mut within = sorted_within(span, moments);
    within.dedup();
    let told = |is_told: fn(Timestamp) -> bool| -> Vec<Timestamp> {
        let moments = within.iter().copied().filter(|at| is_told(*at));
        moments
            .map(tellable)
            .filter(|at| *at > span.start)
            .collect()
    };
    let mut exact = told(|at| tellable(at) == at);
    if exact.is_empty() {
        // Times of ten-millionths of seconds: right before them is as near as one can get.
        exact = told(|_| true);
    }
    let mut cuts = Vec::new();
    cuts.extend(exact.last());
    cuts.extend(exact.get(exact.len() / 3));
    cuts.extend(exact.last().map(|last| *last + grain(&within)));
    // The two that are closest: somebody may take them for one.
    let between = within.windows(2).rev().filter_map(|pair| {
        let gap = pair[1].duration_since(pair[0]);
        let middle = tellable(pair[0] + gap / 2);
        (pair[0] < middle && middle < pair[1]).then_some((gap, middle))
    });
    cuts.extend(
        between
            .min_by_key(|(gap, _)| *gap)
            .map(|(_, middle)| middle),
    );
    cuts.sort_unstable();
    cuts.dedup();
    cuts.retain(|at| span.split(*at).is_some());
    cuts
}

/// When the newest attempt of a window ended that follows one in it: a window cut there holds one of the two.
pub(super) fn between_attempts(runs: &[RunEvent], span: Window) -> Option<Timestamp> {
    let within = |run: &&RunEvent| run.event_time().is_some_and(|at| span.contains(at));
    let is_there = |id: &str| {
        let mut runs = runs.iter().filter(within);
        runs.any(|run| run.run_source_id() == Some(id))
    };
    let follows = runs
        .iter()
        .filter(within)
        .filter(|run| run.has_ended() && run.parent_attempt_run_source_id().is_some_and(is_there));
    let ended = follows.filter_map(RunEvent::event_time);
    ended.filter(|at| tellable(*at) == *at).max()
}

/// How far apart two moments must be at least to be told apart as precisely as these are written: a second, or the
/// millisecond that vendors take at least.
fn grain(moments: &[Timestamp]) -> SignedDuration {
    let is_whole = moments.iter().all(|at| whole_second(*at) == *at);
    if is_whole {
        SignedDuration::from_secs(1)
    } else {
        SignedDuration::from_millis(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + second).unwrap()
    }

    fn span(start: i64, end: i64) -> Window {
        Window {
            start: at(start),
            end: at(end),
        }
    }

    #[test]
    fn the_newest_few_make_a_shorter_span() {
        let moments: Vec<Timestamp> = (0..10).map(at).collect();
        assert_eq!(newest(span(-5, 20), &moments, 3), span(7, 20));
        assert_eq!(newest(span(-5, 20), &moments, 10), span(-5, 20));
        assert_eq!(newest(span(-5, 4), &moments, 2), span(2, 4));
    }

    #[test]
    fn the_quiet_stretch_lies_between_runs_that_have_not_ended() {
        let ended: Vec<Timestamp> = (0..10).map(at).collect();
        let one = SignedDuration::from_micros(1);
        assert_eq!(quiet(span(-5, 20), &ended, &[]), span(-5, 20));
        let after = Window {
            start: at(2) + one,
            end: at(20),
        };
        assert_eq!(quiet(span(-5, 20), &ended, &[at(2)]), after);
        assert_eq!(quiet(span(-5, 20), &ended, &[at(8)]), span(-5, 8));
        // Where they are everywhere, nothing is quiet.
        assert_eq!(quiet(span(-5, 20), &ended, &ended), span(-5, 20));
        assert_eq!(quiet(span(-5, 20), &[], &ended), span(-5, 20));
    }

    #[test]
    fn cuts_are_at_runs_and_between_them() {
        let moments = [at(1), at(5), at(9), at(9)];
        assert_eq!(cuts(span(0, 20), &moments), [at(5), at(7), at(9), at(10)]);
        let odd = [at(1) + SignedDuration::from_micros(4), at(5)];
        let behind = at(5) + SignedDuration::from_millis(1);
        assert!(cuts(span(0, 20), &odd).contains(&behind));
        assert_eq!(cuts(span(0, 20), &[at(0)]), []);
        assert_eq!(cuts(span(0, 20), &[]), []);
    }

    #[test]
    fn a_window_is_cut_where_it_holds_one_of_two_attempts() {
        let run = |id: &str, second: i64, before: Option<&str>| {
            RunEvent::new(
                serde_json::json!({"job_source_id": "j", "run_source_id": id, "status": "success",
                "event_time": at(second).to_string(), "parent_attempt_run_source_id": before}),
            )
        };
        let runs = [
            run("a", 1, None),
            run("b", 5, Some("a")),
            run("c", 9, Some("gone")),
        ];
        assert_eq!(between_attempts(&runs, span(0, 20)), Some(at(5)));
        assert_eq!(between_attempts(&runs, span(2, 20)), None);
        assert_eq!(between_attempts(&runs[..1], span(0, 20)), None);
    }

    #[test]
    fn a_moment_that_cannot_be_told_is_cut_right_before() {
        let odd = at(3) + SignedDuration::from_nanos(100);
        let behind = at(3) + SignedDuration::from_millis(1);
        assert_eq!(cuts(span(0, 20), &[odd]), [at(3), behind]);
        // Another one that can be told is better.
        assert!(!cuts(span(0, 20), &[odd, at(5)]).contains(&at(3)));
    }
}
