//! The threads around one process: its answers, its log, its input and its end.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ExitStatus};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::group::Group;

/// What happens to a process, in the order in which its threads see it.
#[derive(Debug)]
pub(crate) enum Event {
    /// A line of its standard output, without its end.
    Line(Vec<u8>),
    /// A line grew over the limit; nothing more is read.
    TooLong,
    /// Its standard output ended.
    Silent,
    /// It ended.
    Ended(String),
    /// The call with this number is to be given up.
    Abort(u64),
}

/// Reads lines until the output ends or one is longer than the limit of the moment.
pub(crate) fn read_lines(
    output: impl Read + Send + 'static,
    limit: Arc<AtomicUsize>,
    events: Sender<Event>,
) {
    thread::spawn(move || {
        let mut output = BufReader::with_capacity(64 * 1024, output);
        loop {
            let event = match read_line(&mut output, &limit) {
                Ok(Some(line)) => Event::Line(line),
                Ok(None) => Event::TooLong,
                Err(_) => Event::Silent,
            };
            let goes_on = matches!(event, Event::Line(_));
            // Without a receiver nobody wants the rest.
            if events.send(event).is_err() || !goes_on {
                return;
            }
        }
    });
}

/// A whole line; none when it is too long. The end of the output is an error, even in the middle of a line.
fn read_line(output: &mut impl BufRead, limit: &AtomicUsize) -> std::io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    loop {
        let piece = match output.fill_buf() {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            piece => piece?,
        };
        if piece.is_empty() {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let (taken, is_whole) = match piece.iter().position(|byte| *byte == b'\n') {
            Some(end) => (end, true),
            None => (piece.len(), false),
        };
        if line.len() + taken > limit.load(Ordering::Relaxed) {
            return Ok(None);
        }
        line.extend_from_slice(&piece[..taken]);
        output.consume(taken + usize::from(is_whole));
        if is_whole {
            return Ok(Some(line));
        }
    }
}

/// Writes what comes, and closes the input when nothing more can come. A process that does not read blocks only
/// this thread.
pub(crate) fn write_lines(mut input: ChildStdin, lines: Receiver<Vec<u8>>) {
    thread::spawn(move || {
        for line in lines {
            // A process that closed its input has ended or soon will, which its other threads tell.
            if input.write_all(&line).and_then(|()| input.flush()).is_err() {
                return;
            }
        }
    });
}

/// Waits for the end and tells it.
pub(crate) fn await_end(
    mut leader: Child,
    group: Arc<Group>,
    on_end: impl FnOnce(std::io::Result<ExitStatus>) + Send + 'static,
) {
    thread::spawn(move || on_end(group.reap(&mut leader)));
}

/// The last lines of a log.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    state: Mutex<TailState>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct TailState {
    lines: VecDeque<String>,
    has_ended: bool,
}

/// How many lines are kept.
const LINES: usize = 12;

/// How many bytes of a line are kept.
const LINE_BYTES: usize = 400;

impl Tail {
    /// Follows a log to its end.
    pub(crate) fn follow(log: impl Read + Send + 'static) -> Arc<Self> {
        let tail = Arc::new(Self::default());
        let written = Arc::clone(&tail);
        thread::spawn(move || {
            let mut log = BufReader::new(log);
            let mut line = Vec::new();
            loop {
                let read = (&mut log)
                    .take(LINE_BYTES as u64)
                    .read_until(b'\n', &mut line);
                if !matches!(read, Ok(bytes) if bytes > 0) {
                    break;
                }
                let is_whole = line.last() == Some(&b'\n');
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                line.clear();
                if !is_whole && skip_line(&mut log).is_err() {
                    written.keep(text);
                    break;
                }
                written.keep(text);
            }
            written.lock().has_ended = true;
            written.ended.notify_all();
        });
        tail
    }

    fn keep(&self, line: String) {
        let mut state = self.lock();
        if line.is_empty() {
            return;
        }
        if state.lines.len() == LINES {
            state.lines.pop_front();
        }
        state.lines.push_back(line);
    }

    /// The last lines; a log that is about to end gets the moment it needs.
    pub(crate) fn lines(&self, patience: Duration) -> Vec<String> {
        let state = self.lock();
        let (state, _) = self
            .ended
            .wait_timeout_while(state, patience, |state| !state.has_ended)
            .unwrap_or_else(PoisonError::into_inner);
        state.lines.iter().cloned().collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, TailState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads to the end of the line without keeping it.
fn skip_line(log: &mut impl BufRead) -> std::io::Result<()> {
    log.skip_until(b'\n').map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_over_the_limit_are_not_held() {
        let limit = AtomicUsize::new(5);
        let mut output = BufReader::with_capacity(2, &b"12345\n\n123456\n"[..]);
        assert_eq!(
            read_line(&mut output, &limit).unwrap(),
            Some(b"12345".to_vec())
        );
        assert_eq!(read_line(&mut output, &limit).unwrap(), Some(Vec::new()));
        assert_eq!(read_line(&mut output, &limit).unwrap(), None);
    }

    #[test]
    fn half_a_line_at_the_end_is_no_line() {
        let limit = AtomicUsize::new(100);
        assert!(read_line(&mut &b"half"[..], &limit).is_err());
    }

    #[test]
    fn the_tail_of_a_log_is_short_whatever_the_log_is() {
        let mut log: Vec<u8> = (0..100)
            .flat_map(|n| format!("line {n}\n").into_bytes())
            .collect();
        log.extend_from_slice(&[0xff, b'\n']);
        log.extend_from_slice("é".repeat(100_000).as_bytes());
        let lines = Tail::follow(std::io::Cursor::new(log)).lines(Duration::from_secs(60));
        assert_eq!(lines.len(), LINES);
        assert_eq!(lines[LINES - 3], "line 99");
        assert_eq!(lines[LINES - 2], "\u{fffd}");
        assert!(lines[LINES - 1].starts_with("éé"), "{lines:?}");
        assert!(lines.iter().all(|line| line.len() <= LINE_BYTES));
    }
}
