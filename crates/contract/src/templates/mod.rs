//! The table of the 114 templates, one file a section.

mod aggregation_functions;
mod array_and_timestamp_validation;
mod comparison_operators;
mod core_query_building;
mod custom_sql_monitor;
mod date_time_functions;
mod dialect_capability_flags;
mod field_operations;
mod functional;
mod math_functions;
mod metadata;
mod null_and_nan_handling;
mod query_logs;
mod rca_and_advanced_functions;
mod string_and_literal_handling;
mod string_functions;
mod type_casting;

use crate::template::Template;

/// The sections' rows, in the order of the contract.
pub(crate) const TABLE: &[&[Template]] = &[
    metadata::TEMPLATES,
    query_logs::TEMPLATES,
    custom_sql_monitor::TEMPLATES,
    core_query_building::TEMPLATES,
    string_and_literal_handling::TEMPLATES,
    type_casting::TEMPLATES,
    date_time_functions::TEMPLATES,
    dialect_capability_flags::TEMPLATES,
    null_and_nan_handling::TEMPLATES,
    comparison_operators::TEMPLATES,
    aggregation_functions::TEMPLATES,
    string_functions::TEMPLATES,
    array_and_timestamp_validation::TEMPLATES,
    math_functions::TEMPLATES,
    rca_and_advanced_functions::TEMPLATES,
    field_operations::TEMPLATES,
    functional::TEMPLATES,
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::section::TemplateSection;

    /// A row as the checked-in copy of the contract's facts writes it.
    fn facts(template: &Template) -> String {
        let variables: Vec<String> = template
            .variables
            .iter()
            .map(|variable| {
                let optional = if variable.optional { "?" } else { "" };
                format!("{}{optional}: {}", variable.name, variable.kind)
            })
            .collect();
        let placeholders: String = template
            .placeholders
            .iter()
            .map(|name| format!(" {{{name}}}"))
            .collect();
        format!(
            "{} {} {} {} ({}){placeholders}\n",
            template.name,
            template.section.class_name(),
            template.section,
            template.kind,
            variables.join(", "),
        )
    }

    #[test]
    fn the_table_is_the_contracts() {
        let table: String = Template::all().map(facts).collect();
        assert_eq!(table, include_str!("../../testdata/templates.txt"));
    }

    #[test]
    fn there_are_114_with_names_of_their_own() {
        let names: BTreeSet<&str> = Template::all().map(Template::short_name).collect();
        assert_eq!(names.len(), 114);
        assert_eq!(Template::all().count(), 114);
        for name in names {
            assert_eq!(
                Template::find(name),
                Template::find(&format!("{name}_template"))
            );
        }
    }

    #[test]
    fn sections_stand_in_the_order_of_the_contract() {
        for (section, rows) in TemplateSection::ALL.iter().zip(TABLE) {
            assert!(rows.iter().all(|template| template.section == *section));
        }
        assert_eq!(TemplateSection::ALL.len(), TABLE.len());
    }

    #[test]
    fn every_template_is_described_and_explained() {
        let mut seen = BTreeSet::new();
        for template in Template::all() {
            let Template {
                name,
                description,
                guidance,
                ..
            } = template;
            assert!(
                description.ends_with('.') && description.len() <= 90,
                "{name}"
            );
            assert!(!description.contains('\n'), "{name}");
            assert!(!description.contains(template.short_name()), "{name}");
            assert!(
                seen.insert(*description),
                "{name} is described like another"
            );
            assert!(guidance.ends_with(['.', '`']), "{name}");
            assert!(
                !guidance.contains("  ") && !guidance.contains('\n'),
                "{name}"
            );
            assert_eq!(guidance.matches('`').count() % 2, 0, "{name}");
        }
    }

    #[test]
    fn guidance_names_only_what_there_is() {
        for template in Template::all() {
            for word in template.guidance.split('`').skip(1).step_by(2) {
                if let Some(name) = word
                    .strip_prefix('{')
                    .and_then(|word| word.strip_suffix('}'))
                    && !name.starts_with('{')
                {
                    assert!(
                        template.placeholders.contains(&name),
                        "{}: {word}",
                        template.name
                    );
                }
                if word.starts_with("get_") || word.starts_with("cast_") {
                    assert!(Template::find(word).is_some(), "{}: {word}", template.name);
                }
            }
        }
    }
}
