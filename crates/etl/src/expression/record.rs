//! JSON in expressions: records that notice when a field is looked for that they do not have.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object, ValueKind};
use serde_json::{Map, Number, Value as Json};

/// An object of a vendor's answer.
#[derive(Debug)]
struct Record(BTreeMap<Arc<str>, Value>);

impl Object for Record {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let key = key.as_str()?;
        let found = self.0.get(key).cloned();
        if found.is_none() {
            MISSES.with_borrow_mut(|misses| {
                misses.push(Miss {
                    key: key.to_owned(),
                    fields: self.0.keys().cloned().collect(),
                });
            });
        }
        found
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let keys: Vec<Value> = self.0.keys().map(|key| Value::from(&**key)).collect();
        Enumerator::Values(keys)
    }
}

/// A field that was looked for and is not there.
#[derive(Debug, Clone)]
pub(super) struct Miss {
    pub(super) key: String,
    pub(super) fields: Vec<Arc<str>>,
}

thread_local! {
    /// The misses of the expression that this thread evaluates. Jinja's lookups have no other way to tell of one
    /// without failing, which would leave `default` and `is defined` without a say.
    static MISSES: RefCell<Vec<Miss>> = const { RefCell::new(Vec::new()) };
}

/// Evaluates something and gives the misses that nothing forgave.
pub(super) fn watching_misses<T>(evaluate: impl FnOnce() -> T) -> (T, Vec<Miss>) {
    let before = MISSES.take();
    let result = evaluate();
    (result, MISSES.replace(before))
}

/// Says that the field just looked for may be missing.
pub(super) fn forgive_miss() {
    MISSES.with_borrow_mut(|misses| {
        misses.pop();
    });
}

/// Looks a field up without a miss.
pub(super) fn field(value: &Value, key: &str) -> Option<Value> {
    match value.downcast_object_ref::<Record>() {
        Some(record) => record.0.get(key).cloned(),
        None => value
            .get_attr(key)
            .ok()
            .filter(|value| !value.is_undefined()),
    }
}

/// A JSON value as expressions see it.
pub(crate) fn to_value(json: Json) -> Value {
    match json {
        Json::Null => Value::from(()),
        Json::Bool(flag) => Value::from(flag),
        Json::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(number), _, _) => Value::from(number),
            (None, Some(number), _) => Value::from(number),
            (None, None, Some(number)) => Value::from(number),
            (None, None, None) => Value::from(number.to_string()),
        },
        Json::String(text) => Value::from(text),
        Json::Array(items) => Value::from(items.into_iter().map(to_value).collect::<Vec<_>>()),
        Json::Object(members) => Value::from_object(Record(
            members
                .into_iter()
                .map(|(key, value)| (key.into(), to_value(value)))
                .collect(),
        )),
    }
}

/// An expression's value as JSON; undefined is null, and a number that JSON cannot write is null too.
pub(crate) fn to_json(value: &Value) -> Json {
    match value.kind() {
        ValueKind::Bool => Json::Bool(value.is_true()),
        ValueKind::Number => match (i64::try_from(value.clone()), f64::try_from(value.clone())) {
            (Ok(number), _) if value.is_integer() => Json::from(number),
            (_, Ok(number)) => Number::from_f64(number).map_or(Json::Null, Json::Number),
            _ => Json::Null,
        },
        ValueKind::String => Json::from(value.as_str().unwrap_or_default()),
        ValueKind::Seq | ValueKind::Iterable => value
            .try_iter()
            .map(|items| items.map(|item| to_json(&item)).collect())
            .unwrap_or(Json::Null),
        ValueKind::Map => {
            let keys = value.try_iter().into_iter().flatten();
            let members: Map<String, Json> = keys
                .map(|key| {
                    let member = value.get_item(&key).unwrap_or_default();
                    (key.to_string(), to_json(&member))
                })
                .collect();
            Json::Object(members)
        }
        _ => Json::Null,
    }
}
