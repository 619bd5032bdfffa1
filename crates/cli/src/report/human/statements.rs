//! The statements behind checks, with their times and the beginnings of their rows.

use std::time::Duration;

use bowline_report::warehouse::{CheckResult, Rows, Step};
use bowline_words::{counted, visible};

use super::HumanReport;
use crate::output::Verbosity;
use crate::style::{BAD, CODE, QUIET, STRONG, paint};

/// The most rows of a result that are shown.
const ROWS: usize = 10;
/// What lists what the other checks of metadata look into: when those see nothing, it is what to look at.
const LISTS: [&str; 2] = ["metadata/databases", "metadata/schemas"];

impl<'a> HumanReport<'a> {
    /// The statements behind checks that could not be answered, where more was asked for.
    pub(super) fn behind(&mut self, ids: &[&str]) {
        if self.verbosity < Verbosity::Verbose {
            return;
        }
        let report = self.report;
        let lists = LISTS.iter().copied().filter(|list| {
            let follows = |id: &&str| id.starts_with("metadata/") && id != list;
            ids.iter().any(follows) && !ids.contains(list)
        });
        for check in lists
            .chain(ids.iter().copied())
            .filter_map(|id| report.check(id))
        {
            self.asked(check);
        }
    }

    /// The statements of every check, where all of them were asked for.
    pub(super) fn statements(&mut self) {
        if self.verbosity < Verbosity::Statements {
            return;
        }
        self.listing.heading("Statements");
        for check in &self.report.checks {
            self.asked(check);
        }
    }

    fn asked(&mut self, check: &'a CheckResult) {
        if check.steps.is_empty() || self.shown.contains(&check.id.as_str()) {
            return;
        }
        self.shown.push(&check.id);
        self.listing.line(format!(
            "    {} {}",
            paint(STRONG, &check.id),
            paint(QUIET, check.verdict.name())
        ));
        for step in &check.steps {
            self.step(step);
        }
    }

    fn step(&mut self, step: &Step) {
        let time = format!(
            "{:.1} ms",
            Duration::from(step.elapsed_ms).as_secs_f64() * 1000.0
        );
        let shared = match step.shared_with {
            0 => String::new(),
            others => format!(", with {} in one statement", counted(others, "other check")),
        };
        self.listing.block("sql", &step.sql, CODE);
        self.listing.field("took", &format!("{time}{shared}"));
        if let Some(rows) = &step.result {
            self.listing.block("rows", &lines(rows), STRONG);
        }
        if let Some(error) = &step.error {
            self.listing.block("error", &error.to_string(), BAD);
        }
    }
}

/// A result as lines: the names of the columns, the first rows, how many more there are.
fn lines(rows: &Rows) -> String {
    let mut text = rows.columns.join(" | ");
    for row in rows.rows.iter().take(ROWS) {
        let values: Vec<String> = row
            .iter()
            .map(|value| match value {
                serde_json::Value::String(text) => visible(text),
                value => value.to_string(),
            })
            .collect();
        text.push('\n');
        text.push_str(&values.join(" | "));
    }
    match rows.total_rows.saturating_sub(rows.rows.len().min(ROWS)) {
        0 if rows.total_rows == 0 => text.push_str("\n(no rows)"),
        0 => {}
        more => text.push_str(&format!("\n… {}", counted(more, "more row"))),
    }
    text
}
