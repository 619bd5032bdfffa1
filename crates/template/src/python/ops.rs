//! Python's operators on values of all types.

use std::cmp::Ordering;
use std::sync::Arc;

use num_traits::Zero;

use super::arguments::too_large;
use super::compare::{equal, order, same_item};
use super::fault::{Outcome, check_list, check_text, type_fault, unsupported};
use super::meter;
use super::moment::Moment;
use super::moment_methods;
use super::number::{Arithmetic, arithmetic, as_integer};
use super::percent::percent;
use super::value::{Value, View};
use crate::native::Shape;

/// How an operator is written.
pub(crate) fn sign(op: Arithmetic) -> &'static str {
    match op {
        Arithmetic::Add => "+",
        Arithmetic::Subtract => "-",
        Arithmetic::Multiply => "*",
        Arithmetic::Divide => "/",
        Arithmetic::FloorDivide => "//",
        Arithmetic::Remainder => "%",
        Arithmetic::Power => "**",
    }
}

/// `a op b`
pub(crate) fn binary(op: Arithmetic, a: &Value, b: &Value) -> Outcome<Value> {
    meter::operand(a)?;
    meter::operand(b)?;
    if let Some(number) = arithmetic(op, a, b)? {
        return Ok(number);
    }
    if matches!(a, Value::Markup(_)) || matches!(b, Value::Markup(_)) {
        let escapes = matches!(
            op,
            Arithmetic::Add | Arithmetic::Remainder | Arithmetic::Multiply
        );
        if escapes && !a.is_undefined() && !b.is_undefined() {
            return unsupported(format!("`{}` on a text marked safe", sign(op)));
        }
    }
    if let Some(a) = a.plain() {
        return binary(op, &a, b);
    }
    if let Some(b) = b.plain() {
        return binary(op, a, &b);
    }
    match (op, a, b) {
        (Arithmetic::Remainder, Value::Str(format), _) => {
            return percent(format, b).map(Value::text);
        }
        (_, Value::Undefined(missing), _) | (_, _, Value::Undefined(missing)) => {
            return Err(missing.fault());
        }
        (Arithmetic::Add, Value::Str(x), Value::Str(y)) => {
            check_text(x.len() + y.len())?;
            return Ok(Value::Str([&**x, &**y].concat().into()));
        }
        (Arithmetic::Add, Value::List(x), Value::List(y)) => {
            check_list(x.values.len() + y.values.len())?;
            return Value::list([&x.values[..], &y.values[..]].concat());
        }
        (Arithmetic::Add, Value::Tuple(x), Value::Tuple(y)) => {
            check_list(x.values.len() + y.values.len())?;
            return Value::tuple([&x.values[..], &y.values[..]].concat());
        }
        (Arithmetic::Multiply, sequence, count)
            if is_sequence(sequence) && as_integer(count).is_some() =>
        {
            return repeat(sequence, count);
        }
        (Arithmetic::Multiply, count, sequence)
            if is_sequence(sequence) && as_integer(count).is_some() =>
        {
            return repeat(sequence, count);
        }
        (_, Value::Moment(_), _) | (_, _, Value::Moment(_)) => {
            if let Some(moment) = moment_methods::arithmetic(op, a, b)? {
                return Ok(moment);
            }
        }
        _ => {}
    }
    if let (Value::View(View::Keys | View::Items, _), _)
    | (_, Value::View(View::Keys | View::Items, _)) = (a, b)
        && op == Arithmetic::Subtract
    {
        return unsupported("taking the views of dictionaries from one another");
    }
    type_fault(format!(
        "`{}` does not work on `{}` and `{}`",
        sign(op),
        a.type_name(),
        b.type_name()
    ))
}

fn is_sequence(value: &Value) -> bool {
    matches!(value, Value::Str(_) | Value::List(_) | Value::Tuple(_))
}

fn repeat(sequence: &Value, count: &Value) -> Outcome<Value> {
    if matches!(count, Value::Big(_)) {
        return too_large();
    }
    let count = as_integer(count).unwrap_or_default();
    let count = if count < num_bigint::BigInt::zero() {
        0
    } else {
        usize::try_from(&count).unwrap_or(usize::MAX)
    };
    let list = |values: &[Value]| -> Outcome<Vec<Value>> {
        check_list(values.len().saturating_mul(count))?;
        Ok(if values.is_empty() {
            Vec::new()
        } else {
            let total = values.len() * count;
            values.iter().cycle().take(total).cloned().collect()
        })
    };
    match sequence {
        Value::Str(text) => {
            check_text(text.len().saturating_mul(count))?;
            Ok(if text.is_empty() {
                sequence.clone()
            } else {
                Value::text(text.repeat(count))
            })
        }
        Value::List(items) => Value::list(list(&items.values)?),
        Value::Tuple(items) => Value::tuple(list(&items.values)?),
        _ => type_fault(format!("a `{}` cannot be repeated", sequence.type_name())),
    }
}

