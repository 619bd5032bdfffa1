//! Connectors written in Rust: fill in the traits of one kind, hand the connector to its `serve`, and the program
//! speaks the process protocol.
//!
//! A connector for a database implements [`Warehouse`] (how to log in) and [`WarehouseSession`] (how to run a
//! statement); one for an orchestrator [`Pipeline`] and [`PipelineSession`].
//!
//! ```
//! use bowline_sdk::{Answer, Credentials, Error, ErrorKind, Value, Warehouse, WarehouseSession, warehouse};
//!
//! /// A database that knows one number.
//! struct Constant;
//!
//! struct Session {
//!     number: i128,
//! }
//!
//! impl Warehouse for Constant {
//!     type Session = Session;
//!
//!     fn name(&self) -> &str {
//!         "constant"
//!     }
//!
//!     fn connect(&self, credentials: &Credentials) -> Result<Session, Error> {
//!         let number = credentials.text("number")?;
//!         let number = number.parse().map_err(|error| {
//!             Error::new(ErrorKind::Driver, format!("`number` is no number: {error}"))
//!         })?;
//!         Ok(Session { number })
//!     }
//! }
//!
//! impl WarehouseSession for Session {
//!     fn query(&mut self, sql: &str, answer: &mut Answer) -> Result<(), Error> {
//!         if sql != "SELECT 1 AS n" {
//!             return Err(Error::new(ErrorKind::Syntax, "only one statement is known here"));
//!         }
//!         answer.column("n", "INTEGER");
//!         answer.row(&[Value::Integer(self.number)])
//!     }
//! }
//!
//! # fn main() -> std::io::Result<()> {
//! // In a connector, `main` is `warehouse::serve(Constant)`; a test can hold the conversation itself.
//! let requests = r#"
//! {"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocol":1,"client":"a test"}}
//! {"jsonrpc":"2.0","id":2,"method":"connect","params":{"credentials":{"number":"7"}}}
//! {"jsonrpc":"2.0","id":3,"method":"query","params":{"sql":"SELECT 1 AS n","max_rows":9,"max_bytes":999,"timeout_ms":999}}
//! "#;
//! let mut answers = Vec::new();
//! warehouse::converse(Constant, requests.trim().as_bytes(), &mut answers)?;
//! let answers = String::from_utf8_lossy(&answers);
//! assert!(answers.trim_end().ends_with(r#""rows":[[7]]}}"#), "{answers}");
//! # Ok(())
//! # }
//! ```
//!
//! # What `serve` does
//! - Reads requests from standard input and answers on standard output, which is its alone: **print to standard error
//!   only**. The last lines there are shown when something goes wrong.
//! - Answers by itself what breaks the protocol, comes at the wrong time or exceeds the limits of a request.
//! - Turns a panic into an error of kind [`ErrorKind::Driver`]; the session is dropped, and the next statement logs in
//!   again.
//! - Ends the process when standard input ends, within half a second, whatever is running; a session that can be
//!   cancelled is, before that.

mod answer;
mod conversation;
mod credentials;
mod error;
pub mod pipeline;
pub mod warehouse;

pub use answer::Answer;
pub use bowline_protocol::{ErrorKind, FunctionalPlace, SuiteTexts, WireValue as Value};
pub use credentials::Credentials;
pub use error::Error;
pub use pipeline::{Page, Pipeline, PipelineSession, Wanted};
pub use serde_json::{Map, Value as Json, json};
pub use warehouse::{Cancel, Warehouse, WarehouseSession};
