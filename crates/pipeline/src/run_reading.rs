//! A reading of runs: which of a page's rows are asked for, what they need besides, and each run once.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

use bowline_contract::pipeline::{EventTime, RunEvent};
use bowline_template::{Scope, Value};
use bowline_words::counted;
use jiff::{SignedDuration, Timestamp};

use crate::described::{DescribedPipeline, RUN_IDS, rows_of, window_scope, with_sources};
use crate::description::{self, FieldTree, Mapping, Source};
use crate::error::{SourceError, SourceErrorKind};
use crate::expression::{Expression, text_of, to_json, to_value};
use crate::failed::Part;
use crate::http::Turn;
use crate::pipeline::{RunQuery, Summary};
use crate::source_reader::{LoadedSource, Mark, Row, SourceReader, Sources, place_of};
use crate::stand::{Stand, changed};
use crate::status::map_run;

/// How many rows are completed together at most. What they need besides is asked for side by side, so that few rows at
/// a time would leave requests unused.
const CHUNK: usize = 500;
/// How many the first are, each group after it twice as many: what they need is asked for while pages are still read.
const FIRST_CHUNK: usize = 100;
/// For how many groups what they need is asked at the same time: while the last requests of one are under way, those of
/// the next take the places that are free.
const GROUPS: usize = 2;

/// How often is looked whether a group has what it needs, while pages are waited for.
const SLICE: Duration = Duration::from_millis(10);

/// A reading of runs under way.
pub(crate) struct RunReading<'s, 'e> {
    pipeline: &'s DescribedPipeline,
    reader: SourceReader<'s>,
    query: &'s RunQuery,
    page_size: Option<NonZeroUsize>,
    scope: Scope,
    /// Sources that do not hang on runs; read once.
    sources: Sources,
    /// The names that stand for the runs at hand.
    groups: BTreeSet<String>,
    /// Sources that are read anew for each page of runs.
    per_page: BTreeSet<String>,
    /// The names that `event_time` hangs on.
    time_names: BTreeSet<String>,
    /// Whether `event_time` can be told before the sources of each page are read.
    early_time: bool,
    seen: HashMap<Mark, Stand>,
    /// Of runs that were handed on and came again later on, how they stood then.
    newer: HashMap<Mark, RunEvent>,
    /// The places of sources that are asked for each run.
    of_runs: BTreeSet<usize>,
    /// How many runs were left out for a time that none can have, and the first such time.
    sentinels: (usize, Timestamp),
    /// How many runs are later than now, and the latest.
    ahead: (usize, Timestamp),
    /// That of the requests for the last group of rows; pages go before all groups, and groups in their order.
    turn: Turn,
    /// Whether the reading has failed: what is still under way is not wanted.
    is_over: Arc<AtomicBool>,
    summary: Summary,
    requests_before: u64,
    on_event: &'e mut dyn FnMut(RunEvent),
}

impl<'s, 'e> RunReading<'s, 'e> {
    pub(crate) fn new(
        pipeline: &'s DescribedPipeline,
        query: &'s RunQuery,
        page_size: Option<NonZeroUsize>,
        on_event: &'e mut dyn FnMut(RunEvent),
    ) -> Self {
        let description = &pipeline.description;
        let runs = &description.runs;
        let groups: BTreeSet<String> = std::iter::once(&runs.mapping.from)
            .chain(&runs.also)
            .chain(&runs.by_id)
            .cloned()
            .collect();
        let mut per_page = BTreeSet::new();
        loop {
            let before = per_page.len();
            for (name, other) in &description.sources {
                let hangs = description::source_names(other)
                    .iter()
                    .any(|name| groups.contains(name) || per_page.contains(name));
                if hangs && !groups.contains(name) {
                    per_page.insert(name.clone());
                }
            }
            if per_page.len() == before {
                break;
            }
        }
        let of_runs = description
            .sources
            .values()
            .filter(|source| source.origin.source().is_some_and(|of| groups.contains(of)))
            .map(place_of)
            .collect();
        let time_names = names_behind(&runs.mapping, EVENT_TIME);
        let early_time = time_names.is_disjoint(&per_page);
        let (scope, ids) = match query {
            RunQuery::Window(window) => (window_scope(&pipeline.scope, *window), Vec::new()),
            RunQuery::Ids(ids) => (pipeline.scope.with([(RUN_IDS, texts(ids))]), ids.clone()),
        };
        let id_rows = ids.into_iter().map(|id| Row::of(Value::from(id)));
        let sources = Sources::from([(
            RUN_IDS.to_owned(),
            Arc::new(LoadedSource::list(id_rows.collect())),
        )]);
        Self {
            pipeline,
            reader: SourceReader::new(&pipeline.client, page_size),
            query,
            page_size,
            scope,
            sources,
            groups,
            per_page,
            time_names,
            early_time,
            seen: HashMap::new(),
            newer: HashMap::new(),
            of_runs,
            sentinels: (0, Timestamp::UNIX_EPOCH),
            ahead: (0, pipeline.client.now()),
            turn: Turn::default(),
            is_over: Arc::default(),
            summary: Summary::default(),
            requests_before: pipeline.client.requests(),
            on_event,
        }
    }

