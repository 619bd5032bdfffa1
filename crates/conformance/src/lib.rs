//! The suites: what a connector supports, proven against the live system.
//!
//! [`warehouse::run`] puts a connector's templates to the test on a database, [`pipeline::run`] a pipeline connector on
//! its vendor, and [`protocol`] a program that speaks the process protocol. They print nothing: they tell their readers
//! [`Event`]s while they work and give a report at the end.
//!
//! The two suites differ in what they ask and share the words for what comes of it: checks with a [`Verdict`] each, a
//! [`Doubt`] where the answer is unknown, and a [`Conclusion`].
//!
//! ```
//! use std::sync::Arc;
//!
//! use bowline_conformance::warehouse::{Options, Subject, run};
//! use bowline_conformance::{Conclusion, warehouse};
//! use bowline_contract::SuiteSection;
//! use bowline_driver::{DriverKind, DriverSpec, open};
//! use bowline_warehouse::dialect::Pack;
//!
//! let mut sqlite = DriverSpec::new(DriverKind::Sqlite);
//! sqlite.options.insert("path".to_owned(), ":memory:".to_owned());
//! let subject = Subject {
//!     templates: Arc::new(Pack::find("sqlite").unwrap().templates()),
//!     database: open(&sqlite)?,
//!     functional: None,
//! };
//! let options = Options {
//!     sections: vec![SuiteSection::CustomMonitors],
//!     ..Options::default()
//! };
//! let report = run(&subject, &options, &warehouse::Interrupt::default(), &|_| {})?;
//! assert_eq!(report.conclusion(), Conclusion::Fine);
//! # Ok::<(), bowline_driver::SqlError>(())
//! ```

mod doubt;
mod event;
pub mod pipeline;
pub mod protocol;
pub mod warehouse;

pub use bowline_report::{Conclusion, Tier, Verdict};
pub use doubt::Doubt;
pub use event::Event;
