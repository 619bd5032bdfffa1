//! All templates of one connector, by the contract's names: Jinja, then `str.format` where the contract asks for it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bowline_contract::{Template, TemplateStyle};
use bowline_template::{CompiledTemplate, TemplateError, TemplateValue, format_placeholders};
use bowline_words::{Diagnose, Diagnostic};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::dialect::Pack;

/// What a caller passes to one rendering.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Arguments {
    /// The Jinja variables.
    pub variables: Vec<(&'static str, TemplateValue)>,
    /// The `{name}` placeholders.
    pub placeholders: Vec<(&'static str, String)>,
}

/// Where a connector's template text comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A dialect pack: the one whose file holds it.
    Pack(Arc<Pack>),
    /// A search that composed it for this engine.
    Composed,
    /// A file of the connector; the line is that of the text's first line there.
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
}

/// One template of a connector.
#[derive(Debug, Clone)]
pub struct ConnectorTemplate {
    /// Its row in the contract.
    pub template: &'static Template,
    /// The text as given; this is what export writes.
    pub text: String,
    /// Where the text stands.
    pub origin: Origin,
    /// The compiled text.
    pub compiled: CompiledTemplate,
}

impl ConnectorTemplate {
    /// The file and line where its text stands; none for what the program brings.
    #[must_use]
    pub fn place(&self) -> Option<(&Path, usize)> {
        match &self.origin {
            Origin::Pack(pack) => pack.place(self.template),
            Origin::Composed => None,
            Origin::File { path, line } => Some((path, *line)),
        }
    }
}

/// Why a template could not be rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// The connector has no such template: the ability is not supported.
    #[error("`{}` is not implemented", .0.short_name())]
    NotImplemented(&'static Template),
    /// The text ignores a variable it was given and must use.
    #[error("`{}` does not use the variable `{variable}`", .template.short_name())]
    IgnoredVariable {
        /// The template.
        template: &'static Template,
        /// The variable.
        variable: &'static str,
    },
    /// Jinja or `str.format` failed.
    #[error("`{}`: {error}", .template.short_name())]
    Template {
        /// The template.
        template: &'static Template,
        /// What failed.
        error: Box<TemplateError>,
    },
}

impl Diagnose for RenderError {
    fn diagnose(&self) -> Diagnostic {
        let told = Diagnostic::of(self);
        match self {
            Self::Template { error, .. } => told.because_of(error.as_ref()),
            Self::NotImplemented(_) | Self::IgnoredVariable { .. } => told,
        }
    }
}

/// The names under which connectors of older versions read a variable; callers pass the value under each.
#[must_use]
pub fn older_names(variable: &str) -> Option<&'static str> {
    match variable {
        "date_part" => Some("unit"),
        "num_of_quantiles" => Some("num_buckets"),
        _ => None,
    }
}

/// What the suite writes into statements of its own, for engines on which the usual words mean nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuiteWords {
    /// A table that always has one row, for engines without a SELECT that stands alone: `DUAL`, for instance.
    pub one_row_table: Option<String>,
    /// A type for columns of text, where `TEXT` is none: `VARCHAR(1000)`, for instance.
    pub text_type: Option<String>,
}

impl SuiteWords {
    /// These words, and those of a base where there are none here.
    #[must_use]
    pub fn or(self, base: Self) -> Self {
        Self {
            one_row_table: self.one_row_table.or(base.one_row_table),
            text_type: self.text_type.or(base.text_type),
        }
    }
}

/// The templates of one connector, and its words for the suite's own statements.
#[derive(Debug, Clone, Default)]
pub struct TemplateSet {
    templates: BTreeMap<&'static str, ConnectorTemplate>,
    suite: SuiteWords,
}

impl TemplateSet {
    /// Its words for the suite's own statements.
    #[must_use]
    pub fn suite(&self) -> &SuiteWords {
        &self.suite
    }

    /// The same templates with these words for the suite's own statements.
    #[must_use]
    pub fn with_suite(self, suite: SuiteWords) -> Self {
        Self { suite, ..self }
    }

    /// The dialect pack that it starts from, as far as its texts tell: an engine's before a base.
    #[must_use]
    pub fn pack(&self) -> Option<&Arc<Pack>> {
        let packs = self.iter().filter_map(|template| match &template.origin {
            Origin::Pack(pack) => Some(pack),
            Origin::Composed | Origin::File { .. } => None,
        });
        packs.max_by_key(|pack| pack.chain().count())
    }

