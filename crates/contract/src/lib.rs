//! The connector contract as data: what a connector must provide and what a suite must find out.
//!
//! No input or output happens here; every other crate reads its facts from this one.

mod capability;
pub mod credentials;
pub mod exit_code;
mod json;
pub mod layout;
pub mod manifest;
pub mod metric;
mod name;
pub mod pipeline;
pub mod reference;
mod section;
pub mod template;
mod templates;
mod words;

pub use capability::{Capability, capabilities_of};
pub use manifest::{
    AssetClass, ConnectionType, ExportedManifest, ManifestError, ManifestFault, ManifestProblem,
    SourceManifest,
};
pub use metric::{Metric, metrics_of};
pub use name::{ConnectorName, NameError, NameProblem};
pub use section::{PipelineSection, SuiteSection, TemplateSection, UnknownSection};
pub use template::{Template, TemplateKind, TemplateStyle, Variable, VariableType};
