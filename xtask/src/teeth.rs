//! `cargo xtask teeth [--crate NAME]... [--sample N] [--seed S] [--record FILE]`: changes our own code in one place at a
//! time and runs its crate's tests, to see whether they notice. What is committed is tried, in a copy.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::UNIX_EPOCH;

use serde_json::Value;

use crate::figures;
use crate::process::{self, Failure, cache, cargo, root, run_quietly, step, target};
use crate::provide::driver_folder;

/// The crates that are held to it, when none is named.
const CRATES: [&str; 4] = ["contract", "collect", "pipeline", "conformance"];

/// What makes the mutants and runs the tests.
const TOOL: &str = "cargo-mutants";
const VERSION: &str = "27.1.0";

/// How the tool ends when it has told what became of every mutant; any other code tells that it could not.
const CODES_OF_A_RUN: [i32; 3] = [0, 2, 3];

const HEAD: &str = "\
| crate | mutants | tried | do not compile | caught | hang | missed |
|---|---:|---:|---:|---:|---:|---:|
";

struct Options {
    crates: Vec<String>,
    /// About how many mutants of each crate; all where nothing is said.
    sample: Option<usize>,
    seed: usize,
    record: Option<PathBuf>,
}

impl Options {
    fn parse(args: &[String]) -> Result<Self, Failure> {
        let mut options = Self {
            crates: Vec::new(),
            sample: None,
            seed: UNIX_EPOCH
                .elapsed()
                .map_or(0, |passed| passed.subsec_nanos() as usize),
            record: None,
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let value = args.next().ok_or_else(|| format!("no value for `{arg}`"))?;
            let number = || {
                value
                    .parse()
                    .map_err(|_| format!("not a number: `{value}`"))
            };
            match arg.as_str() {
                "--crate" => options.crates.push(value.clone()),
                "--sample" => options.sample = Some(number()?),
                "--seed" => options.seed = number()?,
                "--record" => options.record = Some(PathBuf::from(value)),
                _ => return Err(format!("unknown argument: `{arg}`")),
            }
        }
        if options.crates.is_empty() {
            options.crates = CRATES.map(str::to_owned).to_vec();
        }
        Ok(options)
    }
}

pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    let options = Options::parse(args)?;
    let (tool, tree) = (tool()?, copy()?);
    println!("seed {}", options.seed);
    let mut table = HEAD.to_owned();
    for name in &options.crates {
        let mutants = Mutants {
            tool: &tool,
            tree: &tree,
            package: format!("bowline-{name}"),
        };
        let all = mutants.count()?;
        let sample = options.sample.unwrap_or(all);
        let outcomes = mutants.run(shard(all, sample, options.seed))?;
        for name in missed(&outcomes) {
            println!("missed: {name}");
        }
        table.push_str(&row(&mutants.package, all, &outcomes));
    }
    let report = format!(
        "{} The seed was {}.\n\n{table}",
        figures::machine().replacen("Measured", "Tried", 1),
        options.seed,
    );
    println!("{report}");
    match options.record {
        Some(file) => figures::write(&file, "teeth", &report),
        None => Ok(()),
    }
}

/// The tool, installed where chores keep what is made once. Unoptimized: it waits for compilers.
fn tool() -> Result<PathBuf, Failure> {
    let folder = cache()?.join(format!("{TOOL}-{VERSION}"));
    let program = folder
        .join("bin")
        .join(format!("{TOOL}{}", std::env::consts::EXE_SUFFIX));
    if !program.exists() {
        step(&format!("{TOOL} {VERSION}"));
        let version = format!("{TOOL}@{VERSION}");
        process::run(
            cargo(&["install", "--locked", "--debug", &version])
                .arg("--root")
                .arg(&folder),
        )?;
    }
    Ok(program)
}

/// What is committed, in a folder of its own that keeps what was compiled.
fn copy() -> Result<PathBuf, Failure> {
    let tree = target()?.join("teeth");
    let git = |args: &[&str]| {
        let folder = Path::new("-C").as_os_str();
        run_quietly(Command::new("git").arg(folder).arg(&tree).args(args))
    };
    std::fs::create_dir_all(&tree)
        .map_err(|error| format!("cannot make `{}`: {error}", tree.display()))?;
    let origin = root();
    let origin = origin
        .to_str()
        .ok_or("the repository's path is not UTF-8")?;
    git(&["init", "--quiet"])?;
    git(&[
        "fetch",
        "--quiet",
        "--depth",
        "1",
        &format!("file://{origin}"),
        "HEAD",
    ])?;
    git(&["checkout", "--quiet", "--force", "--detach", "FETCH_HEAD"])?;
    Ok(tree)
}

