//! A relative path means one file, wherever a command is given: those of credentials begin in the workspace, those of the
//! command line in the directory that `-C` names.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use bowline_contract::exit_code;
use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use crate::connector::{MANIFEST, write_credentials, write_sqlite};
use crate::needs::{Need, python, trial};
use crate::sandbox::{Ran, Sandbox};

const SQLITE: &str = "kind = \"sqlite\"";
const DUCKDB: &str = "kind = \"adbc\"\nname = \"duckdb\"";
const DUCKDB_OVER_FILES: &str = r#"kind = "adbc"
name = "duckdb"
init = ["CREATE OR REPLACE TEMP VIEW customers AS FROM 'customers.csv'"]"#;
const ADBC_SQLITE: &str = "kind = \"adbc\"\nname = \"sqlite\"";
const POSTGRES: &str = "kind = \"adbc\"\nname = \"postgresql\"";
const POSTGRES_URI: &str =
    "uri = \"postgresql://{{ user }}@{{ host }}:{{ port }}/{{ database }}?passfile={{ file }}\"";
const ODBC: &str = "kind = \"odbc\"\nname = \"PostgreSQL Unicode\"";
const ODBC_OPTIONS: &str = r#"servername = "{{ host }}"
port = "{{ port }}"
database = "{{ database }}"
username = "{{ user }}"
pqopt = "passfile={{ file }}""#;

const SERVE: &str = include_str!("../fixtures/process/serve.py");

/// The file with the password that PostgreSQL's client library reads, in the workspace.
const PASSWORD_FILE: &str = "secret/password";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("directories/sqlite", &[], || {
            embedded(SQLITE, "path", "shop.db")
        }),
        trial("directories/sqlite_uri", &[], || {
            embedded(SQLITE, "path", "file:shop.db?mode=rwc")
        }),
        trial("directories/duckdb", &[Need::DuckDb], || {
            embedded(DUCKDB, "path", "shop.db")
        }),
        trial("directories/duckdb_files", &[Need::DuckDb], duckdb_files),
        trial("directories/adbc_sqlite", &[Need::SqliteAdbc], || {
            embedded(ADBC_SQLITE, "uri", "shop.db")
        }),
        trial("directories/adbc_sqlite_uri", &[Need::SqliteAdbc], || {
            embedded(ADBC_SQLITE, "uri", "file:shop.db?mode=rwc")
        }),
        trial("directories/postgres", &[Need::Postgres], || {
            postgres(POSTGRES, POSTGRES_URI)
        }),
        trial("directories/odbc", &[Need::PostgresOdbc], || {
            postgres(ODBC, ODBC_OPTIONS)
        }),
        trial("directories/process", &[Need::Python], || {
            process("connectors/shop/")
        }),
        trial(
            "directories/process_of_the_workspace",
            &[Need::Python],
            || process(""),
        ),
        trial("directories/python", &[Need::Python], python_connector),
        trial("directories/command_line", &[], command_line),
        trial("directories/errors", &[], errors),
    ]
}

/// What a command says in the workspace, which is what it says below it and from elsewhere with `-C`; nothing is made in
/// that other place.
fn the_same_everywhere(sandbox: &Sandbox, args: &[&str]) -> Ran {
    let elsewhere = sandbox.folder().join("elsewhere");
    fs::create_dir_all(&elsewhere).expect("a folder in the sandbox");
    let run = |directory: &Path, args: &[&str]| {
        let mut command = sandbox.command_with_python(args);
        sandbox.finish(command.current_dir(directory), None)
    };
    let inside = run(&sandbox.work(), args);
    let below = run(&sandbox.work().join("connectors/shop"), args);
    let whole = sandbox.work().display().to_string();
    for directory in ["../work", &whole] {
        let from_elsewhere = run(&elsewhere, &[&["-C", directory], args].concat());
        assert_eq!(from_elsewhere.said(), inside.said());
    }
    assert_eq!(below.exit, inside.exit, "{}", below.said());
    assert_eq!(below.stdout, inside.stdout);
    let left: Vec<_> = fs::read_dir(&elsewhere).expect("a folder").collect();
    assert!(left.is_empty(), "{left:?}");
    inside
}

fn write_connector(sandbox: &Sandbox, driver: &str, options: &str, connect_args: &Value) {
    sandbox.write(
        "connectors/shop/connector.toml",
        &format!("version = 1\n[driver]\n{driver}\n[driver.options]\n{options}\n"),
    );
    sandbox.write("connectors/shop/manifest.json", MANIFEST);
    write_credentials(sandbox, "shop", connect_args);
}

fn names_are_read(sandbox: &Sandbox) {
    let select = "SELECT name FROM customers";
    let read = the_same_everywhere(sandbox, &["query", select, "--format", "json"]);
    assert_eq!(read.exits(exit_code::OK).json(), json!([{"name": "Ada"}]));
}

/// A database in a file, made by the first command that wants it.
fn embedded(driver: &str, option: &str, place: &str) -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    let options = format!("{option} = \"{{{{ place }}}}\"");
    write_connector(&sandbox, driver, &options, &json!({ "place": place }));
    for statement in [
        "CREATE TABLE customers (name VARCHAR)",
        "INSERT INTO customers VALUES ('Ada')",
    ] {
        sandbox.bowline(&["query", statement]).exits(exit_code::OK);
    }
    assert!(sandbox.work().join("shop.db").is_file());
    names_are_read(&sandbox);
    Ok(())
}