    /// Adds or replaces a template.
    pub fn insert(&mut self, template: ConnectorTemplate) {
        self.templates.insert(template.template.name, template);
    }

    /// The connector's text for a template, if it has one.
    #[must_use]
    pub fn get(&self, template: &Template) -> Option<&ConnectorTemplate> {
        self.templates.get(template.name)
    }

    /// All templates it has, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = &ConnectorTemplate> {
        self.templates.values()
    }

    /// Renders a template: Jinja, then `str.format` where the contract gives it placeholders.
    ///
    /// # Errors
    /// [`RenderError`].
    pub fn render(
        &self,
        template: &'static Template,
        arguments: &Arguments,
    ) -> Result<String, RenderError> {
        let found = self
            .get(template)
            .ok_or(RenderError::NotImplemented(template))?;
        for variable in template
            .variables
            .iter()
            .filter(|variable| !variable.optional)
        {
            let passed = arguments
                .variables
                .iter()
                .any(|(name, _)| *name == variable.name);
            let used = std::iter::once(variable.name)
                .chain(older_names(variable.name))
                .any(|name| found.compiled.references(name));
            if passed && !used {
                return Err(RenderError::IgnoredVariable {
                    template,
                    variable: variable.name,
                });
            }
        }
        let text = found
            .compiled
            .render(&arguments.variables)
            .map_err(|error| RenderError::Template {
                template,
                error: Box::new(error),
            })?;
        match template.style() {
            TemplateStyle::Parameterized | TemplateStyle::Flag => Ok(text),
            TemplateStyle::Placeholder | TemplateStyle::Hybrid => {
                format_placeholders(template.short_name(), &text, &arguments.placeholders).map_err(
                    |error| RenderError::Template {
                        template,
                        error: Box::new(error),
                    },
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(name: &str, text: &str) -> (&'static Template, TemplateSet) {
        let template = Template::find(name).expect("a template of the contract");
        let mut set = TemplateSet::default();
        set.insert(ConnectorTemplate {
            template,
            text: text.to_owned(),
            origin: Origin::Composed,
            compiled: CompiledTemplate::compile(template.short_name(), text).expect("it compiles"),
        });
        (template, set)
    }

    fn text(text: &str) -> TemplateValue {
        TemplateValue::Text(text.to_owned())
    }

    #[test]
    fn a_hybrid_template_is_rendered_and_then_formatted() {
        let (template, set) = set(
            "get_regexp_expression",
            "{x} {% if case_insensitive %}~*{% else %}~{% endif %} '{{ regexp }}{{ '{{2}}' }}'",
        );
        let arguments = Arguments {
            variables: vec![
                ("regexp", text("a")),
                ("case_insensitive", TemplateValue::Boolean(true)),
            ],
            placeholders: vec![("x", "name".to_owned())],
        };
        assert_eq!(
            set.render(template, &arguments),
            Ok("name ~* 'a{2}'".to_owned())
        );
    }

    #[test]
    fn a_required_variable_must_be_used_under_its_name_or_an_older_one() {
        let arguments = Arguments {
            variables: vec![
                ("date_expr1", text("a")),
                ("date_expr2", text("b")),
                ("date_part", text("day")),
                ("unit", text("day")),
            ],
            placeholders: Vec::new(),
        };
        let (template, older) = set(
            "get_date_diff_func",
            "DIFF({{ unit }}, {{ date_expr1 }}, {{ date_expr2 }})",
        );
        assert_eq!(
            older.render(template, &arguments),
            Ok("DIFF(day, a, b)".to_owned())
        );
        let (template, without) = set("get_date_diff_func", "{{ date_expr1 }} - {{ date_expr2 }}");
        assert_eq!(
            without.render(template, &arguments),
            Err(RenderError::IgnoredVariable {
                template,
                variable: "date_part"
            })
        );
    }

    #[test]
    fn a_variable_that_is_only_set_inside_is_not_used() {
        let (template, set) = set(
            "get_schemas_query",
            "{% set database_name = 'x' %}SELECT '{{ database_name }}'",
        );
        let arguments = Arguments {
            variables: vec![("database_name", text("db"))],
            placeholders: Vec::new(),
        };
        assert!(matches!(
            set.render(template, &arguments),
            Err(RenderError::IgnoredVariable { .. })
        ));
    }
}
