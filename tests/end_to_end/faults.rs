//! Servers that die, users who may not, runs that are stopped.

use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use bowline_contract::exit_code;
use bowline_servers::Postgres;
use libtest_mimic::{Failed, Trial};
use serde_json::json;

use crate::connector::{Engine, checks_with, connect_args, spell, write_credentials};
use crate::needs::{Need, postgres, trial};
use crate::sandbox::{Ran, many, wait};

/// How long something that must happen soon may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A right average that takes two minutes.
const SLOW_AVERAGE: &str = "(SELECT AVG({x}) FROM pg_sleep(120))";
const FUNCTIONAL_TABLES: &str = "SELECT count(*) FROM pg_class WHERE relname ILIKE '%bowline%'";
const SLEEPERS: &str = "SELECT count(*) FROM pg_stat_activity \
    WHERE datname = current_database() AND state = 'active' AND query LIKE '%pg_sleep(120)%' \
    AND pid <> pg_backend_pid()";

pub(crate) fn trials() -> Vec<Trial> {
    let postgres = &[Need::Postgres];
    vec![
        trial("faults/server_dies", postgres, server_dies),
        trial("faults/read_only_user", postgres, read_only_user),
        trial("faults/limits_are_told", postgres, limits_are_told),
        trial("faults/interrupt", postgres, || stopped("INT")),
        trial("faults/terminate", postgres, || stopped("TERM")),
        trial(
            "faults/stopped_at_any_moment",
            postgres,
            stopped_at_any_moment,
        ),
        trial("faults/huge_result", postgres, huge_result),
        trial("faults/slow_statement", postgres, slow_statement),
    ]
}

/// Asks again and again until the answer is no longer zero.
pub(crate) fn until(mut count: impl FnMut() -> String) {
    let begun = Instant::now();
    while count().trim() == "0" {
        assert!(begun.elapsed() < PATIENCE, "nothing happened");
        thread::sleep(Duration::from_millis(20));
    }
}

#[track_caller]
fn assert_no_panic(ran: &Ran) {
    assert!(!ran.stderr.contains("panicked"), "{}", ran.said());
    assert_ne!(ran.exit, Some(exit_code::INTERNAL), "{}", ran.said());
}

fn server_dies() -> Result<(), Failed> {
    let server = Postgres::start()?;
    let cluster = server.cluster();
    let sandbox = Engine::Postgres.shop();
    write_credentials(
        &sandbox,
        "postgres",
        &json!({ "host": "127.0.0.1", "port": cluster.port(), "database": "postgres", "user": "postgres" }),
    );
    spell(&sandbox, "postgres", "get_avg_function", SLOW_AVERAGE);
    let child = sandbox.command(&["test", "--format", "json"]).spawn()?;
    until(|| cluster.sql("postgres", SLEEPERS).unwrap_or_default());
    drop(server);
    let ran = wait(child);
    assert_no_panic(&ran);
    let report = ran.json();
    assert!(
        checks_with(&report, "unknown").contains(&"ql_metrics/avg".to_owned()),
        "{}",
        ran.said()
    );
    assert!(
        [Some(exit_code::INCONCLUSIVE), Some(exit_code::UNREACHABLE)].contains(&ran.exit),
        "{}",
        ran.said()
    );
    Ok(())
}

/// The server's own limits are told with what lengthens them there, and ours with the option that does.
fn limits_are_told() -> Result<(), Failed> {
    let sandbox = Engine::Postgres.shop();
    let file = "connectors/postgres/connector.toml";
    let usual = sandbox.read(file);
    let said = |setting: &str, sql: &str| {
        let set = |to: u32| format!("set_config('{setting}', '{to}', false)");
        assert!(usual.contains(&set(0)), "{usual}");
        sandbox.write(file, &usual.replace(&set(0), &set(300)));
        let ran = sandbox.bowline(&["query", sql]);
        ran.exits(exit_code::FELL_SHORT).stderr
    };
    let slow = "SELECT pg_sleep(60)";
    let stopped = said("statement_timeout", slow);
    assert!(
        stopped.contains("(SQLSTATE 57014)\n\nhint: the server stopped it: let the login have more time there (`statement_timeout`)"),
        "{stopped}"
    );
    sandbox.write(file, &usual);
    let ours = sandbox.bowline(&["query", slow, "--timeout", "1"]).stderr;
    assert!(
        ours.contains("\nhint: give it more time with `bowline query --timeout`"),
        "{ours}"
    );
    let database = sandbox.database().ok_or("no database")?.name.clone();
    let holder = thread::spawn({
        let database = database.clone();
        move || {
            postgres().map(|cluster| {
                cluster.sql(
                    &database,
                    "BEGIN; LOCK TABLE customers; SELECT pg_sleep(60)",
                )
            })
        }
    });
    until(|| {
        sandbox
            .sql("SELECT count(*) FROM pg_locks WHERE relation = 'customers'::regclass AND granted")
    });
    let locked = said("lock_timeout", "SELECT * FROM customers");
    sandbox.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE relation = 'customers'::regclass AND granted",
    );
    assert!(
        holder
            .join()
            .is_ok_and(|ended| ended.is_ok_and(|ended| ended.is_err()))
    );
    assert!(locked.contains("(SQLSTATE 55P03)\n\nhint: another session holds a lock: wait for it to end, or give the login more time there (`lock_timeout`)"), "{locked}");
    Ok(())
}

