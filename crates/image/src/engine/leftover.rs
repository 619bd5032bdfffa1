//! Images in an engine's store that are there only because something was built: what `bowline clean` removes.

use std::collections::BTreeSet;
use std::fmt;
use std::process::{Command, Stdio};

use super::{Engine, base};
use crate::plan::{CONNECTORS_LABEL, TestImage};

/// An image that is made again when it is wanted, or that nothing names any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leftover {
    /// That of tests, or a base that was loaded from a file, by its name.
    Named(String),
    /// One that a later build took the name from, by what the engine calls it.
    Untagged(String),
}

impl Leftover {
    /// How the engine is told which is meant.
    #[must_use]
    pub fn image(&self) -> &str {
        match self {
            Self::Named(image) | Self::Untagged(image) => image,
        }
    }
}

impl fmt::Display for Leftover {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => write!(out, "image {name}"),
            Self::Untagged(image) => write!(out, "untagged image {image}"),
        }
    }
}

impl Engine {
    /// The images in its store that only an earlier test or build has a use for.
    #[must_use]
    pub fn leftovers(self) -> Vec<Leftover> {
        let format = match self {
            Self::Docker | Self::Podman => "{{.Repository}}:{{.Tag}}",
            Self::Buildah => "{{.Name}}:{{.Tag}}",
        };
        let is_ours = |image: &String| {
            let bare = image.strip_prefix("localhost/").unwrap_or(image);
            bare.strip_suffix(":latest") == Some(TestImage::TAG) || base::is_loaded(image)
        };
        let named = self.images(&["--format", format]).into_iter();
        let mut leftovers: Vec<_> = named.filter(is_ours).map(Leftover::Named).collect();
        leftovers.extend(self.untagged().into_iter().map(Leftover::Untagged));
        leftovers
    }

    /// The images that a later test or build took the name from. Those of podman's and buildah's builds may be parts of
    /// a list, which would be broken without them; docker builds for one platform at a time.
    fn untagged(self) -> BTreeSet<String> {
        let (labels, shown) = match self {
            Self::Docker => (
                &[CONNECTORS_LABEL, TestImage::LABEL][..],
                &["--digests", "--format", "{{.ID}} {{.Digest}}"][..],
            ),
            Self::Podman | Self::Buildah => (&[TestImage::LABEL][..], &["--format", "{{.ID}}"][..]),
        };
        let listed = labels.iter().flat_map(|label| {
            let label = format!("label={label}");
            let dangling = ["--filter", "dangling=true", "--filter", &label];
            self.images(&[&dangling[..], shown].concat())
        });
        // What docker has pulled by its digest has no tag, either: somebody wants that.
        let is_nameless = |line: String| match line.split_once(' ') {
            None => Some(line),
            Some((image, "<none>")) => Some(image.to_owned()),
            Some(_) => None,
        };
        listed.filter_map(is_nameless).collect()
    }

    /// What its list of images says.
    fn images(self, arguments: &[&str]) -> Vec<String> {
        let Some(program) = self.find() else {
            return Vec::new();
        };
        let mut command = Command::new(program);
        command.arg("images").args(arguments).stdin(Stdio::null());
        let listed = command.output();
        let listed = listed.map_or_else(|_| Vec::new(), |output| output.stdout);
        let listed = String::from_utf8_lossy(&listed);
        listed.lines().map(str::to_owned).collect()
    }
}
