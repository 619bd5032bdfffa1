//! What can go wrong while a vendor is read.

use bowline_words::{Failure, FailureKind};

/// Why a vendor could not be read. Its words hold no secret.
pub type SourceError = Failure<SourceErrorKind>;

/// The kinds of [`SourceError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SourceErrorKind {
    /// The vendor cannot be reached.
    Unreachable,
    /// A request took too long.
    Timeout,
    /// The vendor does not let us in.
    Unauthorized,
    /// The vendor wants fewer requests, and still does after every retry.
    RateLimited,
    /// The vendor failed, and still does after every retry.
    Vendor,
    /// The vendor refused the request: the description asks for something it does not have.
    Refused,
    /// The answer is larger than the limit.
    TooLarge,
    /// The answer is not in the format that was expected.
    Format,
    /// The pages do not end.
    Pages,
    /// The vendor points to another host.
    ForeignHost,
    /// An expression of the description has no value.
    Expression,
    /// The description and the credentials do not fit.
    Credentials,
    /// The connector's own program failed.
    Connector,
    /// The reading was cancelled.
    Cancelled,
}

impl FailureKind for SourceErrorKind {
    fn words(self) -> &'static str {
        match self {
            Self::Unreachable => "cannot reach the vendor",
            Self::Timeout => "no answer in time",
            Self::Unauthorized => "not let in",
            Self::RateLimited => "asked too often",
            Self::Vendor => "the vendor failed",
            Self::Refused => "the vendor refused the request",
            Self::TooLarge => "the answer is too large",
            Self::Format => "cannot read the answer",
            Self::Pages => "the pages do not end",
            Self::ForeignHost => "the next page is on another host",
            Self::Expression => "cannot evaluate",
            Self::Credentials => "cannot use the credentials",
            Self::Connector => "the connector failed",
            Self::Cancelled => "cancelled",
        }
    }
}
