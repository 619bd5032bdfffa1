//! A program that runs while its lines are told.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use bowline_oci::Cancel;
use bowline_process::Running;

use crate::error::{ImageError, ImageErrorKind, from_oci};
use crate::event::BuildEvent;

/// How many of a failed program's last lines are shown.
const LAST_LINES: usize = 20;
/// How often a silent program is looked after.
const PATIENCE: Duration = Duration::from_millis(100);
/// How long a program that was asked to end has for its cleaning up.
const GRACE: Duration = Duration::from_secs(5);

/// Runs a program to its end, tells its lines as they come, and gives what it wrote to standard output.
pub(super) fn stream(
    mut command: Command,
    what: &str,
    cancel: &Cancel,
    on_event: &mut dyn FnMut(BuildEvent),
) -> Result<String, ImageError> {
    cancel.check(what).map_err(from_oci)?;
    let failed =
        |error: io::Error| ImageError::new(ImageErrorKind::Engine, what).because(error.to_string());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = Running::start(&mut command).map_err(failed)?;
    let (sender, lines) = mpsc::channel();
    read_lines(running.stdout.take(), sender.clone(), Stream::Out);
    read_lines(running.stderr.take(), sender, Stream::Error);
    let mut output = String::new();
    let mut last = VecDeque::new();
    loop {
        match lines.recv_timeout(PATIENCE) {
            Ok((stream, line)) => {
                if stream == Stream::Out {
                    output.push_str(&line);
                    output.push('\n');
                }
                if last.len() == LAST_LINES {
                    last.pop_front();
                }
                last.push_back(line.clone());
                on_event(BuildEvent::Output(line));
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if cancel.is_cancelled() {
            running.stop(GRACE);
            return Err(ImageError::new(ImageErrorKind::Cancelled, what));
        }
    }
    let ended = running.wait(None, &|| cancel.is_cancelled());
    let status = match ended.map_err(failed)? {
        Some(status) if status.success() => return Ok(output),
        Some(status) if !cancel.is_cancelled() => status,
        Some(_) | None => return Err(ImageError::new(ImageErrorKind::Cancelled, what)),
    };
    let mut error = ImageError::new(ImageErrorKind::EngineFailed, what).because(status.to_string());
    for line in last {
        error = error.because(line);
    }
    Err(error)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stream {
    Out,
    Error,
}

fn read_lines(
    stream: Option<impl Read + Send + 'static>,
    sender: Sender<(Stream, String)>,
    which: Stream,
) {
    let Some(stream) = stream else { return };
    thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let mut line = Vec::new();
        while reader
            .read_until(b'\n', &mut line)
            .is_ok_and(|read| read > 0)
        {
            let text = String::from_utf8_lossy(&line);
            // Engines colour what they pass on from builds, whoever reads it.
            let text = anstream::adapter::strip_str(text.trim_end()).to_string();
            line.clear();
            if sender.send((which, text)).is_err() {
                return;
            }
        }
    });
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn lines_are_told_and_output_is_given() {
        let mut told = Vec::new();
        let output = stream(
            shell("printf '\\033[91mone\\033[0m\\n'; echo two >&2"),
            "it",
            &Cancel::default(),
            &mut |event| {
                told.push(event);
            },
        )
        .unwrap();
        assert_eq!(output, "one\n");
        assert_eq!(told.len(), 2);
    }

    #[test]
    fn a_failure_comes_with_the_last_words() {
        let script = "for i in $(seq 30); do echo line $i; done; exit 3";
        let error = stream(shell(script), "it", &Cancel::default(), &mut |_| ()).unwrap_err();
        assert_eq!(error.kind, ImageErrorKind::EngineFailed);
        assert_eq!(error.causes.len(), 1 + LAST_LINES);
        assert_eq!(error.causes.last().unwrap(), "line 30");
    }

    #[test]
    fn it_can_be_stopped() {
        let cancel = Cancel::default();
        let stopper = cancel.clone();
        let error = stream(
            shell("echo ready; exec sleep 600"),
            "it",
            &cancel,
            &mut |_| {
                stopper.cancel();
            },
        )
        .unwrap_err();
        assert_eq!(error.kind, ImageErrorKind::Cancelled);
    }
}
