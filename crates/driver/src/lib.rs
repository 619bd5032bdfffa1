//! One way to run SQL: drivers, connections, values and errors.
//!
//! A database is reached through a process, or through one of the features `adbc`, `odbc` and `sqlite`. Without its
//! feature, a kind of driver can be named and not opened.

#[cfg(feature = "adbc")]
mod adbc;
mod connection;
mod error;
mod fake;
mod json;
#[cfg(feature = "odbc")]
mod odbc;
mod open;
mod process;
#[cfg(any(feature = "adbc", feature = "odbc"))]
mod session;
#[cfg(feature = "sqlite")]
mod sqlite;
mod value;
#[cfg(feature = "sqlite")]
mod watch;

pub use bowline_protocol::NotJson;
pub use connection::{
    Canceller, Column, Connection, Database, Limits, ResultSet, ResultSize, Surplus,
};
pub use error::{SqlError, SqlErrorKind};
pub use fake::{FakeDatabase, FakeReply};
pub use open::{AdbcLibrary, DriverKind, DriverSpec, open};
pub use value::{Interval, Value};
