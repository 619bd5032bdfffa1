//! Runs and jobs by name, as a vendor's callbacks tell of them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bowline_collect::{Callback, Clocks, Found, Inbox, Listener, Parts, WebhookSecret};
use bowline_contract::pipeline::Window;
use bowline_durable::RealDisk;
use bowline_pipeline::RunQuery;
use bowline_words::{counted, visible};
use bowline_workbench::WorkbenchError;
use jiff::SignedDuration;

use super::collector::{Collector, What, unread};
use super::words;
use crate::context::Context;
use crate::error::CliError;
use crate::pipeline;

/// What holds the secret of callbacks.
const SECRET_VARIABLE: &str = "BOWLINE_WEBHOOK_SECRET";
/// How many callbacks are collected together.
const TOGETHER: usize = 50;
/// How far back the runs of a job are looked for when nothing was collected before.
const LOOKBACK: SignedDuration = SignedDuration::from_hours(1);
/// How long nobody looks whether something else is to be done.
const PATIENCE: Duration = Duration::from_millis(200);

impl Collector<'_> {
    /// Collects runs by their ids, those of one job where it is named, and gives what was found.
    pub(super) fn runs(&mut self, ids: &[String], job: Option<&str>) -> Result<Found, CliError> {
        let what = What {
            runs: RunQuery::Ids(ids.to_vec()),
            parts: Parts::Runs,
            jobs: job.map(|job| BTreeSet::from([job.to_owned()])),
        };
        let words = match ids.len() {
            1 => "1 id of a run".to_owned(),
            count => format!("{count} ids of runs"),
        };
        self.beside(&what, &words)
    }

    /// Collects a job, and its runs since everything was collected.
    pub(super) fn job(&mut self, job: &str, window: Window) -> Result<Found, CliError> {
        let what = What {
            runs: RunQuery::Window(window),
            parts: self.parts,
            jobs: Some(BTreeSet::from([job.to_owned()])),
        };
        self.beside(&what, &format!("job `{}` in {window}", visible(job)))
    }

    /// The time since everything was collected.
    pub(super) fn since_collected(&self) -> Window {
        let end = pipeline::now();
        let start = self.collected_until().unwrap_or(end - LOOKBACK);
        Window {
            start: start.min(end - LOOKBACK),
            end,
        }
    }

    /// Collects something that is no window of its own: what is collected until when stays as it is.
    fn beside(&mut self, what: &What, words: &str) -> Result<Found, CliError> {
        let began = Instant::now();
        self.ready()?;
        let mut ledger = self.state.ledger_beside(self.since_collected())?;
        let clocks = Arc::new(Clocks::start());
        let collected = self.collect(what, &mut ledger, None, &clocks)?;
        let outstanding = self.outstanding(collected.dead())?;
        let report = words::report(&collected, words, began.elapsed());
        self.context.printer.say(report.trim_end());
        self.tell_outstanding(outstanding);
        Ok(collected.found)
    }

    /// Collects what callbacks tell of. What is not there yet is put off; what is still not there after an hour is given
    /// up, and counts as a dead letter.
    pub(super) fn callbacks(
        &mut self,
        inbox: &Inbox,
        callbacks: &[Callback],
    ) -> Result<(), CliError> {
        let mut by_job: BTreeMap<Option<&str>, Vec<String>> = BTreeMap::new();
        let mut whole = Vec::new();
        for callback in callbacks {
            match &callback.run {
                Some(run) => by_job
                    .entry(callback.job.as_deref())
                    .or_default()
                    .push(run.clone()),
                None => whole.push(callback),
            }
        }
        for callback in whole {
            let window = self.since_collected();
            match &callback.job {
                Some(job) => {
                    self.job(job, window)?;
                }
                None => {
                    let outcome = self
                        .unfinished()
                        .and_then(|_| self.window(self.since_collected()));
                    match outcome {
                        // The window is kept aside, and asked for again by itself.
                        Err(error) if unread(&error).is_some() => {
                            self.context.printer.problem(&error);
                        }
                        outcome => {
                            outcome?;
                        }
                    }
                }
            }
            inbox.done(std::slice::from_ref(callback))?;
        }
        for (job, runs) in by_job {
            self.told_of(inbox, &runs, job)?;
        }
        Ok(())
    }

    /// Collects runs that callbacks tell of. One that cannot be read does not take the others along.
    fn told_of(
        &mut self,
        inbox: &Inbox,
        runs: &[String],
        job: Option<&str>,
    ) -> Result<(), CliError> {
        let found = match self.runs(runs, job) {
            Ok(found) => found,
            Err(CliError::Workbench(WorkbenchError::Source(error)))
                if !error.kind.fails_everything() =>
            {
                if let [run] = runs {
                    let callback = callback(run, job);
                    return self.not_yet(inbox, &callback, "cannot be read", &error.to_string());
                }
                for run in runs {
                    self.told_of(inbox, std::slice::from_ref(run), job)?;
                }
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        for run in runs {
            let callback = callback(run, job);
            if found.runs.contains(run) {
                inbox.done(&[callback])?;
            } else {
                self.not_yet(
                    inbox,
                    &callback,
                    "is not shown",
                    "the vendor does not show it",
                )?;
            }
        }
        Ok(())
    }

    /// Puts off what callbacks tell of, because it could not be read or delivered at all. Only what the vendor fails at
    /// counts: what the platform does not take must wait until it does.
    pub(super) fn put_off(
        &mut self,
        inbox: &Inbox,
        callbacks: &[Callback],
        error: &CliError,
    ) -> Result<(), CliError> {
        let reason = unread(error);
        let (mut waiting, mut given_up) = (0, 0);
        for callback in callbacks.iter().filter(|callback| inbox.holds(callback)) {
            let Some(reason) = &reason else {
                inbox.leave(callback);
                waiting += 1;
                continue;
            };
            match inbox.postpone(callback)? {
                Some(_) => waiting += 1,
                None => {
                    self.give_up_callback(inbox, callback, reason)?;
                    given_up += 1;
                }
            }
        }
        let printer = &self.context.printer;
        if waiting > 0 {
            printer.say(format!("{} put off", counted(waiting, "callback")));
        }
        if given_up > 0 {
            let callbacks = counted(given_up, "callback");
            printer.say(format!("{callbacks} put off for an hour: dead letters now"));
            let outstanding = self.outstanding(given_up)?;
            self.tell_outstanding(outstanding);
        }
        Ok(())
    }

    /// Puts a run off that a callback tells of; after an hour it is a dead letter.
    fn not_yet(
        &mut self,
        inbox: &Inbox,
        callback: &Callback,
        what: &str,
        reason: &str,
    ) -> Result<(), CliError> {
        let run = callback.run.as_deref().unwrap_or_default();
        let shown = visible(run);
        if let Some(wait) = inbox.postpone(callback)? {
            self.context.printer.say(format!(
                "run `{shown}` {what} yet; it is asked for again in {} s: {}",
                wait.as_secs(),
                visible(reason.lines().next().unwrap_or_default())
            ));
            return Ok(());
        }
        self.context.printer.say(format!(
            "run `{shown}` {what} after an hour; it is a dead letter"
        ));
        self.give_up_callback(inbox, callback, reason)?;
        let outstanding = self.outstanding(1)?;
        self.tell_outstanding(outstanding);
        Ok(())
    }

    /// Makes what a callback tells of a dead letter: a run, or the time since everything was collected.
    fn give_up_callback(
        &mut self,
        inbox: &Inbox,
        callback: &Callback,
        reason: &str,
    ) -> Result<(), CliError> {
        let mut file = self.dead_letters(None);
        match &callback.run {
            Some(run) => file.run_given_up(run, callback.job.as_deref(), reason)?,
            None => file.window_given_up(self.since_collected(), reason)?,
        }
        inbox.done(std::slice::from_ref(callback))?;
        Ok(())
    }
}

fn callback(run: &str, job: Option<&str>) -> Callback {
    Callback {
        job: job.map(str::to_owned),
        run: Some(run.to_owned()),
    }
}

/// What takes callbacks: the inbox, and who listens.
pub(super) struct Callbacks {
    pub(super) inbox: Arc<Inbox>,
    _listener: Listener,
}

impl Callbacks {
    /// Listens at an address, and keeps what comes in a folder.
    pub(super) fn listen(
        context: &Context,
        address: SocketAddr,
        folder: &Path,
    ) -> Result<Self, CliError> {
        let secret = match std::env::var(SECRET_VARIABLE) {
            Ok(text) => {
                let secret = WebhookSecret::parse(&text).map_err(|problem| {
                    CliError::usage(
                        format!("`{SECRET_VARIABLE}` is no secret: {problem}"),
                        "set it to what the vendor signs or sends with its callbacks",
                    )
                })?;
                Some(secret)
            }
            // Who can connect to loopback is on this machine.
            Err(_) if address.ip().is_loopback() => None,
            Err(_) => {
                return Err(CliError::usage(
                    format!(
                        "anybody could send callbacks to `{address}`: `{SECRET_VARIABLE}` is not set"
                    ),
                    format!(
                        "set `{SECRET_VARIABLE}` to what the vendor signs or sends with its callbacks"
                    ),
                ));
            }
        };
        let path = folder.join("callbacks");
        let inbox = Arc::new(Inbox::open(Arc::new(RealDisk), &path)?);
        let listener = Listener::start(address, secret, &inbox).map_err(|error| {
            CliError::usage(
                format!("cannot listen at `{address}`: {error}"),
                "give `--listen` an address of this machine with a free port",
            )
        })?;
        let printer = &context.printer;
        if let Some(address) = listener.address() {
            printer.say(format!("listening at http://{address}"));
        }
        if !inbox.is_empty() {
            printer.say(format!("{} from before", counted(inbox.len(), "callback")));
        }
        Ok(Self {
            inbox,
            _listener: listener,
        })
    }

    /// Some callbacks that are due; waits a moment for one.
    pub(super) fn due(&self) -> Vec<Callback> {
        self.inbox.due(TOGETHER, PATIENCE)
    }
}
