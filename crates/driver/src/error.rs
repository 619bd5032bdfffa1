//! What can go wrong between us and a database.

use std::fmt;
use std::time::Duration;

pub use bowline_protocol::ErrorKind as SqlErrorKind;

use bowline_words::{Diagnose, Diagnostic, Redactor, Seconds};

/// A failed connection or statement: what kind, the code if known, and the server's own words.
///
/// The text never holds a credential: drivers pass it through a [`Redactor`](bowline_words::Redactor) first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlError {
    /// What kind of failure it is.
    pub kind: SqlErrorKind,
    /// The five-character SQLSTATE, if the driver gave one.
    pub sqlstate: Option<String>,
    /// The server's or driver's own words.
    pub message: String,
    /// One thing to do about it.
    pub hint: Option<String>,
}

impl SqlError {
    /// An error of a kind with the server's words.
    pub fn new(kind: SqlErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            sqlstate: None,
            message: message.into(),
            hint: None,
        }
    }

    /// The same with this one thing to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Option<String>>) -> Self {
        self.hint = hint.into();
        self
    }

    /// The message with the hint after it, where an error must be one text.
    #[must_use]
    pub fn text(&self) -> String {
        Diagnostic::new(&self.message)
            .hint(self.hint.clone())
            .to_string()
    }

    /// Whether letters of the statement are the reason: the encoding of the database, or of the connection, lacks them.
    #[must_use]
    pub fn is_unencodable(&self) -> bool {
        const WORDS: [&str; 5] = [
            "has no equivalent in encoding",
            "incorrect string value",
            "cannot transliterate character between character sets",
            "malformed string",
            // A driver in Python does not even send it.
            "codec can't encode character",
        ];
        let words = self.message.to_lowercase();
        self.sqlstate.as_deref() == Some("22P05") || WORDS.iter().any(|each| words.contains(each))
    }

    /// Whether stored text is the reason: the encoding of the database, or of the connection, cannot take its bytes.
    #[must_use]
    pub fn is_unreadable_text(&self) -> bool {
        self.sqlstate.as_deref() == Some("22021")
            || self.message.contains("conversion function for encoding")
            || self.is_unencodable()
    }

    /// The same error with every secret in its words masked.
    #[must_use]
    pub fn redacted(self, redactor: &Redactor) -> Self {
        Self {
            message: redactor.redact(&self.message),
            hint: self.hint.map(|hint| redactor.redact(&hint)),
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

impl Diagnose for SqlError {
    fn diagnose(&self) -> Diagnostic {
        Diagnostic::of(self).hint(self.hint.clone())
    }
}

/// Whether words are those of a connection that is gone, for drivers that give no code for it. Systems and drivers word
/// it alike.
pub(crate) fn is_lost_connection(words: &str) -> bool {
    const LOST: [&str; 20] = [
        "broken pipe",
        "communication link failure",
        "connection aborted",
        "connection is closed",
        "connection not open",
        "connection refused",
        "connection reset",
        "connection timed out",
        "connection to server was lost",
        "could not receive data from server",
        "could not send data to server",
        "error reading data from the connection",
        "error writing data to the connection",
        "gone away",
        "lost connection",
        "network is unreachable",
        "no connection to the server",
        "no route to host",
        "server closed the connection",
        "ssl connection has been closed",
    ];
    let words = words.to_lowercase();
    LOST.iter().any(|lost| words.contains(lost))
}

/// The kind a SQLSTATE stands for, if it tells; `words` are the server's own.
pub(crate) fn kind_of_sqlstate(code: &str, words: &str) -> Option<SqlErrorKind> {
    use SqlErrorKind::{
        Cancelled, Connection, Data, MissingObject, Other, Permission, Syntax, Timeout,
    };
    Some(match code {
        // Nothing but the text tells a time limit of the server from somebody's request.
        "57014" if words.contains("timeout") => Timeout,
        "57014" => Cancelled,
        "55P03" | "HYT00" | "HYT01" => Timeout,
        "HY008" => Cancelled,
        "42P01" | "42703" | "42883" | "42704" | "3D000" | "3F000" | "42S02" | "42S22" => {
            MissingObject
        }
        "42P04" | "42P06" | "42P07" | "42710" | "42701" | "42723" => Other,
        // What triggers and policies of the database's own raise is no mistake in the statement.
        "42501" | "25006" | "P0001" | "45000" => Permission,
        "53300" => Connection,
        code => match code.get(..2)? {
            "08" => Connection,
            "57" if code.starts_with("57P") => Connection,
            "28" => Permission,
            "21" | "22" | "23" | "44" | "P0" => Data,
            "42" => Syntax,
            "XX" | "HY" => return None,
            _ => Other,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_an_encoding_lacks_are_told_from_other_data() {
        let says = |sqlstate: Option<&str>, words: &str| {
            let error = SqlError::new(SqlErrorKind::Data, words);
            SqlError {
                sqlstate: sqlstate.map(str::to_owned),
                ..error
            }
            .is_unencodable()
        };
        assert!(says(Some("22P05"), "kein Gegenstueck"));
        for words in [
            "Incorrect string value: '\\xCE\\xBB' for column `v` at row 1",
            "arithmetic exception, numeric overflow, or string truncation\n-Cannot transliterate character between character sets",
            "UnicodeEncodeError: 'charmap' codec can't encode character '\\u03bb' in position 8",
            "UnicodeEncodeError: 'latin-1' codec can't encode characters in position 8-9",
        ] {
            assert!(says(None, words), "{words}");
        }
        assert!(!says(Some("22003"), "value out of range"));
        assert!(!says(
            Some("22021"),
            "invalid byte sequence for encoding \"UTF8\": 0xff"
        ));
    }
}
