//! Statements written down with their answers, and answered again without the database.
//!
//! ```
//! use std::sync::Arc;
//!
//! use bowline_driver::{
//!     Database, FakeDatabase, Limits, RecordingDatabase, ReplayingDatabase, ResultSet, Unanswered,
//! };
//!
//! let one = ResultSet::with_rows(["n"], [vec![1i64.into()]]);
//! let live = RecordingDatabase::new(Arc::new(FakeDatabase::new().answers("SELECT 1", one)));
//! let answer = live.connect()?.ask("SELECT 1", &Limits::default());
//!
//! let replaying = ReplayingDatabase::new(live.recording());
//! let mut connection = replaying.connect()?;
//! assert_eq!(connection.ask("SELECT 1", &Limits::default()), answer);
//! let again = connection.ask("SELECT 1", &Limits::default());
//! assert!(matches!(again, Err(Unanswered::NotRecorded { .. })));
//! # Ok::<(), bowline_driver::SqlError>(())
//! ```

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::{Answer, Canceller, Connection, Database, Limits, ResultSet, SqlError, Unanswered};

/// What was asked of a database, and what came of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recording {
    /// What was on the other end, as [`Database::product`] said.
    pub product: String,
    /// What came of opening each connection, in order.
    pub connections: Vec<Result<(), SqlError>>,
    /// Every statement, in the order in which the answers came.
    pub statements: Vec<RecordedStatement>,
}

/// A statement and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedStatement {
    /// The statement as sent.
    pub sql: String,
    /// The answer; none when the statement was [left out](Connection::leave_out).
    pub answer: Option<Answer>,
}

/// A database that writes down what is asked of it.
pub struct RecordingDatabase {
    database: Arc<dyn Database>,
    recording: Arc<Mutex<Recording>>,
}

impl RecordingDatabase {
    /// Writes down what is asked of this database.
    #[must_use]
    pub fn new(database: Arc<dyn Database>) -> Self {
        Self {
            database,
            recording: Arc::default(),
        }
    }

    /// What was asked so far.
    #[must_use]
    pub fn recording(&self) -> Recording {
        Recording {
            product: self.database.product(),
            ..lock(&self.recording).clone()
        }
    }
}

impl Database for RecordingDatabase {
    fn product(&self) -> String {
        self.database.product()
    }

    fn connect(&self) -> Result<Box<dyn Connection>, SqlError> {
        let opened = self.database.connect();
        let outcome = opened.as_ref().map(|_| ()).map_err(SqlError::clone);
        lock(&self.recording).connections.push(outcome);
        Ok(Box::new(RecordingConnection {
            connection: opened?,
            recording: Arc::clone(&self.recording),
        }))
    }
}

struct RecordingConnection {
    connection: Box<dyn Connection>,
    recording: Arc<Mutex<Recording>>,
}

impl RecordingConnection {
    fn note(&self, sql: &str, answer: Option<Answer>) {
        lock(&self.recording).statements.push(RecordedStatement {
            sql: sql.to_owned(),
            answer,
        });
    }
}

impl Connection for RecordingConnection {
    fn run(&mut self, sql: &str, limits: &Limits) -> Result<ResultSet, SqlError> {
        whole(self.ask(sql, limits))
    }

    fn ask(&mut self, sql: &str, limits: &Limits) -> Result<Answer, Unanswered> {
        let answer = self.connection.ask(sql, limits)?;
        self.note(sql, Some(answer.clone()));
        Ok(answer)
    }

    fn leave_out(&mut self, sql: &str) {
        self.note(sql, None);
        self.connection.leave_out(sql);
    }

    fn pause(&mut self, pause: Duration) {
        self.connection.pause(pause);
    }

    fn canceller(&self) -> Arc<dyn Canceller> {
        self.connection.canceller()
    }
}

/// A recording in the database's place.
///
/// A statement is answered as it was answered then; one that was asked several times, over whichever connections, in
/// the order of its answers. Limits were kept when it was recorded, and nobody waits.
pub struct ReplayingDatabase {
    product: String,
    left: Arc<Mutex<Left>>,
}

/// What has not been replayed yet.
struct Left {
    connections: VecDeque<Result<(), SqlError>>,
    answers: HashMap<String, VecDeque<Option<Answer>>>,
}

impl ReplayingDatabase {
    /// Answers from a recording.
    #[must_use]
    pub fn new(recording: Recording) -> Self {
        let mut answers: HashMap<String, VecDeque<Option<Answer>>> = HashMap::new();
        for RecordedStatement { sql, answer } in recording.statements {
            answers.entry(sql).or_default().push_back(answer);
        }
        Self {
            product: recording.product,
            left: Arc::new(Mutex::new(Left {
                connections: recording.connections.into(),
                answers,
            })),
        }
    }
}

