//! What an event says that the vendor says of another one.

use std::collections::{BTreeMap, BTreeSet};

use bowline_words::counted;
use serde_json::Value as Json;

use super::given::{Field, Given};
use super::owners::{Column, Owners};
use crate::pipeline::outcome::Outcome;
use crate::pipeline::times::SHOWN;

/// So much of what is given must come from a place, or it comes from elsewhere.
const NEARLY_ALL: f64 = 0.9;

/// An event as it is compared.
#[derive(Clone, Copy)]
pub(super) struct Compared<'e> {
    pub(super) event: &'e Json,
    pub(super) label: &'e str,
}

/// Judges one field: a place where the vendor says it of some events, and where it says something else of those that give
/// what stands there for others. Whatever else an event's own records say excuses it.
pub(super) fn borrowed(
    field: &Field,
    events: &[Compared<'_>],
    owners: &Owners<'_>,
) -> Option<Outcome> {
    let given: Vec<(usize, Given)> = events
        .iter()
        .enumerate()
        .filter(|(number, _)| owners.has(*number))
        .filter_map(|(number, compared)| Some((number, field.of(compared.event)?)))
        .collect();
    let strangers: BTreeSet<usize> = given
        .iter()
        .filter(|(event, given)| !owners.everything(*event).any(|said| given.may_be(said)))
        .map(|(event, _)| *event)
        .collect();
    if strangers.is_empty() {
        return None;
    }
    owners.columns().find_map(|((_, place), column)| {
        let lines = from_others(place, column, &given, &strangers, events)?;
        let got = format!(
            "{} from the vendor's record of another",
            counted(lines.len(), "time")
        );
        let expected = format!("a `{}` from the record with the same id", field.name);
        Some(
            Outcome::wrong(expected, got)
                .with_evidence(lines.into_iter().take(SHOWN))
                .with_hint(
                    "join records by their ids, and keep nothing of one record for the next",
                ),
        )
    })
}

/// The events that say what stands at a place of another one's record, where all others say what stands there of their own.
fn from_others(
    place: &str,
    column: &Column<'_>,
    given: &[(usize, Given)],
    strangers: &BTreeSet<usize>,
    events: &[Compared<'_>],
) -> Option<Vec<String>> {
    let mut own = 0;
    let mut whose: BTreeMap<&str, usize> = BTreeMap::new();
    for (event, given) in given {
        let said = &column[*event];
        own += usize::from(said.iter().any(|said| given.is(said)));
        for said in said {
            whose.entry(*said).or_insert(*event);
        }
    }
    if own == 0 || whose.len() < 2 {
        return None;
    }
    let mut lines = Vec::new();
    for (event, given) in given {
        let own = column[*event].first();
        let Some(own) = own.filter(|_| strangers.contains(event)) else {
            continue;
        };
        let other = whose.iter().find(|(said, _)| given.is(said));
        if let Some((_, other)) = other {
            lines.push(format!(
                "{} says {given}, as the vendor's `{}` of {} does; its own is `{}`",
                events[*event].label,
                place,
                events[*other].label,
                super::given::shortened(own)
            ));
        }
    }
    let explained = own + lines.len();
    let is_so = !lines.is_empty() && explained as f64 >= given.len() as f64 * NEARLY_ALL;
    is_so.then_some(lines)
}
