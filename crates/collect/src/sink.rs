//! Where events go.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

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
    file: File,
}

impl LineFile {
    /// Opens the file, or makes it. A last line that a killed collection left half written is taken away.
    ///
    /// # Errors
    /// [`CollectError::Write`].
    pub fn open(path: &Path) -> Result<Self, CollectError> {
        let open = || {
            let mut file = OpenOptions::new()
                .read(true)
                .append(true)
                .create(true)
                .open(path)?;
            mend(&mut file)?;
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
        self.file
            .write_all(lines.as_bytes())
            .and_then(|()| self.file.sync_data())
            .map_err(|source| CollectError::Write {
                path: self.path.clone(),
                source,
            })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Sink for LineFile {
    fn deliver(&mut self, _kind: Kind, events: &[Event]) -> Result<Vec<Refused>, CollectError> {
        self.add(&lines(events))?;
        Ok(Vec::new())
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

/// Sees to it that the file ends with a whole line.
fn mend(file: &mut File) -> io::Result<()> {
    const STEP: u64 = 64 * 1024;
    let length = file.metadata()?.len();
    let mut start = length;
    let mut tail = Vec::new();
    while start > 0 && !tail.contains(&b'\n') {
        let from = start.saturating_sub(STEP);
        let mut chunk = vec![0; usize::try_from(start - from).map_err(io::Error::other)?];
        file.seek(SeekFrom::Start(from))?;
        file.read_exact(&mut chunk)?;
        chunk.append(&mut tail);
        (tail, start) = (chunk, from);
    }
    let begin = tail
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    let torn = &tail[begin..];
    if torn.is_empty() {
        return Ok(());
    }
    // Only what looks like a line of ours is taken away; what somebody else wrote is theirs.
    if torn.starts_with(b"{\"") && serde_json::from_slice::<serde::de::IgnoredAny>(torn).is_err() {
        file.set_len(start + u64::try_from(begin).map_err(io::Error::other)?)
    } else {
        file.write_all(b"\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mended(text: &str) -> String {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.jsonl");
        std::fs::write(&path, text).unwrap();
        LineFile::open(&path).unwrap().add("{\"c\":3}\n").unwrap();
        std::fs::read_to_string(&path).unwrap()
    }

    #[test]
    fn a_torn_line_is_taken_away_and_nothing_else() {
        assert_eq!(mended("{\"a\":1}\n{\"b\":"), "{\"a\":1}\n{\"c\":3}\n");
        assert_eq!(mended("{\"a\":1}\n"), "{\"a\":1}\n{\"c\":3}\n");
        assert_eq!(mended(""), "{\"c\":3}\n");
        assert_eq!(mended("{\"b\":"), "{\"c\":3}\n");
        assert_eq!(mended("{\"b\":2}"), "{\"b\":2}\n{\"c\":3}\n");
        assert_eq!(mended("my notes"), "my notes\n{\"c\":3}\n");
        let long = "x".repeat(200_000);
        assert_eq!(
            mended(&format!("{{\"a\":\"{long}\"}}\n{{\"b\":\"{long}")),
            format!("{{\"a\":\"{long}\"}}\n{{\"c\":3}}\n")
        );
    }
}
