//! What a report about a pipeline connector shows.

use maud::{Markup, html};

use super::check::{Check, expected, labelled, line_or_block, link, list};
use crate::PipelineReport;
use crate::pipeline::{CheckResult, FeatureResult, Reading, Reason};

/// The page's body; `changed` stands behind what is at fault.
pub(super) fn body(report: &PipelineReport, changed: Option<Markup>) -> Markup {
    let checks: Vec<Check<'_>> = report.checks.iter().map(check).collect();
    html! {
        @if report.shortfalls().next().is_some() {
            section #culprits {
                h2 { "At fault" }
                @for found in report.shortfalls() {
                    article .culprit {
                        h3 { (link(&found.id)) " " (super::with_code(&found.title)) }
                        (why(found))
                    }
                }
            }
        }
        @if let Some(changed) = changed { (changed) }
        @if !report.unmapped.is_empty() {
            section #unmapped {
                h2 { "Statuses that are not mapped" }
                ul { @for status in &report.unmapped { li { code { (status.word) } ", seen " (status.seen) " times" } } }
            }
        }
        @if !report.warnings.is_empty() {
            section #warnings {
                h2 { "What the vendor says" }
                ul { @for warning in &report.warnings { li { (warning) } } }
            }
        }
        section #features {
            h2 { "Optional features " span .count {
                (report.features.iter().filter(|found| found.answer.name() == "yes").count()) " of " (report.features.len())
            } }
            ul .map { @for found in &report.features { (feature(found)) } }
        }
        (list(&report.sections, &checks))
        @if !report.readings.is_empty() { (readings(&report.readings)) }
    }
}

fn feature(found: &FeatureResult) -> Markup {
    let class = match found.answer.name() {
        "yes" => "supported",
        "no" => "unsupported",
        _ => "unknown",
    };
    html! {
        li .(class) {
            span .name { (found.name) }
            span .answer { (found.answer.name()) }
            span .because { (super::with_code(&found.why)) }
            @if !found.records.is_empty() {
                details { summary { "seen in" } @for record in &found.records { pre { (record) } } }
            }
        }
    }
}

fn check(found: &CheckResult) -> Check<'_> {
    Check {
        id: &found.id,
        section: &found.section,
        title: &found.title,
        tier: found.tier,
        verdict: found.verdict,
        elapsed: found.elapsed_ms,
        is_open: found.is_shortfall(),
        inside: html! {
            (why(found))
            @if found.reason.is_none() { (expected(None)) }
            @for words in &found.advice { (labelled("advice", words)) }
            @if !found.basis.is_empty() { (labelled("rests on", &found.basis)) }
        },
    }
}

fn why(found: &CheckResult) -> Markup {
    html! {
        @match &found.reason {
            Some(Reason::Answer { expected, got, evidence, hint }) => {
                (labelled("expected", expected))
                (labelled("got", got))
                @if !evidence.is_empty() { (labelled("shown by", &evidence.join("\n"))) }
                @if let Some(hint) = hint { (labelled("hint", hint)) }
            },
            Some(other) => (line_or_block("why", &other.to_string())),
            None => {},
        }
    }
}

/// Every reading of the vendor: what the verdicts rest on.
fn readings(readings: &[Reading]) -> Markup {
    html! {
        section #readings {
            h2 { "Readings" }
            div .rows {
                table {
                    thead { tr {
                        @for title in ["what", "records", "events", "passed over", "outside", "repeated", "requests", "time"] {
                            th { (title) }
                        }
                    } }
                    tbody {
                        @for reading in readings {
                            tr {
                                td {
                                    (reading.what)
                                    @if let Some(error) = &reading.error { p .label { (error) } }
                                }
                                @for count in [
                                    reading.records, reading.events, reading.passed_over, reading.outside, reading.repeated,
                                ] { td .number { (count) } }
                                td .number { (reading.requests) }
                                td .number { (super::time(reading.elapsed_ms)) }
                            }
                        }
                    }
                }
            }
        }
    }
}
