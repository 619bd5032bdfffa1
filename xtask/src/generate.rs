//! `cargo xtask generate [--check]`: a package of its own does it, since it needs every crate and we want to
//! start at once.

use crate::process::{self, Failure, cargo};

pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    process::run(cargo(&["run", "--quiet", "--package", "bowline-generate", "--"]).args(args))
}
