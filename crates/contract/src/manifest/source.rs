//! The manifest that stands in a connector's folder.

use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, Visitor};
use serde_json::{Map, Value, json};

use super::connection_type::{self, AssetClass, ConnectionType};
use super::{ASSET_CLASS, CONNECTION_NAME, CONNECTION_TYPE, CREDENTIALS_SCHEMA};
use crate::json::kind_of;
use bowline_words::{Diagnose, Diagnostic, nearest};

const KEYS: [&str; 4] = [
    CONNECTION_TYPE,
    CONNECTION_NAME,
    ASSET_CLASS,
    CREDENTIALS_SCHEMA,
];

const WAREHOUSE: &str = AssetClass::Warehouse.name();

/// The manifest of a warehouse connector, as its folder holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceManifest {
    /// The connector's own type, unique to it.
    pub connection_type: ConnectionType,
    /// What people call the connection.
    pub connection_name: String,
    /// The schema that `credentials.json` must fit, in Cerberus' format; absent or empty means no validation.
    pub credentials_schema: Option<Map<String, Value>>,
}

impl SourceManifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// At the first thing that is wrong, with its place in the text where it has one.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let mut problem = None;
        let mut reader = serde_json::Deserializer::from_str(text);
        let read = Manifest {
            problem: &mut problem,
        }
        .deserialize(&mut reader)
        .and_then(|entries| reader.end().map(|()| entries));
        let entries = read.map_err(|error| ManifestError::located(&error, problem))?;
        Ok(Self {
            connection_type: entries
                .connection_type
                .ok_or(ManifestError::missing(CONNECTION_TYPE))?,
            connection_name: entries
                .connection_name
                .ok_or(ManifestError::missing(CONNECTION_NAME))?,
            credentials_schema: entries
                .asset_class
                .ok_or(ManifestError::missing(ASSET_CLASS))
                .map(|Warehouse| entries.credentials_schema)?,
        })
    }

    /// The manifest as text: keys in the order people read them, two spaces of indent, a newline at the end.
    #[must_use]
    pub fn to_json_string(&self) -> String {
        let mut manifest = json!({
            CONNECTION_TYPE: self.connection_type.as_str(),
            CONNECTION_NAME: self.connection_name,
            ASSET_CLASS: WAREHOUSE,
        });
        if let Some(schema) = &self.credentials_schema {
            manifest[CREDENTIALS_SCHEMA] = Value::Object(schema.clone());
        }
        format!("{manifest:#}\n")
    }

    /// The JSON Schema of the file, for editors.
    #[must_use]
    pub fn json_schema() -> Value {
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "manifest.json of a warehouse connector",
            "type": "object",
            "additionalProperties": false,
            "required": [CONNECTION_TYPE, CONNECTION_NAME, ASSET_CLASS],
            "properties": {
                CONNECTION_TYPE: {
                    "description": "The connector's own type, unique to it. Made once; keep it for good.",
                    "type": "string",
                    "pattern": AssetClass::Warehouse.type_pattern(),
                },
                CONNECTION_NAME: {
                    "description": "What people call the connection.",
                    "type": "string",
                    "pattern": "\\S",
                },
                ASSET_CLASS: {
                    "description": "What kind of thing is connected.",
                    "const": WAREHOUSE,
                },
                CREDENTIALS_SCHEMA: {
                    "description": "The schema that credentials.json must fit, in Cerberus' format, under a top-level \
                                    `connect_args`. Absent or empty means no validation.",
                    "type": "object",
                },
            },
        })
    }
}

/// A manifest that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestError {
    /// What is wrong.
    pub problem: ManifestProblem,
    /// Where reading stopped; nothing for a key that is not there.
    pub place: Option<Place>,
}

/// A place in a text; both count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column, in bytes, at which reading stopped: just behind the thing that is wrong.
    pub column: usize,
}

impl ManifestError {
    fn missing(key: &'static str) -> Self {
        Self {
            problem: ManifestProblem::MissingKey(key),
            place: None,
        }
    }

    fn located(error: &serde_json::Error, problem: Option<ManifestProblem>) -> Self {
        let place = Place {
            line: error.line(),
            column: error.column(),
        };
        let words = error.to_string();
        let end = format!(" at line {} column {}", place.line, place.column);
        Self {
            problem: problem.unwrap_or_else(|| {
                ManifestProblem::Json(words.strip_suffix(&end).unwrap_or(&words).to_owned())
            }),
            place: Some(place),
        }
    }
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.problem)?;
        if let Some(Place { line, column }) = self.place {
            write!(f, " (line {line}, column {column})")?;
        }
        Ok(())
    }
}

