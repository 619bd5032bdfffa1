//! The standard ADBC driver manifest, by which any ADBC program finds an installed driver.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::json;
use toml::Table;

use crate::catalogue::{Build, CatalogueEntry, Platform};
use crate::{InstallError, InstallState, Installed};

/// Writes a driver's manifest in one step, and removes the library of the version before.
pub(crate) fn write(
    entry: &CatalogueEntry,
    build: &Build,
    folder: &Path,
    library: &Path,
    bytes: u64,
) -> Result<Installed, InstallError> {
    let manifest = manifest_path(entry.name, folder);
    let before = read(&manifest, Some(build.platform));
    let failed = |error| InstallError::write(&manifest, error);
    let content = json!({
        "manifest_version": 1,
        "name": entry.title,
        "version": build.version,
        "source": format!("{} {}", entry.source.client(), build.package),
        "ADBC": { "version": "1.1.0" },
        "Driver": {
            "entrypoint": entry.entrypoint,
            "shared": { build.platform.manifest_key(): library },
        },
        "bowline": { "archive_sha256": build.sha256, "library_bytes": bytes },
    });
    let text = toml::to_string(&content).map_err(|error| failed(std::io::Error::other(error)))?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(crate::install::WORK_PREFIX);
    // Temporary files are their owner's alone; a driver in a shared folder is for everybody.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.persist(&manifest)
        .map_err(|error| failed(error.error))?;
    if let Some(before) = before {
        remove_version(entry.name, folder, &before, library);
    }
    Ok(Installed {
        name: entry.name.to_owned(),
        version: build.version.to_owned(),
        library: library.to_owned(),
        manifest,
    })
}

/// Removes a driver's manifest, and its library where it stands in a folder of ours.
pub(crate) fn remove(entry: &CatalogueEntry, folder: &Path) -> Result<(), InstallError> {
    let folder = std::path::absolute(folder).map_err(|error| InstallError::write(folder, error))?;
    let manifest = manifest_path(entry.name, &folder);
    let content = read(&manifest, Platform::current());
    fs::remove_file(&manifest).map_err(|error| InstallError::write(&manifest, error))?;
    if let Some(home) = content.as_ref().and_then(|it| it.home(entry.name, &folder)) {
        match fs::remove_dir_all(home) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(InstallError::write(home, error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Removes an older version's folder, if it is one of ours.
fn remove_version(name: &str, folder: &Path, before: &Content, library: &Path) {
    if let Some(home) = before.home(name, folder)
        && library.parent() != Some(home)
    {
        // A program that has it loaded on Windows keeps it: it is only room lost.
        let _ = fs::remove_dir_all(home);
    }
}

impl Content {
    /// The folder of the library, if it is one that this program makes for a driver.
    fn home(&self, name: &str, folder: &Path) -> Option<&Path> {
        let home = self.library.parent()?;
        let is_ours = home.parent() == Some(folder)
            && home
                .file_name()?
                .to_string_lossy()
                .starts_with(&format!("{name}-"));
        is_ours.then_some(home)
    }
}

/// What the folder holds under a driver's name, for a platform.
pub(crate) fn state(
    entry: &CatalogueEntry,
    folder: &Path,
    platform: Option<Platform>,
) -> InstallState {
    let name = entry.name;
    let build = platform.and_then(|platform| entry.build(platform));
    let manifest = manifest_path(name, folder);
    if !manifest.exists() {
        return InstallState::Missing;
    }
    let Some(content) = read(&manifest, platform) else {
        return InstallState::Broken { manifest };
    };
    let size = content
        .library
        .metadata()
        .map(|metadata| metadata.len())
        .ok();
    let is_whole = match content.bytes {
        Some(bytes) => size == Some(bytes),
        None => size.is_some(),
    };
    if !is_whole {
        return InstallState::Broken { manifest };
    }
    let hash = content.sha256.as_deref();
    let is_current = build.is_some_and(|build| hash == Some(build.sha256));
    let is_ours = hash.is_some();
    let installed = Installed {
        name: name.to_owned(),
        version: content.version,
        library: content.library,
        manifest,
    };
    match (is_current, is_ours) {
        (true, _) => InstallState::Current(installed),
        (false, true) => InstallState::Outdated(installed),
        (false, false) => InstallState::Foreign(installed),
    }
}

fn manifest_path(name: &str, folder: &Path) -> PathBuf {
    folder.join(format!("{name}.toml"))
}

/// What we need of a manifest, ours or another's.
struct Content {
    version: String,
    library: PathBuf,
    sha256: Option<String>,
    bytes: Option<u64>,
}

fn read(manifest: &Path, platform: Option<Platform>) -> Option<Content> {
    let table: Table = fs::read_to_string(manifest).ok()?.parse().ok()?;
    let shared = table.get("Driver")?.get("shared")?;
    let library = shared
        .as_str()
        .or_else(|| shared.get(platform?.manifest_key())?.as_str())?;
    let ours = table.get("bowline");
    let ours = |key: &str| ours.and_then(|table| table.get(key));
    Some(Content {
        version: table
            .get("version")
            .and_then(|version| version.as_str())
            .unwrap_or_default()
            .to_owned(),
        library: library.into(),
        sha256: ours("archive_sha256")
            .and_then(|hash| hash.as_str())
            .map(str::to_owned),
        bytes: ours("library_bytes")
            .and_then(|bytes| bytes.as_integer())
            .and_then(|bytes| u64::try_from(bytes).ok()),
    })
}
