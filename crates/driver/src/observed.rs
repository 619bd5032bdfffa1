//! A database whose statements somebody hears of.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::{
    Answer, Canceller, Connection, ConnectionCost, Database, Limits, ResultSet, SqlError,
    ThreadRows, Unanswered,
};

/// Hears of each statement that was run, how long it took and what it came to.
#[derive(Clone)]
pub struct Observer(Arc<Heard>);

type Heard = dyn Fn(&str, Duration, Result<&ResultSet, &SqlError>) + Send + Sync;

impl Observer {
    /// Calls this after each statement.
    pub fn new(
        heard: impl Fn(&str, Duration, Result<&ResultSet, &SqlError>) + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(heard))
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}

/// A database whose statements an [`Observer`] hears of.
pub struct ObservedDatabase {
    database: Arc<dyn Database>,
    observer: Observer,
}

impl ObservedDatabase {
    /// Tells of what is asked of this database.
    #[must_use]
    pub fn new(database: Arc<dyn Database>, observer: Observer) -> Self {
        Self { database, observer }
    }
}

impl Database for ObservedDatabase {
    fn product(&self) -> String {
        self.database.product()
    }

    fn cost(&self) -> ConnectionCost {
        self.database.cost()
    }

    fn connect(&self) -> Result<Box<dyn Connection>, SqlError> {
        Ok(Box::new(ObservedConnection {
            connection: self.database.connect()?,
            observer: self.observer.clone(),
        }))
    }
}

struct ObservedConnection {
    connection: Box<dyn Connection>,
    observer: Observer,
}

impl Connection for ObservedConnection {
    fn run(&mut self, sql: &str, limits: &Limits) -> Result<ResultSet, SqlError> {
        let started = Instant::now();
        let result = self.connection.run(sql, limits);
        (self.observer.0)(sql, started.elapsed(), result.as_ref());
        result
    }

    fn ask(&mut self, sql: &str, limits: &Limits) -> Result<Answer, Unanswered> {
        let answer = self.connection.ask(sql, limits)?;
        (self.observer.0)(sql, answer.elapsed, answer.result.as_deref());
        Ok(answer)
    }

    fn ask_together(
        &mut self,
        statements: &[String],
        limits: &Limits,
    ) -> Option<Result<Vec<ThreadRows>, SqlError>> {
        self.connection.ask_together(statements, limits)
    }

    fn turn_to(&mut self, work: &str) {
        self.connection.turn_to(work);
    }

    fn leave_out(&mut self, sql: &str) {
        self.connection.leave_out(sql);
    }

    fn pause(&mut self, pause: Duration) {
        self.connection.pause(pause);
    }

    fn canceller(&self) -> Arc<dyn Canceller> {
        self.connection.canceller()
    }
}
