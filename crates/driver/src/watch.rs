//! One statement's clock and stop sign, shared between the thread that runs it and those that may stop it.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::Canceller;

const IDLE: u8 = 0;
const RUNNING: u8 = 1;
const CANCELLED: u8 = 2;
const TIMED_OUT: u8 = 3;

/// How a watched statement ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// By itself.
    Finished,
    /// It was asked to stop.
    Cancelled,
    /// Its time was up.
    TimedOut,
}

/// Watches the statements of one connection, one after the other.
pub(crate) struct Watch {
    made: Instant,
    /// Nanoseconds after `made`.
    deadline: AtomicU64,
    state: AtomicU8,
}

impl Watch {
    pub(crate) fn new() -> Self {
        Self {
            made: Instant::now(),
            deadline: AtomicU64::new(0),
            state: AtomicU8::new(IDLE),
        }
    }

    /// A statement starts.
    pub(crate) fn start(&self, timeout: Duration) {
        let end = self.made.elapsed().saturating_add(timeout).as_nanos();
        let end = u64::try_from(end).unwrap_or(u64::MAX);
        self.deadline.store(end, Ordering::Relaxed);
        self.state.store(RUNNING, Ordering::Release);
    }

    /// Whether the running statement has to stop now.
    pub(crate) fn must_stop(&self) -> bool {
        match self.state.load(Ordering::Acquire) {
            CANCELLED | TIMED_OUT => true,
            RUNNING if self.is_late() => {
                self.stop(TIMED_OUT);
                true
            }
            _ => false,
        }
    }

    /// The statement is over; says whether it was stopped.
    pub(crate) fn finish(&self) -> Outcome {
        match self.state.swap(IDLE, Ordering::AcqRel) {
            CANCELLED => Outcome::Cancelled,
            TIMED_OUT => Outcome::TimedOut,
            _ => Outcome::Finished,
        }
    }

    fn is_late(&self) -> bool {
        self.made.elapsed().as_nanos() > u128::from(self.deadline.load(Ordering::Relaxed))
    }

    fn stop(&self, how: u8) {
        // Lost races are fine: the statement is over, or somebody else stopped it.
        let _ = self
            .state
            .compare_exchange(RUNNING, how, Ordering::AcqRel, Ordering::Acquire);
    }
}

impl Canceller for Watch {
    fn cancel(&self) {
        self.stop(CANCELLED);
    }
}
