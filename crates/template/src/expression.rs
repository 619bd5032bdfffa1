//! Expressions on their own: compiled once, evaluated many times.

use std::sync::Arc;

use crate::engine::error;
use crate::environment::Environment;
use crate::error::{TemplateError, TemplateErrorKind};
use crate::evaluated::Value;
use crate::render::machine;
use crate::scope::Scope;
use crate::syntax::{self, Formula};

/// What errors call an expression.
const NAME: &str = "expression";

/// An expression that has been compiled. It may be evaluated by several threads at once.
#[derive(Clone)]
pub struct Expression(Arc<Formula>);

impl std::fmt::Debug for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Expression").field(&self.0.source).finish()
    }
}

impl Expression {
    /// Compiles an expression, such as `a + b | length`. Filters and tests that the environment does not have are
    /// errors wherever they stand.
    ///
    /// # Errors
    /// Kinds `Syntax` and `Unsupported`; places are those in the text.
    pub fn compile(environment: &Arc<Environment>, text: &str) -> Result<Self, TemplateError> {
        syntax::parse_expression(text, environment)
            .map(|formula| Self(Arc::new(formula)))
            .map_err(|fault| error(TemplateErrorKind::Syntax, NAME, text, fault))
    }

    /// The names it takes from its scope, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.undeclared.iter().map(|name| &**name)
    }

    /// Its value.
    ///
    /// # Errors
    /// Kinds `Render`, `Unsupported`, `Security`, `OutOfFuel`.
    pub fn evaluate(&self, scope: &Scope) -> Result<Value, TemplateError> {
        machine::evaluate(&self.0, scope)
            .map(Value)
            .map_err(|fault| error(TemplateErrorKind::Render, NAME, &self.0.source, fault))
    }
}
