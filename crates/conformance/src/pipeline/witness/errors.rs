//! Texts of errors, against what the vendor says went wrong.

use std::collections::BTreeSet;

use bowline_contract::pipeline::RunEvent;
use bowline_words::counted;

use super::given::{Given, moments, shortened, speaks_of};
use super::owners::{Column, Owners, Place};
use super::records::{Record, Records};
use super::{Judged, SEVERAL};
use crate::pipeline::outcome::Outcome;
use crate::pipeline::times::SHOWN;

/// Texts of errors are at least so long.
const TELLING: usize = 8;
/// Texts of so many letters are nobody's by accident.
const CERTAIN: usize = 16;
/// Words of names for what went wrong.
const ERRORS: &str = "err fail messag reason exception detail explan cause stack";
/// Words of names for how grave a line of a log is, and what stands there for lines that are no errors, and for errors.
const LEVELS: &str = "level sever prio";
const HARMLESS: &str = "info information notice debug trace normal";
const GRAVE: &str = "error err fatal critical severe";
/// Parts of words by which a line of any level may say what went wrong.
const TROUBLE: [&str; 20] = [
    "error",
    "exception",
    "fail",
    "denied",
    "refused",
    "rejected",
    "kill",
    "timed out",
    "timeout",
    "exit",
    "abort",
    "crash",
    "cannot",
    "unable",
    "not ",
    "n't",
    "invalid",
    "missing",
    "exceed",
    "out of",
];

/// A run that failed, and what it says of it.
struct Failed<'e> {
    run: usize,
    label: &'e str,
    text: String,
}

/// Judges the errors of runs.
pub(super) fn of_runs(
    runs: &[Judged<'_, RunEvent>],
    owners: &Owners<'_>,
    records: &Records,
) -> Vec<Outcome> {
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
    let faults = [of_all(&failed, &well, owners), harmless(&failed, records)];
    faults.into_iter().flatten().collect()
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

/// Lines of logs that are no errors and do not sound like one, where the same log has one that is.
fn harmless(failed: &[Failed<'_>], records: &Records) -> Option<Outcome> {
    if failed.len() < SEVERAL {
        return None;
    }
    let level = |record: &Record, words: &str| {
        record.fields.iter().any(|(place, said)| {
            let is_word =
                |value: &String| words.split(' ').any(|word| word == value.to_lowercase());
            speaks_of(place, LEVELS) && said.iter().any(is_word)
        })
    };
    let texts = |record: &'_ Record| -> Vec<String> {
        let texts = record.fields.values().flatten();
        texts
            .filter(|text| text.len() >= CERTAIN)
            .cloned()
            .collect()
    };
    let (mut lines, mut errors) = (BTreeSet::new(), BTreeSet::new());
    for list in records.kinds.iter().flat_map(|kind| &kind.lists) {
        let (grave, others): (Vec<&Record>, Vec<&Record>) =
            list.iter().partition(|record| level(record, GRAVE));
        if !grave.is_empty() {
            errors.extend(grave.into_iter().flat_map(texts));
            let others = others.into_iter().filter(|record| level(record, HARMLESS));
            lines.extend(others.flat_map(texts));
        }
    }
    let is_harmless = |one: &&Failed<'_>| {
        let text = one.text.to_lowercase();
        let is_trouble = TROUBLE.iter().any(|part| text.contains(part));
        !is_trouble && lines.contains(&one.text) && !errors.contains(&one.text)
    };
    let found: Vec<&Failed<'_>> = failed.iter().filter(is_harmless).collect();
    (found.len() >= SEVERAL && found.len() * 2 >= failed.len()).then(|| {
        let told = found
            .iter()
            .map(|one| format!("{}: `{}`", one.label, shortened(&one.text)));
        let got = format!("lines of other levels for {}", counted(found.len(), "run"));
        Outcome::wrong("errors from the lines of a log that are errors", got)
            .with_evidence(told.take(SHOWN))
    })
}
