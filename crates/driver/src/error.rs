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

    /// Refuses a statement that drivers in C would send only up to the NUL character in it.
    #[cfg(any(feature = "sqlite", feature = "odbc"))]
    pub(crate) fn without_nul(sql: &str) -> Result<(), Self> {
        if sql.contains('\0') {
            let words = "the text holds a NUL character";
            return Err(Self::new(SqlErrorKind::Syntax, words));
        }
        Ok(())
    }

    /// That a statement was stopped on somebody's wish.
    #[must_use]
    pub fn cancelled() -> Self {
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

/// What words say of the account, the connection or the server, for drivers that give no code for it; nothing where they
/// are about the statement. Engines and systems word it alike.
pub(crate) fn kind_of_words(words: &str) -> Option<SqlErrorKind> {
    // Some engines show the statement behind it.
    let words = words.split("\nLINE ").next().unwrap_or(words);
    if leads_with_the_statement(words) {
        return None;
    }
    let words = without_names(&without_quoted(words)).to_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
    let known = [
        (SqlErrorKind::Permission, SHUT_OUT),
        (SqlErrorKind::Connection, NOT_THERE),
        (SqlErrorKind::Timeout, LATE),
        (SqlErrorKind::Busy, FULL),
    ];
    known
        .into_iter()
        .find_map(|(kind, parts)| has(parts).then_some(kind))
}

/// Whether the engine's first words, such as `Binder Error:`, say that it is about the statement.
fn leads_with_the_statement(words: &str) -> bool {
    let lead = words.split_once(" Error:").map(|(before, _)| before);
    let lead = lead.and_then(|before| before.rsplit(|letter: char| !letter.is_alphabetic()).next());
    lead.is_some_and(|lead| ["Parser", "Syntax", "Binder", "Catalog", "Conversion"].contains(&lead))
}

/// A message without the names and the pieces of the statement that it quotes; it may be quoted itself.
fn without_quoted(words: &str) -> String {
    let mut own = String::with_capacity(words.len());
    let mut rest = words;
    while let Some(at) = rest.find(['\'', '"', '`']) {
        let (before, quoted) = rest.split_at(at);
        own.push_str(before);
        let is_opening = !own.ends_with(char::is_alphanumeric);
        let is_piece = own.trim_end().ends_with("near");
        let (quote, inner) = quoted.split_at(1);
        own.push_str(quote);
        rest = match inner.split_once(quote) {
            Some((name, after))
                if is_opening && (is_piece || !name.contains(char::is_whitespace)) =>
            {
                own.push_str(quote);
                after
            }
            _ => inner,
        };
    }
    own + rest
}

/// A message without names such as `lock_wait_ms`, and with codes such as `[RESOURCE_EXHAUSTED]` as words.
fn without_names(words: &str) -> String {
    let is_of_name = |letter: char| letter.is_alphanumeric() || letter == '_';
    let mut own = String::with_capacity(words.len());
    let (mut rest, mut last) = (words, "");
    while let Some(at) = rest.find(is_of_name) {
        let (gap, token) = rest.split_at(at);
        let end = token.find(|letter| !is_of_name(letter));
        let (token, after) = token.split_at(end.unwrap_or(token.len()));
        let is_first = own.is_empty();
        own.push_str(gap);
        let is_code = !token.contains(char::is_lowercase)
            && (is_first || gap.ends_with(['[', '=']) || after.starts_with(':'));
        let is_named = matches!(
            (last.to_lowercase().as_str(), gap.trim()),
            ("name", ":") | ("column" | "identifier", "" | ":")
        );
        if is_code || !(is_named || token.contains('_')) {
            own.push_str(&token.replace('_', " "));
        }
        (rest, last) = (after, token);
    }
    own + rest
}

/// The account may not, or not any more.
const SHUT_OUT: &[&str] = &[
    "access denied",
    "account is locked",
    "does not have access",
    "incorrect username or password",
    "insufficient privilege",
    "license has expired",
    "login has expired",
    "must authenticate",
    "password has expired",
    "permission denied",
    "read-only transaction",
    "token has expired",
    "token included in the request is expired",
    "token is expired",
];

/// The server cannot be reached, or the connection or session is gone.
const NOT_THERE: &[&str] = &[
    "broken pipe",
    "certificate verify failed",
    "communication error",
    "communication link failure",
    "connection aborted",
    "connection is closed",
    "connection lost",
    "connection not open",
    "connection refused",
    "connection reset",
    "connection timed out",
    "connection to server was lost",
    "could not connect",
    "could not receive data from server",
    "could not send data to server",
    "database or network closed",
    "eof detected",
    "error reading data from the connection",
    "error writing data to the connection",
    "failed to connect",
    "gone away",
    "invalid sessionhandle",
    "lost connection",
    "name or service not known",
    "network is unreachable",
    "no active warehouse",
    "no connection to the server",
    "no route to host",
    "not connected to",
    "not logged on",
    "please connect again",
    "server closed the connection",
    "session has been killed",
    "session not found",
    "shutdown in progress",
    "ssl connection has been closed",
    "starting up",
    "still initializing",
    "terminating connection",
    "tsocket read 0 bytes",
    "unexpected state pending",
];

/// A time limit passed.
const LATE: &[&str] = &[
    "exceeded timeout",
    "lock wait",
    "lock-wait",
    "maximum run time",
    "statement timeout",
    "time limit exceeded",
    "timed out",
    "timeout expired",
    "wait timeout",
    "warehouse timeout",
];

/// The server has no room or no turn for it.
const FULL: &[&str] = &[
    "bad gateway",
    "cannot allocate",
    "cannot be resumed",
    "concurrent queries",
    "concurrent statements",
    "conflict with recovery",
    "connection slots are reserved",
    "connections has been exceeded",
    "could not serialize",
    "deadlock",
    "disk full",
    "disk is full",
    "exceeded its quota",
    "exceeded quota",
    "exceeded resource limits",
    "exhausted resources",
    "insufficient resources",
    "isolation violation",
    "maintenance mode",
    "memory limit",
    "no nodes available",
    "no space left",
    "out of memory",
    "out of shared memory",
    "queue full",
    "quota exceeded",
    "quota has been exceeded",
    "rate exceeded",
    "rate limit",
    "resource exhausted",
    "resources exceeded",
    "service unavailable",
    "spool space",
    "temporarily unavailable",
    "throttl",
    "too many clients",
    "too many concurrent",
    "too many connections",
    "too many open",
    "too many queued",
    "too many requests",
    "too many simultaneous",
    "toomanyrequests",
    "try again later",
    "unable to extend",
    "wlm abort",
];

/// The kind a SQLSTATE stands for, if it tells; `words` are the server's own.
pub(crate) fn kind_of_sqlstate(code: &str, words: &str) -> Option<SqlErrorKind> {
    use SqlErrorKind::{
        Busy, Cancelled, Connection, Data, MissingObject, Other, Permission, Syntax, Timeout,
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
        "42P04" | "42P06" | "42P07" | "42710" | "42701" | "42723" | "42S01" | "42S11" | "42S21" => {
            Other
        }
        // What triggers and policies of the database's own raise is no mistake in the statement.
        "42501" | "25006" | "P0001" | "45000" => Permission,
        "53300" => Connection,
        code => match code.get(..2)? {
            "08" => Connection,
            "57" if code.starts_with("57P") => Connection,
            "28" => Permission,
            // Resources, and transactions that another one was in the way of.
            "40" | "53" => Busy,
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
    fn what_the_server_has_no_room_for_is_no_mistake_in_the_statement() {
        for (code, kind) in [
            ("53200", SqlErrorKind::Busy),
            ("53100", SqlErrorKind::Busy),
            ("40001", SqlErrorKind::Busy),
            ("40P01", SqlErrorKind::Busy),
            ("53300", SqlErrorKind::Connection),
            ("54001", SqlErrorKind::Other),
        ] {
            assert_eq!(kind_of_sqlstate(code, ""), Some(kind), "{code}");
        }
    }

    #[test]
    fn what_engines_say_of_themselves_is_told_from_what_they_say_of_a_statement() {
        use SqlErrorKind::{Busy, Connection, Permission, Timeout};
        for (words, kind) in [
            (
                "250001: Incorrect username or password was specified.",
                Permission,
            ),
            (
                "Authentication token has expired.  The user must authenticate again.",
                Permission,
            ),
            (
                "cannot execute CREATE TABLE in a read-only transaction",
                Permission,
            ),
            (
                "DPY-4011: the database or network closed the connection",
                Connection,
            ),
            (
                "No active warehouse selected in the current session.",
                Connection,
            ),
            ("the database system is starting up", Connection),
            ("SSL SYSCALL error: EOF detected", Connection),
            (
                "Admission for query exceeded timeout 60000ms in pool root.default",
                Timeout,
            ),
            (
                "Query exceeded the maximum run time limit of 2.00m",
                Timeout,
            ),
            (
                "ORA-01652: unable to extend temp segment by 128 in tablespace TEMP",
                Busy,
            ),
            (
                "403 Quota exceeded: Your project exceeded quota for concurrent queries.",
                Busy,
            ),
            (
                "type=INSUFFICIENT_RESOURCES, name=EXCEEDED_GLOBAL_MEMORY_LIMIT",
                Busy,
            ),
            ("Memory limit (total) exceeded: would use 12.00 GiB", Busy),
            (
                "An error occurred (ThrottlingException) when calling StartQueryExecution",
                Busy,
            ),
            ("sorry, too many clients already", Busy),
            (
                "Out of Memory Error: failed to allocate data of size 1.0 GiB",
                Busy,
            ),
            (
                "Transaction was deadlocked on lock resources: deadlock victim",
                Busy,
            ),
            ("[TEMPORARILY_UNAVAILABLE] Too many requests", Busy),
            ("RESOURCE_EXHAUSTED: no workers", Busy),
            ("The quota has been exceeded.", Busy),
            // As a library in Python quotes it.
            (
                "(1205, 'Lock wait timeout exceeded; try restarting transaction')",
                Timeout,
            ),
            (
                "(2003, \"Can't connect to MySQL server on 'db' (timed out)\")",
                Timeout,
            ),
            (
                "IO Error: Connection Error: Could not connect to 'x'",
                Connection,
            ),
        ] {
            assert_eq!(kind_of_words(words), Some(kind), "{words}");
        }
        for words in [
            "ORA-00942: table or view does not exist",
            "001003 (42000): SQL compilation error: syntax error line 1 at position 7",
            "400 Unrecognized name: foo at [1:8]",
            "value out of range",
            "Function 'x' not registered",
            "[UNRESOLVED_ROUTINE] Cannot resolve routine `x` on search path",
            "feature not supported: line 1",
            "400 Unrecognized name: lock_wait_ms at [1:8]",
            "400 Unrecognized name: LOCK_WAIT_MS at [1:8]",
            "400 Unrecognized name: deadlocks at [1:8]",
            "line 1:8: Column 'deadlocks' cannot be resolved",
            "Unknown column `t`.`out_of_memory` in 'field list'",
            "no such column: throttled",
            "near \"SELECT deadlock FROM t\": syntax error",
            "(1064, \"You have an error in your SQL syntax near 'lock wait' at line 1\")",
            "Binder Error: Referenced column \"a\" not found, did you mean deadlock?",
            "sql: Catalog Error: Scalar Function with name rate limit does not exist",
            "The maximum number of columns has been exceeded",
            "The maximum recursion of 100 has been exceeded",
        ] {
            assert_eq!(kind_of_words(words), None, "{words}");
        }
    }

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
