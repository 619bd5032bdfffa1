//! Builders that a machine may have: docker, podman, buildah. The build context is written to a temporary folder, and
//! the program does the rest.

mod base;
mod context;
mod leftover;
mod login;
mod process;
mod store;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

pub(crate) use base::BaseFile;
use base::{LoadableBase, NamedBase};
use bowline_oci::registry::{Access, Reference};
use bowline_oci::{Cancel, Platform};
use bowline_process::{find_program, run_into};
pub use leftover::Leftover;
pub(crate) use store::take_stored;

use crate::error::{ImageError, ImageErrorKind, from_oci};
use crate::event::BuildEvent;
use crate::native::check_python;
use crate::plan::{BaseImage, ImagePlan, TestImage};
use crate::work::WorkFolder;

/// How long an engine may take to say whether it can work.
const PATIENCE: Duration = Duration::from_secs(10);

/// A program that builds images from Dockerfiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Engine {
    /// `docker`, which needs its daemon.
    Docker,
    /// `podman`.
    Podman,
    /// `buildah`.
    Buildah,
}

/// An image that an engine has built and keeps in its own store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineBuilt {
    /// The engine's own names of the images, with the platform each is for.
    pub images: Vec<(Platform, String)>,
    /// Whether it was pushed to its registry.
    pub pushed: bool,
}

/// What is done besides building.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// Push the image to the registry that its tag names.
    pub push: bool,
    /// How the registry is asked whether a push would be let in, and what stops the build.
    pub access: Access,
}

impl Engine {
    /// All of them, in the order in which they are looked for.
    pub const ALL: [Self; 3] = [Self::Docker, Self::Podman, Self::Buildah];

    /// The program's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Buildah => "buildah",
        }
    }

    /// Where the program is, if it is on the path.
    #[must_use]
    pub fn find(self) -> Option<PathBuf> {
        find_program(self.name())
    }

    /// Whether the program is there and can work; for docker that its daemon answers.
    #[must_use]
    pub fn is_ready(self) -> bool {
        let arguments = match self {
            Self::Docker => ["version", "--format={{.Server.Version}}"].as_slice(),
            Self::Podman | Self::Buildah => &["--version"],
        };
        let (Some(program), Ok(said)) = (self.find(), tempfile::tempfile()) else {
            return false;
        };
        let mut command = Command::new(program);
        let ended = run_into(said, command.args(arguments), Some(PATIENCE), &|| false);
        ended.is_ok_and(|ended| ended.is_some_and(|ended| ended.status.success()))
    }

    /// The first that is there and can work.
    #[must_use]
    pub fn first_ready() -> Option<Self> {
        Self::ALL.into_iter().find(|engine| engine.is_ready())
    }

    fn program(self) -> Result<PathBuf, ImageError> {
        let lacking = |thing: String, remedy: &str| {
            ImageError::new(ImageErrorKind::Engine, thing).hint(format!(
                "{remedy}, or use `--builder native`, which needs no engine"
            ))
        };
        let program = self.find().ok_or_else(|| {
            lacking(
                format!("`{}` is not on the path", self.name()),
                "install it",
            )
        })?;
        if self == Self::Docker && !self.is_ready() {
            let thing = "docker's daemon does not answer".to_owned();
            return Err(lacking(thing, "start it"));
        }
        Ok(program)
    }
}

