//! Folders that builds work in. What a killed build left, the next one removes.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use bowline_oci::cache::forget_unfinished;
use tempfile::TempDir;

/// The file in a folder that its build holds locked: who was killed holds nothing.
const LOCK: &str = "lock";

/// A folder to work in, which goes with the value.
#[derive(Debug)]
pub(crate) struct WorkFolder {
    // Before the folder: elsewhere than on Unix what is open cannot be removed.
    _lock: File,
    _folder: TempDir,
    path: PathBuf,
}

impl WorkFolder {
    /// A new folder in this one, whose name begins like this. Those of that name whose builds are gone are removed.
    pub(crate) fn new_in(parent: &Path, prefix: &str) -> io::Result<Self> {
        forget_left(parent, prefix);
        fs::create_dir_all(parent)?;
        let folder = tempfile::Builder::new().prefix(prefix).tempdir_in(parent)?;
        let path = folder.path().join("work");
        fs::create_dir(&path)?;
        // It is locked before others see it. Where nothing can be locked, they leave it alone for a day.
        let unseen = folder.path().join("new");
        let lock = File::create(&unseen)?;
        if lock.try_lock().is_ok() {
            fs::rename(&unseen, folder.path().join(LOCK))?;
        }
        Ok(Self {
            _lock: lock,
            _folder: folder,
            path,
        })
    }

    /// The same among the temporary files of this machine.
    pub(crate) fn temporary(prefix: &str) -> io::Result<Self> {
        Self::new_in(&std::env::temp_dir(), prefix)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Removes what builds left that are gone. Failing to is no reason not to go on.
fn forget_left(parent: &Path, prefix: &str) {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    for entry in entries {
        let is_one = entry.file_name().to_string_lossy().starts_with(prefix);
        let lock = is_one.then(|| File::open(entry.path().join(LOCK)).ok());
        if lock.flatten().is_some_and(|lock| lock.try_lock().is_ok()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    forget_unfinished(parent, prefix);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_build_left_goes_and_what_is_worked_in_stays() {
        let parent = tempfile::tempdir().unwrap();
        let prefix = ".bowline-x-";
        let left = parent.path().join(".bowline-x-left");
        let others = parent.path().join("others");
        for folder in [&left, &others] {
            fs::create_dir_all(folder.join("work")).unwrap();
            fs::write(folder.join(LOCK), "").unwrap();
        }
        let first = WorkFolder::new_in(parent.path(), prefix).unwrap();
        assert!(!left.exists() && others.exists());
        let second = WorkFolder::new_in(parent.path(), prefix).unwrap();
        assert!(first.path().is_dir() && second.path().is_dir());
        drop((first, second));
        let there = fs::read_dir(parent.path()).unwrap().flatten();
        let there: Vec<_> = there.map(|entry| entry.file_name()).collect();
        assert_eq!(there, ["others"]);
    }
}
