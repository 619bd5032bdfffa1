//! `manifest.json` of a pipeline connector.

use std::fmt;

use serde_json::{Map, Value, json};

use super::RunStatus;
use super::status_mapping::{MappingProblem, StatusMapping};
use crate::json::{Node, kind_of};
use crate::manifest::{
    ASSET_CLASS, AssetClass, CONNECTION_NAME, CONNECTION_TYPE, CREDENTIALS_SCHEMA, ConnectionType,
    ConnectionTypeError,
};
use bowline_words::{Diagnose, Diagnostic, nearest};

const TERMINOLOGY: &str = "terminology";
const ICON_URL: &str = "icon_url";
const RUN_STATUS_MAPPING: &str = "run_status_mapping";
const TASK_RUN_STATUS_MAPPING: &str = "task_run_status_mapping";
const KEYS: [&str; 8] = [
    CONNECTION_TYPE,
    CONNECTION_NAME,
    ASSET_CLASS,
    TERMINOLOGY,
    ICON_URL,
    RUN_STATUS_MAPPING,
    TASK_RUN_STATUS_MAPPING,
    CREDENTIALS_SCHEMA,
];
const TERMS: [&str; 3] = ["group", "job", "task"];

/// The manifest of a pipeline connector, as its folder holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PipelineManifest {
    /// The connector's own type, unique to it.
    pub connection_type: ConnectionType,
    /// What people call the connection.
    pub connection_name: String,
    /// The vendor's words for groups, jobs and tasks.
    pub terminology: Terminology,
    /// Where the vendor's picture is.
    pub icon_url: Option<String>,
    /// What the vendor's words for how a run stands mean.
    pub run_status_mapping: StatusMapping,
    /// The same for task runs, where it differs.
    pub task_run_status_mapping: Option<StatusMapping>,
    /// The schema that `credentials.json` must fit, in Cerberus' format; absent or empty means no validation.
    pub credentials_schema: Option<Map<String, Value>>,
}

/// A vendor's words for the things of the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terminology {
    /// What jobs are grouped under.
    pub group: String,
    /// What is run.
    pub job: String,
    /// One step of it.
    pub task: String,
}

impl Default for Terminology {
    fn default() -> Self {
        Self {
            group: "Group".to_owned(),
            job: "Job".to_owned(),
            task: "Task".to_owned(),
        }
    }
}

