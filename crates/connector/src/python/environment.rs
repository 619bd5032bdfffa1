//! The packages of a Python connector: a virtual environment of its own inside the workspace, made once.

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bowline_contract::{ConnectorName, layout};

use crate::folder::shown;

/// The folder of everything for Python, in the workspace's state folder.
pub(super) const FOLDER: &str = "python";

/// The environment variable that names the Python to use.
const VARIABLE: &str = "BOWLINE_PYTHON";

/// The file that says an environment is complete.
const COMPLETE: &str = "bowline-complete";

/// Pip settings that would install somewhere else.
const ELSEWHERE: [&str; 4] = ["PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER"];

/// How many of an installer's last lines an error shows.
const LAST_LINES: usize = 12;

/// What happens while a connector's packages are installed. Nothing happens when they are there already.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum EnvironmentEvent<'a> {
    /// A virtual environment is about to be made.
    Creating {
        /// The connector.
        connector: &'a ConnectorName,
        /// Where.
        directory: &'a Path,
    },
    /// The packages are about to be installed in it.
    Installing {
        /// The connector.
        connector: &'a ConnectorName,
        /// The lines of requirements.txt that ask for something.
        requirements: &'a [&'a str],
    },
    /// It is complete.
    Ready {
        /// The connector.
        connector: &'a ConnectorName,
        /// How long it all took.
        elapsed: Duration,
    },
}

