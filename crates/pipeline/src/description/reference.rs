//! The reference of `connector.toml`, made from its schema.

use std::fmt::Write as _;

use serde_json::Value;

use super::schema::connector;

/// The reference of `connector.toml`, as Markdown: every key but the fields of events, which are the contract's.
#[must_use]
pub fn reference_markdown() -> String {
    let schema = connector();
    let mut page = String::from(
        "# connector.toml of a pipeline connector\n\nEvery key there is; [pipeline connectors](../pipelines.md) tells what \
         they are for. A key with a ✓ must be there. An *expression* is Jinja that gives a value; other texts may hold \
         `{{ ... }}` where they are part of a request.\n",
    );
    describe(&mut page, "", &schema);
    page
}

/// Describes a table, then the tables in it.
fn describe(page: &mut String, name: &str, schema: &Value) {
    let title = match name {
        "" => "The file itself".to_owned(),
        name => format!("`[{name}]`"),
    };
    let what = schema["description"].as_str().unwrap_or_default();
    let _ = write!(
        page,
        "\n## {title}\n\n{what}\n\n| key | | what |\n|---|---|---|\n"
    );
    let required: Vec<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let properties = schema["properties"].as_object();
    let mut inner = Vec::new();
    for (key, schema) in properties.into_iter().flatten() {
        let mark = if required.contains(&key.as_str()) {
            "✓"
        } else {
            ""
        };
        let what = schema["description"].as_str().unwrap_or_default();
        let _ = writeln!(page, "| `{key}` | {mark} | {what} |");
        let path = match name {
            "" => key.clone(),
            name => format!("{name}.{key}"),
        };
        inner.extend(inner_table(&path, schema));
    }
    for (path, schema) in inner {
        describe(page, &path, schema);
    }
}

/// The table that stands at a key, if one does that needs words of its own.
fn inner_table<'s>(path: &str, schema: &'s Value) -> Option<(String, &'s Value)> {
    // The fields of events are the contract's, and a request is the same wherever it stands.
    if path.ends_with("fields") || path == "check" || path.ends_with(".request") {
        return None;
    }
    if schema.get("properties").is_some() {
        return Some((path.to_owned(), schema));
    }
    let named = &schema["additionalProperties"];
    if named.get("properties").is_some() {
        return Some((format!("{path}.*"), named));
    }
    let item = &schema["items"];
    if item.get("properties").is_some() {
        return Some((format!("[{path}]"), item));
    }
    let choices = schema["anyOf"].as_array().into_iter().flatten();
    let choice = choices
        .into_iter()
        .find(|choice| choice.get("properties").is_some())?;
    Some((path.to_owned(), choice))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_describes_every_table_but_the_fields() {
        let page = reference_markdown();
        for heading in [
            "## `[http.auth]`",
            "## `[sources.*]`",
            "## `[sources.*.pages]`",
            "## `[[warnings]]`",
        ] {
            assert!(page.contains(heading), "{heading} is missing in\n{page}");
        }
        assert!(!page.contains("task_source_id"));
    }
}
