//! Databases as they are: objects without rights, rules of their own, names with every sign, engines that do not count.

use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use crate::connector::{Engine, checks_with, connect_args, spell, write_credentials};
use crate::needs::{Need, mariadb, trial};
use crate::sandbox::{Ran, Sandbox};

pub(crate) fn trials() -> Vec<Trial> {
    let postgres = &[Need::Postgres];
    vec![
        trial("hostile/unreadable_parent", postgres, unreadable_parent),
        trial("hostile/empty_tables", postgres, empty_tables),
        trial("hostile/rule_against_tables", postgres, rule_against_tables),
        trial("hostile/read_only", postgres, read_only),
        trial("hostile/open_transaction", postgres, open_transaction),
        trial("hostile/shadowed_functions", postgres, shadowed_functions),
        trial("hostile/policy_that_fails", postgres, policy_that_fails),
        trial("hostile/nameless", &[], nameless),
        trial(
            "hostile/mariadb",
            &[Need::MariaDb],
            engines_that_do_not_count,
        ),
    ]
}

/// SQLite takes names without a letter, as files with an unnamed first column give them; nobody can ask for those.
fn nameless() -> Result<(), Failed> {
    let sandbox = Engine::Sqlite.shop();
    for sql in [
        "CREATE TABLE nameless (\"\" INTEGER, a INTEGER)",
        "CREATE TABLE \"\" (a INTEGER)",
    ] {
        sandbox.bowline(&["query", "-c", "sqlite", sql]).exits(0);
    }
    let ran = sandbox.bowline(&["test", "sqlite", "-m", "metadata", "--format", "json"]);
    assert_nobody_is_blamed(&ran);
    Ok(())
}

/// A connector over an empty database, as its owner sees it once statements have run in it.
fn over(statements: &str) -> Sandbox {
    let sandbox = Sandbox::with_postgres();
    let database = sandbox.database().expect("a database");
    sandbox.sql(&format!("SET ROLE {}; {statements}", database.user));
    sandbox
        .bowline(&["new", "shop", "--dialect", "postgres"])
        .exits(0);
    write_credentials(&sandbox, "shop", &connect_args(database));
    sandbox
}

/// A template that leaves a transaction open is at fault, and no other; what was made is removed all the same.
fn open_transaction() -> Result<(), Failed> {
    let sandbox = over("CREATE TABLE plain (n int); INSERT INTO plain VALUES (1)");
    let insert = "BEGIN; INSERT INTO \"{{ schema }}\".\"{{ table }}\" (id, name, made_at) VALUES\n\
        {% for number in range(num_rows) %}({{ number }}, 'row', CURRENT_TIMESTAMP){{ ',' if not loop.last }}{% endfor %}";
    spell(&sandbox, "shop", "insert_rows", insert);
    let report = sandbox
        .bowline(&["test", "--format", "json"])
        .exits(1)
        .json();
    let culprits = report["culprits"].as_array().into_iter().flatten();
    let blamed: Vec<&Value> = culprits.map(|culprit| &culprit["template"]).collect();
    assert_eq!(blamed, ["insert_rows"], "{report:#}");
    assert!(
        report.to_string().contains("it leaves a transaction open"),
        "{report:#}"
    );
    let left = "SELECT count(*) FROM pg_class WHERE relname ILIKE '%bowline%'";
    assert_eq!(sandbox.sql(left).trim(), "0");
    Ok(())
}

/// What the catalogue says of every table, by name.
fn listed(sandbox: &Sandbox, database: &str, schema: &str) -> Result<Vec<Value>, Failed> {
    let query = sandbox.bowline(&[
        "render",
        "get_tables_query",
        &format!("database_name={database}"),
        &format!("schemas='{schema}'"),
        "offset=0",
        "limit=1000",
    ]);
    let rows = sandbox.bowline(&["query", &query.exits(0).stdout, "--format", "json"]);
    let rows: Value = serde_json::from_str(&rows.exits(0).stdout)?;
    Ok(rows.as_array().cloned().unwrap_or_default())
}

