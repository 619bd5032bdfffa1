//! What is kept does not stay for ever: what none has used for long goes when something new is kept.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// What was not used for so long is hardly wanted again.
const UNUSED: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Notes that a file or a folder was used just now. One that cannot be noted goes sooner, which harms nobody.
pub fn note_use(path: &Path) {
    let _ = File::open(path).and_then(|file| file.set_modified(SystemTime::now()));
}

/// Removes the entries of a folder that were not used for thirty days, and what was left unfinished a day
/// ago or longer. Failing to is no reason not to go on.
pub fn forget_unused(folder: &Path, unfinished: &str) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let is_unfinished = entry.file_name().to_string_lossy().starts_with(unfinished);
        let lasts = if is_unfinished { DAY } else { UNUSED };
        let age = entry
            .metadata()
            .and_then(|about| about.modified())
            .ok()
            .and_then(|used| SystemTime::now().duration_since(used).ok());
        if age.is_some_and(|age| age > lasts) {
            let path = entry.path();
            let _ = if path.is_dir() {
                fs::remove_dir_all(path)
            } else {
                fs::remove_file(path)
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays() {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str, days: u32| {
            let path = folder.path().join(name);
            fs::create_dir(&path).unwrap();
            fs::write(path.join("file"), "").unwrap();
            let then = SystemTime::now() - days * DAY;
            File::open(path).unwrap().set_modified(then).unwrap();
        };
        for (name, days) in [
            ("new", 29),
            ("old", 31),
            ("used", 31),
            (".part-new", 0),
            (".part-old", 2),
        ] {
            make(name, days);
        }
        note_use(&folder.path().join("used"));
        forget_unused(folder.path(), ".part-");
        let mut names: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, [".part-new", "new", "used"]);
        forget_unused(&folder.path().join("missing"), ".part-");
    }
}
