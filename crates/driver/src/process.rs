//! Connectors in a process of their own: the program's end of the process protocol.
//!
//! A process is started in a process group of its own and asked over its standard input; one thread each reads
//! what it answers, keeps the last lines it logs and waits for its end, so that a call can always be given up at
//! its deadline. A process that had to be stopped is ended with everything it started.

mod check;
mod database;
mod error;
mod group;
mod program;
mod running;
mod streams;
mod wire;

pub use check::{CaseReport, CaseVerdict, CheckOptions, check};
pub(crate) use database::open;
pub use error::{Fault, ProcessError};
pub use program::Program;
pub use running::{CallLimits, Process};

#[cfg(all(test, unix))]
mod tests;
