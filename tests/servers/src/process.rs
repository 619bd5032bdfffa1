//! A server process in a temporary folder, watched by a guard.
//!
//! The guard is a small shell script in a process group of its own. It reads a pipe whose other end lives in our
//! process, on which it is told what runs. When we drop the server, or die in whatever way, the pipe closes, and
//! the guard stops what runs and removes the folder. So nothing is left behind even after `kill -9`.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::ServerError;

/// How long a server may take until it is ready; minutes, on a machine that is busy with other things.
const START_LIMIT: Duration = Duration::from_secs(600);
const POLL: Duration = Duration::from_millis(10);
const LOG: &str = "server.log";
const LOG_TAIL_LINES: usize = 20;
const PORT_ATTEMPTS: usize = 3;

/// Each line on its input replaces the one before: the process to stop (with a minus, its group) and the signal to do
/// it with, or nothing.
const GUARD: &str = r#"
folder=$1
watched=; with=
while read -r pid signal; do watched=$pid; with=$signal; done
if [ -n "$watched" ]; then
    kill -s "$with" -- "$watched"
    patience=60
    while kill -s 0 -- "$watched" && [ "$patience" -gt 0 ]; do
        sleep 0.05
        patience=$((patience - 1))
    done
    kill -s KILL -- "$watched"
fi
rm -rf "$folder"
"#;

/// The account a server runs as, since servers refuse to run as root.
#[derive(Debug, Clone, Copy)]
struct Account {
    user: u32,
    group: u32,
}

/// The signal that stops a server at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopSignal {
    /// `SIGQUIT`: PostgreSQL's immediate shutdown.
    Quit,
    /// `SIGTERM`.
    Terminate,
    /// `SIGTERM` for the server and all that it has started in its process group.
    TerminateGroup,
}

impl StopSignal {
    fn name(self) -> &'static str {
        match self {
            Self::Quit => "QUIT",
            Self::Terminate | Self::TerminateGroup => "TERM",
        }
    }
}

/// A folder a server will live in, before it runs; its set-up programs run in it as the same account.
#[derive(Debug)]
pub struct Launch {
    folder: TempDir,
    environment: Vec<(&'static str, PathBuf)>,
    account: Option<Account>,
    guard: Guard,
}

impl Launch {
    /// Makes the folder and settles which account the server runs as: the caller's own, or for root the first
    /// of `users` that exists.
    ///
    /// # Errors
    /// [`ServerError::Folder`] and, for root, [`ServerError::NoUser`].
    pub fn prepare(engine: &str, users: &[&str]) -> Result<Self, ServerError> {
        let root = id(&["-u"]) == Some(0);
        let account = if root {
            let account = users.iter().find_map(|user| {
                Some(Account {
                    user: id(&["-u", user])?,
                    group: id(&["-g", user])?,
                })
            });
            Some(account.ok_or_else(|| ServerError::NoUser {
                users: users.join(" nor "),
            })?)
        } else {
            None
        };
        Self::in_fresh_folder(engine, account)
    }

    /// As [`Self::prepare`], but the server runs as the caller, root or not: for programs that stand in a folder of
    /// the caller's.
    ///
    /// # Errors
    /// [`ServerError::Folder`].
    pub fn as_caller(engine: &str) -> Result<Self, ServerError> {
        Self::in_fresh_folder(engine, None)
    }

    fn in_fresh_folder(engine: &str, account: Option<Account>) -> Result<Self, ServerError> {
        // Root's own temporary folder may be closed to the account, `/tmp` is open to all; a short path
        // also keeps Unix sockets within their limit.
        let parent = if account.is_some() {
            PathBuf::from("/tmp")
        } else {
            std::env::temp_dir()
        };
        let folder = tempfile::Builder::new()
            .prefix(&format!("bowline-{engine}-"))
            .tempdir_in(parent)?;
        if let Some(account) = account {
            chown(folder.path(), Some(account.user), Some(account.group))?;
        }
        let guard = Guard::start(folder.path())?;
        Ok(Self {
            folder,
            environment: Vec::new(),
            account,
            guard,
        })
    }

