//! Template text: compiled once, rendered many times, with the contract's Jinja and then `str.format`.

mod engine;
mod error;
mod format;
mod markup;
mod set;
mod value;

pub use engine::CompiledTemplate;
pub use error::{TemplateError, TemplateErrorKind};
pub use format::format_placeholders;
pub use set::{Arguments, ConnectorTemplate, Origin, RenderError, TemplateSet, older_names};
pub use value::TemplateValue;
