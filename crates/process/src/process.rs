//! A running process: one call at a time, each with its deadline.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bowline_protocol::{
    ANSWER_OVERHEAD, Done, InitializeParams, InitializeResult, Method, Request, VERSION,
    read_answer,
};
use bowline_words::Redactor;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use crate::group::{self, Group};
use crate::streams::{Event, Tail, await_end, read_lines, write_lines};
use crate::{Fault, ProcessError, Program};

/// How long a process that was asked to stop has until it is killed.
const GRACE: Duration = Duration::from_millis(500);

/// How long a process has to log out.
const FAREWELL: Duration = Duration::from_secs(2);

/// How long what is on its way may take to arrive once its sender is gone.
const ARRIVAL: Duration = Duration::from_millis(300);

/// How much of a line that is no answer is shown.
const SHOWN: usize = 200;

/// What one call may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallLimits {
    /// The longest the call may take.
    pub timeout: Duration,
    /// The most bytes the line of its answer may have.
    pub max_bytes: usize,
}

impl CallLimits {
    /// Limits for a call with a small answer.
    #[must_use]
    pub fn small(timeout: Duration) -> Self {
        Self {
            timeout,
            max_bytes: usize::try_from(ANSWER_OVERHEAD).unwrap_or(usize::MAX),
        }
    }
}

/// A connector's process, after the handshake.
///
/// Dropped, it is asked to log out and is killed if it does not, with everything it started.
pub struct Process {
    connector: String,
    redactor: Redactor,
    hello: InitializeResult,
    /// None once the process is to end.
    input: Option<Sender<Vec<u8>>>,
    events: Receiver<Event>,
    abort: Arc<Abort>,
    line_limit: Arc<AtomicUsize>,
    log: Arc<Tail>,
    group: Arc<Group>,
    has_ended: bool,
    last_id: u64,
}

impl Process {
    /// Starts a program and shakes hands with it, unless a process of it was [kept](Program::keep).
    ///
    /// # Errors
    /// [`ProcessError`]: it cannot be started, does not answer as it must, or speaks another version.
    pub fn start(program: &Program, redactor: &Redactor) -> Result<Self, ProcessError> {
        if let Some(mut kept) = program.take_idle()
            // One that has ended, or said something that nobody asked for, is left.
            && !kept.has_ended
            && matches!(kept.events.try_recv(), Err(TryRecvError::Empty))
        {
            kept.redactor = redactor.clone();
            return Ok(kept);
        }
        let mut process = Self::spawn(program, redactor)?;
        let params = InitializeParams {
            protocol: VERSION,
            client: concat!("bowline ", env!("CARGO_PKG_VERSION")).to_owned(),
        };
        let limits = CallLimits::small(program.start_timeout);
        process.hello = process.call(Method::Initialize, &params, limits).map_err(
            |mut error: ProcessError| {
                if let Fault::Ended { folder, .. } = &mut error.fault {
                    folder.clone_from(&program.folder);
                }
                error
            },
        )?;
        if process.hello.protocol != VERSION {
            let reason = format!(
                "it speaks version {} of the process protocol, and version {VERSION} is needed",
                process.hello.protocol
            );
            return Err(process.fail(Fault::Unfit(reason)));
        }
        Ok(process)
    }

    /// Starts a program without a word: not even the handshake.
    ///
    /// # Errors
    /// [`ProcessError`]: it cannot be started.
    pub fn spawn(program: &Program, redactor: &Redactor) -> Result<Self, ProcessError> {
        let not_started = |source| ProcessError {
            connector: program.connector.clone(),
            fault: Fault::NotStarted {
                program: program.shown(),
                source,
            },
            last_words: Vec::new(),
        };
        let (mut child, group) = group::start(&mut program.to_command()).map_err(not_started)?;
        let group = Arc::new(group);
        let (Some(input), Some(output), Some(log)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            group.kill();
            return Err(not_started(std::io::ErrorKind::BrokenPipe.into()));
        };
        let (events_in, events) = channel();
        let (lines, lines_out) = channel();
        let line_limit = Arc::new(AtomicUsize::new(0));
        write_lines(input, lines_out);
        read_lines(output, Arc::clone(&line_limit), events_in.clone());
        let log = Tail::follow(log);
        let end = events_in.clone();
        await_end(child, Arc::clone(&group), move |ended| {
            let how = match ended {
                Ok(status) => status.to_string(),
                Err(error) => error.to_string(),
            };
            // Nobody waits for a process that was given up.
            let _ = end.send(Event::Ended(how));
        });
        Ok(Self {
            connector: program.connector.clone(),
            redactor: redactor.clone(),
            hello: InitializeResult {
                protocol: 0,
                kind: bowline_protocol::ConnectorKind::Warehouse,
                name: String::new(),
                capabilities: Vec::new(),
                interpreter: None,
                outside: bowline_protocol::OutsideCode::default(),
                misspelt: Vec::new(),
            },
            input: Some(lines),
            events,
            abort: Arc::new(Abort {
                events: Mutex::new(events_in),
                running: Mutex::new(None),
            }),
            line_limit,
            log,
            group,
            has_ended: false,
            last_id: 0,
        })
    }

