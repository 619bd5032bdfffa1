//! What can go wrong while an image is planned, built, moved or read.

use bowline_oci::{OciError, OciErrorKind};
use bowline_words::{Failure, FailureKind};

/// Why an image could not be planned, built, moved or read. Its words hold no secret.
pub type ImageError = Failure<ImageErrorKind>;

/// The kinds of [`ImageError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ImageErrorKind {
    /// What is asked for cannot be built as asked: found before any work is done.
    Plan,
    /// A name, a tag, a platform or a reference is not a valid one.
    Invalid,
    /// A thing that is needed is not there.
    Missing,
    /// A file or a folder cannot be read.
    Unreadable,
    /// A file or a folder cannot be written.
    Unwritable,
    /// What was read is damaged: a digest, a length or a format is wrong.
    Corrupt,
    /// This way of building cannot do what the plan asks, another can.
    NeedsEngine,
    /// A file is made for another processor or system than the image.
    WrongPlatform,
    /// The packages a connector asks for cannot be had.
    Packages,
    /// An engine is not there or does not run.
    Engine,
    /// An engine ran and the build in it failed.
    EngineFailed,
    /// A registry cannot be reached.
    Unreachable,
    /// A registry does not let us in.
    Unauthorized,
    /// A registry answered and refused.
    Refused,
    /// Stopped on request.
    Cancelled,
}

impl FailureKind for ImageErrorKind {
    fn words(self) -> &'static str {
        match self {
            Self::Plan => "cannot build this image",
            Self::Invalid => "not valid",
            Self::Missing => "not there",
            Self::Unreadable => "cannot read",
            Self::Unwritable => "cannot write",
            Self::Corrupt => "damaged",
            Self::NeedsEngine => "cannot be built without an engine",
            Self::WrongPlatform => "made for another platform",
            Self::Packages => "cannot get the packages",
            Self::Engine => "cannot use the engine",
            Self::EngineFailed => "the engine's build failed",
            Self::Unreachable => "cannot reach the registry",
            Self::Unauthorized => "the registry does not let us in",
            Self::Refused => "the registry refused",
            Self::Cancelled => "cancelled",
        }
    }
}

impl From<OciErrorKind> for ImageErrorKind {
    fn from(kind: OciErrorKind) -> Self {
        match kind {
            OciErrorKind::Invalid => Self::Invalid,
            OciErrorKind::Missing => Self::Missing,
            OciErrorKind::Unreadable => Self::Unreadable,
            OciErrorKind::Unwritable => Self::Unwritable,
            OciErrorKind::Corrupt => Self::Corrupt,
            OciErrorKind::Unsupported => Self::NeedsEngine,
            OciErrorKind::Unreachable => Self::Unreachable,
            OciErrorKind::Unauthorized => Self::Unauthorized,
            OciErrorKind::Refused => Self::Refused,
            OciErrorKind::Cancelled => Self::Cancelled,
        }
    }
}

/// What went wrong with a layout, an archive or a registry, as it is told of an image.
#[must_use]
pub fn from_oci(error: OciError) -> ImageError {
    let hint = match error.kind {
        OciErrorKind::Unsupported => {
            Some("build with an engine, or use a base whose layers are packed with gzip".to_owned())
        }
        _ => error.hint,
    };
    ImageError {
        kind: error.kind.into(),
        thing: error.thing,
        causes: error.causes,
        hint,
    }
}
