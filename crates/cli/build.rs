//! Finds out which commit is built, for `bowline --version`.

use std::process::Command;

fn main() {
    let version = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    // An unoptimized build is made after every edit; it need not be linked again after every commit too.
    let is_release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    println!("cargo::rerun-if-env-changed=BOWLINE_COMMIT");
    let commit = std::env::var("BOWLINE_COMMIT").ok().or_else(|| {
        is_release.then(|| {
            println!("cargo::rerun-if-changed=../../.git/HEAD");
            println!("cargo::rerun-if-changed=../../.git/logs/HEAD");
            git(&["log", "-1", "--format=%h %cs"])
        })?
    });
    let version = match commit {
        Some(commit) if !commit.is_empty() => format!("{version} ({commit})"),
        _ if is_release => version,
        _ => format!("{version} (unoptimized)"),
    };
    println!("cargo::rustc-env=BOWLINE_VERSION={version}");
}

/// What git says, where there is one and the sources are in a repository.
fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| said.trim().to_owned())
}
