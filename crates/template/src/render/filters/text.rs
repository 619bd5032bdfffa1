//! Filters on text.

use crate::python::arguments::{Arguments, Signature, expected, integer};
use crate::python::chars;
use crate::python::fault::{Outcome, check_text, runtime, type_fault, unsupported};
use crate::python::form::to_text;
use crate::python::ops::length;
use crate::python::percent::percent;
use crate::python::slice::clamp;
use crate::python::text;
use crate::python::value::{Dict, Value};

pub(super) fn apply(name: &'static str, value: Value, arguments: Arguments) -> Outcome<Value> {
    match name {
        "replace" => {
            let signature = Signature::by_name(name, &["old", "new", "count"], 2);
            let bound = arguments.bind(signature)?;
            let count = match bound.some(2) {
                Some(_) => bound.integer(2, -1)?,
                None => -1,
            };
            let replaced = text::replace(
                &to_text(&value)?,
                &to_text(bound.required(0))?,
                &to_text(bound.required(1))?,
                count,
            )?;
            Ok(Value::text(replaced))
        }
        "string" => {
            arguments.none(name)?;
            match value {
                Value::Str(_) | Value::Markup(_) => Ok(value),
                _ => to_text(&value).map(Value::text),
            }
        }
        "truncate" => truncate(value, arguments),
        "indent" => indent(&value, arguments),
        "format" => {
            if !arguments.positional.is_empty() && !arguments.named.is_empty() {
                return runtime("`format` takes either arguments by place or by name");
            }
            let given = if arguments.named.is_empty() {
                Value::tuple(arguments.positional)?
            } else {
                let mut dict = Dict::default();
                for (name, value) in arguments.named {
                    dict.insert(Value::Str(name), value)?;
                }
                Value::dict(dict)
            };
            if matches!(value, Value::Markup(_)) {
                return unsupported("`format` of a text marked safe: it escapes the values");
            }
            percent(&to_text(&value)?, &given).map(Value::text)
        }
        "wordcount" => {
            arguments.none(name)?;
            let word = |c: char| c == '_' || chars::is_alphanumeric(c);
            let text = to_text(&value)?;
            let words = text.split(|c| !word(c)).filter(|part| !part.is_empty());
            Ok(Value::size(words.count()))
        }
        "title" => {
            arguments.none(name)?;
            title(&to_text(&value)?).map(Value::text)
        }
        _ => marked(name, &value, arguments),
    }
}

/// Filters that keep a text marked safe.
fn marked(name: &'static str, value: &Value, arguments: Arguments) -> Outcome<Value> {
    let source = to_text(value)?;
    let result = match name {
        "center" => {
            let bound = arguments.bind(Signature::by_name(name, &["width"], 0))?;
            text::centre(&source, bound.integer(0, 80)?, ' ')?
        }
        "trim" => {
            let bound = arguments.bind(Signature::by_name(name, &["chars"], 0))?;
            match bound.some(0) {
                None => chars::trim(&source).to_owned(),
                Some(_) => {
                    let set: Vec<char> = bound.text(0)?.chars().collect();
                    source.trim_matches(|c| set.contains(&c)).to_owned()
                }
            }
        }
        _ => {
            arguments.none(name)?;
            match name {
                "upper" => source.to_uppercase(),
                "lower" => source.to_lowercase(),
                _ => text::capitalize(&source)?,
            }
        }
    };
    Ok(match value {
        Value::Markup(_) => Value::Markup(result.into()),
        _ => Value::text(result),
    })
}

/// Jinja's `title`: words start after blank text, hyphens and opening brackets.
fn title(text: &str) -> Outcome<String> {
    let starts = |c: char| chars::is_space(c) || matches!(c, '-' | '(' | '{' | '[' | '<');
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let gap = rest.len() - rest.trim_start_matches(starts).len();
        if gap > 0 {
            let (separators, after) = rest.split_at(gap);
            out.push_str(separators);
            rest = after;
            continue;
        }
        let end = rest.find(starts).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let first = word.chars().next().map_or(0, char::len_utf8);
        out.push_str(&word[..first].to_uppercase());
        out.push_str(&word[first..].to_lowercase());
        rest = after;
    }
    Ok(out)
}

fn truncate(value: Value, arguments: Arguments) -> Outcome<Value> {
    const LEEWAY: i64 = 5;
    let names = &["length", "killwords", "end", "leeway"];
    let bound = arguments.bind(Signature::by_name("truncate", names, 0))?;
    let most = bound.get(0).map_or(Ok(255), integer)?;
    let end = match bound.get(2) {
        Some(_) => bound.text(2)?.to_owned(),
        None => "...".to_owned(),
    };
    let leeway = bound.some(3).map_or(Ok(LEEWAY), integer)?;
    let end_length = i64::try_from(end.chars().count()).unwrap_or(i64::MAX);
    if most < end_length {
        return runtime(format!(
            "`truncate` to {most} characters, fewer than its end has"
        ));
    }
    if leeway < 0 {
        return runtime("`truncate` with a negative leeway");
    }
    let size = i64::try_from(length(&value)?).unwrap_or(i64::MAX);
    if size <= most.saturating_add(leeway) {
        return Ok(value);
    }
    let Value::Str(text) = &value else {
        return match value {
            Value::Markup(_) => unsupported("`truncate` of a text marked safe"),
            other => expected("a text", &other),
        };
    };
    let chars: Vec<char> = text.chars().collect();
    let mut kept: String = chars[..clamp(most - end_length, chars.len())]
        .iter()
        .collect();
    if !bound.is_true(1, false)
        && let Some(place) = kept.rfind(' ')
    {
        kept.truncate(place);
    }
    Ok(Value::text(kept + &end))
}

fn indent(value: &Value, arguments: Arguments) -> Outcome<Value> {
    let names = &["width", "first", "blank"];
    let bound = arguments.bind(Signature::by_name("indent", names, 0))?;
    let source = match value {
        Value::Str(text) => text,
        Value::Markup(_) => return unsupported("`indent` of a text marked safe"),
        Value::Undefined(missing) => return Err(missing.fault()),
        _ => {
            return type_fault(format!(
                "`indent` takes a text, not a `{}`",
                value.type_name()
            ));
        }
    };
    let indentation = match bound.get(0) {
        Some(Value::Str(text)) => text.to_string(),
        Some(width) => {
            let width = usize::try_from(integer(width)?).unwrap_or(0);
            check_text(width)?;
            " ".repeat(width)
        }
        None => " ".repeat(4),
    };
    let text = format!("{source}\n");
    let lines = text::split_lines(&text, false);
    check_text(text.len() + lines.len().saturating_mul(indentation.len()))?;
    let blank = bound.is_true(2, false);
    let mut out = String::new();
    if bound.is_true(1, false) {
        out.push_str(&indentation);
    }
    for (place, line) in lines.iter().enumerate() {
        if place > 0 {
            out.push('\n');
            if blank || !line.is_empty() {
                out.push_str(&indentation);
            }
        }
        out.push_str(line);
    }
    Ok(Value::text(out))
}
