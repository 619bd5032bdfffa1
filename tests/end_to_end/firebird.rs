//! Firebird, which only its Python driver reaches: no SELECT without FROM, no type `TEXT`, texts that are padded.

use libtest_mimic::{Failed, Trial};
use serde_json::json;

use crate::connector::{Exported, checks_with, write_credentials};
use crate::needs::{Need, firebird, trial};
use crate::sandbox::Sandbox;

const CAPABILITIES: [&str; 4] = [
    "supports_metadata",
    "supports_custom_sql_monitor",
    "supports_schema",
    "supports_volume_rows",
];

/// The templates that Firebird 3 has no words for, and the one that waits for query logs.
const LACKS: [&str; 11] = [
    "array_expr",
    "convert_to_utc",
    "get_approx_percentile_func",
    "get_approx_quantiles_func",
    "get_array_length_func",
    "get_isnan_expression",
    "get_query_logs_query",
    "get_regexp_count_expression",
    "get_regexp_expression",
    "nan_expr",
    "to_timezone",
];

const SHOP: &str = "
CREATE TABLE customers (id INTEGER, name VARCHAR(40), joined TIMESTAMP, balance DECIMAL(10, 2));
CREATE TABLE \"Order Items\" (id INTEGER, \"say \"\"hi\"\"\" VARCHAR(10));
CREATE TABLE \"dotted.name\" (id BIGINT, note BLOB SUB_TYPE TEXT);
CREATE TABLE \"données 数据\" (id INTEGER);
CREATE VIEW named_customers AS SELECT id FROM customers WHERE name IS NOT NULL;
COMMIT;
INSERT INTO customers VALUES (1, 'Ada', CURRENT_TIMESTAMP, 9.99);
INSERT INTO customers VALUES (2, NULL, NULL, NULL);";

pub(crate) fn trials() -> Vec<Trial> {
    vec![trial(
        "firebird/proven",
        &[Need::Firebird, Need::PythonPackages],
        proven,
    )]
}

fn proven() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    sandbox
        .bowline_with_python(&["new", "shop", "--dialect", "firebird"])
        .exits(0);
    let (port, path) = firebird(|server| {
        let path = server.create_database("end_to_end")?;
        server.sql(&path, SHOP).map(|_| (server.port(), path))
    })??;
    let (user, password) = firebird(|server| server.login())?;
    write_credentials(
        &sandbox,
        "shop",
        &json!({ "host": "127.0.0.1", "port": port, "database": path, "user": user, "password": password }),
    );
    sandbox
        .bowline_with_python(&["credentials", "check", "shop"])
        .exits(0);

    let tested = sandbox.bowline_with_python(&["test", "shop", "--format", "json"]);
    let report = tested.json();
    for verdict in ["wrong", "unknown", "blocked"] {
        let checks = checks_with(&report, verdict);
        assert_eq!(checks, Vec::<String>::new(), "{verdict}\n{report:#}");
    }
    let mut unsupported: Vec<&str> = report["templates"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|template| template["verdict"] == "unsupported")
        .filter_map(|template| template["name"].as_str())
        .map(|name| name.trim_end_matches("_template"))
        .collect();
    unsupported.sort_unstable();
    assert_eq!(unsupported, LACKS);
    tested.exits(0);

    sandbox.bowline_with_python(&["export", "shop"]).exits(0);
    let exported = Exported::read(&sandbox, "shop");
    for capability in CAPABILITIES {
        exported.assert_supports(capability);
    }
    let left = firebird(|server| {
        server.sql(
            &path,
            "SELECT COUNT(*) AS tables FROM RDB$RELATIONS WHERE RDB$SYSTEM_FLAG = 0;",
        )
    })??;
    assert_eq!(left.split_whitespace().last(), Some("5"), "{left}");
    Ok(())
}
