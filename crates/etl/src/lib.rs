//! Pipeline connectors: orchestrators described over HTTP, read page by page into assets and runs.

mod connector;
pub mod description;
mod error;
mod event;
pub mod expression;
mod fetch;
mod http;
mod openapi;
mod paged;
mod pipeline;
mod process;
mod run_reading;
mod scaffold;
mod slices;
mod source;

pub use connector::{EtlConnector, EtlSource};
pub use error::{SourceError, SourceErrorKind};
pub use event::{Unmapped, map_run};
pub use http::{Incoming, Outgoing, Transport, TransportError};
pub use openapi::{OpenApiError, Proposal};
pub use paged::PagedPipeline;
pub use pipeline::{FetchMethods, Page, Pipeline, RunQuery, Summary};
pub use process::ProcessMethods;
pub use scaffold::{EtlScaffold, EtlScaffolded, EtlStart, Example};
pub use slices::{SliceError, Slices};
pub use source::HttpSource;
