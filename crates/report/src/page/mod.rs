//! A report, a look at a job and a run, or the metrics of a table, as a page: one HTML file that needs no network, for reading, sending on and printing.

mod changes;
mod check;
mod inspection;
mod pipeline;
mod profile;
mod warehouse;

use std::time::Duration;

use bowline_words::visible;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::{Conclusion, Milliseconds, Report, Summary, Verdict};

pub use changes::{Change, Changes};
pub use inspection::{Inspected, Inspection, Origin, inspection};
pub use profile::{ProfiledColumn, ProfiledMetric, ProfiledNumber, ProfiledTable, profile};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Writes a report as an HTML page. What changed is told when the report of the run before is given, if that is about
/// the same connector.
#[must_use]
pub fn html(report: &Report, previous: Option<&Report>) -> String {
    let head = Head::of(report);
    let changes = previous.and_then(|previous| Changes::between(previous, report));
    let above = html! {
        h1 { (head.connector) " " span class={ "verdict " (head.tone()) } { (head.headline()) } }
        p .about { (head.about) }
        (tiles(&head.summary))
        @if let Some(step) = report.next_step() {
            p .next { b { "Next: " } (with_code(step.words())) }
        }
    };
    let changed = changes.as_ref().map(changed);
    let body = match report {
        Report::Warehouse(report) => warehouse::body(report, changed),
        Report::Pipeline(report) => pipeline::body(report, changed),
    };
    let title = format!("{}: {}", head.connector, head.headline());
    document(head.bowline_version, &title, &above, &body, Some(SCRIPT))
}

/// A page around what it is about, with everything that it needs in it.
fn document(
    bowline_version: &str,
    title: &str,
    above: &Markup,
    body: &Markup,
    script: Option<&str>,
) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content={ "bowline " (bowline_version) };
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                @if script.is_some() { a .skip href="#checks" { "To the checks" } }
                header {
                    p .mark { "Bowline " (bowline_version) }
                    (above)
                }
                main { (body) }
                @if let Some(script) = script { script { (PreEscaped(script)) } }
            }
        }
    };
    // A carriage return before a line end is as much of it to a browser.
    visible(&page.into_string().replace("\r\n", "\n"))
}

/// What stands above everything else, whatever the report is about.
pub(crate) struct Head<'a> {
    pub(crate) connector: &'a str,
    pub(crate) bowline_version: &'a str,
    pub(crate) conclusion: Conclusion,
    /// Whether every section ran.
    pub(crate) is_whole: bool,
    pub(crate) summary: Summary,
    /// What was asked, of what, and how long it took.
    pub(crate) about: String,
}

impl<'a> Head<'a> {
    pub(crate) fn of(report: &'a Report) -> Self {
        let is_whole = report.is_whole();
        match report {
            Report::Warehouse(report) => {
                let product = match report.product.as_str() {
                    "" => "a database that was not reached",
                    product => product,
                };
                let connections = match report.connections {
                    1 => "one connection".to_owned(),
                    several => format!("{several} connections"),
                };
                Self {
                    connector: &report.connector,
                    bowline_version: &report.bowline_version,
                    conclusion: report.conclusion(),
                    is_whole,
                    summary: report.summary,
                    about: format!(
                        "{product}, {} tier, {connections}, {}{}",
                        report.tier.name(),
                        time(report.elapsed_ms),
                        report
                            .began
                            .as_ref()
                            .map_or_else(String::new, |began| format!(", begun {began}"))
                    ),
                }
            }
            Report::Pipeline(report) => Self {
                connector: &report.connector,
                bowline_version: &report.bowline_version,
                conclusion: report.conclusion(),
                is_whole,
                summary: report.summary,
                about: format!(
                    "runs from {} to {}, {} tier, {}, begun {}",
                    report.window.start,
                    report.window.end,
                    report.tier.name(),
                    time(report.elapsed_ms),
                    // A run looks back from when it begins.
                    report.window.end
                ),
            },
        }
    }

    /// The run's end in words.
    pub(crate) fn headline(&self) -> &'static str {
        match self.conclusion {
            Conclusion::Interrupted => "interrupted",
            Conclusion::FellShort => "falls short",
            Conclusion::Inconclusive => "nothing is wrong, something is unknown",
            Conclusion::Fine if self.is_whole => "proven",
            Conclusion::Fine => "nothing is wrong in the sections that ran",
        }
    }

    fn tone(&self) -> &'static str {
        match self.conclusion {
            Conclusion::FellShort => "wrong",
            Conclusion::Interrupted | Conclusion::Inconclusive => "unknown",
            Conclusion::Fine if self.is_whole => "supported",
            Conclusion::Fine => "unknown",
        }
    }
}

/// How many checks have each verdict; each is a button that shows only these.
fn tiles(summary: &Summary) -> Markup {
    html! {
        div .tiles role="group" aria-label="Show checks by verdict" {
            @for verdict in Verdict::ALL {
                button type="button" class={ "tile " (verdict.name()) } data-verdict=(verdict.name())
                    aria-pressed="false" disabled[summary.count(verdict) == 0] {
                    strong { (summary.count(verdict)) } " " (verdict.name())
                }
            }
        }
    }
}

/// A sentence whose parts between backticks are code.
fn with_code(words: &str) -> Markup {
    html! {
        @for (number, part) in words.split('`').enumerate() {
            @if number % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

fn changed(changes: &Changes) -> Markup {
    html! {
        section #changes {
            h2 { "Since the run before" }
            @if changes.is_empty() {
                p { "Every check has the verdict it had." }
            } @else {
                ul {
                    @for change in changes.iter().take(LISTED) {
                        li .(change.after.map_or("gone", Verdict::name)) {
                            code { (change.check) } ": "
                            (change.before.map_or("not asked", Verdict::name)) " → "
                            (change.after.map_or("not asked", Verdict::name))
                        }
                    }
                }
                @let count = changes.iter().count();
                @if count > LISTED { p { (more(count)) } }
            }
        }
    }
}

/// How many checks a list beside that of all checks shows at most.
const LISTED: usize = 100;

/// How many of a long list are not shown.
fn more(count: usize) -> String {
    format!("and {} more", count - LISTED)
}

/// A time span as people read it.
pub(crate) fn time(elapsed: Milliseconds) -> String {
    let elapsed = Duration::from(elapsed);
    match elapsed.as_secs_f64() {
        long if long >= 1.0 => format!("{long:.2} s"),
        short => format!("{:.1} ms", short * 1_000.0),
    }
}
