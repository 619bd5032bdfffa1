//! The reference pages of the documentation, written from the contract's own tables.

use std::fmt::Write as _;

use crate::capability::capabilities_of;
use crate::exit_code;
use crate::metric::{Metric, metrics_of};
use crate::section::TemplateSection;
use crate::template::{Template, TemplateStyle};

const GENERATED: &str =
    "<!-- Written by `cargo xtask generate`; change the tables, not this page. -->";

/// The page on the template methods: what each is for, what it is given, and what hangs on it.
#[must_use]
pub fn templates_markdown() -> String {
    let mut page = format!(
        "{GENERATED}\n\n# Templates\n\n\
         The {} templates that a warehouse connector can provide. Every one may be left out: what needs it is then not \
         supported, and nothing else suffers. In `templates.toml` a template goes by the name below; a Python connector \
         adds `_template`.\n\n",
        Template::all().count()
    );
    for style in TemplateStyle::ALL {
        line(
            &mut page,
            format_args!("- *{style}*: {}", style.description()),
        );
    }
    for section in TemplateSection::ALL {
        line(
            &mut page,
            format_args!(
                "\n## `{section}`\n\n{} Python class: `{}`.",
                section.description(),
                section.class_name()
            ),
        );
        for template in Template::all().filter(|template| template.section == *section) {
            write_template(&mut page, template);
        }
    }
    page
}

fn write_template(page: &mut String, template: &Template) {
    line(
        page,
        format_args!(
            "\n### `{}`\n\n{}\n\n- {}, {}; judged in `{}`",
            template.short_name(),
            template.description,
            template.kind,
            template.style(),
            template.judged_in
        ),
    );
    let variables = listed(template.variables.iter().map(|variable| {
        let optional = if variable.optional { ", optional" } else { "" };
        format!("`{}` ({}{optional})", variable.name, variable.kind)
    }));
    entry(page, "variables", &variables);
    let placeholders = listed(
        template
            .placeholders
            .iter()
            .map(|name| format!("`{{{name}}}`")),
    );
    entry(page, "placeholders", &placeholders);
    let capabilities = capabilities_of(template).iter().map(|each| each.name());
    let enables = listed(
        capabilities
            .chain(metrics_of(template).map(|metric| metric.name))
            .map(|name| format!("`{name}`")),
    );
    entry(page, "enables", &enables);
    line(page, format_args!("\n{}", template.guidance));
}

/// The page on the metrics: what each measures, and the templates it needs.
#[must_use]
pub fn metrics_markdown() -> String {
    let mut page = format!(
        "{GENERATED}\n\n# Metrics\n\n\
         The {} metrics of an exported manifest. A metric is supported when no tested template that it needs fell \
         short. Names in *italics* are no templates of a connector: they are never tested and hold nothing back.\n\n\
         The contract gives names and needs; what is computed is what `bowline profile` computes by them. Rows whose \
         value is missing do not count, except among all the rows that a rate is a share of.\n\n\
         | metric | measures | over | in | formula | needs |\n|---|---|---|---|---|---|\n",
        Metric::all().len()
    );
    for metric in Metric::all() {
        let definition = metric.definition();
        let needs = listed(
            metric
                .templates
                .iter()
                .map(|name| match Template::find(name) {
                    Some(_) => format!("`{name}`"),
                    None => format!("*{name}*"),
                }),
        );
        line(
            &mut page,
            format_args!(
                "| `{}` | {} | {} | {} | `{}` | {needs} |",
                metric.name,
                metric.description,
                definition.over,
                definition.unit,
                definition.formula.written().replace('|', "\\|"),
            ),
        );
    }
    page
}

/// The page on the exit codes.
#[must_use]
pub fn exit_codes_markdown() -> String {
    let mut page =
        format!("{GENERATED}\n\n# Exit codes\n\n| code | name | meaning |\n|---|---|---|\n");
    for code in exit_code::ALL {
        line(
            &mut page,
            format_args!("| {} | `{}` | {} |", code.code, code.name, code.meaning),
        );
    }
    page
}

fn listed(names: impl Iterator<Item = String>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

fn entry(page: &mut String, label: &str, text: &str) {
    if !text.is_empty() {
        line(page, format_args!("- {label}: {text}"));
    }
}

fn line(page: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(page, "{text}").expect("a String takes all that is written to it");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_has_its_place_on_the_page() {
        let page = templates_markdown();
        assert_eq!(page.matches("\n### ").count(), 114);
        assert!(page.contains(
            "### `get_stddev_function`\n\n\
             The standard deviation of an expression over rows.\n\n\
             - expression, placeholder; judged in `ql_metrics`\n\
             - placeholders: `{x}`\n\
             - enables: `numeric_stddev`, `text_std_length`\n\n"
        ));
        assert!(
            page.contains(
                "- variables: `database` (str, optional), `schema` (str), `table` (str)\n"
            )
        );
    }

    #[test]
    fn metrics_tell_templates_from_names_that_are_never_tested() {
        let page = metrics_markdown();
        assert!(
            page.contains("| `get_conditional_count_expression`, *get_boolean_match_expression* |")
        );
        for row in [
            "| any | share | `approx_distinct_count / COUNT(column)` | `get_distinct_count_func`, *get_distinctness_func* |",
            "| text | share | `text_all_spaces_count / COUNT(*)` |",
            "| number | column | `get_approx_percentile_func(expression=column, percentile=0.2)` |",
        ] {
            assert!(page.contains(row), "{row}");
        }
        assert_eq!(page.matches("\n| `").count(), 71);
    }

    #[test]
    fn exit_codes_are_listed() {
        let page = exit_codes_markdown();
        assert!(page.contains("\n| 2 | `USAGE` | The command line is not valid. |\n"));
        assert_eq!(page.matches("\n| ").count(), exit_code::ALL.len() + 1);
    }
}
