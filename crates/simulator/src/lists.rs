//! Long lists, split in each of the styles that vendors have.

use std::collections::HashMap;
use std::sync::Arc;

use fastrand::Rng;
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use crate::parameters::Parameters;
use crate::record;
use crate::scenario::{Order, PagingStyle, Scenario};
use crate::world::{Run, World};

/// The entry of a record in a list: what the list is sorted by, and the record's number.
type Entry = (i64, usize);

/// Sorted lists, kept while nothing changes.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    generation: u64,
    sorted: HashMap<Filter, Arc<Vec<Entry>>>,
    /// How many pages of runs were given.
    pub(crate) pages: u64,
}

/// Runs of the same hour are in any order where only the hour is sorted by, in microseconds.
const TIE: i64 = 3_600_000_000;

/// Which records are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Filter {
    subject: Subject,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Subject {
    Jobs,
    /// Runs by when they changed.
    Changed,
    /// Runs that have ended, by when.
    Ended,
    /// Runs that have not.
    Open,
}

/// A part of a list, and what the vendor says about the rest.
struct Part {
    entries: Vec<Entry>,
    total: usize,
    rest: Rest,
}

enum Rest {
    Nothing,
    /// The number of the page, and how many there are.
    Pages(usize, usize),
    /// Where to go on, if there is more.
    Cursor(Option<String>),
}

impl Lists {
    /// The list of jobs, in the order in which they were made.
    pub(crate) fn jobs(
        &mut self,
        world: &World,
        scenario: &Scenario,
        parameters: &Parameters,
        base: &str,
    ) -> Json {
        let filter = Filter {
            subject: Subject::Jobs,
            since: None,
            until: None,
        };
        let list = self.sorted(world, scenario, filter);
        let find = |id: &str| {
            let number: usize = id.strip_prefix("job-")?.parse().ok()?;
            world.jobs.get(number)?.now()?;
            Some((creation_key(number), number))
        };
        let part = split(&list, scenario, parameters, &find);
        let records = part
            .entries
            .iter()
            .filter_map(|(_, number)| world.jobs[*number].now().map(record::job));
        let records: Vec<Json> = records.collect();
        answer(
            records,
            &part,
            scenario,
            parameters,
            &format!("{base}/api/jobs"),
        )
    }

    /// A list of runs.
    pub(crate) fn runs(
        &mut self,
        world: &World,
        scenario: &Scenario,
        parameters: &Parameters,
        base: &str,
    ) -> Json {
        let time = |name| scenario.times.read(&parameters.text(name)?);
        let filter = Filter {
            subject: match parameters.text("state").as_deref() {
                Some("ended") => Subject::Ended,
                Some("open") => Subject::Open,
                _ => Subject::Changed,
            },
            since: time("since"),
            until: time("until"),
        };
        self.pages += 1;
        let mut list = self.sorted(world, scenario, filter);
        if scenario.shuffled && matches!(scenario.paging, PagingStyle::Offset | PagingStyle::Number)
        {
            let mut rng = Rng::with_seed(self.pages);
            let mut ties: Vec<(i64, u64, Entry)> = list
                .iter()
                .map(|entry| (entry.0.div_euclid(TIE), rng.u64(..), *entry))
                .collect();
            ties.sort_unstable();
            list = Arc::new(ties.into_iter().map(|(_, _, entry)| entry).collect());
        }
        let find = |id: &str| {
            let number = world.number(id)?;
            Some((sort_key(scenario.order, world.runs[number].now()?), number))
        };
        let part = split(&list, scenario, parameters, &find);
        let records = part
            .entries
            .iter()
            .filter_map(|(_, number)| world.runs[*number].now())
            .map(|run| record::run(world, scenario, run));
        let records: Vec<Json> = records.collect();
        answer(
            records,
            &part,
            scenario,
            parameters,
            &format!("{base}/api/runs"),
        )
    }

