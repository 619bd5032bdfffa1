//! Readings of a pipeline: every page of a window, or of the jobs, with what was odd about them.

use std::collections::{BTreeSet, HashMap};
use std::num::NonZeroUsize;
use std::time::Instant;

use bowline_contract::pipeline::{AssetEvent, RunEvent, Window};
use bowline_pipeline::{
    FetchMethods, PageQuery, Part, Pipeline, RunQuery, SourceError, SourceErrorKind, Summary,
    Unmapped, map_run,
};
use bowline_words::{Diagnose, counted, shares};
use jiff::Timestamp;

use super::report::ReadingReport;
use super::runner::{Activity, Event};
use super::witness::{AsJson, Witness};

/// How many pages in a row without anything new show that the offset is not looked at.
const STALE_PAGES: usize = 2;
/// The most pages of one reading.
const MOST_PAGES: usize = 2_000;

/// Reads a described connector to the end, and hands on each event.
type WholeReading<'f, E> =
    dyn Fn(&dyn Pipeline, &mut dyn FnMut(E)) -> Result<Summary, SourceError> + 'f;
/// Fills a reading, and tells now and then how many events it has.
type Filling<'f, E> = dyn FnMut(&mut Reading<E>, &dyn Fn(usize)) -> Result<(), SourceError> + 'f;

/// What one reading gave: assets or runs.
#[derive(Debug)]
pub(super) struct Reading<E> {
    /// What was read, in words.
    pub(super) what: String,
    /// The events, with the contract's statuses; each once.
    pub(super) events: Vec<E>,
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

impl<E> Reading<E> {
    pub(super) fn new(what: String) -> Self {
        Self {
            what,
            events: Vec::new(),
            repeated: Vec::new(),
            clashes: Vec::new(),
            too_long: None,
            is_stuck: false,
            summary: Summary::default(),
        }
    }

    /// Whether lists were read to their ends: what is not in another was not there.
    pub(super) fn is_whole(&self) -> bool {
        self.summary.incomplete.is_empty()
    }

    /// Tells what the description left out because it failed: what came is judged, and that it is all is not proven.
    fn tell_left_out(&mut self) {
        let lists: BTreeSet<String> = self
            .summary
            .failed
            .iter()
            .map(|failed| {
                let told = failed.error.diagnose();
                let cause = told.causes.first().and_then(|cause| cause.lines().next());
                let cause = cause.map_or_else(String::new, |cause| format!(": {cause}"));
                format!("a list was left out: {}{cause}", told.what)
            })
            .collect();
        self.summary.notes.extend(lists.iter().cloned());
        self.summary.incomplete.extend(lists);
    }

    /// Why it gave nothing, for a reading that gave nothing.
    pub(super) fn why_nothing(&self) -> String {
        let summary = &self.summary;
        let parts = [
            (summary.passed_over, "left out by `when`"),
            (summary.outside, "outside the window"),
        ];
        let mut why = match summary.records {
            0 => format!("the vendor gave nothing for {}", self.what),
            records => format!(
                "the vendor gave {} for {}{}",
                counted(records, "record"),
                self.what,
                shares(records, &parts)
            ),
        };
        for note in &summary.notes {
            why.push_str("; ");
            why.push_str(note);
        }
        why
    }
}

/// Gives a page, and counts the statuses that are not mapped.
type Fetch<'f, E> = dyn Fn(PageQuery, &mut Unmapped) -> Result<Vec<E>, SourceError> + 'f;

/// How pages of the contract's methods are read.
struct Paged<'p, E> {
    /// How an event is told apart and named.
    label: &'p dyn Fn(&E) -> Option<String>,
    /// When a run began that cannot have begun at another time too.
    start: &'p dyn Fn(&E) -> Option<Timestamp>,
    fetch: &'p Fetch<'p, E>,
}

