//! `bowline collect`: metadata and runs of a pipeline, read and sent on.

mod destination;
mod moment;
mod words;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use bowline_collect::{
    CollectError, Collected, Collection, DeadLetters, Encoder, Ledger, Lineage, Parts,
    PushErrorKind, State,
};
use bowline_connector::{Credentials, Workspace};
use bowline_contract::pipeline::Window;
use bowline_pipeline::{PipelineConnector, SourceErrorKind};
use bowline_workbench::{Run, WorkbenchError, pipeline as workbench};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;
use crate::pipeline;
use destination::Destination;

/// How long events may take to show up at the vendor, when nobody says and a collection goes on.
const SETTLE: SignedDuration = SignedDuration::from_mins(5);
/// How soon a window that failed is tried again, at most.
const NEXT_TRY: SignedDuration = SignedDuration::from_secs(60);

/// Read a pipeline's metadata and runs, and send them on as events.
///
/// Events go to standard output as JSON lines, are added to a file, or are pushed to a platform. Every event is checked
/// first; one that is not valid, or that the platform refuses, is a dead letter, kept in a file with the reason.
///
/// With `--push` and `--output`, what was delivered is written down. A collection that was stopped, killed or met an
/// error leaves its window open, and the next one goes on with it: every event is delivered at least once, and no window
/// is left out.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    bowline collect prefect --since 24h\n  \
    bowline collect prefect --every 60m --push https://platform.example.com --resource 0a1b2c3d-…")]
pub(crate) struct CollectArgs {
    /// The connector; not needed when there is only one
    connector: Option<String>,
    /// From when: a time with its zone, or how long ago, such as `24h`; without it, where the last collection ended
    #[arg(long, value_name = "WHEN", value_parser = moment::parse)]
    since: Option<moment::Moment>,
    /// Until when, that moment left out; without it, now
    #[arg(long, value_name = "WHEN", value_parser = moment::parse, conflicts_with = "every")]
    until: Option<moment::Moment>,
    /// Go on until Ctrl-C, with a window each time, such as `60m`; windows adjoin
    #[arg(long, value_name = "TIME", value_parser = moment::parse_every)]
    every: Option<SignedDuration>,
    /// End windows so long before now, for events that show up late; 5m without it
    #[arg(long, value_name = "TIME", value_parser = moment::parse_length, requires = "every")]
    settle: Option<SignedDuration>,
    /// Collect nothing else
    #[arg(long, value_name = "PART")]
    only: Option<Part>,
    #[command(flatten)]
    to: destination::DestinationArgs,
    /// Where to write down what was delivered; without it, a folder of the connector's in `.bowline`
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Where dead letters go; without it, `dead-letters.jsonl` in the state's folder
    #[arg(long, value_name = "FILE")]
    dead_letters: Option<PathBuf>,
}

/// The parts of a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Jobs and what belongs to them
    Metadata,
    /// Runs
    Runs,
}

