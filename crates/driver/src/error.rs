//! What can go wrong between us and a database.

use std::fmt;
use std::time::Duration;

use crate::Redactor;

/// A failed connection or statement: what kind, the code if known, and the server's own words.
///
/// The text never holds a credential: drivers pass it through a [`Redactor`](crate::Redactor) first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlError {
    /// What kind of failure it is.
    pub kind: SqlErrorKind,
    /// The five-character SQLSTATE, if the driver gave one.
    pub sqlstate: Option<String>,
    /// The server's or driver's own words.
    pub message: String,
}

impl SqlError {
    /// An error of a kind with the server's words.
    pub fn new(kind: SqlErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            sqlstate: None,
            message: message.into(),
        }
    }

    /// The same error with every secret in its words masked.
    #[must_use]
    pub fn redacted(self, redactor: &Redactor) -> Self {
        Self {
            message: redactor.redact(&self.message),
            ..self
        }
    }

    pub(crate) fn timed_out(limit: Duration) -> Self {
        Self::new(
            SqlErrorKind::Timeout,
            format!(
                "statement was cancelled: it ran longer than {}",
                Seconds(limit)
            ),
        )
    }

    pub(crate) fn cancelled() -> Self {
        Self::new(SqlErrorKind::Cancelled, "statement was cancelled")
    }
}

/// Prints a duration in seconds, as short as it can be said.
pub(crate) struct Seconds(pub(crate) Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", self.0.as_secs_f64())
    }
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.sqlstate {
            Some(code) => write!(f, " (SQLSTATE {code})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for SqlError {}

/// The kinds of [`SqlError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SqlErrorKind {
    /// The statement is not valid SQL there.
    Syntax,
    /// A table, column, function or type it names does not exist.
    MissingObject,
    /// The user may not do this, or the login was refused.
    Permission,
    /// The server ran it and refused the data: a cast, a division, a constraint.
    Data,
    /// The time limit passed.
    Timeout,
    /// It was cancelled by us.
    Cancelled,
    /// The server cannot be reached, or the connection was lost.
    Connection,
    /// The result outgrew the limits.
    TooLarge,
    /// The value's type cannot be carried exactly.
    UnsupportedType,
    /// The driver could not be found, loaded or configured.
    Driver,
    /// Anything else.
    Other,
}
