//! The folder of a new connector: its files written whole or not at all, and ignored by git where they hold secrets.

mod error;
mod folder;
mod ignore;
mod rust;

pub use error::ScaffoldError;
pub use folder::{KeptFolder, NewFile, NewFolder, new_connection_type, schema_line};
pub use rust::rust_project;
