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

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::{
    Answer, Canceller, Connection, ConnectionCost, Database, Limits, ResultSet, SqlError,
    ThreadRows, Unanswered,
};

/// What was asked of a database, and what came of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recording {
    /// What was on the other end, as [`Database::product`] said.
    pub product: String,
    /// What came of opening each connection, in order.
    pub connections: Vec<Result<(), SqlError>>,
    /// Every statement, in the order in which the answers came.
    pub statements: Vec<RecordedStatement>,
    /// What came of statements that were [asked at the same time](Connection::ask_together), in order.
    pub together: Vec<RecordedTogether>,
}

/// What came of statements that were asked at the same time; none when that is nothing the connection can do.
pub type RecordedTogether = Option<Result<Vec<ThreadRows>, SqlError>>;

/// A statement and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedStatement {
    /// The piece of work that asked it, as it was [turned to](Connection::turn_to); empty before that.
    pub work: Arc<str>,
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

    fn cost(&self) -> ConnectionCost {
        self.database.cost()
    }

    fn connect(&self) -> Result<Box<dyn Connection>, SqlError> {
        let opened = self.database.connect();
        let outcome = opened.as_ref().map(|_| ()).map_err(SqlError::clone);
        lock(&self.recording).connections.push(outcome);
        Ok(Box::new(RecordingConnection {
            connection: opened?,
            recording: Arc::clone(&self.recording),
            work: Arc::default(),
        }))
    }
}

struct RecordingConnection {
    connection: Box<dyn Connection>,
    recording: Arc<Mutex<Recording>>,
    work: Arc<str>,
}

