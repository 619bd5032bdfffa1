//! How values print: Python's `str()` and `repr()`.

use std::fmt::Write;

use super::chars;
use super::fault::{Outcome, check_text, unsupported};
use super::meter;
use super::number::digits;
use super::value::{Value, View};
use crate::render::object::Object;

/// Python's `str(value)`.
pub(crate) fn to_text(value: &Value) -> Outcome<String> {
    let mut out = String::new();
    write_text(value, &mut out)?;
    Ok(out)
}

/// Appends Python's `str(value)`.
pub(crate) fn write_text(value: &Value, out: &mut String) -> Outcome<()> {
    match value {
        Value::Undefined(_) => Ok(()),
        Value::Str(text) | Value::Markup(text) => {
            check_text(out.len() + text.len())?;
            out.push_str(text);
            Ok(())
        }
        Value::Moment(moment) => {
            out.push_str(&moment.text()?);
            Ok(())
        }
        _ => write_repr(value, out),
    }
}

/// Python's `repr(value)`.
pub(crate) fn repr(value: &Value) -> Outcome<String> {
    let mut out = String::new();
    write_repr(value, &mut out)?;
    Ok(out)
}

/// Appends Python's `repr(value)`.
pub(crate) fn write_repr(value: &Value, out: &mut String) -> Outcome<()> {
    match value {
        Value::Undefined(_) => out.push_str("Undefined"),
        Value::None => out.push_str("None"),
        Value::Bool(true) => out.push_str("True"),
        Value::Bool(false) => out.push_str("False"),
        Value::Int(number) => {
            let _ = write!(out, "{number}");
        }
        Value::Big(number) => out.push_str(&digits(number)?),
        Value::Float(number) => out.push_str(&float_repr(*number)),
        Value::Str(text) => write_quoted(text, out),
        Value::Markup(text) => {
            out.push_str("Markup(");
            write_quoted(text, out);
            out.push(')');
        }
        Value::List(items) => {
            out.push('[');
            write_items(&items.values, out)?;
            out.push(']');
        }
        Value::Tuple(items) => match items
            .names
            .and_then(|names| Some((names.title?, names.names)))
        {
            Some((title, names)) => {
                out.push_str(title);
                for (place, (name, value)) in names.iter().zip(&items.values).enumerate() {
                    out.push_str(if place == 0 { "(" } else { ", " });
                    out.push_str(name);
                    out.push('=');
                    write_repr(value, out)?;
                }
                out.push(')');
            }
            None => {
                out.push('(');
                write_items(&items.values, out)?;
                out.push_str(if items.values.len() == 1 { ",)" } else { ")" });
            }
        },
        Value::Dict(dict) => {
            meter::items(dict.len())?;
            check_text(out.len())?;
            out.push('{');
            for (place, (key, value)) in dict.iter().enumerate() {
                if place > 0 {
                    out.push_str(", ");
                }
                write_repr(key, out)?;
                out.push_str(": ");
                write_repr(value, out)?;
            }
            out.push('}');
        }
        Value::View(view, dict) => {
            out.push_str(value.type_name());
            meter::items(dict.len())?;
            out.push_str("([");
            for (place, (key, value)) in dict.iter().enumerate() {
                if place > 0 {
                    out.push_str(", ");
                }
                match view {
                    View::Keys => write_repr(key, out)?,
                    View::Values => write_repr(value, out)?,
                    View::Items => {
                        out.push('(');
                        write_repr(key, out)?;
                        out.push_str(", ");
                        write_repr(value, out)?;
                        out.push(')');
                    }
                }
            }
            out.push_str("])");
        }
        Value::Range(range) => {
            let _ = write!(out, "range({}, {}", range.start, range.stop);
            if range.step != 1 {
                let _ = write!(out, ", {}", range.step);
            }
            out.push(')');
        }
        Value::Moment(moment) => out.push_str(&moment.repr()?),
        Value::Native(_) => {
            if let Some(plain) = value.plain() {
                write_repr(&plain, out)?;
            }
        }
        Value::Object(object) => write_object(object, out)?,
    }
    check_text(out.len())
}

