//! How runs and task runs fared, against what the vendor's own fields say of it.

use std::collections::BTreeSet;

use bowline_contract::pipeline::RunEvent;
use bowline_words::counted;

use super::given::{Given, any_speaks_of, words};
use super::owners::{Column, Owners, Place, differ};
use super::{Judged, SEVERAL};
use crate::pipeline::outcome::Outcome;
use crate::pipeline::times::SHOWN;
use crate::pipeline::words::{Fate, fate, plain, says_begun};

/// What a field says of how something ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    /// In words.
    Words,
    /// That it went well.
    Success,
    /// By the code that a program gave.
    Code,
}

/// The words of names of such fields.
const NAMES: [(Says, &str); 3] = [
    (
        Says::Words,
        "status state result outcome conclusion phase verdict current",
    ),
    (Says::Success, "success succeeded successful passed"),
    (Says::Code, "exit rc return returncode exitcode"),
];
/// What may stand beside them. Any other word may make it something else's, as of `passed_sla` and `quality.status`.
const BESIDE: &str = "run job task step execution final end overall type name code humanized text is was has life cycle \
                      attributes data info summary details";

/// Words of names for what may excuse a failure.
const EXCUSES: &str = "allow ignor option soft contin retr attempt recover";

impl Says {
    fn of(place: &str) -> Option<Self> {
        let names: BTreeSet<String> = place.split('.').flat_map(words).collect();
        let is_in = |all: &str, word: &str| all.split_whitespace().any(|one| one == word);
        let (says, of_it) = NAMES
            .into_iter()
            .find(|(_, all)| names.iter().any(|word| is_in(all, word)))?;
        names
            .iter()
            .all(|word| is_in(of_it, word) || is_in(BESIDE, word))
            .then_some(says)
    }

    /// Whether it went well by a value, as far as nobody can take one for the other.
    fn went_well(self, value: &str) -> Option<bool> {
        match self {
            Self::Words => went_well(value),
            Self::Success => value.parse().ok(),
            Self::Code => value.parse().ok().map(|code: i64| code == 0),
        }
    }
}

/// The same by a word.
fn went_well(value: &str) -> Option<bool> {
    if value.contains(' ') && value.len() > 16 {
        return None;
    }
    let letters = value.chars().filter(|letter| letter.is_alphabetic());
    let word: String = letters.flat_map(char::to_lowercase).collect();
    let has = |parts: &[&str]| parts.iter().any(|part| word.contains(part));
    let is_ill = has(&[
        "fail", "error", "crash", "abend", "notok", "unsucc", "cancel", "abort", "kill",
    ]);
    let parts = words(value);
    let is_well = has(&["succe", "passed"]) && !has(&["unsucc"])
        || (parts.contains("ok") || parts.contains("pass")) && !is_ill;
    let is_mixed = has(&[
        "partial",
        "warn",
        "upstream",
        "completedwith",
        "finishedwith",
        "successwith",
    ]) || ["0", "no", "zero", "without"]
        .iter()
        .any(|none| parts.contains(*none));
    (is_ill != is_well && !is_mixed).then_some(is_well)
}

/// Events that say they went well where every field of the vendor's record that tells one from the other says they did not,
/// or the other way round. A field that tells these from the ones that say the same as the vendor shows that it is meant.
pub(super) fn turned(
    events: &[Judged<'_, RunEvent>],
    owners: &Owners<'_>,
    noun: &str,
) -> Option<Outcome> {
    // The last word of several attempts is not that of each.
    let shared = owners.shared();
    let given: Vec<(usize, &str, bool)> = events
        .iter()
        .filter(|(number, ..)| !shared.contains(number))
        .filter_map(|(number, event, label)| {
            let fate = event
                .status()
                .and_then(fate)
                .filter(|fate| *fate != Fate::Open)?;
            Some((*number, *label, fate == Fate::Well))
        })
        .collect();
    let fates = |says: Says, column: &Column<'_>, event: usize| -> Vec<bool> {
        let said = column[event]
            .iter()
            .filter_map(|value| says.went_well(value));
        said.collect()
    };
    let tells = |says: Says, column: &Column<'_>| {
        let all = given
            .iter()
            .flat_map(|(event, ..)| fates(says, column, *event));
        let (well, ill): (Vec<bool>, Vec<bool>) = all.partition(|is_well| *is_well);
        let alike = given
            .iter()
            .filter(|(event, _, fate)| fates(says, column, *event).contains(fate));
        let is_like_most = alike.count() * 2 > well.len() + ill.len();
        !well.is_empty() && !ill.is_empty() && is_like_most
    };
    let whole = owners
        .columns()
        .filter(|((kind, _), _)| owners.is_whole(*kind));
    let saying = whole.filter_map(|(place, column)| Some((place, Says::of(place.1)?, column)));
    let telling: Vec<(Place<'_>, Says, &Column<'_>)> = saying
        .filter(|(_, says, column)| tells(*says, column))
        .collect();
    let heard = |event: usize| -> Vec<bool> {
        let said = telling
            .iter()
            .flat_map(|(_, says, column)| fates(*says, column, event));
        said.collect()
    };
    let is_excused = |event: usize| {
        let mut own = owners.own(event);
        own.any(|(place, value)| value == "true" && any_speaks_of(place, EXCUSES))
    };
    let (mut against, mut with) = (Vec::new(), Vec::new());
    for (event, label, fate) in &given {
        let heard = heard(*event);
        if heard.contains(fate) || heard.is_empty() {
            with.extend((!heard.is_empty()).then_some((*event, *fate)));
        } else if !is_excused(*event) {
            against.push((*event, *label, *fate));
        }
    }
    // What the vendor says alike of all these and of none that is told as the vendor does.
    let others = owners
        .columns()
        .filter(|(place, _)| telling.iter().all(|(telling, ..)| telling != place));
    let alike = with
        .iter()
        .filter(|(_, fate)| against.iter().any(|one| one.2 != *fate));
    let alike: Vec<usize> = alike.map(|(event, _)| *event).collect();
    let these: Vec<usize> = against.iter().map(|(event, ..)| *event).collect();
    let is_told_apart = others
        .map(|(_, column)| column)
        .any(|column| differ(column, &these, &alike));
    if against.len() < 2 || is_told_apart {
        return None;
    }
    let lines = against.iter().filter_map(|(event, label, fate)| {
        let (place, value) = telling.iter().find_map(|((_, place), says, column)| {
            let mut values = column[*event].iter();
            Some((place, values.find(|value| says.went_well(value).is_some())?))
        })?;
        let fared = if *fate { "well" } else { "wrong" };
        Some(format!(
            "{label} went {fared}, and the vendor's `{place}` is `{value}`"
        ))
    });
    let got = format!("{} that say the opposite", counted(against.len(), noun));
    Some(
        Outcome::wrong("statuses as the vendor's record says", got)
            .with_evidence(lines.take(SHOWN)),
    )
}

