//! A database that is there, and does not answer at moments that a test chooses.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::{
    Canceller, Connection, ConnectionCost, Database, Limits, ResultSet, SqlError, SqlErrorKind,
};

/// What befalls the statements of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disturbance {
    /// One statement has no answer in time.
    LateOnce,
    /// No statement from then on has an answer in time, and nobody takes a connection.
    LateFromThen,
    /// One statement loses its connection.
    LostOnce,
    /// All lose their connections from then on, and nobody takes one.
    LostFromThen,
    /// The server stops one statement, on another's behalf.
    StoppedOnce,
    /// One statement loses its connection, and the server does it a moment later all the same.
    DoneLate,
}

/// How late a statement is done whose connection is lost.
const LATE: Duration = Duration::from_millis(200);

impl Disturbance {
    /// Every one.
    pub const ALL: [Self; 6] = [
        Self::LateOnce,
        Self::LateFromThen,
        Self::LostOnce,
        Self::LostFromThen,
        Self::StoppedOnce,
        Self::DoneLate,
    ];

    fn error(self) -> SqlError {
        let kind = match self {
            Self::LateOnce | Self::LateFromThen => SqlErrorKind::Timeout,
            Self::LostOnce | Self::LostFromThen | Self::DoneLate => SqlErrorKind::Connection,
            Self::StoppedOnce => SqlErrorKind::Cancelled,
        };
        SqlError::new(kind, "disturbed")
    }

    fn lasts(self) -> bool {
        matches!(self, Self::LateFromThen | Self::LostFromThen)
    }
}

/// A real database whose statements come to nothing at a moment, so that other crates can test what they make of it.
pub struct DisturbedDatabase {
    database: Arc<dyn Database>,
    disturbance: Disturbance,
    after: usize,
    asked: Arc<AtomicUsize>,
    late: Late,
}

/// What is done late.
type Late = Arc<Mutex<Vec<JoinHandle<()>>>>;

impl DisturbedDatabase {
    /// Lets so many statements pass to a database, whatever the connection, before something befalls the next.
    #[must_use]
    pub fn new(database: Arc<dyn Database>, disturbance: Disturbance, after: usize) -> Self {
        Self {
            database,
            disturbance,
            after,
            asked: Arc::default(),
            late: Arc::default(),
        }
    }

    /// Waits until the server has done everything.
    pub fn settle(&self) {
        let late = std::mem::take(&mut *self.late.lock().unwrap_or_else(PoisonError::into_inner));
        for done in late {
            // Nobody hears what comes of it.
            let _ = done.join();
        }
    }

    /// How many statements were asked.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Database for DisturbedDatabase {
    fn product(&self) -> String {
        self.database.product()
    }

    fn cost(&self) -> ConnectionCost {
        self.database.cost()
    }

    fn connect(&self) -> Result<Box<dyn Connection>, SqlError> {
        if self.disturbance.lasts() && self.asked.load(Ordering::SeqCst) > self.after {
            return Err(self.disturbance.error());
        }
        Ok(Box::new(DisturbedConnection {
            connection: self.database.connect()?,
            database: Arc::clone(&self.database),
            disturbance: self.disturbance,
            after: self.after,
            asked: Arc::clone(&self.asked),
            late: Arc::clone(&self.late),
        }))
    }
}

struct DisturbedConnection {
    connection: Box<dyn Connection>,
    database: Arc<dyn Database>,
    disturbance: Disturbance,
    after: usize,
    asked: Arc<AtomicUsize>,
    late: Late,
}

impl Connection for DisturbedConnection {
    fn run(&mut self, sql: &str, limits: &Limits) -> Result<ResultSet, SqlError> {
        let before = self.asked.fetch_add(1, Ordering::SeqCst);
        if before == self.after || (before > self.after && self.disturbance.lasts()) {
            if self.disturbance == Disturbance::DoneLate {
                let done = do_late(Arc::clone(&self.database), sql.to_owned(), limits.clone());
                let mut late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
                late.push(done);
            }
            return Err(self.disturbance.error());
        }
        self.connection.run(sql, limits)
    }

    fn at_once(&self) -> usize {
        self.connection.at_once()
    }

    fn announce(&mut self, statements: &[String]) {
        self.connection.announce(statements);
    }

    fn canceller(&self) -> Arc<dyn Canceller> {
        self.connection.canceller()
    }
}

fn do_late(database: Arc<dyn Database>, sql: String, limits: Limits) -> JoinHandle<()> {
    thread::spawn(move || {
        thread::sleep(LATE);
        // Nobody hears what comes of it.
        let _ = database
            .connect()
            .and_then(|mut connection| connection.run(&sql, &limits));
    })
}
