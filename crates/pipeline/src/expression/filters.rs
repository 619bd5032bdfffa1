//! What expressions have beyond Jinja: times, spans, patterns, tags, lookups.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bowline_template::{Call, Failure, Function, Kind, Parameters, Value};
use jiff::tz::TimeZone;
use regex::Regex;

use super::record::to_json;
use super::time::Format;
use super::{link, signing, time};
use crate::decoding::{Budget, DecodeError, Oddities, decode};
use crate::description::{BodyFormat, Limits};

/// What other languages call `fromjson`.
const FROM_JSON: [&str; 4] = ["json", "loads", "parsejson", "fromjson"];

/// The filter that is meant by a name of another language.
pub(super) fn known_elsewhere(name: &str) -> Option<&'static str> {
    let plain = name.replace('_', "").to_lowercase();
    FROM_JSON.contains(&plain.as_str()).then_some("fromjson")
}

type Filtered = Result<Value, Failure>;

/// The filters.
pub(super) fn filters() -> [Function; 26] {
    const ONE_KEY: Parameters = Parameters::listed(&["key"], 1);
    const PREFIX: Parameters = Parameters::listed(&["prefix"], 1);
    const DEFAULT: Parameters = Parameters::listed(&["default_value", "boolean"], 0);
    const ALPHABET: Parameters = Parameters::listed(&["alphabet"], 0);
    const FORM: Parameters = Parameters::listed(&["form"], 0);
    let pattern = Parameters::listed(&["pattern", "group"], 1);
    let format = Parameters::listed(&["format", "zone"], 0);
    let table = Parameters::listed(&["table", "other"], 1);
    let key_and_value = Parameters::listed(&["key", "value"], 2);
    [
        Function::new("as_list", Parameters::NONE, as_list),
        Function::new("b64decode", ALPHABET, signing::b64decode),
        Function::new("b64encode", ALPHABET, signing::b64encode),
        Function::new("capture", pattern, capture),
        Function::new("d", DEFAULT, default),
        Function::new("default", DEFAULT, default),
        Function::new("duration", Parameters::NONE, duration),
        Function::new("entry", ONE_KEY, entry),
        Function::new("epoch", Parameters::NONE, epoch),
        Function::new("epoch_ms", Parameters::NONE, epoch_ms),
        Function::new("flatten", Parameters::NONE, flatten),
        Function::new("format_time", format.clone(), format_time),
        Function::new("fromjson", Parameters::NONE, fromjson),
        Function::new(
            "hmac",
            Parameters::listed(&["key", "form"], 1),
            signing::hmac_sha256,
        ),
        Function::new("having", key_and_value, having),
        Function::new("lookup", table, lookup),
        Function::new("next_link", Parameters::NONE, next_link),
        Function::new("pluck", ONE_KEY, pluck),
        Function::new("prefixed", PREFIX, prefixed),
        Function::new("present", Parameters::Rest, present),
        Function::new(
            "public_key_sha256",
            Parameters::NONE,
            signing::public_key_sha256,
        ),
        Function::new("python_list", Parameters::NONE, python_list),
        Function::new("sha256", FORM, signing::sha256),
        Function::new("time", format, time),
        Function::new("tojson", Parameters::NONE, tojson),
        Function::new("with_prefix", PREFIX, with_prefix),
    ]
}

/// The tests.
pub(super) fn tests() -> [Function; 3] {
    let key_and_value = Parameters::listed(&["key", "value"], 2);
    [
        Function::new("containing", Parameters::listed(&["value"], 1), containing),
        Function::new("holding", key_and_value, holding),
        Function::new("matching", Parameters::listed(&["pattern"], 1), matching),
    ]
}

/// The items of what a filter is applied to; null has none.
fn items(call: &mut Call<'_>) -> Result<Vec<Value>, Failure> {
    let value = call.value().clone();
    call.items(&value)
}

/// An argument that must be given.
fn argument<'c>(call: &'c Call<'_>, place: usize) -> &'c Value {
    call.argument(place).unwrap_or(&Value::NONE)
}

