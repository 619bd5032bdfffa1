//! What every command works with.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use bowline_connector::{EnvironmentEvent, Located};
use bowline_contract::AssetClass;
use bowline_contract::layout::CONNECTOR_FILE;
use bowline_driver::{Connection, ConnectionCost, Limits, Observer, SqlError};
use bowline_pipeline::PipelineConnector;
use bowline_profile::Another;
use bowline_warehouse::Connector;
use bowline_words::{Diagnose, Seconds, beginning, counted, visible};
use bowline_workbench::{CtrlC, Event, Run, locate, pipeline, warehouse};

use crate::error::CliError;
use crate::output::{Printer, Verbosity};
use crate::style::{CODE, OPEN, QUIET, paint};
use crate::terminal::waiting;

/// The most characters of a statement that are shown on one line.
const STATEMENT: usize = 200;

/// A database that a command has reached.
pub(crate) struct Reached<'r> {
    /// The connection to it.
    pub(crate) connection: &'r mut dyn Connection,
    /// What a connection is to it.
    pub(crate) cost: ConnectionCost,
    /// Opens another.
    pub(crate) another: &'r Another<'r>,
    /// What runs there, with its version.
    pub(crate) product: &'r str,
}

/// What every command works with.
#[derive(Debug)]
pub(crate) struct Context {
    /// Where output goes.
    pub(crate) printer: Arc<Printer>,
    /// The directory the command works in.
    pub(crate) directory: PathBuf,
    run: Run,
    ctrl_c: OnceLock<CtrlC>,
}

impl Context {
    /// A command that works in a directory, and that nobody has stopped.
    pub(crate) fn new(printer: Printer, directory: PathBuf) -> Self {
        Self {
            printer: Arc::new(printer),
            directory,
            run: Run::new(),
            ctrl_c: OnceLock::new(),
        }
    }

    /// The same, working in another directory.
    pub(crate) fn within(&self, directory: PathBuf) -> Self {
        Self {
            printer: Arc::clone(&self.printer),
            directory,
            run: self.run.clone(),
            ctrl_c: OnceLock::new(),
        }
    }

    /// A path of the command line: a relative one begins in the directory.
    pub(crate) fn path(&self, given: &Path) -> PathBuf {
        self.directory.join(given)
    }

