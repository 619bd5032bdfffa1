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

/// How the server keeps its log.
#[derive(Clone, Copy, PartialEq)]
enum Kept {
    /// As a new server does, in a text file.
    AsItCame,
    /// As the pack's needs have it for a busy server.
    WithAnIndex,
}

/// A log of so many statements, how it is kept, and what the row about it is called.
const LOGS: [(usize, Kept, &str); 4] = [
    (
        10_000,
        Kept::AsItCame,
        "section `metadata`, 10,000 logged queries, MariaDB",
    ),
    (
        100_000,
        Kept::AsItCame,
        "section `metadata`, 100,000 logged queries, MariaDB",
    ),
    (
        1_000_000,
        Kept::AsItCame,
        "section `metadata`, 1,000,000 logged queries, MariaDB",
    ),
    (
        1_000_000,
        Kept::WithAnIndex,
        "the same with an index on the log's table",
    ),
];
/// The longest that the section should take over a million.
const MILLION: Duration = Duration::from_secs(5);

/// Measures the section that reads the log over each.
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
    for (queries, kept, what) in LOGS {
        step(what);
        fill(&server, queries, kept)?;
        let section = ["test", NAME, "--section", "metadata"];
        let figures = bowline.measure(workspace, &section, runs.min(RUNS))?;
        let goal = match queries {
            1_000_000 => Goal::new(MILLION, MEMORY),
            _ => Goal::memory(MEMORY),
        };
        rows.push(Row::new(what, goal, figures));
    }
    Ok(rows)
}

/// Puts a log of so many statements, one every 20 ms up to now, in the place of the server's own.
fn fill(server: &MariaDb, queries: usize, kept: Kept) -> Result<(), Failure> {
    let index = match kept {
        Kept::AsItCame => "",
        Kept::WithAnIndex => {
            "ALTER TABLE filled ENGINE = MyISAM; ALTER TABLE filled ADD INDEX (start_time, thread_id); "
        }
    };
    let statements = format!(
        "USE mysql; SET GLOBAL slow_query_log = OFF; DROP TABLE IF EXISTS before_this; CREATE TABLE filled LIKE slow_log; \
         INSERT INTO filled SELECT NOW(6) - INTERVAL ({queries} - seq) * 20000 MICROSECOND, '{ROLE}[{ROLE}] @ localhost []', \
         '00:00:00.000150', '00:00:00.000010', 1, 6000, '{DATABASE}', 0, 0, 1, \
         CONCAT('SELECT * FROM orders WHERE id = ', seq), 7, 0 FROM seq_1_to_{queries}; \
         {index}RENAME TABLE slow_log TO before_this, filled TO slow_log; SET GLOBAL slow_query_log = ON"
    );
    server
        .sql(&statements)
        .map(drop)
        .map_err(|error| error.to_string())
}
