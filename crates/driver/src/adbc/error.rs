//! What a driver says went wrong, sorted into kinds and stripped of what the driver adds.

use adbc_core::error::{Error, Status};
use arrow_schema::ArrowError;

use crate::error::{self, kind_of_sqlstate};
use crate::{SqlError, SqlErrorKind};

/// What was being done when the driver refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Setting up the database or a connection.
    Connect,
    /// Starting a statement.
    Execute,
    /// Reading rows. The statement was understood by then, so what fails is its data or the connection.
    Read,
}

/// An error of the driver as ours.
pub(super) fn from_adbc(error: &Error, stage: Stage) -> SqlError {
    let sqlstate = sqlstate(error);
    let words = words(error);
    let kind = sqlstate
        .as_deref()
        .and_then(|code| kind_of_sqlstate(code, &words))
        .or_else(|| kind_of_words(&words, stage))
        .unwrap_or_else(|| kind_of_status(error.status, stage));
    let is_locked = stage == Stage::Connect && words.contains("Could not set lock on file");
    let hint =
        "close what has the file open, or let both open it with `access_mode = \"read_only\"`";
    SqlError {
        kind,
        sqlstate,
        message: words,
        hint: is_locked.then(|| hint.to_owned()),
    }
}

/// The same error without the statement that PostgreSQL's driver puts before the server's words.
pub(super) fn without_statement(error: SqlError, sql: &str) -> SqlError {
    let before = format!("Failed to execute query '{sql}': ");
    match error.message.strip_prefix(&before) {
        Some(words) => SqlError {
            message: strip(words),
            ..error
        },
        None => error,
    }
}

/// An error in the middle of a result, where Arrow's stream passes on nothing but text.
pub(super) fn from_stream(error: &ArrowError) -> SqlError {
    let text = match error {
        ArrowError::CDataInterface(text) => text
            .split_once("Producer error: ")
            .map_or(text.as_str(), |(_, text)| text)
            .to_owned(),
        ArrowError::ExternalError(inner) => inner.to_string(),
        other => other.to_string(),
    };
    let message = strip(&text);
    let kind = kind_of_words(&text, Stage::Read).unwrap_or(SqlErrorKind::Data);
    SqlError::new(kind, message)
}

fn sqlstate(error: &Error) -> Option<String> {
    let code: String = error
        .sqlstate
        .iter()
        .map(|c| char::from(c.cast_unsigned_byte()))
        .collect();
    let is_code = code.chars().all(|c| c.is_ascii_alphanumeric()) && code != "00000";
    is_code.then_some(code)
}

/// Reads a C character as a byte, whose signedness differs between platforms.
trait CastUnsignedByte {
    fn cast_unsigned_byte(self) -> u8;
}

impl CastUnsignedByte for std::ffi::c_char {
    fn cast_unsigned_byte(self) -> u8 {
        self.to_ne_bytes()[0]
    }
}

/// The server's own words: from PostgreSQL's separate fields where the driver passes them on.
fn words(error: &Error) -> String {
    let detail = |name: &str| {
        let mut details = error.details.iter().flatten();
        let (_, text) = details.find(|(key, _)| key == name)?;
        Some(String::from_utf8_lossy(text).trim().to_owned())
    };
    let Some(mut message) = detail("PG_DIAG_MESSAGE_PRIMARY") else {
        return strip(&error.message);
    };
    for (name, label) in [
        ("PG_DIAG_MESSAGE_DETAIL", "detail"),
        ("PG_DIAG_MESSAGE_HINT", "server's hint"),
    ] {
        if let Some(text) = detail(name) {
            message.push_str(&format!("\n{label}: {text}"));
        }
    }
    message
}

/// Takes away what the driver puts around the server's words, the whole statement above all.
fn strip(text: &str) -> String {
    let text = text.split("\n\nQuery was: ").next().unwrap_or(text);
    let text = text.split("\nquery: ").next().unwrap_or(text);
    let text = text.trim().trim_start_matches("[libpq] ");
    let text = text
        .strip_prefix("[SQLite] Failed to prepare query: ")
        .unwrap_or(text);
    let text = text
        .strip_prefix("Execution error [PGRES_FATAL_ERROR]: ")
        .unwrap_or(text);
    let text = text.strip_prefix("ERROR:").unwrap_or(text);
    text.trim().to_owned()
}