impl RecordingConnection {
    fn note(&self, sql: &str, answer: Option<Answer>) {
        lock(&self.recording).statements.push(RecordedStatement {
            work: Arc::clone(&self.work),
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

    fn ask_together(
        &mut self,
        statements: &[String],
        limits: &Limits,
    ) -> Option<Result<Vec<ThreadRows>, SqlError>> {
        let answer = self.connection.ask_together(statements, limits);
        lock(&self.recording).together.push(answer.clone());
        answer
    }

    fn at_once(&self) -> usize {
        self.connection.at_once()
    }

    fn announce(&mut self, statements: &[String]) {
        self.connection.announce(statements);
    }

    fn turn_to(&mut self, work: &str) {
        self.work = work.into();
        self.connection.turn_to(work);
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
/// A statement is answered as the same piece of work was answered then, one that it asked several times in the order
/// of its answers, over whichever connections. Where the work asks less than it did, answers from before the database
/// was last changed are passed over: they tell of what was, not of what is. Limits were kept when it was recorded, and
/// nobody waits.
pub struct ReplayingDatabase {
    product: String,
    left: Arc<Mutex<Left>>,
}

/// Answers to statements that stand for themselves, whatever work asks them.
#[derive(Debug, Clone, Default)]
pub struct StandingAnswers {
    /// The answers, by statement.
    pub answers: HashMap<String, Answer>,
    /// The pieces of work in which no statement stands for itself.
    pub chained: &'static [&'static str],
}

/// What one piece of work was answered.
#[derive(Default)]
struct AnsweredWork {
    /// The answers to each statement, with their places among all.
    answers: HashMap<String, VecDeque<(usize, Option<Answer>)>>,
    /// The places of statements that gave no rows: those that may have changed something.
    changes: BTreeSet<usize>,
    /// How many were asked.
    asked: usize,
    /// The place behind the last one that was replayed.
    next: usize,
}

impl AnsweredWork {
    fn push(&mut self, sql: String, answer: Option<Answer>) {
        let result = answer.as_ref().map(|answer| &answer.result);
        if matches!(result, Some(Ok(result)) if result.columns.is_empty()) {
            self.changes.insert(self.asked);
        }
        let answers = self.answers.entry(sql).or_default();
        answers.push_back((self.asked, answer));
        self.asked += 1;
    }

    fn take(&mut self, sql: &str) -> Option<Option<Answer>> {
        let answers = self.answers.get_mut(sql)?;
        let is_as_it_is = |place: usize| {
            place >= self.next || self.changes.range(place + 1..self.next).next().is_none()
        };
        let ahead = answers.iter().position(|(place, _)| *place >= self.next);
        let found = ahead.or_else(|| answers.iter().position(|(place, _)| is_as_it_is(*place)))?;
        let (place, answer) = answers.remove(found)?;
        self.next = self.next.max(place + 1);
        Some(answer)
    }
}

/// What has not been replayed yet.
struct Left {
    connections: VecDeque<Result<(), SqlError>>,
    works: HashMap<Arc<str>, AnsweredWork>,
    together: VecDeque<RecordedTogether>,
    standing: StandingAnswers,
    not_recorded: BTreeSet<(Arc<str>, String)>,
}

impl ReplayingDatabase {
    /// Answers from a recording.
    #[must_use]
    pub fn new(recording: Recording) -> Self {
        let mut works: HashMap<Arc<str>, AnsweredWork> = HashMap::new();
        for RecordedStatement { work, sql, answer } in recording.statements {
            works.entry(work).or_default().push(sql, answer);
        }
        Self {
            product: recording.product,
            left: Arc::new(Mutex::new(Left {
                connections: recording.connections.into(),
                works,
                together: recording.together.into(),
                standing: StandingAnswers::default(),
                not_recorded: BTreeSet::new(),
            })),
        }
    }

    /// Answers so where the recording has no answer of the work's own.
    #[must_use]
    pub fn or_else(self, standing: StandingAnswers) -> Self {
        lock(&self.left).standing = standing;
        self
    }

    /// The statements that were asked and that the recording does not hold, or not so many times, with the piece of work
    /// that asked each.
    #[must_use]
    pub fn not_recorded(&self) -> BTreeSet<(Arc<str>, String)> {
        lock(&self.left).not_recorded.clone()
    }

    /// A connection, whatever came of opening one then.
    pub(crate) fn replay(&self) -> ReplayingConnection {
        ReplayingConnection {
            left: Arc::clone(&self.left),
            work: Arc::default(),
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
        Ok(Box::new(self.replay()))
    }
}

pub(crate) struct ReplayingConnection {
    left: Arc<Mutex<Left>>,
    work: Arc<str>,
}

impl Connection for ReplayingConnection {
    fn run(&mut self, sql: &str, limits: &Limits) -> Result<ResultSet, SqlError> {
        whole(self.ask(sql, limits))
    }

    fn ask(&mut self, sql: &str, _: &Limits) -> Result<Answer, Unanswered> {
        let mut left = lock(&self.left);
        let work = left.works.get_mut(&self.work);
        let taken = work.and_then(|work| work.take(sql));
        let standing = || {
            let StandingAnswers { answers, chained } = &left.standing;
            let answer = answers.get(sql).cloned();
            answer.filter(|_| !chained.contains(&&*self.work)).map(Some)
        };
        match taken.or_else(standing) {
            Some(answer) => answer.ok_or(Unanswered::LeftOut),
            None => {
                left.not_recorded
                    .insert((Arc::clone(&self.work), sql.to_owned()));
                Err(Unanswered::NotRecorded {
                    sql: sql.to_owned(),
                })
            }
        }
    }

    fn ask_together(
        &mut self,
        _statements: &[String],
        _limits: &Limits,
    ) -> Option<Result<Vec<ThreadRows>, SqlError>> {
        lock(&self.left).together.pop_front().flatten()
    }

    fn turn_to(&mut self, work: &str) {
        self.work = work.into();
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

pub(crate) fn whole(answer: Result<Answer, Unanswered>) -> Result<ResultSet, SqlError> {
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
    fn what_was_before_a_change_is_not_told_after_it() {
        let count = Mutex::new(0);
        let table = FakeDatabase::new().answers_with(move |sql| {
            Some(match sql {
                "count" => one(*lock(&count)).into(),
                _ => {
                    *lock(&count) += 1;
                    ResultSet::default().into()
                }
            })
        });
        let live = RecordingDatabase::new(Arc::new(table));
        let limits = Limits::default();
        let mut connection = live.connect().unwrap();
        for sql in ["count", "first", "count", "second", "count"] {
            connection.ask(sql, &limits).unwrap();
        }
        let told = |asked: &[&str]| {
            let replaying = ReplayingDatabase::new(live.recording());
            let mut connection = replaying.connect().unwrap();
            let answers = asked.iter().map(|sql| connection.run(sql, &limits));
            let last = answers.last().unwrap();
            last.ok().and_then(|result| result.scalar().cloned())
        };
        assert_eq!(
            told(&["count", "first", "second", "count"]),
            Some(2i64.into())
        );
        assert_eq!(told(&["first", "count"]), Some(1i64.into()));
        assert_eq!(told(&["first", "second", "count", "count"]), None);
    }

    #[test]
    fn each_piece_of_work_has_its_own_answers() {
        let count = Mutex::new(0);
        let counting = FakeDatabase::new().answers_with(move |_| {
            *lock(&count) += 1;
            Some(one(*lock(&count)).into())
        });
        let live = RecordingDatabase::new(Arc::new(counting));
        let limits = Limits::default();
        let ask = |database: &dyn Database, work: &str| {
            let mut connection = database.connect().unwrap();
            connection.turn_to(work);
            connection.ask("a", &limits).unwrap()
        };
        let then = [ask(&live, "first"), ask(&live, "second")];
        let replaying = ReplayingDatabase::new(live.recording());
        let mut now = [ask(&replaying, "second"), ask(&replaying, "first")];
        now.reverse();
        assert_eq!(then, now);
    }

    #[test]
    fn what_stands_for_itself_is_answered_in_any_work_but_a_chain() {
        let counting = FakeDatabase::new().answers("a", one(1));
        let live = RecordingDatabase::new(Arc::new(counting));
        let limits = Limits::default();
        let answer = live.connect().unwrap().ask("a", &limits).unwrap();
        let replaying = ReplayingDatabase::new(Recording {
            statements: Vec::new(),
            ..live.recording()
        });
        let replaying = replaying.or_else(StandingAnswers {
            answers: HashMap::from([("a".to_owned(), answer.clone())]),
            chained: &["chain"],
        });
        let mut connection = replaying.connect().unwrap();
        connection.turn_to("any");
        assert_eq!(connection.ask("a", &limits), Ok(answer));
        assert!(connection.ask("b", &limits).is_err());
        connection.turn_to("chain");
        assert!(connection.ask("a", &limits).is_err());
        assert_eq!(replaying.not_recorded().len(), 2);
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
