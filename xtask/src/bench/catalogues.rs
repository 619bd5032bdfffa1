//! Catalogues of many tables: what listing them costs.

use std::path::Path;
use std::time::Duration;

use bowline_servers::{Cluster, ServerError};

use super::measure::{Clock, repeat};
use super::record::{Goal, Row};
use super::{Bowline, ROLE};
use crate::process::{Failure, step};

/// A large catalogue takes long and varies little.
const RUNS: usize = 5;
/// The most tables that one transaction makes: each is a lock.
const AT_ONCE: usize = 1_000;
const MEMORY: u32 = 200;

const LARGEST: usize = 50_000;

/// A catalogue of so many tables, and what the row about it is called.
const SIZES: [(usize, &str); 4] = [
    (10, "section `metadata`, 10 tables"),
    (1_000, "section `metadata`, 1,000 tables"),
    (10_000, "section `metadata`, 10,000 tables"),
    (LARGEST, "section `metadata`, 50,000 tables"),
];

/// Measures the section that reads the catalogue over each size, and connecting to the largest.
pub(super) fn rows(
    bowline: &Bowline,
    workspace: &Path,
    cluster: &Cluster,
    runs: usize,
) -> Result<Vec<Row>, Failure> {
    let runs = runs.min(RUNS);
    let mut rows = Vec::new();
    for (tables, what) in SIZES {
        step(what);
        let name = database_of(tables);
        fill(cluster, &name, tables).map_err(|error| error.to_string())?;
        bowline.scaffold(workspace, &name, &[], (cluster.port(), &name))?;
        let section = ["test", &name, "--section", "metadata"];
        let figures = bowline.measure(workspace, &section, runs)?;
        rows.push(Row::new(what, Goal::memory(MEMORY), figures));
    }
    let largest = database_of(LARGEST);
    let figures = repeat(runs, &[0], Clock::Processor, || {
        let mut command = bowline.command(workspace);
        command.args(["test", &largest, "--section", "connection"]);
        command
    })?;
    let goal = Goal::time(Duration::from_millis(100));
    let what = "processor time: section `connection`, 50,000 tables";
    rows.push(Row::new(what, goal, figures));
    Ok(rows)
}

/// The database of so many tables, and the connector for it.
fn database_of(tables: usize) -> String {
    format!("tables_{tables}")
}

fn fill(cluster: &Cluster, database: &str, tables: usize) -> Result<(), ServerError> {
    // The role is there: it owns the other database.
    cluster.sql(
        "postgres",
        &format!("CREATE DATABASE {database} OWNER {ROLE}"),
    )?;
    for first in (0..tables).step_by(AT_ONCE) {
        let last = (first + AT_ONCE).min(tables) - 1;
        cluster.sql(
            database,
            &format!(
                "SET ROLE {ROLE}; DO $$ BEGIN FOR i IN {first}..{last} LOOP EXECUTE format('CREATE TABLE t_%s \
                 (id integer, name text, at timestamp)', i); END LOOP; END $$;"
            ),
        )?;
    }
    cluster.sql(database, "ANALYZE pg_class")?;
    Ok(())
}
