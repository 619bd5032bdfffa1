//! Expressions over templates: Jinja in which every template of the contract is a function.
//!
//! `{{ get_avg_function(x='val') }}` renders the connector's template and remembers that it was used.
//! A datetime with a zone is written as text: `'2024-06-15T12:00:00+02:00[+02:00]'`.
//! Besides the templates there are `literal(value)`, `datetime(text)`, `date(text)`, the moments of the
//! [`Clock`], and over the rows that are handed in `source()`, `rows()`, `over_rows(expression, ...)` and `bare(expression, ...)`;
//! `plain_rows()` are the same rows as a user would write them, without templates.
//! `row(expression, ...)` is a query of one row, `from_one_row()` what a SELECT without a table needs behind it.

use std::borrow::Cow;
use std::sync::Arc;

use bowline_contract::{Template, VariableType};
use bowline_template::{
    Absent, Call, CompiledTemplate, Environment, Failure, Function, Kind, Parameters, Scope,
    TemplateValue, Value,
};
use bowline_warehouse::template::Arguments;
use bowline_words::Diagnose;
use jiff::Zoned;

use crate::clock::Clock;
use crate::compose::{ComposeError, Composer};
use crate::literal::{Literal, Rows};

/// What errors call an expression.
const NAME: &str = "expression";

/// Renders expressions with one connector's templates.
pub struct Expressions {
    environment: Arc<Environment>,
    composer: Composer,
    clock: Clock,
}

impl Expressions {
    /// Expressions with what the composer's templates give, at the clock's moment.
    #[must_use]
    pub fn new(composer: Composer, clock: Clock) -> Self {
        let templates = Template::all().map(|template| {
            let composer = composer.clone();
            let variables = template.variables.iter().map(|variable| variable.name);
            let names = variables.chain(template.placeholders.iter().copied());
            let parameters = Parameters::Listed {
                names: Cow::Owned(names.collect()),
                required: 0,
            };
            Function::new(template.short_name(), parameters, move |call| {
                let arguments = arguments_of(template, call)?;
                composer
                    .render(template, arguments)
                    .map(Value::from)
                    .map_err(refused)
            })
        });
        let literals = composer.clone();
        let functions = [
            Function::new("literal", Parameters::listed(&["value"], 1), move |call| {
                let value = call.argument(0).cloned().unwrap_or_default();
                literals
                    .literal(&literal_of(&value)?)
                    .map(Value::from)
                    .map_err(refused)
            }),
            Function::new("datetime", Parameters::listed(&["text"], 1), |call| {
                moment(&TemplateValue::DateTime(parsed(call.text(0)?)?))
            }),
            Function::new("date", Parameters::listed(&["text"], 1), |call| {
                moment(&TemplateValue::Date(parsed(call.text(0)?)?))
            }),
        ];
        let moments = clock.moments().into_iter().filter_map(|(name, at)| {
            let at = moment(&TemplateValue::DateTime(at)).ok()?;
            Some((name, at))
        });
        let environment = Environment::new(Absent::Refused)
            .with_functions(templates)
            .with_functions(functions)
            .with_values(moments);
        Self {
            environment: Arc::new(environment),
            composer,
            clock,
        }
    }

    /// What renders the templates.
    #[must_use]
    pub fn composer(&self) -> &Composer {
        &self.composer
    }

    /// The moment that counts as now.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Renders one expression over these rows.
    ///
    /// # Errors
    /// [`ExpressionError`].
    pub fn render(&self, text: &str, rows: &Rows) -> Result<String, ExpressionError> {
        self.render_with(text, rows, [])
    }

