//! SQLite, compiled in: it works with no server, no download and no installed library.
//!
//! Statements see SQLite as it is by default: no function, collation or setting is added.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bowline_words::nearest::hint_or;
use rusqlite::types::{Type, ValueRef};
use rusqlite::{ErrorCode, OpenFlags, ffi};

use crate::connection::ResultBuilder;
use crate::paths::database_file;
use crate::watch::{Outcome, Watch};
use crate::{
    Canceller, Column, Connection, Database, DriverSpec, Limits, ResultSet, SqlError, SqlErrorKind,
    Value,
};

/// The options a SQLite connection knows, each with what it means.
pub(crate) const OPTIONS: [(&str, &str); 3] = [
    (
        "path",
        "the database file, as a path or a `file:` URI, or `:memory:` for one that lives as long as the program",
    ),
    (
        "mode",
        "`create` (the default) makes a missing file, `read_write` does not, `read_only` changes nothing",
    ),
    (
        "busy_timeout",
        "how many seconds to wait for another program's lock; 5 when not given",
    ),
];

/// Steps of SQLite's virtual machine between two looks at the clock: well under a millisecond.
const STEPS_BETWEEN_CHECKS: i32 = 1000;

/// How often to try again while another connection holds a lock.
const LOCK_POLL: Duration = Duration::from_millis(2);

struct SqliteDatabase {
    location: String,
    flags: OpenFlags,
    busy_timeout: Duration,
    spec: DriverSpec,
    /// Keeps a database in memory alive between connections.
    _anchor: Option<Mutex<rusqlite::Connection>>,
}

/// Opens a SQLite database.
///
/// # Errors
/// Kind `Driver` for an unknown or malformed option; `Connection` when a database in memory cannot be made.
pub(crate) fn open(spec: &DriverSpec) -> Result<Arc<dyn Database>, SqlError> {
    let options = &spec.options;
    let names = || OPTIONS.iter().map(|(name, _)| *name);
    if let Some(unknown) = options.keys().find(|key| !names().any(|name| name == *key)) {
        let hint = hint_or(unknown, names(), || {
            format!("the options are {}", names().collect::<Vec<_>>().join(", "))
        });
        return Err(driver_error(
            format!("unknown SQLite option: `{unknown}`"),
            hint,
        ));
    }
    let path = options.get("path").map(String::as_str).unwrap_or_default();
    if path.is_empty() {
        return Err(driver_error(
            "missing SQLite option: `path`",
            "name the database file, or `:memory:`",
        ));
    }
    let mode = open_mode(options)?;
    let common = OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let (location, flags, anchor) = if path == ":memory:" {
        let location = memory_location();
        let flags = common | OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let anchor = rusqlite::Connection::open_with_flags(&location, flags)
            .map_err(|error| sql_error(&error, Stage::Connect))?;
        (location, common | mode, Some(Mutex::new(anchor)))
    } else {
        (
            database_file(&spec.directory, path),
            mode | OpenFlags::SQLITE_OPEN_NO_MUTEX,
            None,
        )
    };
    Ok(Arc::new(SqliteDatabase {
        location,
        flags,
        busy_timeout: busy_timeout(options)?,
        spec: spec.clone(),
        _anchor: anchor,
    }))
}

/// A name no other database in this process has; every connection to it shares one database.
fn memory_location() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("file:/bowline-{number}?vfs=memdb")
}

fn open_mode(options: &BTreeMap<String, String>) -> Result<OpenFlags, SqlError> {
    match options.get("mode").map(String::as_str) {
        None | Some("create") => {
            Ok(OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)
        }
        Some("read_write") => Ok(OpenFlags::SQLITE_OPEN_READ_WRITE),
        Some("read_only") => Ok(OpenFlags::SQLITE_OPEN_READ_ONLY),
        Some(other) => Err(driver_error(
            format!("unknown SQLite mode: `{other}`"),
            "use `create`, `read_write` or `read_only`",
        )),
    }
}

fn busy_timeout(options: &BTreeMap<String, String>) -> Result<Duration, SqlError> {
    let Some(text) = options.get("busy_timeout") else {
        return Ok(Duration::from_secs(5));
    };
    let seconds = text.trim().parse().ok();
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| {
            driver_error(
                format!("wrong SQLite option: `busy_timeout` is `{text}`"),
                "give seconds, such as `5`",
            )
        })
}

fn driver_error(message: impl Into<String>, hint: impl Into<String>) -> SqlError {
    SqlError::new(SqlErrorKind::Driver, message).hint(hint.into())
}

impl Database for SqliteDatabase {
    fn product(&self) -> String {
        format!("SQLite {}", rusqlite::version())
    }

    fn connect(&self) -> Result<Box<dyn Connection>, SqlError> {
        self.open_connection()
            .map(|connection| Box::new(connection) as Box<dyn Connection>)
            .map_err(|error| sql_error(&error, Stage::Connect).redacted(&self.spec.redactor))
    }
}