/// Builds the image with an engine, for one platform after the other, and gives it its tag.
///
/// # Errors
/// When the engine is not there, cannot use the base, or its build fails; its last words are among the causes.
pub fn build(
    plan: &ImagePlan,
    engine: Engine,
    options: &EngineOptions,
    on_event: &mut dyn FnMut(BuildEvent),
) -> Result<EngineBuilt, ImageError> {
    let mut run = Run {
        engine,
        program: engine.program()?,
        cancel: &options.access.cancel,
        on_event,
    };
    if options.push {
        let asked = (engine, run.program.as_path());
        login::ask_to_push(asked, &plan.tag, &options.access, run.on_event)?;
    }
    let several = plan.platforms.len() > 1;
    if several && engine == Engine::Docker {
        let platforms: Vec<String> = plan.platforms.iter().map(Platform::to_string).collect();
        return Err(ImageError::new(
            ImageErrorKind::Engine,
            format!(
                "docker keeps one platform under one name, not {}",
                platforms.join(" and ")
            ),
        )
        .hint("use `--builder native`, or build one platform at a time".to_owned()));
    }
    // What a Dockerfile.extra does may bring one, and of a base elsewhere the engine alone knows what it holds.
    let brings_none = plan.connectors.iter().all(|each| each.extra.is_none());
    if brings_none && !matches!(plan.base, BaseImage::Reference(_)) {
        for platform in &plan.platforms {
            check_python(&plan.base, platform, run.cancel)?;
        }
    }
    let mut images = Vec::new();
    for platform in &plan.platforms {
        let mut base = run.base(&plan.base, platform)?;
        if base.digest.is_none() {
            base.digest = run.digest(&base.name, platform);
        }
        (run.on_event)(BuildEvent::Step(format!(
            "building for {platform} with {}",
            engine.name()
        )));
        let context = context::write(plan, platform, &base)?;
        // What has no name looks left over, and a list of nameless images is broken once somebody clears those away.
        let tag = if several {
            part(&plan.tag, platform)
        } else {
            plan.tag.clone()
        };
        let image = run.build(context.path(), platform, &tag, (Network::Usual, &[]))?;
        images.push((platform.clone(), image));
    }
    if several {
        run.join(&plan.tag, &images)?;
    }
    if options.push {
        (run.on_event)(BuildEvent::Step(format!("pushing {}", plan.tag)));
        run.push(&plan.tag, several)?;
    }
    Ok(EngineBuilt {
        images,
        pushed: options.push,
    })
}

/// Builds the image to test in, from the folder that holds its Dockerfile and over its base, for this machine's own
/// processor. What runs in it has the machine's network.
///
/// # Errors
/// When the engine is not there or its build fails.
pub fn build_test_image(
    (folder, base): (&Path, &BaseImage),
    engine: Engine,
    platform: &Platform,
    cancel: &Cancel,
    on_event: &mut dyn FnMut(BuildEvent),
) -> Result<String, ImageError> {
    let mut run = Run {
        engine,
        program: engine.program()?,
        cancel,
        on_event,
    };
    let name = run.base(base, platform)?.name;
    let argument = format!("{}={name}", TestImage::BASE_ARGUMENT);
    let more = ["--build-arg", argument.as_str()];
    let more: &[&str] = if name == base.shown() { &[] } else { &more };
    run.build(folder, platform, TestImage::TAG, (Network::Host, more))
}

/// What an image is called that is for one of the platforms of this one.
fn part(tag: &str, platform: &Platform) -> String {
    let Platform {
        architecture,
        variant,
        ..
    } = platform;
    format!(
        "{tag}-{architecture}{}",
        variant.as_deref().unwrap_or_default()
    )
}

/// What network a build's commands have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Network {
    /// The one that the engine gives.
    Usual,
    /// The machine's own.
    Host,
}

/// An engine at work.
struct Run<'a> {
    engine: Engine,
    program: PathBuf,
    cancel: &'a Cancel,
    on_event: &'a mut dyn FnMut(BuildEvent),
}

