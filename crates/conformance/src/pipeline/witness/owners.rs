//! Which records of the vendor an event is of: those that bear its id.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

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
    /// The kinds of records that those of the events name.
    joined: BTreeSet<usize>,
}

impl<'r> Owners<'r> {
    /// Finds the records of events; nothing where hardly any has one.
    pub(super) fn find(records: &'r Records, subjects: &[Subject<'_>]) -> Option<Self> {
        let jobs: BTreeSet<String> = subjects
            .iter()
            .filter_map(|subject| Some(subject.job?.to_owned()))
            .collect();
        let all = records.kinds.iter().flat_map(Kind::records);
        let named = all.map(|record| {
            let named = record.named(&jobs).map(String::as_str).collect();
            (std::ptr::from_ref(record), named)
        });
        let jobs: Named<'r> = named.collect();
        let whole: Vec<Vec<&str>> = subjects.iter().map(|subject| vec![subject.id]).collect();
        let by_id = Finds::everywhere(records, subjects, &whole, &jobs);
        // An id that was put together stands in no record whole.
        let by_part = match Finds::best(&by_id) {
            Some(_) => Vec::new(),
            None => {
                let all = records.kinds.iter().flat_map(Kind::records);
                let said = all.flat_map(|record| record.fields.values().flatten());
                let said: HashSet<&str> = said.map(String::as_str).collect();
                let mut parts: Vec<Vec<&str>> =
                    subjects.iter().map(|subject| parts(subject.id)).collect();
                parts
                    .iter_mut()
                    .for_each(|parts| parts.retain(|part| said.contains(part)));
                Finds::everywhere(records, subjects, &parts, &jobs)
            }
        };
        let (list, found) = Finds::best(&by_id).or_else(|| Finds::best(&by_part))?;
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
        let named = details.iter().filter(|(place, _)| place.1 == list.1);
        let whole = named.map(|(place, _)| place.0).chain([list.0]).collect();
        let mut owners = Self {
            list: *list,
            of: vec![Vec::new(); subjects.len()],
            columns: BTreeMap::new(),
            whole,
            joined: BTreeSet::new(),
        };
        owners.add(of);
        Some(owners)
    }

    fn add(&mut self, more: Vec<Vec<(usize, &'r Record)>>) {
        let events = more.len();
        let mut places: BTreeMap<Place<'r>, BTreeMap<usize, BTreeSet<&'r str>>> = BTreeMap::new();
        for (event, records) in more.into_iter().enumerate() {
            for (kind, record) in &records {
                for (place, said) in &record.fields {
                    let at = places.entry((*kind, place.as_str())).or_default();
                    let known = at.entry(event).or_default();
                    known.extend(said.iter().map(String::as_str));
                }
            }
            self.of[event].extend(records);
        }
        // What one event says alone is compared with nothing, and each may have names of its own.
        for (place, said) in places.into_iter().filter(|(_, said)| said.len() > 1) {
            let column = self.columns.entry(place);
            let column = column.or_insert_with(|| vec![BTreeSet::new(); events]);
            for (event, said) in said {
                column[event].extend(said);
            }
        }
    }

    /// The events whose record in the list is that of another event, too.
    pub(super) fn shared(&self) -> BTreeSet<usize> {
        let mut by_record: HashMap<*const Record, Vec<usize>> = HashMap::new();
        for (event, of) in self.of.iter().enumerate() {
            if let Some((_, record)) = of.iter().find(|(kind, _)| *kind == self.list.0) {
                let events = by_record.entry(std::ptr::from_ref(*record));
                events.or_default().push(event);
            }
        }
        let several = by_record.into_values().filter(|events| events.len() > 1);
        several.flatten().collect()
    }

    /// Adds the records of other kinds that those of the events name, each another one: whoever owns a job, say.
    pub(super) fn join(&mut self, records: &'r Records) {
        let owning = self.of.iter().filter(|of| !of.is_empty()).count();
        let own: BTreeSet<usize> = self.of.iter().flatten().map(|(kind, _)| *kind).collect();
        let mut joined = vec![Vec::new(); self.of.len()];
        let others = records.kinds.iter().enumerate();
        for (number, kind) in others.filter(|(number, _)| !own.contains(number)) {
            self.joined.insert(number);
            for place in kind.places() {
                let mut by_value: HashMap<&str, Option<&Record>> = HashMap::new();
                for record in kind.records() {
                    if let Some(value) = record.said(place).and_then(|said| said.first()) {
                        let known = by_value.entry(value).or_insert(Some(record));
                        *known = known.filter(|known| *known == record);
                    }
                }
                if by_value.len() < 2 {
                    continue;
                }
                let named = |said: &BTreeSet<&str>| {
                    *by_value.get(said.first().filter(|said| said.len() > 3)?)?
                };
                for column in self.columns.values() {
                    let of: Vec<Option<&Record>> = column.iter().map(named).collect();
                    let all = of.iter().flatten();
                    let distinct: BTreeSet<*const Record> =
                        all.clone().map(|one| std::ptr::from_ref(*one)).collect();
                    if distinct.len() > 1 && is_nearly_all(all.count(), owning) {
                        for (joined, record) in joined.iter_mut().zip(of) {
                            joined.extend(record.map(|record| (number, record)));
                        }
                    }
                }
            }
        }
        self.add(joined);
    }

    /// Every place with what stands there, event by event.
    pub(super) fn columns(&self) -> impl Iterator<Item = (Place<'r>, &Column<'r>)> {
        self.columns.iter().map(|(place, column)| (*place, column))
    }

    /// Whether something that the vendor says has other values for all of these than for those, or is said of one side only.
    pub(super) fn tells_apart(&self, these: &[usize], those: &[usize]) -> bool {
        self.columns.values().any(|column| {
            let has = |event: &usize| !column[*event].is_empty();
            let is_of_one_side = these.iter().all(has) && !those.iter().any(has)
                || those.iter().all(has) && !these.iter().any(has);
            is_of_one_side || differ(column, these, those)
        })
    }

    /// Whether records of a kind are about events, and not about parts of them.
    pub(super) fn is_whole(&self, kind: usize) -> bool {
        self.whole.contains(&kind)
    }

    /// Whether records of a kind have no event's id, but are named by records that do: there may be other ways to them.
    pub(super) fn is_joined(&self, kind: usize) -> bool {
        self.joined.contains(&kind)
    }

    /// Whether an event has records.
    pub(super) fn has(&self, event: usize) -> bool {
        !self.of[event].is_empty()
    }

    /// What an event's records say, each with its place.
    pub(super) fn own(&self, event: usize) -> impl Iterator<Item = (&'r str, &'r str)> {
        let fields = self.of[event].iter().flat_map(|(_, record)| &record.fields);
        fields
            .flat_map(|(place, said)| said.iter().map(move |said| (place.as_str(), said.as_str())))
    }

    /// Everything that an event's records say, and the lists in them.
    pub(super) fn everything(&self, event: usize) -> impl Iterator<Item = &'r str> + Clone {
        let records = self.of[event].iter();
        records
            .flat_map(|(_, record)| record.everything())
            .map(String::as_str)
    }
}

