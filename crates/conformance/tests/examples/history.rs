//! What every vendor of these tests has done: jobs, and two days of runs.

use bowline_contract::pipeline::Window;
use jiff::{SignedDuration, Timestamp};

/// How many jobs there are.
pub(crate) const JOBS: u64 = 4;
/// How many runs each has had.
const RUNS: u64 = 30;

/// When the suite begins.
pub(crate) fn begin() -> Timestamp {
    Timestamp::from_second(1_767_225_600).unwrap()
}

/// How a run ended, or that it has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Running,
    Good,
    Bad,
    Stopped,
}

/// A run, in no vendor's words.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) id: u64,
    pub(crate) job: u64,
    pub(crate) state: State,
    pub(crate) queued: Timestamp,
    pub(crate) start: Timestamp,
    pub(crate) end: Option<Timestamp>,
}

impl Run {
    /// When anything about it changed last.
    pub(crate) fn updated(&self) -> Timestamp {
        self.end.unwrap_or(self.start)
    }

    /// Why it failed: not for one reason always.
    pub(crate) fn reason(&self) -> &'static str {
        ["a table is missing", "no space left", "the source said no"]
            [usize::try_from(self.id % 3).unwrap_or_default()]
    }

    /// The word for its state.
    pub(crate) fn word<'w>(
        &self,
        running: &'w str,
        good: &'w str,
        bad: &'w str,
        stopped: &'w str,
    ) -> &'w str {
        match self.state {
            State::Running => running,
            State::Good => good,
            State::Bad => bad,
            State::Stopped => stopped,
        }
    }
}

/// Everything that happened.
pub(crate) struct History {
    pub(crate) runs: Vec<Run>,
}

impl History {
    pub(crate) fn new() -> Self {
        let runs = (0..JOBS * RUNS).map(|number| {
            let back = SignedDuration::from_secs(i64::try_from(number).unwrap() * 1387 + 61);
            let queued = begin() - back;
            let start = queued + SignedDuration::from_millis(4250);
            let state = match number {
                0 => State::Running,
                number if number % 7 == 3 => State::Bad,
                number if number % 11 == 5 => State::Stopped,
                _ => State::Good,
            };
            let length =
                SignedDuration::from_millis(40_125 + i64::try_from(number % 5).unwrap() * 1000);
            Run {
                // Beyond what a double holds.
                id: 9_007_199_254_740_993 + number * 2,
                job: number % JOBS,
                state,
                queued,
                start,
                end: (state != State::Running).then_some(start + length),
            }
        });
        Self {
            runs: runs.collect(),
        }
    }

    /// A window that has all of it.
    pub(crate) fn span(&self) -> Window {
        Window {
            start: begin() - SignedDuration::from_hours(72),
            end: begin(),
        }
    }

    pub(crate) fn find(&self, id: &str) -> Option<&Run> {
        self.runs.iter().find(|run| run.id.to_string() == id)
    }
}
