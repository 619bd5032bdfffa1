//! A database that answers from a script, so that other crates can test without a server.
//!
//! ```
//! use bowline_driver::{Database, FakeDatabase, Limits, ResultSet};
//!
//! let database = FakeDatabase::new().answers("SELECT 1", ResultSet::with_rows(["n"], [vec![1i64.into()]]));
//! let mut connection = database.connect().unwrap();
//! let result = connection.run("SELECT 1", &Limits::default()).unwrap();
//! assert_eq!(result.scalar(), Some(&1i64.into()));
//! assert_eq!(database.statements(), ["SELECT 1"]);
//! ```

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::connection::ResultBuilder;
use crate::{Canceller, Connection, Database, Limits, ResultSet, SqlError, SqlErrorKind};

/// What the fake does with one statement.
#[derive(Debug, Clone)]
pub enum FakeReply {
    /// Gives this result, within the caller's limits.
    Rows(ResultSet),
    /// Fails with this error.
    Error(SqlError),
    /// Works for so long, then does the other thing; ends early when cancelled or timed out.
    After(Duration, Box<FakeReply>),
    /// Works until it is cancelled or the time limit passes.
    Hang,
    /// Loses the connection; every later statement on it fails too.
    Die,
}

impl From<ResultSet> for FakeReply {
    fn from(result: ResultSet) -> Self {
        Self::Rows(result)
    }
}

impl From<SqlError> for FakeReply {
    fn from(error: SqlError) -> Self {
        Self::Error(error)
    }
}

type Answer = Box<dyn Fn(&str) -> Option<FakeReply> + Send + Sync>;

/// A scripted [`Database`]. Rules are tried in the order they were given; a statement no rule answers
/// fails with kind `Other`. Clones share the script and the record of statements.
#[derive(Clone)]
pub struct FakeDatabase {
    script: Arc<Script>,
}

struct Script {
    product: String,
    answers: Vec<Answer>,
    refusal: Option<Refusal>,
    statements_per_connection: Option<usize>,
    statements: Mutex<Vec<String>>,
    connections: AtomicUsize,
}

/// After how many connections there is no other, and why.
struct Refusal {
    connections: usize,
    error: SqlError,
}

impl FakeDatabase {
    /// A database that knows no statement yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            script: Arc::new(Script {
                product: "Fake 1.0".to_owned(),
                answers: Vec::new(),
                refusal: None,
                statements_per_connection: None,
                statements: Mutex::default(),
                connections: AtomicUsize::new(0),
            }),
        }
    }

    /// Answers a statement with exactly this text.
    #[must_use]
    pub fn answers(self, sql: impl Into<String>, reply: impl Into<FakeReply>) -> Self {
        let (sql, reply) = (sql.into(), reply.into());
        self.answers_with(move |asked| (asked == sql).then(|| reply.clone()))
    }

    /// Answers the statements for which the function gives a reply.
    #[must_use]
    pub fn answers_with(
        self,
        answer: impl Fn(&str) -> Option<FakeReply> + Send + Sync + 'static,
    ) -> Self {
        self.scripted(|script| script.answers.push(Box::new(answer)))
    }

    /// Names itself so, instead of `Fake 1.0`.
    #[must_use]
    pub fn named(self, product: impl Into<String>) -> Self {
        let product = product.into();
        self.scripted(|script| script.product = product)
    }

    /// Refuses every connection with this error.
    #[must_use]
    pub fn refuses_connections(self, error: SqlError) -> Self {
        self.refuses_connections_after(0, error)
    }

    /// Refuses with this error every connection after so many.
    #[must_use]
    pub fn refuses_connections_after(self, connections: usize, error: SqlError) -> Self {
        self.scripted(|script| script.refusal = Some(Refusal { connections, error }))
    }

    /// Loses each connection in the statement after so many on it.
    #[must_use]
    pub fn dies_after(self, statements: usize) -> Self {
        self.scripted(|script| script.statements_per_connection = Some(statements))
    }

    /// Every statement asked so far, over all connections, in the order they arrived.
    #[must_use]
    pub fn statements(&self) -> Vec<String> {
        let statements = self.script.statements.lock();
        statements.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many connections were opened.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.script.connections.load(Ordering::Relaxed)
    }

    /// # Panics
    /// When the script is changed after the database was cloned or connected to: a mistake in the test.
    fn scripted(mut self, change: impl FnOnce(&mut Script)) -> Self {
        match Arc::get_mut(&mut self.script) {
            Some(script) => change(script),
            None => panic!("the script of a FakeDatabase is written before it is shared"),
        }
        self
    }
}

