//! Texts of errors, against what the vendor says went wrong.

use std::collections::{BTreeSet, HashMap};

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
/// So many errors show whose they are.
const MOST: usize = 50;
/// Words of names for what went wrong.
const ERRORS: &str = "err fail messag reason exception detail explan cause stack";
/// Words of names for how grave a line of a log is, and what stands there for lines that are no errors, and for errors.
const LEVELS: &str = "level sever prio";
const HARMLESS: &str = "info information notice debug trace normal warn warning";
const GRAVE: &str = "error err fatal critical severe";

/// A run that failed, and what it says of it.
struct Failed<'e> {
    run: usize,
    event: &'e RunEvent,
    label: &'e str,
    text: String,
}

/// Judges the errors of runs.
pub(super) fn of_runs(
    runs: &[Judged<'_, RunEvent>],
    owners: &Owners<'_>,
    records: &Records,
    ids: &BTreeSet<String>,
) -> Vec<Outcome> {
    let failed: Vec<Failed<'_>> = runs
        .iter()
        .filter_map(|(run, event, label)| {
            let text = event.error()?.message()?.trim().to_owned();
            Some(Failed {
                run: *run,
                event,
                label,
                text,
            })
        })
        .collect();
    let well = runs
        .iter()
        .filter(|(_, run, _)| run.has_ended() && run.error().is_none());
    let well: Vec<usize> = well.map(|(number, ..)| *number).collect();
    let faults = [
        of_all(&failed, &well, owners),
        harmless(&failed, records),
        of_others(&failed, owners, records, ids),
    ];
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

/// Lines of logs that are no errors, where the same log has one that is.
fn harmless(failed: &[Failed<'_>], records: &Records) -> Option<Outcome> {
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
    let is_harmless = |one: &&Failed<'_>| lines.contains(&one.text) && !errors.contains(&one.text);
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

/// Errors that only records say which name other runs, and not the one that has it. What a run started, or what started
/// it, may have told it.
fn of_others(
    failed: &[Failed<'_>],
    owners: &Owners<'_>,
    records: &Records,
    ids: &BTreeSet<String>,
) -> Option<Outcome> {
    let mut by_text: HashMap<&str, Vec<&Record>> = HashMap::new();
    for record in records.kinds.iter().flat_map(|kind| kind.records()) {
        let texts = record.fields.values().flatten();
        for text in texts.filter(|text| text.len() >= CERTAIN && text.contains(' ')) {
            by_text.entry(text).or_default().push(record);
        }
    }
    let foreign = |one: &Failed<'_>| -> Option<String> {
        let (own, text) = (one.event.run_source_id()?, Given::Text(one.text.clone()));
        let everything: BTreeSet<&str> = owners.everything(one.run).collect();
        if one.text.len() < CERTAIN || everything.iter().any(|said| text.may_be(said)) {
            return None;
        }
        let fields = ["triggered_by_run_source_id", "parent_attempt_run_source_id"];
        let mut kin: BTreeSet<&str> = one
            .event
            .task_runs()
            .filter_map(RunEvent::run_source_id)
            .collect();
        kin.extend(
            fields
                .iter()
                .filter_map(|field| one.event.json()[*field].as_str()),
        );
        let mut other = None;
        let says = by_text.iter().filter(|(said, _)| text.may_be(said));
        for record in says.flat_map(|(_, records)| records) {
            let of = record.named(ids).next()?;
            if record.names(own) || everything.contains(of.as_str()) || kin.contains(of.as_str()) {
                return None;
            }
            other = Some(of);
        }
        let (text, other) = (shortened(&one.text), other?);
        Some(format!(
            "{} says `{text}`, as the vendor does of run `{other}` only",
            one.label
        ))
    };
    let lines: Vec<String> = failed.iter().take(MOST).filter_map(foreign).collect();
    (lines.len() >= SEVERAL && lines.len() * 2 >= failed.len().min(MOST)).then(|| {
        let got = format!("that of another for {}", counted(lines.len(), "run"));
        Outcome::wrong("the error that the vendor's record of the run says", got)
            .with_evidence(lines.into_iter().take(SHOWN))
            .with_hint("join records by their ids, and read their list to its end")
    })
}
