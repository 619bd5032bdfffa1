//! What the vendor says of an event at the place that a field comes from, and the event does not, or in other letters:
//! somebody may mean that, so it is advice.

use std::collections::BTreeSet;

use bowline_words::counted;

use super::given::{Field, Given, any_speaks_of, moments, shortened};
use super::owners::{Column, Owners};
use super::{AsJson, Judged, SEVERAL, is_nearly_all};

/// So many of all, one in ten, are no accident.
const MANY: usize = 10;

/// What is cut to fewer letters may be a name of its own.
const LONG: usize = 20;

/// An event with what it says in the field that is judged.
struct Saying<'e> {
    event: usize,
    label: &'e str,
    given: Vec<Given>,
}

/// Advice on every text and time that comes from a place of the vendor's records.
pub(super) fn unlike<E: AsJson>(
    fields: &[Field],
    events: &[Judged<'_, E>],
    owners: &Owners<'_>,
) -> Vec<String> {
    let advice = fields.iter().filter_map(|field| {
        let sayings: Vec<Saying<'_>> = events
            .iter()
            .map(|(event, json, label)| Saying {
                event: *event,
                label,
                given: field.of(json.json()),
            })
            .collect();
        let mut whole = owners
            .columns()
            .filter(|((kind, _), _)| owners.is_whole(*kind));
        whole.find_map(|((_, place), column)| {
            let told = left_out(column, &sayings, owners)
                .or_else(|| field.is_list.then(|| cut_lists(column, &sayings))?)
                .or_else(|| in_other_letters(field, column, &sayings, owners))?;
            Some(format!(
                "`{}` {told}, where the vendor's `{place}` says it: see whether that is meant",
                field.name
            ))
        })
    });
    advice.collect()
}

/// Events that leave a field out, though the vendor says what all others give there, and nothing that it says tells them
/// from those: no address where it has the name of an account, nor what stands in for nothing.
fn left_out(column: &Column<'_>, sayings: &[Saying<'_>], owners: &Owners<'_>) -> Option<String> {
    let sample = sayings.iter().find_map(|one| one.given.first())?;
    let is_of_its_kind = |said: &&str| match sample {
        Given::Time(_) => !moments(said).is_empty(),
        Given::Text(text) => ["@", "://"]
            .iter()
            .all(|mark| text.contains(mark) == said.contains(mark)),
    };
    let said = sayings
        .iter()
        .filter(|one| column[one.event].iter().any(&is_of_its_kind));
    let (with, without): (Vec<&Saying<'_>>, Vec<_>) = said.partition(|one| !one.given.is_empty());
    let agree = |one: &&&Saying<'_>| {
        let is_said = |given: &Given| column[one.event].iter().any(|said| given.is(said));
        one.given.iter().all(is_said)
    };
    let all = sayings.iter().filter(|one| !one.given.is_empty()).count();
    let values: BTreeSet<&BTreeSet<&str>> = with.iter().map(|one| &column[one.event]).collect();
    let is_from_there = with.len() >= SEVERAL
        && values.len() > 1
        && is_nearly_all(with.iter().filter(agree).count(), all);
    let left_out: BTreeSet<&BTreeSet<&str>> =
        without.iter().map(|one| &column[one.event]).collect();
    let numbers = |of: &[&Saying<'_>]| of.iter().map(|one| one.event).collect::<Vec<_>>();
    if !is_from_there
        || left_out.len() < 2
        || without.len() < SEVERAL
        || without.len() * MANY < sayings.len()
        || owners.tells_apart(&numbers(&without), &numbers(&with))
    {
        return None;
    }
    let first = without.first()?;
    let count = counted(without.len(), "time");
    Some(format!("is left out {count}, such as of {}", first.label))
}

/// Lists that all lack some of what the vendor lists.
fn cut_lists(column: &Column<'_>, sayings: &[Saying<'_>]) -> Option<String> {
    let judged = sayings
        .iter()
        .filter(|one| !one.given.is_empty() && column[one.event].len() > 1);
    let judged: Vec<&Saying<'_>> = judged.collect();
    let lacks = |one: &&Saying<'_>| {
        let said = &column[one.event];
        one.given.len() < said.len()
            && one
                .given
                .iter()
                .all(|given| said.iter().any(|said| given.is(said)))
    };
    if judged.len() < SEVERAL || !judged.iter().all(lacks) {
        return None;
    }
    let first = judged.first()?;
    let (some, all) = (first.given.len(), column[first.event].len());
    Some(format!(
        "has {some} of {all} in {}, and some of all elsewhere",
        first.label
    ))
}

/// Texts that are the vendor's but for capitals, or for what stands behind so many letters, where that is so of all.
fn in_other_letters(
    field: &Field,
    column: &Column<'_>,
    sayings: &[Saying<'_>],
    owners: &Owners<'_>,
) -> Option<String> {
    // What is the same in capitals, or a word that connectors write in a way of their own.
    let is_in_any_case =
        any_speaks_of(&field.name, "email type mcon") || field.name.ends_with("qualified_name");
    let mut differing = Vec::new();
    let (mut alike, mut cut, mut all) = (0, BTreeSet::new(), 0);
    for saying in sayings {
        for given in &saying.given {
            let Given::Text(text) = given else {
                return None;
            };
            all += 1;
            let said = &column[saying.event];
            if owners.everything(saying.event).any(|said| said == text) {
                alike += 1;
            } else if let Some(own) = said
                .iter()
                .find(|said| !is_in_any_case && said.to_lowercase() == text.to_lowercase())
            {
                differing.push((saying.label, text.clone(), *own));
            } else if let Some(own) = said
                .iter()
                .find(|said| text.len() >= LONG && said.starts_with(text.as_str()))
            {
                cut.insert(text.chars().count());
                differing.push((saying.label, text.clone(), *own));
            }
        }
    }
    let (label, text, own) = differing.first()?;
    let is_so =
        differing.len() >= SEVERAL && cut.len() < 2 && is_nearly_all(alike + differing.len(), all);
    is_so.then(|| {
        format!(
            "is `{}` of {label}, and not `{}`",
            shortened(text),
            shortened(own)
        )
    })
}