/// The mutants of a package of a tree.
struct Mutants<'t> {
    tool: &'t Path,
    tree: &'t Path,
    package: String,
}

impl Mutants<'_> {
    fn command(&self) -> Command {
        let mut command = Command::new(self.tool);
        command
            .args(["mutants", "--package", &self.package, "--dir"])
            .arg(self.tree);
        command
    }

    fn count(&self) -> Result<usize, Failure> {
        let listed = run_quietly(self.command().args(["--list", "--json"]))?;
        let listed: Vec<Value> = serde_json::from_str(&listed)
            .map_err(|error| format!("cannot read the list of mutants: {error}"))?;
        Ok(listed.len())
    }

    /// What became of every nth of them from the kth on: they come in the order of the files, so that each file has its
    /// share.
    fn run(&self, (k, n): (usize, usize)) -> Result<Value, Failure> {
        let mut command = self.command();
        command
            .args(["--sharding", "round-robin", "--shard", &format!("{k}/{n}")])
            .args(["--in-place", "--output"])
            .arg(self.tree)
            // Examples in comments take a compiler each.
            .arg("--cargo-arg=--tests")
            .env("CARGO_TARGET_DIR", self.tree.join("target"))
            // Nobody looks at a backtrace of these.
            .env("CARGO_PROFILE_DEV_DEBUG", "none")
            // A test that draws a thousand seeds would take most of the time.
            .env("BOWLINE_SEEDS", "20")
            .env("BOWLINE_DRIVER_DIR", driver_folder()?);
        let status = command
            .status()
            .map_err(|error| format!("cannot run {TOOL}: {error}"))?;
        if !status
            .code()
            .is_some_and(|code| CODES_OF_A_RUN.contains(&code))
        {
            return Err(format!("{TOOL} failed ({status})"));
        }
        let file = self.tree.join("mutants.out/outcomes.json");
        let failed =
            |cause: &dyn std::fmt::Display| format!("cannot read `{}`: {cause}", file.display());
        let text = std::fs::read_to_string(&file).map_err(|error| failed(&error))?;
        serde_json::from_str(&text).map_err(|error| failed(&error))
    }
}

/// Which part of so many mutants makes about such a sample; another seed gives another part.
fn shard(all: usize, sample: usize, seed: usize) -> (usize, usize) {
    let parts = all.div_ceil(sample.max(1)).max(1);
    (seed % parts, parts)
}

fn missed(outcomes: &Value) -> impl Iterator<Item = &str> {
    let outcomes = outcomes["outcomes"].as_array().into_iter().flatten();
    outcomes
        .filter(|outcome| outcome["summary"] == "MissedMutant")
        .filter_map(|outcome| outcome["scenario"]["Mutant"]["name"].as_str())
}

/// What was tried of a crate, and what became of it.
fn row(package: &str, all: usize, outcomes: &Value) -> String {
    let counts = ["total_mutants", "unviable", "caught", "timeout", "missed"]
        .map(|count| outcomes[count].to_string())
        .join(" | ");
    format!("| `{package}` | {all} | {counts} |\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_sample_is_about_as_large_as_it_should_be() {
        assert_eq!(shard(5_957, 24, 1130), (134, 249));
        assert_eq!(shard(100, 100, 7), (0, 1));
        assert_eq!(shard(100, 1_000, 7), (0, 1));
        assert_eq!(shard(0, 0, 7), (0, 1));
    }

    #[test]
    fn a_row_counts_what_became_of_a_crate_and_what_was_missed_is_named() {
        let outcomes = json!({
            "outcomes": [
                {"scenario": "Baseline", "summary": "Success"},
                {"scenario": {"Mutant": {"name": "a.rs:1:1: delete !"}}, "summary": "MissedMutant"},
                {"scenario": {"Mutant": {"name": "b.rs:1:1: delete !"}}, "summary": "CaughtMutant"},
            ],
            "total_mutants": 7, "missed": 1, "caught": 3, "timeout": 0, "unviable": 2, "success": 0,
        });
        assert_eq!(
            row("bowline-collect", 797, &outcomes),
            "| `bowline-collect` | 797 | 7 | 2 | 3 | 0 | 1 |\n"
        );
        assert_eq!(
            missed(&outcomes).collect::<Vec<_>>(),
            ["a.rs:1:1: delete !"]
        );
    }
}
