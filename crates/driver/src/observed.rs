//! A database whose statements somebody hears of.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::{
    Answer, Canceller, Connection, ConnectionCost, Database, Limits, ResultSet, SqlError,
    ThreadRows, Unanswered,
};

/// Hears of each statement that was run, how long it took, and how many rows came or why none did.
#[derive(Clone)]
pub struct Observer(Arc<Heard>);

type Heard = dyn Fn(&str, Duration, Result<usize, String>) + Send + Sync;

impl Observer {
    /// Calls this after each statement.
    pub fn new(
        heard: impl Fn(&str, Duration, Result<usize, String>) + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(heard))
    }

    fn tell(&self, sql: &str, elapsed: Duration, result: Result<&ResultSet, &SqlError>) {
        let came = result.map(|result| result.rows.len());
        (self.0)(sql, elapsed, came.map_err(ToString::to_string));
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
        self.observer.tell(sql, started.elapsed(), result.as_ref());
        result
    }

    fn ask(&mut self, sql: &str, limits: &Limits) -> Result<Answer, Unanswered> {
        let answer = self.connection.ask(sql, limits)?;
        self.observer
            .tell(sql, answer.elapsed, answer.result.as_deref());
        Ok(answer)
    }

    fn ask_together(
        &mut self,
        statements: &[String],
        limits: &Limits,
    ) -> Option<Result<Vec<ThreadRows>, SqlError>> {
        let started = Instant::now();
        let answers = self.connection.ask_together(statements, limits)?;
        let elapsed = started.elapsed();
        for (at, sql) in statements.iter().enumerate() {
            match &answers {
                Err(error) => self.observer.tell(sql, elapsed, Err(error)),
                Ok(seen) => {
                    if let Some(seen) = seen.get(at) {
                        let came = seen.as_ref().map(Vec::len).map_err(String::clone);
                        (self.observer.0)(sql, elapsed, came);
                    }
                }
            }
        }
        Some(answers)
    }

    fn at_once(&self) -> usize {
        self.connection.at_once()
    }

    fn announce(&mut self, statements: &[String]) {
        self.connection.announce(statements);
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

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::SqlErrorKind;

    struct Threads;

    impl Canceller for Threads {
        fn cancel(&self) {}
    }

    impl Connection for Threads {
        fn run(&mut self, _: &str, _: &Limits) -> Result<ResultSet, SqlError> {
            Err(SqlError::new(SqlErrorKind::Syntax, "no such word"))
        }

        fn ask_together(
            &mut self,
            _: &[String],
            _: &Limits,
        ) -> Option<Result<Vec<ThreadRows>, SqlError>> {
            Some(Ok(vec![
                Ok(vec![Vec::new(); 2]),
                Err("it is shared".to_owned()),
            ]))
        }

        fn canceller(&self) -> Arc<dyn Canceller> {
            Arc::new(Threads)
        }
    }

    #[test]
    fn every_statement_is_heard_of_however_it_is_asked() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&heard);
        let mut connection = ObservedConnection {
            connection: Box::new(Threads),
            observer: Observer::new(move |sql, _, came| {
                told.lock().unwrap().push((sql.to_owned(), came));
            }),
        };
        let limits = Limits::default();
        connection.run("a", &limits).unwrap_err();
        connection.ask("b", &limits).unwrap();
        let together = ["c".to_owned(), "d".to_owned()];
        connection
            .ask_together(&together, &limits)
            .unwrap()
            .unwrap();
        let heard = heard.lock().unwrap();
        let sqls: Vec<&str> = heard.iter().map(|(sql, _)| sql.as_str()).collect();
        assert_eq!(sqls, ["a", "b", "c", "d"]);
        assert!(
            heard[0]
                .1
                .as_ref()
                .is_err_and(|words| words.contains("no such word"))
        );
        assert_eq!(heard[2].1, Ok(2));
        assert_eq!(heard[3].1, Err("it is shared".to_owned()));
    }
}
