//! Which events are done with.
//!
//! A file of records of 32 bytes: the event's key, its time in seconds, what became of it, and a checksum. A record that
//! a power cut has spoiled is none, so that its event is sent again. Records of their own say how many bytes the output
//! had: everything before is whole, and what is behind may be torn.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bowline_contract::pipeline::Window;
use bowline_durable::{Disk, DiskFile, Opening, replace, sync_name};
use jiff::Timestamp;
use uuid::Uuid;

use crate::error::{CollectError, StateError};
use crate::event::{Event, Kind};

const RECORD: usize = 32;
/// How many bytes are read at a time; a whole number of records.
const CHUNK: usize = RECORD * 2048;

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It was delivered.
    Delivered,
    /// It was given up: it is a dead letter.
    GivenUp,
}

/// A line of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The event's kind.
    pub kind: Kind,
    /// The event's key.
    pub key: Uuid,
    /// The run's time; for anything else, the end of the window it was read in.
    pub at: Timestamp,
    /// What became of it.
    pub outcome: Outcome,
}

/// A record of the file.
enum Record {
    Event(Entry),
    /// How many bytes the output had.
    Output(u64),
}

impl Record {
    fn bytes(&self) -> [u8; RECORD] {
        match self {
            Self::Event(entry) => entry.bytes(),
            Self::Output(length) => {
                let mut bytes = [0; RECORD];
                bytes[16..24].copy_from_slice(&length.to_le_bytes());
                bytes[24] = OUTPUT;
                sealed(bytes)
            }
        }
    }

    fn of_bytes(bytes: &[u8; RECORD]) -> Option<Self> {
        let (content, sum) = bytes.split_last_chunk::<4>()?;
        if crc32fast::hash(content) != u32::from_le_bytes(*sum) {
            return None;
        }
        let (key, rest) = content.split_first_chunk::<16>()?;
        let (number, rest) = rest.split_first_chunk::<8>()?;
        let kind = match rest.first()? {
            b'a' => Kind::Asset,
            b'r' => Kind::Run,
            &OUTPUT => return Some(Self::Output(u64::from_le_bytes(*number))),
            _ => return None,
        };
        Some(Self::Event(Entry {
            key: Uuid::from_bytes(*key),
            at: Timestamp::from_second(i64::from_le_bytes(*number)).ok()?,
            kind,
            outcome: match rest.get(1)? {
                b'd' => Outcome::Delivered,
                b'g' => Outcome::GivenUp,
                _ => return None,
            },
        }))
    }
}

/// What marks a record of the output.
const OUTPUT: u8 = b'o';

fn sealed(mut bytes: [u8; RECORD]) -> [u8; RECORD] {
    let sum = crc32fast::hash(&bytes[..RECORD - 4]);
    bytes[RECORD - 4..].copy_from_slice(&sum.to_le_bytes());
    bytes
}

impl Entry {
    /// Whether it is about this event.
    pub(crate) fn is_of(&self, event: &Event) -> bool {
        (self.kind, self.key) == (event.kind, event.key)
    }

    fn bytes(&self) -> [u8; RECORD] {
        let mut bytes = [0; RECORD];
        bytes[..16].copy_from_slice(self.key.as_bytes());
        bytes[16..24].copy_from_slice(&self.at.as_second().to_le_bytes());
        bytes[24] = match self.kind {
            Kind::Asset => b'a',
            Kind::Run => b'r',
        };
        bytes[25] = match self.outcome {
            Outcome::Delivered => b'd',
            Outcome::GivenUp => b'g',
        };
        sealed(bytes)
    }
}

/// Which events of a window are done with; those of earlier windows too, as long as they may be read again.
#[derive(Debug, Default)]
pub struct Ledger {
    window: Option<Window>,
    /// Runs, with their times in seconds.
    runs: HashMap<Uuid, i64>,
    /// Assets of this window.
    assets: HashSet<Uuid>,
    file: Option<LedgerFile>,
}

