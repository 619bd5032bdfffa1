//! `bowline profile`: numbers that are the same as those computed here, for every metric that the engine proves.

use std::collections::BTreeMap;

use bowline_contract::exit_code;
use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use crate::connector::{Engine, spell, write_credentials};
use crate::needs::{Need, mariadb, trial};
use crate::sandbox::Sandbox;

pub(crate) fn trials() -> Vec<Trial> {
    Engine::ALL
        .into_iter()
        .map(|engine| {
            let name = format!("profile/{}", engine.name());
            trial(name, engine.needs(), move || is_exact(engine))
        })
        .chain([Engine::DuckDb, Engine::Postgres].map(|engine| {
            let name = format!("profile/lists on {}", engine.name());
            trial(name, engine.needs(), move || lists_are_exact(engine))
        }))
        .chain([
            trial("profile/mistakes", &[], mistakes_are_told),
            trial(
                "profile/estimates on postgres",
                Engine::Postgres.needs(),
                estimates_of_postgres,
            ),
            trial(
                "profile/estimates on mariadb",
                &[Need::MariaDb],
                estimates_of_mariadb,
            ),
            trial(
                "profile/plan",
                Engine::DuckDb.needs(),
                a_plan_is_measured_once,
            ),
            trial(
                "profile/foreign types",
                Engine::Postgres.needs(),
                what_is_only_written_as_text_has_no_metrics_of_text,
            ),
        ])
        .collect()
}

/// Whole numbers, with one that is missing.
const NUMBERS: [Option<i64>; 8] = [
    Some(0),
    Some(-4),
    Some(7),
    None,
    Some(0),
    Some(9_007_199_254_740_993),
    Some(12),
    Some(7),
];

/// Texts as patterns meet them.
const TEXTS: [Option<&str>; 8] = [
    Some(""),
    Some("   "),
    Some("ann@example.com"),
    None,
    Some("-42"),
    Some("3.5"),
    Some("123-45-6789"),
    Some("n/a"),
];

fn literal(text: Option<&str>) -> String {
    text.map_or("NULL".to_owned(), |text| format!("'{text}'"))
}

fn fill(sandbox: &Sandbox, engine: Engine, table: &str) {
    let rows: Vec<String> = NUMBERS
        .iter()
        .zip(TEXTS)
        .map(|(number, text)| {
            let number = number.map_or("NULL".to_owned(), |number| number.to_string());
            format!("({number}, {})", literal(text))
        })
        .collect();
    for sql in [
        format!("CREATE TABLE {table} (n BIGINT, \"a text\" VARCHAR(40))"),
        format!("INSERT INTO {table} VALUES {}", rows.join(", ")),
    ] {
        sandbox
            .bowline(&["query", "-c", engine.name(), &sql])
            .exits(exit_code::OK);
    }
}

/// The metrics as they were written: by column and name.
fn profiled(sandbox: &Sandbox, arguments: &[&str]) -> BTreeMap<(String, String), Value> {
    let ran = sandbox.bowline(arguments).exits(exit_code::OK);
    let rows: Vec<BTreeMap<String, Value>> = serde_json::from_str(&ran.stdout).unwrap();
    let text = |row: &BTreeMap<String, Value>, name: &str| row[name].as_str().unwrap().to_owned();
    rows.iter()
        .map(|row| {
            assert_eq!(row["error"], Value::Null, "{row:?}");
            (
                (text(row, "column"), text(row, "metric")),
                row["value"].clone(),
            )
        })
        .collect()
}

fn number(value: &Value) -> f64 {
    match value {
        Value::Number(number) => number.as_f64().unwrap(),
        Value::String(text) => text.parse().unwrap(),
        other => panic!("{other} is no number"),
    }
}

