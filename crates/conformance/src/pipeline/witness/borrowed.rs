//! What an event says that the vendor says of another one.

use std::collections::{BTreeSet, HashMap};

use bowline_words::counted;

use super::given::{Field, Given, shortened};
use super::owners::{Column, Owners};
use super::{AsJson, Judged, SEVERAL, is_nearly_all};
use crate::pipeline::outcome::Outcome;
use crate::pipeline::times::SHOWN;

/// So many of all that say something, one in four, are no accident.
const MANY: usize = 4;
/// So many that share what they say, in so many ways, do not all say what stands at one place of others by chance.
const ENOUGH: usize = 10;
/// Texts of so many letters stand for many things.
const SHORT: usize = 3;

/// What an event says in the field that is judged.
struct Saying<'e> {
    /// Its number among the owners.
    event: usize,
    label: &'e str,
    given: Given,
    /// Whether nothing that the vendor says of it is that, or has that in it.
    is_foreign: bool,
}

/// What is said of others' records.
struct Borrowed {
    outcome: Outcome,
    /// Whether it is so of many, in records with their ids: a few may be meant, such as a run that tells its child's
    /// error.
    is_of_many: bool,
}

/// Judges fields; gives faults in those that are an event's own, and advice where somebody may mean it.
pub(super) fn all_borrowed<E: AsJson>(
    (fields, own): (&[Field], &[&str]),
    events: &[Judged<'_, E>],
    owners: &Owners<'_>,
) -> (Vec<Outcome>, Vec<String>) {
    let found = fields.iter().filter_map(|field| {
        Some((
            own.contains(&&*field.name),
            borrowed(field, events, owners)?,
        ))
    });
    let (faults, doubts): (Vec<_>, Vec<_>) =
        found.partition(|(is_own, one)| *is_own && one.is_of_many);
    let advice = doubts
        .into_iter()
        .filter_map(|(_, one)| one.outcome.into_advice());
    (
        faults.into_iter().map(|(_, one)| one.outcome).collect(),
        advice.collect(),
    )
}

/// Judges one field: a place where the vendor says it of some events, and where it says something else, or nothing, of
/// those that give what stands there for others. Whatever else an event's own records say excuses it.
fn borrowed<E: AsJson>(
    field: &Field,
    events: &[Judged<'_, E>],
    owners: &Owners<'_>,
) -> Option<Borrowed> {
    let sayings = events.iter().flat_map(|(number, event, label)| {
        let given = field.of(event.json()).into_iter();
        given.map(move |given| Saying {
            event: *number,
            label,
            is_foreign: !owners.everything(*number).any(|said| given.may_be(said)),
            given,
        })
    });
    let sayings: Vec<Saying<'_>> = sayings.collect();
    if !sayings.iter().any(|saying| saying.is_foreign) {
        return None;
    }
    let columns = |is_joined: bool| {
        let columns = owners.columns();
        columns.filter(move |((kind, _), _)| owners.is_joined(*kind) == is_joined)
    };
    let mut columns = columns(false).chain(columns(true));
    columns.find_map(|((kind, place), column)| {
        let lines = from_others(place, column, &sayings)?;
        let got = format!(
            "{} from the vendor's record of another",
            counted(lines.len(), "time")
        );
        let expected = format!("a `{}` from the record with the same id", field.name);
        let is_of_many = lines.len() * MANY >= sayings.len() && !owners.is_joined(kind);
        let outcome = Outcome::wrong(expected, got)
            .with_evidence(lines.into_iter().take(SHOWN))
            .with_hint("join records by their ids, and keep nothing of one record for the next");
        Some(Borrowed {
            outcome,
            is_of_many,
        })
    })
}

/// The events that say what stands at a place of another one's record, where all others say what stands there of their own.
fn from_others(place: &str, column: &Column<'_>, sayings: &[Saying<'_>]) -> Option<Vec<String>> {
    let mut own = 0;
    let mut whose: HashMap<String, (&str, &str)> = HashMap::new();
    let mut having = BTreeSet::new();
    for Saying {
        event,
        label,
        given,
        ..
    } in sayings
    {
        let said = &column[*event];
        own += usize::from(said.iter().any(|said| given.is(said)));
        having.extend((!said.is_empty()).then_some(*event));
        for said in said {
            for key in given.keys(said) {
                whose.entry(key).or_insert((*said, *label));
            }
        }
    }
    let values: BTreeSet<&str> = whose.values().map(|(said, _)| *said).collect();
    let is_of_one = is_nearly_all(values.len(), having.len());
    if values.len() < 2 {
        return None;
    }
    let foreign = sayings.iter().filter(|saying| saying.is_foreign);
    let borrowed = foreign.filter(|saying| whose.contains_key(&saying.given.key()));
    let borrowed: Vec<&Saying<'_>> = borrowed.collect();
    let keys: BTreeSet<String> = borrowed.iter().map(|saying| saying.given.key()).collect();
    // What stands in for nothing may be what others say of themselves.
    let is_default = keys.len() == 1 && borrowed.iter().all(|one| column[one.event].is_empty());
    let is_chance = !is_of_one
        && (borrowed.len() < ENOUGH
            || keys.len() < SEVERAL
            || keys.iter().any(|key| key.len() <= SHORT));
    // Where none is its own, all of them are another's.
    let least = if own > 0 && is_of_one { 1 } else { SEVERAL };
    let is_so = borrowed.len() >= least
        && is_nearly_all(own + borrowed.len(), sayings.len())
        && !is_default
        && !(own == 0 && is_chance);
    is_so.then(|| {
        let line = |saying: &&Saying<'_>| {
            let (_, other) = whose[&saying.given.key()];
            let own = column[saying.event].first();
            let own = own.map_or("nothing".to_owned(), |said| {
                format!("`{}`", shortened(said))
            });
            format!(
                "{} says {}, as the vendor's `{place}` of {other} does; its own is {own}",
                saying.label, saying.given
            )
        };
        borrowed.iter().map(line).collect()
    })
}
