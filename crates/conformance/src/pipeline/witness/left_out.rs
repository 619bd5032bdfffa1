//! Records of the vendor that nothing came of, in lists of which nearly everything else came.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::given::{any_speaks_of, moments, shortened};
use super::owners::{Place, parts};
use super::records::{Record, Records};

/// A record that nothing came of.
#[derive(Debug)]
pub(super) struct LeftOut<'r> {
    pub(super) id: &'r str,
    /// What it says that no record says that something came of, or lacks of what all of those have: the place, and the word
    /// that stands there.
    odd: Vec<(&'r str, Option<&'r str>)>,
}

/// How those who leave records out on purpose tell them apart: what is no job or run that anybody looks at.
const OTHER_THINGS: &str = "type kind class archiv delet remov hidden hid test debug draft dry template version parent child sub \
     category internal system visib latest current disabl event source branch environment origin \
     repository workspace project";
/// Words for why a run began, and whether it is another try: one is a run for every reason.
const CAUSES: &str = "trigger caus launch initiat retr attempt";
/// Words of names whose values nobody wants to see in a report.
const SECRETS: &str = "pass secret token key cred auth param conf env";
/// How long a word is that may be a reason.
const LONGEST: usize = 24;

impl LeftOut<'_> {
    /// Whether it may be something that nobody wants to see.
    pub(super) fn may_be_meant(&self) -> bool {
        let mut places = self.odd.iter().map(|(place, _)| place);
        places.any(|place| any_speaks_of(place, OTHER_THINGS) && !any_speaks_of(place, CAUSES))
    }

    /// It, in words.
    pub(super) fn words(&self, noun: &str) -> String {
        let id = shortened(self.id);
        let telling = |(place, _): &&(&str, Option<&str>)| any_speaks_of(place, OTHER_THINGS);
        let mut odd = self.odd.iter();
        match odd.clone().find(telling).or_else(|| odd.next()) {
            Some((place, Some(value))) if !any_speaks_of(place, SECRETS) => {
                format!("{noun} `{id}`, the only kind with `{place}` = `{value}`")
            }
            Some((place, _)) => format!("{noun} `{id}`, the only kind that differs in `{place}`"),
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
    let known = Known::of(&given);
    lacking
        .into_iter()
        .map(|(id, record)| LeftOut {
            id,
            odd: known.odd(record),
        })
        .collect()
}

/// What records say of which something came.
struct Known<'r> {
    /// At each place: what stands there, and in how many records.
    said: BTreeMap<&'r str, (BTreeSet<&'r str>, usize)>,
    records: usize,
}

impl<'r> Known<'r> {
    fn of(given: &[&'r Record]) -> Self {
        let mut said: BTreeMap<&str, (BTreeSet<&str>, usize)> = BTreeMap::new();
        for record in given {
            for (place, values) in &record.fields {
                let (known, count) = said.entry(place).or_default();
                known.extend(values.iter().map(String::as_str));
                *count += 1;
            }
        }
        let records = given.len();
        Self { said, records }
    }

    /// Whether records say one of a few words at a place: not what each says differently, nor a time.
    fn tells(&self, values: &BTreeSet<&str>) -> bool {
        let are_few = values.len() == 1 || values.len() * 2 <= self.records && values.len() <= 8;
        are_few && values.iter().all(|value| moments(value).is_empty())
    }

    /// What a record says that these do not say, or lacks of what all of these have.
    fn odd(&self, record: &'r Record) -> Vec<(&'r str, Option<&'r str>)> {
        let words = record.fields.iter().filter_map(|(place, values)| {
            let is_word = |value: &&String| value.len() <= LONGEST && !value.contains(' ');
            let value = values.first()?;
            match self.said.get(place.as_str()) {
                None => Some((
                    place.as_str(),
                    Some(value).filter(is_word).map(String::as_str),
                )),
                Some((known, _)) => {
                    let is_new =
                        is_word(&value) && self.tells(known) && !known.contains(value.as_str());
                    is_new.then_some((place.as_str(), Some(value.as_str())))
                }
            }
        });
        let lacking = self
            .said
            .iter()
            .filter(|(place, (_, count))| *count == self.records && record.said(place).is_none());
        words
            .chain(lacking.map(|(place, _)| (*place, None)))
            .collect()
    }
}
