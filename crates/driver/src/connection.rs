//! The traits every driver implements and the shapes that pass through them.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::{NotJson, SqlError, SqlErrorKind, Value};

/// An opened database: connections are made from it. Safe to share between threads.
pub trait Database: Send + Sync {
    /// What is on the other end, as the server names itself, such as `DuckDB v1.5.6`; learnt on the
    /// first connection, and until then the driver's own name.
    fn product(&self) -> String;

    /// What a connection of it costs.
    fn cost(&self) -> ConnectionCost {
        ConnectionCost::Login
    }

    /// Opens a new connection.
    ///
    /// # Errors
    /// [`SqlError`] with kind `Connection`, `Permission` or `Timeout` as a rule.
    fn connect(&self) -> Result<Box<dyn Connection>, SqlError>;
}

/// What one of several threads that share a connection saw of its statement: rows, or an error in words.
pub type ThreadRows = Result<Vec<Vec<Value>>, String>;

/// What another connection costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionCost {
    /// A login: the time it takes is the server's, and tells how far away that is.
    Login,
    /// A process on this machine, which takes the machine's own time to start.
    Process,
}

/// One session with a database. Statements run one at a time.
pub trait Connection: Send {
    /// Runs one statement and reads its whole result, within the limits.
    ///
    /// A statement without a result set gives no columns. Changes are committed when the call returns.
    ///
    /// # Errors
    /// [`SqlError`]; kind `Timeout` when the limit passed (the statement is cancelled first),
    /// `TooLarge` when the result outgrew the limits. The connection stays usable unless the kind is `Connection`.
    fn run(&mut self, sql: &str, limits: &Limits) -> Result<ResultSet, SqlError>;

    /// Runs one statement like [`run`](Self::run), and says when that was and how long it took.
    ///
    /// # Errors
    /// [`Unanswered`] when nothing was run, which happens on a [`ReplayingDatabase`](crate::ReplayingDatabase) only.
    fn ask(&mut self, sql: &str, limits: &Limits) -> Result<Answer, Unanswered> {
        let asked = Timestamp::now();
        let started = Instant::now();
        let result = self.run(sql, limits);
        Ok(Answer {
            result: result.map(Arc::new),
            asked,
            elapsed: started.elapsed(),
        })
    }

    /// Runs statements at once, each on a thread of its own that shares this connection, and gives what each thread
    /// saw: rows, or an error in words. None where no threads share a connection, as those of drivers of ours.
    fn ask_together(
        &mut self,
        _statements: &[String],
        _limits: &Limits,
    ) -> Option<Result<Vec<ThreadRows>, SqlError>> {
        None
    }

    /// How many statements that were [announced](Self::announce) go out in one round trip.
    fn at_once(&self) -> usize {
        1
    }

    /// Hears which statements are run next, in this order, as far as all goes well. A connection that sends several at
    /// once sends these with the first of them. When another is run instead, what was sent is done all the same and
    /// nobody hears of it: so what is announced changes nothing, or is wanted whatever the others come to. The limits of
    /// the first but for its time are those of all.
    fn announce(&mut self, _statements: &[String]) {}

    /// Hears what the statements that follow are asked for. Pieces of work go on side by side, each over whichever
    /// connection is free, and within one the statements have an order. Only who writes down what is asked heeds it.
    fn turn_to(&mut self, _work: &str) {}

    /// Hears of a statement that would have been run, had not somebody stopped the work before. Only who writes down
    /// what is asked heeds it.
    fn leave_out(&mut self, _sql: &str) {}

    /// Lets time pass until the next statement.
    fn pause(&mut self, pause: Duration) {
        std::thread::sleep(pause);
    }

    /// A handle that stops the running statement from another thread.
    fn canceller(&self) -> Arc<dyn Canceller>;
}

/// What a statement came to, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Its result, shared rather than copied, or the error.
    pub result: Result<Arc<ResultSet>, SqlError>,
    /// When it was asked; of one that was sent ahead, when the one before it was over.
    pub asked: Timestamp,
    /// How long it took.
    pub elapsed: Duration,
}

impl Answer {
    /// Whether somebody answered, if only with an error: nobody did where the time ran out, the statement was cancelled or
    /// the connection was lost.
    #[must_use]
    pub fn is_one(&self) -> bool {
        let error = self.result.as_ref().err();
        error.is_none_or(|error| !error.kind.is_no_answer())
    }
}

/// Why a statement has no answer: nothing was run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// When the recording was made, the work was stopped before this.
    #[error("statement was left out: the work was stopped before it")]
    LeftOut,
    /// The recording does not have it, or not that often.
    #[error("no answer is recorded: {sql}")]
    NotRecorded {
        /// The statement.
        sql: String,
    },
}

