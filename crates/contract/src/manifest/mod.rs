//! `manifest.json`: what a connector says about itself, and what an export says about it.

mod connection_type;
mod exported;
mod source;

pub use connection_type::{AssetClass, ConnectionType, ConnectionTypeError};
pub use exported::ExportedManifest;
pub use source::{ManifestError, ManifestProblem, Place, SourceManifest};
