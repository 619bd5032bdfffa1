//! What is on this machine, whatever the connector.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::channel;
use std::time::Instant;

use bowline_connector::{LOWEST_PYTHON, Workspace, find_python, how_to_have_python};
use bowline_image::engine::Engine;
use bowline_installer::{InstallState, catalogue, driver_folder, install_state};
use bowline_process::{find_program, free_space, run_into};
use bowline_words::{Seconds, counted, listed};

use super::{Finding, PATIENCE, State};
use crate::context::Context;

/// Below how many bytes of free space drivers and environments may not find room.
const ROOM: u64 = 1 << 30;

pub(super) fn clients() -> Finding {
    let there: Vec<&str> = ["npm", "pip", "pip3", "uv"]
        .into_iter()
        .filter(|name| find_program(name).is_some())
        .collect();
    if there.is_empty() {
        return Finding::missing(
            "packages",
            "no `npm`, `pip` or `uv`",
            "install one of them to install drivers; `bowline driver install --archive` takes a file",
        );
    }
    Finding::well(
        "packages",
        format!("{} for drivers and wheels", there.join(", ")),
    )
}

pub(super) fn python() -> Finding {
    let Some(python) = find_python() else {
        let none = "none, which only connectors in Python need";
        return Finding::missing("Python", none, how_to_have_python());
    };
    match version(&python) {
        Some(version) => {
            let told = format!("{version} at {}", python.display());
            if is_too_old(&version) {
                let told = format!("{told}, too old for connectors in Python");
                return Finding::missing("Python", told, how_to_have_python());
            }
            Finding::well("Python", told)
        }
        None => Finding::missing(
            "Python",
            format!(
                "{} does not say its version within {}",
                python.display(),
                Seconds(PATIENCE)
            ),
            format!("see what `{} --version` does", python.display()),
        ),
    }
}

/// What a program says its version is; a program that does not answer is ended.
fn version(program: &Path) -> Option<String> {
    let said = tempfile::tempfile().ok()?;
    let mut command = Command::new(program);
    command.arg("--version");
    let ended = run_into(said, &mut command, Some(PATIENCE), &|| false);
    let ended = ended.ok()??;
    if !ended.status.success() {
        return None;
    }
    let lines = || ended.words.lines().map(str::trim);
    let names_itself = |line: &&str| line.starts_with("Py");
    let told = lines().find(names_itself).or_else(|| lines().next())?;
    (!told.is_empty()).then(|| told.to_owned())
}

/// Whether what a Python says of its version is below the lowest that will do.
fn is_too_old(version: &str) -> bool {
    let number = version.trim_start_matches(|letter: char| !letter.is_ascii_digit());
    let mut parts = number.split(|letter: char| !letter.is_ascii_digit());
    let mut part = || parts.next()?.parse::<u32>().ok();
    let (Some(major), Some(minor)) = (part(), part()) else {
        return false;
    };
    (major, minor) < LOWEST_PYTHON
}

pub(super) fn drivers() -> Finding {
    let Some(folder) = driver_folder() else {
        return Finding::missing(
            "drivers",
            "no folder for them",
            "name one with BOWLINE_DRIVER_DIR",
        );
    };
    let mut there = vec!["postgres and sqlite (compiled in)".to_owned()];
    let mut broken = Vec::new();
    for entry in catalogue::catalogue() {
        match install_state(entry, &folder) {
            InstallState::Missing => {}
            InstallState::Current(installed)
            | InstallState::Outdated(installed)
            | InstallState::Foreign(installed) => {
                there.push(format!("{} {}", entry.name, installed.version));
            }
            InstallState::Broken { .. } => broken.push(entry.name),
        }
    }
    if let Some(name) = broken.first() {
        return Finding {
            state: State::Ill,
            mend: Some(format!("run `bowline driver install {name}`")),
            ..Finding::well("drivers", format!("broken: {}", listed(&broken)))
        };
    }
    Finding::well("drivers", there.join(", "))
}

/// Container engines: a daemon that does not answer is not waited for.
pub(super) fn engines() -> Finding {
    let (sender, receiver) = channel();
    for engine in Engine::ALL {
        let sender = sender.clone();
        std::thread::spawn(move || {
            // Nobody listens any more where it took too long.
            let _ = sender.send((engine, engine.is_ready()));
        });
    }
    drop(sender);
    let until = Instant::now() + PATIENCE;
    let mut ready = Vec::new();
    while let Ok((engine, is_ready)) =
        receiver.recv_timeout(until.saturating_duration_since(Instant::now()))
    {
        if is_ready {
            ready.push(engine.name());
        }
    }
    if ready.is_empty() {
        return Finding::missing(
            "engines",
            "no docker, podman or buildah that is ready",
            "images are built without one; only `RUN` in Dockerfile.extra needs it",
        );
    }
    Finding::well("engines", ready.join(", "))
}

