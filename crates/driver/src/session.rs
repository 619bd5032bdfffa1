//! A connection on a thread of its own, and the caller's side of it: for drivers whose calls may hang.
//!
//! The caller waits with the time limit in hand. So a statement, a connection attempt or a driver that hangs
//! can always be left behind.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::{Answer, Canceller, Connection, Limits, ResultSet, SqlError, SqlErrorKind, Unanswered};
use bowline_words::{Redactor, Seconds};
use jiff::Timestamp;

/// How long a statement that was asked to stop may take to do so.
const GRACE: Duration = Duration::from_secs(3);

/// How long closing a connection may take before it is left to itself.
const CLOSING: Duration = Duration::from_secs(2);

/// What the caller waits for.
enum Event {
    /// The connection is open, or could not be.
    Opened(Result<(), SqlError>),
    /// A statement is over, since then.
    Done(Result<ResultSet, SqlError>, Instant),
    /// Somebody wants the statement to stop.
    Cancel,
    /// The server was told to stop.
    Stopped,
    /// The thread is gone.
    Gone,
}

struct Job {
    statements: Vec<String>,
    limits: Limits,
}

/// Runs statements on the thread's connection, which it holds, and hands on what each comes to.
pub(crate) type Run = Box<dyn FnMut(&[String], &Limits, &mut Done<'_>)>;

/// Takes what a statement came to.
pub(crate) type Done<'d> = dyn FnMut(Result<ResultSet, SqlError>) + 'd;

/// Runs statements one after the other.
pub(crate) fn one_by_one(
    mut run: impl FnMut(&str, &Limits) -> Result<ResultSet, SqlError> + 'static,
) -> Run {
    Box::new(move |statements, limits, done| {
        for sql in statements {
            done(run(sql, limits));
        }
    })
}

/// Opens a connection, on the thread it will live on, and says how statements run on it. The stopper is told what
/// stops them.
pub(crate) type Open = Arc<dyn Fn(&Arc<Stopper>) -> Result<Run, SqlError> + Send + Sync>;

/// A connection of the crate over sessions: the next statement after one that could not be stopped gets a new one.
pub(crate) struct ThreadedConnection {
    open: Open,
    connect_timeout: Duration,
    redactor: Redactor,
    canceller: Arc<Wake>,
    /// How many statements go out in one round trip.
    at_once: usize,
    /// The statements that are said to come next.
    announced: VecDeque<String>,
    /// `None` after a statement that could not be stopped.
    session: Option<Session>,
}

impl ThreadedConnection {
    /// Opens a connection within the time limit.
    pub(crate) fn open(
        open: Open,
        connect_timeout: Duration,
        redactor: &Redactor,
    ) -> Result<Self, SqlError> {
        let session = Session::open(Arc::clone(&open), connect_timeout)
            .map_err(|error| error.redacted(redactor))?;
        Ok(Self {
            open,
            connect_timeout,
            redactor: redactor.clone(),
            canceller: Arc::new(Wake(Mutex::new(session.wake.clone()))),
            at_once: 1,
            announced: VecDeque::new(),
            session: Some(session),
        })
    }

    /// The same, of a driver that sends so many statements in one round trip.
    pub(crate) fn sending_at_once(self, at_once: usize) -> Self {
        Self { at_once, ..self }
    }

    fn run_on_a_session(&mut self, sql: &str, limits: &Limits) -> Result<Over, SqlError> {
        loop {
            let mut session = match self.session.take() {
                Some(session) => session,
                None => {
                    let session = Session::open(Arc::clone(&self.open), self.connect_timeout)?;
                    self.canceller.follow(session.wake.clone());
                    session
                }
            };
            match session.run(sql, &mut self.announced, limits) {
                Outcome::Over(over) => {
                    self.session = Some(session);
                    return Ok(over);
                }
                Outcome::LeftBehind(error) => {
                    session.leave_behind();
                    return Err(error);
                }
                // Nothing is ahead of it on the next one.
                Outcome::Unasked => session.leave_behind(),
            }
        }
    }
}

impl Connection for ThreadedConnection {
    fn run(&mut self, sql: &str, limits: &Limits) -> Result<ResultSet, SqlError> {
        let over = self.run_on_a_session(sql, limits);
        over.and_then(|over| over.result)
            .map_err(|error| error.redacted(&self.redactor))
    }

    fn ask(&mut self, sql: &str, limits: &Limits) -> Result<Answer, Unanswered> {
        let (asked, started) = (Timestamp::now(), Instant::now());
        let over = self
            .run_on_a_session(sql, limits)
            .unwrap_or_else(|error| Over {
                result: Err(error),
                asked,
                elapsed: started.elapsed(),
            });
        let redacted = |error: SqlError| error.redacted(&self.redactor);
        Ok(Answer {
            result: over.result.map(Arc::new).map_err(redacted),
            asked: over.asked,
            elapsed: over.elapsed,
        })
    }

    fn at_once(&self) -> usize {
        self.at_once
    }

    fn announce(&mut self, statements: &[String]) {
        if self.at_once > 1 {
            self.announced = statements.iter().cloned().collect();
        }
    }

    fn pause(&mut self, pause: Duration) {
        if let Some(session) = &mut self.session {
            session.is_stale = true;
        }
        std::thread::sleep(pause);
    }

    fn canceller(&self) -> Arc<dyn Canceller> {
        Arc::clone(&self.canceller) as Arc<dyn Canceller>
    }
}

/// Cancels whatever the connection's present session runs.
struct Wake(Mutex<Sender<Event>>);

impl Wake {
    fn follow(&self, events: Sender<Event>) {
        *lock(&self.0) = events;
    }
}

impl Canceller for Wake {
    fn cancel(&self) {
        // Nobody listens when the connection is gone, and then nothing runs on it.
        let _ = lock(&self.0).send(Event::Cancel);
    }
}

/// The caller's side of a connection.
struct Session {
    jobs: Option<Sender<Job>>,
    events: Receiver<Event>,
    wake: Sender<Event>,
    stopper: Arc<Stopper>,
    /// What was sent ahead and nobody has asked for yet.
    ahead: VecDeque<String>,
    /// Whether time was to pass since: what was answered before says nothing of later.
    is_stale: bool,
    /// When the statement that is waited for was the server's to run: when it was sent, or the one before it was over.
    begun: (Timestamp, Instant),
    /// Whether the thread has ended.
    is_gone: bool,
    /// What came of statements before they were asked for.
    came: VecDeque<(Result<ResultSet, SqlError>, Instant)>,
    /// Never carries anything; it ends when the thread does.
    closed: Receiver<()>,
    closing: Duration,
}

impl Session {
    /// Opens a connection within the time limit.
    fn open(open: Open, limit: Duration) -> Result<Self, SqlError> {
        let (job_sender, job_receiver) = channel();
        let (wake, events) = channel();
        let (alive, closed) = channel();
        let stopper = Arc::new(Stopper::default());
        let session = Self {
            jobs: Some(job_sender),
            events,
            wake: wake.clone(),
            stopper: Arc::clone(&stopper),
            ahead: VecDeque::new(),
            is_stale: false,
            begun: (Timestamp::now(), Instant::now()),
            is_gone: false,
            came: VecDeque::new(),
            closed,
            closing: CLOSING,
        };
        std::thread::Builder::new()
            .name("bowline-connection".to_owned())
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

    /// Runs a statement, those that are announced behind it with it; after `LeftBehind` the session is of no more use.
    fn run(&mut self, sql: &str, announced: &mut VecDeque<String>, limits: &Limits) -> Outcome {
        self.forget_late_wishes();
        if std::mem::take(&mut self.is_stale) || self.ahead.front().is_none_or(|ahead| ahead != sql)
        {
            if let Some(outcome) = self.drain(limits) {
                return outcome;
            }
            let mut statements = vec![sql.to_owned()];
            match announced.pop_front() {
                Some(first) if first == sql => statements.extend(announced.drain(..)),
                _ => announced.clear(),
            }
            self.begun = (Timestamp::now(), Instant::now());
            self.ahead = statements.iter().cloned().collect();
            let job = Job {
                statements,
                limits: limits.clone(),
            };
            let sent = self.jobs.as_ref().map(|jobs| jobs.send(job));
            if !matches!(sent, Some(Ok(()))) {
                return self.end();
            }
        }
        self.ahead.pop_front();
        self.wait(limits)
    }

    /// A wish to cancel that came too late for the last statement is not for the next one.
    fn forget_late_wishes(&mut self) {
        while let Ok(event) = self.events.try_recv() {
            match event {
                Event::Done(result, at) => self.came.push_back((result, at)),
                Event::Gone => self.is_gone = true,
                Event::Cancel | Event::Stopped | Event::Opened(_) => {}
            }
        }
    }

    /// Waits until all that was sent ahead is over, no longer than one statement may take; gives what
    /// became of the next instead.
    fn drain(&mut self, limits: &Limits) -> Option<Outcome> {
        let end = Instant::now() + limits.timeout;
        while let Some(waiting) = NonZeroUsize::new(self.ahead.len()) {
            if self.came.pop_front().is_some() {
                self.ahead.pop_front();
                continue;
            }
            let left = end.saturating_duration_since(Instant::now());
            let is_wanted = match self.events.recv_timeout(left) {
                Ok(Event::Done(..)) => {
                    self.ahead.pop_front();
                    continue;
                }
                Err(RecvTimeoutError::Timeout) => true,
                Ok(Event::Cancel) => false,
                _ => return Some(self.end()),
            };
            self.ahead.clear();
            match self.settle(waiting.get()) {
                Settled::Gone => return Some(self.end()),
                Settled::Hanging if is_wanted => return Some(Outcome::Unasked),
                Settled::Hanging => return Some(Outcome::LeftBehind(SqlError::cancelled())),
                Settled::Over(_) if is_wanted => {}
                Settled::Over(_) => {
                    return Some(self.over(Err(SqlError::cancelled()), Instant::now()));
                }
            }
        }
        None
    }

    fn over(&mut self, result: Result<ResultSet, SqlError>, at: Instant) -> Outcome {
        let (asked, started) = self.begun;
        let elapsed = at.saturating_duration_since(started);
        let over = asked.checked_add(elapsed).unwrap_or(asked);
        self.begun = (over, at.max(started));
        Outcome::Over(Over {
            result,
            asked,
            elapsed,
        })
    }

    /// The thread has ended: whatever is asked has no answer.
    fn end(&mut self) -> Outcome {
        self.is_gone = true;
        self.ahead.clear();
        self.over(Err(gone()), Instant::now())
    }

    /// Waits for what the next statement comes to.
    fn wait(&mut self, limits: &Limits) -> Outcome {
        if let Some((result, at)) = self.came.pop_front() {
            return self.over(result, at);
        }
        if self.is_gone {
            return self.end();
        }
        let stopped = match self.events.recv_timeout(limits.timeout) {
            Ok(Event::Done(result, at)) => return self.over(result, at),
            Err(RecvTimeoutError::Timeout) => SqlError::timed_out(limits.timeout),
            Ok(Event::Cancel) => SqlError::cancelled(),
            _ => return self.end(),
        };
        // The wish to stop may hit any of those that were sent ahead: none of them counts.
        let waiting = 1 + std::mem::take(&mut self.ahead).len();
        match self.settle(waiting) {
            Settled::Over(Ok(result)) => self.over(Ok(result), Instant::now()),
            Settled::Over(Err(error)) if error.kind == SqlErrorKind::Connection => {
                self.over(Err(error), Instant::now())
            }
            Settled::Over(Err(_)) => self.over(Err(stopped), Instant::now()),
            Settled::Hanging => Outcome::LeftBehind(SqlError {
                message: format!(
                    "{}; it did not stop within {} of being asked to, so its connection was given up",
                    stopped.message,
                    Seconds(GRACE)
                ),
                ..stopped
            }),
            Settled::Gone => self.end(),
        }
    }

    /// Goes without waiting for the connection to close.
    fn leave_behind(mut self) {
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

    /// Has the server stop all that was sent, one statement after the other; waits until it is over and the server was
    /// told, so that no wish can hit the next statement. Gives what came of the first.
    fn settle(&self, mut waiting: usize) -> Settled {
        let end = Instant::now() + GRACE;
        let (mut first, mut untold) = (None, 1_usize);
        self.stop();
        loop {
            match self
                .events
                .recv_timeout(end.saturating_duration_since(Instant::now()))
            {
                Ok(Event::Done(done, _)) => {
                    first.get_or_insert(done);
                    waiting = waiting.saturating_sub(1);
                    if waiting > 0 {
                        untold += 1;
                        self.stop();
                    }
                }
                Ok(Event::Stopped) => untold = untold.saturating_sub(1),
                Ok(Event::Cancel | Event::Opened(_)) => {}
                Ok(Event::Gone) | Err(RecvTimeoutError::Disconnected) => return Settled::Gone,
                Err(RecvTimeoutError::Timeout) => return Settled::Hanging,
            }
            if untold == 0
                && waiting == 0
                && let Some(result) = first.take()
            {
                return Settled::Over(result);
            }
        }
    }
}

/// What a statement came to, when it was the server's to run and how long it took from then on.
struct Over {
    result: Result<ResultSet, SqlError>,
    asked: Timestamp,
    elapsed: Duration,
}

/// How a statement ended for its session.
enum Outcome {
    /// It is over, one way or the other.
    Over(Over),
    /// It goes on, and nobody listens any more.
    LeftBehind(SqlError),
    /// It was not sent: what was sent ahead of it goes on, and does not stop.
    Unasked,
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
fn work(open: Open, jobs: &Receiver<Job>, events: Farewell, stopper: &Arc<Stopper>) {
    let mut run = match open(stopper) {
        Ok(run) => run,
        Err(error) => {
            let _ = events.0.send(Event::Opened(Err(error)));
            return;
        }
    };
    // It may hold the database, which must not outlive the connection that the caller sees close.
    drop(open);
    let _ = events.0.send(Event::Opened(Ok(())));
    while let Ok(job) = jobs.recv() {
        let mut is_heard = true;
        run(&job.statements, &job.limits, &mut |result| {
            is_heard &= events.0.send(Event::Done(result, Instant::now())).is_ok();
        });
        if !is_heard {
            return;
        }
    }
}

/// One way to tell the server to stop; says whether it could be told.
pub(crate) type Stop = Arc<dyn Fn() -> bool + Send + Sync>;

/// Tells the server to stop what it is doing. Drivers implement one way of asking or the other.
#[derive(Default)]
pub(crate) struct Stopper {
    connection: Mutex<Option<Stop>>,
    statement: Mutex<Option<Stop>>,
}

impl Stopper {
    /// How to stop whatever runs on the connection.
    pub(crate) fn opened(&self, stop: Stop) {
        *lock(&self.connection) = Some(stop);
    }

    /// How to stop the statement that is about to run.
    #[cfg(any(feature = "adbc", feature = "odbc"))]
    pub(crate) fn running(&self, stop: Stop) {
        *lock(&self.statement) = Some(stop);
    }

    /// Asks the server to stop.
    pub(crate) fn stop(&self) {
        let connection = lock(&self.connection).clone();
        let statement = lock(&self.statement).clone();
        let mut ways = [connection, statement].into_iter().flatten();
        ways.any(|stop| stop());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
