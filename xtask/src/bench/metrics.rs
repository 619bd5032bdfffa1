//! Metrics of a table, beside what the engine itself tells of it and what others do, and verdicts judged again from
//! evidence.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use bowline_servers::Cluster;

use super::measure::{Clock, Figures, repeat};
use super::record::{Goal, Row};
use super::{Bowline, DATABASE, ROLE, write};
use crate::process::{Failure, run_quietly, step};
use crate::provide::profiler;

/// A large table takes long and varies little.
const RUNS: usize = 3;
/// Columns of numbers, half of them whole.
const COLUMNS: usize = 100;
/// Of how many columns a profiler of others tells.
const SOME_COLUMNS: usize = 20;
/// Of how many columns PostgreSQL is asked each metric by itself, and for how many times as many what that takes stands.
const ONE_BY_ONE: usize = 10;
const MEMORY: u32 = 1_000;
const PAGE: &str = "metrics.html";

/// Measures the metrics of a table in the workspace `demo`, whose connector is tested, those of one that `tested` reaches
/// in PostgreSQL, and a report from the evidence of `tested`.
pub(super) fn rows(
    bowline: &Bowline,
    demo: &Path,
    workspace: &Path,
    cluster: &Cluster,
    tested: &str,
    runs: usize,
) -> Result<Vec<Row>, Failure> {
    let few = runs.min(RUNS);
    let mut rows = duckdb(bowline, demo, few)?;
    rows.extend(postgres(bowline, workspace, cluster, tested, few)?);
    step("a report from evidence");
    let offline = bowline.measure(workspace, &["test", tested, "--offline"], runs)?;
    rows.push(Row::new(
        "whole suite judged again from evidence, no database",
        Goal::time(Duration::from_millis(100)),
        offline,
    ));
    Ok(rows)
}

/// A table in DuckDB, beside its own summary; and some of its columns, beside a profiler in Python.
fn duckdb(bowline: &Bowline, demo: &Path, runs: usize) -> Result<Vec<Row>, Failure> {
    step("metrics of a large table");
    let columns: Vec<String> = (0..COLUMNS)
        .map(|number| match number % 2 {
            0 => format!("(hash(i * {number}) % 100000) / 7.0::DOUBLE AS c{number}"),
            _ => format!("CAST(hash(i + {number}) % 10000 AS INTEGER) AS c{number}"),
        })
        .collect();
    let some: Vec<String> = (2..).take(SOME_COLUMNS).map(|n| format!("c{n}")).collect();
    let some = some.join(",");
    for sql in [
        format!(
            "CREATE OR REPLACE TABLE wide AS SELECT {} FROM range(1000000) r(i)",
            columns.join(", ")
        ),
        format!("COPY (SELECT {some} FROM wide) TO 'some.parquet'"),
    ] {
        run_quietly(bowline.command(demo).args(["query", &sql]))?;
    }
    let processor = |args: &[&str]| {
        repeat(runs, &[0], Clock::Processor, || {
            let mut command = bowline.command(demo);
            command.args(args);
            command
        })
    };
    let summarized = processor(&["query", "SUMMARIZE wide"])?;
    let profiled = processor(&["profile", "wide", "--format", "csv"])?;
    let page = [
        "profile",
        "wide",
        "--columns",
        &some,
        "--format",
        "csv",
        "--html",
        PAGE,
    ];
    let of_some = processor(&page)?;
    let python = profiler()?;
    write(&demo.join("profile.py"), include_str!("profile.py"))?;
    let by_profiler = repeat(1, &[0], Clock::Processor, || {
        let mut command = Command::new(&python);
        command
            .args(["profile.py", "some.parquet", PAGE])
            .env("YDATA_PROFILING_NO_ANALYTICS", "True")
            .current_dir(demo);
        command
    })?;
    Ok(vec![
        Row::new(
            "processor time: every metric of 1,000,000 rows by 100 columns of numbers, DuckDB",
            Goal::new(summarized.median, MEMORY),
            profiled,
        ),
        Row::new(
            "processor time: the same table with DuckDB's own `SUMMARIZE`, fewer numbers",
            Goal::none(),
            summarized,
        ),
        Row::new(
            "processor time: every metric of 20 of these columns, with a page",
            Goal::time(by_profiler.median / 10),
            of_some,
        ),
        Row::new(
            "processor time: the same 20 columns with ydata-profiling in Python, its least, with a page",
            Goal::none(),
            by_profiler,
        ),
    ])
}