impl From<Unanswered> for SqlError {
    fn from(unanswered: Unanswered) -> Self {
        let kind = match unanswered {
            Unanswered::LeftOut => SqlErrorKind::Cancelled,
            Unanswered::NotRecorded { .. } => SqlErrorKind::Driver,
        };
        Self::new(kind, unanswered.to_string())
    }
}

/// Stops what a connection is doing, from another thread.
pub trait Canceller: Send + Sync {
    /// Asks the running statement to stop; does nothing when none runs.
    fn cancel(&self);
}

/// What one statement may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The longest a statement may run.
    pub timeout: Duration,
    /// The most rows read from a result.
    pub max_rows: usize,
    /// The most bytes a result's values may hold in memory.
    pub max_bytes: usize,
    /// How much of a result is expected.
    pub expect: ResultSize,
    /// What becomes of rows beyond `max_rows`.
    pub surplus: Surplus,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(60),
            max_rows: 100_000,
            max_bytes: 32 * 1024 * 1024,
            expect: ResultSize::Any,
            surplus: Surplus::Refuse,
        }
    }
}

/// How large a result may be expected to be; a driver may fetch differently for it, and the limits hold either way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ResultSize {
    /// Nothing is known: the result is read as a stream, so that it is never held whole.
    #[default]
    Any,
    /// Few rows: the driver may take them in one piece where that spares round trips.
    Small,
}

/// What becomes of the rows that a result has beyond the limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Surplus {
    /// The result is refused: half a result would be taken for the whole.
    #[default]
    Refuse,
    /// They are left unread, and the result says so.
    Leave,
}

/// A column of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The name exactly as the database gave it.
    pub name: String,
    /// The driver's word for its type, such as `Utf8` or `numeric`.
    pub type_name: String,
}

/// A statement's whole result.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ResultSet {
    /// Its columns; empty for a statement without a result set.
    pub columns: Vec<Column>,
    /// Its rows, each as long as `columns`.
    pub rows: Vec<Vec<Value>>,
    /// How many rows the statement changed, where the driver says so.
    pub rows_affected: Option<u64>,
    /// Whether it has more rows, which were left unread: see [`Surplus::Leave`].
    pub has_more: bool,
    /// How many results with columns the text gave besides this one, which were left out: a text of several statements
    /// may have more than one.
    pub others: usize,
    /// What of it could not be written as JSON as the connector's own driver gave it: the platform's agent will
    /// not be able to either. Only connectors in Python have such things.
    pub not_json: NotJson,
}

impl ResultSet {
    /// A result with these column names (their types unnamed) and rows.
    #[must_use]
    pub fn with_rows<'a>(
        columns: impl IntoIterator<Item = &'a str>,
        rows: impl IntoIterator<Item = Vec<Value>>,
    ) -> Self {
        Self {
            columns: columns
                .into_iter()
                .map(|name| Column {
                    name: name.to_owned(),
                    type_name: String::new(),
                })
                .collect(),
            rows: rows.into_iter().collect(),
            ..Self::default()
        }
    }

    /// The first value of the first row.
    #[must_use]
    pub fn scalar(&self) -> Option<&Value> {
        self.rows.first().and_then(|row| row.first())
    }

    /// The position of the column with exactly this name.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}

/// Gathers a result row by row and stops at the limits, so that a huge result is never held.
pub(crate) struct ResultBuilder<'a> {
    result: ResultSet,
    limits: &'a Limits,
    bytes: usize,
}

impl<'a> ResultBuilder<'a> {
    pub(crate) fn new(columns: Vec<Column>, limits: &'a Limits) -> Self {
        Self {
            result: ResultSet {
                columns,
                ..ResultSet::default()
            },
            limits,
            bytes: 0,
        }
    }

    /// Takes one row, or fails with kind `TooLarge` when it does not fit any more; breaks off where the rest is to be
    /// left unread.
    pub(crate) fn push(&mut self, row: Vec<Value>) -> Result<ControlFlow<()>, SqlError> {
        if self.result.rows.len() == self.limits.max_rows {
            if self.limits.surplus == Surplus::Leave {
                self.result.has_more = true;
                return Ok(ControlFlow::Break(()));
            }
            return Err(SqlError::new(
                SqlErrorKind::TooLarge,
                format!(
                    "result is too large: it has more than {} rows",
                    self.limits.max_rows
                ),
            ));
        }
        self.bytes += row.iter().map(Value::memory).sum::<usize>();
        if self.bytes > self.limits.max_bytes {
            return Err(SqlError::new(
                SqlErrorKind::TooLarge,
                format!(
                    "result is too large: row {} brings it over {} bytes",
                    self.result.rows.len() + 1,
                    self.limits.max_bytes
                ),
            ));
        }
        self.result.rows.push(row);
        Ok(ControlFlow::Continue(()))
    }

    pub(crate) fn finish(self, rows_affected: Option<u64>) -> ResultSet {
        ResultSet {
            rows_affected,
            ..self.result
        }
    }
}
