//! The manifest that stands in a warehouse connector's folder.

use serde_json::{Map, Value, json};

use super::connection_type::{AssetClass, ConnectionType};
use super::problem::{ManifestError, ManifestProblem};
use super::reader::ManifestReader;
use super::{ASSET_CLASS, CONNECTION_NAME, CONNECTION_TYPE, CREDENTIALS_SCHEMA};

/// The manifest of a warehouse connector, as its folder holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceManifest {
    /// The connector's own type, unique to it.
    pub connection_type: ConnectionType,
    /// What people call the connection.
    pub connection_name: String,
    /// The schema that `credentials.json` must fit, in Cerberus' format; absent or empty means no validation.
    pub credentials_schema: Option<Map<String, Value>>,
    /// Keys that the contract does not know, as they were written.
    pub other: Map<String, Value>,
    /// What is worth a word and makes the manifest no less valid, in the order of the text.
    pub advices: Vec<ManifestProblem>,
}

impl SourceManifest {
    /// Its keys, in the order in which people read them.
    pub const KEYS: &'static [&'static str] = &[
        CONNECTION_TYPE,
        CONNECTION_NAME,
        ASSET_CLASS,
        CREDENTIALS_SCHEMA,
    ];

    /// Reads a manifest.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let mut reader = ManifestReader::open(AssetClass::Warehouse, text, Self::KEYS)?;
        let connection_type = reader.connection_type();
        let connection_name = reader.connection_name();
        reader.asset_class();
        let credentials_schema = reader.credentials_schema();
        let (other, advices) = reader.rest();
        reader.finish(connection_type.zip(connection_name).map(
            |(connection_type, connection_name)| Self {
                connection_type,
                connection_name,
                credentials_schema,
                other,
                advices,
            },
        ))
    }

    /// The manifest as text: keys in the order people read them, two spaces of indent, a newline at the end.
    #[must_use]
    pub fn to_json_string(&self) -> String {
        let mut manifest = json!({
            CONNECTION_TYPE: self.connection_type.as_str(),
            CONNECTION_NAME: self.connection_name,
            ASSET_CLASS: AssetClass::Warehouse.name(),
        });
        if let Some(schema) = &self.credentials_schema {
            manifest[CREDENTIALS_SCHEMA] = Value::Object(schema.clone());
        }
        for (key, value) in &self.other {
            manifest[key] = value.clone();
        }
        format!("{manifest:#}\n")
    }
}

#[cfg(test)]
mod tests {
    use bowline_words::Diagnose;

    use super::*;
    use crate::manifest::ManifestFault;

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
        // The first mistake, where the keys that are missing beside it are not what a test is about.
        let error = SourceManifest::parse(text).unwrap_err();
        error.problems[0].diagnose().to_string()
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
    fn an_unknown_key_is_kept_and_told_with_its_place_and_the_nearest_name() {
        let text = VALID.replace("credentials_schema", "credential_schema");
        let manifest = SourceManifest::parse(&text).unwrap();
        let told: Vec<String> = manifest
            .advices
            .iter()
            .map(|advice| advice.diagnose().to_string())
            .collect();
        assert_eq!(
            told,
            [
                "unknown key: `credential_schema` (line 5, column 21)\nhint: did you mean `credentials_schema`?"
            ]
        );
        assert_eq!(manifest.to_json_string(), text);

        let newer = VALID.replacen('{', "{\n  \"contract_version\": 2,", 1);
        let manifest = SourceManifest::parse(&newer).unwrap();
        let hints = manifest.advices[0].diagnose().hints;
        assert_eq!(
            hints,
            [
                "a newer contract may know it, and then this version exports nothing of it; this one knows \
                 `connection_type`, `connection_name`, `asset_class`, `credentials_schema`"
            ]
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
            "wrong type: expected an object, found a list"
        );
        assert!(refused(&format!("{VALID}x")).starts_with("invalid JSON: trailing characters"));
        assert!(refused("").starts_with("invalid JSON: EOF"));
    }

    #[test]
    fn each_value_is_checked_and_what_to_do_is_told() {
        for (from, to, message) in [
            (
                "\"Shop\"",
                "7",
                "wrong type for `connection_name`: expected text, found a number (line 3, column 19)",
            ),
            (
                "\"Shop\"",
                "\" \"",
                "empty `connection_name` (line 3, column 19)\nhint: say what people call the connection",
            ),
            (
                "\"warehouse\"",
                "\"etl\"",
                "unexpected `asset_class`: `etl` (line 4, column 15)\n\
                 hint: move the folder to `etl_connectors/`, or use `warehouse`",
            ),
            (
                "\"warehouse\"",
                "\"lake\"",
                "unexpected `asset_class`: `lake` (line 4, column 15)\nhint: use `warehouse`",
            ),
            (
                "asset_class",
                "connection_name",
                "repeated key: `connection_name` (line 4, column 19)\nhint: keep one of them",
            ),
        ] {
            assert_eq!(refused(&VALID.replacen(from, to, 1)), message);
        }
        let found = refused(&VALID.replacen("abc1234", "abc123", 1));
        assert!(
            found.starts_with(
                "invalid `connection_type`: `custom-connector-abc123` (line 2, column 19)"
            ),
            "{found}"
        );
        assert!(
            found.contains("\nhint: use `custom-connector-` and seven hex digits of your own"),
            "{found}"
        );
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
            let missing = ManifestProblem {
                class: AssetClass::Warehouse,
                fault: ManifestFault::MissingKey(key),
                place: None,
            };
            assert!(!missing.diagnose().hints.is_empty());
            assert_eq!(error.problems, [missing]);
        }
    }

    #[test]
    fn every_mistake_is_told_with_its_line() {
        let text = VALID
            .replace("abc1234", "abc123")
            .replace("\"Shop\"", "[\n]")
            .replace("\"warehouse\"", "1");
        let error = SourceManifest::parse(&text).unwrap_err();
        let told: Vec<String> = error.problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "invalid `connection_type`: `custom-connector-abc123` (line 2, column 19)",
                "wrong type for `connection_name`: expected text, found a list (line 3, column 19)",
                "wrong type for `asset_class`: expected text, found a number (line 5, column 15)",
            ]
        );
    }
}
