//! What earlier collections came to: a checkpoint, and the ledger of what is done with.
//!
//! A folder holds `checkpoint.json`, which is replaced as a whole; `delivered`, the ledger, to which records are added;
//! and `lock`. A window is written down before anything of it is read, and crossed off after everything of it is
//! delivered, so that whatever happens in between it is collected again, with the same bounds.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bowline_contract::pipeline::Window;
use bowline_durable::{Disk, Opening, RealDisk, replace};
use jiff::{SignedDuration, Timestamp};

use crate::checkpoint::Checkpoint;
use crate::clocks::ClockReading;
use crate::error::StateError;
use crate::failed_windows::FailedWindow;
use crate::ledger::{self, Entry, Ledger};

const CHECKPOINT: &str = "checkpoint.json";
const DELIVERED: &str = "delivered";
const LOCK: &str = "lock";
/// How long the ledger remembers what was delivered, so that it can be verified.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The state of one collection; nobody else can use its folder meanwhile.
#[derive(Debug)]
pub struct State {
    store: Option<Store>,
    checkpoint: Checkpoint,
    /// The ledger, where the collection goes on in the same process.
    ledger: Option<Ledger>,
}

#[derive(Debug)]
struct Store {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    /// Held until the state is dropped, or the process dies.
    _lock: Option<File>,
}

