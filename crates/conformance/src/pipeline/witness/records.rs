//! The records of a vendor's answers: what an element of a list, or an answer that is one object, says by name.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use super::given::{moments, speaks_of, truth, words};

/// The most records that are looked at.
const MOST_RECORDS: usize = 50_000;
/// Objects of more names than this, each with an object, are lists by id.
const MOST_NAMES: usize = 8;
/// How deep values lie at most.
const DEEPEST: usize = 24;
/// Lists at the same place of several answers are of one kind when so much of their fields is the same.
const ALIKE: f64 = 0.5;

/// What stands at one place of a record: several values where the place is a list.
pub(super) type Said = BTreeSet<String>;

/// What a record says: the values by their places, names joined by dots. Lists of records in it are kinds of their own.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Record {
    pub(super) fields: BTreeMap<String, Said>,
    /// Everything that lists of records in it say.
    within: Said,
    /// What the object says by itself in which its list stands.
    above: Said,
}

impl Record {
    pub(super) fn said(&self, place: &str) -> Option<&Said> {
        self.fields.get(place)
    }

    /// The values of it that are among these, and those beside its list.
    pub(super) fn named<'s>(
        &'s self,
        among: &BTreeSet<String>,
    ) -> impl Iterator<Item = &'s String> {
        let said = self.fields.values().flatten().chain(&self.above);
        said.filter(|said| among.contains(*said))
    }

    pub(super) fn everything(&self) -> impl Iterator<Item = &String> + Clone {
        self.fields.values().flatten().chain(&self.within)
    }

    fn add(&mut self, place: &str, value: String) {
        let said = self.fields.entry(place.to_owned()).or_default();
        said.insert(value);
    }
}

/// Records that came in lists of the same kind.
#[derive(Debug)]
pub(super) struct Kind {
    /// Where in an answer the list stands.
    pub(super) place: String,
    /// The names that its records have at the top.
    names: BTreeSet<String>,
    /// Each list as it came.
    pub(super) lists: Vec<Vec<Record>>,
    /// Whether what stood beside each of them says that more follows.
    pub(super) go_on: Vec<bool>,
}

/// Words of names that say where the next page is, or that there is one; each name has no other.
const NEXT: [&str; 3] = ["next", "more", "continuation"];
const BESIDE: [&str; 8] = [
    "page", "token", "cursor", "url", "link", "href", "has", "is",
];

/// Whether what stands beside a list says that it goes on, and nothing says that it does not.
fn goes_on(whole: &Map<String, Json>) -> bool {
    let inner = whole.values().filter_map(Json::as_object).flatten();
    let said = whole.iter().chain(inner).filter_map(|(name, value)| {
        let words = words(name);
        let is_of_pages = words.iter().all(|word| {
            let word = word.as_str();
            NEXT.contains(&word) || BESIDE.contains(&word)
        });
        let is_next = is_of_pages && NEXT.iter().any(|next| words.contains(*next));
        match value {
            _ if !is_next => None,
            Json::Null => Some(false),
            Json::Bool(truth) => Some(*truth),
            Json::String(text) => {
                let text = text.trim();
                let is_nothing = ["", "null", "none"].contains(&text.to_lowercase().as_str());
                let says = !is_nothing && truth(text) != Some(false);
                moments(text).is_empty().then_some(says)
            }
            _ => None,
        }
    });
    let said: BTreeSet<bool> = said.collect();
    said == BTreeSet::from([true])
}

impl Kind {
    pub(super) fn records(&self) -> impl Iterator<Item = &Record> + Clone {
        self.lists.iter().flatten()
    }

    /// Every place at which a record of the kind says something.
    pub(super) fn places(&self) -> BTreeSet<&str> {
        let places = self.records().flat_map(|record| record.fields.keys());
        places.map(String::as_str).collect()
    }
}

/// Every record of some answers.
#[derive(Debug, Default)]
pub(super) struct Records {
    pub(super) kinds: Vec<Kind>,
    count: usize,
    /// What is said beside the list that is being taken in.
    above: Said,
    /// Places of lists where one came without records.
    empty: BTreeSet<String>,
    /// The names that answers had together.
    answers: BTreeSet<BTreeSet<String>>,
    /// Whether there was more than is looked at.
    pub(super) is_cut: bool,
}

