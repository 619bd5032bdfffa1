//! What a new connector starts from, and its files.

use std::path::PathBuf;

use bowline_connector::{
    NewFile, NewFolder, ScaffoldError, Workspace, new_connection_type, rust_project,
};
use bowline_contract::layout::{
    CONNECTOR_FILE, CREDENTIALS_FILE, DOCKERFILE_EXTRA, MANIFEST_FILE, PYTHON_FILE,
    REQUIREMENTS_FILE,
};
use bowline_contract::pipeline::{PipelineManifest, Presence, RECORDS, StatusMapping, Terminology};
use bowline_contract::{AssetClass, ConnectorName};
use serde_json::{Map, Value as Json, json};

use super::Example;
use crate::connector::PipelineConnector;
use crate::openapi::Proposal;
use crate::status::proposed_mapping;

const DESCRIBED: &str = include_str!("described.toml");
const PYTHON: &str = include_str!("connector.py.txt");
const RUST_MAIN: &str = include_str!("rust/main.rs.txt");
const RUST_CONNECTOR: &str = include_str!("rust/connector.toml.txt");
const REQUIREMENTS: &str = "\
# The packages that connector.py imports, one a line, such as `requests==2.32.5`.
# They are installed into an environment of this connector's own, and into the agent's image.
";
const EXTRA: &str = "\
# What the agent's image needs beside the Python packages: RUN, ENV and ARG instructions, run as root.
# COPY is not possible.
";

/// Words that orchestrators have for how a run stands.
const COMMON_STATUSES: [&str; 21] = [
    "scheduled",
    "pending",
    "queued",
    "waiting",
    "created",
    "starting",
    "started",
    "running",
    "in_progress",
    "success",
    "succeeded",
    "completed",
    "failed",
    "failure",
    "error",
    "timed_out",
    "cancelling",
    "cancelled",
    "canceled",
    "skipped",
    "paused",
];

/// What a new pipeline connector shall be.
#[derive(Debug, Clone)]
pub struct PipelineScaffold {
    /// Its name.
    pub name: ConnectorName,
    /// The vendor's words; those of the start when not said.
    pub terminology: Option<Terminology>,
    /// Where the vendor's picture is.
    pub icon_url: Option<String>,
    /// What it starts from.
    pub start: PipelineStart,
}

/// What a new pipeline connector starts from.
#[derive(Debug, Clone)]
pub enum PipelineStart {
    /// A description of a vendor that does not exist, to be filled in.
    Described,
    /// A complete connector for an orchestrator.
    Like(Example),
    /// What a vendor's OpenAPI document says.
    OpenApi(Box<Proposal>),
    /// A class in Python.
    Python,
    /// A program in Rust.
    Rust,
}

/// A pipeline connector just made.
#[derive(Debug)]
pub struct PipelineScaffolded {
    /// The connector, loaded from what was written.
    pub connector: PipelineConnector,
    /// The files written, in the order to read them; a folder stands for what is copied into it.
    pub files: Vec<PathBuf>,
    /// The workspace's `.gitignore`, when it was made or extended.
    pub ignore_file: Option<PathBuf>,
}

impl PipelineScaffold {
    /// Writes the connector, then loads and validates what was written.
    ///
    /// Nothing is overwritten. On an error nothing of the connector is left; `.gitignore` may have been extended.
    ///
    /// # Errors
    /// [`ScaffoldError`].
    pub fn write(self, workspace: &Workspace) -> Result<PipelineScaffolded, ScaffoldError> {
        let manifest = self.manifest();
        let mut files = self.files();
        files.push((MANIFEST_FILE.to_owned(), manifest.to_json_string()));
        files.push((CREDENTIALS_FILE.to_owned(), credentials(&manifest)));
        let folder = NewFolder::write(workspace, AssetClass::Pipeline, &self.name, files)?;
        PipelineConnector::load(&folder.path())?;
        let kept = folder.keep()?;
        Ok(PipelineScaffolded {
            connector: PipelineConnector::load(&kept.dir)?,
            files: kept.files,
            ignore_file: kept.ignore_file,
        })
    }

