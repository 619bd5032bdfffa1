//! `bowline inspect`: one job and one run of a pipeline connector, and where they come from.

mod written;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use bowline_contract::pipeline::{
    AssetEvent, PipelineManifest, RunEvent, RunStatus, StatusMapping, Window,
};
use bowline_pipeline::{
    Explanation, Opening, PageQuery, Pipeline, PipelineConnector, PipelineKind, Recorder,
    Recording, RunQuery, Summary, Unmapped, map_run,
};
use bowline_workbench::pipeline as workbench;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use written::Written;

use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;
use crate::named::{self, NamedConnector};
use crate::pipeline;

/// How far back a run is looked for, at first and then when there was none.
const STRETCHES: [(&str, SignedDuration); 4] = [
    ("the last hour", SignedDuration::from_hours(1)),
    ("the last day", SignedDuration::from_hours(24)),
    ("the last week", SignedDuration::from_hours(7 * 24)),
    ("the last thirty days", SignedDuration::from_hours(30 * 24)),
];
/// How many events a page of the contract's methods is asked for while one is looked for.
const PAGE: usize = 100;

/// Look at a job and a run of a pipeline connector, and at where they come from.
///
/// Shows both as the platform gets them. For a connector that is described, every field comes with its expression, the
/// line of connector.toml it stands in, and what it came to.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bowline inspect nightly --trace\n  bowline inspect nightly --html nightly.html\n  bowline inspect nightly --run 42 --save recorded\n  \
                  bowline inspect nightly --run 42 --replay recorded"
)]
#[command(mut_args(named::pipelines))]
pub(crate) struct InspectArgs {
    #[command(flatten)]
    connector: NamedConnector,
    /// The id or the name of the job; the first one when not said
    #[arg(long, value_name = "ID")]
    asset: Option<String>,
    /// The id of the run; one of the last hour, or of the last days, when not said
    #[arg(long, value_name = "ID")]
    run: Option<String>,
    /// Show every request that is made
    #[arg(long)]
    trace: bool,
    /// Save every request and its answer in a new folder, without secrets
    #[arg(long, value_name = "DIR", conflicts_with = "replay")]
    save: Option<PathBuf>,
    /// Read what was saved instead of asking the vendor; no credentials are needed
    #[arg(long, value_name = "DIR")]
    replay: Option<PathBuf>,
    /// How the result is written
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
    /// Write it as a page to this file too; `-` writes the page to standard output, and nothing else there
    #[arg(long = "html", value_name = "FILE")]
    page: Option<PathBuf>,
}

/// How the result is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Human,
    /// As one JSON object: `asset`, `run`, and in `explained` where their fields come from
    Json,
}

/// An event that was found, and how it came about where that can be told.
struct Found<E> {
    event: E,
    explanation: Option<Explanation>,
}

/// What a search came to.
struct Search<E> {
    found: Option<Found<E>>,
    /// How many events were looked at.
    seen: usize,
    notes: Vec<String>,
    unmapped: Unmapped,
}

impl InspectArgs {
    pub(crate) fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        let connector = context.pipeline(self.connector.name())?;
        self.check_wishes(&connector)?;
        let recording = self.replay.as_deref();
        let recording = recording
            .map(|dir| Recording::open(&context.path(dir)))
            .transpose()?;
        let now = recording
            .as_ref()
            .map_or_else(pipeline::now, |recording| recording.now);
        let credentials = match &recording {
            Some(recording) => recording.credentials.clone(),
            None => workbench::credentials(&connector, &|event| context.tell(event))?,
        };
        super::report::check_place(context, self.page.as_deref())?;
        let recorder = match &self.save {
            Some(dir) => Some(Arc::new(Recorder::create(
                &context.path(dir),
                now,
                &credentials,
            )?)),
            None => None,
        };
        let last: Arc<Mutex<Option<Explanation>>> = Arc::default();
        let explained = Arc::clone(&last);
        let opening = Opening {
            keeps_answers: false,
            transport: recording.map(|recording| Arc::new(recording) as _),
            on_exchange: self.on_exchange(context, recorder.clone()),
            on_retry: Some(pipeline::on_retry(context)),
            on_explanation: Some(Arc::new(move |explanation| {
                *explained.lock().unwrap_or_else(PoisonError::into_inner) = Some(explanation);
            })),
        };
        let run = context.interruptible()?;
        let pipeline = workbench::open(&connector, &credentials, opening, run)?;
        let inspection = Inspection {
            context,
            pipeline: &*pipeline,
            last: &last,
            now,
        };
        let bar = context.printer.bar("{spinner} asking the vendor");
        let asset = inspection.asset(self.asset.as_deref());
        let run = asset.and_then(|asset| Ok((asset, inspection.run(self.run.as_deref())?)));
        bar.finish_and_clear();
        // What was saved until a failure helps to understand it.
        if let (Some(recorder), Some(dir)) = (&recorder, &self.save) {
            let count = recorder.finish()?;
            context
                .printer
                .say(format!("saved {count} exchanges in `{}`", dir.display()));
        }
        let (asset, run) = run?;
        let found = Written {
            context,
            connector: &connector,
            asset: &asset,
            run: &run,
        };
        found.write(self.format, self.page.as_deref())
    }

    /// Only a described connector sends requests that can be seen.
    fn check_wishes(&self, connector: &PipelineConnector) -> Result<(), CliError> {
        let wished = [
            ("--trace", self.trace),
            ("--save", self.save.is_some()),
            ("--replay", self.replay.is_some()),
        ];
        let wish = wished.into_iter().find(|(_, wished)| *wished);
        match (&connector.kind, wish) {
            (PipelineKind::Program(_), Some((option, _))) => Err(CliError::usage(
                format!(
                    "`{option}` cannot be used: `{}` sends its own requests",
                    connector.name
                ),
                "leave the option out; only connectors that connector.toml describes can be watched",
            )),
            _ => Ok(()),
        }
    }

    fn on_exchange(
        &self,
        context: &Context,
        recorder: Option<Arc<Recorder>>,
    ) -> Option<bowline_pipeline::OnExchange> {
        let printer = self.trace.then(|| Arc::clone(&context.printer));
        if printer.is_none() && recorder.is_none() {
            return None;
        }
        Some(Arc::new(move |exchange| {
            if let Some(printer) = &printer {
                printer.say(pipeline::traced(exchange));
            }
            if let Some(recorder) = &recorder {
                recorder.keep(exchange);
            }
        }))
    }
}