fn read_only_user() -> Result<(), Failed> {
    let sandbox = Engine::Postgres.shop();
    let database = sandbox.database().expect("a database");
    let reader = format!("{}_reader", database.name);
    sandbox.sql(&format!(
        "CREATE ROLE {reader} LOGIN PASSWORD 'reader-password'; \
         GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reader}; \
         REVOKE CREATE ON SCHEMA public FROM PUBLIC"
    ));
    let mut login = connect_args(database);
    login["user"] = json!(reader);
    login["password"] = json!("reader-password");
    write_credentials(&sandbox, "postgres", &login);
    let ran = sandbox
        .bowline(&["test", "--format", "json"])
        .exits(exit_code::INCONCLUSIVE);
    let report = ran.json();
    assert_eq!(checks_with(&report, "wrong"), Vec::<String>::new());
    let unknown = checks_with(&report, "unknown");
    assert!(
        unknown.iter().any(|check| check.starts_with("functional/")),
        "{unknown:?}"
    );
    assert_eq!(sandbox.sql(FUNCTIONAL_TABLES).trim(), "0");
    sandbox.sql(&format!("DROP OWNED BY {reader}; DROP ROLE {reader}"));
    Ok(())
}

/// A run that is stopped while its functional table exists removes it.
fn stopped(signal: &str) -> Result<(), Failed> {
    let sandbox = Engine::Postgres.shop();
    let statement = bowline_contract::Template::all()
        .find(|template| template.name.contains("insert"))
        .ok_or("no template that inserts")?;
    spell(
        &sandbox,
        "postgres",
        statement.short_name(),
        &slow_statement_of(statement),
    );
    let child = sandbox
        .command(&["test", "--section", "functional"])
        .spawn()?;
    let pid = child.id().to_string();
    until(|| sandbox.sql(SLEEPERS));
    until(|| sandbox.sql(FUNCTIONAL_TABLES));
    let sent = Command::new("kill")
        .args([&format!("-{signal}"), &pid])
        .stdin(Stdio::null())
        .status()?;
    assert!(sent.success());
    let ran = wait(child);
    assert_no_panic(&ran);
    let ran = ran.exits(exit_code::INTERRUPTED);
    assert_eq!(sandbox.sql(FUNCTIONAL_TABLES).trim(), "0", "{}", ran.said());
    Ok(())
}

/// A run that is told to stop, whenever that is, leaves no table; of one that is killed the next takes it away.
fn stopped_at_any_moment() -> Result<(), Failed> {
    const STOPS: u32 = 9;
    let sandbox = Engine::Postgres.shop();
    let begun = Instant::now();
    sandbox.bowline(&["test"]).exits(exit_code::OK);
    let whole = begun.elapsed();
    let stops: u32 = many("BOWLINE_STOPS").unwrap_or(STOPS);
    for stop in 0..stops {
        let signal = ["INT", "TERM", "KILL"][stop as usize % 3];
        let child = sandbox.command(&["test"]).spawn()?;
        thread::sleep(whole * stop / stops);
        // One that was quicker is over already.
        let _over = Command::new("kill")
            .args([&format!("-{signal}"), &child.id().to_string()])
            .stderr(Stdio::null())
            .status()?;
        let ran = wait(child);
        assert_no_panic(&ran);
        let moment = format!("SIG{signal} at {stop} of {stops}\n{}", ran.said());
        if signal == "KILL" {
            sandbox.bowline(&["test"]).exits(exit_code::OK);
        } else {
            let is_told = ran.exit == Some(exit_code::INTERRUPTED);
            // Before it listens to signals, the program has done nothing yet.
            let is_early = ran.exit.is_none() && ran.stdout.is_empty() && ran.stderr.is_empty();
            assert!(
                is_told || is_early || ran.exit == Some(exit_code::OK),
                "{moment}"
            );
        }
        assert_eq!(sandbox.sql(FUNCTIONAL_TABLES).trim(), "0", "{moment}");
    }
    bowline_tally::add(bowline_tally::Kind::Stops, u64::from(stops));
    Ok(())
}

/// A statement that mentions what it must and takes two minutes.
fn slow_statement_of(template: &bowline_contract::Template) -> String {
    let comments: String = template
        .variables
        .iter()
        .filter(|variable| !variable.optional)
        .map(|variable| format!("/* {{{{ {} }}}} */ ", variable.name))
        .collect();
    format!("{comments}SELECT pg_sleep(120)")
}

fn huge_result() -> Result<(), Failed> {
    let sandbox = Engine::Postgres.shop();
    let ran = sandbox.bowline(&["query", "SELECT repeat('x', 100000000) AS wide"]);
    assert_no_panic(&ran);
    assert!(![Some(0), None].contains(&ran.exit), "{}", ran.said());
    assert!(ran.stderr.starts_with("error: "), "{}", ran.said());
    assert!(ran.stdout.len() < 1_000_000 && ran.stderr.len() < 10_000);
    Ok(())
}

fn slow_statement() -> Result<(), Failed> {
    let sandbox = Engine::Postgres.shop();
    spell(&sandbox, "postgres", "get_avg_function", SLOW_AVERAGE);
    let ran = sandbox
        .bowline(&[
            "test",
            "-m",
            "ql_metrics",
            "--timeout",
            "1",
            "--format",
            "json",
        ])
        .exits(exit_code::INCONCLUSIVE);
    let unknown = checks_with(&ran.json(), "unknown");
    assert!(
        unknown.contains(&"ql_metrics/avg".to_owned()),
        "{unknown:?}"
    );
    assert_eq!(
        sandbox.sql(SLEEPERS).trim(),
        "0",
        "the statement still runs"
    );
    Ok(())
}
