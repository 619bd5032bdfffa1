//! A connection on a thread of its own, and the caller's side of it.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use adbc_core::{CancelHandle, Connection as _};
use adbc_driver_manager::ManagedConnection;

use crate::error::Seconds;
use crate::{Limits, ResultSet, SqlError, SqlErrorKind};

/// How long a statement that was asked to stop may take to do so.
const GRACE: Duration = Duration::from_secs(3);

/// How long closing a connection may take before it is left to itself.
const CLOSING: Duration = Duration::from_secs(2);

/// What the caller waits for.
pub(super) enum Event {
    /// The connection is open, or could not be.
    Opened(Result<(), SqlError>),
    /// The statement is over.
    Done(Result<ResultSet, SqlError>),
    /// Somebody wants the statement to stop.
    Cancel,
    /// The server was told to stop.
    Stopped,
    /// The thread is gone.
    Gone,
}

struct Job {
    sql: String,
    limits: Limits,
}

/// What the thread does with its connection for each statement.
pub(super) type Run = Box<
    dyn FnMut(&mut ManagedConnection, &str, &Limits, &Stopper) -> Result<ResultSet, SqlError>
        + Send,
>;

/// Opens the connection and says how statements run on it.
pub(super) type Open = Box<dyn FnOnce() -> Result<(ManagedConnection, Run), SqlError> + Send>;

/// The caller's side of a connection.
pub(super) struct Session {
    jobs: Option<Sender<Job>>,
    events: Receiver<Event>,
    wake: Sender<Event>,
    stopper: Arc<Stopper>,
    /// Never carries anything; it ends when the thread does.
    closed: Receiver<()>,
    closing: Duration,
}

impl Session {
    /// Opens a connection within the time limit.
    pub(super) fn open(open: Open, limit: Duration) -> Result<Self, SqlError> {
        let (job_sender, job_receiver) = channel();
        let (wake, events) = channel();
        let (alive, closed) = channel();
        let stopper = Arc::new(Stopper::default());
        let session = Self {
            jobs: Some(job_sender),
            events,
            wake: wake.clone(),
            stopper: Arc::clone(&stopper),
            closed,
            closing: CLOSING,
        };
        std::thread::Builder::new()
            .name("bowline-adbc".to_owned())
            .spawn(move || {
                let _alive: Sender<()> = alive;
                work(open, &job_receiver, Farewell(wake), &stopper);
            })
            .map_err(|error| {
                SqlError::new(
                    SqlErrorKind::Other,
                    format!("thread cannot be started for a connection: {error}"),
                )
            })?;
        match session.events.recv_timeout(limit) {
            Ok(Event::Opened(opened)) => opened.map(|()| session),
            Err(RecvTimeoutError::Timeout) => {
                session.leave_behind();
                Err(SqlError::new(
                    SqlErrorKind::Timeout,
                    format!("connection timed out: no answer within {}", Seconds(limit)),
                ))
            }
            _ => Err(gone()),
        }
    }

    /// What stops this session's statements from elsewhere.
    pub(super) fn wake(&self) -> Sender<Event> {
        self.wake.clone()
    }

    /// Runs a statement; after `LeftBehind` the session is of no more use.
    pub(super) fn run(&mut self, sql: &str, limits: &Limits) -> Outcome {
        // A wish to cancel that came too late for the last statement is not for this one.
        while self.events.try_recv().is_ok() {}
        let job = Job {
            sql: sql.to_owned(),
            limits: limits.clone(),
        };
        let sent = self.jobs.as_ref().map(|jobs| jobs.send(job));
        if !matches!(sent, Some(Ok(()))) {
            return Outcome::Over(Err(gone()));
        }
        let stopped = match self.events.recv_timeout(limits.timeout) {
            Ok(Event::Done(result)) => return Outcome::Over(result),
            Err(RecvTimeoutError::Timeout) => SqlError::timed_out(limits.timeout),
            Ok(Event::Cancel) => SqlError::cancelled(),
            _ => return Outcome::Over(Err(gone())),
        };
        self.stop();
        match self.settle() {
            Settled::Over(Ok(result)) => Outcome::Over(Ok(result)),
            Settled::Over(Err(error)) if error.kind == SqlErrorKind::Connection => {
                Outcome::Over(Err(error))
            }
            Settled::Over(Err(_)) => Outcome::Over(Err(stopped)),
            Settled::Hanging => Outcome::LeftBehind(SqlError {
                message: format!(
                    "{}; it did not stop within {} of being asked to, so its connection was given up",
                    stopped.message,
                    Seconds(GRACE)
                ),
                ..stopped
            }),
            Settled::Gone => Outcome::Over(Err(gone())),
        }
    }