/// The driver manager of ODBC, and the drivers that are registered with it.
pub(super) fn odbc() -> Finding {
    match bowline_driver::odbc_drivers() {
        Err(error) => Finding {
            state: State::Missing,
            ..Finding::ill("ODBC", &error)
        },
        Ok(drivers) if drivers.is_empty() => Finding::missing(
            "ODBC",
            "a driver manager, and no driver registered with it",
            "install your database's ODBC driver, if you want to reach it so; `odbcinst -q -d` lists what is registered",
        ),
        Ok(drivers) => Finding::well(
            "ODBC",
            format!(
                "{}: {}",
                counted(drivers.len(), "driver"),
                drivers.join(", ")
            ),
        ),
    }
}

/// The room that is left where drivers and environments go.
pub(super) fn disk(context: &Context) -> Option<Finding> {
    let workspace = Workspace::find(&context.directory).ok();
    let folders = driver_folder()
        .into_iter()
        .chain(workspace.map(|workspace| workspace.state_dir()));
    let mut tightest: Option<(u64, PathBuf)> = None;
    for folder in folders {
        let Some(free) = existing(&folder).and_then(free_space) else {
            continue;
        };
        if tightest.as_ref().is_none_or(|(least, _)| free < *least) {
            tightest = Some((free, folder));
        }
    }
    let (free, folder) = tightest?;
    Some(room(free, &folder))
}

fn room(free: u64, folder: &Path) -> Finding {
    #[expect(clippy::cast_precision_loss, reason = "one digit is shown")]
    let gigabytes = free as f64 / f64::from(1 << 30);
    let told = format!("{gigabytes:.1} GiB free for {}", folder.display());
    if free < ROOM {
        return Finding::missing(
            "disk",
            told,
            "make room: drivers and the environments of connectors in Python take some hundred MiB",
        );
    }
    Finding::well("disk", told)
}

/// Whether what is found out can be kept in the workspace.
pub(super) fn rights(context: &Context) -> Option<Finding> {
    let state = Workspace::find(&context.directory).ok()?.state_dir();
    let folder = existing(&state)?;
    Some(match may_write(folder) {
        Ok(()) => Finding::well(
            "rights",
            format!("reports can be kept in {}", state.display()),
        ),
        Err(error) => Finding {
            state: State::Ill,
            mend: Some(format!("let this user write {}", folder.display())),
            ..Finding::well(
                "rights",
                format!("no report can be kept in {}: {error}", state.display()),
            )
        },
    })
}

/// Tries it with a file that is gone at once.
fn may_write(folder: &Path) -> io::Result<()> {
    tempfile::tempfile_in(folder).map(drop)
}

/// The folder itself, or the nearest above that is there.
fn existing(folder: &Path) -> Option<&Path> {
    folder.ancestors().find(|folder| folder.exists())
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn little_room_is_told_with_a_hint() {
        let folder = Path::new("/drivers");
        assert_eq!(room(ROOM, folder).state, State::Well);
        let tight = room(ROOM - 1, folder);
        assert_eq!(tight.state, State::Missing);
        assert!(tight.mend.is_some());
    }

    #[test]
    fn a_folder_that_cannot_take_a_file_is_told() {
        let folder = tempfile::tempdir().unwrap();
        assert!(may_write(folder.path()).is_ok());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(may_write(&file).is_err());
        assert_eq!(existing(&file.join("a/b")), Some(file.as_path()));
    }

    #[test]
    fn a_python_below_the_lowest_is_too_old() {
        for (version, expected) in [
            ("Python 2.7.18", true),
            ("Python 3.7.17", true),
            ("Python 3.8.0", false),
            ("Python 3.13.0rc1", false),
            ("Python 4.0", false),
            ("mine", false),
        ] {
            assert_eq!(is_too_old(version), expected, "{version}");
        }
    }

    #[test]
    fn a_program_that_hangs_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("python3");
        let said = |script: &str| {
            fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
            version(&program)
        };
        assert_eq!(said("echo Python 3.13.1").as_deref(), Some("Python 3.13.1"));
        assert_eq!(said("sleep 20; echo Python 3.13.1"), None);
        assert_eq!(said("exit 1"), None);
    }
}