    /// A path as people in the directory would type it.
    pub(crate) fn shown<'p>(&self, path: &'p Path) -> &'p Path {
        path.strip_prefix(&self.directory).unwrap_or(path)
    }

    /// The command's run. From now on the first Ctrl-C stops it, and the second ends the process.
    pub(crate) fn interruptible(&self) -> Result<&Run, CliError> {
        if self.ctrl_c.get().is_none() {
            // Whoever was faster has set the same.
            let _ = self.ctrl_c.set(self.run.listen_to_ctrl_c()?);
        }
        Ok(&self.run)
    }

    /// Finds the connector that is meant, of one class or of either.
    pub(crate) fn locate(
        &self,
        name: Option<&str>,
        wanted: Option<AssetClass>,
    ) -> Result<Located, CliError> {
        Ok(locate(&self.directory, name, wanted)?)
    }

    /// Finds and loads the warehouse connector that is meant.
    pub(crate) fn warehouse(&self, name: Option<&str>) -> Result<Connector, CliError> {
        let found = self.locate(name, Some(AssetClass::Warehouse))?;
        let mut connector = warehouse::load(&found, &|event| self.tell(event))?;
        connector.observer = self.observer();
        Ok(connector)
    }

    /// Who tells of each statement and its time, when asked to say more.
    pub(crate) fn observer(&self) -> Option<Observer> {
        let printer = Arc::clone(&self.printer);
        printer.says_details().then(|| {
            Observer::new(move |sql, elapsed, came| {
                let sql = match printer.verbosity() {
                    Verbosity::Statements => visible(sql.trim()),
                    _ => {
                        let words: Vec<&str> = sql.split_whitespace().collect();
                        visible(&beginning(&words.join(" "), STATEMENT))
                    }
                };
                let came = match came {
                    Ok(rows) => counted(rows, "row"),
                    Err(words) => visible(&words),
                };
                let took = paint(QUIET, format!("  {}, {came}", Seconds(elapsed)));
                printer.detail(format!("{}\n{took}", paint(CODE, sql)));
            })
        })
    }

    /// Finds and loads the pipeline connector that is meant.
    pub(crate) fn pipeline(&self, name: Option<&str>) -> Result<PipelineConnector, CliError> {
        let found = self.locate(name, Some(AssetClass::Pipeline))?;
        Ok(pipeline::load(&found, &|event| self.tell(event))?)
    }

    /// Does something over a new connection of a warehouse connector, whose first statements stay within the limits; its
    /// statements end when the command is stopped.
    pub(crate) fn connected<T>(
        &self,
        connector: &Connector,
        limits: &Limits,
        with: impl FnOnce(Reached<'_>) -> Result<T, CliError>,
    ) -> Result<T, CliError> {
        let credentials = warehouse::credentials(connector, &|event| self.tell(event))?;
        let database = warehouse::open(connector, &credentials, limits, &|event| self.tell(event))?;
        let mut connection = waiting(&self.printer, "connecting", || {
            warehouse::connect(connector, database.as_ref())
        })?;
        let run = self.interruptible()?;
        let stopping = RefCell::new(Vec::new());
        let stop = |connection: &dyn Connection| {
            let canceller = connection.canceller();
            let on_stop = run.on_stop(move || canceller.cancel());
            stopping.borrow_mut().push(on_stop);
        };
        stop(connection.as_ref());
        let another = || {
            let another = database.connect()?;
            stop(another.as_ref());
            // What was stopped meanwhile has heard of it before anything ran.
            if run.is_stopped() {
                return Err(SqlError::cancelled());
            }
            Ok(another)
        };
        with(Reached {
            connection: connection.as_mut(),
            cost: database.cost(),
            another: &another,
            product: &database.product(),
        })
    }

    /// Says what happened, and hides what is secret from now on.
    pub(crate) fn tell(&self, event: Event<'_>) {
        let printer = &self.printer;
        match event {
            Event::Loading { dir } => {
                printer.detail(format!("connector folder: {}", dir.display()))
            }
            Event::Advice(problem) => {
                printer.warn(printer.with_short_paths(&problem.diagnose().to_string()));
            }
            Event::Environment(event) => self.tell_environment(event),
            Event::Secrets(redactor) => printer.hide(redactor.clone()),
            Event::OpenCredentials { path } => printer.say(format!(
                "{} others on this machine may read `{}`; close it with `chmod 600`",
                paint(OPEN, "!"),
                self.shown(path).display()
            )),
            Event::OddCredential(near) => {
                printer.say(format!("{} credential {near}", paint(OPEN, "!")));
            }
            Event::UnusedCredential(name) => printer.say(format!(
                "{} credential `{}` is given to nobody: no value of {CONNECTOR_FILE} names it",
                paint(OPEN, "!"),
                visible(name)
            )),
            Event::NoSuchFile(missing) => printer.say(format!(
                "{} no such file, so that the driver makes an empty database: `{}`; did you mean `{}`?",
                paint(OPEN, "!"),
                visible(&missing.path),
                visible(&missing.near)
            )),
            Event::Waiting { connector } => printer.say(format!(
                "another run uses the test table of {connector}; waiting for it to end"
            )),
            Event::Alone { reason } => {
                printer.detail(format!("other runs cannot be waited for: {reason}"));
            }
            Event::LeftBehind { statements } => {
                printer.say("left in the database; run these to remove it:");
                for statement in statements {
                    printer.say(format!("  {statement}"));
                }
            }
            Event::Connecting { .. }
            | Event::Proving { .. }
            | Event::Warehouse(_)
            | Event::Pipeline(_) => {}
        }
    }

    fn tell_environment(&self, event: EnvironmentEvent<'_>) {
        let printer = &self.printer;
        match event {
            EnvironmentEvent::Creating { directory, .. } => {
                printer.detail(format!("virtual environment: {}", directory.display()));
            }
            EnvironmentEvent::Installing {
                connector,
                requirements,
            } => printer.say(format!(
                "installing the Python packages of `{connector}`, this once: {}",
                requirements.join(", ")
            )),
            EnvironmentEvent::Ready { elapsed, .. } => {
                printer.say(format!("installed in {:.1} s", elapsed.as_secs_f64()));
            }
        }
    }
}
