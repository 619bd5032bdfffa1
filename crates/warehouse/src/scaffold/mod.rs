//! A new connector for a warehouse: its files written, loaded and validated.

mod conversion;
mod python;
#[cfg(test)]
mod tests;
mod texts;
mod write;

pub use write::{Draft, Scaffold, Scaffolded};