    /// The server's folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file that only the server's account can read.
    ///
    /// # Errors
    /// [`ServerError::Folder`].
    pub fn write_secret(&self, file: &Path, text: &str) -> Result<(), ServerError> {
        std::fs::write(file, text)?;
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600))?;
        if let Some(account) = self.account {
            chown(file, Some(account.user), Some(account.group))?;
        }
        Ok(())
    }

    /// Sets a variable for the set-up programs and the server.
    pub fn set(&mut self, variable: &'static str, value: PathBuf) {
        self.environment.push((variable, value));
    }

    /// Runs a set-up program to its end.
    ///
    /// # Errors
    /// [`ServerError::Spawn`] and [`ServerError::Failed`] with what it said.
    pub fn run(&mut self, program: &Path, args: &[OsString]) -> Result<(), ServerError> {
        let mut command = self.command(program);
        command
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = command.spawn().map_err(|source| ServerError::Spawn {
            program: program.to_owned(),
            source,
        })?;
        self.guard.watch(&child, StopSignal::Terminate)?;
        let output = child.wait_with_output()?;
        self.guard.watch_nothing()?;
        said(program, &output).map(drop)
    }

    /// Starts the server and waits until `ready` says so.
    ///
    /// # Errors
    /// [`ServerError::Ended`] when it ends first, [`ServerError::NotReady`] when it takes too long.
    pub fn start(
        self,
        program: &Path,
        args: &[OsString],
        stop: StopSignal,
        ready: impl Fn(&Path) -> bool,
    ) -> Result<Running, ServerError> {
        let log = File::create(self.folder().join(LOG))?;
        let mut command = self.command(program);
        command
            .args(args)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let server = command.spawn().map_err(|source| ServerError::Spawn {
            program: program.to_owned(),
            source,
        })?;
        let mut running = Running {
            server,
            guard: self.guard,
            folder: self.folder,
        };
        running.guard.watch(&running.server, stop)?;
        let begun = Instant::now();
        loop {
            if running.server.try_wait()?.is_some() {
                return Err(ServerError::Ended {
                    log: running.log_tail(),
                });
            }
            if ready(running.folder()) {
                return Ok(running);
            }
            if begun.elapsed() > START_LIMIT {
                return Err(ServerError::NotReady {
                    seconds: START_LIMIT.as_secs(),
                    log: running.log_tail(),
                });
            }
            sleep(POLL);
        }
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        // A terminal's Ctrl-C is for us: the guard stops the rest in good order.
        command.current_dir(self.folder.path()).process_group(0);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        if let Some(account) = self.account {
            command.uid(account.user).gid(account.group);
        }
        command
    }
}

/// A running server. Dropping it stops the server at once, breaks its connections and removes its folder.
#[derive(Debug)]
pub struct Running {
    server: Child,
    guard: Guard,
    folder: TempDir,
}

impl Running {
    /// The server's folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Kills the server as a machine that fails does: nothing is put in order.
    pub fn kill(&mut self) {
        // What has ended cannot be killed, and is as dead.
        let _ = self.server.kill();
    }

    fn log_tail(&self) -> String {
        let log = std::fs::read_to_string(self.folder().join(LOG)).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_TAIL_LINES)..].join("\n")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.guard.stop();
        // The guard waits until the server is gone, and it is only once its parent has taken note.
        let _ended = self.server.wait();
    }
}

/// The shell that outlives us.
#[derive(Debug)]
struct Guard {
    shell: Child,
}

impl Guard {
    fn start(folder: &Path) -> io::Result<Self> {
        let shell = Command::new("/bin/sh")
            .args(["-c", GUARD, "guard"])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        Ok(Self { shell })
    }

    fn watch(&mut self, child: &Child, signal: StopSignal) -> io::Result<()> {
        let group = match signal {
            StopSignal::TerminateGroup => "-",
            StopSignal::Quit | StopSignal::Terminate => "",
        };
        self.tell(&format!("{group}{} {}\n", child.id(), signal.name()))
    }

    fn watch_nothing(&mut self) -> io::Result<()> {
        self.tell("\n")
    }

    fn tell(&mut self, line: &str) -> io::Result<()> {
        match &mut self.shell.stdin {
            Some(pipe) => pipe.write_all(line.as_bytes()),
            None => Ok(()),
        }
    }

    /// Closing the pipe is the order to stop.
    fn stop(&mut self) {
        drop(self.shell.stdin.take());
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.stop();
        let _ended = self.shell.wait();
    }
}

