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
//!
//! # The shape of an error
//!
//! An error is a type: its kind is a variant or a [`FailureKind`], and thing, place and hint are fields. Its `Display`
//! says what failed and which thing (`<what failed>: <which thing>`, a lowercase fragment), then the causes, a line each.
//! It never says the hint. The hint comes from [`Diagnose`], which takes an error apart into a [`Diagnostic`]: what
//! failed, why, the single mistakes with hints of their own where one error holds several, and the hints. The terminal
//! lays a diagnostic out; where an error becomes one text (a message of a protocol, a report), the diagnostic's own
//! `Display` writes it with the hint at the end. Nothing looks for a hint in a text.
//!
//! Most errors are a [`Failure`] of a kind, or an enum:
//!
//! ```
//! use bowline_words::{Diagnose, Diagnostic};
//!
//! #[derive(Debug)]
//! struct NoKey {
//!     door: &'static str,
//! }
//!
//! impl std::fmt::Display for NoKey {
//!     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
//!         write!(f, "no key: `{}`", self.door)
//!     }
//! }
//!
//! impl std::error::Error for NoKey {}
//!
//! impl Diagnose for NoKey {
//!     fn diagnose(&self) -> Diagnostic {
//!         Diagnostic::of(self).hint("look under the mat".to_owned())
//!     }
//! }
//!
//! let error = NoKey { door: "front" };
//! assert_eq!(error.to_string(), "no key: `front`");
//! assert_eq!(error.diagnose().to_string(), "no key: `front`\nhint: look under the mat");
//! ```

mod diagnostic;
mod failure;
pub mod nearest;
mod percent;
mod redact;
mod seconds;
mod visible;

pub use diagnostic::{Diagnose, Diagnostic, Layout};
pub use failure::{Failure, FailureKind, beginning, counted, listed, shares};
pub use nearest::nearest;
pub use percent::{percent_encode, percent_encode_foreign};
pub use redact::Redactor;
pub use seconds::Seconds;
pub use visible::{in_one_line, visible, with_directions_spelt};
