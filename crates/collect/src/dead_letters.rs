//! Events that cannot be delivered, kept with the reason.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bowline_contract::pipeline::Window;
use bowline_durable::{Disk, Opening, replace, sync_name};
use serde::Deserialize;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::checkpoint::Bounds;
use crate::error::CollectError;
use crate::event::{Event, Kind};
use crate::sink::LineFile;

/// What a letter is called that is a whole window.
const WINDOW: &str = "window";

/// A file of events that cannot be delivered, a line each: `kind`, `key`, `window`, `reasons` and the `event` as the
/// connector gave it or as it was sent. The file is made when there is something to put into it.
#[derive(Debug)]
pub struct DeadLetters {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    file: Option<LineFile>,
    window: Option<Window>,
    waiting: String,
}

/// A dead letter, read back.
#[derive(Debug, Deserialize)]
pub struct DeadLetter {
    /// `asset`, `run`, or `window` for one that could not be read at all.
    pub kind: String,
    /// The event's key.
    pub key: String,
    /// Why it is dead.
    pub reasons: Vec<String>,
    /// The window that it comes from.
    window: Option<Bounds>,
    /// The event as the connector gave it or as it was sent.
    pub event: Json,
    /// The whole line.
    #[serde(skip)]
    pub line: String,
}

impl DeadLetter {
    /// The text of an identifier in the event, wherever the format has put the event.
    fn id(&self, name: &str) -> Option<&str> {
        let event = &self.event;
        let inner = [event, &event["event"], &event["etl_asset"]];
        inner.into_iter().find_map(|event| event[name].as_str())
    }

    /// The window that could not be read, where it is that which was given up.
    #[must_use]
    pub fn whole_window(&self) -> Option<Window> {
        let window = self.window.as_ref()?.window();
        (self.kind == WINDOW).then_some(window)
    }

    /// The run's id.
    #[must_use]
    pub fn run_id(&self) -> Option<&str> {
        self.id("run_source_id")
    }

    /// The job's id.
    #[must_use]
    pub fn job_id(&self) -> Option<&str> {
        self.id("job_source_id")
    }
}

impl DeadLetters {
    /// Dead letters in this file, of a window where they come from one.
    #[must_use]
    pub fn new(disk: Arc<dyn Disk>, path: &Path, window: Option<Window>) -> Self {
        Self {
            disk,
            path: path.to_path_buf(),
            file: None,
            window,
            waiting: String::new(),
        }
    }

    /// Takes away what a power cut left torn at the end of the file, so that nobody counts it for a letter.
    pub(crate) fn mend(&mut self) -> Result<(), CollectError> {
        if self.file.is_some() {
            return Ok(());
        }
        match self.disk.open(&self.path, Opening::Reading) {
            Ok(_) => {
                self.file = Some(LineFile::open(&self.disk, &self.path)?);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// Adds the window that could not be read, with the reason; it is on the disk when this returns.
    ///
    /// # Errors
    /// [`CollectError::Write`].
    pub fn window_given_up(&mut self, window: Window, reason: &str) -> Result<(), CollectError> {
        let key = Uuid::new_v5(&Uuid::NAMESPACE_OID, window.to_string().as_bytes());
        let letter = serde_json::json!({
            "kind": WINDOW,
            "key": key.to_string(),
            "window": Bounds::from(window),
            "reasons": [reason],
            "event": null,
        });
        self.waiting.push_str(&letter.to_string());
        self.waiting.push('\n');
        self.settle()
    }

    /// Adds an event; it is on the disk after [`DeadLetters::settle`].
    pub(crate) fn add(&mut self, event: &Event, reasons: &[String]) {
        let head = serde_json::json!({
            "kind": event.kind.name(),
            "key": event.key.to_string(),
            "window": self.window.map(Bounds::from),
            "reasons": reasons,
        });
        let head = head.to_string();
        // What goes out as several lines is no JSON value by itself.
        let text = match serde_json::from_str::<serde::de::IgnoredAny>(&event.text) {
            Ok(_) => event.text.clone(),
            Err(_) => Json::from(event.text.as_str()).to_string(),
        };
        self.waiting.push_str(&head[..head.len() - 1]);
        self.waiting.push_str(",\"event\":");
        self.waiting.push_str(&text);
        self.waiting.push_str("}\n");
    }

    /// Adds a run that a callback told of and that could not be read, with the reason; it is on the disk when this returns.
    ///
    /// # Errors
    /// [`CollectError::Write`].
    pub fn run_given_up(
        &mut self,
        run: &str,
        job: Option<&str>,
        reason: &str,
    ) -> Result<(), CollectError> {
        let text = serde_json::json!({"run_source_id": run, "job_source_id": job}).to_string();
        let event = Event {
            kind: Kind::Run,
            key: Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes()),
            at: None,
            text,
            problems: Vec::new(),
        };
        self.add(&event, &[reason.to_owned()]);
        self.settle()
    }

    /// Writes what was added to the disk.
    pub(crate) fn settle(&mut self) -> Result<(), CollectError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let folder = self.path.parent();
                let made = folder.map_or(Ok(()), |folder| self.disk.create_folder(folder));
                made.map_err(|source| self.failed(source))?;
                self.file.insert(LineFile::open(&self.disk, &self.path)?)
            }
        };
        file.add(&self.waiting)?;
        self.waiting.clear();
        Ok(())
    }

    /// How many different events are in the file.
    ///
    /// # Errors
    /// [`CollectError::Write`] when it cannot be read.
    pub fn count(&mut self) -> Result<usize, CollectError> {
        #[derive(Deserialize)]
        struct Keyed {
            key: String,
        }
        let mut keys = HashSet::new();
        for line in self.text()?.lines() {
            // What is no letter of ours may be one that somebody has written on: it counts all the same.
            let key =
                serde_json::from_str(line).map_or_else(|_| line.to_owned(), |Keyed { key }| key);
            if !key.trim().is_empty() {
                keys.insert(key);
            }
        }
        Ok(keys.len())
    }

    /// The letters in the file, oldest first; one that was written down twice is there twice.
    ///
    /// # Errors
    /// [`CollectError::Write`] when it cannot be read, or a line is no dead letter.
    pub fn letters(&mut self) -> Result<Vec<DeadLetter>, CollectError> {
        let mut letters = Vec::new();
        for line in self.text()?.lines().filter(|line| !line.trim().is_empty()) {
            let mut letter: DeadLetter = serde_json::from_str(line)
                .map_err(|error| self.failed(io::Error::new(io::ErrorKind::InvalidData, error)))?;
            letter.line = line.to_owned();
            letters.push(letter);
        }
        Ok(letters)
    }

    /// Leaves only these letters in the file; a file without any is removed.
    ///
    /// # Errors
    /// [`CollectError::Write`].
    pub fn keep(&mut self, letters: &[&DeadLetter]) -> Result<(), CollectError> {
        self.file = None;
        let lines: String = letters
            .iter()
            .flat_map(|letter| [letter.line.as_str(), "\n"])
            .collect();
        let kept = if letters.is_empty() {
            match self.disk.remove(&self.path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                removed => removed.and_then(|()| sync_name(&*self.disk, &self.path)),
            }
        } else {
            replace(&*self.disk, &self.path, lines.as_bytes())
        };
        kept.map_err(|source| self.failed(source))
    }

    fn text(&mut self) -> Result<String, CollectError> {
        self.mend()?;
        match self.disk.read(&self.path) {
            Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
            Err(source) => Err(self.failed(source)),
        }
    }

    fn failed(&self, source: io::Error) -> CollectError {
        CollectError::Write {
            path: self.path.clone(),
            source,
        }
    }
}

