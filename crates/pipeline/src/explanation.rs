//! How an event came about: every field with the expression that made it, and the record that it came from.

use std::collections::HashMap;
use std::sync::Arc;

use bowline_template::Value;
use serde_json::Value as Json;

use crate::description::{Entries, FieldTree, Mapping};
use crate::expression::{Expression, to_json};
use crate::http::{Client, trimmed};
use crate::source_reader::{Evaluation, Row};

/// What is told of every event, right before the event itself is handed on.
pub type OnExplanation = Arc<dyn Fn(Explanation) + Send + Sync>;

/// How an event came about.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The record that it came from, made short.
    pub record: Json,
    /// The record which that one was asked for, or found in, made short; null when there is none.
    pub parent: Json,
    /// The expressions, in the order in which they were evaluated.
    pub fields: Vec<ExplainedField>,
}

/// An expression that an event was made with.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedField {
    /// What it is for: `schedule.kind`, `tasks.name`, `let main`, `tasks each`.
    pub path: String,
    /// The expression.
    pub expression: String,
    /// The line of `connector.toml` that it stands in, from 1.
    pub line: usize,
    /// What it came to, made short: once, or once for each entry of a list.
    pub values: Vec<Json>,
}

impl Explanation {
    /// Puts together what a row's expressions came to.
    pub(crate) fn of(
        client: &Client,
        mapping: &Mapping,
        row: &Row,
        steps: Vec<Evaluation>,
    ) -> Self {
        let shown = |value: &Value| trimmed(&client.masked_json(to_json(value)));
        let paths = paths(mapping);
        let mut fields: Vec<ExplainedField> = Vec::new();
        let mut places: HashMap<usize, usize> = HashMap::new();
        for step in steps {
            let Some(path) = paths.get(&step.expression.id()) else {
                continue;
            };
            let place = *places.entry(step.expression.id()).or_insert_with(|| {
                fields.push(ExplainedField {
                    path: path.clone(),
                    expression: step.expression.text().to_owned(),
                    line: step.expression.line(),
                    values: Vec::new(),
                });
                fields.len() - 1
            });
            fields[place].values.push(shown(&step.value));
        }
        Self {
            record: shown(&row.record),
            parent: shown(&row.parent),
            fields,
        }
    }
}

/// What each expression of a mapping is for.
fn paths(mapping: &Mapping) -> HashMap<usize, String> {
    let mut paths = HashMap::new();
    let mut note = |expression: &Expression, path: String| {
        paths.insert(expression.id(), path);
    };
    for (name, expression) in &mapping.lets {
        note(expression, format!("let {name}"));
    }
    name_tree(&mapping.fields, "", &mut note);
    paths
}

fn name_tree(tree: &FieldTree, path: &str, note: &mut impl FnMut(&Expression, String)) {
    match tree {
        FieldTree::Value(expression) => note(expression, path.to_owned()),
        FieldTree::Record { fields, .. } => {
            for (name, field) in fields {
                let inner = match path {
                    "" => name.clone(),
                    path => format!("{path}.{name}"),
                };
                name_tree(field, &inner, note);
            }
        }
        FieldTree::Rules(rules) => {
            for (when, tree) in rules {
                if let Some(when) = when {
                    note(when, format!("{path} when"));
                }
                name_tree(tree, path, note);
            }
        }
        FieldTree::List(list) => {
            for entries in list {
                name_entries(entries, path, note);
            }
        }
    }
}

fn name_entries(entries: &Entries, path: &str, note: &mut impl FnMut(&Expression, String)) {
    let parts = [
        (&entries.each, "each"),
        (&entries.when, "when"),
        (&entries.distinct, "distinct"),
    ];
    for (expression, part) in parts {
        if let Some(expression) = expression {
            note(expression, format!("{path} {part}"));
        }
    }
    for (name, expression) in &entries.lets {
        note(expression, format!("{path} let {name}"));
    }
    name_tree(&entries.entry, path, note);
}
