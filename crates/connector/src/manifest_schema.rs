//! What the two kinds of `manifest.json` hold. The contract reads them, for its errors; tests compare the keys.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bowline_contract::AssetClass;
use bowline_contract::pipeline::RunStatus;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value};

use crate::folder::schema_of;

/// The JSON Schema of the manifests of one class of connectors.
#[must_use]
pub fn manifest_schema(class: AssetClass) -> Value {
    match class {
        AssetClass::Warehouse => schema_of::<WarehouseManifest>(),
        AssetClass::Pipeline => schema_of::<PipelineManifest>(),
    }
}

/// The schema that `credentials.json` must fit.
type CredentialsSchema = Map<String, Value>;
/// What a vendor's words mean.
type StatusMapping = BTreeMap<String, Status>;

/// The manifest of a warehouse connector.
#[derive(JsonSchema)]
#[schemars(
    title = "manifest.json of a warehouse connector",
    deny_unknown_fields,
    transform = absent_is_not_null
)]
#[expect(dead_code, reason = "only its schema is used")]
struct WarehouseManifest {
    /// The connector's own type, unique to it. Made once; keep it for good.
    #[schemars(regex(pattern = AssetClass::Warehouse.type_pattern()))]
    connection_type: String,
    /// What people call the connection.
    #[schemars(regex(pattern = r"\S"))]
    connection_name: String,
    /// What kind of thing is connected.
    #[schemars(schema_with = "warehouse")]
    asset_class: (),
    /// The schema that credentials.json must fit, in Cerberus' format, under a top-level `connect_args`. Absent or empty
    /// means no validation.
    credentials_schema: Option<CredentialsSchema>,
}

/// The manifest of a pipeline connector.
#[derive(JsonSchema)]
#[schemars(
    title = "manifest.json of a pipeline connector",
    deny_unknown_fields,
    transform = absent_is_not_null
)]
#[expect(dead_code, reason = "only its schema is used")]
struct PipelineManifest {
    /// The connector's own type, unique to it. Made once; keep it for good.
    #[schemars(regex(pattern = AssetClass::Pipeline.type_pattern()))]
    connection_type: String,
    /// What people call the connection.
    #[schemars(regex(pattern = r"\S"))]
    connection_name: String,
    /// What kind of thing is connected.
    #[schemars(schema_with = "pipeline")]
    asset_class: (),
    /// The vendor's words for the things of the model.
    terminology: Option<Terminology>,
    /// Where the vendor's picture is.
    #[schemars(regex(pattern = r"\S"))]
    icon_url: Option<String>,
    /// What the vendor's words for how a run stands mean. Case does not count.
    #[schemars(extend("minProperties" = 1))]
    run_status_mapping: StatusMapping,
    /// The same for task runs, where it differs.
    #[schemars(extend("minProperties" = 1))]
    task_run_status_mapping: Option<StatusMapping>,
    /// The schema that credentials.json must fit, in Cerberus' format, under a top-level `connect_args`. Absent or empty
    /// means no validation.
    credentials_schema: Option<CredentialsSchema>,
}

/// The vendor's words for the things of the model.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = absent_is_not_null)]
#[expect(dead_code, reason = "only its schema is used")]
struct Terminology {
    /// What jobs are grouped under.
    #[schemars(regex(pattern = r"\S"))]
    group: Option<String>,
    /// What is run.
    #[schemars(regex(pattern = r"\S"))]
    job: Option<String>,
    /// One step of it.
    #[schemars(regex(pattern = r"\S"))]
    task: Option<String>,
}

/// One of the contract's statuses.
struct Status;

impl JsonSchema for Status {
    fn schema_name() -> Cow<'static, str> {
        "Status".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": RunStatus::NAMES })
    }
}

fn warehouse(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "const": AssetClass::Warehouse.name() })
}

fn pipeline(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "const": AssetClass::Pipeline.name() })
}

/// A key of a manifest may be absent, but null is no value of it.
fn absent_is_not_null(schema: &mut Schema) {
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for property in properties.into_iter().flat_map(Map::values_mut) {
        if let Some(kinds) = property["type"].as_array() {
            property["type"] = kinds[0].clone();
        }
        if let Some(object) = property.as_object_mut()
            && let Some(Value::Array(options)) = object.remove("anyOf")
            && let Some(Value::Object(value)) = options.into_iter().next()
        {
            for (key, part) in value {
                object.entry(key).or_insert(part);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bowline_contract::{SourceManifest, pipeline};

    use super::*;

    fn keys(schema: &Value) -> Vec<&str> {
        let properties = schema["properties"].as_object().unwrap();
        properties.keys().map(String::as_str).collect()
    }

    #[test]
    fn the_schemas_name_the_keys_that_are_read() {
        let warehouse = manifest_schema(AssetClass::Warehouse);
        assert_eq!(keys(&warehouse), SourceManifest::KEYS);
        let pipeline = manifest_schema(AssetClass::Pipeline);
        assert_eq!(keys(&pipeline), pipeline::PipelineManifest::KEYS);
        let terms = &pipeline["properties"]["terminology"];
        assert_eq!(keys(terms), pipeline::Terminology::KEYS);
        assert_eq!(terms["additionalProperties"], false);
        assert!(!pipeline.to_string().contains("null"), "{pipeline:#}");
    }
}
