//! The proofs: one stretch of the past, read in different pages and windows, and what comparing the readings shows.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;

use bowline_contract::pipeline::{RunEvent, Window};
use bowline_pipeline::{SourceError, SourceErrorKind};
use bowline_words::counted;
use jiff::{SignedDuration, Timestamp};

use super::Check;
use super::check;
use super::cuts::{between_attempts, cuts, newest, quiet, tellable, whole_second};
use super::forgotten::forgotten;
use super::ledger::{Comparison, Oddity, Sighting, compare, take_renamed};
use super::outcome::{Doubt, Outcome, failure};
use super::page_sizes::{too_long, uneven};
use super::reading::{Reading, run_label, sighted_runs};
use super::runner::{PAGE, Suite};
use super::times::SHOWN;
use crate::Verdict;

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
enum Role {
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
    fn judged(self) -> &'static Check {
        match self {
            Self::Pages => &check::PAGES,
            Self::Part | Self::Look => &check::NEIGHBOURS,
            Self::Again => &check::AGAIN,
        }
    }
}

/// A reading that was made.
struct Made {
    role: Role,
    span: Window,
    size: NonZeroUsize,
    reading: Reading<RunEvent>,
}

/// The first look, and every proof made after it.
pub(super) struct Proofs {
    made: Vec<Made>,
    /// Readings that failed, by the check that they were made for.
    failed: BTreeMap<&'static str, SourceError>,
    /// Runs on pages where the connector does not look, told.
    past_ends: Vec<String>,
    /// Runs that are there and came no more, told.
    forgotten: Vec<String>,
}

