//! `manifest.json`: what a connector says about itself, and what an export says about it.

mod connection_type;
mod exported;
pub(crate) mod problem;
pub(crate) mod reader;
mod source;

pub use connection_type::{AssetClass, ConnectionType, ConnectionTypeError};
pub use exported::ExportedManifest;
pub use problem::{ManifestError, ManifestFault, ManifestProblem};
pub use source::SourceManifest;

pub use crate::json::{Place, repeated_key};

// The keys that manifests of more than one kind have.
pub(crate) const CONNECTION_TYPE: &str = "connection_type";
pub(crate) const CONNECTION_NAME: &str = "connection_name";
pub(crate) const ASSET_CLASS: &str = "asset_class";
pub(crate) const CREDENTIALS_SCHEMA: &str = "credentials_schema";
