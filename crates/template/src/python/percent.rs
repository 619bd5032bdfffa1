//! Python's `%` operator on text.

use num_traits::Signed;

use super::fault::{Fault, FaultKind, Outcome, check_text, type_fault, value_fault};
use super::form::{repr, to_text, write_escape};
use super::number::{Numeric, as_integer, as_small, digits, to_float, truncate};
use super::spec::{FloatLayout, float_body};
use super::value::Value;

/// The flags, width and precision of one conversion.
#[derive(Debug, Default)]
struct Conversion {
    left: bool,
    plus: bool,
    space: bool,
    alternate: bool,
    zero: bool,
    width: usize,
    precision: Option<usize>,
}

/// Hands out the values on the right of `%`.
struct Given<'a> {
    values: Vec<&'a Value>,
    next: usize,
    mapping: Option<&'a Value>,
    tuple: bool,
}

impl<'a> Given<'a> {
    fn take(&mut self) -> Outcome<&'a Value> {
        match self.values.get(self.next) {
            Some(value) => {
                self.next += 1;
                Ok(value)
            }
            None => type_fault("not enough arguments for the format string"),
        }
    }
}

/// `format % given`
pub(crate) fn percent(format: &str, given: &Value) -> Outcome<String> {
    let tuple = matches!(given, Value::Tuple(_));
    let mut arguments = Given {
        values: match given {
            Value::Tuple(items) => items.values.iter().collect(),
            other => vec![other],
        },
        next: 0,
        mapping: match given {
            Value::Dict(_) | Value::List(_) | Value::Range(_) | Value::Undefined(_) => Some(given),
            _ => None,
        },
        tuple,
    };
    let mut out = String::new();
    let mut rest = format;
    while let Some(place) = rest.find('%') {
        out.push_str(&rest[..place]);
        rest = convert(&rest[place + 1..], &mut arguments, &mut out)?;
        check_text(out.len())?;
    }
    out.push_str(rest);
    let left_over = if arguments.tuple {
        arguments.next < arguments.values.len()
    } else {
        arguments.next == 0 && arguments.mapping.is_none()
    };
    if left_over {
        return type_fault("not all arguments were converted by the format string");
    }
    Ok(out)
}

/// Carries out the conversion that starts after a `%`; gives what follows it.
fn convert<'t>(text: &'t str, given: &mut Given<'_>, out: &mut String) -> Outcome<&'t str> {
    let mut rest = text;
    let mut keyed = None;
    if let Some(after) = rest.strip_prefix('(') {
        let mut depth = 1;
        let end = after.find(|c| {
            depth += match c {
                '(' => 1,
                ')' => -1,
                _ => 0,
            };
            depth == 0
        });
        let Some(end) = end else {
            return value_fault("a `%` key without its `)`");
        };
        let Some(mapping) = given.mapping else {
            return type_fault("the format string asks for a mapping");
        };
        keyed = Some(lookup(mapping, &after[..end])?);
        rest = &after[end + 1..];
    }
    let mut conversion = Conversion::default();
    while let Some(flag) = rest.chars().next() {
        match flag {
            '-' => conversion.left = true,
            '+' => conversion.plus = true,
            ' ' => conversion.space = true,
            '#' => conversion.alternate = true,
            '0' => conversion.zero = true,
            _ => break,
        }
        rest = &rest[1..];
    }
    if let Some(width) = size(&mut rest, given)? {
        conversion.left |= width < 0;
        conversion.width = usize::try_from(width.unsigned_abs()).unwrap_or(usize::MAX);
    }
    if let Some(after) = rest.strip_prefix('.') {
        rest = after;
        let precision = size(&mut rest, given)?.unwrap_or(0).max(0);
        conversion.precision = usize::try_from(precision).ok();
    }
    check_text(conversion.width.max(conversion.precision.unwrap_or(0)))?;
    if let Some(after) = rest.strip_prefix(['h', 'l', 'L']) {
        rest = after;
    }
    let Some(kind) = rest.chars().next() else {
        return value_fault("incomplete format");
    };
    rest = &rest[kind.len_utf8()..];
    if kind == '%' {
        out.push('%');
        return Ok(rest);
    }
    let value = match keyed {
        Some(ref value) => value,
        None => given.take()?,
    };
    out.push_str(&converted(kind, &conversion, value)?);
    Ok(rest)
}

fn lookup(mapping: &Value, key: &str) -> Outcome<Value> {
    match mapping {
        Value::Dict(dict) => match dict.get_text(key) {
            Some(value) => Ok(value.clone()),
            None => Err(Fault::new(
                FaultKind::Lookup,
                format!("the format string asks for the key `{key}`, which is not there"),
            )),
        },
        Value::Undefined(missing) => Err(missing.fault()),
        _ => type_fault("the format string asks for a mapping"),
    }
}

