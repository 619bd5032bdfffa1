//! What can go wrong while a driver is installed.

use std::io;
use std::path::Path;

use bowline_words::{Diagnose, Diagnostic};

use crate::catalogue::{CatalogueEntry, Platform};

/// Why a driver was not installed. Nothing was left half done.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// Nobody builds the driver for this machine.
    #[error("driver has no build for this machine: `{driver}` on {platform}")]
    NoBuild {
        /// The driver.
        driver: String,
        /// This machine.
        platform: String,
        /// The platforms there are builds for.
        available: String,
    },
    /// The client that fetches the package is not on this machine.
    #[error("package client is not installed: `{client}` is needed to fetch `{package}`")]
    NoClient {
        /// The client.
        client: &'static str,
        /// The package.
        package: String,
    },
    /// The client could not fetch the package: no network, no such package, a refused proxy.
    #[error("package cannot be fetched: `{package}` with {client}\n{words}")]
    Download {
        /// The client.
        client: &'static str,
        /// The package with its version.
        package: String,
        /// The last lines the client wrote.
        words: String,
    },
    /// The archive is not the one the catalogue means.
    #[error("archive has the wrong hash: `{file}`\nexpected {expected}\nfound    {found}")]
    WrongHash {
        /// The archive.
        file: String,
        /// The SHA-256 the catalogue names.
        expected: String,
        /// The SHA-256 it has.
        found: String,
    },
    /// The archive cannot be read.
    #[error("archive cannot be unpacked: `{file}`\n{reason}")]
    Unpack {
        /// The archive.
        file: String,
        /// Why.
        reason: String,
    },
    /// The driver folder cannot be written to.
    #[error("driver cannot be written: `{path}`\n{source}")]
    Write {
        /// The file or folder.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// It was stopped.
    #[error("installation was stopped")]
    Interrupted,
}

impl Diagnose for InstallError {
    fn diagnose(&self) -> Diagnostic {
        let hint = match self {
            Self::NoBuild { available, .. } => Some(format!("it is built for {available}")),
            Self::NoClient { client, .. } => Some(format!(
                "install {client}, or fetch the package elsewhere and install from the file"
            )),
            Self::Download { client, .. } => Some(format!(
                "check the network and the settings of {client}; the client's own words are above"
            )),
            Self::WrongHash { .. } => Some(
                "nothing was unpacked; the package index gave another file than the one this program was checked with"
                    .to_owned(),
            ),
            Self::Write { source, .. } => Some(unwritable(source.kind()).to_owned()),
            Self::Unpack { .. } | Self::Interrupted => None,
        };
        Diagnostic::of(self).hint(hint)
    }
}

fn unwritable(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room on the disk",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "choose a folder you may write to with the variable `BOWLINE_DRIVER_DIR`"
        }
        _ => "choose another folder with the variable `BOWLINE_DRIVER_DIR`",
    }
}

impl InstallError {
    pub(crate) fn no_build(entry: &CatalogueEntry, platform: Option<Platform>) -> Self {
        let available: Vec<String> = entry
            .builds
            .iter()
            .map(|build| build.platform.to_string())
            .collect();
        Self::NoBuild {
            driver: entry.name.to_owned(),
            platform: platform.map_or_else(
                || {
                    format!(
                        "{} {} with this C library",
                        std::env::consts::OS,
                        std::env::consts::ARCH
                    )
                },
                |platform| platform.to_string(),
            ),
            available: available.join(", "),
        }
    }

    pub(crate) fn write(path: &Path, source: io::Error) -> Self {
        Self::Write {
            path: path.display().to_string(),
            source,
        }
    }
}
