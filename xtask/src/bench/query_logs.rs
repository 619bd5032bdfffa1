//! Query logs of many statements: what looking through them costs.

use std::path::Path;
use std::time::Duration;

use bowline_servers::MariaDb;

use super::record::{Goal, Row};
use super::{Bowline, DATABASE, PASSWORD, ROLE};
use crate::process::{Failure, step};
use crate::provide::mariadb_and_odbc;

/// A long log takes long and varies little.
const RUNS: usize = 3;
const MEMORY: u32 = 200;
const NAME: &str = "logged";

/// A log of so many statements, what the row about it is called, and the longest it should take.
const SIZES: [(usize, &str, Option<Duration>); 3] = [
    (
        10_000,
        "section `metadata`, 10,000 logged queries, MariaDB",
        None,
    ),
    (
        100_000,
        "section `metadata`, 100,000 logged queries, MariaDB",
        None,
    ),
    (
        1_000_000,
        "section `metadata`, 1,000,000 logged queries, MariaDB",
        Some(Duration::from_secs(5)),
    ),
];

/// Measures the section that reads the log over each size.
pub(super) fn rows(bowline: &Bowline, workspace: &Path, runs: usize) -> Result<Vec<Row>, Failure> {
    step("MariaDB");
    mariadb_and_odbc()?;
    let server = MariaDb::start().map_err(|error| error.to_string())?;
    // Without a table, nothing of the catalogue could be answered.
    let table = format!("CREATE TABLE {DATABASE}.orders (id INTEGER, name TEXT)");
    server
        .create_database(DATABASE, ROLE, PASSWORD)
        .and_then(|()| server.sql(&table))
        .map_err(|error| error.to_string())?;
    let here = (server.port(), DATABASE);
    bowline.scaffold_for("mariadb", workspace, NAME, &[], here)?;
    let mut rows = Vec::new();
    for (queries, what, longest) in SIZES {
        step(what);
        fill(&server, queries)?;
        let section = ["test", NAME, "--section", "metadata"];
        let figures = bowline.measure(workspace, &section, runs.min(RUNS))?;
        let goal = longest.map_or(Goal::memory(MEMORY), |longest| Goal::new(longest, MEMORY));
        rows.push(Row::new(what, goal, figures));
    }
    Ok(rows)
}

/// Puts a log of so many statements, one every 20 ms up to now, in the place of the server's own.
fn fill(server: &MariaDb, queries: usize) -> Result<(), Failure> {
    let statements = format!(
        "USE mysql; SET GLOBAL slow_query_log = OFF; DROP TABLE IF EXISTS before_this; CREATE TABLE filled LIKE slow_log; \
         INSERT INTO filled SELECT NOW(6) - INTERVAL ({queries} - seq) * 20000 MICROSECOND, '{ROLE}[{ROLE}] @ localhost []', \
         '00:00:00.000150', '00:00:00.000010', 1, 6000, '{DATABASE}', 0, 0, 1, \
         CONCAT('SELECT * FROM orders WHERE id = ', seq), 7, 0 FROM seq_1_to_{queries}; \
         RENAME TABLE slow_log TO before_this, filled TO slow_log; SET GLOBAL slow_query_log = ON"
    );
    server
        .sql(&statements)
        .map(drop)
        .map_err(|error| error.to_string())
}