fn write_items(items: &[Value], out: &mut String) -> Outcome<()> {
    meter::items(items.len())?;
    check_text(out.len())?;
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            out.push_str(", ");
        }
        write_repr(item, out)?;
    }
    Ok(())
}

fn write_object(object: &Object, out: &mut String) -> Outcome<()> {
    match object {
        Object::Macro(found) => match &found.node.name {
            Some(name) => {
                out.push_str("<Macro ");
                write_quoted(name, out);
                out.push('>');
            }
            None => out.push_str("<Macro anonymous>"),
        },
        Object::Namespace(namespace) => {
            out.push_str("<Namespace {");
            for (place, (name, value)) in namespace.entries().iter().enumerate() {
                if value.depth() > 0 && namespace.is_cyclic(value) {
                    return unsupported("printing a namespace that holds itself");
                }
                if place > 0 {
                    out.push_str(", ");
                }
                write_repr(name, out)?;
                out.push_str(": ");
                write_repr(value, out)?;
            }
            out.push_str("}>");
        }
        Object::Type(name) => {
            let _ = write!(out, "<class '{name}'>");
        }
        _ => {
            return unsupported(format!(
                "printing a `{}`: Python prints its address in memory",
                object.type_name()
            ));
        }
    }
    Ok(())
}

/// Appends a text in Python's quotes.
pub(crate) fn write_quoted(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if c == quote => {
                out.push('\\');
                out.push(c);
            }
            _ if chars::is_printable(c) => out.push(c),
            _ => write_escape(c, out),
        }
    }
    out.push(quote);
}

/// Appends a character as Python's shortest hexadecimal escape.
pub(crate) fn write_escape(c: char, out: &mut String) {
    let code = u32::from(c);
    let _ = match code {
        0..=0xff => write!(out, "\\x{code:02x}"),
        0x100..=0xffff => write!(out, "\\u{code:04x}"),
        _ => write!(out, "\\U{code:08x}"),
    };
}

/// Python's `repr(float)`: the shortest digits that give the same float.
pub(crate) fn float_repr(number: f64) -> String {
    const FIXED: std::ops::Range<i32> = -4..16;
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = shortest(number);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if !FIXED.contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa),
    };
    let digits = mantissa.replace('.', "");
    let Ok(whole) = usize::try_from(exponent + 1) else {
        let zeros = "0".repeat(usize::try_from(-exponent - 1).unwrap_or(0));
        return format!("{sign}0.{zeros}{digits}");
    };
    if whole == 0 {
        return format!("{sign}0.{digits}");
    }
    if digits.len() <= whole {
        return format!("{sign}{digits}{}.0", "0".repeat(whole - digits.len()));
    }
    format!("{sign}{}.{}", &digits[..whole], &digits[whole..])
}

/// The fewest digits that give the same float, in scientific notation; of equally near ones the even one, as in Python.
fn shortest(number: f64) -> String {
    let shortest = format!("{number:e}");
    let mantissa = shortest.split('e').next().unwrap_or_default();
    let places = mantissa.bytes().filter(u8::is_ascii_digit).count() - 1;
    let nearest = format!("{number:.places$e}");
    if nearest.parse() == Ok(number) {
        nearest
    } else {
        shortest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_print_as_in_python() {
        for (number, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (0.1, "0.1"),
            (100.0, "100.0"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1e-4, "0.0001"),
            (1e-5, "1e-05"),
            (-1234.5678, "-1234.5678"),
            (9_007_199_254_740_992.0 * 0.1, "900719925474099.2"),
            (5e-324, "5e-324"),
            (9_007_199_254_740_993.0, "9007199254740992.0"),
        ] {
            assert_eq!(float_repr(number), text);
        }
    }
}
