//! Filters on numbers.

use num_bigint::BigInt;
use num_traits::{FromPrimitive, Signed};

use crate::python::arguments::{Arguments, Signature, integer};
use crate::python::fault::{Fault, FaultKind, Outcome, runtime, type_fault, unsupported};
use crate::python::moment::Moment;
use crate::python::number::{
    Arithmetic, Numeric, arithmetic, as_integer, as_small, parse_float, parse_integer, round_float,
    round_integer, to_float, truncate,
};
use crate::python::ops::binary;
use crate::python::value::Value;

pub(super) fn apply(name: &'static str, value: &Value, arguments: Arguments) -> Outcome<Value> {
    match name {
        "abs" => {
            arguments.none(name)?;
            match (value, as_integer(value)) {
                (Value::Float(number), _) => Ok(Value::Float(number.abs())),
                (_, Some(number)) => Ok(Value::integer(number.abs())),
                (Value::Moment(Moment::Delta(micros)), _) => {
                    Moment::delta(micros.abs()).map(Value::Moment)
                }
                _ => type_fault(format!(
                    "`abs` takes a number, not a `{}`",
                    value.type_name()
                )),
            }
        }
        "int" => {
            let bound = arguments.bind(Signature::by_name(name, &["default", "base"], 0))?;
            let default = bound.get(0).cloned().unwrap_or(Value::Int(0));
            whole(value, &default, bound.get(1))
        }
        "float" => {
            let bound = arguments.bind(Signature::by_name(name, &["default"], 0))?;
            let default = bound.get(0).cloned().unwrap_or(Value::Float(0.0));
            Ok(float(value)?.map_or(default, Value::Float))
        }
        "filesizeformat" => {
            let bound = arguments.bind(Signature::by_name(name, &["binary"], 0))?;
            file_size(value, bound.is_true(0, false)).map(Value::text)
        }
        _ => round(value, arguments),
    }
}

/// `float(value)`: `None` when it is no number.
fn float(value: &Value) -> Outcome<Option<f64>> {
    Ok(match (value, Numeric::of(value)) {
        (_, Some(Numeric::Float(number))) => Some(number),
        (_, Some(Numeric::Int(number))) => Some(to_float(&number)?),
        (Value::Str(text) | Value::Markup(text), _) => parse_float(text),
        (Value::Undefined(missing), _) => return Err(missing.fault()),
        _ => None,
    })
}

fn whole(value: &Value, default: &Value, base: Option<&Value>) -> Outcome<Value> {
    let direct = match (value, as_integer(value)) {
        (_, Some(number)) => return Ok(Value::integer(number)),
        (Value::Float(number), _) => truncate(*number).map(Some),
        (Value::Str(text) | Value::Markup(text), _) => {
            let base = base.map_or(Some(10), |base| match as_small(base) {
                Some(base @ (0 | 2..=36)) => u32::try_from(base).ok(),
                _ => None,
            });
            match base {
                Some(base) => parse_integer(text, base),
                None => Ok(None),
            }
        }
        (Value::Undefined(missing), _) => return Err(missing.fault()),
        _ => Ok(None),
    };
    match direct {
        Ok(Some(number)) => return Ok(number),
        Ok(None) => {}
        Err(fault) if fault.kind == FaultKind::Value => {}
        Err(fault) => return Err(fault),
    }
    match float(value)?.map(truncate) {
        Some(Ok(number)) => Ok(number),
        _ => Ok(default.clone()),
    }
}

fn round(value: &Value, arguments: Arguments) -> Outcome<Value> {
    let bound = arguments.bind(Signature::by_name("round", &["precision", "method"], 0))?;
    let method = match bound.get(1) {
        Some(method) => method.as_str().unwrap_or(""),
        None => "common",
    };
    if !matches!(method, "common" | "ceil" | "floor") {
        return runtime("`round` takes the method `common`, `ceil` or `floor`");
    }
    let precision = bound.get(0).cloned().unwrap_or(Value::Int(0));
    if method == "common" {
        let digits = match &precision {
            Value::None => None,
            given => Some(integer(given)?),
        };
        return match (Numeric::of(value), digits) {
            (Some(Numeric::Int(number)), None) => Ok(Value::integer(number)),
            (Some(Numeric::Int(number)), Some(digits)) => {
                round_integer(&number, digits).map(Value::integer)
            }
            (Some(Numeric::Float(number)), Some(digits)) => {
                round_float(number, digits).map(Value::Float)
            }
            (Some(Numeric::Float(number)), None) => truncate(if number.is_finite() {
                round_float(number, 0)?
            } else {
                number
            }),
            (None, _) => type_fault(format!(
                "`round` takes a number, not a `{}`",
                value.type_name()
            )),
        };
    }
    let unit = binary(Arithmetic::Power, &Value::Int(10), &precision)?;
    let scaled = binary(Arithmetic::Multiply, value, &unit)?;
    let edge = match Numeric::of(&scaled) {
        Some(Numeric::Int(number)) => number,
        Some(Numeric::Float(number)) => {
            let edge = if method == "ceil" {
                number.ceil()
            } else {
                number.floor()
            };
            match BigInt::from_f64(edge) {
                Some(edge) => edge,
                None => {
                    return Err(Fault::new(
                        FaultKind::Overflow,
                        "`round` of an infinity or NaN",
                    ));
                }
            }
        }
        None => return type_fault("`round` takes a number"),
    };
    match arithmetic(Arithmetic::Divide, &Value::integer(edge), &unit)? {
        Some(rounded) => Ok(rounded),
        None => type_fault("`round` takes a number"),
    }
}

fn file_size(value: &Value, binary: bool) -> Outcome<String> {
    const PREFIXES: [char; 8] = ['k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y'];
    let Some(bytes) = float(value)? else {
        return type_fault("`filesizeformat` takes a number");
    };
    if !bytes.is_finite() {
        return unsupported("`filesizeformat` of an infinity or NaN");
    }
    let base: f64 = if binary { 1024.0 } else { 1000.0 };
    if bytes == 1.0 {
        return Ok("1 Byte".to_owned());
    }
    if bytes < base {
        return Ok(format!("{:.0} Bytes", bytes.trunc() + 0.0));
    }
    let mut unit = base;
    let mut prefix = PREFIXES[0];
    for found in PREFIXES {
        unit *= base;
        prefix = found;
        if bytes < unit {
            break;
        }
    }
    let shown = base * bytes / unit;
    let prefix = match (binary, prefix) {
        (true, prefix) => format!("{}i", prefix.to_ascii_uppercase()),
        (false, prefix) => prefix.to_string(),
    };
    Ok(format!("{shown:.1} {prefix}B"))
}
