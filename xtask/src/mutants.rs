//! `cargo xtask mutants [OPTION...]`: a package of its own does it, since it needs the suite and every driver.

use std::ffi::OsString;

use crate::process::{self, Failure, cargo, step};
use crate::provide::driver_folder;

/// How many mutants of each pack the test run tries.
const SAMPLE: &str = "150";

/// How many of those of the catalogue that are planted by hand: each costs a run of two sections.
const OF_CATALOGUE: &str = "8";

/// What draws them, the same each time: a change must not fail for what another one did. `cargo xtask mutants` draws others.
const SEED: &str = "3665684617";

/// The sections whose templates are held to it; the checks of the others let more pass yet.
const HELD: [&str; 12] = [
    "custom_sql_monitor",
    "core_query_building",
    "dialect_capability_flags",
    "null_and_nan_handling",
    "comparison_operators",
    "aggregation_functions",
    "math_functions",
    "field_operations",
    "string_and_literal_handling",
    "string_functions",
    "type_casting",
    "rca_and_advanced_functions",
];

pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    with(args, &[])
}

/// Samples, drawn by a seed that is printed, and all right spellings, for the test run: with what it has at hand.
pub(crate) fn sample(environment: &[(&str, OsString)]) -> Result<(), Failure> {
    step("mutants");
    let drawn = |sample: &str, sections: &[&str], more: &[&str]| {
        let sections = sections.iter().flat_map(|section| ["--section", section]);
        let args: Vec<String> = ["--sample", sample, "--seed", SEED]
            .into_iter()
            .chain(sections)
            .chain(more.iter().copied())
            .map(str::to_owned)
            .collect();
        with(&args, environment)
    };
    drawn(SAMPLE, &HELD, &[])?;
    let catalogue = ["metadata", "query_logs"];
    drawn(OF_CATALOGUE, &catalogue, &["--operator", "by hand"])
}

fn with(args: &[String], environment: &[(&str, OsString)]) -> Result<(), Failure> {
    let mut chore = cargo(&["run", "--quiet", "--package", "bowline-mutants", "--"]);
    chore.args(args).env("BOWLINE_DRIVER_DIR", driver_folder()?);
    process::run(chore.envs(environment.iter().cloned()))
}
