//! What the suite tells its readers while it runs.

use std::time::Duration;

use crate::{CheckInfo, Verdict};

/// Something that happened. Readers turn events into progress; the [`Report`](crate::Report) holds the rest.
#[derive(Debug, Clone)]
pub enum Event<'a> {
    /// The plan is made; checks are about to run.
    Started {
        /// How many checks there are; fewer may finish, where one makes no sense after another.
        checks: usize,
    },
    /// A connection was opened.
    Connected {
        /// What is on the other end.
        product: &'a str,
        /// How long it took.
        elapsed: Duration,
    },
    /// A check has run. Its verdict may still become blocked when all answers are in.
    Finished {
        /// The check.
        check: &'a CheckInfo,
        /// What it found so far.
        verdict: Verdict,
        /// How long its statements took.
        elapsed: Duration,
    },
    /// All checks have run; the suite asks again to find which template is at fault.
    Blaming {
        /// How many checks fell short.
        checks: usize,
    },
    /// What functional checks made is being removed.
    CleaningUp,
}