fn is_exact(engine: Engine) -> Result<(), Failed> {
    let sandbox = engine.shop();
    fill(&sandbox, engine, "telling");
    sandbox.bowline(&["test"]);
    let found = profiled(
        &sandbox,
        &["profile", engine.name(), "telling", "--format", "json"],
    );
    let all = NUMBERS.len() as f64;
    let present: Vec<i64> = NUMBERS.iter().flatten().copied().collect();
    let count =
        |condition: fn(&i64) -> bool| present.iter().filter(|n| condition(n)).count() as f64;
    let sum: i64 = present.iter().sum();
    let lengths: Vec<f64> = TEXTS
        .iter()
        .flatten()
        .map(|text| text.len() as f64)
        .collect();
    let expected = [
        ("n", "zero_count", count(|n| *n == 0)),
        ("n", "zero_rate", count(|n| *n == 0) / all),
        ("n", "negative_count", count(|n| *n < 0)),
        ("n", "negative_rate", count(|n| *n < 0) / all),
        ("n", "sum", sum as f64),
        ("n", "numeric_mean", sum as f64 / present.len() as f64),
        ("n", "approx_distinct_count", 5.0),
        ("n", "approx_distinctness", 5.0 / present.len() as f64),
        ("n", "approx_quantiles0", -4.0),
        ("a text", "text_max_length", 15.0),
        ("a text", "text_min_length", 0.0),
        (
            "a text",
            "text_mean_length",
            lengths.iter().sum::<f64>() / lengths.len() as f64,
        ),
        ("a text", "empty_string_count", 1.0),
        ("a text", "empty_string_rate", 1.0 / all),
        ("a text", "text_all_spaces_count", 1.0),
        ("a text", "text_email_address_count", 1.0),
        ("a text", "text_not_email_address_count", 6.0),
        ("a text", "text_int_count", 1.0),
        ("a text", "text_int_rate", 1.0 / all),
        ("a text", "text_number_count", 2.0),
        ("a text", "text_ssn_count", 1.0),
        ("a text", "text_uuid_count", 0.0),
        ("a text", "text_null_keyword_count", 1.0),
    ];
    let mut compared = 0;
    for (column, metric, expected) in expected {
        // What the engine does not prove is not computed.
        let Some(value) = found.get(&(column.to_owned(), metric.to_owned())) else {
            assert_eq!(engine, Engine::Sqlite, "{column}: {metric} is missing");
            continue;
        };
        let off = (number(value) - expected).abs();
        assert!(
            off <= 1e-9 * expected.abs(),
            "{column}: {metric} is {value}, not {expected}"
        );
        compared += 1;
    }
    assert!(compared > 12, "only {compared} metrics");
    // A sum is exact, beyond what a floating point number holds.
    if let Some(Value::String(text)) = found.get(&("n".to_owned(), "sum".to_owned())) {
        assert!(text.starts_with(&sum.to_string()), "{text}");
    }

    in_buckets(&sandbox, engine);
    let arguments = [
        "profile",
        engine.name(),
        "telling",
        "--where",
        "n > 5",
        "--columns",
        "n",
    ];
    let some = profiled(&sandbox, &[&arguments[..], &["--format", "json"]].concat());
    assert_eq!(
        number(&some[&("n".to_owned(), "zero_count".to_owned())]),
        0.0
    );
    assert!(some.keys().all(|(column, _)| column == "n"));

    // Of no rows there is no share, and no average.
    let arguments = [
        "profile",
        engine.name(),
        "telling",
        "--where",
        "n = 1",
        "--format",
        "json",
    ];
    let none = profiled(&sandbox, &arguments);
    assert_eq!(none[&("n".to_owned(), "zero_rate".to_owned())], Value::Null);
    assert_eq!(
        none[&("n".to_owned(), "numeric_mean".to_owned())],
        Value::Null
    );
    Ok(())
}

/// Rows by day and by hour, in every form that they are written in.
fn in_buckets(sandbox: &Sandbox, engine: Engine) {
    for sql in [
        "CREATE TABLE timely (n INTEGER, seen_at TIMESTAMP NULL)",
        "INSERT INTO timely VALUES (0, '2026-11-20 10:15:00'), (5, '2026-11-20 23:59:59'), (0, '2026-11-22 00:00:00'), (7, NULL)",
    ] {
        sandbox
            .bowline(&["query", "-c", engine.name(), sql])
            .exits(exit_code::OK);
    }
    let profiled = |more: &[&str]| {
        let arguments = [
            "profile",
            engine.name(),
            "timely",
            "--columns",
            "n",
            "--group-by",
            "seen_at",
        ];
        sandbox
            .bowline(&[&arguments[..], more].concat())
            .exits(exit_code::OK)
    };
    let zeros = |more: &[&str]| -> Vec<(String, f64)> {
        let ran = profiled(&[more, &["--format", "json"]].concat());
        let rows: Vec<BTreeMap<String, Value>> = serde_json::from_str(&ran.stdout).unwrap();
        rows.iter()
            .filter(|row| row["metric"] == "zero_count")
            .map(|row| {
                let start = row["bucket"].as_str().unwrap_or("none");
                (
                    start.replace('T', " ")[..start.len().min(19)].to_owned(),
                    number(&row["value"]),
                )
            })
            .collect()
    };
    let all = |zeros: &[(&str, f64)]| -> Vec<(String, f64)> {
        let owned = zeros
            .iter()
            .map(|(start, zeros)| ((*start).to_owned(), *zeros));
        owned.collect()
    };
    assert_eq!(
        zeros(&[]),
        all(&[
            ("none", 0.0),
            ("2026-11-20 00:00:00", 1.0),
            ("2026-11-22 00:00:00", 1.0)
        ])
    );
    assert_eq!(
        zeros(&["--bucket", "hour", "--since", "2026-11-20T12:00:00Z"]),
        all(&[("2026-11-20 23:00:00", 0.0), ("2026-11-22 00:00:00", 1.0)])
    );
    let ran = profiled(&["--html", "timely.html", "--format", "parquet", "--quiet"]);
    assert!(ran.stdout.starts_with("PAR1"), "{}", ran.said());
    let page = sandbox.read("timely.html");
    for words in [
        "2026-11-20 00:00:00: 2",
        "1 row without a time",
        "zero_rate",
    ] {
        assert!(
            page.replace('T', " ").contains(words) || page.contains(words),
            "{words}"
        );
    }
}