    /// What the process said of itself.
    #[must_use]
    pub fn hello(&self) -> &InitializeResult {
        &self.hello
    }

    /// Whether it serves a method.
    #[must_use]
    pub fn serves(&self, method: Method) -> bool {
        self.hello
            .capabilities
            .iter()
            .any(|name| name == method.name())
    }

    /// What ends the running call from another thread.
    #[must_use]
    pub fn abort_handle(&self) -> AbortHandle {
        AbortHandle(Arc::clone(&self.abort))
    }

    /// Whether it can be asked something else.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.input.is_some()
    }

    /// Asks and waits for the answer.
    ///
    /// After any error but [`Fault::Refused`] the process is ended.
    ///
    /// # Errors
    /// [`ProcessError`].
    pub fn call<P: Serialize, R: DeserializeOwned>(
        &mut self,
        method: Method,
        params: &P,
        limits: CallLimits,
    ) -> Result<R, ProcessError> {
        self.ask(method, params, limits)
            .map_err(|fault| self.fail(fault))
    }

    /// Makes an error of a fault, such as one that a caller found, and ends the process unless it may go on.
    pub fn fail(&mut self, fault: Fault) -> ProcessError {
        let last_words = if fault.leaves_it_usable() {
            Vec::new()
        } else {
            self.end(if fault.deserves_grace() {
                GRACE
            } else {
                Duration::ZERO
            });
            let lines = self.log.lines(ARRIVAL);
            lines
                .iter()
                .map(|line| self.redactor.redact(line))
                .collect()
        };
        ProcessError {
            connector: self.connector.clone(),
            fault: fault.redacted(&self.redactor),
            last_words,
        }
    }

    fn ask<P: Serialize, R: DeserializeOwned>(
        &mut self,
        method: Method,
        params: &P,
        limits: CallLimits,
    ) -> Result<R, Fault> {
        self.last_id += 1;
        let id = self.last_id;
        let request = Request::new(id, method, params);
        let line = serde_json::to_vec(&request)
            .map_err(|error| Fault::Unfit(format!("cannot write a request: {error}")))?;
        let mut waiting = self.write(line, method, limits);
        let _running = self.abort.while_running(id);
        loop {
            let line = self.next_line(id, &mut waiting)?;
            if let Some(outcome) = answer_of(method, id, &line)? {
                return outcome.map_err(|error| Fault::Refused(Box::new(error)));
            }
        }
    }

    /// Writes any line and waits for the next one, whatever either of them is. Faults name the method.
    ///
    /// # Errors
    /// [`Fault`]; the process is left as it is.
    pub fn exchange(
        &mut self,
        line: &str,
        method: Method,
        limits: CallLimits,
    ) -> Result<Vec<u8>, Fault> {
        let mut waiting = self.write(line.into(), method, limits);
        self.next_line(0, &mut waiting)
    }

    fn write(&mut self, mut line: Vec<u8>, method: Method, limits: CallLimits) -> Waiting {
        self.line_limit.store(limits.max_bytes, Ordering::Relaxed);
        line.push(b'\n');
        // A failure here is a process that has ended, which is told better by how it ended.
        if let Some(input) = &self.input {
            let _ = input.send(line);
        }
        Waiting {
            method,
            limits,
            until: Instant::now() + limits.timeout,
            ended: None,
        }
    }

    fn next_line(&mut self, id: u64, waiting: &mut Waiting) -> Result<Vec<u8>, Fault> {
        loop {
            let left = waiting.until.saturating_duration_since(Instant::now());
            match self.events.recv_timeout(left) {
                Ok(Event::Line(line)) => return Ok(line),
                Ok(Event::TooLong) => return Err(waiting.too_long()),
                Ok(Event::Abort(aborted)) if aborted == id => return Err(Fault::Cancelled),
                Ok(Event::Abort(_)) => {}
                Ok(Event::Ended(how)) => {
                    self.has_ended = true;
                    waiting.no_longer_than(ARRIVAL, how);
                }
                Ok(Event::Silent) if self.has_ended => return Err(waiting.over()),
                Ok(Event::Silent) => {
                    waiting.no_longer_than(ARRIVAL, "it closed its standard output".to_owned());
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    return Err(waiting.over());
                }
            }
        }
    }

    /// Closes its input; says whether it then ended by itself in time.
    pub fn ends_without_input(&mut self, patience: Duration) -> bool {
        self.input = None;
        self.ends(patience)
    }

    /// Closes its input, and kills it when it has not ended in time.
    fn end(&mut self, grace: Duration) {
        if !self.ends_without_input(grace) {
            self.group.kill();
            self.ends(FAREWELL);
        }
    }

    /// Says whether it ends by itself in time.
    pub fn ends(&mut self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        while !self.has_ended {
            match self
                .events
                .recv_timeout(until.saturating_duration_since(Instant::now()))
            {
                Ok(Event::Ended(_)) => self.has_ended = true,
                Ok(_) => {}
                Err(_) => break,
            }
        }
        self.has_ended
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.is_usable() && !self.has_ended {
            // A process that cannot take it any more is ended all the same.
            let close = Request::new(self.last_id + 1, Method::Close, Done {});
            if let Ok(line) = serde_json::to_vec(&close) {
                self.write(line, Method::Close, CallLimits::small(FAREWELL));
            }
            self.end(FAREWELL);
        }
    }
}

