//! Writes statements out of a connector's templates, and remembers which templates each one used.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bowline_contract::Template;
use bowline_template::TemplateValue;
use bowline_warehouse::template::{Arguments, RenderError, TemplateSet, older_names};
use bowline_words::{Diagnose, Diagnostic};

use crate::literal::{Literal, Rows};

/// The alias that a data source stands under.
pub const SOURCE: &str = "test_data";

/// Renders templates and remembers which. Cheap to clone; clones share the memory.
#[derive(Debug, Clone)]
pub struct Composer {
    templates: Arc<TemplateSet>,
    used: Arc<Mutex<BTreeSet<&'static Template>>>,
}

/// Why a statement could not be written.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ComposeError {
    /// A template could not be rendered.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// A flag says neither yes nor no.
    #[error("a flag renders to `true` or `false`, and this one rendered to `{text}`")]
    NotAFlag {
        /// The flag.
        template: &'static Template,
        /// What it rendered to.
        text: String,
    },
}

impl Diagnose for ComposeError {
    fn diagnose(&self) -> Diagnostic {
        match self {
            Self::Render(error) => error.diagnose(),
            Self::NotAFlag { .. } => Diagnostic::of(self),
        }
    }
}

impl ComposeError {
    /// The template that could not be rendered.
    #[must_use]
    pub fn template(&self) -> &'static Template {
        match self {
            Self::Render(RenderError::NotImplemented(template))
            | Self::NotAFlag { template, .. } => template,
            Self::Render(
                RenderError::IgnoredVariable { template, .. }
                | RenderError::Template { template, .. },
            ) => template,
        }
    }
}

impl Composer {
    /// Renders with one connector's templates.
    #[must_use]
    pub fn new(templates: Arc<TemplateSet>) -> Self {
        Self {
            templates,
            used: Arc::default(),
        }
    }

    /// The templates it renders with.
    #[must_use]
    pub fn templates(&self) -> &Arc<TemplateSet> {
        &self.templates
    }

