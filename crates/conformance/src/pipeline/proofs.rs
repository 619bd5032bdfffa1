//! The proofs: one stretch of the past, read in different pages and windows, and what comparing the readings shows.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;

use bowline_contract::pipeline::{RunEvent, Window};
use bowline_pipeline::{SourceError, SourceErrorKind};
use jiff::{SignedDuration, Timestamp};

use super::Check;
use super::check;
use super::cuts::{between_attempts, cuts, newest, quiet, tellable, whole_second};
use super::ledger::{Oddity, Sighting, compare};
use super::page_sizes::uneven;
use super::prints::sighted_runs;
use super::reading::{Reading, run_label};
use super::runner::{PAGE, Suite};

/// How long ago a window must have ended to be closed: the vendor has written down by then what happened in it.
pub(super) const SETTLING: SignedDuration = SignedDuration::from_mins(5);
/// The most runs that are read over and over.
const MOST_RUNS: usize = 120;
/// Numbers of runs that fill the pages of vendors.
const ROUND: [usize; 2] = [100, 50];
/// The most of them that are read one by one.
const ONE_BY_ONE: usize = 24;
/// The page sizes beside the usual one; of the small ones, one that leaves a short page at the end.
const SMALL: [usize; 4] = [7, 6, 5, 8];
const ONE: NonZeroUsize = NonZeroUsize::MIN;
/// The most readings that are made again because of what they lack.
const MADE_AGAIN: usize = 2;

/// What a reading is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    /// Another page size.
    Pages,
    /// A part of a window.
    Part,
    /// The same once more.
    Again,
    /// The first look at the vendor.
    Look,
}

impl Role {
    /// The check that answers for a run that such a reading lost.
    pub(super) fn judged(self) -> &'static Check {
        match self {
            Self::Pages => &check::PAGES,
            Self::Part | Self::Look => &check::NEIGHBOURS,
            Self::Again => &check::AGAIN,
        }
    }
}

/// A reading that was made.
pub(super) struct Made {
    pub(super) role: Role,
    pub(super) span: Window,
    pub(super) size: NonZeroUsize,
    pub(super) reading: Reading<RunEvent>,
}

/// The first look, and every proof made after it.
pub(super) struct Proofs {
    pub(super) made: Vec<Made>,
    /// Readings that failed, by the check that they were made for.
    pub(super) failed: BTreeMap<&'static str, SourceError>,
    /// Runs on pages where the connector does not look, told.
    pub(super) past_ends: Vec<String>,
}

impl Proofs {
    pub(super) fn new() -> Self {
        Self {
            made: Vec::new(),
            failed: BTreeMap::new(),
            past_ends: Vec::new(),
        }
    }

    /// Keeps a first look.
    pub(super) fn look(&mut self, span: Window, size: NonZeroUsize, reading: Reading<RunEvent>) {
        self.made.push(Made {
            role: Role::Look,
            span,
            size,
            reading,
        });
    }

    /// Makes the readings and answers the checks that rest on them; gives the closed stretch that was read over and over.
    pub(super) fn prove(mut self, suite: &mut Suite<'_>) -> Option<Window> {
        let last = self.made.last()?;
        let (look, moments) = (last.span, moments(last));
        let settled = Window {
            start: look.start,
            end: whole_second(look.end - SETTLING).max(look.start),
        };
        // A vendor that has only just begun to work has nothing older to prove with.
        let closed = if moments.iter().any(|(at, _)| settled.contains(*at)) {
            settled
        } else {
            look
        };
        let (ended, open): (Vec<_>, Vec<_>) = moments.into_iter().partition(|(_, ended)| *ended);
        let times = |moments: Vec<(Timestamp, bool)>| moments.into_iter().map(|(at, _)| at);
        let ended: Vec<Timestamp> = times(ended).collect();
        let open: Vec<Timestamp> = times(open).collect();
        let closed = quiet(closed, &ended, &open);
        let moments = [ended, open].concat();
        let proof = newest(closed, &moments, MOST_RUNS);
        let narrow = newest(proof, &moments, ONE_BY_ONE);
        let mut exact = BTreeSet::new();
        self.make(suite, Role::Pages, proof, PAGE);
        let within = moments.iter().filter(|at| proof.contains(**at)).count();
        self.make(suite, Role::Pages, proof, uneven(&SMALL, within));
        self.make(suite, Role::Pages, narrow, ONE);
        let middle = middle(proof, &moments);
        let runs = self.made.last().map(|made| &*made.reading.events);
        let between = between_attempts(runs.unwrap_or_default(), proof);
        let cut_at = cuts(narrow, &moments)
            .into_iter()
            .map(|at| (narrow, at))
            .chain(middle.into_iter().chain(between).map(|at| (proof, at)));
        for (span, at) in cut_at {
            if moments.iter().any(|moment| tellable(*moment) == at) {
                exact.insert(at);
            }
            for part in span.split(at).into_iter().flatten() {
                self.make(suite, Role::Part, part, PAGE);
            }
        }
        // Where the first look came to its end there should be nothing more.
        if let Some(oldest) = moments.iter().min()
            && let Some([older, _]) = look.split(tellable(*oldest))
        {
            self.make(suite, Role::Part, older, PAGE);
        }
        let past_ends = self.look_past_ends(suite, proof);
        self.make(suite, Role::Again, proof, PAGE);
        self.past_ends = self.missed(past_ends);
        self.make_doubtful_again(suite);
        self.make_lossy_again(suite, proof);
        self.judge(suite, proof, &exact);
        Some(proof)
    }

