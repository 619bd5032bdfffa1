//! Where events go.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bowline_durable::{Disk, DiskFile, Opening, sync_name};

use crate::error::CollectError;
use crate::event::{Event, Kind};

/// Takes events, for good.
pub trait Sink {
    /// Delivers events of one kind, and returns only when they are where nothing that happens here can lose them. Gives
    /// those that are refused for what they are.
    ///
    /// # Errors
    /// When delivering fails; any of the events may have been delivered then.
    fn deliver(&mut self, kind: Kind, events: &[Event]) -> Result<Vec<Refused>, CollectError>;

    /// How many bytes it has, all of them whole; nothing where it is no file.
    fn bytes(&self) -> Option<u64> {
        None
    }
}

/// An event that is refused for what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Which of the events delivered.
    pub index: usize,
    /// Why.
    pub reason: String,
}

/// A file to which events are added as lines.
#[derive(Debug)]
pub struct LineFile {
    path: PathBuf,
    file: Box<dyn DiskFile>,
}

impl LineFile {
    /// Opens the file, or makes it, for us alone to read. Lines that a killed collection or a power cut has left torn are
    /// taken away.
    ///
    /// # Errors
    /// [`CollectError::Write`].
    pub fn open(disk: &Arc<dyn Disk>, path: &Path) -> Result<Self, CollectError> {
        Self::open_whole(disk, path, 0)
    }

    /// Opens the file that had so many bytes, all of them whole.
    ///
    /// # Errors
    /// [`CollectError::Vanished`] when they are not there any more.
    pub fn open_again(disk: &Arc<dyn Disk>, path: &Path, bytes: u64) -> Result<Self, CollectError> {
        let there = match disk.open(path, Opening::Reading) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(source) => {
                return Err(CollectError::Write {
                    path: path.to_path_buf(),
                    source,
                });
            }
            Ok(file) => file.length().ok(),
        };
        if there.is_none_or(|there| there < bytes) {
            return Err(CollectError::Vanished {
                path: path.to_path_buf(),
                bytes,
                there,
            });
        }
        Self::open_whole(disk, path, bytes)
    }

    fn open_whole(disk: &Arc<dyn Disk>, path: &Path, whole: u64) -> Result<Self, CollectError> {
        let open = || {
            let mut file = match disk.open(path, Opening::Adding) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    disk.open(path, Opening::Making)?
                }
                there => there?,
            };
            mend(&mut *file, whole)?;
            // Also for one that is there: whoever made it may have died before this.
            sync_name(&**disk, path)?;
            Ok(file)
        };
        let file = open().map_err(|source| CollectError::Write {
            path: path.to_path_buf(),
            source,
        })?;
        Ok(Self {
            path: path.to_path_buf(),
            file,
        })
    }

    /// Adds lines, and returns when they are on the disk.
    pub(crate) fn add(&mut self, lines: &str) -> Result<(), CollectError> {
        let is_there = self.file.is_at(&self.path).unwrap_or(true);
        let vanished = || CollectError::Vanished {
            path: self.path.clone(),
            bytes: self.file.length().unwrap_or_default(),
            there: None,
        };
        is_there.then_some(()).ok_or_else(vanished)?;
        self.file
            .append(lines.as_bytes())
            .and_then(|()| self.file.sync())
            .map_err(|source| CollectError::Write {
                path: self.path.clone(),
                source,
            })
    }
}

impl Sink for LineFile {
    fn deliver(&mut self, _kind: Kind, events: &[Event]) -> Result<Vec<Refused>, CollectError> {
        self.add(&lines(events))?;
        Ok(Vec::new())
    }

    fn bytes(&self) -> Option<u64> {
        self.file.length().ok()
    }
}

/// Events as lines, each with its end.
#[must_use]
pub fn lines(events: &[Event]) -> String {
    let mut text = String::with_capacity(events.iter().map(|event| event.text.len() + 1).sum());
    for event in events {
        text.push_str(&event.text);
        text.push('\n');
    }
    text
}

/// Sees to it that the file has whole lines only behind so many bytes, which are known to be whole, and that they last.
fn mend(file: &mut dyn DiskFile, whole: u64) -> io::Result<()> {
    let length = file.length()?;
    // What was written last is at most a batch; of a file that nobody knows, the rest is taken as it is.
    let start = whole.max(line_start(file, length.saturating_sub(MOST_TORN))?);
    let mut tail = vec![0; usize::try_from(length - start).map_err(io::Error::other)?];
    file.read_at(start, &mut tail)?;
    let (mut mended, mut is_changed) = (Vec::with_capacity(tail.len()), false);
    for line in tail.split_inclusive(|byte| *byte == b'\n') {
        if is_torn(line) {
            is_changed = true;
            continue;
        }
        mended.extend_from_slice(line);
        if !line.ends_with(b"\n") {
            mended.push(b'\n');
            is_changed = true;
        }
    }
    if is_changed {
        let same = tail.iter().zip(&mended).take_while(|(old, new)| old == new);
        let same = same.count();
        file.truncate(start + same as u64)?;
        // Or a power cut could leave lines made of pieces of the old and the new.
        file.sync()?;
        file.append(&mended[same..])?;
    }
    file.sync()
}

