//! What became of the runs of a window: the vendor, the ledger and the output compared.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::Path;

use bowline_contract::pipeline::{RunEvent, Window};
use bowline_durable::{Disk, Opening};
use serde::Deserialize;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::error::CollectError;
use crate::event::Kind;
use crate::ledger::{Entry, Outcome};

/// How many runs of each group are named.
const EXAMPLES: usize = 3;
/// How many bytes of the output are read at a time.
const CHUNK: usize = 256 * 1024;

/// Runs by the keys of their events: their ids.
pub type Keys = HashMap<Uuid, String>;

/// What became of the runs of a window.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verification {
    /// Runs that the vendor shows.
    pub shown: usize,
    /// Those of them that were delivered, and that the output has where it is a file.
    pub delivered: usize,
    /// Runs that were delivered and that the output has no longer.
    pub lost: Group,
    /// Runs that nobody has read, as far as is known.
    pub missed: Group,
    /// Runs that are dead letters, or were discarded.
    pub given_up: Group,
    /// Runs that were delivered as they were then, and that the vendor shows differently now.
    pub changed: usize,
}

/// Some runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// How many.
    pub count: usize,
    /// The ids of a few, the first by name.
    pub examples: Vec<String>,
}

impl Group {
    fn add(&mut self, id: &str) {
        self.count += 1;
        let place = self.examples.partition_point(|known| known.as_str() < id);
        if place < EXAMPLES {
            self.examples.insert(place, id.to_owned());
            self.examples.truncate(EXAMPLES);
        }
    }
}

impl Verification {
    /// Compares. `output` is what the output file has, where there is one.
    #[must_use]
    pub fn new(
        window: Window,
        vendor: &Keys,
        entries: impl IntoIterator<Item = Entry>,
        output: Option<&Keys>,
    ) -> Self {
        let (mut delivered, mut given_up) = (HashSet::new(), HashSet::new());
        for entry in entries {
            if entry.kind != Kind::Run {
                continue;
            }
            match entry.outcome {
                Outcome::Delivered if window.contains(entry.at) => delivered.insert(entry.key),
                Outcome::Delivered => false,
                // It may be given up because its time cannot be read.
                Outcome::GivenUp => given_up.insert(entry.key),
            };
        }
        let known: HashSet<&String> = output.into_iter().flat_map(HashMap::values).collect();
        let has = |key: &Uuid| {
            output.map_or_else(
                || delivered.contains(key),
                |output| output.contains_key(key),
            )
        };
        let mut verification = Self {
            shown: vendor.len(),
            ..Self::default()
        };
        for (key, id) in vendor {
            if has(key) {
                verification.delivered += 1;
            } else if delivered.contains(key) {
                verification.lost.add(id);
            } else if given_up.contains(key) {
                verification.given_up.add(id);
            } else if known.contains(id) {
                verification.changed += 1;
            } else {
                verification.missed.add(id);
            }
        }
        // What the vendor shows no longer was delivered all the same.
        for key in &delivered {
            if !vendor.contains_key(key) && !has(key) {
                verification.lost.add(&key.to_string());
            }
        }
        verification
    }

    /// Whether everything that the vendor shows was delivered, and is there.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        [&self.lost, &self.missed, &self.given_up]
            .iter()
            .all(|group| group.count == 0)
    }
}

/// The runs of a window in an output file of lines; none when there is no such file.
///
/// # Errors
/// [`CollectError::Write`] when it cannot be read.
pub fn output_keys(disk: &dyn Disk, path: &Path, window: Window) -> Result<Keys, CollectError> {
    #[derive(Deserialize)]
    struct Line {
        kind: String,
        key: String,
        event: Json,
    }
    let mut keys = Keys::new();
    let mut on_line = |line: &[u8]| {
        let Ok(line) = serde_json::from_slice::<Line>(line) else {
            return;
        };
        let Ok(key) = Uuid::parse_str(&line.key) else {
            return;
        };
        let run = RunEvent::new(line.event);
        if line.kind == Kind::Run.name() && run.event_time().is_some_and(|at| window.contains(at)) {
            keys.insert(key, run.run_source_id().unwrap_or_default().to_owned());
        }
    };
    for_each_line(disk, path, &mut on_line).map_err(|source| CollectError::Write {
        path: path.to_path_buf(),
        source,
    })?;
    Ok(keys)
}