impl Default for FakeDatabase {
    fn default() -> Self {
        Self::new()
    }
}

impl Database for FakeDatabase {
    fn product(&self) -> String {
        self.script.product.clone()
    }

    fn connect(&self) -> Result<Box<dyn Connection>, SqlError> {
        let refusal = self.script.refusal.as_ref();
        if let Some(Refusal { error, .. }) =
            refusal.filter(|refusal| self.connections() >= refusal.connections)
        {
            return Err(error.clone());
        }
        self.script.connections.fetch_add(1, Ordering::Relaxed);
        Ok(Box::new(FakeConnection {
            script: Arc::clone(&self.script),
            asked: 0,
            dead: false,
            signal: Arc::default(),
        }))
    }
}

struct FakeConnection {
    script: Arc<Script>,
    asked: usize,
    dead: bool,
    signal: Arc<Signal>,
}

#[derive(Default)]
struct Signal {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default, PartialEq, Clone, Copy)]
enum State {
    #[default]
    Idle,
    Running,
    Cancelled,
}

impl Signal {
    fn set(&self, state: State) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    /// Works until the deadline; `false` when it was cancelled before.
    fn work_until(&self, deadline: Instant) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let left = deadline.saturating_duration_since(Instant::now());
        let (state, _) = self
            .changed
            .wait_timeout_while(state, left, |state| *state == State::Running)
            .unwrap_or_else(PoisonError::into_inner);
        *state == State::Running
    }
}

impl Canceller for Signal {
    fn cancel(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if *state == State::Running {
            *state = State::Cancelled;
            self.changed.notify_all();
        }
    }
}

impl Connection for FakeConnection {
    fn run(&mut self, sql: &str, limits: &Limits) -> Result<ResultSet, SqlError> {
        let script = Arc::clone(&self.script);
        script
            .statements
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(sql.to_owned());
        if script.statements_per_connection == Some(self.asked) {
            self.dead = true;
        }
        self.asked += 1;
        let reply = script.answers.iter().find_map(|answer| answer(sql));
        let reply = reply.unwrap_or_else(|| {
            let message = format!("no answer is scripted for the statement: {sql}");
            SqlError::new(SqlErrorKind::Other, message).into()
        });
        self.signal.set(State::Running);
        let result = self.play(reply, limits, Instant::now() + limits.timeout);
        self.signal.set(State::Idle);
        result
    }

    fn canceller(&self) -> Arc<dyn Canceller> {
        Arc::clone(&self.signal) as Arc<dyn Canceller>
    }
}

impl FakeConnection {
    fn play(
        &mut self,
        reply: FakeReply,
        limits: &Limits,
        deadline: Instant,
    ) -> Result<ResultSet, SqlError> {
        if self.dead {
            return Err(SqlError::new(
                SqlErrorKind::Connection,
                "server closed the connection unexpectedly",
            ));
        }
        match reply {
            FakeReply::Rows(result) => {
                let mut limited = ResultBuilder::new(result.columns, limits);
                for row in result.rows {
                    if limited.push(row)?.is_break() {
                        break;
                    }
                }
                Ok(limited.finish(result.rows_affected))
            }
            FakeReply::Error(error) => Err(error),
            FakeReply::Die => {
                self.dead = true;
                self.play(FakeReply::Die, limits, deadline)
            }
            FakeReply::Hang => self.wait(deadline, deadline, limits).and_then(|()| {
                // Nothing else ends a statement that hangs.
                Err(SqlError::timed_out(limits.timeout))
            }),
            FakeReply::After(work, then) => {
                self.wait(Instant::now() + work, deadline, limits)?;
                self.play(*then, limits, deadline)
            }
        }
    }

