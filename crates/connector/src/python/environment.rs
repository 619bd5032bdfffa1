//! The packages of a Python connector: a virtual environment of its own inside the workspace, made once.

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bowline_contract::{ConnectorName, layout};
use bowline_process::find_program;
use bowline_words::{Diagnose, Diagnostic};

use super::interpreter::{VARIABLE, find_python, how_to_have_python, identity, real};
use super::requirements::{asked_for, whole};

/// The folder of everything for Python, in the workspace's state folder.
pub(super) const FOLDER: &str = "python";

/// The environment variable that says where the packages are; with [`INSTALLED`], in the machine's own Python, as in
/// a container made for them.
const PACKAGES_VARIABLE: &str = "BOWLINE_PYTHON_PACKAGES";
const INSTALLED: &str = "installed";

/// The file that says an environment is complete.
const COMPLETE: &str = "bowline-complete";

/// Pip settings that would install somewhere else.
const ELSEWHERE: [&str; 4] = ["PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER"];

/// How many of an installer's last lines an error shows.
const LAST_LINES: usize = 12;

/// What happens while a connector's packages are installed. Nothing happens when they are there already.
#[derive(Debug, Clone, Copy)]
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
pub enum EnvironmentError {
    /// There is no Python on the machine.
    #[error("cannot run connector `{connector}`: no `python3` was found")]
    NoPython {
        /// The connector.
        connector: ConnectorName,
    },
    /// The virtual environment cannot be made, or a package cannot be installed.
    #[error("cannot install the packages of connector `{connector}`: `{command}` failed\n{}", .last_lines.join("\n"))]
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

impl Diagnose for EnvironmentError {
    fn diagnose(&self) -> Diagnostic {
        let hint = match self {
            Self::NoPython { .. } => Some(how_to_have_python()),
            Self::Failed { hint, .. } => Some(hint.clone()),
            Self::File { .. } => None,
        };
        Diagnostic::of(self).hint(hint)
    }
}

/// Makes the folder for everything Python, and keeps the state folder out of version control.
pub(super) fn make_folder(
    connector: &ConnectorName,
    state: &Path,
    place: &Path,
) -> Result<(), EnvironmentError> {
    let ignore = state.join(layout::IGNORE_FILE);
    std::fs::create_dir_all(place)
        .and_then(|()| {
            if ignore.exists() {
                Ok(())
            } else {
                std::fs::write(&ignore, "*\n")
            }
        })
        .map_err(|source| EnvironmentError::File {
            connector: connector.clone(),
            path: place.to_path_buf(),
            source,
        })
}

/// The Python that has a connector's packages: the machine's own when the connector asks for none or they are said to
/// be there, else that of a virtual environment, which is made when requirements.txt or the machine's Python is not the
/// one it was made for.
pub(super) fn prepare(
    connector: &ConnectorName,
    dir: &Path,
    requirements: &str,
    place: &Path,
    on_event: &mut dyn FnMut(EnvironmentEvent<'_>),
) -> Result<PathBuf, EnvironmentError> {
    match wanted(connector, dir, requirements, place)? {
        Wanted::Python(python) => Ok(python),
        Wanted::Environment(environment) => {
            environment.complete(place, &asked_for(requirements), on_event)
        }
    }
}

/// Whether [`prepare`] would have nothing to make.
pub(super) fn is_prepared(
    connector: &ConnectorName,
    dir: &Path,
    requirements: &str,
    place: &Path,
) -> Result<bool, EnvironmentError> {
    Ok(match wanted(connector, dir, requirements, place)? {
        Wanted::Python(_) => true,
        Wanted::Environment(environment) => environment.is_complete(),
    })
}

/// What has the packages that a connector asks for.
enum Wanted<'a> {
    /// The machine's own Python.
    Python(PathBuf),
    Environment(Environment<'a>),
}

fn wanted<'a>(
    connector: &'a ConnectorName,
    dir: &'a Path,
    requirements: &str,
    place: &Path,
) -> Result<Wanted<'a>, EnvironmentError> {
    let is_installed = std::env::var_os(PACKAGES_VARIABLE).is_some_and(|value| value == INSTALLED);
    if is_installed && let Some(python) = find_python() {
        return Ok(Wanted::Python(python));
    }
    let tools = Tools::find(connector)?;
    if asked_for(requirements).is_empty() {
        return Ok(Wanted::Python(tools.python));
    }
    let key = fingerprint(&(whole(dir, requirements), identity(&tools.python)));
    Ok(Wanted::Environment(Environment {
        connector,
        dir,
        folder: place.join(format!("{connector}-{key:016x}")),
        tools,
    }))
}

