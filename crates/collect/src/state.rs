//! What earlier collections came to: a checkpoint, and the keys of what was delivered of the window at hand.
//!
//! A folder holds `checkpoint.json`, which is replaced as a whole; `delivered`, to which keys are added; and `lock`.
//! A window is written down before anything of it is read, and crossed off after everything of it is delivered, so
//! that whatever happens in between it is collected again, with the same bounds.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bowline_contract::pipeline::{EventTime, Window};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{CollectError, StateError};

const VERSION: u32 = 1;
const CHECKPOINT: &str = "checkpoint.json";
const DELIVERED: &str = "delivered";
const LOCK: &str = "lock";
const KEY_BYTES: usize = 16;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Checkpoint {
    version: u32,
    /// What is collected, and where it goes.
    collection: String,
    /// Before this moment everything is collected.
    collected_until: Option<EventTime>,
    /// The window that is begun and not finished.
    open_window: Option<Bounds>,
}

/// A window as it is written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bounds {
    start: EventTime,
    end: EventTime,
}

impl Bounds {
    fn window(&self) -> Window {
        Window {
            start: self.start.timestamp(),
            end: self.end.timestamp(),
        }
    }
}

/// What is read first, so that a newer checkpoint is told from a broken one.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

/// The state of one collection; nobody else can use its folder meanwhile.
#[derive(Debug)]
pub struct State {
    dir: PathBuf,
    checkpoint: Checkpoint,
    /// Held until the state is dropped, or the process dies.
    _lock: File,
}

impl State {
    /// Opens the state in a folder, or begins one there. `collection` says in words what is collected and where it goes;
    /// a state that was made for something else is refused.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn open(dir: &Path, collection: &str) -> Result<Self, StateError> {
        let failed = |path: &Path| {
            let path = path.to_path_buf();
            move |source| StateError::Io { path, source }
        };
        fs::create_dir_all(dir).map_err(failed(dir))?;
        let lock_path = dir.join(LOCK);
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(failed(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StateError::Locked(dir.to_path_buf())),
            Err(TryLockError::Error(source)) => return Err(failed(&lock_path)(source)),
        }
        let path = dir.join(CHECKPOINT);
        let checkpoint = match fs::read_to_string(&path) {
            Ok(text) => read(&path, &text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Checkpoint {
                version: VERSION,
                collection: collection.to_owned(),
                collected_until: None,
                open_window: None,
            },
            Err(source) => return Err(failed(&path)(source)),
        };
        if checkpoint.collection != collection {
            return Err(StateError::Foreign {
                path,
                theirs: checkpoint.collection,
                ours: collection.to_owned(),
            });
        }
        Ok(Self {
            dir: dir.to_path_buf(),
            checkpoint,
            _lock: lock,
        })
    }

    /// Before this moment everything is collected; nothing when no window was finished yet.
    #[must_use]
    pub fn collected_until(&self) -> Option<Timestamp> {
        let until = self.checkpoint.collected_until.as_ref();
        until.map(EventTime::timestamp)
    }

    /// The window that an earlier collection began and did not finish.
    #[must_use]
    pub fn open_window(&self) -> Option<Window> {
        self.checkpoint.open_window.as_ref().map(Bounds::window)
    }

    /// Begins a window, or goes on with it; gives what was delivered of it before.
    ///
    /// # Errors
    /// [`StateError`]; another window must not be unfinished.
    pub fn begin(&mut self, window: Window) -> Result<Ledger, StateError> {
        let path = self.dir.join(DELIVERED);
        match self.open_window() {
            Some(open) if open == window => return Ledger::load(&path),
            Some(open) => return Err(StateError::Unfinished(open)),
            None => {}
        }
        // Before the window is written down: keys of an earlier one would leave out events of this one.
        let ledger = Ledger::create(&path)?;
        self.checkpoint.open_window = Some(Bounds {
            start: window.start.into(),
            end: window.end.into(),
        });
        self.save()?;
        Ok(ledger)
    }

