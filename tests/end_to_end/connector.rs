//! Connectors as tests make them: scaffolded by the binary, with credentials for the sandbox's database.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use bowline_simulator::{Pace, Scenario, Server, Steps, Vendor};
use jiff::Timestamp;
use libtest_mimic::Failed;
use serde_json::{Value, json};

use crate::needs::Need;
use crate::sandbox::{Database, Sandbox};

/// The databases the tests prove connectors against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Postgres,
    DuckDb,
    Sqlite,
}

impl Engine {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Postgres, Self::DuckDb, Self::Sqlite];

    /// What its tests cannot run without.
    pub(crate) fn needs(self) -> &'static [Need] {
        match self {
            Self::Postgres => &[Need::Postgres],
            Self::DuckDb => &[Need::DuckDb],
            Self::Sqlite => &[],
        }
    }

    /// The dialect's name, which tests use as the connector's name too.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::DuckDb => "duckdb",
            Self::Sqlite => "sqlite",
        }
    }

    /// A sandbox with a connector of this engine, over a database with a small shop in it.
    pub(crate) fn shop(self) -> Sandbox {
        match self {
            Self::Postgres => {
                let sandbox = Sandbox::with_postgres();
                fill_postgres(&sandbox);
                scaffold(&sandbox, self);
                let database = sandbox.database().expect("a database");
                write_credentials(&sandbox, self.name(), &connect_args(database));
                sandbox
            }
            Self::DuckDb | Self::Sqlite => {
                let sandbox = Sandbox::new();
                scaffold(&sandbox, self);
                let path = sandbox.work().join("shop.db");
                write_credentials(&sandbox, self.name(), &json!({ "path": path }));
                fs::write(path, self.shop_file()).expect("a database file");
                sandbox
            }
        }
    }
}

impl Engine {
    /// The shop in a database file of an embedded engine, made once for all tests.
    fn shop_file(self) -> &'static [u8] {
        static DUCKDB: OnceLock<Vec<u8>> = OnceLock::new();
        static SQLITE: OnceLock<Vec<u8>> = OnceLock::new();
        let file = if self == Self::DuckDb {
            &DUCKDB
        } else {
            &SQLITE
        };
        file.get_or_init(|| {
            let sandbox = Sandbox::new();
            scaffold(&sandbox, self);
            write_credentials(&sandbox, self.name(), &json!({ "path": "shop.db" }));
            for statement in SHOP.split_terminator(";\n") {
                sandbox.bowline(&["query", statement]).exits(0);
            }
            fs::read(sandbox.work().join("shop.db")).expect("a database file")
        })
    }
}

/// Tables with data, a view, NULLs, and names that need care.
const SHOP: &str = r#"
CREATE TABLE customers (id INTEGER, name VARCHAR, email VARCHAR, joined TIMESTAMP);
CREATE TABLE "Order Items" (id INTEGER, "Unit Price" DECIMAL(10, 2), "say ""hi""" VARCHAR);
CREATE TABLE "dotted.name" (id INTEGER);
CREATE TABLE "données 数据 🪢" (id INTEGER);
CREATE VIEW named_customers AS SELECT * FROM customers WHERE name IS NOT NULL;
INSERT INTO customers VALUES (1, 'Ada', NULL, NULL), (2, NULL, 'x@example.com', NULL);
INSERT INTO "Order Items" VALUES (1, 9.99, 'it''s'), (2, NULL, NULL);
"#;

const SQLITE_CONNECTOR: &str = r#"version = 1
[driver]
kind = "sqlite"
[driver.options]
path = "{{ path }}"
[dialect]
extends = "sqlite"
"#;

/// The manifest of a connector that is written by hand.
pub(crate) const MANIFEST: &str = r#"{
  "connection_type": "custom-connector-0a1b2c3",
  "connection_name": "Shop",
  "asset_class": "warehouse",
  "credentials_schema": {}
}
"#;

fn fill_postgres(sandbox: &Sandbox) {
    let user = &sandbox.database().expect("a database").user;
    sandbox.sql(&format!("SET ROLE {user};{SHOP}ANALYZE customers"));
}

fn scaffold(sandbox: &Sandbox, engine: Engine) {
    sandbox
        .bowline(&["new", engine.name(), "--dialect", engine.name()])
        .exits(0);
}

/// Writes, by hand and always the same, a connector for the SQLite file `shop.db`.
pub(crate) fn write_sqlite(sandbox: &Sandbox, connector: &str) {
    let folder = format!("connectors/{connector}");
    sandbox.write(format!("{folder}/connector.toml"), SQLITE_CONNECTOR);
    sandbox.write(format!("{folder}/manifest.json"), MANIFEST);
    write_credentials(sandbox, connector, &json!({ "path": "shop.db" }));
}

/// Writes the example of a pipeline connector into the workspace.
pub(crate) fn write_example(sandbox: &Sandbox, name: &str) {
    let folder = format!("etl_connectors/{name}");
    let example = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../examples")
        .join(&folder);
    for file in ["connector.toml", "manifest.json"] {
        let text = fs::read_to_string(example.join(file)).expect("a file of the example");
        sandbox.write(format!("{folder}/{file}"), &text);
    }
}

