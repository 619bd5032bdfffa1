//! What a workspace's `pack.toml` may say beyond its types.

use std::ops::Range;
use std::path::Path;

use bowline_connector::folder::{Document, ProblemKind};
use bowline_contract::{ConnectorName, Template};
use jiff::civil::Date;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::pack::{Pack, PackFile};
use crate::folder::nearest_template;

/// Reports a folder whose name cannot name a pack.
pub(super) fn check_name(document: &mut Document<'_>, folder: &Path) {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let mut refuse = |message: String, hint: String| {
        document.report_at(ProblemKind::InvalidValue, None, message, Some(hint));
    };
    if Pack::find(&name).is_some() {
        refuse(
            format!("the program brings a dialect pack called `{name}`"),
            "give the folder another name, and extend it by that".to_owned(),
        );
        return;
    }
    if ConnectorName::parse(&name).is_err() {
        refuse(
            format!("the folder's name `{name}` cannot name a dialect pack"),
            "name it with letters, digits, `_` and `-`, a letter or digit first".to_owned(),
        );
    }
}

/// Reports values that say nothing, and names that no template has.
pub(super) fn check_facts(document: &mut Document<'_>, facts: &PackFile) {
    let Ok(table) = DeTable::parse(document.text()) else {
        return;
    };
    let table = table.get_ref();
    for key in ["engine", "description"] {
        check_text(document, key, table.get(key), Lines::One);
    }
    if let Some(DeValue::Array(names)) = table.get("unproven").map(Spanned::get_ref) {
        for name in names.iter() {
            check_template(
                document,
                name.get_ref().as_str().unwrap_or_default(),
                name.span(),
            );
        }
    }
    for key in ["needs", "has"] {
        let Some(DeValue::Table(said)) = table.get(key).map(Spanned::get_ref) else {
            continue;
        };
        for (name, value) in said.iter() {
            let template = name.get_ref().as_ref();
            check_template(document, template, name.span());
            check_text(document, template, Some(value), Lines::Many);
            let is_same = |other: &String| Template::find(other) == Template::find(template);
            if key == "has" && !facts.needs.keys().any(is_same) {
                document.report(
                    ProblemKind::MissingKey,
                    name.span(),
                    format!(
                        "`[has]` asks for what `{template}` needs, and `[needs]` does not say what"
                    ),
                    Some(format!("write `{template} = \"…\"` under `[needs]`")),
                );
            }
        }
    }
    if let Some(DeValue::Array(servers)) = table.get("proven").map(Spanned::get_ref) {
        for server in servers.iter() {
            let DeValue::Table(server) = server.get_ref() else {
                continue;
            };
            check_text(document, "on", server.get("on"), Lines::One);
            let day = server
                .get("at")
                .and_then(|at| Some((at.get_ref().as_str()?, at.span())));
            if let Some((day, span)) = day
                && !is_day(day)
            {
                document.report(
                    ProblemKind::InvalidValue,
                    span,
                    format!("`at` is no day: `{day}`"),
                    Some("write it as `2024-06-15`".to_owned()),
                );
            }
        }
    }
}

fn is_day(text: &str) -> bool {
    let day: Result<Date, _> = text.parse();
    day.is_ok_and(|day| day.to_string() == text)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Lines {
    One,
    Many,
}

/// Reports a text without words, or with more lines than it may have.
fn check_text(
    document: &mut Document<'_>,
    key: &str,
    value: Option<&Spanned<DeValue<'_>>>,
    lines: Lines,
) {
    let text = value.and_then(|value| Some((value.get_ref().as_str()?, value.span())));
    let Some((text, span)) = text else {
        return;
    };
    let (what, hint) = if text.trim().is_empty() {
        ("is empty", "write what it is, or leave it out")
    } else if lines == Lines::One && text.contains(char::is_control) {
        ("has more than one line", "write one line of text")
    } else {
        return;
    };
    let message = format!("`{key}` {what}");
    document.report(
        ProblemKind::InvalidValue,
        span,
        message,
        Some(hint.to_owned()),
    );
}

fn check_template(document: &mut Document<'_>, name: &str, span: Range<usize>) {
    if Template::find(name).is_none() {
        document.report(
            ProblemKind::UnknownTemplate,
            span,
            format!("unknown template `{name}`"),
            Some(nearest_template(name)),
        );
    }
}
