//! Arithmetic on Python's `int` and `float`.

use num_bigint::{BigInt, Sign};
use num_traits::{FromPrimitive, Signed, ToPrimitive, Zero};

use super::fault::{
    Fault, FaultKind, INTEGER_LIMIT, Outcome, out_of_fuel, unsupported, value_fault,
};
use super::meter;
use super::value::Value;

/// A number on its way through an operation.
#[derive(Debug, Clone)]
pub(crate) enum Numeric {
    Int(BigInt),
    Float(f64),
}

impl Numeric {
    pub(crate) fn of(value: &Value) -> Option<Numeric> {
        Some(match value {
            Value::Float(number) => Numeric::Float(*number),
            _ => Numeric::Int(as_integer(value)?),
        })
    }
}

/// The whole number of an `int` or `bool`.
pub(crate) fn as_integer(value: &Value) -> Option<BigInt> {
    Some(match value {
        Value::Bool(truth) => BigInt::from(u8::from(*truth)),
        Value::Int(number) => BigInt::from(*number),
        Value::Big(number) => (**number).clone(),
        _ => return None,
    })
}

/// The whole number of an `int` or `bool`, when it is of the machine's size.
pub(crate) fn as_small(value: &Value) -> Option<i64> {
    match value {
        Value::Bool(truth) => Some(i64::from(*truth)),
        Value::Int(number) => Some(*number),
        _ => None,
    }
}

/// `float(int)`: rounded to the nearest; a fault when it is out of range.
pub(crate) fn to_float(number: &BigInt) -> Outcome<f64> {
    match number.to_f64() {
        Some(float) if float.is_finite() => Ok(float),
        _ => overflow("a whole number too large for a float"),
    }
}

fn overflow<T>(message: &str) -> Outcome<T> {
    Err(Fault::new(FaultKind::Overflow, message))
}

fn by_zero<T>() -> Outcome<T> {
    Err(Fault::new(FaultKind::ZeroDivision, "division by zero"))
}

fn bounded(number: BigInt) -> Outcome<Value> {
    if number.bits() > INTEGER_LIMIT {
        return too_large();
    }
    Ok(Value::integer(number))
}

fn too_large<T>() -> Outcome<T> {
    out_of_fuel(format!(
        "a whole number of more than {INTEGER_LIMIT} bits: more than a template may compute"
    ))
}

/// The operators on numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Remainder,
    Power,
}

/// Applies an operator to two numbers; `None` when one is not a number.
pub(crate) fn arithmetic(op: Arithmetic, a: &Value, b: &Value) -> Outcome<Option<Value>> {
    if let (Some(x), Some(y)) = (as_small(a), as_small(b)) {
        let small = match op {
            Arithmetic::Add => x.checked_add(y),
            Arithmetic::Subtract => x.checked_sub(y),
            Arithmetic::Multiply => x.checked_mul(y),
            _ => None,
        };
        if let Some(small) = small {
            return Ok(Some(Value::Int(small)));
        }
    }
    let (Some(x), Some(y)) = (Numeric::of(a), Numeric::of(b)) else {
        return Ok(None);
    };
    match (x, y) {
        (Numeric::Int(x), Numeric::Int(y)) => integers(op, &x, &y).map(Some),
        (x, y) => {
            let float = |number| match number {
                Numeric::Int(number) => to_float(&number),
                Numeric::Float(number) => Ok(number),
            };
            floats(op, float(x)?, float(y)?).map(|number| Some(Value::Float(number)))
        }
    }
}

fn integers(op: Arithmetic, x: &BigInt, y: &BigInt) -> Outcome<Value> {
    match op {
        Arithmetic::Add => bounded(x + y),
        Arithmetic::Subtract => bounded(x - y),
        Arithmetic::Multiply => {
            meter::product(x.bits(), y.bits())?;
            if x.bits() + y.bits() > INTEGER_LIMIT {
                return too_large();
            }
            bounded(x * y)
        }
        Arithmetic::Divide => divide(x, y).map(Value::Float),
        Arithmetic::FloorDivide => Ok(Value::integer(floor_divide(x, y)?.0)),
        Arithmetic::Remainder => Ok(Value::integer(floor_divide(x, y)?.1)),
        Arithmetic::Power => power(x, y),
    }
}

