//! A new connector: its files written, ignored by git where they hold secrets, loaded and validated.

mod error;
mod ignore;
mod python;
mod rust;
#[cfg(test)]
mod tests;
mod texts;
mod write;

pub use error::ScaffoldError;
pub use write::{Scaffold, Scaffolded};
