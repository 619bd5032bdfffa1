//! The files of a connector folder: their formats, and every mistake they can hold.

mod config;
mod document;
mod position;
mod problem;
mod templates;

pub use config::{ConnectorFile, DialectSection, DriverKind, DriverSection, FunctionalSection};
pub use document::Document;
pub use problem::{LoadError, Place, Problem, ProblemKind};

pub(crate) use document::schema_of;
pub(crate) use templates::{GivenTemplate, compile, read_templates, template_of_file, whole_file};
