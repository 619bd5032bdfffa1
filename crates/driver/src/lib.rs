//! One way to run SQL: drivers, connections, values and errors.
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

mod adbc;
pub mod catalogue;
mod connection;
mod error;
mod fake;
pub mod install;
mod json;
mod odbc;
mod open;
pub mod process;
mod session;
mod sqlite;
mod value;
mod watch;

pub use bowline_protocol::NotJson;
pub use connection::{
    Canceller, Column, Connection, Database, Limits, ResultSet, ResultSize, Surplus,
};
pub use error::{SqlError, SqlErrorKind};
pub use fake::{FakeDatabase, FakeReply};
pub use open::{AdbcLibrary, DriverKind, DriverSpec, open};
pub use value::{Interval, Value};
