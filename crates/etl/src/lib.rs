//! Pipeline connectors: orchestrators described over HTTP, read page by page into assets and runs.

pub mod description;
mod error;
mod event;
pub mod expression;
mod fetch;
mod http;
mod pipeline;
mod run_reading;
mod source;

pub use error::{SourceError, SourceErrorKind};
pub use event::Unmapped;
pub use pipeline::{FetchMethods, Page, Pipeline, RunQuery, Summary};
pub use source::{EtlConnector, HttpSource};
