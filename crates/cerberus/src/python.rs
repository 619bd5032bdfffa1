//! How Python sees JSON values: text, representation, equality, order and length.
//!
//! Cerberus' verdicts and texts come from these operations, so they are followed exactly,
//! odd corners included: `True == 1 == 1.0`, and a list compares item by item.

use std::cmp::Ordering;
use std::sync::LazyLock;

use fancy_regex::Regex;
use serde_json::{Map, Number, Value};

/// Characters Python escapes in a representation. The plain space is the only separator it keeps.
static UNPRINTABLE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Zs}&&[^ ]]").ok());

/// `str(value)`: text stays as it is, everything else is its representation.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => repr(other),
    }
}

/// `repr(value)`.
pub(crate) fn repr(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => number_repr(number),
        Value::String(text) => text_repr(text),
        Value::Array(items) => format!("[{}]", joined(items)),
        Value::Object(map) => map_repr(map),
    }
}

/// `repr(tuple(items))`; a tuple of one keeps its comma.
pub(crate) fn tuple_repr(items: &[Value]) -> String {
    match items {
        [only] => format!("({},)", repr(only)),
        _ => format!("({})", joined(items)),
    }
}

/// `repr(set(items))` for at least one item, in the order given.
pub(crate) fn set_repr(items: &[Value]) -> String {
    format!("{{{}}}", joined(items))
}

fn joined(items: &[Value]) -> String {
    items.iter().map(repr).collect::<Vec<_>>().join(", ")
}

fn map_repr(map: &Map<String, Value>) -> String {
    let entries: Vec<_> = map
        .iter()
        .map(|(key, value)| format!("{}: {}", text_repr(key), repr(value)))
        .collect();
    format!("{{{}}}", entries.join(", "))
}

/// `repr(text)`: single quotes unless only those occur inside.
pub(crate) fn text_repr(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if character == quote => {
                out.push('\\');
                out.push(quote);
            }
            _ if is_printable(character) => out.push(character),
            _ => {
                let code = u32::from(character);
                let escaped = match code {
                    0..=0xff => format!("\\x{code:02x}"),
                    0x100..=0xffff => format!("\\u{code:04x}"),
                    _ => format!("\\U{code:08x}"),
                };
                out.push_str(&escaped);
            }
        }
    }
    out.push(quote);
    out
}

fn is_printable(character: char) -> bool {
    if character.is_ascii() {
        return !character.is_ascii_control();
    }
    let mut buffer = [0; 4];
    UNPRINTABLE.as_ref().is_none_or(|pattern| {
        !pattern
            .is_match(character.encode_utf8(&mut buffer))
            .unwrap_or(false)
    })
}

fn number_repr(number: &Number) -> String {
    match integer(number) {
        Some(integer) => integer.to_string(),
        None => float_repr(number.as_f64().unwrap_or(f64::NAN)),
    }
}

/// `repr(float)`: the shortest digits that read back, with an exponent outside 1e-4..1e16.
fn float_repr(float: f64) -> String {
    let scientific = format!("{float:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if float == 0.0 || (-4..16).contains(&exponent) {
        let plain = float.to_string();
        return if plain.contains('.') {
            plain
        } else {
            format!("{plain}.0")
        };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
}

/// The number when Python's JSON reader makes an `int` of it.
pub(crate) fn integer(number: &Number) -> Option<i128> {
    number
        .as_i64()
        .map(i128::from)
        .or_else(|| number.as_u64().map(i128::from))
}

/// A value as a number: `bool` is an `int` in Python.
enum Numeric {
    Integer(i128),
    Float(f64),
}

fn numeric(value: &Value) -> Option<Numeric> {
    match value {
        Value::Bool(flag) => Some(Numeric::Integer(i128::from(*flag))),
        Value::Number(number) => integer(number)
            .map(Numeric::Integer)
            .or_else(|| number.as_f64().map(Numeric::Float)),
        _ => None,
    }
}

fn compare_numbers(left: &Numeric, right: &Numeric) -> Option<Ordering> {
    match (left, right) {
        (Numeric::Integer(left), Numeric::Integer(right)) => Some(left.cmp(right)),
        (Numeric::Float(left), Numeric::Float(right)) => left.partial_cmp(right),
        (Numeric::Integer(left), Numeric::Float(right)) => compare_mixed(*left, *right),
        (Numeric::Float(left), Numeric::Integer(right)) => {
            compare_mixed(*right, *left).map(Ordering::reverse)
        }
    }
}

/// Compares without rounding the integer, as Python does. Integers here fit into 65 bits.
fn compare_mixed(integer: i128, float: f64) -> Option<Ordering> {
    const BEYOND: f64 = 1e30;
    if float.is_nan() {
        return None;
    }
    if float.abs() >= BEYOND {
        return Some(if float > 0.0 {
            Ordering::Less
        } else {
            Ordering::Greater
        });
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the magnitude is below 1e30 and the fraction is looked at apart"
    )]
    let whole = float.trunc() as i128;
    let order = integer.cmp(&whole);
    Some(order.then_with(|| {
        0.0_f64
            .partial_cmp(&float.fract())
            .unwrap_or(Ordering::Equal)
    }))
}

