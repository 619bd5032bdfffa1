//! The npm packages: one that starts the program, and one for the platform that carries it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::{Built, VERSION, unwritten};
use crate::process::{Failure, root, run_quietly, step};

/// The platforms that have a package, as npm and Rust name them.
const PLATFORMS: [(&str, &str, &str); 5] = [
    ("linux", "x64", "x86_64-unknown-linux-gnu"),
    ("linux", "arm64", "aarch64-unknown-linux-gnu"),
    ("darwin", "x64", "x86_64-apple-darwin"),
    ("darwin", "arm64", "aarch64-apple-darwin"),
    ("win32", "x64", "x86_64-pc-windows-msvc"),
];

/// Writes both, and gives their paths: the platform's first.
pub(super) fn write(built: &Built) -> Result<Vec<PathBuf>, Failure> {
    step("the npm packages");
    let (os, cpu, _) = PLATFORMS
        .into_iter()
        .find(|(_, _, triple)| *triple == built.triple)
        .ok_or_else(|| format!("there is no npm package for `{}`", built.triple))?;
    let staged = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;

    let carrier = staged.path().join("carrier");
    let mut description = described(
        &format!("bowline-{os}-{cpu}"),
        "The program `bowline` for one platform",
    );
    description["os"] = json!([os]);
    description["cpu"] = json!([cpu]);
    if os == "linux" {
        description["libc"] = json!(["glibc"]);
    }
    let binary = format!("bin/bowline{}", std::env::consts::EXE_SUFFIX);
    stage(
        &carrier,
        &description,
        &[
            (&built.binary, &binary),
            (&root().join("LICENSE"), "LICENSE"),
        ],
    )?;

    let starter = staged.path().join("starter");
    let mut description = described(
        "bowline",
        "Build connectors for data observability, and prove them against the live system",
    );
    description["bin"] = json!({"bowline": "bin/bowline.js"});
    description["optionalDependencies"] = PLATFORMS
        .into_iter()
        .map(|(os, cpu, _)| (format!("bowline-{os}-{cpu}"), json!(VERSION)))
        .collect::<serde_json::Map<String, Value>>()
        .into();
    let sources = root().join("packages/npm");
    stage(
        &starter,
        &description,
        &[
            (&sources.join("bin/bowline.js"), "bin/bowline.js"),
            (&sources.join("README.md"), "README.md"),
            (&root().join("LICENSE"), "LICENSE"),
        ],
    )?;
    [carrier, starter]
        .iter()
        .map(|folder| pack(built, folder))
        .collect()
}

fn described(name: &str, description: &str) -> Value {
    json!({
        "name": name,
        "version": VERSION,
        "description": description,
        "license": "Apache-2.0",
        "engines": {"node": ">=16"},
    })
}

/// Lays out a package.
fn stage(folder: &Path, description: &Value, files: &[(&Path, &str)]) -> Result<(), Failure> {
    let bin = folder.join("bin");
    std::fs::create_dir_all(&bin).map_err(|error| unwritten(&bin, &error))?;
    let package = folder.join("package.json");
    std::fs::write(&package, format!("{description:#}\n"))
        .map_err(|error| unwritten(&package, &error))?;
    for (from, name) in files {
        let to = folder.join(name);
        std::fs::copy(from, &to).map_err(|error| unwritten(&to, &error))?;
    }
    Ok(())
}

fn pack(built: &Built, folder: &Path) -> Result<PathBuf, Failure> {
    let said = run_quietly(
        Command::new("npm")
            .args(["pack", "--silent", "--pack-destination"])
            .arg(&built.folder)
            .current_dir(folder),
    )?;
    let name = said.lines().last().unwrap_or_default().trim();
    Ok(built.folder.join(name))
}
