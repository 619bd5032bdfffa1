//! One connector over several servers, side by side.

use bowline_contract::SuiteSection;
use bowline_report::{Conclusion, Matrix, MatrixRow, Report, Verdict};
use bowline_warehouse::Connector;
use bowline_words::Diagnose;
use bowline_workbench::WorkbenchError;
use bowline_workbench::warehouse;

use super::{TestArgs, with_progress, written};
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;
use crate::listing::Listing;
use crate::report::Format;
use crate::style::{BAD, GOOD, OPEN, QUIET, STRONG, paint};

/// Proves a connector against each server in turn: two names may lead to one server, where runs would change the same
/// table. A server that cannot be asked keeps none of the others from being shown.
pub(super) fn exec(
    context: &Context,
    connector: &Connector,
    sections: &[SuiteSection],
    args: &TestArgs,
) -> Result<Ended, CliError> {
    if matches!(args.format, Format::Junit | Format::Html) {
        return Err(CliError::usage(
            "`--against` is shown as a matrix, which has no form of that kind",
            "use `--format human`, `json` or `markdown`",
        ));
    }
    if let Some(name) = args.against.iter().find(|name| !is_name(name)) {
        return Err(CliError::usage(
            format!("`{name}` is no name of credentials"),
            "name them by what stands between `credentials.` and `.json`: letters, digits, `-` and `_`",
        ));
    }
    let run = context.interruptible()?;
    let options = args.suite.options(sections);
    let (mut runs, mut conclusions, mut failed) = (Vec::new(), Vec::new(), None);
    for name in &args.against {
        let proven = with_progress(context, |on_event| {
            warehouse::prove_against(name, connector, &options, run, on_event)
        });
        let found = match proven {
            Ok(report) => {
                conclusions.push(report.conclusion());
                let Report::Warehouse(report) = written(context, connector, &report) else {
                    continue;
                };
                Ok(report)
            }
            Err(error @ WorkbenchError::Interrupted) => return Err(error.into()),
            Err(error) => {
                let told = why(&error);
                failed.get_or_insert(error);
                Err(told)
            }
        };
        runs.push((name.clone(), found));
        if conclusions.last() == Some(&Conclusion::Interrupted) {
            break;
        }
    }
    let matrix = Matrix::of(connector.name.as_str(), &runs);
    match args.format {
        Format::Human | Format::Junit | Format::Html => context.printer.text(&page(&matrix))?,
        Format::Markdown => context.printer.data(&matrix.markdown())?,
        Format::Json => {
            let text = serde_json::to_string_pretty(&matrix)
                .map_err(|error| CliError::Internal(error.to_string()))?;
            context.printer.data(&format!("{text}\n"))?;
        }
    }
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(conclusions
            .into_iter()
            .min()
            .unwrap_or(Conclusion::Fine)
            .into()),
    }
}

fn is_name(name: &str) -> bool {
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    !name.is_empty() && name.chars().all(is_letter)
}

/// An error in one line.
fn why(error: &WorkbenchError) -> String {
    let told = error.diagnose();
    [vec![told.what], told.causes].concat().join(": ")
}

fn page(matrix: &Matrix) -> String {
    let mut page = Listing::default();
    page.line(paint(STRONG, &matrix.connector));
    for server in &matrix.servers {
        page.field(
            &server.name,
            match (&server.product, &server.error) {
                (Some(product), _) => product,
                (None, Some(error)) => error,
                (None, None) => "",
            },
        );
    }
    table(&mut page, "capabilities", matrix, &matrix.capabilities);
    let differing: Vec<MatrixRow> = matrix
        .metrics
        .iter()
        .filter(|row| row.differs)
        .cloned()
        .collect();
    table(&mut page, "metrics", matrix, &differing);
    let (on_all, on_none) = matrix.metrics_alike();
    page.line(paint(
        QUIET,
        format!("  {on_all} metrics are supported on every server, {on_none} on none"),
    ));
    if matrix.differences().next().is_none() {
        return page.finish();
    }
    page.heading("what differs");
    for row in matrix.differences() {
        for (server, cell) in matrix.servers.iter().zip(&row.cells) {
            if !cell.because.is_empty() {
                let first = format!("  {} on {}: ", row.name, server.name);
                page.prose(&first, "      ", &cell.because.join(", "));
            }
        }
    }
    page.finish()
}

/// A row for each name, a column for each server.
fn table(page: &mut Listing, title: &str, matrix: &Matrix, rows: &[MatrixRow]) {
    page.heading(title);
    let names = matrix.servers.iter().map(|server| server.name.as_str());
    let widths: Vec<usize> = names.clone().map(|name| name.len().max(LONGEST)).collect();
    let longest = rows
        .iter()
        .map(|row| row.name.len())
        .max()
        .unwrap_or_default();
    if rows.is_empty() {
        return;
    }
    let head = names
        .zip(&widths)
        .map(|(name, width)| format!("  {name:width$}"));
    page.line(format!("  {:longest$}{}", "", head.collect::<String>()).trim_end());
    for row in rows {
        let cells = row.cells.iter().zip(&widths).map(|(cell, width)| {
            let name = cell.verdict.map_or("-", Verdict::name);
            let style = match cell.verdict {
                Some(Verdict::Supported) => GOOD,
                Some(Verdict::Wrong | Verdict::Unsupported | Verdict::Blocked) => BAD,
                Some(Verdict::Unknown) => OPEN,
                None => QUIET,
            };
            let blank = " ".repeat(width - name.len());
            format!("  {}{blank}", paint(style, name))
        });
        let cells = cells.collect::<String>();
        page.line(format!("  {:longest$}{}", row.name, cells.trim_end()));
    }
}

/// The length of the longest verdict's name.
const LONGEST: usize = "unsupported".len();
