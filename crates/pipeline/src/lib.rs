//! Pipeline connectors: orchestrators described over HTTP, read page by page into assets and runs.

mod connector;
pub mod description;
mod error;
mod event;
mod explanation;
pub mod expression;
mod fetch;
mod http;
mod openapi;
mod paged;
mod pipeline;
mod process;
mod recording;
mod run_reading;
mod scaffold;
mod slices;
mod source;
mod status;

pub use connector::{Opening, PipelineConnector, PipelineSource};
pub use error::{SourceError, SourceErrorKind};
pub use explanation::{ExplainedField, Explanation, OnExplanation};
pub use http::{Exchange, Incoming, OnExchange, OnRetry, Outgoing, Transport, TransportError};
pub use openapi::{OpenApiError, Proposal};
pub use paged::PagedPipeline;
pub use pipeline::{FetchMethods, Page, Pipeline, RunQuery, Summary};
pub use process::ProcessMethods;
pub use recording::{Recorder, Recording, RecordingError};
pub use scaffold::{Example, PipelineScaffold, PipelineScaffolded, PipelineStart};
pub use slices::{SliceError, Slices};
pub use source::HttpSource;
pub use status::{Unmapped, map_run, unmap_run};
