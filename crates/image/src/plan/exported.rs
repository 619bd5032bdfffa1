//! Manifests as images need them: who the connector is, and what was proven of it.

use std::collections::BTreeSet;

use bowline_contract::credentials::parse_schema;
use bowline_contract::manifest::{AssetClass, ConnectionType};
use bowline_contract::pipeline::PipelineManifest;
use bowline_contract::{Capability, SourceManifest};
use bowline_words::{Diagnose, Diagnostic};
use serde_json::{Map, Value};

/// What an image needs to know of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) connection_type: ConnectionType,
    pub(super) connection_name: String,
    /// What was proven; empty for a pipeline connector, which proves nothing of the kind.
    pub(super) capabilities: BTreeSet<Capability>,
    /// The metrics that were proven, sorted.
    pub(super) metrics: Vec<String>,
    /// What is worth a word and stops nothing, such as keys that the contract does not know.
    pub(super) advices: Vec<Diagnostic>,
}

/// A manifest that says nothing for certain.
#[derive(Debug)]
pub(super) struct Unfit {
    /// All that is wrong with it; never empty.
    pub(super) problems: Vec<Diagnostic>,
    /// What is only worth a word.
    pub(super) advices: Vec<Diagnostic>,
}

/// Reads the manifest that ships with a connector.
pub(super) fn read(class: AssetClass, text: &str) -> Result<Identity, Unfit> {
    match class {
        AssetClass::Warehouse => read_exported(text).map_err(|problems| Unfit {
            problems,
            advices: Vec::new(),
        }),
        AssetClass::Pipeline => read_pipeline(text),
    }
}

/// A pipeline's manifest ships as it is, and is read as it is when the connector is tested.
fn read_pipeline(text: &str) -> Result<Identity, Unfit> {
    let read = PipelineManifest::parse(text);
    let (told, advised) = match &read {
        Ok(manifest) => (manifest.unfinished.as_slice(), manifest.advices.as_slice()),
        Err(error) => (error.problems.as_slice(), &[][..]),
    };
    let (wrong, odd): (Vec<_>, Vec<_>) =
        told.iter().partition(|problem| !problem.fault.is_advice());
    let mut problems: Vec<Diagnostic> = wrong.into_iter().map(Diagnose::diagnose).collect();
    let advices = odd
        .into_iter()
        .chain(advised)
        .map(Diagnose::diagnose)
        .collect();
    // A schema that is none is told with what else is wrong, not after it.
    let document: Value = serde_json::from_str(text).unwrap_or_default();
    let schema = document.get("credentials_schema");
    if let Err(error) = parse_schema(schema.filter(|schema| schema.is_object())) {
        problems.push(error.diagnose());
    }
    match read {
        Ok(manifest) if problems.is_empty() => Ok(Identity {
            connection_type: manifest.connection_type,
            connection_name: manifest.connection_name,
            capabilities: BTreeSet::new(),
            metrics: Vec::new(),
            advices,
        }),
        _ => Err(Unfit { problems, advices }),
    }
}

fn read_exported(text: &str) -> Result<Identity, Vec<Diagnostic>> {
    let class = AssetClass::Warehouse;
    let manifest = match serde_json::from_str(text) {
        Ok(Value::Object(manifest)) => manifest,
        Ok(_) => return Err(vec![Diagnostic::new("it is not a JSON object")]),
        Err(error) => return Err(vec![Diagnostic::of(&error)]),
    };
    let mut problems = Vec::new();
    let connection_type = text_of(&manifest, "connection_type", &mut problems).and_then(|text| {
        ConnectionType::parse_for(class, text)
            .map_err(|error| problems.push(Diagnostic::of(&error)))
            .ok()
    });
    let connection_name = text_of(&manifest, "connection_name", &mut problems).map(str::to_owned);
    let mut true_ones = |key: &str| match manifest.get(key) {
        Some(Value::Object(flags)) => flags
            .iter()
            .filter(|(_, flag)| **flag == Value::Bool(true))
            .map(|(name, _)| name.clone())
            .collect(),
        Some(_) => {
            problems.push(Diagnostic::new(format!(
                "`{key}` is not an object of true and false"
            )));
            Vec::new()
        }
        None => {
            problems.push(Diagnostic::new(format!("`{key}` is missing")));
            Vec::new()
        }
    };
    let proven = true_ones("capabilities");
    let mut metrics = true_ones("metrics");
    metrics.sort();
    if let Err(error) = parse_schema(manifest.get("credentials_schema")) {
        problems.push(error.diagnose());
    }
    match (connection_type, connection_name) {
        (Some(connection_type), Some(connection_name)) if problems.is_empty() => Ok(Identity {
            connection_type,
            connection_name,
            capabilities: Capability::ALL
                .iter()
                .copied()
                .filter(|each| proven.iter().any(|name| name == each.name()))
                .collect(),
            metrics,
            advices: Vec::new(),
        }),
        _ => Err(problems),
    }
}

/// Whether an export is of another connector than the one whose folder holds this manifest. A manifest that cannot be
/// read says nothing.
pub(super) fn is_of_another(source: &str, exported: &Identity) -> bool {
    SourceManifest::parse(source)
        .is_ok_and(|source| source.connection_type != exported.connection_type)
}

fn text_of<'m>(
    manifest: &'m Map<String, Value>,
    key: &str,
    problems: &mut Vec<Diagnostic>,
) -> Option<&'m str> {
    match manifest.get(key) {
        Some(Value::String(text)) => Some(text),
        Some(_) => {
            problems.push(Diagnostic::new(format!("`{key}` is not a text")));
            None
        }
        None => {
            problems.push(Diagnostic::new(format!("`{key}` is missing")));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_proven_is_read() {
        let text = r#"{"connection_type": "custom-connector-0123abc", "connection_name": "Shop",
            "capabilities": {"supports_metadata": true, "supports_schema": false, "later": true},
            "metrics": {"b": true, "a": true, "c": false}, "setup_version": null}"#;
        let read = read(AssetClass::Warehouse, text).unwrap();
        assert_eq!(read.capabilities, BTreeSet::from([Capability::Metadata]));
        assert_eq!(read.metrics, ["a", "b"]);
        let other = r#"{"connection_type": "custom-connector-0000000", "connection_name": "x", "asset_class": "warehouse"}"#;
        assert!(is_of_another(other, &read));
        assert!(!is_of_another(&other.replace("0000000", "0123abc"), &read));
    }

    #[test]
    fn all_that_is_wrong_is_told() {
        let text = r#"{"connection_type": "shop", "capabilities": [], "credentials_schema": 1}"#;
        let problems = read(AssetClass::Warehouse, text).unwrap_err().problems;
        assert_eq!(problems.len(), 5, "{problems:?}");
        let text = r#"{"connection_type": "custom-etl-connector-0123abc", "connection_name": " ",
            "asset_class": "warehouse", "run_status_mapping": {"A": "succes", "b": "failed", "B": "failed"},
            "credentials_schema": {"connect_args": {"type": "dikt"}}, "icon": "x"}"#;
        let Unfit { problems, advices } = read(AssetClass::Pipeline, text).unwrap_err();
        assert_eq!(problems.len(), 5, "{problems:?}");
        assert_eq!(advices.len(), 1, "{advices:?}");
        let empty = r#"{"connection_type": "custom-etl-connector-0123abc", "connection_name": "x",
            "asset_class": "etl", "run_status_mapping": {}}"#;
        assert!(read(AssetClass::Pipeline, empty).is_err());
        assert!(read(AssetClass::Pipeline, "[]").is_err());
        assert!(read(AssetClass::Pipeline, "{").is_err());
    }
}
