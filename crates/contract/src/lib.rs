//! The connector contract as data: what a connector must provide and what a suite must find out.
//!
//! No input or output happens here; every other crate reads its facts from this one.

pub mod template;
mod templates;

pub use template::{
    Template, TemplateKind, TemplateSection, TemplateStyle, Variable, VariableType,
};
