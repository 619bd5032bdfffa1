//! What a connector says when a method fails.

use serde::{Deserialize, Deserializer, Serialize};

use crate::reading::one;

/// The numbers of errors. JSON-RPC gives all but [`code::FAILED`].
pub mod code {
    /// The line is not JSON.
    pub const PARSE_ERROR: i64 = -32700;
    /// The line is JSON but no request, or a request at the wrong time.
    pub const INVALID_REQUEST: i64 = -32600;
    /// There is no such method, or the connector does not serve it.
    pub const METHOD_NOT_FOUND: i64 = -32601;
    /// The method does not take these parameters.
    pub const INVALID_PARAMS: i64 = -32602;
    /// The connector itself is at fault.
    pub const INTERNAL_ERROR: i64 = -32603;
    /// The method was carried out and failed; [`ErrorData::kind`](crate::ErrorData::kind) says how.
    pub const FAILED: i64 = -32000;
}

/// The `error` of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorObject {
    /// One of [`code`].
    pub code: i64,
    /// What went wrong: the database's own words where it spoke.
    pub message: String,
    /// What a program can make use of.
    #[serde(default, deserialize_with = "one")]
    pub data: ErrorData,
}

impl ErrorObject {
    /// An error of the conversation itself, such as an unknown method.
    #[must_use]
    pub fn new(code: i64, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            data: ErrorData::default(),
        }
    }

    /// A method that was carried out and failed.
    #[must_use]
    pub fn failed(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            code: code::FAILED,
            message: message.into(),
            data: ErrorData {
                kind,
                ..ErrorData::default()
            },
        }
    }
}

/// What an error carries beside its message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorData {
    /// What kind of failure it is.
    #[serde(default)]
    pub kind: ErrorKind,
    /// The five-character SQLSTATE, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sqlstate: Option<String>,
    /// Where in the connector's own code it happened, a line each, the innermost last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trace: Vec<String>,
    /// The one thing to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// The kinds of failure, of databases as of connectors. A word this version does not know is read as
/// [`ErrorKind::Other`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The statement is not valid SQL there.
    Syntax,
    /// A table, column, function or type it names does not exist.
    MissingObject,
    /// The user may not do this, or the login was refused.
    Permission,
    /// The server ran it and refused the data: a cast, a division, a constraint.
    Data,
    /// A time limit passed.
    Timeout,
    /// The server had no room or no turn for it: memory, disk, locks, a quota, too many at once.
    Busy,
    /// It was cancelled.
    Cancelled,
    /// The server cannot be reached, or the connection was lost. The program opens another one.
    Connection,
    /// The result outgrew the limits of the request.
    TooLarge,
    /// A value's type cannot be carried exactly.
    UnsupportedType,
    /// The driver or the connector's own code is at fault, or something it needs is not installed.
    Driver,
    /// Anything else.
    #[default]
    Other,
}

impl ErrorKind {
    /// Every kind.
    pub const ALL: [Self; 12] = [
        Self::Syntax,
        Self::MissingObject,
        Self::Permission,
        Self::Data,
        Self::Timeout,
        Self::Busy,
        Self::Cancelled,
        Self::Connection,
        Self::TooLarge,
        Self::UnsupportedType,
        Self::Driver,
        Self::Other,
    ];

    /// Whether it is about the connection, the server or the run, and says nothing about the statement: there was no
    /// answer.
    #[must_use]
    pub const fn is_no_answer(self) -> bool {
        matches!(
            self,
            Self::Connection | Self::Timeout | Self::Busy | Self::Cancelled
        )
    }

    /// Its word in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::MissingObject => "missing_object",
            Self::Permission => "permission",
            Self::Data => "data",
            Self::Timeout => "timeout",
            Self::Busy => "busy",
            Self::Cancelled => "cancelled",
            Self::Connection => "connection",
            Self::TooLarge => "too_large",
            Self::UnsupportedType => "unsupported_type",
            Self::Driver => "driver",
            Self::Other => "other",
        }
    }
}

impl<'de> Deserialize<'de> for ErrorKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        Ok(Self::ALL
            .into_iter()
            .find(|kind| kind.name() == word)
            .unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_written_as_they_are_named_and_unknown_ones_are_other() {
        for kind in ErrorKind::ALL {
            let text = serde_json::to_string(&kind).unwrap();
            assert_eq!(text, format!("\"{}\"", kind.name()));
            assert_eq!(serde_json::from_str::<ErrorKind>(&text).unwrap(), kind);
        }
        let later: ErrorKind = serde_json::from_str("\"out_of_quota\"").unwrap();
        assert_eq!(later, ErrorKind::Other);
    }

    #[test]
    fn an_error_needs_no_data() {
        let error: ErrorObject = serde_json::from_str(r#"{"code":-32601,"message":"no"}"#).unwrap();
        assert_eq!(error, ErrorObject::new(code::METHOD_NOT_FOUND, "no"));
    }
}
