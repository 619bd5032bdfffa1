//! Subscripts: items by place or key, and slices.

use super::arguments::{expected, integer};
use super::fault::{Fault, FaultKind, Outcome, type_fault, value_fault};
use super::meter;
use super::number::as_small;
use super::value::{Range, Reason, Value};
use crate::native::Shape;

/// A place as a slice takes it: from the end when negative, within the length always.
pub(crate) fn clamp(place: i64, length: usize) -> usize {
    let wide = i64::try_from(length).unwrap_or(i64::MAX);
    let place = if place < 0 {
        place.saturating_add(wide)
    } else {
        place
    };
    usize::try_from(place.clamp(0, wide)).unwrap_or(0)
}

/// The places a slice takes, in order.
fn places(bounds: [&Value; 3], length: usize) -> Outcome<(i64, i64, i64)> {
    let given = |value: &Value| match value {
        Value::None => Ok(None),
        Value::Undefined(_) => expected("a whole number or None in a slice", value),
        _ => integer(value).map(Some),
    };
    let step = given(bounds[2])?.unwrap_or(1);
    if step == 0 {
        return value_fault("a slice of step zero");
    }
    let wide = i64::try_from(length).unwrap_or(i64::MAX);
    let (least, most) = if step < 0 { (-1, wide - 1) } else { (0, wide) };
    let place = |value: &Value, default: i64| -> Outcome<i64> {
        Ok(match given(value)? {
            None => default,
            Some(place) if place < 0 => place.saturating_add(wide).max(least),
            Some(place) => place.min(most),
        })
    };
    let (first, last) = if step < 0 { (wide - 1, -1) } else { (0, wide) };
    Ok((place(bounds[0], first)?, place(bounds[1], last)?, step))
}

fn walk((start, stop, step): (i64, i64, i64)) -> impl Iterator<Item = usize> {
    let range = Range { start, stop, step };
    (0..range.len()).filter_map(move |index| usize::try_from(range.at(index)).ok())
}

/// `value[start:stop:step]`
pub(crate) fn slice(value: &Value, bounds: [&Value; 3]) -> Outcome<Value> {
    match value {
        Value::Str(text) | Value::Markup(text) => {
            meter::text(text.len())?;
            let chars: Vec<char> = text.chars().collect();
            let taken: String = walk(places(bounds, chars.len())?)
                .map(|place| chars[place])
                .collect();
            Ok(match value {
                Value::Markup(_) => Value::Markup(taken.into()),
                _ => Value::text(taken),
            })
        }
        Value::List(items) | Value::Tuple(items) => {
            let taken = walk(places(bounds, items.values.len())?)
                .map(|place| items.values[place].clone())
                .collect();
            if matches!(value, Value::List(_)) {
                Value::list(taken)
            } else {
                Value::tuple(taken)
            }
        }
        Value::Range(range) => {
            let (start, stop, step) = places(bounds, range.len())?;
            let at = |place: i64| {
                range
                    .step
                    .checked_mul(place)
                    .and_then(|distance| range.start.checked_add(distance))
                    .ok_or_else(|| Fault::new(FaultKind::Overflow, "a range out of bounds"))
            };
            Ok(Value::Range(Range {
                start: at(start)?,
                stop: at(stop)?,
                step: range.step * step,
            }))
        }
        Value::Undefined(missing) => Err(missing.fault()),
        Value::Native(native) if native.shape() == Shape::Sequence => match value.plain() {
            Some(plain) => slice(&plain, bounds),
            None => Ok(Value::None),
        },
        _ => type_fault(format!("a `{}` cannot be sliced", value.type_name())),
    }
}

/// `value[key]`; `Lookup` and `Type` faults mean that there is no such item.
pub(crate) fn item(value: &Value, key: &Value) -> Outcome<Value> {
    let lookup = |message: String| Err(Fault::new(FaultKind::Lookup, message));
    let place = |length: usize| -> Outcome<usize> {
        let place = match (as_small(key), key) {
            (Some(place), _) => place,
            (None, Value::Big(_)) => i64::MAX,
            _ => {
                return type_fault(format!(
                    "the place in a `{}` must be a whole number, not a `{}`",
                    value.type_name(),
                    key.type_name()
                ));
            }
        };
        let wide = i64::try_from(length).unwrap_or(i64::MAX);
        let from_start = if place < 0 {
            place.saturating_add(wide)
        } else {
            place
        };
        match usize::try_from(from_start) {
            Ok(place) if place < length => Ok(place),
            _ => lookup(format!("no item {place}")).map(|()| 0),
        }
    };
    match value {
        Value::Dict(dict) => match dict.get(key)? {
            Some(found) => Ok(found.clone()),
            None => lookup("no such key".to_owned()).map(|()| Value::None),
        },
        Value::List(items) | Value::Tuple(items) => {
            Ok(items.values[place(items.values.len())?].clone())
        }
        Value::Str(text) | Value::Markup(text) => {
            meter::text(text.len())?;
            let place = place(text.chars().count())?;
            let found: String = text.chars().nth(place).into_iter().collect();
            Ok(match value {
                Value::Markup(_) => Value::Markup(found.into()),
                _ => Value::text(found),
            })
        }
        Value::Range(range) => Ok(Value::Int(range.at(place(range.len())?))),
        Value::Undefined(missing) => Err(missing.fault()),
        Value::Native(native) => {
            let found = match native.shape() {
                Shape::Sequence => native.at(place(native.count())?),
                Shape::Mapping => native.get(&crate::Value(key.clone())),
            };
            match found {
                Some(found) => Ok(found.0),
                None => lookup("no such key".to_owned()).map(|()| Value::None),
            }
        }
        _ => type_fault(format!("a `{}` has no items", value.type_name())),
    }
}

impl super::value::Undefined {
    /// The fault of using it.
    pub(crate) fn fault(&self) -> Fault {
        let kind = match self.reason {
            Reason::Hidden => FaultKind::Security,
            Reason::Missing | Reason::Unchosen => FaultKind::Runtime,
        };
        Fault::new(kind, self.message.clone())
    }
}
