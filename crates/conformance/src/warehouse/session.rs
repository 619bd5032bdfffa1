//! A connection at work: runs statements until the run is interrupted or the connection lost.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::warehouse::tokens::tokens;
use bowline_driver::{
    Answer, Canceller, Connection, Database, Limits, ResultSize, SqlError, SqlErrorKind,
    ThreadRows, Unanswered,
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

/// How many connections in a row may end at their first statement: then every other will too.
const LOSSES: u32 = 10;
/// After so many statements in a row that met their time limit, and none that was answered, the server may hear nothing
/// any more: a new connection tells.
const SILENCE: u32 = 2;

/// The SQLSTATE of what is asked in a transaction in which something has failed before.
const FAILED_TRANSACTION: &str = "25P02";
const ROLL_BACK: &str = "ROLLBACK";

/// Whether a text of several commands begins a transaction, or is told to, and does not end it.
fn leaves_transaction_open(sql: &str) -> bool {
    let tokens = tokens(sql);
    let commands = tokens.split(|token| token.is_sign(";"));
    let mut is_open = false;
    for command in commands {
        match command {
            [first, second, ..] if first.is_word("START") => {
                is_open |= second.is_word("TRANSACTION");
            }
            [first, rest @ ..] if first.is_word("BEGIN") => {
                // With other words behind it, it begins a block of code.
                is_open |= rest.iter().all(|token| {
                    MODES.iter().any(|mode| token.is_word(mode)) || token.is_sign(",")
                });
            }
            [first, ..] => is_open &= !ENDS.iter().any(|end| first.is_word(end)),
            [] => {}
        }
    }
    is_open
}

/// What may stand behind the word that begins a transaction.
const MODES: [&str; 18] = [
    "COMMITTED",
    "CONCURRENT",
    "DEFERRABLE",
    "DEFERRED",
    "EXCLUSIVE",
    "IMMEDIATE",
    "ISOLATION",
    "LEVEL",
    "NOT",
    "ONLY",
    "READ",
    "REPEATABLE",
    "SERIALIZABLE",
    "TRAN",
    "TRANSACTION",
    "UNCOMMITTED",
    "WORK",
    "WRITE",
];
/// What ends one.
const ENDS: [&str; 4] = ["ABORT", "COMMIT", "END", "ROLLBACK"];

/// One connection of a run.
pub(crate) struct Session {
    database: Arc<dyn Database>,
    connection: Box<dyn Connection>,
    limits: Limits,
    interrupt: Interrupt,
    work: String,
    /// The error that ended the connection for good, when a new one could not be had either.
    lost: Option<SqlError>,
    /// How many connections were lost since one answered.
    losses: u32,
    /// How many statements met their time limit since one was answered.
    silence: u32,
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
            work: String::new(),
            lost: None,
            losses: 0,
            silence: 0,
            interrupted: false,
        })
    }

    /// Says what the statements that follow are asked for.
    pub(crate) fn turn_to(&mut self, work: impl Into<String>) {
        self.work = work.into();
        self.connection.turn_to(&self.work);
    }

    /// Whether the connection ended for good: nothing that is asked gets an answer any more.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost.is_some()
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
    ///
    /// A transaction that it leaves open is rolled back, for what is asked next must not stand in it.
    pub(crate) fn ask_always(&mut self, sql: &str) -> Result<Answer, SqlError> {
        let answer = self.ask_once(sql)?;
        let error = answer.result.as_ref().err();
        if error.is_some_and(|error| error.sqlstate.as_deref() == Some(FAILED_TRANSACTION)) {
            let _rolled_back = self.ask_once(ROLL_BACK)?;
            return self.ask_once(sql);
        }
        if !leaves_transaction_open(sql) {
            return Ok(answer);
        }
        let _rolled_back = self.ask_once(ROLL_BACK)?;
        let told = SqlError::new(SqlErrorKind::Other, "it leaves a transaction open")
            .hint("end it in the same text, or leave it out".to_owned());
        Ok(Answer {
            result: answer.result.and(Err(told)),
            ..answer
        })
    }

    fn ask_once(&mut self, sql: &str) -> Result<Answer, SqlError> {
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
            Some(error) if error.kind == SqlErrorKind::Timeout => {
                self.silence += 1;
                if self.silence == SILENCE {
                    self.silence = 0;
                    self.lost = self.database.connect().err().map(|_| error);
                }
            }
            Some(error) => {
                self.answered();
                self.interrupted |= error.kind == SqlErrorKind::Cancelled;
            }
            None => self.answered(),
        }
        Ok(answer?)
    }

    /// Runs statements at once, each on a thread of its own; none where no threads share a connection.
    pub(crate) fn ask_together(
        &mut self,
        statements: &[String],
    ) -> Option<Result<Vec<ThreadRows>, SqlError>> {
        if self.lost.is_some() || self.interrupt.is_stopped() {
            return None;
        }
        self.connection.ask_together(statements, &self.limits)
    }

    /// How many announced statements take one round trip.
    pub(crate) fn at_once(&self) -> usize {
        self.connection.at_once()
    }

    /// Says what is asked next, as far as all goes well: only what changes nothing, or is wanted in any case.
    pub(crate) fn announce(&mut self, statements: &[String]) {
        if self.lost.is_none() && !self.interrupt.is_stopped() {
            self.connection.announce(statements);
        }
    }

    /// Lets time pass.
    pub(crate) fn pause(&mut self, pause: Duration) {
        self.connection.pause(pause);
    }

    fn answered(&mut self) {
        self.losses = 0;
        self.silence = 0;
    }

    /// A lost connection is not the next check's fault: it gets a new one, if there is one to be had.
    fn reconnect(&mut self, error: SqlError) {
        self.losses += 1;
        if self.losses == LOSSES {
            self.lost = Some(error);
            return;
        }
        match self.database.connect() {
            Ok(connection) => {
                self.interrupt.watch(connection.canceller());
                self.connection = connection;
                self.connection.turn_to(&self.work);
            }
            Err(_) => self.lost = Some(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use bowline_driver::{FakeDatabase, FakeReply};

    use super::*;

    /// Asks statements; gives how many reached the database.
    fn asked(database: FakeDatabase, statements: &[&str]) -> usize {
        let limits = Limits {
            timeout: Duration::from_millis(5),
            ..Limits::default()
        };
        let database = database
            .answers("slow", FakeReply::Hang)
            .answers("wrong", SqlError::new(SqlErrorKind::Other, "no"));
        let opened = Session::open(Arc::new(database.clone()), limits, Interrupt::default());
        let mut session = opened.unwrap();
        for sql in statements {
            let _answer = session.ask(sql);
        }
        database.statements().len()
    }

    fn gone() -> SqlError {
        SqlError::new(SqlErrorKind::Timeout, "nobody answers")
    }

    #[test]
    fn a_server_that_hears_nothing_any_more_is_given_up() {
        let silent = FakeDatabase::new().refuses_connections_after(1, gone());
        assert_eq!(asked(silent, &["slow"; 6]), 2);
    }

    #[test]
    fn what_leaves_a_transaction_open_is_told_from_what_does_not() {
        for open in [
            "BEGIN",
            "begin; INSERT INTO t VALUES (1)",
            "START TRANSACTION; SELECT CASE WHEN 1 = 1 THEN 2 END",
            "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SELECT 1",
            "BEGIN; COMMIT; BEGIN;",
        ] {
            assert!(leaves_transaction_open(open), "{open}");
        }
        for closed in [
            "SELECT 1",
            "BEGIN; INSERT INTO t VALUES (1); COMMIT",
            "BEGIN; INSERT INTO t VALUES (1); END;",
            "BEGIN NOT ATOMIC SELECT 1; END",
            "BEGIN dbms_stats.gather_table_stats('a', 'b'); END;",
            "SELECT 'BEGIN;' AS \"BEGIN\"",
            "INSERT INTO t VALUES (1) -- ; BEGIN",
        ] {
            assert!(!leaves_transaction_open(closed), "{closed}");
        }
    }

    #[test]
    fn a_failed_transaction_ends_before_the_next_statement() {
        let failed = SqlError {
            sqlstate: Some(FAILED_TRANSACTION.to_owned()),
            ..SqlError::new(SqlErrorKind::Other, "aborted")
        };
        let database = FakeDatabase::new().answers("SELECT 1", failed);
        assert_eq!(asked(database, &["SELECT 1"]), 3, "again, once it is over");
        assert_eq!(asked(FakeDatabase::new(), &["BEGIN; DELETE FROM t"]), 2);
    }

    #[test]
    fn a_server_that_is_only_slow_is_asked_on() {
        assert_eq!(asked(FakeDatabase::new(), &["slow"; 6]), 6);
        let full = FakeDatabase::new().refuses_connections_after(1, gone());
        let mixed = ["slow", "wrong", "slow", "wrong", "slow", "wrong"];
        assert_eq!(asked(full, &mixed), 6, "between them it answers");
    }
}
