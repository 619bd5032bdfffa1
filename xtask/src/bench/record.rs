//! The figures as a Markdown table, and that table's place in a document.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::measure::Figures;
use crate::process::{Failure, run_quietly};

const BEGIN: &str = "<!-- figures: written by cargo xtask bench -->\n";
const END: &str = "<!-- end of figures -->\n";
const MEGABYTE: f64 = 1e6;

/// What a measurement should stay under.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Goal {
    time: Option<Duration>,
    megabytes: Option<u32>,
}

impl Goal {
    pub(crate) fn new(time: Duration, megabytes: u32) -> Self {
        Self {
            time: Some(time),
            megabytes: Some(megabytes),
        }
    }

    /// A goal for the time alone.
    pub(crate) fn time(time: Duration) -> Self {
        Self {
            time: Some(time),
            megabytes: None,
        }
    }

    /// A goal for the memory alone.
    pub(crate) fn memory(megabytes: u32) -> Self {
        Self {
            time: None,
            megabytes: Some(megabytes),
        }
    }

    /// No goal: something to compare with.
    pub(crate) fn none() -> Self {
        Self {
            time: None,
            megabytes: None,
        }
    }
}

/// A measured scenario.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    what: &'static str,
    goal: Goal,
    figures: Figures,
}

impl Row {
    pub(crate) fn new(what: &'static str, goal: Goal, figures: Figures) -> Self {
        Self {
            what,
            goal,
            figures,
        }
    }
}

/// The report: where and when it was measured, the table, and the build time if it was asked for.
pub(crate) fn report(rows: &[Row], cold_build: Option<Duration>) -> String {
    let mut text = format!("{}\n\n{}", machine(), table(rows));
    if let Some(time) = cold_build {
        let _ = writeln!(
            text,
            "\nCold release build of the binary: {:.0} s (goal: 360 s).",
            time.as_secs_f64()
        );
    }
    text
}

fn table(rows: &[Row]) -> String {
    let mut text = String::from(
        "| what | median | shortest | goal | peak memory | goal |\n|---|---:|---:|---:|---:|---:|\n",
    );
    for row in rows {
        let _ = writeln!(
            text,
            "| {} | {:.3} s | {:.3} s | {} | {:.0} MB | {} |",
            row.what,
            row.figures.median.as_secs_f64(),
            row.figures.shortest.as_secs_f64(),
            goal(row.goal.time.map(|time| time.as_secs_f64()), "s"),
            megabytes(row.figures.peak_memory),
            goal(row.goal.megabytes, "MB"),
        );
    }
    text
}

fn goal(number: Option<impl std::fmt::Display>, unit: &str) -> String {
    number.map_or_else(String::new, |number| format!("{number} {unit}"))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "memory is far below the 52 bits a float counts exactly"
)]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / MEGABYTE
}

fn machine() -> String {
    let ask = |program: &str, args: &[&str]| {
        run_quietly(Command::new(program).args(args))
            .map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned())
    };
    let processor = fs::read_to_string("/proc/cpuinfo")
        .ok()
        .and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("model name"))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        })
        .unwrap_or_else(|| ask("uname", &["-m"]));
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    format!(
        "Measured on {} with {cores} cores ({processor}), {}, {}.",
        ask("date", &["+%Y-%m-%d"]),
        ask("uname", &["-sr"]),
        ask("rustc", &["--version"]),
    )
}

/// Puts the report between the marks of a document.
pub(crate) fn write(file: &Path, report: &str) -> Result<(), Failure> {
    let shown = file.display();
    let document =
        fs::read_to_string(file).map_err(|error| format!("cannot read `{shown}`: {error}"))?;
    let document = placed(&document, report).ok_or_else(|| {
        format!(
            "no place for the figures in `{shown}`: it lacks `{}`",
            BEGIN.trim()
        )
    })?;
    fs::write(file, document).map_err(|error| format!("cannot write `{shown}`: {error}"))
}

fn placed(document: &str, report: &str) -> Option<String> {
    let (before, rest) = document.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}{report}{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_shows_figures_beside_goals() {
        let row = Row::new(
            "suite",
            Goal::new(Duration::from_millis(400), 100),
            Figures {
                median: Duration::from_millis(151),
                shortest: Duration::from_millis(149),
                peak_memory: 61_500_000,
            },
        );
        let compared = Row {
            goal: Goal::none(),
            ..row
        };
        let table = table(&[row, compared]);
        assert_eq!(
            table.lines().last(),
            Some("| suite | 0.151 s | 0.149 s |  | 62 MB |  |")
        );
        assert_eq!(
            table.lines().rev().nth(1),
            Some("| suite | 0.151 s | 0.149 s | 0.4 s | 62 MB | 100 MB |")
        );
    }

    #[test]
    fn figures_replace_the_old_ones_and_nothing_else() {
        let document = format!("# Title\n{BEGIN}old\n{END}rest\n");
        assert_eq!(
            placed(&document, "new\n").unwrap(),
            format!("# Title\n{BEGIN}new\n{END}rest\n")
        );
        assert!(placed("# Title\n", "new\n").is_none());
    }
}
