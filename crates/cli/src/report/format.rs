//! The formats that a report is written in.

use bowline_report::Report;

use super::human::{Next, human};
use super::junit::junit;
use super::pipeline;
use crate::error::CliError;
use crate::output::Printer;

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people
    Human,
    /// For programs; the schema stands in `docs/reference/test-report.schema.json`
    Json,
    /// For CI services that read JUnit XML
    Junit,
}

/// Writes a report to standard output.
pub(crate) fn write(
    printer: &Printer,
    report: &Report,
    format: Format,
    next: Next,
) -> Result<(), CliError> {
    match (format, report) {
        (Format::Human, Report::Warehouse(report)) => printer.text(&human(report, next)),
        (Format::Human, Report::Pipeline(report)) => printer.text(&pipeline::human(report, next)),
        (Format::Json, report) => printer.data(&report.to_json().map_err(|error| {
            CliError::Internal(format!("the report cannot be written as JSON: {error}"))
        })?),
        (Format::Junit, report) => printer.data(&junit(report)?),
    }
}