impl PipelineManifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the text; keys that are missing come last.
    pub fn parse(text: &str) -> Result<Self, PipelineManifestError> {
        let node: Node = serde_json::from_str(text).map_err(|error| {
            PipelineManifestError::of(PipelineManifestProblem::Json(error.to_string()))
        })?;
        let Node::Object(entries) = node else {
            return Err(PipelineManifestError::of(
                PipelineManifestProblem::WrongType {
                    key: String::new(),
                    expected: "an object",
                    found: kind_of(&node.into_value()),
                },
            ));
        };
        let mut reading = Reading::default();
        reading.entries(entries);
        reading.finish()
    }

    /// What the vendor's words for how a task run stands mean.
    #[must_use]
    pub fn task_statuses(&self) -> &StatusMapping {
        self.task_run_status_mapping
            .as_ref()
            .unwrap_or(&self.run_status_mapping)
    }

    /// The JSON Schema of the file, for editors.
    #[must_use]
    pub fn json_schema() -> Value {
        let word = |what: &str| json!({ "description": what, "type": "string", "pattern": "\\S" });
        let statuses: Vec<&str> = RunStatus::ALL.iter().map(|status| status.name()).collect();
        let mapping = |what: &str| {
            json!({
                "description": what,
                "type": "object",
                "minProperties": 1,
                "additionalProperties": { "enum": statuses },
            })
        };
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "manifest.json of a pipeline connector",
            "type": "object",
            "additionalProperties": false,
            "required": [CONNECTION_TYPE, CONNECTION_NAME, ASSET_CLASS, RUN_STATUS_MAPPING],
            "properties": {
                CONNECTION_TYPE: {
                    "description": "The connector's own type, unique to it. Made once; keep it for good.",
                    "type": "string",
                    "pattern": AssetClass::Pipeline.type_pattern(),
                },
                CONNECTION_NAME: word("What people call the connection."),
                ASSET_CLASS: {
                    "description": "What kind of thing is connected.",
                    "const": AssetClass::Pipeline.name(),
                },
                TERMINOLOGY: {
                    "description": "The vendor's words for the things of the model.",
                    "type": "object",
                    "additionalProperties": false,
                    "properties": {
                        "group": word("What jobs are grouped under."),
                        "job": word("What is run."),
                        "task": word("One step of it."),
                    },
                },
                ICON_URL: word("Where the vendor's picture is."),
                RUN_STATUS_MAPPING: mapping(
                    "What the vendor's words for how a run stands mean. Case does not count.",
                ),
                TASK_RUN_STATUS_MAPPING: mapping("The same for task runs, where it differs."),
                CREDENTIALS_SCHEMA: {
                    "description": "The schema that credentials.json must fit, in Cerberus' format, under a top-level \
                                    `connect_args`. Absent or empty means no validation.",
                    "type": "object",
                },
            },
        })
    }

    /// The manifest as text: keys in the order people read them, two spaces of indent, a newline at the end.
    #[must_use]
    pub fn to_json_string(&self) -> String {
        let mut manifest = json!({
            CONNECTION_TYPE: self.connection_type.as_str(),
            CONNECTION_NAME: self.connection_name,
            ASSET_CLASS: AssetClass::Pipeline.name(),
            TERMINOLOGY: {
                "group": self.terminology.group,
                "job": self.terminology.job,
                "task": self.terminology.task,
            },
        });
        if let Some(url) = &self.icon_url {
            manifest[ICON_URL] = Value::from(url.as_str());
        }
        manifest[RUN_STATUS_MAPPING] = Value::Object(self.run_status_mapping.to_json());
        if let Some(mapping) = &self.task_run_status_mapping {
            manifest[TASK_RUN_STATUS_MAPPING] = Value::Object(mapping.to_json());
        }
        if let Some(schema) = &self.credentials_schema {
            manifest[CREDENTIALS_SCHEMA] = Value::Object(schema.clone());
        }
        format!("{manifest:#}\n")
    }
}

/// A manifest that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PipelineManifestError {
    /// Everything that is wrong; never empty.
    pub problems: Vec<PipelineManifestProblem>,
}

impl PipelineManifestError {
    fn of(problem: PipelineManifestProblem) -> Self {
        Self {
            problems: vec![problem],
        }
    }
}

impl fmt::Display for PipelineManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for PipelineManifestError {}

