//! One way to run SQL: drivers, connections, values and errors.

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
mod recording;
mod session;
mod sqlite;
mod value;
mod watch;

pub use bowline_protocol::NotJson;
pub use connection::{
    Answer, Canceller, Column, Connection, Database, Limits, ResultSet, ResultSize, Surplus,
    Unanswered,
};
pub use error::{SqlError, SqlErrorKind};
pub use fake::{FakeDatabase, FakeReply};
pub use open::{AdbcLibrary, DriverKind, DriverSpec, open};
pub use recording::{RecordedStatement, Recording, RecordingDatabase, ReplayingDatabase};
pub use value::{Interval, Value};