/// Files that statements read.
fn duckdb_files() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    write_connector(
        &sandbox,
        DUCKDB_OVER_FILES,
        "path = \":memory:\"",
        &json!({}),
    );
    sandbox.write("customers.csv", "name\nAda\n");
    names_are_read(&sandbox);
    Ok(())
}

/// A database whose password stands in a file that the driver's options name.
fn postgres(driver: &str, options: &str) -> Result<(), Failed> {
    let sandbox = Sandbox::with_postgres();
    let database = sandbox.database().expect("a database");
    sandbox.sql(&format!(
        "SET ROLE {}; CREATE TABLE customers (name TEXT); INSERT INTO customers VALUES ('Ada')",
        database.user
    ));
    let connect_args = json!({
        "host": "127.0.0.1",
        "port": database.port,
        "database": database.name,
        "user": database.user,
        "file": PASSWORD_FILE,
    });
    write_connector(&sandbox, driver, options, &connect_args);
    let password = database.password.replace('\\', "\\\\").replace(':', "\\:");
    sandbox.write(PASSWORD_FILE, &format!("*:*:*:*:{password}\n"));
    let file = sandbox.work().join(PASSWORD_FILE);
    fs::set_permissions(file, Permissions::from_mode(0o600))?;
    names_are_read(&sandbox);
    Ok(())
}

/// A program of one's own runs in the workspace's folder, and is looked for in the connector's folder, then there.
fn process(place: &str) -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    let command = json!([python().expect("a Python"), "serve.py"]);
    sandbox.write(
        "connectors/shop/connector.toml",
        &format!("version = 1\n[driver]\nkind = \"process\"\ncommand = {command}\n"),
    );
    sandbox.write("connectors/shop/manifest.json", MANIFEST);
    sandbox.write(format!("{place}serve.py"), SERVE);
    write_credentials(&sandbox, "shop", &json!({ "path": "shop.db" }));
    the_shop_is_filled(&sandbox);
    names_are_read(&sandbox);
    Ok(())
}

/// A connector in Python runs in the workspace's folder.
fn python_connector() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    let new = ["new", "shop", "--lang", "python", "--dialect", "sqlite"];
    sandbox.bowline_with_python(&new).exits(exit_code::OK);
    write_credentials(&sandbox, "shop", &json!({ "path": "shop.db" }));
    the_shop_is_filled(&sandbox);
    names_are_read(&sandbox);
    Ok(())
}

fn the_shop_is_filled(sandbox: &Sandbox) {
    for statement in [
        "CREATE TABLE customers (name TEXT)",
        "INSERT INTO customers VALUES ('Ada')",
    ] {
        let ran = sandbox.bowline_with_python(&["query", statement]);
        assert_eq!(ran.exit, Some(exit_code::OK), "{}", ran.said());
    }
    assert!(sandbox.work().join("shop.db").is_file());
}

/// What is written where the command line says.
fn command_line() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    write_sqlite(&sandbox, "shop");
    let elsewhere = sandbox.folder().join("elsewhere");
    fs::create_dir(&elsewhere)?;
    let run = |args: &[&str]| {
        let mut command = sandbox.command(&[&["-C", "../work"], args].concat());
        sandbox.finish(command.current_dir(&elsewhere), None)
    };
    let written = run(&["dockerfile", "--output", "container"]).exits(exit_code::OK);
    assert!(
        written.stdout.contains("  container/"),
        "{}",
        written.said()
    );
    assert!(sandbox.work().join("container").is_dir());

    sandbox.write("vendor.json", "{\"openapi\": \"3.1.0\", \"paths\": {}}");
    let words = ["new", "nights", "--pipeline", "--openapi", "vendor.json"];
    let proposed = run(&words).exits(exit_code::USAGE);
    assert!(proposed.stderr.contains("no list"), "{}", proposed.said());

    let words = [
        "protocol",
        "check",
        "--credentials",
        "absent.json",
        "--",
        "true",
    ];
    let checked = run(&words).exits(exit_code::INVALID);
    assert!(
        checked.stderr.contains("`absent.json`"),
        "{}",
        checked.said()
    );

    let shown = run(&["image", "inspect", "oci:absent"]);
    assert_eq!(
        shown.said(),
        sandbox.bowline(&["image", "inspect", "oci:absent"]).said()
    );
    assert_eq!(fs::read_dir(&elsewhere)?.count(), 0);
    Ok(())
}

/// Errors show paths from the directory that `-C` names.
fn errors() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    write_sqlite(&sandbox, "shop");
    sandbox.write("connectors/shop/connector.toml", "version = 2\n");
    let told = the_same_everywhere(&sandbox, &["test", "shop"]).exits(exit_code::INVALID);
    assert!(
        told.stderr.contains(" connectors/shop/connector.toml:"),
        "{}",
        told.said()
    );
    write_sqlite(&sandbox, "shop");
    write_credentials(&sandbox, "shop", &json!({ "path": "absent/shop.db" }));
    let select = ["query", "SELECT 1"];
    let told = the_same_everywhere(&sandbox, &select).exits(exit_code::UNREACHABLE);
    assert!(told.stderr.contains(": absent/shop.db"), "{}", told.said());
    Ok(())
}