/// Reads a pipeline and keeps account of it.
pub(super) struct Reader<'a> {
    pub(super) pipeline: &'a dyn Pipeline,
    on_event: &'a dyn Fn(Event<'_>),
    pub(super) reports: Vec<ReadingReport>,
    pub(super) witness: Witness,
}

impl<'a> Reader<'a> {
    pub(super) fn new(pipeline: &'a dyn Pipeline, on_event: &'a dyn Fn(Event<'_>)) -> Self {
        Self {
            pipeline,
            on_event,
            reports: Vec::new(),
            witness: Witness::default(),
        }
    }

    /// Reads every job.
    pub(super) fn assets(
        &mut self,
        now: Timestamp,
        size: NonZeroUsize,
    ) -> Result<Reading<AssetEvent>, SourceError> {
        let what = format!("jobs, {size} to a page");
        match self.pipeline.methods() {
            Some(methods) => self.paged(
                what,
                size,
                &Paged {
                    label: &asset_label,
                    start: &|_| None,
                    fetch: &|page, _| methods.fetch_metadata(page),
                },
            ),
            None => self.whole(what, &|pipeline, on_event| {
                pipeline.assets(now, Some(size), on_event)
            }),
        }
    }

    /// Reads every run of a window.
    pub(super) fn runs(
        &mut self,
        span: Window,
        size: NonZeroUsize,
    ) -> Result<Reading<RunEvent>, SourceError> {
        let what = format!("runs of {span}, {size} to a page");
        let query = RunQuery::Window(span);
        match self.pipeline.methods() {
            Some(methods) => {
                let manifest = self.pipeline.manifest();
                let mut reading = self.paged(
                    what,
                    size,
                    &Paged {
                        label: &run_label,
                        // A run that has ended began once.
                        start: &|run: &RunEvent| run.start_time().filter(|_| run.has_ended()),
                        fetch: &|page, unmapped| {
                            let mut runs = methods.fetch_run_details(Some(&query), page)?;
                            for run in &mut runs {
                                map_run(manifest, run, unmapped);
                            }
                            Ok(runs)
                        },
                    },
                )?;
                let outside = reading
                    .events
                    .iter()
                    .filter(|run| run.event_time().is_some_and(|at| !span.contains(at)));
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
    pub(super) fn by_id(&mut self, ids: &[String]) -> Result<Reading<RunEvent>, SourceError> {
        let what = format!("runs by id: {}", ids.join(", "));
        let query = RunQuery::Ids(ids.to_vec());
        match self.pipeline.methods() {
            Some(methods) => self.once(what, methods, Some(&query)),
            None => self.whole(what, &|pipeline, on_event| {
                pipeline.runs(&query, None, on_event)
            }),
        }
    }

    /// The runs of a window on pages where the connector does not look, each with what was asked.
    pub(super) fn past_ends(
        &mut self,
        span: Window,
    ) -> Result<Vec<(String, Vec<RunEvent>)>, SourceError> {
        if self.pipeline.methods().is_some() {
            return Ok(Vec::new());
        }
        let mut asked = Vec::new();
        let what = format!("runs of {span}, past the ends of the list");
        self.reading(what, &mut |reading: &mut Reading<RunEvent>, _| {
            asked = self.pipeline.past_ends(span)?;
            reading.events = asked.iter().flat_map(|(_, runs)| runs).cloned().collect();
            reading.summary.records = reading.events.len();
            Ok(())
        })?;
        Ok(asked)
    }

    /// Calls `fetch_run_details` once and takes what it gives as it is.
    pub(super) fn once(
        &mut self,
        what: String,
        methods: &dyn FetchMethods,
        query: Option<&RunQuery>,
    ) -> Result<Reading<RunEvent>, SourceError> {
        let page = PageQuery {
            limit: super::runner::PAGE.get(),
            offset: 0,
        };
        self.page(what, methods, query, page)
    }

    /// Takes one page of `fetch_run_details` as it is.
    pub(super) fn page(
        &mut self,
        what: String,
        methods: &dyn FetchMethods,
        query: Option<&RunQuery>,
        page: PageQuery,
    ) -> Result<Reading<RunEvent>, SourceError> {
        let pipeline = self.pipeline;
        self.reading(what, &mut |reading: &mut Reading<RunEvent>, _| {
            reading.summary.requests += 1;
            reading.events = methods.fetch_run_details(query, page)?;
            reading.summary.records = reading.events.len();
            for run in &mut reading.events {
                map_run(pipeline.manifest(), run, &mut reading.summary.unmapped);
            }
            Ok(())
        })
    }

    /// Reads the pages of the contract's methods.
    fn paged<E: AsJson>(
        &mut self,
        what: String,
        size: NonZeroUsize,
        paged: &Paged<'_, E>,
    ) -> Result<Reading<E>, SourceError> {
        let limit = size.get();
        self.reading(what, &mut |reading: &mut Reading<E>, tell| {
            let mut seen: HashMap<String, Option<Timestamp>> = HashMap::new();
            let mut stale = 0;
            let mut offset = 0;
            loop {
                reading.summary.requests += 1;
                let unmapped = &mut reading.summary.unmapped;
                let page = (paged.fetch)(PageQuery { limit, offset }, unmapped)?;
                if page.is_empty() {
                    return Ok(());
                }
                if page.len() > limit {
                    reading.too_long = reading.too_long.or(Some((limit, page.len())));
                }
                offset += page.len();
                reading.summary.records += page.len();
                let before = reading.events.len();
                for event in page {
                    let start = (paged.start)(&event);
                    let label = (paged.label)(&event);
                    let before = label.as_ref().and_then(|label| seen.get(label));
                    match (before, label) {
                        (Some(before), Some(label)) => {
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
    fn whole<E: AsJson>(
        &mut self,
        what: String,
        read: &WholeReading<'_, E>,
    ) -> Result<Reading<E>, SourceError> {
        let pipeline = self.pipeline;
        self.reading(what, &mut |reading: &mut Reading<E>, tell| {
            let mut events = Vec::new();
            reading.summary = read(pipeline, &mut |event| {
                events.push(event);
                tell(events.len());
            })?;
            // A connector that is right fails on none of its records; lists fail that its description may leave out.
            let mut failed = reading.summary.failed.iter();
            if let Some(failed) = failed.find(|failed| failed.part != Part::List) {
                return Err(failed.error.clone());
            }
            reading.events = events;
            reading.tell_left_out();
            Ok(())
        })
    }

    fn reading<E: AsJson>(
        &mut self,
        what: String,
        read: &mut Filling<'_, E>,
    ) -> Result<Reading<E>, SourceError> {
        let started = Instant::now();
        (self.on_event)(Event::Doing(Activity::Reading { what: &what }));
        let mut reading = Reading::new(what);
        let on_event = self.on_event;
        let result = read(&mut reading, &|events| {
            on_event(Event::Doing(Activity::Read { events }))
        });
        if let Some(answers) = self.pipeline.vendor_answers() {
            self.witness.hear(&answers);
            reading
                .events
                .iter()
                .for_each(|event| self.witness.see(event.json()));
        }
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
            error: result
                .as_ref()
                .err()
                .map(|error| error.diagnose().to_string()),
        });
        result.map(|()| reading)
    }
}

/// How an asset is told apart and named.
pub(super) fn asset_label(asset: &AssetEvent) -> Option<String> {
    Some(format!("job `{}`", asset.job_source_id()?))
}

/// How a run is told apart and named.
pub(super) fn run_label(run: &RunEvent) -> Option<String> {
    let (job, run) = (run.job_source_id()?, run.run_source_id()?);
    Some(format!("run `{run}` of job `{job}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_that_gave_nothing_says_why() {
        let mut reading: Reading<RunEvent> = Reading::new("runs".to_owned());
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
