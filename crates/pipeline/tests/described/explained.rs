//! How an event came about: every expression that made it, with its place and what it came to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::vendor::{Vendor, always, description, ok, runs, source};

#[test]
fn every_expression_is_told_with_its_place_and_what_it_came_to() {
    let vendor = Vendor::start(|_| {
        let steps = json!([{"id": "s1", "ok": true}, {"id": "s2", "ok": false}]);
        Some(ok(
            json!([{"id": "r1", "steps": steps}, {"id": "r2", "steps": []}]),
        ))
    });
    let description = description("path = \"/runs\"").replace(
        "from = \"runs\"\n",
        "from = \"runs\"\nlet = { main = \"record.id\" }\n",
    ) + r#"group = { source_id = "main" }
task_runs = { each = "record.steps", when = "item.ok", run_source_id = "item.id", task_source_id = "'t'", status = "'done'", event_time = "'2026-01-01T00:00:00Z'" }
"#;
    let told = Arc::new(Mutex::new(Vec::new()));
    let all = Arc::clone(&told);
    let source = source(&vendor.url, &description)
        .explained(Arc::new(move |one| all.lock().unwrap().push(one)));
    runs(&source, &always()).unwrap();
    let told = told.lock().unwrap();
    let values = |at: usize| -> BTreeMap<&str, &[Value]> {
        let fields = told[at].fields.iter();
        fields
            .map(|field| (field.path.as_str(), field.values.as_slice()))
            .collect()
    };
    let steps = json!([{"id": "s1", "ok": true}, {"id": "s2", "ok": false}]);
    assert_eq!(told[0].record, json!({"id": "r1", "steps": steps}));
    for (path, expected) in [
        ("let main", json!(["r1"])),
        ("run_source_id", json!(["r1"])),
        ("group.source_id", json!(["r1"])),
        ("task_runs each", json!([steps])),
        ("task_runs when", json!([true, false])),
        ("task_runs.run_source_id", json!(["s1"])),
    ] {
        assert_eq!(Value::from(values(0)[path].to_vec()), expected, "{path}");
    }
    assert_eq!(values(1)["run_source_id"], [json!("r2")]);
    assert_eq!(values(1).get("task_runs when"), None);
    let lines: Vec<&str> = description.lines().collect();
    for field in told.iter().flat_map(|one| &one.fields) {
        let line = lines[field.line - 1];
        assert!(line.contains(&field.expression), "{field:?}: {line}");
    }
}
