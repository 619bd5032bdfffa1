//! `manifest.json` of a pipeline connector.

use serde_json::{Map, Value, json};

use super::status_mapping::{MappingProblem, StatusMapping};
use crate::json::Member;
use crate::manifest::problem::PICTURE_ENDINGS;
use crate::manifest::reader::{ManifestReader, filled, object};
use crate::manifest::{
    ASSET_CLASS, AssetClass, CONNECTION_NAME, CONNECTION_TYPE, CREDENTIALS_SCHEMA, ConnectionType,
    ManifestError, ManifestFault, ManifestProblem,
};

const TERMINOLOGY: &str = "terminology";
const ICON_URL: &str = "icon_url";
const RUN_STATUS_MAPPING: &str = "run_status_mapping";
const TASK_RUN_STATUS_MAPPING: &str = "task_run_status_mapping";

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
    /// Keys that the contract does not know, as they were written.
    pub other: Map<String, Value>,
    /// What is worth a word and makes the manifest no less valid, in the order of the text.
    pub advices: Vec<ManifestProblem>,
    /// Why a connector with this manifest may be looked at and not be proven: it maps no word yet.
    pub unfinished: Option<ManifestProblem>,
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

impl Terminology {
    /// Its keys.
    pub const KEYS: &'static [&'static str] = &["group", "job", "task"];
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
    /// Its keys, in the order in which people read them.
    pub const KEYS: &'static [&'static str] = &[
        CONNECTION_TYPE,
        CONNECTION_NAME,
        ASSET_CLASS,
        TERMINOLOGY,
        ICON_URL,
        RUN_STATUS_MAPPING,
        TASK_RUN_STATUS_MAPPING,
        CREDENTIALS_SCHEMA,
    ];

    /// Reads a manifest.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let mut reader = ManifestReader::open(AssetClass::Pipeline, text, Self::KEYS)?;
        let connection_type = reader.connection_type();
        let connection_name = reader.connection_name();
        reader.asset_class();
        let member = reader.require(RUN_STATUS_MAPPING);
        let place = member.as_ref().map(|member| member.place);
        let run_status_mapping =
            member.and_then(|member| mapping(&mut reader, RUN_STATUS_MAPPING, member));
        let unfinished = run_status_mapping
            .as_ref()
            .filter(|mapping| mapping.is_empty())
            .map(|_| {
                let fault = ManifestFault::Mapping {
                    key: RUN_STATUS_MAPPING,
                    problem: MappingProblem::Empty,
                };
                reader.problem(place, fault)
            });
        let task_run_status_mapping = reader
            .take(TASK_RUN_STATUS_MAPPING)
            .and_then(|member| mapping(&mut reader, TASK_RUN_STATUS_MAPPING, member))
            .filter(|mapping| !mapping.is_empty());
        let terminology = terminology(&mut reader);
        let icon_url = icon_url(&mut reader);
        let credentials_schema = reader.credentials_schema();
        let (other, advices) = reader.rest();
        let required = connection_type.zip(connection_name).zip(run_status_mapping);
        reader.finish(
            required.map(
                |((connection_type, connection_name), run_status_mapping)| Self {
                    connection_type,
                    connection_name,
                    terminology,
                    icon_url,
                    run_status_mapping,
                    task_run_status_mapping,
                    credentials_schema,
                    other,
                    advices,
                    unfinished,
                },
            ),
        )
    }

    /// What the vendor's words for how a task run stands mean.
    #[must_use]
    pub fn task_statuses(&self) -> &StatusMapping {
        self.task_run_status_mapping
            .as_ref()
            .unwrap_or(&self.run_status_mapping)
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
        for (key, value) in &self.other {
            manifest[key] = value.clone();
        }
        format!("{manifest:#}\n")
    }
}

/// Where the vendor's picture is: an address of the web. One that does not end as pictures do is worth a word.
fn icon_url(reader: &mut ManifestReader) -> Option<String> {
    let member = reader.take(ICON_URL)?;
    let found = reader.kept(member.place, filled(ICON_URL, member.value))?;
    match icon_fault(&found) {
        Some(fault @ ManifestFault::Picture { .. }) => reader.advise(member.place, fault),
        Some(fault) => {
            reader.report(Some(member.place), fault);
            return None;
        }
        None => {}
    }
    Some(found)
}

/// What is wrong with the address of a vendor's picture, or worth a word.
#[must_use]
pub fn icon_fault(address: &str) -> Option<ManifestFault> {
    let key = ICON_URL;
    let found = address.to_owned();
    let lower = address.trim().to_lowercase();
    let rest = ["https://", "http://"]
        .into_iter()
        .find_map(|scheme| lower.strip_prefix(scheme))
        .filter(|rest| !rest.is_empty() && !rest.starts_with('/'));
    let Some(rest) = rest.filter(|rest| !rest.contains(char::is_whitespace)) else {
        return Some(ManifestFault::Address { key, found });
    };
    let path = rest.split(['?', '#']).next().unwrap_or(rest);
    let is_picture =
        path.contains('/') && PICTURE_ENDINGS.iter().any(|ending| path.ends_with(ending));
    (!is_picture).then_some(ManifestFault::Picture { key, found })
}

fn terminology(reader: &mut ManifestReader) -> Terminology {
    let mut terminology = Terminology::default();
    let members = reader
        .take(TERMINOLOGY)
        .and_then(|member| reader.kept(member.place, object(TERMINOLOGY, member.value)));
    for Member { key, place, value } in members.into_iter().flatten() {
        let term = match key.as_str() {
            "group" => &mut terminology.group,
            "job" => &mut terminology.job,
            "task" => &mut terminology.task,
            _ => {
                let unknown = ManifestFault::UnknownKey {
                    key,
                    parent: Some(TERMINOLOGY),
                    known: Terminology::KEYS,
                };
                reader.advise(place, unknown);
                continue;
            }
        };
        if let Some(text) = reader.kept(place, filled(&format!("{TERMINOLOGY}.{key}"), value)) {
            *term = text;
        }
    }
    terminology
}

