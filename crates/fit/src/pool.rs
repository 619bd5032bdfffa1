//! A database whose connections are used again: a search runs the suite often, and a login or a process each time is
//! dear. Where the database takes no more connections, as an embedded one that belongs to one process, those that are
//! there are shared.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bowline_driver::{
    Answer, Canceller, Connection, ConnectionCost, Database, Limits, ResultSet, SqlError,
    SqlErrorKind, ThreadRows, Unanswered,
};

/// A database that keeps its connections until they are lost.
pub(crate) struct Pool {
    database: Arc<dyn Database>,
    open: Arc<Mutex<Vec<Arc<Held>>>>,
    /// Whether one was refused while others were open. A refusal may cost as much as a connection.
    is_full: Arc<AtomicBool>,
}

/// A connection that any number of users take turns at.
struct Held {
    connection: Mutex<Box<dyn Connection>>,
    canceller: Arc<dyn Canceller>,
}

impl Pool {
    pub(crate) fn over(database: Arc<dyn Database>) -> Self {
        Self {
            database,
            open: Arc::default(),
            is_full: Arc::default(),
        }
    }
}

impl Database for Pool {
    fn product(&self) -> String {
        self.database.product()
    }

    fn cost(&self) -> ConnectionCost {
        self.database.cost()
    }

    fn connect(&self) -> Result<Box<dyn Connection>, SqlError> {
        let lend = |held: &Arc<Held>| {
            Box::new(Lent {
                held: Arc::clone(held),
                open: Arc::clone(&self.open),
                is_full: Arc::clone(&self.is_full),
            })
        };
        let is_free = |held: &&Arc<Held>| {
            Arc::strong_count(held) == 1 || self.is_full.load(Ordering::Relaxed)
        };
        if let Some(held) = locked(&self.open).iter().find(is_free) {
            return Ok(lend(held));
        }
        match self.database.connect() {
            Ok(connection) => {
                let held = Arc::new(Held {
                    canceller: connection.canceller(),
                    connection: Mutex::new(connection),
                });
                let lent = lend(&held);
                locked(&self.open).push(held);
                Ok(lent)
            }
            Err(error) => match locked(&self.open).first() {
                Some(held) => {
                    self.is_full.store(true, Ordering::Relaxed);
                    Ok(lend(held))
                }
                None => Err(error),
            },
        }
    }
}

fn locked<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A connection in somebody's hands.
struct Lent {
    held: Arc<Held>,
    open: Arc<Mutex<Vec<Arc<Held>>>>,
    is_full: Arc<AtomicBool>,
}

impl Lent {
    /// A lost connection is lent no more, nor is one that did not answer in time where there may be others: whoever asks
    /// for one then wants to know whether the server still takes any.
    fn heed<T>(&self, result: &Result<T, SqlError>) {
        let is_out = match result {
            Ok(_) => false,
            Err(error) => match error.kind {
                SqlErrorKind::Connection => true,
                SqlErrorKind::Timeout => !self.is_full.load(Ordering::Relaxed),
                _ => false,
            },
        };
        if is_out {
            locked(&self.open).retain(|held| !Arc::ptr_eq(held, &self.held));
        }
    }
}

impl Connection for Lent {
    fn run(&mut self, sql: &str, limits: &Limits) -> Result<ResultSet, SqlError> {
        let result = locked(&self.held.connection).run(sql, limits);
        self.heed(&result);
        result
    }

    fn ask(&mut self, sql: &str, limits: &Limits) -> Result<Answer, Unanswered> {
        let answer = locked(&self.held.connection).ask(sql, limits)?;
        self.heed(&answer.result);
        Ok(answer)
    }

    fn ask_together(
        &mut self,
        statements: &[String],
        limits: &Limits,
    ) -> Option<Result<Vec<ThreadRows>, SqlError>> {
        locked(&self.held.connection).ask_together(statements, limits)
    }

    fn at_once(&self) -> usize {
        // Where others take turns at it, what they ask comes between.
        if self.is_full.load(Ordering::Relaxed) {
            1
        } else {
            locked(&self.held.connection).at_once()
        }
    }

    fn announce(&mut self, statements: &[String]) {
        if self.at_once() > 1 {
            locked(&self.held.connection).announce(statements);
        }
    }

    fn turn_to(&mut self, work: &str) {
        locked(&self.held.connection).turn_to(work);
    }

    fn leave_out(&mut self, sql: &str) {
        locked(&self.held.connection).leave_out(sql);
    }

    fn pause(&mut self, pause: Duration) {
        locked(&self.held.connection).pause(pause);
    }

    fn canceller(&self) -> Arc<dyn Canceller> {
        Arc::clone(&self.held.canceller)
    }
}

#[cfg(test)]
mod tests {
    use bowline_driver::{FakeDatabase, FakeReply};

    use super::*;

    /// What belongs to one process: a second connection is refused.
    struct Exclusive {
        database: FakeDatabase,
    }

    impl Database for Exclusive {
        fn product(&self) -> String {
            self.database.product()
        }

        fn connect(&self) -> Result<Box<dyn Connection>, SqlError> {
            match self.database.connections() {
                0 => self.database.connect(),
                _ => Err(SqlError::new(SqlErrorKind::Other, "already in use")),
            }
        }
    }

    fn ask(connection: &mut dyn Connection, sql: &str) -> Result<ResultSet, SqlError> {
        connection.run(sql, &Limits::default())
    }

    fn one() -> ResultSet {
        ResultSet::with_rows(["n"], [vec![1i64.into()]])
    }

    #[test]
    fn what_takes_one_connection_is_shared() {
        let database = FakeDatabase::new().answers("SELECT 1", one());
        let pool = Pool::over(Arc::new(Exclusive { database }));
        let mut first = pool.connect().unwrap();
        let mut second = pool.connect().unwrap();
        for connection in [&mut first, &mut second] {
            assert_eq!(ask(&mut **connection, "SELECT 1"), Ok(one()));
        }
    }

    #[test]
    fn a_lost_connection_is_lent_no_more() {
        let database = FakeDatabase::new()
            .answers("SELECT 1", one())
            .answers("SELECT 2", FakeReply::Die);
        let pool = Pool::over(Arc::new(database.clone()));
        for _ in 0..2 {
            assert!(ask(&mut *pool.connect().unwrap(), "SELECT 1").is_ok());
        }
        assert_eq!(database.connections(), 1);
        assert!(ask(&mut *pool.connect().unwrap(), "SELECT 2").is_err());
        assert!(ask(&mut *pool.connect().unwrap(), "SELECT 1").is_ok());
        assert_eq!(database.connections(), 2);
    }
}
