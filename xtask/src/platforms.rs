//! Whether the program compiles for the platforms that the tests do not run on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{self, Failure, cargo, run_quietly, step};
use crate::provide::package_tools;

/// Each target, and the name that the C compiler of the packages' tools has for it.
const TARGETS: [(&str, &str); 2] = [
    ("x86_64-pc-windows-gnu", "x86_64-windows-gnu"),
    ("aarch64-apple-darwin", "aarch64-macos"),
];

/// Checks the program for each target whose standard library can be had.
pub(crate) fn check() -> Result<(), Failure> {
    let tools = package_tools()?;
    let folder = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
    for (target, compiler_target) in TARGETS {
        step(&format!("the program for {target}"));
        if let Err(reason) = run_quietly(Command::new("rustup").args(["target", "add", target])) {
            eprintln!("left out: whether the program compiles for {target}: {reason}");
            continue;
        }
        let python = tools.join("python");
        let compiler = compiler(folder.path(), &python, compiler_target)?;
        let archiver = archiver(folder.path(), &python)?;
        let variable = |name: &str| format!("{name}_{}", target.replace('-', "_"));
        process::run(
            cargo(&[
                "check",
                "--package",
                "bowline",
                "--locked",
                "--target",
                target,
            ])
            .env(variable("CC"), compiler)
            .env(variable("AR"), archiver),
        )?;
    }
    Ok(())
}

/// A C compiler for a target. It names targets in its own way, so what build scripts call them is left out.
fn compiler(folder: &Path, python: &Path, target: &str) -> Result<PathBuf, Failure> {
    let script = format!(
        r#"for argument in "$@"; do
    shift
    case $argument in --target=*) ;; *) set -- "$@" "$argument" ;; esac
done
exec '{}' -m ziglang cc -target {target} "$@""#,
        python.display()
    );
    program(&folder.join(format!("cc-{target}")), &script)
}

fn archiver(folder: &Path, python: &Path) -> Result<PathBuf, Failure> {
    let script = format!("exec '{}' -m ziglang ar \"$@\"", python.display());
    program(&folder.join("ar"), &script)
}

fn program(path: &Path, script: &str) -> Result<PathBuf, Failure> {
    let written = fs::write(path, format!("#!/bin/sh\n{script}\n")).and_then(|()| executable(path));
    written.map_err(|error| format!("cannot write `{}`: {error}", path.display()))?;
    Ok(path.to_owned())
}

#[cfg(unix)]
fn executable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn executable(_path: &Path) -> std::io::Result<()> {
    Ok(())
}
