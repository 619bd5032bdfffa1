//! A connection at work: runs statements until the run is interrupted or the connection lost.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bowline_driver::{
    Answer, Canceller, Connection, Database, Limits, ResultSize, SqlError, SqlErrorKind, Unanswered,
};

/// A way to stop a run from another thread, a signal handler's for one. Clones stop the same run.
#[derive(Clone, Default)]
pub struct Interrupt {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    stopped: AtomicBool,
    running: Mutex<Vec<Arc<dyn Canceller>>>,
}

impl Interrupt {
    /// Stops the run: running statements are cancelled, no further check starts, what was made is removed.
    pub fn stop(&self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        for canceller in self
            .shared
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
        {
            canceller.cancel();
        }
    }

    /// Whether the run was stopped.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.shared.stopped.load(Ordering::SeqCst)
    }

    fn watch(&self, canceller: Arc<dyn Canceller>) {
        self.shared
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(canceller);
    }
}

/// One connection of a run.
pub(crate) struct Session {
    database: Arc<dyn Database>,
    connection: Box<dyn Connection>,
    limits: Limits,
    interrupt: Interrupt,
    /// The error that ended the connection for good, when a new one could not be had either.
    lost: Option<SqlError>,
    /// Whether a statement was stopped, or left out because the run was.
    interrupted: bool,
}

impl Session {
    pub(crate) fn open(
        database: Arc<dyn Database>,
        limits: Limits,
        interrupt: Interrupt,
    ) -> Result<Self, SqlError> {
        let connection = database.connect()?;
        interrupt.watch(connection.canceller());
        Ok(Self {
            database,
            connection,
            // What the suite asks for is small; fetched in one piece, an answer takes a single round trip.
            limits: Limits {
                expect: ResultSize::Small,
                ..limits
            },
            interrupt,
            lost: None,
            interrupted: false,
        })
    }

    /// Whether the run was interrupted before this connection had asked everything.
    pub(crate) fn was_interrupted(&self) -> bool {
        self.interrupted
    }

    /// Runs a statement.
    ///
    /// # Errors
    /// Why there is no answer, not even an error of the database: the run was interrupted, or the connection is lost.
    pub(crate) fn ask(&mut self, sql: &str) -> Result<Answer, SqlError> {
        if self.lost.is_none() && self.interrupt.is_stopped() {
            self.connection.leave_out(sql);
            self.interrupted = true;
            return Err(Unanswered::LeftOut.into());
        }
        self.ask_always(sql)
    }

    /// Runs a statement even after an interruption: what a check made must be removed.
    pub(crate) fn ask_always(&mut self, sql: &str) -> Result<Answer, SqlError> {
        if let Some(error) = &self.lost {
            return Err(error.clone());
        }
        let answer = self.connection.ask(sql, &self.limits);
        let error = match &answer {
            Ok(answer) => answer.result.as_ref().err().cloned(),
            Err(unanswered) => Some(unanswered.clone().into()),
        };
        match error {
            Some(error) if error.kind == SqlErrorKind::Connection => self.reconnect(error),
            Some(error) => self.interrupted |= error.kind == SqlErrorKind::Cancelled,
            None => {}
        }
        Ok(answer?)
    }

    /// Lets time pass.
    pub(crate) fn pause(&mut self, pause: Duration) {
        self.connection.pause(pause);
    }

    /// A lost connection is not the next check's fault: it gets a new one, if there is one to be had.
    fn reconnect(&mut self, error: SqlError) {
        match self.database.connect() {
            Ok(connection) => {
                self.interrupt.watch(connection.canceller());
                self.connection = connection;
            }
            Err(_) => self.lost = Some(error),
        }
    }
}
