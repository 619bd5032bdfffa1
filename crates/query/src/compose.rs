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
    /// Every SELECT needs a table, and no table with one row is known to select literals from.
    #[error(
        "`supports_literal_select` is false, and no table with one row is known: name one as `one_row_table`, in \
         `[suite]` of connector.toml or as an attribute of `BaseConnector`"
    )]
    NoOneRowTable,
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
            Self::NotAFlag { .. } | Self::NoOneRowTable => Diagnostic::of(self),
        }
    }
}

impl ComposeError {
    /// The template that could not be rendered, where it is a template's fault.
    #[must_use]
    pub fn template(&self) -> Option<&'static Template> {
        match self {
            Self::Render(RenderError::NotImplemented(template))
            | Self::NotAFlag { template, .. } => Some(template),
            Self::Render(
                RenderError::IgnoredVariable { template, .. }
                | RenderError::Template { template, .. },
            ) => Some(template),
            Self::NoOneRowTable => None,
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

    /// Renders a template of this short name, which has no placeholders.
    ///
    /// # Errors
    /// [`ComposeError::Render`].
    pub fn render_with(
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

    /// `SELECT` of these expressions from a table, as SQL names it.
    ///
    /// # Errors
    /// [`ComposeError`], when a template fails.
    pub fn select_from(
        &self,
        expressions: &[String],
        table: String,
    ) -> Result<String, ComposeError> {
        let select_clause = self.select(expressions, None)?;
        self.with_from(select_clause, table)
    }

    /// A SELECT of these expressions that is a whole statement: it names a table only where the engine asks for one.
    ///
    /// # Errors
    /// [`ComposeError`], when a template fails.
    pub fn select_row(&self, expressions: &[String]) -> Result<String, ComposeError> {
        let clause = self.select(expressions, None)?;
        let last = expressions.last().map_or("", String::as_str);
        if names_a_table(&clause, last).is_some() {
            return Ok(clause);
        }
        match self.one_row_table()? {
            None => Ok(clause),
            Some(table) => self.with_from(clause, table),
        }
    }

    /// What stands behind the expressions of a SELECT that needs no table, for statements that are written without
    /// templates: nothing, or a FROM clause with a blank before it.
    ///
    /// # Errors
    /// [`ComposeError::NoOneRowTable`], and when a template fails.
    pub fn one_row_clause(&self) -> Result<String, ComposeError> {
        const EXPRESSION: &str = "1";
        let clause = self.unnoticed(
            "add_select_clause",
            vec![("select_expressions", texts(&[EXPRESSION.to_owned()]))],
        );
        let own = clause
            .as_deref()
            .and_then(|clause| names_a_table(clause, EXPRESSION));
        Ok(match own {
            Some(own) => format!(" {}", own.trim()),
            None => self
                .one_row_table()?
                .map_or_else(String::new, |table| format!(" FROM {table}")),
        })
    }

    /// The table with one row that a SELECT without a table of its own must name; none where none is needed.
    fn one_row_table(&self) -> Result<Option<String>, ComposeError> {
        // Where the flag is true, statements are written as if there were none: reading it is no use of it.
        let flag = self.unnoticed("supports_literal_select", Vec::new());
        let flag = flag.as_deref().and_then(read_flag);
        if flag == Some(false) {
            self.used()
                .insert(Template::known("supports_literal_select"));
        }
        match (flag, &self.templates.suite().one_row_table) {
            (Some(true), _) | (None, None) => return Ok(None),
            (_, Some(table)) => return Ok(Some(table.clone())),
            (Some(false), None) if !self.has("literal_table_from_value_list") => {
                return Err(ComposeError::NoOneRowTable);
            }
            (Some(false), None) => {}
        }
        let table = self.render_with(
            "literal_table_from_value_list",
            vec![
                ("value_list", texts(&["1".to_owned()])),
                ("result_field_name", TemplateValue::Text("val".to_owned())),
            ],
        )?;
        Ok(Some(format!("({table}) one_row")))
    }

    /// A template's text, where there is one, without taking it into a statement.
    fn unnoticed(
        &self,
        name: &'static str,
        variables: Vec<(&'static str, TemplateValue)>,
    ) -> Option<String> {
        let arguments = Arguments {
            variables,
            placeholders: Vec::new(),
        };
        self.templates
            .render(Template::known(name), &arguments)
            .ok()
    }

    fn has(&self, name: &'static str) -> bool {
        self.templates.get(Template::known(name)).is_some()
    }

    fn with_from(&self, select_clause: String, table: String) -> Result<String, ComposeError> {
        self.render_with(
            "add_from_clause",
            vec![
                ("select_clause", TemplateValue::Text(select_clause)),
                ("from_expression", TemplateValue::Text(table)),
            ],
        )
    }

    /// The type of a column that holds texts: the connector's own word, else what it casts to text with.
    #[must_use]
    pub fn text_type(&self) -> String {
        const USUAL: &str = "TEXT";
        const EXPRESSION: &str = "text_column";
        if let Some(given) = &self.templates.suite().text_type {
            return given.clone();
        }
        let cast = self.unnoticed(
            "cast_to_string_func",
            vec![("expression", TemplateValue::Text(EXPRESSION.to_owned()))],
        );
        let found = cast
            .as_deref()
            .and_then(|cast| type_of_cast(cast, EXPRESSION));
        // A column of CHAR without a length holds one character.
        let is_fit = |found: &&str| !found.to_ascii_uppercase().starts_with("CHAR");
        found.filter(is_fit).unwrap_or(USUAL).to_owned()
    }

    /// One SELECT per row, joined.
    ///
    /// # Errors
    /// [`ComposeError`], when a template fails.
    pub fn rows(&self, rows: &Rows) -> Result<String, ComposeError> {
        let columns = (0..rows.columns.len())
            .map(|place| self.column(&rows.values, place))
            .collect::<Result<Vec<_>, _>>()?;
        let mut queries = Vec::with_capacity(rows.values.len());
        for number in 0..rows.values.len() {
            let mut expressions = Vec::with_capacity(columns.len());
            for (alias, fields) in rows.columns.iter().zip(&columns) {
                expressions.push(self.render_with(
                    "alias_field",
                    vec![
                        ("field", TemplateValue::Text(fields[number].clone())),
                        ("alias", TemplateValue::Text(alias.clone())),
                    ],
                )?);
            }
            queries.push(self.select_row(&expressions)?);
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

    /// The same rows without templates, but for what their literals need: a query as a user would write it.
    ///
    /// # Errors
    /// [`ComposeError`], when a template fails.
    pub fn plain_rows(&self, rows: &Rows) -> Result<String, ComposeError> {
        let from = self.one_row_clause()?;
        let columns = (0..rows.columns.len())
            .map(|place| self.column(&rows.values, place))
            .collect::<Result<Vec<_>, _>>()?;
        let row = |number: usize| {
            let fields = rows.columns.iter().zip(&columns);
            let fields = fields.map(|(alias, fields)| format!("{} AS {alias}", fields[number]));
            format!("SELECT {}{from}", fields.collect::<Vec<_>>().join(", "))
        };
        let queries: Vec<String> = (0..rows.values.len()).map(row).collect();
        Ok(queries.join(" UNION ALL "))
    }

    /// The literals of one column, all of one type: some engines would pad a text to the longest beside it, and some
    /// do not know what an untyped NULL is.
    fn column(&self, rows: &[Vec<Literal>], place: usize) -> Result<Vec<String>, ComposeError> {
        let literals: Vec<&Literal> = rows.iter().filter_map(|row| row.get(place)).collect();
        let mut lengths = literals.iter().filter_map(|literal| match literal {
            Literal::Text(text) => Some(text.chars().count()),
            _ => None,
        });
        let first = lengths.next();
        let may_be_padded = self.has_old_literals() && lengths.any(|next| Some(next) != first);
        let mut fields = Vec::with_capacity(literals.len());
        for literal in &literals {
            let field = self.literal(literal)?;
            fields.push(match literal {
                Literal::Text(_) if may_be_padded => self.as_text(field)?,
                _ => field,
            });
        }
        let typed = literals.iter().position(|each| **each != Literal::Null);
        if let Some(typed) = typed.and_then(|place| fields.get(place).cloned()) {
            for (field, literal) in fields.iter_mut().zip(&literals) {
                if **literal == Literal::Null {
                    *field = format!("CASE WHEN 1 = 0 THEN {typed} ELSE NULL END");
                }
            }
        }
        Ok(fields)
    }

    /// Whether a literal may be a CHAR: engines where it is are those in which no SELECT stands without FROM.
    fn has_old_literals(&self) -> bool {
        let clause = self.one_row_clause();
        self.templates.suite().text_type.is_some() || clause.is_ok_and(|clause| !clause.is_empty())
    }

    /// A text literal as a text of any length.
    fn as_text(&self, literal: String) -> Result<String, ComposeError> {
        match &self.templates.suite().text_type {
            Some(kind) => Ok(format!("CAST({literal} AS {kind})")),
            None if self.has("cast_to_string_func") => self.render_with(
                "cast_to_string_func",
                vec![("expression", TemplateValue::Text(literal))],
            ),
            None => Ok(literal),
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

    /// A SELECT over rows; over a derived table where `build_cte` is known not to be there.
    ///
    /// # Errors
    /// [`ComposeError`], when a template fails.
    pub fn over_rows(&self, rows: &Rows, expressions: &[String]) -> Result<String, ComposeError> {
        if !self.has("build_cte") {
            let rows = self.rows(rows)?;
            return self.select_from(expressions, format!("({rows}) {SOURCE}"));
        }
        let source = self.source(rows)?;
        let select_clause = self.select(expressions, Some(source))?;
        self.with_from(select_clause, SOURCE.to_owned())
    }

    /// A SELECT without FROM where the dialect can, otherwise over one row.
    ///
    /// # Errors
    /// [`ComposeError`], when a template fails.
    pub fn bare(&self, expressions: &[String]) -> Result<String, ComposeError> {
        if self.flag("supports_literal_select")? {
            self.select(expressions, None)
        } else {
            self.select_row(expressions)
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

/// What a SELECT clause has behind its last expression, where that names a table.
fn names_a_table<'c>(clause: &'c str, last: &str) -> Option<&'c str> {
    let (_, behind) = clause.rsplit_once(last)?;
    let words = &mut behind.split_whitespace();
    words
        .any(|word| word.eq_ignore_ascii_case("FROM"))
        .then_some(behind)
}

/// The type of `CAST(expression AS type)`.
fn type_of_cast<'c>(cast: &'c str, expression: &str) -> Option<&'c str> {
    let (head, behind) = cast.trim().split_once(expression)?;
    let behind = behind.trim_start();
    let kind = behind
        .get(..2)
        .filter(|word| word.eq_ignore_ascii_case("AS"))
        .and_then(|_| behind[2..].strip_suffix(')'))?;
    let is_cast = head
        .trim_end()
        .strip_suffix('(')
        .is_some_and(|head| head.trim_end().eq_ignore_ascii_case("CAST"));
    is_cast.then_some(kind.trim())
}

fn texts(values: &[String]) -> TemplateValue {
    TemplateValue::List(values.iter().cloned().map(TemplateValue::Text).collect())
}
