//! Jinja as Jinja2 has it: templates that give text, and expressions that give values.
//!
//! A template gives exactly the text that Jinja2 would give, or it is refused by name: `syntax` reads it as Jinja2
//! does, `render` runs it, `python` holds the values and what Python does with them. `docs/COMPATIBILITY.md` lists
//! what is refused. An [`Environment`] adds filters, tests and names, and says what becomes of what is not there.
//! Templates of the contract are put through `str.format` afterwards ([`format_placeholders`]).
//!
//! ```
//! use bowline_template::{CompiledTemplate, TemplateValue, format_placeholders};
//!
//! # fn main() -> Result<(), bowline_template::TemplateError> {
//! let text = "SUM({x}){% if scale is defined %} * {{ scale }}{% endif %}";
//! let template = CompiledTemplate::compile("get_sum_function", text)?;
//! let rendered = template.render(&[("scale", TemplateValue::Integer(10))])?;
//! assert_eq!(rendered, "SUM({x}) * 10");
//!
//! let sql = format_placeholders("get_sum_function", &rendered, &[("x", "amount".to_owned())])?;
//! assert_eq!(sql, "SUM(amount) * 10");
//!
//! let error = CompiledTemplate::compile("get_sum_function", "{{ x|uper }}").unwrap_err();
//! assert_eq!(error.hint.as_deref(), Some("did you mean `upper`?"));
//! # Ok(())
//! # }
//! ```

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
