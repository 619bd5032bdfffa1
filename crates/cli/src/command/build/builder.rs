//! Which builder builds, and where the image goes.

use std::path::PathBuf;
use std::str::FromStr;

use bowline_conformance::Verdict;
use bowline_conformance::warehouse::{CheckReport, Export};
use bowline_connector::Workspace;
use bowline_contract::AssetClass;
use bowline_contract::layout::OUTPUT_DIR;
use bowline_image::engine::{self, Engine, EngineBuilt, EngineOptions};
use bowline_image::native::{self, Built, NativeOptions, Output, ProvenConnector};
use bowline_image::{BuildEvent, ImageError, ImageErrorKind, ImagePlan, from_oci};
use bowline_oci::registry::Access;
use bowline_workbench::WorkbenchError;
use bowline_workbench::evidence::{self, JudgedPublic};

use super::Voice;
use crate::context::Context;
use crate::error::CliError;

/// What builds an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Builder {
    /// Bowline itself, without any engine
    Native,
    /// Docker
    Docker,
    /// Podman
    Podman,
    /// Buildah
    Buildah,
}

/// Where the native builder writes an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Destination {
    /// A folder with an OCI layout.
    Layout(PathBuf),
    /// An OCI layout in one file.
    OciArchive(PathBuf),
    /// A file as `docker save` writes it.
    DockerArchive(PathBuf),
}

impl FromStr for Destination {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some((_, "")) => Err("name a folder or a file behind the colon".to_owned()),
            Some(("oci", path)) => Ok(Self::Layout(path.into())),
            Some(("oci-archive", path)) => Ok(Self::OciArchive(path.into())),
            Some(("docker-archive", path)) => Ok(Self::DockerArchive(path.into())),
            _ => {
                Err("write it as `oci:DIR`, `oci-archive:FILE` or `docker-archive:FILE`".to_owned())
            }
        }
    }
}

impl Destination {
    /// The same place, where a relative path begins in the command's directory.
    pub(super) fn within(&self, context: &Context) -> Self {
        match self {
            Self::Layout(path) => Self::Layout(context.path(path)),
            Self::OciArchive(path) => Self::OciArchive(context.path(path)),
            Self::DockerArchive(path) => Self::DockerArchive(context.path(path)),
        }
    }
}

/// What is to be built, and where it goes.
pub(super) struct Job<'a> {
    pub(super) plan: &'a ImagePlan,
    pub(super) workspace: &'a Workspace,
    pub(super) destination: Option<Destination>,
    pub(super) push: bool,
    /// The engines whose stores may have the base.
    pub(super) engines: &'static [Engine],
    pub(super) access: Access,
}

/// An image that was made.
pub(super) enum Made {
    /// Without an engine, and where it is now.
    Native(Built, Output),
    /// In the store of an engine.
    Engine(Engine, EngineBuilt),
}

/// Builds with the builder that is asked for, or with the first that can, and says which and why.
pub(super) fn carry_out(
    job: &Job<'_>,
    asked: Option<Builder>,
    voice: &Voice,
) -> Result<Made, CliError> {
    match asked {
        Some(Builder::Native) => native(job, voice),
        Some(Builder::Docker) => with(job, Engine::Docker, voice),
        Some(Builder::Podman) => with(job, Engine::Podman, voice),
        Some(Builder::Buildah) => with(job, Engine::Buildah, voice),
        None => match native(job, voice) {
            Err(CliError::Image(error)) if error.kind == ImageErrorKind::NeedsEngine => {
                instead(job, error, voice)
            }
            made => made,
        },
    }
}

/// Builds with an engine what the native builder cannot.
fn instead(job: &Job<'_>, why: ImageError, voice: &Voice) -> Result<Made, CliError> {
    if job.destination.is_some() {
        return Err(why.into());
    }
    let Some(engine) = Engine::first_ready() else {
        let names = Engine::ALL.map(Engine::name).join(", ");
        return Err(why
            .because(format!("no engine is there: none of {names}"))
            .hint("install one of them, or take out what needs it".to_owned())
            .into());
    };
    let reason = [vec![why.thing], why.causes].concat().join(": ");
    voice.tell(BuildEvent::Step(format!(
        "building with {}, since the native builder cannot: {reason}",
        engine.name()
    )));
    with(job, engine, voice)
}

fn with(job: &Job<'_>, engine: Engine, voice: &Voice) -> Result<Made, CliError> {
    if job.destination.is_some() {
        return Err(CliError::usage(
            format!(
                "`--output` is for the native builder, and {} keeps images itself",
                engine.name()
            ),
            "leave it out, or use `--builder native`",
        ));
    }
    let options = EngineOptions {
        push: job.push,
        access: job.access.clone(),
    };
    let built = engine::build(job.plan, engine, &options, &mut |event| voice.tell(event))?;
    Ok(Made::Engine(engine, built))
}

