//! Checking an archive and taking the library out of it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use sha2::{Digest, Sha256};

use crate::InstallError;
use crate::catalogue::{Build, PackageSource};

/// Fails unless the archive has exactly the hash the catalogue names.
pub(crate) fn verify(
    archive: &Path,
    build: &Build,
    cancel: &AtomicBool,
) -> Result<(), InstallError> {
    let mut hash = Sha256::new();
    let mut file = open_file(archive)?;
    pump(&mut file, &mut HashWriter(&mut hash), cancel, archive)?;
    let found: String = hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    if found == build.sha256 {
        return Ok(());
    }
    Err(InstallError::WrongHash {
        file: build.file.to_owned(),
        expected: build.sha256.to_owned(),
        found,
    })
}

struct HashWriter<'a>(&'a mut Sha256);

impl Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes the library into a folder and says where it is.
pub(crate) fn unpack(
    source: PackageSource,
    archive: &Path,
    build: &Build,
    folder: &Path,
    cancel: &AtomicBool,
) -> Result<PathBuf, InstallError> {
    let broken = |reason: String| InstallError::Unpack {
        file: archive.display().to_string(),
        reason,
    };
    let missing = || broken(format!("there is no `{}` in it", build.library));
    let target = folder.join("library");
    let file = open_file(archive)?;
    match source {
        PackageSource::PyPi => {
            let mut zip = zip::ZipArchive::new(file).map_err(|error| broken(error.to_string()))?;
            let mut packed = match zip.by_name(build.library) {
                Ok(packed) => packed,
                Err(zip::result::ZipError::FileNotFound) => return Err(missing()),
                Err(error) => return Err(broken(error.to_string())),
            };
            save(&mut packed, &target, cancel, archive)?;
        }
        PackageSource::Npm => {
            let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(file));
            let entries = tar.entries().map_err(|error| broken(error.to_string()))?;
            let mut found = false;
            for packed in entries {
                let mut packed = packed.map_err(|error| broken(error.to_string()))?;
                let is_library = packed
                    .path()
                    .is_ok_and(|path| path == Path::new(build.library));
                if is_library {
                    save(&mut packed, &target, cancel, archive)?;
                    found = true;
                    break;
                }
            }
            if !found {
                return Err(missing());
            }
        }
    }
    Ok(target)
}

fn save(
    packed: &mut dyn Read,
    target: &Path,
    cancel: &AtomicBool,
    archive: &Path,
) -> Result<(), InstallError> {
    let writing = |error| InstallError::write(target, error);
    let mut file = File::create(target).map_err(writing)?;
    pump(packed, &mut file, cancel, archive)?;
    file.sync_all().map_err(writing)
}

/// Copies to the end, unless it is stopped; tells a failure to read from one to write.
fn pump(
    from: &mut dyn Read,
    to: &mut dyn Write,
    cancel: &AtomicBool,
    source: &Path,
) -> Result<(), InstallError> {
    let mut buffer = vec![0; 256 * 1024];
    loop {
        if cancel.load(Ordering::Relaxed) {
            return Err(InstallError::Interrupted);
        }
        let count = match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                return Err(InstallError::Unpack {
                    file: source.display().to_string(),
                    reason: error.to_string(),
                });
            }
        };
        to.write_all(&buffer[..count])
            .map_err(|error| InstallError::write(source, error))?;
    }
}

/// Opens a file to read; a file that is not there is told with its path.
fn open_file(path: &Path) -> Result<File, InstallError> {
    File::open(path).map_err(|error| InstallError::Unpack {
        file: path.display().to_string(),
        reason: error.to_string(),
    })
}
