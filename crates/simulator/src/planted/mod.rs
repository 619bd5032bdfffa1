//! Connectors with planted mistakes: the one list of what may be wrong with a connector that has the contract's methods.
//!
//! A suite is judged by which of them it catches. [`Planted`] is right but for one [`Mistake`], over whatever knows the
//! truth.

mod connector;
mod details;
mod jobs;
mod mistake;
mod runs;

pub use connector::{Planted, Truth};
pub use mistake::Mistake;