/// A table in PostgreSQL, beside a statement for each metric.
fn postgres(
    bowline: &Bowline,
    workspace: &Path,
    cluster: &Cluster,
    tested: &str,
    runs: usize,
) -> Result<Vec<Row>, Failure> {
    step("metrics of a table in PostgreSQL");
    let columns: Vec<String> = (0..COLUMNS)
        .map(|number| match number % 2 {
            0 => format!("abs(hashint4(i * {number}) % 100000) / 7.0::float8 AS c{number}"),
            _ => format!("abs(hashint4(i + {number}) % 10000) AS c{number}"),
        })
        .collect();
    let table = format!(
        "SET ROLE {ROLE}; CREATE TABLE wide AS SELECT {} FROM generate_series(1, 100000) r(i)",
        columns.join(", ")
    );
    let ask = |sql: &str| {
        let answer = cluster.sql(DATABASE, sql);
        answer.map_err(|error| error.to_string())
    };
    ask(&table)?;
    ask("VACUUM ANALYZE wide")?;
    let profiled = bowline.measure(
        workspace,
        &["profile", tested, "wide", "--format", "csv"],
        runs,
    )?;
    let statements = one_by_one();
    let begun = Instant::now();
    ask(&statements)?;
    let taken = begun.elapsed();
    let times = u32::try_from(COLUMNS / ONE_BY_ONE).unwrap_or(1);
    Ok(vec![
        Row::new(
            "every metric of 100,000 rows by 100 columns of numbers, PostgreSQL",
            Goal::time(taken * times / 40),
            profiled,
        ),
        Row::new(
            "10 of these columns with a statement for each metric, once, by `psql`",
            Goal::none(),
            Figures {
                median: taken,
                shortest: taken,
                peak_memory: 0,
            },
        ),
    ])
}

/// A statement for each metric of some columns, as the dialect writes them.
fn one_by_one() -> String {
    let percentile =
        |share: &str| format!("PERCENTILE_CONT({share}) WITHIN GROUP (ORDER BY {{x}})");
    let twice = [
        "COUNT(CASE WHEN CAST({x} AS DOUBLE PRECISION) = CAST('NaN' AS DOUBLE PRECISION) THEN 1 END)",
        "COUNT(CASE WHEN {x} < 0 THEN 1 END)",
        "COUNT(CASE WHEN {x} = 0 THEN 1 END)",
        "COUNT(DISTINCT {x}), COUNT({x})",
    ];
    let once = ["AVG({x})", "STDDEV_SAMP({x})", "SUM(CAST({x} AS NUMERIC))"];
    let percentiles = [
        "0.5", "0.0", "0.2", "0.4", "0.6", "0.8", "1.0", "0.5", "0.2", "0.4", "0.6", "0.8",
    ];
    let aggregates: Vec<String> = twice
        .iter()
        .chain(&twice)
        .chain(&once)
        .map(|aggregate| (*aggregate).to_owned())
        .chain(percentiles.map(percentile))
        .collect();
    let mut statements = String::new();
    for column in (2..).take(ONE_BY_ONE) {
        for aggregate in &aggregates {
            let aggregate = aggregate.replace("{x}", &format!("c{column}"));
            statements.push_str(&format!("SELECT {aggregate}, COUNT(*) FROM wide;"));
        }
    }
    statements
}