impl Proofs {
    pub(super) fn new() -> Self {
        Self {
            made: Vec::new(),
            failed: BTreeMap::new(),
            past_ends: Vec::new(),
            forgotten: Vec::new(),
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

    /// Makes the readings and answers the checks that rest on them.
    pub(super) fn prove(mut self, suite: &mut Suite<'_>) {
        let Some(last) = self.made.last() else {
            return;
        };
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
        if !self.is_interrupted() {
            let comparison = compare(&self.sightings());
            let readings: Vec<&Reading<RunEvent>> =
                self.made.iter().map(|made| &made.reading).collect();
            self.forgotten = forgotten(suite, &comparison, &readings);
        }
        self.judge(suite, proof, &exact);
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

    fn sightings(&self) -> Vec<Sighting> {
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

    fn judge(&self, suite: &mut Suite<'_>, proof: Window, exact: &BTreeSet<Timestamp>) {
        let sightings = self.sightings();
        let mut comparison = compare(&sightings);
        let renamed = take_renamed(&sightings, &mut comparison);
        let once = if self.is_confirmed(&comparison) {
            Vec::new()
        } else {
            comparison.take_once()
        };
        let runs = sightings.iter().map(|one| one.seen.len()).max();
        let runs = runs.unwrap_or(0);
        let basis = |what: String| format!("{} of {proof}, {what}", counted(runs, "run"));
        let read = || self.made.iter().map(|made| &made.reading.summary);
        let compared = |outcome: Outcome| match outcome {
            Outcome::Supported if runs == 0 => {
                Outcome::nothing_to_see("no run in the window has ids and a time to compare by")
            }
            outcome => outcome.of_whole_lists(read()),
        };
        let mut verdicts = Verdicts {
            suite,
            failed: &self.failed,
        };
        verdicts.settle(
            &check::LIMIT,
            too_long(self.made.iter().map(|made| &made.reading)),
            String::new(),
        );
        verdicts.settle(
            &check::WINDOW,
            self.window(),
            format!("{} readings", self.made.len()),
        );
        let cuts = counted(exact.len(), "cut");
        verdicts.settle(
            &check::BOUNDS,
            self.bounds(&comparison, exact).of_whole_lists(read()),
            format!("{cuts} at the very time of a run"),
        );
        verdicts.settle(
            &check::PAGES,
            compared(self.pages(&comparison)),
            basis(self.sizes()),
        );
        let parts = self.made.iter().filter(|made| made.role == Role::Part);
        verdicts.settle(
            &check::NEIGHBOURS,
            self.neighbours(&comparison, exact).of_whole_lists(read()),
            basis(format!("in {}", counted(parts.count(), "part"))),
        );
        verdicts.settle(
            &check::AGAIN,
            compared(self.again(&comparison, &renamed, &once)),
            basis(format!("{} times", self.made.len())),
        );
    }

    /// Whether a run that one reading lost was not in the first reading of the same either.
    fn is_confirmed(&self, comparison: &Comparison) -> bool {
        let same = |one: usize, other: usize| {
            let (one, other) = (&self.made[one], &self.made[other]);
            (one.span, one.size) == (other.span, other.size)
        };
        comparison.lost.iter().any(|lost| {
            let mut late = comparison.late.iter();
            late.any(|late| late.label == lost.label && same(late.reading, lost.reading))
        })
    }

    /// No run outside its window. One at the very end of it is judged with the bounds.
    fn window(&self) -> Outcome {
        let mut lines = Vec::new();
        for made in &self.made {
            for (label, at) in placed(&made.reading) {
                if !made.span.contains(at) && at != made.span.end {
                    lines.push(format!("{label}, {at}, is among {}", made.reading.what));
                }
            }
        }
        if lines.is_empty() {
            return Outcome::Supported;
        }
        Outcome::wrong(
            "runs whose `event_time` is in the window only",
            format!("{} outside", counted(lines.len(), "run")),
        )
        .with_evidence(lines.into_iter().take(SHOWN))
        .with_hint("filter by the `window_start` and `window_end` that are given, whatever the time is now")
    }

    /// Half-open bounds: windows were cut at the very times of runs.
    fn bounds(&self, comparison: &Comparison, exact: &BTreeSet<Timestamp>) -> Outcome {
        let mut closed = Vec::new();
        for made in &self.made {
            for (label, at) in placed(&made.reading) {
                if at == made.span.end {
                    closed.push(format!("{label}, {at}, is among {}", made.reading.what));
                }
            }
        }
        if !closed.is_empty() {
            return Outcome::wrong(
                "no run whose `event_time` is the end of the window",
                format!("{} at the end", counted(closed.len(), "run")),
            )
            .with_evidence(closed.into_iter().take(SHOWN))
            .with_hint("compare with `<` at the end of the window, not with `<=`");
        }
        let open: Vec<String> = comparison
            .lost
            .iter()
            .filter(|one| self.is_at_start(one))
            .map(|one| self.told(one))
            .collect();
        if !open.is_empty() {
            return Outcome::wrong(
                "the runs whose `event_time` is the start of the window",
                format!("{} missing at the start", counted(open.len(), "run")),
            )
            .with_evidence(open.into_iter().take(SHOWN))
            .with_hint("compare with `>=` at the start of the window, not with `>`");
        }
        if exact.is_empty() {
            return Outcome::nothing_to_see("there was no run at whose time a window could be cut");
        }
        Outcome::Supported
    }

    /// Whether a run was lost at the start of a part that was cut at the run's time.
    fn is_at_start(&self, oddity: &Oddity) -> bool {
        self.made[oddity.reading].role == Role::Part && self.is_first(oddity)
    }

    fn is_first(&self, oddity: &Oddity) -> bool {
        oddity.at == Some(self.made[oddity.reading].span.start)
    }

    /// The same runs at every page size, each once.
    fn pages(&self, comparison: &Comparison) -> Outcome {
        let stuck = self.made.iter().find(|made| made.reading.is_stuck);
        let repeating: Vec<&Made> = self
            .made
            .iter()
            .filter(|made| !made.reading.repeated.is_empty())
            .collect();
        if stuck.is_some() || repeating.len() > 1 {
            let twice: BTreeSet<(&str, &str)> = repeating
                .iter()
                .flat_map(|made| {
                    let what = made.reading.what.as_str();
                    made.reading
                        .repeated
                        .iter()
                        .map(move |label| (label.as_str(), what))
                })
                .collect();
            let got = match stuck {
                Some(made) => format!("pages that bring nothing new: {}", made.reading.what),
                None => format!(
                    "{} in {}",
                    counted(twice.len(), "repetition"),
                    counted(repeating.len(), "reading")
                ),
            };
            return Outcome::wrong("each run once", got)
                .with_evidence(
                    twice
                        .into_iter()
                        .take(SHOWN)
                        .map(|(label, what)| format!("{label} came more than once among {what}")),
                )
                .with_hint(
                    "give the events after the first `offset` ones, in an order that does not change between pages",
                );
        }
        let lost = self.lost(comparison, &check::PAGES);
        if !lost.is_empty() {
            return Outcome::wrong(
                "the same runs at every page size",
                format!("{} lost at some of them", counted(lost.len(), "run")),
            )
            .with_evidence(lost.into_iter().take(SHOWN))
            .with_hint("a page shorter than asked for is not the last; every failed request must be an error or be tried again");
        }
        if !self.past_ends.is_empty() {
            let got = format!(
                "{} where it does not look",
                counted(self.past_ends.len(), "run")
            );
            return Outcome::wrong("every page of the list", got)
                .with_evidence(self.past_ends.iter().take(SHOWN).cloned())
                .with_hint(
                    "compare `first`, `next` and `last` in `pages` with an answer of the vendor's",
                );
        }
        match repeating[..] {
            [made] => Outcome::Unknown(Doubt::Changed(format!(
                "{} came more than once among {}, and once when it was read again",
                counted(made.reading.repeated.len(), "run"),
                made.reading.what
            ))),
            _ => Outcome::Supported,
        }
    }

    /// No run lost between neighbouring windows.
    fn neighbours(&self, comparison: &Comparison, exact: &BTreeSet<Timestamp>) -> Outcome {
        let lost = self.lost(comparison, &check::NEIGHBOURS);
        if lost.is_empty() {
            let parts = self.made.iter().any(|made| made.role == Role::Part);
            return if parts || !exact.is_empty() {
                Outcome::Supported
            } else {
                Outcome::nothing_to_see("there were too few runs to cut a window between them")
            };
        }
        Outcome::wrong(
            "every run of a window in one of its parts",
            format!("{} lost", counted(lost.len(), "run")),
        )
        .with_evidence(lost.into_iter().take(SHOWN))
        .with_hint("filter by the time that is given as `event_time`, and by no other")
    }

    /// The same once more: no run lost, none that reads otherwise, none under another id.
    fn again(
        &self,
        comparison: &Comparison,
        renamed: &BTreeMap<String, String>,
        once: &[Oddity],
    ) -> Outcome {
        if let Some((old, new)) = renamed.first_key_value() {
            return Outcome::wrong(
                "the same ids in every reading",
                format!("{} under other ids", counted(renamed.len(), "run")),
            )
            .with_evidence([format!("{old} became {new}, of the same job and time")])
            .with_hint("take as `run_source_id` what the vendor never changes");
        }
        if !comparison.mixed.is_empty() {
            let labels: BTreeSet<&String> = comparison.mixed.iter().map(|one| &one.label).collect();
            return Outcome::wrong(
                "runs that say the same in every reading",
                format!("{} that say something else", counted(labels.len(), "run")),
            )
            .with_evidence(comparison.mixed.iter().take(SHOWN).map(|one| {
                format!(
                    "{} is not as before and after among {}",
                    one.label, self.made[one.reading].reading.what
                )
            }))
            .with_hint("join tasks, attempts and errors to runs by their ids, not by their place in a list");
        }
        let lost = self.lost(comparison, &check::AGAIN);
        if !lost.is_empty() {
            return Outcome::wrong(
                "the same runs again",
                format!("{} lost", counted(lost.len(), "run")),
            )
            .with_evidence(lost.into_iter().take(SHOWN));
        }
        if !self.forgotten.is_empty() {
            return Outcome::wrong("the same runs again", "runs that came once only")
                .with_evidence(self.forgotten.iter().cloned())
                .with_hint("keep nothing between two readings: each gives all runs of its window");
        }
        if let Some(first) = once.first() {
            return Outcome::Unknown(Doubt::Changed(format!(
                "one reading differs, and did not when it was made again: {}",
                self.told(first)
            )));
        }
        let labels: BTreeSet<&String> = comparison
            .late
            .iter()
            .chain(&comparison.gone)
            .map(|one| &one.label)
            .collect();
        if labels.is_empty() {
            return Outcome::Supported;
        }
        Outcome::Unknown(Doubt::Changed(format!(
            "{} came into a closed window or went from it while the suite was reading, such as {}",
            counted(labels.len(), "run"),
            labels.first().map_or("", |label| label.as_str())
        )))
    }

    /// The page sizes that were read at, in words.
    fn sizes(&self) -> String {
        let sizes: BTreeSet<NonZeroUsize> = self
            .made
            .iter()
            .filter(|made| made.role == Role::Pages)
            .map(|made| made.size)
            .collect();
        let sizes: Vec<String> = sizes.iter().rev().map(ToString::to_string).collect();
        format!("at {} to a page", sizes.join(", "))
    }

    /// What was lost by readings made for a check, told; what is missing at a bound is the bounds' affair.
    fn lost(&self, comparison: &Comparison, check: &Check) -> Vec<String> {
        let is_open = comparison.lost.iter().any(|one| self.is_at_start(one));
        comparison
            .lost
            .iter()
            .filter(|one| self.made[one.reading].role.judged() == check)
            .filter(|one| !(is_open && self.is_first(one)))
            .map(|one| self.told(one))
            .collect()
    }

    fn told(&self, oddity: &Oddity) -> String {
        let at = oddity.at.map(|at| format!(", {at},")).unwrap_or_default();
        format!(
            "{}{at} is not among {}, and was there before and after",
            oddity.label, self.made[oddity.reading].reading.what
        )
    }
}

/// Answers checks, each blamed only when no other stands in its way.
struct Verdicts<'a, 's> {
    suite: &'a mut Suite<'s>,
    failed: &'a BTreeMap<&'static str, SourceError>,
}

impl Verdicts<'_, '_> {
    fn settle(&mut self, check: &'static Check, outcome: Outcome, basis: String) {
        let wrong = |other: &&'static Check| self.suite.verdict(other) == Some(Verdict::Wrong);
        let outcome = match outcome {
            Outcome::Supported => match self.failed.get(check.id) {
                Some(error) => failure(error),
                None => Outcome::Supported,
            },
            Outcome::Wrong(fault) => {
                // A connector that reads other windows, or stays on its first page, loses runs everywhere.
                let causes: &[&'static Check] = match check.id {
                    id if id == check::PAGES.id => &[&check::WINDOW],
                    id if id == check::NEIGHBOURS.id || id == check::AGAIN.id => {
                        &[&check::WINDOW, &check::PAGES]
                    }
                    _ => &[],
                };
                match causes.iter().copied().find(wrong) {
                    Some(by) => Outcome::Blocked { by },
                    None => Outcome::Wrong(fault),
                }
            }
            other => other,
        };
        self.suite.settle(check, outcome, basis);
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

/// The runs of a reading that have a time.
fn placed(reading: &Reading<RunEvent>) -> impl Iterator<Item = (String, Timestamp)> {
    reading
        .events
        .iter()
        .filter_map(|run| Some((run_label(run)?, run.event_time()?)))
}
