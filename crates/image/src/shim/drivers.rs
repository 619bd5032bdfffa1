//! The ADBC drivers that go into an image, each for the image's platform.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use bowline_contract::layout::CONNECTOR_FILE;
use bowline_installer::catalogue::{self, Build, CatalogueEntry};
use bowline_installer::{
    InstallError, InstallEvent, InstallOptions, InstallOutcome, InstallState, Installed,
    driver_folder, install_for, install_state,
};
use bowline_oci::Platform;
use bowline_oci::layer::Content;
use serde::{Deserialize, Serialize};

use super::declared::{Needs, needs};
use super::runtime::HOME;
use crate::error::{ImageError, ImageErrorKind};
use crate::event::BuildEvent;
use crate::plan::PlannedFile;

/// The driver's library, as a file of the image: the one installed on this machine where it is the same build, else
/// fetched into `folder`, and checked.
///
/// # Errors
/// A driver that cannot be installed, or is not built for the platform; see [`InstallError`] for the rest.
pub(super) fn library(
    name: &str,
    platform: &Platform,
    folder: &Path,
    cancel: &AtomicBool,
    on_event: &dyn Fn(BuildEvent),
) -> Result<PlannedFile, ImageError> {
    let entry = catalogue::find(name).ok_or_else(|| unknown(name))?;
    let target = target(platform);
    let here = driver_folder().filter(|_| target == catalogue::Platform::current());
    let installed = match here.map(|here| install_state(entry, &here)) {
        Some(InstallState::Current(installed)) => installed,
        _ => fetch(entry, platform, folder, cancel, on_event)?,
    };
    Ok(PlannedFile {
        // Without a manifest, a driver is found by the name of its library.
        path: library_path(name),
        content: Content::File(installed.library),
        mode: 0o644,
        platform: Some(platform.clone()),
    })
}

fn library_path(name: &str) -> String {
    format!("{HOME}/drivers/lib{name}.so")
}

/// The driver whose library this file of an image for this platform is, and its build; nothing when it is none.
pub(crate) fn driver_of(
    path: &str,
    platform: &Platform,
) -> Option<(&'static CatalogueEntry, &'static Build)> {
    let mut entries = catalogue::catalogue().iter();
    let entry = entries.find(|entry| library_path(entry.name) == path)?;
    Some((entry, entry.build(target(platform)?)?))
}

/// A build of a driver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DriverBuild {
    /// The driver's version.
    pub(crate) version: String,
    /// The platform it runs on, such as `linux-amd64`.
    pub(crate) platform: String,
    /// The SHA-256 of the archive it came in, in hexadecimal digits; nothing for one that somebody else put there.
    pub(crate) archive: Option<String>,
}

/// The driver that a connector names, as it is installed on this machine; nothing when it names none, or none is there.
///
/// # Errors
/// When `connector.toml` cannot be read.
pub(crate) fn installed_driver(dir: &Path) -> Result<Option<(String, DriverBuild)>, ImageError> {
    let Some(entry) = named(dir)? else {
        return Ok(None);
    };
    let platform = Platform::host();
    let state = driver_folder().map(|folder| install_state(entry, &folder));
    let (installed, archive) = match state {
        Some(InstallState::Current(installed)) => {
            let build = target(&platform).and_then(|platform| entry.build(platform));
            (installed, build.map(|build| build.sha256.to_owned()))
        }
        Some(InstallState::Outdated(installed) | InstallState::Foreign(installed)) => {
            (installed, None)
        }
        Some(InstallState::Missing | InstallState::Broken { .. }) | None => return Ok(None),
    };
    Ok(Some((
        entry.name.to_owned(),
        DriverBuild {
            version: installed.version,
            platform: platform.dashed(),
            archive,
        },
    )))
}