/// Why a Python connector cannot be given what it needs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnvironmentError {
    /// There is no Python on the machine.
    #[error(
        "cannot run connector `{connector}`: no `python3` was found\nhint: install Python 3.8 or later, or name it in `{VARIABLE}`"
    )]
    NoPython {
        /// The connector.
        connector: ConnectorName,
    },
    /// The virtual environment cannot be made, or a package cannot be installed.
    #[error("cannot install the packages of connector `{connector}`: `{command}` failed\n{}\nhint: {hint}", .last_lines.join("\n"))]
    Failed {
        /// The connector.
        connector: ConnectorName,
        /// What was run, in short.
        command: String,
        /// The last lines it wrote.
        last_lines: Vec<String>,
        /// What to do about it.
        hint: String,
    },
    /// A file cannot be read or written.
    #[error("cannot prepare connector `{connector}`: `{}`: {source}", .path.display())]
    File {
        /// The connector.
        connector: ConnectorName,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Makes the folder for everything Python, and keeps the state folder out of version control.
pub(super) fn make_folder(
    connector: &ConnectorName,
    state: &Path,
    place: &Path,
) -> Result<(), EnvironmentError> {
    let ignore = state.join(layout::IGNORE_FILE);
    std::fs::create_dir_all(place)
        .and_then(|()| match ignore.exists() {
            true => Ok(()),
            false => std::fs::write(&ignore, "*\n"),
        })
        .map_err(|source| EnvironmentError::File {
            connector: connector.clone(),
            path: place.to_path_buf(),
            source,
        })
}

/// The Python that has a connector's packages: the machine's own when it asks for none, else that of a virtual
/// environment, which is made when requirements.txt or the machine's Python is not the one it was made for.
pub(super) fn prepare(
    connector: &ConnectorName,
    dir: &Path,
    requirements: &str,
    place: &Path,
    on_event: &mut dyn FnMut(EnvironmentEvent<'_>),
) -> Result<PathBuf, EnvironmentError> {
    let interpreter = find_python().ok_or_else(|| EnvironmentError::NoPython {
        connector: connector.clone(),
    })?;
    let asked = asked_for(requirements);
    if asked.is_empty() {
        return Ok(interpreter);
    }
    let key = fingerprint(&(requirements, identity(&interpreter)));
    let folder = place.join(format!("{connector}-{key:016x}"));
    let python = python_in(&folder);
    let is_complete = || folder.join(COMPLETE).exists() && python.exists();
    if is_complete() {
        return Ok(python);
    }
    let failed_at = |path: &Path| {
        let path = path.to_path_buf();
        move |source| EnvironmentError::File {
            connector: connector.clone(),
            path,
            source,
        }
    };
    // Another run may be making it; it then is complete when the lock is free.
    let lock_path = place.join(format!("{connector}.lock"));
    let lock = File::create(&lock_path).map_err(failed_at(&lock_path))?;
    lock.lock().map_err(failed_at(&lock_path))?;
    if is_complete() {
        return Ok(python);
    }
    let started = Instant::now();
    on_event(EnvironmentEvent::Creating {
        connector,
        directory: &folder,
    });
    let made = remove(&folder)
        .map_err(failed_at(&folder))
        .and_then(|()| {
            let tool = Tool::find(&interpreter);
            tool.create(connector, &folder)?;
            on_event(EnvironmentEvent::Installing {
                connector,
                requirements: &asked,
            });
            tool.install(connector, dir, &python)
        })
        .and_then(|()| {
            let complete = folder.join(COMPLETE);
            std::fs::write(&complete, requirements).map_err(failed_at(&complete))
        });
    if let Err(error) = made {
        // The error at hand says more than that half an environment could not be removed.
        let _ = remove(&folder);
        return Err(error);
    }
    remove_older(connector, place, &folder);
    on_event(EnvironmentEvent::Ready {
        connector,
        elapsed: started.elapsed(),
    });
    Ok(python)
}

/// The lines of requirements.txt that ask for something.
fn asked_for(requirements: &str) -> Vec<&str> {
    requirements
        .lines()
        .map(|line| line.split(" #").next().unwrap_or(line).trim())
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect()
}

/// Tells texts and versions apart; the same for every run of one build.
pub(super) fn fingerprint(of: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// What changes when another Python is installed in a Python's place.
fn identity(interpreter: &Path) -> (PathBuf, u64, Option<Duration>) {
    let path = interpreter
        .canonicalize()
        .unwrap_or_else(|_| interpreter.to_path_buf());
    let data = path.metadata().ok();
    let changed = data
        .as_ref()
        .and_then(|data| data.modified().ok())
        .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    (path, data.map_or(0, |data| data.len()), changed)
}

fn find_python() -> Option<PathBuf> {
    match std::env::var_os(VARIABLE) {
        Some(named) if !named.is_empty() => find_program(&named.to_string_lossy()),
        _ => find_program("python3").or_else(|| find_program("python")),
    }
}

/// A program by its path, or by its name on the search path.
fn find_program(name: &str) -> Option<PathBuf> {
    if name.contains(std::path::MAIN_SEPARATOR) {
        return Some(PathBuf::from(name)).filter(|path| path.is_file());
    }
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join(&file))
        .find(|path| path.is_file())
}

fn python_in(folder: &Path) -> PathBuf {
    match cfg!(windows) {
        true => folder.join("Scripts").join("python.exe"),
        false => folder.join("bin").join("python"),
    }
}

/// What makes environments and installs packages.
enum Tool<'a> {
    Uv { uv: PathBuf, interpreter: &'a Path },
    Pip { interpreter: &'a Path },
}

impl<'a> Tool<'a> {
    fn find(interpreter: &'a Path) -> Self {
        match find_program("uv") {
            Some(uv) => Self::Uv { uv, interpreter },
            None => Self::Pip { interpreter },
        }
    }

    fn create(&self, connector: &ConnectorName, folder: &Path) -> Result<(), EnvironmentError> {
        let (mut command, short) = match self {
            Self::Uv { uv, interpreter } => {
                let mut command = Command::new(uv);
                command
                    .args(["venv", "--quiet", "--no-project", "--python"])
                    .arg(interpreter);
                (command, "uv venv")
            }
            Self::Pip { interpreter } => {
                let mut command = Command::new(interpreter);
                command.args(["-I", "-m", "venv"]);
                (command, "python3 -m venv")
            }
        };
        command.arg(folder);
        run(connector, &mut command, short, |said| {
            if said.contains("ensurepip") {
                "install the system package `python3-venv`, or `uv`".to_owned()
            } else {
                format!("`{VARIABLE}` may name another Python")
            }
        })
    }

    fn install(
        &self,
        connector: &ConnectorName,
        dir: &Path,
        python: &Path,
    ) -> Result<(), EnvironmentError> {
        let (mut command, short) = match self {
            Self::Uv { uv, .. } => {
                let mut command = Command::new(uv);
                command
                    .args(["pip", "install", "--quiet", "--python"])
                    .arg(python);
                (command, "uv pip install -r requirements.txt")
            }
            Self::Pip { .. } => {
                let mut command = Command::new(python);
                command.args(["-I", "-m", "pip", "install", "--quiet", "--no-input"]);
                command.arg("--disable-pip-version-check");
                (command, "pip install -r requirements.txt")
            }
        };
        command
            .arg("-r")
            .arg(dir.join(layout::REQUIREMENTS_FILE))
            .current_dir(dir);
        run(connector, &mut command, short, |_| {
            let path = shown(&dir.join(layout::REQUIREMENTS_FILE));
            format!(
                "mend `{}`, or see that its packages can be reached",
                path.display()
            )
        })
    }
}

fn run(
    connector: &ConnectorName,
    command: &mut Command,
    short: &str,
    hint: impl FnOnce(&str) -> String,
) -> Result<(), EnvironmentError> {
    for variable in ELSEWHERE {
        command.env_remove(variable);
    }
    let failed = |said: &str, hint: String| {
        let lines: Vec<&str> = said
            .lines()
            .map(str::trim_end)
            .filter(|line| !line.is_empty())
            .collect();
        let last = &lines[lines.len().saturating_sub(LAST_LINES)..];
        EnvironmentError::Failed {
            connector: connector.clone(),
            command: short.to_owned(),
            last_lines: last.iter().map(|line| format!("  {line}")).collect(),
            hint,
        }
    };
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| failed(&error.to_string(), hint_of_start(short)))?;
    if output.status.success() {
        return Ok(());
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    let talk = String::from_utf8_lossy(&output.stdout);
    let said = if errors.trim().is_empty() {
        talk
    } else {
        errors
    };
    Err(failed(&said, hint(&said)))
}

fn hint_of_start(command: &str) -> String {
    format!("see that `{command}` works")
}

/// Removes a folder that may not be there.
fn remove(folder: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Removes the environments made for other versions of a connector's requirements.
fn remove_older(connector: &ConnectorName, place: &Path, current: &Path) {
    let start = format!("{connector}-");
    let entries = std::fs::read_dir(place).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let is_older = path != current
            && name.strip_prefix(&start).is_some_and(|key| {
                key.len() == 16 && key.bytes().all(|byte| byte.is_ascii_hexdigit())
            });
        if is_older {
            // What cannot be removed only takes room.
            let _ = remove(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_ask_for_nothing() {
        assert!(asked_for("\n# psycopg2\n   \n").is_empty());
        assert_eq!(
            asked_for("a==1 # why\n\n-r other.txt\n"),
            ["a==1", "-r other.txt"]
        );
    }

    #[test]
    fn only_older_environments_of_the_same_connector_are_removed() {
        let place = tempfile::tempdir().unwrap();
        let name = |text: &str| ConnectorName::parse(text).unwrap();
        let current = place.path().join(format!("shop-{:016x}", 1));
        let kept = [
            current.clone(),
            place.path().join(format!("shop_two-{:016x}", 2)),
            place.path().join("shop-notes"),
        ];
        let older = place.path().join(format!("shop-{:016x}", 3));
        for folder in kept.iter().chain([&older]) {
            std::fs::create_dir(folder).unwrap();
        }
        remove_older(&name("shop"), place.path(), &current);
        assert!(kept.iter().all(|folder| folder.exists()));
        assert!(!older.exists());
    }
}
