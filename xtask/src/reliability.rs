//! `cargo xtask reliability [--record FILE] [--share N]`: trials that take long, repeated as often as the page about
//! reliability says. With a share, an Nth of it, to try the chore itself.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use bowline_servers::Vendor;
use bowline_tally::Kind;

use crate::figures;
use crate::process::{self, Failure, cargo, step};
use crate::test::provide_all;

/// Lives of a collection, and simulated vendors.
const SEEDS: u64 = 10_000;
/// Kills of `collect`, half of them at moments and half while the platform has a batch.
const KILLS: u64 = 100;
const STOPS: u64 = 500;
/// For each engine and each way of cutting it off.
const SEVERED: u64 = 100;
/// For each thing that parses: all together ten million.
const INPUTS: u64 = 600_000;

/// A folder in memory, where the system has one.
const IN_MEMORY: &str = "/dev/shm";

struct Options {
    record: Option<PathBuf>,
    share: u64,
}

impl Options {
    fn parse(args: &[String]) -> Result<Self, Failure> {
        let mut options = Self {
            record: None,
            share: 1,
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let value = args.next().ok_or_else(|| format!("no value for `{arg}`"))?;
            match arg.as_str() {
                "--record" => options.record = Some(PathBuf::from(value)),
                "--share" => {
                    options.share = value
                        .parse()
                        .ok()
                        .filter(|share| *share > 0)
                        .ok_or_else(|| format!("not a share: `{value}`"))?;
                }
                _ => return Err(format!("unknown argument: `{arg}`")),
            }
        }
        Ok(options)
    }
}

pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    let Options { record, share } = Options::parse(args)?;
    let folder = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
    let tally = folder.path().join("tally");
    let cheap = Vendor::ALL.into_iter().filter(|vendor| vendor.is_cheap());
    let provided = provide_all(cheap.collect())?;
    let tried = |command: &mut Command, sizes: &[(&str, u64)]| {
        let sizes = sizes
            .iter()
            .map(|(name, whole)| (*name, OsString::from(whole.div_ceil(share).to_string())));
        process::run(
            command
                .env(bowline_tally::FILE, &tally)
                .envs(provided.environment.iter().cloned())
                .envs(sizes),
        )
    };

    step("power cuts");
    let library = ["test", "--release", "--package", "bowline-collect", "--lib"];
    tried(
        cargo(&library).args(["--", "power_cuts"]),
        &[("BOWLINE_SEEDS", SEEDS)],
    )?;
    step("simulated vendors");
    tried(
        cargo(&["test", "--release", "--package", "bowline-simulator"])
            .args(["--test", "simulator", "--", "--exact"])
            .arg("seeds::every_seed_is_read_correctly"),
        &[("BOWLINE_SEEDS", SEEDS)],
    )?;
    step("mutated input");
    let mut fuzzing = cargo(&["run", "--release", "--package", "bowline-fuzz", "--"]);
    fuzzing.args(["--inputs", &INPUTS.div_ceil(share).to_string()]);
    // Some inputs are files: ten million are too many for a disk.
    if Path::new(IN_MEMORY).is_dir() {
        fuzzing.env("TMPDIR", IN_MEMORY);
    }
    tried(&mut fuzzing, &[])?;
    step("servers, signals and secrets");
    tried(
        cargo(&["test", "--package", "bowline-tests", "--test", "end_to_end"]).args([
            "--",
            "severed/",
            "faults/",
            "secrets/",
            "collect/killed",
        ]),
        &[
            ("BOWLINE_KILLS", KILLS / 2),
            ("BOWLINE_STOPS", STOPS),
            ("BOWLINE_SEVERED", SEVERED),
        ],
    )?;

    let report = format!(
        "{}\n\n{}",
        figures::machine().replacen("Measured", "Tried", 1),
        table(&tally)?
    );
    println!("{report}");
    match record {
        Some(file) => figures::write(&file, "reliability", &report),
        None => Ok(()),
    }
}

/// What was tried, how often, and what never came of it.
fn table(tally: &Path) -> Result<String, Failure> {
    let counts = bowline_tally::read(tally)
        .map_err(|error| format!("cannot read what the trials counted: {error}"))?;
    let mut table =
        String::from("| what was tried | how often | what never came of it |\n|---|---:|---|\n");
    for kind in Kind::ALL {
        let (tried, never) = kind.words();
        let count = counts
            .get(&kind)
            .ok_or_else(|| format!("nothing was counted of {tried}"))?;
        table.push_str(&format!("| {tried} | {} | {never} |\n", grouped(*count)));
    }
    Ok(table)
}

/// A number with a comma between its thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_told_apart() {
        let grouped = [1, 999, 1_000, 10_200_000].map(grouped);
        assert_eq!(grouped, ["1", "999", "1,000", "10,200,000"]);
    }

    #[test]
    fn a_trial_that_counted_nothing_is_no_row() {
        let folder = tempfile::tempdir().unwrap();
        let tally = folder.path().join("tally");
        std::fs::write(&tally, "{\"kind\":\"kills\",\"tried\":2}\n").unwrap();
        assert!(table(&tally).unwrap_err().contains("nothing was counted"));
    }
}
