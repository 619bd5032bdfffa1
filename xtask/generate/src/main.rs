//! Writes the files that are generated from the code, or with `--check` says which of them are stale.
//!
//! To generate another file, add a row to [`files`].
#![expect(
    clippy::print_stderr,
    reason = "a chore talks to the person who runs it"
)]

mod mutants;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bowline_contract::reference;

/// What to do with the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Write,
    Check,
}

/// Every generated file: its path below the repository's root, and its text.
fn files() -> Vec<(PathBuf, String)> {
    let reference = Path::new("docs/reference");
    let schemas = bowline_warehouse::schemas()
        .into_iter()
        .chain(bowline_pipeline::description::schemas())
        .map(|(name, text)| (Path::new("schemas").join(name), text));
    let mut files = vec![
        (
            reference.join("templates.md"),
            reference::templates_markdown(),
        ),
        (
            reference.join("events.md"),
            bowline_contract::pipeline::events_markdown(),
        ),
        (reference.join("metrics.md"), reference::metrics_markdown()),
        (
            reference.join("exit-codes.md"),
            reference::exit_codes_markdown(),
        ),
        (reference.join("cli.md"), bowline_cli::reference_markdown()),
        (reference.join("mutants.md"), mutants::markdown()),
        (
            reference.join("pipeline-connector.md"),
            bowline_pipeline::description::reference_markdown(),
        ),
        (
            reference.join("test-report.schema.json"),
            bowline_report::schema(),
        ),
    ];
    files.extend(schemas);
    files
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let mode = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => Mode::Write,
        ["--check"] => Mode::Check,
        _ => {
            eprintln!("usage: cargo xtask generate [--check]");
            return ExitCode::from(2);
        }
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    match settle(&root, mode) {
        Ok(stale) if stale.is_empty() || mode == Mode::Write => ExitCode::SUCCESS,
        Ok(stale) => {
            for path in stale {
                eprintln!("error: generated file is stale: `{}`", path.display());
            }
            eprintln!("hint: run `cargo xtask generate`");
            ExitCode::FAILURE
        }
        Err((path, error)) => {
            eprintln!(
                "error: cannot settle generated file: `{}`: {error}",
                path.display()
            );
            ExitCode::FAILURE
        }
    }
}

/// Gives the paths that were stale; writes them anew in mode `Write`.
fn settle(root: &Path, mode: Mode) -> Result<Vec<PathBuf>, (PathBuf, io::Error)> {
    let mut stale = Vec::new();
    for (path, text) in files() {
        let place = root.join(&path);
        let current = match fs::read_to_string(&place) {
            Ok(current) => Some(current),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err((path, error)),
        };
        if current.as_ref() == Some(&text) {
            continue;
        }
        if mode == Mode::Write {
            let written = place
                .parent()
                .map_or(Ok(()), fs::create_dir_all)
                .and_then(|()| fs::write(&place, text));
            if let Err(error) = written {
                return Err((path, error));
            }
            eprintln!("wrote {}", path.display());
        }
        stale.push(path);
    }
    Ok(stale)
}