impl SqliteDatabase {
    fn open_connection(&self) -> rusqlite::Result<SqliteConnection> {
        let mut inner = rusqlite::Connection::open_with_flags(&self.location, self.flags)?;
        let watch = Arc::new(Watch::new());
        let in_progress = Arc::clone(&watch);
        inner.progress_handler(STEPS_BETWEEN_CHECKS, Some(move || in_progress.must_stop()))?;
        let waiting = Arc::clone(&watch);
        let patience = self.busy_timeout;
        inner.busy_handler(Some(move |tries: i32| {
            let waited = LOCK_POLL * u32::try_from(tries).unwrap_or(u32::MAX);
            if waited >= patience || waiting.must_stop() {
                return false;
            }
            std::thread::sleep(LOCK_POLL);
            true
        }))?;
        // Opening reads nothing; this finds out now whether the file is a database.
        watch.start(self.spec.connect_timeout);
        let read = inner.query_row("PRAGMA schema_version", [], |_| Ok(()));
        watch.finish();
        read?;
        Ok(SqliteConnection {
            inner,
            watch,
            spec: self.spec.clone(),
        })
    }
}

struct SqliteConnection {
    inner: rusqlite::Connection,
    watch: Arc<Watch>,
    spec: DriverSpec,
}

impl Connection for SqliteConnection {
    fn run(&mut self, sql: &str, limits: &Limits) -> Result<ResultSet, SqlError> {
        self.watch.start(limits.timeout);
        let result = self.read(sql, limits);
        let error = match (result, self.watch.finish()) {
            (Ok(result), _) => return Ok(result),
            (Err(_), Outcome::Cancelled) => SqlError::cancelled(),
            (Err(_), Outcome::TimedOut) => SqlError::timed_out(limits.timeout),
            (Err(error), Outcome::Finished) => error,
        };
        Err(error.redacted(&self.spec.redactor))
    }

    fn canceller(&self) -> Arc<dyn Canceller> {
        Arc::clone(&self.watch) as Arc<dyn Canceller>
    }
}

impl SqliteConnection {
    fn read(&self, sql: &str, limits: &Limits) -> Result<ResultSet, SqlError> {
        SqlError::without_nul(sql)?;
        let changed_before = self.inner.total_changes();
        let mut statement = self
            .inner
            .prepare(sql)
            .map_err(|error| sql_error(&error, Stage::Prepare))?;
        let mut columns: Vec<Column> = statement
            .columns()
            .map(|column| Column {
                name: column.name().to_owned(),
                type_name: column.decl_type().unwrap_or_default().to_owned(),
            })
            .collect();
        let has_result = !columns.is_empty();
        let read_only = statement.readonly();
        let mut rows = statement.raw_query();
        let mut result = ResultBuilder::new(columns.clone(), limits);
        let mut number = 0;
        while let Some(row) = rows
            .next()
            .map_err(|error| sql_error(&error, Stage::Step))?
        {
            number += 1;
            let mut values = Vec::with_capacity(columns.len());
            for (position, column) in columns.iter_mut().enumerate() {
                let raw = row
                    .get_ref(position)
                    .map_err(|error| sql_error(&error, Stage::Step))?;
                if column.type_name.is_empty() && raw.data_type() != Type::Null {
                    column.type_name = raw.data_type().to_string().to_lowercase();
                }
                values.push(value(raw, column, number)?);
            }
            if result.push(values)?.is_break() {
                break;
            }
        }
        drop(rows);
        let changed = self.inner.total_changes() - changed_before;
        let mut result = result.finish((!read_only || !has_result).then_some(changed));
        result.columns = columns;
        Ok(result)
    }
}

/// The value of a column in a row, which is counted from 1.
fn value(raw: ValueRef<'_>, column: &Column, row: usize) -> Result<Value, SqlError> {
    Ok(match raw {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => number.into(),
        ValueRef::Blob(bytes) => bytes.to_vec().into(),
        ValueRef::Text(bytes) => std::str::from_utf8(bytes)
            .map_err(|error| {
                SqlError::new(
                    SqlErrorKind::UnsupportedType,
                    format!(
                        "text is not UTF-8: column `{}`, row {row}: {error}",
                        column.name
                    ),
                )
            })?
            .into(),
    })
}

/// What was being done when SQLite refused.
#[derive(Clone, Copy, PartialEq)]
enum Stage {
    Connect,
    Prepare,
    Step,
}