impl std::error::Error for ManifestError {}

impl Diagnose for ManifestError {
    fn diagnose(&self) -> Diagnostic {
        Diagnostic::of(self).hint(self.problem.hint())
    }
}

/// What can be wrong with a manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestProblem {
    /// The text is not a JSON object; the parser's words.
    #[error("invalid JSON: {0}")]
    Json(String),
    /// A key that the contract does not know.
    #[error("unknown key: `{0}`")]
    UnknownKey(String),
    /// A key that stands there twice.
    #[error("repeated key: `{0}`")]
    RepeatedKey(&'static str),
    /// A key that must be there and is not.
    #[error("missing key: `{0}`")]
    MissingKey(&'static str),
    /// A value of the wrong type.
    #[error("wrong type for `{key}`: expected {expected}, found {found}")]
    WrongType {
        /// The key it stands at.
        key: &'static str,
        /// What it should be.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// A connection type that is not one.
    #[error(transparent)]
    ConnectionType(#[from] connection_type::ConnectionTypeError),
    /// A name of nothing but blanks.
    #[error("empty `connection_name`")]
    EmptyName,
    /// An asset class that is not `warehouse`.
    #[error("unexpected `asset_class`: `{0}`")]
    AssetClass(String),
}

impl Diagnose for ManifestProblem {
    fn diagnose(&self) -> Diagnostic {
        Diagnostic::of(self).hint(self.hint())
    }
}

impl ManifestProblem {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Json(_) | Self::WrongType { .. } => None,
            Self::UnknownKey(key) => Some(nearest::hint(key, KEYS)),
            Self::RepeatedKey(_) => Some("keep one of them".to_owned()),
            Self::MissingKey(CONNECTION_TYPE) | Self::ConnectionType(_) => Some(format!(
                "use `custom-connector-` and seven hex digits of your own, such as `{}`",
                ConnectionType::generate([0x5e, 0xed, 0x0f, 0x01])
            )),
            Self::MissingKey(ASSET_CLASS) => {
                Some(format!("add `\"{ASSET_CLASS}\": \"{WAREHOUSE}\"`"))
            }
            Self::MissingKey(_) | Self::EmptyName => {
                Some("say what people call the connection".to_owned())
            }
            Self::AssetClass(class) if class == AssetClass::Pipeline.name() => Some(format!(
                "move the folder to `{}/`, or use `{WAREHOUSE}`",
                crate::layout::ETL_CONNECTORS_DIR
            )),
            Self::AssetClass(_) => Some(format!("use `{WAREHOUSE}`")),
        }
    }
}

/// Reads the object and leaves what is wrong, typed, in `problem`: the JSON reader's own errors are text with a place.
struct Manifest<'p> {
    problem: &'p mut Option<ManifestProblem>,
}

/// The only asset class that is read here.
struct Warehouse;

#[derive(Default)]
struct Entries {
    connection_type: Option<ConnectionType>,
    connection_name: Option<String>,
    asset_class: Option<Warehouse>,
    credentials_schema: Option<Map<String, Value>>,
}

impl Entries {
    fn take(&mut self, key: &'static str, value: Value) -> Result<(), ManifestProblem> {
        let repeated = match key {
            CONNECTION_TYPE => {
                let found = ConnectionType::parse(&text(key, value)?)?;
                self.connection_type.replace(found).is_some()
            }
            CONNECTION_NAME => {
                let found = text(key, value)?;
                if found.trim().is_empty() {
                    return Err(ManifestProblem::EmptyName);
                }
                self.connection_name.replace(found).is_some()
            }
            ASSET_CLASS => {
                let found = text(key, value)?;
                if found != WAREHOUSE {
                    return Err(ManifestProblem::AssetClass(found));
                }
                self.asset_class.replace(Warehouse).is_some()
            }
            _ => {
                let Value::Object(found) = value else {
                    return Err(wrong_type(key, "an object", &value));
                };
                self.credentials_schema.replace(found).is_some()
            }
        };
        if repeated {
            return Err(ManifestProblem::RepeatedKey(key));
        }
        Ok(())
    }
}

fn text(key: &'static str, value: Value) -> Result<String, ManifestProblem> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(wrong_type(key, "text", &other)),
    }
}

fn wrong_type(key: &'static str, expected: &'static str, found: &Value) -> ManifestProblem {
    ManifestProblem::WrongType {
        key,
        expected,
        found: kind_of(found),
    }
}