/// Floor division and the remainder that has the divisor's sign.
pub(crate) fn floor_divide(x: &BigInt, y: &BigInt) -> Outcome<(BigInt, BigInt)> {
    if y.is_zero() {
        return by_zero();
    }
    meter::product(x.bits(), y.bits())?;
    let (quotient, remainder) = (x / y, x % y);
    if !remainder.is_zero() && remainder.is_negative() != y.is_negative() {
        return Ok((quotient - 1, remainder + y));
    }
    Ok((quotient, remainder))
}

/// True division of whole numbers, rounded once.
pub(crate) fn divide(x: &BigInt, y: &BigInt) -> Outcome<f64> {
    const EXACT: u64 = 53;
    /// Bits of a quotient that are enough to round a float from: its 53, one to round by, one to spare.
    const QUOTIENT: i64 = 55;
    /// The exponent of the smallest float.
    const LEAST: i64 = -1074;
    if y.is_zero() {
        return by_zero();
    }
    if x.bits() <= EXACT && y.bits() <= EXACT {
        return Ok(to_float(x)? / to_float(y)?);
    }
    let signed = |bits: u64| i64::try_from(bits).unwrap_or(i64::MAX);
    let shift = (QUOTIENT + signed(y.bits()) - signed(x.bits())).min(-LEAST + 2);
    meter::product(x.bits().max(y.bits()), y.bits())?;
    let (mut numerator, mut denominator) = (x.abs(), y.abs());
    if shift >= 0 {
        numerator <<= shift.unsigned_abs();
    } else {
        denominator <<= shift.unsigned_abs();
    }
    let mut quotient = &numerator / &denominator;
    if !(&numerator % &denominator).is_zero() {
        // The lowest bit stands for all that was cut off, so that halves round the right way.
        quotient |= BigInt::from(1);
    }
    let magnitude = scaled(&quotient, -shift);
    if magnitude.is_infinite() {
        return overflow("the quotient is too large for a float");
    }
    let negative = (x.sign() == Sign::Minus) != (y.sign() == Sign::Minus);
    Ok(if negative { -magnitude } else { magnitude })
}

/// `mantissa * 2**exponent`, rounded once, for a mantissa whose lowest bit is sticky.
fn scaled(mantissa: &BigInt, exponent: i64) -> f64 {
    const LEAST: i64 = -1074;
    let bits = i64::try_from(mantissa.bits()).unwrap_or(i64::MAX);
    let surplus = (bits - 53).max(LEAST - exponent).max(0);
    let mut rounded = mantissa >> surplus.unsigned_abs();
    let rest: BigInt = mantissa - (&rounded << surplus.unsigned_abs());
    let half = if surplus > 0 {
        BigInt::from(1) << (surplus - 1).unsigned_abs()
    } else {
        BigInt::from(1)
    };
    let odd = (&rounded % 2) != BigInt::zero();
    if surplus > 0 && (rest > half || (rest == half && odd)) {
        rounded += 1;
    }
    let mut float = rounded.to_f64().unwrap_or(f64::INFINITY);
    let mut left = exponent + surplus;
    while left != 0 && float != 0.0 && float.is_finite() {
        let step = left.clamp(-900, 900);
        float *= 2_f64.powi(i32::try_from(step).unwrap_or(0));
        left -= step;
    }
    float
}

fn power(x: &BigInt, y: &BigInt) -> Outcome<Value> {
    if y.is_negative() {
        return floats(Arithmetic::Power, to_float(x)?, to_float(y)?).map(Value::Float);
    }
    if x.bits() <= 1 {
        let odd = (y % 2) != BigInt::zero();
        let result = if y.is_zero() || (x.is_negative() && !odd) {
            1
        } else {
            x.to_i64().unwrap_or(0)
        };
        return Ok(Value::Int(result));
    }
    let Some(exponent) = y
        .to_u32()
        .filter(|exponent| u64::from(*exponent).saturating_mul(x.bits() - 1) <= INTEGER_LIMIT)
    else {
        return too_large();
    };
    let bits = x.bits().saturating_mul(u64::from(exponent));
    meter::product(bits, bits)?;
    bounded(x.pow(exponent))
}

