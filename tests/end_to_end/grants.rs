//! The smallest rights of a connector's account, found and proven on real servers.

use std::process::Command;

use bowline_contract::exit_code;
use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use crate::connector::{Engine, connect_args, write_credentials};
use crate::faults::until;
use crate::needs::{Need, mariadb, trial};
use crate::sandbox::{Sandbox, wait};

const ROLES: &str = "SELECT count(*) FROM pg_roles r WHERE rolname LIKE 'bowline\\_grants\\_%' \
    AND shobj_description(r.oid, 'pg_authid') LIKE '%' || current_database()";

pub(crate) fn trials() -> Vec<Trial> {
    let postgres = &[Need::Postgres];
    vec![
        trial("grants/postgres", postgres, proven_on_postgres),
        trial("grants/enough", postgres, the_script_is_enough),
        trial("grants/unproven", postgres, without_a_right_to_make_roles),
        trial("grants/interrupt", postgres, stopped),
        trial("grants/killed", postgres, killed),
        trial("grants/mariadb", &[Need::MariaDb], proven_on_mariadb),
        trial("grants/sqlite", &[], without_accounts),
    ]
}

/// The shop, reached as the superuser.
fn as_superuser() -> Sandbox {
    let sandbox = Engine::Postgres.shop();
    let mut login = connect_args(sandbox.database().expect("a database"));
    login["user"] = json!("postgres");
    login["password"] = json!("");
    write_credentials(&sandbox, "postgres", &login);
    sandbox
}

/// The rights that are needed, each with what is lost without it.
fn needed(document: &Value) -> Vec<(String, String)> {
    let needed = document["needed"].as_array().into_iter().flatten();
    needed
        .map(|needed| {
            let right = needed["right"].as_str().unwrap_or_default();
            (right.to_owned(), needed["lost_without"].to_string())
        })
        .collect()
}

#[track_caller]
fn assert_lost(needed: &[(String, String)], right: &str, lost: &str) {
    let found = needed.iter().find(|(needed, _)| needed == right);
    let found = found.unwrap_or_else(|| panic!("no {right}: {needed:#?}"));
    assert!(found.1.contains(lost), "{found:?}");
}

fn proven_on_postgres() -> Result<(), Failed> {
    let sandbox = as_superuser();
    let database = &sandbox.database().ok_or("no database")?.name;
    sandbox.sql(&format!(
        "CREATE SCHEMA back; CREATE TABLE back.stock (n int); INSERT INTO back.stock VALUES (1); ANALYZE back.stock; \
         REVOKE CONNECT ON DATABASE {database} FROM PUBLIC"
    ));
    let ran = sandbox
        .bowline(&["grants", "--format", "json"])
        .exits(exit_code::OK);
    let document = ran.json();
    assert_eq!(document["proof"], "proven", "{document:#}");
    let needed = needed(&document);
    assert_lost(&needed, "USAGE ON SCHEMA back", "not listed `back.stock`");
    assert_lost(
        &needed,
        "SELECT ON back.stock",
        "no last_update_time `back.stock`",
    );
    assert_lost(&needed, "CREATE ON SCHEMA public", "functional/");
    assert_lost(&needed, "pg_read_all_stats", "no queries in the log");
    assert!(
        needed
            .iter()
            .any(|(right, _)| right.starts_with("CONNECT ON DATABASE")),
        "{needed:#?}"
    );
    // What nobody misses is not asked for: a view has no rows that anybody counts.
    let spare = document["not_needed"].to_string();
    assert!(
        spare.contains("SELECT ON public.named_customers"),
        "{document:#}"
    );
    assert_eq!(sandbox.sql(ROLES).trim(), "0");
    sandbox.assert_clean();
    Ok(())
}

/// Who runs the script has an account with which the suite says what it says to the superuser.
fn the_script_is_enough() -> Result<(), Failed> {
    let sandbox = as_superuser();
    let before = sandbox.bowline(&["test", "--format", "json"]).json();
    let reader = format!("{}_reader", sandbox.database().ok_or("none")?.name);
    let script = sandbox
        .bowline(&["grants", "--to", &reader])
        .exits(exit_code::OK)
        .stdout;
    sandbox.sql(&format!(
        "CREATE ROLE {reader} LOGIN PASSWORD 'reader-password'"
    ));
    sandbox.sql(&script);
    let mut login = connect_args(sandbox.database().ok_or("none")?);
    login["user"] = json!(reader);
    login["password"] = json!("reader-password");
    write_credentials(&sandbox, "postgres", &login);
    let after = sandbox.bowline(&["test", "--format", "json"]).json();
    sandbox.sql(&format!("DROP OWNED BY {reader}; DROP ROLE {reader}"));
    assert_eq!(after["summary"], before["summary"]);
    Ok(())
}