impl Database for ReplayingDatabase {
    fn product(&self) -> String {
        self.product.clone()
    }

    fn connect(&self) -> Result<Box<dyn Connection>, SqlError> {
        let connections = &mut lock(&self.left).connections;
        // The last is given again: how many connections are opened hangs on how fast they are.
        let opened = match connections.len() {
            0 | 1 => connections.front().cloned(),
            _ => connections.pop_front(),
        };
        opened.unwrap_or_else(|| {
            let sql = "no connection was opened".to_owned();
            Err(Unanswered::NotRecorded { sql }.into())
        })?;
        Ok(Box::new(ReplayingConnection {
            left: Arc::clone(&self.left),
        }))
    }
}

struct ReplayingConnection {
    left: Arc<Mutex<Left>>,
}

impl Connection for ReplayingConnection {
    fn run(&mut self, sql: &str, limits: &Limits) -> Result<ResultSet, SqlError> {
        whole(self.ask(sql, limits))
    }

    fn ask(&mut self, sql: &str, _: &Limits) -> Result<Answer, Unanswered> {
        let mut left = lock(&self.left);
        let answers = left.answers.get_mut(sql);
        match answers.and_then(VecDeque::pop_front) {
            Some(answer) => answer.ok_or(Unanswered::LeftOut),
            None => Err(Unanswered::NotRecorded {
                sql: sql.to_owned(),
            }),
        }
    }

    fn pause(&mut self, _: Duration) {}

    fn canceller(&self) -> Arc<dyn Canceller> {
        Arc::new(Nothing)
    }
}

/// Cancels nothing: no recorded statement takes time.
struct Nothing;

impl Canceller for Nothing {
    fn cancel(&self) {}
}

fn whole(answer: Result<Answer, Unanswered>) -> Result<ResultSet, SqlError> {
    answer?.result.map(Arc::unwrap_or_clone)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FakeDatabase, FakeReply, SqlErrorKind};

    fn one(value: i64) -> ResultSet {
        ResultSet::with_rows(["n"], [vec![value.into()]])
    }

    #[test]
    fn equal_statements_are_answered_in_their_order() {
        let count = Mutex::new(0);
        let counting = FakeDatabase::new()
            .named("Counter 1")
            .answers_with(move |_| {
                *lock(&count) += 1;
                Some(one(*lock(&count)).into())
            });
        let live = RecordingDatabase::new(Arc::new(counting));
        let limits = Limits::default();
        let mut first = live.connect().unwrap();
        let mut second = live.connect().unwrap();
        let then: Vec<_> = ["a", "b", "a"]
            .map(|sql| first.ask(sql, &limits).unwrap())
            .into_iter()
            .chain([second.ask("a", &limits).unwrap()])
            .collect();

        let replaying = ReplayingDatabase::new(live.recording());
        let mut connection = replaying.connect().unwrap();
        let now = ["a", "b", "a", "a"].map(|sql| connection.ask(sql, &limits).unwrap());
        assert_eq!(then, now);
        assert_eq!(replaying.product(), "Counter 1");
    }

    #[test]
    fn errors_and_what_was_left_out_come_again() {
        let refusal = SqlError::new(SqlErrorKind::Permission, "no");
        let fake = FakeDatabase::new().answers("a", FakeReply::Error(refusal.clone()));
        let live = RecordingDatabase::new(Arc::new(fake));
        let limits = Limits::default();
        let mut connection = live.connect().unwrap();
        assert_eq!(connection.run("a", &limits), Err(refusal.clone()));
        connection.leave_out("a");

        let replaying = ReplayingDatabase::new(live.recording());
        let mut connection = replaying.connect().unwrap();
        assert_eq!(connection.run("a", &limits), Err(refusal));
        assert_eq!(connection.ask("a", &limits), Err(Unanswered::LeftOut));
        let error = connection.run("SELECT 2", &limits).unwrap_err();
        assert_eq!(error.kind, SqlErrorKind::Driver);
        assert_eq!(error.message, "no answer is recorded: SELECT 2");
    }

    #[test]
    fn a_refused_connection_is_refused_again() {
        let refusal = SqlError::new(SqlErrorKind::Connection, "nobody home");
        let closed = FakeDatabase::new().refuses_connections(refusal.clone());
        let live = RecordingDatabase::new(Arc::new(closed));
        assert_eq!(live.connect().err(), Some(refusal.clone()));
        let replaying = ReplayingDatabase::new(live.recording());
        assert_eq!(replaying.connect().err(), Some(refusal));
        let empty = ReplayingDatabase::new(Recording::default());
        assert_eq!(
            empty.connect().err().map(|error| error.kind),
            Some(SqlErrorKind::Driver)
        );
    }
}