/// One virtual environment, made or yet to be made.
struct Environment<'a> {
    connector: &'a ConnectorName,
    /// The connector's folder.
    dir: &'a Path,
    folder: PathBuf,
    tools: Tools,
}

impl Environment<'_> {
    fn is_complete(&self) -> bool {
        self.folder.join(COMPLETE).exists() && python_in(&self.folder).exists()
    }

    /// Its Python, after it was made where it was not there.
    fn complete(
        &self,
        place: &Path,
        asked: &[&str],
        on_event: &mut dyn FnMut(EnvironmentEvent<'_>),
    ) -> Result<PathBuf, EnvironmentError> {
        let python = python_in(&self.folder);
        if self.is_complete() {
            return Ok(python);
        }
        // Another run may be making it; it then is complete when the lock is free.
        let lock_path = place.join(format!("{}.lock", self.connector));
        let lock =
            File::create(&lock_path).map_err(|source| self.file_error(&lock_path, source))?;
        lock.lock()
            .map_err(|source| self.file_error(&lock_path, source))?;
        if self.is_complete() {
            return Ok(python);
        }
        let started = Instant::now();
        if let Err(error) = self.make(&python, asked, on_event) {
            // The error at hand says more than that half an environment could not be removed.
            let _ = remove(&self.folder);
            return Err(error);
        }
        remove_older(self.connector, place, &self.folder);
        on_event(EnvironmentEvent::Ready {
            connector: self.connector,
            elapsed: started.elapsed(),
        });
        Ok(python)
    }

    fn make(
        &self,
        python: &Path,
        asked: &[&str],
        on_event: &mut dyn FnMut(EnvironmentEvent<'_>),
    ) -> Result<(), EnvironmentError> {
        let connector = self.connector;
        on_event(EnvironmentEvent::Creating {
            connector,
            directory: &self.folder,
        });
        remove(&self.folder).map_err(|source| self.file_error(&self.folder, source))?;
        self.create()?;
        on_event(EnvironmentEvent::Installing {
            connector,
            requirements: asked,
        });
        self.install(python)?;
        let complete = self.folder.join(COMPLETE);
        std::fs::write(&complete, asked.join("\n"))
            .map_err(|source| self.file_error(&complete, source))
    }

    fn create(&self) -> Result<(), EnvironmentError> {
        let python = &self.tools.python;
        let (mut command, short) = match &self.tools.uv {
            Some(uv) => {
                let mut command = Command::new(uv);
                command.args(["venv", "--quiet", "--no-project", "--python"]);
                command.arg(python);
                (command, "uv venv")
            }
            None => {
                let mut command = Command::new(python);
                command.args(["-I", "-m", "venv"]);
                (command, "python3 -m venv")
            }
        };
        command.arg(&self.folder);
        self.run(&mut command, short, |said| {
            if said.contains("ensurepip") {
                "install the system package `python3-venv`, or `uv`".to_owned()
            } else {
                format!("`{VARIABLE}` may name another Python")
            }
        })
    }

    fn install(&self, python: &Path) -> Result<(), EnvironmentError> {
        let (mut command, short) = match &self.tools.uv {
            Some(uv) => {
                let mut command = Command::new(uv);
                command.args(["pip", "install", "--quiet", "--python"]);
                command.arg(python);
                (command, "uv pip install -r requirements.txt")
            }
            None => {
                let mut command = Command::new(python);
                command.args(["-I", "-m", "pip", "install", "--quiet", "--no-input"]);
                command.arg("--disable-pip-version-check");
                (command, "pip install -r requirements.txt")
            }
        };
        let requirements = self.dir.join(layout::REQUIREMENTS_FILE);
        command.arg("-r").arg(&requirements).current_dir(self.dir);
        self.run(&mut command, short, |_| {
            format!(
                "mend `{}`, or see that its packages can be reached",
                requirements.display()
            )
        })
    }

    fn run(
        &self,
        command: &mut Command,
        short: &str,
        hint: impl FnOnce(&str) -> String,
    ) -> Result<(), EnvironmentError> {
        for variable in ELSEWHERE {
            command.env_remove(variable);
        }
        let failed = |said: &str, hint: String| {
            let lines: Vec<&str> = said.lines().map(str::trim_end).collect();
            let lines: Vec<&str> = lines.into_iter().filter(|line| !line.is_empty()).collect();
            let last = &lines[lines.len().saturating_sub(LAST_LINES)..];
            EnvironmentError::Failed {
                connector: self.connector.clone(),
                command: short.to_owned(),
                last_lines: last.iter().map(|line| format!("  {line}")).collect(),
                hint,
            }
        };
        let output = command
            .stdin(Stdio::null())
            .output()
            .map_err(|error| failed(&error.to_string(), format!("see that `{short}` works")))?;
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
        let is_full = NO_ROOM.iter().any(|words| said.contains(words));
        let hint = if is_full {
            format!(
                "make room on the disk of `{}`, or for temporary files",
                self.folder.display()
            )
        } else {
            hint(&said)
        };
        Err(failed(&said, hint))
    }

    fn file_error(&self, path: &Path, source: io::Error) -> EnvironmentError {
        EnvironmentError::File {
            connector: self.connector.clone(),
            path: path.to_path_buf(),
            source,
        }
    }
}

/// How package clients say that a disk, or a user's part of it, is full.
const NO_ROOM: [&str; 3] = [
    "No space left on device",
    "Disk quota exceeded",
    "not enough space on the disk",
];

/// What makes environments and installs packages: `uv` where it is there, else Python's own.
struct Tools {
    python: PathBuf,
    uv: Option<PathBuf>,
}

impl Tools {
    fn find(connector: &ConnectorName) -> Result<Self, EnvironmentError> {
        Ok(Self {
            python: find_python().map(|found| real(&found)).ok_or_else(|| {
                EnvironmentError::NoPython {
                    connector: connector.clone(),
                }
            })?,
            uv: find_program("uv"),
        })
    }
}

/// Tells texts and versions apart; the same for every run of one build.
pub(super) fn fingerprint(of: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

fn python_in(folder: &Path) -> PathBuf {
    if cfg!(windows) {
        folder.join("Scripts").join("python.exe")
    } else {
        folder.join("bin").join("python")
    }
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

    /// A Python whose every call is written down; `pip` does what the script says.
    #[cfg(unix)]
    fn play(pip: &str, requirements: &str, root: &Path) -> Result<PathBuf, EnvironmentError> {
        use std::os::unix::fs::PermissionsExt;
        let python = root.join("python3");
        let script = format!(
            "#!/bin/sh\necho \"$3\" >> {log}\ncase $3 in\nvenv) mkdir -p \"$4/bin\" && cp \"$0\" \"$4/bin/python\" ;;\npip) {pip} ;;\nesac\n",
            log = root.join("log").display()
        );
        std::fs::write(&python, script).unwrap();
        std::fs::set_permissions(&python, std::fs::Permissions::from_mode(0o755)).unwrap();
        let connector = ConnectorName::parse("shop").unwrap();
        let environment = Environment {
            connector: &connector,
            dir: root,
            folder: root.join(format!("shop-{:016x}", fingerprint(requirements))),
            tools: Tools { python, uv: None },
        };
        environment.complete(root, &asked_for(requirements), &mut |_| ())
    }

    #[cfg(unix)]
    fn calls(root: &Path) -> String {
        std::fs::read_to_string(root.join("log"))
            .unwrap()
            .replace('\n', " ")
    }

    #[cfg(unix)]
    #[test]
    fn an_environment_is_made_once_for_each_version_of_the_requirements() {
        let root = tempfile::tempdir().unwrap();
        let first = play("true", "a", root.path()).unwrap();
        assert_eq!(play("true", "a", root.path()).unwrap(), first);
        assert_eq!(calls(root.path()), "venv pip ");
        let second = play("true", "a==2", root.path()).unwrap();
        assert_eq!(calls(root.path()), "venv pip venv pip ");
        assert!(
            second.exists() && !first.exists(),
            "the older one is removed"
        );
    }

    #[cfg(unix)]
    #[test]
    fn what_failed_is_told_and_tried_again() {
        let root = tempfile::tempdir().unwrap();
        let pip = "for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do echo line $n; done >&2; exit 1";
        let error = play(pip, "a", root.path()).unwrap_err().to_string();
        assert!(
            !error.contains("line 2\n") && error.contains("  line 3\n"),
            "{error}"
        );
        assert!(
            error.contains("`pip install -r requirements.txt` failed"),
            "{error}"
        );
        let left: Vec<_> = std::fs::read_dir(root.path())
            .unwrap()
            .flatten()
            .filter(|entry| entry.path().is_dir())
            .collect();
        assert!(left.is_empty(), "{left:?}");
        assert!(play("true", "a", root.path()).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn of_a_full_disk_the_hint_says_so() {
        let root = tempfile::tempdir().unwrap();
        let hint = |pip| play(pip, "a", root.path()).unwrap_err().diagnose().hints;
        let full = "echo 'ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device' >&2; exit 1";
        assert!(
            hint(full)[0].starts_with("make room on the disk"),
            "{:?}",
            hint(full)
        );
        assert!(
            hint("exit 1")[0].starts_with("mend "),
            "{:?}",
            hint("exit 1")
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