/// Words in texts for what stops a run that failed.
const LIMITS: [&str; 3] = ["time", "limit", "exceed"];

/// Events that went well of which the vendor's record says nothing but that they are under way, and events that failed of
/// which it says nothing but that somebody stopped them, where that is so of all of those.
pub(super) fn otherwise(events: &[Judged<'_, RunEvent>], owners: &Owners<'_>) -> Option<Outcome> {
    let shared = owners.shared();
    let columns = owners.columns().filter(|((kind, place), _)| {
        owners.is_whole(*kind) && Says::of(place) == Some(Says::Words)
    });
    let columns: Vec<(Place<'_>, &Column<'_>)> = columns.collect();
    let own = events
        .iter()
        .filter(|(number, ..)| !shared.contains(number));
    let said = own.filter_map(|(number, event, label)| {
        let words = columns.iter().flat_map(|((_, place), column)| {
            let said = column[*number].iter();
            // Some vendors call a run so for good once it was started.
            said.map(move |word| (*place, *word, plain(word).filter(|_| !says_begun(word))))
        });
        let words: Vec<(&str, &str, Option<Fate>)> = words.collect();
        let mut plain_words = words.iter();
        let (place, word, said) =
            plain_words.find_map(|(place, word, said)| Some((*place, *word, (*said)?)))?;
        // What ended while it was looked at was called both.
        let is_plain = words
            .iter()
            .all(|(.., other)| *other == Some(said) || other.is_none() && said != Fate::Open);
        let raw = event.json()["raw_status"].as_str().unwrap_or_default();
        let is_its_own = raw.split('/').any(|part| {
            let mut words = words.iter();
            words.any(|(_, word, _)| part.trim().eq_ignore_ascii_case(word))
        });
        (is_plain && !is_its_own).then_some((*number, event, label, place, word, said))
    });
    let said: Vec<_> = said.collect();
    // What the vendor stops by itself has failed.
    let has_failed = |number: usize, event: &RunEvent| {
        let error = event.error().and_then(|error| error.message());
        let error = error.map(|text| Given::Text(text.trim().to_owned()));
        let fails = |said: &str| {
            let text = said.to_lowercase();
            LIMITS.iter().any(|limit| text.contains(limit))
                || error.as_ref().is_some_and(|error| error.may_be(said))
        };
        owners.everything(number).any(fails)
    };
    [(Fate::Open, "went well"), (Fate::Stopped, "failed")]
        .into_iter()
        .find_map(|(fated, given)| {
            let those = said.iter().filter(|(.., said)| *said == fated);
            let lines = those
                .clone()
                .filter_map(|(number, event, label, place, word, _)| {
                    let is_other = match event.status().and_then(fate)? {
                        Fate::Well => fated == Fate::Open,
                        Fate::Ill => fated == Fate::Stopped && !has_failed(*number, event),
                        Fate::Stopped | Fate::Open => false,
                    };
                    is_other
                        .then(|| format!("{label} {given}, and the vendor's `{place}` is `{word}`"))
                });
            let lines: Vec<String> = lines.collect();
            (lines.len() >= SEVERAL && lines.len() == those.count()).then(|| {
                let got = format!("{} otherwise", counted(lines.len(), "run"));
                Outcome::wrong("statuses as the vendor's record says", got)
                    .with_evidence(lines.into_iter().take(SHOWN))
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_say_how_something_ended_where_they_are_plain() {
        for (value, well) in [
            ("OK", Some(true)),
            ("JOB_OK", Some(true)),
            ("PASS", Some(true)),
            ("bypass", None),
            ("Succeeded", Some(true)),
            ("NOT OK", Some(false)),
            ("upstream failed", None),
            ("FAILED", Some(false)),
            ("webhook", None),
            ("notebook", None),
            ("No errors", None),
            ("0 errors", None),
        ] {
            assert_eq!(went_well(value), well, "{value}");
        }
        assert_eq!(Says::of("return_code"), Some(Says::Code));
        assert_eq!(Says::of("return_value"), None);
    }
}
