//! What can go wrong while a vendor is read.

use std::fmt;

/// Why a vendor could not be read. Its words hold no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceError {
    /// The kind.
    pub kind: SourceErrorKind,
    /// What it happened to: a request, an expression with its place.
    pub thing: String,
    /// Why, one line each: the server's words, the record.
    pub causes: Vec<String>,
    /// One thing to do about it.
    pub hint: Option<String>,
}

/// The kinds of [`SourceError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
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

impl SourceErrorKind {
    const fn words(self) -> &'static str {
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

impl SourceError {
    pub(crate) fn new(kind: SourceErrorKind, thing: impl Into<String>) -> Self {
        Self {
            kind,
            thing: thing.into(),
            causes: Vec::new(),
            hint: None,
        }
    }

    pub(crate) fn because(mut self, cause: impl Into<String>) -> Self {
        let cause = cause.into();
        if !cause.is_empty() {
            self.causes.push(cause);
        }
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<Option<String>>) -> Self {
        self.hint = hint.into();
        self
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.words(), self.thing)?;
        for cause in &self.causes {
            write!(f, "\n{cause}")?;
        }
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for SourceError {}
