//! The suites: what a connector supports, proven against the live system.
//!
//! [`warehouse::run`] puts a connector's templates to the test on a database, [`pipeline::run`] a pipeline connector on
//! its vendor, and [`protocol`] a program that speaks the process protocol. They print nothing: they tell their readers
//! what happens while they work and give a report at the end.

pub mod pipeline;
pub mod protocol;
pub mod warehouse;

pub use bowline_report::{Conclusion, Tier, Verdict};
pub use warehouse::*;
