//! One way to run SQL: drivers, connections, values and errors.
//!
//! A database is reached through a process, or through one of the features `adbc`, `odbc`, `postgres` and `sqlite`. Without its
//! feature, a kind of driver can be named and not opened.
//!
//! ```
//! use bowline_driver::{DriverKind, DriverSpec, Limits, SqlErrorKind, Value, open};
//!
//! # fn main() -> Result<(), bowline_driver::SqlError> {
//! let mut spec = DriverSpec::new(DriverKind::Sqlite);
//! spec.options.insert("path".to_owned(), ":memory:".to_owned());
//! let database = open(&spec)?;
//! let mut connection = database.connect()?;
//!
//! let limits = Limits::default();
//! let result = connection.run("SELECT 1 AS n, 'a' AS t UNION ALL SELECT 2, NULL", &limits)?;
//! assert_eq!(result.position("t"), Some(1));
//! assert_eq!(result.rows[1], [Value::Integer(2), Value::Null]);
//!
//! let error = connection.run("SELECT * FROM nowhere", &limits).unwrap_err();
//! assert_eq!(error.kind, SqlErrorKind::MissingObject);
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "adbc")]
mod adbc;
#[cfg(any(feature = "adbc", feature = "postgres"))]
mod calendar;
#[cfg(any(feature = "adbc", feature = "postgres"))]
mod changes;
mod connection;
mod disturbed;
mod error;
mod fake;
mod json;
#[cfg(any(feature = "adbc", feature = "odbc", feature = "postgres"))]
mod libpq;
mod observed;
#[cfg(feature = "odbc")]
mod odbc;
mod open;
mod opening;
#[cfg(any(
    feature = "adbc",
    feature = "odbc",
    feature = "postgres",
    feature = "sqlite"
))]
mod paths;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(any(feature = "adbc", feature = "postgres"))]
mod postgres_binary;
mod process;
mod recording;
mod refreshing;
#[cfg(any(feature = "adbc", feature = "odbc", feature = "postgres"))]
mod session;
#[cfg(feature = "sqlite")]
mod sqlite;
mod value;
#[cfg(feature = "sqlite")]
mod watch;

pub use bowline_protocol::NotJson;
pub use connection::{
    Answer, Canceller, Column, Connection, ConnectionCost, Database, Limits, ResultSet, ResultSize,
    Surplus, ThreadRows, Unanswered,
};
pub use disturbed::{Disturbance, DisturbedDatabase};
pub use error::{SqlError, SqlErrorKind};
pub use fake::{FakeDatabase, FakeReply};
pub use observed::{ObservedDatabase, Observer};
#[cfg(feature = "odbc")]
pub use odbc::installed as odbc_drivers;
pub use open::{AdbcLibrary, DriverKind, DriverSpec, open};
pub use opening::{OpeningDatabase, OpeningStatement};
pub use process::{thread_answer, thread_rows};
pub use recording::{
    RecordedStatement, RecordedTogether, Recording, RecordingDatabase, ReplayingDatabase,
    StandingAnswers,
};
pub use refreshing::{AnswersFrom, RefreshingDatabase};
pub use value::{Interval, Value};