    /// Reads a source of runs and hands on what is asked for.
    pub(crate) fn read(&mut self, name: &str) -> Result<(), SourceError> {
        let description = &self.pipeline.description;
        let source = &description.sources[name];
        let scope = self.scope.clone();
        let reader = SourceReader::new(&self.pipeline.client, self.page_size).following_changes();
        if source.origin.drivers().is_some() {
            let mut drivers = Vec::new();
            if let Some(other) = source.origin.source() {
                self.load_for(other)?;
                drivers.extend_from_slice(rows_of(&self.sources, other));
            }
            let loaded = reader.load(source, &scope, &drivers)?;
            self.rows(loaded.rows)?;
        } else if self.pipeline.client.in_flight() == 1 {
            reader.walk(source, &scope, &mut |rows| self.rows(rows))?;
        } else {
            self.walk_ahead(&reader, source, &scope)?;
        }
        self.reader.absorb(reader)
    }

    /// Reads pages in a thread of its own, while the rows of those before are completed.
    fn walk_ahead(
        &mut self,
        reader: &SourceReader<'_>,
        source: &Source,
        scope: &Scope,
    ) -> Result<(), SourceError> {
        thread::scope(|threads| {
            let (sender, receiver) = mpsc::sync_channel(1);
            let walker = threads.spawn(move || {
                let mut group: Vec<Row> = Vec::new();
                let mut enough = FIRST_CHUNK;
                let walked = reader.walk(source, scope, &mut |rows| {
                    group.extend(rows);
                    if group.len() < enough {
                        return Ok(());
                    }
                    enough = CHUNK.min(enough * 2);
                    // Nobody takes rows any more when completing those before has failed, and then that is the error.
                    sender
                        .send(std::mem::take(&mut group))
                        .map_err(|_| SourceError::new(SourceErrorKind::Cancelled, "the reading"))
                });
                // What was read before a failure is handed on all the same.
                let _given_up = sender.send(group);
                walked
            });
            let completed = self.complete_groups(&receiver, |group| threads.spawn(|| group.load()));
            if completed.is_err() {
                self.is_over.store(true, Ordering::Relaxed);
            }
            drop(receiver);
            let walked = joined(walker);
            completed.and(walked)
        })
    }

    /// Completes the rows that arrive, in their order; what some groups of them need is asked for at the same time.
    fn complete_groups<'t>(
        &mut self,
        rows: &Receiver<Vec<Row>>,
        mut load: impl FnMut(Group<'s>) -> Loading<'t, 's>,
    ) -> Result<(), SourceError> {
        let mut arrived: VecDeque<Vec<Row>> = VecDeque::new();
        let mut under_way: VecDeque<Loading<'t, 's>> = VecDeque::new();
        let mut outcome = Ok(());
        let mut is_read = false;
        loop {
            let is_done = under_way.front().is_some_and(ScopedJoinHandle::is_finished);
            let has_no_more = is_read && arrived.is_empty();
            if (is_done || has_no_more || under_way.len() == GROUPS)
                && let Some(first) = under_way.pop_front()
            {
                self.complete(joined(first)?)?;
            } else if has_no_more {
                return outcome;
            } else if let Some(chunk) = arrived.pop_front() {
                match self.group(chunk) {
                    Ok(group) => under_way.extend(group.map(&mut load)),
                    // What was read before is handed on all the same.
                    Err(error) => {
                        (outcome, is_read) = (Err(error), true);
                        arrived.clear();
                    }
                }
            } else {
                match rows.recv_timeout(SLICE) {
                    Ok(rows) => {
                        self.load_shared()?;
                        arrived.extend(chunks(rows));
                    }
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => is_read = true,
                }
            }
        }
    }

