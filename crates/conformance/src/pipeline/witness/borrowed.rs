//! What an event says that the vendor says of another one.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bowline_contract::pipeline::{Run, RunEvent};
use bowline_words::counted;
use jiff::{SignedDuration, Timestamp};

use super::given::{Field, Given, fields, shortened};
use super::owners::{Column, Owners};
use super::records::Records;
use super::{AsJson, Judged, SEVERAL, is_nearly_all};
use crate::pipeline::outcome::Outcome;
use crate::pipeline::times::SHOWN;

/// So many of all that say something, one in four, are no accident.
const MANY: usize = 4;
/// So many that share what they say, in so many ways, do not all say what stands at one place of others by chance.
const ENOUGH: usize = 10;
/// Texts of so many letters stand for many things.
const SHORT: usize = 3;
/// Of more runs the times are not looked for in the records of jobs.
const MOST_RUNS: usize = 2000;
/// The tries and parts of one order are not as far apart.
const APART: SignedDuration = SignedDuration::from_hours(24);

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
    let sayings = sayings(field, events, owners);
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

/// A time of runs that is that of their jobs: it stands in no record of a run, and all runs of a job, days apart, have the
/// one of the record that names the job.
pub(super) fn of_jobs<'r>(
    runs: &[Judged<'_, RunEvent>],
    records: &'r Records,
    owners: &mut Owners<'r>,
) -> Option<Outcome> {
    let mut fields = fields(Run::FIELDS);
    let are_judged = ["queued_at", "start_time", "end_time"];
    fields.retain(|field| runs.len() <= MOST_RUNS && are_judged.contains(&&*field.name));
    let said = fields
        .iter()
        .map(|field| (field, sayings(field, runs, owners)));
    let said: Vec<_> = said.filter(|(_, said)| is_one_a_job(said, runs)).collect();
    // Few have such, and looking for their jobs takes long.
    if said.is_empty() {
        return None;
    }
    owners.join(records);
    let joined = || {
        let columns = owners.columns();
        columns.filter(|((kind, _), _)| owners.is_joined(*kind))
    };
    let names_job = |(run, event, _): &Judged<'_, RunEvent>, column: &Column<'_>| {
        event
            .job_source_id()
            .is_some_and(|job| column[*run].contains(job))
    };
    said.iter().find_map(|(field, said)| {
        let is_there = |column: &Column<'_>| {
            let mut said = said.iter();
            said.all(|one| column[one.event].iter().any(|said| one.given.is(said)))
        };
        let ((_, place), _) = joined().find(|((kind, _), column)| {
            let mut own = joined().filter(|((of, _), _)| of == kind);
            is_there(column) && own.any(|(_, column)| runs.iter().all(|run| names_job(run, column)))
        })?;
        let got = format!("`{place}` of the job, in {}", counted(said.len(), "run"));
        let line = |one: &Saying<'_>| format!("{} says {}, as its job does", one.label, one.given);
        let outcome = Outcome::wrong(format!("the run's own `{}`", field.name), got);
        Some(outcome.with_evidence(said.iter().take(SHOWN).map(line)))
    })
}

/// Whether nothing of what runs say stands in their own records, and it is one for all runs of each of several jobs, of
/// which several have runs that are days apart.
fn is_one_a_job(said: &[Saying<'_>], runs: &[Judged<'_, RunEvent>]) -> bool {
    let runs: BTreeMap<_, _> = runs.iter().map(|(run, event, _)| (run, event)).collect();
    let mut by_job: BTreeMap<_, (BTreeSet<_>, BTreeSet<_>)> = BTreeMap::new();
    for saying in said {
        let run = runs[&saying.event];
        let (given, ended) = by_job.entry(run.job_source_id()).or_default();
        given.insert(saying.given.key());
        ended.extend(run.event_time());
    }
    let is_apart = |ended: &BTreeSet<Timestamp>| {
        let ends = ended.first().zip(ended.last());
        ends.is_some_and(|(first, last)| last.duration_since(*first) > APART)
    };
    said.iter().all(|saying| saying.is_foreign)
        && by_job.values().all(|(given, _)| given.len() == 1)
        && by_job.values().filter(|(_, ended)| is_apart(ended)).count() > 1
}

/// What events say in a field.
fn sayings<'e, E: AsJson>(
    field: &Field,
    events: &[Judged<'e, E>],
    owners: &Owners<'_>,
) -> Vec<Saying<'e>> {
    let sayings = events.iter().flat_map(|(number, event, label)| {
        let given = field.of(event.json()).into_iter();
        given.map(move |given| Saying {
            event: *number,
            label,
            is_foreign: !owners.everything(*number).any(|said| given.may_be(said)),
            given,
        })
    });
    sayings.collect()
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
