//! Installing the packages in fresh places, and using what was installed.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::Built;
use crate::process::{Failure, root, run_quietly, step};
use crate::provide::{driver_folder, make_venv};

fn fresh() -> Result<TempDir, Failure> {
    tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))
}

/// Installs the archive with the script, and sees that a damaged one is refused.
pub(super) fn try_archive(built: &Built) -> Result<(), Failure> {
    step("trying the archive");
    let home = fresh()?;
    let install = |releases: &Path| {
        let mut command = Command::new("sh");
        command
            .arg(root().join("install.sh"))
            .env("BOWLINE_RELEASES", format!("file://{}", releases.display()))
            .env("BOWLINE_INSTALL_DIR", home.path().join("bin"));
        run_quietly(&mut command)
    };
    let damaged = fresh()?;
    for name in ["tar.gz", "tar.gz.sha256"] {
        let name = format!("bowline-{}.{name}", built.triple);
        let mut bytes = std::fs::read(built.folder.join(&name))
            .map_err(|error| format!("cannot read `{name}`: {error}"))?;
        if name.ends_with("gz") {
            bytes.push(0);
        }
        std::fs::write(damaged.path().join(&name), bytes)
            .map_err(|error| super::unwritten(damaged.path(), &error))?;
    }
    match install(damaged.path()) {
        Err(refused) if refused.contains("checksum") => {}
        Err(other) => {
            return Err(format!(
                "a damaged archive is not refused by its checksum:\n{other}"
            ));
        }
        Ok(_) => return Err("the script installs an archive that was damaged".to_owned()),
    }
    let program = home.path().join("bin/bowline");
    if program.exists() {
        return Err("the script left something of a damaged archive".to_owned());
    }
    install(&built.folder)?;
    demo(&program)
}

/// Installs the wheel in a new virtual environment.
pub(super) fn try_wheel(wheel: &Path) -> Result<(), Failure> {
    step("trying the wheel");
    let place = fresh()?;
    let venv = place.path().join("venv");
    make_venv(&venv)?;
    run_quietly(
        Command::new(venv.join("bin/python"))
            .args(["-m", "pip", "install", "--quiet", "--no-index"])
            .arg(wheel),
    )?;
    demo(&venv.join("bin/bowline"))
}

/// Installs the npm packages in a new folder.
pub(super) fn try_npm(packages: &[PathBuf]) -> Result<(), Failure> {
    step("trying the npm packages");
    let place = fresh()?;
    // The other platforms' packages are not there to be had.
    run_quietly(
        Command::new("npm")
            .args([
                "install",
                "--silent",
                "--offline",
                "--omit=optional",
                "--no-audit",
                "--prefix",
            ])
            .arg(place.path())
            .args(packages),
    )?;
    demo(&place.path().join("node_modules/.bin/bowline"))
}

/// Runs the demo with what was installed, in a folder of its own.
fn demo(program: &Path) -> Result<(), Failure> {
    let place = fresh()?;
    let said = run_quietly(
        Command::new(program)
            .arg("demo")
            .current_dir(place.path())
            .env("BOWLINE_DRIVER_DIR", driver_folder()?),
    )?;
    let version = run_quietly(Command::new(program).arg("--version"))?;
    if !version.starts_with(&format!("bowline {}", super::VERSION)) {
        return Err(format!("`{}` says it is {version}", program.display()));
    }
    if said.is_empty() {
        return Err(format!("the demo of `{}` shows nothing", program.display()));
    }
    Ok(())
}