    /// What the reading came to.
    ///
    /// # Errors
    /// What failed for every record.
    pub(crate) fn finish(mut self) -> Result<Summary, SourceError> {
        self.summary.requests = self.pipeline.client.requests() - self.requests_before;
        self.summary.sentinels = self.sentinel_words();
        self.reader.finish(&mut self.summary)?;
        self.summary.newer = self.newer.into_values().collect();
        self.summary.notes.extend(changed(&self.summary.newer));
        self.summary.notes.extend(self.summary.sentinels.clone());
        let (ahead, latest) = self.ahead;
        if ahead > 0 && ahead == self.summary.outside && self.summary.events == 0 {
            let hours = latest
                .duration_since(self.pipeline.client.now())
                .as_secs_f64()
                / 3600.0;
            self.summary.notes.push(format!(
                "the {ahead} runs that came are all in the future, by up to {hours:.1} h: their times seem to be local, \
                 and not in the zone that they say; name it: `| time('%Y-%m-%dT%H:%M:%SZ', 'Europe/Berlin')`"
            ));
        }
        Ok(self.summary)
    }

    /// What is said of runs that were left out for a time that stands for none.
    fn sentinel_words(&self) -> Option<String> {
        let (count, time) = self.sentinels;
        let expression = expression_of(self.mapping(), EVENT_TIME);
        let given = expression.map_or_else(String::new, |expression| {
            format!(" by `{}` (line {})", expression.text(), expression.line())
        });
        (count > 0).then(|| format!(
            "{} left out because no run can have its `{EVENT_TIME}`, such as {time}{given}: the vendor seems to write \
             that where there is no time, as for the end of a run under way; give the time that it began there, as with \
             `(record.ended if record.state == 'DONE' else record.started) | time`",
            counted(count, "run")
        ))
    }

    /// Takes note of a run that is left out because its time is not in the window.
    fn outside(&mut self, time: Option<Timestamp>) {
        self.summary.outside += 1;
        if let Some(time) = time.filter(|time| !CREDIBLE.contains(&time.as_second())) {
            let first = if self.sentinels.0 == 0 {
                time
            } else {
                self.sentinels.1
            };
            self.sentinels = (self.sentinels.0 + 1, first);
        }
    }

