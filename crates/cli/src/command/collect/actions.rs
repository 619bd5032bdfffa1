//! What is done about a collection: dead letters retried or discarded, and what was delivered verified.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use bowline_collect::{
    Clocks, Collected, DeadLetter, DeadLetters, Event, FailedWindow, Given, Keys, Kind, Parts,
    State, Verification, output_keys, settle_retried,
};
use bowline_contract::pipeline::Window;
use bowline_durable::RealDisk;
use bowline_pipeline::RunQuery;
use bowline_words::counted;
use jiff::SignedDuration;

use super::collector::{Collector, PlaceArgs, What, unread};
use super::words::{self, Outstanding};
use crate::command::moment;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;
use crate::pipeline;

/// How many runs are asked for at a time.
const IDS: usize = 100;

/// What is done about a collection.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Action {
    /// Read what became dead letters from the vendor again, and deliver it
    ///
    /// What is still not valid or still refused stays a dead letter, and so does what the vendor no longer has.
    Retry {
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Give dead letters up for good
    Discard {
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Compare what the vendor shows with what was delivered
    ///
    /// Reads the runs of a window and looks each of them up in the ledger of the last 30 days, and in the output where it
    /// is a file of events.
    Verify {
        #[command(flatten)]
        place: PlaceArgs,
        /// From when: a time with its zone, or how long ago; without it, from where the first window began
        #[arg(long, value_name = "WHEN", value_parser = moment::parse, allow_hyphen_values = true)]
        since: Option<moment::Moment>,
        /// Until when; without it, and at the latest, until where everything is collected
        #[arg(long, value_name = "WHEN", value_parser = moment::parse, allow_hyphen_values = true)]
        until: Option<moment::Moment>,
    },
}

impl Action {
    pub(super) fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        let open = |place| Collector::open(context, place, None, SignedDuration::ZERO);
        match self {
            Self::Retry { place } => retry(&mut open(place)?),
            Self::Discard { place } => discard(context, place),
            Self::Verify {
                place,
                since,
                until,
            } => {
                let collector = open(place)?;
                let now = pipeline::now();
                let covered = collector.state.covered().ok_or_else(|| {
                    CliError::usage(
                        "nothing to verify: nothing was collected",
                        "give the `--output`, `--push` and `--state` of the collection",
                    )
                })?;
                let since = since.as_ref().map_or(covered.start, |since| since.at(now));
                let until = until.as_ref().map_or(covered.end, |until| until.at(now));
                verify(
                    &collector,
                    Window {
                        start: since,
                        end: until.min(covered.end),
                    },
                )
            }
        }
    }
}

