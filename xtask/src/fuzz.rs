//! `cargo xtask fuzz [--release] [TARGET...] [--seconds N | --inputs N] [--seed S]`: a package of its own does it, since
//! it needs every crate that parses.
//!
//! Unoptimized code is slower, but is built already and stops where a number overflows.

use crate::process::{self, Failure, cargo};

/// Asks for optimized code.
const RELEASE: &str = "--release";

pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    let (release, rest): (Vec<&String>, Vec<&String>) =
        args.iter().partition(|arg| *arg == RELEASE);
    process::run(
        cargo(&["run", "--quiet", "--package", "bowline-fuzz"])
            .args(release)
            .arg("--")
            .args(rest),
    )
}
