//! What trials that are repeated many times counted: the table of `docs/reliability.md`.
//!
//! A trial that passed adds a line of JSON to the file that [`FILE`] names, and writes nothing where it names none. One
//! that fails adds nothing, so that what the page says never happened did not happen.
//!
//! ```
//! bowline_tally::add(bowline_tally::Kind::PowerCuts, 600);
//! ```

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

/// The environment variable that names the file.
pub const FILE: &str = "BOWLINE_TALLY";

/// What is tried many times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// `collect` on a disk that loses what was not synced.
    PowerCuts,
    /// The same with a vendor that fails, and with retries and discards.
    PowerCutsWhileFailing,
    /// `collect` killed.
    Kills,
    /// Vendors with lists that move, simulated.
    Vendors,
    /// The suite stopped or killed.
    Stops,
    /// A server killed, or its connections cut, reset or silent.
    Severed,
    /// Input that was made to break what parses it.
    Inputs,
    /// Commands that were shown a secret in a writing of some library.
    Writings,
    /// Commands of other tests, whose words and files are searched for the database's password.
    Searched,
}

impl Kind {
    /// All, in the order of the page.
    pub const ALL: [Self; 9] = [
        Self::PowerCuts,
        Self::PowerCutsWhileFailing,
        Self::Kills,
        Self::Vendors,
        Self::Stops,
        Self::Severed,
        Self::Inputs,
        Self::Writings,
        Self::Searched,
    ];

    /// What is tried, and what must never come of it.
    #[must_use]
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::PowerCuts => (
                "lives of a collection, each cut by power losses at writes drawn by its seed; unsynced writes are lost, \
                 sectors torn, renames reordered",
                "a run lost",
            ),
            Self::PowerCutsWhileFailing => (
                "the same with a vendor that breaks off, then retries and discards that are cut, too",
                "a run or a dead letter lost",
            ),
            Self::Kills => (
                "kills (`-9`) of `collect`, at moments over its whole life and with a batch in the platform's hands",
                "a run lost",
            ),
            Self::Vendors => (
                "simulated vendors whose lists move while they are read, in every style of paging",
                "a run lost, or more than three times the requests of a still list",
            ),
            Self::Stops => (
                "runs of the suite ended by SIGINT, SIGTERM or SIGKILL at moments over their whole life, on PostgreSQL",
                "a table left; after SIGKILL, one left after the next run",
            ),
            Self::Severed => (
                "runs of the suite whose server was killed, or whose connections were cut, reset or silent, on PostgreSQL, \
                 MariaDB and Firebird",
                "a verdict that an undisturbed run does not give, other than unknown; a table left and not told",
            ),
            Self::Inputs => (
                "mutated inputs of everything that parses",
                "a panic, more than 10 s, more than 1 GB",
            ),
            Self::Writings => (
                "commands while a vendor repeats the secret in one of 14 writings that libraries make of it",
                "the secret in output, messages or recordings",
            ),
            Self::Searched => (
                "other commands of the end-to-end tests",
                "the database's password in output or messages",
            ),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Line {
    kind: Kind,
    tried: u64,
}

/// Counts so many trials that passed.
///
/// # Panics
/// When the file cannot be written: a count that is missing would be noticed too late.
pub fn add(kind: Kind, tried: u64) {
    let Some(file) = std::env::var_os(FILE) else {
        return;
    };
    write(Path::new(&file), kind, tried)
        .unwrap_or_else(|error| panic!("cannot write what was counted: {error}"));
}

fn write(file: &Path, kind: Kind, tried: u64) -> io::Result<()> {
    let line = serde_json::to_string(&Line { kind, tried })?;
    let mut file = std::fs::File::options()
        .create(true)
        .append(true)
        .open(file)?;
    // One write: other programs add lines at the same time.
    file.write_all(format!("{line}\n").as_bytes())
}

/// What all trials together counted.
///
/// # Errors
/// When the file cannot be read, or a line is none of ours.
pub fn read(file: &Path) -> io::Result<BTreeMap<Kind, u64>> {
    let mut counts = BTreeMap::new();
    for line in std::fs::read_to_string(file)?.lines() {
        let line: Line = serde_json::from_str(line)?;
        *counts.entry(line.kind).or_default() += line.tried;
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_summed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tally");
        write(&file, Kind::Kills, 8).unwrap();
        write(&file, Kind::Stops, 3).unwrap();
        write(&file, Kind::Kills, 2).unwrap();
        let counts = read(&file).unwrap();
        assert_eq!(
            counts.into_iter().collect::<Vec<_>>(),
            [(Kind::Kills, 10), (Kind::Stops, 3)]
        );
        std::fs::write(&file, "{\"kind\": \"none\"}").unwrap();
        assert!(read(&file).is_err());
    }
}