fn retry(collector: &mut Collector<'_>) -> Result<Ended, CliError> {
    let began = Instant::now();
    let mut file = collector.dead_letters(None);
    let before = collector.outstanding(0)?;
    let letters = file.letters()?;
    let (runs, jobs) = (ids(&letters, Kind::Run), ids(&letters, Kind::Asset));
    collector.ready()?;
    let mut ledger = collector.state.blank_ledger()?;
    let clocks = Arc::new(Clocks::start());
    let mut collected = Collected::default();
    if !jobs.is_empty() {
        let what = What {
            runs: RunQuery::Ids(Vec::new()),
            parts: Parts::Metadata,
            jobs: Some(jobs),
        };
        collected = collector.collect(&what, &mut ledger, None, &clocks)?;
    }
    let runs: Vec<String> = runs.into_iter().collect();
    for some in runs.chunks(IDS) {
        let what = What {
            runs: RunQuery::Ids(some.to_vec()),
            parts: Parts::Runs,
            jobs: None,
        };
        let more = collector.collect(&what, &mut ledger, None, &clocks)?;
        collected.add_runs(more);
    }
    let mut read = Vec::new();
    let windows = letters
        .iter()
        .filter_map(DeadLetter::whole_window)
        .chain(
            collector
                .state
                .failed_windows()
                .iter()
                .map(FailedWindow::window),
        )
        .collect::<Vec<Window>>();
    for window in windows {
        if read.contains(&window) {
            continue;
        }
        let what = What {
            runs: RunQuery::Window(window),
            parts: collector.parts,
            jobs: None,
        };
        let mut ledger = collector.state.ledger_beside(window)?;
        match collector.collect(&what, &mut ledger, Some(window), &clocks) {
            Ok(more) => {
                collected.add_runs(more);
                read.push(window);
            }
            Err(error) if unread(&error).is_some() => collector.context.printer.problem(&error),
            Err(error) => return Err(error),
        }
    }
    // What was read again is delivered, or a dead letter anew, behind the ones that were there.
    let is_over = |letter: &DeadLetter| {
        let has = |ids: &BTreeSet<String>, id: Option<&str>| id.is_some_and(|id| ids.contains(id));
        if let Some(window) = letter.whole_window() {
            read.contains(&window)
        } else if letter.kind == Kind::Run.name() {
            has(&collected.found.runs, letter.run_id())
        } else {
            has(&collected.found.jobs, letter.job_id())
        }
    };
    let all = settle_retried(
        &mut collector.state,
        &mut file,
        letters.len(),
        is_over,
        &read,
        before.all - before.in_file,
    )?;
    let in_file = file.count()?;
    let report = words::report(&collected, "retried", began.elapsed());
    collector.context.printer.say(report.trim_end());
    collector.tell_outstanding(Outstanding {
        all,
        in_file,
        fresh: all,
    });
    collector.tell_failed_windows();
    Ok(if all == 0 && collector.state.failed_windows().is_empty() {
        Ended::Fine
    } else {
        Ended::FellShort
    })
}

fn ids(letters: &[DeadLetter], kind: Kind) -> BTreeSet<String> {
    letters
        .iter()
        .filter(|letter| letter.kind == kind.name())
        .filter_map(|letter| match kind {
            Kind::Run => letter.run_id(),
            Kind::Asset => letter.job_id(),
        })
        .map(str::to_owned)
        .collect()
}

fn discard(context: &Context, place: &PlaceArgs) -> Result<Ended, CliError> {
    let connector = context.pipeline(place.connector())?;
    let folder = place.folder(context, connector.name.as_str())?;
    let mut state = State::reopen(&folder)?;
    let path = place.dead_letters(context, &folder);
    let mut file = DeadLetters::new(Arc::new(RealDisk), &path, None);
    let discarded = bowline_collect::discard(state.as_mut(), &mut file)?;
    let mut what = counted(discarded.letters, "dead letter");
    if discarded.windows > 0 {
        what = format!("{what} and {}", counted(discarded.windows, "window"));
    }
    context.printer.say(format!("discarded {what}"));
    Ok(Ended::Fine)
}

fn verify(collector: &Collector<'_>, window: Window) -> Result<Ended, CliError> {
    if window.start >= window.end {
        return Err(CliError::usage(
            format!(
                "the window is empty: it starts at {} and ends at {}, until where everything is collected",
                window.start, window.end
            ),
            "let it begin earlier",
        ));
    }
    let clocks = Arc::new(Clocks::start());
    let vendor = collector.pipeline(&clocks)?;
    let encoder = collector.encoder(window.end);
    let mut shown = Keys::new();
    vendor.runs(&RunQuery::Window(window), None, &mut |run| {
        let id = run.run_source_id().unwrap_or_default().to_owned();
        let Event { key, .. } = encoder.event(Given::Run(run));
        shown.insert(key, id);
    })?;
    let mut entries = Vec::new();
    collector.state.entries(&mut |entry| entries.push(entry))?;
    let output = collector
        .lines()
        .map(|path| output_keys(&RealDisk, path, window))
        .transpose()?;
    let verification = Verification::new(window, &shown, entries, output.as_ref());
    let text = words::verification(&verification, window);
    collector.context.printer.say(text.trim_end());
    Ok(if verification.is_whole() {
        Ended::Fine
    } else {
        Ended::FellShort
    })
}