impl Run<'_> {
    fn call(&mut self, arguments: &[&str], what: &str) -> Result<String, ImageError> {
        let mut command = Command::new(&self.program);
        command.args(arguments);
        process::stream(command, what, self.cancel, self.on_event)
    }

    /// Whether a call succeeds; what it says is of no interest.
    fn succeeds(&self, arguments: &[&str]) -> bool {
        Command::new(&self.program)
            .args(arguments)
            .output()
            .is_ok_and(|output| output.status.success())
    }

    /// A base as the engine knows it.
    fn base(&mut self, base: &BaseImage, platform: &Platform) -> Result<NamedBase, ImageError> {
        let name = match (base, self.engine) {
            (BaseImage::Reference(reference), Engine::Docker) => reference.clone(),
            (BaseImage::Reference(reference), Engine::Podman | Engine::Buildah) => {
                // Without a configuration these two look for names without a host in their own store only.
                if self.succeeds(&["inspect", "--type", "image", reference]) {
                    reference.clone()
                } else {
                    let reference: Reference = reference.parse().map_err(from_oci)?;
                    reference.to_string()
                }
            }
            (BaseImage::Layout { .. } | BaseImage::Archive(_), _) => {
                return self.load(base, platform);
            }
        };
        Ok(NamedBase { name, digest: None })
    }

    /// The digest of a base in a registry or in the engine's store, if the engine has one for it. Podman and Buildah
    /// pull a base that their store lacks, as the build would; what comes of that is the build's to tell.
    fn digest(&mut self, name: &str, platform: &Platform) -> Option<String> {
        if self.engine != Engine::Docker && !self.engine.has(name, platform) {
            let what = format!("{} pull", self.engine.name());
            let platform = platform.to_string();
            self.call(&["pull", "--quiet", "--platform", &platform, name], &what)
                .ok()?;
        }
        // A list in the store may be for other platforms.
        let is_there = self.engine.has(name, platform);
        is_there.then(|| self.engine.digest(name)).flatten()
    }

    /// Brings a base that lies in files into the engine's store, and gives the name that it has there.
    fn load(&mut self, base: &BaseImage, platform: &Platform) -> Result<NamedBase, ImageError> {
        (self.on_event)(BuildEvent::Step(format!("loading {}", base.shown())));
        let packed = LoadableBase::pack(base, platform, self.cancel)?;
        let file = packed.file.path().display().to_string();
        match self.engine {
            Engine::Docker => self.call(&["load", "--quiet", "--input", &file], "docker load")?,
            Engine::Podman | Engine::Buildah => {
                let what = format!("{} pull", self.engine.name());
                let source = format!("docker-archive:{file}");
                let platform = platform.to_string();
                self.call(
                    &["pull", "--quiet", "--platform", &platform, &source],
                    &what,
                )?
            }
        };
        Ok(NamedBase {
            name: packed.name,
            digest: Some(packed.digest.to_string()),
        })
    }

    /// Builds one folder for one platform and gives the engine's own name of the image.
    fn build(
        &mut self,
        folder: &Path,
        platform: &Platform,
        tag: &str,
        (network, more): (Network, &[&str]),
    ) -> Result<String, ImageError> {
        let unreadable = |error: std::io::Error| {
            ImageError::new(ImageErrorKind::Unwritable, "a temporary folder")
                .because(error.to_string())
        };
        let names = WorkFolder::temporary().map_err(unreadable)?;
        let name_file = names.path().join("image").display().to_string();
        let platform = platform.to_string();
        let folder = folder.display().to_string();
        let mut arguments = match self.engine {
            Engine::Docker | Engine::Podman => vec!["build"],
            Engine::Buildah => vec!["bud"],
        };
        // The same inputs give the same image; docker knows no such option.
        if self.engine != Engine::Docker {
            arguments.extend(["--timestamp", "0"]);
        }
        if network == Network::Host {
            arguments.extend(["--network", "host"]);
        }
        arguments.extend(["--platform", &platform, "--iidfile", &name_file]);
        arguments.extend(["--tag", tag]);
        arguments.extend(more);
        arguments.push(&folder);
        let what = format!("{} {} for {platform}", self.engine.name(), arguments[0]);
        self.call(&arguments, &what)?;
        let name = std::fs::read_to_string(&name_file).map_err(|error| {
            ImageError::new(ImageErrorKind::EngineFailed, what)
                .because(format!("it does not say what it has built: {error}"))
        })?;
        Ok(name.trim().to_owned())
    }

    /// Joins the images of several platforms under one name.
    fn join(&mut self, tag: &str, images: &[(Platform, String)]) -> Result<(), ImageError> {
        let what = format!("{} manifest create", self.engine.name());
        // What had the name before would else stay in the list.
        if self.succeeds(&["manifest", "inspect", tag]) {
            self.call(&["manifest", "rm", tag], &what)?;
        }
        self.call(&["manifest", "create", tag], &what)?;
        for (_, image) in images {
            // Without a transport podman asks a registry, and with it neither finds a name without a host.
            let digits = image.strip_prefix("sha256:").unwrap_or(image);
            let image = format!("containers-storage:{digits}");
            self.call(&["manifest", "add", tag, &image], &what)?;
        }
        Ok(())
    }

    fn push(&mut self, tag: &str, several: bool) -> Result<(), ImageError> {
        let what = format!("{} push", self.engine.name());
        let there = format!("docker://{tag}");
        if several {
            self.call(&["manifest", "push", "--all", tag, &there], &what)
        } else {
            self.call(&["push", tag], &what)
        }
        .map(drop)
    }
}
