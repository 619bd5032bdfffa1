//! Running other programs, and where their results are kept between runs.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A chore's failure, in words for the person who ran it.
pub(crate) type Failure = String;

/// The repository's root folder.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// The folder cargo builds into, where our own binary stands too: `<target>/debug/xtask`.
pub(crate) fn target() -> Result<PathBuf, Failure> {
    let own =
        std::env::current_exe().map_err(|error| format!("cannot find our own binary: {error}"))?;
    own.ancestors()
        .nth(2)
        .map(Path::to_owned)
        .ok_or_else(|| format!("not a cargo target folder: `{}`", own.display()))
}

/// The folder for what is made once and kept: the oracles' venv, drivers.
pub(crate) fn cache() -> Result<PathBuf, Failure> {
    let parent = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cache")))
        .ok_or("no cache folder: neither `XDG_CACHE_HOME` nor a home folder is known")?;
    let cache = parent.join("bowline");
    std::fs::create_dir_all(&cache).map_err(|error| {
        format!(
            "cannot make the cache folder `{}`: {error}",
            cache.display()
        )
    })?;
    Ok(cache)
}

/// Says which step begins.
pub(crate) fn step(text: &str) {
    eprintln!("==> {text}");
}

/// Cargo, in the repository.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).args(args);
    command
}

/// Runs a program to its end, its output going where ours goes.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    let name = shown(command);
    let status = command
        .stdin(Stdio::null())
        .status()
        .map_err(|error| format!("cannot run `{name}`: {error}"))?;
    status
        .success()
        .then_some(())
        .ok_or_else(|| format!("`{name}` failed ({status})"))
}

/// Runs a program to its end and keeps its output, which is shown only when it fails.
pub(crate) fn run_quietly(command: &mut Command) -> Result<String, Failure> {
    let name = shown(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot run `{name}`: {error}"))?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    if output.status.success() {
        return Ok(stdout.into_owned());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    Err(format!(
        "`{name}` failed ({})\n{stdout}{stderr}",
        output.status
    ))
}

fn shown(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}
