//! The files of a warehouse connector's folder: their formats, and every mistake they can hold.

mod config;
mod files;
mod layer;
mod overlay;
mod position;
mod templates;

pub use config::{ConnectorFile, DialectSection, DriverKind, DriverSection, FunctionalSection};
pub use overlay::{FITTED, NewTemplate, OverlayError};

pub(crate) use files::{TemplateFile, read_optional, read_own_templates, template_paths};
pub(crate) use overlay::toml_value;
pub(crate) use templates::{
    GivenTemplate, compile, nearest_template, read_templates, template_of_file, whole_file,
};
