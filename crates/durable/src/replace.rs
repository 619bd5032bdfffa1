//! Replacing a file as a whole.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use crate::disk::{Disk, Opening, RealDisk};

/// Puts bytes in a file's place, and returns when they last: whatever happens meanwhile, the file is the old one or the
/// new one.
///
/// # Errors
/// What the system says; the file is the old one or the new one then.
pub fn replace(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = beside(path);
    // What somebody who was killed has left. A link that somebody else put there is removed, not followed.
    match disk.remove(&new) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        removed => removed?,
    }
    let mut file = disk.open(&new, Opening::Making)?;
    file.append(bytes)?;
    file.sync()?;
    drop(file);
    disk.rename(&new, path)?;
    sync_name(disk, path)
}

/// Makes the name of a file that was made, moved or removed last.
///
/// # Errors
/// What the system says.
pub fn sync_name(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    match path.parent() {
        None => Ok(()),
        Some(here) if here.as_os_str().is_empty() => disk.sync_folder(Path::new(".")),
        Some(folder) => disk.sync_folder(folder),
    }
}

/// Makes every file of a folder of the machine's disk last, and the folder itself, so that it can be moved to its place.
///
/// # Errors
/// What the system says.
pub fn sync_tree(folder: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            sync_tree(&entry.path())?;
        } else if kind.is_file() {
            std::fs::File::open(entry.path())?.sync_all()?;
        }
    }
    RealDisk.sync_folder(folder)
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().map_or_else(OsString::new, OsString::from);
    name.push(".new");
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_for_us_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/er/file");
        RealDisk.create_folder(path.parent().unwrap()).unwrap();
        replace(&RealDisk, &path, b"one").unwrap();
        replace(&RealDisk, &path, b"two").unwrap();
        assert_eq!(RealDisk.read(&path).unwrap(), b"two");
        let names: Vec<_> = std::fs::read_dir(path.parent().unwrap()).unwrap().collect();
        assert_eq!(names.len(), 1, "{names:?}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = path.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_the_way_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (path, theirs) = (dir.path().join("file"), dir.path().join("theirs"));
        std::fs::write(&theirs, "precious").unwrap();
        std::os::unix::fs::symlink(&theirs, dir.path().join("file.new")).unwrap();
        replace(&RealDisk, &path, b"ours").unwrap();
        assert_eq!(std::fs::read(&theirs).unwrap(), b"precious");
        assert_eq!(std::fs::read(&path).unwrap(), b"ours");
        // Neither is one that leads nowhere, when a file is made.
        let nowhere = dir.path().join("nowhere");
        std::os::unix::fs::symlink(dir.path().join("not made"), &nowhere).unwrap();
        let made = RealDisk.open(&nowhere, Opening::Making);
        assert_eq!(made.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert!(!dir.path().join("not made").exists());
    }
}