    fn used(&self) -> MutexGuard<'_, BTreeSet<&'static Template>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every template that was rendered since the last call, or should have been.
    #[must_use]
    pub fn take_used(&self) -> BTreeSet<&'static Template> {
        std::mem::take(&mut *self.used())
    }

    /// Renders one template.
    ///
    /// # Errors
    /// [`ComposeError::Render`].
    pub fn render(
        &self,
        template: &'static Template,
        mut arguments: Arguments,
    ) -> Result<String, ComposeError> {
        add_older_names(&mut arguments);
        self.used().insert(template);
        Ok(self.templates.render(template, &arguments)?)
    }

    fn render_with(
        &self,
        name: &'static str,
        variables: Vec<(&'static str, TemplateValue)>,
    ) -> Result<String, ComposeError> {
        self.render(
            Template::known(name),
            Arguments {
                variables,
                placeholders: Vec::new(),
            },
        )
    }

    /// A flag template's value.
    ///
    /// # Errors
    /// [`ComposeError`], when a template fails.
    pub fn flag(&self, name: &'static str) -> Result<bool, ComposeError> {
        let template = Template::known(name);
        let text = self.render(template, Arguments::default())?;
        read_flag(&text).ok_or(ComposeError::NotAFlag { template, text })
    }

    /// A literal, spelled as the contract says.
    ///
    /// # Errors
    /// [`ComposeError`], when a template fails.
    pub fn literal(&self, literal: &Literal) -> Result<String, ComposeError> {
        match literal {
            Literal::Null => Ok("NULL".to_owned()),
            Literal::Boolean(true) => Ok("TRUE".to_owned()),
            Literal::Boolean(false) => Ok("FALSE".to_owned()),
            Literal::Number(text) | Literal::Sql(text) => Ok(text.clone()),
            Literal::Text(text) => {
                let escaped = self.render_with(
                    "escape_string",
                    vec![("string", TemplateValue::Text(text.clone()))],
                )?;
                self.render_with(
                    "string_literal",
                    vec![("string", TemplateValue::Text(escaped))],
                )
            }
            Literal::DateTime(at) => self.render_with(
                "literal_datetime",
                vec![("date_time_value", TemplateValue::DateTime(*at))],
            ),
            Literal::Date(day) => self.render_with(
                "date_literal",
                vec![("timestamp", TemplateValue::Date(*day))],
            ),
        }
    }

    /// `SELECT` of these expressions, optionally after a CTE.
    ///
    /// # Errors
    /// [`ComposeError`], when a template fails.
    pub fn select(
        &self,
        expressions: &[String],
        cte: Option<String>,
    ) -> Result<String, ComposeError> {
        let mut variables = vec![("select_expressions", texts(expressions))];
        variables.extend(cte.map(|cte| ("cte", TemplateValue::Text(cte))));
        self.render_with("add_select_clause", variables)
    }

    /// One SELECT per row, joined.
    ///
    /// # Errors
    /// [`ComposeError`], when a template fails.
    pub fn rows(&self, rows: &Rows) -> Result<String, ComposeError> {
        let mut queries = Vec::with_capacity(rows.values.len());
        for row in &rows.values {
            let mut expressions = Vec::with_capacity(row.len());
            for (alias, literal) in rows.columns.iter().zip(row) {
                let field = self.literal(literal)?;
                expressions.push(self.render_with(
                    "alias_field",
                    vec![
                        ("field", TemplateValue::Text(field)),
                        ("alias", TemplateValue::Text(alias.clone())),
                    ],
                )?);
            }
            queries.push(self.select(&expressions, None)?);
        }
        match queries.len() {
            1 => Ok(queries.remove(0)),
            _ => self.render_with(
                "union_queries",
                vec![
                    ("queries", texts(&queries)),
                    ("distinct", TemplateValue::Boolean(false)),
                ],
            ),
        }
    }

    /// The rows as a CTE named [`SOURCE`].
    ///
    /// # Errors
    /// [`ComposeError`], when a template fails.
    pub fn source(&self, rows: &Rows) -> Result<String, ComposeError> {
        let cte = self.rows(rows)?;
        self.render_with(
            "build_cte",
            vec![
                ("alias", TemplateValue::Text(SOURCE.to_owned())),
                ("cte", TemplateValue::Text(cte)),
            ],
        )
    }

    /// A SELECT over rows.
    ///
    /// # Errors
    /// [`ComposeError`], when a template fails.
    pub fn over_rows(&self, rows: &Rows, expressions: &[String]) -> Result<String, ComposeError> {
        let source = self.source(rows)?;
        let select_clause = self.select(expressions, Some(source))?;
        self.render_with(
            "add_from_clause",
            vec![
                ("select_clause", TemplateValue::Text(select_clause)),
                ("from_expression", TemplateValue::Text(SOURCE.to_owned())),
            ],
        )
    }

    /// A SELECT without FROM where the dialect can, otherwise over one row.
    ///
    /// # Errors
    /// [`ComposeError`], when a template fails.
    pub fn bare(&self, expressions: &[String]) -> Result<String, ComposeError> {
        if self.flag("supports_literal_select")? {
            self.select(expressions, None)
        } else {
            self.over_rows(&Rows::one(), expressions)
        }
    }
}

/// Reads a flag's text as the contract does: any case, surrounding space ignored.
#[must_use]
pub fn read_flag(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// Some variables have an older name that connectors still read; the caller passes the value under both.
fn add_older_names(arguments: &mut Arguments) {
    let older: Vec<_> = arguments
        .variables
        .iter()
        .filter_map(|(name, value)| older_names(name).map(|older| (older, value.clone())))
        .filter(|(older, _)| arguments.variables.iter().all(|(name, _)| name != older))
        .collect();
    arguments.variables.extend(older);
}

fn texts(values: &[String]) -> TemplateValue {
    TemplateValue::List(values.iter().cloned().map(TemplateValue::Text).collect())
}
