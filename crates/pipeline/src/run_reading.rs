//! A reading of runs: which of a page's rows are asked for, what they need besides, and each run once.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::num::NonZeroUsize;
use std::sync::{Arc, mpsc};
use std::thread;

use bowline_contract::pipeline::{EventTime, RunEvent};
use bowline_template::{Scope, Value};

use crate::described::{DescribedPipeline, RUN_IDS, rows_of, window_scope, with_sources};
use crate::description::{self, FieldTree, Mapping, Source};
use crate::error::{SourceError, SourceErrorKind};
use crate::expression::to_json;
use crate::pipeline::{RunQuery, Summary};
use crate::source_reader::{LoadedSource, Row, SourceReader, Sources};
use crate::status::map_run;

/// How many rows are completed together. What they need besides is asked for side by side, so that few rows at a time
/// would leave requests unused.
const CHUNK: usize = 500;

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
    seen: HashSet<(String, String)>,
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
        let time_names = time_names(&runs.mapping);
        let early_time = time_names.is_disjoint(&per_page);
        let (scope, ids) = match query {
            RunQuery::Window(window) => (window_scope(&pipeline.scope, *window), Vec::new()),
            RunQuery::Ids(ids) => (pipeline.scope.with([(RUN_IDS, texts(ids))]), ids.clone()),
        };
        let id_rows = ids.into_iter().map(|id| Row {
            record: Value::from(id),
            parent: Value::NONE,
        });
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
            seen: HashSet::new(),
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
        if let Some(other) = source.origin.source() {
            self.load_for(other)?;
            let drivers = rows_of(&self.sources, other).to_vec();
            let loaded = self.reader.load(source, &scope, &drivers)?;
            return self.rows(loaded.rows);
        }
        let reader = SourceReader::new(&self.pipeline.client, self.page_size);
        if self.pipeline.client.in_flight() == 1 {
            reader.walk(source, &scope, &mut |rows| self.rows(rows))?;
        } else {
            self.walk_ahead(&reader, source, &scope)?;
        }
        for note in reader.into_notes() {
            self.reader.note(note);
        }
        Ok(())
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
                let walked = reader.walk(source, scope, &mut |rows| {
                    group.extend(rows);
                    if group.len() < CHUNK {
                        return Ok(());
                    }
                    // Nobody takes rows any more when completing those before has failed, and then that is the error.
                    sender
                        .send(std::mem::take(&mut group))
                        .map_err(|_| SourceError::new(SourceErrorKind::Cancelled, "the reading"))
                });
                // What was read before a failure is handed on all the same.
                let _given_up = sender.send(group);
                walked
            });
            for rows in receiver {
                self.rows(rows)?;
            }
            walker
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// What the reading came to.
    pub(crate) fn finish(mut self) -> Summary {
        self.summary.requests = self.pipeline.client.requests() - self.requests_before;
        self.summary.notes = self.reader.into_notes();
        self.summary
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

    fn rows(&mut self, rows: Vec<Row>) -> Result<(), SourceError> {
        self.summary.records += rows.len();
        for name in self.pipeline.sources_of(self.mapping()) {
            if !self.per_page.contains(&name) {
                self.load_for(&name)?;
            }
        }
        let scope = with_sources(&self.scope, &self.sources);
        let mut rows = rows.into_iter();
        loop {
            let chunk: Vec<Row> = rows.by_ref().take(CHUNK).collect();
            if chunk.is_empty() {
                return Ok(());
            }
            self.chunk(chunk, &scope)?;
        }
    }

    fn chunk(&mut self, rows: Vec<Row>, scope: &Scope) -> Result<(), SourceError> {
        let mapping = self.mapping();
        let mut wanted = Vec::new();
        for row in rows {
            let row_scope = scope.with([
                ("record", row.record.clone()),
                ("parent", row.parent.clone()),
            ]);
            if !self
                .reader
                .holds(mapping.when.as_ref(), &row_scope, &row.record)?
            {
                self.summary.passed_over += 1;
            } else if self.early_time && !self.in_time(&row, scope)? {
                self.summary.outside += 1;
            } else {
                wanted.push(row);
            }
        }
        if wanted.is_empty() {
            return Ok(());
        }
        let mut sources = self.sources.clone();
        let group = Arc::new(LoadedSource::list(wanted));
        for name in &self.groups {
            sources.insert(name.clone(), Arc::clone(&group));
        }
        for name in self.pipeline.sources_of(mapping) {
            self.pipeline.load(
                &self.reader,
                &name,
                &self.scope,
                &mut sources,
                &BTreeSet::new(),
            )?;
        }
        let scope = with_sources(&self.scope, &sources);
        let manifest = &self.pipeline.manifest;
        for row in &group.rows {
            let reader = &self.reader;
            let make = || reader.run(mapping, &scope, row);
            let mut run = self.pipeline.explaining(reader, mapping, row, make)?;
            if !self.query.asks_for(&run) {
                self.summary.outside += 1;
                continue;
            }
            // Runs without an id are not the same run; validation tells of them.
            let is_new = run.run_source_id().is_none_or(|id| {
                let job = run.job_source_id().unwrap_or_default();
                self.seen.insert((job.to_owned(), id.to_owned()))
            });
            if !is_new {
                self.summary.repeated += 1;
                continue;
            }
            map_run(manifest, &mut run, &mut self.summary.unmapped);
            self.summary.events += 1;
            (self.on_event)(run);
        }
        Ok(())
    }

    /// Whether a row's time is in the window; a time that cannot be read is left to validation.
    fn in_time(&self, row: &Row, scope: &Scope) -> Result<bool, SourceError> {
        let (RunQuery::Window(window), Some(expression)) =
            (self.query, time_expression(self.mapping()))
        else {
            return Ok(true);
        };
        let scope = self.reader.row_scope(self.mapping(), scope, row, |name| {
            self.time_names.contains(name)
        })?;
        let time = self.reader.evaluate(expression, &scope, &row.record)?;
        let time = to_json(&time);
        let time = time.as_str().and_then(|text| EventTime::parse(text).ok());
        Ok(time.is_none_or(|time| window.contains(time.timestamp())))
    }
}

fn texts(ids: &[String]) -> Value {
    Value::list(ids.iter().map(|id| Value::from(id.as_str())).collect())
}

fn time_expression(mapping: &Mapping) -> Option<&crate::expression::Expression> {
    let FieldTree::Record { fields, .. } = &mapping.fields else {
        return None;
    };
    fields.iter().find_map(|(name, field)| match field {
        FieldTree::Value(expression) if name == "event_time" => Some(expression),
        _ => None,
    })
}

/// The names that `event_time` hangs on, shared values included.
fn time_names(mapping: &Mapping) -> BTreeSet<String> {
    let lets: BTreeMap<&str, _> = mapping
        .lets
        .iter()
        .map(|(name, let_)| (name.as_str(), let_))
        .collect();
    let mut names = BTreeSet::new();
    let mut open: Vec<String> = time_expression(mapping)
        .into_iter()
        .flat_map(crate::expression::Expression::names)
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
