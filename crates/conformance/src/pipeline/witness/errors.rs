//! Texts of errors, against what the vendor says went wrong.

use std::collections::BTreeSet;

use bowline_contract::pipeline::RunEvent;
use bowline_words::counted;

use super::given::{any_speaks_of, moments, shortened};
use super::owners::{Column, Owners, Place};
use super::{Judged, SEVERAL, is_nearly_all};
use crate::pipeline::outcome::Outcome;
use crate::pipeline::times::SHOWN;
use crate::pipeline::words::{Fate, fate};

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

/// Judges the errors of runs by a text that the vendor has for those that failed and for no other: whether they are cut.
pub(super) fn of_runs(runs: &[Judged<'_, RunEvent>], owners: &Owners<'_>) -> Option<Outcome> {
    let failed = runs.iter().filter_map(|(run, event, label)| {
        let (run, text) = (*run, event.error()?.message()?.trim().to_owned());
        Some(Failed { run, label, text })
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
    let (got, those) = cut(&failed, owners)?;
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