    /// Renders one expression over these rows, with values of these names beside.
    ///
    /// # Errors
    /// [`ExpressionError`].
    pub fn render_with<const N: usize>(
        &self,
        text: &str,
        rows: &Rows,
        values: [(&'static str, Value); N],
    ) -> Result<String, ExpressionError> {
        let rows = Arc::new(rows.clone());
        let with_rows =
            |name: &'static str,
             compose: fn(&Composer, &Rows, &[String]) -> Result<String, ComposeError>| {
                let (composer, rows) = (self.composer.clone(), Arc::clone(&rows));
                let function = Function::new(name, Parameters::Rest, move |call| {
                    let expressions: Vec<String> = call.arguments().map(Value::to_string).collect();
                    compose(&composer, &rows, &expressions)
                        .map(Value::from)
                        .map_err(refused)
                });
                (name, Value::function(function))
            };
        let functions = [
            with_rows("source", |composer, rows, _| composer.source(rows)),
            with_rows("rows", |composer, rows, _| composer.rows(rows)),
            with_rows("plain_rows", |composer, rows, _| composer.plain_rows(rows)),
            with_rows("over_rows", Composer::over_rows),
            with_rows("bare", |composer, _, expressions| {
                composer.bare(expressions)
            }),
            with_rows("row", |composer, _, expressions| {
                composer.select_row(expressions)
            }),
            with_rows("from_one_row", |composer, _, _| composer.one_row_clause()),
        ];
        let scope = Scope::new(functions.into_iter().chain(values));
        CompiledTemplate::compile_in(&self.environment, NAME, text)
            .and_then(|template| template.render_with(&scope))
            .map_err(|error| match error.cause::<ComposeError>() {
                Some(compose) => ExpressionError::Compose(compose.clone()),
                None => ExpressionError::Expression(error.diagnose().to_string()),
            })
    }
}

/// Why an expression gave no text.
#[derive(Debug, thiserror::Error)]
pub enum ExpressionError {
    /// A template failed.
    #[error(transparent)]
    Compose(#[from] ComposeError),
    /// The expression itself is at fault.
    #[error("{0}")]
    Expression(String),
}

fn refused(error: ComposeError) -> Failure {
    Failure::new(error.to_string()).caused_by(error)
}

fn moment(moment: &TemplateValue) -> Result<Value, Failure> {
    Value::try_from(moment)
}

fn parsed<T: std::str::FromStr<Err = jiff::Error>>(text: &str) -> Result<T, Failure> {
    text.parse()
        .map_err(|error: jiff::Error| Failure::new(error.to_string()))
}

/// Sorts a call's arguments into the template's variables and placeholders.
fn arguments_of(template: &'static Template, call: &Call<'_>) -> Result<Arguments, Failure> {
    let mut arguments = Arguments::default();
    for (place, variable) in template.variables.iter().enumerate() {
        if let Some(value) = call.argument(place) {
            arguments
                .variables
                .push((variable.name, template_value(value, variable.kind)?));
        }
    }
    for (place, placeholder) in template.placeholders.iter().enumerate() {
        if let Some(value) = call.argument(template.variables.len() + place) {
            arguments
                .placeholders
                .push((placeholder, value.to_string()));
        }
    }
    Ok(arguments)
}

fn template_value(value: &Value, kind: VariableType) -> Result<TemplateValue, Failure> {
    let items = |kind| {
        let items = value.items().unwrap_or_default();
        let items = items.iter().map(|item| template_value(item, kind));
        items.collect::<Result<Vec<_>, Failure>>()
    };
    Ok(match (value.kind(), kind) {
        (Kind::None, _) => TemplateValue::None,
        (Kind::Boolean(flag), _) => TemplateValue::Boolean(flag),
        (Kind::DateTime(at), _) => TemplateValue::DateTime(at),
        (Kind::Text(text), VariableType::DateTime) => match text.parse::<Zoned>() {
            Ok(at) => TemplateValue::ZonedDateTime(Box::new(at)),
            Err(_) => TemplateValue::Text(text.to_owned()),
        },
        (Kind::Date(day), _) => TemplateValue::Date(day),
        (_, VariableType::Float) => TemplateValue::Float(value.as_number().ok_or_else(|| {
            Failure::new(format!("expected a number, not a `{}`", value.type_name()))
        })?),
        (Kind::Integer(_) | Kind::Float(_), VariableType::Text) => {
            TemplateValue::Text(value.to_string())
        }
        (Kind::Integer(number), _) => match i64::try_from(number) {
            Ok(number) => TemplateValue::Integer(number),
            Err(_) => return Err(Failure::new(format!("the number {number} is too large"))),
        },
        (Kind::Float(number), _) => TemplateValue::Float(number),
        (Kind::Sequence, VariableType::PairList) => TemplateValue::List(
            value
                .items()
                .unwrap_or_default()
                .iter()
                .map(|pair| {
                    let pair = pair.items().ok_or_else(|| {
                        Failure::new(format!("expected a pair, not a `{}`", pair.type_name()))
                    })?;
                    let pair = pair
                        .iter()
                        .map(|item| template_value(item, VariableType::Text));
                    Ok(TemplateValue::Tuple(pair.collect::<Result<_, Failure>>()?))
                })
                .collect::<Result<_, Failure>>()?,
        ),
        (Kind::Sequence, VariableType::List) => TemplateValue::List(items(VariableType::List)?),
        (Kind::Sequence, _) => TemplateValue::List(items(VariableType::Text)?),
        _ => TemplateValue::Text(value.to_string()),
    })
}

/// A value of an expression as a literal.
fn literal_of(value: &Value) -> Result<Literal, Failure> {
    match value.kind() {
        Kind::None => Ok(Literal::Null),
        Kind::Boolean(flag) => Ok(Literal::Boolean(flag)),
        Kind::Integer(_) | Kind::Float(_) => Ok(Literal::Number(value.to_string())),
        Kind::Text(text) => Ok(Literal::Text(text.to_owned())),
        Kind::DateTime(at) => Ok(Literal::DateTime(at)),
        Kind::Date(day) => Ok(Literal::Date(day)),
        _ => Err(Failure::new(format!(
            "a `{}` is not a literal",
            value.type_name()
        ))),
    }
}
