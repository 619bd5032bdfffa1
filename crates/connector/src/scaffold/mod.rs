//! A new connector: its files written, ignored by git where they hold secrets, loaded and validated.

mod conversion;
mod error;
mod folder;
mod ignore;
mod python;
mod rust;
#[cfg(test)]
mod tests;
mod texts;
mod write;

pub use error::ScaffoldError;
pub use folder::{KeptFolder, NewFile, NewFolder, new_connection_type};
pub use rust::pipeline_project;
pub use write::{Draft, Scaffold, Scaffolded};
