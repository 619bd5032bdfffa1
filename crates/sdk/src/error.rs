//! What a connector says when something fails.

use std::fmt;

use bowline_protocol::{ErrorKind, ErrorObject};

/// A failure. Its message holds the database's own words where it spoke, and never a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// What kind of failure it is. After [`ErrorKind::Connection`] the process is not asked again; after any other
    /// the next statement must run.
    pub kind: ErrorKind,
    /// What went wrong.
    pub message: String,
    /// The five-character SQLSTATE, if there is one.
    pub sqlstate: Option<String>,
    /// The one thing to do about it.
    pub hint: Option<String>,
}

impl Error {
    /// A failure of a kind.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            sqlstate: None,
            hint: None,
        }
    }

    /// The same with a SQLSTATE: five characters.
    #[must_use]
    pub fn with_sqlstate(mut self, sqlstate: impl Into<String>) -> Self {
        self.sqlstate = Some(sqlstate.into());
        self
    }

    /// The same with the one thing to do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<Error> for ErrorObject {
    fn from(error: Error) -> Self {
        let mut object = Self::failed(error.kind, error.message);
        object.data.sqlstate = error.sqlstate;
        object.data.hint = error.hint;
        object
    }
}
