//! Values as JSON, as Python's `json.dumps` writes them with sorted keys.

use std::fmt::Write;

use crate::python::arguments::integer;
use crate::python::compare::order;
use crate::python::fault::{Outcome, check_text, type_fault};
use crate::python::form::float_repr;
use crate::python::meter;
use crate::python::number::digits;
use crate::python::value::Value;
use crate::render::filters::merge_sort;

/// The JSON of a value, safe inside HTML; `indent` is a width or a text.
pub(super) fn dump(value: &Value, indent: Option<&Value>) -> Outcome<String> {
    let indent = match indent {
        None => None,
        Some(Value::Str(text)) => Some(text.to_string()),
        Some(width) => {
            let width = usize::try_from(integer(width)?).unwrap_or(0);
            check_text(width)?;
            Some(" ".repeat(width))
        }
    };
    let mut out = String::new();
    write_value(value, indent.as_deref(), 0, &mut out)?;
    Ok(out
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\'', "\\u0027"))
}

fn write_value(value: &Value, indent: Option<&str>, depth: usize, out: &mut String) -> Outcome<()> {
    check_text(out.len())?;
    meter::operand(value)?;
    match value {
        Value::None => out.push_str("null"),
        Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Value::Str(text) | Value::Markup(text) => write_text(text, out),
        Value::Int(number) => {
            let _ = write!(out, "{number}");
        }
        Value::Big(number) => out.push_str(&digits(number)?),
        Value::Float(number) => out.push_str(&float_text(*number)),
        Value::List(items) | Value::Tuple(items) => {
            out.push('[');
            for (place, item) in items.values.iter().enumerate() {
                separate(place, indent, depth + 1, out);
                write_value(item, indent, depth + 1, out)?;
            }
            close(items.values.len(), indent, depth, out);
            out.push(']');
        }
        Value::Dict(dict) => {
            let mut keys: Vec<&(Value, Value)> = dict.iter().collect();
            merge_sort(&mut keys, &mut |a, b| {
                Ok(order(&b.0, &a.0, "<")?.is_some_and(std::cmp::Ordering::is_lt))
            })?;
            out.push('{');
            for (place, (key, value)) in keys.into_iter().enumerate() {
                separate(place, indent, depth + 1, out);
                write_text(&key_text(key)?, out);
                out.push_str(": ");
                write_value(value, indent, depth + 1, out)?;
            }
            close(dict.len(), indent, depth, out);
            out.push('}');
        }
        Value::Native(_) => {
            if let Some(plain) = value.plain() {
                write_value(&plain, indent, depth, out)?;
            }
        }
        _ => {
            return type_fault(format!(
                "a `{}` cannot be written as JSON",
                value.type_name()
            ));
        }
    }
    Ok(())
}

fn float_text(number: f64) -> String {
    if number.is_nan() {
        "NaN".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }
        .to_owned()
    } else {
        float_repr(number)
    }
}

fn key_text(key: &Value) -> Outcome<String> {
    Ok(match key {
        Value::Str(text) | Value::Markup(text) => text.to_string(),
        Value::None => "null".to_owned(),
        Value::Bool(truth) => if *truth { "true" } else { "false" }.to_owned(),
        Value::Int(number) => number.to_string(),
        Value::Big(number) => digits(number)?,
        Value::Float(number) => float_text(*number),
        _ => {
            return type_fault(format!("a `{}` cannot be a key in JSON", key.type_name()));
        }
    })
}

fn separate(place: usize, indent: Option<&str>, depth: usize, out: &mut String) {
    if place > 0 {
        out.push_str(if indent.is_some() { "," } else { ", " });
    }
    new_line(indent, depth, out);
}

fn close(count: usize, indent: Option<&str>, depth: usize, out: &mut String) {
    if count > 0 {
        new_line(indent, depth, out);
    }
}

fn new_line(indent: Option<&str>, depth: usize, out: &mut String) {
    if let Some(indent) = indent {
        out.push('\n');
        out.push_str(&indent.repeat(depth));
    }
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}