fn a_plan_is_measured_once() -> Result<(), Failed> {
    let engine = Engine::DuckDb;
    let sandbox = engine.shop();
    let columns: Vec<String> = (0..9)
        .map(|number| format!("i % {} AS c{number}", number + 7))
        .collect();
    let sql = format!(
        "CREATE TABLE wide AS SELECT {} FROM range(120000) r(i)",
        columns.join(", ")
    );
    sandbox
        .bowline(&["query", "-c", engine.name(), &sql])
        .exits(exit_code::OK);
    let plan = || {
        let ran = sandbox
            .bowline(&["profile", engine.name(), "wide", "--plan"])
            .exits(exit_code::OK);
        ran.stdout
    };
    let first = plan();
    assert!(first.starts_with("wide: 120000 rows, "), "{first}");
    assert_eq!(first.matches("measured").count(), 2, "{first}");
    // The figures are the same to a millisecond, as they were not taken again.
    assert_eq!(plan(), first);
    // What was measured says nothing of a table for which it does not matter.
    let small = "CREATE TABLE narrow AS SELECT * FROM wide LIMIT 10";
    sandbox
        .bowline(&["query", "-c", engine.name(), small])
        .exits(exit_code::OK);
    let small = sandbox
        .bowline(&["profile", engine.name(), "narrow", "--plan"])
        .exits(exit_code::OK)
        .stdout;
    assert_eq!(small.matches("too few rows").count(), 2, "{small}");
    spell(&sandbox, engine.name(), "get_avg_function", "AVG({x}) + 0");
    let anew = sandbox
        .bowline(&["profile", engine.name(), "wide", "--plan", "-vv"])
        .exits(exit_code::OK);
    assert!(anew.stderr.contains("LIMIT 50000"), "{}", anew.said());
    Ok(())
}

/// Percentiles of a table that is large enough for them to be asked in lists.
fn lists_are_exact(engine: Engine) -> Result<(), Failed> {
    const ROWS: usize = 100_000;
    let sandbox = engine.shop();
    let rows = match engine {
        Engine::Postgres => "generate_series(0, 99999) r(i)",
        _ => "range(100000) r(i)",
    };
    let sql = format!(
        "CREATE TABLE many AS SELECT CAST(i % 1000 AS INTEGER) AS n, CAST(CAST(i AS BIGINT) * i % 977 AS DOUBLE PRECISION) / 7 AS d, \
         CAST(CASE WHEN i % 3 = 0 THEN i * 7 % 1009 END AS DECIMAL(12, 2)) AS e FROM {rows}"
    );
    sandbox
        .bowline(&["query", "-c", engine.name(), &sql])
        .exits(exit_code::OK);
    let arguments = ["profile", engine.name(), "many"];
    let plan = sandbox
        .bowline(&[&arguments[..], &["--plan"]].concat())
        .exits(exit_code::OK)
        .stdout;
    assert!(plan.contains("in 3 lists"), "{plan}");
    // A server keeps to its own bounds.
    let is_bound = plan.contains("it may keep 320 MB");
    assert_eq!(is_bound, matches!(engine, Engine::DuckDb), "{plan}");
    let found = profiled(&sandbox, &[&arguments[..], &["--format", "json"]].concat());
    let whole: Vec<f64> = (0..ROWS).map(|i| (i % 1000) as f64).collect();
    let fractions: Vec<f64> = (0..ROWS).map(|i| (i * i % 977) as f64 / 7.0).collect();
    let third = (0..ROWS).step_by(3);
    let missing: Vec<f64> = third.map(|i| (i * 7 % 1009) as f64).collect();
    for (column, mut values) in [("n", whole), ("d", fractions), ("e", missing)] {
        values.sort_by(f64::total_cmp);
        for (metric, share) in [
            ("approx_quantiles", 0.5),
            ("numeric_median", 0.5),
            ("approx_quantiles0", 0.0),
            ("approx_quantiles1", 0.2),
            ("percentile_20", 0.2),
            ("percentile_40", 0.4),
            ("percentile_60", 0.6),
            ("percentile_80", 0.8),
            ("approx_quantiles5", 1.0),
        ] {
            let place = share * (values.len() - 1) as f64;
            let (low, high) = (
                values[place.floor() as usize],
                values[place.ceil() as usize],
            );
            let expected = low + (high - low) * place.fract();
            let value = &found[&(column.to_owned(), metric.to_owned())];
            let off = (number(value) - expected).abs();
            // A percentile of decimals is a decimal.
            assert!(off < 0.006, "{column}: {metric} is {value}, not {expected}");
            assert!(off < 1e-9 || column == "e", "{column}: {metric} is {value}");
        }
    }
    Ok(())
}

