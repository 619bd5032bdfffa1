//! JSON Schemas for the files people write, generated from the types that read them.

use bowline_connector::folder::schema_of;
use bowline_connector::manifest_schema;
use bowline_contract::{AssetClass, Template, TemplateKind, TemplateSection};
use serde_json::{Map, Value, json};

use crate::dialect::PackFile;
use crate::folder::ConnectorFile;

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Every schema: the file name it is kept under, and its text. Stable to the byte.
#[must_use]
pub fn schemas() -> Vec<(&'static str, String)> {
    [
        ("connector.schema.json", schema_of::<ConnectorFile>()),
        ("templates.schema.json", templates()),
        (
            "manifest.schema.json",
            manifest_schema(AssetClass::Warehouse),
        ),
        ("credentials.schema.json", credentials()),
        ("pack.schema.json", schema_of::<PackFile>()),
    ]
    .map(|(name, schema)| (name, format!("{schema:#}\n")))
    .to_vec()
}

/// `templates.toml`: every template under its section, or at the top, with or without `_template`.
fn templates() -> Value {
    let mut top = Map::new();
    for section in TemplateSection::ALL {
        let members: Map<String, Value> = Template::all()
            .filter(|template| template.section == *section)
            .flat_map(both_names)
            .collect();
        let schema = json!({
            "description": section.description(),
            "type": "object",
            "properties": members,
            "additionalProperties": false,
        });
        top.insert(section.name().to_owned(), schema);
    }
    top.extend(Template::all().flat_map(both_names));
    json!({
        "$schema": DRAFT,
        "title": "templates.toml",
        "description": "The templates of a connector that differ from the dialect pack it extends.",
        "type": "object",
        "properties": top,
        "additionalProperties": false,
    })
}

/// A template's schema under its short and its full name.
fn both_names(template: &'static Template) -> [(String, Value); 2] {
    let description = match template.guidance {
        "" => template.description.to_owned(),
        guidance => format!("{} {guidance}", template.description),
    };
    let value = match template.kind {
        TemplateKind::Flag => json!({ "type": ["boolean", "string"] }),
        TemplateKind::Query | TemplateKind::Expression | TemplateKind::Statement => {
            json!({ "anyOf": [{ "type": "string" }, { "const": false }] })
        }
    };
    [template.short_name(), template.name].map(|name| {
        let mut schema = value.clone();
        schema["description"] = Value::String(description.clone());
        (name.to_owned(), schema)
    })
}

/// `credentials.json`: what holds for every connector; the rest is in its manifest.
fn credentials() -> Value {
    json!({
        "$schema": DRAFT,
        "title": "credentials.json",
        "description": "How to log in. Never committed. The manifest's credentials_schema says which values there are.",
        "type": "object",
        "required": ["connect_args"],
        "properties": {
            "connect_args": {
                "description": "The values that connector.toml turns into the driver's options.",
                "type": "object",
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::DriverKind;

    fn schema(name: &str) -> Value {
        let (_, text) = schemas()
            .into_iter()
            .find(|(file, _)| *file == name)
            .unwrap();
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn every_template_has_its_key_with_a_description() {
        let schema = schema("templates.schema.json");
        for template in Template::all() {
            let in_section =
                &schema["properties"][template.section.name()]["properties"][template.short_name()];
            for found in [&schema["properties"][template.name], in_section] {
                let description = found["description"].as_str().unwrap();
                assert!(
                    description.starts_with(template.description),
                    "{}",
                    template.name
                );
            }
        }
    }

    #[test]
    fn unknown_keys_are_refused() {
        for name in [
            "connector.schema.json",
            "templates.schema.json",
            "pack.schema.json",
        ] {
            assert_eq!(schema(name)["additionalProperties"], false, "{name}");
        }
        let connector = schema("connector.schema.json");
        let kinds: Vec<&Value> = connector["properties"]["driver"]["properties"]["kind"]["oneOf"]
            .as_array()
            .unwrap()
            .iter()
            .map(|kind| &kind["const"])
            .collect();
        assert_eq!(kinds, DriverKind::ALL.map(DriverKind::name));
    }

    #[test]
    fn schemas_are_the_same_every_time() {
        assert_eq!(schemas(), schemas());
    }
}
