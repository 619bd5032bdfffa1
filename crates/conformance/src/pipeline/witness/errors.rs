//! Texts of errors, against what the vendor says went wrong.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use bowline_contract::pipeline::RunEvent;
use bowline_words::counted;
use serde_json::Value as Json;

use super::given::{Given, any_speaks_of, moments, shortened};
use super::owners::{Column, Owners, Place};
use super::records::{Kind, Record, Records};
use super::{Judged, SEVERAL, is_nearly_all};
use crate::pipeline::outcome::Outcome;
use crate::pipeline::prints::leave_out;
use crate::pipeline::times::SHOWN;
use crate::pipeline::words::{Fate, fate};

/// Texts of errors are at least so long.
const TELLING: usize = 8;
/// Nobody means to cut a text to fewer letters than these.
const SHORT: usize = 100;
/// Words of names for jobs.
const JOBS: &str = "job pipeline workflow flow dag";
/// Words of names for what went wrong.
const ERRORS: &str = "err fail messag reason exception detail explan cause stack problem fault";

/// A run that failed, and what it says of it.
struct Failed<'e> {
    run: usize,
    label: &'e str,
    text: String,
    /// What else its error says.
    rest: Json,
    /// The ids of the run and of its job.
    ids: [&'e str; 2],
}

/// Judges the errors of runs by a text that the vendor has for those that failed and for no other: one text for all that
/// is none of the vendor's, and texts that are cut.
pub(super) fn of_runs(
    runs: &[Judged<'_, RunEvent>],
    owners: &Owners<'_>,
    records: &Records,
) -> Option<Outcome> {
    let failed = runs.iter().filter_map(|(run, event, label)| {
        let text = event.error()?.message()?.trim().to_owned();
        let mut rest = event.json()["error"].clone();
        leave_out(&mut rest, &["message"]);
        Some(Failed {
            run: *run,
            label,
            text,
            rest,
            ids: [event.run_source_id()?, event.job_source_id()?],
        })
    });
    let failed: Vec<Failed<'_>> = failed.collect();
    let went_well = |run: &RunEvent| run.status().and_then(fate) == Some(Fate::Well);
    let well = runs.iter().filter(|(_, run, _)| went_well(run));
    let well: Vec<usize> = well.map(|(number, ..)| *number).collect();
    if failed.len() < 2 || well.is_empty() {
        return None;
    }
    let tells = |((_, place), column): &(Place<'_>, &Column<'_>)| {
        let texts = failed.iter().filter_map(|one| sentence(column, one.run));
        let different: BTreeSet<&str> = texts.clone().collect();
        any_speaks_of(place, ERRORS)
            && is_nearly_all(texts.count(), failed.len())
            && different.len() > 1
            && well.iter().all(|run| column[*run].is_empty())
    };
    let ((_, place), column) = owners.columns().find(tells)?;
    let (got, those) =
        one_text(&failed, &well, owners, records).or_else(|| cut(&failed, owners))?;
    let lines = those.into_iter().filter_map(|one| {
        let said = shortened(sentence(column, one.run)?);
        Some(format!(
            "{}: `{}`, and the vendor's `{place}` is `{said}`",
            one.label, one.text
        ))
    });
    let expected = format!("what went wrong in each run, as the vendor's `{place}` says");
    Some(Outcome::wrong(expected, got).with_evidence(lines.take(SHOWN)))
}

/// One text for all, but for the names of their jobs and runs, that no record holds, nor a sentence that is in it.
fn one_text<'f, 'e>(
    failed: &'f [Failed<'e>],
    well: &[usize],
    owners: &Owners<'_>,
    records: &Records,
) -> Option<(String, Vec<&'f Failed<'e>>)> {
    let first = failed.first()?;
    let is_same = |one: &Failed<'_>| {
        one.rest == first.rest
            && (one.text == first.text || bare(one, owners) == bare(first, owners))
    };
    if !failed.iter().all(is_same) {
        return None;
    }
    // What runs that went well say, too, such as a title of two words, is no error where it is short.
    let common: BTreeSet<&str> = well
        .iter()
        .flat_map(|run| owners.everything(*run))
        .collect();
    let all = records.kinds.iter().flat_map(Kind::records);
    let said: BTreeSet<&str> = all
        .flat_map(Record::everything)
        .map(String::as_str)
        .filter(|said| is_sentence(said) && (said.len() >= SHORT || !common.contains(said)))
        .collect();
    let texts: BTreeSet<&str> = failed.iter().map(|one| one.text.as_str()).collect();
    let is_told = |text: &&str| {
        let text = Given::Text((*text).to_owned());
        said.iter().any(|said| text.may_be(said))
    };
    let is_told = texts.iter().any(is_told) || is_said(&texts, records);
    (!is_told).then(|| {
        let got = format!("one text for {}", counted(failed.len(), "run"));
        (got, failed.iter().collect())
    })
}

/// Whether any record says one of these texts and nothing else.
fn is_said(texts: &BTreeSet<&str>, records: &Records) -> bool {
    let mut all = records.kinds.iter().flat_map(Kind::records);
    all.any(|record| {
        record
            .everything()
            .any(|said| texts.contains(said.as_str()))
    })
}

/// Texts that end within a word of the vendor's, all after as many letters.
fn cut<'f, 'e>(
    failed: &'f [Failed<'e>],
    owners: &Owners<'_>,
) -> Option<(String, Vec<&'f Failed<'e>>)> {
    let is_cut = |one: &&Failed<'_>| {
        let ends_within = |rest: &str| {
            let mut around = one.text.chars().next_back().into_iter().chain(rest.chars());
            let both = [around.next(), around.next()];
            both.into_iter()
                .all(|letter| letter.is_some_and(char::is_alphanumeric))
        };
        let mut said = owners.everything(one.run);
        // The vendor may cut it itself, and say it whole elsewhere.
        said.clone().all(|said| said != one.text)
            && said.any(|said| said.strip_prefix(&one.text).is_some_and(ends_within))
    };
    let longest = failed.iter().map(|one| one.text.chars().count()).max()?;
    let those: Vec<&Failed<'_>> = failed.iter().filter(is_cut).collect();
    let is_one_length = those.iter().all(|one| one.text.chars().count() == longest);
    (those.len() >= SEVERAL && is_one_length && longest < SHORT).then(|| {
        let count = counted(those.len(), "text");
        (format!("{count} cut to {longest} letters"), those)
    })
}

fn is_sentence(said: &str) -> bool {
    said.len() >= TELLING && said.contains(' ') && moments(said).is_empty()
}

fn sentence<'r>(column: &Column<'r>, run: usize) -> Option<&'r str> {
    column[run].iter().copied().find(|said| is_sentence(said))
}

/// The words of a text without what its run and its job are called.
fn bare(one: &Failed<'_>, owners: &Owners<'_>) -> String {
    let own = owners.own(one.run);
    let names = own.filter(|(place, _)| any_speaks_of(place, JOBS));
    let names = names.map(|(_, said)| said).chain(one.ids);
    let mut names: Vec<&str> = names.filter(|said| said.len() > 2).collect();
    names.sort_unstable_by_key(|said| Reverse(said.len()));
    let text = names
        .into_iter()
        .fold(one.text.clone(), |text, said| text.replace(said, ""));
    // Ids that are as short stand in other words and numbers, too.
    let words = text.split(|letter: char| !letter.is_alphanumeric());
    let others = words.filter(|word| !one.ids.contains(word));
    others.collect::<Vec<_>>().join(" ")
}
