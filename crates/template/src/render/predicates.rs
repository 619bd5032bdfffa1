//! Jinja's tests: what may stand after `is`.

use super::machine::Machine;
use super::object::Object;
use crate::python::arguments::{Arguments, Signature};
use crate::python::compare::{equal, identical};
use crate::python::fault::{Outcome, type_fault};
use crate::python::form::to_text;
use crate::python::number::{Arithmetic, as_integer};
use crate::python::ops::{Comparison, binary};
use crate::python::text;
use crate::python::value::Value;
use crate::syntax::scope::unknown;

/// The names of the tests.
pub(crate) const NAMES: &[&str] = &[
    "boolean",
    "callable",
    "defined",
    "divisibleby",
    "eq",
    "equalto",
    "escaped",
    "even",
    "false",
    "filter",
    "float",
    "ge",
    "greaterthan",
    "gt",
    "in",
    "integer",
    "iterable",
    "le",
    "lessthan",
    "lower",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "sameas",
    "sequence",
    "string",
    "test",
    "true",
    "undefined",
    "upper",
    "==",
    "!=",
    ">",
    ">=",
    "<",
    "<=",
];

impl Machine {
    /// Applies a test.
    pub(crate) fn test(
        &mut self,
        name: &str,
        value: &Value,
        arguments: Arguments,
    ) -> Outcome<bool> {
        let environment = self.environment.clone();
        if let Some(test) = environment.test(name) {
            return Ok(test.call(self, value.clone(), arguments)?.is_true());
        }
        let Some(name) = NAMES.iter().find(|known| **known == name) else {
            return Err(unknown("test", name, environment.test_names()));
        };
        let comparison = match *name {
            "eq" | "equalto" | "==" => Some(Comparison::Equal),
            "ne" | "!=" => Some(Comparison::NotEqual),
            "gt" | "greaterthan" | ">" => Some(Comparison::Greater),
            "ge" | ">=" => Some(Comparison::GreaterOrEqual),
            "lt" | "lessthan" | "<" => Some(Comparison::Less),
            "le" | "<=" => Some(Comparison::LessOrEqual),
            "in" => Some(Comparison::In),
            _ => None,
        };
        if comparison.is_some() || matches!(*name, "divisibleby" | "sameas") {
            let nameless = !matches!(*name, "in" | "divisibleby" | "sameas");
            let parameters: &'static [&'static str] = match *name {
                "in" => &["seq"],
                "divisibleby" => &["num"],
                _ => &["other"],
            };
            let signature = if nameless {
                Signature::by_place(name, parameters, 1)
            } else {
                Signature::by_name(name, parameters, 1)
            };
            let bound = arguments.bind(signature)?;
            let other = bound.required(0);
            return match (comparison, *name) {
                (Some(op), _) => self.compare(op, value, other),
                (None, "sameas") => identical(value, other),
                _ => leaves(value, other, 0),
            };
        }
        arguments.none(name)?;
        self.bare_test(name, value)
    }

    fn bare_test(&mut self, name: &str, value: &Value) -> Outcome<bool> {
        let object = match value {
            Value::Object(object) => Some(&**object),
            _ => None,
        };
        Ok(match name {
            "odd" => leaves(value, &Value::Int(2), 1)?,
            "even" => leaves(value, &Value::Int(2), 0)?,
            "defined" => !value.is_undefined(),
            "undefined" => value.is_undefined(),
            "filter" | "test" => {
                crate::python::compare::hash(value)?;
                let environment = &self.environment;
                value.as_str().is_some_and(|known| match name {
                    "filter" => environment.filter_names().any(|name| name == known),
                    _ => environment.test_names().any(|name| name == known),
                })
            }
            "none" => matches!(value, Value::None),
            "boolean" => matches!(value, Value::Bool(_)),
            "false" => matches!(value, Value::Bool(false)),
            "true" => matches!(value, Value::Bool(true)),
            "integer" => matches!(value, Value::Int(_) | Value::Big(_)),
            "float" => matches!(value, Value::Float(_)),
            "lower" => text::is_lower(&to_text(value)?),
            "upper" => text::is_upper(&to_text(value)?),
            "string" => value.as_str().is_some(),
            "mapping" => value.type_name() == "dict",
            "number" => matches!(value, Value::Float(_)) || as_integer(value).is_some(),
            "sequence" => matches!(
                value,
                Value::Undefined(_)
                    | Value::Str(_)
                    | Value::Markup(_)
                    | Value::List(_)
                    | Value::Tuple(_)
                    | Value::Dict(_)
                    | Value::Range(_)
                    | Value::Native(_)
            ),
            "iterable" => match value {
                Value::None
                | Value::Bool(_)
                | Value::Int(_)
                | Value::Big(_)
                | Value::Float(_)
                | Value::Moment(_) => false,
                _ => object.is_none_or(|object| {
                    matches!(
                        object,
                        Object::Generator(_) | Object::Loop(_) | Object::This(_)
                    )
                }),
            },
            "callable" => value.is_undefined() || object.is_some_and(Object::is_callable),
            "escaped" => matches!(value, Value::Markup(_)),
            _ => return type_fault(format!("the test `{name}` takes no such value")),
        })
    }
}

/// `value % divisor == rest`
fn leaves(value: &Value, divisor: &Value, rest: i64) -> Outcome<bool> {
    equal(
        &binary(Arithmetic::Remainder, value, divisor)?,
        &Value::Int(rest),
    )
}