fn for_each_line(disk: &dyn Disk, path: &Path, on_line: &mut dyn FnMut(&[u8])) -> io::Result<()> {
    let mut file = match disk.open(path, Opening::Reading) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        there => there?,
    };
    let length = file.length()?;
    let (mut offset, mut rest) = (0, Vec::new());
    let mut chunk = vec![0; CHUNK];
    while offset < length {
        let size = usize::try_from(length - offset).map_or(CHUNK, |left| left.min(CHUNK));
        file.read_at(offset, &mut chunk[..size])?;
        offset += size as u64;
        rest.extend_from_slice(&chunk[..size]);
        let mut begin = 0;
        while let Some(end) = rest[begin..].iter().position(|byte| *byte == b'\n') {
            on_line(&rest[begin..begin + end]);
            begin += end + 1;
        }
        rest.drain(..begin);
    }
    on_line(&rest);
    Ok(())
}

#[cfg(test)]
mod tests {
    use bowline_durable::SimulatedDisk;

    use super::*;

    fn window() -> Window {
        Window {
            start: "2026-11-22T10:00:00Z".parse().unwrap(),
            end: "2026-11-22T11:00:00Z".parse().unwrap(),
        }
    }

    fn key(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    fn keys(numbers: &[u128]) -> Keys {
        let each = numbers
            .iter()
            .map(|number| (key(*number), format!("run-{}", number % 100)));
        each.collect()
    }

    fn entry(number: u128, outcome: Outcome) -> Entry {
        Entry {
            kind: Kind::Run,
            key: key(number),
            at: window().start,
            outcome,
        }
    }

    #[test]
    fn every_run_is_in_its_group() {
        // 5 was delivered as 105 before it changed; 6 was delivered and the vendor has it no longer.
        let vendor = keys(&[1, 2, 3, 4, 5]);
        let delivered = [1, 2, 105, 6].map(|number| entry(number, Outcome::Delivered));
        // Its time could not be read.
        let given_up = Entry {
            at: window().end,
            ..entry(3, Outcome::GivenUp)
        };
        let entries = delivered.into_iter().chain([given_up]);
        let found = Verification::new(window(), &vendor, entries, Some(&keys(&[1, 105])));
        let group = |ids: &[&str]| Group {
            count: ids.len(),
            examples: ids.iter().map(|&id| id.to_owned()).collect(),
        };
        let six = key(6).to_string();
        let expected = Verification {
            shown: 5,
            delivered: 1,
            lost: group(&[&six, "run-2"]),
            missed: group(&["run-4"]),
            given_up: group(&["run-3"]),
            changed: 1,
        };
        assert_eq!(found, expected);
        assert!(!found.is_whole());
        let entries = [entry(1, Outcome::Delivered)];
        assert!(Verification::new(window(), &keys(&[1]), entries, None).is_whole());
    }

    #[test]
    fn of_many_runs_the_first_by_name_are_examples() {
        let found = Verification::new(window(), &keys(&[5, 3, 1, 4, 2]), [], None);
        let examples = ["run-1", "run-2", "run-3"].map(str::to_owned).to_vec();
        assert_eq!(found.missed, Group { count: 5, examples });
    }

    #[test]
    fn lines_of_a_window_are_read_from_the_output() {
        let disk = SimulatedDisk::new(1);
        let path = Path::new("/d/events.jsonl");
        let line = |kind: &str, number: u128, hour: u32| {
            format!(
                r#"{{"kind":"{kind}","key":"{}","event":{{"run_source_id":"run-{number}","event_time":"2026-11-22T{hour:02}:30:00Z"}}}}"#,
                key(number)
            )
        };
        let text = [
            line("run", 1, 10),
            line("run", 2, 11),
            line("asset", 3, 10),
            "{\"to".to_owned(),
        ];
        bowline_durable::replace(&disk, path, text.join("\n").as_bytes()).unwrap();
        assert_eq!(output_keys(&disk, path, window()).unwrap(), keys(&[1]));
        let nowhere = Path::new("/d/nowhere");
        assert_eq!(output_keys(&disk, nowhere, window()).unwrap(), Keys::new());
    }
}