/// Whether these events have other values at a place than those. What is another for each tells nothing.
pub(super) fn differ(column: &Column<'_>, these: &[usize], those: &[usize]) -> bool {
    let values = |events: &[usize]| -> BTreeSet<&str> {
        let values = events
            .iter()
            .flat_map(|event| column[*event].iter().copied());
        let values: BTreeSet<&str> = values.collect();
        if values.len() <= (events.len() / 2).max(1) {
            values
        } else {
            BTreeSet::new()
        }
    };
    let (these, those) = (values(these), values(those));
    !these.is_empty() && !those.is_empty() && these.is_disjoint(&those)
}

/// Where a text that is wanted stands at more places than these, records keep things by their names.
const PLACES: usize = 100;

/// The places at which records have one text that is wanted. Of many only those that have two of them: what is kept by its
/// name stands at a place that no other record has.
fn places_of<'r>(kind: &'r Kind, wanted: &HashSet<&str>) -> BTreeSet<&'r str> {
    let mut first: HashMap<&'r str, &'r str> = HashMap::new();
    let mut places = BTreeSet::new();
    for (place, said) in kind.records().flat_map(|record| &record.fields) {
        if let (Some(value), 1) = (said.first(), said.len())
            && wanted.contains(value.as_str())
            && *first.entry(place).or_insert(value) != value
        {
            places.insert(place.as_str());
        }
    }
    if first.len() > PLACES {
        places
    } else {
        first.into_keys().collect()
    }
}

