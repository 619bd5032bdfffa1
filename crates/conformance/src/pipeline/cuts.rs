//! Windows of time, and where they are cut.

use bowline_contract::pipeline::Window;
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

/// Where a span is cut to see how its parts meet: at the moments of runs, and between two of them.
///
/// `moments` need not be sorted. No more than three cuts, each within the span.
pub(super) fn cuts(span: Window, moments: &[Timestamp]) -> Vec<Timestamp> {
    let mut within = sorted_within(span, moments);
    within.dedup();
    let exact: Vec<Timestamp> = within
        .iter()
        .copied()
        .filter(|at| tellable(*at) == *at && *at > span.start)
        .collect();
    let mut cuts = Vec::new();
    cuts.extend(exact.last());
    cuts.extend(exact.get(exact.len() / 3));
    let between = within.windows(2).rev().find_map(|pair| {
        let gap = pair[1].duration_since(pair[0]);
        let middle = tellable(pair[0] + gap / 2);
        (pair[0] < middle && middle < pair[1]).then_some(middle)
    });
    cuts.extend(between);
    cuts.sort_unstable();
    cuts.dedup();
    cuts.retain(|at| span.split(*at).is_some());
    cuts
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
        assert_eq!(cuts(span(0, 20), &moments), [at(5), at(7), at(9)]);
        assert_eq!(cuts(span(0, 20), &[at(0)]), []);
        assert_eq!(cuts(span(0, 20), &[]), []);
    }

    #[test]
    fn a_moment_that_cannot_be_told_is_not_cut_at() {
        let odd = Timestamp::from_nanosecond(1_000_003_000_000_001).unwrap();
        assert_eq!(cuts(span(-2_000_000, 2_000_000_000), &[odd]), []);
        assert_eq!(tellable(odd).as_nanosecond(), 1_000_003_000_000_000);
    }
}