#[derive(Debug)]
struct LedgerFile {
    path: PathBuf,
    file: Box<dyn DiskFile>,
}

impl Ledger {
    /// The ledger in a file, for a window; the file is made when there is none.
    pub(crate) fn open(
        disk: &Arc<dyn Disk>,
        path: &Path,
        window: Window,
    ) -> Result<Self, StateError> {
        let failed = |source| StateError::Io {
            path: path.to_path_buf(),
            source,
        };
        let mut ledger = Self {
            window: Some(window),
            ..Self::default()
        };
        for_each(&**disk, path, &mut |entry| ledger.learn(&entry)).map_err(failed)?;
        let file = open(&**disk, path).map_err(failed)?;
        ledger.file = Some(LedgerFile {
            path: path.to_path_buf(),
            file,
        });
        Ok(ledger)
    }

    /// A ledger that knows nothing yet and adds to a file.
    pub(crate) fn blank(disk: &dyn Disk, path: &Path) -> Result<Self, StateError> {
        let file = open(disk, path).map_err(|source| StateError::Io {
            path: path.to_path_buf(),
            source,
        })?;
        Ok(Self {
            file: Some(LedgerFile {
                path: path.to_path_buf(),
                file,
            }),
            ..Self::default()
        })
    }

    /// The same ledger for another window.
    pub(crate) fn turn_to(&mut self, window: Window) {
        if self.window != Some(window) {
            self.assets.clear();
        }
        self.window = Some(window);
        let start = window.start.as_second();
        self.runs.retain(|_, at| *at >= start);
    }

    fn learn(&mut self, entry: &Entry) {
        let Some(window) = self.window else {
            return;
        };
        let key = entry.key;
        match entry.kind {
            Kind::Run if entry.at.as_second() >= window.start.as_second() => {
                self.runs.insert(key, entry.at.as_second());
            }
            Kind::Asset if entry.at.as_second() == window.end.as_second() => {
                self.assets.insert(key);
            }
            Kind::Run | Kind::Asset => {}
        }
    }

    /// What is written down of an event.
    pub(crate) fn entry(&self, event: &Event, outcome: Outcome) -> Entry {
        let end = self
            .window
            .map_or(Timestamp::UNIX_EPOCH, |window| window.end);
        let at = match event.kind {
            Kind::Run => event.at.unwrap_or(end),
            Kind::Asset => end,
        };
        Entry {
            kind: event.kind,
            key: event.key,
            at,
            outcome,
        }
    }

    /// Whether the event is done with.
    #[must_use]
    pub fn knows(&self, event: &Event) -> bool {
        let key = event.key;
        match event.kind {
            Kind::Run => self.runs.contains_key(&key),
            Kind::Asset => self.assets.contains(&key),
        }
    }

    /// Whether nothing is done with.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.assets.is_empty()
    }

    /// Writes down that these events are done with, and how many bytes the output has, where it is a file; on the disk
    /// when this returns.
    ///
    /// # Errors
    /// [`CollectError::Write`].
    pub fn add(&mut self, entries: &[Entry], output: Option<u64>) -> Result<(), CollectError> {
        for entry in entries {
            self.learn(entry);
        }
        let Some(LedgerFile { path, file }) = &mut self.file else {
            return Ok(());
        };
        let output = output.map(Record::Output);
        let records = entries
            .iter()
            .map(|entry| Record::Event(*entry))
            .chain(output);
        let bytes: Vec<u8> = records.flat_map(|record| record.bytes()).collect();
        if bytes.is_empty() {
            return Ok(());
        }
        file.append(&bytes)
            .and_then(|()| file.sync())
            .map_err(|source| CollectError::Write {
                path: path.clone(),
                source,
            })
    }
}

