//! Readings of a pipeline: every page of a window, or of the jobs, with what was odd about them.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::num::NonZeroUsize;
use std::time::Instant;

use bowline_contract::pipeline::{EventTime, RunStatus};
use bowline_pipeline::{
    FetchMethods, Page, Pipeline, RunQuery, SourceError, SourceErrorKind, Summary, Unmapped,
    map_run,
};
use bowline_words::Diagnose;
use jiff::Timestamp;
use serde_json::Value as Json;

use super::ledger::{Seen, Sighting};
use super::report::ReadingReport;
use super::runner::Event;
use super::span::Span;

/// How many pages in a row without anything new show that the offset is not looked at.
const STALE_PAGES: usize = 2;
/// The most pages of one reading.
const MOST_PAGES: usize = 2_000;

/// Reads a described connector to the end, and hands on each event.
type WholeReading<'f> =
    dyn Fn(&dyn Pipeline, &mut dyn FnMut(Json)) -> Result<Summary, SourceError> + 'f;
/// Fills a reading, and tells now and then how many events it has.
type Filling<'f> = dyn FnMut(&mut Reading, &dyn Fn(usize)) -> Result<(), SourceError> + 'f;

/// What one reading gave.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// What was read, in words.
    pub(super) what: String,
    /// The events, with the contract's statuses; each once.
    pub(super) events: Vec<Json>,
    /// What the contract's methods gave more than once, by label.
    pub(super) repeated: Vec<String>,
    /// Different runs under one id, by label.
    pub(super) clashes: Vec<String>,
    /// A page that held more than was asked for: how many were asked for, how many came.
    pub(super) too_long: Option<(usize, usize)>,
    /// Whether the pages went on without bringing anything new.
    pub(super) is_stuck: bool,
    pub(super) summary: Summary,
}

impl Reading {
    /// Why it gave nothing, for a reading that gave nothing.
    pub(super) fn why_nothing(&self) -> String {
        let summary = &self.summary;
        if summary.records == 0 {
            return format!("the vendor gave nothing for {}", self.what);
        }
        let mut reasons = Vec::new();
        for (count, reason) in [
            (summary.passed_over, "left out by `when`"),
            (summary.outside, "outside the window"),
        ] {
            if count > 0 {
                reasons.push(format!("{count} {reason}"));
            }
        }
        format!(
            "the vendor gave {} records for {}: {}",
            summary.records,
            self.what,
            reasons.join(", ")
        )
    }
}

