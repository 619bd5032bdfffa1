//! One job and one run of a pipeline as a page: each as the platform gets it, and where its fields come from.

use maud::{Markup, html};
use serde_json::Value;

use super::check::labelled;
use super::document;

/// What was found out about one job and one run.
#[derive(Debug, Clone)]
pub struct Inspection<'a> {
    /// The connector's name.
    pub connector: &'a str,
    /// The program's version.
    pub bowline_version: &'a str,
    /// What is wrong with the two, a sentence each.
    pub wrong: Vec<String>,
    /// What else is to be said, a sentence each.
    pub notes: Vec<String>,
    /// The job and the run, as far as they were found.
    pub events: Vec<Inspected<'a>>,
}

/// A job or a run.
#[derive(Debug, Clone)]
pub struct Inspected<'a> {
    /// What it is, such as `Run`.
    pub title: String,
    /// The event, as the platform gets it.
    pub event: &'a Value,
    /// The vendor's record that it came from, where that is known.
    pub record: Option<&'a Value>,
    /// The record which that one was found in.
    pub parent: Option<&'a Value>,
    /// Where its fields come from, where that is known.
    pub fields: Vec<Origin<'a>>,
}

/// Where a field comes from.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The field, such as `schedule.kind`.
    pub field: &'a str,
    /// The expression that makes it.
    pub expression: &'a str,
    /// The line of `connector.toml` that it stands in, from 1.
    pub line: usize,
    /// What it came to: once, or once for each entry of a list.
    pub values: &'a [Value],
}

/// The most values of an expression that are shown.
const VALUES: usize = 20;

/// Writes what was found as an HTML page, a single file that needs no network.
#[must_use]
pub fn inspection(found: &Inspection<'_>) -> String {
    let (tone, headline) = match (found.wrong.is_empty(), found.events.len()) {
        (false, _) => ("wrong", "falls short"),
        (true, 2) => ("supported", "a job and a run as they should be"),
        (true, _) => ("unknown", "not both were found"),
    };
    let head = html! {
        h1 { (found.connector) " " span class={ "verdict " (tone) } { (headline) } }
    };
    let body = html! {
        @if !found.wrong.is_empty() {
            section #culprits {
                h2 { "Wrong" }
                ul { @for words in &found.wrong { li { (words) } } }
            }
        }
        @if !found.notes.is_empty() {
            section #notes {
                h2 { "Notes" }
                ul { @for words in &found.notes { li { (words) } } }
            }
        }
        @for event in &found.events { (described(event)) }
    };
    document(
        found.bowline_version,
        &format!("{}: {headline}", found.connector),
        &head,
        &body,
        None,
    )
}

fn described(found: &Inspected<'_>) -> Markup {
    html! {
        section {
            h2 { (found.title) }
            (labelled("as the platform gets it", &format!("{:#}", found.event)))
            @if !found.fields.is_empty() {
                h3 { "Where its fields come from" }
                div .rows {
                    table {
                        thead { tr {
                            @for title in ["field", "comes to", "expression", "line"] { th scope="col" { (title) } }
                        } }
                        tbody { @for field in &found.fields { (origin(*field)) } }
                    }
                }
            }
            @for (title, record) in [("The vendor's record", found.record), ("The record it was found in", found.parent)] {
                @if let Some(record) = record {
                    details .tree { summary { (title) } pre { (format!("{record:#}")) } }
                }
            }
        }
    }
}

fn origin(field: Origin<'_>) -> Markup {
    let values = field.values.iter().take(VALUES);
    html! {
        tr {
            th scope="row" { (field.field) }
            td {
                @for value in values { div { code { (value) } } }
                @if field.values.len() > VALUES {
                    div .label { "… " (field.values.len() - VALUES) " more" }
                }
            }
            td { code { (field.expression) } }
            td .number { (field.line) }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_vendor_sends_is_text_and_never_markup() {
        let event = json!({ "name": "<script>alert(1)</script>" });
        let values = [json!("<b>")];
        let page = inspection(&Inspection {
            connector: "nightly",
            bowline_version: "1.0",
            wrong: vec!["<i>".to_owned()],
            notes: Vec::new(),
            events: vec![Inspected {
                title: "Run".to_owned(),
                event: &event,
                record: Some(&event),
                parent: None,
                fields: vec![Origin {
                    field: "name",
                    expression: "record['<u>']",
                    line: 7,
                    values: &values,
                }],
            }],
        });
        for markup in ["<script>alert", "<b>", "<i>", "<u>"] {
            assert!(!page.contains(markup), "{markup}");
        }
        assert!(page.contains("&lt;script&gt;alert(1)"), "{page}");
        assert!(page.contains("falls short"));
    }
}