#[track_caller]
fn row<'r>(rows: &'r [Value], table: &str) -> &'r Value {
    let found = rows.iter().find(|row| row["table_name"] == table);
    found.unwrap_or_else(|| panic!("no {table} in {rows:?}"))
}

#[track_caller]
fn assert_nobody_is_blamed(ran: &Ran) -> Value {
    let report = ran.json();
    for verdict in ["wrong", "blocked"] {
        assert_eq!(
            checks_with(&report, verdict),
            Vec::<String>::new(),
            "{}",
            ran.said()
        );
    }
    report
}

/// A partitioned table whose parts may be read and which itself may not takes no other table down.
fn unreadable_parent() -> Result<(), Failed> {
    let sandbox = over(
        "CREATE TABLE plain (n int); INSERT INTO plain VALUES (1), (2); \
         CREATE TABLE metrics (d date, n int) PARTITION BY RANGE (d); \
         CREATE TABLE metrics_25 PARTITION OF metrics FOR VALUES FROM ('2025-01-01') TO ('2026-01-01'); \
         INSERT INTO metrics VALUES ('2025-02-02', 1)",
    );
    let database = sandbox.database().ok_or("no database")?;
    let reader = format!("{}_reader", database.name);
    sandbox.sql(&format!(
        "CREATE ROLE {reader} LOGIN PASSWORD 'reader-password'; GRANT SELECT ON plain, metrics_25 TO {reader}"
    ));
    let mut login = connect_args(database);
    login["user"] = json!(reader);
    login["password"] = json!("reader-password");
    write_credentials(&sandbox, "shop", &login);
    let rows = listed(&sandbox, &database.name, "public")?;
    sandbox.sql(&format!("DROP OWNED BY {reader}; DROP ROLE {reader}"));
    assert_eq!(row(&rows, "plain")["row_count"], 2);
    assert_eq!(row(&rows, "metrics_25")["row_count"], 1);
    assert_eq!(row(&rows, "metrics")["last_update_time"], Value::Null);
    Ok(())
}

/// Tables without rows have no time of a last change; that the connector tells times is seen on the suite's own.
fn empty_tables() -> Result<(), Failed> {
    let sandbox = over("CREATE TABLE one (n int); CREATE TABLE two (n int)");
    let ran = sandbox.bowline(&["test", "--format", "json"]).exits(0);
    let report = assert_nobody_is_blamed(&ran);
    let check = |id: &str| {
        let checks = report["checks"].as_array().into_iter().flatten();
        checks.into_iter().find(|check| check["id"] == id).cloned()
    };
    let silent = check("metadata/last_update_time").ok_or("no such check")?;
    assert_eq!(silent["verdict"], "supported", "{silent:#}");
    assert!(
        silent["advice"].to_string().contains("may be empty"),
        "{silent:#}"
    );
    // Alone, the section has seen nothing that says so.
    let alone = sandbox
        .bowline(&["test", "-m", "metadata", "--format", "json"])
        .json();
    let unsupported = checks_with(&alone, "unsupported");
    assert!(
        unsupported.contains(&"metadata/last_update_time".to_owned()),
        "{alone:#}"
    );
    Ok(())
}

/// A rule of the database's own forbids tables: that is no template's fault, and nothing is left.
fn rule_against_tables() -> Result<(), Failed> {
    let sandbox = over("CREATE TABLE plain (n int); INSERT INTO plain VALUES (1)");
    sandbox.sql(
        "CREATE FUNCTION forbid() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'ask the data team first'; END $$; \
         CREATE EVENT TRIGGER forbid ON ddl_command_start EXECUTE FUNCTION forbid()",
    );
    let ran = sandbox.bowline(&["test", "--format", "json"]).exits(3);
    let report = assert_nobody_is_blamed(&ran);
    assert!(
        checks_with(&report, "unknown").contains(&"functional/created".to_owned()),
        "{}",
        ran.said()
    );
    assert_eq!(report["left_behind"], json!([]), "{}", ran.said());
    Ok(())
}