impl CollectArgs {
    pub(crate) fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        let now = pipeline::now();
        let connector = context.pipeline(self.connector.as_deref())?;
        let credentials = workbench::credentials(&connector, &|event| context.tell(event))?;
        let stop = Stop::of(context.interruptible()?);
        let destination = self
            .to
            .open(context, &connector, &credentials, &stop.asked)?;
        let folder = self.folder(context, &connector)?;
        let state = if destination.lasts() || self.state.is_some() {
            Some(State::open(
                &folder,
                &self.purpose(&connector, &destination),
            )?)
        } else {
            None
        };
        let dead_letters = match &self.dead_letters {
            Some(file) => context.path(file),
            None => folder.join("dead-letters.jsonl"),
        };
        let mut collector = Collector {
            context,
            connector: &connector,
            credentials,
            stop,
            parts: match self.only {
                None => Parts::All,
                Some(Part::Metadata) => Parts::Metadata,
                Some(Part::Runs) => Parts::Runs,
            },
            namespace: self.to.namespace(connector.name.as_str()),
            destination,
            state,
            dead_letters,
            fell_short: false,
        };
        let ended = match self.every {
            None => self.once(&mut collector, now),
            Some(every) => self.again_and_again(&mut collector, every, now),
        };
        match ended {
            // Whoever read the output has what it wanted.
            Err(CliError::Collect(error)) if matches!(*error, CollectError::Closed) => {
                Ok(Ended::Fine)
            }
            Ok(Ended::Fine) if collector.fell_short => Ok(Ended::FellShort),
            ended => ended,
        }
    }

    fn once(&self, collector: &mut Collector<'_>, now: Timestamp) -> Result<Ended, CliError> {
        if collector.unfinished()? == Ended::Interrupted {
            return Ok(Ended::Interrupted);
        }
        let end = self.until.as_ref().map_or(now, |until| until.at(now));
        let start = match &self.since {
            Some(since) => since.at(now),
            None => collector.collected_until().ok_or_else(|| {
                CliError::usage(
                    "no window to collect: nothing was collected before",
                    "say with `--since` from when",
                )
            })?,
        };
        if start >= end {
            return Err(CliError::usage(
                format!("the window is empty: it starts at {start} and ends at {end}"),
                "let `--since` be before `--until`",
            ));
        }
        collector.window(Window { start, end })
    }

    fn again_and_again(
        &self,
        collector: &mut Collector<'_>,
        every: SignedDuration,
        now: Timestamp,
    ) -> Result<Ended, CliError> {
        let settle = self.settle.unwrap_or(SETTLE);
        let since = self.since.as_ref().map(|since| since.at(now));
        // The end of the last window, for a collection that keeps no state.
        let mut until = since.unwrap_or(now - settle - every);
        loop {
            let outcome = collector.unfinished().and_then(|ended| {
                let start = collector.collected_until().unwrap_or(until);
                let end = pipeline::now() - settle;
                if ended != Ended::Fine || start >= end {
                    return Ok(ended);
                }
                let ended = collector.window(Window { start, end })?;
                until = end;
                Ok(ended)
            });
            let printer = &collector.context.printer;
            let next = match outcome {
                Ok(Ended::Fine) => collector.collected_until().unwrap_or(until) + settle + every,
                Ok(ended) => return Ok(ended),
                Err(error) if may_pass(&error) => {
                    printer.problem(&error);
                    Timestamp::now() + every.min(NEXT_TRY)
                }
                Err(error) => return Err(error),
            };
            printer.detail(format!("the next window is collected at {next}"));
            if collector.stop.sleeps_until(next) == Slept::Interrupted {
                return Ok(Ended::Interrupted);
            }
        }
    }

    /// Where this connector's state is.
    fn folder(
        &self,
        context: &Context,
        connector: &PipelineConnector,
    ) -> Result<PathBuf, CliError> {
        if let Some(folder) = &self.state {
            return Ok(context.path(folder));
        }
        let workspace = Workspace::find(&context.directory)?;
        Ok(workspace
            .state_dir()
            .join("collect")
            .join(connector.name.as_str()))
    }

    /// What tells one collection's state from another's.
    fn purpose(&self, connector: &PipelineConnector, destination: &Destination) -> String {
        let parts = match self.only {
            None => "metadata and runs",
            Some(Part::Metadata) => "metadata",
            Some(Part::Runs) => "runs",
        };
        format!(
            "{parts} of {} {destination}",
            connector.manifest.connection_type
        )
    }
}

/// Whether the same window may come out better later.
fn may_pass(error: &CliError) -> bool {
    match error {
        CliError::Workbench(WorkbenchError::Source(_)) => true,
        CliError::Collect(error) => matches!(
            **error,
            CollectError::Push(_) | CollectError::NothingTaken { .. }
        ),
        _ => false,
    }
}

/// What Ctrl-C stops.
struct Stop {
    run: Run,
    asked: Arc<AtomicBool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slept {
    ToTheEnd,
    Interrupted,
}

impl Stop {
    fn of(run: &Run) -> Self {
        Self {
            run: run.clone(),
            asked: run.flag(),
        }
    }

    fn is_asked(&self) -> bool {
        self.run.is_stopped()
    }