/// Reads a pipeline and keeps account of it.
pub(super) struct Reader<'a> {
    pub(super) pipeline: &'a dyn Pipeline,
    on_event: &'a dyn Fn(Event<'_>),
    pub(super) reports: Vec<ReadingReport>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(pipeline: &'a dyn Pipeline, on_event: &'a dyn Fn(Event<'_>)) -> Self {
        Self {
            pipeline,
            on_event,
            reports: Vec::new(),
        }
    }

    /// Reads every job.
    pub(super) fn assets(
        &mut self,
        now: Timestamp,
        size: NonZeroUsize,
    ) -> Result<Reading, SourceError> {
        let what = format!("jobs, {size} to a page");
        match self.pipeline.methods() {
            Some(methods) => self.paged(what, size, &asset_label, None, &|page| {
                methods.fetch_metadata(page)
            }),
            None => self.whole(what, &|pipeline, on_event| {
                pipeline.assets(now, Some(size), on_event)
            }),
        }
    }

    /// Reads every run of a window.
    pub(super) fn runs(&mut self, span: Span, size: NonZeroUsize) -> Result<Reading, SourceError> {
        let what = format!("runs of {span}, {size} to a page");
        let query = RunQuery::Window {
            start: span.start,
            end: span.end,
        };
        match self.pipeline.methods() {
            Some(methods) => {
                let mut reading =
                    self.paged(what, size, &run_label, Some(self.pipeline), &|page| {
                        methods.fetch_run_details(Some(&query), page)
                    })?;
                let outside = reading
                    .events
                    .iter()
                    .filter(|run| time(run, "event_time").is_some_and(|at| !span.holds(at)));
                reading.summary.outside = outside.count();
                if let Some(report) = self.reports.last_mut() {
                    report.outside = reading.summary.outside;
                    report.events -= report.outside;
                }
                Ok(reading)
            }
            None => self.whole(what, &|pipeline, on_event| {
                pipeline.runs(&query, Some(size), on_event)
            }),
        }
    }

    /// Asks for runs by id, once: what the contract's methods give is taken as it is.
    pub(super) fn by_id(&mut self, ids: &[String]) -> Result<Reading, SourceError> {
        let what = format!("runs by id: {}", ids.join(", "));
        let query = RunQuery::Ids(ids.to_vec());
        match self.pipeline.methods() {
            Some(methods) => self.once(what, methods, Some(&query)),
            None => self.whole(what, &|pipeline, on_event| {
                pipeline.runs(&query, None, on_event)
            }),
        }
    }

    /// Calls `fetch_run_details` once and takes what it gives as it is.
    pub(super) fn once(
        &mut self,
        what: String,
        methods: &dyn FetchMethods,
        query: Option<&RunQuery>,
    ) -> Result<Reading, SourceError> {
        let pipeline = self.pipeline;
        self.reading(what, &mut |reading, _| {
            reading.summary.requests += 1;
            let page = Page {
                limit: super::runner::PAGE.get(),
                offset: 0,
            };
            reading.events = methods.fetch_run_details(query, page)?;
            reading.summary.records = reading.events.len();
            for run in &mut reading.events {
                map_run(pipeline.manifest(), run, &mut reading.summary.unmapped);
            }
            Ok(())
        })
    }

    /// Reads the pages of the contract's methods. Runs of `mapped` get the contract's statuses.
    fn paged(
        &mut self,
        what: String,
        size: NonZeroUsize,
        label: &dyn Fn(&Json) -> Option<String>,
        mapped: Option<&dyn Pipeline>,
        fetch: &dyn Fn(Page) -> Result<Vec<Json>, SourceError>,
    ) -> Result<Reading, SourceError> {
        let limit = size.get();
        self.reading(what, &mut |reading, tell| {
            let mut seen: HashMap<String, Option<Timestamp>> = HashMap::new();
            let mut stale = 0;
            let mut offset = 0;
            loop {
                reading.summary.requests += 1;
                let page = fetch(Page { limit, offset })?;
                if page.is_empty() {
                    return Ok(());
                }
                if page.len() > limit {
                    reading.too_long = reading.too_long.or(Some((limit, page.len())));
                }
                offset += page.len();
                reading.summary.records += page.len();
                let before = reading.events.len();
                for mut event in page {
                    if let Some(pipeline) = mapped {
                        let unmapped: &mut Unmapped = &mut reading.summary.unmapped;
                        map_run(pipeline.manifest(), &mut event, unmapped);
                    }
                    let ended = status(&event).is_some_and(RunStatus::is_terminal);
                    let start = time(&event, "start_time").filter(|_| ended);
                    let label = label(&event);
                    let before = label.as_ref().and_then(|label| seen.get(label));
                    match (before, label) {
                        (Some(before), Some(label)) => {
                            // A run that has ended began once.
                            let differ = before.is_some() && start.is_some() && *before != start;
                            if differ {
                                reading.clashes.push(label);
                            } else {
                                reading.repeated.push(label);
                            }
                        }
                        (_, label) => {
                            seen.extend(label.map(|label| (label, start)));
                            reading.events.push(event);
                        }
                    }
                }
                tell(reading.events.len());
                stale = if reading.events.len() == before {
                    stale + 1
                } else {
                    0
                };
                if stale == STALE_PAGES {
                    reading.is_stuck = true;
                    return Ok(());
                }
                if reading.summary.requests >= MOST_PAGES as u64 {
                    return Err(SourceError {
                        kind: SourceErrorKind::Pages,
                        thing: format!("{} events in {MOST_PAGES} pages", reading.events.len()),
                        causes: vec!["no page was empty".to_owned()],
                        hint: Some("give an empty list after the last event".to_owned()),
                    });
                }
            }
        })
    }

    /// Reads what a description gives, which walks its pages itself.
    fn whole(&mut self, what: String, read: &WholeReading<'_>) -> Result<Reading, SourceError> {
        let pipeline = self.pipeline;
        self.reading(what, &mut |reading, tell| {
            let mut events = Vec::new();
            reading.summary = read(pipeline, &mut |event| {
                events.push(event);
                tell(events.len());
            })?;
            reading.events = events;
            Ok(())
        })
    }

    fn reading(&mut self, what: String, read: &mut Filling<'_>) -> Result<Reading, SourceError> {
        let started = Instant::now();
        (self.on_event)(Event::Reading { what: &what });
        let mut reading = Reading {
            what,
            ..Reading::default()
        };
        let on_event = self.on_event;
        let result = read(&mut reading, &|events| on_event(Event::Read { events }));
        let repeated = reading.repeated.len();
        reading.summary.repeated += repeated;
        self.reports.push(ReadingReport {
            what: reading.what.clone(),
            records: reading.summary.records,
            events: reading.events.len(),
            passed_over: reading.summary.passed_over,
            outside: reading.summary.outside,
            repeated: reading.summary.repeated,
            requests: reading.summary.requests,
            elapsed: started.elapsed(),
            error: result.as_ref().err().map(|error| error.diagnose().to_string()),
        });
        result.map(|()| reading)
    }
}

/// A text field of an event; none when it is absent, empty or no text.
pub(super) fn text<'e>(event: &'e Json, field: &str) -> Option<&'e str> {
    event[field].as_str().filter(|text| !text.is_empty())
}