    /// Says that everything of the window that was begun is delivered.
    ///
    /// What is collected goes only as far as there is no gap: a window apart from the others does not count.
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn finish(&mut self) -> Result<(), StateError> {
        if let Some(open) = self.checkpoint.open_window.take() {
            let until = self.collected_until();
            if until.is_none_or(|until| open.window().contains(until)) {
                self.checkpoint.collected_until = Some(open.end);
            }
        }
        self.save()
    }

    fn save(&self) -> Result<(), StateError> {
        let path = self.dir.join(CHECKPOINT);
        let new = self.dir.join(format!("{CHECKPOINT}.new"));
        let write = || {
            let mut text = serde_json::to_string_pretty(&self.checkpoint)?;
            text.push('\n');
            let mut file = File::create(&new)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&new, &path)?;
            sync_folder(&self.dir)
        };
        write().map_err(|source| StateError::Io { path, source })
    }
}

fn read(path: &Path, text: &str) -> Result<Checkpoint, StateError> {
    let invalid = |message: String| StateError::Invalid {
        path: path.to_path_buf(),
        message,
    };
    let Versioned { version } =
        serde_json::from_str(text).map_err(|error| invalid(error.to_string()))?;
    if version != VERSION {
        return Err(invalid(format!(
            "its version is {version}, and this program knows version {VERSION}"
        )));
    }
    serde_json::from_str(text).map_err(|error| invalid(error.to_string()))
}

/// A name in a folder is safe only when the folder itself was written.
fn sync_folder(dir: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(dir)?.sync_all()?;
    }
    Ok(())
}

/// The keys of the events of a window that were delivered or given up.
#[derive(Debug, Default)]
pub struct Ledger {
    known: HashSet<Uuid>,
    file: Option<(PathBuf, File)>,
}

impl Ledger {
    fn create(path: &Path) -> Result<Self, StateError> {
        Self::open(path, 0)
    }

