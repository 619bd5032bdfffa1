//! The Jinja stage.

use super::{TemplateError, TemplateValue};

/// A template whose text has been checked and compiled.
#[derive(Debug, Clone)]
pub struct CompiledTemplate {}

impl CompiledTemplate {
    /// Compiles a template; `name` is what errors call it.
    ///
    /// # Errors
    /// Kinds `Syntax` and `Unsupported`.
    pub fn compile(_name: &str, _text: &str) -> Result<Self, TemplateError> {
        unimplemented!()
    }

    /// Renders the Jinja stage.
    ///
    /// # Errors
    /// Kinds `Render`, `Security`, `OutOfFuel`.
    pub fn render(&self, _variables: &[(&str, TemplateValue)]) -> Result<String, TemplateError> {
        unimplemented!()
    }

    /// Whether the text refers to this variable anywhere.
    #[must_use]
    pub fn references(&self, _variable: &str) -> bool {
        unimplemented!()
    }
}
