//! What one does with connectors: find, load, open, prove, export and serve them.
//!
//! The command line is one reader of this crate; a program can do the same without it. Nothing is printed here: what a
//! person should see meanwhile is told as [`Event`]s. Nothing here changes the process's working directory either:
//! relative paths of credentials begin in the connector's workspace. A [`Run`] is what Ctrl-C stops, so that a program
//! can run again after it was stopped.
//!
//! ```
//! use bowline_conformance::Conclusion;
//! use bowline_conformance::warehouse::Options;
//! use bowline_connector::Workspace;
//! use bowline_warehouse::Scaffold;
//! use bowline_warehouse::dialect::Pack;
//! use bowline_contract::ConnectorName;
//! use bowline_driver::Limits;
//! use bowline_workbench::{Run, locate, warehouse};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // A connector for SQLite in a new workspace.
//! let folder = tempfile::tempdir()?;
//! let scaffold = Scaffold::plan(ConnectorName::parse("shop")?, Pack::find("sqlite").cloned(), None)?;
//! let made = scaffold.write(&Workspace::at(folder.path()))?;
//! std::fs::write(
//!     made.connector.dir.join("credentials.json"),
//!     r#"{"connect_args": {"path": "shop.sqlite"}}"#,
//! )?;
//!
//! // What a person should see would be told here.
//! let on_event = |_event: bowline_workbench::Event<'_>| ();
//! let connector = warehouse::load(&locate(folder.path(), Some("shop"), None)?, &on_event)?;
//!
//! // A table, for what metadata is proven on.
//! let credentials = warehouse::credentials(&connector, &on_event)?;
//! let database = warehouse::open(&connector, &credentials, &Limits::default(), &on_event)?;
//! let mut connection = warehouse::connect(&connector, &*database)?;
//! connection.run("CREATE TABLE customers (id INTEGER, name TEXT)", &Limits::default())?;
//!
//! let recorded = warehouse::prove(&connector, &Options::default(), &Run::new(), &on_event)?;
//! assert_eq!(recorded.report.conclusion(), Conclusion::Fine);
//! let exported = warehouse::export(&connector, &recorded.report)?;
//! assert!(exported.folder.join("manifest.json").is_file());
//! # Ok(())
//! # }
//! ```

mod credentials;
mod error;
mod event;
pub mod evidence;
pub mod grants;
mod interruptible;
mod locate;
pub mod pipeline;
mod query_log;
pub mod refresh;
pub mod release;
mod run;
mod serve;
mod table_lock;
pub mod warehouse;
mod whole_file;

pub use credentials::{CredentialUses, Use};
pub use error::WorkbenchError;
pub use event::Event;
pub use locate::locate;
pub use query_log::{Logged, QueryLogError, query_log};
pub use run::{CtrlC, OnStop, Run};
pub use serve::{ServedPart, serve};
pub use whole_file::{Readers, write_whole};
