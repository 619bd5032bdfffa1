//! Equality, order and hashes as Python has them.

use std::cmp::Ordering;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use num_bigint::BigInt;
use num_traits::{FromPrimitive, ToPrimitive};

use super::fault::{Fault, FaultKind, Outcome, type_fault, unsupported};
use super::meter;
use super::value::{Value, View};

/// A number, for comparing numbers of unlike types.
#[derive(Clone)]
pub(crate) enum Number {
    Int(i64),
    Big(Arc<BigInt>),
    Float(f64),
}

impl Number {
    pub(crate) fn of(value: &Value) -> Option<Number> {
        Some(match value {
            Value::Bool(truth) => Number::Int(i64::from(*truth)),
            Value::Int(number) => Number::Int(*number),
            Value::Big(number) => Number::Big(number.clone()),
            Value::Float(number) => Number::Float(*number),
            _ => return None,
        })
    }

    fn to_big(&self) -> Option<BigInt> {
        match self {
            Number::Int(number) => Some(BigInt::from(*number)),
            Number::Big(number) => Some((**number).clone()),
            Number::Float(number) => BigInt::from_f64(number.floor()),
        }
    }

    /// The order of two numbers, exactly; `None` when one is not a number.
    pub(crate) fn compare(&self, other: &Number) -> Option<Ordering> {
        match (self, other) {
            (Number::Int(a), Number::Int(b)) => Some(a.cmp(b)),
            (Number::Float(a), Number::Float(b)) => a.partial_cmp(b),
            (Number::Float(a), b) => b.compare(&Number::Float(*a)).map(Ordering::reverse),
            (a, Number::Float(b)) if b.is_nan() => {
                let _ = a;
                None
            }
            (_, Number::Float(b)) if b.is_infinite() => Some(if *b > 0.0 {
                Ordering::Less
            } else {
                Ordering::Greater
            }),
            (a, Number::Float(b)) => {
                let whole = Number::Float(*b).to_big()?;
                Some(a.to_big()?.cmp(&whole).then(if b.fract() == 0.0 {
                    Ordering::Equal
                } else {
                    Ordering::Less
                }))
            }
            (a, b) => Some(a.to_big()?.cmp(&b.to_big()?)),
        }
    }
}

