//! `cargo xtask test [--all-orchestrators] [FILTER...]`: has what the tests need at hand, then runs `cargo test` over everything.
//!
//! Of the orchestrators, only the cheapest is among it unless `--all-orchestrators` is said.
//!
//! What cannot be had is named at the start and again at the end. Tests that need it do not run then, and with
//! `CI` set the chore fails.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use bowline_servers::{Postgres, Vendor};

use crate::process::{self, Failure, cargo, step, target};
use crate::provide::{
    browser, driver_folder, firebird, image_tools, install_driver, mariadb_and_odbc, oracles,
    orchestrator, package_tools, postgres,
};

/// The drivers the tests load, by their names in the tool's own catalogue.
const DRIVERS: [&str; 3] = ["duckdb", "postgresql", "sqlite"];

/// Asks for the orchestrators that are not cheap, too.
const ALL_ORCHESTRATORS: &str = "--all-orchestrators";

pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    let (flags, filters): (Vec<&String>, Vec<&String>) =
        args.iter().partition(|arg| arg.starts_with('-'));
    if let Some(unknown) = flags.iter().find(|flag| **flag != ALL_ORCHESTRATORS) {
        return Err(format!(
            "unknown option: `{unknown}`\nhint: there is `{ALL_ORCHESTRATORS}`"
        ));
    }
    let (wanted, left_out): (Vec<Vendor>, Vec<Vendor>) = Vendor::ALL
        .into_iter()
        .partition(|vendor| vendor.is_cheap() || !flags.is_empty());
    let Provided {
        missing,
        environment,
        server: _server,
    } = provide_all(wanted)?;

    step("cargo test");
    let outcome = process::run(
        cargo(&["test", "--workspace", "--no-fail-fast", "--"])
            .args(&filters)
            .envs(environment.iter().cloned()),
    );
    let more = match filters.as_slice() {
        [] => simulated_orchestrators()
            .and(mutated_input())
            .and(crate::mutants::sample(&environment))
            .and(crate::package::run(
                &["--unoptimized", "--try"].map(str::to_owned),
            ))
            .and(book_manifests_and_crates())
            .and(crate::platforms::check()),
        _ => Ok(()),
    };
    report(&missing);
    for vendor in left_out {
        eprintln!(
            "left out: the orchestrator `{}`, which `{ALL_ORCHESTRATORS}` starts",
            vendor.name()
        );
    }
    outcome.and(more)
}

/// What the tests need, as far as it is here.
pub(crate) struct Provided {
    /// What is not, and why.
    missing: Vec<String>,
    /// What tells the tests where the rest is.
    pub(crate) environment: Vec<(&'static str, OsString)>,
    /// Stops when it is dropped.
    server: Result<Postgres, Failure>,
}

/// Has what the tests need at hand, and tells what cannot be had.
pub(crate) fn provide_all(orchestrators: Vec<Vendor>) -> Result<Provided, Failure> {
    let mut missing = Vec::new();
    let mut environment = Vec::new();

    step("Python oracles");
    let python = oracles();
    let venv_bin = python
        .as_deref()
        .ok()
        .and_then(Path::parent)
        .map(Path::to_owned);
    match python {
        Ok(python) => environment.push(("BOWLINE_ORACLE_PYTHON", python.into())),
        Err(reason) => missing.push(format!("the Python oracles: {reason}")),
    }

    step("the bowline binary");
    process::run(&mut cargo(&["build", "--workspace", "--bins"]))?;
    let bowline = target()?
        .join("debug")
        .join(format!("bowline{}", std::env::consts::EXE_SUFFIX));
    environment.push(("BOWLINE_BIN", bowline.clone().into()));

    step("ADBC drivers");
    environment.push(("BOWLINE_DRIVER_DIR", driver_folder()?.into()));
    for driver in DRIVERS {
        if let Err(reason) = install_driver(&bowline, driver, venv_bin.as_deref()) {
            missing.push(format!("the ADBC driver `{driver}`: {reason}"));
        }
    }

    step("PostgreSQL");
    let server = postgres();
    match &server {
        Ok(server) => {
            let url = server.cluster().url("postgres");
            environment.push(("BOWLINE_TEST_POSTGRES", url.into()));
        }
        Err(reason) => missing.push(format!("PostgreSQL: {reason}")),
    }

    step("MariaDB and ODBC drivers");
    if let Err(reason) = mariadb_and_odbc() {
        missing.push(format!("MariaDB and ODBC drivers: {reason}"));
    }

    step("Firebird");
    if let Err(reason) = firebird() {
        missing.push(format!("Firebird: {reason}"));
    }

    step("programs for images");
    if let Err(reason) = image_tools() {
        missing.push(format!("programs for images: {reason}"));
    }

    step("a browser");
    if let Err(reason) = browser() {
        missing.push(format!("a browser: {reason}"));
    }

    step("orchestrators");
    for vendor in orchestrators {
        match orchestrator(vendor) {
            Ok(python) => environment.push((vendor.variable(), python.into())),
            Err(reason) => missing.push(format!("the orchestrator `{}`: {reason}", vendor.name())),
        }
    }

    report(&missing);
    if !missing.is_empty() && std::env::var_os("CI").is_some() {
        return Err("with `CI` set every server, driver and oracle must be there".to_owned());
    }
    Ok(Provided {
        missing,
        environment,
        server,
    })
}

/// Ten thousand simulated orchestrators, which unoptimized code would take half an hour to read.
fn simulated_orchestrators() -> Result<(), Failure> {
    step("simulated orchestrators");
    process::run(&mut cargo(&[
        "test",
        "--release",
        "--package",
        "bowline-simulator",
        "--test",
        "simulator",
        "--",
        "seeds",
        "over_http",
        "bad_input",
    ]))
}

/// A moment of fuzzing for each target, the same each time: a change must not fail for what another one did.
/// `cargo xtask fuzz` goes on from other seeds.
fn mutated_input() -> Result<(), Failure> {
    step("mutated input");
    crate::fuzz::run(&["--inputs", "100", "--seed", "1"].map(str::to_owned))
}

/// The book can be built, the manifests for Kubernetes and what other systems of CI read are valid, and no crate came in under a licence or from a place that is not accepted.
fn book_manifests_and_crates() -> Result<(), Failure> {
    step("the book, manifests, and the licences of crates");
    let tools = package_tools()?;
    process::run_quietly(
        Command::new(tools.join("mdbook"))
            .args(["build", "--dest-dir"])
            .arg(target()?.join("book"))
            .current_dir(process::root()),
    )?;
    process::run_quietly(
        Command::new(tools.join("kubernetes-validate"))
            .arg("--strict")
            .arg(process::root().join("examples/deploy/kubernetes.yaml")),
    )?;
    for (schema, file) in [
        ("vendor.github-workflows", ".github/workflows/release.yml"),
        ("vendor.github-actions", "action.yml"),
        ("vendor.gitlab-ci", "packages/gitlab/bowline.yml"),
    ] {
        process::run_quietly(
            Command::new(tools.join("check-jsonschema"))
                .args(["--builtin-schema", schema])
                .arg(process::root().join(file)),
        )?;
    }
    process::run_quietly(
        Command::new(tools.join("cargo-deny"))
            .args(["--offline", "check", "licenses", "bans", "sources"])
            .current_dir(process::root()),
    )
    .map(drop)
}

fn report(missing: &[String]) {
    for what in missing {
        eprintln!("not here, so its tests do not run: {what}");
    }
}
