//! Images that an engine of this machine has in its own store, for the builder that needs none.

use std::process::Command;

use bowline_oci::registry::Reference;
use bowline_oci::{Cancel, Platform};

use super::base::BaseFile;
use super::{Engine, Run};
use crate::error::ImageError;
use crate::event::BuildEvent;

/// Takes the image of this name from the first of the engines that has it for the platform, and says so.
pub(crate) fn take_stored(
    engines: &[Engine],
    reference: &str,
    platform: &Platform,
    cancel: &Cancel,
    on_event: &mut dyn FnMut(BuildEvent),
) -> Result<Option<BaseFile>, ImageError> {
    let Some(engine) = engines
        .iter()
        .find(|engine| engine.has(reference, platform))
    else {
        return Ok(None);
    };
    on_event(BuildEvent::Step(format!(
        "`{reference}` is in the store of {}: no registry is asked for it",
        engine.name()
    )));
    let stored = BaseFile::new()?;
    let file = stored.path().display().to_string();
    let mut run = Run {
        engine: *engine,
        program: engine.program()?,
        cancel,
        on_event,
    };
    match engine {
        Engine::Docker => run.call(&["save", "--output", &file, reference], "docker save")?,
        Engine::Podman => run.call(
            &[
                "save",
                "--quiet",
                "--format",
                "docker-archive",
                "--output",
                &file,
                reference,
            ],
            "podman save",
        )?,
        Engine::Buildah => run.call(
            &[
                "push",
                "--quiet",
                reference,
                &format!("docker-archive:{file}"),
            ],
            "buildah push",
        )?,
    };
    Ok(Some(stored))
}

impl Engine {
    /// Whether an image of this name, made for the platform, is in the engine's own store. Nothing is pulled for that.
    pub(super) fn has(self, reference: &str, platform: &Platform) -> bool {
        let format = match self {
            Self::Docker | Self::Podman => "{{.Os}}/{{.Architecture}}",
            Self::Buildah => "{{.OCIv1.OS}}/{{.OCIv1.Architecture}}",
        };
        self.inspected(reference, format)
            .and_then(|text| {
                let (os, architecture) = text.trim().split_once('/')?;
                Some(Platform {
                    os: os.to_owned(),
                    architecture: architecture.to_owned(),
                    variant: None,
                })
            })
            .is_some_and(|own| own.fits(platform))
    }

    /// The digest of an image in the engine's own store. Docker knows none of what no registry has had, and several of
    /// what several have.
    pub(super) fn digest(self, reference: &str) -> Option<String> {
        let format = match self {
            Self::Docker => "{{range .RepoDigests}}{{println .}}{{end}}",
            Self::Podman => "{{.Digest}}",
            Self::Buildah => "{{.FromImageDigest}}",
        };
        let said = self.inspected(reference, format)?;
        let digest = match self {
            Self::Docker => said.lines().find_map(|line| digest_in(line, reference)),
            Self::Podman | Self::Buildah => said.lines().next(),
        };
        let digest = digest.filter(|digest| digest.starts_with("sha256:"))?;
        Some(digest.to_owned())
    }

    /// What the engine says of an image in its own store, as the format wants it; nothing where it has no such image.
    fn inspected(self, reference: &str, format: &str) -> Option<String> {
        let mut command = Command::new(self.find()?);
        command.args(["inspect", "--type", "image", "--format", format, reference]);
        let output = command.output().ok()?;
        let text = output.status.success().then_some(output.stdout)?;
        String::from_utf8(text).ok()
    }
}

/// The digest of a line `REPOSITORY@DIGEST`, if that is the repository of the reference.
fn digest_in<'a>(line: &'a str, reference: &str) -> Option<&'a str> {
    let (repository, digest) = line.split_once('@')?;
    let of_line: Reference = repository.parse().ok()?;
    let wanted: Reference = reference.parse().ok()?;
    let place = |of: &Reference| (of.registry().to_owned(), of.repository().to_owned());
    (place(&of_line) == place(&wanted)).then_some(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_that_of_the_bases_own_repository() {
        let hub = "agent/agent@sha256:0a";
        let mirror = "mirror.example:5000/agent/agent@sha256:0b";
        for (reference, in_hub, in_mirror) in [
            ("agent/agent:1", Some("sha256:0a"), None),
            ("docker.io/agent/agent:1", Some("sha256:0a"), None),
            ("mirror.example:5000/agent/agent", None, Some("sha256:0b")),
            ("other:1", None, None),
        ] {
            assert_eq!(digest_in(hub, reference), in_hub, "{reference}");
            assert_eq!(digest_in(mirror, reference), in_mirror, "{reference}");
        }
    }
}