    fn mapping(&self) -> &'s Mapping {
        &self.pipeline.description.runs.mapping
    }

    fn load_for(&mut self, name: &str) -> Result<(), SourceError> {
        self.pipeline.load(
            &self.reader,
            name,
            &self.scope,
            &mut self.sources,
            &self.groups,
        )
    }

    /// Loads the sources that do not hang on the runs at hand.
    fn load_shared(&mut self) -> Result<(), SourceError> {
        for name in self.pipeline.sources_of(self.mapping()) {
            if !self.per_page.contains(&name) {
                self.load_for(&name)?;
            }
        }
        Ok(())
    }

    /// Hands on what is asked for of some rows.
    pub(crate) fn rows(&mut self, rows: Vec<Row>) -> Result<(), SourceError> {
        self.load_shared()?;
        for rows in chunks(rows) {
            if let Some(group) = self.group(rows)? {
                self.complete(group.load()?)?;
            }
        }
        Ok(())
    }

    /// Those of some rows that are asked for.
    fn group(&mut self, rows: Vec<Row>) -> Result<Option<Group<'s>>, SourceError> {
        self.summary.records += rows.len();
        let mapping = self.mapping();
        let scope = with_sources(&self.scope, &self.sources);
        let mut wanted = Vec::new();
        for row in rows {
            let row_scope = row.scope(&scope);
            let counts = self
                .reader
                .holds(mapping.when.as_ref(), &row_scope, &row.record);
            let place = counts.and_then(|counts| {
                if !counts {
                    Ok(Place::PassedOver)
                } else if self.early_time {
                    self.place(&row, &scope)
                } else {
                    Ok(Place::Asked)
                }
            });
            match self.made(&row, &scope, place)? {
                Some(Place::PassedOver) => self.summary.passed_over += 1,
                Some(Place::Outside(time)) => self.outside(time),
                Some(Place::Asked) => wanted.push(row),
                None => {}
            }
        }
        if wanted.is_empty() {
            return Ok(None);
        }
        self.turn = self.turn.next();
        let rows = Arc::new(LoadedSource::list(wanted));
        let mut sources = self.sources.clone();
        for name in &self.groups {
            sources.insert(name.clone(), Arc::clone(&rows));
        }
        Ok(Some(Group {
            pipeline: self.pipeline,
            reader: SourceReader::new(&self.pipeline.client, self.page_size)
                .of_part(self.turn, &self.is_over),
            scope: self.scope.clone(),
            rows,
            sources,
        }))
    }

    /// Makes the runs of a group, and hands on what is asked for.
    fn complete(&mut self, group: Group<'s>) -> Result<(), SourceError> {
        let mapping = self.mapping();
        self.reader.absorb(group.reader)?;
        let scope = with_sources(&self.scope, &self.sources);
        self.reader.name_lists(&self.of_runs, |record| {
            let row = Row::of(to_value(record.clone()));
            self.id_of(&row, &scope)
        });
        let scope = with_sources(&self.scope, &group.sources);
        let manifest = &self.pipeline.manifest;
        for row in &group.rows.rows {
            let reader = &self.reader;
            let make = || reader.run(mapping, &scope, row);
            let run = self.pipeline.explaining(reader, mapping, row, make);
            let Some((mut run, key)) = self.made(row, &scope, run)? else {
                continue;
            };
            reader.name_failed(Part::Entry, run.run_source_id());
            if !self.query.asks_for(&run) {
                let time = run.event_time();
                self.outside(time.filter(|_| matches!(self.query, RunQuery::Window(_))));
                continue;
            }
            let stand = Stand::of(&run);
            // Runs without an id are not the same run; validation tells of them.
            match key.map(|key| (key, self.seen.entry(key))) {
                None => {}
                Some((_, Entry::Vacant(place))) => {
                    place.insert(stand);
                }
                Some((key, Entry::Occupied(mut before))) => {
                    self.summary.repeated += 1;
                    if stand.is_after(*before.get()) {
                        before.insert(stand);
                        map_run(manifest, &mut run, &mut self.summary.unmapped);
                        self.newer.insert(key, run);
                    }
                    continue;
                }
            }
            map_run(manifest, &mut run, &mut self.summary.unmapped);
            self.summary.events += 1;
            (self.on_event)(run);
        }
        Ok(())
    }

    /// Goes on without a run that an expression failed on, and says which it is.
    fn made<T>(
        &self,
        row: &Row,
        scope: &Scope,
        made: Result<T, SourceError>,
    ) -> Result<Option<T>, SourceError> {
        let failed = made.is_err();
        let made = self
            .reader
            .one_of_many(self.mapping(), Part::Run, &row.record, made)?;
        if failed {
            let id = self.id_of(row, scope);
            self.reader.name_failed(Part::Run, id.as_deref());
        }
        Ok(made)
    }

    /// The id of the run of a row, where it can be told whatever else fails.
    fn id_of(&self, row: &Row, scope: &Scope) -> Option<String> {
        let mapping = self.mapping();
        let expression = expression_of(mapping, RUN_SOURCE_ID)?;
        let names = names_behind(mapping, RUN_SOURCE_ID);
        let wanted = |name: &str| names.contains(name);
        let scope = self.reader.row_scope(mapping, scope, row, wanted).ok()?;
        let id = to_json(&expression.evaluate(&scope).ok()?);
        (!id.is_null()).then(|| text_of(&id))
    }

    /// Where a row's time puts it; a time that cannot be read is left to validation.
    fn place(&mut self, row: &Row, scope: &Scope) -> Result<Place, SourceError> {
        let (RunQuery::Window(window), Some(expression)) =
            (self.query, expression_of(self.mapping(), EVENT_TIME))
        else {
            return Ok(Place::Asked);
        };
        let scope = self.reader.row_scope(self.mapping(), scope, row, |name| {
            self.time_names.contains(name)
        })?;
        let time = self.reader.evaluate(expression, &scope, &row.record)?;
        let time = to_json(&time);
        let time = time.as_str().and_then(|text| EventTime::parse(text).ok());
        let time = time.map(|time| time.timestamp());
        let is_inside = time.is_none_or(|time| window.contains(time));
        let is_ahead = |time: &Timestamp| {
            *time > self.pipeline.client.now() + AHEAD && CREDIBLE.contains(&time.as_second())
        };
        if let Some(time) = time.filter(is_ahead) {
            self.ahead = (self.ahead.0 + 1, self.ahead.1.max(time));
        }
        Ok(if is_inside {
            Place::Asked
        } else {
            Place::Outside(time)
        })
    }
}

