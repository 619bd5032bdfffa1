//! Metrics of a table, beside what the engine itself tells of it, and verdicts judged again from evidence.

use std::path::Path;
use std::time::Duration;

use super::Bowline;
use super::measure::{Clock, repeat};
use super::record::{Goal, Row};
use crate::process::{Failure, run_quietly, step};

/// A large table takes long and varies little.
const RUNS: usize = 3;
/// Columns of numbers, half of them whole.
const COLUMNS: usize = 100;
const MEMORY: u32 = 1_000;

/// Measures the metrics of a table in the workspace `demo`, whose connector is tested, and a report from the evidence of
/// `tested`.
pub(super) fn rows(
    bowline: &Bowline,
    demo: &Path,
    workspace: &Path,
    tested: &str,
    runs: usize,
) -> Result<Vec<Row>, Failure> {
    step("metrics of a large table");
    let columns: Vec<String> = (0..COLUMNS)
        .map(|number| match number % 2 {
            0 => format!("(hash(i * {number}) % 100000) / 7.0::DOUBLE AS c{number}"),
            _ => format!("CAST(hash(i + {number}) % 10000 AS INTEGER) AS c{number}"),
        })
        .collect();
    let sql = format!(
        "CREATE OR REPLACE TABLE wide AS SELECT {} FROM range(1000000) r(i)",
        columns.join(", ")
    );
    run_quietly(bowline.command(demo).args(["query", &sql]))?;
    let processor = |folder: &Path, args: &[&str], runs: usize| {
        repeat(runs, &[0], Clock::Processor, || {
            let mut command = bowline.command(folder);
            command.args(args);
            command
        })
    };
    let few = runs.min(RUNS);
    let summarized = processor(demo, &["query", "SUMMARIZE wide"], few)?;
    let profiled = processor(demo, &["profile", "wide", "--format", "csv"], few)?;
    let goal = Goal::new(summarized.median, MEMORY);
    let mut rows = vec![
        Row::new(
            "processor time: every metric of 1,000,000 rows by 100 columns of numbers, DuckDB",
            goal,
            profiled,
        ),
        Row::new(
            "processor time: the same table with DuckDB's own `SUMMARIZE`, fewer numbers",
            Goal::none(),
            summarized,
        ),
    ];
    step("a report from evidence");
    let offline = bowline.measure(workspace, &["test", tested, "--offline"], runs)?;
    rows.push(Row::new(
        "whole suite judged again from evidence, no database",
        Goal::time(Duration::from_millis(100)),
        offline,
    ));
    Ok(rows)
}
