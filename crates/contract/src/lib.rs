//! The connector contract as data: what a connector must provide and what a suite must find out.
//!
//! No input or output happens here; every other crate reads its facts from this one.
//!
//! ```
//! use bowline_contract::pipeline::{RunEvent, validate_runs};
//! use bowline_contract::{Metric, SourceManifest, Template};
//! use serde_json::json;
//!
//! let template = Template::all().find(|one| one.name == "get_avg_function_template");
//! assert!(template.is_some_and(|template| !template.description.is_empty()));
//! assert!(Metric::find("zero_rate").is_some());
//!
//! let error = SourceManifest::parse(r#"{"connection_nam": "Shop"}"#).unwrap_err();
//! assert_eq!(error.problems[0].fault.to_string(), "unknown key: `connection_nam`");
//!
//! let run = RunEvent::new(json!({"run_source_id": "1", "status": "success"}));
//! assert_eq!(validate_runs(&[run])[0].field, "job_source_id");
//! ```

mod capability;
pub mod credentials;
pub mod exit_code;
pub mod formula;
mod json;
pub mod layout;
pub mod manifest;
pub mod metric;
mod name;
pub mod pipeline;
pub mod reading;
pub mod reference;
mod section;
pub mod template;
mod templates;
pub mod toml_text;
mod words;

pub use capability::{Capability, capabilities_of};
pub use formula::{ColumnKind, Definition, Formula, Part, Unit};
pub use manifest::{
    AssetClass, ConnectionType, ExportedManifest, ManifestError, ManifestFault, ManifestProblem,
    SourceManifest,
};
pub use metric::{Metric, metrics_of};
pub use name::{ConnectorName, NameError, NameProblem};
pub use section::{PipelineSection, SuiteSection, TemplateSection, UnknownSection};
pub use template::{Template, TemplateKind, TemplateStyle, Variable, VariableType};
