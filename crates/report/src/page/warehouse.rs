//! What a report about a warehouse connector shows.

use std::time::Duration;

use maud::{Markup, html};
use serde_json::Value;

use super::check::{Check, labelled, link, list};
use crate::warehouse::{
    CapabilityResult, CheckResult, Culprit, MetricResult, Reason, Rows, Step, TextOrigin,
};
use crate::{Milliseconds, Verdict, WarehouseReport};

/// The most rows of a result that are shown.
const ROWS: usize = 20;
/// The most characters of a value that are shown.
const VALUE: usize = 200;

/// The page's body; `changed` stands behind what is at fault.
pub(super) fn body(report: &WarehouseReport, changed: Option<Markup>) -> Markup {
    let checks: Vec<Check<'_>> = report.checks.iter().map(check).collect();
    html! {
        @if !report.culprits.is_empty() {
            section #culprits {
                h2 { "At fault" }
                @for found in &report.culprits { (culprit(report, found)) }
            }
        }
        @if let Some(changed) = changed { (changed) }
        @if !report.left_behind.is_empty() {
            section #left {
                h2 { "Left behind" }
                p { "These statements remove what the run made and could not remove:" }
                @for statement in &report.left_behind { pre .sql { (statement) } }
            }
        }
        section #capabilities {
            h2 { "Capabilities" }
            ul .map { @for found in &report.capabilities { (capability(found)) } }
        }
        @if let Some(measured) = &report.catalogue {
            section #catalogue {
                h2 { "Catalogue" }
                ul { @for line in measured.lines() { li { (line) } } }
            }
        }
        section #metrics {
            h2 { "Metrics " span .count {
                (report.metrics.iter().filter(|metric| metric.supported).count()) " of " (report.metrics.len())
            } }
            ul .map { @for found in &report.metrics { (metric(found)) } }
        }
        (list(&report.sections, &checks))
    }
}

fn culprit(report: &WarehouseReport, found: &Culprit) -> Markup {
    let check = report.check(&found.check);
    let reason = check.and_then(|check| check.reason.as_ref());
    html! {
        article .culprit {
            h3 { code { (found.template) } }
            p {
                @match &found.place {
                    Some(TextOrigin::File(at)) => { "stands in " code { (at) } },
                    Some(TextOrigin::Pack(pack)) => { "stands in the dialect pack " code { (pack) } },
                    None => "the connector lacks it",
                }
                "; shown best by " (link(&found.check))
            }
            @if let Some(text) = &found.text { pre .sql { (text) } }
            @if let Some(reason) = reason { (why(reason)) }
            @if let Some(needs) = &found.needs { (labelled("needs", needs)) }
            @if let Some(hint) = &found.hint { (labelled("hint", hint)) }
            @if let Some(mend) = &found.mend {
                (labelled(&format!("with the spelling of `{}` the check passes", mend.pack), &mend.text))
            }
            (tree("Fell short because of it", &found.checks))
            (tree("Blocked by it", &found.blocks))
        }
    }
}

/// The checks that hang on a template.
fn tree(title: &str, checks: &[String]) -> Markup {
    html! {
        @if !checks.is_empty() {
            details .tree {
                summary { (title) ": " (checks.len()) }
                ul { @for check in checks { li { (link(check)) } } }
            }
        }
    }
}

fn capability(found: &CapabilityResult) -> Markup {
    let verdict = found.verdict.map_or("not-asked", Verdict::name);
    html! {
        li .(verdict) title=(found.because.join(", ")) {
            span .name { (found.name.trim_start_matches("supports_").replace('_', " ")) }
            span .answer { @if found.verdict.is_none() { "not asked" } @else { (verdict) } }
            @if !found.because.is_empty() {
                span .because { @for check in found.because.iter().take(3) { (link(check)) " " } }
            }
        }
    }
}

fn metric(found: &MetricResult) -> Markup {
    let class = if found.supported {
        "supported"
    } else {
        "unsupported"
    };
    html! {
        li .(class) title=(found.because.join(", ")) {
            span .name { (found.name) }
            @if !found.because.is_empty() {
                span .because { "needs " (found.because.join(", ")) }
            }
        }
    }
}

fn check(found: &CheckResult) -> Check<'_> {
    let elapsed: Duration = found
        .steps
        .iter()
        .map(|step| Duration::from(step.elapsed_ms))
        .sum();
    Check {
        id: &found.id,
        section: &found.section,
        title: &found.title,
        tier: found.tier,
        verdict: found.verdict,
        elapsed: (!found.steps.is_empty()).then(|| Milliseconds::from(elapsed)),
        is_open: found.is_shortfall(),
        inside: html! {
            @if let Some(reason) = &found.reason { (why(reason)) }
            @for words in &found.advice { (labelled("advice", words)) }
            @for ran in &found.steps { (step(ran)) }
            (names("Judges", &found.judges))
            (names("Uses", &found.uses))
            (names("Carries", &found.carries))
        },
    }
}

fn why(reason: &Reason) -> Markup {
    html! {
        @match reason {
            Reason::Answer { expected, got } => {
                (labelled("expected", expected))
                (labelled("got", got))
            },
            other => (labelled("why", &other.to_string())),
        }
    }
}

fn step(ran: &Step) -> Markup {
    html! {
        div .step {
            p .label {
                @if let Some(label) = &ran.label { (label) ", " }
                (super::time(ran.elapsed_ms))
                @if ran.shared_with > 0 { ", in one statement with " (ran.shared_with) " others" }
            }
            pre .sql { (ran.sql) }
            @if let Some(error) = &ran.error { (labelled("error", &error.to_string())) }
            @if let Some(result) = &ran.result { (rows(result)) }
        }
    }
}

fn rows(result: &Rows) -> Markup {
    html! {
        @if !result.columns.is_empty() || !result.rows.is_empty() {
            div .rows {
                table {
                    @if !result.columns.is_empty() {
                        thead { tr { @for column in &result.columns { th { (column) } } } }
                    }
                    tbody {
                        @for row in result.rows.iter().take(ROWS) {
                            tr { @for value in row { (cell(value)) } }
                        }
                    }
                }
            }
            @let shown = result.rows.len().min(ROWS);
            @if result.total_rows > shown {
                p .label { "the first " (shown) " of " (result.total_rows) " rows" }
            }
        }
    }
}

fn cell(value: &Value) -> Markup {
    let text = match value {
        Value::Null => return html! { td .null { "NULL" } },
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut shown: String = text.chars().take(VALUE).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    html! { td { (shown) } }
}

fn names(label: &str, names: &[String]) -> Markup {
    html! {
        @if !names.is_empty() {
            p .names { span { (label) } @for name in names { " " code { (name) } } }
        }
    }
}
