//! The password appears in no output: every command, every verbosity, every format, every kind of failure.
//!
//! [`Sandbox::finish`](crate::sandbox::Sandbox::finish) looks for the marked password after each command; the
//! tests here lead it to where a password could slip out.

use bowline_contract::exit_code;
use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use crate::connector::{Engine, connect_args, write_credentials};
use crate::needs::{Need, trial};
use crate::sandbox::{MARK, Sandbox};

const COMMANDS: [&[&str]; 9] = [
    &["test"],
    &["test", "--format", "json"],
    &["test", "--format", "junit"],
    &["export"],
    &["credentials", "check"],
    &["query", "SELECT 1 AS one"],
    &["query", "SELECT no_such_column"],
    &["query", "SELECT 1 AS one", "--format", "json"],
    &["render", "get_avg_function", "x=1"],
];

pub(crate) fn trials() -> Vec<Trial> {
    let postgres = &[Need::Postgres];
    vec![
        trial(
            "secrets/postgres_all_is_well",
            postgres,
            postgres_all_is_well,
        ),
        trial(
            "secrets/postgres_wrong_logins",
            postgres,
            postgres_wrong_logins,
        ),
        trial(
            "secrets/postgres_broken_address",
            postgres,
            postgres_broken_address,
        ),
        trial(
            "secrets/password_in_a_statement",
            postgres,
            password_in_a_statement,
        ),
        trial("secrets/duckdb", &[Need::DuckDb], || embedded("duckdb")),
        trial("secrets/sqlite", &[], || embedded("sqlite")),
    ]
}

fn every_way(sandbox: &Sandbox) {
    for verbosity in ["--color=never", "--verbose"] {
        for command in COMMANDS {
            any_end(sandbox, &[&[verbosity], command].concat());
        }
    }
    sandbox.assert_clean();
}

fn any_end(sandbox: &Sandbox, args: &[&str]) {
    let mut command = sandbox.command(args);
    command
        .env("RUST_LOG", "trace")
        .env("RUST_BACKTRACE", "full");
    let ran = sandbox.finish(&mut command, None);
    assert_ne!(ran.exit, Some(exit_code::INTERNAL), "{}", ran.said());
    assert!(!ran.stderr.contains("panicked"), "{}", ran.said());
}

fn postgres_all_is_well() -> Result<(), Failed> {
    every_way(&Engine::Postgres.shop());
    Ok(())
}

fn postgres_wrong_logins() -> Result<(), Failed> {
    let sandbox = Engine::Postgres.shop();
    let right = connect_args(sandbox.database().expect("a database"));
    let wrong: [(&str, Value); 5] = [
        ("user", json!("nobody_here")),
        ("database", json!("nothing_here")),
        ("port", json!(1)),
        ("port", json!("not a port")),
        ("host", json!("no-such-host.invalid")),
    ];
    for (key, value) in wrong {
        let mut login = right.clone();
        login[key] = value;
        write_credentials(&sandbox, "postgres", &login);
        every_way(&sandbox);
    }
    Ok(())
}

/// An address in which the password is not escaped: libpq repeats such an address in its error.
fn postgres_broken_address() -> Result<(), Failed> {
    let sandbox = Engine::Postgres.shop();
    let file = "connectors/postgres/connector.toml";
    let folder = sandbox.read(file);
    for address in [
        "postgresql://{{ user }}:{{ password }}@{{ host }}:{{ port }}/{{ database }}",
        "postgresql://{{ user }}:{{ password }}@[{{ host }}",
        "host={{ host }} password={{ password }}",
        "password={{ password }} =",
    ] {
        let lines: Vec<String> = folder
            .lines()
            .map(|line| match line.strip_prefix("uri = ") {
                Some(_) => format!("uri = {}", Value::from(address)),
                None => line.to_owned(),
            })
            .collect();
        sandbox.write(file, &(lines.join("\n") + "\n"));
        every_way(&sandbox);
    }
    Ok(())
}

/// The database repeats a statement in its error, and the statement holds the password.
fn password_in_a_statement() -> Result<(), Failed> {
    let sandbox = Engine::Postgres.shop();
    let password = sandbox.database().expect("a database").password.clone();
    let quoted = password.replace('\'', "''");
    for statement in [
        format!("SELECT '{quoted}' AS it"),
        format!("SELECT no_such_function('{quoted}')"),
        format!("SELECT CAST('{quoted}' AS integer)"),
    ] {
        for format in ["table", "csv", "json"] {
            any_end(&sandbox, &["query", &statement, "--format", format]);
        }
    }
    Ok(())
}

/// Engines without a login: the password stands in an option that the driver refuses by repeating it.
fn embedded(dialect: &str) -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    sandbox
        .bowline(&["new", dialect, "--dialect", dialect])
        .exits(0);
    let path = sandbox.work().join("shop.db");
    write_credentials(
        &sandbox,
        dialect,
        &json!({ "path": path, "password": format!("{MARK}/\"%41") }),
    );
    let file = format!("connectors/{dialect}/connector.toml");
    let folder = sandbox.read(&file);
    every_way(&sandbox);
    for option in [
        "path = \"{{ path }}/{{ password }}\"",
        "path = \"{{ path }}\"\nno_such_option = \"{{ password }}\"",
    ] {
        let lines: Vec<&str> = folder
            .lines()
            .map(|line| {
                if line.starts_with("path = ") {
                    option
                } else {
                    line
                }
            })
            .collect();
        sandbox.write(&file, &(lines.join("\n") + "\n"));
        every_way(&sandbox);
    }
    Ok(())
}
