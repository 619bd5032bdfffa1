//! Which program a connector is, and how it is started.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::Process;

/// The program of a connector that runs in a process of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The connector's name; every error names it.
    pub connector: String,
    /// The program and its arguments; never empty.
    pub command: Vec<OsString>,
    /// Where it runs.
    pub directory: PathBuf,
    /// The longest it may take from its start to its answer to `initialize`.
    pub start_timeout: Duration,
    idle: Idle,
}

/// A process of the program that answered what it was started for, and serves whoever starts the program next. It does
/// not tell one program from another.
#[derive(Clone, Default)]
struct Idle(Arc<Mutex<Option<Process>>>);

impl std::fmt::Debug for Idle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Idle")
    }
}

impl PartialEq for Idle {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Idle {}

impl Program {
    /// A program that has 30 seconds to start.
    #[must_use]
    pub fn new(
        connector: impl Into<String>,
        command: impl IntoIterator<Item = impl Into<OsString>>,
        directory: impl Into<PathBuf>,
    ) -> Self {
        Self {
            connector: connector.into(),
            command: command.into_iter().map(Into::into).collect(),
            directory: directory.into(),
            start_timeout: Duration::from_secs(30),
            idle: Idle::default(),
        }
    }

    /// Keeps a process of this program for whoever starts it next: starting one takes a tenth of a second and more.
    pub fn keep(&self, process: Process) {
        let before = self.idle().replace(process);
        drop(before);
    }

    pub(crate) fn take_idle(&self) -> Option<Process> {
        self.idle().take()
    }

    fn idle(&self) -> MutexGuard<'_, Option<Process>> {
        self.idle.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The program's name, for errors.
    pub(crate) fn shown(&self) -> String {
        let name = self.command.first().cloned().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    pub(crate) fn to_command(&self) -> Command {
        let (program, arguments) = match self.command.split_first() {
            Some((program, arguments)) => (program.clone(), arguments),
            None => (OsString::new(), &[][..]),
        };
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(&self.directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

/// A program by its path, or by its name on the search path.
#[must_use]
pub fn find_program(name: &str) -> Option<PathBuf> {
    if name.contains(std::path::MAIN_SEPARATOR) {
        return Some(PathBuf::from(name)).filter(|path| path.is_file());
    }
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join(&file))
        .find(|path| path.is_file())
}
