//! The figures as a Markdown table.

use std::fmt::Write;
use std::time::Duration;

use super::measure::Figures;
use crate::figures::machine;

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
            "| {} | {:.3} s | {:.3} s | {} | {} | {} |",
            row.what,
            row.figures.median.as_secs_f64(),
            row.figures.shortest.as_secs_f64(),
            goal(row.goal.time.map(seconds), "s"),
            memory(row.figures.peak_memory),
            goal(row.goal.megabytes, "MB"),
        );
    }
    text
}

fn goal(number: Option<impl std::fmt::Display>, unit: &str) -> String {
    number.map_or_else(String::new, |number| format!("{number} {unit}"))
}

/// To the millisecond, without zeros at the end.
fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e3).round() / 1e3
}

#[expect(
    clippy::cast_precision_loss,
    reason = "memory is far below the 52 bits a float counts exactly"
)]
fn memory(bytes: u64) -> String {
    match bytes {
        0 => String::new(),
        bytes => format!("{:.0} MB", bytes as f64 / MEGABYTE),
    }
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
}
