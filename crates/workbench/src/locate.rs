//! Which connector is meant.

use std::path::Path;

use bowline_connector::{Located, Workspace};
use bowline_contract::AssetClass;

use crate::WorkbenchError;

/// Finds the connector that is meant in the workspace around a folder: the one named, else the one that the environment
/// variable `CONNECTOR` names, else the only one. Where a class is wanted, only its connectors count.
///
/// # Errors
/// [`WorkbenchError::Workspace`] when there is none, several, or none of that name.
pub fn locate(
    directory: &Path,
    name: Option<&str>,
    wanted: Option<AssetClass>,
) -> Result<Located, WorkbenchError> {
    Ok(Workspace::find(directory)?.locate(name, wanted)?)
}
