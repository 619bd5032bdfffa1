//! Installing the packages in fresh places, and using what was installed.

use std::path::{Path, PathBuf};
use std::process::Command;

use bowline_servers::Docker;
use tempfile::TempDir;

use super::{Built, third_party};
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
    let metadata = format!("bowline-{}.dist-info/licenses", super::VERSION);
    let installed = run_quietly(Command::new(venv.join("bin/python")).args([
        "-c",
        "import sysconfig; print(sysconfig.get_path('purelib'))",
    ]))?;
    has_licences(&Path::new(installed.trim()).join(metadata))?;
    demo(&venv.join("bin/bowline"))
}

/// Packs the container image on a base that holds only the C library of this machine, and runs it with a Docker engine.
pub(super) fn try_image(built: &Built) -> Result<(), Failure> {
    let place = fresh()?;
    let base = place.path().join("base");
    umoci(&["init", "--layout"], &base, &[])?;
    let tagged = place.path().join("base:latest");
    umoci(&["new", "--image"], &tagged, &[])?;
    let files = place.path().join("files");
    let said = run_quietly(Command::new("ldd").arg(&built.binary))?;
    let libraries = said
        .split_whitespace()
        .filter(|word| word.starts_with('/'))
        .map(Path::new);
    for library in libraries {
        let copy = files.join(library.strip_prefix("/").unwrap_or(library));
        let folder = copy.parent().unwrap_or(&files);
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::copy(library, &copy))
            .map_err(|error| super::unwritten(&copy, &error))?;
    }
    std::fs::create_dir(files.join("tmp")).map_err(|error| super::unwritten(&files, &error))?;
    umoci(&["insert", "--image"], &tagged, &[&files, Path::new("/")])?;
    let archive = super::image::write(built, &base.to_string_lossy())?;

    step("trying the container image");
    let docker = Docker::start().map_err(|error| error.to_string())?;
    let docker = |arguments: &[&str]| docker.docker(arguments).map_err(|error| error.to_string());
    let image = format!("bowline:{}", super::VERSION);
    // Engines of before 25 load no OCI archive.
    let loadable = place.path().join("docker.tar");
    run_quietly(
        Command::new("skopeo")
            .args(["copy", "--quiet"])
            .arg(format!("oci-archive:{}", archive.display()))
            .arg(format!("docker-archive:{}:{image}", loadable.display())),
    )?;
    docker(&["load", "--quiet", "--input", &loadable.to_string_lossy()])?;
    let version = docker(&["run", "--rm", "--network", "host", &image, "--version"])?;
    if !version.contains(super::VERSION) {
        return Err(format!(
            "the container image says it is `{}`",
            version.trim()
        ));
    }
    docker(&["run", "--rm", "--network", "host", &image, "demo"]).map(drop)
}

fn umoci(arguments: &[&str], image: &Path, more: &[&Path]) -> Result<(), Failure> {
    run_quietly(Command::new("umoci").args(arguments).arg(image).args(more)).map(drop)
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
    let modules = place.path().join("node_modules");
    let carriers = std::fs::read_dir(&modules)
        .map_err(|error| format!("cannot read `{}`: {error}", modules.display()))?;
    for carrier in carriers.flatten().map(|entry| entry.path()) {
        let name = carrier.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("bowline-") {
            has_licences(&carrier)?;
        }
    }
    demo(&modules.join(".bin/bowline"))
}

/// Sees that our licence and those of others were installed with a package.
fn has_licences(folder: &Path) -> Result<(), Failure> {
    for name in ["LICENSE", third_party::PAGE] {
        let path = folder.join(name);
        if !path.is_file() {
            return Err(format!(
                "a package installs no licence: `{}`",
                path.display()
            ));
        }
    }
    Ok(())
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