/// The driver that a connector names, as it goes into an image for this platform; nothing when it names none, or none
/// is built for it, which is told when it is looked for.
///
/// # Errors
/// When `connector.toml` cannot be read.
pub(crate) fn built_driver(
    dir: &Path,
    platform: &Platform,
) -> Result<Option<(String, DriverBuild)>, ImageError> {
    let Some(entry) = named(dir)? else {
        return Ok(None);
    };
    let build = target(platform).and_then(|platform| entry.build(platform));
    Ok(build.map(|build| {
        let build = DriverBuild {
            version: build.version.to_owned(),
            platform: platform.dashed(),
            archive: Some(build.sha256.to_owned()),
        };
        (entry.name.to_owned(), build)
    }))
}

/// The driver that a connector's `connector.toml` names, if it has one.
fn named(dir: &Path) -> Result<Option<&'static CatalogueEntry>, ImageError> {
    if !dir.join(CONNECTOR_FILE).is_file() {
        return Ok(None);
    }
    Ok(match needs(dir)? {
        Needs::Driver(name) => catalogue::find(&name),
        Needs::Nothing | Needs::File(_) | Needs::Program { .. } => None,
    })
}

fn fetch(
    entry: &CatalogueEntry,
    platform: &Platform,
    folder: &Path,
    cancel: &AtomicBool,
    on_event: &dyn Fn(BuildEvent),
) -> Result<Installed, ImageError> {
    let options = InstallOptions {
        folder: folder.join(platform.dashed()),
        archive: None,
        cancel,
    };
    let mut tell = |event| {
        if let InstallEvent::Downloading {
            client, package, ..
        } = event
        {
            on_event(BuildEvent::Step(format!(
                "fetching {package} for {platform} with {client}"
            )));
        }
    };
    match install_for(entry, target(platform), &options, &mut tell) {
        Ok(InstallOutcome::New(installed) | InstallOutcome::AlreadyThere(installed)) => {
            Ok(installed)
        }
        Err(error) => Err(failed(entry, platform, &error)),
    }
}

fn target(platform: &Platform) -> Option<catalogue::Platform> {
    match (platform.os.as_str(), platform.architecture.as_str()) {
        ("linux", "amd64") => Some(catalogue::Platform::LinuxX86_64),
        ("linux", "arm64") => Some(catalogue::Platform::LinuxAarch64),
        _ => None,
    }
}

fn unknown(name: &str) -> ImageError {
    ImageError::new(ImageErrorKind::Missing, format!("driver `{name}`"))
        .because("it is not one that can be installed by its name")
        .hint("put its library into the connector's folder and name it with `path`".to_owned())
}

fn failed(entry: &CatalogueEntry, platform: &Platform, error: &InstallError) -> ImageError {
    let thing = format!("driver `{}` for {platform}", entry.name);
    let kind = match error {
        InstallError::Interrupted => ImageErrorKind::Cancelled,
        InstallError::NoBuild { .. } => ImageErrorKind::Missing,
        InstallError::Write { .. } => ImageErrorKind::Unwritable,
        InstallError::WrongHash { .. } | InstallError::Unpack { .. } => ImageErrorKind::Corrupt,
        InstallError::NoClient { .. } | InstallError::Download { .. } => ImageErrorKind::Packages,
    };
    ImageError::new(kind, thing).because_of(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_that_nobody_knows_or_builds_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let library = |name: &str, platform: &Platform| {
            library(
                name,
                platform,
                folder.path(),
                &AtomicBool::new(false),
                &|_| (),
            )
        };
        let error = library("oracel", &Platform::linux_amd64()).unwrap_err();
        assert_eq!(error.kind, ImageErrorKind::Missing);
        let risc = Platform {
            architecture: "riscv64".to_owned(),
            ..Platform::linux_amd64()
        };
        let error = library("duckdb", &risc).unwrap_err().to_string();
        assert!(
            error.starts_with("not there: driver `duckdb` for linux/riscv64"),
            "{error}"
        );
    }

    #[test]
    fn a_stopped_download_is_no_missing_driver() {
        let entry = catalogue::find("duckdb").unwrap();
        let error = failed(entry, &Platform::linux_amd64(), &InstallError::Interrupted);
        assert_eq!(error.kind, ImageErrorKind::Cancelled);
    }
}
