//! What expressions have beyond Jinja: times, spans, patterns, tags, lookups.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::value::{Rest, ValueKind};
use minijinja::{Error, ErrorKind, Value};
use regex::Regex;

use super::record::{field, forgive_miss, to_json};
use super::time;

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}

/// The value, or another when the field it was looked for in is missing or null.
pub(super) fn default(value: Value, other: Rest<Value>) -> Value {
    if value.is_undefined() {
        forgive_miss();
    }
    if value.is_undefined() || value.is_none() {
        other.0.into_iter().next().unwrap_or_default()
    } else {
        value
    }
}

pub(super) fn is_defined(value: Value) -> bool {
    if value.is_undefined() {
        forgive_miss();
    }
    !value.is_undefined()
}

pub(super) fn is_undefined(value: Value) -> bool {
    !is_defined(value)
}

/// Whether a list or text holds something: `in`, for `selectattr`.
pub(super) fn containing(value: Value, wanted: Value) -> bool {
    match (value.as_str(), wanted.as_str()) {
        (Some(text), Some(part)) => text.contains(part),
        _ => value
            .try_iter()
            .is_ok_and(|mut items| items.any(|item| item == wanted)),
    }
}

/// Whether a list holds a record with this value at a key.
pub(super) fn holding(value: Value, key: &str, wanted: Value) -> bool {
    value
        .try_iter()
        .is_ok_and(|mut items| items.any(|item| field(&item, key).as_ref() == Some(&wanted)))
}

/// Whether a pattern is found in a text.
pub(super) fn matching(value: Value, pattern: &str) -> Result<bool, Error> {
    let regex = compiled(pattern)?;
    Ok(value.as_str().is_some_and(|text| regex.is_match(text)))
}

/// What a group of a pattern catches in a text, or null; without a number, the first group or else the whole match.
pub(super) fn capture(value: Value, pattern: &str, group: Option<usize>) -> Result<Value, Error> {
    let regex = compiled(pattern)?;
    let Some(text) = value.as_str() else {
        return Ok(Value::from(()));
    };
    let group = group.unwrap_or(usize::from(regex.captures_len() > 1));
    let caught = regex.captures(text).and_then(|caught| caught.get(group));
    Ok(caught.map_or_else(|| Value::from(()), |found| Value::from(found.as_str())))
}

/// Patterns stand in the connector's file and are few; each is compiled once.
fn compiled(pattern: &str) -> Result<Arc<Regex>, Error> {
    static COMPILED: Mutex<BTreeMap<String, Arc<Regex>>> = Mutex::new(BTreeMap::new());
    let mut known = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(regex) = known.get(pattern) {
        return Ok(Arc::clone(regex));
    }
    let regex = Regex::new(pattern)
        .map(Arc::new)
        .map_err(|error| invalid(format!("invalid pattern `{pattern}`: {error}")))?;
    known.insert(pattern.to_owned(), Arc::clone(&regex));
    Ok(regex)
}

/// A time as the contract writes it: from RFC 3339 text, epoch seconds, or (`time('ms')`) epoch milliseconds.
pub(super) fn time(value: Value, unit: Option<&str>) -> Result<Value, Error> {
    if is_nothing(&value) {
        return Ok(Value::from(()));
    }
    let unit = time::Unit::from_name(unit).map_err(invalid)?;
    let at = time::read(&value, unit).map_err(invalid)?;
    Ok(Value::from(at.to_string()))
}

/// A time as epoch seconds with a fraction.
pub(super) fn epoch(value: Value) -> Result<Value, Error> {
    if is_nothing(&value) {
        return Ok(Value::from(()));
    }
    let at = time::read(&value, time::Unit::Seconds).map_err(invalid)?;
    Ok(Value::from(time::epoch_seconds(at)))
}

/// A time as whole epoch milliseconds.
pub(super) fn epoch_ms(value: Value) -> Result<Value, Error> {
    if is_nothing(&value) {
        return Ok(Value::from(()));
    }
    let at = time::read(&value, time::Unit::Seconds).map_err(invalid)?;
    Ok(Value::from(at.as_millisecond()))
}

/// A span of time as whole seconds: from `6:00:00`, `1 day, 0:00:00`, `PT1H`, or a number of seconds.
pub(super) fn duration(value: Value) -> Result<Value, Error> {
    if is_nothing(&value) {
        return Ok(Value::from(()));
    }
    time::span_seconds(&value).map(Value::from).map_err(invalid)
}

/// The value of a key in a table, or another, or null.
pub(super) fn lookup(value: Value, table: Value, other: Rest<Value>) -> Result<Value, Error> {
    if table.kind() != ValueKind::Map {
        return Err(invalid(format!(
            "`lookup` wants a table, found {}",
            table.kind()
        )));
    }
    let found = value.as_str().and_then(|key| field(&table, key));
    let other = other.0.into_iter().next();
    Ok(found.or(other).unwrap_or_else(|| Value::from(())))
}

