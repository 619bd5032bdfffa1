//! Which records of the vendor an event is of: those that bear its id.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::is_nearly_all;
use super::records::{Kind, Record, Records};

/// An event by what tells it apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'e> {
    pub(super) id: &'e str,
    /// The job that it is of, where it is a run.
    pub(super) job: Option<&'e str>,
}

/// A place of a kind of records.
pub(super) type Place<'r> = (usize, &'r str);

/// What stands at one place of each event's records.
pub(super) type Column<'r> = Vec<BTreeSet<&'r str>>;

/// Events and their records.
#[derive(Debug)]
pub(super) struct Owners<'r> {
    /// The kind that lists them, and where in it their ids stand.
    pub(super) list: Place<'r>,
    /// The records of each event with their kinds; none where they cannot be told apart.
    of: Vec<Vec<(usize, &'r Record)>>,
    columns: BTreeMap<Place<'r>, Column<'r>>,
    /// The kinds whose records have the event's id where the list has it: not its parts, which name it.
    whole: BTreeSet<usize>,
}

impl<'r> Owners<'r> {
    /// Finds the records of events; nothing where hardly any has one.
    pub(super) fn find(records: &'r Records, subjects: &[Subject<'_>]) -> Option<Self> {
        let by_id = Finds::everywhere(records, subjects, false);
        // An id that was put together stands in no record whole.
        let by_part = match Finds::best(&by_id, subjects) {
            Some(_) => Vec::new(),
            None => Finds::everywhere(records, subjects, true),
        };
        let (list, found) =
            Finds::best(&by_id, subjects).or_else(|| Finds::best(&by_part, subjects))?;
        let details = by_id.iter().filter(|(place, found)| {
            by_part.is_empty() && place.0 != list.0 && found.is_of_events_only
        });
        let details: Vec<&(Place<'r>, Finds<'r>)> = details.collect();
        let mut of = vec![Vec::new(); subjects.len()];
        let all = details.iter().map(|(place, found)| (place.0, found));
        for (number, found) in all.chain([(list.0, found)]) {
            for (subject, records) in of.iter_mut().zip(&found.of) {
                subject.extend(records.iter().map(|record| (number, *record)));
            }
        }
        for (subject, listed) in of.iter_mut().zip(&found.of) {
            if listed.is_empty() {
                subject.clear();
            }
        }
        let mut columns: BTreeMap<Place<'r>, Column<'r>> = BTreeMap::new();
        for (event, records) in of.iter().enumerate() {
            for (kind, record) in records {
                for (place, said) in &record.fields {
                    let column = columns.entry((*kind, place));
                    let column = column.or_insert_with(|| vec![BTreeSet::new(); of.len()]);
                    column[event].extend(said.iter().map(String::as_str));
                }
            }
        }
        let named = details.iter().filter(|(place, _)| place.1 == list.1);
        let whole = named.map(|(place, _)| place.0).chain([list.0]).collect();
        Some(Self {
            list: *list,
            of,
            columns,
            whole,
        })
    }

    /// Every place with what stands there, event by event.
    pub(super) fn columns(&self) -> impl Iterator<Item = (Place<'r>, &Column<'r>)> {
        self.columns.iter().map(|(place, column)| (*place, column))
    }

    /// Whether records of a kind are about events, and not about parts of them.
    pub(super) fn is_whole(&self, kind: usize) -> bool {
        self.whole.contains(&kind)
    }

    /// Whether an event has records.
    pub(super) fn has(&self, event: usize) -> bool {
        !self.of[event].is_empty()
    }

    /// Everything that an event's records say, and the lists in them.
    pub(super) fn everything(&self, event: usize) -> impl Iterator<Item = &'r str> {
        let records = self.of[event].iter();
        let said =
            records.flat_map(|(_, record)| record.fields.values().flatten().chain(&record.within));
        said.map(String::as_str)
    }
}

/// The records that have events' ids at one place.
struct Finds<'r> {
    of: Vec<Vec<&'r Record>>,
    /// How many events have one.
    count: usize,
    /// How many of those name the event's job, too.
    jobs: usize,
    /// Whether hardly any record has something else there.
    is_of_events_only: bool,
}

