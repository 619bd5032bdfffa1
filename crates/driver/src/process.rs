//! Warehouse connectors in a process of their own, as databases.

mod database;
mod error;
mod wire;

pub(crate) use database::open;
pub use wire::{thread_answer, thread_rows};

#[cfg(all(test, unix))]
mod tests;
