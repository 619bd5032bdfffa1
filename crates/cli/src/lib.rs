//! The `bowline` command line: the only place that prints and that chooses exit codes.
//!
//! [`run`] reads the arguments, carries out one command and gives the process its exit code. The libraries below it
//! return values and typed errors; [`command_line`] describes the command line itself, for completions and documents.

mod app;
mod command;
mod complete;
mod context;
#[cfg(test)]
mod documented;
mod error;
mod exit;
mod fitted;
mod insecure;
mod kept;
mod listing;
mod named;
mod output;
mod pipeline;
mod proven;
mod remembered;
mod report;
mod rows;
mod run;
mod searched;
mod style;
mod terminal;
mod variables;

pub use app::{command_line, reference_markdown};
pub use run::run;
