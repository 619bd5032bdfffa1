//! From the folders of a workspace to a plan, with everything checked that can be checked before work starts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bowline_contract::manifest::AssetClass;
use bowline_contract::{ConnectorName, layout};
use bowline_oci::Platform;
use bowline_oci::registry::Reference;
use serde_json::{Value, json};

use super::connector::{Checked, Mistakes, check};
use super::problem::{PlanError, PlanProblem, PlanProblemKind};
use super::{AGENT_USER, BaseImage, CONNECTORS_LABEL, ENABLING_VARIABLE, ImagePlan, STOCK_AGENT};
use crate::error::ImageError;
use crate::plan::PlannedFile;

/// The version of the stock agent that images are built on when none is named.
pub(crate) const DEFAULT_VERSION: &str = "latest";
/// The repository of an image that nobody gave a name.
const DEFAULT_REPOSITORY: &str = "custom-agent";

/// A connector of the workspace that may go into an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its name.
    pub name: ConnectorName,
    /// What it connects to.
    pub class: AssetClass,
    /// Its folder.
    pub dir: PathBuf,
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
    /// What runs connectors that are not in Python.
    pub runtime: &'a dyn Runtime,
}

/// A plan, and what its maker has to know before it is carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The plan.
    pub plan: ImagePlan,
    /// What should be asked before going on.
    pub questions: Vec<Question>,
}

/// Something about a connector that its owner may not want.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Metrics were proven, and yet cannot be used, because the query language as a whole was not.
    MetricsWithoutQueryLanguage {
        /// The connector.
        connector: ConnectorName,
        /// The metrics, sorted.
        metrics: Vec<String>,
    },
    /// A file that goes into the image holds a value that is secret in the connector's credentials.
    SecretInFile {
        /// The connector.
        connector: ConnectorName,
        /// The file.
        path: PathBuf,
    },
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

/// Plans an image and checks all that can be checked before work starts.
///
/// # Errors
/// Everything that stands in the way, at once.
pub fn plan(request: &PlanRequest<'_>) -> Result<Planned, PlanError> {
    let mut problems = Vec::new();
    let base = base_or_stock(request.base.clone(), request.version, &mut problems);
    let version = request.version.unwrap_or(DEFAULT_VERSION);
    let tag = match request.tag {
        Some(tag) => tag.to_owned(),
        None => format!("{DEFAULT_REPOSITORY}:{version}-generic"),
    };
    problems.extend(request.tag.and_then(tag_problem));
    let mut platforms = request.platforms.to_vec();
    if platforms.is_empty() {
        platforms.push(Platform::linux_amd64());
    }
    platforms.sort();
    platforms.dedup();

    let candidates = in_order(request.connectors);
    if candidates.is_empty() {
        let nothing = PlanProblem::new(PlanProblemKind::Name, "no connector to put into it");
        problems.push(nothing.hint(
            "export one with `bowline export`, or put a pipeline connector into `etl_connectors/`"
                .to_owned(),
        ));
    }
    let mut checked: Vec<Checked> = Vec::new();
    for candidate in candidates {
        let mut mistakes = Mistakes::of(candidate);
        let found = check(candidate, request, &platforms, &mut mistakes);
        problems.extend(mistakes.problems);
        checked.extend(found);
    }
    problems.extend(shared_types(&checked));
    if !problems.is_empty() {
        return Err(PlanError { problems });
    }

    let label = connectors_label(&checked);
    let mut shared = Vec::new();
    let mut questions = Vec::new();
    let mut connectors = Vec::new();
    for each in checked {
        shared.extend(each.shared);
        questions.extend(each.questions);
        connectors.push(each.planned);
    }
    shared.sort_by(|a: &PlannedFile, b| (&a.path, &a.platform).cmp(&(&b.path, &b.platform)));
    shared.dedup();
    Ok(Planned {
        plan: ImagePlan {
            labels: labels(&base, &tag, version, label),
            base,
            platforms,
            tag,
            environment: vec![(
                ENABLING_VARIABLE.0.to_owned(),
                ENABLING_VARIABLE.1.to_owned(),
            )],
            user: AGENT_USER.to_owned(),
            shared,
            connectors,
        },
        questions,
    })
}

