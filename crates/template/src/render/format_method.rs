//! `str.format` and `str.format_map` inside templates.

use std::sync::Arc;

use super::attributes::Lookup;
use super::machine::Machine;
use crate::format_syntax::{self, First, Piece, Step};
use crate::python::arguments::Arguments;
use crate::python::fault::{Fault, FaultKind, Outcome, check_text, type_fault, value_fault};
use crate::python::form::{repr, to_text};
use crate::python::percent::ascii;
use crate::python::spec::format_value;
use crate::python::value::Value;

/// How deep fields may stand in format specifications.
const NESTING: usize = 2;

struct Given {
    arguments: Arguments,
    mapping: Option<Value>,
    /// The next automatic number; `None` once fields are numbered by hand.
    next: Option<usize>,
}

/// Calls `format` or `format_map`.
pub(crate) fn call(
    machine: &mut Machine,
    format: &str,
    method: &str,
    mut arguments: Arguments,
) -> Outcome<Value> {
    let mut mapping = None;
    if method == "format_map" {
        if !arguments.named.is_empty() || arguments.positional.len() != 1 {
            return type_fault("`format_map` takes exactly one mapping");
        }
        mapping = arguments.positional.pop();
    }
    let mut given = Given {
        arguments,
        mapping,
        next: Some(0),
    };
    expand(machine, format, &mut given, NESTING).map(Value::text)
}

fn expand(
    machine: &mut Machine,
    format: &str,
    given: &mut Given,
    nesting: usize,
) -> Outcome<String> {
    let malformed =
        |error: format_syntax::FormatSyntaxError| Fault::new(FaultKind::Value, error.message);
    let mut out = String::new();
    for piece in format_syntax::pieces(format).map_err(malformed)? {
        let field = match piece {
            Piece::Literal(literal) => {
                out.push_str(literal);
                continue;
            }
            Piece::Field(field) => field,
        };
        if nesting == 0 {
            return value_fault("fields nested too deep in a format string");
        }
        let (first, steps) = format_syntax::field_name(&field).map_err(malformed)?;
        let mut value = start(machine, first, given)?;
        for step in steps {
            value = match step {
                Step::Attribute(name) => {
                    machine.get_attribute(&value, &Arc::from(name), Lookup::Sure)?
                }
                Step::Index(place) => {
                    machine.get_item(&value, &Value::size(place), Lookup::Sure)?
                }
                Step::Key(key) => machine.get_item(&value, &Value::text(key), Lookup::Sure)?,
            };
        }
        let converted = match field.conversion {
            None => None,
            Some('s') => Some(to_text(&value)?),
            Some('r') => Some(repr(&value)?),
            Some('a') => Some(ascii(&repr(&value)?)),
            Some(other) => return value_fault(format!("unknown conversion `{other}`")),
        };
        let value = converted.map_or(value, Value::text);
        let spec = if field.spec.contains(['{', '}']) {
            expand(machine, field.spec, given, nesting - 1)?
        } else {
            field.spec.to_owned()
        };
        if let Value::Undefined(missing) = &value
            && !spec.is_empty()
        {
            return type_fault(format!(
                "no format for an undefined value: {}",
                missing.message
            ));
        }
        out.push_str(&format_value(&value, &spec)?);
        check_text(out.len())?;
    }
    Ok(out)
}

/// The argument a field starts from.
fn start(machine: &mut Machine, first: First<'_>, given: &mut Given) -> Outcome<Value> {
    let place = match first {
        First::Key(key) => {
            if let Some(mapping) = &given.mapping {
                return match mapping {
                    Value::Dict(dict) => match dict.get_text(key) {
                        Some(value) => Ok(value.clone()),
                        None => missing(key),
                    },
                    Value::Undefined(missing) => Err(missing.fault()),
                    other => machine.get_item(other, &Value::text(key), Lookup::Sure),
                };
            }
            let found = given
                .arguments
                .named
                .iter()
                .find(|(name, _)| &**name == key);
            return match found {
                Some((_, value)) => Ok(value.clone()),
                None => missing(key),
            };
        }
        First::Index(place) => {
            if given.next.is_some_and(|next| next > 0) {
                return value_fault("numbered fields after automatic ones");
            }
            given.next = None;
            place
        }
        First::Next => {
            let Some(next) = given.next else {
                return value_fault("automatic fields after numbered ones");
            };
            given.next = Some(next + 1);
            next
        }
    };
    match given.arguments.positional.get(place) {
        Some(value) => Ok(value.clone()),
        None => Err(Fault::new(
            FaultKind::Lookup,
            format!("the format string asks for argument {place}, which is not there"),
        )),
    }
}

fn missing<T>(key: &str) -> Outcome<T> {
    Err(Fault::new(
        FaultKind::Lookup,
        format!("the format string asks for `{key}`, which is not there"),
    ))
}