/// The value of a key in a list of `{key, value}` records, or null.
pub(super) fn entry(value: Value, key: &str) -> Result<Value, Error> {
    if is_nothing(&value) {
        return Ok(Value::from(()));
    }
    let found = value
        .try_iter()?
        .find(|pair| field(pair, "key").as_ref().and_then(Value::as_str) == Some(key))
        .and_then(|pair| field(&pair, "value"));
    Ok(found.unwrap_or_else(|| Value::from(())))
}

/// The texts of a list that begin with a prefix, without it.
pub(super) fn with_prefix(value: Value, prefix: &str) -> Result<Value, Error> {
    if is_nothing(&value) {
        return Ok(Value::from(Vec::<Value>::new()));
    }
    let found: Vec<Value> = value
        .try_iter()?
        .filter_map(|item| item.as_str()?.strip_prefix(prefix).map(Value::from))
        .collect();
    Ok(Value::from(found))
}

/// Each text of a list with a prefix before it.
pub(super) fn prefixed(value: Value, prefix: &str) -> Result<Value, Error> {
    let texts = value
        .try_iter()?
        .map(|item| Value::from(format!("{prefix}{item}")));
    Ok(Value::from(texts.collect::<Vec<_>>()))
}

/// The lists in a list as one list; null is an empty one.
pub(super) fn flatten(value: Value) -> Result<Value, Error> {
    let mut items = Vec::new();
    for inner in value.try_iter()? {
        if !is_nothing(&inner) {
            items.extend(inner.try_iter()?);
        }
    }
    Ok(Value::from(items))
}

/// The records of a list that have this value at a key; the key is taken as it is, dots included.
pub(super) fn having(value: Value, key: &str, wanted: Value) -> Result<Value, Error> {
    if is_nothing(&value) {
        return Ok(Value::from(Vec::<Value>::new()));
    }
    let kept = value
        .try_iter()?
        .filter(|item| field(item, key).as_ref() == Some(&wanted));
    Ok(Value::from(kept.collect::<Vec<_>>()))
}

/// The values at a key of the records of a list; the key is taken as it is, dots included.
pub(super) fn pluck(value: Value, key: &str) -> Result<Value, Error> {
    let found = value.try_iter()?.filter_map(|item| field(&item, key));
    Ok(Value::from(found.collect::<Vec<_>>()))
}

/// The texts in a list that is written as Python writes lists; any other text is a list of itself.
pub(super) fn python_list(value: Value) -> Result<Value, Error> {
    let Some(text) = value.as_str() else {
        return Ok(if is_nothing(&value) {
            Value::from(Vec::<Value>::new())
        } else {
            value
        });
    };
    let trimmed = text.trim();
    let inner = trimmed
        .strip_prefix('[')
        .and_then(|inner| inner.strip_suffix(']'));
    let Some(inner) = inner else {
        return Ok(Value::from(vec![Value::from(text)]));
    };
    let mut texts = Vec::new();
    let mut characters = inner.chars();
    while let Some(quote) = characters.find(|c| matches!(c, '\'' | '"')) {
        let mut item = String::new();
        loop {
            match characters.next() {
                None => return Err(invalid(format!("the list `{text}` is cut off"))),
                Some(end) if end == quote => break,
                Some('\\') => item.extend(characters.next()),
                Some(character) => item.push(character),
            }
        }
        texts.push(Value::from(item));
    }
    Ok(Value::from(texts))
}

/// The `next` address of a `Link` header, or null.
pub(super) fn next_link(value: Value) -> Value {
    let header = value.as_str().unwrap_or_default();
    let next = header.split(',').find_map(|link| {
        let (address, parameters) = link.split_once(';')?;
        let is_next = parameters.split(';').any(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or_default();
            name.trim().eq_ignore_ascii_case("rel")
                && value.trim().trim_matches('"').eq_ignore_ascii_case("next")
        });
        let address = address.trim().strip_prefix('<')?.strip_suffix('>')?;
        is_next.then(|| address.to_owned())
    });
    next.map_or_else(|| Value::from(()), Value::from)
}

/// The list without what is null, false or empty; arguments are added to its end first.
pub(super) fn present(value: Value, more: Rest<Value>) -> Result<Value, Error> {
    let first: Vec<Value> = if is_nothing(&value) {
        Vec::new()
    } else {
        value.try_iter()?.collect()
    };
    let kept = first.into_iter().chain(more.0).filter(Value::is_true);
    Ok(Value::from(kept.collect::<Vec<_>>()))
}

/// The value as JSON text.
pub(super) fn tojson(value: Value) -> String {
    to_json(&value).to_string()
}

fn is_nothing(value: &Value) -> bool {
    value.is_none() || value.is_undefined()
}