/// The value, or another when the field it was looked for in is missing or null; with `true` also when it is empty.
fn default(call: &mut Call<'_>) -> Filtered {
    let value = call.value();
    let is_replaced = value.is_nothing() || (argument(call, 1).is_true() && !value.is_true());
    Ok(if is_replaced {
        argument(call, 0).clone()
    } else {
        value.clone()
    })
}

/// Whether a list or text holds something: `in`, for `selectattr`.
fn containing(call: &mut Call<'_>) -> Filtered {
    let wanted = argument(call, 0).clone();
    if let (Some(text), Some(part)) = (call.value().as_text(), wanted.as_text()) {
        return Ok(Value::from(text.contains(part)));
    }
    let found = items(call).is_ok_and(|items| items.contains(&wanted));
    Ok(Value::from(found))
}

/// Whether a list holds a record with this value at a key.
fn holding(call: &mut Call<'_>) -> Filtered {
    let Ok(items) = items(call) else {
        return Ok(Value::from(false));
    };
    let (key, wanted) = (call.text(0)?, argument(call, 1));
    let found = items
        .iter()
        .any(|item| item.get(key).as_ref() == Some(wanted));
    Ok(Value::from(found))
}

/// Whether a pattern is found in a text.
fn matching(call: &mut Call<'_>) -> Filtered {
    let regex = compiled(call.text(0)?)?;
    let found = call
        .value()
        .as_text()
        .is_some_and(|text| regex.is_match(text));
    Ok(Value::from(found))
}

/// What a group of a pattern catches in a text, or null; without a number, the first group or else the whole match.
fn capture(call: &mut Call<'_>) -> Filtered {
    let regex = compiled(call.text(0)?)?;
    let group = match call.argument(1).map(Value::kind) {
        None | Some(Kind::None) => usize::from(regex.captures_len() > 1),
        Some(Kind::Integer(group)) => usize::try_from(group).unwrap_or(usize::MAX),
        Some(_) => return Err(Failure::new("the group of `capture` is a whole number")),
    };
    let Some(text) = call.value().as_text() else {
        return Ok(Value::NONE);
    };
    let caught = regex.captures(text).and_then(|caught| caught.get(group));
    Ok(caught.map_or(Value::NONE, |found| Value::from(found.as_str())))
}

/// Patterns stand in the connector's file and are few; each is compiled once.
fn compiled(pattern: &str) -> Result<Arc<Regex>, Failure> {
    static COMPILED: Mutex<BTreeMap<String, Arc<Regex>>> = Mutex::new(BTreeMap::new());
    let mut known = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(regex) = known.get(pattern) {
        return Ok(Arc::clone(regex));
    }
    let regex = Regex::new(pattern)
        .map(Arc::new)
        .map_err(|error| Failure::new(format!("invalid pattern `{pattern}`: {error}")))?;
    known.insert(pattern.to_owned(), Arc::clone(&regex));
    Ok(regex)
}

/// A time as the contract writes it, from whatever the vendor writes, or from a format and zone that are said. A time of
/// the contract's that a pattern does not fit is written by it: the same works both ways.
fn time(call: &mut Call<'_>) -> Filtered {
    if call.value().is_nothing() {
        return Ok(Value::NONE);
    }
    let (format, zone) = format_and_zone(call)?;
    let at = match time::read(call.value(), &format, zone.as_ref()) {
        Ok(at) => at,
        Err(reason) => {
            let of_ours = time::read(call.value(), &Format::Any, None);
            return match (&format, of_ours) {
                (Format::Pattern(_), Ok(at)) if call.value().as_text().is_some() => {
                    time::write(at, &format, zone.as_ref()).map_err(Failure::new)
                }
                (Format::Any, _) => {
                    let advice = time::advice(&to_json(call.value()));
                    let hint = advice.map(|advice| format!("write {advice}"));
                    Err(Failure::new(reason).with_hint(hint))
                }
                _ => Err(Failure::new(reason)),
            };
        }
    };
    Ok(Value::from(time::to_contract(at)))
}

