//! Writes statements out of a connector's templates, and remembers which templates each one used.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bowline_contract::Template;
use bowline_template::TemplateValue;
use bowline_warehouse::template::{Arguments, RenderError, TemplateSet, older_names};
use bowline_words::{Diagnose, Diagnostic};

use crate::literal::{Literal, Rows};

/// The alias that a data source stands under.
pub(crate) const SOURCE: &str = "test_data";

/// Renders templates and records what was rendered. Cheap to clone; clones share the record.
#[derive(Clone)]
pub(crate) struct Composer {
    templates: Arc<TemplateSet>,
    record: Arc<Mutex<Record>>,
}

/// What a composer has rendered since it was last asked.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// Every template that was rendered, or should have been.
    pub(crate) uses: BTreeSet<&'static Template>,
    /// The first rendering that failed.
    pub(crate) fault: Option<ComposeError>,
}

/// Why a statement could not be written.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum ComposeError {
    #[error(transparent)]
    Render(#[from] RenderError),
    #[error("a flag renders to `true` or `false`, and this one rendered to `{text}`")]
    NotAFlag {
        template: &'static Template,
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
    pub(crate) fn template(&self) -> &'static Template {
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
    pub(crate) fn new(templates: Arc<TemplateSet>) -> Self {
        Self {
            templates,
            record: Arc::default(),
        }
    }

    pub(crate) fn templates(&self) -> &Arc<TemplateSet> {
        &self.templates
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what was recorded since the last call.
    pub(crate) fn take_record(&self) -> Record {
        std::mem::take(&mut *self.record())
    }

    /// Renders one template.
    pub(crate) fn render(
        &self,
        template: &'static Template,
        mut arguments: Arguments,
    ) -> Result<String, ComposeError> {
        add_older_names(&mut arguments);
        let result = self
            .templates
            .render(template, &arguments)
            .map_err(ComposeError::from);
        let mut record = self.record();
        record.uses.insert(template);
        if let (Err(error), None) = (&result, &record.fault) {
            record.fault = Some(error.clone());
        }
        result
    }

    fn render_with(
        &self,
        name: &'static str,
        variables: Vec<(&'static str, TemplateValue)>,
    ) -> Result<String, ComposeError> {
        self.render(
            known(name),
            Arguments {
                variables,
                placeholders: Vec::new(),
            },
        )
    }

    /// A flag template's value.
    pub(crate) fn flag(&self, name: &'static str) -> Result<bool, ComposeError> {
        let template = known(name);
        let text = self.render(template, Arguments::default())?;
        read_flag(&text).ok_or_else(|| {
            let error = ComposeError::NotAFlag { template, text };
            self.record().fault.get_or_insert_with(|| error.clone());
            error
        })
    }

    /// A literal, spelled as the contract says.
    pub(crate) fn literal(&self, literal: &Literal) -> Result<String, ComposeError> {
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
    pub(crate) fn select(
        &self,
        expressions: &[String],
        cte: Option<String>,
    ) -> Result<String, ComposeError> {
        let mut variables = vec![("select_expressions", texts(expressions))];
        variables.extend(cte.map(|cte| ("cte", TemplateValue::Text(cte))));
        self.render_with("add_select_clause", variables)
    }

    /// One SELECT per row, joined.
    pub(crate) fn rows(&self, rows: &Rows) -> Result<String, ComposeError> {
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
    pub(crate) fn source(&self, rows: &Rows) -> Result<String, ComposeError> {
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
    pub(crate) fn over_rows(
        &self,
        rows: &Rows,
        expressions: &[String],
    ) -> Result<String, ComposeError> {
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
    pub(crate) fn bare(&self, expressions: &[String]) -> Result<String, ComposeError> {
        if self.flag("supports_literal_select")? {
            self.select(expressions, None)
        } else {
            self.over_rows(&Rows::one(), expressions)
        }
    }
}

/// Reads a flag's text as the contract does: any case, surrounding space ignored.
pub(crate) fn read_flag(text: &str) -> Option<bool> {
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

/// A template that the suite itself names.
pub(crate) fn known(name: &'static str) -> &'static Template {
    Template::find(name).expect("the suite names only templates of the contract")
}
