//! Vectors recorded from Cerberus' own tests, where they lie beside the checkout.

use std::ops::RangeInclusive;
use std::path::Path;

use serde_json::{Value, json};

use crate::question::{Answer, Question, options};

/// Settings of the validator that the recording leaves out: `unknown`, `require_all`.
const SETTINGS: &[(usize, Option<bool>, Option<bool>)] = &[
    (26, Some(true), None),
    (42, Some(true), None),
    (43, Some(true), None),
    (48, Some(true), None),
    (168, Some(true), None),
    (278, None, Some(true)),
    (291, None, Some(true)),
    (294, None, Some(true)),
    (302, None, Some(true)),
];

/// Vectors that JSON alone cannot repeat, and why.
const NOT_IN_JSON: &[(RangeInclusive<usize>, &str)] = &[
    (0..=1, "a type added to a subclass of the validator"),
    (2..=10, "a check written in Python"),
    (16..=17, "a schema registered under a name"),
    (23..=24, "a function that changes values, written in Python"),
    (45..=45, "the setting `purge_readonly`"),
    (49..=49, "a schema registered under a name"),
    (51..=52, "a set of rules registered under a name"),
    (54..=55, "a set of rules registered under a name"),
    (56..=61, "a schema or set of rules registered under a name"),
    (87..=89, "a type added to a subclass of the validator"),
    (90..=95, "a rule added to a subclass of the validator"),
    (
        97..=97,
        "recorded with a schema that the test changed afterwards",
    ),
    (
        100..=100,
        "recorded with a schema that the test changed afterwards",
    ),
    (
        103..=103,
        "recorded with a schema that the test changed afterwards",
    ),
    (110..=111, "the setting `ignore_none_values`"),
    (113..=114, "a type added to a subclass of the validator"),
    (
        128..=130,
        "recorded with a schema that the test changed afterwards",
    ),
    (
        144..=146,
        "recorded with a schema that the test changed afterwards",
    ),
    (169..=170, "a rule added to a subclass of the validator"),
    (242..=242, "a rule added to a subclass of the validator"),
    (312..=312, "a set of rules registered under a name"),
];

const COUNT: usize = 313;

fn question(index: usize, vector: &Value) -> Question {
    let setting = SETTINGS.iter().find(|(listed, ..)| *listed == index);
    let (unknown, require_all) = match setting {
        Some((_, unknown, require_all)) => (unknown.map(Value::from), require_all.map(Value::from)),
        None => (None, None),
    };
    // Recordings of the validator of schemas have no schema of their own; the document is one.
    let is_schema = vector["schema"] == json!({});
    let (schema, document) = if is_schema {
        (vector["document"].clone(), json!({}))
    } else {
        (vector["schema"].clone(), vector["document"].clone())
    };
    Question {
        schema,
        document: document.as_object().expect("documents are dicts").clone(),
        options: options(unknown.as_ref(), require_all.as_ref()),
    }
}

fn agrees(index: usize, vector: &Value) -> Result<(), String> {
    let question = question(index, vector);
    let is_schema = vector["schema"] == json!({});
    let wanted = vector["errors"].as_str().expect("errors are text");
    let answer = question.answer();
    let agrees = match &answer {
        Answer::Validated { .. } if is_schema => vector["ok"] == json!(true),
        Answer::Validated { errors, .. } => errors == wanted,
        Answer::SchemaErrors(errors) => is_schema && errors == wanted,
        Answer::Stops | Answer::Declined(_) => false,
    };
    if agrees {
        Ok(())
    } else {
        Err(format!("vector {index}: {vector}\n  here: {answer:?}"))
    }
}

#[test]
fn every_recorded_vector_that_json_can_say_agrees() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors/cerberus_vectors.json");
    // The written cases and generated pairs cover a checkout without the recordings.
    let Ok(text) = std::fs::read_to_string(path) else {
        return;
    };
    let vectors: Vec<Value> = serde_json::from_str(&text).expect("the vectors are a JSON list");
    assert_eq!(vectors.len(), COUNT);
    let mut wrong = Vec::new();
    let mut agreed = 0;
    for (index, vector) in vectors.iter().enumerate() {
        let listed = NOT_IN_JSON.iter().find(|(range, _)| range.contains(&index));
        match (agrees(index, vector), listed) {
            (Ok(()), None) => agreed += 1,
            (Err(_), Some(_)) => {}
            (Ok(()), Some((_, reason))) => {
                wrong.push(format!(
                    "vector {index} agrees, but is listed with: {reason}"
                ));
            }
            (Err(difference), None) => wrong.push(difference),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let listed: usize = NOT_IN_JSON
        .iter()
        .map(|(range, _)| range.clone().count())
        .sum();
    assert_eq!(agreed + listed, COUNT);
}
