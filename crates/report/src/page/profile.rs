//! The metrics of a table as a page, with small charts: shares as bars, percentiles as a strip, and how numbers went from
//! bucket to bucket.

use maud::{Markup, html};

use super::document;

/// What was computed.
#[derive(Debug, Clone)]
pub struct ProfiledTable<'a> {
    /// The connector's name.
    pub connector: &'a str,
    /// The program's version.
    pub bowline_version: &'a str,
    /// The table, as the database's SQL names it.
    pub table: &'a str,
    /// What it was computed of, in words.
    pub about: String,
    /// What else is to be said, a sentence each.
    pub notes: Vec<String>,
    /// The buckets of time and their rows, earliest first; empty where the rows are not put into buckets.
    pub buckets: Vec<(String, i128)>,
    /// The columns.
    pub columns: Vec<ProfiledColumn<'a>>,
}

/// A column.
#[derive(Debug, Clone)]
pub struct ProfiledColumn<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it holds, where that has metrics of its own.
    pub kind: Option<&'a str>,
    /// Its metrics.
    pub metrics: Vec<ProfiledMetric<'a>>,
}

/// A metric.
#[derive(Debug, Clone)]
pub struct ProfiledMetric<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it measures.
    pub measures: &'a str,
    /// It lies between 0 and 1.
    pub is_share: bool,
    /// Its numbers, one for each bucket, or one.
    pub numbers: Vec<ProfiledNumber>,
}

/// A metric's number.
#[derive(Debug, Clone, PartialEq)]
pub struct ProfiledNumber {
    /// As the database gave it, or why there is none.
    pub text: String,
    /// For a chart, where it is a number.
    pub number: Option<f64>,
}

/// The percentiles of a column, and where between its least and greatest value each stands.
const STRIP: [&str; 7] = [
    "approx_quantiles0",
    "percentile_20",
    "percentile_40",
    "numeric_median",
    "percentile_60",
    "percentile_80",
    "approx_quantiles5",
];

/// How wide and high a small chart is, in the units of its picture.
const WIDTH: f64 = 200.0;
const HEIGHT: f64 = 28.0;

/// Writes the metrics of a table as an HTML page, a single file that needs no network.
#[must_use]
pub fn profile(found: &ProfiledTable<'_>) -> String {
    let head = html! {
        h1 { (found.table) }
        p .about { "by connector " (found.connector) ", " (found.about) }
    };
    let body = html! {
        @if !found.notes.is_empty() {
            section #notes {
                h2 { "Notes" }
                ul { @for note in &found.notes { li { (note) } } }
            }
        }
        @if !found.buckets.is_empty() {
            section #rows {
                h2 { "Rows" }
                (course(&found.buckets.iter().map(|(start, rows)| (start.as_str(), Some(*rows as f64), rows.to_string())).collect::<Vec<_>>()))
                p .about { (beginning_and_end(&found.buckets)) }
            }
        }
        nav #columns {
            ul .map {
                @for (number, column) in found.columns.iter().enumerate() {
                    li .unsupported { a href={ "#column-" (number) } { (column.name) } }
                }
            }
        }
        @for (number, column) in found.columns.iter().enumerate() {
            section id={ "column-" (number) } {
                h2 { (column.name) @if let Some(kind) = column.kind { " " span .count { (kind) } } }
                @if found.buckets.is_empty() { (strip(column)) }
                div .rows { (metrics(column, &found.buckets)) }
            }
        }
    };
    let title = format!("{}: metrics", found.table);
    document(found.bowline_version, &title, &head, &body, None)
}

fn beginning_and_end(buckets: &[(String, i128)]) -> String {
    match buckets {
        [] => String::new(),
        [(only, _)] => only.clone(),
        [(first, _), .., (last, _)] => format!("{first} to {last}"),
    }
}

fn metrics(column: &ProfiledColumn<'_>, buckets: &[(String, i128)]) -> Markup {
    let is_whole = buckets.is_empty();
    let titles: &[&str] = if is_whole {
        &["metric", "value", ""]
    } else {
        &[
            "metric",
            "last",
            "least",
            "greatest",
            "from bucket to bucket",
        ]
    };
    html! {
        table {
            thead { tr { @for title in titles { th scope="col" { (title) } } } }
            tbody {
                @for metric in &column.metrics {
                    tr {
                        th scope="row" title=(metric.measures) { (metric.name) }
                        @if is_whole { (single(metric)) } @else { (in_buckets(metric, buckets)) }
                    }
                }
            }
        }
    }
}