/// What a search needs.
struct Inspection<'a> {
    context: &'a Context,
    pipeline: &'a dyn Pipeline,
    /// How the last event came about.
    last: &'a Mutex<Option<Explanation>>,
    now: Timestamp,
}

impl Inspection<'_> {
    fn found<E>(&self, event: E) -> Found<E> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        Found {
            event,
            explanation: last.take(),
        }
    }

    /// The job of that id or name, or the first.
    fn asset(&self, id: Option<&str>) -> Result<Search<AssetEvent>, CliError> {
        let is_it =
            |asset: &AssetEvent| id.is_none() || asset.job_source_id() == id || asset.name() == id;
        if let Some(methods) = self.pipeline.methods() {
            return self.paged(id.is_some(), &is_it, &|page| methods.fetch_metadata(page));
        }
        let mut found = None;
        let summary = self.pipeline.assets(self.now, None, &mut |event| {
            if found.is_none() && is_it(&event) {
                found = Some(self.found(event));
            }
        })?;
        Ok(Search {
            found,
            seen: summary.events,
            notes: summary.notes,
            unmapped: Unmapped::new(),
        })
    }

    /// The run of that id, or one that is not long ago.
    fn run(&self, id: Option<&str>) -> Result<Search<RunEvent>, CliError> {
        if let Some(id) = id {
            return self.run_of(&RunQuery::Ids(vec![id.to_owned()]));
        }
        let mut search = None;
        for (words, stretch) in STRETCHES {
            if search.is_some() {
                self.context
                    .printer
                    .say(format!("no run until now: looking at {words}"));
            }
            let query = RunQuery::Window(Window {
                start: self.now - stretch,
                end: self.now,
            });
            let latest = self.run_of(&query)?;
            let done = latest.found.is_some();
            search = Some(latest);
            if done {
                break;
            }
        }
        search.ok_or_else(|| CliError::Internal("no stretch of time to look at".to_owned()))
    }

    fn run_of(&self, query: &RunQuery) -> Result<Search<RunEvent>, CliError> {
        if let Some(methods) = self.pipeline.methods() {
            let manifest = self.pipeline.manifest();
            let fetch = |page| methods.fetch_run_details(Some(query), page);
            let mut search = self.paged(false, &|_| true, &fetch)?;
            if let Some(found) = &mut search.found {
                map_run(manifest, &mut found.event, &mut search.unmapped);
            }
            return Ok(search);
        }
        let mut found = None;
        let read = self.pipeline.runs(query, None, &mut |event| {
            if found.is_none() {
                found = Some(self.found(event));
                // The rest of a long window is nobody's concern.
                self.pipeline.cancel();
            }
        });
        let is_stopped = self.context.interruptible()?.is_stopped();
        let summary = match (read, &found) {
            // What ended the reading afterwards was the end that it was given.
            (Err(_), Some(found)) if !is_stopped => Summary {
                records: 1,
                unmapped: unmapped(self.pipeline.manifest(), &found.event),
                ..Summary::default()
            },
            (read, _) => read?,
        };
        Ok(Search {
            found,
            seen: summary.records,
            notes: summary.notes,
            unmapped: summary.unmapped,
        })
    }

    /// Asks page after page until the event is found; the first event when any will do.
    fn paged<E>(
        &self,
        searching: bool,
        is_it: &dyn Fn(&E) -> bool,
        fetch: &dyn Fn(PageQuery) -> Result<Vec<E>, bowline_pipeline::SourceError>,
    ) -> Result<Search<E>, CliError> {
        let limit = if searching { PAGE } else { 1 };
        let mut search = Search {
            found: None,
            seen: 0,
            notes: Vec::new(),
            unmapped: Unmapped::new(),
        };
        loop {
            let events = fetch(PageQuery {
                limit,
                offset: search.seen,
            })?;
            if events.is_empty() {
                return Ok(search);
            }
            search.seen += events.len();
            if let Some(event) = events.into_iter().find(|event| is_it(event)) {
                search.found = Some(self.found(event));
                return Ok(search);
            }
        }
    }
}

/// The vendor's words for the statuses of a run and its task runs that no mapping has.
fn unmapped(manifest: &PipelineManifest, run: &RunEvent) -> Unmapped {
    let word = |run: &Value, mapping: &StatusMapping| {
        let is_unknown = run["status"] == RunStatus::Unknown.name();
        let word = run["raw_status"].as_str().filter(|_| is_unknown)?;
        mapping.find(word).is_none().then(|| word.to_owned())
    };
    let mut unmapped = Unmapped::new();
    let tasks = run.json()["task_runs"].as_array().into_iter().flatten();
    word(run.json(), &manifest.run_status_mapping)
        .into_iter()
        .chain(tasks.filter_map(|task| word(task, manifest.task_statuses())))
        .for_each(|word| *unmapped.entry(word).or_default() += 1);
    unmapped
}
