//! Callbacks of a vendor that wait to be collected, over every restart.
//!
//! A file of lines: each callback as it came in, and each once it is done with. A callback is answered only after its line
//! is on the disk.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bowline_durable::{Disk, replace};
use serde::{Deserialize, Serialize};

use crate::error::CollectError;
use crate::sink::LineFile;

/// How many callbacks wait at most: whoever sends more is told to come back.
const MOST: usize = 100_000;
/// From how many lines on the file is begun anew when nothing waits.
const LONG: usize = 1_000;
/// The wait before a callback is looked at again; it doubles with each try.
const FIRST_WAIT: Duration = Duration::from_secs(2);
/// How often a callback is looked at: for an hour or so.
const TRIES: u32 = 12;
/// The longest wait between two tries.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// What a vendor says has happened: to a run, to a job, or to anything.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Callback {
    /// The job.
    pub job: Option<String>,
    /// The run.
    pub run: Option<String>,
}

/// A line of the file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Came(Callback),
    /// It could not be collected, once more.
    PutOff(Callback),
    Done(Callback),
}

/// Whether a callback was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It is on the disk.
    Taken,
    /// Too many wait.
    Full,
}

/// Callbacks that wait.
#[derive(Debug)]
pub struct Inbox {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    inside: Mutex<Inside>,
    changed: Condvar,
}

#[derive(Debug)]
struct Inside {
    file: LineFile,
    lines: usize,
    waiting: BTreeMap<Callback, Waiting>,
}

#[derive(Debug)]
struct Waiting {
    tries: u32,
    not_before: Instant,
    /// Whether it is being collected.
    is_at_work: bool,
    /// Whether it came once more meanwhile.
    came_again: bool,
}

impl Waiting {
    fn now() -> Self {
        Self {
            tries: 0,
            not_before: Instant::now(),
            is_at_work: false,
            came_again: false,
        }
    }

    fn rest_until(&mut self, moment: Instant) {
        (self.is_at_work, self.came_again) = (false, false);
        self.not_before = moment;
    }
}

impl Inbox {
    /// The inbox in a file, which is made when there is none.
    ///
    /// # Errors
    /// [`CollectError::Write`].
    pub fn open(disk: Arc<dyn Disk>, path: &Path) -> Result<Self, CollectError> {
        let failed = |source| CollectError::Write {
            path: path.to_path_buf(),
            source,
        };
        let file = LineFile::open(&disk, path)?;
        let text = match disk.read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            there => there.map_err(failed)?,
        };
        let (mut waiting, mut lines) = (BTreeMap::new(), 0);
        for line in text.split(|byte| *byte == b'\n') {
            match serde_json::from_slice(line) {
                Ok(Line::Came(callback)) => {
                    waiting.insert(callback, Waiting::now());
                }
                Ok(Line::PutOff(callback)) => {
                    if let Some(waiting) = waiting.get_mut(&callback) {
                        waiting.tries += 1;
                    }
                }
                Ok(Line::Done(callback)) => {
                    waiting.remove(&callback);
                }
                Err(_) => continue,
            }
            lines += 1;
        }
        Ok(Self {
            disk,
            path: path.to_path_buf(),
            inside: Mutex::new(Inside {
                file,
                lines,
                waiting,
            }),
            changed: Condvar::new(),
        })
    }

    /// Takes a callback; it is on the disk when this returns.
    ///
    /// # Errors
    /// [`CollectError`] when it cannot be written.
    pub fn add(&self, callback: Callback) -> Result<Admission, CollectError> {
        let mut inside = self.lock();
        if let Some(waiting) = inside.waiting.get_mut(&callback) {
            waiting.came_again = waiting.is_at_work;
            waiting.not_before = Instant::now();
            let is_put_off = std::mem::take(&mut waiting.tries) > 0;
            if is_put_off {
                inside.write(&[Line::Came(callback)])?;
            }
        } else if inside.waiting.len() >= MOST {
            return Ok(Admission::Full);
        } else {
            inside.write(&[Line::Came(callback.clone())])?;
            inside.waiting.insert(callback, Waiting::now());
        }
        self.changed.notify_all();
        Ok(Admission::Taken)
    }

    /// How many callbacks wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Some callbacks that are due, to be collected now; waits so long for one.
    #[must_use]
    pub fn due(&self, most: usize, patience: Duration) -> Vec<Callback> {
        let end = Instant::now() + patience;
        let mut inside = self.lock();
        loop {
            let now = Instant::now();
            let due: Vec<Callback> = inside
                .waiting
                .iter_mut()
                .filter(|(_, waiting)| waiting.not_before <= now)
                .take(most)
                .map(|(callback, waiting)| {
                    waiting.is_at_work = true;
                    callback.clone()
                })
                .collect();
            if !due.is_empty() || now >= end {
                return due;
            }
            let (guard, _timeout) = self
                .changed
                .wait_timeout(inside, end - now)
                .unwrap_or_else(PoisonError::into_inner);
            inside = guard;
        }
    }

    /// Says that these are done with; one that came again meanwhile is not.
    ///
    /// # Errors
    /// [`CollectError`] when it cannot be written.
    pub fn done(&self, callbacks: &[Callback]) -> Result<(), CollectError> {
        let mut inside = self.lock();
        let mut lines = Vec::new();
        for callback in callbacks {
            match inside.waiting.get_mut(callback) {
                Some(waiting) if waiting.came_again => *waiting = Waiting::now(),
                Some(_) => {
                    inside.waiting.remove(callback);
                    lines.push(Line::Done(callback.clone()));
                }
                None => {}
            }
        }
        inside.write(&lines)?;
        if inside.waiting.is_empty() && inside.lines >= LONG {
            replace(&*self.disk, &self.path, b"").map_err(|source| CollectError::Write {
                path: self.path.clone(),
                source,
            })?;
            inside.file = LineFile::open(&self.disk, &self.path)?;
            inside.lines = 0;
        }
        Ok(())
    }

    /// Puts a callback off that could not be collected yet, and gives for how long; nothing when it was tried often enough,
    /// in this process and before. How often is on the disk when this returns.
    ///
    /// # Errors
    /// [`CollectError`] when it cannot be written.
    pub fn postpone(&self, callback: &Callback) -> Result<Option<Duration>, CollectError> {
        let mut inside = self.lock();
        let Some(waiting) = inside.waiting.get_mut(callback) else {
            return Ok(None);
        };
        let wait = (FIRST_WAIT * 2_u32.saturating_pow(waiting.tries)).min(LONGEST_WAIT);
        waiting.tries += 1;
        waiting.rest_until(Instant::now() + wait);
        let may_come_well = waiting.tries < TRIES;
        inside.write(&[Line::PutOff(callback.clone())])?;
        Ok(may_come_well.then_some(wait))
    }

    /// Leaves a callback for later that could not be collected through no fault of its own or the vendor's: that does not
    /// count.
    pub fn leave(&self, callback: &Callback) {
        if let Some(waiting) = self.lock().waiting.get_mut(callback) {
            waiting.rest_until(Instant::now() + FIRST_WAIT);
        }
    }

    /// Whether a callback waits.
    #[must_use]
    pub fn holds(&self, callback: &Callback) -> bool {
        self.lock().waiting.contains_key(callback)
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    fn write(&mut self, lines: &[Line]) -> Result<(), CollectError> {
        let mut text = String::new();
        for line in lines {
            text.push_str(&serde_json::to_string(line).unwrap_or_default());
            text.push('\n');
        }
        if text.is_empty() {
            return Ok(());
        }
        self.lines += lines.len();
        self.file.add(&text)
    }
}