fn number(found: Option<&ProfiledNumber>) -> Markup {
    html! {
        td .number .null[found.is_none_or(|found| found.number.is_none())] {
            (found.map_or("", |found| found.text.as_str()))
        }
    }
}

fn single(metric: &ProfiledMetric<'_>) -> Markup {
    let found = metric.numbers.first();
    let share = found
        .and_then(|found| found.number)
        .filter(|_| metric.is_share);
    html! {
        (number(found))
        td {
            @if let Some(share) = share {
                svg .chart viewBox={ "0 0 " (WIDTH) " 10" } width=(WIDTH) height="10" role="img"
                    aria-label={ (format!("{:.1} %", share * 100.0)) } {
                    rect .field width=(WIDTH) height="10" rx="3" {}
                    rect .part width=(place(share.clamp(0.0, 1.0) * WIDTH)) height="10" rx="3" {}
                }
            }
        }
    }
}

fn in_buckets(metric: &ProfiledMetric<'_>, buckets: &[(String, i128)]) -> Markup {
    let present = metric.numbers.iter().filter(|found| found.number.is_some());
    let by_number = |one: &&ProfiledNumber, other: &&ProfiledNumber| {
        let (one, other) = (one.number, other.number);
        one.partial_cmp(&other).unwrap_or(std::cmp::Ordering::Equal)
    };
    let points: Vec<(&str, Option<f64>, String)> = buckets
        .iter()
        .zip(&metric.numbers)
        .map(|((start, _), found)| (start.as_str(), found.number, found.text.clone()))
        .collect();
    html! {
        (number(metric.numbers.last()))
        (number(present.clone().min_by(by_number)))
        (number(present.max_by(by_number)))
        td { (course(&points)) }
    }
}

/// How numbers went from bucket to bucket: a bar for each, with what it stands for. What is missing is a gap.
fn course(points: &[(&str, Option<f64>, String)]) -> Markup {
    let numbers = || {
        points
            .iter()
            .filter_map(|(_, number, _)| *number)
            .filter(|number| number.is_finite())
    };
    let (least, greatest) = numbers().fold((0.0_f64, 0.0_f64), |(least, greatest), number| {
        (least.min(number), greatest.max(number))
    });
    let span = if greatest > least {
        greatest - least
    } else {
        1.0
    };
    let width = WIDTH / points.len().max(1) as f64;
    let height = |number: f64| number / span * (HEIGHT - 2.0);
    let zero = HEIGHT - 1.0 + height(least);
    html! {
        svg .chart viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } width=(WIDTH) height=(HEIGHT) role="img"
            aria-label={ "from " (least) " to " (greatest) } {
            @for (at, (start, number, text)) in points.iter().enumerate() {
                @if let Some(number) = number.filter(|number| number.is_finite()) {
                    @let bar = height(number);
                    rect .part x=(place(at as f64 * width)) width=(place((width * 0.85).max(0.4)))
                        y=(place(zero - bar.max(0.0) - 0.5)) height=(place(bar.abs() + 1.0)) {
                        title { (start) ": " (text) }
                    }
                }
            }
        }
    }
}

/// Where a column's percentiles lie between its least and its greatest value.
fn strip(column: &ProfiledColumn<'_>) -> Markup {
    let value = |name: &str| {
        let metric = column.metrics.iter().find(|metric| metric.name == name)?;
        let found = metric.numbers.first()?;
        Some((found.number.filter(|number| number.is_finite())?, found))
    };
    let marks: Vec<_> = STRIP.iter().filter_map(|name| value(name)).collect();
    let ends = (marks.first(), marks.last());
    let (Some((least, first)), Some((greatest, last)), 7) = (ends.0, ends.1, marks.len()) else {
        return html! {};
    };
    let at = |number: f64| {
        let share = (number - least) / (greatest - least);
        place(if share.is_finite() {
            share * WIDTH * 2.0
        } else {
            0.0
        })
    };
    html! {
        div .strip {
            span .number { (first.text) }
            svg .chart viewBox={ "0 0 " (WIDTH * 2.0) " 16" } preserveAspectRatio="none" role="img" aria-label="where the values lie" {
                rect .field width=(WIDTH * 2.0) height="16" rx="3" {}
                rect .part x=(at(marks[1].0)) width=(place(at(marks[5].0) - at(marks[1].0))) height="16" {
                    title { "three fifths of the rows lie between " (marks[1].1.text) " and " (marks[5].1.text) }
                }
                rect .middle x=(at(marks[3].0)) width="2" height="16" { title { "median " (marks[3].1.text) } }
            }
            span .number { (last.text) }
        }
    }
}

/// A place in a picture, to a hundredth.
fn place(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}
