//! Filters that write values in other notations.

use bowline_words::percent_encode;

use crate::python::arguments::{Arguments, Signature};
use crate::python::fault::{Outcome, check_text, value_fault};
use crate::python::form::to_text;
use crate::python::value::{Value, View};
use crate::render::json;
use crate::render::machine::Machine;

pub(super) fn apply(
    machine: &mut Machine,
    name: &'static str,
    value: Value,
    arguments: Arguments,
) -> Outcome<Value> {
    if name == "tojson" {
        let bound = arguments.bind(Signature::by_name(name, &["indent"], 0))?;
        let text = json::dump(&value, bound.some(0))?;
        return Ok(Value::Markup(text.into()));
    }
    arguments.none(name)?;
    match name {
        "safe" => Ok(Value::Markup(to_text(&value)?.into())),
        "e" | "escape" if matches!(value, Value::Markup(_)) => Ok(value),
        "urlencode" => url_encode(machine, &value).map(Value::text),
        _ => {
            let text = to_text(&value)?;
            check_text(text.len().saturating_mul(5))?;
            Ok(Value::Markup(escaped(&text).into()))
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('>', "&gt;")
        .replace('<', "&lt;")
        .replace('\'', "&#39;")
        .replace('"', "&#34;")
}

fn url_encode(machine: &mut Machine, value: &Value) -> Outcome<String> {
    let pairs = match value {
        Value::Dict(dict) => Value::View(View::Items, dict.clone()),
        Value::List(_)
        | Value::Tuple(_)
        | Value::View(..)
        | Value::Range(_)
        | Value::Object(_)
        | Value::Undefined(_) => value.clone(),
        _ => return url_quote(&to_text(value)?, false),
    };
    let mut parts = Vec::new();
    for pair in machine.collect(&pairs)? {
        let pair = machine.collect(&pair)?;
        let [key, value] = &pair[..] else {
            return value_fault("`urlencode` takes a text, a mapping or pairs");
        };
        let key = url_quote(&to_text(key)?, true)?;
        parts.push(format!("{key}={}", url_quote(&to_text(value)?, true)?));
    }
    Ok(parts.join("&"))
}

fn url_quote(text: &str, query: bool) -> Outcome<String> {
    check_text(text.len().saturating_mul(3))?;
    let quoted = percent_encode(text);
    Ok(if query {
        quoted.replace("%20", "+")
    } else {
        quoted.replace("%2F", "/")
    })
}
