//! What can go wrong while a report is read.

use bowline_words::{Failure, FailureKind};

/// Why a report could not be read.
pub type ReportError = Failure<ReportErrorKind>;

/// The kinds of [`ReportError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReportErrorKind {
    /// The text is no report, or not all of one.
    Malformed,
    /// The report is of a version that this program does not know yet.
    Newer {
        /// The report's version.
        version: u32,
        /// The newest version that this program reads.
        known: u32,
    },
}

impl FailureKind for ReportErrorKind {
    fn words(self) -> &'static str {
        match self {
            Self::Malformed => "cannot read the report",
            Self::Newer { .. } => "the report is newer than this program",
        }
    }
}
