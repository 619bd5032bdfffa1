//! Evidence: every statement of a run of the warehouse suite with what came of it, so that the run can be judged again
//! with no database and no credentials.
//!
//! It is a text of lines, each a JSON value: a heading, a line for each statement, and a last line with a digest of all
//! before it, so that what was cut or changed is told. In a file it is packed with gzip ([`pack`], [`unpack`]). Values of credentials are masked before anything is written.
//!
//! ```
//! use bowline_evidence::{Evidence, EvidenceErrorKind};
//!
//! let error = Evidence::parse("{\"version\": 1}\n", "run.jsonl").unwrap_err();
//! assert_eq!(error.kind, EvidenceErrorKind::Cut);
//! ```

mod error;
mod evidence;
mod packed;
mod wire;
mod withheld;

pub use error::{EvidenceError, EvidenceErrorKind};
pub use evidence::{Evidence, Public, VERSION, digest};
pub use packed::{pack, unpack};
