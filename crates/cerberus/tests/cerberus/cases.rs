//! Written cases: each folder entry is a JSON list of schema, document and what comes of them.

use std::path::Path;

use serde_json::{Map, Value};

use crate::oracle;
use crate::question::{Answer, Question, options};

struct Case {
    name: String,
    question: Question,
    expected: Answer,
}

const KEYS: [&str; 9] = [
    "name",
    "schema",
    "document",
    "unknown",
    "require_all",
    "errors",
    "schema_errors",
    "stops",
    "normalized",
];

fn case(file: &str, case: &Map<String, Value>) -> Case {
    for key in case.keys() {
        assert!(KEYS.contains(&key.as_str()), "{file}: unknown key `{key}`");
    }
    let text = |key: &str| {
        case.get(key)
            .map(|text| text.as_str().expect("a text").to_owned())
    };
    let document = case.get("document").and_then(Value::as_object).cloned();
    let document = document.unwrap_or_default();
    let expected = match (text("errors"), text("schema_errors"), case.get("stops")) {
        (Some(errors), None, None) => Answer::Validated {
            errors,
            document: case
                .get("normalized")
                .cloned()
                .unwrap_or_else(|| Value::Object(document.clone())),
        },
        (None, Some(errors), None) => Answer::SchemaErrors(errors),
        (None, None, Some(Value::Bool(true))) => Answer::Stops,
        _ => panic!("{file}: one of `errors`, `schema_errors` or `stops: true` is needed"),
    };
    Case {
        name: format!("{file}: {}", text("name").expect("every case has a name")),
        question: Question {
            schema: case
                .get("schema")
                .cloned()
                .expect("every case has a schema"),
            document,
            options: options(case.get("unknown"), case.get("require_all")),
        },
        expected,
    }
}

fn all() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cerberus/cases");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the cases are there")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    let mut cases = Vec::new();
    for path in files {
        let file = path.file_stem().expect("a file name").to_string_lossy();
        let text = std::fs::read_to_string(&path).expect("a readable file");
        let list: Vec<Map<String, Value>> =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
        cases.extend(list.iter().map(|entry| case(&file, entry)));
    }
    cases
}

fn check(cases: &[Case], answers: impl Iterator<Item = Answer>) {
    let wrong: Vec<String> = cases
        .iter()
        .zip(answers)
        .filter(|(case, answer)| case.expected != *answer)
        .map(|(case, answer)| {
            format!(
                "{}\n  expected: {:?}\n  found:    {answer:?}",
                case.name, case.expected
            )
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn written_cases_get_their_answers() {
    let cases = all();
    assert!(cases.len() > 50, "cases were lost");
    check(&cases, cases.iter().map(|case| case.question.answer()));
}

#[test]
fn written_cases_say_what_pypi_cerberus_says() {
    let cases = all();
    let questions: Vec<_> = cases.iter().map(|case| case.question.clone()).collect();
    if let Some(answers) = oracle::ask(&questions) {
        check(&cases, answers.into_iter());
    }
}
