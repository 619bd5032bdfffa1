//! A new connector for a warehouse: its files written, loaded and validated.

mod asked_driver;
mod conversion;
mod python;
#[cfg(test)]
mod tests;
mod texts;
mod write;

pub use asked_driver::AskedDriver;
pub use python::is_reached_from_python;
pub(crate) use python::literal as python_literal;
pub use write::{Draft, Scaffold, Scaffolded, pack_with_driver};
