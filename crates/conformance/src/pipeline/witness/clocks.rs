//! Times that are taken from a field of another meaning, in another zone, cut, or made from something else.

use std::collections::{BTreeMap, BTreeSet};

use bowline_contract::pipeline::RunEvent;
use bowline_words::counted;
use jiff::{SignedDuration, Timestamp};

use super::given::{Given, any_speaks_of, moments, speaks_of};
use super::owners::{Column, Owners, Place};
use super::{Judged, SEVERAL, is_nearly_all};
use crate::pipeline::outcome::Outcome;
use crate::pipeline::times::SHOWN;

const QUARTER: i64 = 15 * 60;
const MOST_OF_A_ZONE: i64 = 14 * 3600;
/// Numbers from here on are no length of a run.
const LONGEST: f64 = 1e9;

/// Words of names that say what a time is of.
struct Meaning {
    field: &'static str,
    at: fn(&RunEvent) -> Option<Timestamp>,
    /// Names that say it.
    right: &'static str,
    /// Names that say something else, wherever they stand on the way.
    other: &'static str,
    /// Names of the opposite.
    opposite: &'static str,
}

/// Names for what is planned, or was done to the record.
const PLANNED: &str = "creat submit queu enqueu sched logical due plan updat modif expect next";

/// Words of names for what is no time of the run: what it was given, and the stretch that it is about.
const OTHER_THINGS: &str = "param arg conf input var label interval window period data";

/// Words of names for a part of a run: where one ends, another begins.
const PHASES: &str = "setup queu enqueu wait depend upstream provision cleanup teardown init";

const MEANINGS: [Meaning; 3] = [
    Meaning {
        field: "queued_at",
        at: RunEvent::queued_at,
        right: "queu enqueu",
        other: "logical due plan updat modif expect next start began",
        opposite: "end ended finish complet",
    },
    Meaning {
        field: "start_time",
        at: RunEvent::start_time,
        right: "start begin began begun",
        other: PLANNED,
        opposite: "end ended finish complet",
    },
    Meaning {
        field: "end_time",
        at: RunEvent::end_time,
        right: "end ended finish complet stop clos",
        other: PLANNED,
        opposite: "start begin began",
    },
];

impl Meaning {
    fn is_right(&self, place: &str) -> bool {
        let is_of_other_things = any_speaks_of(place, OTHER_THINGS);
        speaks_of(place, self.right) && !self.is_other(place) && !is_of_other_things
    }

    fn is_other(&self, place: &str) -> bool {
        let is_of_a_phase = any_speaks_of(place, PHASES);
        any_speaks_of(place, self.other) || speaks_of(place, self.opposite) && !is_of_a_phase
    }
}

/// A time of a run as it is given.
struct GivenTime<'e> {
    run: usize,
    label: &'e str,
    at: Timestamp,
}

/// The time at a place of a run's own records, where there is one, and whether its zone is certain.
fn time_at(column: &Column<'_>, run: usize) -> Option<(Timestamp, bool)> {
    let (Some(said), 1) = (column[run].first(), column[run].len()) else {
        return None;
    };
    let moment = moments(said).into_iter().next()?;
    Some((moment.at, moment.is_zoned))
}

