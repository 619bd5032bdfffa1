//! Attributes of values: `value.name` before it falls back to `value['name']`.

use super::arguments::{Arguments, Signature};
use super::compare::same_item;
use super::fault::{Outcome, unsupported, value_fault};
use super::meter;
use super::number::{as_integer, as_small};
use super::value::{Dict, Value, View};
use super::{moment_methods, text};
use num_traits::Signed;

/// What an attribute is.
pub(crate) enum Attribute {
    /// A value.
    Data(Value),
    /// A method that can be called.
    Method(&'static str),
    /// There, but out of a template's reach.
    Hidden,
    /// There in Python, and not honoured.
    Refused,
    /// Not there.
    Missing,
}

const LIST_METHODS: [&str; 3] = ["copy", "count", "index"];
const LIST_HIDDEN: [&str; 8] = [
    "append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort",
];
const DICT_METHODS: [&str; 5] = ["copy", "get", "items", "keys", "values"];
const DICT_HIDDEN: [&str; 5] = ["clear", "pop", "popitem", "setdefault", "update"];
const TUPLE_METHODS: [&str; 2] = ["count", "index"];
const INTEGER_METHODS: [&str; 4] = ["as_integer_ratio", "bit_count", "bit_length", "conjugate"];
const FLOAT_METHODS: [&str; 2] = ["conjugate", "is_integer"];

fn listed(names: &[&'static str], name: &str) -> Option<Attribute> {
    names
        .iter()
        .find(|known| **known == name)
        .map(|name| Attribute::Method(name))
}

/// Looks up an attribute of a value that has no state.
pub(crate) fn attribute(value: &Value, name: &str) -> Outcome<Attribute> {
    if name.starts_with("__") && name.ends_with("__") && name.len() > 4 {
        return Ok(Attribute::Hidden);
    }
    let method = |names: &[&'static str]| listed(names, name).unwrap_or(Attribute::Missing);
    Ok(match value {
        Value::Str(_) => {
            if text::REFUSED.contains(&name) {
                return Ok(Attribute::Refused);
            }
            listed(&text::METHODS, name).unwrap_or_else(|| method(&text::MORE_METHODS))
        }
        Value::Markup(_) => {
            let known = listed(&text::METHODS, name).or_else(|| listed(&text::MORE_METHODS, name));
            let more = ["escape", "striptags", "unescape"];
            if known.is_some() || text::REFUSED.contains(&name) || more.contains(&name) {
                Attribute::Refused
            } else {
                Attribute::Missing
            }
        }
        Value::List(_) if LIST_HIDDEN.contains(&name) => Attribute::Hidden,
        Value::List(_) => method(&LIST_METHODS),
        Value::Tuple(items) => {
            if let Some(names) = items.names
                && let Some(place) = names.names.iter().position(|known| *known == name)
            {
                return Ok(Attribute::Data(items.values[place].clone()));
            }
            method(&TUPLE_METHODS)
        }
        Value::Dict(_) if DICT_HIDDEN.contains(&name) => Attribute::Hidden,
        Value::Dict(_) if name == "fromkeys" => Attribute::Refused,
        Value::Dict(_) => method(&DICT_METHODS),
        Value::View(..) if ["isdisjoint", "mapping"].contains(&name) => Attribute::Refused,
        Value::Range(range) => match name {
            "start" => Attribute::Data(Value::Int(range.start)),
            "stop" => Attribute::Data(Value::Int(range.stop)),
            "step" => Attribute::Data(Value::Int(range.step)),
            _ => method(&TUPLE_METHODS),
        },
        Value::Bool(_) | Value::Int(_) | Value::Big(_) => match name {
            "real" | "numerator" => Attribute::Data(plain_integer(value)),
            "imag" => Attribute::Data(Value::Int(0)),
            "denominator" => Attribute::Data(Value::Int(1)),
            "from_bytes" | "to_bytes" | "is_integer" => Attribute::Refused,
            _ => method(&INTEGER_METHODS),
        },
        Value::Float(number) => match name {
            "real" => Attribute::Data(Value::Float(*number)),
            "imag" => Attribute::Data(Value::Float(0.0)),
            "as_integer_ratio" | "fromhex" | "hex" => Attribute::Refused,
            _ => method(&FLOAT_METHODS),
        },
        Value::Moment(moment) => moment_methods::attribute(moment, name)?,
        Value::Undefined(_)
        | Value::None
        | Value::View(..)
        | Value::Native(_)
        | Value::Object(_) => Attribute::Missing,
    })
}

fn plain_integer(value: &Value) -> Value {
    as_integer(value).map_or(Value::None, Value::integer)
}

/// Calls a method found by [`attribute`]; `str.format` and `str.join` are called elsewhere.
pub(crate) fn call(receiver: &Value, method: &'static str, arguments: Arguments) -> Outcome<Value> {
    meter::operand(receiver)?;
    for argument in arguments.all() {
        meter::operand(argument)?;
    }
    match receiver {
        Value::Str(found) => text::call(found, method, arguments),
        Value::Moment(moment) => moment_methods::call(moment, method, arguments),
        Value::List(items) | Value::Tuple(items) => {
            if method == "copy" {
                arguments.none(method)?;
                return Ok(receiver.clone());
            }
            search(&items.values, method, arguments)
        }
        Value::Range(range) => {
            meter::items(range.len())?;
            let values: Vec<Value> = (0..range.len())
                .map(|at| Value::Int(range.at(at)))
                .collect();
            search(&values, method, arguments)
        }
        Value::Dict(dict) => match method {
            "get" => {
                let bound = arguments.bind(Signature::by_place(method, &["key", "default"], 1))?;
                let found = dict.get(bound.required(0))?;
                Ok(found.unwrap_or(bound.required(1)).clone())
            }
            _ => {
                arguments.none(method)?;
                let view = match method {
                    "keys" => View::Keys,
                    "values" => View::Values,
                    "items" => View::Items,
                    _ => return Ok(Value::dict(Dict::copy(dict)?)),
                };
                Ok(Value::View(view, dict.clone()))
            }
        },
        Value::Bool(_) | Value::Int(_) | Value::Big(_) => {
            arguments.none(method)?;
            let number = as_integer(receiver).unwrap_or_default();
            Ok(match method {
                "bit_length" => Value::Int(i64::try_from(number.bits()).unwrap_or(i64::MAX)),
                "bit_count" => Value::size(
                    number
                        .abs()
                        .to_u64_digits()
                        .1
                        .iter()
                        .map(|digit| digit.count_ones() as usize)
                        .sum(),
                ),
                "as_integer_ratio" => {
                    return Value::tuple(vec![Value::integer(number), Value::Int(1)]);
                }
                _ => Value::integer(number),
            })
        }
        Value::Float(number) => {
            arguments.none(method)?;
            Ok(match method {
                "is_integer" => Value::Bool(number.is_finite() && number.fract() == 0.0),
                _ => Value::Float(*number),
            })
        }
        _ => unsupported(format!(
            "the method `{method}` of `{}`",
            receiver.type_name()
        )),
    }
}

/// `count` and `index` of sequences.
fn search(values: &[Value], method: &'static str, arguments: Arguments) -> Outcome<Value> {
    if method == "count" {
        let bound = arguments.bind(Signature::by_place(method, &["value"], 1))?;
        let mut count = 0;
        for value in values {
            count += usize::from(same_item(value, bound.required(0))?);
        }
        return Ok(Value::size(count));
    }
    let bound = arguments.bind(Signature::by_place(method, &["value", "start", "stop"], 1))?;
    let place = |at: usize, default: i64| -> Outcome<usize> {
        let given = bound
            .get(at)
            .map_or(Ok(default), |value| match as_small(value) {
                Some(place) => Ok(place),
                None => super::arguments::integer(value),
            })?;
        Ok(super::slice::clamp(given, values.len()))
    };
    let (start, stop) = (place(1, 0)?, place(2, i64::MAX)?);
    for (at, value) in values.iter().enumerate().take(stop).skip(start) {
        if same_item(value, bound.required(0))? {
            return Ok(Value::size(at));
        }
    }
    value_fault("the value looked for is not there")
}