/// How many bytes at the end of a file may be torn: a batch, and the one large event that it may end with.
const MOST_TORN: u64 = 8 * 1024 * 1024;

/// Where the first line begins that begins at or behind a place.
fn line_start(file: &mut dyn DiskFile, mut from: u64) -> io::Result<u64> {
    let length = file.length()?;
    let mut byte = [b'\n'];
    while from > 0 && from < length {
        file.read_at(from - 1, &mut byte)?;
        if byte == [b'\n'] {
            break;
        }
        from += 1;
    }
    Ok(from)
}

/// Whether a line was written in part only. What somebody else wrote is theirs: only what looks like ours is torn. A
/// power cut may leave zeros where something was to be written.
fn is_torn(line: &[u8]) -> bool {
    let begun = line.trim_ascii_end();
    let looks_ours = begun.starts_with(b"{\"") || begun == b"{" || line.contains(&0);
    looks_ours && serde_json::from_slice::<serde::de::IgnoredAny>(line).is_err()
}

#[cfg(test)]
mod tests {
    use bowline_durable::{RealDisk, SimulatedDisk};

    use super::*;

    fn mended(text: &str) -> String {
        let disk: Arc<dyn Disk> = Arc::new(SimulatedDisk::new(1));
        let path = Path::new("/d/events.jsonl");
        bowline_durable::replace(&*disk, path, text.as_bytes()).unwrap();
        let mut file = LineFile::open(&disk, path).unwrap();
        file.add("{\"c\":3}\n").unwrap();
        String::from_utf8(disk.read(path).unwrap()).unwrap()
    }

    #[test]
    fn a_torn_line_is_taken_away_and_nothing_else() {
        assert_eq!(mended("{\"a\":1}\n{\"b\":"), "{\"a\":1}\n{\"c\":3}\n");
        assert_eq!(mended("{\"a\":1}\n"), "{\"a\":1}\n{\"c\":3}\n");
        assert_eq!(mended(""), "{\"c\":3}\n");
        assert_eq!(mended("{\"b\":"), "{\"c\":3}\n");
        assert_eq!(mended("{\"a\":1}\n\0\0\0"), "{\"a\":1}\n{\"c\":3}\n");
        assert_eq!(mended("{\"a\":\0\0\n{\"b\":2}\n"), "{\"b\":2}\n{\"c\":3}\n");
        assert_eq!(mended("{\"b\":2}"), "{\"b\":2}\n{\"c\":3}\n");
        assert_eq!(mended("my notes"), "my notes\n{\"c\":3}\n");
        let long = "x".repeat(200_000);
        assert_eq!(
            mended(&format!("{{\"a\":\"{long}\"}}\n{{\"b\":\"{long}")),
            format!("{{\"a\":\"{long}\"}}\n{{\"c\":3}}\n")
        );
    }

    #[test]
    fn what_stands_before_the_part_that_may_be_torn_is_left_alone() {
        // Seen from where that part begins, the rest of this line looks torn.
        let theirs = format!("{}\n", "{\"".repeat(1_000));
        let torn = "{\"b\":";
        let long = "y".repeat(usize::try_from(MOST_TORN).unwrap() - 1_001 - 9 - torn.len());
        let ours = format!("{theirs}{{\"b\":\"{long}\"}}\n");
        assert!(mended(&format!("{ours}{torn}")) == format!("{ours}{{\"c\":3}}\n"));
    }

    #[test]
    fn a_file_that_is_gone_or_shorter_than_it_was_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let (disk, path): (Arc<dyn Disk>, _) = (Arc::new(RealDisk), dir.path().join("e.jsonl"));
        let mut file = LineFile::open(&disk, &path).unwrap();
        file.add("{\"a\":1}\n").unwrap();
        let bytes = file.bytes().unwrap();
        assert!(LineFile::open_again(&disk, &path, bytes).is_ok());
        let is_noticed = |opened: Result<LineFile, CollectError>, there: Option<u64>| matches!(opened, Err(CollectError::Vanished { there: now, .. }) if now == there);
        let again = LineFile::open_again(&disk, &path, bytes + 1);
        assert!(is_noticed(again, Some(bytes)));
        // While it is open too: what is written to a file without a name is nobody's.
        std::fs::rename(&path, dir.path().join("moved")).unwrap();
        assert!(matches!(
            file.add("x\n"),
            Err(CollectError::Vanished { .. })
        ));
        assert!(is_noticed(LineFile::open_again(&disk, &path, bytes), None));
        assert!(!path.exists());
    }
}
