//! Which program a connector is, and how it is started.

use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};
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
    /// The connector's folder from there, where the program is its own.
    pub(crate) folder: Option<PathBuf>,
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
            folder: None,
            start_timeout: Duration::from_secs(30),
            idle: Idle::default(),
        }
    }

    /// The program that a connector's `command` names. It runs in the workspace; a word that names something in the
    /// connector's folder means that.
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
        let folder = dir.strip_prefix(workspace).unwrap_or(dir);
        Self {
            folder: Some(folder.to_path_buf()),
            ..Self::new(connector, words, workspace)
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

/// The relative path that a word of a connector's `command` is, or has behind the `=` of an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamedPath<'a> {
    is_program: bool,
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
        is_path.then_some(Self {
            is_program,
            before,
            path,
        })
    }

    /// Where it is: in the connector's folder, else in the workspace, out of which no `..` leads.
    #[must_use]
    pub fn find(&self, workspace: &Path, dir: &Path) -> Option<PathBuf> {
        let own = dir.join(self.path);
        let shared = (!self.leads_up()).then(|| workspace.join(self.path));
        let is_there = |place: &PathBuf| {
            if self.is_program {
                place.is_file()
            } else {
                place.exists()
            }
        };
        std::iter::once(own).chain(shared).find(is_there)
    }

    /// Whether a `..` is in it.
    #[must_use]
    pub fn leads_up(&self) -> bool {
        let mut parts = Path::new(self.path).components();
        parts.any(|part| part == Component::ParentDir)
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

    #[cfg(unix)]
    #[test]
    fn a_program_that_ends_at_once_is_said_to_run_in_the_workspace() {
        use bowline_words::{Diagnose, Redactor};
        let workspace = tempfile::tempdir().unwrap();
        let dir = workspace.path().join("connectors/shop");
        let command = ["false".to_owned()];
        let program = Program::of_command("shop", &command, workspace.path(), &dir);
        let error = Process::start(&program, &Redactor::default())
            .err()
            .unwrap();
        assert_eq!(
            error.diagnose().hints,
            ["it runs in the workspace: name files of `connectors/shop` by their paths from there"]
        );
    }

    #[test]
    fn relative_paths_are_looked_for_beside_the_connector_first() {
        let workspace = tempfile::tempdir().unwrap();
        let root = workspace.path();
        let dir = root.join("connectors/shop");
        std::fs::create_dir_all(dir.join("bin")).unwrap();
        std::fs::create_dir_all(root.join("conf")).unwrap();
        for file in ["bin/serve", "serve.py", "serve", "a.toml", "b.toml"] {
            std::fs::write(dir.join(file), "").unwrap();
        }
        // A folder is no program.
        std::fs::create_dir_all(dir.join("conf/run")).unwrap();
        for file in ["bin/serve", "serve.py", "a.toml", "conf/c.toml", "conf/run"] {
            std::fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
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
            own("a.toml"),
            "absent.toml".into(),
        ];
        assert_eq!(first, expected);
        let shared = |file: &str| root.join(file).into_os_string();
        let third = words(&["conf/run", "conf/c.toml", "conf/../a.toml", "bin/../bin/x"]);
        let expected = [
            shared("conf/run"),
            shared("conf/c.toml"),
            own("conf/../a.toml"),
            "bin/../bin/x".into(),
        ];
        assert_eq!(third, expected);
        let mut option = OsString::from("--with=");
        option.push(own("b.toml"));
        let whole = own("serve.py");
        let second = words(&["serve", "--with=b.toml", whole.to_str().unwrap()]);
        assert_eq!(second, ["serve".into(), option, whole]);
    }
}
