//! What can go wrong while a vendor is read.

use bowline_words::{Failure, FailureKind};

/// Why a vendor could not be read. Its words hold no secret.
pub type SourceError = Failure<SourceErrorKind>;

/// The kinds of [`SourceError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SourceErrorKind {
    /// The vendor cannot be reached.
    Unreachable,
    /// The vendor was reached, and no whole answer came: it broke off, or is not packed as it says.
    Broken,
    /// A request took too long.
    Timeout,
    /// The vendor does not let us in.
    Unauthorized,
    /// The vendor wants fewer requests, and still does after every retry.
    RateLimited,
    /// The vendor failed, and still does after every retry.
    Vendor,
    /// There is no such request: its address or a header holds what none may hold.
    Unsendable,
    /// The vendor refused the request: the description asks for something it does not have.
    Refused,
    /// A later page of a list is not there: a 404 that says no more than that.
    NotFound,
    /// A later page of a list is not there, and the vendor says so of the page: a 404 with words such as `Invalid page.`
    NoSuchPage,
    /// The answer is larger than the limit.
    TooLarge,
    /// The answer is not in the format that was expected.
    Format,
    /// The pages do not end.
    Pages,
    /// The place to go on from in a list is not good any more.
    PlaceExpired,
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

impl SourceErrorKind {
    /// Whether the vendor refused this one request, whatever it says of it.
    #[must_use]
    pub const fn is_refusal(self) -> bool {
        matches!(self, Self::Refused | Self::NotFound | Self::NoSuchPage)
    }

    /// Whether the same would come of anything else that the vendor were asked.
    #[must_use]
    pub const fn fails_everything(self) -> bool {
        matches!(
            self,
            Self::Unreachable
                | Self::Timeout
                | Self::RateLimited
                | Self::Credentials
                | Self::Connector
                | Self::Cancelled
        )
    }
}

impl FailureKind for SourceErrorKind {
    fn words(self) -> &'static str {
        match self {
            Self::Unreachable => "cannot reach the vendor",
            Self::Broken => "no whole answer came",
            Self::Timeout => "no answer in time",
            Self::Unauthorized => "not let in",
            Self::RateLimited => "asked too often",
            Self::Vendor => "the vendor failed",
            Self::Unsendable => "cannot make the request",
            Self::Refused => "the vendor refused the request",
            Self::NotFound | Self::NoSuchPage => "the vendor has no such page",
            Self::TooLarge => "the answer is too large",
            Self::Format => "cannot read the answer",
            Self::Pages => "the pages do not end",
            Self::PlaceExpired => "the next page has expired",
            Self::ForeignHost => "the next page is on another host",
            Self::Expression => "cannot evaluate",
            Self::Credentials => "cannot use the credentials",
            Self::Connector => "the connector failed",
            Self::Cancelled => "cancelled",
        }
    }
}
