//! The Jinja stage.

use std::collections::HashSet;
use std::sync::Arc;

use minijinja::value::Object;
use minijinja::{Environment, Error, ErrorKind, State, Value};

use super::{TemplateError, TemplateErrorKind, TemplateValue};

/// A template whose text has been checked and compiled.
#[derive(Debug, Clone)]
pub struct CompiledTemplate {
    name: String,
    text: String,
    environment: Arc<Environment<'static>>,
    variables: Arc<HashSet<String>>,
}

impl CompiledTemplate {
    /// Compiles a template; `name` is what errors call it.
    ///
    /// # Errors
    /// Kinds `Syntax` and `Unsupported`.
    pub fn compile(name: &str, text: &str) -> Result<Self, TemplateError> {
        let mut environment = Environment::new();
        let syntax = minijinja::syntax::SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()
            .map_err(|error| failure(TemplateErrorKind::Syntax, name, text, &error))?;
        environment.set_syntax(syntax);
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        environment
            .set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment
            .add_template_owned("template", text.to_owned())
            .map_err(|error| failure(TemplateErrorKind::Syntax, name, text, &error))?;
        let variables = environment
            .get_template("template")
            .map_err(|error| failure(TemplateErrorKind::Syntax, name, text, &error))?
            .undeclared_variables(false);
        Ok(Self {
            name: name.to_owned(),
            text: text.to_owned(),
            environment: Arc::new(environment),
            variables: Arc::new(variables),
        })
    }

    /// Renders the Jinja stage.
    ///
    /// # Errors
    /// Kinds `Render`, `Security`, `OutOfFuel`.
    pub fn render(&self, variables: &[(&str, TemplateValue)]) -> Result<String, TemplateError> {
        let context = Value::from_pairs(
            variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), convert(value))),
        );
        self.environment
            .get_template("template")
            .and_then(|template| template.render(context))
            .map_err(|error| failure(TemplateErrorKind::Render, &self.name, &self.text, &error))
    }

    /// Whether the text refers to this variable anywhere.
    #[must_use]
    pub fn references(&self, variable: &str) -> bool {
        self.variables.contains(variable)
    }
}

fn failure(kind: TemplateErrorKind, name: &str, text: &str, error: &Error) -> TemplateError {
    let message = error.to_string();
    match error.range() {
        Some(range) => TemplateError::at_offset(kind, name, text, range.start, message),
        None => TemplateError::new(kind, name, message),
    }
}

#[derive(Debug)]
struct Moment(jiff::Zoned, Option<&'static str>);

impl Object for Moment {
    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        method: &str,
        arguments: &[Value],
    ) -> Result<Value, Error> {
        match (method, arguments) {
            ("strftime", [pattern]) => Ok(Value::from(
                self.0
                    .strftime(pattern.as_str().unwrap_or_default())
                    .to_string(),
            )),
            ("isoformat", []) => Ok(Value::from(
                self.0
                    .strftime(self.1.map_or("%Y-%m-%dT%H:%M:%S%:z", |text| text))
                    .to_string(),
            )),
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }

    fn render(self: &Arc<Self>, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.strftime("%Y-%m-%d %H:%M:%S"))
    }
}

fn convert(value: &TemplateValue) -> Value {
    let moment = |at: jiff::civil::DateTime, text| {
        at.to_zoned(jiff::tz::TimeZone::UTC)
            .map_or(Value::UNDEFINED, |zoned| {
                Value::from_object(Moment(zoned, text))
            })
    };
    match value {
        TemplateValue::None => Value::from(()),
        TemplateValue::Boolean(value) => Value::from(*value),
        TemplateValue::Integer(value) => Value::from(*value),
        TemplateValue::Float(value) => Value::from(*value),
        TemplateValue::Text(value) => Value::from(value.as_str()),
        TemplateValue::Date(value) => moment(
            value.to_datetime(jiff::civil::Time::midnight()),
            Some("%Y-%m-%d"),
        ),
        TemplateValue::DateTime(value) => moment(*value, Some("%Y-%m-%dT%H:%M:%S")),
        TemplateValue::ZonedDateTime(value) => Value::from_object(Moment((**value).clone(), None)),
        TemplateValue::List(items) | TemplateValue::Tuple(items) => {
            items.iter().map(convert).collect()
        }
        TemplateValue::Dict(items) => items.iter().map(|(k, v)| (k.clone(), convert(v))).collect(),
    }
}