/// Runs a program to its end and gives its standard output.
pub(crate) fn finish(program: &Path, command: &mut Command) -> Result<String, ServerError> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|source| ServerError::Spawn {
            program: program.to_owned(),
            source,
        })?;
    said(program, &output)
}

/// What a program that succeeded wrote to its standard output; of one that failed, what it complained about.
fn said(program: &Path, output: &Output) -> Result<String, ServerError> {
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let mut complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    if complaint.trim().is_empty() {
        complaint = String::from_utf8_lossy(&output.stdout).into_owned();
    }
    Err(ServerError::Failed {
        program: program.to_owned(),
        output: complaint.trim().to_owned(),
    })
}

/// Starts a server, and again when somebody else has taken the chosen port before the server bound it.
pub(crate) fn on_free_port<S>(
    start: impl Fn() -> Result<S, ServerError>,
) -> Result<S, ServerError> {
    let is_taken = |log: &str| log.to_lowercase().contains("address already in use");
    for _ in 1..PORT_ATTEMPTS {
        match start() {
            Err(ServerError::Ended { log }) if is_taken(&log) => {}
            outcome => return outcome,
        }
    }
    start()
}

/// A loopback port nobody listens on right now.
///
/// # Errors
/// The system's reason when no port can be bound.
pub fn free_port() -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

fn id(args: &[&str]) -> Option<u32> {
    let output = Command::new("id").args(args).output().ok()?;
    output.status.success().then_some(())?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launch() -> Launch {
        Launch::prepare("test", &["nobody"]).unwrap()
    }

    fn script(text: &str) -> Vec<OsString> {
        ["-c", text].map(OsString::from).to_vec()
    }

    fn gone(path: &Path) -> bool {
        !path.exists()
    }

    #[test]
    fn dropping_stops_the_process_and_removes_the_folder() {
        let launch = launch();
        let folder = launch.folder().to_owned();
        let running = launch
            .start(
                Path::new("/bin/sh"),
                &script("echo $$ > pid.new && mv pid.new pid; exec sleep 600"),
                StopSignal::Terminate,
                |folder| folder.join("pid").exists(),
            )
            .unwrap();
        let pid = std::fs::read_to_string(folder.join("pid")).unwrap();
        assert!(alive(&pid));
        drop(running);
        assert!(!alive(&pid));
        assert!(gone(&folder));
    }

    #[test]
    fn a_group_ends_with_its_server() {
        let launch = Launch::as_caller("test").unwrap();
        let folder = launch.folder().to_owned();
        let running = launch
            .start(
                Path::new("/bin/sh"),
                &script("sleep 600 & echo $! > pid.new && mv pid.new pid; wait"),
                StopSignal::TerminateGroup,
                |folder| folder.join("pid").exists(),
            )
            .unwrap();
        let pid = std::fs::read_to_string(folder.join("pid")).unwrap();
        assert!(alive(&pid));
        drop(running);
        assert!(!alive(&pid));
        assert!(gone(&folder));
    }

    #[test]
    fn a_server_that_ends_early_is_reported_with_its_log() {
        let launch = launch();
        let folder = launch.folder().to_owned();
        let error = launch
            .start(
                Path::new("/bin/sh"),
                &script("echo 'port is taken' >&2; exit 3"),
                StopSignal::Terminate,
                |_| false,
            )
            .unwrap_err();
        assert_eq!(error.to_string(), "the server did not start: port is taken");
        assert!(gone(&folder));
    }

    #[test]
    fn a_failing_set_up_program_says_what_it_said() {
        let error = launch()
            .run(Path::new("/bin/sh"), &script("echo 'no room' >&2; exit 1"))
            .unwrap_err();
        assert_eq!(error.to_string(), "`/bin/sh` failed: no room");
    }

    #[test]
    fn servers_never_run_as_root() {
        let mut launch = launch();
        launch
            .run(
                Path::new("/bin/sh"),
                &script("[ \"$(id -u)\" != 0 ] && id -u > who"),
            )
            .unwrap();
        assert!(launch.folder().join("who").exists());
    }

    fn alive(pid: &str) -> bool {
        Command::new("kill")
            .args(["-0", pid.trim()])
            .stderr(Stdio::null())
            .status()
            .unwrap()
            .success()
    }
}