    fn files(&self) -> Vec<NewFile> {
        let described = |text: String| vec![(CONNECTOR_FILE.to_owned(), text)];
        match &self.start {
            PipelineStart::Described => {
                described(format!("{DESCRIBED}\n{}", guesses(COMMON_STATUSES)))
            }
            PipelineStart::Like(example) => described(example.connector.to_owned()),
            PipelineStart::OpenApi(proposal) if proposal.statuses.is_empty() => described(format!(
                "{}\n{}",
                proposal.connector,
                guesses(COMMON_STATUSES)
            )),
            PipelineStart::OpenApi(proposal) => {
                let words = proposal.statuses.iter().map(|(word, _)| word.as_str());
                described(format!("{}\n{}", proposal.connector, guesses(words)))
            }
            PipelineStart::Python => vec![
                (
                    PYTHON_FILE.to_owned(),
                    format!(
                        "{}\n\n{}{}",
                        PYTHON.replace("NAME", self.name.as_str()),
                        optional_keys(),
                        guesses(COMMON_STATUSES)
                    ),
                ),
                (REQUIREMENTS_FILE.to_owned(), REQUIREMENTS.to_owned()),
                (DOCKERFILE_EXTRA.to_owned(), EXTRA.to_owned()),
            ],
            PipelineStart::Rust => {
                rust_project(RUST_CONNECTOR.to_owned(), RUST_MAIN, self.name.as_str())
            }
        }
    }

    fn manifest(&self) -> PipelineManifest {
        let example = match &self.start {
            PipelineStart::Like(example) => PipelineManifest::parse(example.manifest).ok(),
            _ => None,
        };
        let mut manifest = example.unwrap_or_else(|| PipelineManifest {
            connection_type: new_connection_type(AssetClass::Pipeline),
            connection_name: String::new(),
            terminology: Terminology::default(),
            icon_url: None,
            run_status_mapping: StatusMapping::default(),
            task_run_status_mapping: None,
            credentials_schema: schema(&["api_url", "api_key"]),
            other: Map::new(),
            advices: Vec::new(),
            unfinished: None,
        });
        if let PipelineStart::OpenApi(proposal) = &self.start {
            let names: Vec<&str> = proposal.credentials.iter().map(String::as_str).collect();
            manifest.credentials_schema = schema(&names);
        }
        manifest.connection_type = new_connection_type(AssetClass::Pipeline);
        manifest.connection_name = self.name.to_string();
        if let Some(terminology) = &self.terminology {
            manifest.terminology = terminology.clone();
        }
        if self.icon_url.is_some() {
            manifest.icon_url.clone_from(&self.icon_url);
        }
        manifest
    }
}

/// Comments that name what jobs and runs may have beside what they must.
fn optional_keys() -> String {
    let mut text = String::new();
    for (record, what) in [("asset", "job"), ("run", "run")] {
        let (_, _, fields) = RECORDS
            .iter()
            .find(|(name, ..)| *name == record)
            .expect("the contract's records have these names");
        text.push_str(&format!(
            "# What a {what} may have too; `bowline explain {record}.KEY` tells what a key looks like:\n#\n"
        ));
        let optional = fields
            .iter()
            .filter(|field| field.presence == Presence::Optional);
        for field in optional {
            text.push_str(&format!("#     {}: {}\n", field.name, field.about));
        }
        text.push_str("#\n");
    }
    text
}

/// Comments that offer a mapping of words which nobody confirmed.
fn guesses<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    let mut text = "\
# What the vendor's words for how a run stands mean stands in manifest.json, once somebody has confirmed it. Guesses to
# start from:
#
"
    .to_owned();
    for line in proposed_mapping(words).lines() {
        text.push_str(&format!("#     {line}\n"));
    }
    text
}

/// The schema of credentials that are all texts.
fn schema(names: &[&str]) -> Option<Map<String, Json>> {
    let members: Map<String, Json> = names
        .iter()
        .map(|name| {
            let rule = json!({ "type": "string", "required": true });
            ((*name).to_owned(), rule)
        })
        .collect();
    let schema = json!({
        "connect_args": { "type": "dict", "required": true, "schema": members },
    });
    schema.as_object().cloned()
}

/// Credentials to fill in: every text of the schema, empty.
fn credentials(manifest: &PipelineManifest) -> String {
    let schema = manifest.credentials_schema.as_ref();
    let members = schema.and_then(|schema| schema.get("connect_args")?.get("schema")?.as_object());
    let args: Map<String, Json> = members
        .into_iter()
        .flatten()
        .map(|(name, _)| (name.clone(), Json::from("")))
        .collect();
    format!("{:#}\n", json!({ "connect_args": args }))
}