/// Rows that are asked for, and what they need besides.
struct Group<'p> {
    pipeline: &'p DescribedPipeline,
    reader: SourceReader<'p>,
    scope: Scope,
    rows: Arc<LoadedSource>,
    sources: Sources,
}

/// A group on its way.
type Loading<'t, 'p> = ScopedJoinHandle<'t, Result<Group<'p>, SourceError>>;

impl Group<'_> {
    /// The same, with what the rows need besides.
    fn load(mut self) -> Result<Self, SourceError> {
        let pipeline = self.pipeline;
        for name in pipeline.sources_of(&pipeline.description.runs.mapping) {
            pipeline.load(
                &self.reader,
                &name,
                &self.scope,
                &mut self.sources,
                &BTreeSet::new(),
            )?;
        }
        Ok(self)
    }
}

/// The same rows, so many together as are completed together.
fn chunks(rows: Vec<Row>) -> impl Iterator<Item = Vec<Row>> {
    let mut rows = rows.into_iter();
    std::iter::from_fn(move || {
        let chunk: Vec<Row> = rows.by_ref().take(CHUNK).collect();
        (!chunk.is_empty()).then_some(chunk)
    })
}

/// What a thread came to.
fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// What a row is to a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// It does not count.
    PassedOver,
    /// Its time is outside the window.
    Outside(Option<Timestamp>),
    /// It is asked for.
    Asked,
}

/// How far a run's time may be ahead of our clock before it is in the future.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// From 1980 until 2200, in seconds since 1970: what lies elsewhere is no time of a run, but what a vendor writes for none.
const CREDIBLE: std::ops::Range<i64> = 315_532_800..7_258_118_400;

const EVENT_TIME: &str = "event_time";
const RUN_SOURCE_ID: &str = "run_source_id";

fn texts(ids: &[String]) -> Value {
    Value::list(ids.iter().map(|id| Value::from(id.as_str())).collect())
}

/// The expression that a field is made by, where it is one.
fn expression_of<'m>(mapping: &'m Mapping, field: &str) -> Option<&'m Expression> {
    let FieldTree::Record { fields, .. } = &mapping.fields else {
        return None;
    };
    fields.iter().find_map(|(name, tree)| match tree {
        FieldTree::Value(expression) if name == field => Some(expression),
        _ => None,
    })
}

/// The names that a field hangs on, shared values included.
fn names_behind(mapping: &Mapping, field: &str) -> BTreeSet<String> {
    let lets: BTreeMap<&str, _> = mapping
        .lets
        .iter()
        .map(|(name, let_)| (name.as_str(), let_))
        .collect();
    let mut names = BTreeSet::new();
    let mut open: Vec<String> = expression_of(mapping, field)
        .into_iter()
        .flat_map(Expression::names)
        .collect();
    while let Some(name) = open.pop() {
        if let Some(expression) = lets.get(name.as_str())
            && !names.contains(&name)
        {
            open.extend(expression.names());
        }
        names.insert(name);
    }
    names
}
