//! The npm packages: one that starts the program, and one for the platform that carries it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::{Built, VERSION, third_party, unwritten};
use crate::process::{Failure, root, run_quietly, step};

/// The platforms that have a package, as npm and Rust name them.
const PLATFORMS: [(&str, &str, &str); 5] = [
    ("linux", "x64", "x86_64-unknown-linux-gnu"),
    ("linux", "arm64", "aarch64-unknown-linux-gnu"),
    ("darwin", "x64", "x86_64-apple-darwin"),
    ("darwin", "arm64", "aarch64-apple-darwin"),
    ("win32", "x64", "x86_64-pc-windows-msvc"),
];

/// The targets that have a package.
#[cfg(test)]
pub(super) fn triples() -> impl Iterator<Item = &'static str> {
    PLATFORMS.into_iter().map(|(_, _, triple)| triple)
}

/// Writes both, and gives their paths: the platform's first.
pub(super) fn write(built: &Built) -> Result<Vec<PathBuf>, Failure> {
    step("the npm packages");
    let (os, cpu, _) = PLATFORMS
        .into_iter()
        .find(|(_, _, triple)| *triple == built.triple)
        .ok_or_else(|| format!("there is no npm package for `{}`", built.triple))?;
    let staged = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;

    let of_environment = |name: &str| std::env::var(name).ok();
    let carrier = staged.path().join("carrier");
    let mut description = described(
        &format!("bowline-{os}-{cpu}"),
        "The program `bowline` for one platform",
        of_environment,
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
            (&built.licences, third_party::PAGE),
        ],
    )?;

    let starter = staged.path().join("starter");
    let mut description = described(
        "bowline",
        "Build connectors for data observability, and prove them against the live system",
        of_environment,
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

/// A package's description. A workflow's environment names the repository, which npm compares with the attestation of
/// where the package was built.
fn described(name: &str, description: &str, variable: impl Fn(&str) -> Option<String>) -> Value {
    let mut package = json!({
        "name": name,
        "version": VERSION,
        "description": description,
        "license": "Apache-2.0",
        "engines": {"node": ">=16"},
    });
    if let (Some(server), Some(repository)) =
        (variable("GITHUB_SERVER_URL"), variable("GITHUB_REPOSITORY"))
    {
        let url = format!("git+{server}/{repository}.git");
        package["repository"] = json!({"type": "git", "url": url});
    }
    package
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_names_the_repository_of_the_workflow_that_built_it() {
        let by_workflow = described("bowline", "", |name| match name {
            "GITHUB_SERVER_URL" => Some("https://forge.example".to_owned()),
            "GITHUB_REPOSITORY" => Some("ann/bowline".to_owned()),
            _ => None,
        });
        assert_eq!(
            by_workflow["repository"]["url"],
            "git+https://forge.example/ann/bowline.git"
        );
        let by_hand = described("bowline", "", |_| None);
        assert!(by_hand.get("repository").is_none(), "{by_hand}");
    }
}
