//! Records of the vendor that nothing came of, in lists of which nearly everything else came.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::given::{moments, shortened, speaks_of};
use super::owners::{Place, parts};
use super::records::{Record, Records};

/// A record that nothing came of.
#[derive(Debug)]
pub(super) struct LeftOut<'r> {
    pub(super) id: &'r str,
    /// What it says that no record says that something came of: why it may have been left out.
    why: Option<(&'r str, &'r str)>,
}

/// How those who leave records out on purpose tell them apart: what is no job or run that anybody looks at.
const OTHER_THINGS: [&str; 24] = [
    "type", "kind", "class", "archiv", "delet", "remov", "hidden", "hid", "test", "debug", "draft",
    "dry", "template", "version", "parent", "child", "sub", "category", "internal", "system",
    "visib", "latest", "current", "disabl",
];

/// Words for why a run began: one is a run for every reason.
const CAUSES: [&str; 4] = ["trigger", "caus", "launch", "initiat"];

impl LeftOut<'_> {
    /// Whether it may be something that nobody wants to see.
    pub(super) fn may_be_meant(&self) -> bool {
        self.why.is_some_and(|(place, _)| {
            let speaks = |words: &[&str]| place.split('.').any(|name| speaks_of(name, words));
            speaks(&OTHER_THINGS) && !speaks(&CAUSES)
        })
    }

    /// It, in words.
    pub(super) fn words(&self, noun: &str) -> String {
        let id = shortened(self.id);
        match self.why {
            Some((place, value)) => {
                format!("{noun} `{id}`, the only kind with `{place}` = `{value}`")
            }
            None => format!("{noun} `{id}`"),
        }
    }
}

/// The records of a list that bear no id of an event. `counts` says whether one should have come.
pub(super) fn left_out<'r>(
    records: &'r Records,
    list: Place<'_>,
    ids: &BTreeSet<&str>,
    counts: &dyn Fn(&Record) -> bool,
) -> Vec<LeftOut<'r>> {
    let kind = &records.kinds[list.0];
    let id_of = |record: &'r Record| -> Option<&'r str> {
        record.said(list.1)?.first().map(String::as_str)
    };
    // Ids may have been put together from the vendor's.
    let made_from: HashSet<&str> = ids
        .iter()
        .flat_map(|id| parts(id).into_iter().chain([*id]))
        .collect();
    let (mut given, mut lacking) = (Vec::new(), BTreeMap::new());
    for record in kind.records() {
        match id_of(record) {
            Some(id) if made_from.contains(id) => given.push(record),
            Some(id) if counts(record) => {
                lacking.insert(id, record);
            }
            Some(_) | None => {}
        }
    }
    let told = places_that_tell(&given);
    lacking
        .into_iter()
        .map(|(id, record)| LeftOut {
            id,
            why: record.fields.iter().find_map(|(place, said)| {
                let known = told.get(place.as_str());
                let is_word = |value: &&String| value.len() <= 24 && !value.contains(' ');
                let value = said.first().filter(is_word)?;
                let is_new = known.is_some_and(|known| !known.contains(value.as_str()));
                is_new.then_some((place.as_str(), value.as_str()))
            }),
        })
        .collect()
}

/// Places at which records say one of a few words, with those words: not what each says differently, nor a time.
fn places_that_tell<'r>(given: &[&'r Record]) -> BTreeMap<&'r str, BTreeSet<&'r str>> {
    let mut told: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for record in given {
        for (place, said) in &record.fields {
            let known = told.entry(place).or_default();
            known.extend(said.iter().map(String::as_str));
        }
    }
    let few = |known: &BTreeSet<&str>| {
        known.len() == 1 || known.len() * 2 <= given.len() && known.len() <= 8
    };
    told.retain(|_, known| few(known) && known.iter().all(|value| moments(value).is_empty()));
    told
}
