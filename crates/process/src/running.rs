//! A program that runs to its end, or until it is given up: never longer than whoever asked it, with all it started.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::process::{ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use crate::group::{self, Group};
use crate::streams::await_end;

/// How often a program that runs is looked after.
const BEAT: Duration = Duration::from_millis(20);

/// How long the system has to end a program that was killed.
const FAREWELL: Duration = Duration::from_secs(2);

/// A program in a process group of its own, which is killed when this is dropped.
#[derive(Debug)]
pub struct Running {
    group: Arc<Group>,
    ended: Receiver<io::Result<ExitStatus>>,
    /// Its standard output, where that is piped.
    pub stdout: Option<ChildStdout>,
    /// Its standard error, where that is piped.
    pub stderr: Option<ChildStderr>,
}

impl Running {
    /// Starts a program without a standard input.
    ///
    /// # Errors
    /// What the system says.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        let (mut child, group) = group::start(command.stdin(Stdio::null()))?;
        let group = Arc::new(group);
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let (sender, ended) = channel();
        await_end(child, Arc::clone(&group), move |status| {
            // Nobody waits for a program that was given up.
            let _ = sender.send(status);
        });
        Ok(Self {
            group,
            ended,
            stdout,
            stderr,
        })
    }

    /// Waits for its end. When that has not come in time, or as soon as it is given up, it is killed, and there is none.
    ///
    /// # Errors
    /// What the system says.
    pub fn wait(
        self,
        patience: Option<Duration>,
        is_given_up: &dyn Fn() -> bool,
    ) -> io::Result<Option<ExitStatus>> {
        let until = patience.map(|patience| Instant::now() + patience);
        loop {
            match self.ended.recv_timeout(BEAT) {
                Ok(status) => return status.map(Some),
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if is_given_up() || until.is_some_and(|until| Instant::now() > until) {
                self.stop(Duration::ZERO);
                return Ok(None);
            }
        }
    }

    /// Asks it to end as Ctrl-C does, so that it can remove what it made, and kills it when it has not ended in time.
    pub fn stop(self, grace: Duration) {
        if !grace.is_zero() {
            self.group.interrupt();
            if self.ended.recv_timeout(grace).is_ok() {
                return;
            }
        }
        self.group.kill();
        // Without an end it is the system that holds it.
        let _ = self.ended.recv_timeout(FAREWELL);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.group.kill();
    }
}

/// A program that ended.
#[derive(Debug)]
pub struct Ended {
    /// How.
    pub status: ExitStatus,
    /// Everything it wrote, to either stream.
    pub words: String,
}

/// Runs a program that writes into a file, for a pipe that nobody reads could fill up and block it. None when it was
/// given up or did not end in time; it is then killed with all it started.
///
/// # Errors
/// What the system says.
pub fn run_into(
    mut file: File,
    command: &mut Command,
    patience: Option<Duration>,
    is_given_up: &dyn Fn() -> bool,
) -> io::Result<Option<Ended>> {
    command.stdout(file.try_clone()?).stderr(file.try_clone()?);
    let Some(status) = Running::start(command)?.wait(patience, is_given_up)? else {
        return Ok(None);
    };
    let mut words = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut words)?;
    Ok(Some(Ended {
        status,
        words: String::from_utf8_lossy(&words).into_owned(),
    }))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    fn run(script: &str, patience: Duration) -> Option<Ended> {
        let file = tempfile::tempfile().unwrap();
        run_into(file, &mut shell(script), Some(patience), &|| false).unwrap()
    }

    /// Whether the process whose number a script wrote into a file ends soon; one that nobody has reaped has ended.
    fn ends(file: &std::path::Path) -> bool {
        let number = std::fs::read_to_string(file).unwrap();
        let until = Instant::now() + Duration::from_secs(10);
        while Instant::now() < until {
            let mut look = Command::new("ps");
            look.args(["-o", "stat=", "-p", number.trim()]);
            let state = look.output().unwrap().stdout;
            if state.is_empty() || state.starts_with(b"Z") {
                return true;
            }
            std::thread::sleep(BEAT);
        }
        false
    }

    #[test]
    fn both_streams_are_kept() {
        let ended = run("echo one; echo two >&2; exit 3", Duration::from_secs(60)).unwrap();
        assert_eq!(ended.words, "one\ntwo\n");
        assert_eq!(ended.status.code(), Some(3));
    }

    #[test]
    fn what_takes_too_long_is_not_waited_for() {
        assert!(run("sleep 271", Duration::from_millis(100)).is_none());
    }

    #[test]
    fn what_is_given_up_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let pid = folder.path().join("pid");
        let script = format!("sleep 271 & echo $! > {}; wait; echo late", pid.display());
        let is_given_up = || std::fs::metadata(&pid).is_ok_and(|file| file.len() > 0);
        let file = tempfile::tempfile().unwrap();
        let ended = run_into(file, &mut shell(&script), None, &is_given_up).unwrap();
        assert!(ended.is_none() && ends(&pid));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_is_stopped_may_clear_up_first() {
        let folder = tempfile::tempdir().unwrap();
        let (pid, gone) = (folder.path().join("pid"), folder.path().join("gone"));
        let script = format!(
            "trap 'touch {}; exit' INT; sleep 271 & echo $! > {}; wait",
            gone.display(),
            pid.display()
        );
        // Where this is run in the background, the shell would be born deaf to it.
        let mut heard = Command::new("env");
        heard.args(["--default-signal=INT", "sh", "-c", &script]);
        let running = Running::start(&mut heard).unwrap();
        while !std::fs::metadata(&pid).is_ok_and(|file| file.len() > 0) {
            std::thread::sleep(BEAT);
        }
        running.stop(Duration::from_secs(60));
        assert!(gone.exists());
        assert!(ends(&pid));
    }
}