impl State {
    /// Opens the state in a folder, or begins one there. The words say what is collected and where it goes; a state that
    /// was made for something else than any of these is refused, and one that is begun is for the first.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn open(dir: &Path, collections: &[&str]) -> Result<Self, StateError> {
        let lock = Self::lock(dir)?;
        let mut state = Self::on(Arc::new(RealDisk), dir, collections)?;
        if let Some(store) = &mut state.store {
            store._lock = Some(lock);
        }
        Ok(state)
    }

    /// Opens the state that is in a folder, whatever it was made for; nothing when there is none.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn reopen(dir: &Path) -> Result<Option<Self>, StateError> {
        if !dir.join(CHECKPOINT).exists() {
            return Ok(None);
        }
        Self::open(dir, &[]).map(Some)
    }

    fn lock(dir: &Path) -> Result<File, StateError> {
        let failed = |path: &Path| {
            let path = path.to_path_buf();
            move |source| StateError::Io { path, source }
        };
        RealDisk.create_folder(dir).map_err(failed(dir))?;
        let lock_path = dir.join(LOCK);
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(failed(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => Ok(lock),
            Err(TryLockError::WouldBlock) => Err(StateError::Locked(dir.to_path_buf())),
            Err(TryLockError::Error(source)) => Err(failed(&lock_path)(source)),
        }
    }

    /// As [`State::open`], on any disk, and without a lock.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn on(disk: Arc<dyn Disk>, dir: &Path, collections: &[&str]) -> Result<Self, StateError> {
        let first = collections.first().copied().unwrap_or_default();
        let failed = |path: &Path| {
            let path = path.to_path_buf();
            move |source| StateError::Io { path, source }
        };
        let path = dir.join(CHECKPOINT);
        let checkpoint = match disk.read(&path) {
            Ok(bytes) => Checkpoint::parse(&bytes).map_err(|message| StateError::Invalid {
                path: path.clone(),
                message,
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let ledger = dir.join(DELIVERED);
                let mut entries = 0;
                ledger::for_each(&*disk, &ledger, &mut |_| entries += 1)
                    .map_err(failed(&ledger))?;
                if entries > 0 {
                    return Err(StateError::NoCheckpoint { path, entries });
                }
                Checkpoint::new(first)
            }
            Err(source) => return Err(failed(&path)(source)),
        };
        if !collections.is_empty() && !collections.contains(&checkpoint.collection.as_str()) {
            return Err(StateError::Foreign {
                path,
                theirs: checkpoint.collection,
                ours: first.to_owned(),
            });
        }
        Ok(Self {
            store: Some(Store {
                disk,
                dir: dir.to_path_buf(),
                _lock: None,
            }),
            checkpoint,
            ledger: None,
        })
    }

    /// A state that lasts as long as the process.
    #[must_use]
    pub fn in_memory() -> Self {
        Self {
            store: None,
            checkpoint: Checkpoint::new("in memory"),
            ledger: None,
        }
    }

    /// What is collected and where it goes, in the words that it was made for.
    #[must_use]
    pub fn collection(&self) -> &str {
        &self.checkpoint.collection
    }

    /// Before this moment everything is collected; nothing when no window was finished yet.
    #[must_use]
    pub fn collected_until(&self) -> Option<Timestamp> {
        self.checkpoint.collected_until()
    }

    /// The stretch of time of which everything is collected.
    #[must_use]
    pub fn covered(&self) -> Option<Window> {
        self.checkpoint.covered()
    }

    /// The window that an earlier collection began and did not finish.
    #[must_use]
    pub fn open_window(&self) -> Option<Window> {
        let open = self.checkpoint.open_window.as_ref()?;
        Some(open.window())
    }

    /// How many bytes the output had when it was last known to be whole; nothing when there was none.
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn output_bytes(&self) -> Result<Option<u64>, StateError> {
        let Some(Store { disk, dir, .. }) = &self.store else {
            return Ok(None);
        };
        let path = dir.join(DELIVERED);
        ledger::output_bytes(&**disk, &path).map_err(|source| StateError::Io { path, source })
    }

    /// Dead letters that nobody has retried or discarded.
    #[must_use]
    pub fn given_up(&self) -> usize {
        self.checkpoint.given_up
    }

    /// Writes down how many dead letters nobody has retried or discarded.
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn set_given_up(&mut self, count: usize) -> Result<(), StateError> {
        if self.checkpoint.given_up == count {
            return Ok(());
        }
        self.checkpoint.given_up = count;
        self.save()
    }

    /// Takes back what was collected when our clock showed a later time than now, unless the vendor's clock has said the
    /// same; gives when it showed that.
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn take_back(&mut self, now: Timestamp) -> Result<Option<Timestamp>, StateError> {
        let shown = self.checkpoint.take_back(now);
        if shown.is_some() {
            self.save()?;
        }
        Ok(shown)
    }

    /// Begins a window, or goes on with it; gives what is done with.
    ///
    /// # Errors
    /// [`StateError`]; another window must not be unfinished.
    pub fn begin(&mut self, window: Window) -> Result<Ledger, StateError> {
        match self.open_window() {
            Some(open) if open == window => return self.ledger(window),
            Some(open) => return Err(StateError::Unfinished(open)),
            None => {}
        }
        self.checkpoint.open_window = Some(window.into());
        self.save()?;
        self.ledger(window)
    }

    fn ledger(&mut self, window: Window) -> Result<Ledger, StateError> {
        if let Some(mut ledger) = self.ledger.take() {
            ledger.turn_to(window);
            return Ok(ledger);
        }
        match &self.store {
            Some(Store { disk, dir, .. }) => Ledger::open(disk, &dir.join(DELIVERED), window),
            None => {
                let mut ledger = Ledger::default();
                ledger.turn_to(window);
                Ok(ledger)
            }
        }
    }

    /// The ledger for what is collected beside windows: it knows the runs since a window's start.
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn ledger_beside(&self, window: Window) -> Result<Ledger, StateError> {
        self.save_first()?;
        match &self.store {
            Some(Store { disk, dir, .. }) => Ledger::open(disk, &dir.join(DELIVERED), window),
            None => Ok(Ledger::default()),
        }
    }

    /// Writes the checkpoint down where there is none: a ledger without one is taken for what is left of a broken state.
    fn save_first(&self) -> Result<(), StateError> {
        let Some(Store { disk, dir, .. }) = &self.store else {
            return Ok(());
        };
        match disk.open(&dir.join(CHECKPOINT), Opening::Reading) {
            Ok(_) => Ok(()),
            Err(_) => self.save(),
        }
    }

    /// A ledger that knows nothing, for what is delivered beside windows; windows to come know what is added to it.
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn blank_ledger(&self) -> Result<Ledger, StateError> {
        self.save_first()?;
        match &self.store {
            Some(Store { disk, dir, .. }) => Ledger::blank(&**disk, &dir.join(DELIVERED)),
            None => Ok(Ledger::default()),
        }
    }

    /// Takes the ledger of a window that stays open.
    pub fn leave(&mut self, ledger: Ledger) {
        // What could not be written to a file may be known to the ledger all the same.
        if self.store.is_none() {
            self.ledger = Some(ledger);
        }
    }

    /// Says that everything of the window that was begun is delivered, and that nothing shows up any more that is earlier
    /// than `over_before`.
    ///
    /// What is collected goes only as far as there is no gap: a window apart from the others does not count.
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn finish(
        &mut self,
        ledger: Ledger,
        over_before: Timestamp,
        clocks: &ClockReading,
    ) -> Result<(), StateError> {
        if let Some(open) = self.checkpoint.open_window.take() {
            let window = open.window();
            self.checkpoint.close(window, over_before, clocks);
            let end = over_before.clamp(window.start, window.end);
            self.checkpoint
                .failed_windows
                .forget_within(Window { end, ..window });
        }
        self.save()?;
        self.forget_delivered(ledger)
    }

    /// Says that the window that was begun cannot be read: it is kept aside, so that it does not stand in the way of later
    /// ones. What of it is not over belongs to the next window too. Gives what is kept aside, unless that is nothing.
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn set_aside(
        &mut self,
        ledger: Ledger,
        over_before: Timestamp,
        clocks: &ClockReading,
        reason: &str,
    ) -> Result<Option<FailedWindow>, StateError> {
        let Some(open) = self.checkpoint.open_window.take() else {
            return Ok(None);
        };
        let mut window = open.window();
        if !self.checkpoint.failed_windows.has(window) {
            self.checkpoint.close(window, over_before, clocks);
            window.end = match self.collected_until() {
                Some(until) if window.start <= until && until <= window.end => until,
                _ => window.end,
            };
        }
        let failed = (window.start < window.end).then(|| {
            let windows = &mut self.checkpoint.failed_windows;
            windows.add(window, clocks.ours, reason)
        });
        self.save()?;
        self.forget_delivered(ledger)?;
        Ok(failed)
    }

    /// Windows that could not be read.
    #[must_use]
    pub fn failed_windows(&self) -> &[FailedWindow] {
        self.checkpoint.failed_windows.all()
    }

    /// Asks no more for the windows that could not be read in this one, and writes down that so many dead letters are
    /// there.
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn forget_failed(&mut self, within: Window, given_up: usize) -> Result<(), StateError> {
        self.checkpoint.failed_windows.forget_within(within);
        self.checkpoint.given_up = given_up;
        self.save()
    }

    /// Forgets what is too old to be asked for, and keeps the ledger where there is no file for it.
    fn forget_delivered(&mut self, ledger: Ledger) -> Result<(), StateError> {
        match (&self.store, self.collected_until()) {
            (Some(Store { disk, dir, .. }), Some(until)) => {
                drop(ledger);
                let path = dir.join(DELIVERED);
                ledger::forget_before(&**disk, &path, until - REMEMBERED)
                    .map_err(|source| StateError::Io { path, source })
            }
            _ => {
                self.ledger = Some(ledger);
                Ok(())
            }
        }
    }

    /// Every entry of the ledger, oldest first.
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn entries(&self, on_entry: &mut dyn FnMut(Entry)) -> Result<(), StateError> {
        let Some(Store { disk, dir, .. }) = &self.store else {
            return Ok(());
        };
        let path = dir.join(DELIVERED);
        ledger::for_each(&**disk, &path, on_entry).map_err(|source| StateError::Io { path, source })
    }

    fn save(&self) -> Result<(), StateError> {
        let Some(Store { disk, dir, .. }) = &self.store else {
            return Ok(());
        };
        let path = dir.join(CHECKPOINT);
        replace(&**disk, &path, &self.checkpoint.bytes())
            .map_err(|source| StateError::Io { path, source })
    }
}

#[cfg(test)]
mod tests;