/// Judges the times of runs.
pub(super) fn times(runs: &[Judged<'_, RunEvent>], owners: &Owners<'_>) -> Vec<Outcome> {
    let faults = MEANINGS.iter().filter_map(|meaning| {
        let given: Vec<GivenTime<'_>> = runs
            .iter()
            .filter_map(|(run, event, label)| {
                Some(GivenTime {
                    run: *run,
                    label,
                    at: (meaning.at)(event)?,
                })
            })
            .collect();
        judge(meaning, &given, owners)
    });
    faults.collect()
}

fn judge(meaning: &Meaning, given: &[GivenTime<'_>], owners: &Owners<'_>) -> Option<Outcome> {
    if given.len() < 2 {
        return None;
    }
    let agrees = |(_, column): &(Place<'_>, &Column<'_>)| {
        let same = given.iter().filter(|given| {
            time_at(column, given.run)
                .is_some_and(|(said, _)| said.as_second() == given.at.as_second())
        });
        is_nearly_all(same.count(), given.len())
    };
    let from: Vec<&str> = owners
        .columns()
        .filter(agrees)
        .map(|((_, place), _)| place)
        .collect();
    let of_meaning = || {
        let columns = owners.columns();
        columns.filter(|((kind, place), column)| {
            if !owners.is_whole(*kind) || !meaning.is_right(place) {
                return false;
            }
            let said = given.iter().filter_map(|given| time_at(column, given.run));
            let said: Vec<Timestamp> = said.map(|(at, _)| at).collect();
            let different: BTreeSet<&Timestamp> = said.iter().collect();
            // What is the same for many runs is no time of theirs, but of their job or schedule.
            is_nearly_all(said.len(), given.len()) && different.len() * 2 >= said.len()
        })
    };
    if let Some(other) = from.first() {
        if !from.iter().all(|place| meaning.is_other(place)) {
            return None;
        }
        return of_meaning().find_map(|((_, place), column)| {
            let lines = differing(place, column, given, &|_| false);
            let expected = format!("the vendor's `{place}` as `{}`", meaning.field);
            let got = format!("its `{other}`");
            let is_so = lines.len() >= SEVERAL;
            is_so
                .then(|| Outcome::wrong(expected, got).with_evidence(lines.into_iter().take(SHOWN)))
        });
    }
    of_meaning().find_map(|((_, place), column)| {
        let apart: Option<Vec<(Timestamp, Timestamp)>> = given
            .iter()
            .map(|given| match time_at(column, given.run) {
                Some((said, is_zoned)) => is_zoned.then_some((given.at, said)),
                None => Some((given.at, given.at)),
            })
            .collect();
        let apart = apart?;
        let expected = format!(
            "the moment of the vendor's `{place}` as `{}`",
            meaning.field
        );
        let is_said = |given: &GivenTime<'_>| {
            let at = Given::Time(given.at);
            let mut everything = owners.everything(given.run);
            everything.any(|said| at.may_be(said)) || is_made_of(given, meaning, owners)
        };
        let lines = differing(place, column, given, &is_said);
        let got = match odd_distance(&apart) {
            Some(odd) => odd,
            None if lines.len() >= SEVERAL => {
                format!(
                    "{} that the vendor does not say",
                    counted(lines.len(), "time")
                )
            }
            None => return None,
        };
        let shown = if lines.is_empty() {
            differing(place, column, given, &|_| false)
        } else {
            lines
        };
        Some(Outcome::wrong(expected, got).with_evidence(shown.into_iter().take(SHOWN)))
    })
}

/// Whether a time is one of the record's own with one of its numbers before or behind it: a length, in seconds or
/// thousandths of them, or the sum of two; no length that is only expected. Nobody goes back from a time of that very
/// meaning, nor from those of parts.
fn is_made_of(given: &GivenTime<'_>, meaning: &Meaning, owners: &Owners<'_>) -> bool {
    let own: Vec<(&str, &str)> = owners.own(given.run).collect();
    // What stands at another place, too, is there for what it means at that one.
    let elsewhere = |is_such: &dyn Fn(&str) -> bool| -> BTreeSet<&str> {
        let mut left: BTreeMap<&str, i64> = BTreeMap::new();
        for said in owners.everything(given.run) {
            *left.entry(said).or_default() += 1;
        }
        for (_, said) in own.iter().filter(|(place, _)| is_such(place)) {
            *left.entry(*said).or_default() -= 1;
        }
        left.retain(|_, count| *count > 0);
        left.into_keys().collect()
    };
    let measured = elsewhere(&is_estimate);
    // Nothing ends so long after it was asked for as it took.
    let is_passed = |place: &str| any_speaks_of(place, meaning.other);
    let passed = elsewhere(&|place| meaning.field == "end_time" && is_passed(place));
    let mut lengths: Vec<i64> = measured.iter().flat_map(|said| lengths(said)).collect();
    lengths.sort_unstable();
    lengths.dedup();
    let is_length = |seconds: i64| {
        let is_one = |wanted: i64| {
            (wanted - 1..=wanted + 1).any(|near| lengths.binary_search(&near).is_ok())
        };
        is_one(seconds) || lengths.iter().any(|length| is_one(seconds - length))
    };
    let apart = |said: &str| -> Vec<i64> {
        let moments = moments(said).into_iter();
        moments
            .map(|moment| given.at.as_second() - moment.at.as_second())
            .collect()
    };
    let mut ahead = passed.iter().flat_map(|said| apart(said));
    let back = own.iter().filter(|(place, _)| !meaning.is_right(place));
    let mut back = back.flat_map(|(_, said)| apart(said));
    ahead.any(|apart| apart > 0 && is_length(apart))
        || back.any(|apart| apart < 0 && is_length(-apart))
}

/// The lengths that a value may be, in seconds.
fn lengths(said: &str) -> Vec<i64> {
    let seconds = match said.parse::<f64>() {
        Ok(number) => vec![number, number / 1000.0],
        Err(_) => said
            .parse::<SignedDuration>()
            .map(|length| vec![length.as_secs_f64()])
            .unwrap_or_default(),
    };
    let lengths = seconds
        .into_iter()
        .filter(|length| (0.0..LONGEST).contains(length));
    lengths.map(|length| length.round() as i64).collect()
}

fn is_estimate(place: &str) -> bool {
    any_speaks_of(
        place,
        "estim expect averag avg mean median typical max limit timeout",
    )
}

/// The runs whose time differs from what stands at a place, but for those that are excused.
fn differing(
    place: &str,
    column: &Column<'_>,
    given: &[GivenTime<'_>],
    is_excused: &dyn Fn(&GivenTime<'_>) -> bool,
) -> Vec<String> {
    let lines = given.iter().filter_map(|given| {
        let (said, _) = time_at(column, given.run)?;
        let differs = (said.as_second() - given.at.as_second()).abs() > 1;
        (differs && !is_excused(given)).then(|| {
            format!(
                "{}: {}, and the vendor's `{place}` is {said}",
                given.label, given.at
            )
        })
    });
    lines.collect()
}

/// What the times that are given and those of the vendor differ by, where it is a zone or a unit.
fn odd_distance(apart: &[(Timestamp, Timestamp)]) -> Option<String> {
    let seconds = |(at, said): &(Timestamp, Timestamp)| at.as_second() - said.as_second();
    let first = seconds(apart.first()?);
    if first != 0
        && first % QUARTER == 0
        && first.abs() <= MOST_OF_A_ZONE
        && apart.iter().all(|one| seconds(one) == first)
    {
        let hours = first as f64 / 3600.0;
        return Some(format!("a moment {hours} hours from it, in all runs"));
    }
    let is_cut = |unit: i64| {
        let cut = |(at, said): &(Timestamp, Timestamp)| {
            said.as_second().div_euclid(unit) * unit == at.as_second()
        };
        let differ = apart.iter().filter(|one| seconds(one) != 0).count();
        differ > 1 && apart.iter().all(cut)
    };
    let units = [(60, "minutes"), (3600, "hours"), (86_400, "days")];
    let (_, unit) = units.into_iter().find(|(unit, _)| is_cut(*unit))?;
    Some(format!("times cut to whole {unit}"))
}
