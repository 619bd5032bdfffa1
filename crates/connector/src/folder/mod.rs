//! The files of a connector's folder: how they are read, and every mistake they can hold.

mod document;
mod name;
mod problem;

pub use document::{Document, schema_of};
pub use name::connector_name;
pub use problem::{LoadError, Place, Problem, ProblemKind};
