//! Connectors that reach their database through ODBC.

use bowline_servers::MariaDb;
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
        trial(
            "odbc/mariadb as set up otherwise",
            &[Need::MariaDb],
            what_the_server_says_of_sessions_is_undone,
        ),
        trial("odbc/postgres", &[Need::PostgresOdbc], postgres_is_proven),
        trial(
            "odbc/no_driver",
            &[Need::MariaDb],
            a_missing_driver_is_named,
        ),
    ]
}

/// What servers are set up to say of every session, where it is not what templates take for granted.
const OTHERWISE: &str = "
SET GLOBAL sql_select_limit = 5, max_join_size = 100, sql_safe_updates = 1, sql_auto_is_null = 1, foreign_key_checks = 0,
    sql_mode = 'ANSI_QUOTES,PAD_CHAR_TO_FULL_LENGTH,NO_BACKSLASH_ESCAPES', old_mode = 'ZERO_DATE_TIME_CAST',
    time_zone = '+05:30', lc_time_names = 'de_DE', default_week_format = 3, div_precision_increment = 0,
    group_concat_max_len = 8, max_sort_length = 64, max_statement_time = 0.5, character_set_server = 'latin1';
";

/// A connector over a new database of a server, as it is.
fn connected(server: &MariaDb, name: &str, password: &str) -> Result<Sandbox, Failed> {
    let sandbox = Sandbox::new();
    sandbox
        .bowline(&["new", "shop", "--dialect", "mariadb"])
        .exits(0);
    let user = format!("{name}_clerk");
    server.create_database(name, &user, password)?;
    server.sql(&format!("USE {name}; {SHOP}"))?;
    write_credentials(
        &sandbox,
        "shop",
        &json!({
            "host": "127.0.0.1",
            "port": server.port(),
            "database": name,
            "user": user,
            "password": password,
        }),
    );
    Ok(sandbox)
}

fn mariadb_is_proven() -> Result<(), Failed> {
    let password = format!("{MARK};}}{{ 'x");
    let sandbox = mariadb(|server| connected(server, "odbc_shop", &password))??;
    proven_but_for(&sandbox, &MARIADB_LACKS)?;
    let left = mariadb(|server| {
        server.sql(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'odbc_shop'",
        )
    })??;
    assert_eq!(left.lines().count(), 5, "{left}");
    Ok(())
}

fn what_the_server_says_of_sessions_is_undone() -> Result<(), Failed> {
    // Its own, as others would not go on as they do.
    let server = MariaDb::start()?;
    let sandbox = connected(&server, "odd_shop", "odd")?;
    server.sql(OTHERWISE)?;
    proven_but_for(&sandbox, &MARIADB_LACKS)
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