impl<'de> DeserializeSeed<'de> for Manifest<'_> {
    type Value = Entries;

    fn deserialize<D: serde::Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Entries, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Manifest<'_> {
    type Value = Entries;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
        let mut entries = Entries::default();
        while let Some(key) = map.next_key::<String>()? {
            let taken = match KEYS.into_iter().find(|known| *known == key) {
                Some(known) => entries.take(known, map.next_value()?),
                None => Err(ManifestProblem::UnknownKey(key)),
            };
            if let Err(problem) = taken {
                let error = A::Error::custom(&problem);
                *self.problem = Some(problem);
                return Err(error);
            }
        }
        Ok(entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALID: &str = r#"{
  "connection_type": "custom-connector-abc1234",
  "connection_name": "Shop",
  "asset_class": "warehouse",
  "credentials_schema": {
    "connect_args": {
      "type": "dict"
    }
  }
}
"#;

    fn refused(text: &str) -> String {
        SourceManifest::parse(text)
            .unwrap_err()
            .diagnose()
            .to_string()
    }

    #[test]
    fn a_valid_manifest_is_read_and_written_back() {
        let manifest = SourceManifest::parse(VALID).unwrap();
        assert_eq!(manifest.connection_name, "Shop");
        assert_eq!(manifest.to_json_string(), VALID);
    }

    #[test]
    fn an_absent_schema_is_not_an_empty_one() {
        let entries = r#""asset_class": "warehouse", "connection_name": "x", "connection_type": "custom-connector-abc1234""#;
        let without = SourceManifest::parse(&format!("{{{entries}}}")).unwrap();
        assert_eq!(without.credentials_schema, None);
        let empty =
            SourceManifest::parse(&format!("{{{entries}, \"credentials_schema\": {{}}}}")).unwrap();
        assert_eq!(empty.credentials_schema, Some(Map::new()));
    }

    #[test]
    fn an_unknown_key_has_its_place_and_the_nearest_name() {
        assert_eq!(
            refused("{\n  \"conection_name\": \"Shop\"\n}"),
            "unknown key: `conection_name` (line 2, column 18)\nhint: did you mean `connection_name`?"
        );
    }

    #[test]
    fn broken_json_has_its_place() {
        assert_eq!(
            refused("{\n  \"connection_name\": \"Shop\",\n}"),
            "invalid JSON: trailing comma (line 3, column 1)"
        );
        assert_eq!(
            refused("[]"),
            "invalid JSON: invalid type: sequence, expected an object (line 1, column 0)"
        );
        assert!(refused(&format!("{VALID}x")).starts_with("invalid JSON: trailing characters"));
        assert!(refused("").starts_with("invalid JSON: EOF"));
    }

    #[test]
    fn each_value_is_checked() {
        for (from, to, message) in [
            (
                "\"Shop\"",
                "7",
                "wrong type for `connection_name`: expected text, found a number (line 3",
            ),
            ("\"Shop\"", "\" \"", "empty `connection_name` (line 3"),
            (
                "abc1234",
                "abc123",
                "invalid `connection_type`: `custom-connector-abc123` (line 2",
            ),
            (
                "\"warehouse\"",
                "\"etl\"",
                "unexpected `asset_class`: `etl` (line 4",
            ),
            (
                "asset_class",
                "connection_name",
                "repeated key: `connection_name` (line 4",
            ),
        ] {
            let found = refused(&VALID.replacen(from, to, 1));
            assert!(found.starts_with(message), "{found}");
        }
        let found = refused(r#"{"credentials_schema": []}"#);
        assert!(
            found.starts_with(
                "wrong type for `credentials_schema`: expected an object, found a list"
            ),
            "{found}"
        );
    }

    #[test]
    fn each_missing_key_is_named() {
        for key in [CONNECTION_TYPE, CONNECTION_NAME, ASSET_CLASS] {
            let mut manifest: Map<String, Value> = serde_json::from_str(VALID).unwrap();
            manifest.remove(key);
            let error = SourceManifest::parse(&Value::Object(manifest).to_string()).unwrap_err();
            assert_eq!(error.problem, ManifestProblem::MissingKey(key));
            assert!(error.problem.hint().is_some());
        }
    }

    #[test]
    fn the_schema_names_the_same_keys() {
        let schema = SourceManifest::json_schema();
        let properties: Vec<&str> = schema["properties"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(properties, KEYS);
    }
}
