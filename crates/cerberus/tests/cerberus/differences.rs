//! Known differences from PyPI's Cerberus: each one is listed in `docs/compatibility-cerberus.md`
//! with its test here.

use bowline_cerberus::Schema;
use bowline_cerberus::{Options, SchemaError};
use serde_json::{Map, Value, json};

fn document(value: Value) -> Map<String, Value> {
    value.as_object().expect("documents are dicts").clone()
}

fn errors(schema: &Value, value: Value) -> String {
    let schema = Schema::parse(schema).expect("a schema");
    let outcome = schema.validate(&document(value), Options::default());
    outcome.expect("a verdict").errors.to_string()
}

fn refused(schema: Value) -> String {
    match Schema::parse(&schema).expect_err("no schema") {
        SchemaError::Invalid(errors) => errors.to_string(),
        other => other.to_string(),
    }
}

#[test]
fn integers_beyond_64_bits_are_floats() {
    let huge: Value = serde_json::from_str("[18446744073709551616, -0]").expect("JSON");
    let schema = json!({"a": {"schema": {"type": "integer"}}});
    assert_eq!(
        errors(&schema, json!({"a": huge})),
        "{'a': [{0: ['must be of integer type'], 1: ['must be of integer type']}]}"
    );
}

#[test]
fn numbers_are_no_names() {
    let text = refused(json!({"a": {"schema": {"b": {"rename": 5}}}}));
    assert_eq!(
        text,
        "`a.schema.b`: unusable rule `rename`: \
         a key of a JSON document is text, `5` is not"
    );
}

#[test]
fn a_broken_pattern_is_refused_before_any_document() {
    let text = refused(json!({"a": {"regex": "("}}));
    assert_eq!(text, "`a`: unusable rule `regex`: a group is not closed");
}

#[test]
fn a_search_without_end_is_given_up() {
    let schema = Schema::parse(&json!({"a": {"regex": r"(?:(a+)\1*)+b"}})).expect("a schema");
    let value = document(json!({"a": "a".repeat(200)}));
    let fault = schema
        .validate(&value, Options::default())
        .expect_err("no verdict");
    assert_eq!(
        fault.to_string(),
        "`a`: the search for the regex was given up for its cost"
    );
}

#[test]
fn spaces_in_rule_names_are_not_underscores() {
    assert_eq!(
        refused(json!({"a": {"check with": []}})),
        "{'a': [{'check with': ['unknown rule']}]}"
    );
}

#[test]
fn a_name_without_rules_is_never_overlooked() {
    // The name is looked at once for each reading of the schemas around it, and Cerberus complains
    // the first time only: in a reading that is then given up.
    let schema = json!({"a": {"schema": {"type": "dict", "schema": {
        "type": "integer",
        "schema": {"b": {"valuesrules": "int"}},
    }}}});
    assert_eq!(
        refused(schema),
        "a set of rules is given by name, and no name refers to one here"
    );
}

#[test]
fn members_of_sets_are_listed_in_the_order_of_the_rule() {
    let schema = json!({"a": {"forbidden": ["z", "a", "m"]}, "b": {"contains": ["z", "a"]}});
    assert_eq!(
        errors(&schema, json!({"a": ["a", "m", "z"], "b": []})),
        "{'a': [\"unallowed values ['z', 'a', 'm']\"], 'b': [\"missing members {'z', 'a'}\"]}"
    );
    assert_eq!(
        refused(json!({"a": {"type": ["z", "string", "a"]}})),
        "{'a': [{'type': ['Unsupported types: z, a']}]}"
    );
}

#[test]
fn what_was_valid_before_changes_nothing() {
    Schema::parse(&json!({"a": {"required": true}})).expect("a schema");
    assert_eq!(
        refused(json!({"a": {"required": 1}})),
        "{'a': [{'required': ['must be of boolean type']}]}"
    );
}

#[test]
fn fields_of_a_dict_are_never_read_as_rules_of_a_list() {
    let schema = Schema::parse(&json!({"a": {"schema": {"empty": {"type": "string"}}}}));
    let value = document(json!({"a": [1]}));
    let fault = schema
        .expect("a schema")
        .validate(&value, Options::default());
    assert_eq!(
        fault.expect_err("no verdict").to_string(),
        "`a`: the fields of a dict cannot be read as the rules of list items"
    );
}

#[test]
fn a_schema_made_to_be_endless_is_refused() {
    let mut schema = json!({"type": "dict"});
    for _ in 0..50 {
        schema = json!({"schema": schema});
    }
    let text = refused(json!({"a": schema}));
    assert!(
        text.ends_with("the schema is too large or too deeply nested"),
        "{text}"
    );
}
