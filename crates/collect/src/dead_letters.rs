//! Events that cannot be delivered, kept with the reason.

use std::path::{Path, PathBuf};

use bowline_contract::pipeline::Window;
use serde_json::Value as Json;

use crate::error::CollectError;
use crate::event::Event;
use crate::sink::LineFile;

/// A file of events that cannot be delivered, a line each: `kind`, `key`, `window`, `reasons` and the `event` as the
/// connector gave it or as it was sent. The file is made when there is something to put into it.
#[derive(Debug)]
pub struct DeadLetters {
    path: PathBuf,
    file: Option<LineFile>,
    window: Window,
    waiting: String,
}

impl DeadLetters {
    /// Dead letters of a window, in this file.
    #[must_use]
    pub fn new(path: &Path, window: Window) -> Self {
        Self {
            path: path.to_path_buf(),
            file: None,
            window,
            waiting: String::new(),
        }
    }

    /// Adds an event; it is on the disk after [`DeadLetters::settle`].
    pub(crate) fn add(&mut self, event: &Event, reasons: &[String]) {
        let head = serde_json::json!({
            "kind": event.kind.name(),
            "key": event.key.to_string(),
            "window": {
                "start": self.window.start.to_string(),
                "end": self.window.end.to_string(),
            },
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

    /// Writes what was added to the disk.
    pub(crate) fn settle(&mut self) -> Result<(), CollectError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let made = self.path.parent().map_or(Ok(()), std::fs::create_dir_all);
                made.map_err(|source| CollectError::Write {
                    path: self.path.clone(),
                    source,
                })?;
                self.file.insert(LineFile::open(&self.path)?)
            }
        };
        file.add(&self.waiting)?;
        self.waiting.clear();
        Ok(())
    }
}