/// A time as a vendor wants it: in a format, and in a zone or else UTC.
fn format_time(call: &mut Call<'_>) -> Filtered {
    if call.value().is_nothing() {
        return Ok(Value::NONE);
    }
    let (format, zone) = format_and_zone(call)?;
    let at = time::read(call.value(), &Format::Any, None).map_err(Failure::new)?;
    time::write(at, &format, zone.as_ref()).map_err(Failure::new)
}

fn format_and_zone(call: &Call<'_>) -> Result<(Format, Option<TimeZone>), Failure> {
    let text = |place| {
        let given = call.argument(place).filter(|value| !value.is_nothing());
        given.map(ToString::to_string)
    };
    let format = Format::from_name(text(0).as_deref()).map_err(Failure::new)?;
    let zone = text(1).map(|name| time::zone(&name)).transpose();
    Ok((format, zone.map_err(Failure::new)?))
}

/// A time as epoch seconds with a fraction.
fn epoch(call: &mut Call<'_>) -> Filtered {
    if call.value().is_nothing() {
        return Ok(Value::NONE);
    }
    let at = time::read(call.value(), &Format::Any, None).map_err(Failure::new)?;
    Ok(Value::from(time::epoch_seconds(at)))
}

/// A time as whole epoch milliseconds.
fn epoch_ms(call: &mut Call<'_>) -> Filtered {
    if call.value().is_nothing() {
        return Ok(Value::NONE);
    }
    let at = time::read(call.value(), &Format::Any, None).map_err(Failure::new)?;
    Ok(Value::from(at.as_millisecond()))
}

/// A span of time as seconds, whole where it is: from `6:00:00`, `1 day, 0:00:00`, `PT1H`, or a number of seconds.
fn duration(call: &mut Call<'_>) -> Filtered {
    if call.value().is_nothing() {
        return Ok(Value::NONE);
    }
    let span = time::span(call.value()).map_err(Failure::new)?;
    Ok(match span.subsec_nanos() {
        0 => Value::from(span.as_secs()),
        _ => Value::from(span.as_secs_f64()),
    })
}

/// The value of a key in a table, or another, or null.
fn lookup(call: &mut Call<'_>) -> Filtered {
    let table = argument(call, 0);
    if table.kind() != Kind::Mapping {
        return Err(Failure::new(format!(
            "`lookup` wants a table, found a `{}`",
            table.type_name()
        )));
    }
    let found = call.value().as_text().and_then(|key| table.get(key));
    Ok(found.unwrap_or_else(|| argument(call, 1).clone()))
}

/// The value of a key in a list of `{key, value}` records, or null.
fn entry(call: &mut Call<'_>) -> Filtered {
    let pairs = items(call)?;
    let key = call.text(0)?;
    let found = pairs
        .iter()
        .find(|pair| pair.get("key").as_ref().and_then(Value::as_text) == Some(key))
        .and_then(|pair| pair.get("value"));
    Ok(found.unwrap_or_default())
}

/// The texts of a list that begin with a prefix, without it.
fn with_prefix(call: &mut Call<'_>) -> Filtered {
    let texts = items(call)?;
    let prefix = call.text(0)?;
    let found = texts
        .iter()
        .filter_map(|item| item.as_text()?.strip_prefix(prefix).map(Value::from));
    Ok(Value::list(found.collect()))
}

/// Each text of a list with a prefix before it.
fn prefixed(call: &mut Call<'_>) -> Filtered {
    let texts = items(call)?;
    let prefix = call.text(0)?;
    let texts = texts
        .iter()
        .map(|item| Value::from(format!("{prefix}{item}")));
    Ok(Value::list(texts.collect()))
}

/// A list as it is, null as an empty one, and all else as a list of itself: XML has no lists of one.
fn as_list(call: &mut Call<'_>) -> Filtered {
    let value = call.value().clone();
    Ok(match value.kind() {
        Kind::Sequence => value,
        Kind::None | Kind::Undefined => Value::list(Vec::new()),
        _ => Value::list(vec![value]),
    })
}

