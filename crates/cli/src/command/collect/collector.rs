//! What collects windows, one after the other.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use bowline_collect::{
    ClockReading, Clocks, CollectError, Collected, Collection, DeadLetters, Encoder, FailedWindow,
    Ledger, Lineage, Parts, PushErrorKind, State, give_up_window,
};
use bowline_connector::{Credentials, Workspace};
use bowline_contract::pipeline::Window;
use bowline_durable::RealDisk;
use bowline_pipeline::{Pipeline, PipelineConnector, RunQuery, SourceErrorKind};
use bowline_workbench::{Run, WorkbenchError, pipeline as workbench};
use jiff::{SignedDuration, Timestamp};

use super::destination::{Destination, DestinationArgs};
use super::words::{self, Outstanding};
use crate::context::Context;
use crate::error::CliError;
use crate::named::{self, NamedConnector};
use crate::pipeline;

/// What is collected, where it goes, and where that is written down.
#[derive(Debug, clap::Args)]
#[command(mut_args(named::pipelines))]
pub(super) struct PlaceArgs {
    #[command(flatten)]
    connector: NamedConnector,
    #[command(flatten)]
    to: DestinationArgs,
    /// Where to write down what was delivered; without it, a folder of the connector's in `.bowline`
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Where dead letters go; without it, `dead-letters.jsonl` in the state's folder
    #[arg(long, value_name = "FILE")]
    dead_letters: Option<PathBuf>,
    /// Go on in a new file: the output was moved away on purpose
    #[arg(long, requires = "output")]
    rotated: bool,
}

impl PlaceArgs {
    /// The connector's name.
    pub(super) fn connector(&self) -> Option<&str> {
        self.connector.name()
    }

    /// Where a connector's state is.
    pub(super) fn folder(&self, context: &Context, connector: &str) -> Result<PathBuf, CliError> {
        if let Some(folder) = &self.state {
            return Ok(context.path(folder));
        }
        let workspace = Workspace::find(&context.directory)?;
        Ok(workspace.state_dir().join("collect").join(connector))
    }

    /// Where dead letters are.
    pub(super) fn dead_letters(&self, context: &Context, folder: &Path) -> PathBuf {
        match &self.dead_letters {
            Some(file) => context.path(file),
            None => folder.join("dead-letters.jsonl"),
        }
    }
}

/// Collects windows.
pub(super) struct Collector<'c> {
    pub(super) context: &'c Context,
    pub(super) connector: PipelineConnector,
    credentials: Credentials,
    pub(super) stop: Stop,
    pub(super) parts: Parts,
    settle: SignedDuration,
    namespace: String,
    destination: Destination,
    pub(super) state: State,
    /// Whether what was delivered is written down.
    is_lasting: bool,
    pub(super) dead_letters: PathBuf,
    rotated: bool,
    /// Whether a list could not be read to its end, so that something may be missing.
    pub(super) is_lacking: bool,
}

impl<'c> Collector<'c> {
    /// Opens what is collected and where it goes; without parts, a collection that was begun goes on with its own.
    pub(super) fn open(
        context: &'c Context,
        place: &PlaceArgs,
        parts: Option<Parts>,
        settle: SignedDuration,
    ) -> Result<Self, CliError> {
        let connector = context.pipeline(place.connector())?;
        let credentials = workbench::credentials(&connector, &|event| context.tell(event))?;
        let stop = Stop::of(context.interruptible()?);
        let destination = place
            .to
            .open(context, &connector, &credentials, &stop.asked)?;
        let folder = place.folder(context, connector.name.as_str())?;
        let mut wanted = parts.map_or_else(
            || vec![Parts::All, Parts::Runs, Parts::Metadata],
            |parts| vec![parts],
        );
        let is_lasting = destination.lasts() || place.state.is_some();
        let state = if is_lasting {
            let connection_type = &connector.manifest.connection_type;
            let purpose =
                |parts| format!("{} of {connection_type} {destination}", words::parts(parts));
            let purposes: Vec<String> = wanted.iter().map(|parts| purpose(*parts)).collect();
            let purposes: Vec<&str> = purposes.iter().map(String::as_str).collect();
            let state = State::open(&folder, &purposes)?;
            let made_for = purposes.iter().position(|one| *one == state.collection());
            wanted.swap(0, made_for.unwrap_or_default());
            state
        } else {
            State::in_memory()
        };
        Ok(Self {
            context,
            credentials,
            stop,
            parts: wanted[0],
            settle,
            namespace: place.to.namespace(connector.name.as_str()),
            destination,
            state,
            is_lasting,
            dead_letters: place.dead_letters(context, &folder),
            rotated: place.rotated,
            is_lacking: false,
            connector,
        })
    }

    pub(super) fn collected_until(&self) -> Option<Timestamp> {
        self.state.collected_until()
    }

    /// Sees whether our clock was ahead when something was collected, and takes that back.
    pub(super) fn look_at_clock(&mut self, now: Timestamp) -> Result<(), CliError> {
        if let Some(shown) = self.state.take_back(now)? {
            let from = self.collected_until().map_or_else(String::new, |until| {
                format!("; collecting again from {until} on")
            });
            self.context.printer.say(format!(
                "our clock has gone back: it shows {now}, and showed {shown} at an earlier collection{from}"
            ));
        }
        Ok(())
    }

