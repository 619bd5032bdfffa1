//! Files that are written whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Its owner alone: rows of the user's database stand in it.
    Owner,
    /// Everybody whom its folder lets in; what was there before keeps its rights.
    Everybody,
}

/// Writes a file in place of the one that was there, which stays as it is when that fails. Into what is no file, such as
/// a device, and where there is no room for a second file beside the first, it is written straight.
pub(crate) fn write_whole(path: &Path, content: &[u8], readers: Readers) -> io::Result<()> {
    // The file that a link leads to, not the link.
    let path = &path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let before = fs::metadata(path).ok();
    if before.as_ref().is_some_and(|before| !before.is_file()) {
        return fs::write(path, content);
    }
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let Ok(mut file) = tempfile::NamedTempFile::new_in(folder) else {
        return fs::write(path, content);
    };
    file.write_all(content)?;
    if readers == Readers::Everybody {
        match before {
            Some(before) => file.as_file().set_permissions(before.permissions())?,
            None => set_readable(file.as_file())?,
        }
    }
    match file.persist(path) {
        Ok(_) => Ok(()),
        // A file that is mounted by itself cannot be replaced.
        Err(_) => fs::write(path, content),
    }
}

/// Temporary files are closed to others.
fn set_readable(file: &File) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.set_permissions(fs::Permissions::from_mode(0o644))
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        Ok(())
    }
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
        assert_eq!(mode(&path), 0o644);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let link = folder.path().join("latest.html");
        symlink(&path, &link).unwrap();
        write_whole(&link, b"two", Readers::Everybody).unwrap();
        assert!(link.is_symlink());
        assert_eq!(
            (fs::read(&path).unwrap(), mode(&path)),
            (b"two".to_vec(), 0o640)
        );
        write_whole(&path, b"three", Readers::Owner).unwrap();
        assert_eq!(mode(&path), 0o600);
        write_whole(Path::new("/dev/null"), b"four", Readers::Everybody).unwrap();
        assert!(!Path::new("/dev/null").is_file());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