/// The records that have events' ids at one place.
struct Finds<'r> {
    of: Vec<Vec<&'r Record>>,
    /// How many events have one.
    count: usize,
    /// How many records those have.
    distinct: usize,
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
        ids: &[Vec<&str>],
        jobs: &Named<'r>,
    ) -> Vec<(Place<'r>, Self)> {
        let wanted: HashSet<&str> = ids.iter().flatten().copied().collect();
        let kinds = records.kinds.iter().enumerate();
        let places = kinds.flat_map(|(number, kind)| {
            let places = places_of(kind, &wanted).into_iter();
            places.map(move |place| (number, kind, place))
        });
        places
            .map(|(number, kind, place)| {
                ((number, place), Self::of(kind, place, subjects, ids, jobs))
            })
            .filter(|(_, found)| found.count > 0)
            .collect()
    }

    /// The first place of those with the most events, of which most name their jobs; nothing where hardly any has one, or
    /// one of its own: a job's record is not that of each of its runs.
    fn best<'f>(all: &'f [(Place<'r>, Self)]) -> Option<(&'f Place<'r>, &'f Self)> {
        let lists = all
            .iter()
            .filter(|(_, found)| is_nearly_all(found.count, found.of.len()))
            .filter(|(_, found)| is_nearly_all(found.distinct, found.count));
        let best = lists.min_by_key(|(_, found)| Reverse((found.count, found.jobs)));
        best.map(|(place, found)| (place, found))
    }

    fn of(
        kind: &'r Kind,
        place: &str,
        subjects: &[Subject<'_>],
        ids: &[Vec<&str>],
        jobs: &Named<'r>,
    ) -> Self {
        let mut by_value: HashMap<&str, Vec<Hit<'r>>> = HashMap::new();
        let mut of_job: HashMap<(&str, &str), Vec<Hit<'r>>> = HashMap::new();
        let mut records = 0;
        for (number, list) in kind.lists.iter().enumerate() {
            for record in list {
                if let Some(said) = record.said(place)
                    && let (Some(value), 1) = (said.first(), said.len())
                {
                    records += 1;
                    by_value.entry(value).or_default().push((number, record));
                    for job in jobs.get(&std::ptr::from_ref(record)).into_iter().flatten() {
                        let of_job = of_job.entry((value, job)).or_default();
                        of_job.push((number, record));
                    }
                }
            }
        }
        let mut found = Self {
            of: vec![Vec::new(); subjects.len()],
            count: 0,
            distinct: 0,
            jobs: 0,
            is_of_events_only: false,
        };
        let (mut used, mut firsts) = (BTreeSet::new(), BTreeSet::new());
        let mut bare: HashMap<&str, Option<Vec<&'r Record>>> = HashMap::new();
        for ((own, subject), values) in found.of.iter_mut().zip(subjects).zip(ids) {
            let hits = values.iter().find_map(|value| {
                // Lists of several jobs may each have a run with that id.
                let named = subject.job.and_then(|job| of_job.get(&(*value, job)));
                let one = match named {
                    Some(hits) => one_of_each_list(hits),
                    None => {
                        let one = || one_of_each_list(by_value.get(value)?);
                        bare.entry(value).or_insert_with(one).clone()
                    }
                };
                Some((*value, one?, named.is_some()))
            });
            let Some((value, hits, is_named)) = hits else {
                continue;
            };
            found.count += 1;
            found.jobs += usize::from(is_named);
            used.insert(value);
            firsts.insert(hits.first().map(|hit| std::ptr::from_ref(*hit)));
            own.extend(hits);
        }
        let of_events = used
            .iter()
            .map(|value| by_value[value].len())
            .sum::<usize>();
        found.distinct = firsts.len();
        found.is_of_events_only = is_nearly_all(of_events, records);
        found
    }
}

/// A record with the number of the list that it stands in.
type Hit<'r> = (usize, &'r Record);

/// The names of jobs that records say.
type Named<'r> = HashMap<*const Record, Vec<&'r str>>;

/// One record of each list; nothing where a list has several.
fn one_of_each_list<'r>(hits: &[Hit<'r>]) -> Option<Vec<&'r Record>> {
    let mut lists: BTreeMap<usize, &'r Record> = BTreeMap::new();
    for (list, record) in hits {
        if lists
            .insert(*list, record)
            .is_some_and(|other| other != *record)
        {
            return None;
        }
    }
    Some(lists.into_values().collect())
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
