//! The Jinja stage.

use std::sync::Arc;

use super::python::fault::{Fault, FaultKind};
use super::python::moment::{Moment, Stamp};
use super::python::value::{Dict, Value as Inner};
use super::render::machine;
use super::syntax::{self, Program};
use super::{Environment, Failure, Scope, TemplateError, TemplateErrorKind, TemplateValue, Value};

/// A template whose text has been checked and compiled.
#[derive(Clone)]
pub struct CompiledTemplate {
    name: Arc<str>,
    program: Arc<Program>,
}

impl std::fmt::Debug for CompiledTemplate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CompiledTemplate")
            .field("name", &self.name)
            .field("source", &self.program.source)
            .finish()
    }
}

impl CompiledTemplate {
    /// Compiles a template; `name` is what errors call it.
    ///
    /// # Errors
    /// Kinds `Syntax` and `Unsupported`.
    pub fn compile(name: &str, text: &str) -> Result<Self, TemplateError> {
        Self::compile_in(Environment::of_the_contract(), name, text)
    }

    /// Compiles a template for an environment of its own.
    ///
    /// # Errors
    /// Kinds `Syntax` and `Unsupported`.
    pub fn compile_in(
        environment: &Arc<Environment>,
        name: &str,
        text: &str,
    ) -> Result<Self, TemplateError> {
        let source = syntax::normalize(text);
        let shown = source.clone();
        match syntax::parse(source, environment) {
            Ok(program) => Ok(Self {
                name: Arc::from(name),
                program: Arc::new(program),
            }),
            Err(fault) => Err(error(TemplateErrorKind::Syntax, name, &shown, fault)),
        }
    }

    /// Renders the Jinja stage.
    ///
    /// # Errors
    /// Kinds `Render`, `Unsupported`, `Security`, `OutOfFuel`.
    pub fn render(&self, variables: &[(&str, TemplateValue)]) -> Result<String, TemplateError> {
        let fail = |fault| {
            error(
                TemplateErrorKind::Render,
                &self.name,
                &self.program.source,
                fault,
            )
        };
        let mut values = Vec::with_capacity(variables.len());
        for (name, value) in variables {
            let value = convert(value).map_err(|fault| {
                fail(Fault {
                    message: format!("the variable `{name}`: {}", fault.message),
                    ..fault
                })
            })?;
            values.push((Arc::from(*name), Value(value)));
        }
        machine::run(&self.program, Scope::new(values)).map_err(fail)
    }

    /// Renders the template with what its names stand for.
    ///
    /// # Errors
    /// Kinds `Render`, `Unsupported`, `Security`, `OutOfFuel`.
    pub fn render_with(&self, scope: &Scope) -> Result<String, TemplateError> {
        machine::run(&self.program, scope.clone()).map_err(|fault| {
            error(
                TemplateErrorKind::Render,
                &self.name,
                &self.program.source,
                fault,
            )
        })
    }

    /// Whether the text takes this variable from outside.
    #[must_use]
    pub fn references(&self, variable: &str) -> bool {
        self.program.undeclared.contains(variable)
    }

    /// The variables the text takes from outside, sorted.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.program.undeclared.iter().map(|name| &**name)
    }
}

/// A fault in a text, as callers are told.
pub(crate) fn error(
    kind: TemplateErrorKind,
    name: &str,
    source: &str,
    fault: Fault,
) -> TemplateError {
    let kind = match fault.kind {
        FaultKind::Security => TemplateErrorKind::Security,
        FaultKind::Fuel => TemplateErrorKind::OutOfFuel,
        FaultKind::Unsupported => TemplateErrorKind::Unsupported,
        _ => kind,
    };
    let message = match kind {
        TemplateErrorKind::Unsupported => format!("not supported here: {}", fault.message),
        _ => fault.message,
    };
    let error = match fault.at {
        Some(at) => TemplateError::at_offset(kind, name, source, at, message),
        None => TemplateError::new(kind, name, message),
    };
    let mut error = error.with_hint(fault.hint);
    error.origin = fault.origin;
    error
}

impl TryFrom<&TemplateValue> for Value {
    type Error = Failure;

    fn try_from(value: &TemplateValue) -> Result<Self, Failure> {
        convert(value).map(Value).map_err(Failure)
    }
}

fn convert(value: &TemplateValue) -> Result<Inner, Fault> {
    let all = |items: &[TemplateValue]| items.iter().map(convert).collect::<Result<Vec<_>, _>>();
    Ok(match value {
        TemplateValue::None => Inner::None,
        TemplateValue::Boolean(truth) => Inner::Bool(*truth),
        TemplateValue::Integer(number) => Inner::Int(*number),
        TemplateValue::Float(number) => Inner::Float(*number),
        TemplateValue::Text(text) => Inner::text(text),
        TemplateValue::Date(date) => {
            super::python::moment::check_year(*date)?;
            Inner::Moment(Moment::Date(*date))
        }
        TemplateValue::DateTime(civil) => {
            Inner::Moment(Moment::DateTime(Arc::new(Stamp::naive(*civil)?)))
        }
        TemplateValue::ZonedDateTime(zoned) => {
            Inner::Moment(Moment::DateTime(Arc::new(Stamp::zoned(zoned)?)))
        }
        TemplateValue::List(items) => Inner::list(all(items)?)?,
        TemplateValue::Tuple(items) => Inner::tuple(all(items)?)?,
        TemplateValue::Dict(entries) => {
            let mut dict = Dict::default();
            for (key, value) in entries {
                dict.insert(Inner::text(key), convert(value)?)?;
            }
            Inner::dict(dict)
        }
    })
}
