//! Stopping the statement that runs on a connection, from any thread.
#![expect(
    unsafe_code,
    reason = "the call that stops a statement is a call of a C function"
)]

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::error::Failure;
use super::handle::succeeded;
use super::manager::{Manager, Raw};

/// How long a call lasts that does wait for the server: shorter ones are about to end by themselves.
const WAITING: Duration = Duration::from_millis(50);

/// The statement that runs on a connection, for those who want to stop it.
#[derive(Default)]
pub(super) struct Running(Mutex<Present>);

/// What a connection's thread is at.
#[derive(Default)]
struct Present {
    statement: Option<Target>,
    /// Since when the thread is in a call that may wait for the server.
    waits_since: Option<Instant>,
    is_stopped: bool,
}

struct Target {
    manager: &'static Manager,
    raw: Raw,
}

// SAFETY: only `SQLCancel` is called on it, which ODBC allows from any thread while the statement lives.
unsafe impl Send for Target {}

impl Target {
    fn cancel(&self) -> bool {
        // SAFETY: whoever has the target holds the lock without which the statement is not freed.
        succeeded(unsafe { (self.manager.cancel)(self.raw) })
    }
}

impl Running {
    /// A statement is about to run.
    pub(super) fn begin(&self, manager: &'static Manager, raw: Raw) {
        *self.lock() = Present {
            statement: Some(Target { manager, raw }),
            ..Present::default()
        };
    }

    /// The statement is about to be freed. Whoever asks the driver to stop it holds the lock until they are done.
    pub(super) fn end(&self) {
        *self.lock() = Present::default();
    }

    /// Asks the driver to stop the statement, from the statement's own thread.
    pub(super) fn cancel(&self) {
        if let Some(statement) = &self.lock().statement {
            statement.cancel();
        }
    }

    /// Asks the driver to stop the running statement, from another thread than the statement's; says whether it is
    /// going to stop.
    ///
    /// The driver is asked only while the statement waits for the server. Between two calls a mark is enough, and
    /// some drivers (MariaDB's) take a cancel there as the wish to free the result, which the thread is reading.
    pub(super) fn stop(&self) -> bool {
        let mut present = self.lock();
        present.is_stopped = true;
        loop {
            let Some(statement) = &present.statement else {
                return false;
            };
            let Some(since) = present.waits_since else {
                return true;
            };
            let left = WAITING.saturating_sub(since.elapsed());
            if left.is_zero() {
                return statement.cancel();
            }
            drop(present);
            std::thread::sleep(left);
            present = self.lock();
        }
    }

    /// Makes a call that may wait for the server, unless the statement was asked to stop.
    pub(super) fn wait_for(&self, call: impl FnOnce() -> i16) -> Result<i16, Failure> {
        let mut present = self.lock();
        if present.is_stopped {
            return Err(Failure::stopped());
        }
        present.waits_since = Some(Instant::now());
        drop(present);
        let code = call();
        self.lock().waits_since = None;
        Ok(code)
    }

    fn lock(&self) -> MutexGuard<'_, Present> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