/// Where nothing could be made, nothing is said to be left.
fn read_only() -> Result<(), Failed> {
    let sandbox = over("CREATE TABLE plain (n int); INSERT INTO plain VALUES (1)");
    let name = &sandbox.database().ok_or("no database")?.name;
    sandbox.sql(&format!(
        "ALTER DATABASE {name} SET default_transaction_read_only = on"
    ));
    let ran = sandbox.bowline(&["test", "--format", "json"]).exits(3);
    let report = assert_nobody_is_blamed(&ran);
    assert_eq!(report["left_behind"], json!([]), "{}", ran.said());
    Ok(())
}

/// Functions of somebody's own with names of the engine's, which fit the arguments better.
fn shadowed_functions() -> Result<(), Failed> {
    let sandbox = over(
        "CREATE TABLE plain (n int); INSERT INTO plain VALUES (1); \
         CREATE FUNCTION public.format(text, name, name) RETURNS text LANGUAGE sql AS $$ SELECT 'elsewhere' $$; \
         CREATE FUNCTION public.format(text, text) RETURNS text LANGUAGE sql AS $$ SELECT 'elsewhere' $$",
    );
    let name = &sandbox.database().ok_or("no database")?.name;
    let rows = listed(&sandbox, name, "public")?;
    let plain = row(&rows, "plain");
    assert_eq!(plain["row_count"], 1);
    assert_ne!(plain["last_update_time"], Value::Null);
    Ok(())
}

/// A policy that fails for every reader costs its table what is counted, and no other anything.
fn policy_that_fails() -> Result<(), Failed> {
    let sandbox = over(
        "CREATE TABLE plain (n int); INSERT INTO plain VALUES (1); CREATE TABLE guarded (n int); INSERT INTO guarded VALUES (1); \
         CREATE FUNCTION boom() RETURNS bool LANGUAGE sql AS 'SELECT 1 / 0 > 1'; \
         CREATE POLICY boom ON guarded USING (boom()); \
         ALTER TABLE guarded ENABLE ROW LEVEL SECURITY; ALTER TABLE guarded FORCE ROW LEVEL SECURITY",
    );
    let ran = sandbox
        .bowline(&["test", "-m", "metadata", "--format", "json"])
        .exits(0);
    assert_nobody_is_blamed(&ran);
    Ok(())
}

/// Tables of engines that say the same number of all, versioned tables, names with backslashes, and a view whose owner
/// is gone.
fn engines_that_do_not_count() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    sandbox
        .bowline(&["new", "shop", "--dialect", "mariadb"])
        .exits(0);
    let database = format!("hostile_{}", std::process::id());
    let port = mariadb(|server| {
        server.create_database(&database, &database, "hostile-password")?;
        server
            .sql(&format!(
                r"USE {database}; CREATE TABLE plain (n INT); INSERT INTO plain VALUES (1);
                CREATE TABLE sheet (n INT NOT NULL) ENGINE = CSV; INSERT INTO sheet VALUES (1);
                CREATE TABLE versioned (n INT) WITH SYSTEM VERSIONING; INSERT INTO versioned VALUES (1);
                UPDATE versioned SET n = 2; UPDATE versioned SET n = 3;
                CREATE TABLE `it's \ ``{{x}}` (`c\'{{y}}` INT);
                CREATE USER gone@localhost; CREATE DEFINER = gone@localhost VIEW orphaned AS SELECT * FROM plain; DROP USER gone@localhost"
            ))
            .map(|_| server.port())
    })??;
    write_credentials(
        &sandbox,
        "shop",
        &json!({ "host": "127.0.0.1", "port": port, "database": database, "user": database, "password": "hostile-password" }),
    );
    let ran = sandbox.bowline(&["test", "-m", "metadata", "--format", "json"]);
    assert_nobody_is_blamed(&ran);
    let rows = listed(&sandbox, &database, &database)?;
    for table in ["sheet", "versioned"] {
        assert_eq!(row(&rows, table)["row_count"], Value::Null, "{table}");
    }
    assert_eq!(row(&rows, "sheet")["byte_count"], Value::Null);
    Ok(())
}
