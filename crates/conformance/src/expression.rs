//! The language of check records: Jinja in which every template of the contract is a function.
//!
//! `{{ get_avg_function(x='val') }}` renders the connector's template and remembers that it was used.
//! Besides the templates there are `literal(value)`, `datetime(text)`, `date(text)`, and over the record's own
//! rows `source()`, `rows()`, `over_rows(expression, ...)` and `bare(expression, ...)`.

use std::collections::BTreeMap;
use std::sync::Arc;

use bowline_connector::template::Arguments;
use bowline_contract::{Template, VariableType};
use bowline_template::TemplateValue;
use jiff::civil::{Date, DateTime};
use minijinja::value::{Kwargs, Object, Rest, ValueKind};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value};

use crate::clock::Clock;
use crate::compose::{ComposeError, Composer};
use crate::literal::{Literal, Rows};

/// A date or a time inside an expression.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Moment {
    DateTime(DateTime),
    Date(Date),
}

impl Object for Moment {
    fn render(self: &Arc<Self>, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match **self {
            Self::DateTime(at) => write!(f, "{at}"),
            Self::Date(day) => write!(f, "{day}"),
        }
    }
}

/// Renders expressions with one connector's templates.
pub(crate) struct Expressions {
    environment: Environment<'static>,
    composer: Composer,
    clock: Clock,
}

impl Expressions {
    pub(crate) fn new(composer: Composer, clock: Clock) -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        for template in Template::all() {
            let composer = composer.clone();
            environment.add_function(template.short_name(), move |kwargs: Kwargs| {
                let arguments = arguments_of(template, &kwargs)?;
                composer.render(template, arguments).map_err(refused)
            });
        }
        let literals = composer.clone();
        environment.add_function("literal", move |value: Value| {
            literals.literal(&literal_of(&value)?).map_err(refused)
        });
        environment.add_function("datetime", |text: &str| {
            parse(text).map(|at| moment(Moment::DateTime(at)))
        });
        environment.add_function("date", |text: &str| {
            parse(text).map(|day| moment(Moment::Date(day)))
        });
        for (name, at) in clock.moments() {
            environment.add_global(name, moment(Moment::DateTime(at)));
        }
        Self {
            environment,
            composer,
            clock,
        }
    }

    pub(crate) fn composer(&self) -> &Composer {
        &self.composer
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Renders one expression of a record over its rows.
    pub(crate) fn render(&self, text: &str, rows: &Rows) -> Result<String, ExpressionError> {
        let rows = Arc::new(rows.clone());
        let with_rows = |call: fn(&Composer, &Rows, &[String]) -> Result<String, ComposeError>| {
            let (composer, rows) = (self.composer.clone(), Arc::clone(&rows));
            Value::from_function(move |expressions: Rest<String>| {
                call(&composer, &rows, &expressions).map_err(refused)
            })
        };
        let context = BTreeMap::from([
            (
                "source",
                with_rows(|composer, rows, _| composer.source(rows)),
            ),
            ("rows", with_rows(|composer, rows, _| composer.rows(rows))),
            ("over_rows", with_rows(Composer::over_rows)),
            (
                "bare",
                with_rows(|composer, _, expressions| composer.bare(expressions)),
            ),
        ]);
        self.environment
            .render_str(text, Value::from_pairs(context))
            .map_err(|error| {
                let mut source = std::error::Error::source(&error);
                while let Some(inner) = source {
                    if let Some(compose) = inner.downcast_ref::<ComposeError>() {
                        return ExpressionError::Compose(compose.clone());
                    }
                    source = inner.source();
                }
                ExpressionError::Record(format!("{error:#}"))
            })
    }
}

/// Why an expression gave no text.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExpressionError {
    /// A template failed.
    #[error(transparent)]
    Compose(#[from] ComposeError),
    /// The record itself is at fault.
    #[error("{0}")]
    Record(String),
}

fn refused(error: ComposeError) -> Error {
    Error::new(ErrorKind::InvalidOperation, error.to_string()).with_source(error)
}

fn moment(moment: Moment) -> Value {
    Value::from_object(moment)
}

fn parse<T: std::str::FromStr<Err = jiff::Error>>(text: &str) -> Result<T, Error> {
    text.parse()
        .map_err(|error: jiff::Error| Error::new(ErrorKind::InvalidOperation, error.to_string()))
}

/// Sorts keyword arguments into the template's variables and placeholders.
fn arguments_of(template: &'static Template, kwargs: &Kwargs) -> Result<Arguments, Error> {
    let mut arguments = Arguments::default();
    for variable in template.variables {
        if kwargs.has(variable.name) {
            let value: Value = kwargs.get(variable.name)?;
            arguments
                .variables
                .push((variable.name, template_value(&value, variable.kind)?));
        }
    }
    for placeholder in template.placeholders {
        if kwargs.has(placeholder) {
            let value: Value = kwargs.get(placeholder)?;
            arguments
                .placeholders
                .push((placeholder, value.to_string()));
        }
    }
    kwargs.assert_all_used()?;
    Ok(arguments)
}

fn template_value(value: &Value, kind: VariableType) -> Result<TemplateValue, Error> {
    if let Some(moment) = value.downcast_object_ref::<Moment>() {
        return Ok(match *moment {
            Moment::DateTime(at) => TemplateValue::DateTime(at),
            Moment::Date(day) => TemplateValue::Date(day),
        });
    }
    let items = |kind| {
        value
            .try_iter()?
            .map(|item| template_value(&item, kind))
            .collect::<Result<Vec<_>, Error>>()
    };
    Ok(match (value.kind(), kind) {
        (ValueKind::None, _) => TemplateValue::None,
        (ValueKind::Bool, _) => TemplateValue::Boolean(value.is_true()),
        (_, VariableType::Float) => TemplateValue::Float(f64::try_from(value.clone())?),
        (ValueKind::Number, VariableType::Text) => TemplateValue::Text(value.to_string()),
        (ValueKind::Number, _) => match value.as_i64() {
            Some(number) => TemplateValue::Integer(number),
            None => TemplateValue::Float(f64::try_from(value.clone())?),
        },
        (ValueKind::Seq | ValueKind::Iterable, VariableType::PairList) => TemplateValue::List(
            value
                .try_iter()?
                .map(|pair| {
                    let pair = pair
                        .try_iter()?
                        .map(|item| template_value(&item, VariableType::Text));
                    Ok(TemplateValue::Tuple(pair.collect::<Result<_, Error>>()?))
                })
                .collect::<Result<_, Error>>()?,
        ),
        (ValueKind::Seq | ValueKind::Iterable, VariableType::List) => {
            TemplateValue::List(items(VariableType::List)?)
        }
        (ValueKind::Seq | ValueKind::Iterable, _) => {
            TemplateValue::List(items(VariableType::Text)?)
        }
        _ => TemplateValue::Text(value.to_string()),
    })
}

/// A value of an expression as a literal.
fn literal_of(value: &Value) -> Result<Literal, Error> {
    if let Some(moment) = value.downcast_object_ref::<Moment>() {
        return Ok(match *moment {
            Moment::DateTime(at) => Literal::DateTime(at),
            Moment::Date(day) => Literal::Date(day),
        });
    }
    match value.kind() {
        ValueKind::None => Ok(Literal::Null),
        ValueKind::Bool => Ok(Literal::Boolean(value.is_true())),
        ValueKind::Number => Ok(Literal::Number(value.to_string())),
        ValueKind::String => Ok(Literal::Text(value.to_string())),
        kind => Err(Error::new(
            ErrorKind::InvalidOperation,
            format!("a {kind} is not a literal"),
        )),
    }
}
