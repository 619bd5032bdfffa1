//! From what a connector says about its driver to an opened database.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bowline_process::Program;
use bowline_words::Redactor;

#[cfg(feature = "adbc")]
use crate::adbc;
#[cfg(feature = "odbc")]
use crate::odbc;
#[cfg(feature = "postgres")]
use crate::postgres;
#[cfg(feature = "sqlite")]
use crate::sqlite;
use crate::{Database, SqlError, process};

/// Which driver to use and how: everything needed to reach one database. `Debug` shows no option's value.
#[derive(Clone)]
pub struct DriverSpec {
    /// The driver.
    pub kind: DriverKind,
    /// The driver's own options, such as `path` or `uri`. They may hold credentials.
    pub options: BTreeMap<String, String>,
    /// Where relative paths in the options begin; empty for where the program was started.
    pub directory: PathBuf,
    /// The connect_args of credentials.json as they are, for connectors in a process of their own.
    pub connect_args: serde_json::Map<String, serde_json::Value>,
    /// Masks the credentials in everything the driver says.
    pub redactor: Redactor,
    /// The longest one connection may take to open.
    pub connect_timeout: Duration,
}

impl DriverSpec {
    /// A driver without options, that hides nothing and waits 10 seconds for a connection.
    #[must_use]
    pub fn new(kind: DriverKind) -> Self {
        Self {
            kind,
            options: BTreeMap::new(),
            directory: PathBuf::new(),
            connect_args: serde_json::Map::new(),
            redactor: Redactor::default(),
            connect_timeout: Duration::from_secs(10),
        }
    }
}

impl fmt::Debug for DriverSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DriverSpec")
            .field("kind", &self.kind)
            .field("options", &self.options.keys())
            .field("directory", &self.directory)
            .field("connect_args", &self.connect_args.keys())
            .field("redactor", &self.redactor)
            .field("connect_timeout", &self.connect_timeout)
            .finish()
    }
}

/// The drivers there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DriverKind {
    /// A driver of the machine's ODBC driver manager. Options: `dsn` or `connection_string`, and any keyword of the
    /// driver's connection string.
    Odbc {
        /// The driver's name as the manager knows it, or its library; none when a data source or the connection
        /// string says it.
        driver: Option<String>,
    },
    /// PostgreSQL, through a client that is compiled in. Options: `uri`, and the keywords of PostgreSQL's own client
    /// library, such as `host` and `sslmode`.
    Postgres,
    /// SQLite, compiled in. Options: `path`, `mode`, `busy_timeout`.
    Sqlite,
    /// A program that speaks the process protocol. It has no options: it gets the connect_args.
    Process(Program),
    /// A shared library that speaks ADBC. Its options are passed on as they are.
    Adbc {
        /// Where the library is.
        library: AdbcLibrary,
        /// The library's entry point, when neither its manifest nor its file name tells.
        entrypoint: Option<String>,
    },
}

/// How an ADBC driver's library is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdbcLibrary {
    /// By name, such as `duckdb`: among the installed drivers and in the standard places, by manifest or library name.
    Named(String),
    /// A library or driver manifest at this path.
    File(PathBuf),
}

/// Opens a database. Connecting may wait until [`Database::connect`].
///
/// # Errors
/// Kind `Driver` when the driver cannot be found, loaded or configured, or its kind was left out of the program; the
/// others as for [`Database::connect`].
pub fn open(spec: &DriverSpec) -> Result<Arc<dyn Database>, SqlError> {
    let opened = match &spec.kind {
        DriverKind::Process(program) => Ok(process::open(spec, program)),
        #[cfg(feature = "odbc")]
        DriverKind::Odbc { driver } => odbc::open(spec, driver.as_deref()),
        #[cfg(not(feature = "odbc"))]
        DriverKind::Odbc { .. } => Err(left_out("odbc")),
        #[cfg(feature = "postgres")]
        DriverKind::Postgres => postgres::open(spec),
        #[cfg(not(feature = "postgres"))]
        DriverKind::Postgres => Err(left_out("postgres")),
        #[cfg(feature = "sqlite")]
        DriverKind::Sqlite => sqlite::open(spec),
        #[cfg(not(feature = "sqlite"))]
        DriverKind::Sqlite => Err(left_out("sqlite")),
        #[cfg(feature = "adbc")]
        DriverKind::Adbc {
            library,
            entrypoint,
        } => adbc::open(spec, library, entrypoint.as_deref()),
        #[cfg(not(feature = "adbc"))]
        DriverKind::Adbc { .. } => Err(left_out("adbc")),
    };
    opened.map_err(|error| error.redacted(&spec.redactor))
}

/// The error for a kind of driver whose feature is off.
#[cfg(not(all(
    feature = "adbc",
    feature = "odbc",
    feature = "postgres",
    feature = "sqlite"
)))]
fn left_out(kind: &str) -> SqlError {
    SqlError::new(
        crate::SqlErrorKind::Driver,
        format!("this program has no drivers of the kind `{kind}`"),
    )
    .hint(format!("build it with the feature `{kind}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(not(feature = "sqlite"))]
    fn a_kind_that_was_left_out_is_told() {
        let error = open(&DriverSpec::new(DriverKind::Sqlite)).err().unwrap();
        assert_eq!(error.kind, crate::SqlErrorKind::Driver);
        assert_eq!(
            error.text(),
            "this program has no drivers of the kind `sqlite`\nhint: build it with the feature `sqlite`"
        );
    }

    #[test]
    fn debug_shows_no_credential() {
        let mut spec = DriverSpec::new(DriverKind::Sqlite);
        spec.options
            .insert("uri".to_owned(), "db://u:Marked77@h".to_owned());
        spec.connect_args
            .insert("password".to_owned(), "Marked77".into());
        let shown = format!("{spec:?}");
        assert!(
            shown.contains("uri") && !shown.contains("Marked77"),
            "{shown}"
        );
    }
}