/// What can be wrong with the manifest of a pipeline connector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PipelineManifestProblem {
    /// The text is not JSON; the parser's words with the place.
    #[error("invalid JSON: {0}")]
    Json(String),
    /// A key that the contract does not know.
    #[error("unknown key: `{key}`{}", inside(.parent))]
    UnknownKey {
        /// The key.
        key: String,
        /// The object it stands in; nothing for the manifest itself.
        parent: Option<&'static str>,
    },
    /// A key that stands there twice.
    #[error("repeated key: `{0}`")]
    RepeatedKey(String),
    /// A key that must be there and is not.
    #[error("missing key: `{0}`")]
    MissingKey(String),
    /// A value of the wrong type.
    #[error("wrong type{}: expected {expected}, found {found}", of_key(.key))]
    WrongType {
        /// The key it stands at; empty for the manifest itself.
        key: String,
        /// What it should be.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// A text of nothing but blanks.
    #[error("empty `{0}`")]
    Empty(String),
    /// A connection type that is not one.
    #[error(transparent)]
    ConnectionType(#[from] ConnectionTypeError),
    /// An asset class that is not `etl`.
    #[error("unexpected `asset_class`: `{0}`")]
    AssetClass(String),
    /// A status mapping that is not one.
    #[error("invalid `{key}`: {problem}")]
    Mapping {
        /// Which mapping.
        key: &'static str,
        /// What is wrong.
        problem: MappingProblem,
    },
}

fn of_key(key: &str) -> String {
    if key.is_empty() {
        return String::new();
    }
    format!(" for `{key}`")
}

fn inside(parent: &Option<&'static str>) -> String {
    parent.map_or_else(String::new, |parent| format!(" in `{parent}`"))
}

impl Diagnose for PipelineManifestProblem {
    fn diagnose(&self) -> Diagnostic {
        let told = Diagnostic::of(self).hint(self.hint());
        match self {
            Self::Mapping { problem, .. } => told.because_of(problem),
            _ => told,
        }
    }
}

impl PipelineManifestProblem {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Json(_) | Self::WrongType { .. } | Self::Mapping { .. } => None,
            Self::UnknownKey { key, parent: None } => Some(nearest::hint(key, KEYS)),
            Self::UnknownKey { key, .. } => Some(nearest::hint(key, TERMS)),
            Self::RepeatedKey(_) => Some("keep one of them".to_owned()),
            Self::MissingKey(key) if key == CONNECTION_TYPE => Some(connection_type_hint()),
            Self::ConnectionType(_) => Some(connection_type_hint()),
            Self::MissingKey(key) if key == ASSET_CLASS => Some(format!(
                "add `\"{ASSET_CLASS}\": \"{}\"`",
                AssetClass::Pipeline.name()
            )),
            Self::MissingKey(key) if key == RUN_STATUS_MAPPING => {
                Some("map every word that the vendor has for how a run stands".to_owned())
            }
            Self::MissingKey(key) | Self::Empty(key) if key == CONNECTION_NAME => {
                Some("say what people call the connection".to_owned())
            }
            Self::MissingKey(key) | Self::Empty(key) => Some(format!("fill in `{key}`")),
            Self::AssetClass(class) if class == AssetClass::Warehouse.name() => Some(format!(
                "move the folder to `{}/`, or use `{}`",
                crate::layout::CONNECTORS_DIR,
                AssetClass::Pipeline.name()
            )),
            Self::AssetClass(_) => Some(format!("use `{}`", AssetClass::Pipeline.name())),
        }
    }
}

fn connection_type_hint() -> String {
    format!(
        "use `{}` and seven hex digits of your own, such as `{}`",
        AssetClass::Pipeline.type_prefix(),
        ConnectionType::generate_for(AssetClass::Pipeline, [0x5e, 0xed, 0x0f, 0x01])
    )
}

/// What was read so far, and what was wrong with it.
#[derive(Default)]
struct Reading {
    connection_type: Option<ConnectionType>,
    connection_name: Option<String>,
    asset_class: Option<AssetClass>,
    terminology: Option<Terminology>,
    icon_url: Option<String>,
    run_status_mapping: Option<StatusMapping>,
    task_run_status_mapping: Option<StatusMapping>,
    credentials_schema: Option<Map<String, Value>>,
    seen: Vec<&'static str>,
    problems: Vec<PipelineManifestProblem>,
}

impl Reading {
    fn entries(&mut self, entries: Vec<(String, Node)>) {
        for (key, node) in entries {
            let Some(known) = KEYS.into_iter().find(|known| *known == key) else {
                self.problems
                    .push(PipelineManifestProblem::UnknownKey { key, parent: None });
                continue;
            };
            if self.seen.contains(&known) {
                self.problems
                    .push(PipelineManifestProblem::RepeatedKey(key));
                continue;
            }
            self.seen.push(known);
            if let Err(problem) = self.entry(known, node) {
                self.problems.push(problem);
            }
        }
    }