fn sql_error(error: &rusqlite::Error, stage: Stage) -> SqlError {
    let (failure, words) = match error {
        // Stepping what an empty text or a lone comment compiles to is a misuse of the library.
        rusqlite::Error::SqliteFailure(failure, _) if failure.code == ErrorCode::ApiMisuse => {
            return SqlError::new(SqlErrorKind::Syntax, "the text holds no statement");
        }
        rusqlite::Error::SqliteFailure(failure, words) => (failure, words.clone()),
        rusqlite::Error::SqlInputError { error, msg, .. } => (error, Some(msg.clone())),
        rusqlite::Error::MultipleStatement => {
            return SqlError::new(SqlErrorKind::Syntax, "more than one statement in one text");
        }
        other => return SqlError::new(SqlErrorKind::Other, other.to_string()),
    };
    let words = words.unwrap_or_else(|| ffi::code_to_str(failure.extended_code).to_owned());
    let kind = kind(failure.code, &words, stage);
    SqlError::new(
        kind,
        format!("{words} ({})", code_name(failure.extended_code)),
    )
}

fn kind(code: ErrorCode, words: &str, stage: Stage) -> SqlErrorKind {
    // What is broken elsewhere in the database is no mistake in the statement: SQLite looks at every view and trigger
    // before it changes a table.
    const OF_OTHERS: [&str; 2] = ["error in view ", "error in trigger "];
    match code {
        ErrorCode::Unknown if OF_OTHERS.iter().any(|part| words.starts_with(part)) => {
            SqlErrorKind::Permission
        }
        ErrorCode::Unknown if words.starts_with("no such ") => SqlErrorKind::MissingObject,
        ErrorCode::Unknown if words.ends_with(" already exists") => SqlErrorKind::Other,
        ErrorCode::Unknown if stage == Stage::Prepare => SqlErrorKind::Syntax,
        ErrorCode::Unknown
        | ErrorCode::ConstraintViolation
        | ErrorCode::TypeMismatch
        | ErrorCode::ParameterOutOfRange
        | ErrorCode::TooBig => SqlErrorKind::Data,
        ErrorCode::PermissionDenied
        | ErrorCode::AuthorizationForStatementDenied
        | ErrorCode::ReadOnly => SqlErrorKind::Permission,
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => SqlErrorKind::Timeout,
        ErrorCode::DiskFull | ErrorCode::OutOfMemory => SqlErrorKind::Busy,
        ErrorCode::OperationInterrupted => SqlErrorKind::Cancelled,
        ErrorCode::CannotOpen
        | ErrorCode::NotADatabase
        | ErrorCode::DatabaseCorrupt
        | ErrorCode::SystemIoFailure => SqlErrorKind::Connection,
        _ => SqlErrorKind::Other,
    }
}

/// SQLite's own name of a result code, such as `SQLITE_CONSTRAINT_UNIQUE`.
fn code_name(extended: i32) -> String {
    let name = match extended {
        ffi::SQLITE_CONSTRAINT_CHECK => "SQLITE_CONSTRAINT_CHECK",
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => "SQLITE_CONSTRAINT_FOREIGNKEY",
        ffi::SQLITE_CONSTRAINT_NOTNULL => "SQLITE_CONSTRAINT_NOTNULL",
        ffi::SQLITE_CONSTRAINT_PRIMARYKEY => "SQLITE_CONSTRAINT_PRIMARYKEY",
        ffi::SQLITE_CONSTRAINT_UNIQUE => "SQLITE_CONSTRAINT_UNIQUE",
        ffi::SQLITE_CANTOPEN_ISDIR => "SQLITE_CANTOPEN_ISDIR",
        // The low byte of an extended code is the primary code.
        extended => match extended & 0xff {
            ffi::SQLITE_ERROR => "SQLITE_ERROR",
            ffi::SQLITE_PERM => "SQLITE_PERM",
            ffi::SQLITE_ABORT => "SQLITE_ABORT",
            ffi::SQLITE_BUSY => "SQLITE_BUSY",
            ffi::SQLITE_LOCKED => "SQLITE_LOCKED",
            ffi::SQLITE_NOMEM => "SQLITE_NOMEM",
            ffi::SQLITE_READONLY => "SQLITE_READONLY",
            ffi::SQLITE_INTERRUPT => "SQLITE_INTERRUPT",
            ffi::SQLITE_IOERR => "SQLITE_IOERR",
            ffi::SQLITE_CORRUPT => "SQLITE_CORRUPT",
            ffi::SQLITE_FULL => "SQLITE_FULL",
            ffi::SQLITE_CANTOPEN => "SQLITE_CANTOPEN",
            ffi::SQLITE_SCHEMA => "SQLITE_SCHEMA",
            ffi::SQLITE_TOOBIG => "SQLITE_TOOBIG",
            ffi::SQLITE_CONSTRAINT => "SQLITE_CONSTRAINT",
            ffi::SQLITE_MISMATCH => "SQLITE_MISMATCH",
            ffi::SQLITE_AUTH => "SQLITE_AUTH",
            ffi::SQLITE_RANGE => "SQLITE_RANGE",
            ffi::SQLITE_NOTADB => "SQLITE_NOTADB",
            _ => return format!("SQLite code {extended}"),
        },
    };
    name.to_owned()
}

#[cfg(test)]
mod tests;
