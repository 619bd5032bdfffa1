//! Template text: compiled once, rendered many times, with the contract's Jinja and then `str.format`.
//!
//! A template gives exactly the text that Jinja2 would give, or it is refused by name: `syntax` reads it as Jinja2
//! does, `render` runs it, `python` holds the values and what Python does with them. `docs/COMPATIBILITY.md` lists
//! what is refused.

mod engine;
mod error;
mod format;
mod markup;
mod python;
mod render;
mod syntax;
mod value;

pub use engine::CompiledTemplate;
pub use error::{TemplateError, TemplateErrorKind};
pub use format::format_placeholders;
pub use value::TemplateValue;

#[cfg(test)]
mod tests;
