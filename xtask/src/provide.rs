//! What tests and benchmarks need at hand: a Python with the oracles, ADBC and ODBC
//! drivers, a PostgreSQL server, MariaDB's and Firebird's programs, the programs for images, orchestrators.

use std::path::{Path, PathBuf};
use std::process::Command;

use bowline_servers::{Firebird, MariaDb, Postgres, Programs, Vendor, find_program};

use crate::process::{Failure, cache, root, run_quietly, step};

/// A Python with the packages of `tests/oracles/requirements.txt`.
pub(crate) fn oracles() -> Result<PathBuf, Failure> {
    python_with("oracles", &root().join("tests/oracles/requirements.txt"))
}

/// A Python with the profiler that benchmarks compare with.
pub(crate) fn profiler() -> Result<PathBuf, Failure> {
    python_with("profiler", &root().join("xtask/src/bench/requirements.txt"))
}

/// A Python with an orchestrator in it.
pub(crate) fn orchestrator(vendor: Vendor) -> Result<PathBuf, Failure> {
    let folder = root().join("tests/orchestrators").join(vendor.name());
    python_with(vendor.name(), &folder.join("requirements.txt"))
}

/// The folder of the programs that build and check packages and the book.
pub(crate) fn package_tools() -> Result<PathBuf, Failure> {
    let python = python_with("packages", &root().join("packages/requirements.txt"))?;
    let folder = python.parent().ok_or("a Python without a folder")?;
    Ok(folder.to_owned())
}

/// A Python with the packages that a file asks for, made once for every version of that file.
fn python_with(name: &str, requirements: &Path) -> Result<PathBuf, Failure> {
    let wanted = std::fs::read_to_string(requirements)
        .map_err(|error| format!("cannot read `{}`: {error}", requirements.display()))?;
    let venv = cache()?.join(format!("{name}-{:016x}", fingerprint(&wanted)));
    let python = venv.join("bin/python");
    let complete = venv.join("complete");
    if complete.exists() {
        return Ok(python);
    }
    make_venv(&venv)?;
    run_quietly(
        Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--requirement"])
            .arg(requirements),
    )?;
    std::fs::write(&complete, "").map_err(|error| format!("cannot finish the venv: {error}"))?;
    Ok(python)
}

/// Makes a new virtual environment.
pub(crate) fn make_venv(venv: &Path) -> Result<(), Failure> {
    let make = || {
        let mut command = Command::new("python3");
        command.args(["-m", "venv", "--clear"]).arg(venv);
        run_quietly(&mut command)
    };
    // Debian keeps what `venv` needs in a package of its own.
    match make() {
        Ok(_) => Ok(()),
        Err(reason) => {
            install_packages(&["python3-venv"])
                .map_err(|install| format!("{reason}\n{install}"))?;
            make().map(drop)
        }
    }
}

/// Where tests and benchmarks keep their ADBC drivers, apart from the user's.
pub(crate) fn driver_folder() -> Result<PathBuf, Failure> {
    Ok(cache()?.join("drivers"))
}

/// The tool's own installer fetches a driver into [`driver_folder`]; a quick no-op when it is there.
pub(crate) fn install_driver(
    bowline: &Path,
    driver: &str,
    venv_bin: Option<&Path>,
) -> Result<(), Failure> {
    // The venv's pip goes first: the machine's own Python may come without one.
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(
        venv_bin
            .map(Path::to_owned)
            .into_iter()
            .chain(std::env::split_paths(&path)),
    )
    .map_err(|error| format!("cannot extend PATH: {error}"))?;
    run_quietly(
        Command::new(bowline)
            .args(["driver", "install", driver])
            .env("PATH", path)
            .env("BOWLINE_DRIVER_DIR", driver_folder()?),
    )
    .map(drop)
}

/// A running PostgreSQL, installed first if need be.
pub(crate) fn postgres() -> Result<Postgres, Failure> {
    if let Err(not_found) = Programs::find() {
        install_packages(&["postgresql"]).map_err(|reason| format!("{not_found}\n{reason}"))?;
    }
    Postgres::start().map_err(|error| error.to_string())
}

/// MariaDB's server and the ODBC drivers, installed if need be. Tests start the server themselves.
pub(crate) fn mariadb_and_odbc() -> Result<(), Failure> {
    const PACKAGES: [&str; 4] = [
        "mariadb-server",
        "odbc-mariadb",
        "odbc-postgresql",
        "unixodbc",
    ];
    let registered = Command::new("odbcinst").args(["-q", "-d"]).output();
    let registered = registered.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let has_drivers = registered.is_ok_and(|names| {
        ["MariaDB Unicode", "PostgreSQL Unicode"]
            .iter()
            .all(|name| names.contains(name))
    });
    if has_drivers && MariaDb::is_installed() {
        return Ok(());
    }
    install_packages(&PACKAGES)
}

/// Firebird's server, installed if need be. Tests start it themselves.
pub(crate) fn firebird() -> Result<(), Failure> {
    if Firebird::is_installed() {
        return Ok(());
    }
    install_packages(&["firebird3.0-server"])
}

/// The programs of others that make, move, unpack, serve and run images, with the Debian packages they are in.
const IMAGE_TOOLS: [(&str, &str); 7] = [
    ("buildah", "buildah"),
    ("busybox", "busybox-static"),
    ("docker-registry", "docker-registry"),
    ("dockerd", "docker.io"),
    ("podman", "podman"),
    ("skopeo", "skopeo"),
    ("umoci", "umoci"),
];

/// The image tools that are not there, installed. Tests start what runs as a server themselves.
pub(crate) fn image_tools() -> Result<(), Failure> {
    let missing: Vec<&str> = IMAGE_TOOLS
        .into_iter()
        .filter(|(program, _)| find_program(program).is_none())
        .map(|(_, package)| package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    install_packages(&missing)
}

/// A browser, for the pages that people get.
pub(crate) fn browser() -> Result<(), Failure> {
    match find_program("chromium") {
        Some(_) => Ok(()),
        None => install_packages(&["chromium"]),
    }
}

/// Installs Debian packages, when root on a machine that has them.
fn install_packages(packages: &[&str]) -> Result<(), Failure> {
    let apt = |args: &[&str]| {
        run_quietly(
            Command::new("apt-get")
                .args(args)
                .env("DEBIAN_FRONTEND", "noninteractive"),
        )
    };
    let names = packages.join(" ");
    if run_quietly(Command::new("id").arg("-u"))?.trim() != "0" {
        return Err(format!(
            "hint: install the package `{names}`, only root can"
        ));
    }
    step(&format!("Debian package {names}"));
    apt(&["update"])?;
    apt(&[&["install", "--yes", "--no-install-recommends"], packages].concat()).map(drop)
}

/// FNV-1a: tells versions of a text apart, the same in every build.
fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::fingerprint;

    #[test]
    fn every_change_of_the_requirements_makes_another_venv() {
        assert_ne!(fingerprint("Jinja2==3.1.6"), fingerprint("Jinja2==3.1.5"));
        assert_eq!(fingerprint(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fingerprint("a"), 0xaf63_dc4c_8601_ec8c);
    }
}
