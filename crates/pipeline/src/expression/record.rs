//! JSON in expressions: records of which no field may be asked for that they do not have.

use std::sync::Arc;

use bowline_template::{Failure, Kind, Native, Shape, Value};
use serde_json::{Map, Number, Value as Json};

/// An object: its fields, sorted by name.
#[derive(Debug)]
struct Record {
    fields: Vec<(Arc<str>, Value)>,
    from: From,
}

/// Where an object comes from, which says what to do about a field that it lacks.
#[derive(Debug, Clone, Copy)]
enum From {
    /// A vendor's answer.
    Answer,
    /// `connect_args` of credentials.json.
    Credentials,
}

/// How many fields a hint lists.
const MAX_LISTED: usize = 30;

impl Record {
    fn field(&self, name: &str) -> Option<&Value> {
        let place = self
            .fields
            .binary_search_by(|(known, _)| (**known).cmp(name));
        place.ok().map(|place| &self.fields[place].1)
    }
}

impl Native for Record {
    fn shape(&self) -> Shape {
        Shape::Mapping
    }

    fn count(&self) -> usize {
        self.fields.len()
    }

    fn at(&self, place: usize) -> Option<Value> {
        let (name, _) = self.fields.get(place)?;
        Some(Value::from(Arc::clone(name)))
    }

    fn get(&self, key: &Value) -> Option<Value> {
        self.field(key.as_text()?).cloned()
    }

    fn missing(&self, key: &Value) -> Option<Failure> {
        if let Kind::Integer(place) = key.kind() {
            let failure = Failure::new(format!("the record is no list, and has no item {place}"));
            return Some(failure.with_hint(Some(
                "leave the number out, or name a field that is a list".to_owned(),
            )));
        }
        let key = key.as_text()?;
        let fields = || self.fields.iter().map(|(name, _)| &**name);
        let hint = match bowline_words::nearest(key, fields()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => match self.from {
                From::Credentials => format!(
                    "add `{key}` to `connect_args` in credentials.json; where it need not be there, write `| default(none)`"
                ),
                From::Answer if self.fields.is_empty() => "the record is empty".to_owned(),
                From::Answer => format!(
                    "it has {}; write `| default(none)` behind a field that may be missing",
                    bowline_words::listed(fields().take(MAX_LISTED))
                ),
            },
        };
        let failure = Failure::new(match self.from {
            From::Answer => format!("the record has no field `{key}`"),
            From::Credentials => format!("missing credential `{key}`"),
        });
        Some(failure.with_hint(Some(hint)))
    }
}

/// A JSON value as expressions see it.
pub(crate) fn to_value(json: Json) -> Value {
    match json {
        Json::Null => Value::NONE,
        Json::Bool(flag) => Value::from(flag),
        Json::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(number), _, _) => Value::from(number),
            (None, Some(number), _) => Value::from(number),
            (None, None, Some(number)) => Value::from(number),
            (None, None, None) => Value::from(number.to_string()),
        },
        Json::String(text) => Value::from(text),
        Json::Array(items) => Value::list(items.into_iter().map(to_value).collect()),
        Json::Object(members) => {
            let members = members.into_iter();
            to_record(
                members
                    .map(|(name, value)| (name.into(), to_value(value)))
                    .collect(),
            )
        }
    }
}

/// The credentials as expressions see them.
pub(crate) fn credentials_value(args: Map<String, Json>) -> Value {
    let args = args.into_iter();
    let fields = args.map(|(name, value)| (name.into(), to_value(value)));
    record(fields.collect(), From::Credentials)
}

/// A record of these fields; of those that are named alike the last one counts.
pub(crate) fn to_record(fields: Vec<(Arc<str>, Value)>) -> Value {
    record(fields, From::Answer)
}

fn record(mut fields: Vec<(Arc<str>, Value)>, from: From) -> Value {
    fields.sort_by(|(a, _), (b, _)| a.cmp(b));
    fields.dedup_by(|later, kept| {
        let is_same = later.0 == kept.0;
        if is_same {
            std::mem::swap(later, kept);
        }
        is_same
    });
    fields.shrink_to_fit();
    Value::native(Arc::new(Record { fields, from }))
}

/// An expression's value as JSON; undefined is null, and a number that JSON cannot write is null too.
pub(crate) fn to_json(value: &Value) -> Json {
    match value.kind() {
        Kind::Boolean(flag) => Json::Bool(flag),
        Kind::Integer(number) => match (i64::try_from(number), u64::try_from(number)) {
            (Ok(number), _) => Json::from(number),
            (Err(_), Ok(number)) => Json::from(number),
            // As text nothing of it is lost.
            (Err(_), Err(_)) => Json::from(number.to_string()),
        },
        Kind::Float(number) => number_or_null(number),
        Kind::Text(text) => Json::from(text),
        Kind::Sequence => {
            let items = value.items().unwrap_or_default();
            Json::Array(items.iter().map(to_json).collect())
        }
        Kind::Mapping => {
            let entries = value.entries().unwrap_or_default();
            let members: Map<String, Json> = entries
                .iter()
                .map(|(key, member)| {
                    let name = match key.as_text() {
                        Some(name) => name.to_owned(),
                        None => key.to_string(),
                    };
                    (name, to_json(member))
                })
                .collect();
            Json::Object(members)
        }
        Kind::Date(_) | Kind::DateTime(_) => Json::from(value.to_string()),
        _ => Json::Null,
    }
}

fn number_or_null(number: f64) -> Json {
    Number::from_f64(number).map_or(Json::Null, Json::Number)
}
