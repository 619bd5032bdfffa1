//! Texts of errors, against what the vendor says went wrong.

use std::collections::BTreeSet;

use bowline_contract::pipeline::RunEvent;
use bowline_words::counted;

use super::Judged;
use super::given::{Given, moments, shortened, speaks_of};
use super::owners::{Column, Owners, Place};
use crate::pipeline::outcome::Outcome;
use crate::pipeline::times::SHOWN;

/// Texts of errors are at least so long.
const TELLING: usize = 8;
/// Words of names for what went wrong.
const ERRORS: &str = "err fail messag reason exception detail explan cause stack";
/// A run that failed, and what it says of it.
struct Failed<'e> {
    run: usize,
    label: &'e str,
    text: String,
}

/// Judges the errors of runs.
pub(super) fn of_runs(runs: &[Judged<'_, RunEvent>], owners: &Owners<'_>) -> Option<Outcome> {
    let failed: Vec<Failed<'_>> = runs
        .iter()
        .filter_map(|(run, event, label)| {
            let text = event.error()?.message()?.trim().to_owned();
            Some(Failed {
                run: *run,
                label,
                text,
            })
        })
        .collect();
    let well = runs
        .iter()
        .filter(|(_, run, _)| run.has_ended() && run.error().is_none());
    let well: Vec<usize> = well.map(|(number, ..)| *number).collect();
    of_all(&failed, &well, owners)
}

/// One error text for all that went wrong, where the vendor says of each what went wrong: a text that is there for runs
/// that failed and for no other.
fn of_all(failed: &[Failed<'_>], well: &[usize], owners: &Owners<'_>) -> Option<Outcome> {
    let texts: BTreeSet<&String> = failed.iter().map(|one| &one.text).collect();
    let is_told = |one: &Failed<'_>| {
        let text = Given::Text(one.text.clone());
        owners.everything(one.run).any(|said| text.may_be(said))
    };
    if failed.len() < 2 || texts.len() != 1 || well.is_empty() || failed.iter().any(is_told) {
        return None;
    }
    let is_text =
        |said: &&&str| said.len() >= TELLING && said.contains(' ') && moments(said).is_empty();
    let tells = |((_, place), column): &(Place<'_>, &Column<'_>)| {
        if !speaks_of(place, ERRORS) {
            return false;
        }
        let of_failed = failed
            .iter()
            .map(|one| column[one.run].iter().find(is_text));
        let of_failed: Option<BTreeSet<&&str>> = of_failed.collect();
        of_failed.is_some_and(|texts| texts.len() > 1)
            && well.iter().all(|run| column[*run].is_empty())
    };
    let ((_, place), column) = owners.columns().find(tells)?;
    let lines = failed.iter().map(|one| {
        let said = column[one.run].iter().find(is_text).copied();
        let said = shortened(said.unwrap_or_default());
        format!(
            "{}: `{}`, and the vendor's `{place}` is `{said}`",
            one.label, one.text
        )
    });
    let expected = format!("what went wrong in each run, as the vendor's `{place}` says");
    let got = format!("one text for {}", counted(failed.len(), "run"));
    Some(Outcome::wrong(expected, got).with_evidence(lines.take(SHOWN)))
}