/// The file, ending with a whole record.
fn open(disk: &dyn Disk, path: &Path) -> io::Result<Box<dyn DiskFile>> {
    let mut file = match disk.open(path, Opening::Adding) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let file = disk.open(path, Opening::Making)?;
            sync_name(disk, path)?;
            file
        }
        there => there?,
    };
    let length = file.length()?;
    let torn = length % RECORD as u64;
    if torn != 0 {
        file.truncate(length - torn)?;
    }
    // What a process that was killed had written counts from now on, and must last.
    file.sync()?;
    Ok(file)
}

/// Every entry of a ledger's file, oldest first; none when there is no file.
pub(crate) fn for_each(
    disk: &dyn Disk,
    path: &Path,
    on_entry: &mut dyn FnMut(Entry),
) -> io::Result<()> {
    for_each_record(disk, path, &mut |record| {
        if let Record::Event(entry) = record {
            on_entry(entry);
        }
    })
}

/// How many bytes the output had when it was last written down.
pub(crate) fn output_bytes(disk: &dyn Disk, path: &Path) -> io::Result<Option<u64>> {
    let mut bytes = None;
    for_each_record(disk, path, &mut |record| {
        if let Record::Output(length) = record {
            bytes = Some(length);
        }
    })?;
    Ok(bytes)
}

fn for_each_record(
    disk: &dyn Disk,
    path: &Path,
    on_record: &mut dyn FnMut(Record),
) -> io::Result<()> {
    let mut file = match disk.open(path, Opening::Reading) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        there => there?,
    };
    let length = file.length()?;
    let mut offset = 0;
    let mut chunk = vec![0; CHUNK];
    while offset < length {
        let size = usize::try_from(length - offset).map_or(CHUNK, |left| left.min(CHUNK));
        let bytes = &mut chunk[..size];
        file.read_at(offset, bytes)?;
        let (records, _torn) = bytes.as_chunks::<RECORD>();
        records
            .iter()
            .filter_map(Record::of_bytes)
            .for_each(&mut *on_record);
        offset += size as u64;
    }
    Ok(())
}

/// Leaves out what was before a moment, once that is most of the file.
pub(crate) fn forget_before(disk: &dyn Disk, path: &Path, moment: Timestamp) -> io::Result<()> {
    let (mut kept, mut all) = (0_usize, 0_usize);
    for_each(disk, path, &mut |entry| {
        all += 1;
        kept += usize::from(entry.at >= moment);
    })?;
    if all < 10_000 || kept * 2 > all {
        return Ok(());
    }
    let mut bytes = Vec::with_capacity((kept + 1) * RECORD);
    for_each(disk, path, &mut |entry| {
        if entry.at >= moment {
            bytes.extend_from_slice(&entry.bytes());
        }
    })?;
    if let Some(length) = output_bytes(disk, path)? {
        bytes.extend_from_slice(&Record::Output(length).bytes());
    }
    replace(disk, path, &bytes)
}

#[cfg(test)]
mod tests {
    use bowline_durable::SimulatedDisk;

    use super::*;

    fn window(start: &str, end: &str) -> Window {
        Window {
            start: format!("2026-11-22T{start}:00Z").parse().unwrap(),
            end: format!("2026-11-22T{end}:00Z").parse().unwrap(),
        }
    }

    fn event(kind: Kind, number: u128, at: &str) -> Event {
        Event {
            kind,
            key: Uuid::from_u128(number),
            at: Some(format!("2026-11-22T{at}:00Z").parse().unwrap()),
            text: String::new(),
            problems: Vec::new(),
        }
    }

    fn disk() -> Arc<dyn Disk> {
        Arc::new(SimulatedDisk::new(1))
    }

    fn add(ledger: &mut Ledger, event: &Event) {
        let entry = ledger.entry(event, Outcome::Delivered);
        ledger.add(&[entry], None).unwrap();
    }

