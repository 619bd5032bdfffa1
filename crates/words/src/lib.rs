//! How things are said: errors and their hints, nearest names, lists in words, texts in addresses, and what must not be
//! said.
//!
//! No other crate words an error's frame; every other crate gives the words that fill it.
//!
//! ```
//! use bowline_words::{Redactor, counted, listed, nearest};
//!
//! let sections = ["metadata", "query_logs", "ql_metrics"];
//! assert_eq!(nearest("ql_metric", sections), Some("ql_metrics"));
//! assert_eq!(listed(sections), "`metadata`, `query_logs`, `ql_metrics`");
//! assert_eq!(counted(3_usize, "section"), "3 sections");
//!
//! let redactor = Redactor::new(["correct horse".to_owned()]);
//! assert_eq!(redactor.redact("login with `correct%20horse` failed"), "login with `***` failed");
//! ```

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