/// A status mapping; what is wrong with a word stands where the word does.
fn mapping(
    reader: &mut ManifestReader,
    key: &'static str,
    member: Member,
) -> Option<StatusMapping> {
    let members = reader.kept(member.place, object(key, member.value))?;
    let words: Vec<_> = members
        .into_iter()
        .map(|member| (member.key, member.place, member.value.into_value()))
        .collect();
    let pairs = words
        .iter()
        .map(|(word, _, status)| (word.as_str(), status));
    match StatusMapping::from_pairs(pairs) {
        Ok(mapping) => Some(mapping),
        Err(problems) => {
            for problem in problems {
                let place = words
                    .iter()
                    .rfind(|(word, ..)| Some(word.as_str()) == problem.word())
                    .map_or(member.place, |(_, place, _)| *place);
                reader.report(Some(place), ManifestFault::Mapping { key, problem });
            }
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use bowline_words::Diagnose;

    use super::*;
    use crate::manifest::ManifestProblem;
    use crate::pipeline::{MappingProblem, RunStatus};

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

    fn refused(text: &str) -> Vec<ManifestProblem> {
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
            .replace("https://", "ftp://")
            .replace("\"FAILED\"", "\"Completed\"");
        let told: Vec<String> = refused(&text).iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "invalid `connection_type`: `custom-connector-abc1234` (line 2, column 19)",
                "empty `connection_name` (line 3, column 19)",
                "unexpected `asset_class`: `warehouse` (line 4, column 15)",
                "invalid `icon_url`: `ftp://example.com/icon.svg` is no address of the web (line 10, column 12)",
                "invalid `run_status_mapping`: `COMPLETED` and `Completed` are the same word: case does not count (line 13, column 15)",
            ]
        );
    }

    #[test]
    fn what_is_worth_a_word_stops_nothing() {
        let text = VALID
            .replace("\"job\"", "\"jb\"")
            .replace("\"credentials_schema\"", "\"credential_schema\"")
            .replace("icon.svg", "icon");
        let manifest = PipelineManifest::parse(&text).unwrap();
        let told: Vec<String> = manifest.advices.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "unknown key: `jb` in `terminology` (line 7, column 8)",
                "`icon_url` may be no picture: `https://example.com/icon` (line 10, column 12)",
                "unknown key: `credential_schema` (line 18, column 21)",
            ]
        );
        assert!(manifest.other.contains_key("credential_schema"));
    }

    #[test]
    fn a_mapping_of_nothing_is_unfinished_and_one_for_task_runs_absent() {
        let text = VALID
            .replace("\"Late\": \"queued\"", "")
            .replace("\"COMPLETED\": \"success\",", "")
            .replace("\"FAILED\": \"failed\"", "");
        let manifest = PipelineManifest::parse(&text).unwrap();
        assert_eq!(manifest.task_run_status_mapping, None);
        assert_eq!(
            manifest.unfinished.unwrap().diagnose().to_string(),
            "invalid `run_status_mapping`: it maps no word (line 11, column 22)\nhint: map every word that the vendor has for how a run stands"
        );
        let finished = PipelineManifest::parse(VALID).unwrap();
        assert_eq!(finished.unfinished, None);
    }

    #[test]
    fn addresses_of_pictures_are_checked() {
        let fault = |address: &str| icon_fault(address).map(|fault| fault.to_string());
        for fine in ["https://x.example/a.svg", "HTTP://x.example/b/a.PNG?v=1"] {
            assert_eq!(fault(fine), None, "{fine}");
        }
        for odd in [
            "https://x.example",
            "https://x.example/logo",
            "https://x.svg",
        ] {
            assert!(fault(odd).unwrap().contains("may be"), "{odd}");
        }
        for wrong in [
            "x.svg",
            "https://",
            "https:///a.svg",
            "file:///a.svg",
            "https://a b/c.svg",
        ] {
            assert!(fault(wrong).unwrap().contains("no address"), "{wrong}");
        }
    }

    #[test]
    fn a_word_that_stands_twice_is_seen() {
        let text = VALID.replace("\"FAILED\"", "\"COMPLETED\"");
        assert!(matches!(
            refused(&text).as_slice(),
            [ManifestProblem {
                fault: ManifestFault::Mapping {
                    problem: MappingProblem::Repeated { .. },
                    ..
                },
                ..
            }]
        ));
        let text = VALID.replace("\"icon_url\"", "\"connection_name\"");
        let repeated: Vec<String> = refused(&text).iter().map(ToString::to_string).collect();
        assert_eq!(
            repeated,
            ["repeated key: `connection_name` (line 10, column 19)"]
        );
    }

    #[test]
    fn missing_keys_and_wrong_types_are_named() {
        assert_eq!(refused("{}").len(), 4);
        assert!(
            refused("{}")
                .iter()
                .all(|problem| !problem.diagnose().hints.is_empty())
        );
        assert_eq!(
            refused("[1]")[0].to_string(),
            "wrong type: expected an object, found a list"
        );
        assert!(matches!(refused("{,}")[0].fault, ManifestFault::Json(_)));
        let told = refused(&VALID.replace("\"Flow\"", "7"))[0].to_string();
        assert_eq!(
            told,
            "wrong type for `terminology.job`: expected text, found a number (line 7, column 9)"
        );
    }
}
