//! Folders that builds work in. What a killed build left, the next one removes.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

/// How the names of all of them begin: as nobody calls a folder of theirs.
const PREFIX: &str = ".bowline-work-";
/// What is worked in.
const WORK: &str = "work";
/// The file in a folder that its build holds locked: who was killed holds nothing.
const LOCK: &str = "lock";
/// The same file before it is locked, and where nothing can be.
const NEW: &str = "new";
/// How long a folder is left alone of which no lock says whether it is worked in.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A folder to work in, which goes with the value.
#[derive(Debug)]
pub(crate) struct WorkFolder {
    // Before the folder: elsewhere than on Unix what is open cannot be removed.
    _lock: File,
    _folder: TempDir,
    path: PathBuf,
}

impl WorkFolder {
    /// A new folder in this one. Those whose builds are gone are removed.
    pub(crate) fn new_in(parent: &Path) -> io::Result<Self> {
        forget_left(parent);
        fs::create_dir_all(parent)?;
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
        let path = folder.path().join(WORK);
        fs::create_dir(&path)?;
        // It is locked before others see it. Where nothing can be locked, they leave it alone for a day.
        let unseen = folder.path().join(NEW);
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
    pub(crate) fn temporary() -> io::Result<Self> {
        Self::new_in(&std::env::temp_dir())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Removes what builds left that are gone. Failing to is no reason not to go on.
fn forget_left(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let is_named = entry.file_name().to_string_lossy().starts_with(PREFIX);
        if is_named && is_left(&entry.path()).unwrap_or(false) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Whether a folder was made here and nobody works in it any more.
fn is_left(folder: &Path) -> io::Result<bool> {
    let is_file = |name| {
        let about = fs::symlink_metadata(folder.join(name));
        about.is_ok_and(|about| about.is_file())
    };
    if !fs::symlink_metadata(folder)?.is_dir()
        || !fs::symlink_metadata(folder.join(WORK))?.is_dir()
        || fs::read_dir(folder)?.count() != 2
    {
        return Ok(false);
    }
    if is_file(LOCK) {
        return Ok(File::open(folder.join(LOCK))?.try_lock().is_ok());
    }
    let made = fs::metadata(folder)?.modified()?;
    let age = SystemTime::now().duration_since(made).unwrap_or_default();
    Ok(is_file(NEW) && age > DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(parent: &Path) -> Vec<String> {
        let there = fs::read_dir(parent).unwrap().flatten();
        let names = there.map(|entry| entry.file_name().into_string().unwrap());
        let mut names = Vec::from_iter(names);
        names.sort();
        names
    }

    #[test]
    fn what_a_killed_build_left_goes_and_what_is_worked_in_stays() {
        let parent = tempfile::tempdir().unwrap();
        let left = parent.path().join(".bowline-work-left");
        fs::create_dir_all(left.join(WORK)).unwrap();
        fs::write(left.join(LOCK), "").unwrap();
        let first = WorkFolder::new_in(parent.path()).unwrap();
        assert!(!left.exists());
        let second = WorkFolder::new_in(parent.path()).unwrap();
        assert!(first.path().is_dir() && second.path().is_dir());
        drop((first, second));
        assert!(names(parent.path()).is_empty());
    }

    #[test]
    fn where_nothing_can_be_locked_they_stay_for_a_day() {
        let parent = tempfile::tempdir().unwrap();
        for (name, days) in [("old", 2), ("young", 0)] {
            let folder = parent.path().join(format!("{PREFIX}{name}"));
            fs::create_dir_all(folder.join(WORK)).unwrap();
            fs::write(folder.join(NEW), "").unwrap();
            let then = SystemTime::now() - days * DAY;
            File::open(folder).unwrap().set_modified(then).unwrap();
        }
        forget_left(parent.path());
        assert_eq!(names(parent.path()), [".bowline-work-young"]);
    }

    #[test]
    fn what_others_made_stays_whatever_it_is_called() {
        let parent = tempfile::tempdir().unwrap();
        let make = |name: &str, files: &[&str]| {
            let folder = parent.path().join(name);
            fs::create_dir_all(&folder).unwrap();
            for file in files {
                fs::create_dir_all(folder.join(file).parent().unwrap()).unwrap();
                fs::write(folder.join(file), "").unwrap();
            }
            let then = SystemTime::now() - 9 * DAY;
            File::open(folder).unwrap().set_modified(then).unwrap();
        };
        make("bowline-built-agent", &["lock", "work/x"]);
        make(".bowline-work-empty", &[]);
        make(".bowline-work-locked", &["lock"]);
        make(".bowline-work-more", &["lock", "work/x", "mine"]);
        fs::write(parent.path().join(".bowline-work-file"), "").unwrap();
        let before = names(parent.path());
        forget_left(parent.path());
        assert_eq!(names(parent.path()), before);
    }
}
