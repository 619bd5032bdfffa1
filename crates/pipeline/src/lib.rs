//! Pipeline connectors: an orchestrator's jobs and runs, read to the end as assets and runs of the contract.
//!
//! A [`PipelineConnector`] is a folder. Opened with credentials it is a [`Pipeline`], which is one of two:
//!
//! - a [`DescribedPipeline`] follows a `connector.toml`. Its sources ([`description::Source`]) are requests for lists of the
//!   vendor's records; a reader walks their pages, also while the lists change, and mappings make events of records.
//! - a [`MethodsPipeline`] asks a program for pages by limit and offset, with the contract's two methods
//!   ([`FetchMethods`]).
//!
//! The other way round, a [`PageServer`] cuts pages by limit and offset from a pipeline that is read to the end.
//!
//! A connector with the contract's methods, read in a window:
//!
//! ```
//! use bowline_contract::pipeline::{AssetEvent, PipelineManifest, RunEvent, RunStatus, Window};
//! use bowline_pipeline::{
//!     FetchMethods, MethodsPipeline, PageQuery, Pipeline, RunQuery, SourceError,
//! };
//! use serde_json::json;
//!
//! struct Nightly;
//!
//! impl FetchMethods for Nightly {
//!     fn setup_connection(&self) -> Result<(), SourceError> {
//!         Ok(())
//!     }
//!     fn fetch_metadata(&self, _: PageQuery) -> Result<Vec<AssetEvent>, SourceError> {
//!         Ok(Vec::new())
//!     }
//!     fn fetch_run_details(
//!         &self,
//!         _: Option<&RunQuery>,
//!         page: PageQuery,
//!     ) -> Result<Vec<RunEvent>, SourceError> {
//!         let runs = (page.offset..2).take(page.limit).map(|number| {
//!             RunEvent::new(json!({
//!                 "job_source_id": "load", "run_source_id": number.to_string(), "status": "DONE",
//!                 "event_time": format!("2026-11-22T1{number}:00:00Z"),
//!             }))
//!         });
//!         Ok(runs.collect())
//!     }
//!     fn cancel(&self) {}
//! }
//!
//! let manifest = PipelineManifest::parse(
//!     r#"{"connection_type": "custom-etl-connector-0123abc", "connection_name": "Nightly",
//!         "asset_class": "etl", "run_status_mapping": {"DONE": "success"}}"#,
//! )?;
//! let window = Window {
//!     start: "2026-11-22T10:00:00Z".parse()?,
//!     end: "2026-11-22T11:00:00Z".parse()?,
//! };
//! let pipeline = MethodsPipeline::new(manifest, Nightly);
//! let mut runs = Vec::new();
//! let summary = pipeline.runs(&RunQuery::Window(window), None, &mut |run| runs.push(run))?;
//! assert_eq!((runs.len(), summary.outside), (1, 1));
//! assert_eq!(runs[0].status(), Some(RunStatus::Success));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod connector;
mod decoding;
mod described;
pub mod description;
mod error;
mod event;
mod explanation;
pub mod expression;
mod failed;
mod http;
mod methods;
mod openapi;
mod page_server;
mod pipeline;
mod process;
mod recording;
mod run_reading;
mod scaffold;
mod source_reader;
mod stand;
mod status;
mod vendor_answers;

pub use connector::{Opening, PipelineConnector, PipelineKind};
pub use described::DescribedPipeline;
pub use error::{SourceError, SourceErrorKind};
pub use explanation::{ExplainedField, Explanation, OnExplanation};
pub use failed::{FailedPart, Part};
pub use http::{Exchange, Incoming, OnExchange, OnRetry, Outgoing, Transport, TransportError};
pub use methods::{FetchMethods, MethodsPipeline, PageQuery};
pub use openapi::{OpenApiError, Proposal};
pub use page_server::{PageServer, PageServerError};
pub use pipeline::{Pipeline, RunQuery, Summary};
pub use process::ProcessMethods;
pub use recording::{Recorder, Recording, RecordingError};
pub use scaffold::{Example, PipelineScaffold, PipelineScaffolded, PipelineStart};
pub use status::{Unmapped, map_run, proposed_mapping, unmap_run};
pub use vendor_answers::VendorAnswers;
