//! What a report about a warehouse connector shows.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use bowline_words::beginning;
use maud::{Markup, html};
use serde_json::Value;

use super::check::{Check, expected, labelled, line, line_or_block, link, list};
use super::{LISTED, more, with_code};
use crate::warehouse::{
    CapabilityResult, CheckResult, Culprit, MetricResult, Reason, Rows, Step, TextOrigin,
};
use crate::{Milliseconds, Verdict, WarehouseReport};

/// The most rows of a result that are shown.
const ROWS: usize = 20;
/// The most characters of a value that are shown.
const VALUE: usize = 200;

/// A statement of so many bytes is shown once, and the checks behind the first that it answers name that one.
const LONG: usize = 400;

/// Of each long statement the first check that it answers.
type Shown<'r> = HashMap<&'r str, &'r str>;

/// The page's body; `changed` stands behind what is at fault.
pub(super) fn body(report: &WarehouseReport, changed: Option<Markup>) -> Markup {
    let mut shown = Shown::new();
    let checks = report.checks.iter();
    let checks: Vec<Check<'_>> = checks.map(|found| check(found, &mut shown)).collect();
    let explained: BTreeSet<&String> = report
        .culprits
        .iter()
        .flat_map(|culprit| &culprit.checks)
        .collect();
    let strays: Vec<&CheckResult> = report
        .shortfalls()
        .filter(|check| !explained.contains(&check.id))
        .collect();
    html! {
        @if !report.culprits.is_empty() || !strays.is_empty() {
            section #culprits {
                h2 { "At fault" }
                @for found in &report.culprits { (culprit(report, found)) }
                @for found in strays {
                    article .culprit {
                        h3 { (link(&found.id)) " " (found.title) }
                        (shown_by(found))
                    }
                }
            }
        }
        @if let Some(changed) = changed { (changed) }
        @if !report.left_behind.is_empty() {
            section #left {
                h2 { "Left behind" }
                p { "These statements remove what the run made and could not remove:" }
                @for statement in &report.left_behind { pre { (statement) } }
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
            @if let Some(why) = report.idle_metrics() { p { (with_code(why)) } }
            ul .map { @for found in &report.metrics { (metric(found)) } }
        }
        (list(&report.sections, &checks))
    }
}

fn culprit(report: &WarehouseReport, found: &Culprit) -> Markup {
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
            @if let Some(text) = &found.text { pre { (text) } }
            @if let Some(check) = report.check(&found.check) { (shown_by(check)) }
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

/// What shows a fault: the reason, and the statement behind it.
fn shown_by(found: &CheckResult) -> Markup {
    html! {
        @if let Some(reason) = &found.reason { (why(reason)) }
        @if let Some(step) = found.telling_step() {
            div .labelled { span { "by the statement" } pre { (step.sql) } }
        }
    }
}

/// The checks that hang on a template.
fn tree(title: &str, checks: &[String]) -> Markup {
    html! {
        @if !checks.is_empty() {
            details .tree {
                summary { (title) ": " (checks.len()) }
                ul { @for check in checks.iter().take(LISTED) { li { (link(check)) } } }
                @if checks.len() > LISTED { p { (more(checks.len())) } }
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
    let (class, answer) = match (found.supported, found.is_asked()) {
        (true, _) => ("supported", "supported"),
        (false, true) => ("unsupported", "unsupported"),
        (false, false) => ("not-asked", "not asked"),
    };
    html! {
        li .(class) title=(found.because.join(", ")) {
            span .name { @for part in found.name.split_inclusive('_') { (part) wbr; } }
            span .answer { (answer) }
            @if !found.because.is_empty() {
                span .because { "needs " (found.because.join(", ")) }
            }
        }
    }
}

fn check<'r>(found: &'r CheckResult, shown: &mut Shown<'r>) -> Check<'r> {
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
            @for ran in &found.steps { (step(ran, found, shown)) }
            @if let None | Some(Reason::Database { .. } | Reason::Refused { .. }) = &found.reason {
                (expected(found.expected.as_deref()))
            }
            (names(found))
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
            other => (line_or_block("why", &other.to_string())),
        }
    }
}

/// A statement; of the only one of a check, the line above tells the time already.
fn step<'r>(ran: &'r Step, of: &'r CheckResult, shown: &mut Shown<'r>) -> Markup {
    let time = (of.steps.len() > 1).then(|| super::time(ran.elapsed_ms));
    let shared =
        (ran.shared_with > 0).then(|| format!("in one statement with {} others", ran.shared_with));
    let told: Vec<String> = ran
        .label
        .clone()
        .into_iter()
        .chain(time)
        .chain(shared)
        .collect();
    let markup = html! {
        @if !told.is_empty() { p { (told.join(", ")) } }
        @match shown.get(&*ran.sql) {
            Some(first) if *first == of.id => p { "the same statement again" },
            Some(first) => p { "the statement of " (link(first)) },
            None => pre { (ran.sql) },
        }
        @if let Some(error) = &ran.error { (line_or_block("error", &error.to_string())) }
        @if let Some(result) = &ran.result { (rows(result)) }
    };
    if ran.sql.len() >= LONG {
        shown.entry(&ran.sql).or_insert(&of.id);
    }
    markup
}

fn rows(result: &Rows) -> Markup {
    if let ([row], 1) = (&result.rows[..], result.total_rows)
        && let [value] = &row[..]
        && result.columns.iter().all(String::is_empty)
    {
        return line("came back", &shown(value));
    }
    html! {
        @if !result.columns.is_empty() || !result.rows.is_empty() {
            div .rows {
                table {
                    @if !result.columns.is_empty() {
                        tr { @for column in &result.columns { th { (column) } } }
                    }
                    @for row in result.rows.iter().take(ROWS) {
                        tr { @for value in row { (cell(value)) } }
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
    match value {
        Value::Null => html! { td .null { "NULL" } },
        value => html! { td { (shown(value)) } },
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::String(text) => beginning(text, VALUE),
        other => beginning(&other.to_string(), VALUE),
    }
}

/// The templates and capabilities that a check is about; what it judges is not told again among what it uses.
fn names(found: &CheckResult) -> Markup {
    let uses = found.uses.iter();
    let uses: Vec<&String> = uses.filter(|name| !found.judges.contains(name)).collect();
    let judges: Vec<&String> = found.judges.iter().collect();
    let carries: Vec<&String> = found.carries.iter().collect();
    let told = [("Judges", judges), ("Uses", uses), ("Carries", carries)]
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(label, names)| {
            let names: Vec<&str> = names.into_iter().map(String::as_str).collect();
            format!("{label} {}.", names.join(", "))
        });
    let told: Vec<String> = told.collect();
    html! { @if !told.is_empty() { p { (told.join(" ")) } } }
}
