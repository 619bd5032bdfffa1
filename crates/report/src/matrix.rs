//! One connector over several servers: what was found on each, side by side.

use std::fmt::Write as _;

use serde::Serialize;

use crate::markdown::code;
use crate::{Summary, Verdict, WarehouseReport};

/// What runs over several servers found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Matrix {
    /// The connector's name.
    pub connector: String,
    /// The servers, in the order in which they were named.
    pub servers: Vec<MatrixServer>,
    /// The capabilities, in the contract's order.
    pub capabilities: Vec<MatrixRow>,
    /// The metrics, sorted by name.
    pub metrics: Vec<MatrixRow>,
}

/// A server, and how the run over it ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MatrixServer {
    /// The name of its credentials.
    pub name: String,
    /// What it calls itself; none where it could not be asked.
    pub product: Option<String>,
    /// How many checks had each verdict; none where it could not be asked.
    pub summary: Option<Summary>,
    /// Why nothing was found out; none where something was.
    pub error: Option<String>,
}

/// What was found of one capability or metric.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MatrixRow {
    /// Its name.
    pub name: String,
    /// Whether the servers that could be asked differ in it.
    pub differs: bool,
    /// What was found, a cell for each server.
    pub cells: Vec<MatrixCell>,
}

/// What was found of it on one server.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct MatrixCell {
    /// The verdict; none where there is none.
    pub verdict: Option<Verdict>,
    /// The checks, or the templates of a metric, that are in its way.
    pub because: Vec<String>,
}

/// What a run over a server came to, by the name of its credentials: a report, or why there is none.
pub type MatrixRun = (String, Result<WarehouseReport, String>);

impl Matrix {
    /// Puts runs side by side.
    #[must_use]
    pub fn of(connector: &str, runs: &[MatrixRun]) -> Self {
        let servers = runs.iter().map(|(name, run)| MatrixServer {
            name: name.clone(),
            product: run.as_ref().ok().map(|report| report.product.clone()),
            summary: run.as_ref().ok().map(|report| report.summary),
            error: run.as_ref().err().cloned(),
        });
        let capabilities = rows(runs, |report| {
            let found = report.capabilities.iter();
            let found = found.map(|found| {
                let cell = MatrixCell {
                    verdict: found.verdict,
                    because: found.because.clone(),
                };
                (found.name.clone(), cell)
            });
            found.collect()
        });
        let metrics = rows(runs, |report| {
            let found = report.metrics.iter();
            let found = found.map(|found| {
                let verdict = if found.supported {
                    Verdict::Supported
                } else {
                    Verdict::Unsupported
                };
                let cell = MatrixCell {
                    verdict: Some(verdict),
                    because: found.because.clone(),
                };
                (found.name.clone(), cell)
            });
            found.collect()
        });
        Self {
            connector: connector.to_owned(),
            servers: servers.collect(),
            capabilities,
            metrics,
        }
    }

    /// What is not the same on all servers.
    pub fn differences(&self) -> impl Iterator<Item = &MatrixRow> {
        let rows = self.capabilities.iter().chain(&self.metrics);
        rows.filter(|row| row.differs)
    }

    /// How many metrics are supported on every server that could be asked, and how many on none.
    #[must_use]
    pub fn metrics_alike(&self) -> (usize, usize) {
        let alike = self.metrics.iter().filter(|row| !row.differs);
        let (on_all, on_none): (Vec<_>, Vec<_>) = alike.partition(|row| {
            let mut cells = row.cells.iter();
            cells.any(|cell| cell.verdict == Some(Verdict::Supported))
        });
        (on_all.len(), on_none.len())
    }

    /// For a pull request: every capability, and the metrics that differ.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut page = format!(
            "### {} on {} servers\n\n",
            code(&self.connector),
            self.servers.len()
        );
        let names = self.servers.iter().map(|server| code(&server.name));
        let _ = writeln!(page, "| | {} |", names.collect::<Vec<_>>().join(" | "));
        let _ = writeln!(page, "|---|{}", ":--|".repeat(self.servers.len()));
        let servers = self.servers.iter().map(|server| {
            let told = server.product.as_ref().or(server.error.as_ref());
            told.map(|told| cell(told)).unwrap_or_default()
        });
        let _ = writeln!(
            page,
            "| server | {} |",
            servers.collect::<Vec<_>>().join(" | ")
        );
        let metrics = self.metrics.iter().filter(|row| row.differs);
        for row in self.capabilities.iter().chain(metrics) {
            let cells = row
                .cells
                .iter()
                .map(|cell| cell.verdict.map_or("", Verdict::name));
            let cells: Vec<&str> = cells.collect();
            let _ = writeln!(page, "| {} | {} |", code(&row.name), cells.join(" | "));
        }
        let (on_all, on_none) = self.metrics_alike();
        let _ = writeln!(
            page,
            "\n{on_all} metrics are supported on every server, {on_none} on none."
        );
        page
    }
}

/// A text as code in a table, where a bar ends the cell.
fn cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

fn rows(
    runs: &[MatrixRun],
    found: impl Fn(&WarehouseReport) -> Vec<(String, MatrixCell)>,
) -> Vec<MatrixRow> {
    let found: Vec<Vec<(String, MatrixCell)>> = runs
        .iter()
        .map(|(_, run)| run.as_ref().map(&found).unwrap_or_default())
        .collect();
    let first = found.iter().find(|each| !each.is_empty());
    let names = first.into_iter().flatten().map(|(name, _)| name);
    names
        .map(|name| {
            let cell_in = |of: &Vec<(String, MatrixCell)>| {
                let cell = of.iter().find(|(other, _)| other == name);
                cell.map(|(_, cell)| cell.clone()).unwrap_or_default()
            };
            let cells: Vec<MatrixCell> = found.iter().map(cell_in).collect();
            let mut asked = cells.iter().zip(runs).filter(|(_, (_, run))| run.is_ok());
            let first = asked.next().map(|(cell, _)| cell.verdict);
            MatrixRow {
                name: name.clone(),
                differs: asked.any(|(cell, _)| Some(cell.verdict) != first),
                cells,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> WarehouseReport {
        let text = include_str!("../tests/written/warehouse.json");
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn what_differs_is_told_of_servers_that_were_asked() {
        let (here, mut there) = (report(), report());
        let capability = &mut there.capabilities[0];
        capability.verdict = Some(match capability.verdict {
            Some(Verdict::Supported) => Verdict::Wrong,
            _ => Verdict::Supported,
        });
        let name = capability.name.clone();
        let run = |name: &str, run| (name.to_owned(), run);
        let runs = [
            run("a", Ok(here.clone())),
            run("b", Ok(there)),
            run("gone", Err("nobody | home".to_owned())),
        ];
        let matrix = Matrix::of("shop", &runs);
        let differ: Vec<&String> = matrix.differences().map(|row| &row.name).collect();
        assert_eq!(differ, [&name]);
        assert!(matrix.markdown().contains("`nobody \\| home` |"));
        let alike = Matrix::of("shop", &[run("a", Ok(here)), runs[2].clone()]);
        assert_eq!(alike.differences().count(), 0);
    }
}