/// A time field of an event.
pub(super) fn time(event: &Json, field: &str) -> Option<Timestamp> {
    EventTime::parse(text(event, field)?)
        .ok()
        .map(|time| time.timestamp())
}

/// A run's status, in the contract's words.
pub(super) fn status(run: &Json) -> Option<RunStatus> {
    RunStatus::from_name(text(run, "status")?)
}

/// A run's task runs.
pub(super) fn task_runs(run: &Json) -> &[Json] {
    run["task_runs"].as_array().map_or(&[], Vec::as_slice)
}

/// How an asset is told apart and named.
pub(super) fn asset_label(asset: &Json) -> Option<String> {
    Some(format!("job `{}`", text(asset, "job_source_id")?))
}

/// How a run is told apart and named.
pub(super) fn run_label(run: &Json) -> Option<String> {
    let (job, run) = (text(run, "job_source_id")?, text(run, "run_source_id")?);
    Some(format!("run `{run}` of job `{job}`"))
}

/// The assets of a reading, to be compared with those of others.
pub(super) fn sighted_assets(reading: &Reading) -> Sighting {
    let seen = reading.events.iter().filter_map(|asset| {
        let name = text(asset, "name").unwrap_or_default();
        let seen = Seen {
            at: None,
            kin: fingerprint(&[name]),
            print: fingerprint(&[name]),
            is_settled: true,
        };
        Some((asset_label(asset)?, seen))
    });
    Sighting {
        span: None,
        seen: seen.collect(),
    }
}

/// The runs of a reading that are in its window, to be compared with those of others.
pub(super) fn sighted_runs(reading: &Reading, span: Span) -> Sighting {
    let mut seen = BTreeMap::new();
    for run in &reading.events {
        let (Some(label), Some(at)) = (run_label(run), time(run, "event_time")) else {
            continue;
        };
        if !span.holds(at) {
            continue;
        }
        let job = text(run, "job_source_id").unwrap_or_default();
        seen.insert(
            label,
            Seen {
                at: Some(at),
                kin: fingerprint(&[job, &at.to_string()]),
                print: run_print(run),
                is_settled: status(run).is_some_and(RunStatus::is_terminal),
            },
        );
    }
    Sighting {
        span: Some(span),
        seen,
    }
}

/// The fields in which a run that has ended cannot differ from one reading to the next.
const LASTING: [&str; 6] = [
    "job_source_id",
    "run_source_id",
    "status",
    "task_source_id",
    "trigger",
    "parent_attempt_run_source_id",
];
const LASTING_TIMES: [&str; 4] = ["event_time", "queued_at", "start_time", "end_time"];

/// A number that is the same for runs that say the same.
pub(super) fn run_print(run: &Json) -> u64 {
    let mut hasher = DefaultHasher::new();
    hash_run(run, &mut hasher);
    let mut tasks: Vec<u64> = task_runs(run)
        .iter()
        .map(|task| {
            let mut hasher = DefaultHasher::new();
            hash_run(task, &mut hasher);
            hasher.finish()
        })
        .collect();
    // The order of task runs means nothing.
    tasks.sort_unstable();
    tasks.hash(&mut hasher);
    hasher.finish()
}

fn hash_run(run: &Json, hasher: &mut DefaultHasher) {
    for field in LASTING {
        text(run, field).hash(hasher);
    }
    for field in LASTING_TIMES {
        time(run, field).hash(hasher);
    }
    run["attempt_number"].as_i64().hash(hasher);
    text(&run["error"], "message").hash(hasher);
}

fn fingerprint(texts: &[&str]) -> u64 {
    let mut hasher = DefaultHasher::new();
    texts.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_order_of_task_runs_and_the_zone_of_times_mean_nothing() {
        let run = |end: &str, tasks: Json| {
            run_print(&json!({
                "job_source_id": "j", "run_source_id": "r", "end_time": end, "task_runs": tasks,
            }))
        };
        let one = run(
            "2026-01-01T00:00:00Z",
            json!([{"run_source_id": "a"}, {"run_source_id": "b"}]),
        );
        let other = run(
            "2026-01-01T01:00:00+01:00",
            json!([{"run_source_id": "b"}, {"run_source_id": "a"}]),
        );
        assert_eq!(one, other);
        assert_ne!(one, run("2026-01-01T00:00:00Z", json!([])));
    }

    #[test]
    fn a_reading_that_gave_nothing_says_why() {
        let mut reading = Reading {
            what: "runs".to_owned(),
            ..Reading::default()
        };
        assert_eq!(reading.why_nothing(), "the vendor gave nothing for runs");
        reading.summary = Summary {
            records: 5,
            passed_over: 2,
            outside: 3,
            ..Summary::default()
        };
        assert_eq!(
            reading.why_nothing(),
            "the vendor gave 5 records for runs: 2 left out by `when`, 3 outside the window"
        );
    }
}