/// `left == right`.
pub(crate) fn equal(left: &Value, right: &Value) -> bool {
    if let (Some(left), Some(right)) = (numeric(left), numeric(right)) {
        return compare_numbers(&left, &right) == Some(Ordering::Equal);
    }
    match (left, right) {
        (Value::Null, Value::Null) => true,
        (Value::String(left), Value::String(right)) => left == right,
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(a, b)| equal(a, b))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(key, value)| right.get(key).is_some_and(|other| equal(value, other)))
        }
        _ => false,
    }
}

/// The order of two values; `None` where Python raises a `TypeError`.
pub(crate) fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    if let (Some(left), Some(right)) = (numeric(left), numeric(right)) {
        return compare_numbers(&left, &right);
    }
    match (left, right) {
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        (Value::Array(left), Value::Array(right)) => {
            match left.iter().zip(right).find(|(a, b)| !equal(a, b)) {
                Some((a, b)) => compare(a, b),
                None => Some(left.len().cmp(&right.len())),
            }
        }
        _ => None,
    }
}

/// `len(value)`; `None` for values without a length.
pub(crate) fn length(value: &Value) -> Option<usize> {
    match value {
        Value::String(text) => Some(text.chars().count()),
        Value::Array(items) => Some(items.len()),
        Value::Object(map) => Some(map.len()),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// What `for x in value` yields; `None` for values that cannot be iterated.
pub(crate) fn iterate(value: &Value) -> Option<Vec<Value>> {
    match value {
        Value::String(text) => Some(
            text.chars()
                .map(|character| Value::String(character.into()))
                .collect(),
        ),
        Value::Array(items) => Some(items.clone()),
        Value::Object(map) => Some(map.keys().cloned().map(Value::String).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// Whether Python can put the value into a set.
pub(crate) fn is_hashable(value: &Value) -> bool {
    !matches!(value, Value::Array(_) | Value::Object(_))
}

/// Whether some item equals the value.
pub(crate) fn contains(items: &[Value], value: &Value) -> bool {
    items.iter().any(|item| equal(item, value))
}

/// The distinct items, the first of equals kept; `None` when one cannot be put into a set.
pub(crate) fn distinct(items: &[Value]) -> Option<Vec<Value>> {
    let mut out: Vec<Value> = Vec::new();
    for item in items {
        if !is_hashable(item) {
            return None;
        }
        if !contains(&out, item) {
            out.push(item.clone());
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn represents_values_as_python_does() {
        for (value, expected) in [
            (json!("it's"), r#""it's""#),
            (json!("a\"b'c"), r#"'a"b\'c'"#),
            (
                json!("tab\tnul\u{0}\u{a0}\u{200b}"),
                r"'tab\tnul\x00\xa0\u200b'",
            ),
            (json!("♄ü"), "'♄ü'"),
            (
                json!([1, true, null, {"a": 1.0}]),
                "[1, True, None, {'a': 1.0}]",
            ),
            (json!(1e16), "1e+16"),
            (json!(123456789012345.5), "123456789012345.5"),
            (json!(0.00001), "1e-05"),
            (json!(0.0001), "0.0001"),
            (json!(1.5e300), "1.5e+300"),
            (json!(-0.0), "-0.0"),
        ] {
            assert_eq!(repr(&value), expected);
        }
        assert_eq!(tuple_repr(&[json!("a")]), "('a',)");
    }

    #[test]
    fn compares_across_number_types_without_rounding() {
        assert!(equal(&json!(true), &json!(1.0)));
        assert!(!equal(
            &json!(9_007_199_254_740_993_i64),
            &json!(9_007_199_254_740_992.0)
        ));
        assert_eq!(compare(&json!(-1), &json!(-0.5)), Some(Ordering::Less));
        assert_eq!(compare(&json!(0), &json!(-0.5)), Some(Ordering::Greater));
        assert_eq!(compare(&json!(1), &json!("1")), None);
        assert_eq!(compare(&json!([1, "a"]), &json!([1, 2])), None);
        assert_eq!(compare(&json!([1]), &json!([1, 2])), Some(Ordering::Less));
        assert_eq!(
            compare(&json!(u64::MAX), &json!(1e300)),
            Some(Ordering::Less)
        );
    }
}
