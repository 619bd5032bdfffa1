//! The schema of what is written.

use schemars::generate::SchemaSettings;

use crate::Report;

/// The JSON Schema of what `bowline test --format json` writes, as text. Stable to the byte.
#[must_use]
pub fn schema() -> String {
    let schema = SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<Report>();
    format!("{:#}\n", schema.as_value())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_describes_the_version() {
        let schema: serde_json::Value = serde_json::from_str(&schema()).unwrap();
        for report in ["WarehouseReport", "PipelineReport"] {
            assert!(schema["$defs"][report]["properties"]["version"].is_object());
        }
        assert_eq!(
            schema["$defs"]["Verdict"]["oneOf"].as_array().map(Vec::len),
            Some(5)
        );
    }
}
