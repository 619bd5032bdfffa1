//! A whole image with connectors of every kind, loaded by a program that does what the platform's agent does.

use std::fs;
use std::path::Path;
use std::process::Command;

use bowline_contract::exit_code;
use bowline_servers::ImageStore;
use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use crate::agent_shim::{Unpacked, recorded_prefect};
use crate::connector::Engine;
use crate::images::run;
use crate::needs::{Need, python, trial};
use crate::sandbox::{MARK, Ran, Sandbox};

/// A connector in Python that needs a package, compiled for the image's platform.
const IN_PYTHON: &str = r#"import sqlite3

import markupsafe._speedups


class BaseConnector:
    def create_connection(self):
        return sqlite3.connect(self.credentials["path"], check_same_thread=False)

    def create_cursor(self):
        return self.connection.cursor()

    def execute_query(self, query):
        self.cursor.execute(query)

    def fetch_all_results(self):
        return [tuple(markupsafe.escape(value) for value in row) for row in self.cursor.fetchall()]

    def close_connection(self):
        self.connection.close()
"#;

pub(crate) fn trials() -> Vec<Trial> {
    vec![trial(
        "images_in_agent/every_kind_of_connector",
        &[Need::ImageTools, Need::DuckDb, Need::PythonPackages],
        every_kind_of_connector,
    )]
}

/// The type that the manifest in a connector's folder tells.
fn connection_type(sandbox: &Sandbox, folder: &str) -> String {
    let manifest: Value =
        serde_json::from_str(&sandbox.read(format!("{folder}/manifest.json"))).expect("JSON");
    manifest["connection_type"]
        .as_str()
        .expect("a type")
        .to_owned()
}

/// A connector in Python, as if it had been proven.
fn write_python_connector(sandbox: &Sandbox) {
    sandbox.write("connectors/till/connector.py", IN_PYTHON);
    sandbox.write("connectors/till/requirements.txt", "MarkupSafe==3.0.2\n");
    let capabilities = [
        "supports_custom_sql_monitor",
        "supports_full_query_language",
        "supports_metadata",
        "supports_volume_rows",
        "supports_volume_bytes",
        "supports_freshness",
        "supports_schema",
        "supports_query_logs",
        "supports_lineage",
        "supports_field_lineage",
    ];
    let capabilities: serde_json::Map<String, Value> = capabilities
        .iter()
        .map(|name| ((*name).to_owned(), json!(*name == "supports_metadata")))
        .collect();
    let exported = json!({
        "connection_type": "custom-connector-00000aa",
        "connection_name": "till",
        "setup_version": "0.1.0",
        "capabilities": capabilities,
        "metrics": {},
    });
    sandbox.write("output/till/manifest.json", &exported.to_string());
    sandbox.write(
        "output/till/templates/get_schemas_query_template.j2",
        "SELECT 1",
    );
}

fn bowline(sandbox: &Sandbox, store: &ImageStore, args: &[&str]) -> Ran {
    let mut command = sandbox.command(args);
    let programs = python().and_then(|python| Some(python.parent()?.display().to_string()));
    let path = format!("{}:/usr/bin:/bin", programs.unwrap_or_default());
    command.envs(store.environment()).env("PATH", path);
    sandbox.finish(&mut command, None)
}

fn every_kind_of_connector() -> Result<(), Failed> {
    let sandbox = Engine::DuckDb.shop();
    sandbox.bowline(&["export", "duckdb"]).exits(exit_code::OK);
    write_python_connector(&sandbox);
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/etl_connectors/prefect");
    for file in ["connector.toml", "manifest.json"] {
        let text = fs::read_to_string(example.join(file))?;
        sandbox.write(format!("etl_connectors/prefect/{file}"), &text);
    }
    let store = ImageStore::new()?;
    let own_python = python().ok_or("a Python")?;
    store.python_base(&sandbox.work().join("base"), "1", &own_python)?;
    let build = [
        "build",
        "--base",
        "oci:base:1",
        "--tag",
        "localhost/agent:1",
        "--builder",
        "native",
        "--output",
        "oci:image",
    ];
    bowline(&sandbox, &store, &build).exits(exit_code::OK);

    let bundle = sandbox.folder().join("bundle");
    let image = format!("{}:1", sandbox.work().join("image").display());
    run(Command::new("umoci")
        .args(["unpack", "--image", &image])
        .arg(&bundle));
    let root = bundle.join("rootfs");
    let unpacked = |connection_type: String| Unpacked {
        sandbox: &sandbox,
        opt: root.join("opt"),
        connection_type,
    };

    let shop = unpacked(connection_type(&sandbox, "connectors/duckdb"));
    let names =
        json!({"database_name": "shop", "schemas": "'main'", "tables": "'shop.main.customers'"});
    let path = json!({ "path": sandbox.work().join("shop.db") });
    let outcomes = shop.run(
        &path,
        &json!([["load", null], ["metadata", names], ["close", null]]),
    );
    let metadata = &outcomes[1];
    assert_eq!(metadata["databases"], json!([{"database_name": "shop"}]));
    assert_eq!(
        metadata["tables"].as_array().map(Vec::len),
        Some(5),
        "{metadata}"
    );
    assert_eq!(metadata["columns"][0]["column_name"], "id");

    let lib = root.join("usr/local/lib");
    let packages = fs::read_dir(&lib)?
        .flatten()
        .map(|entry| entry.path().join("site-packages"))
        .find(|packages| packages.join("markupsafe").is_dir())
        .ok_or("the connector's package in the image")?;
    let till = unpacked("custom-connector-00000aa".to_owned());
    let outcomes = till.run_with(
        &[packages],
        &json!({"path": ":memory:"}),
        &json!([["load", null], ["query", "SELECT '<a>' AS a"]]),
    );
    assert_eq!(outcomes[1]["rows"], json!([["&lt;a&gt;"]]), "{outcomes:?}");

    let vendor = recorded_prefect();
    let jobs = unpacked(connection_type(&sandbox, "etl_connectors/prefect"));
    let outcomes = jobs.run(
        &json!({
            "api_url": format!("{}/api", vendor.url()),
            "username": "ann",
            "password": format!("{MARK}-secret"),
        }),
        &json!([["load", null], ["assets", 2], ["close", null]]),
    );
    assert_eq!(
        outcomes[1].as_array().map(Vec::len),
        Some(3),
        "{outcomes:?}"
    );
    Ok(())
}