    /// Finishes the window that an earlier collection left open, and gives how much of it is over; nothing when there is
    /// none.
    ///
    /// # Errors
    /// [`CliError::Interrupted`] when the user stopped it.
    pub(super) fn unfinished(&mut self) -> Result<Option<Window>, CliError> {
        let Some(window) = self.state.open_window() else {
            return Ok(None);
        };
        self.context
            .printer
            .say(format!("going on with {window}, which was not finished"));
        self.window(window).map(Some)
    }

    /// Collects a window, and gives how much of it is over.
    ///
    /// # Errors
    /// [`CliError::Interrupted`] when the user stopped it.
    pub(super) fn window(&mut self, window: Window) -> Result<Window, CliError> {
        let began = Instant::now();
        self.ready()?;
        let mut ledger = self.state.begin(window)?;
        let clocks = Arc::new(Clocks::start());
        let what = What {
            runs: RunQuery::Window(window),
            parts: self.parts,
            jobs: None,
        };
        let collected = self.collect(&what, &mut ledger, Some(window), &clocks);
        let clocks = clocks.reading();
        let over_before = pipeline::whole_second(clocks.earliest - self.settle);
        let collected = match collected {
            Ok(collected) => collected,
            Err(error) if self.stop.is_asked() && is_cancelled(&error) => {
                self.state.leave(ledger);
                return Err(self.left_open("stopped", window, CliError::Interrupted));
            }
            Err(error) => {
                let Some(reason) = unread(&error) else {
                    self.state.leave(ledger);
                    return Err(self.left_open("not finished", window, error));
                };
                self.set_aside(ledger, over_before, &clocks, &reason)?;
                return Err(error);
            }
        };
        match collected.runs.incomplete() {
            None => self.state.finish(ledger, over_before, &clocks)?,
            Some(reason) => self.set_aside(ledger, over_before, &clocks, reason)?,
        }
        let outstanding = self.outstanding(collected.dead())?;
        let report = words::report(&collected, &window.to_string(), began.elapsed());
        self.context.printer.say(report.trim_end());
        self.tell_outstanding(outstanding);
        self.tell_clocks(&clocks);
        let end = over_before.clamp(window.start, window.end);
        Ok(Window { end, ..window })
    }

