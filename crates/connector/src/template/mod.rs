//! Template text: compiled once, rendered many times, with the contract's Jinja and then `str.format`.

mod engine;
mod error;
mod set;
mod value;

pub use engine::CompiledTemplate;
pub use error::{TemplateError, TemplateErrorKind};
pub use set::{Arguments, ConnectorTemplate, Origin, RenderError, TemplateSet};
pub use value::TemplateValue;