/// The base that is asked for, or the stock agent's of a version, which a tag must be able to hold.
pub(super) fn base_or_stock(
    base: Option<BaseImage>,
    version: Option<&str>,
    problems: &mut Vec<PlanProblem>,
) -> BaseImage {
    let version = version.unwrap_or(DEFAULT_VERSION);
    if !is_tag(version) {
        let what = format!("not a version that a tag can hold: `{version}`");
        problems.push(
            PlanProblem::new(PlanProblemKind::Argument, what)
                .hint("give one such as `1.2.3`".to_owned()),
        );
    }
    match base {
        Some(base) => {
            problems.extend(base_problem(&base));
            base
        }
        None => BaseImage::Reference(format!("{STOCK_AGENT}:{version}-generic")),
    }
}

/// Warehouses first, then pipelines, each sorted by name and once.
pub(super) fn in_order(connectors: &[Candidate]) -> Vec<&Candidate> {
    let mut sorted: Vec<&Candidate> = connectors.iter().collect();
    sorted.sort_by_key(|each| (each.class == AssetClass::Pipeline, &each.name));
    sorted.dedup_by_key(|each| (each.class, &each.name));
    sorted
}

fn labels(
    base: &BaseImage,
    tag: &str,
    version: &str,
    connectors: String,
) -> BTreeMap<String, String> {
    let title = tag
        .rsplit('/')
        .next()
        .and_then(|name| name.split([':', '@']).next())
        .unwrap_or(tag);
    [
        ("org.opencontainers.image.title", title.to_owned()),
        ("org.opencontainers.image.version", version.to_owned()),
        ("org.opencontainers.image.base.name", base.label()),
        (CONNECTORS_LABEL, connectors),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

fn connectors_label(checked: &[Checked]) -> String {
    let described = checked.iter().map(|each| {
        let mut described = json!({
            "name": each.planned.name.as_str(),
            "class": each.planned.class.name(),
            "connection_type": each.identity.connection_type.as_str(),
            "connection_name": each.identity.connection_name,
        });
        if let Some(mode) = each.planned.mode {
            described["mode"] = mode.name().into();
            described["capabilities"] = each
                .identity
                .capabilities
                .iter()
                .map(|capability| Value::from(capability.name()))
                .collect();
        }
        described
    });
    Value::Array(described.collect()).to_string()
}

fn tag_problem(tag: &str) -> Option<PlanProblem> {
    let problem = |why: String| {
        PlanProblem::new(
            PlanProblemKind::Argument,
            format!("not a tag: `{tag}`: {why}"),
        )
        .hint("write it like `registry.example.com/team/agent:1.0`".to_owned())
    };
    match tag.parse::<Reference>() {
        Ok(reference) if reference.digest().is_some() => Some(problem(
            "a digest is what an image turns out to have, and cannot be asked for".to_owned(),
        )),
        Ok(_) => None,
        Err(error) => Some(PlanProblem {
            what: format!("not a tag: {}: {}", error.thing, error.causes.join("; ")),
            ..problem(String::new())
        }),
    }
}

fn base_problem(base: &BaseImage) -> Option<PlanProblem> {
    let problem = |what: String| PlanProblem::new(PlanProblemKind::Argument, what);
    match base {
        BaseImage::Reference(reference) => reference.parse::<Reference>().err().map(|error| {
            problem(format!(
                "not a base: {}: {}",
                error.thing,
                error.causes.join("; ")
            ))
            .hint("name an image, the folder of an OCI layout, or an archive".to_owned())
        }),
        BaseImage::Layout { path, .. } if !path.join("oci-layout").is_file() => Some(
            problem(format!("no OCI layout here: `{}`", path.display()))
                .hint("name the folder that holds `oci-layout` and `index.json`".to_owned()),
        ),
        BaseImage::Archive(path) if !path.is_file() => {
            Some(problem(format!("no such archive: `{}`", path.display())))
        }
        BaseImage::Layout { .. } | BaseImage::Archive(_) => None,
    }
}

fn is_tag(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(['.', '-'])
        && text
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_'))
}

/// The agent finds a connector by its type alone, so two of one type cannot live in one image.
fn shared_types(checked: &[Checked]) -> Vec<PlanProblem> {
    let mut by_type: BTreeMap<&str, Vec<&ConnectorName>> = BTreeMap::new();
    for each in checked {
        by_type
            .entry(each.identity.connection_type.as_str())
            .or_default()
            .push(&each.planned.name);
    }
    by_type
        .into_iter()
        .filter(|(_, names)| names.len() > 1)
        .map(|(connection_type, names)| {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            PlanProblem::new(
                PlanProblemKind::Manifest,
                format!(
                    "{} have the same `connection_type`: `{connection_type}`",
                    names.join(" and ")
                ),
            )
            .hint("give the copied one seven other hex digits, and export it again".to_owned())
        })
        .collect()
}