/// The kind from the words themselves, for drivers that give no code.
fn kind_of_words(words: &str, stage: Stage) -> Option<SqlErrorKind> {
    use SqlErrorKind::{
        Cancelled, Connection, Data, Driver, MissingObject, Other, Permission, Syntax, Timeout,
    };
    let has = |needles: &[&str]| needles.iter().any(|needle| words.contains(needle));
    if words.starts_with("no such ") {
        return Some(MissingObject);
    }
    if has(&["canceling statement due to user request"]) {
        return Some(Cancelled);
    }
    if has(&["canceling statement due to"]) {
        return Some(Timeout);
    }
    if stage == Stage::Connect
        && has(&[
            "authentication failed",
            "no pg_hba.conf entry",
            "no password supplied",
            "permission denied",
            "role \"",
        ])
    {
        return Some(Permission);
    }
    if let Some(kind) = error::kind_of_words(words) {
        return Some(kind);
    }
    // DuckDB leads with the kind of error, and that is its only code.
    let (lead, rest) = words
        .split_once(" Error: ")
        .or_else(|| words.split_once(" Error:"))?;
    let missing = || {
        [
            "does not exist",
            "not found",
            "does not have a column",
            "No function matches",
        ]
        .iter()
        .any(|needle| rest.contains(needle))
    };
    Some(match lead {
        "Parser" | "Syntax" => Syntax,
        "Binder" | "Catalog" if missing() => MissingObject,
        "Binder" => Syntax,
        "Conversion" | "Constraint" | "Out of Range" | "Divide by Zero" | "Mismatch Type"
        | "Value out of range" | "Cardinality" | "Decimal" => Data,
        "Invalid Input" if stage == Stage::Connect => Driver,
        "Invalid Input" => Data,
        "Permission" => Permission,
        "INTERRUPT" => Cancelled,
        "Connection" | "FATAL" => Connection,
        "IO" if stage == Stage::Connect => Connection,
        _ if stage == Stage::Connect => Connection,
        _ => Other,
    })
}

