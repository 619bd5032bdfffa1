//! New connectors with code of their own: what `bowline new --lang` writes loads, builds and runs as it is.

use std::process::Command;

use bowline_contract::exit_code;
use libtest_mimic::{Failed, Trial};
use serde_json::json;

use crate::connector::{Engine, checks_with, connect_args, report, write_credentials};
use crate::needs::{Need, python, trial};
use crate::sandbox::{Ran, Sandbox};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("languages/python_stubs", &[Need::Python], python_stubs),
        trial("languages/python_sqlite", &[Need::Python], python_sqlite),
        trial(
            "languages/python_postgres",
            &[Need::Postgres, Need::PythonPackages],
            python_postgres,
        ),
        trial("languages/rust", &[], rust),
    ]
}

/// Runs the binary with the tests' own Python.
fn bowline(sandbox: &Sandbox, args: &[&str]) -> Ran {
    let mut command = sandbox.command(args);
    command.env("BOWLINE_PYTHON", python().expect("a Python"));
    sandbox.finish(&mut command, None)
}

fn python_stubs() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    let new = bowline(&sandbox, &["new", "shop", "--lang", "python"]).exits(exit_code::OK);
    assert!(
        new.stderr.contains("write connectors/shop/connector.py"),
        "{}",
        new.said()
    );
    assert_eq!(
        sandbox.files("connectors/shop"),
        [
            "Dockerfile.extra",
            "connector.py",
            "credentials.json",
            "manifest.json",
            "requirements.txt"
        ]
        .map(str::to_owned)
        .into()
    );
    assert!(sandbox.read(".gitignore").contains("credentials.json"));

    let test = bowline(&sandbox, &["test", "shop"]).exits(exit_code::DRIVER);
    assert!(
        test.stderr.contains(
            "NotImplementedError: create_connection in connector.py does not reach a database yet"
        ),
        "{}",
        test.said()
    );

    // With a connection and nothing else, every template is not supported, and none of it is wrong.
    let code = sandbox.read("connectors/shop/connector.py").replace(
        "raise NotImplementedError(\"create_connection in connector.py does not reach a database yet\")",
        "import sqlite3\n\n        return sqlite3.connect(\":memory:\", isolation_level=None)",
    );
    sandbox.write("connectors/shop/connector.py", &code);
    let report = report(&bowline(&sandbox, &["test", "shop", "--format", "json"]));
    assert_eq!(checks_with(&report, "wrong"), Vec::<String>::new());
    assert!(checks_with(&report, "unsupported").len() > 60, "{report:#}");
    let mut supported = checks_with(&report, "supported");
    supported.retain(|check| !check.starts_with("connection/"));
    assert_eq!(
        supported,
        ["custom_monitors/select_one"],
        "it needs no template"
    );
    Ok(())
}

fn python_sqlite() -> Result<(), Failed> {
    let sandbox = Engine::Sqlite.shop();
    sandbox.bowline(&["export", "sqlite"]);
    bowline(
        &sandbox,
        &["new", "own", "--lang", "python", "--dialect", "sqlite"],
    )
    .exits(exit_code::OK);
    let path = sandbox.work().join("shop.db");
    write_credentials(&sandbox, "own", &json!({ "path": path }));
    let ran = bowline(
        &sandbox,
        &["test", "own", "-m", "connection", "--format", "json"],
    )
    .exits(exit_code::OK);
    assert!(!checks_with(&report(&ran), "supported").is_empty());
    // What is supported depends on the SQLite that Python brings; what the templates say does not.
    bowline(&sandbox, &["export", "own"]);
    let shared = same_templates(&sandbox, "sqlite", "own");
    assert!(shared > 60, "{shared}");
    Ok(())
}

fn python_postgres() -> Result<(), Failed> {
    let sandbox = Engine::Postgres.shop();
    sandbox
        .bowline(&["export", "postgres"])
        .exits(exit_code::OK);
    bowline(
        &sandbox,
        &["new", "own", "--lang", "python", "--dialect", "postgres"],
    )
    .exits(exit_code::OK);
    let database = sandbox.database().expect("a database");
    write_credentials(&sandbox, "own", &connect_args(database));
    bowline(&sandbox, &["export", "own"]).exits(exit_code::OK);
    let folder = |name| sandbox.files(format!("output/{name}/templates"));
    assert_eq!(folder("own"), folder("postgres"));
    same_templates(&sandbox, "postgres", "own");
    Ok(())
}

/// Compares the templates that both connectors exported; how many there are.
fn same_templates(sandbox: &Sandbox, one: &str, other: &str) -> usize {
    let folder = |name| format!("output/{name}/templates");
    let there = sandbox.files(folder(other));
    let shared: Vec<String> = sandbox
        .files(folder(one))
        .into_iter()
        .filter(|file| there.contains(file))
        .collect();
    for file in &shared {
        let text = |name| sandbox.read(format!("{}/{file}", folder(name)));
        assert_eq!(text(one), text(other), "{file}");
    }
    shared.len()
}

fn rust() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    sandbox
        .bowline(&["new", "shop", "--lang", "rust", "--dialect", "sqlite"])
        .exits(exit_code::OK);
    let project = sandbox.work().join("connectors/shop");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--release", "--offline", "--quiet"])
        .current_dir(&project)
        .env("CARGO_TARGET_DIR", project.join("target"))
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
        .env("RUSTFLAGS", "-D warnings")
        .output()?;
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    let program = project.join("target/release/connector");
    let checked = sandbox
        .bowline(&["protocol", "check", "--", &program.to_string_lossy()])
        .exits(exit_code::OK);
    assert!(
        checked.stdout.contains("13 passed, 0 failed"),
        "{}",
        checked.said()
    );
    let test = sandbox.bowline(&["test", "shop"]).exits(exit_code::DRIVER);
    assert!(
        test.stderr
            .contains("`connect` in src/main.rs does not reach a database yet"),
        "{}",
        test.said()
    );
    Ok(())
}
