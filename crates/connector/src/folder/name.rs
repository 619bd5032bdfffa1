//! The name of a connector.

use std::path::Path;

use bowline_contract::ConnectorName;

use super::problem::LoadError;

/// The name that a connector has from its folder.
///
/// # Errors
/// When the folder's name cannot name a connector.
pub fn connector_name(dir: &Path) -> Result<ConnectorName, LoadError> {
    let folder = dir.file_name().unwrap_or_default().to_string_lossy();
    ConnectorName::parse(&folder).map_err(|error| LoadError::Name {
        dir: dir.to_path_buf(),
        reason: error.problem.to_string(),
    })
}
