//! What tests need from outside: the binary, servers, drivers. Found or started once, on first use.
//!
//! `cargo xtask test` provides all of it through environment variables. Without it, PostgreSQL is started
//! here, the binary is built here, and a test whose need cannot be met is shown as ignored, with the reason in
//! its name; with `CI` set it fails.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

pub(crate) use bowline_servers::shared::{firebird, mariadb, postgres};
use bowline_servers::{Docker, Firebird, Registry, find_program, needs_are_demanded};
use libtest_mimic::{Failed, Trial};

/// Something a test cannot run without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// A PostgreSQL server and the ADBC driver for it.
    Postgres,
    /// A PostgreSQL server and the ODBC driver for it.
    PostgresOdbc,
    /// A MariaDB server and the ODBC driver for it.
    MariaDb,
    /// Firebird's programs, with the library that its Python driver loads.
    Firebird,
    /// The DuckDB library.
    DuckDb,
    /// The ADBC driver for SQLite.
    SqliteAdbc,
    /// Programs of others that make, move and unpack images.
    ImageTools,
    /// A Docker engine that tests can start.
    Docker,
    /// A container registry that tests can start.
    Registry,
    /// A browser without a window.
    Browser,
    /// The program that documents call addresses with.
    Curl,
    /// A Python.
    Python,
    /// A Python that can make virtual environments and install packages.
    PythonPackages,
}

impl Need {
    pub(crate) fn parse(word: &str) -> Option<Self> {
        match word {
            "postgres" => Some(Self::Postgres),
            "postgres_odbc" => Some(Self::PostgresOdbc),
            "mariadb" => Some(Self::MariaDb),
            "firebird" => Some(Self::Firebird),
            "duckdb" => Some(Self::DuckDb),
            "python" => Some(Self::Python),
            "python_packages" => Some(Self::PythonPackages),
            _ => None,
        }
    }

    /// Why it cannot be met here.
    fn missing(self) -> Option<String> {
        match self {
            Self::Postgres => match postgres() {
                Ok(_) => driver_missing("postgresql"),
                Err(reason) => Some(reason),
            },
            Self::PostgresOdbc => match postgres() {
                Ok(_) => odbc_driver_missing("PostgreSQL Unicode"),
                Err(reason) => Some(reason),
            },
            Self::MariaDb => {
                odbc_driver_missing("MariaDB Unicode").or_else(|| mariadb(|_| ()).err())
            }
            Self::Firebird => (!Firebird::is_installed()).then(|| {
                "no Firebird server; `cargo xtask test` installs it as root on Debian".to_owned()
            }),
            Self::DuckDb => driver_missing("duckdb"),
            Self::SqliteAdbc => driver_missing("sqlite"),
            Self::ImageTools => image_tool_missing(),
            Self::Docker => (!Docker::is_installed()).then(|| {
                "no `dockerd`, or not root; `cargo xtask test` installs it on Debian".to_owned()
            }),
            Self::Registry => (!Registry::is_installed()).then(|| {
                "no `docker-registry`; `cargo xtask test` installs it as root on Debian".to_owned()
            }),
            Self::Browser => find_program("chromium").is_none().then(|| {
                "no `chromium`; `cargo xtask test` installs it as root on Debian".to_owned()
            }),
            Self::Curl => find_program("curl")
                .is_none()
                .then(|| "no `curl` on the search path".to_owned()),
            Self::Python => python()
                .is_none()
                .then(|| "no `python3` on the search path".to_owned()),
            Self::PythonPackages => oracle_python().is_none().then(|| {
                "`BOWLINE_ORACLE_PYTHON` is not set; `cargo xtask test` sets it".to_owned()
            }),
        }
    }
}

/// The first program that is missing of those that Debian has for images.
fn image_tool_missing() -> Option<String> {
    ["buildah", "busybox", "podman", "skopeo", "umoci"]
        .into_iter()
        .find(|name| find_program(name).is_none())
        .map(|name| format!("no `{name}`; `cargo xtask test` installs it as root on Debian"))
}

fn driver_missing(name: &str) -> Option<String> {
    let folder = drivers();
    (!folder.join(format!("{name}.toml")).exists()).then(|| {
        format!(
            "no ADBC driver `{name}` in the tests' driver folder; `cargo xtask test` installs it"
        )
    })
}

fn odbc_driver_missing(name: &str) -> Option<String> {
    let listed = Command::new("odbcinst").args(["-q", "-d"]).output();
    let listed = listed.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let is_there = listed.is_ok_and(|names| names.contains(&format!("[{name}]")));
    (!is_there).then(|| {
        format!("no ODBC driver `{name}`; `cargo xtask test` installs it as root on Debian")
    })
}

/// A test that runs when its needs are met.
pub(crate) fn trial(
    name: impl Into<String>,
    needs: &[Need],
    body: impl FnOnce() -> Result<(), Failed> + Send + 'static,
) -> Trial {
    let name = name.into();
    let Some(reason) = needs.iter().find_map(|need| need.missing()) else {
        return Trial::test(name, body);
    };
    not_run(&name, reason)
}

/// A test that cannot run here: shown as ignored, with the reason; in CI it fails.
pub(crate) fn not_run(name: &str, reason: String) -> Trial {
    if needs_are_demanded() {
        Trial::test(name, move || Err(reason.into()))
    } else {
        Trial::test(format!("{name} (not run: {reason})"), || Ok(())).with_ignored_flag(true)
    }
}

/// The Python whose packages the oracles are; it can install others.
pub(crate) fn oracle_python() -> Option<PathBuf> {
    std::env::var_os("BOWLINE_ORACLE_PYTHON").map(PathBuf::from)
}

/// The Python that runs connectors.
pub(crate) fn python() -> Option<PathBuf> {
    oracle_python().or_else(|| find_program("python3"))
}

/// The folder with the tests' ADBC drivers.
pub(crate) fn drivers() -> &'static Path {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        if let Some(folder) = std::env::var_os("BOWLINE_DRIVER_DIR") {
            return PathBuf::from(folder);
        }
        let cache = std::env::var_os("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .or_else(|| std::env::home_dir().map(|home| home.join(".cache")));
        cache.unwrap_or_default().join("bowline/drivers")
    });
    &FOLDER
}

/// The binary under test, built now unless `cargo xtask test` did so before.
pub(crate) fn binary() -> &'static Path {
    static BINARY: LazyLock<PathBuf> = LazyLock::new(|| {
        if let Some(binary) = std::env::var_os("BOWLINE_BIN") {
            return PathBuf::from(binary);
        }
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--workspace", "--bins"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status();
        assert!(
            built.is_ok_and(|status| status.success()),
            "cannot build the binary under test"
        );
        // Cargo runs us as `<target>/debug/deps/end_to_end-<hash>`.
        std::env::current_exe()
            .ok()
            .and_then(|own| own.ancestors().nth(2).map(Path::to_owned))
            .unwrap_or_default()
            .join("bowline")
    });
    &BINARY
}
