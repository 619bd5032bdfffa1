//! Files that are written whole or not at all.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// Its owner alone: rows of the user's database stand in it.
    Owner,
    /// Everybody whom its folder lets in; what was there before keeps its rights.
    Everybody,
}

/// Writes a file in place of the one that was there, which stays as it is when that fails. Into a link, into what is
/// no file, such as a device, and where no second file can stand beside the first, it is written straight.
///
/// # Errors
/// What the system says.
pub fn write_whole(path: &Path, content: &[u8], readers: Readers) -> io::Result<()> {
    let before = fs::metadata(path).ok();
    let is_plain = before.as_ref().is_none_or(fs::Metadata::is_file);
    // What a link leads to is written, not the link.
    if !is_plain || path.is_symlink() {
        return fs::write(path, content);
    }
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let Ok(mut file) = beside(folder, readers) else {
        return fs::write(path, content);
    };
    file.write_all(content)?;
    if let (Readers::Everybody, Some(before)) = (readers, before) {
        // Not every file system has rights to keep.
        let _ = file.as_file().set_permissions(before.permissions());
    }
    match file.persist(path) {
        Ok(_) => Ok(()),
        // A file that is mounted by itself cannot be replaced.
        Err(_) => fs::write(path, content),
    }
}

/// A file that the owner alone can read, or as the user's mask has it.
fn beside(folder: &Path, readers: Readers) -> io::Result<tempfile::NamedTempFile> {
    let mut file = tempfile::Builder::new();
    #[cfg(unix)]
    if readers == Readers::Everybody {
        use std::os::unix::fs::PermissionsExt;
        file.permissions(fs::Permissions::from_mode(0o666));
    }
    // Elsewhere the folder's rights hold for what is in it.
    #[cfg(not(unix))]
    let _ = readers;
    file.tempfile_in(folder)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn what_was_there_keeps_its_rights_and_its_links() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("page.html");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        write_whole(&path, b"one", Readers::Everybody).unwrap();
        let plain = folder.path().join("plain");
        fs::write(&plain, b"").unwrap();
        assert_eq!(mode(&path), mode(&plain), "as the user's mask has it");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let link = folder.path().join("latest.html");
        symlink(&path, &link).unwrap();
        write_whole(&link, b"two", Readers::Everybody).unwrap();
        assert!(link.is_symlink());
        write_whole(&path, b"two", Readers::Everybody).unwrap();
        assert_eq!(
            (fs::read(&path).unwrap(), mode(&path)),
            (b"two".to_vec(), 0o640)
        );
        write_whole(&path, b"three", Readers::Owner).unwrap();
        assert_eq!(mode(&path), 0o600);
        write_whole(Path::new("/dev/null"), b"four", Readers::Everybody).unwrap();
        assert!(!Path::new("/dev/null").is_file());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }
}
