//! Pipeline connectors: orchestrators described over HTTP, read page by page into assets and runs.

pub mod description;
mod error;
mod event;
pub mod expression;
mod fetch;
mod http;
mod run_reading;
mod source;

pub use error::{SourceError, SourceErrorKind};
pub use event::Unmapped;
pub use source::{EtlConnector, HttpSource, RunQuery, Summary};
