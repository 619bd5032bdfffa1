//! The suites: what a connector supports, proven against the live system.
//!
//! [`warehouse::run`] puts a connector's templates to the test on a database, [`pipeline::run`] a pipeline connector on
//! its vendor. Both print nothing: they tell their readers what happens while they work and give a report at the end.

mod conclusion;
pub mod pipeline;
pub mod warehouse;

pub use conclusion::Conclusion;
pub use warehouse::*;