    fn wait(&self, until: Instant, deadline: Instant, limits: &Limits) -> Result<(), SqlError> {
        if !self.signal.work_until(until.min(deadline)) {
            Err(SqlError::cancelled())
        } else if until > deadline {
            Err(SqlError::timed_out(limits.timeout))
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(value: i64) -> ResultSet {
        ResultSet::with_rows(["n"], [vec![value.into()]])
    }

    fn kind(result: Result<ResultSet, SqlError>) -> SqlErrorKind {
        result.expect_err("the statement must fail").kind
    }

    #[test]
    fn the_first_rule_that_answers_wins() {
        let database = FakeDatabase::new()
            .named("Fancy 2")
            .answers("SELECT 1", one(1))
            .answers_with(|sql| sql.starts_with("SELECT").then(|| one(2).into()));
        let mut connection = database.connect().unwrap();
        let limits = Limits::default();
        assert_eq!(connection.run("SELECT 1", &limits).unwrap(), one(1));
        assert_eq!(connection.run("SELECT 9", &limits).unwrap(), one(2));
        assert_eq!(kind(connection.run("DROP", &limits)), SqlErrorKind::Other);
        assert_eq!(database.statements(), ["SELECT 1", "SELECT 9", "DROP"]);
        assert_eq!(database.connections(), 1);
        assert_eq!(database.product(), "Fancy 2");
    }

    #[test]
    fn a_dead_connection_stays_dead_and_a_new_one_lives() {
        let database = FakeDatabase::new().dies_after(1).answers("q", one(1));
        let limits = Limits::default();
        let mut connection = database.connect().unwrap();
        connection.run("q", &limits).unwrap();
        for _ in 0..2 {
            assert_eq!(kind(connection.run("q", &limits)), SqlErrorKind::Connection);
        }
        assert!(database.connect().unwrap().run("q", &limits).is_ok());
    }

    #[test]
    fn limits_hold() {
        let work = FakeReply::After(Duration::from_secs(3600), Box::new(one(1).into()));
        let database = FakeDatabase::new()
            .answers("q", one(1))
            .answers("slow", work);
        let mut connection = database.connect().unwrap();
        let limits = Limits {
            max_rows: 0,
            timeout: Duration::from_millis(1),
            ..Limits::default()
        };
        assert_eq!(kind(connection.run("q", &limits)), SqlErrorKind::TooLarge);
        assert_eq!(kind(connection.run("slow", &limits)), SqlErrorKind::Timeout);
    }

    #[test]
    fn a_hanging_statement_can_be_cancelled_and_the_next_one_runs() {
        let database = FakeDatabase::new()
            .answers("hang", FakeReply::Hang)
            .answers("q", one(1));
        let mut connection = database.connect().unwrap();
        let canceller = connection.canceller();
        canceller.cancel();
        std::thread::scope(|scope| {
            let running = scope.spawn(|| connection.run("hang", &Limits::default()));
            while !running.is_finished() {
                canceller.cancel();
                std::thread::yield_now();
            }
            assert_eq!(kind(running.join().unwrap()), SqlErrorKind::Cancelled);
        });
        assert!(connection.run("q", &Limits::default()).is_ok());
    }

    #[test]
    fn a_refused_connection_gives_the_scripted_error() {
        let error = SqlError::new(SqlErrorKind::Permission, "password refused");
        let database = FakeDatabase::new().refuses_connections(error.clone());
        assert_eq!(database.connect().err(), Some(error));
    }
}
