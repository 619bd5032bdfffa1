//! Jinja as Jinja2 has it: templates that give text, and expressions that give values.
//!
//! A template gives exactly the text that Jinja2 would give, or it is refused by name: `syntax` reads it as Jinja2
//! does, `render` runs it, `python` holds the values and what Python does with them. `docs/COMPATIBILITY.md` lists
//! what is refused. An [`Environment`] adds filters, tests and names, and says what becomes of what is not there.
//! Templates of the contract are put through `str.format` afterwards ([`format_placeholders`]).

mod engine;
mod environment;
mod error;
mod evaluated;
mod expression;
mod format;
mod format_syntax;
mod native;
mod python;
mod render;
mod scope;
mod syntax;
mod value;

pub use engine::CompiledTemplate;
pub use environment::{Absent, Call, Environment, Failure, Function, Parameters};
pub use error::{TemplateError, TemplateErrorKind};
pub use evaluated::{Kind, Value};
pub use expression::Expression;
pub use format::format_placeholders;
pub use native::{Native, Shape};
pub use scope::Scope;
pub use value::TemplateValue;

#[cfg(test)]
mod tests;