    fn sleeps_until(&self, at: Timestamp) -> Slept {
        // By the clock on the wall, which goes on while the machine sleeps.
        const SLICE: Duration = Duration::from_millis(100);
        loop {
            if self.is_asked() {
                return Slept::Interrupted;
            }
            let left = Duration::try_from(at.duration_since(Timestamp::now())).unwrap_or_default();
            if left.is_zero() {
                return Slept::ToTheEnd;
            }
            std::thread::sleep(left.min(SLICE));
        }
    }
}

/// Collects windows.
struct Collector<'c> {
    context: &'c Context,
    connector: &'c PipelineConnector,
    credentials: Credentials,
    stop: Stop,
    parts: Parts,
    namespace: String,
    destination: Destination,
    state: Option<State>,
    dead_letters: PathBuf,
    /// Whether any event became a dead letter.
    fell_short: bool,
}

impl Collector<'_> {
    fn collected_until(&self) -> Option<Timestamp> {
        self.state.as_ref()?.collected_until()
    }

    /// Finishes the window that an earlier collection left open.
    fn unfinished(&mut self) -> Result<Ended, CliError> {
        let Some(window) = self.state.as_ref().and_then(State::open_window) else {
            return Ok(Ended::Fine);
        };
        self.context
            .printer
            .say(format!("going on with {window}, which was not finished"));
        self.window(window)
    }

    fn window(&mut self, window: Window) -> Result<Ended, CliError> {
        let began = Instant::now();
        let mut ledger = match &mut self.state {
            Some(state) => state.begin(window)?,
            None => Ledger::default(),
        };
        let outcome = self.collect(window, &mut ledger);
        let collected = match outcome {
            Ok(collected) => collected,
            Err(error) if self.stop.is_asked() && is_cancelled(&error) => {
                self.left_open("stopped", window);
                return Ok(Ended::Interrupted);
            }
            Err(error) => {
                self.left_open("not finished", window);
                return Err(error);
            }
        };
        if let Some(state) = &mut self.state {
            state.finish()?;
        }
        self.fell_short |= collected.dead() > 0;
        let report = words::report(
            &collected,
            window,
            began.elapsed(),
            self.context.shown(&self.dead_letters),
        );
        self.context.printer.say(report.trim_end());
        Ok(Ended::Fine)
    }

    /// Says what becomes of a window that was not finished, if anything is written down of it.
    fn left_open(&self, what: &str, window: Window) {
        if self.state.is_some() {
            let printer = &self.context.printer;
            printer.say(format!("{what}; the next collection goes on with {window}"));
        }
    }

    fn collect(&mut self, window: Window, ledger: &mut Ledger) -> Result<Collected, CliError> {
        let pipeline = self.connector.open_with(
            &self.credentials,
            self.stop.run.flag(),
            pipeline::opening(self.context),
        )?;
        let manifest = &self.connector.manifest;
        let connection_type = manifest.connection_type.as_str();
        let format = self.destination.format(|| {
            let name = &manifest.connection_name;
            Lineage::new(&self.namespace, connection_type, name, window.end)
        });
        let collection = Collection {
            pipeline: &*pipeline,
            window,
            now: Timestamp::now(),
            parts: self.parts,
            encoder: &Encoder::new(connection_type, format),
        };
        let bar = self.destination.bar(self.context);
        let mut dead_letters = DeadLetters::new(&self.dead_letters, window);
        let outcome = collection.run(
            self.destination.sink()?,
            ledger,
            &mut dead_letters,
            &mut |so_far| bar.set_message(words::progress(so_far)),
        );
        bar.finish_and_clear();
        outcome.map_err(CliError::from)
    }
}

fn is_cancelled(error: &CliError) -> bool {
    match error {
        CliError::Workbench(WorkbenchError::Source(error)) => {
            error.kind == SourceErrorKind::Cancelled
        }
        CliError::Collect(error) => match &**error {
            CollectError::Push(error) => error.kind == PushErrorKind::Cancelled,
            _ => false,
        },
        _ => false,
    }
}

/// A resource's identifier on the command line.
fn uuid(text: &str) -> Result<Uuid, String> {
    Uuid::parse_str(text).map_err(|error| error.to_string())
}