impl<'r> Finds<'r> {
    /// Every place at which an id stands, or a part of one.
    fn everywhere(
        records: &'r Records,
        subjects: &[Subject<'_>],
        is_part: bool,
    ) -> Vec<(Place<'r>, Self)> {
        let kinds = records.kinds.iter().enumerate();
        let places = kinds.flat_map(|(number, kind)| {
            kind.places()
                .into_iter()
                .map(move |place| (number, kind, place))
        });
        places
            .map(|(number, kind, place)| {
                ((number, place), Self::of(kind, place, subjects, is_part))
            })
            .filter(|(_, found)| found.count > 0)
            .collect()
    }

    /// The first place of those with the most events, of which most name their jobs; nothing where hardly any has one.
    fn best<'f>(
        all: &'f [(Place<'r>, Self)],
        subjects: &[Subject<'_>],
    ) -> Option<(&'f Place<'r>, &'f Self)> {
        let lists = all
            .iter()
            .filter(|(_, found)| is_nearly_all(found.count, subjects.len()));
        let best = lists.min_by_key(|(_, found)| Reverse((found.count, found.jobs)));
        best.map(|(place, found)| (place, found))
    }

    fn of(kind: &'r Kind, place: &str, subjects: &[Subject<'_>], is_part: bool) -> Self {
        let mut by_value: HashMap<&str, Vec<(usize, &'r Record)>> = HashMap::new();
        let mut records = 0;
        for (number, list) in kind.lists.iter().enumerate() {
            for record in list {
                if let Some(said) = record.said(place)
                    && let (Some(value), 1) = (said.first(), said.len())
                {
                    records += 1;
                    by_value.entry(value).or_default().push((number, record));
                }
            }
        }
        let mut found = Self {
            of: vec![Vec::new(); subjects.len()],
            count: 0,
            jobs: 0,
            is_of_events_only: false,
        };
        let mut used = BTreeSet::new();
        for (own, subject) in found.of.iter_mut().zip(subjects) {
            let values = if is_part {
                parts(subject.id)
            } else {
                vec![subject.id]
            };
            let hits = values.iter().find_map(|value| {
                let one = one_of_each_list(by_value.get(value)?, subject)?;
                Some((*value, one))
            });
            let Some((value, hits)) = hits else { continue };
            let (names, mut bare) = (subject.job, hits.iter());
            found.count += 1;
            found.jobs += usize::from(names.is_some_and(|job| bare.all(|hit| hit.says(job))));
            used.insert(value);
            own.extend(hits);
        }
        let of_events = used
            .iter()
            .map(|value| by_value[value].len())
            .sum::<usize>();
        found.is_of_events_only = is_nearly_all(of_events, records);
        found
    }
}

/// One record of each list; where a list has several with one id, the one that names the job.
fn one_of_each_list<'r>(
    hits: &[(usize, &'r Record)],
    subject: &Subject<'_>,
) -> Option<Vec<&'r Record>> {
    let mut lists: BTreeMap<usize, Vec<&'r Record>> = BTreeMap::new();
    for (list, record) in hits {
        lists.entry(*list).or_default().push(record);
    }
    let mut one = Vec::new();
    for mut records in lists.into_values() {
        records.dedup();
        if records.len() > 1 {
            records.retain(|record| subject.job.is_some_and(|job| record.says(job)));
        }
        match records.as_slice() {
            [record] => one.push(*record),
            _ => return None,
        }
    }
    // Lists of several jobs may each have a run with that id.
    let of_job = |record: &&&'r Record| subject.job.is_some_and(|job| record.says(job));
    let named: Vec<&'r Record> = one.iter().filter(of_job).copied().collect();
    let differ = one.windows(2).any(|pair| pair[0] != pair[1]);
    Some(if differ && !named.is_empty() {
        named
    } else {
        one
    })
}

/// What an id that was put together may have been made of: what stands before or behind a sign in it, the longest first.
pub(super) fn parts(id: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = id
        .char_indices()
        .filter(|(_, letter)| !letter.is_alphanumeric())
        .flat_map(|(at, letter)| [&id[..at], &id[at + letter.len_utf8()..]])
        .filter(|part| !part.is_empty())
        .collect();
    parts.sort_by_key(|part| Reverse(part.len()));
    parts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn records(documents: &[serde_json::Value]) -> Records {
        let mut records = Records::default();
        documents.iter().for_each(|document| records.add(document));
        records
    }

    fn runs<'e>(ids: &[(&'e str, &'e str)]) -> Vec<Subject<'e>> {
        let of = |(id, job): &(&'e str, &'e str)| Subject { id, job: Some(job) };
        ids.iter().map(of).collect()
    }

    #[test]
    fn the_list_is_that_of_runs_and_not_of_jobs_with_the_same_numbers() {
        let records = records(&[
            json!({"jobs": [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]}),
            json!({"runs": [{"id": 1, "job": 2, "at": "x"}, {"id": 2, "job": 2, "at": "y"}]}),
            json!({"id": 2, "job": 2, "log": "long"}),
        ]);
        let found = Owners::find(&records, &runs(&[("1", "2"), ("2", "2")])).unwrap();
        let (kind, place) = found.list;
        assert_eq!(
            (records.kinds[kind].place.as_str(), place),
            (".runs[]", "id")
        );
        assert_eq!(found.columns[&(kind, "at")][1], BTreeSet::from(["y"]));
        assert!(found.everything(1).any(|said| said == "long"));
        assert!(!found.everything(0).any(|said| said == "long"));
    }

    #[test]
    fn ids_may_be_put_together() {
        let of = |dag: &str| json!({"dag": dag, "run": "manual__2026-01-01T00:00:00+00:00"});
        put_together(&records(&[json!([of("a"), of("b")])]));
        put_together(&records(&[json!([of("a")]), json!([of("b")])]));
    }

    fn put_together(records: &Records) {
        let ids = [
            ("a/manual__2026-01-01T00:00:00+00:00", "a"),
            ("b/manual__2026-01-01T00:00:00+00:00", "b"),
        ];
        let found = Owners::find(records, &runs(&ids)).unwrap();
        let dags = &found.columns[&(found.list.0, "dag")];
        assert_eq!(dags, &[BTreeSet::from(["a"]), BTreeSet::from(["b"])]);
    }

    #[test]
    fn what_bears_no_id_is_of_no_event() {
        let records = records(&[json!({"runs": [{"at": "x"}]})]);
        assert!(Owners::find(&records, &runs(&[("1", "2")])).is_none());
        assert!(Owners::find(&records, &[]).is_none());
    }
}