    /// Goes without waiting for the connection to close.
    pub(super) fn leave_behind(mut self) {
        self.closing = Duration::ZERO;
    }

    /// Tells the server to stop, on a thread of its own: where the server is out of reach, telling it hangs too.
    fn stop(&self) {
        let (stopper, wake) = (Arc::clone(&self.stopper), self.wake.clone());
        // Without a thread for it nobody tells the server, and the connection is left behind.
        let _ = std::thread::Builder::new()
            .name("bowline-cancel".to_owned())
            .spawn(move || {
                stopper.stop();
                let _ = wake.send(Event::Stopped);
            });
    }

    /// Waits until the statement is over and the server was told, so that the wish cannot hit the next statement.
    fn settle(&self) -> Settled {
        let end = Instant::now() + GRACE;
        let (mut result, mut told) = (None, false);
        loop {
            match self
                .events
                .recv_timeout(end.saturating_duration_since(Instant::now()))
            {
                Ok(Event::Done(done)) => result = Some(done),
                Ok(Event::Stopped) => told = true,
                Ok(Event::Cancel | Event::Opened(_)) => {}
                Ok(Event::Gone) | Err(RecvTimeoutError::Disconnected) => return Settled::Gone,
                Err(RecvTimeoutError::Timeout) => return Settled::Hanging,
            }
            if told && let Some(result) = result.take() {
                return Settled::Over(result);
            }
        }
    }
}

/// How a statement ended for its session.
pub(super) enum Outcome {
    /// It is over, one way or the other.
    Over(Result<ResultSet, SqlError>),
    /// It goes on, and nobody listens any more.
    LeftBehind(SqlError),
}

enum Settled {
    Over(Result<ResultSet, SqlError>),
    Hanging,
    Gone,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.jobs = None;
        let _ = self.closed.recv_timeout(self.closing);
    }
}

fn gone() -> SqlError {
    SqlError::new(SqlErrorKind::Connection, "driver ended unexpectedly")
}

/// Says that the thread is gone, also when it panics.
struct Farewell(Sender<Event>);

impl Drop for Farewell {
    fn drop(&mut self) {
        let _ = self.0.send(Event::Gone);
    }
}

/// The connection's thread: everything that may hang happens here.
fn work(open: Open, jobs: &Receiver<Job>, events: Farewell, stopper: &Stopper) {
    let (mut connection, mut run) = match open() {
        Ok(opened) => opened,
        Err(error) => {
            let _ = events.0.send(Event::Opened(Err(error)));
            return;
        }
    };
    stopper.opened(connection.get_cancel_handle());
    let _ = events.0.send(Event::Opened(Ok(())));
    while let Ok(job) = jobs.recv() {
        let result = run(&mut connection, &job.sql, &job.limits, stopper);
        if events.0.send(Event::Done(result)).is_err() {
            return;
        }
    }
}

/// Tells the server to stop what it is doing. Drivers implement one way of asking or the other.
#[derive(Default)]
pub(super) struct Stopper {
    connection: Mutex<Option<Arc<dyn CancelHandle>>>,
    statement: Mutex<Option<Arc<dyn CancelHandle>>>,
}

impl Stopper {
    fn opened(&self, handle: Box<dyn CancelHandle>) {
        *lock(&self.connection) = Some(handle.into());
    }

    /// A statement is about to run.
    pub(super) fn running(&self, handle: Box<dyn CancelHandle>) {
        *lock(&self.statement) = Some(handle.into());
    }

    /// Asks the server to stop.
    pub(super) fn stop(&self) {
        let connection = lock(&self.connection).clone();
        let statement = lock(&self.statement).clone();
        let handles = [connection, statement].into_iter().flatten();
        for handle in handles {
            if handle.try_cancel().is_ok() {
                return;
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
