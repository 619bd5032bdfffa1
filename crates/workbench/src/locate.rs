//! Which connector is meant.

use std::path::Path;

use bowline_connector::folder::Problem;
use bowline_connector::{Located, Workspace};
use bowline_contract::layout::MANIFEST_FILE;
use bowline_contract::{AssetClass, ManifestError, ManifestProblem};

use crate::{Event, WorkbenchError};

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

/// Tells what is worth a word in the manifest of a connector's folder.
pub(crate) fn advise(dir: &Path, advices: &[ManifestProblem], on_event: &dyn Fn(Event<'_>)) {
    if advices.is_empty() {
        return;
    }
    let path = dir.join(MANIFEST_FILE);
    let text = bowline_contract::reading::read_text(&path).unwrap_or_default();
    let error = ManifestError {
        problems: advices.to_vec(),
    };
    for problem in Problem::of_manifest(&path, &text, &error) {
        on_event(Event::Advice(&problem));
    }
}