    fn sorted(&mut self, world: &World, scenario: &Scenario, filter: Filter) -> Arc<Vec<Entry>> {
        if self.generation != world.generation {
            self.generation = world.generation;
            self.sorted.clear();
        }
        let list = self.sorted.entry(filter).or_insert_with_key(|filter| {
            let mut entries: Vec<Entry> = match filter.subject {
                Subject::Jobs => world
                    .jobs
                    .iter()
                    .enumerate()
                    .filter(|(_, job)| job.now().is_some())
                    .map(|(number, _)| (creation_key(number), number))
                    .collect(),
                _ => world
                    .runs
                    .iter()
                    .enumerate()
                    .filter_map(|(number, run)| Some((number, run.now()?)))
                    .filter(|(_, run)| filter.holds(run))
                    .map(|(number, run)| (sort_key(scenario.order, run), number))
                    .collect(),
            };
            entries.sort_unstable();
            Arc::new(entries)
        });
        Arc::clone(list)
    }
}

impl Filter {
    fn holds(&self, run: &Run) -> bool {
        let at = match (self.subject, run.ended) {
            (Subject::Ended, None) | (Subject::Open, Some(_)) => return false,
            (Subject::Open, None) => return true,
            (Subject::Ended, Some(ended)) => ended,
            (Subject::Jobs | Subject::Changed, _) => run.updated,
        };
        self.since.is_none_or(|since| since <= at) && self.until.is_none_or(|until| at < until)
    }
}

fn creation_key(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn sort_key(order: Order, run: &Run) -> i64 {
    match order {
        Order::Newest => -run.queued.as_microsecond(),
        Order::Oldest => run.queued.as_microsecond(),
        Order::LastChanged => -run.updated.as_microsecond(),
        Order::FirstChanged => run.updated.as_microsecond(),
        Order::Rank => i64::from(run.rank),
    }
}

/// The part of a list that a request asks for.
fn split(
    list: &[Entry],
    scenario: &Scenario,
    parameters: &Parameters,
    find: &dyn Fn(&str) -> Option<Entry>,
) -> Part {
    let asked = parameters.number("limit").unwrap_or(scenario.most);
    let size = asked.clamp(1, scenario.most.max(1));
    let take = |from: usize| -> Vec<Entry> { list.iter().skip(from).take(size).copied().collect() };
    let behind = |entry: Entry| list.partition_point(|other| *other <= entry);
    let (entries, rest) = match scenario.paging {
        PagingStyle::None => (list.to_vec(), Rest::Nothing),
        PagingStyle::Offset => (
            take(parameters.number("offset").unwrap_or(0)),
            Rest::Nothing,
        ),
        PagingStyle::Number => {
            let page = parameters.number("page").unwrap_or(1).max(1);
            let pages = list.len().div_ceil(size);
            let page = if scenario.clamped {
                page.min(pages.max(1))
            } else {
                page
            };
            (take((page - 1) * size), Rest::Pages(page, pages))
        }
        // Where a record that nobody knows stands, nobody knows.
        PagingStyle::After => match parameters.text("after") {
            None => (take(0), Rest::Nothing),
            Some(id) => (
                find(&id).map_or_else(Vec::new, |entry| take(behind(entry))),
                Rest::Nothing,
            ),
        },
        PagingStyle::Cursor | PagingStyle::Link => {
            let from = parameters.text("cursor").and_then(|text| {
                let (key, number) = text.split_once('.')?;
                Some((key.parse().ok()?, number.parse().ok()?))
            });
            let from = from.map_or(0, behind);
            let entries = take(from);
            let more = from + entries.len() < list.len();
            let next = entries.last().filter(|_| more);
            let cursor = next.map(|(key, number)| format!("{key}.{number}"));
            (entries, Rest::Cursor(cursor))
        }
    };
    Part {
        entries,
        total: list.len(),
        rest,
    }
}

fn answer(
    records: Vec<Json>,
    part: &Part,
    scenario: &Scenario,
    parameters: &Parameters,
    address: &str,
) -> Json {
    let mut body = match (scenario.paging, &part.rest) {
        (PagingStyle::None, _) => return records.into(),
        (PagingStyle::Link, Rest::Cursor(next)) => {
            let query = parameters.query_without("cursor");
            let next = next
                .as_ref()
                .map(|cursor| format!("{address}?cursor={cursor}{query}"));
            json!({"items": records, "links": {"next": next}})
        }
        (_, Rest::Cursor(next)) => json!({"items": records, "next": next}),
        (_, Rest::Pages(page, pages)) if !scenario.says_total => {
            if scenario.says_end() {
                json!({"items": records, "page": page, "pages": pages})
            } else {
                json!({"items": records})
            }
        }
        _ => json!({"items": records}),
    };
    if scenario.says_total {
        body["total"] = part.total.into();
    }
    body
}
