//! What each template gives and takes, as `facts.toml` states it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use bowline_contract::Template;
use serde::Deserialize;

use crate::stress::Over;

/// What a text stands for in SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Gives {
    Number,
    Text,
    Time,
    Condition,
    /// A whole query.
    Rows,
    Name,
    Other,
}

/// One template's facts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Facts {
    pub(crate) gives: Gives,
    #[serde(default)]
    pub(crate) takes: BTreeMap<String, Gives>,
    /// The rows that it is asked over.
    #[serde(default)]
    pub(crate) over: Over,
    /// Expressions with one answer a row.
    #[serde(default)]
    each: Vec<String>,
    /// Expressions with one answer over all rows.
    #[serde(default)]
    all: Vec<String>,
    /// Whole statements.
    #[serde(default)]
    statement: Vec<String>,
}

impl Facts {
    pub(crate) fn of(template: &Template) -> &'static Self {
        static FACTS: LazyLock<BTreeMap<String, Facts>> = LazyLock::new(|| {
            let facts = toml::from_str(include_str!("../facts.toml"));
            facts.unwrap_or_else(|error| panic!("tests/mutants/facts.toml: {error}"))
        });
        let facts = FACTS.get(template.short_name());
        facts.unwrap_or_else(|| panic!("tests/mutants/facts.toml: no `{}`", template.short_name()))
    }

    /// What is asked of a spelling, in the language of `bowline_query`.
    pub(crate) fn questions(&self) -> impl Iterator<Item = String> {
        let each = self.each.iter();
        let each = each.map(|text| format!("{{{{ over_rows('id', {text}) }}}} ORDER BY id"));
        let all = self.all.iter();
        let all = all.map(|text| format!("{{{{ over_rows({text}) }}}}"));
        each.chain(all).chain(self.statement.iter().cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_has_facts_about_its_own_arguments() {
        for template in Template::all() {
            let facts = Facts::of(template);
            for name in facts.takes.keys() {
                let is_variable = template
                    .variables
                    .iter()
                    .any(|variable| variable.name == name);
                let is_placeholder = template.placeholders.contains(&name.as_str());
                assert!(is_variable || is_placeholder, "{}: {name}", template.name);
            }
        }
    }
}
