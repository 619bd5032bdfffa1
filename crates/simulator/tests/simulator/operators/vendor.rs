//! A vendor that stands still, as a connector reads it that changes what comes.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bowline_contract::pipeline::{AssetEvent, RunEvent};
use bowline_pipeline::{
    FetchMethods, PageQuery, RunQuery, SourceError, SourceErrorKind, VendorAnswers,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;

use super::records::{Records, Shape, moment, now, text};

/// An event as it is given, and what the vendor finds it by.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Given {
    pub(super) event: Json,
    pub(super) id: String,
    pub(super) at: Option<Timestamp>,
}

/// Jobs and runs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Events {
    pub(super) jobs: Vec<Given>,
    pub(super) runs: Vec<Given>,
}

impl Events {
    pub(super) fn list(&mut self, is_of_runs: bool) -> &mut Vec<Given> {
        if is_of_runs {
            &mut self.runs
        } else {
            &mut self.jobs
        }
    }
}

/// How a connector asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asking {
    /// For what it is asked.
    Right,
    /// For a window that begins or ends so many hours later.
    Moved { start: i64, end: i64 },
    /// For everything from the start on.
    EndIgnored,
    /// For everything until the end.
    StartIgnored,
    /// For the first of the ids.
    FirstId,
    /// For all but the last of the ids.
    LastIdLost,
    /// Once for runs, and never again.
    KeepsRuns,
    /// Once for runs of a window, whose answers it searches for ids, too.
    KeepsWindow,
}

/// The vendor as a connector reads it that changes what comes.
pub(super) struct Read {
    records: Records,
    shape: Shape,
    events: Events,
    asking: Asking,
    answers: Mutex<(HashSet<String>, Vec<Json>)>,
    /// What was asked last, and what came.
    last: Mutex<Option<(RunQuery, Vec<RunEvent>)>>,
    kept: Mutex<Option<Vec<RunEvent>>>,
}

impl Read {
    pub(super) fn new(records: Records, shape: Shape, events: Events, asking: Asking) -> Self {
        Self {
            records,
            shape,
            events,
            asking,
            answers: Mutex::default(),
            last: Mutex::default(),
            kept: Mutex::default(),
        }
    }

    fn answer(&self, document: Json) {
        let mut answers = lock(&self.answers);
        if answers.0.insert(document.to_string()) {
            answers.1.push(document);
        }
    }

    fn find(&self, query: &RunQuery) -> Vec<RunEvent> {
        let is_asked = |id: &str, at: Option<Timestamp>| match query {
            RunQuery::Window(window) => at.is_some_and(|at| window.contains(at)),
            RunQuery::Ids(ids) => ids.iter().any(|asked| asked == id),
        };
        let records = self.records.runs.iter();
        let listed = records.filter(|run| is_asked(text(run, "runId"), moment(run)));
        self.answer(self.shape.runs(listed));
        let runs = self.events.runs.iter();
        let asked = runs.filter(|run| is_asked(&run.id, run.at));
        asked.map(|run| RunEvent::new(run.event.clone())).collect()
    }

    fn asked(&self, query: &RunQuery) -> Option<RunQuery> {
        let mut query = query.clone();
        match (&mut query, self.asking) {
            (RunQuery::Window(window), Asking::Moved { start, end }) => {
                window.start += SignedDuration::from_hours(start);
                window.end += SignedDuration::from_hours(end);
                if window.start >= window.end {
                    return None;
                }
            }
            (RunQuery::Window(window), Asking::EndIgnored) => window.end = now(),
            (RunQuery::Window(window), Asking::StartIgnored) => {
                window.start = now() - SignedDuration::from_hours(1000);
            }
            (RunQuery::Ids(ids), Asking::FirstId) => ids.truncate(1),
            (RunQuery::Ids(ids), Asking::LastIdLost) => ids.truncate(ids.len().max(2) - 1),
            _ => {}
        }
        Some(query)
    }
}

impl Read {
    /// The runs of a query, in an order that does not change.
    fn runs(&self, query: &RunQuery) -> Vec<RunEvent> {
        let is_kept = match self.asking {
            Asking::KeepsRuns => true,
            Asking::KeepsWindow => matches!(query, RunQuery::Window(_)),
            _ => false,
        };
        let read = || {
            let asked = self.asked(query);
            let mut runs = asked.map_or_else(Vec::new, |query| self.find(&query));
            runs.sort_by_cached_key(|run| {
                (run.event_time(), run.run_source_id().map(str::to_owned))
            });
            runs
        };
        if is_kept {
            lock(&self.kept).get_or_insert_with(read).clone()
        } else {
            read()
        }
    }
}

impl FetchMethods for Read {
    fn setup_connection(&self) -> Result<(), SourceError> {
        Ok(())
    }

    fn fetch_metadata(&self, page: PageQuery) -> Result<Vec<AssetEvent>, SourceError> {
        for answer in self.shape.jobs(&self.records) {
            self.answer(answer);
        }
        let jobs = self.events.jobs.iter().skip(page.offset).take(page.limit);
        Ok(jobs.map(|job| AssetEvent::new(job.event.clone())).collect())
    }

    fn fetch_run_details(
        &self,
        query: Option<&RunQuery>,
        page: PageQuery,
    ) -> Result<Vec<RunEvent>, SourceError> {
        let Some(query) = query else {
            return Err(SourceError::new(
                SourceErrorKind::Connector,
                "neither ids nor a window",
            ));
        };
        let mut last = lock(&self.last);
        let known = last.take().filter(|(asked, _)| asked == query);
        let (_, runs) = last.insert(known.unwrap_or_else(|| (query.clone(), self.runs(query))));
        Ok(runs
            .iter()
            .skip(page.offset)
            .take(page.limit)
            .cloned()
            .collect())
    }

    fn vendor_answers(&self) -> Option<VendorAnswers> {
        let documents = std::mem::take(&mut lock(&self.answers).1);
        Some(VendorAnswers {
            documents,
            is_cut: false,
        })
    }

    fn cancel(&self) {}
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