fn kind_of_status(status: Status, stage: Stage) -> SqlErrorKind {
    match status {
        Status::Unauthenticated | Status::Unauthorized => SqlErrorKind::Permission,
        Status::Timeout => SqlErrorKind::Timeout,
        Status::Cancelled => SqlErrorKind::Cancelled,
        Status::NotImplemented | Status::InvalidArguments if stage == Stage::Connect => {
            SqlErrorKind::Driver
        }
        _ if stage == Stage::Connect => SqlErrorKind::Connection,
        Status::IO => SqlErrorKind::Connection,
        Status::NotFound => SqlErrorKind::MissingObject,
        Status::InvalidArguments => SqlErrorKind::Syntax,
        Status::InvalidData | Status::Integrity => SqlErrorKind::Data,
        _ => SqlErrorKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn postgres(code: &str, words: &str) -> Error {
        let mut error = Error::with_message_and_status(
            format!("[libpq] Failed: ERROR:  {words}\n\nQuery was: SELECT 'secret'"),
            Status::IO,
        );
        for (place, byte) in error.sqlstate.iter_mut().zip(code.bytes()) {
            *place = byte.cast_signed();
        }
        error.details = Some(vec![
            ("PG_DIAG_MESSAGE_PRIMARY".to_owned(), words.into()),
            ("PG_DIAG_MESSAGE_DETAIL".to_owned(), b"more".to_vec()),
        ]);
        error
    }

    #[test]
    fn sqlstate_decides_and_the_statement_is_not_repeated() {
        use SqlErrorKind::*;
        for (code, words, kind) in [
            ("42601", "syntax error", Syntax),
            ("42P01", "relation does not exist", MissingObject),
            ("22012", "division by zero", Data),
            ("42501", "permission denied", Permission),
            (
                "57014",
                "canceling statement due to statement timeout",
                Timeout,
            ),
            (
                "57014",
                "canceling statement due to user request",
                Cancelled,
            ),
            ("57P01", "terminating connection", Connection),
            ("P0001", "boom", Permission),
            ("P0002", "no rows", Data),
            ("42P07", "relation already exists", Other),
        ] {
            let error = from_adbc(&postgres(code, words), Stage::Execute);
            assert_eq!(error.kind, kind, "{code} {words}");
            assert_eq!(error.sqlstate.as_deref(), Some(code));
            assert_eq!(error.message, format!("{words}\ndetail: more"));
        }
    }

    #[test]
    fn without_a_code_the_leading_words_decide() {
        use SqlErrorKind::*;
        for (words, kind) in [
            ("Parser Error: syntax error at or near \"selec\"", Syntax),
            (
                "Binder Error: Referenced column \"x\" not found in FROM clause!",
                MissingObject,
            ),
            (
                "Catalog Error: Table with name x does not exist! Did you mean deadlock?",
                MissingObject,
            ),
            (
                "Binder Error: column \"x\" must appear in the GROUP BY clause",
                Syntax,
            ),
            (
                "Catalog Error: Table with name nope does not exist!",
                MissingObject,
            ),
            (
                "Catalog Error: Table with name \"t\" already exists!",
                Other,
            ),
            (
                "Conversion Error: Could not convert string 'x' to INT32",
                Data,
            ),
            ("INTERRUPT Error: Interrupted!", Cancelled),
            ("server closed the connection unexpectedly", Connection),
        ] {
            let error = Error::with_message_and_status(words, Status::Internal);
            let error = from_adbc(&error, Stage::Execute);
            assert_eq!((error.kind, error.message.as_str()), (kind, words));
            assert_eq!(error.sqlstate, None);
        }
    }

    #[test]
    fn sqlite_through_adbc_does_not_repeat_the_statement() {
        let words =
            "[SQLite] Failed to prepare query: no such table: nope\nquery: select * from nope";
        let error = Error::with_message_and_status(words, Status::InvalidArguments);
        assert_eq!(
            from_adbc(&error, Stage::Execute),
            SqlError::new(SqlErrorKind::MissingObject, "no such table: nope")
        );
    }

    #[test]
    fn a_broken_stream_is_about_data_unless_it_says_otherwise() {
        let stream = |text: &str| {
            from_stream(&ArrowError::CDataInterface(format!(
                "Cannot get next batch from input stream. Error code: 5. Producer error: {text}"
            )))
        };
        let error =
            stream("[libpq] Execution error [PGRES_FATAL_ERROR]: ERROR:  division by zero\n");
        assert_eq!(error, SqlError::new(SqlErrorKind::Data, "division by zero"));
        let error = stream("FATAL:  terminating connection due to administrator command");
        assert_eq!(error.kind, SqlErrorKind::Connection);
    }

    #[test]
    fn a_lost_connection_is_told_without_the_statement() {
        let sql = "SELECT 'a': b\nFROM t";
        let words = format!(
            "[libpq] Failed to execute query '{sql}': server closed the connection unexpectedly\n\tThis probably means more\n"
        );
        let error = Error::with_message_and_status(words, Status::IO);
        let error = without_statement(from_adbc(&error, Stage::Execute), sql);
        assert_eq!(error.kind, SqlErrorKind::Connection);
        assert!(
            error.message.starts_with("server closed the connection"),
            "{error}"
        );
    }

    #[test]
    fn a_file_that_is_in_use_comes_with_its_own_hint() {
        let words = "IO Error: Could not set lock on file \"a.duckdb\": Conflicting lock is held";
        let error = Error::with_message_and_status(words, Status::Internal);
        let error = from_adbc(&error, Stage::Connect);
        assert_eq!(error.kind, SqlErrorKind::Connection);
        assert!(
            error
                .hint
                .is_some_and(|hint| hint.starts_with("close what"))
        );
    }

    #[test]
    fn a_refused_login_is_a_matter_of_permission() {
        let words = "[libpq] Failed to connect: connection to server at \"h\", port 1 failed: FATAL:  password authentication failed for user \"u\"\n";
        let error = from_adbc(
            &Error::with_message_and_status(words, Status::IO),
            Stage::Connect,
        );
        assert_eq!(error.kind, SqlErrorKind::Permission);
        assert!(
            error
                .message
                .starts_with("Failed to connect: connection to server")
        );
        let words = "[libpq] Failed to connect: connection to server failed: Connection refused";
        let error = from_adbc(
            &Error::with_message_and_status(words, Status::IO),
            Stage::Connect,
        );
        assert_eq!(error.kind, SqlErrorKind::Connection);
    }
}
