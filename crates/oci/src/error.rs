//! What can go wrong while images are read, written, pulled or pushed.

use std::error::Error;
use std::io;

use bowline_words::{Failure, FailureKind};

/// Why an image could not be read, written, pulled or pushed. Its words hold no secret.
pub type OciError = Failure<OciErrorKind>;

/// The kinds of [`OciError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OciErrorKind {
    /// A name, a tag, a digest or a reference is not a valid one, or does not fit what it is given for.
    Invalid,
    /// A thing that is needed is not there.
    Missing,
    /// A file or a folder cannot be read.
    Unreadable,
    /// A file or a folder cannot be written.
    Unwritable,
    /// What was read is damaged: a digest, a length or a format is wrong.
    Corrupt,
    /// What was read may be sound, and has a form that is not understood here.
    Unsupported,
    /// A registry cannot be reached.
    Unreachable,
    /// A registry does not let us in.
    Unauthorized,
    /// A registry answered and refused.
    Refused,
    /// Stopped on request.
    Cancelled,
}

impl FailureKind for OciErrorKind {
    fn words(self) -> &'static str {
        match self {
            Self::Invalid => "not valid",
            Self::Missing => "not there",
            Self::Unreadable => "cannot read",
            Self::Unwritable => "cannot write",
            Self::Corrupt => "damaged",
            Self::Unsupported => "not understood",
            Self::Unreachable => "cannot reach the registry",
            Self::Unauthorized => "the registry does not let us in",
            Self::Refused => "the registry refused",
            Self::Cancelled => "cancelled",
        }
    }
}

/// The [`OciError`] that a failed reading or writing carries, or one of that kind about that thing.
#[must_use]
pub fn oci_error(error: io::Error, kind: OciErrorKind, thing: impl Into<String>) -> OciError {
    carried(&error).map_or_else(
        || OciError::new(kind, thing).because(error.to_string()),
        Clone::clone,
    )
}

/// Errors are wrapped on their way through readers; what an `io::Error` wraps is not its `source`.
fn carried(error: &io::Error) -> Option<&OciError> {
    let mut next: Option<&(dyn Error + 'static)> = Some(error.get_ref()?);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = match error.downcast_ref::<io::Error>() {
            Some(wrapper) => return carried(wrapper),
            None => error.source(),
        };
    }
    None
}
