//! The rules of templates: what must hold, and which checks prove it. They stand in `checks/rules.toml`.

use std::sync::LazyLock;

use bowline_contract::Template;
use serde::Deserialize;

use crate::warehouse::{Check, checks};

/// What must hold for a template.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name, which stands once.
    pub id: String,
    /// The rule, in a sentence.
    pub says: String,
    templates: Vec<String>,
    checks: Vec<String>,
}

impl Rule {
    /// Whether it is one of this template.
    #[must_use]
    pub fn is_of(&self, template: &Template) -> bool {
        let mut names = self.templates.iter();
        names.any(|name| name == template.short_name())
    }

    /// The checks that prove it for this template.
    #[must_use]
    pub fn checks_of(&self, template: &'static Template) -> Vec<Check> {
        let is_named = |check: &Check| {
            let name = check
                .id
                .as_str()
                .split_once('/')
                .map_or("", |(_, name)| name);
            self.checks
                .iter()
                .any(|named| match named.strip_suffix('*') {
                    Some(beginning) => name.starts_with(beginning),
                    None => name == named,
                })
        };
        let judging = |check: &Check| check.judges.contains(&template);
        let all = checks().into_iter();
        all.filter(|check| judging(check) && is_named(check))
            .collect()
    }
}

/// Every rule there is.
#[must_use]
pub fn rules() -> &'static [Rule] {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct RuleFile {
        rule: Vec<Rule>,
    }
    static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
        let file: RuleFile = toml::from_str(include_str!("../../checks/rules.toml"))
            .unwrap_or_else(|error| panic!("checks/rules.toml: {error}"));
        file.rule
    });
    &RULES
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use bowline_contract::SuiteSection;

    use super::*;

    #[test]
    fn every_rule_has_a_check_for_each_of_its_templates() {
        let mut ids = BTreeSet::new();
        for rule in rules() {
            assert!(ids.insert(&rule.id), "{} stands twice", rule.id);
            for name in &rule.templates {
                let template = Template::find(name);
                let template = template.unwrap_or_else(|| panic!("{}: {name}", rule.id));
                assert!(
                    !rule.checks_of(template).is_empty(),
                    "{} has no check for {name}",
                    rule.id
                );
            }
        }
    }

    #[test]
    fn every_template_of_the_query_language_has_a_rule() {
        let sections = [
            SuiteSection::CustomMonitors,
            SuiteSection::QlPrerequisites,
            SuiteSection::QlMetrics,
        ];
        for template in Template::all().filter(|each| sections.contains(&each.judged_in)) {
            let ruled = rules().iter().any(|rule| rule.is_of(template));
            assert!(ruled, "{} has no rule", template.name);
        }
    }
}
