//! Expressions over a vendor's records: Jinja's, evaluated to typed values.
//!
//! Null is walked through (`record.owner.email` is nothing when `owner` is null), but a field that a record does not
//! have is an error, wherever in the expression it was looked for. `| default(...)` and `is defined` say that a field
//! may be missing. This is another environment than that of query templates: those are text for a database and follow
//! Jinja2 to the letter; these compute values.

mod environment;
mod filters;
mod record;
mod template;
mod time;

use std::fmt;

use minijinja::Value;

pub use template::Template;

pub(crate) use record::{to_json, to_value};
pub(crate) use template::text_of;

use record::Miss;

/// An expression that has been compiled.
#[derive(Clone)]
pub struct Expression {
    text: String,
    line: usize,
    compiled: std::sync::Arc<minijinja::Expression<'static, 'static>>,
}

impl Expression {
    /// Compiles an expression; `line` is where it stands in its file, from 1.
    ///
    /// # Errors
    /// When it is not a valid expression.
    pub fn compile(text: &str, line: usize) -> Result<Self, ExpressionProblem> {
        let compiled = environment::ENVIRONMENT
            .compile_expression_owned(text.to_owned())
            .map_err(|error| ExpressionProblem {
                message: worded(&error),
                hint: None,
            })?;
        if let Some((name, near)) = environment::unknown_filter(text) {
            return Err(ExpressionProblem {
                message: format!("unknown filter `{name}`"),
                hint: near.map(|near| format!("did you mean `{near}`?")),
            });
        }
        Ok(Self {
            text: text.to_owned(),
            line,
            compiled: std::sync::Arc::new(compiled),
        })
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The line in its file, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// What tells it from every other expression, though it may have the same text.
    pub(crate) fn id(&self) -> usize {
        std::sync::Arc::as_ptr(&self.compiled).addr()
    }

    /// The names it takes from outside.
    pub(crate) fn names(&self) -> std::collections::HashSet<String> {
        self.compiled.undeclared_variables(false)
    }

    /// Its value; nothing at all (an `if` without `else`, a walk through null) comes out as null.
    pub(crate) fn evaluate(&self, scope: &Scope) -> Result<Value, ExpressionProblem> {
        let (result, misses) =
            record::watching_misses(|| self.compiled.eval(scope.variables.clone()));
        if let Some(miss) = misses.first() {
            return Err(miss.problem());
        }
        let value = result.map_err(|error| ExpressionProblem {
            message: worded(&error),
            hint: None,
        })?;
        Ok(if value.is_undefined() {
            Value::from(())
        } else {
            value
        })
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expression({}: {})", self.line, self.text)
    }
}

/// Why an expression has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpressionProblem {
    /// What is wrong, in one line.
    pub message: String,
    /// One thing to do about it.
    pub hint: Option<String>,
}

/// The names that an expression sees.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    variables: Value,
}

impl Scope {
    pub(crate) fn new<K: Into<std::sync::Arc<str>>>(
        variables: impl IntoIterator<Item = (K, Value)>,
    ) -> Self {
        let variables: std::collections::BTreeMap<std::sync::Arc<str>, Value> = variables
            .into_iter()
            .map(|(name, value)| (name.into(), value))
            .collect();
        Self {
            variables: Value::from_object(variables),
        }
    }

    /// The value of a name, null when it has none.
    pub(crate) fn get(&self, name: &str) -> Value {
        self.variables
            .get_attr(name)
            .ok()
            .filter(|value| !value.is_undefined())
            .unwrap_or_else(|| Value::from(()))
    }

    /// The same names and some more; the new ones win.
    pub(crate) fn with<'k>(&self, more: impl IntoIterator<Item = (&'k str, Value)>) -> Self {
        let mut variables = self
            .variables
            .downcast_object_ref::<std::collections::BTreeMap<std::sync::Arc<str>, Value>>()
            .cloned()
            .unwrap_or_default();
        variables.extend(more.into_iter().map(|(name, value)| (name.into(), value)));
        Self {
            variables: Value::from_object(variables),
        }
    }
}

impl Miss {
    fn problem(&self) -> ExpressionProblem {
        let candidates = || self.fields.iter().map(AsRef::as_ref);
        let hint = match bowline_contract::nearest(&self.key, candidates()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if self.fields.is_empty() => "the record is empty".to_owned(),
            None => format!(
                "it has {}; write `| default(none)` behind a field that may be missing",
                bowline_connector::folder::listed(candidates().take(MAX_LISTED))
            ),
        };
        ExpressionProblem {
            message: format!("the record has no field `{}`", self.key),
            hint: Some(hint),
        }
    }
}

/// How many fields a hint lists.
const MAX_LISTED: usize = 30;

fn worded(error: &minijinja::Error) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}

#[cfg(test)]
mod tests;
