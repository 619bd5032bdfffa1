//! What the server or the way to it says went wrong, sorted into kinds.

use fallible_iterator::FallibleIterator;
use postgres_protocol::message::backend::ErrorResponseBody;

use crate::error::kind_of_sqlstate;
use crate::{SqlError, SqlErrorKind};

/// How to get what this client does not have.
pub(super) const THROUGH_ADBC: &str =
    "leave it out, or reach the server through ADBC: `kind = \"adbc\"`, `name = \"postgresql\"`";

/// An error of the server.
#[derive(Debug)]
pub(super) struct Refusal {
    /// The error as ours.
    pub(super) error: SqlError,
    /// The server's function that raised it, which no language changes.
    pub(super) routine: String,
}

/// What was being done when the server refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Logging in.
    Connect,
    /// Running a statement.
    Statement,
}

/// An error of the server as ours. Its words are decoded as well as they can be: where a server stops a login, it
/// does not know yet which encoding is asked for.
pub(super) fn refusal(body: &ErrorResponseBody, stage: Stage) -> Refusal {
    let (mut code, mut message, mut routine) = (String::new(), String::new(), String::new());
    let mut ends_the_session = false;
    let (mut detail, mut hint) = (None, None);
    let mut fields = body.fields();
    while let Ok(Some(field)) = fields.next() {
        let text = String::from_utf8_lossy(field.value_bytes()).into_owned();
        match field.type_() {
            b'V' => ends_the_session = text != "ERROR",
            b'C' => code = text,
            b'M' => message = text,
            b'D' => detail = Some(text),
            b'H' => hint = Some(text),
            b'R' => routine = text,
            _ => {}
        }
    }
    let kind = match stage {
        Stage::Connect => kind_of_login(&code, &message),
        Stage::Statement if ends_the_session => {
            kind_of_sqlstate(&code, &message).unwrap_or(SqlErrorKind::Other)
        }
        Stage::Statement => kind_of_statement(&code, &message),
    };
    for (label, text) in [("detail", detail), ("server's hint", hint)] {
        if let Some(text) = text {
            message.push_str(&format!("\n{label}: {text}"));
        }
    }
    Refusal {
        error: SqlError {
            kind,
            sqlstate: (!code.is_empty()).then_some(code),
            message,
            hint: None,
        },
        routine,
    }
}

fn kind_of_login(code: &str, message: &str) -> SqlErrorKind {
    match kind_of_sqlstate(code, message) {
        Some(kind @ (SqlErrorKind::Permission | SqlErrorKind::Timeout)) => kind,
        _ => SqlErrorKind::Connection,
    }
}

fn kind_of_statement(code: &str, message: &str) -> SqlErrorKind {
    match code {
        // The statement has parameters, which nobody gives values for: no matter of the connection.
        "08P01" => SqlErrorKind::Syntax,
        // The session goes on: what was not reached is another server, behind a foreign table.
        code if code.starts_with("08") => SqlErrorKind::Busy,
        code => kind_of_sqlstate(code, message).unwrap_or(SqlErrorKind::Other),
    }
}

/// Why nothing can be asked on a connection that was lost before.
pub(super) fn gone() -> SqlError {
    lost(&std::io::ErrorKind::UnexpectedEof.into())
}

/// The connection is gone or speaks no PostgreSQL.
pub(super) fn lost(error: &std::io::Error) -> SqlError {
    use std::io::ErrorKind;
    let words = match error.kind() {
        ErrorKind::UnexpectedEof => "server closed the connection".to_owned(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut => {
            return SqlError::new(SqlErrorKind::Timeout, "server did not answer in time");
        }
        _ => format!("connection is broken: {error}"),
    };
    SqlError::new(SqlErrorKind::Connection, words)
}

/// The server sent something that has no place here.
pub(super) fn unexpected(what: &str) -> std::io::Error {
    std::io::Error::new(
        std::io::ErrorKind::InvalidData,
        format!("the server sent {what}"),
    )
}

/// Something about how the driver was set up.
pub(super) fn driver(message: impl Into<String>, hint: impl Into<String>) -> SqlError {
    SqlError::new(SqlErrorKind::Driver, message).hint(hint.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_behind_the_server_is_no_lost_connection() {
        for (code, kind) in [
            ("08001", SqlErrorKind::Busy),
            ("08P01", SqlErrorKind::Syntax),
            ("57P01", SqlErrorKind::Connection),
        ] {
            let words = "could not connect to server \"elsewhere\"";
            assert_eq!(kind_of_statement(code, words), kind, "{code}");
        }
    }
}