impl Records {
    /// Takes an answer in.
    pub(super) fn add(&mut self, document: &Json) {
        match document {
            Json::Array(items) => {
                self.add_list("[]", items, &Map::new());
            }
            Json::Object(fields) => {
                self.answers.insert(fields.keys().cloned().collect());
                self.add_object("", fields);
            }
            _ => {}
        }
    }

    /// Whether lists at a place were read until one had no records, or was left out of an answer that had nothing else.
    pub(super) fn came_to_an_end(&self, place: &str) -> bool {
        let name = place.trim_start_matches('.').trim_end_matches("[]");
        let pages = || self.answers.iter().filter(|names| names.contains(name));
        let lacks_it = |names: &BTreeSet<String>| {
            !names.contains(name) && pages().any(|page| names.is_subset(page))
        };
        self.empty.contains(place) || self.answers.iter().any(lacks_it)
    }

    /// Gives everything that the list says.
    fn add_list(&mut self, place: &str, items: &[Json], whole: &Map<String, Json>) -> Said {
        if place.matches(['[', '{']).count() > DEEPEST {
            return Said::new();
        }
        if items.is_empty() {
            self.empty.insert(place.to_owned());
            return Said::new();
        }
        let mut above = names_of(whole);
        if above.is_empty() {
            above.clone_from(&self.above);
        }
        let before = std::mem::replace(&mut self.above, above.clone());
        let records: Vec<(Record, BTreeSet<String>)> = items
            .iter()
            .filter_map(Json::as_object)
            .map_while(|fields| {
                self.count += 1;
                self.is_cut |= self.count > MOST_RECORDS;
                (self.count <= MOST_RECORDS).then(|| {
                    let mut record = self.record(place, fields);
                    record.above.clone_from(&above);
                    (record, fields.keys().cloned().collect())
                })
            })
            .collect();
        self.above = before;
        let said = records.iter().flat_map(|(record, _)| record.everything());
        let said = said.cloned().collect();
        self.file(place, records, goes_on(whole));
        said
    }

    fn add_object(&mut self, place: &str, fields: &Map<String, Json>) {
        self.count += 1;
        if self.count > MOST_RECORDS {
            self.is_cut = true;
            return;
        }
        let record = self.record(place, fields);
        let names = fields.keys().cloned().collect();
        self.file(place, vec![(record, names)], false);
    }

    fn file(&mut self, place: &str, records: Vec<(Record, BTreeSet<String>)>, goes_on: bool) {
        if records.is_empty() {
            return;
        }
        let names: BTreeSet<String> = records
            .iter()
            .flat_map(|(_, names)| names.iter().cloned())
            .collect();
        let list = records.into_iter().map(|(record, _)| record).collect();
        let mut kinds = self.kinds.iter_mut();
        match kinds.find(|kind| kind.place == place && alike(&kind.names, &names)) {
            Some(kind) => {
                kind.names.extend(names);
                kind.lists.push(list);
                kind.go_on.push(goes_on);
            }
            None => self.kinds.push(Kind {
                place: place.to_owned(),
                names,
                lists: vec![list],
                go_on: vec![goes_on],
            }),
        }
    }

    fn record(&mut self, place: &str, fields: &Map<String, Json>) -> Record {
        let mut record = Record::default();
        self.fill(&mut record, place, "", fields, fields, 0);
        record
    }