#[cfg(test)]
mod tests {
    use bowline_durable::SimulatedDisk;

    use super::*;

    fn callback(run: &str) -> Callback {
        Callback {
            job: None,
            run: Some(run.to_owned()),
        }
    }

    fn open(disk: &SimulatedDisk) -> Inbox {
        Inbox::open(Arc::new(disk.clone()), Path::new("/state/callbacks")).unwrap()
    }

    #[test]
    fn what_was_taken_is_there_after_a_power_cut_until_it_is_done() {
        for seed in 0..50 {
            let disk = SimulatedDisk::new(seed);
            let inbox = open(&disk);
            for run in ["1", "2", "1"] {
                assert_eq!(inbox.add(callback(run)).unwrap(), Admission::Taken);
            }
            inbox.done(&[callback("1")]).unwrap();
            disk.cut_power_after(usize::from(seed % 2 == 0));
            let _cut = inbox.add(callback("3"));
            let inbox = open(&disk.after_power_cut());
            let due = inbox.due(10, Duration::ZERO);
            assert!(
                due.contains(&callback("2")) && !due.contains(&callback("1")),
                "{due:?}"
            );
        }
    }

    #[test]
    fn one_that_comes_while_it_is_collected_is_collected_again() {
        let inbox = open(&SimulatedDisk::new(1));
        inbox.add(callback("1")).unwrap();
        assert_eq!(inbox.due(10, Duration::ZERO), [callback("1")]);
        inbox.add(callback("1")).unwrap();
        inbox.done(&[callback("1")]).unwrap();
        assert!(inbox.holds(&callback("1")) && !inbox.is_empty());
        assert_eq!(inbox.due(10, Duration::ZERO), [callback("1")]);
        inbox.done(&[callback("1")]).unwrap();
        assert!(inbox.is_empty() && !inbox.holds(&callback("1")));
    }

    #[test]
    fn one_that_is_not_there_yet_is_put_off_a_bounded_number_of_times() {
        let disk = SimulatedDisk::new(1);
        let inbox = open(&disk);
        inbox.add(callback("1")).unwrap();
        let postpone = |inbox: &Inbox| inbox.postpone(&callback("1")).unwrap();
        let mut waits: Vec<Duration> = (0..4).filter_map(|_| postpone(&inbox)).collect();
        // What is left for later does not count; what came before a restart does.
        inbox.leave(&callback("1"));
        let inbox = open(&disk);
        waits.extend(std::iter::from_fn(|| postpone(&inbox)));
        assert_eq!(waits.len() as u32, TRIES - 1);
        assert!(
            waits
                .windows(2)
                .all(|pair| pair[0] <= pair[1] && pair[1] <= LONGEST_WAIT)
        );
        assert!(inbox.due(10, Duration::ZERO).is_empty());
        // The vendor says it once more.
        inbox.add(callback("1")).unwrap();
        assert_eq!(inbox.due(10, Duration::ZERO), [callback("1")]);
        assert_eq!(postpone(&open(&disk)), Some(FIRST_WAIT));
    }

    #[test]
    fn a_flood_is_bounded_in_memory_and_the_file_begins_anew() {
        let disk = SimulatedDisk::new(1);
        let inbox = open(&disk);
        let runs: Vec<Callback> = (0..LONG).map(|run| callback(&run.to_string())).collect();
        for run in &runs {
            inbox.add(run.clone()).unwrap();
        }
        inbox.done(&runs).unwrap();
        assert!(disk.read(Path::new("/state/callbacks")).unwrap().is_empty());
        inbox.add(callback("1")).unwrap();
        assert_eq!(open(&disk).len(), 1);
    }
}
