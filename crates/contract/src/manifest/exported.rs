//! The manifest that an export writes: what was proven, and nothing else.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::connection_type::ConnectionType;
use super::{CONNECTION_NAME, CONNECTION_TYPE, CREDENTIALS_SCHEMA};
use crate::capability::Capability;
use crate::metric::Metric;

/// The manifest of an exported connector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedManifest {
    /// The connector's own type, from its source manifest.
    pub connection_type: ConnectionType,
    /// What people call the connection, from its source manifest.
    pub connection_name: String,
    /// The version of the program that wrote the export, if it has one.
    pub setup_version: Option<String>,
    /// The capabilities that were proven; all others are written as `false`.
    pub capabilities: BTreeSet<Capability>,
    /// The metrics that were proven; all others are written as `false`.
    pub metrics: BTreeSet<&'static Metric>,
    /// The credentials' schema, when the source manifest has one.
    pub credentials_schema: Option<Map<String, Value>>,
}

impl ExportedManifest {
    /// The manifest as text: every key sorted, two spaces of indent, a newline at the end.
    ///
    /// Equal manifests give equal bytes.
    #[must_use]
    pub fn to_json_string(&self) -> String {
        let capabilities: Map<String, Value> = Capability::ALL
            .iter()
            .map(|each| {
                (
                    each.name().to_owned(),
                    self.capabilities.contains(each).into(),
                )
            })
            .collect();
        let metrics: Map<String, Value> = Metric::all()
            .iter()
            .map(|each| (each.name.to_owned(), self.metrics.contains(each).into()))
            .collect();
        let mut manifest = json!({
            CONNECTION_TYPE: self.connection_type.as_str(),
            CONNECTION_NAME: self.connection_name,
            "setup_version": self.setup_version,
            "capabilities": capabilities,
            "metrics": metrics,
        });
        if let Some(schema) = &self.credentials_schema {
            manifest[CREDENTIALS_SCHEMA] = Value::Object(schema.clone());
        }
        manifest.sort_all_objects();
        format!("{manifest:#}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> ExportedManifest {
        ExportedManifest {
            connection_type: ConnectionType::parse("custom-connector-abc1234").unwrap(),
            connection_name: "Shop \"north\" ☃".to_owned(),
            setup_version: Some("1.2.3".to_owned()),
            capabilities: BTreeSet::from([Capability::Schema, Capability::Metadata]),
            metrics: BTreeSet::from([
                Metric::find("zero_rate").unwrap(),
                Metric::find("approx_quantiles").unwrap(),
            ]),
            credentials_schema: serde_json::from_str(
                r#"{"connect_args": {"type": "dict", "schema": {"b": {}, "a": {}}}}"#,
            )
            .unwrap(),
        }
    }

    #[test]
    fn the_export_is_stable_to_the_byte() {
        assert_eq!(
            manifest().to_json_string(),
            include_str!("../../testdata/exported_manifest.json")
        );
    }

    #[test]
    fn an_absent_schema_is_left_out_and_an_absent_version_is_null() {
        let text = ExportedManifest {
            setup_version: None,
            credentials_schema: None,
            ..manifest()
        }
        .to_json_string();
        assert!(!text.contains("credentials_schema"));
        assert!(text.ends_with("  },\n  \"setup_version\": null\n}\n"));
    }
}