fn estimates_of_postgres() -> Result<(), Failed> {
    let engine = Engine::Postgres;
    let rows = "generate_series(0, 9999) r(i)";
    estimates_are_marked_and_near(&engine.shop(), engine.name(), rows, "ANALYZE many");
    Ok(())
}

fn estimates_of_mariadb() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    let name = "mariadb";
    sandbox
        .bowline(&["new", name, "--dialect", name])
        .exits(exit_code::OK);
    let database = format!("estimates_{}", std::process::id());
    let port = mariadb(|server| {
        server.create_database(&database, &database, "guessed")?;
        let grants = ["column_stats", "table_stats"]
            .map(|table| format!("GRANT SELECT ON mysql.{table} TO '{database}'@'%';"));
        server.sql(&grants.concat()).map(|_| server.port())
    })??;
    let login = json!({
        "host": "127.0.0.1", "port": port, "database": database, "user": database, "password": "guessed",
    });
    write_credentials(&sandbox, name, &login);
    let rows = "(SELECT seq AS i FROM seq_0_to_9999) r";
    let analyse = "ANALYZE TABLE many PERSISTENT FOR ALL";
    estimates_are_marked_and_near(&sandbox, name, rows, analyse);
    Ok(())
}

/// Numbers of different values out of the statistics that the database keeps once it has analysed a table.
fn estimates_are_marked_and_near(sandbox: &Sandbox, connector: &str, rows: &str, analyse: &str) {
    const COLUMNS: [(&str, i64); 5] = [("a", 7), ("b", 70), ("c", 300), ("d", 2), ("e", 1_000)];
    let columns = COLUMNS.map(|(name, count)| {
        format!("CASE WHEN i % 4 <> 0 OR '{name}' <> 'c' THEN i % {count} END AS {name}")
    });
    let sql = format!(
        "CREATE TABLE many AS SELECT {} FROM {rows}",
        columns.join(", ")
    );
    let query = |sql: &str| {
        let ran = sandbox.bowline(&["query", "-c", connector, sql]);
        ran.exits(exit_code::OK);
    };
    query(&sql);
    let arguments = ["profile", connector, "many", "--estimates", "--format"];
    let estimated = |format: &str| {
        let ran = sandbox.bowline(&[&arguments[..], &[format]].concat());
        ran.exits(exit_code::OK)
    };
    let before = estimated("json");
    assert!(
        before.stderr.contains("keeps no statistics of these"),
        "{}",
        before.said()
    );
    assert!(!before.stdout.contains("true"), "{}", before.stdout);
    query(analyse);
    let ran = estimated("json");
    let told = "the number of different values of 3 columns is an estimate";
    assert!(ran.stderr.contains(told), "{}", ran.said());
    assert!(
        ran.stderr.contains("of 2 others it was counted"),
        "{}",
        ran.said()
    );
    let rows: Vec<BTreeMap<String, Value>> = serde_json::from_str(&ran.stdout).unwrap();
    for row in &rows {
        let is_of_different = row["metric"]
            .as_str()
            .unwrap()
            .starts_with("approx_distinct");
        let is_counted = ["a", "e"].contains(&row["column"].as_str().unwrap());
        let is_estimate = is_of_different && !is_counted;
        assert_eq!(row["estimated"], Value::Bool(is_estimate), "{row:?}");
    }
    for (name, count) in COLUMNS {
        let of = |metric: &str| {
            let mut rows = rows.iter();
            let row = rows.find(|row| row["column"] == name && row["metric"] == metric);
            number(&row.unwrap()["value"])
        };
        // Of the third a quarter is missing, and every fourth value with it.
        let (count, there) = if name == "c" {
            (225.0, 7_500.0)
        } else {
            (count as f64, 10_000.0)
        };
        let (different, share) = (of("approx_distinct_count"), of("approx_distinctness"));
        assert!(
            (different / count - 1.0).abs() < 0.05,
            "{name}: {different}"
        );
        assert!(
            (share * there / count - 1.0).abs() < 0.08,
            "{name}: {share}"
        );
    }
    assert!(
        estimated("csv")
            .stdout
            .starts_with("column,metric,value,estimated,error")
    );
    let plan = ["profile", connector, "many", "--estimates", "--plan"];
    let plan = sandbox.bowline(&plan).exits(exit_code::OK);
    assert!(
        plan.stdout
            .contains("numbers of different values of 2 columns"),
        "{}",
        plan.said()
    );
    let exact = sandbox.bowline(&[&arguments[..3], &["--format", "json"]].concat());
    assert!(!exact.exits(exit_code::OK).stdout.contains("estimated"));
    let some = [&arguments[..4], &["--where", "a = 1"]].concat();
    sandbox.bowline(&some).exits(exit_code::USAGE);
}