    fn entry(&mut self, key: &'static str, node: Node) -> Result<(), PipelineManifestProblem> {
        match key {
            CONNECTION_TYPE => {
                let class = AssetClass::Pipeline;
                self.connection_type = Some(ConnectionType::parse_for(class, &text(key, node)?)?);
            }
            CONNECTION_NAME => self.connection_name = Some(filled(key, node)?),
            ASSET_CLASS => {
                let class = text(key, node)?;
                if class != AssetClass::Pipeline.name() {
                    return Err(PipelineManifestProblem::AssetClass(class));
                }
                self.asset_class = Some(AssetClass::Pipeline);
            }
            TERMINOLOGY => self.terminology = self.terminology(object(key, node)?)?,
            ICON_URL => self.icon_url = Some(filled(key, node)?),
            RUN_STATUS_MAPPING => self.run_status_mapping = self.mapping(key, object(key, node)?),
            TASK_RUN_STATUS_MAPPING => {
                self.task_run_status_mapping = self.mapping(key, object(key, node)?);
            }
            _ => {
                let members = object(key, node)?.into_iter();
                let schema = members.map(|(name, node)| (name, node.into_value()));
                self.credentials_schema = Some(schema.collect());
            }
        }
        Ok(())
    }

    fn terminology(
        &mut self,
        terms: Vec<(String, Node)>,
    ) -> Result<Option<Terminology>, PipelineManifestProblem> {
        let mut terminology = Terminology::default();
        for (key, node) in terms {
            let slot = match key.as_str() {
                "group" => &mut terminology.group,
                "job" => &mut terminology.job,
                "task" => &mut terminology.task,
                _ => {
                    self.problems.push(PipelineManifestProblem::UnknownKey {
                        key,
                        parent: Some(TERMINOLOGY),
                    });
                    continue;
                }
            };
            *slot = filled(&format!("{TERMINOLOGY}.{key}"), node)?;
        }
        Ok(Some(terminology))
    }

    fn mapping(
        &mut self,
        key: &'static str,
        entries: Vec<(String, Node)>,
    ) -> Option<StatusMapping> {
        let entries: Vec<(String, Value)> = entries
            .into_iter()
            .map(|(word, node)| (word, node.into_value()))
            .collect();
        let pairs = entries.iter().map(|(word, value)| (word.as_str(), value));
        match StatusMapping::from_pairs(pairs) {
            Ok(mapping) => Some(mapping),
            Err(problems) => {
                let problems = problems.into_iter();
                self.problems.extend(
                    problems.map(|problem| PipelineManifestProblem::Mapping { key, problem }),
                );
                None
            }
        }
    }

    fn finish(mut self) -> Result<PipelineManifest, PipelineManifestError> {
        for key in [
            CONNECTION_TYPE,
            CONNECTION_NAME,
            ASSET_CLASS,
            RUN_STATUS_MAPPING,
        ] {
            if !self.seen.contains(&key) {
                let missing = PipelineManifestProblem::MissingKey(key.to_owned());
                self.problems.push(missing);
            }
        }
        match (
            self.problems.is_empty(),
            self.connection_type,
            self.connection_name,
            self.run_status_mapping,
        ) {
            (true, Some(connection_type), Some(connection_name), Some(run_status_mapping)) => {
                Ok(PipelineManifest {
                    connection_type,
                    connection_name,
                    terminology: self.terminology.unwrap_or_default(),
                    icon_url: self.icon_url,
                    run_status_mapping,
                    task_run_status_mapping: self.task_run_status_mapping,
                    credentials_schema: self.credentials_schema,
                })
            }
            _ => Err(PipelineManifestError {
                problems: self.problems,
            }),
        }
    }
}

fn text(key: &str, node: Node) -> Result<String, PipelineManifestProblem> {
    match node {
        Node::Other(Value::String(text)) => Ok(text),
        other => Err(wrong_type(key, "text", other)),
    }
}

fn filled(key: &str, node: Node) -> Result<String, PipelineManifestProblem> {
    let text = text(key, node)?;
    if text.trim().is_empty() {
        return Err(PipelineManifestProblem::Empty(key.to_owned()));
    }
    Ok(text)
}

fn object(key: &str, node: Node) -> Result<Vec<(String, Node)>, PipelineManifestProblem> {
    match node {
        Node::Object(members) => Ok(members),
        other => Err(wrong_type(key, "an object", other)),
    }
}

