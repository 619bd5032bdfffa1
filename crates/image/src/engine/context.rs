//! The folder that an engine builds from: the planned files and the Dockerfile, and nothing else.

use std::fs;
use std::io;
use std::path::Path;

use bowline_oci::Platform;
use bowline_oci::layer::Content;

use super::base::NamedBase;
use crate::dockerfile;
use crate::error::{ImageError, ImageErrorKind};
use crate::plan::{ImagePlan, PlannedFile};
use crate::work::WorkFolder;

/// Writes the build context for one platform to a temporary folder, which goes with the value.
pub(super) fn write(
    plan: &ImagePlan,
    platform: &Platform,
    base: &NamedBase,
) -> Result<WorkFolder, ImageError> {
    let folder =
        WorkFolder::temporary().map_err(|error| failed(Path::new("a temporary folder"), &error))?;
    let root = folder.path();
    let is_for = |file: &&PlannedFile| file.platform.as_ref().is_none_or(|only| only == platform);
    for file in plan.shared.iter().filter(is_for) {
        place(root, &dockerfile::shared_context_path(&file.path), file)?;
    }
    for connector in &plan.connectors {
        for file in connector.files.iter().filter(is_for) {
            place(root, &dockerfile::context_path(connector, &file.path), file)?;
        }
    }
    let path = root.join("Dockerfile");
    let text = dockerfile::agent(plan, platform, (&base.name, base.digest.as_deref()));
    fs::write(&path, text).map_err(|error| failed(&path, &error))?;
    Ok(folder)
}

fn place(root: &Path, relative: &str, file: &PlannedFile) -> Result<(), ImageError> {
    let path = root.join(relative);
    if let Some(parent) = path.parent() {
        make_folders(root, parent).map_err(|error| failed(parent, &error))?;
    }
    match &file.content {
        Content::File(source) => fs::copy(source, &path).map(drop).map_err(|error| {
            ImageError::new(
                ImageErrorKind::Unreadable,
                format!("`{}`", source.display()),
            )
            .because(error.to_string())
        })?,
        Content::Bytes(bytes) => fs::write(&path, bytes).map_err(|error| failed(&path, &error))?,
    }
    set_mode(&path, file.mode).map_err(|error| failed(&path, &error))
}

/// Makes folders whose bits do not depend on the user's umask: engines take them over.
fn make_folders(root: &Path, folder: &Path) -> io::Result<()> {
    if folder == root || folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        make_folders(root, parent)?;
    }
    fs::create_dir(folder)?;
    set_mode(folder, 0o755)
}

fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(mode))
    }
    #[cfg(not(unix))]
    {
        let _ = (path, mode);
        Ok(())
    }
}

fn failed(path: &Path, error: &io::Error) -> ImageError {
    ImageError::new(ImageErrorKind::Unwritable, format!("`{}`", path.display()))
        .because(error.to_string())
}