fn what_is_only_written_as_text_has_no_metrics_of_text() -> Result<(), Failed> {
    let engine = Engine::Postgres;
    let sandbox = engine.shop();
    let (foreign, textual) = (
        ["u", "j", "context", "charge_kind", "a", "r", "m", "p", "v"],
        ["t", "c", "d", "n"],
    );
    for sql in [
        "CREATE TYPE context AS ENUM ('ours', 'theirs')",
        "CREATE TYPE charge_kind AS ENUM ('one')",
        "CREATE DOMAIN named AS text",
        "CREATE TABLE kinds (u uuid, j jsonb, context context, charge_kind charge_kind, a inet, r int4range, m money,
         p point, v tsvector, t text, c char(3), d named, n name)",
        "INSERT INTO kinds VALUES ('6f9619ff-8b86-d011-b42d-00c04fc964ff', '{\"a\": 1}', 'ours', 'one', '10.0.0.1',
         '[1,4)', '12.34', '(1,2)', 'a b', 'x', 'abc', 'y', 'z')",
    ] {
        sandbox
            .bowline(&["query", "-c", engine.name(), sql])
            .exits(exit_code::OK);
    }
    for condition in ["true", "false"] {
        let arguments = ["profile", engine.name(), "kinds", "--where", condition];
        let ran = sandbox
            .bowline(&[&arguments[..], &["--format", "json"]].concat())
            .exits(exit_code::OK);
        let rows: Vec<BTreeMap<String, Value>> = serde_json::from_str(&ran.stdout).unwrap();
        // Points are not compared, and so not counted: told by the metric.
        let failed: Vec<_> = rows
            .iter()
            .filter(|row| !row["error"].is_null() && row["column"] != "p")
            .collect();
        assert!(failed.is_empty(), "{failed:?}");
        let has = |column: &str, metric: &str| {
            rows.iter()
                .any(|row| row["column"] == column && row["metric"] == metric)
        };
        for column in foreign {
            assert!(!has(column, "empty_string_count"), "{column}");
            let told = format!("`{column}`, of type `");
            assert!(ran.stderr.contains(&told), "{}", ran.said());
        }
        for column in textual {
            assert!(
                has(column, "empty_string_count"),
                "{column}: {}",
                ran.said()
            );
        }
        assert!(has("u", "approx_distinct_count"), "{}", ran.said());
    }
    Ok(())
}

fn mistakes_are_told() -> Result<(), Failed> {
    let engine = Engine::Sqlite;
    let sandbox = engine.shop();
    fill(&sandbox, engine, "telling");
    let told = sandbox.bowline(&["profile", "sqlite", "tellin"]);
    assert_ne!(told.exit, Some(exit_code::OK));
    assert!(
        told.stderr.contains("cannot read the table: `tellin`"),
        "{}",
        told.said()
    );
    let told = sandbox
        .bowline(&["profile", "sqlite", "telling", "--columns", "m"])
        .exits(exit_code::USAGE);
    assert!(
        told.stderr.contains("no such column: `m`"),
        "{}",
        told.said()
    );
    let told = sandbox
        .bowline(&["profile", "sqlite", "telling;"])
        .exits(exit_code::OK);
    assert!(
        told.stderr.contains("no metric is proven yet"),
        "{}",
        told.said()
    );
    Ok(())
}