    /// Asks for pages where the connector does not look.
    fn look_past_ends(
        &mut self,
        suite: &mut Suite<'_>,
        proof: Window,
    ) -> Vec<(String, Vec<RunEvent>)> {
        if self.is_interrupted() {
            return Vec::new();
        }
        suite.reader.past_ends(proof).unwrap_or_else(|error| {
            if error.kind == SourceErrorKind::Cancelled {
                self.failed.insert(check::PAGES.id, error);
            }
            Vec::new()
        })
    }

    /// The runs on such pages that no reading holds, not even one that was made since, told.
    fn missed(&self, past_ends: Vec<(String, Vec<RunEvent>)>) -> Vec<String> {
        let known: BTreeSet<String> = self
            .made
            .iter()
            .flat_map(|made| made.reading.events.iter().filter_map(run_label))
            .collect();
        let mut missed = BTreeSet::new();
        for (what, runs) in past_ends {
            let ended = runs.iter().filter(|run| run.has_ended());
            for label in ended
                .filter_map(run_label)
                .filter(|label| !known.contains(label))
            {
                missed.insert(format!("{label} is on {what}"));
            }
        }
        missed.into_iter().collect()
    }

    fn is_interrupted(&self) -> bool {
        self.failed
            .values()
            .any(|error| error.kind == SourceErrorKind::Cancelled)
    }

    fn make(&mut self, suite: &mut Suite<'_>, role: Role, span: Window, size: NonZeroUsize) {
        if self.is_interrupted() {
            return;
        }
        match suite.reader.runs(span, size) {
            Ok(reading) => self.made.push(Made {
                role,
                span,
                size,
                reading,
            }),
            Err(error) => {
                self.failed.entry(role.judged().id).or_insert(error);
            }
        }
    }

    pub(super) fn sightings(&self) -> Vec<Sighting> {
        self.made
            .iter()
            .map(|made| sighted_runs(&made.reading, made.span))
            .collect()
    }

    /// A run that came or went may have done so at the vendor's. Reading again what lacked it and what had it tells.
    fn make_doubtful_again(&mut self, suite: &mut Suite<'_>) {
        let sightings = self.sightings();
        let comparison = compare(&sightings);
        let mut doubtful: Vec<&Oddity> = comparison.late.iter().chain(&comparison.gone).collect();
        doubtful.sort_by_key(|one| (self.made[one.reading].role, one.reading));
        let mut again: Vec<(usize, usize)> = Vec::new();
        for oddity in doubtful {
            let same = |reading: usize| {
                let (one, other) = (&self.made[reading], &self.made[oddity.reading]);
                (one.span, one.size) == (other.span, other.size)
            };
            let had = sightings
                .iter()
                .rposition(|one| one.seen.contains_key(&oddity.label));
            if let Some(had) = had
                && again.len() < MADE_AGAIN
                && !again.iter().any(|(lacked, _)| same(*lacked))
            {
                again.push((oddity.reading, had));
            }
        }
        if again.is_empty() {
            // What came twice in one reading only may have moved while it was read.
            let repeating: Vec<usize> = (0..self.made.len())
                .filter(|one| !self.made[*one].reading.repeated.is_empty())
                .collect();
            if let [only] = repeating[..] {
                again.push((only, only));
            }
        }
        for reading in again.into_iter().flat_map(|(lacked, had)| [lacked, had]) {
            self.make_again(suite, reading);
        }
    }

    fn make_again(&mut self, suite: &mut Suite<'_>, reading: usize) {
        let Made {
            role, span, size, ..
        } = self.made[reading];
        self.make(suite, role, span, size);
    }

    /// One reading that lost something may have had bad luck with a list that changed; it is made once more, with
    /// another behind it to judge it by.
    fn make_lossy_again(&mut self, suite: &mut Suite<'_>, proof: Window) {
        let lossy = compare(&self.sightings()).lossy();
        let mut lossy = lossy.into_iter();
        if let (Some(only), None) = (lossy.next(), lossy.next()) {
            self.make_again(suite, only);
            self.make(suite, Role::Again, proof, PAGE);
        }
    }
}

/// The times of a first look's runs, and whether nothing can happen to them any more.
fn moments(look: &Made) -> Vec<(Timestamp, bool)> {
    let runs = look.reading.events.iter();
    runs.filter_map(|run| {
        let at = run.event_time().filter(|at| look.span.contains(*at))?;
        Some((at, run.has_ended()))
    })
    .collect()
}

/// A time within a span's runs at which a window can be cut, with a round number of runs behind it if there are enough: a
/// list that ends with a full page.
fn middle(span: Window, moments: &[Timestamp]) -> Option<Timestamp> {
    let is_within = |at: &Timestamp| span.contains(*at) && tellable(*at) == *at;
    let mut within: Vec<Timestamp> = moments.iter().copied().filter(is_within).collect();
    within.sort_unstable();
    let mut rounds = ROUND
        .iter()
        .filter_map(|count| within.len().checked_sub(*count));
    let place = rounds.find(|place| *place > 0).unwrap_or(within.len() / 2);
    within.get(place).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_cut_where_a_round_number_of_runs_is_behind() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let span = Window {
            start: at(0),
            end: at(1_000),
        };
        for (count, place) in [
            (0, None),
            (20, Some(10)),
            (50, Some(25)),
            (51, Some(1)),
            (100, Some(50)),
            (130, Some(30)),
        ] {
            // In no order, and with one that no window can be cut at.
            let mut moments: Vec<Timestamp> = (0..count).rev().map(at).collect();
            moments.push(Timestamp::new(0, 1).unwrap());
            assert_eq!(middle(span, &moments), place.map(at), "{count}");
        }
    }
}
