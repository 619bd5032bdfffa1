//! Blobs that were pulled once, kept by their digests until none has used them for long.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::cache::{forget_unused, note_use};
use crate::{Descriptor, Digest, OciError, OciErrorKind, Verified, oci_error};

const UNFINISHED: &str = "unfinished-";

/// A folder of blobs, each named by its digest. Several processes may use it at once: a blob appears in it whole.
#[derive(Debug, Clone)]
pub struct BlobCache {
    folder: PathBuf,
    /// What was checked since this was opened.
    checked: Arc<Mutex<BTreeSet<Digest>>>,
}

impl BlobCache {
    /// The cache in this folder, which is made when the first blob is kept.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            checked: Arc::default(),
        }
    }

    /// The cache of the user whose environment variables this reads: in `XDG_CACHE_HOME` or `~/.cache`.
    #[must_use]
    pub fn of_user(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<Self> {
        let caches = variable("XDG_CACHE_HOME")
            .filter(|path| path.is_absolute())
            .or_else(|| Some(variable("HOME")?.join(".cache")))?;
        Some(Self::new(caches.join("bowline/blobs")))
    }

    /// Where the blobs are, whether or not there is any.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file that holds a blob. Its bytes are checked when it is asked for the first time; a damaged one is
    /// removed.
    #[must_use]
    pub fn find(&self, blob: &Descriptor) -> Option<PathBuf> {
        let path = self.path(&blob.digest);
        if self.known(&blob.digest) {
            return path.is_file().then_some(path);
        }
        let file = File::open(&path).ok()?;
        let mut reader = Verified::new(file, blob, path.display().to_string());
        match io::copy(&mut reader, &mut io::sink()) {
            Ok(_) => {
                note_use(&path);
                self.note(&blob.digest);
                Some(path)
            }
            Err(_) => {
                // If it cannot be removed, the fresh copy takes its place all the same.
                let _ = fs::remove_file(&path);
                None
            }
        }
    }

    /// Keeps a blob, checked while it is read, and gives its file.
    ///
    /// # Errors
    /// Those of the reader; `Corrupt` for other bytes than the blob's; `Unwritable` when the folder is full or
    /// closed. Nothing is left of a blob that was not read to its end.
    pub fn keep(&self, blob: &Descriptor, reader: impl Read) -> Result<PathBuf, OciError> {
        let unwritable = |error: io::Error| {
            oci_error(
                error,
                OciErrorKind::Unwritable,
                format!("the cache `{}`", self.folder.display()),
            )
        };
        fs::create_dir_all(&self.folder).map_err(unwritable)?;
        forget_unused(&self.folder, UNFINISHED);
        let mut builder = tempfile::Builder::new();
        builder.prefix(UNFINISHED);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // As any new file, less what the user's mask takes away: layouts link to it.
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        let mut file = builder.tempfile_in(&self.folder).map_err(unwritable)?;
        let mut reader = Verified::new(reader, blob, "the registry");
        io::copy(&mut reader, &mut file).map_err(unwritable)?;
        let path = self.path(&blob.digest);
        file.persist(&path)
            .map_err(|error| unwritable(error.error))?;
        self.note(&blob.digest);
        Ok(path)
    }

    /// Removes a blob, if it is here.
    pub(crate) fn forget(&self, blob: &Descriptor) {
        // What cannot be removed stays, and is found again.
        let _ = fs::remove_file(self.path(&blob.digest));
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.folder.join(format!("sha256-{}", digest.hex()))
    }

    fn known(&self, digest: &Digest) -> bool {
        let checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        checked.contains(digest)
    }

    fn note(&self, digest: &Digest) {
        let mut checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        checked.insert(digest.clone());
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    fn names(folder: &tempfile::TempDir) -> Vec<String> {
        fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn a_blob_is_kept_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let cache = BlobCache::new(folder.path());
        let blob = Descriptor::of("text/plain", b"abc");
        for wrong in ["ab", "abd", "abcd"] {
            let error = cache.keep(&blob, wrong.as_bytes()).unwrap_err();
            assert_eq!(error.kind, OciErrorKind::Corrupt, "{wrong}");
        }
        assert_eq!(cache.find(&blob), None);
        assert!(names(&folder).is_empty());
        let path = cache.keep(&blob, b"abc".as_slice()).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"abc");
        let usual = folder.path().join("usual");
        fs::write(&usual, "").unwrap();
        let permissions = |path: &PathBuf| fs::metadata(path).unwrap().permissions();
        assert_eq!(permissions(&path), permissions(&usual));
        fs::remove_file(usual).unwrap();
        assert_eq!(cache.find(&blob), Some(path));
        assert_eq!(names(&folder).len(), 1);
    }

    #[test]
    fn a_damaged_blob_is_thrown_away() {
        let folder = tempfile::tempdir().unwrap();
        let blob = Descriptor::of("text/plain", b"abc");
        let path = BlobCache::new(folder.path())
            .keep(&blob, b"abc".as_slice())
            .unwrap();
        fs::write(&path, "abd").unwrap();
        assert_eq!(BlobCache::new(folder.path()).find(&blob), None);
        assert!(!path.exists());
    }

    #[test]
    fn what_was_left_behind_long_ago_goes() {
        let folder = tempfile::tempdir().unwrap();
        let left = |name: &str, age: u64| {
            let file = File::create(folder.path().join(format!("{UNFINISHED}{name}"))).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(age))
                .unwrap();
        };
        left("old", 2 * 24 * 60 * 60);
        left("new", 60);
        let blob = Descriptor::of("text/plain", b"abc");
        BlobCache::new(folder.path())
            .keep(&blob, b"abc".as_slice())
            .unwrap();
        let mut names = names(&folder);
        names.sort();
        assert_eq!(names.len(), 2);
        assert_eq!(names[1], format!("{UNFINISHED}new"));
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let blob = Descriptor::of("text/plain", b"abc");
        let error = BlobCache::new(file.join("blobs"))
            .keep(&blob, b"abc".as_slice())
            .unwrap_err();
        assert_eq!(error.kind, OciErrorKind::Unwritable);
    }
}
