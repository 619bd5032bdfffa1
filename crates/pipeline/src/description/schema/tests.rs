//! The schema and the reader know the same keys.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::*;

thread_local! {
    /// The keys that the reader asked for, by the table they stand in.
    static ASKED: RefCell<BTreeMap<String, BTreeSet<String>>> = const { RefCell::new(BTreeMap::new()) };
}

/// Takes note of what the reader asked a table for.
pub(in crate::description) fn note(table: &str, keys: &[String]) {
    ASKED.with_borrow_mut(|asked| {
        asked
            .entry(table.to_owned())
            .or_default()
            .extend(keys.iter().cloned());
    });
}

/// A description with every form that a table can have.
const EVERY_TABLE: &str = r#"
    version = 1
    check = { path = "/", basic = { username = "a", password = "b" } }
    warnings = [{ from = "s", message = "'x'" }]
    [http]
    base_url = "{{ credentials.url }}"
    limits = {}
    tls = {}
    reject = [{ when = "true" }]
    auth = AUTH
    [sources.s]
    path = "/"
    basic = { username = "a", password = "b" }
    for_each = { source = "run_ids" }
    pages = PAGES
    window = {}
    reject = [{ when = "true" }]
    [assets]
    from = "s"
    fields = { group = [{ schedule = [{}] }], owner = [{}], schedule = [{}], properties = [{}], inputs = [{}], outputs = {}, tasks = { inputs = [{}], outputs = {} } }
    [runs]
    from = "s"
    [runs.fields]
    group = [{ schedule = [{}] }]
    error = [{}]
    properties = {}
    inputs = {}
    outputs = {}
    [runs.fields.task_runs]
    group = [{ schedule = [{}] }]
    error = [{}]
    properties = {}
    inputs = {}
    outputs = {}
"#;

fn asked() -> BTreeMap<String, BTreeSet<String>> {
    let auths = [
        r#"{ kind = "none" }"#,
        r#"{ kind = "basic", username = "a", password = "b" }"#,
        r#"{ kind = "header", value = "a" }"#,
        r#"{ kind = "login", request = { path = "/", basic = { username = "a", password = "b" } }, token = "response", assertion = { private_key = "k" } }"#,
        r#"{ kind = "client_credentials", url = "a", client_id = "b", client_secret = "c" }"#,
        r#"{ kind = "jwt", url = "a", private_key = "k" }"#,
        r#"{ kind = "aws", region = "a", service = "b", access_key = "c", secret_key = "d" }"#,
    ];
    let pages = [
        r#"{ style = "offset" }"#,
        r#"{ style = "number" }"#,
        r#"{ style = "cursor", next = "1" }"#,
        r#"{ style = "link", next = "1" }"#,
    ];
    ASKED.take();
    for (auth, pages) in auths.iter().zip(pages.iter().cycle()) {
        let text = EVERY_TABLE.replace("AUTH", auth).replace("PAGES", pages);
        super::super::parse(Path::new("x"), &text).unwrap_or_else(|error| panic!("{error}"));
    }
    let program = "version = 1\n[driver]\nkind = \"process\"\ncommand = [\"x\"]";
    super::super::parse(Path::new("x"), program).unwrap();
    ASKED.take()
}

/// The keys of every table of the schema, with those of its variants together.
fn in_schema(
    root: &Value,
    schema: &Value,
    name: &str,
    found: &mut BTreeMap<String, BTreeSet<String>>,
) {
    if schema["$ref"] == TASK_RUNS {
        // Task runs within task runs are the same again.
        if name.matches("task_runs").count() == 1 {
            in_schema(root, &root["$defs"]["task_runs"], name, found);
        }
        return;
    }
    if let Some(properties) = schema["properties"].as_object() {
        found
            .entry(name.to_owned())
            .or_default()
            .extend(properties.keys().cloned());
        for (key, inner) in properties {
            let path = match name {
                "" => key.clone(),
                name => format!("{name}.{key}"),
            };
            in_schema(root, inner, &path, found);
        }
    }
    for choice in schema["anyOf"].as_array().into_iter().flatten() {
        in_schema(root, choice, name, found);
    }
    if schema["items"].is_object() {
        in_schema(root, &schema["items"], name, found);
    }
    if schema["additionalProperties"]["properties"].is_object() {
        in_schema(
            root,
            &schema["additionalProperties"],
            &format!("{name}.s"),
            found,
        );
    }
}

#[test]
fn the_schema_has_the_keys_that_the_reader_asks_for() {
    let schema = connector();
    let mut expected = BTreeMap::new();
    in_schema(&schema, &schema, "", &mut expected);
    let mut asked = asked();
    // These hold names of the author's own.
    for own in ["sources", "assets.let", "runs.let"] {
        asked.remove(own);
    }
    for (table, keys) in &expected {
        assert_eq!(asked.get(table), Some(keys), "{table}");
    }
    let unknown: Vec<_> = asked
        .keys()
        .filter(|table| !expected.contains_key(*table))
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}
