//! What an image is asked to hold.

use std::path::{Path, PathBuf};

use bowline_contract::manifest::AssetClass;
use bowline_contract::{ConnectorName, layout};
use bowline_oci::Platform;

use super::{BaseImage, PlannedFile};
use crate::error::ImageError;

/// A connector of the workspace that may go into an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its name.
    pub name: ConnectorName,
    /// What it connects to.
    pub class: AssetClass,
    /// Its folder.
    pub dir: PathBuf,
    /// The files of the workspace's dialect packs that it extends. The export has what they come to; they do not ship.
    pub packs: Vec<PathBuf>,
    /// Where its export is, or would be; pipeline connectors have none.
    pub export: PathBuf,
}

impl Candidate {
    fn is_exported(&self) -> bool {
        self.export.join(layout::MANIFEST_FILE).is_file()
    }
}

/// What to do about metadata, as asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ModeChoice {
    /// Whatever each connector can.
    #[default]
    Auto,
    /// The agent reads metadata.
    Full,
    /// Somebody else pushes the metadata.
    Hybrid,
}

/// What lets the stock agent run connectors that are not in Python.
pub trait Runtime {
    /// What a connector needs in an image for these platforms: at least a `connector.py` in its folder there, `root`.
    ///
    /// `own` are the files of its folder, as they would be under `root`, already without anything secret; what of them
    /// is needed, and where, is up to the runtime. The manifest that ships, the exported templates and
    /// `Dockerfile.extra` are put beside its files whatever it gives.
    ///
    /// # Errors
    /// When something that it needs cannot be had for one of the platforms.
    fn provide(
        &self,
        connector: &Candidate,
        root: &str,
        own: &[PlannedFile],
        platforms: &[Platform],
    ) -> Result<RuntimeFiles, ImageError>;
}

/// What a connector without Python needs in an image.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RuntimeFiles {
    /// Files of this connector alone, all under its folder in the image; those of its own folder that it needs too.
    pub own: Vec<PlannedFile>,
    /// Files that it shares with others; equal ones of several connectors go in once.
    pub shared: Vec<PlannedFile>,
}

/// What is asked for.
pub struct PlanRequest<'a> {
    /// The workspace's root.
    pub workspace: &'a Path,
    /// The connectors that go in.
    pub connectors: &'a [Candidate],
    /// What to do about metadata.
    pub mode: ModeChoice,
    /// The version of the stock agent; it is part of the default base and of the default tag.
    pub version: Option<&'a str>,
    /// What to build on instead of the stock agent.
    pub base: Option<BaseImage>,
    /// The platforms; `linux/amd64` when empty.
    pub platforms: &'a [Platform],
    /// The image's name, if it has one.
    pub tag: Option<&'a str>,
    /// Folders of connectors that go in although what ships is not what was proven.
    pub unproven: &'a [PathBuf],
    /// Files that go in although they hold a secret.
    pub secrets: &'a [PathBuf],
    /// What runs connectors that are not in Python.
    pub runtime: &'a dyn Runtime,
}

/// The connectors that an image gets when none is named: every exported warehouse connector and every pipeline
/// connector. Gives them, and the names of those that were left out.
#[must_use]
pub fn choose(all: Vec<Candidate>) -> (Vec<Candidate>, Vec<ConnectorName>) {
    let (chosen, left_out): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|each| each.class == AssetClass::Pipeline || each.is_exported());
    (chosen, left_out.into_iter().map(|each| each.name).collect())
}