fn floats(op: Arithmetic, x: f64, y: f64) -> Outcome<f64> {
    Ok(match op {
        Arithmetic::Add => x + y,
        Arithmetic::Subtract => x - y,
        Arithmetic::Multiply => x * y,
        Arithmetic::Divide if y == 0.0 => return by_zero(),
        Arithmetic::Divide => x / y,
        Arithmetic::FloorDivide | Arithmetic::Remainder if y == 0.0 => return by_zero(),
        Arithmetic::FloorDivide => float_floor_divide(x, y).0,
        Arithmetic::Remainder => float_floor_divide(x, y).1,
        Arithmetic::Power => {
            if x == 0.0 && y < 0.0 {
                return Err(Fault::new(
                    FaultKind::ZeroDivision,
                    "zero cannot be raised to a negative power",
                ));
            }
            if x < 0.0 && x.is_finite() && y.is_finite() && y.fract() != 0.0 {
                return unsupported("complex numbers");
            }
            let result = x.powf(y);
            if result.is_infinite() && x.is_finite() && y.is_finite() {
                return overflow("the power is too large for a float");
            }
            result
        }
    })
}

/// Floor division of floats with the remainder, both as Python computes them.
fn float_floor_divide(x: f64, y: f64) -> (f64, f64) {
    let mut remainder = x % y;
    let mut quotient = (x - remainder) / y;
    if remainder != 0.0 {
        if (y < 0.0) != (remainder < 0.0) {
            remainder += y;
            quotient -= 1.0;
        }
    } else {
        remainder = 0.0_f64.copysign(y);
    }
    let floored = if quotient == 0.0 {
        0.0_f64.copysign(x / y)
    } else {
        let floor = quotient.floor();
        if quotient - floor > 0.5 {
            floor + 1.0
        } else {
            floor
        }
    };
    (floored, remainder)
}

/// `int(float)`: cut off towards zero.
pub(crate) fn truncate(number: f64) -> Outcome<Value> {
    if number.is_nan() {
        return value_fault("cannot convert float NaN to integer");
    }
    match BigInt::from_f64(number.trunc()) {
        Some(whole) => Ok(Value::integer(whole)),
        None => overflow("cannot convert float infinity to integer"),
    }
}

/// `round(float, digits)`, by the exact value of the float; halves go to the even neighbour.
pub(crate) fn round_float(number: f64, digits: i64) -> Outcome<f64> {
    if !number.is_finite() || digits > 323 {
        return Ok(number);
    }
    if digits < -308 {
        return Ok(0.0 * number);
    }
    let rounded = match usize::try_from(digits) {
        Ok(digits) => format!("{number:.digits$}").parse().unwrap_or(number),
        Err(_) => {
            let unit = BigInt::from(10).pow(u32::try_from(-digits).unwrap_or(0));
            let whole = BigInt::from_f64(number.trunc()).unwrap_or_default();
            let (quotient, rest) = (&whole / &unit, (&whole % &unit).abs());
            let twice: BigInt = rest * 2;
            let above = twice > unit || (twice == unit && number.fract() != 0.0);
            let even = (&quotient % 2) == BigInt::zero();
            let up = above || (twice == unit && !even);
            let step = if number < 0.0 { -1 } else { 1 };
            let result = if up { quotient + step } else { quotient } * unit;
            let float = to_float(&result)?;
            float.abs().copysign(number)
        }
    };
    if rounded.is_infinite() {
        return overflow("rounded value too large to represent");
    }
    Ok(rounded)
}

/// `round(int, digits)` for negative digits; halves go to the even neighbour.
pub(crate) fn round_integer(number: &BigInt, digits: i64) -> Outcome<BigInt> {
    let Some(places) = u32::try_from(-digits).ok().filter(|_| digits < 0) else {
        return Ok(number.clone());
    };
    if u64::from(places) * 3 > number.bits() + 4 {
        return Ok(BigInt::zero());
    }
    let unit = BigInt::from(10).pow(places);
    let (quotient, rest) = floor_divide(number, &unit)?;
    let twice: BigInt = rest * 2;
    let odd = (&quotient % 2) != BigInt::zero();
    let up = twice > unit || (twice == unit && odd);
    Ok(if up { quotient + 1 } else { quotient } * unit)
}