    /// Asks again for windows that could not be read before. One that still cannot is told, and stops nothing.
    ///
    /// # Errors
    /// Whatever else stops a collection.
    pub(super) fn failed_windows(&mut self, windows: &[Window]) -> Result<(), CliError> {
        for window in windows {
            let printer = &self.context.printer;
            printer.say(format!("going on with {window}, which was not finished"));
            match self.window(*window) {
                Ok(_) => {}
                Err(error) if unread(&error).is_some() => self.context.printer.problem(&error),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The windows that could not be read and have waited long enough.
    pub(super) fn due_windows(&self, now: Timestamp) -> Vec<Window> {
        let failed = self.state.failed_windows().iter();
        failed
            .filter(|failed| failed.is_due(now))
            .map(FailedWindow::window)
            .collect()
    }

    /// Says which windows could not be read and are asked for again.
    pub(super) fn tell_failed_windows(&self) {
        if let Some(words) = words::failed_windows(self.state.failed_windows()) {
            self.context.printer.say(words);
        }
    }

    /// Keeps the window at hand aside, to be asked for again; one that was asked for often enough is a dead letter.
    fn set_aside(
        &mut self,
        ledger: Ledger,
        over_before: Timestamp,
        clocks: &ClockReading,
        reason: &str,
    ) -> Result<(), CliError> {
        let failed = self.state.set_aside(ledger, over_before, clocks, reason)?;
        match failed.filter(FailedWindow::is_hopeless) {
            Some(failed) => self.give_up(&failed),
            None => Ok(()),
        }
    }

    /// Makes a window that was asked for often enough a dead letter.
    fn give_up(&mut self, failed: &FailedWindow) -> Result<(), CliError> {
        let window = failed.window();
        let mut letters = self.dead_letters(None);
        let all = give_up_window(&mut self.state, &mut letters, failed)?;
        let in_file = letters.count()?;
        self.context.printer.say(format!(
            "{window} was asked for {} times and is a dead letter now",
            failed.tries()
        ));
        self.tell_outstanding(Outstanding {
            all,
            in_file,
            fresh: 1,
        });
        Ok(())
    }

    /// Makes the output ready; it must still have what was written to it.
    pub(super) fn ready(&mut self) -> Result<(), CliError> {
        let bytes = self.state.output_bytes()?;
        let is_rotated = std::mem::take(&mut self.rotated);
        let sink = self.destination.sink(bytes.filter(|_| !is_rotated))?;
        let bytes = sink.bytes();
        if bytes.is_some() && bytes != self.state.output_bytes()? {
            self.state.blank_ledger()?.add(&[], bytes)?;
        }
        Ok(())
    }

    pub(super) fn tell_outstanding(&self, outstanding: Outstanding) {
        let shown = self.context.shown(&self.dead_letters);
        if let Some(words) = words::outstanding(outstanding, shown) {
            self.context.printer.say(words);
        }
    }

    /// Says that clocks are apart: what is late because of it must not look like nothing.
    fn tell_clocks(&self, clocks: &ClockReading) {
        let printer = &self.context.printer;
        if !clocks.agree()
            && let Some(ahead) = clocks.ahead
        {
            printer.say(words::clocks_apart(ahead, self.collected_until()));
        }
        if !clocks.stepped.is_zero() {
            printer.say(words::clock_set(clocks.stepped, self.collected_until()));
        }
    }

    /// The dead letters that nobody has retried or discarded, after so many more became such.
    pub(super) fn outstanding(&mut self, fresh: usize) -> Result<Outstanding, CliError> {
        let in_file = self.dead_letters(None).count()?;
        let all = in_file.max(self.state.given_up() + fresh);
        self.state.set_given_up(all)?;
        Ok(Outstanding {
            all,
            in_file,
            fresh,
        })
    }

    pub(super) fn dead_letters(&self, window: Option<Window>) -> DeadLetters {
        DeadLetters::new(Arc::new(RealDisk), &self.dead_letters, window)
    }

    /// Says what becomes of a window that was not finished, if anything is written down of it.
    fn left_open(&self, what: &str, window: Window, error: CliError) -> CliError {
        if self.is_lasting {
            let printer = &self.context.printer;
            printer.say(format!("{what}; the next collection goes on with {window}"));
        }
        error
    }

    /// Reads something and delivers it.
    pub(super) fn collect(
        &mut self,
        what: &What,
        ledger: &mut Ledger,
        window: Option<Window>,
        clocks: &Arc<Clocks>,
    ) -> Result<Collected, CliError> {
        let pipeline = self.pipeline(clocks)?;
        let now = Timestamp::now();
        let encoder = self.encoder(window.map_or(now, |window| window.end));
        let collection = Collection {
            pipeline: &*pipeline,
            runs: what.runs.clone(),
            now,
            parts: what.parts,
            jobs: what.jobs.as_ref(),
            encoder: &encoder,
        };
        let bar = self.destination.bar(self.context);
        let mut dead_letters = self.dead_letters(window);
        let outcome = collection.run(
            self.destination.sink(None)?,
            ledger,
            &mut dead_letters,
            &mut |so_far| bar.set_message(words::progress(so_far)),
        );
        bar.finish_and_clear();
        let collected = outcome?;
        self.is_lacking |= [&collected.assets, &collected.runs]
            .iter()
            .any(|tally| tally.incomplete().is_some());
        Ok(collected)
    }

    /// The vendor, ready to be read.
    pub(super) fn pipeline(&self, clocks: &Arc<Clocks>) -> Result<Arc<dyn Pipeline>, CliError> {
        Ok(self.connector.open_with(
            &self.credentials,
            self.stop.run.flag(),
            pipeline::opening_with_clocks(self.context, clocks),
        )?)
    }

    /// The output, where it is a file of lines with keys.
    pub(super) fn lines(&self) -> Option<&Path> {
        self.destination.lines()
    }

    /// What writes events as the destination takes them.
    pub(super) fn encoder(&self, now: Timestamp) -> Encoder {
        let manifest = &self.connector.manifest;
        let connection_type = manifest.connection_type.as_str();
        let format = self.destination.format(|| {
            let name = &manifest.connection_name;
            Lineage::new(&self.namespace, connection_type, name, now)
        });
        Encoder::new(connection_type, format)
    }
}

/// What is read.
pub(super) struct What {
    pub(super) runs: RunQuery,
    pub(super) parts: Parts,
    pub(super) jobs: Option<BTreeSet<String>>,
}

/// Why a window could not be read, where that is what went wrong.
pub(super) fn unread(error: &CliError) -> Option<String> {
    match error {
        CliError::Workbench(WorkbenchError::Source(source))
            if source.kind != SourceErrorKind::Cancelled =>
        {
            Some(source.to_string())
        }
        _ => None,
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

/// What Ctrl-C stops.
pub(super) struct Stop {
    run: Run,
    asked: Arc<AtomicBool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slept {
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

    pub(super) fn is_asked(&self) -> bool {
        self.run.is_stopped()
    }

    /// Sleeps until a moment by the clock on the wall, which goes on while the machine sleeps; a clock that goes back does
    /// not make it sleep longer than from now on.
    pub(super) fn sleeps_until(&self, at: Timestamp) -> Slept {
        const SLICE: Duration = Duration::from_millis(100);
        let began = Instant::now();
        let most = Duration::try_from(at.duration_since(Timestamp::now())).unwrap_or_default();
        loop {
            if self.is_asked() {
                return Slept::Interrupted;
            }
            let left = Duration::try_from(at.duration_since(Timestamp::now())).unwrap_or_default();
            let left = left.min(most.saturating_sub(began.elapsed()));
            if left.is_zero() {
                return Slept::ToTheEnd;
            }
            std::thread::sleep(left.min(SLICE));
        }
    }
}
