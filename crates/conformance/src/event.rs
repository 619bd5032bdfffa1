//! What the suites tell their readers while they run.

use crate::Verdict;

/// Something that happened. Readers turn events into progress; the report holds the rest. `C` are a suite's checks, and
/// `A` is what it does beside answering them.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a, C, A> {
    /// The plan is made; checks are about to run.
    Started {
        /// How many checks there are; fewer may finish, where one makes no sense after another.
        checks: usize,
    },
    /// The suite does something.
    Doing(A),
    /// A check is answered. Its verdict may still become blocked when all answers are in.
    Finished {
        /// The check.
        check: &'a C,
        /// What it found so far.
        verdict: Verdict,
    },
}