fn native(job: &Job<'_>, voice: &Voice) -> Result<Made, CliError> {
    let output = match &job.destination {
        Some(Destination::Layout(path)) => Output::Layout(path.clone()),
        Some(Destination::OciArchive(path)) => Output::OciArchive(path.clone()),
        Some(Destination::DockerArchive(path)) => Output::DockerArchive(path.clone()),
        None if job.push => Output::Registry(job.plan.tag.parse().map_err(from_oci)?),
        // What every engine loads holds one platform.
        None if job.plan.platforms.len() == 1 => Output::DockerArchive(usual_file(job)),
        None => Output::OciArchive(usual_file(job)),
    };
    let options = NativeOptions {
        output,
        time: source_date_epoch()?,
        cache: Some(job.workspace.state_dir().join("images")),
        proven: proven(job, voice)?,
        engines: job.engines.to_vec(),
        access: job.access.clone(),
    };
    let built = native::build(job.plan, &options, &mut |event| voice.tell(event))?;
    Ok(Made::Native(built, options.output))
}

/// What the exports that go in were proven by. An export without evidence is of an earlier version, or was let in.
fn proven(job: &Job<'_>, voice: &Voice) -> Result<Vec<ProvenConnector>, CliError> {
    let mut proven = Vec::new();
    for connector in &job.plan.connectors {
        if connector.class != AssetClass::Warehouse {
            continue;
        }
        let Some(published) = evidence::read_published(job.workspace, &connector.name)? else {
            voice.tell(BuildEvent::Warning(format!(
                "no evidence is attached of `{}`: `bowline export` writes it",
                connector.name
            )));
            continue;
        };
        let folder = job.workspace.output_dir(&connector.name);
        let files = Export::read(&folder).map_err(WorkbenchError::Export)?;
        let place = folder.display().to_string();
        if let Some(first) = published.judged.unfounded(&files, &place)?.first() {
            voice.tell(BuildEvent::Warning(format!(
                "no evidence is attached of `{}`, since its export does not follow from it: {first}; `bowline export` writes both anew",
                connector.name
            )));
            continue;
        }
        let name = connector.name.as_str();
        proven.push(proven_by(name, published.packed, &published.judged));
    }
    Ok(proven)
}

/// What is stated of a connector by its public evidence.
pub(crate) fn proven_by(name: &str, evidence: Vec<u8>, judged: &JudgedPublic) -> ProvenConnector {
    let report = &judged.judged.report;
    let with = |wanted: fn(&CheckReport) -> bool| {
        let checks = report.checks.iter().filter(|check| wanted(check));
        checks.map(|check| check.check.id.to_string()).collect()
    };
    ProvenConnector {
        name: name.to_owned(),
        server: report.product.clone(),
        bowline_version: judged.bowline_version.clone(),
        passed: with(|check| check.outcome.verdict() == Verdict::Supported),
        warned: with(|check| check.outcome.verdict() == Verdict::Unknown),
        failed: with(|check| {
            check.outcome.is_shortfall() || check.outcome.verdict() == Verdict::Blocked
        }),
        evidence,
    }
}

/// The folder below the workspace's outputs that images go to. No connector can have this name.
const FOLDER: &str = "agent-image";

/// Where an image goes when nobody says: a file named after its tag.
fn usual_file(job: &Job<'_>) -> PathBuf {
    let name: String = job
        .plan
        .tag
        .chars()
        .map(|letter| match letter {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '_' => letter,
            _ => '-',
        })
        .collect();
    job.workspace
        .root()
        .join(OUTPUT_DIR)
        .join(FOLDER)
        .join(format!("{name}.tar"))
}

/// The variable by which reproducible builds are told what time it is.
const TIME_VARIABLE: &str = "SOURCE_DATE_EPOCH";

fn source_date_epoch() -> Result<u64, CliError> {
    match std::env::var(TIME_VARIABLE) {
        Err(_) => Ok(0),
        Ok(text) => text.trim().parse().map_err(|_| {
            CliError::usage(
                format!("`{TIME_VARIABLE}` is not a number of seconds: `{text}`"),
                "unset it, or set it to seconds since 1970",
            )
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_are_read() {
        assert_eq!("oci:a:b".parse(), Ok(Destination::Layout("a:b".into())));
        assert_eq!(
            "docker-archive:x.tar".parse(),
            Ok(Destination::DockerArchive("x.tar".into()))
        );
        for wrong in ["x.tar", "oci:", "ftp:x", ""] {
            assert!(wrong.parse::<Destination>().is_err(), "{wrong}");
        }
    }
}
