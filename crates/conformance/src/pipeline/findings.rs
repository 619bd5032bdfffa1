//! What comparing the readings of the proofs shows.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;

use bowline_contract::pipeline::{RunEvent, Window};
use bowline_pipeline::SourceError;
use bowline_words::counted;
use jiff::Timestamp;

use super::Check;
use super::check;
use super::ledger::{Comparison, Oddity, compare, take_renamed};
use super::outcome::{Doubt, Outcome, failure};
use super::page_sizes::too_long;
use super::proofs::{Made, Proofs, Role};
use super::reading::{Reading, run_label};
use super::runner::Suite;
use super::times::SHOWN;
use crate::Verdict;

impl Proofs {
    pub(super) fn judge(&self, suite: &mut Suite<'_>, proof: Window, exact: &BTreeSet<Timestamp>) {
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

/// The runs of a reading that have a time.
fn placed(reading: &Reading<RunEvent>) -> impl Iterator<Item = (String, Timestamp)> {
    reading
        .events
        .iter()
        .filter_map(|run| Some((run_label(run)?, run.event_time()?)))
}
