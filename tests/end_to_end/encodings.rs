//! Databases in encodings that lack letters: a right connector is as right there, and a wrong one as wrong.

use std::collections::BTreeMap;

use bowline_contract::exit_code;
use bowline_servers::{Cluster, Postgres};
use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use crate::connector::{checks_with, write_credentials};
use crate::needs::{Need, mariadb, trial};
use crate::sandbox::Sandbox;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("encodings/postgres", &[Need::Postgres], on_postgres),
        trial("encodings/mariadb", &[Need::MariaDb], on_mariadb),
        trial("encodings/utf-16", &[], what_is_utf_16_is_said_to_be),
        trial("encodings/log", &[Need::Postgres], a_log_of_other_databases),
    ]
}

const LETTERS: &str = "ql_prerequisites/text_literal_scripts";
const LENGTH: &str = "ql_metrics/length_scripts";
const TEMPLATES: &str = "connectors/shop/templates.toml";
/// A length that is wrong in every letter.
const OFF_BY_ONE: &str = "[string_functions]\nget_length = 'LENGTH({x}) + 1'\n";

/// What mends a log that cannot be read.
const MENDS: &str = "SELECT pg_stat_statements_reset(0, oid, 0)";

/// Each check's verdict.
fn verdicts(report: &Value) -> BTreeMap<&str, &str> {
    let checks = report["checks"].as_array().into_iter().flatten();
    checks
        .filter_map(|check| Some((check["id"].as_str()?, check["verdict"].as_str()?)))
        .collect()
}

/// The checks that were asked in fewer letters.
fn in_fewer_letters(report: &Value) -> Vec<&str> {
    let checks = report["checks"].as_array().into_iter().flatten();
    checks
        .filter(|check| check["advice"].to_string().contains("fewer letters"))
        .filter_map(|check| check["id"].as_str())
        .collect()
}

/// A connector over a new database of this encoding.
fn over(cluster: &Cluster, encoding: &str) -> Result<Sandbox, Failed> {
    let name = encoding.to_lowercase();
    // Statements are kept for all databases of a server, and not every encoding can be converted to every other.
    cluster.sql("postgres", "SELECT pg_stat_statements_reset()")?;
    cluster.sql(
        "postgres",
        &format!("CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0"),
    )?;
    cluster.sql(
        &name,
        "CREATE EXTENSION pg_stat_statements; CREATE TABLE counters (id int PRIMARY KEY, name text); \
         INSERT INTO counters VALUES (1, 'one'); ANALYZE counters",
    )?;
    let sandbox = Sandbox::new();
    sandbox
        .bowline(&["new", "shop", "--dialect", "postgres"])
        .exits(0);
    write_credentials(
        &sandbox,
        "shop",
        &json!({ "host": "127.0.0.1", "port": cluster.port(), "database": name, "user": "postgres" }),
    );
    Ok(sandbox)
}

/// The spellings that a fit finds for an engine that nobody knows.
fn fitted(sandbox: &Sandbox) -> String {
    let file = "connectors/shop/connector.toml";
    let bare = sandbox
        .read(file)
        .replace("extends = \"postgres\"", "extends = \"ansi\"");
    sandbox.write(file, &bare);
    let wanted = [
        "fit",
        "shop",
        "get_length",
        "substring_func",
        "string_literal",
    ];
    let fitted = sandbox.bowline(&wanted).exits(0);
    assert!(fitted.stdout.contains("found in"), "{}", fitted.said());
    sandbox.read(TEMPLATES)
}

fn on_postgres() -> Result<(), Failed> {
    let server = Postgres::start()?;
    let unicode = over(server.cluster(), "UTF8")?;
    let test = ["test", "shop", "--format", "json"];
    let expected = unicode.bowline(&test).exits(0).json();
    assert_eq!(in_fewer_letters(&expected), Vec::<&str>::new());
    let spelled = fitted(&unicode);
    for (encoding, asked_otherwise) in [
        ("LATIN1", LETTERS),
        ("WIN1251", LETTERS),
        ("EUC_JP", LETTERS),
        ("SQL_ASCII", LENGTH),
    ] {
        let sandbox = over(server.cluster(), encoding)?;
        let report = sandbox.bowline(&test).exits(0).json();
        assert_eq!(verdicts(&report), verdicts(&expected), "{encoding}");
        let asked = in_fewer_letters(&report);
        assert!(asked.contains(&asked_otherwise), "{encoding}: {asked:?}");

        let query = sandbox.bowline(&["query", "SELECT 'two' AS n", "--format", "json"]);
        assert_eq!(query.exits(0).json(), json!([{ "n": "two" }]), "{encoding}");

        let untouched = sandbox.read(TEMPLATES);
        sandbox.write(TEMPLATES, OFF_BY_ONE);
        let report = sandbox.bowline(&test).exits(1).json();
        assert!(
            checks_with(&report, "wrong").contains(&LENGTH.to_owned()),
            "{encoding}"
        );
        sandbox.write(TEMPLATES, &untouched);
        assert_eq!(fitted(&sandbox), spelled, "{encoding}");
    }
    Ok(())
}