/// The most digits Python turns into text or back.
const DIGITS_LIMIT: usize = 4300;

/// The decimal digits of a whole number; Python refuses very long ones.
pub(crate) fn digits(number: &BigInt) -> Outcome<String> {
    /// More bits than any number of so many digits has.
    const BITS_LIMIT: u64 = DIGITS_LIMIT as u64 * 10 / 3;
    let refuse = || {
        value_fault(format!(
            "a whole number of more than {DIGITS_LIMIT} digits has no text"
        ))
    };
    if number.bits() > BITS_LIMIT {
        return refuse();
    }
    let text = number.to_string();
    if text.trim_start_matches('-').len() > DIGITS_LIMIT {
        return refuse();
    }
    Ok(text)
}

/// `int(text, base)`: `None` when the text is not a whole number.
pub(crate) fn parse_integer(text: &str, base: u32) -> Outcome<Option<Value>> {
    let text = super::chars::trim(text);
    let text = match super::chars::plain_digits(text) {
        Some(text) => text,
        None => return Ok(None),
    };
    let (negative, body) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text.as_str()),
    };
    let prefix = match body.get(..2).map(str::to_ascii_lowercase).as_deref() {
        Some("0x") => Some(16),
        Some("0o") => Some(8),
        Some("0b") => Some(2),
        _ => None,
    };
    let (base, mut body) = match (base, prefix) {
        (0, Some(prefix)) => (prefix, &body[2..]),
        (base, Some(prefix)) if base == prefix => (prefix, &body[2..]),
        (0, None) => {
            let zeros = body.bytes().all(|byte| byte == b'0' || byte == b'_');
            if body.starts_with('0') && !zeros {
                return Ok(None);
            }
            (10, body)
        }
        (base, _) => (base, body),
    };
    if prefix == Some(base) && body.len() + 2 <= text.len() {
        body = body.strip_prefix('_').unwrap_or(body);
    }
    let tidy = !body.is_empty()
        && !body.starts_with('_')
        && !body.ends_with('_')
        && !body.contains("__")
        && body.chars().all(|c| c == '_' || c.is_digit(base));
    if !tidy {
        return Ok(None);
    }
    let digits = body.replace('_', "");
    if !base.is_power_of_two() && digits.len() > DIGITS_LIMIT {
        return value_fault(format!(
            "a text of more than {DIGITS_LIMIT} digits is no number"
        ));
    }
    if digits.len() as u64 * u64::from(base.ilog2()) > INTEGER_LIMIT {
        return too_large();
    }
    let number = BigInt::parse_bytes(digits.as_bytes(), base);
    Ok(number.map(|number| Value::integer(if negative { -number } else { number })))
}

/// `float(text)`: `None` when the text is not a number.
pub(crate) fn parse_float(text: &str) -> Option<f64> {
    let text = super::chars::plain_digits(super::chars::trim(text))?;
    let lower = text.to_ascii_lowercase();
    let unsigned = lower.strip_prefix(['-', '+']).unwrap_or(&lower);
    let sign = if lower.starts_with('-') { -1.0 } else { 1.0 };
    match unsigned {
        "inf" | "infinity" => return Some(sign * f64::INFINITY),
        "nan" => return Some(f64::NAN),
        _ => {}
    }
    let bytes = unsigned.as_bytes();
    if !bytes
        .first()
        .is_some_and(|b| b.is_ascii_digit() || *b == b'.')
    {
        return None;
    }
    for (place, byte) in bytes.iter().enumerate() {
        let digit = |place: Option<usize>| {
            place
                .and_then(|place| bytes.get(place))
                .is_some_and(u8::is_ascii_digit)
        };
        let fits = match byte {
            b'_' => digit(place.checked_sub(1)) && digit(Some(place + 1)),
            b'+' | b'-' => place > 0 && bytes[place - 1] == b'e',
            b'0'..=b'9' | b'.' | b'e' => true,
            _ => false,
        };
        if !fits {
            return None;
        }
    }
    lower.replace('_', "").parse().ok()
}
