//! `bowline clean`: removes what is kept only to save time.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bowline_connector::Workspace;
use bowline_image::engine::Engine;
use bowline_oci::cache::BlobCache;
use bowline_words::visible;

use super::build::summary::bytes;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;
use crate::listing::Listing;
use crate::style::{GOOD, QUIET, paint};

/// Remove what is made again when it is wanted: caches, and the images that tests in a container, engines' builds and bases in files leave.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Reports, evidence, exports, installed drivers and where collections ended stay; the bases that all \
                        workspaces share go.\nRun it when nothing else of Bowline runs."
)]
pub(crate) struct CleanArgs {
    /// Only say what would go
    #[arg(long)]
    dry_run: bool,
}

/// The folders of a workspace's state that are made again.
const MADE_AGAIN: [&str; 3] = ["images", "drivers", "python"];

impl CleanArgs {
    pub(crate) fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        let state = Workspace::find(&context.directory)?.state_dir();
        let blobs = BlobCache::of_user(|name| std::env::var_os(name).map(PathBuf::from));
        let folders = MADE_AGAIN.map(|name| state.join(name)).into_iter();
        let folders = folders.chain(blobs.map(|blobs| blobs.folder().to_owned()));
        let mut gone = Vec::new();
        let mut stuck = Vec::new();
        for folder in folders.filter(|folder| folder.is_dir()) {
            let size = size(&folder);
            if !self.dry_run {
                fs::remove_dir_all(&folder).map_err(|error| CliError::write(&folder, error))?;
            }
            let shown = context.shown(&folder).display().to_string();
            gone.push(format!("{shown}, {}", bytes(size)));
        }
        // Buildah's store is Podman's.
        let is_asked =
            |engine: &Engine| *engine != Engine::Buildah || Engine::Podman.find().is_none();
        for engine in Engine::ALL.into_iter().filter(is_asked) {
            for image in engine.leftovers() {
                let shown = format!("{image} of {}", engine.name());
                if !self.dry_run
                    && let Err(words) = remove(engine, image.image())
                {
                    stuck.push(format!("cannot remove {shown}: {words}"));
                } else {
                    gone.push(shown);
                }
            }
        }
        let (mark, verb) = if self.dry_run {
            (paint(QUIET, "-"), "would remove")
        } else {
            (paint(GOOD, "✓"), "removed")
        };
        let mut listing = Listing::default();
        for gone in &gone {
            listing.line(format!("{mark} {verb} {gone}"));
        }
        if gone.is_empty() && stuck.is_empty() {
            listing.line("nothing to remove");
        }
        context.printer.text(&listing.finish())?;
        if stuck.is_empty() {
            return Ok(Ended::Fine);
        }
        Err(CliError::usage(
            stuck.join("; "),
            "end what uses it, then run `bowline clean` again",
        ))
    }
}

/// Removes an image from an engine's store; else what the engine says.
fn remove(engine: Engine, image: &str) -> Result<(), String> {
    let mut command = Command::new(engine.name());
    command.args(["rmi", image]);
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(visible(String::from_utf8_lossy(&output.stderr).trim()))
}

/// How many bytes the files below a folder have. What cannot be read counts for nothing.
fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| -> io::Result<u64> {
            let about = entry.metadata()?;
            Ok(if about.is_dir() {
                size(&entry.path())
            } else {
                about.len()
            })
        })
        .map(Result::unwrap_or_default)
        .sum()
}