/// The type that the manifest in a folder of the workspace tells.
pub(crate) fn connection_type(sandbox: &Sandbox, folder: &str) -> String {
    let manifest = sandbox.read(format!("{folder}/manifest.json"));
    let manifest: Value = serde_json::from_str(&manifest).expect("a manifest");
    manifest["connection_type"]
        .as_str()
        .expect("a type")
        .to_owned()
}

/// A sandbox with a pipeline connector over an orchestrator that answers as long as the server lives.
pub(crate) fn simulated(name: &str) -> Result<(Sandbox, Server), Failed> {
    let sandbox = Sandbox::new();
    let server = write_simulated(&sandbox, name)?;
    Ok((sandbox, server))
}

/// Writes a pipeline connector over an orchestrator that answers as long as the server lives.
pub(crate) fn write_simulated(sandbox: &Sandbox, name: &str) -> Result<Server, Failed> {
    let scenario = Scenario {
        runs: 60,
        jobs: 5,
        hours: 40,
        steps: Steps::Batch,
        page: 25,
        ..Scenario::calm(4, Timestamp::now())
    };
    let description = bowline_simulator::description(&scenario);
    let server = Server::start(Vendor::new(scenario), 0, Duration::ZERO, Pace::Real)?;
    for (file, text) in [
        ("connector.toml", description),
        ("manifest.json", bowline_simulator::manifest().to_string()),
        (
            "credentials.json",
            bowline_simulator::credentials(&server.url()).to_string(),
        ),
    ] {
        sandbox.write(format!("etl_connectors/{name}/{file}"), &text);
    }
    Ok(server)
}

/// Builds a connector in Rust, and gives its program.
pub(crate) fn build_rust(project: &Path) -> Result<PathBuf, Failed> {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--release", "--offline", "--quiet"])
        .current_dir(project)
        .env("CARGO_TARGET_DIR", project.join("target"))
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
        .env("RUSTFLAGS", "-D warnings")
        .output()?;
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    Ok(project.join("target/release/connector"))
}

/// What a connector's credentials must hold for the sandbox's PostgreSQL database.
pub(crate) fn connect_args(database: &Database) -> Value {
    json!({
        "host": "127.0.0.1",
        "port": database.port,
        "database": database.name,
        "user": database.user,
        "password": database.password,
    })
}

/// Replaces a connector's `credentials.json`.
pub(crate) fn write_credentials(sandbox: &Sandbox, connector: &str, connect_args: &Value) {
    sandbox.write(
        format!("connectors/{connector}/credentials.json"),
        &json!({ "connect_args": connect_args }).to_string(),
    );
}

/// Gives a connector a spelling of its own for a template, which goes by its short name.
pub(crate) fn spell(sandbox: &Sandbox, connector: &str, template: &str, text: &str) {
    sandbox.write(
        format!("connectors/{connector}/templates/{template}.sql.j2"),
        text,
    );
}

/// An exported connector: capabilities and metrics by name, template texts by file name.
pub(crate) struct Exported {
    pub(crate) manifest: Value,
    pub(crate) files: BTreeMap<String, String>,
}

impl Exported {
    pub(crate) fn read(sandbox: &Sandbox, connector: &str) -> Self {
        Self::read_below(sandbox, ".", connector)
    }

    /// As [`Exported::read`], in a workspace below the working folder.
    pub(crate) fn read_below(sandbox: &Sandbox, workspace: &str, connector: &str) -> Self {
        let folder = format!("{workspace}/output/{connector}");
        let files: BTreeMap<String, String> = sandbox
            .files(&folder)
            .into_iter()
            // When and how fast the answers came stands in the evidence alone.
            .filter(|file| !file.starts_with("evidence/"))
            .map(|file| {
                let text = sandbox.read(format!("{folder}/{file}"));
                (file, text)
            })
            .collect();
        let manifest = serde_json::from_str(&files["manifest.json"]).expect("a manifest");
        Self { manifest, files }
    }

    /// Fails unless the capability is true in the manifest.
    #[track_caller]
    pub(crate) fn assert_supports(&self, capability: &str) {
        assert_eq!(
            self.manifest["capabilities"][capability], true,
            "{capability} in {:#}",
            self.manifest
        );
    }
}

/// The checks of a report with this verdict, by name.
pub(crate) fn checks_with(report: &Value, verdict: &str) -> Vec<String> {
    report["checks"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|check| check["verdict"] == verdict)
        .filter_map(|check| check["id"].as_str().map(str::to_owned))
        .collect()
}

/// Lets a declared connector extend another dialect pack.
pub(crate) fn extend(sandbox: &Sandbox, connector: &str, [from, to]: [&str; 2]) {
    let file = format!("connectors/{connector}/connector.toml");
    let extends = |pack: &str| format!("extends = \"{pack}\"");
    let text = sandbox.read(&file);
    assert!(text.contains(&extends(from)), "{text}");
    sandbox.write(&file, &text.replace(&extends(from), &extends(to)));
}