#[cfg(test)]
mod tests {
    use bowline_durable::SimulatedDisk;
    use serde_json::json;

    use super::*;

    fn event(number: u128) -> Event {
        Event {
            kind: Kind::Run,
            key: Uuid::from_u128(number),
            at: None,
            text: json!({"run_source_id": number.to_string(), "job_source_id": "j"}).to_string(),
            problems: Vec::new(),
        }
    }

    #[test]
    fn a_window_is_a_letter_too() {
        let disk: Arc<dyn Disk> = Arc::new(SimulatedDisk::new(1));
        let window = Window {
            start: "2026-11-22T10:00:00Z".parse().unwrap(),
            end: "2026-11-22T11:00:00Z".parse().unwrap(),
        };
        let mut dead = DeadLetters::new(disk, Path::new("/d/dead.jsonl"), Some(window));
        dead.add(&event(1), &["no".to_owned()]);
        for _ in 0..2 {
            dead.window_given_up(window, "the vendor failed").unwrap();
        }
        assert_eq!(dead.count().unwrap(), 2);
        let letters = dead.letters().unwrap();
        let windows: Vec<_> = letters.iter().map(DeadLetter::whole_window).collect();
        assert_eq!(windows, [None, Some(window), Some(window)]);
        assert_eq!(letters[1].reasons, ["the vendor failed"]);
        assert_eq!(letters[1].run_id(), None);
    }

    #[test]
    fn letters_are_counted_read_back_and_cleared() {
        let disk: Arc<dyn Disk> = Arc::new(SimulatedDisk::new(1));
        let path = Path::new("/d/dead.jsonl");
        let opened = |disk: &Arc<dyn Disk>| DeadLetters::new(Arc::clone(disk), path, None);
        let mut dead = opened(&disk);
        assert_eq!(dead.count().unwrap(), 0);
        for number in [1, 2, 1] {
            dead.add(&event(number), &["no".to_owned()]);
        }
        dead.settle().unwrap();
        assert_eq!(dead.count().unwrap(), 2);
        let letters = dead.letters().unwrap();
        let ids: Vec<_> = letters.iter().map(DeadLetter::run_id).collect();
        assert_eq!(ids, [Some("1"), Some("2"), Some("1")]);
        assert_eq!(letters[1].job_id(), Some("j"));
        dead.keep(&[&letters[1]]).unwrap();
        assert_eq!(dead.letters().unwrap()[0].run_id(), Some("2"));
        dead.add(&event(3), &["no".to_owned()]);
        dead.settle().unwrap();
        assert_eq!(dead.count().unwrap(), 2);
        // What a power cut has torn is no letter, whoever asks first.
        let mut torn = disk.read(path).unwrap();
        torn.extend_from_slice(b"{\"kind\":\0\0\0");
        replace(&*disk, path, &torn).unwrap();
        assert_eq!(opened(&disk).count().unwrap(), 2);
        replace(&*disk, path, &torn).unwrap();
        assert_eq!(opened(&disk).letters().unwrap().len(), 2);
        dead.keep(&[]).unwrap();
        assert!(disk.read(path).is_err());
        assert_eq!(dead.count().unwrap(), 0);
    }
}
