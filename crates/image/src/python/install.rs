//! From what the connectors ask for to files of the image.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use bowline_oci::cache::{forget_unused, note_use};
use bowline_oci::layer::Content;
use bowline_oci::{Cancel, Platform};
use sha2::{Digest, Sha256};

use super::base::BasePython;
use super::client::{Target, download, unwritable};
use super::requirement::{obstacles, package};
use super::wheel::{WheelName, unpack};
use crate::error::{ImageError, ImageErrorKind, from_oci};
use crate::event::BuildEvent;
use crate::plan::{PlannedConnector, PlannedFile};
use crate::sbom::hash;

/// How the names of folders begin that are not complete.
const UNFINISHED: &str = ".fetching-";
/// A change of what unpacked packages come to changes this.
const KEPT_VERSION: u32 = 2;
/// What is kept: the files as they lie in an image, and beside them a line for each wheel they came from.
const FILES: &str = "files";
const WHEELS: &str = "wheels";

/// The Python packages of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Packages {
    /// Their files, sorted by path.
    pub files: Vec<PlannedFile>,
    /// The digest of each package's wheel, in hexadecimal, by the package's name as the index spells it.
    pub wheels: BTreeMap<String, String>,
}

/// What is to be installed, and for which machine.
#[derive(Debug, Clone, Copy)]
pub struct PackageRequest<'a> {
    /// The connectors; those that ask for nothing may be among them.
    pub connectors: &'a [PlannedConnector],
    /// The platform.
    pub platform: &'a Platform,
    /// The Python of the base.
    pub python: &'a BasePython,
    /// The folder that keeps unpacked packages, for this build and those after it. The same requests, for the same
    /// base, are answered from there: what was resolved once stays until a requirement changes.
    pub folder: &'a Path,
    /// Stops the work.
    pub cancel: &'a Cancel,
}

/// Resolves and unpacks the packages that the connectors ask for, and everything these need. What the base has already is
/// left out.
///
/// # Errors
/// The first of [`obstacles`]; what has no wheel for the base's Python, with the builder that can do without; what
/// does not fit together; a client that is not there or fails; a damaged wheel.
pub fn install(
    request: &PackageRequest<'_>,
    on_event: &mut dyn FnMut(BuildEvent),
) -> Result<Packages, ImageError> {
    let asking: Vec<&PlannedConnector> = request
        .connectors
        .iter()
        .filter(|connector| !connector.requirements.is_empty())
        .collect();
    if asking.is_empty() {
        return Ok(Packages::default());
    }
    if let Some(obstacle) = obstacles(request.connectors).into_iter().next() {
        return Err(obstacle);
    }
    let kept = request.folder.join(key(request, &asking));
    if kept.is_dir() {
        note_use(&kept);
    } else {
        forget_unused(request.folder, UNFINISHED);
        make(request, &asking, &kept, on_event)?;
    }
    let mut files = Vec::new();
    let root = kept.join(FILES);
    collect(&root, &root, request.platform, &mut files)?;
    files.sort_by(|one, other| one.path.cmp(&other.path));
    let wheels = kept.join(WHEELS);
    let wheels = fs::read_to_string(&wheels).map_err(|error| unreadable(&wheels, &error))?;
    let words = wheels.lines().filter_map(|line| line.split_once(' '));
    Ok(Packages {
        files,
        wheels: words
            .map(|(name, hash)| (name.to_owned(), hash.to_owned()))
            .collect(),
    })
}

/// Everything that what is unpacked hangs on.
fn key(request: &PackageRequest<'_>, asking: &[&PlannedConnector]) -> String {
    let lines: Vec<Vec<&str>> = asking
        .iter()
        .map(|connector| {
            connector
                .requirements
                .iter()
                .map(|one| one.text.as_str())
                .collect()
        })
        .collect();
    let text = format!(
        "{KEPT_VERSION} {} {:?} {lines:?}",
        request.platform, request.python
    );
    hex(text.as_bytes())
}

fn hex(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unreadable(path: &Path, error: &std::io::Error) -> ImageError {
    ImageError::new(ImageErrorKind::Unreadable, format!("`{}`", path.display()))
        .because(error.to_string())
}

/// Fetches and unpacks into `kept`, which is there whole or not at all.
fn make(
    request: &PackageRequest<'_>,
    asking: &[&PlannedConnector],
    kept: &Path,
    on_event: &mut dyn FnMut(BuildEvent),
) -> Result<(), ImageError> {
    let failed = |error| unwritable(request.folder, &error);
    fs::create_dir_all(request.folder).map_err(failed)?;
    let work = tempfile::Builder::new()
        .prefix(UNFINISHED)
        .tempdir_in(request.folder)
        .map_err(failed)?;
    let target = Target {
        platform: request.platform,
        python: request.python,
    };
    on_event(BuildEvent::Step(format!(
        "resolving Python packages for {}",
        request.platform
    )));
    let wheels = download(asking, target, work.path(), request.cancel)?;
    let asked_for: Vec<String> = asking
        .iter()
        .flat_map(|connector| &connector.requirements)
        .filter_map(|requirement| package(&requirement.text))
        .collect();
    let whole = work.path().join("whole");
    let root = whole.join(FILES);
    fs::create_dir_all(&root).map_err(failed)?;
    let mut unpacked = String::new();
    for wheel in wheels {
        request
            .cancel
            .check("unpacking Python packages")
            .map_err(from_oci)?;
        let name = WheelName::parse(&wheel)?;
        name.check(target)?;
        if request.python.installed.get(&name.package) == Some(&name.version) {
            continue;
        }
        on_event(BuildEvent::Step(format!(
            "unpacking {} {}",
            name.package, name.version
        )));
        let is_asked_for = asked_for.contains(&name.package);
        unpack(&wheel, request.python, is_asked_for, &root)?;
        let digest = hash(&Content::File(wheel))?;
        unpacked += &format!("{} {digest}\n", name.package);
    }
    fs::write(whole.join(WHEELS), unpacked).map_err(failed)?;
    match fs::rename(&whole, kept) {
        Ok(()) => Ok(()),
        // Another build may have been faster, with the same result.
        Err(_) if kept.is_dir() => Ok(()),
        Err(error) => Err(unwritable(kept, &error)),
    }
}

/// The files below a folder, as files of the image.
fn collect(
    root: &Path,
    folder: &Path,
    platform: &Platform,
    files: &mut Vec<PlannedFile>,
) -> Result<(), ImageError> {
    let unreadable = |error: std::io::Error| unreadable(folder, &error);
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path: PathBuf = entry.map_err(unreadable)?.path();
        if path.is_dir() {
            collect(root, &path, platform, files)?;
            continue;
        }
        let inside = path.strip_prefix(root).unwrap_or(&path);
        let parts: Vec<_> = inside.iter().map(|part| part.to_string_lossy()).collect();
        let mode = if is_program(&path).map_err(unreadable)? {
            0o755
        } else {
            0o644
        };
        files.push(PlannedFile {
            path: format!("/{}", parts.join("/")),
            mode,
            platform: Some(platform.clone()),
            content: Content::File(path),
        });
    }
    Ok(())
}

#[cfg(unix)]
fn is_program(path: &Path) -> std::io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    Ok(path.metadata()?.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(_: &Path) -> std::io::Result<bool> {
    Ok(false)
}