    fn load(path: &Path) -> Result<Self, StateError> {
        let failed = |source| StateError::Io {
            path: path.to_path_buf(),
            source,
        };
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(source) => return Err(failed(source)),
        };
        // A key that a killed collection left half written is none.
        let (keys, _torn) = bytes.as_chunks::<KEY_BYTES>();
        let mut ledger = Self::open(path, keys.len() * KEY_BYTES)?;
        ledger.known = keys.iter().map(|key| Uuid::from_bytes(*key)).collect();
        Ok(ledger)
    }

    /// The file, cut to so many bytes.
    fn open(path: &Path, length: usize) -> Result<Self, StateError> {
        let open = || {
            let file = OpenOptions::new().append(true).create(true).open(path)?;
            file.set_len(u64::try_from(length).map_err(io::Error::other)?)?;
            file.sync_all()?;
            Ok(file)
        };
        let file = open().map_err(|source| StateError::Io {
            path: path.to_path_buf(),
            source,
        })?;
        Ok(Self {
            known: HashSet::new(),
            file: Some((path.to_path_buf(), file)),
        })
    }

    /// Whether the event with this key is done with.
    #[must_use]
    pub fn knows(&self, key: &Uuid) -> bool {
        self.known.contains(key)
    }

    /// Whether anything is done with.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Writes down that these events are done with; on the disk when this returns.
    pub(crate) fn add(&mut self, keys: impl Iterator<Item = Uuid>) -> Result<(), CollectError> {
        let mut bytes = Vec::new();
        for key in keys {
            if self.known.insert(key) {
                bytes.extend_from_slice(key.as_bytes());
            }
        }
        let Some((path, file)) = &mut self.file else {
            return Ok(());
        };
        file.write_all(&bytes)
            .and_then(|()| file.sync_data())
            .map_err(|source| CollectError::Write {
                path: path.clone(),
                source,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHAT: &str = "`shop` to nowhere";

    fn window(start: &str, end: &str) -> Window {
        Window {
            start: format!("2026-11-22T{start}:00Z").parse().unwrap(),
            end: format!("2026-11-22T{end}:00Z").parse().unwrap(),
        }
    }

    fn open(dir: &Path) -> State {
        State::open(dir, WHAT).unwrap()
    }

    fn key(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    #[test]
    fn a_window_stays_open_until_it_is_finished() {
        let dir = tempfile::tempdir().unwrap();
        let first = window("10:00", "11:00");
        let mut state = open(dir.path());
        assert_eq!((state.open_window(), state.collected_until()), (None, None));
        let mut ledger = state.begin(first).unwrap();
        ledger.add([key(1), key(2)].into_iter()).unwrap();
        drop(state);

        let mut state = open(dir.path());
        assert_eq!(state.open_window(), Some(first));
        assert!(matches!(
            state.begin(window("11:00", "12:00")),
            Err(StateError::Unfinished(open)) if open == first
        ));
        let ledger = state.begin(first).unwrap();
        assert!(ledger.knows(&key(1)) && ledger.knows(&key(2)) && !ledger.knows(&key(3)));
        state.finish().unwrap();
        drop(state);

        let mut state = open(dir.path());
        assert_eq!(state.open_window(), None);
        assert_eq!(state.collected_until(), Some(first.end));
        let ledger = state.begin(window("11:00", "12:00")).unwrap();
        assert!(ledger.is_empty());
    }

    #[test]
    fn a_half_written_key_is_none_and_does_no_harm() {
        let dir = tempfile::tempdir().unwrap();
        let first = window("10:00", "11:00");
        let mut state = open(dir.path());
        state
            .begin(first)
            .unwrap()
            .add([key(1)].into_iter())
            .unwrap();
        let path = dir.path().join(DELIVERED);
        let mut bytes = fs::read(&path).unwrap();
        bytes.extend_from_slice(&[7; 5]);
        fs::write(&path, bytes).unwrap();
        let mut ledger = state.begin(first).unwrap();
        ledger.add([key(2)].into_iter()).unwrap();
        let ledger = state.begin(first).unwrap();
        assert!(ledger.knows(&key(1)) && ledger.knows(&key(2)));
        assert_eq!(ledger.known.len(), 2);
    }

    #[test]
    fn a_gap_is_never_taken_for_collected() {
        let dir = tempfile::tempdir().unwrap();
        let mut state = open(dir.path());
        for (next, until) in [
            (window("10:00", "11:00"), "11:00"),
            (window("12:00", "13:00"), "11:00"),
            (window("08:00", "09:00"), "11:00"),
            (window("10:30", "12:00"), "12:00"),
        ] {
            state.begin(next).unwrap();
            state.finish().unwrap();
            assert_eq!(
                state.collected_until(),
                Some(window(until, until).end),
                "{next}"
            );
        }
    }

    #[test]
    fn two_collections_never_share_a_state() {
        let dir = tempfile::tempdir().unwrap();
        let state = open(dir.path());
        assert!(matches!(
            State::open(dir.path(), WHAT),
            Err(StateError::Locked(_))
        ));
        drop(state);
        open(dir.path()).begin(window("10:00", "11:00")).unwrap();
        assert!(matches!(
            State::open(dir.path(), "`shop` to somewhere"),
            Err(StateError::Foreign { .. })
        ));
    }

    #[test]
    fn what_is_no_checkpoint_of_ours_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        for text in [
            "",
            "{}",
            r#"{"version": 2, "anything": true}"#,
            r#"{"version": 1, "collection": "x", "collected_until": "yesterday", "open_window": null}"#,
        ] {
            fs::write(dir.path().join(CHECKPOINT), text).unwrap();
            assert!(
                matches!(
                    State::open(dir.path(), WHAT),
                    Err(StateError::Invalid { .. })
                ),
                "{text}"
            );
        }
    }
}