/// An account that may make no other gets the list, and is told that nothing is proven.
fn without_a_right_to_make_roles() -> Result<(), Failed> {
    let sandbox = Engine::Postgres.shop();
    let ran = sandbox.bowline(&["grants"]).exits(exit_code::INCONCLUSIVE);
    assert!(
        ran.stdout
            .contains("GRANT SELECT ON public.customers TO bowline;"),
        "{}",
        ran.said()
    );
    assert!(ran.stderr.contains("not proven"), "{}", ran.said());
    sandbox
        .bowline(&["grants", "--no-proof"])
        .exits(exit_code::OK);
    Ok(())
}

/// Starts a proof, and waits until its role is there.
fn started(sandbox: &Sandbox) -> Result<std::process::Child, Failed> {
    let child = sandbox.command(&["grants"]).spawn()?;
    until(|| sandbox.sql(ROLES));
    Ok(child)
}

fn stopped() -> Result<(), Failed> {
    let sandbox = as_superuser();
    let child = started(&sandbox)?;
    Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()?;
    let ran = wait(child).exits(exit_code::INTERRUPTED);
    assert_eq!(sandbox.sql(ROLES).trim(), "0", "{}", ran.said());
    assert_eq!(
        sandbox
            .sql("SELECT count(*) FROM pg_class WHERE relname ILIKE '%bowline%'")
            .trim(),
        "0"
    );
    Ok(())
}

/// What a killed proof leaves, the next one removes.
fn killed() -> Result<(), Failed> {
    let sandbox = as_superuser();
    let mut child = started(&sandbox)?;
    child.kill()?;
    child.wait()?;
    assert_eq!(sandbox.sql(ROLES).trim(), "1");
    sandbox.bowline(&["grants"]).exits(exit_code::OK);
    assert_eq!(sandbox.sql(ROLES).trim(), "0");
    Ok(())
}

fn proven_on_mariadb() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    sandbox
        .bowline(&["new", "till", "--dialect", "mariadb"])
        .exits(0);
    let database = format!("grants_{}", std::process::id());
    let port = mariadb(|server| {
        server.create_database(&database, &database, "till-password")?;
        server
            .sql(&format!(
                "USE {database}; CREATE TABLE customers (id INTEGER); INSERT INTO customers VALUES (1); \
                 CREATE VIEW named AS SELECT * FROM customers; \
                 GRANT ALL ON *.* TO '{database}'@'%' WITH GRANT OPTION"
            ))
            .map(|_| server.port())
    })??;
    write_credentials(
        &sandbox,
        "till",
        &json!({ "host": "127.0.0.1", "port": port, "database": database, "user": database, "password": "till-password" }),
    );
    let ran = sandbox
        .bowline(&["grants", "--format", "json"])
        .exits(exit_code::OK);
    let document = ran.json();
    assert_eq!(document["proof"], "proven", "{document:#}");
    let needed = needed(&document);
    let right = format!("SELECT ON `{database}`.`customers`");
    assert_lost(
        &needed,
        &right,
        &format!("not listed `{database}.customers`"),
    );
    assert_lost(
        &needed,
        "SELECT ON `mysql`.`slow_log`",
        "metadata/query_logs",
    );
    let left = mariadb(|server| {
        server.sql("SELECT COUNT(*) FROM mysql.user WHERE User LIKE 'bowline\\_grants\\_%'")
    })??;
    assert_eq!(left.trim(), "0");
    Ok(())
}

/// An engine without accounts gives nobody rights.
fn without_accounts() -> Result<(), Failed> {
    let sandbox = Engine::Sqlite.shop();
    let ran = sandbox.bowline(&["grants"]).exits(exit_code::USAGE);
    assert!(ran.stderr.contains("has no accounts"), "{}", ran.said());
    assert_eq!(ran.stdout, "");
    Ok(())
}