/// `-value` and `+value`
pub(crate) fn signed(value: &Value, negative: bool) -> Outcome<Value> {
    let sign = if negative { "-" } else { "+" };
    match value {
        Value::Float(number) => Ok(Value::Float(if negative { -number } else { *number })),
        Value::Undefined(missing) => Err(missing.fault()),
        Value::Moment(Moment::Delta(micros)) => {
            Ok(Value::Moment(Moment::Delta(Arc::new(if negative {
                -**micros
            } else {
                **micros
            }))))
        }
        _ => match as_integer(value) {
            Some(number) => Ok(Value::integer(if negative { -number } else { number })),
            None => type_fault(format!(
                "`{sign}` does not work on a `{}`",
                value.type_name()
            )),
        },
    }
}

/// The operators that compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
}

/// `a op b` for the operators that need no iteration of objects.
pub(crate) fn compare(op: Comparison, a: &Value, b: &Value) -> Outcome<bool> {
    let (sign, holds): (&str, fn(Ordering) -> bool) = match op {
        Comparison::Equal => return equal(a, b),
        Comparison::NotEqual => return Ok(!equal(a, b)?),
        Comparison::In => return contains(a, b),
        Comparison::NotIn => return Ok(!contains(a, b)?),
        Comparison::Less => ("<", Ordering::is_lt),
        Comparison::LessOrEqual => ("<=", Ordering::is_le),
        Comparison::Greater => (">", Ordering::is_gt),
        Comparison::GreaterOrEqual => (">=", Ordering::is_ge),
    };
    Ok(order(a, b, sign)?.is_some_and(holds))
}

/// `item in container`
fn contains(item: &Value, container: &Value) -> Outcome<bool> {
    if !matches!(
        container,
        Value::Dict(_) | Value::View(View::Keys | View::Items, _)
    ) {
        meter::operand(container)?;
    }
    let any = |values: &[Value]| -> Outcome<bool> {
        for value in values {
            if same_item(value, item)? {
                return Ok(true);
            }
        }
        Ok(false)
    };
    match container {
        Value::Undefined(_) => Ok(false),
        Value::Str(text) | Value::Markup(text) => match item.as_str() {
            Some(part) => Ok(text.contains(part)),
            None => type_fault(format!(
                "`in` a text takes a text, not a `{}`",
                item.type_name()
            )),
        },
        Value::List(items) | Value::Tuple(items) => any(&items.values),
        Value::Dict(dict) | Value::View(View::Keys, dict) => Ok(dict.get(item)?.is_some()),
        Value::View(View::Values, dict) => {
            for (_, value) in dict.iter() {
                if same_item(value, item)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Value::View(View::Items, dict) => match item {
            Value::Tuple(pair) if pair.values.len() == 2 => match dict.get(&pair.values[0])? {
                Some(value) => equal(value, &pair.values[1]),
                None => Ok(false),
            },
            _ => Ok(false),
        },
        Value::Range(range) => {
            let integral = match item {
                Value::Float(number) if number.fract() == 0.0 => {
                    as_integer(&super::number::truncate(*number)?)
                }
                _ => as_integer(item),
            };
            let Some(number) = integral.and_then(|number| i128::try_from(number).ok()) else {
                return Ok(false);
            };
            let (start, step) = (i128::from(range.start), i128::from(range.step));
            let steps = (number - start).div_euclid(step);
            let count = i128::try_from(range.len()).unwrap_or(0);
            Ok((number - start) % step == 0 && (0..count).contains(&steps))
        }
        Value::Native(native) => match native.shape() {
            Shape::Mapping => Ok(native.get(&crate::Value(item.clone())).is_some()),
            Shape::Sequence => {
                for place in 0..native.count() {
                    if let Some(value) = native.at(place)
                        && same_item(&value.0, item)?
                    {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
        },
        _ => type_fault(format!(
            "`in` does not work on a `{}`",
            container.type_name()
        )),
    }
}

/// `len(value)`
pub(crate) fn length(value: &Value) -> Outcome<usize> {
    Ok(match value {
        Value::Undefined(_) => 0,
        Value::Str(text) | Value::Markup(text) => {
            meter::text(text.len())?;
            text.chars().count()
        }
        Value::List(items) | Value::Tuple(items) => items.values.len(),
        Value::Dict(dict) | Value::View(_, dict) => dict.len(),
        Value::Range(range) => range.len(),
        Value::Native(native) => native.count(),
        _ => {
            return type_fault(format!("a `{}` has no length", value.type_name()));
        }
    })
}
