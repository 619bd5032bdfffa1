//! `bowline collect`: metadata and runs of a pipeline, read and sent on.

mod actions;
mod callbacks;
mod collector;
mod destination;
mod words;

use std::net::SocketAddr;
use std::time::Duration;

use bowline_collect::{CollectError, FailedWindow, Parts};
use bowline_contract::pipeline::Window;
use bowline_words::{listed, visible};
use bowline_workbench::WorkbenchError;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::command::moment;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;
use crate::pipeline;
use crate::style::{BAD, HINT, paint};
use actions::Action;
use callbacks::Callbacks;
use collector::{Collector, PlaceArgs, Slept, unread};

/// How soon a window that failed is tried again, at most.
const NEXT_TRY: SignedDuration = SignedDuration::from_secs(60);
/// How long callbacks wait after something failed.
const SHORT_PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// How often is looked whether a pause is over.
const PAUSE: Duration = Duration::from_millis(100);

/// Read a pipeline's metadata and runs, and send them on as events.
///
/// Events go to standard output as JSON lines, are added to a file, or are pushed to a platform. Every event is checked
/// first; one that is not valid, or that the platform refuses, is a dead letter, kept in a file with the reason.
///
/// With `--push` and `--output`, what was delivered is written down. A collection that was stopped, killed or met an
/// error leaves its window open, and the next one goes on with it: every event is delivered at least once, and no window
/// is left out.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  \
    bowline collect prefect --since 24h\n  \
    bowline collect prefect --every 60m --push https://platform.example.com --resource 0a1b2c3d-…\n  \
    bowline collect retry prefect --output events.jsonl"
)]
pub(crate) struct CollectArgs {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    place: PlaceArgs,
    /// From when: a time with its zone, or how long ago, such as `24h`; without it, where the last collection ended
    #[arg(long, value_name = "WHEN", value_parser = moment::parse, allow_hyphen_values = true)]
    since: Option<moment::Moment>,
    /// Until when, that moment left out; without it, now
    #[arg(
        long,
        value_name = "WHEN",
        value_parser = moment::parse,
        allow_hyphen_values = true,
        conflicts_with = "every"
    )]
    until: Option<moment::Moment>,
    /// Go on until Ctrl-C, with a window each time, such as `60m`; windows adjoin
    #[arg(long, value_name = "TIME", value_parser = moment::parse_every)]
    every: Option<SignedDuration>,
    /// How long events may take to show up at the vendor: what is younger is read again with the next window
    #[arg(long, value_name = "TIME", value_parser = moment::parse_length, default_value = "10m")]
    settle: SignedDuration,
    /// Collect nothing else
    #[arg(long, value_name = "PART")]
    only: Option<Part>,
    /// Collect the run with this id, whenever it was; may be given several times
    #[arg(long, value_name = "ID", conflicts_with_all = ["since", "until", "every", "only"])]
    run: Vec<String>,
    /// Collect this job alone, and its runs
    #[arg(long, value_name = "ID", conflicts_with = "every")]
    job: Option<String>,
    /// Take the vendor's callbacks at this address, such as `127.0.0.1:8080`, and collect what they tell of; the secret
    /// that comes with them, or that signs them, is taken from the environment variable BOWLINE_WEBHOOK_SECRET
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["run", "job", "until"])]
    listen: Option<SocketAddr>,
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
        if let Some(action) = &self.action {
            return action.exec(context);
        }
        let now = pipeline::now();
        let parts = match self.only {
            None => Parts::All,
            Some(Part::Metadata) => Parts::Metadata,
            Some(Part::Runs) => Parts::Runs,
        };
        let mut collector = Collector::open(context, &self.place, Some(parts), self.settle)?;
        let ended = match (self.every, self.listen) {
            (every, Some(address)) => self.listening(&mut collector, address, every),
            (Some(every), None) => self.again_and_again(&mut collector, every, now),
            (None, None) if !self.run.is_empty() => self.by_id(&mut collector),
            (None, None) => self.once(&mut collector, now),
        };
        match ended {
            // Whoever read the output has what it wanted.
            Err(CliError::Collect(error)) if matches!(*error, CollectError::Closed) => {
                Ok(Ended::Fine)
            }
            Err(CliError::Interrupted) => Ok(Ended::Interrupted),
            Err(error) => Err(error),
            Ok(Whole::Yes)
                if !collector.is_lacking
                    && collector.outstanding(0)?.all == 0
                    && collector.state.failed_windows().is_empty() =>
            {
                Ok(Ended::Fine)
            }
            Ok(Whole::Yes | Whole::No) => Ok(Ended::FellShort),
        }
    }

    /// Collects runs by their ids.
    fn by_id(&self, collector: &mut Collector<'_>) -> Result<Whole, CliError> {
        let found = collector.runs(&self.run, self.job.as_deref())?;
        let runs = self.run.iter().filter(|run| !found.runs.contains(*run));
        let missing: Vec<_> = runs.map(|run| visible(run)).collect();
        if missing.is_empty() {
            return Ok(Whole::Yes);
        }
        let (of, hint) = match &self.job {
            Some(job) => (
                format!(" of job `{}`", visible(job)),
                "leave `--job` out, which finds runs of every job",
            ),
            None => (
                String::new(),
                "give ids as the vendor writes them, as `run_source_id` of events has them",
            ),
        };
        collector.context.printer.say(format!(
            "{} the vendor has no such run{of}, or shows it no more: {}\n{} {hint}",
            paint(BAD, "✗"),
            listed(missing.iter().map(|run| &**run)),
            paint(HINT, "hint:"),
        ));
        Ok(Whole::No)
    }

    /// Collects what callbacks tell of, and windows where that is asked for too.
    fn listening(
        &self,
        collector: &mut Collector<'_>,
        address: SocketAddr,
        every: Option<SignedDuration>,
    ) -> Result<Whole, CliError> {
        let context = collector.context;
        let folder = self
            .place
            .folder(context, collector.connector.name.as_str())?;
        // What a callback tells of is taken only where it can be handed on.
        collector.ready()?;
        let callbacks = Callbacks::listen(context, address, &folder)?;
        let begin = pipeline::now();
        let (mut next, mut pause_until) = (begin, begin);
        loop {
            if collector.stop.is_asked() {
                return Err(CliError::Interrupted);
            }
            let now = pipeline::now();
            let outcome = match every {
                Some(every) if next <= now => {
                    let outcome = self.window_until(collector, now, every);
                    next = now + every;
                    outcome
                }
                _ if pause_until > now => {
                    std::thread::sleep(PAUSE);
                    continue;
                }
                _ => {
                    let due = callbacks.due();
                    let windows = collector.due_windows(now);
                    if due.is_empty() && windows.is_empty() {
                        continue;
                    }
                    match collector.callbacks(&callbacks.inbox, &due) {
                        Ok(()) => collector.failed_windows(&windows),
                        Err(error) => {
                            if !collector.stop.is_asked() {
                                collector.put_off(&callbacks.inbox, &due, &error)?;
                            }
                            Err(error)
                        }
                    }
                }
            };
            match outcome {
                Ok(()) => {}
                Err(error) if may_pass(&error) => {
                    context.printer.problem(&error);
                    let wait = NEXT_TRY.min(every.unwrap_or(NEXT_TRY));
                    (next, pause_until) = (next.min(now + wait), now + SHORT_PAUSE);
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn once(&self, collector: &mut Collector<'_>, now: Timestamp) -> Result<Whole, CliError> {
        if let Some(job) = &self.job {
            let mut window = collector.since_collected();
            window.end = self
                .until
                .as_ref()
                .map_or(window.end, |until| until.at(now));
            window.start = self
                .since
                .as_ref()
                .map_or(window.start, |since| since.at(now));
            collector.job(job, window)?;
            return Ok(Whole::Yes);
        }
        collector.look_at_clock(now)?;
        let failed = windows(collector.state.failed_windows());
        let mut problem = None;
        let finished = go_on(collector.unfinished(), &mut problem)?.flatten();
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
        if start >= end && self.since.is_some() {
            return Err(CliError::usage(
                format!("the window is empty: it starts at {start} and ends at {end}"),
                "let `--since` be before `--until`",
            ));
        }
        // What an earlier collection was asked for is mostly what this one is asked for.
        let known = windows(collector.state.failed_windows());
        let rest = finished
            .into_iter()
            .chain(known)
            .fold(vec![Window { start, end }], without_all);
        if rest.is_empty() && failed.is_empty() {
            let until = collector.collected_until().unwrap_or(end);
            let printer = &collector.context.printer;
            printer.say(format!("everything until {until} is collected"));
        }
        for window in rest {
            go_on(collector.window(window), &mut problem)?;
        }
        // When nothing can be read, it is not these windows' fault.
        if problem.is_none() {
            collector.failed_windows(&failed)?;
        }
        collector.tell_failed_windows();
        problem.map_or(Ok(Whole::Yes), Err)
    }

    /// Finishes the window that is open, and collects the next one, until now.
    fn window_until(
        &self,
        collector: &mut Collector<'_>,
        now: Timestamp,
        back: SignedDuration,
    ) -> Result<(), CliError> {
        collector.look_at_clock(now)?;
        let mut problem = None;
        go_on(collector.unfinished(), &mut problem)?;
        let first = self
            .since
            .as_ref()
            .map_or(now - back, |since| since.at(now));
        let start = collector.collected_until().unwrap_or(first);
        let due = collector.due_windows(now);
        if start < now {
            go_on(collector.window(Window { start, end: now }), &mut problem)?;
        }
        if problem.is_none() {
            collector.failed_windows(&due)?;
        }
        collector.tell_failed_windows();
        problem.map_or(Ok(()), Err)
    }

    fn again_and_again(
        &self,
        collector: &mut Collector<'_>,
        every: SignedDuration,
        begin: Timestamp,
    ) -> Result<Whole, CliError> {
        loop {
            let now = pipeline::now();
            let outcome = self.window_until(collector, now, now.duration_since(begin) + every);
            let printer = &collector.context.printer;
            let next = match outcome {
                Ok(()) => now + every,
                Err(error) if may_pass(&error) => {
                    printer.problem(&error);
                    Timestamp::now() + every.min(NEXT_TRY)
                }
                Err(error) => return Err(error),
            };
            printer.detail(format!("the next window is collected at {next}"));
            if collector.stop.sleeps_until(next) == Slept::Interrupted {
                return Err(CliError::Interrupted);
            }
        }
    }
}

/// Whether everything that was asked for was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whole {
    Yes,
    No,
}

/// Goes on after a window that could not be read, which is kept aside; the first of them is the problem.
fn go_on<T>(
    outcome: Result<T, CliError>,
    problem: &mut Option<CliError>,
) -> Result<Option<T>, CliError> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error) if unread(&error).is_some() => {
            problem.get_or_insert(error);
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn windows(failed: &[FailedWindow]) -> Vec<Window> {
    failed.iter().map(FailedWindow::window).collect()
}

/// What of windows is left without another one.
fn without_all(windows: Vec<Window>, other: Window) -> Vec<Window> {
    windows
        .into_iter()
        .flat_map(|window| without(window, other))
        .filter(|rest| rest.start < rest.end)
        .collect()
}

/// What of a window is left without another one.
fn without(window: Window, other: Window) -> Vec<Window> {
    if window.end <= other.start || other.end <= window.start {
        return vec![window];
    }
    let before = Window {
        end: other.start,
        ..window
    };
    let after = Window {
        start: other.end,
        ..window
    };
    vec![before, after]
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

/// A resource's identifier on the command line.
fn uuid(text: &str) -> Result<Uuid, String> {
    Uuid::parse_str(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_without_another_is_what_lies_on_either_side() {
        let window = |start: i64, end: i64| Window {
            start: Timestamp::from_second(start).unwrap(),
            end: Timestamp::from_second(end).unwrap(),
        };
        let rest = |other: Window| -> Vec<Window> {
            let rest = without(window(10, 20), other).into_iter();
            rest.filter(|rest| rest.start < rest.end).collect()
        };
        assert_eq!(rest(window(10, 20)), []);
        assert_eq!(rest(window(5, 25)), []);
        assert_eq!(rest(window(9, 18)), [window(18, 20)]);
        assert_eq!(rest(window(12, 18)), [window(10, 12), window(18, 20)]);
        assert_eq!(rest(window(0, 10)), [window(10, 20)]);
        assert_eq!(rest(window(20, 30)), [window(10, 20)]);
    }
}
