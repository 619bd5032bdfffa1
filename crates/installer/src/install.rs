//! Installing drivers: fetched by the user's own package client, checked, unpacked, and put where every
//! ADBC program finds them.
//!
//! A driver is a folder `<name>-<version>` with its library, and beside it the standard driver manifest
//! `<name>.toml`. Both appear whole or not at all. Nothing here runs unless it is asked to.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use bowline_durable::{RealDisk, sync_name};

use crate::catalogue::{Build, CatalogueEntry, Platform};
use crate::{InstallError, fetch, manifest, unpack};

/// How to install.
#[derive(Debug)]
pub struct InstallOptions<'a> {
    /// Where to; see [`driver_folder`](crate::driver_folder).
    pub folder: PathBuf,
    /// The package's archive, fetched already; nothing is downloaded then.
    pub archive: Option<PathBuf>,
    /// Stops the installation when it becomes true.
    pub cancel: &'a AtomicBool,
}

/// What an installation is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstallEvent {
    /// The client fetches a package of so many bytes.
    Downloading {
        /// The client, `pip` or `npm`.
        client: &'static str,
        /// The package with its version.
        package: String,
        /// The archive's size.
        bytes: u64,
    },
    /// The archive's hash is computed and compared.
    Verifying,
    /// The library is taken out of the archive.
    Unpacking,
}

/// An installed driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its library.
    pub library: PathBuf,
    /// Its manifest.
    pub manifest: PathBuf,
}

/// What is in the driver folder under a driver's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstallState {
    /// Nothing.
    Missing,
    /// The build the catalogue names.
    Current(Installed),
    /// Another version, which this program put there.
    Outdated(Installed),
    /// A driver that somebody else put there.
    Foreign(Installed),
    /// A manifest whose library is not there or cut short.
    Broken {
        /// The manifest.
        manifest: PathBuf,
    },
}

/// What an installation came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstallOutcome {
    /// It was installed now.
    New(Installed),
    /// It was there already.
    AlreadyThere(Installed),
}

/// Looks for a driver in a folder. No network, no loading.
#[must_use]
pub fn install_state(entry: &CatalogueEntry, folder: &Path) -> InstallState {
    manifest::state(entry, folder, Platform::current())
}

/// Installs a driver for this machine; a quick no-op when it is there already.
///
/// # Errors
/// See [`InstallError`]; nothing is left half done.
pub fn install(
    entry: &CatalogueEntry,
    options: &InstallOptions<'_>,
    progress: &mut dyn FnMut(InstallEvent),
) -> Result<InstallOutcome, InstallError> {
    install_for(entry, Platform::current(), options, progress)
}

/// Installs a driver for another machine into a folder of its own; a quick no-op when it is there already. No
/// platform stands for one that nothing is built for.
///
/// # Errors
/// See [`InstallError`]; nothing is left half done.
pub fn install_for(
    entry: &CatalogueEntry,
    platform: Option<Platform>,
    options: &InstallOptions<'_>,
    progress: &mut dyn FnMut(InstallEvent),
) -> Result<InstallOutcome, InstallError> {
    let build = platform
        .and_then(|platform| entry.build(platform))
        .ok_or_else(|| InstallError::no_build(entry, platform))?;
    if let InstallState::Current(installed) = manifest::state(entry, &options.folder, platform) {
        return Ok(InstallOutcome::AlreadyThere(installed));
    }
    install_build(entry, build, options, progress).map(InstallOutcome::New)
}

/// Removes a driver from a folder: its manifest and its library. Gives what there was; nothing when it is not there. A
/// driver that somebody else put there is only told of.
///
/// # Errors
/// [`InstallError::Write`].
pub fn remove(entry: &CatalogueEntry, folder: &Path) -> Result<InstallState, InstallError> {
    let state = install_state(entry, folder);
    if !matches!(state, InstallState::Missing | InstallState::Foreign(_)) {
        manifest::remove(entry, folder)?;
    }
    Ok(state)
}

fn install_build(
    entry: &CatalogueEntry,
    build: &Build,
    options: &InstallOptions<'_>,
    progress: &mut dyn FnMut(InstallEvent),
) -> Result<Installed, InstallError> {
    let folder = std::path::absolute(&options.folder)
        .map_err(|error| InstallError::write(&options.folder, error))?;
    fs::create_dir_all(&folder).map_err(|error| InstallError::write(&folder, error))?;
    remove_leftovers(&folder);
    // Beside its place, so that the finished library can be moved there in one step.
    let work = tempfile::Builder::new()
        .prefix(WORK_PREFIX)
        .tempdir_in(&folder)
        .map_err(|error| InstallError::write(&folder, error))?;
    let archive = match &options.archive {
        Some(archive) => archive.clone(),
        None => {
            progress(InstallEvent::Downloading {
                client: entry.source.client(),
                package: format!("{} {}", build.package, build.version),
                bytes: build.bytes,
            });
            fetch::fetch(entry.source, build, work.path(), options.cancel)?
        }
    };
    progress(InstallEvent::Verifying);
    unpack::verify(&archive, build, options.cancel)?;
    progress(InstallEvent::Unpacking);
    let file = unpack::unpack(entry.source, &archive, build, work.path(), options.cancel)?;
    let bytes = fs::metadata(&file)
        .map_err(|error| InstallError::write(&file, error))?
        .len();

    let name = build.library.rsplit('/').next().unwrap_or(build.library);
    let home = folder.join(format!("{}-{}", entry.name, build.version));
    let library = home.join(name);
    fs::create_dir_all(&home).map_err(|error| InstallError::write(&home, error))?;
    fs::rename(&file, &library)
        .and_then(|()| sync_name(&RealDisk, &library))
        .and_then(|()| sync_name(&RealDisk, &home))
        .map_err(|error| InstallError::write(&library, error))?;
    manifest::write(entry, build, &folder, &library, bytes)
}

/// How the names of unfinished installations begin.
pub(crate) const WORK_PREFIX: &str = ".installing-";

/// Removes what installations that were killed left behind, once they are surely not running any more.
fn remove_leftovers(folder: &Path) {
    const DAY: std::time::Duration = std::time::Duration::from_secs(24 * 3600);
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries {
        let is_work = entry.file_name().to_string_lossy().starts_with(WORK_PREFIX);
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        let is_old = modified.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > DAY));
        if is_work && is_old {
            // What cannot be removed now is tried again next time.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests;