/// Python's `a == b`.
pub(crate) fn equal(a: &Value, b: &Value) -> Outcome<bool> {
    if let (Some(x), Some(y)) = (Number::of(a), Number::of(b)) {
        meter::operand(a)?;
        meter::operand(b)?;
        return Ok(x.compare(&y) == Some(Ordering::Equal));
    }
    if let (Some(a), Some(b)) = (a.as_str(), b.as_str()) {
        meter::text(a.len().min(b.len()))?;
        return Ok(a == b);
    }
    if let (Value::Native(a), Value::Native(b)) = (a, b)
        && Arc::ptr_eq(a, b)
    {
        return Ok(true);
    }
    if let Some(a) = a.plain() {
        return equal(&a, b);
    }
    if let Some(b) = b.plain() {
        return equal(a, &b);
    }
    Ok(match (a, b) {
        (Value::Undefined(_), Value::Undefined(_)) | (Value::None, Value::None) => true,
        (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => {
            if a.values.len() != b.values.len() {
                return Ok(false);
            }
            meter::items(a.values.len())?;
            for (a, b) in a.values.iter().zip(&b.values) {
                if !same_item(a, b)? {
                    return Ok(false);
                }
            }
            true
        }
        (Value::Dict(a), Value::Dict(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            meter::items(a.len())?;
            for (key, value) in a.iter() {
                match b.get(key)? {
                    Some(other) if same_item(value, other)? => {}
                    _ => return Ok(false),
                }
            }
            true
        }
        (Value::Range(a), Value::Range(b)) => {
            let length = a.len();
            length == b.len()
                && (length == 0 || a.start == b.start)
                && (length < 2 || a.step == b.step)
        }
        (Value::View(View::Values, a), Value::View(View::Values, b)) => Arc::ptr_eq(a, b),
        (Value::View(..), Value::View(..)) => {
            return unsupported("comparing the views of dictionaries");
        }
        (Value::Moment(a), Value::Moment(b)) => a.equal(b)?,
        (Value::Object(a), Value::Object(b)) => a.equal(b),
        _ => false,
    })
}

/// Whether a container takes two items for the same: they are one object, or equal.
pub(crate) fn same_item(a: &Value, b: &Value) -> Outcome<bool> {
    if let (Value::Float(a), Value::Float(b)) = (a, b)
        && a.is_nan()
        && b.is_nan()
    {
        return unsupported(
            "looking for NaN among values: Python asks whether it is the same object",
        );
    }
    equal(a, b)
}

/// Python's `a < b` and its like: how `a` stands to `b`, or `None` where neither way holds (NaN).
pub(crate) fn order(a: &Value, b: &Value, sign: &str) -> Outcome<Option<Ordering>> {
    if let (Some(x), Some(y)) = (Number::of(a), Number::of(b)) {
        meter::operand(a)?;
        meter::operand(b)?;
        return Ok(x.compare(&y));
    }
    if let (Some(a), Some(b)) = (a.as_str(), b.as_str()) {
        meter::text(a.len().min(b.len()))?;
        return Ok(Some(a.cmp(b)));
    }
    if let Some(a) = a.plain() {
        return order(&a, b, sign);
    }
    if let Some(b) = b.plain() {
        return order(a, &b, sign);
    }
    match (a, b) {
        (Value::List(x), Value::List(y)) | (Value::Tuple(x), Value::Tuple(y)) => {
            meter::items(x.values.len().min(y.values.len()))?;
            for (a, b) in x.values.iter().zip(&y.values) {
                if !same_item(a, b)? {
                    return order(a, b, sign);
                }
            }
            Ok(Some(x.values.len().cmp(&y.values.len())))
        }
        (Value::Moment(x), Value::Moment(y)) => match x.order(y)? {
            Some(order) => Ok(Some(order)),
            None => refuse_order(a, b, sign),
        },
        (Value::View(..), Value::View(..)) => unsupported("comparing the views of dictionaries"),
        (Value::Undefined(missing), _) | (_, Value::Undefined(missing)) => Err(missing.fault()),
        _ => refuse_order(a, b, sign),
    }
}

fn refuse_order<T>(a: &Value, b: &Value, sign: &str) -> Outcome<T> {
    type_fault(format!(
        "`{sign}` is not supported between `{}` and `{}`",
        a.type_name(),
        b.type_name()
    ))
}

/// A hash that is equal for equal values; a fault for values that cannot be keys.
pub(crate) fn hash(value: &Value) -> Outcome<u64> {
    let mut hasher = DefaultHasher::new();
    feed(value, &mut hasher)?;
    Ok(hasher.finish())
}

fn feed(value: &Value, hasher: &mut DefaultHasher) -> Outcome<()> {
    meter::operand(value)?;
    match value {
        Value::Undefined(_) => 0_u8.hash(hasher),
        Value::None => 1_u8.hash(hasher),
        Value::Bool(_) | Value::Int(_) | Value::Big(_) | Value::Float(_) => {
            let as_float = match value {
                Value::Bool(truth) => f64::from(u8::from(*truth)),
                #[expect(clippy::cast_precision_loss, reason = "equal numbers lose alike")]
                Value::Int(number) => *number as f64,
                Value::Big(number) => number.to_f64().unwrap_or(f64::INFINITY),
                Value::Float(number) => *number,
                _ => 0.0,
            };
            (2_u8, (as_float + 0.0).to_bits()).hash(hasher);
        }
        Value::Str(text) | Value::Markup(text) => (3_u8, text).hash(hasher),
        Value::Tuple(items) => {
            4_u8.hash(hasher);
            for item in &items.values {
                feed(item, hasher)?;
            }
        }
        Value::Range(range) => (5_u8, range.len()).hash(hasher),
        Value::Moment(moment) => (6_u8, moment.hash()).hash(hasher),
        Value::Object(object) => match object.hash() {
            Some(identity) => (7_u8, identity).hash(hasher),
            None => return unhashable(value),
        },
        Value::View(View::Values, dict) => (8_u8, Arc::as_ptr(dict) as usize).hash(hasher),
        Value::List(_) | Value::Dict(_) | Value::View(..) | Value::Native(_) => {
            return unhashable(value);
        }
    }
    Ok(())
}

fn unhashable<T>(value: &Value) -> Outcome<T> {
    Err(Fault::new(
        FaultKind::Type,
        format!("a `{}` cannot be a key", value.type_name()),
    ))
}

/// Python's `a is b`, as far as it does not depend on how Python stores values.
pub(crate) fn identical(a: &Value, b: &Value) -> Outcome<bool> {
    let pointers = match (a, b) {
        (Value::None, Value::None) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(a), Value::Int(b)) if a == b && (-5..=256).contains(a) => true,
        (Value::List(a), Value::List(b)) => Arc::ptr_eq(a, b),
        (Value::Dict(a), Value::Dict(b)) => Arc::ptr_eq(a, b),
        (Value::Native(a), Value::Native(b)) => Arc::ptr_eq(a, b),
        (Value::Object(a), Value::Object(b)) => Arc::ptr_eq(a, b),
        (Value::Undefined(a), Value::Undefined(b)) => Arc::ptr_eq(a, b),
        _ if a.type_name() != b.type_name() => false,
        _ if !equal(a, b)? => false,
        _ => {
            return unsupported(format!(
                "`is sameas` on two equal values of type `{}`: whether Python keeps one or two is not defined",
                a.type_name()
            ));
        }
    };
    Ok(pointers)
}