    fn fill(
        &mut self,
        record: &mut Record,
        kind: &str,
        prefix: &str,
        whole: &Map<String, Json>,
        fields: &Map<String, Json>,
        depth: usize,
    ) {
        if depth > DEEPEST {
            return;
        }
        for (name, value) in fields {
            let place = if prefix.is_empty() {
                name.clone()
            } else {
                format!("{prefix}.{name}")
            };
            match value {
                Json::Object(inner) if is_list_by_id(inner) => {
                    let items: Vec<Json> = inner.values().cloned().collect();
                    let place = format!("{kind}.{place}{{}}");
                    let said = self.add_list(&place, &items, whole);
                    record.within.extend(said);
                }
                Json::Object(inner) => self.fill(record, kind, &place, whole, inner, depth + 1),
                Json::Array(items) if items.is_empty() || items.iter().any(Json::is_object) => {
                    let inner = format!("{kind}.{place}[]");
                    let said = self.add_list(&inner, items, whole);
                    record.within.extend(said);
                }
                Json::Array(items) => {
                    for value in items.iter().filter_map(written) {
                        record.add(&place, value);
                    }
                }
                value => match written(value) {
                    Some(value) => record.add(&place, value),
                    None => {
                        self.empty.insert(format!("{kind}.{place}[]"));
                    }
                },
            }
        }
    }
}

/// Whether an object is a list of records by their ids.
fn is_list_by_id(fields: &Map<String, Json>) -> bool {
    fields.len() > MOST_NAMES && fields.values().all(Json::is_object)
}

/// A value as text; nothing for null, for no text and for what is not one value.
fn written(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// What stands in an object, or at once below it, under the name of something that tells it apart.
fn names_of(whole: &Map<String, Json>) -> Said {
    let own = |(name, value): (&String, &Json)| {
        written(value).filter(|_| speaks_of(name, "id uuid guid key name number run job arn"))
    };
    let inner = whole.values().filter_map(Json::as_object);
    inner.flatten().chain(whole).filter_map(own).collect()
}

fn alike(one: &BTreeSet<String>, other: &BTreeSet<String>) -> bool {
    let both = one.intersection(other).count();
    let all = one.len() + other.len() - both;
    both as f64 >= all as f64 * ALIKE
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_within_records_are_kinds_of_their_own() {
        let mut records = Records::default();
        records.add(&json!({"total": 2, "runs": [
            {"id": 1, "who": {"name": " Ann "}, "tags": ["a", "b"], "steps": [{"id": "x"}]},
            {"id": 2, "who": null, "steps": []},
        ]}));
        let places: Vec<&str> = records
            .kinds
            .iter()
            .map(|kind| kind.place.as_str())
            .collect();
        assert_eq!(places, [".runs[].steps[]", ".runs[]", ""]);
        let runs = &records.kinds[1].lists[0];
        assert_eq!(
            runs[0].said("who.name"),
            Some(&Said::from(["Ann".to_owned()]))
        );
        assert_eq!(runs[0].said("tags").map(Said::len), Some(2));
        assert_eq!(runs[1].said("who.name"), None);
        let names = |record: &Record, value: &str| {
            let among = BTreeSet::from([value.to_owned()]);
            record.named(&among).count() > 0
        };
        assert!(names(&runs[1], "2"));
        let steps = &records.kinds[0].lists[0];
        assert!(names(&steps[0], "1") && names(&steps[0], "Ann") && !names(&steps[0], "2"));
        assert!(runs[0].within.contains("x") && runs[1].within.is_empty());
    }

    #[test]
    fn other_lists_at_the_same_place_are_another_kind() {
        let mut records = Records::default();
        records.add(&json!({"value": [{"id": 1, "name": "a"}]}));
        records.add(&json!({"value": [{"id": 2, "name": "b", "folder": "f"}]}));
        records.add(&json!({"value": [{"id": 3, "start": "s", "end": "e", "status": "x"}]}));
        let lists: Vec<usize> = records
            .kinds
            .iter()
            .filter(|kind| !kind.place.is_empty())
            .map(|kind| kind.lists.len())
            .collect();
        assert_eq!(lists, [2, 1]);
    }

    #[test]
    fn no_depth_is_too_deep() {
        let mut deep = json!({"id": 1});
        for _ in 0..100 {
            deep = json!([{"in": {"in": deep}}]);
        }
        let mut records = Records::default();
        records.add(&deep);
        assert!(
            records.kinds.len() <= DEEPEST + 1,
            "{}",
            records.kinds.len()
        );
    }
}
