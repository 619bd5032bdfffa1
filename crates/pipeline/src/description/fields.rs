//! The fields of events: a tree that follows the contract's model, with expressions at its leaves.

use bowline_connector::folder::ProblemKind;
use bowline_contract::pipeline::{AssetRef, Field, Run, Shape};

use super::section::{Form, Section};
use crate::expression::Expression;

/// How a value of an event is made.
#[derive(Debug, Clone)]
pub enum FieldTree {
    /// From an expression.
    Value(Expression),
    /// As an object of these fields; it is left out when one of the `required` ones is null.
    Record {
        /// The fields, by their keys.
        fields: Vec<(String, FieldTree)>,
        /// Which of them the contract requires.
        required: Vec<&'static str>,
    },
    /// By the first of these rules whose condition holds; one without a condition always does.
    Rules(Vec<(Option<Expression>, FieldTree)>),
    /// As a list of all that these give.
    List(Vec<Entries>),
}

/// Entries of a list.
#[derive(Debug, Clone)]
pub struct Entries {
    /// What there is an entry for, each called `item`; when not said, there is one entry.
    pub each: Option<Expression>,
    /// Values that the rest shares, in an order in which each sees those before it.
    pub lets: Vec<(String, Expression)>,
    /// For which of them.
    pub when: Option<Expression>,
    /// Of entries that are the same by this, the first is kept.
    pub distinct: Option<Expression>,
    /// What the entry looks like.
    pub entry: FieldTree,
}

/// The name of what there is an entry for.
const ITEM: &str = "item";
const EACH: &str = "each";
const WHEN: &str = "when";
const DISTINCT: &str = "distinct";

impl FieldTree {
    /// Reads a table of fields.
    pub(super) fn read(section: &mut Section<'_, '_, '_>, fields: &'static [Field]) -> Self {
        let mut tree = Vec::new();
        for field in fields {
            if let Some(value) = read_field(section, field.name, &field.shape) {
                tree.push((field.name.to_owned(), value));
            }
        }
        let required = fields
            .iter()
            .filter(|field| field.presence == bowline_contract::pipeline::Presence::Required)
            .map(|field| field.name)
            .collect();
        Self::Record {
            fields: tree,
            required,
        }
    }

    /// Calls something for every expression in the tree, with the names that it sees besides the usual.
    pub(crate) fn visit(&self, names: &[&str], visit: &mut impl FnMut(&Expression, &[&str])) {
        match self {
            Self::Value(expression) => visit(expression, names),
            Self::Record { fields, .. } => {
                for (_, field) in fields {
                    field.visit(names, visit);
                }
            }
            Self::Rules(rules) => {
                for (when, tree) in rules {
                    if let Some(when) = when {
                        visit(when, names);
                    }
                    tree.visit(names, visit);
                }
            }
            Self::List(list) => {
                for entries in list {
                    entries.visit(names, visit);
                }
            }
        }
    }
}

impl Entries {
    fn visit(&self, names: &[&str], visit: &mut impl FnMut(&Expression, &[&str])) {
        let mut names = names.to_vec();
        if let Some(each) = &self.each {
            visit(each, &names);
            names.push(ITEM);
        }
        for (name, expression) in &self.lets {
            visit(expression, &names);
            names.push(name);
        }
        for expression in self.when.iter().chain(&self.distinct) {
            visit(expression, &names);
        }
        self.entry.visit(&names, visit);
    }
}

fn read_field(
    section: &mut Section<'_, '_, '_>,
    key: &str,
    shape: &'static Shape,
) -> Option<FieldTree> {
    let form = section.form(key);
    match (form, shape) {
        (Form::Text, _) => section.expression(key).map(FieldTree::Value),
        (Form::Table, Shape::Record(fields)) => {
            section.table(key, |record| FieldTree::read(record, fields))
        }
        (Form::List, Shape::Record(fields)) => {
            Some(FieldTree::Rules(section.tables(key, |rule| {
                let when = rule.expression(WHEN);
                Some((when, FieldTree::read(rule, fields)))
            })))
        }
        (Form::Table, Shape::Dict) => section.table(key, |dict| {
            let keys = dict.keys();
            let fields = keys
                .iter()
                .filter_map(|key| Some((key.clone(), FieldTree::Value(dict.expression(key)?))))
                .collect();
            FieldTree::Record {
                fields,
                required: Vec::new(),
            }
        }),
        (Form::Table, _) if fields_of_entries(shape).is_some() => {
            let fields = fields_of_entries(shape)?;
            let entries = section.table(key, |entries| read_entries(entries, fields))?;
            Some(FieldTree::List(vec![entries]))
        }
        (Form::List, _) if fields_of_entries(shape).is_some() => {
            let fields = fields_of_entries(shape)?;
            let list = section.tables(key, |entries| Some(read_entries(entries, fields)));
            Some(FieldTree::List(list))
        }
        (Form::Table | Form::List, _) => {
            // Asking for the key makes it a known one.
            section.template(key);
            section.report_at(
                key,
                ProblemKind::InvalidValue,
                format!("wrong type for `{key}`: expected an expression in quotes"),
                None,
            );
            None
        }
    }
}

fn fields_of_entries(shape: &Shape) -> Option<&'static [Field]> {
    match shape {
        Shape::Records(fields) => Some(fields),
        Shape::Refs(_) => Some(AssetRef::FIELDS),
        Shape::TaskRuns => Some(Run::FIELDS),
        _ => None,
    }
}

fn read_entries(section: &mut Section<'_, '_, '_>, fields: &'static [Field]) -> Entries {
    let each = section.expression(EACH);
    let lets = super::read::read_lets(section);
    let when = section.expression(WHEN);
    let distinct = section.expression(DISTINCT);
    let entry = match FieldTree::read(section, fields) {
        // A list does not lose an entry because of a gap in it: validation names the gap.
        FieldTree::Record { fields, .. } => FieldTree::Record {
            fields,
            required: Vec::new(),
        },
        tree => tree,
    };
    Entries {
        each,
        lets,
        when,
        distinct,
        entry,
    }
}