    #[test]
    fn runs_that_may_be_read_again_stay_known_and_assets_of_one_window_do() {
        let (disk, path) = (disk(), Path::new("/d/delivered"));
        let (early, late) = (event(Kind::Run, 1, "10:10"), event(Kind::Run, 2, "10:58"));
        let job = event(Kind::Asset, 3, "10:00");
        let first = window("10:00", "11:00");
        let mut ledger = Ledger::open(&disk, path, first).unwrap();
        for event in [&early, &late, &job] {
            add(&mut ledger, event);
        }
        let known = |ledger: &Ledger| [&early, &late, &job].map(|event| ledger.knows(event));
        assert_eq!(known(&ledger), [true; 3]);
        assert_eq!(known(&Ledger::open(&disk, path, first).unwrap()), [true; 3]);
        let second = window("10:50", "12:00");
        ledger.turn_to(second);
        assert_eq!(known(&ledger), [false, true, false]);
        let ledger = Ledger::open(&disk, path, second).unwrap();
        assert_eq!(known(&ledger), [false, true, false]);
    }

    #[test]
    fn what_is_added_beside_windows_is_known_to_windows_to_come() {
        let (disk, path) = (disk(), Path::new("/d/delivered"));
        let late = event(Kind::Run, 1, "10:10");
        let mut blank = Ledger::blank(&*disk, path).unwrap();
        add(&mut blank, &late);
        assert!(blank.is_empty() && !blank.knows(&late));
        let ledger = Ledger::open(&disk, path, window("10:00", "11:00")).unwrap();
        assert!(!ledger.is_empty() && ledger.knows(&late));
    }

    #[test]
    fn a_spoiled_record_is_none_and_does_no_harm() {
        let (disk, path) = (disk(), Path::new("/d/delivered"));
        let first = window("10:00", "11:00");
        let events = [1, 2, 3, 4].map(|number| event(Kind::Run, number, "10:10"));
        let mut ledger = Ledger::open(&disk, path, first).unwrap();
        events[..3].iter().for_each(|event| add(&mut ledger, event));
        let mut bytes = disk.read(path).unwrap();
        bytes[RECORD + 3] ^= 1;
        bytes.extend_from_slice(&[7; 5]);
        replace(&*disk, path, &bytes).unwrap();
        let mut ledger = Ledger::open(&disk, path, first).unwrap();
        add(&mut ledger, &events[3]);
        let ledger = Ledger::open(&disk, path, first).unwrap();
        let known = events.each_ref().map(|event| ledger.knows(event));
        assert_eq!(known, [true, false, true, true]);
    }

    #[test]
    fn a_long_ledger_forgets_what_is_long_past() {
        let (disk, path) = (disk(), Path::new("/d/delivered"));
        let mut ledger = Ledger::open(&disk, path, window("10:00", "11:00")).unwrap();
        let entries = |numbers: std::ops::Range<u128>, at: &str| -> Vec<Entry> {
            let at = event(Kind::Run, 0, at).at.unwrap();
            numbers
                .map(|number| Entry {
                    kind: Kind::Run,
                    key: Uuid::from_u128(number),
                    at,
                    outcome: Outcome::Delivered,
                })
                .collect()
        };
        ledger.add(&entries(0..4_000, "10:05"), None).unwrap();
        ledger
            .add(&entries(4_000..9_000, "10:10"), Some(70))
            .unwrap();
        ledger
            .add(&entries(9_000..12_000, "10:50"), Some(90))
            .unwrap();
        drop(ledger);
        let count = || {
            let mut count = 0;
            for_each(&*disk, path, &mut |_| count += 1).unwrap();
            count
        };
        // Not for a third of it.
        forget_before(&*disk, path, window("10:10", "11:00").start).unwrap();
        assert_eq!(count(), 12_000);
        forget_before(&*disk, path, window("10:40", "11:00").start).unwrap();
        assert_eq!(count(), 3_000);
        assert_eq!(output_bytes(&*disk, path).unwrap(), Some(90));
    }
}
