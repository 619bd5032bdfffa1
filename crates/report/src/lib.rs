//! What a run of the suite found out, as it is written and read: one type for every reader.
//!
//! `bowline test --format json` writes a [`Report`]; the terminal, JUnit, the [page] and the
//! Markdown summary are written from the same. It is about a
//! warehouse connector ([`warehouse`]) or about a pipeline connector ([`pipeline`]), as its `asset_class` says. The
//! verdicts, tiers and counts are the same for both; what is asked and what shows it is not.
//!
//! A report tells its `version`. [`Report::from_json`] refuses one that is newer than [`VERSION`]. Within a version,
//! members may be added, and the contract's sections, templates, capabilities, metrics and features may grow: these are
//! text here, and members that a reader does not know are passed over. A new verdict or kind of reason, or a member that
//! changes its meaning, makes a new version.
//!
//! ```
//! use bowline_report::Report;
//!
//! let text = std::fs::read_to_string("tests/written/warehouse.json")?;
//! let mut short = Vec::new();
//! match Report::from_json(&text, "warehouse.json")? {
//!     Report::Warehouse(report) => {
//!         short.extend(report.shortfalls().map(|check| check.id.clone()));
//!     }
//!     Report::Pipeline(report) => {
//!         short.extend(report.shortfalls().map(|check| check.id.clone()));
//!     }
//! }
//! assert_eq!(short, ["ql_metrics/sum", "ql_metrics/avg", "ql_metrics/max"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod catalogue;
mod conclusion;
mod elapsed;
mod error;
mod markdown;
mod matrix;
mod next;
pub mod page;
pub mod pipeline;
mod release;
mod report;
mod schema;
mod standing;
mod verdict;
pub mod warehouse;

pub use conclusion::Conclusion;
pub use elapsed::Milliseconds;
pub use error::{ReportError, ReportErrorKind};
pub use markdown::markdown;
pub use matrix::{Matrix, MatrixCell, MatrixRow, MatrixRun, MatrixServer};
pub use next::{NextStep, UNREADABLE_LOG};
pub use pipeline::PipelineReport;
pub use release::{Bump, Credential, Release, ReleaseChange, ReleaseChanges, Spelling, Thing};
pub use report::{Report, VERSION};
pub use schema::schema;
pub use verdict::{Summary, Tier, Verdict};
pub use warehouse::WarehouseReport;
