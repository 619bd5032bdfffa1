//! Which program a connector is, and how it is started.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
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

    /// The program that a connector's `command` names. It runs in the workspace, where its relative paths begin; a word
    /// that names nothing there and something in the connector's folder means that.
    #[must_use]
    pub fn of_command(
        connector: impl Into<String>,
        command: &[String],
        workspace: &Path,
        dir: &Path,
    ) -> Self {
        let words = command.iter().enumerate().map(|(at, word)| {
            let named = NamedPath::of(word, at == 0);
            let place = named.and_then(|named| Some((named.before, named.find(workspace, dir)?)));
            place.map_or_else(
                || OsString::from(word),
                |(before, place)| {
                    let mut whole = OsString::from(before);
                    whole.push(place);
                    whole
                },
            )
        });
        Self::new(connector, words, workspace)
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

/// The relative path that a word of a connector's `command` is, or has behind the `=` of an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamedPath<'a> {
    before: &'a str,
    /// The path, as it is written.
    pub path: &'a str,
}

impl<'a> NamedPath<'a> {
    /// The path in a word. A program without a slash is one of the search path, and another word with neither a slash nor
    /// an ending is no path.
    #[must_use]
    pub fn of(word: &'a str, is_program: bool) -> Option<Self> {
        let start = match word.find('=') {
            Some(at) if word.starts_with('-') => at + 1,
            _ => 0,
        };
        let (before, path) = word.split_at(start);
        let has_slash = path.contains(['/', std::path::MAIN_SEPARATOR]);
        let has_ending = !is_program && Path::new(path).extension().is_some();
        let is_path = (has_slash || has_ending) && Path::new(path).is_relative();
        is_path.then_some(Self { before, path })
    }

    /// Where it is: in the workspace, else in the connector's folder.
    #[must_use]
    pub fn find(&self, workspace: &Path, dir: &Path) -> Option<PathBuf> {
        let places = [workspace, dir].map(|place| place.join(self.path));
        places.into_iter().find(|place| place.exists())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_begin_in_the_workspace() {
        let workspace = tempfile::tempdir().unwrap();
        let root = workspace.path();
        let dir = root.join("connectors/shop");
        std::fs::create_dir_all(dir.join("bin")).unwrap();
        std::fs::create_dir_all(root.join("conf")).unwrap();
        for file in ["bin/serve", "serve.py", "serve", "a.toml", "b.toml"] {
            std::fs::write(dir.join(file), "").unwrap();
        }
        for file in ["a.toml", "conf/c.toml"] {
            std::fs::write(root.join(file), "").unwrap();
        }
        let words = |words: &[&str]| {
            let command: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
            let program = Program::of_command("shop", &command, root, &dir);
            assert_eq!(program.directory, root);
            program.command
        };
        let own = |file: &str| dir.join(file).into_os_string();
        let first = words(&["./bin/serve", "serve.py", "serve", "a.toml", "absent.toml"]);
        let expected = [
            own("./bin/serve"),
            own("serve.py"),
            "serve".into(),
            root.join("a.toml").into(),
            "absent.toml".into(),
        ];
        assert_eq!(first, expected);
        let mut option = OsString::from("--with=");
        option.push(own("b.toml"));
        let whole = own("serve.py");
        let second = words(&["serve", "--with=b.toml", whole.to_str().unwrap()]);
        assert_eq!(second, ["serve".into(), option, whole]);
    }
}
