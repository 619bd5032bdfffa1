//! The plan of an image.

use std::collections::BTreeMap;

use bowline_contract::ConnectorName;
use bowline_contract::manifest::AssetClass;
use bowline_oci::Platform;
use bowline_oci::layer::Content;

use super::{BaseImage, PlanProblem};
use crate::extra::DockerfileExtra;

/// Where an image keeps its warehouse connectors, a folder each.
pub const WAREHOUSE_ROOT: &str = "/opt/custom-connectors";
/// Where an image keeps its pipeline connectors, a folder each.
pub const PIPELINE_ROOT: &str = "/opt/custom-etl-connectors";
/// The repository of the stock agent, which images are built on when no other base is named.
pub const STOCK_AGENT: &str = "montecarlodata/agent";
/// The user that the agent runs as.
pub const AGENT_USER: &str = "mcdagent";
/// The label of an image that describes its connectors: a JSON list with an object for each, which has `name`, `class`
/// (`warehouse` or `etl`), `connection_type` and `connection_name`, and for a warehouse `mode` and `capabilities`, a
/// list of the contract's names.
pub const CONNECTORS_LABEL: &str = "bowline.connectors";
/// The label that names the base, where others know it by that name.
pub(super) const BASE_NAME_LABEL: &str = "org.opencontainers.image.base.name";
/// The label, and the note, that holds the digest of the base.
pub(crate) const BASE_DIGEST_LABEL: &str = "org.opencontainers.image.base.digest";
/// The variable that tells the agent to look for connectors, and its value.
pub const ENABLING_VARIABLE: (&str, &str) = ("MCD_CUSTOM_CONNECTORS_ENABLED", "true");

/// An image to be built. Equal plans over equal files give equal images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImagePlan {
    /// What it is built on.
    pub base: BaseImage,
    /// What it is built for: sorted, each once, never empty.
    pub platforms: Vec<Platform>,
    /// Its name with its tag, such as `custom-agent:latest-generic`.
    pub tag: String,
    /// Variables it sets, in this order.
    pub environment: Vec<(String, String)>,
    /// The user it runs as; everything is installed as root.
    pub user: String,
    /// Its labels: never anything secret, never the time.
    pub labels: BTreeMap<String, String>,
    /// Files that belong to no one connector, such as the program that serves them; sorted by path.
    pub shared: Vec<PlannedFile>,
    /// Its connectors: warehouses first, then pipelines, each sorted by name.
    pub connectors: Vec<PlannedConnector>,
}

/// A connector that goes into an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedConnector {
    /// Its name.
    pub name: ConnectorName,
    /// What it connects to.
    pub class: AssetClass,
    /// How the platform uses it; nothing for a pipeline connector.
    pub mode: Option<Mode>,
    /// Its folder in the image: absolute, without a slash at its end.
    pub root: String,
    /// Its files, sorted by path. Credentials and what its `.gitignore` names are not among them.
    pub files: Vec<PlannedFile>,
    /// The Python packages it asks for, in the order of its file.
    pub requirements: Vec<Requirement>,
    /// Instructions to run before its files are added.
    pub extra: Option<DockerfileExtra>,
    /// The manifest that ships with it, byte for byte.
    pub manifest: Vec<u8>,
}

/// How the platform uses a warehouse connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// The agent reads metadata with it as well.
    Full,
    /// Somebody else pushes the metadata.
    Hybrid,
}

impl Mode {
    /// The contract's word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Hybrid => "hybrid",
        }
    }
}

/// A file that goes into an image, owned by root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedFile {
    /// Where it will be: absolute, with `/` between its parts.
    pub path: String,
    /// What it holds.
    pub content: Content,
    /// Its permission bits, such as `0o644`.
    pub mode: u32,
    /// The one platform it is for; nothing when it is for all.
    pub platform: Option<Platform>,
}

/// A line of a connector's `requirements.txt`: it asks for a package, or sets an option of the package client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// The line as written, without comment and outer blanks, its continued lines joined.
    pub text: String,
    /// The line it begins at, counted from 1.
    pub line: usize,
}

/// The last part of an image's name, without its tag.
pub(super) fn title(name: &str) -> &str {
    let last = name.rsplit('/').next();
    last.and_then(|last| last.split([':', '@']).next())
        .unwrap_or(name)
}

impl ImagePlan {
    /// What the image is called, wherever it is kept and whatever its tag.
    pub(crate) fn title(&self) -> &str {
        title(&self.tag)
    }

    /// The same plan over a copy of the base, when its name is one of this machine alone: it says nothing elsewhere.
    pub(crate) fn over_own(&self, copy: BaseImage) -> Option<Self> {
        let BaseImage::Reference(name) = &self.base else {
            return None;
        };
        let host = name.split_once('/').map(|(host, _)| host);
        if host.is_some_and(|host| host.contains(['.', ':'])) {
            return None;
        }
        let mut plan = self.clone();
        plan.base = copy;
        plan.labels.remove(BASE_NAME_LABEL);
        Some(plan)
    }

    /// The variables that the image sets, where the base sets these: the plan's own, then what each connector's
    /// `Dockerfile.extra` sets; a later one of a name takes the place of an earlier one.
    #[must_use]
    pub fn variables(&self, base: &[(String, String)]) -> Vec<(String, String)> {
        let mut seen: BTreeMap<String, String> = base.iter().cloned().collect();
        seen.extend(self.environment.iter().cloned());
        let mut build = BTreeMap::new();
        let mut set = self.environment.clone();
        for extra in self
            .connectors
            .iter()
            .filter_map(|each| each.extra.as_ref())
        {
            set.extend(extra.carry_out(&mut seen, &mut build));
        }
        set
    }

    /// The files of the image that are for this platform, shared ones first, then each connector's.
    pub fn files_for(&self, platform: &Platform) -> impl Iterator<Item = &PlannedFile> {
        self.shared
            .iter()
            .chain(self.connectors.iter().flat_map(|each| &each.files))
            .filter(move |file| file.platform.as_ref().is_none_or(|only| only == platform))
    }
}

/// A plan, and what its maker has to know before it is carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The plan.
    pub plan: ImagePlan,
    /// What should be asked before going on.
    pub questions: Vec<Question>,
    /// What is worth a word and stops nothing.
    pub advices: Vec<PlanProblem>,
    /// The connectors that go in unproven, as they were allowed to, and why each is.
    pub unproven: Vec<(ConnectorName, String)>,
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
}
