//! One way to run SQL: drivers, connections, values and errors.

mod connection;
mod error;
mod redact;
mod value;

pub use connection::{Canceller, Column, Connection, Database, Limits, ResultSet};
pub use error::{SqlError, SqlErrorKind};
pub use redact::Redactor;
pub use value::{Interval, Value};