/// How long a call waits for its answer, and what shortened the wait.
struct Waiting {
    method: Method,
    limits: CallLimits,
    until: Instant,
    ended: Option<String>,
}

impl Waiting {
    fn no_longer_than(&mut self, patience: Duration, why: String) {
        self.until = self.until.min(Instant::now() + patience);
        self.ended = Some(why);
    }

    fn too_long(&self) -> Fault {
        Fault::TooLong {
            method: self.method,
            limit: self.limits.max_bytes,
        }
    }

    fn over(&mut self) -> Fault {
        let method = self.method;
        match self.ended.take() {
            Some(how) => Fault::Ended {
                method,
                how,
                folder: None,
            },
            None => Fault::TimedOut {
                method,
                limit: self.limits.timeout,
            },
        }
    }
}

/// The outcome a line holds; none for a notification, which nobody has to heed.
fn answer_of<R: DeserializeOwned>(
    method: Method,
    id: u64,
    line: &[u8],
) -> Result<Option<Result<R, bowline_protocol::ErrorObject>>, Fault> {
    let garbage = |reason: String| Fault::Garbage {
        method,
        reason,
        line: String::from_utf8_lossy(line).chars().take(SHOWN).collect(),
    };
    let answer = read_answer::<R>(line).map_err(garbage)?;
    match (answer.id, answer.result, answer.error) {
        (Some(given), ..) if given != id => {
            Err(garbage(format!("it answers request {given}, not {id}")))
        }
        (_, None, Some(error)) => Ok(Some(Err(error))),
        (Some(_), Some(result), None) => Ok(Some(Ok(result))),
        (None, None, None) if is_notification(line) => Ok(None),
        (None, ..) => Err(garbage("it has no `id`".to_owned())),
        (_, Some(_), Some(_)) => Err(garbage("it has a result and an error".to_owned())),
        (_, None, None) => Err(garbage("it has neither a result nor an error".to_owned())),
    }
}

fn is_notification(line: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Shape {
        #[serde(rename = "method")]
        _method: String,
        id: Option<IgnoredAny>,
    }
    serde_json::from_slice::<Shape>(line).is_ok_and(|shape| shape.id.is_none())
}

/// Ends the running call of a process from another thread; the process is ended with it.
#[derive(Clone)]
pub struct AbortHandle(Arc<Abort>);

impl AbortHandle {
    /// Gives up the running call; does nothing when none runs.
    pub fn abort(&self) {
        let running = lock(&self.0.running);
        if let Some(id) = *running {
            // The process is gone already.
            let _ = lock(&self.0.events).send(Event::Abort(id));
        }
    }
}

/// Which call runs, and where to tell that it is given up.
struct Abort {
    events: Mutex<Sender<Event>>,
    running: Mutex<Option<u64>>,
}

impl Abort {
    fn while_running(self: &Arc<Self>, id: u64) -> impl Drop + use<> {
        struct Running(Arc<Abort>);
        impl Drop for Running {
            fn drop(&mut self) {
                *lock(&self.0.running) = None;
            }
        }
        *lock(&self.running) = Some(id);
        Running(Arc::clone(self))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