fn wrong_type(key: &str, expected: &'static str, found: Node) -> PipelineManifestProblem {
    PipelineManifestProblem::WrongType {
        key: key.to_owned(),
        expected,
        found: kind_of(&found.into_value()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALID: &str = r#"{
  "connection_type": "custom-etl-connector-abc1234",
  "connection_name": "Pipelines",
  "asset_class": "etl",
  "terminology": {
    "group": "Pool",
    "job": "Flow",
    "task": "Task"
  },
  "icon_url": "https://example.com/icon.svg",
  "run_status_mapping": {
    "COMPLETED": "success",
    "FAILED": "failed"
  },
  "task_run_status_mapping": {
    "Late": "queued"
  },
  "credentials_schema": {
    "connect_args": {
      "type": "dict"
    }
  }
}
"#;

    fn refused(text: &str) -> Vec<PipelineManifestProblem> {
        PipelineManifest::parse(text).unwrap_err().problems
    }

    #[test]
    fn a_valid_manifest_is_read_and_written_back() {
        let manifest = PipelineManifest::parse(VALID).unwrap();
        assert_eq!(manifest.terminology.group, "Pool");
        assert_eq!(manifest.to_json_string(), VALID);
    }

    #[test]
    fn what_may_be_left_out_has_its_default() {
        let manifest = PipelineManifest::parse(
            r#"{"connection_type": "custom-etl-connector-abc1234", "connection_name": "x",
                "asset_class": "etl", "run_status_mapping": {"Done": "success"}}"#,
        )
        .unwrap();
        assert_eq!(manifest.terminology, Terminology::default());
        assert_eq!(
            manifest.task_statuses().find("DONE"),
            Some(RunStatus::Success)
        );
    }

    #[test]
    fn every_problem_is_told() {
        let text = VALID
            .replace("custom-etl-connector", "custom-connector")
            .replace("\"Pipelines\"", "\" \"")
            .replace("\"etl\"", "\"warehouse\"")
            .replace("\"job\"", "\"jb\"")
            .replace("icon_url", "icon")
            .replace("\"FAILED\"", "\"Completed\"");
        let told: Vec<String> = refused(&text).iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "invalid `connection_type`: `custom-connector-abc1234`",
                "empty `connection_name`",
                "unexpected `asset_class`: `warehouse`",
                "unknown key: `jb` in `terminology`",
                "unknown key: `icon`",
                "invalid `run_status_mapping`: `COMPLETED` and `Completed` are the same word: case does not count",
            ]
        );
    }

    #[test]
    fn a_word_that_stands_twice_is_seen() {
        let text = VALID.replace("\"FAILED\"", "\"COMPLETED\"");
        assert!(matches!(
            refused(&text).as_slice(),
            [PipelineManifestProblem::Mapping {
                problem: MappingProblem::Repeated { .. },
                ..
            }]
        ));
        let text = VALID.replace("\"icon_url\"", "\"connection_name\"");
        assert_eq!(
            refused(&text),
            [PipelineManifestProblem::RepeatedKey(
                "connection_name".to_owned()
            )]
        );
    }

    #[test]
    fn the_schema_names_the_same_keys() {
        let schema = PipelineManifest::json_schema();
        let keys = |schema: &Value| -> Vec<String> {
            let properties = schema["properties"].as_object().unwrap();
            properties.keys().cloned().collect()
        };
        assert_eq!(keys(&schema), KEYS);
        assert_eq!(keys(&schema["properties"][TERMINOLOGY]), TERMS);
    }

    #[test]
    fn missing_keys_and_wrong_types_are_named() {
        assert_eq!(refused("{}").len(), 4);
        assert!(refused("{}").iter().all(|problem| problem.hint().is_some()));
        assert_eq!(
            refused("[1]")[0].to_string(),
            "wrong type: expected an object, found a list"
        );
        assert!(matches!(
            refused("{,}")[0],
            PipelineManifestProblem::Json(_)
        ));
        let told = refused(&VALID.replace("\"Flow\"", "7"))[0].to_string();
        assert_eq!(
            told,
            "wrong type for `terminology.job`: expected text, found a number"
        );
    }
}
