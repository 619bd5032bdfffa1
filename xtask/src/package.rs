//! `cargo xtask package [--unoptimized] [--try] [--image BASE]`: what people install, for the platform it runs on.
//!
//! An archive with the binary, manual pages, completions and licences; a wheel and npm packages that carry the same
//! program; checksums and a bill of materials; with a base, a container image. `--try` installs each in a
//! fresh place and runs the demo with it, in a container too where a Docker engine can be started.

mod archive;
mod image;
mod installed;
mod npm;
mod third_party;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use bowline_servers::Docker;

use crate::process::{self, Failure, cargo, root, run_quietly, step, target};
use crate::provide::package_tools;

/// The version of everything here.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What is packed.
struct Built {
    /// The program.
    binary: PathBuf,
    /// The target triple it is for.
    triple: String,
    profile: Profile,
    /// Where packages are written.
    folder: PathBuf,
    /// The crates of others that it is linked with.
    crates: Vec<third_party::Crate>,
    /// The page of their licences, which travels with every package.
    licences: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Profile {
    /// What is published.
    Release,
    /// What tests have at hand.
    Unoptimized,
}

impl Profile {
    fn name(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Unoptimized => "dev",
        }
    }

    fn folder(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Unoptimized => "debug",
        }
    }
}

pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    let mut profile = Profile::Release;
    let mut tries = false;
    let mut base = None;
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--unoptimized" => profile = Profile::Unoptimized,
            "--try" => tries = true,
            "--image" => base = Some(args.next().ok_or("`--image` needs a base")?),
            other => {
                return Err(format!(
                    "unknown option: `{other}`\nhint: there are `--unoptimized`, `--try` and `--image BASE`"
                ));
            }
        }
    }
    let built = build(profile)?;
    let archive = archive::write(&built)?;
    let wheel = wheel(&built)?;
    let npm = npm::write(&built)?;
    if let Some(base) = base {
        println!("{}", image::write(&built, base)?.display());
    }
    for made in [&archive, &wheel].into_iter().chain(&npm) {
        println!("{}", made.display());
    }
    if tries {
        installed::try_archive(&built)?;
        installed::try_wheel(&wheel)?;
        installed::try_npm(&npm)?;
        if Docker::is_installed() {
            installed::try_image(&built)?;
        }
    }
    Ok(())
}

/// Names the oldest C library that a release for Linux must run with, such as `2.17`.
const GLIBC: &str = "BOWLINE_GLIBC";

/// Builds the program.
fn build(profile: Profile) -> Result<Built, Failure> {
    step("the program");
    let said = run_quietly(Command::new("rustc").arg("-vV"))?;
    let triple = said
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .ok_or("rustc does not say what it builds for")?;
    let wanted = ["--package", "bowline", "--profile", profile.name()];
    let made_in = match std::env::var(GLIBC) {
        Ok(glibc) => {
            let target_name = format!("{triple}.{glibc}");
            let mut command = cargo(&["zigbuild", "--target", &target_name]);
            process::run(command.args(wanted).env("PATH", path_of_tools()?))?;
            target()?.join(triple)
        }
        Err(_) => {
            process::run(cargo(&["build"]).args(wanted))?;
            target()?
        }
    };
    let folder = target()?.join("packages");
    // What an earlier version left would be published too.
    if folder.exists() {
        std::fs::remove_dir_all(&folder).map_err(|error| unwritten(&folder, &error))?;
    }
    std::fs::create_dir_all(&folder).map_err(|error| unwritten(&folder, &error))?;
    let crates = third_party::crates(triple)?;
    // The wheel takes no file from outside of its folder.
    let licences = root().join("packages/python").join(third_party::PAGE);
    std::fs::write(&licences, third_party::licences(&crates)?)
        .map_err(|error| unwritten(&licences, &error))?;
    let binary = format!("bowline{}", std::env::consts::EXE_SUFFIX);
    Ok(Built {
        binary: made_in.join(profile.folder()).join(binary),
        triple: triple.to_owned(),
        profile,
        folder,
        crates,
        licences,
    })
}

/// `PATH` with the programs that build packages before all others.
fn path_of_tools() -> Result<OsString, Failure> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(package_tools()?).chain(std::env::split_paths(&path));
    std::env::join_paths(folders).map_err(|error| format!("cannot extend PATH: {error}"))
}

/// Builds the wheel, and gives its path.
fn wheel(built: &Built) -> Result<PathBuf, Failure> {
    step("the wheel");
    let mut command = Command::new(package_tools()?.join("maturin"));
    command
        .env("PATH", path_of_tools()?)
        .args(["build", "--profile", built.profile.name(), "--out"])
        .arg(&built.folder)
        .arg("--target-dir")
        .arg(target()?)
        .current_dir(root().join("packages/python"));
    if let Ok(glibc) = std::env::var(GLIBC) {
        let policy = format!("manylinux_{}", glibc.replace('.', "_"));
        command.args([
            "--zig",
            "--target",
            &built.triple,
            "--compatibility",
            &policy,
        ]);
    } else if built.profile == Profile::Unoptimized {
        // It is for this machine only.
        command.args(["--compatibility", "linux"]);
    }
    run_quietly(&mut command)?;
    one_file(&built.folder, ".whl")
}

/// The one file of a folder with that ending.
fn one_file(folder: &Path, ending: &str) -> Result<PathBuf, Failure> {
    let entries = std::fs::read_dir(folder)
        .map_err(|error| format!("cannot read `{}`: {error}", folder.display()))?;
    let found: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.to_string_lossy().ends_with(ending))
        .collect();
    match found.as_slice() {
        [one] => Ok(one.clone()),
        several => Err(format!(
            "expected one file `*{ending}` in `{}`, there are {}",
            folder.display(),
            several.len()
        )),
    }
}

fn unwritten(path: &Path, error: &std::io::Error) -> Failure {
    format!("cannot write `{}`: {error}", path.display())
}
