//! Texts of errors, against what the vendor says went wrong.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use bowline_contract::pipeline::RunEvent;
use bowline_words::counted;

use super::given::{Given, any_speaks_of, moments, shortened};
use super::owners::{Column, Owners, Place};
use super::{Judged, SEVERAL, is_nearly_all};
use crate::pipeline::outcome::Outcome;
use crate::pipeline::times::SHOWN;

/// Texts of errors are at least so long.
const TELLING: usize = 8;
/// Nobody means to cut a text to fewer letters than these.
const SHORT: usize = 100;
/// Words of names for what went wrong.
const ERRORS: &str = "err fail messag reason exception detail explan cause stack problem fault";

/// A run that failed, and what it says of it.
struct Failed<'e> {
    run: usize,
    label: &'e str,
    text: String,
}

/// Judges the errors of runs by a text that the vendor has for those that failed and for no other: one text for all that
/// is none of the vendor's, but for names and numbers, codes in place of texts, and texts that are cut.
pub(super) fn of_runs(runs: &[Judged<'_, RunEvent>], owners: &Owners<'_>) -> Option<Outcome> {
    let failed = runs.iter().filter_map(|(run, event, label)| {
        let text = event.error()?.message()?.trim().to_owned();
        let (run, label) = (*run, *label);
        Some(Failed { run, label, text })
    });
    let failed: Vec<Failed<'_>> = failed.collect();
    let well = runs
        .iter()
        .filter(|(_, run, _)| run.has_ended() && run.error().is_none());
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
    let (got, those) = one_text(&failed, column, owners).or_else(|| cut(&failed, owners))?;
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

/// One text for all, or codes, where nothing that the vendor says in a sentence is in any of them.
fn one_text<'f, 'e>(
    failed: &'f [Failed<'e>],
    column: &Column<'_>,
    owners: &Owners<'_>,
) -> Option<(String, Vec<&'f Failed<'e>>)> {
    let is_told = |one: &Failed<'_>| {
        let text = Given::Text(one.text.clone());
        let mut said = owners.everything(one.run).filter(|said| is_sentence(said));
        said.any(|said| text.may_be(said))
    };
    let are_codes = !failed.iter().any(|one| one.text.contains(' '));
    // A code says more than a sentence that is the same but for names and numbers.
    let texts = failed.iter().filter_map(|one| {
        if !are_codes {
            return Some(bare(&one.text, one.run, owners, &|_| true));
        }
        let said = sentence(column, one.run)?;
        Some(bare(said, one.run, owners, &|said| !is_sentence(said)))
    });
    let is_one = texts.collect::<BTreeSet<String>>().len() == 1;
    let is_so = if are_codes {
        failed.len() >= SEVERAL && !is_one
    } else {
        is_one
    };
    if !is_so || failed.iter().any(is_told) {
        return None;
    }
    let what = if are_codes { "codes" } else { "one text" };
    let got = format!("{what} for {}", counted(failed.len(), "run"));
    Some((got, failed.iter().collect()))
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
        said.any(|said| said.strip_prefix(&one.text).is_some_and(ends_within))
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

/// A text without numbers, and without what else the vendor says of the run, as far as it counts.
fn bare(text: &str, run: usize, owners: &Owners<'_>, counts: &dyn Fn(&str) -> bool) -> String {
    let said = owners.everything(run);
    let mut said: Vec<&str> = said.filter(|said| said.len() > 2 && counts(said)).collect();
    said.sort_unstable_by_key(|said| Reverse(said.len()));
    let mut bare = said
        .into_iter()
        .fold(text.to_owned(), |text, said| text.replace(said, ""));
    bare.retain(|letter| !letter.is_ascii_digit());
    bare
}
