//! Connectors in Python: run unchanged in a process of their own, with the packages they ask for.

mod dockerfile;
mod environment;
mod host;

pub use environment::{EnvironmentError, EnvironmentEvent};

pub(crate) use host::{program, with_interpreter};

#[cfg(test)]
mod tests;
