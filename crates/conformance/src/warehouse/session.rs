//! A connection at work: runs statements and keeps the evidence.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bowline_driver::{
    Canceller, Connection, Database, Limits, ResultSet, ResultSize, SqlError, SqlErrorKind,
};

use crate::warehouse::outcome::{Preview, Step};

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
    steps: Vec<Step>,
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
            steps: Vec::new(),
        })
    }

    pub(crate) fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// Takes the evidence gathered since the last call.
    pub(crate) fn take_steps(&mut self) -> Vec<Step> {
        std::mem::take(&mut self.steps)
    }

    /// Runs a statement and writes it down.
    pub(crate) fn run(
        &mut self,
        label: Option<&'static str>,
        sql: &str,
    ) -> Result<ResultSet, SqlError> {
        if self.interrupt.is_stopped() {
            return Err(SqlError::new(
                SqlErrorKind::Cancelled,
                "the run was interrupted",
            ));
        }
        self.run_always(label, sql)
    }

    /// Runs a statement even after an interruption: what a check made must be removed.
    pub(crate) fn run_always(
        &mut self,
        label: Option<&'static str>,
        sql: &str,
    ) -> Result<ResultSet, SqlError> {
        let started = Instant::now();
        let answer = self.ask(sql);
        let step = Step {
            label,
            sql: sql.to_owned(),
            answer: answer.as_ref().map(preview).map_err(SqlError::clone),
            elapsed: started.elapsed(),
            shared_with: 0,
        };
        // A check that waits asks the same again; the last answer is the evidence.
        match self.steps.last_mut() {
            Some(last) if last.sql == step.sql => *last = step,
            _ => self.steps.push(step),
        }
        answer
    }

    /// Runs a statement without writing it down.
    pub(crate) fn ask(&mut self, sql: &str) -> Result<ResultSet, SqlError> {
        if let Some(error) = &self.lost {
            return Err(error.clone());
        }
        let answer = self.connection.run(sql, &self.limits);
        if let Err(error) = &answer
            && error.kind == SqlErrorKind::Connection
        {
            self.reconnect(error);
        }
        answer
    }

    /// A lost connection is not the next check's fault: it gets a new one, if there is one to be had.
    fn reconnect(&mut self, error: &SqlError) {
        match self.database.connect() {
            Ok(connection) => {
                self.interrupt.watch(connection.canceller());
                self.connection = connection;
            }
            Err(_) => self.lost = Some(error.clone()),
        }
    }
}

/// The beginning of a result, for the evidence.
pub(crate) fn preview(result: &ResultSet) -> Preview {
    Preview {
        columns: result
            .columns
            .iter()
            .map(|column| column.name.clone())
            .collect(),
        rows: result.rows.iter().take(Preview::ROWS).cloned().collect(),
        total_rows: result.rows.len(),
    }
}
