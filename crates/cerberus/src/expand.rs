//! Long forms for shorthands and former rule names, before a schema is looked at any closer.
//!
//! Cerberus gives up an expansion half-way when it meets something odd, and goes on with what it
//! has so far. The half-done state decides what its check of the schema then reports, so the
//! order of the steps matters and the work is done in place.

use serde_json::{Map, Value};

use super::python;
use super::rules::Operator;

/// The expansion stopped at something that is no set of rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Halt(pub(crate) String);

const FORMER_NAMES: [(&str, &str); 3] = [
    ("keyschema", "keysrules"),
    ("validator", "check_with"),
    ("valueschema", "valuesrules"),
];

/// Expands the rules of every field.
pub(crate) fn expand(schema: &mut Map<String, Value>) -> Result<(), Halt> {
    // A halt in here is not reported: what stays as it was fails the check that follows.
    shorthands(schema).and_then(|()| nested(schema)).ok();
    former_names(schema)
}

/// `anyof_type: [a, b]` becomes `anyof: [{type: a}, {type: b}]`.
fn shorthands(schema: &mut Map<String, Value>) -> Result<(), Halt> {
    for (field, rules) in schema.iter_mut() {
        let rules = match rules {
            Value::Object(rules) => rules,
            Value::String(_) | Value::Array(_) => continue,
            _ => return Err(halt(field)),
        };
        let names: Vec<String> = rules.keys().cloned().collect();
        for name in names {
            let Some((operator, rule)) = split(&name) else {
                continue;
            };
            rules.insert(operator.name().to_owned(), Value::Array(Vec::new()));
            let constraints = rules.get(&name).and_then(python::iterate);
            let definitions = constraints
                .ok_or_else(|| halt(field))?
                .into_iter()
                .map(|constraint| Value::Object(Map::from_iter([(rule.to_owned(), constraint)])));
            if let Some(Value::Array(list)) = rules.get_mut(operator.name()) {
                list.extend(definitions);
            }
            rules.shift_remove(&name);
        }
    }
    Ok(())
}

fn split(name: &str) -> Option<(Operator, &str)> {
    let (operator, rule) = name.split_once('_')?;
    Operator::find(operator).map(|operator| (operator, rule))
}

fn nested(schema: &mut Map<String, Value>) -> Result<(), Halt> {
    for (field, rules) in schema.iter_mut() {
        let rules = match rules {
            Value::Object(rules) => rules,
            Value::String(_) | Value::Array(_) => continue,
            _ => return Err(halt(field)),
        };
        match rules.get_mut("schema") {
            None => {}
            Some(Value::Object(fields)) if fields.values().all(Value::is_object) => {
                expand(fields)?;
            }
            Some(Value::Object(_)) => expand_one(&mut rules["schema"])?,
            Some(_) => return Err(halt(field)),
        }
        for rule in ["keysrules", "valuesrules", "keyschema", "valueschema"] {
            if let Some(inner) = rules.get_mut(rule) {
                expand_one(inner)?;
            }
        }
        for rule in ["allof", "anyof", "items", "noneof", "oneof"] {
            match rules.get_mut(rule) {
                Some(Value::Array(definitions)) => {
                    definitions.iter_mut().try_for_each(expand_one)?;
                }
                Some(text @ Value::String(_)) => {
                    *text = Value::Array(python::iterate(text).unwrap_or_default());
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// Expands one set of rules, as the only field of a schema.
fn expand_one(rules: &mut Value) -> Result<(), Halt> {
    let mut schema = Map::from_iter([(String::new(), rules.take())]);
    let outcome = expand(&mut schema);
    *rules = schema.shift_remove("").unwrap_or_default();
    outcome
}

fn former_names(schema: &mut Map<String, Value>) -> Result<(), Halt> {
    for (field, rules) in schema.iter_mut() {
        let rules = match rules {
            Value::String(_) => continue,
            Value::Object(rules) => rules,
            Value::Array(items)
                if !FORMER_NAMES
                    .iter()
                    .any(|(old, _)| items.iter().any(|item| item == old)) =>
            {
                continue;
            }
            _ => return Err(halt(field)),
        };
        for (old, new) in FORMER_NAMES {
            if !rules.contains_key(old) {
                continue;
            }
            if rules.contains_key(new) {
                return Err(Halt(format!(
                    "the rule `{new}` of `{field}` is also written with its former name `{old}`"
                )));
            }
            if let Some(constraint) = rules.shift_remove(old) {
                rules.insert(new.to_owned(), constraint);
            }
        }
    }
    Ok(())
}

fn halt(field: &str) -> Halt {
    Halt(if field.is_empty() {
        "a set of rules must be a dict".to_owned()
    } else {
        format!("the rules of `{field}` must be a dict")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn expanded(schema: Value) -> Result<Value, Halt> {
        let Value::Object(mut schema) = schema else {
            panic!("a schema is a dict");
        };
        expand(&mut schema).map(|()| Value::Object(schema))
    }

    #[test]
    fn writes_shorthands_and_former_names_out() {
        assert_eq!(
            expanded(
                json!({"a": {"anyof_type": ["string", "integer"], "valueschema": {"keyschema": {}}}})
            ),
            Ok(json!({"a": {
                "anyof": [{"type": "string"}, {"type": "integer"}],
                "valuesrules": {"keysrules": {}},
            }}))
        );
        assert_eq!(
            expanded(json!({"a": {"schema": {"b": {"oneof_min": [1]}}}})),
            Ok(json!({"a": {"schema": {"b": {"oneof": [{"min": 1}]}}}}))
        );
    }

    #[test]
    fn stays_half_done_where_cerberus_gives_up() {
        assert_eq!(
            expanded(json!({"a": {"anyof_type": 5}, "b": {"oneof_min": [1]}})),
            Ok(json!({"a": {"anyof_type": 5, "anyof": []}, "b": {"oneof_min": [1]}}))
        );
        assert!(expanded(json!({"a": 5})).is_err());
        assert!(expanded(json!({"a": {"keyschema": {}, "keysrules": {}}})).is_err());
    }
}
