//! A new connector: its files written, ignored by git where they hold secrets, loaded and validated.

mod conversion;
mod error;
mod ignore;
mod python;
mod rust;
#[cfg(test)]
mod tests;
mod texts;
mod write;

pub use error::ScaffoldError;
pub use write::{Draft, Scaffold, Scaffolded};