/// Statements are in the connection's encoding there, and only what a table holds in its own.
fn on_mariadb() -> Result<(), Failed> {
    let report = |encoding: &str| -> Result<Value, Failed> {
        let database = format!("in_{encoding}");
        let port = mariadb(|server| {
            server.create_database(&database, &database, "letters")?;
            server.sql(&format!(
                "ALTER DATABASE {database} CHARACTER SET {encoding}; USE {database}; \
                 CREATE TABLE counters (id int PRIMARY KEY, name text); INSERT INTO counters VALUES (1, 'one')"
            ))?;
            Ok::<_, Failed>(server.port())
        })??;
        let sandbox = Sandbox::new();
        sandbox
            .bowline(&["new", "shop", "--dialect", "mariadb"])
            .exits(0);
        let login = json!({
            "host": "127.0.0.1", "port": port, "database": database, "user": database, "password": "letters",
        });
        write_credentials(&sandbox, "shop", &login);
        Ok(sandbox
            .bowline(&["test", "shop", "--format", "json"])
            .exits(0)
            .json())
    };
    let expected = report("utf8mb4")?;
    let latin = report("latin1")?;
    assert_eq!(verdicts(&latin), verdicts(&expected));
    Ok(())
}

/// PostgreSQL keeps the statements of all databases in one place, and gives none where it cannot convert one of them.
fn a_log_of_other_databases() -> Result<(), Failed> {
    let server = Postgres::start()?;
    let cluster = server.cluster();
    let [unicode, latin, bytes] = ["UTF8", "LATIN1", "SQL_ASCII"].map(|each| over(cluster, each));
    let (unicode, latin, _bytes) = (unicode?, latin?, bytes?);
    for (sandbox, database, other, statement, sqlstate) in [
        (&latin, "latin1", "utf8", "SELECT 1 AS \"東京\"", "22P05"),
        (
            &unicode,
            "utf8",
            "sql_ascii",
            "DO $$ BEGIN EXECUTE 'SELECT 1 AS \"' || chr(255) || '\"'; END $$",
            "22021",
        ),
    ] {
        cluster.sql("postgres", "SELECT pg_stat_statements_reset()")?;
        cluster.sql(other, statement)?;
        let test = ["test", "shop", "-m", "metadata"];
        let ran = sandbox.bowline(&test).exits(exit_code::INCONCLUSIVE);
        for words in [sqlstate, "Could not be found out", MENDS] {
            assert!(ran.stdout.contains(words), "{words}: {}", ran.said());
        }
        let tags = sandbox.bowline(&["tag", "check", "--logs", "shop"]);
        assert!(tags.stderr.contains(MENDS), "{}", tags.said());
        cluster.sql(
            database,
            "SELECT pg_stat_statements_reset(0, oid, 0) FROM pg_database \
             WHERE encoding <> (SELECT encoding FROM pg_database WHERE datname = current_database())",
        )?;
        sandbox.bowline(&test).exits(0);
    }
    Ok(())
}

/// Files as some editors on Windows save them: read as if they were UTF-8, there would be nothing in them.
fn what_is_utf_16_is_said_to_be() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    let tagged = "-- {\"mcd_job_id\": \"a\"}\r\nSELECT 1;\r\n";
    for (name, mark) in [
        ("little.json", u16::to_le_bytes as fn(u16) -> [u8; 2]),
        ("big.json", u16::to_be_bytes),
    ] {
        let units = std::iter::once(0xFEFF).chain(tagged.encode_utf16());
        let bytes: Vec<u8> = units.flat_map(mark).collect();
        std::fs::write(sandbox.work().join(name), bytes).expect("a file");
        for command in [&["tag", "check", name][..], &["diff", name, name]] {
            let told = sandbox.bowline(command).exits(exit_code::USAGE);
            let words = "it is UTF-16; save it as UTF-8";
            assert!(told.stderr.contains(words), "{}", told.said());
        }
    }
    Ok(())
}