/// Reads a width or precision: digits, or `*` for the next argument.
fn size(rest: &mut &str, given: &mut Given<'_>) -> Outcome<Option<i64>> {
    if let Some(after) = rest.strip_prefix('*') {
        *rest = after;
        return match as_small(given.take()?) {
            Some(size) => Ok(Some(size)),
            None => type_fault("`*` takes a whole number"),
        };
    }
    let end = rest.bytes().take_while(u8::is_ascii_digit).count();
    if end == 0 {
        return Ok(None);
    }
    let (digits, after) = rest.split_at(end);
    *rest = after;
    match digits.parse() {
        Ok(size) => Ok(Some(size)),
        Err(_) => value_fault("a width that is too large"),
    }
}

fn converted(kind: char, conversion: &Conversion, value: &Value) -> Outcome<String> {
    match kind {
        's' | 'r' | 'a' => {
            let text = match kind {
                's' => to_text(value)?,
                'r' => repr(value)?,
                _ => ascii(&repr(value)?),
            };
            let text: String = match conversion.precision {
                Some(precision) => text.chars().take(precision).collect(),
                None => text,
            };
            Ok(fill(conversion, "", &text, false))
        }
        'c' => {
            let text = match value {
                Value::Str(text) if text.chars().count() == 1 => text.to_string(),
                Value::Int(code) => match u32::try_from(*code).ok().and_then(char::from_u32) {
                    Some(c) => c.to_string(),
                    None => {
                        return Err(Fault::new(
                            FaultKind::Overflow,
                            "`%c` takes the number of a character",
                        ));
                    }
                },
                _ => return type_fault("`%c` takes a whole number or one character"),
            };
            Ok(fill(conversion, "", &text, false))
        }
        'd' | 'i' | 'u' | 'o' | 'x' | 'X' => whole(kind, conversion, value),
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' => float(kind, conversion, value),
        _ => value_fault(format!("unsupported format character `{kind}`")),
    }
}

/// The text with all that is not ASCII spelled out.
pub(crate) fn ascii(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            write_escape(c, &mut out);
        }
    }
    out
}

fn whole(kind: char, conversion: &Conversion, value: &Value) -> Outcome<String> {
    let decimal = matches!(kind, 'd' | 'i' | 'u');
    let number = match (as_integer(value), value) {
        (Some(number), _) => number,
        (None, Value::Float(number)) if decimal => match as_integer(&truncate(*number)?) {
            Some(number) => number,
            None => return type_fault("a number is required"),
        },
        (None, Value::Undefined(missing)) if !decimal => return Err(missing.fault()),
        _ => {
            return type_fault(format!(
                "`%{kind}` takes a number, not a `{}`",
                value.type_name()
            ));
        }
    };
    let mut body = match kind {
        'o' => number.abs().to_str_radix(8),
        'x' => number.abs().to_str_radix(16),
        'X' => number.abs().to_str_radix(16).to_uppercase(),
        _ => digits(&number.abs())?,
    };
    let least = conversion.precision.unwrap_or(0);
    if body.len() < least {
        body = "0".repeat(least - body.len()) + &body;
    }
    let mut prefix = sign(number.is_negative(), conversion).to_owned();
    if conversion.alternate {
        match kind {
            'o' => prefix.push_str("0o"),
            'x' => prefix.push_str("0x"),
            'X' => prefix.push_str("0X"),
            _ => {}
        }
    }
    Ok(fill(conversion, &prefix, &body, true))
}

fn float(kind: char, conversion: &Conversion, value: &Value) -> Outcome<String> {
    let number = match Numeric::of(value) {
        Some(Numeric::Float(number)) => number,
        Some(Numeric::Int(number)) => to_float(&number)?,
        None => match value {
            Value::Undefined(missing) => return Err(missing.fault()),
            _ => {
                return type_fault(format!(
                    "`%{kind}` takes a number, not a `{}`",
                    value.type_name()
                ));
            }
        },
    };
    let precision = conversion.precision.unwrap_or(6);
    let layout = match kind {
        'e' | 'E' => FloatLayout::Scientific(precision),
        'f' | 'F' => FloatLayout::Fixed(precision),
        _ => FloatLayout::General {
            precision,
            keep_point: false,
        },
    };
    let mut body = float_body(number, layout, conversion.alternate);
    if kind.is_ascii_uppercase() {
        body = body.to_uppercase();
    }
    let negative = number.is_sign_negative() && !number.is_nan();
    Ok(fill(conversion, sign(negative, conversion), &body, true))
}

fn sign(negative: bool, conversion: &Conversion) -> &'static str {
    if negative {
        "-"
    } else if conversion.plus {
        "+"
    } else if conversion.space {
        " "
    } else {
        ""
    }
}

fn fill(conversion: &Conversion, prefix: &str, body: &str, number: bool) -> String {
    let length = prefix.len() + body.chars().count();
    let missing = conversion.width.saturating_sub(length);
    if conversion.left {
        format!("{prefix}{body}{}", " ".repeat(missing))
    } else if conversion.zero && number {
        format!("{prefix}{}{body}", "0".repeat(missing))
    } else {
        format!("{}{prefix}{body}", " ".repeat(missing))
    }
}
