//! A report as Markdown, short enough for a pull request.

use std::fmt::Write as _;

use bowline_words::visible;

use crate::page::{Changes, Head};
use crate::{Report, Verdict};

/// The most lines of a list.
const LINES: usize = 10;

/// Writes the summary. What changed is told when the report of the run before is given.
#[must_use]
pub fn markdown(report: &Report, previous: Option<&Report>) -> String {
    let head = Head::of(report);
    let mut page = format!(
        "### {}: {}\n\n{}\n\n",
        code(head.connector),
        head.headline(),
        code(&head.about)
    );
    let counts = Verdict::ALL.map(|verdict| (verdict.name(), head.summary.count(verdict)));
    let row = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    page += &row(counts.iter().map(|(name, _)| (*name).to_owned()).collect());
    page += &row(counts.iter().map(|_| "--:".to_owned()).collect());
    page += &row(counts.iter().map(|(_, count)| count.to_string()).collect());
    section(&mut page, "At fault", faults(report));
    if let Some(changes) = previous.and_then(|previous| Changes::between(previous, report)) {
        let name = |verdict: Option<Verdict>| verdict.map_or("not asked", Verdict::name);
        let lines = changes.iter().map(|change| {
            format!(
                "{}: {} → {}",
                code(&change.check),
                name(change.before),
                name(change.after)
            )
        });
        section(&mut page, "Since the run before", lines.collect());
    }
    section(&mut page, "Could not be found out", unknown(report));
    section(&mut page, "", maps(report));
    page
}

fn section(page: &mut String, title: &str, lines: Vec<String>) {
    if lines.is_empty() {
        return;
    }
    match title {
        "" => page.push('\n'),
        title => {
            let _ = write!(page, "\n**{title}**\n\n");
        }
    }
    for line in lines.iter().take(LINES) {
        let _ = writeln!(page, "- {line}");
    }
    if lines.len() > LINES {
        let _ = writeln!(page, "- and {} more", lines.len() - LINES);
    }
}

/// What is wrong: templates with what they block, else checks.
fn faults(report: &Report) -> Vec<String> {
    match report {
        Report::Warehouse(report) if !report.culprits.is_empty() => {
            let culprits = report.culprits.iter();
            culprits
                .map(|culprit| {
                    let why = report
                        .check(&culprit.check)
                        .and_then(|check| check.reason.as_ref());
                    let why =
                        why.map_or_else(String::new, |why| format!(": {}", code(&why.to_string())));
                    let blocks = match culprit.blocks.len() {
                        0 => String::new(),
                        count => format!(" (blocks {count})"),
                    };
                    format!(
                        "{}{blocks}, by {}{why}",
                        code(&culprit.template),
                        code(&culprit.check)
                    )
                })
                .collect()
        }
        Report::Warehouse(report) => report
            .shortfalls()
            .map(|check| fault(&check.id, check.reason.as_ref()))
            .collect(),
        Report::Pipeline(report) => report
            .shortfalls()
            .map(|check| fault(&check.id, check.reason.as_ref()))
            .collect(),
    }
}

fn unknown(report: &Report) -> Vec<String> {
    match report {
        Report::Warehouse(report) => report
            .checks
            .iter()
            .filter(|check| check.is_open())
            .map(|check| fault(&check.id, check.reason.as_ref()))
            .collect(),
        Report::Pipeline(report) => report
            .checks
            .iter()
            .filter(|check| check.is_open())
            .map(|check| fault(&check.id, check.reason.as_ref()))
            .collect(),
    }
}

fn fault(id: &str, reason: Option<&impl std::fmt::Display>) -> String {
    match reason {
        Some(reason) => format!("{}: {}", code(id), code(&reason.to_string())),
        None => code(id),
    }
}

/// What the connector has: capabilities and metrics, or features.
fn maps(report: &Report) -> Vec<String> {
    match report {
        Report::Warehouse(report) => {
            let supported = report
                .capabilities
                .iter()
                .filter(|found| found.verdict == Some(Verdict::Supported));
            let open = report.capabilities.iter();
            let open = open.filter(|found| found.verdict.is_none()).count();
            let metrics = report
                .metrics
                .iter()
                .filter(|metric| metric.supported)
                .count();
            let untested = report.metrics.iter();
            let untested = untested.filter(|metric| !metric.is_asked()).count();
            vec![
                format!(
                    "{} of {} capabilities{}",
                    supported.count(),
                    report.capabilities.len(),
                    not_asked(open)
                ),
                format!(
                    "{metrics} of {} metrics{}{}",
                    report.metrics.len(),
                    not_asked(untested),
                    report
                        .idle_metrics()
                        .map(|why| format!("; {why}"))
                        .unwrap_or_default()
                ),
            ]
        }
        Report::Pipeline(report) => {
            let there = report
                .features
                .iter()
                .filter(|found| found.answer.name() == "yes")
                .count();
            vec![format!(
                "{there} of {} optional features",
                report.features.len()
            )]
        }
    }
}

/// How many of those that are not there this run did not ask about.
fn not_asked(count: usize) -> String {
    match count {
        0 => String::new(),
        count => format!(" ({count} not asked about in this run)"),
    }
}

/// The first line of a text, short, as code: nothing in there is markup, calls people by their names or becomes a link.
pub(crate) fn code(text: &str) -> String {
    const LONGEST: usize = 160;
    let line = visible(text.lines().next().unwrap_or_default());
    let mut short: String = line.chars().take(LONGEST).collect();
    if short.len() < text.trim_end().len() {
        short.push('…');
    }
    if short.trim().is_empty() {
        return String::new();
    }
    let runs = short.split(|letter| letter != '`').map(str::len);
    let fence = "`".repeat(runs.max().unwrap_or_default() + 1);
    let pad = if fence.len() > 1 { " " } else { "" };
    format!("{fence}{pad}{short}{pad}{fence}")
}
