//! From nothing to an export, on each engine.

use libtest_mimic::{Failed, Trial};

use crate::connector::{Engine, Exported, checks_with, connect_args, spell, write_credentials};
use crate::needs::{Need, trial};

/// What every engine here must prove.
const CAPABILITIES: [&str; 5] = [
    "supports_full_query_language",
    "supports_metadata",
    "supports_custom_sql_monitor",
    "supports_schema",
    "supports_volume_rows",
];

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("warehouse/postgres", &[Need::Postgres], || {
            proven_and_exported(Engine::Postgres, &["supports_query_logs"])
        }),
        trial("warehouse/duckdb", &[Need::DuckDb], || {
            proven_and_exported(Engine::DuckDb, &[])
        }),
        trial(
            "warehouse/postgres_keeps_its_tables",
            &[Need::Postgres],
            nothing_is_left_in_the_database,
        ),
        trial(
            "warehouse/two_on_one_table",
            &[Need::Postgres],
            two_connectors_take_turns_at_one_table,
        ),
        trial(
            "warehouse/postgres_either_way",
            &[Need::Postgres],
            both_ways_to_postgresql_come_to_one_report,
        ),
        trial(
            "warehouse/postgres_without_quotes",
            &[Need::Postgres],
            names_without_quotes_are_found_again,
        ),
    ]
}

/// The database folds such names, and its log keeps one text for all statements that mean the same: where one alone writes
/// names so, and where all do.
fn names_without_quotes_are_found_again() -> Result<(), Failed> {
    let table = "{{ schema }}.{{ table }}";
    let lineage = [("create_lineage_query", "SELECT * FROM @ WHERE 1 = 0")];
    let others = [
        ("get_table_identifier", "{{ database }}.@"),
        (
            "create_test_table",
            "CREATE TABLE @ (id SERIAL PRIMARY KEY, value TEXT)",
        ),
        (
            "insert_rows",
            "INSERT INTO @ (value) SELECT 'row_' || g FROM generate_series(1, {{ num_rows }}) AS g",
        ),
        (
            "add_column",
            "ALTER TABLE @ ADD COLUMN {{ column_name }} {{ column_type }}",
        ),
        ("drop_column", "ALTER TABLE @ DROP COLUMN {{ column_name }}"),
        ("drop_test_table", "DROP TABLE IF EXISTS @"),
    ];
    let sandbox = Engine::Postgres.shop();
    let asked = ["test", "-m", "functional", "--tier", "reference"];
    for spellings in [&lineage[..], &others[..]] {
        for (template, text) in spellings {
            spell(&sandbox, "postgres", template, &text.replace('@', table));
        }
        sandbox.bowline(&asked).exits(0);
    }
    Ok(())
}

fn two_connectors_take_turns_at_one_table() -> Result<(), Failed> {
    let sandbox = Engine::Postgres.shop();
    let (name, twin) = (Engine::Postgres.name(), "twin");
    let folder = format!("connectors/{name}");
    for file in sandbox.files(&folder) {
        let text = sandbox.read(format!("{folder}/{file}"));
        sandbox.write(format!("connectors/{twin}/{file}"), &text);
    }
    let tested: Vec<_> = std::thread::scope(|threads| {
        let start = |name| {
            let sandbox = &sandbox;
            threads.spawn(move || sandbox.bowline(&["test", name, "-m", "functional"]))
        };
        let started = [name, twin].map(start);
        started.map(|thread| thread.join().expect("a run")).into()
    });
    let waited = tested
        .iter()
        .filter(|ran| ran.stderr.contains("another run"));
    assert_eq!(waited.count(), 1, "one waits for the other");
    for ran in tested {
        ran.exits(0);
    }
    Ok(())
}

fn proven_and_exported(engine: Engine, more: &[&str]) -> Result<(), Failed> {
    let sandbox = engine.shop();
    let name = engine.name();
    sandbox.bowline(&["credentials", "check", name]).exits(0);

    let tested = sandbox.bowline(&["test", name, "--format", "json"]);
    let report = tested.json();
    for verdict in ["wrong", "unknown", "blocked"] {
        assert_eq!(
            checks_with(&report, verdict),
            Vec::<String>::new(),
            "{verdict} checks of a complete dialect"
        );
    }
    let tested = tested.exits(0);
    assert_eq!(tested.stderr, "");

    sandbox.bowline(&["export", name]).exits(0);
    let first = Exported::read(&sandbox, name);
    for capability in CAPABILITIES.iter().chain(more) {
        first.assert_supports(capability);
    }
    assert!(first.files.len() > 90, "{:?}", first.files.keys());

    // Another order of work must not change a byte.
    sandbox.bowline(&["export", name, "--jobs", "1"]).exits(0);
    let second = Exported::read(&sandbox, name);
    assert_eq!(first.files, second.files, "two exports differ");
    sandbox.assert_clean();
    Ok(())
}

fn nothing_is_left_in_the_database() -> Result<(), Failed> {
    const OBJECTS: &str = "\
        SELECT n.nspname, c.relname, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
        WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' ORDER BY 1, 2";
    let sandbox = Engine::Postgres.shop();
    let before = sandbox.sql(OBJECTS);
    assert!(before.contains("dotted.name"), "{before}");
    sandbox.bowline(&["test"]).exits(0);
    assert_eq!(sandbox.sql(OBJECTS), before);
    Ok(())
}

fn both_ways_to_postgresql_come_to_one_report() -> Result<(), Failed> {
    let sandbox = Engine::Postgres.shop();
    let compiled_in = sandbox.read("connectors/postgres/connector.toml");
    assert!(compiled_in.contains("kind = \"postgres\""), "{compiled_in}");
    let asked = [
        "new",
        "adbc",
        "--dialect",
        "postgres",
        "--driver",
        "postgresql",
    ];
    sandbox.bowline(&asked).exits(0);
    let through_adbc = sandbox.read("connectors/adbc/connector.toml");
    assert!(through_adbc.contains("kind = \"adbc\""), "{through_adbc}");
    let database = sandbox.database().expect("a database");
    write_credentials(&sandbox, "adbc", &connect_args(database));
    let [compiled_in, through_adbc] = ["postgres", "adbc"].map(|name| {
        let tested = sandbox.bowline(&["test", name, "--format", "json"]);
        let report = tested.json();
        tested.exits(0);
        ["supported", "wrong", "unsupported", "unknown", "blocked"]
            .map(|verdict| (verdict, checks_with(&report, verdict)))
    });
    assert!(compiled_in[0].1.len() > 100, "{compiled_in:?}");
    assert_eq!(compiled_in, through_adbc);
    Ok(())
}