/// The lists in a list as one list; null is an empty one.
fn flatten(call: &mut Call<'_>) -> Filtered {
    let mut all = Vec::new();
    for inner in items(call)? {
        all.extend(call.items(&inner)?);
    }
    Ok(Value::list(all))
}

/// The records of a list that have this value at a key; the key is taken as it is, dots included.
fn having(call: &mut Call<'_>) -> Filtered {
    let records = items(call)?;
    let (key, wanted) = (call.text(0)?, argument(call, 1));
    let kept = records
        .into_iter()
        .filter(|item| item.get(key).as_ref() == Some(wanted));
    Ok(Value::list(kept.collect()))
}

/// The values at a key of the records of a list; the key is taken as it is, dots included.
fn pluck(call: &mut Call<'_>) -> Filtered {
    let records = items(call)?;
    let key = call.text(0)?;
    let found = records.iter().filter_map(|item| item.get(key));
    Ok(Value::list(found.collect()))
}

/// The texts in a list that is written as Python writes lists; any other text is a list of itself.
fn python_list(call: &mut Call<'_>) -> Filtered {
    let value = call.value();
    let Some(text) = value.as_text() else {
        return Ok(if value.is_nothing() {
            Value::list(Vec::new())
        } else {
            value.clone()
        });
    };
    let trimmed = text.trim();
    let inner = trimmed
        .strip_prefix('[')
        .and_then(|inner| inner.strip_suffix(']'));
    let Some(inner) = inner else {
        return Ok(Value::list(vec![value.clone()]));
    };
    let mut texts = Vec::new();
    let mut characters = inner.chars();
    while let Some(quote) = characters.find(|c| matches!(c, '\'' | '"')) {
        let mut item = String::new();
        loop {
            match characters.next() {
                None => return Err(Failure::new(format!("the list `{text}` is cut off"))),
                Some(end) if end == quote => break,
                Some('\\') => item.extend(characters.next()),
                Some(character) => item.push(character),
            }
        }
        texts.push(Value::from(item));
    }
    Ok(Value::list(texts))
}

/// The `next` address of a `Link` header or of several, or null.
fn next_link(call: &mut Call<'_>) -> Filtered {
    let headers = match call.value().as_text() {
        Some(header) => vec![Value::from(header)],
        None => items(call)?,
    };
    for header in &headers {
        let header = header.as_text().unwrap_or_default();
        let next = link::target(header, "next")
            .map_err(|part| Failure::new(format!("not a `Link` header: `{part}`")))?;
        if let Some(next) = next {
            return Ok(Value::from(next));
        }
    }
    Ok(Value::NONE)
}

/// The list without what is null, false or empty; arguments are added to its end first.
fn present(call: &mut Call<'_>) -> Filtered {
    let mut all = items(call)?;
    all.extend(call.arguments().cloned());
    all.retain(Value::is_true);
    Ok(Value::list(all))
}

/// The value as JSON text.
fn tojson(call: &mut Call<'_>) -> Filtered {
    Ok(Value::from(to_json(call.value()).to_string()))
}

/// What a text of JSON says; nothing for null and for a text of nothing.
fn fromjson(call: &mut Call<'_>) -> Filtered {
    let value = call.value();
    if value.is_nothing() {
        return Ok(Value::NONE);
    }
    let text = value.as_text().ok_or_else(|| {
        let failure = Failure::new(format!(
            "`fromjson` reads a text, found a `{}`",
            value.type_name()
        ));
        failure.with_hint(Some(
            "leave it out where the vendor gives no text".to_owned(),
        ))
    })?;
    if text.trim().is_empty() {
        return Ok(Value::NONE);
    }
    let budget = Budget::new(Limits::default().memory);
    let oddities = Oddities::default();
    decode(text.as_bytes(), None, BodyFormat::Json, budget, &oddities).map_err(|error| {
        Failure::new(match error {
            DecodeError::TooLarge => "the JSON takes more memory than it may".to_owned(),
            DecodeError::Malformed(reason) | DecodeError::Ended(reason) => {
                format!("it is no JSON: {reason}")
            }
        })
    })
}
