//! A recording brought up to date: what it holds is answered from it, and a live database is asked for the rest.
//!
//! ```
//! use std::collections::BTreeMap;
//! use std::sync::Arc;
//!
//! use bowline_driver::{Database, FakeDatabase, Limits, Recording, RefreshingDatabase, ResultSet};
//!
//! let one = ResultSet::with_rows(["n"], [vec![1i64.into()]]);
//! let live = Arc::new(FakeDatabase::new().answers("SELECT 1", one));
//! let refreshing = RefreshingDatabase::new(live, Recording::default(), BTreeMap::new());
//! refreshing.connect()?.run("SELECT 1", &Limits::default())?;
//! assert_eq!(refreshing.asked(), 1);
//! # Ok::<(), bowline_driver::SqlError>(())
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::recording::{ReplayingConnection, whole};
use crate::{
    Answer, Canceller, Connection, ConnectionCost, Database, Limits, Recording, ReplayingDatabase,
    ResultSet, SqlError, ThreadRows, Unanswered,
};

/// Where the answers to a piece of work come from whose statements hang together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswersFrom {
    /// All of them from the recording, and what that lacks stays unanswered.
    Recording,
    /// All of them from the live database.
    Database,
}

/// A live database that is asked only what a recording lacks.
///
/// A statement that had no answer then, because its time ran out or the connection was lost, is lacking too. Work whose
/// statements hang together is answered from one side: an answer of then and one of now may tell of two states.
pub struct RefreshingDatabase {
    live: Arc<dyn Database>,
    replaying: ReplayingDatabase,
    together: Arc<BTreeMap<String, AnswersFrom>>,
    asked: Arc<AtomicUsize>,
}

impl RefreshingDatabase {
    /// Brings a recording up to date; `together` says of each piece of work that hangs together where its answers come
    /// from.
    #[must_use]
    pub fn new(
        live: Arc<dyn Database>,
        recording: Recording,
        together: BTreeMap<String, AnswersFrom>,
    ) -> Self {
        Self {
            live,
            replaying: ReplayingDatabase::new(recording),
            together: Arc::new(together),
            asked: Arc::default(),
        }
    }

    /// How many statements the live database was asked.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Database for RefreshingDatabase {
    fn product(&self) -> String {
        self.live.product()
    }

    fn cost(&self) -> ConnectionCost {
        self.live.cost()
    }

    fn connect(&self) -> Result<Box<dyn Connection>, SqlError> {
        Ok(Box::new(RefreshingConnection {
            live: self.live.connect()?,
            replaying: self.replaying.replay(),
            together: Arc::clone(&self.together),
            asked: Arc::clone(&self.asked),
            from: None,
        }))
    }
}

struct RefreshingConnection {
    live: Box<dyn Connection>,
    replaying: ReplayingConnection,
    together: Arc<BTreeMap<String, AnswersFrom>>,
    asked: Arc<AtomicUsize>,
    /// Where the answers to the piece of work come from; nothing where each statement stands for itself.
    from: Option<AnswersFrom>,
}

impl RefreshingConnection {
    fn count(&self, statements: usize) {
        self.asked.fetch_add(statements, Ordering::SeqCst);
    }
}

impl Connection for RefreshingConnection {
    fn run(&mut self, sql: &str, limits: &Limits) -> Result<ResultSet, SqlError> {
        whole(self.ask(sql, limits))
    }

    fn ask(&mut self, sql: &str, limits: &Limits) -> Result<Answer, Unanswered> {
        if self.from != Some(AnswersFrom::Database) {
            let recorded = self.replaying.ask(sql, limits);
            let is_kept = self.from.is_some() || recorded.as_ref().is_ok_and(Answer::is_one);
            if is_kept {
                return recorded;
            }
        }
        self.count(1);
        self.live.ask(sql, limits)
    }

    fn ask_together(
        &mut self,
        statements: &[String],
        limits: &Limits,
    ) -> Option<Result<Vec<ThreadRows>, SqlError>> {
        if self.from == Some(AnswersFrom::Recording) {
            return self.replaying.ask_together(statements, limits);
        }
        let answer = self.live.ask_together(statements, limits);
        self.count(answer.as_ref().map_or(0, |_| statements.len()));
        answer
    }

    fn turn_to(&mut self, work: &str) {
        self.from = self.together.get(work).copied();
        self.replaying.turn_to(work);
        self.live.turn_to(work);
    }

    fn leave_out(&mut self, sql: &str) {
        self.live.leave_out(sql);
    }

    fn pause(&mut self, pause: Duration) {
        if self.from == Some(AnswersFrom::Database) {
            self.live.pause(pause);
        }
    }

    fn canceller(&self) -> Arc<dyn Canceller> {
        self.live.canceller()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::{FakeDatabase, FakeReply, RecordingDatabase, SqlErrorKind};

    /// Answers with how many statements it was asked so far, and what times out not at all.
    fn counting(slow: &'static str) -> Arc<dyn Database> {
        let count = Mutex::new(0_i64);
        let fake = FakeDatabase::new().answers_with(move |sql| {
            if sql == slow {
                let late = SqlError::new(SqlErrorKind::Timeout, "late");
                return Some(FakeReply::Error(late));
            }
            let mut count = count.lock().unwrap();
            *count += 1;
            Some(ResultSet::with_rows(["n"], [vec![(*count).into()]]).into())
        });
        Arc::new(fake)
    }

    fn ask(database: &dyn Database, asked: &[(&str, &str)]) -> Vec<Option<i64>> {
        let mut connection = database.connect().unwrap();
        let limits = Limits::default();
        let answers = asked.iter().map(|(work, sql)| {
            connection.turn_to(work);
            let result = connection.run(sql, &limits).ok()?;
            result.scalar()?.to_string().parse().ok()
        });
        answers.collect()
    }

    #[test]
    fn only_what_is_lacking_is_asked() {
        let then = RecordingDatabase::new(counting("slow"));
        ask(&then, &[("a", "1"), ("a", "slow"), ("a", "2")]);
        let refreshing = RefreshingDatabase::new(counting(""), then.recording(), BTreeMap::new());
        let now = ask(
            &refreshing,
            &[
                ("a", "1"),
                ("a", "slow"),
                ("a", "2"),
                ("a", "3"),
                ("b", "1"),
            ],
        );
        assert_eq!(now, [Some(1), Some(1), Some(2), Some(2), Some(3)]);
        assert_eq!(refreshing.asked(), 3);
    }

    #[test]
    fn what_hangs_together_has_its_answers_from_one_side() {
        let then = RecordingDatabase::new(counting("slow"));
        ask(&then, &[("old", "1"), ("old", "slow"), ("new", "1")]);
        let together = [
            ("old".to_owned(), AnswersFrom::Recording),
            ("new".to_owned(), AnswersFrom::Database),
        ];
        let refreshing = RefreshingDatabase::new(counting(""), then.recording(), together.into());
        let asked = [("old", "slow"), ("old", "1"), ("old", "2"), ("new", "1")];
        assert_eq!(ask(&refreshing, &asked), [None, Some(1), None, Some(1)]);
        assert_eq!(refreshing.asked(), 1);
    }
}
