//! How things are said: errors and their hints, nearest names, lists in words, texts in addresses, and what must not be
//! said.
//!
//! No other crate words an error's frame; every other crate gives the words that fill it.

mod failure;
pub mod nearest;
mod percent;
mod redact;
mod seconds;

pub use failure::{Failure, FailureKind, beginning, counted, listed};
pub use nearest::nearest;
pub use percent::percent_encode;
pub use redact::Redactor;
pub use seconds::Seconds;
