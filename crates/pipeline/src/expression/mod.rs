//! Expressions over a vendor's records: Jinja's, evaluated to typed values.
//!
//! Null is walked through (`record.owner.email` is nothing when `owner` is null), but a field that a record does not
//! have is an error, wherever in the expression it was looked for. `| default(...)` and `is defined` say that a field
//! may be missing. All else is as in the templates of queries: they share the engine, and this is another environment
//! of it.

mod environment;
mod filters;
mod headers;
pub(crate) mod link;
mod record;
mod signing;
mod template;
mod time;

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use bowline_template::{Kind, Scope, TemplateError, Value};

pub use template::Template;

pub(crate) use headers::headers_value;
pub(crate) use record::{credentials_value, to_json, to_record, to_value};
pub(crate) use template::text_of;
pub(crate) use time::advice as time_advice;

/// An expression that has been compiled.
#[derive(Clone)]
pub struct Expression {
    text: Arc<str>,
    line: usize,
    compiled: bowline_template::Expression,
}

impl Expression {
    /// Compiles an expression; `line` is where it stands in its file, from 1.
    ///
    /// # Errors
    /// When it is not a valid expression, or names a filter or test that there is not.
    pub fn compile(text: &str, line: usize) -> Result<Self, ExpressionProblem> {
        let compiled = bowline_template::Expression::compile(&environment::ENVIRONMENT, text);
        let compiled = compiled.map_err(|error| {
            let name = error.message.strip_prefix("unknown filter `");
            let name = name.and_then(|name| filters::known_elsewhere(name.strip_suffix('`')?));
            let hint = name.map(|name| format!("it is called `{name}` here"));
            let problem = ExpressionProblem::from(error);
            ExpressionProblem {
                hint: hint.or(problem.hint),
                ..problem
            }
        })?;
        Ok(Self {
            text: Arc::from(text),
            line,
            compiled,
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
        Arc::as_ptr(&self.text).addr()
    }

    /// The names it takes from outside.
    pub(crate) fn names(&self) -> HashSet<String> {
        self.compiled.names().map(str::to_owned).collect()
    }

    /// Its value; nothing at all (an `if` without `else`, a walk through null) comes out as null.
    pub(crate) fn evaluate(&self, scope: &Scope) -> Result<Value, ExpressionProblem> {
        let value = self.compiled.evaluate(scope).map_err(|error| {
            let mut problem = ExpressionProblem::from(error);
            let parent = scope.get("parent").map(Value::kind);
            let is_plain = parent.is_some_and(|kind| kind != Kind::Mapping);
            if is_plain && self.text.contains("parent.parent") {
                problem.hint = Some(
                    "`grandparent` is what the parent was asked for, also where that is no record"
                        .to_owned(),
                );
            }
            problem
        })?;
        Ok(if value.is_undefined() {
            Value::NONE
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

impl ExpressionProblem {
    /// The same, for an expression of a request: where it asks for a window and there is none, that is said.
    fn within(mut self, expression: &Expression, scope: &Scope) -> Self {
        let has_window = scope
            .get("window")
            .is_some_and(|window| !window.is_nothing());
        let by_id = scope
            .get(crate::described::RUN_IDS)
            .is_some_and(|ids| !ids.is_nothing());
        if by_id && !has_window && self.hint.is_none() && expression.names().contains("window") {
            self.hint = Some(
                "runs that are asked for by their ids have no window: name with `by_id` in `[runs]` a source for them, \
                 or write `window.start or '2000-01-01T00:00:00Z'`"
                    .to_owned(),
            );
        }
        self
    }
}

impl From<TemplateError> for ExpressionProblem {
    fn from(error: TemplateError) -> Self {
        Self {
            message: error.message,
            hint: error.hint,
        }
    }
}

#[cfg(test)]
mod tests;
