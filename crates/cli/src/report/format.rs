//! The formats that a report is written in.

use bowline_report::Report;

use super::human::{Next, human};
use super::junit::junit;
use super::pipeline;
use crate::error::CliError;
use crate::output::{Printer, Verbosity};

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people
    Human,
    /// For programs; the schema stands in `docs/reference/test-report.schema.json`
    Json,
    /// For CI services that read JUnit XML
    Junit,
    /// A page for a browser, in one file
    Html,
    /// A summary for a pull request
    Markdown,
}

/// Writes a report to standard output.
pub(crate) fn write(
    printer: &Printer,
    report: &Report,
    format: Format,
    next: Next,
) -> Result<(), CliError> {
    let text = text(report, None, format, next, printer.verbosity())?;
    match format {
        Format::Human => printer.text(&text),
        Format::Json | Format::Junit | Format::Html | Format::Markdown => printer.data(&text),
    }
}

/// A report in a format. The page and the summary say what changed since the report of the run before, and the text for
/// people ends with what is next and shows as many statements as was asked for.
pub(crate) fn text(
    report: &Report,
    previous: Option<&Report>,
    format: Format,
    next: Next,
    verbosity: Verbosity,
) -> Result<String, CliError> {
    Ok(match (format, report) {
        (Format::Human, Report::Warehouse(report)) => human(report, next, verbosity),
        (Format::Human, Report::Pipeline(report)) => pipeline::human(report, next),
        (Format::Json, report) => report.to_json().map_err(|error| {
            CliError::Internal(format!("the report cannot be written as JSON: {error}"))
        })?,
        (Format::Junit, report) => junit(report)?,
        (Format::Html, report) => bowline_report::page::html(report, previous),
        (Format::Markdown, report) => bowline_report::markdown(report, previous),
    })
}
