//! Connectors that reach their database through ODBC.

use libtest_mimic::{Failed, Trial};
use serde_json::json;

use crate::connector::{Exported, MANIFEST, checks_with, connect_args, write_credentials};
use crate::needs::{Need, mariadb, trial};
use crate::sandbox::{MARK, Sandbox};

const CAPABILITIES: [&str; 7] = [
    "supports_full_query_language",
    "supports_metadata",
    "supports_custom_sql_monitor",
    "supports_schema",
    "supports_volume_rows",
    "supports_freshness",
    "supports_query_logs",
];

/// What MariaDB has no function for.
const MARIADB_LACKS: [&str; 5] = [
    "ql_metrics/approx_quantiles",
    "ql_metrics/nan",
    "ql_metrics/numeric_median",
    "ql_metrics/percentile",
    "ql_metrics/quantiles",
];

const SHOP: &str = "
CREATE TABLE customers (id INTEGER, name TEXT, joined TIMESTAMP NULL);
CREATE TABLE `Order Items` (id INTEGER, `unit price` DECIMAL(10, 2), `say \"hi\"` TEXT);
CREATE TABLE `dotted.name` (id INTEGER);
CREATE TABLE `données 数据` (id INTEGER);
CREATE VIEW named_customers AS SELECT * FROM customers WHERE name IS NOT NULL;
INSERT INTO customers VALUES (1, 'Ada', NULL), (2, NULL, NOW());
INSERT INTO `Order Items` VALUES (1, 9.99, 'it''s'), (2, NULL, NULL);
";

const POSTGRES_CONNECTOR: &str = r#"version = 1
[driver]
kind = "odbc"
name = "PostgreSQL Unicode"
init = ["SET TIME ZONE 'UTC'"]
[driver.options]
servername = "{{ host }}"
port = "{{ port }}"
database = "{{ database }}"
username = "{{ user }}"
password = "{{ password }}"
[dialect]
extends = "postgres"
[functional]
database = "{{ database }}"
schema = "public"
table = "bowline_functional_check"
"#;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("odbc/mariadb", &[Need::MariaDb], mariadb_is_proven),
        trial("odbc/postgres", &[Need::PostgresOdbc], postgres_is_proven),
        trial(
            "odbc/no_driver",
            &[Need::MariaDb],
            a_missing_driver_is_named,
        ),
    ]
}

fn mariadb_is_proven() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    sandbox
        .bowline(&["new", "shop", "--dialect", "mariadb"])
        .exits(0);
    let password = format!("{MARK};}}{{ 'x");
    let port = mariadb(|server| {
        server.create_database("odbc_shop", "odbc_clerk", &password)?;
        server
            .sql(&format!("USE odbc_shop; {SHOP}"))
            .map(|_| server.port())
    })??;
    write_credentials(
        &sandbox,
        "shop",
        &json!({
            "host": "127.0.0.1",
            "port": port,
            "database": "odbc_shop",
            "user": "odbc_clerk",
            "password": password,
        }),
    );
    proven_but_for(&sandbox, &MARIADB_LACKS)?;
    let left = mariadb(|server| {
        server.sql(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'odbc_shop'",
        )
    })??;
    assert_eq!(left.lines().count(), 5, "{left}");
    Ok(())
}

fn postgres_is_proven() -> Result<(), Failed> {
    let sandbox = Sandbox::with_postgres();
    let database = sandbox.database().expect("a database");
    sandbox.sql(&format!(
        "SET ROLE {}; CREATE TABLE customers (id INTEGER, name TEXT); INSERT INTO customers VALUES (1, 'Ada')",
        database.user
    ));
    sandbox.write("connectors/shop/connector.toml", POSTGRES_CONNECTOR);
    sandbox.write("connectors/shop/manifest.json", MANIFEST);
    write_credentials(&sandbox, "shop", &connect_args(database));
    proven_but_for(&sandbox, &[])
}

/// Tests and exports the connector `shop`; all its checks must be supported but those named.
fn proven_but_for(sandbox: &Sandbox, lacks: &[&str]) -> Result<(), Failed> {
    let tested = sandbox.bowline(&["test", "shop", "--format", "json"]);
    let report = tested.json();
    for verdict in ["wrong", "unknown", "blocked"] {
        let checks = checks_with(&report, verdict);
        assert_eq!(checks, Vec::<String>::new(), "{verdict}\n{report:#}");
    }
    let unsupported = checks_with(&report, "unsupported");
    let is_named = |check: &String| lacks.iter().any(|lack| check.starts_with(lack));
    let others: Vec<&String> = unsupported
        .iter()
        .filter(|check| !is_named(check))
        .collect();
    assert!(others.is_empty(), "{others:?}");
    for lack in lacks {
        assert!(
            unsupported.iter().any(|check| check.starts_with(lack)),
            "{lack}"
        );
    }
    tested.exits(0);
    sandbox.bowline(&["export", "shop"]).exits(0);
    let exported = Exported::read(sandbox, "shop");
    for capability in CAPABILITIES {
        exported.assert_supports(capability);
    }
    sandbox.assert_clean();
    Ok(())
}

fn a_missing_driver_is_named() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    sandbox
        .bowline(&["new", "shop", "--dialect", "mariadb"])
        .exits(0);
    let file = "connectors/shop/connector.toml";
    let text = sandbox
        .read(file)
        .replace("MariaDB Unicode", "Absent MariaDB driver 12");
    sandbox.write(file, &text);
    let ran = sandbox.bowline(&["test", "shop"]);
    assert_ne!(ran.exit, Some(0), "{}", ran.said());
    for words in [
        "ODBC driver is not installed: `Absent MariaDB driver 12`",
        "`odbc-mariadb`",
    ] {
        assert!(ran.stderr.contains(words), "{}", ran.said());
    }
    Ok(())
}
