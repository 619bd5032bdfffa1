//! Reads a database's values as numbers, text and moments, whatever type its driver gave them.

use std::str::FromStr;

use bigdecimal::{BigDecimal, FromPrimitive, ToPrimitive};
use bowline_driver::Value;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// The most places a number may have behind its point, or zeros before it: beyond them, arithmetic would not end.
const PLACES: u64 = 10_000;

/// The value as an exact number; text that spells one counts, as do booleans (1 and 0).
pub(crate) fn number(value: &Value) -> Option<BigDecimal> {
    match value {
        Value::Integer(number) => Some(BigDecimal::from(*number)),
        Value::Decimal(number) => Some(number.clone()),
        Value::Float(number) => BigDecimal::from_f64(*number),
        Value::Boolean(flag) => Some(BigDecimal::from(u8::from(*flag))),
        Value::Text(text) => BigDecimal::from_str(text.trim()).ok(),
        _ => None,
    }
    .filter(|number| number.fractional_digit_count().unsigned_abs() <= PLACES)
}

/// The value as the number that its digits spell: a binary number is what it is shown as.
pub(crate) fn digits(value: &Value) -> Option<BigDecimal> {
    match value {
        Value::Float(float) => BigDecimal::from_str(&float.to_string()).ok(),
        other => number(other),
    }
}

/// The value as an approximate number.
pub(crate) fn float(value: &Value) -> Option<f64> {
    number(value)?.to_f64()
}

/// The value as a whole number, where it is one by type: text does not count.
pub(crate) fn whole_number(value: &Value) -> Option<BigDecimal> {
    match value {
        Value::Integer(_) | Value::Decimal(_) | Value::Float(_) => {
            number(value).filter(|number| number.with_scale(0) == *number)
        }
        _ => None,
    }
}

/// The value as a truth value; 0 and 1 count, and so does the text of either.
pub(crate) fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Boolean(flag) => Some(*flag),
        Value::Text(text) if matches!(text.as_str(), "t" | "true") => Some(true),
        Value::Text(text) if matches!(text.as_str(), "f" | "false") => Some(false),
        other => float(other).map(|number| number != 0.0),
    }
}

/// The value as text: only what the database gave as text, or as a number.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Decimal(number) => Some(number.to_plain_string()),
        _ => None,
    }
}

/// The wall clock that a value shows; an offset, where it has one, is left out.
pub(crate) fn wall_clock(value: &Value) -> Option<DateTime> {
    match value {
        Value::Timestamp(at) => Some(*at),
        Value::TimestampTz(at) => Some(at.datetime()),
        Value::Date(day) => Some(day.to_datetime(jiff::civil::Time::midnight())),
        Value::Text(text) => parse_moment(text).map(|(at, _)| at),
        _ => None,
    }
}

/// The instant a value names; without an offset it is read as UTC. Numbers are seconds since 1970.
pub(crate) fn instant(value: &Value) -> Option<Timestamp> {
    match value {
        Value::TimestampTz(at) => Some(at.timestamp()),
        Value::Text(text) => match parse_moment(text) {
            Some((at, offset)) => at
                .to_zoned(offset.unwrap_or(TimeZone::UTC))
                .ok()
                .map(|at| at.timestamp()),
            None => seconds(float(value)?),
        },
        Value::Integer(_) | Value::Decimal(_) | Value::Float(_) => seconds(float(value)?),
        other => wall_clock(other)?
            .to_zoned(TimeZone::UTC)
            .ok()
            .map(|at: Zoned| at.timestamp()),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "out of range becomes none in the constructor"
)]
fn seconds(seconds: f64) -> Option<Timestamp> {
    Timestamp::from_microsecond((seconds * 1e6) as i64).ok()
}

/// Reads what databases print for a timestamp: ISO 8601 with a blank or a `T`, seconds and offset optional.
fn parse_moment(text: &str) -> Option<(DateTime, Option<TimeZone>)> {
    let text = text.trim();
    let (day, rest) = match text.split_once([' ', 'T']) {
        Some((day, rest)) => (day, rest.trim()),
        None => {
            return Date::from_str(text)
                .ok()
                .map(|day| (day.to_datetime(jiff::civil::Time::midnight()), None));
        }
    };
    let day = Date::from_str(day).ok()?;
    let end = rest.find(['+', '-', 'Z', ' ']).unwrap_or(rest.len());
    let (clock, offset) = rest.split_at(end);
    let clock = jiff::civil::Time::from_str(clock).ok()?;
    let offset = match offset.trim() {
        "" => None,
        "Z" | "UTC" => Some(TimeZone::UTC),
        offset => Some(parse_offset(offset)?),
    };
    Some((day.to_datetime(clock), offset))
}

/// `+02`, `+0200`, `+02:00`, `-03:30`.
fn parse_offset(text: &str) -> Option<TimeZone> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits: String = text[1..]
        .chars()
        .filter(|character| *character != ':')
        .collect();
    if !matches!(digits.len(), 2 | 4 | 6) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize| {
        digits
            .get(from..from + 2)
            .map_or(Some(0), |part| part.parse::<i32>().ok())
    };
    let seconds = part(0)? * 3600 + part(2)? * 60 + part(4)?;
    jiff::tz::Offset::from_seconds(sign * seconds)
        .ok()
        .map(TimeZone::fixed)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_text_whose_number_has_no_end_is_none() {
        assert!(number(&Value::from("1e9")).is_some());
        for text in ["1e999999999", "1e-999999999"] {
            assert_eq!(whole_number(&Value::from(text)), None);
            assert_eq!(number(&Value::from(text)), None, "{text}");
        }
    }

    #[test]
    fn moments_in_every_spelling() {
        let noon = date(2024, 6, 15).at(12, 30, 0, 0);
        for text in [
            "2024-06-15 12:30:00",
            "2024-06-15T12:30:00",
            "2024-06-15 12:30",
            "2024-06-15 12:30:00.000000",
        ] {
            assert_eq!(parse_moment(text), Some((noon, None)), "{text}");
        }
        for text in [
            "2024-06-15 14:30:00+02",
            "2024-06-15T14:30:00+02:00",
            "2024-06-15 14:30:00 +0200",
        ] {
            let read = instant(&Value::Text(text.to_owned()));
            assert_eq!(
                read,
                noon.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp()),
                "{text}"
            );
        }
        assert_eq!(
            wall_clock(&Value::Text("2024-06-15".into())),
            Some(date(2024, 6, 15).at(0, 0, 0, 0))
        );
        assert_eq!(wall_clock(&Value::Text("yesterday".into())), None);
    }

    #[test]
    fn numbers_in_every_type() {
        assert_eq!(float(&Value::Text(" 42.5 ".into())), Some(42.5));
        assert_eq!(float(&Value::Float(f64::NAN)), None);
        assert!(whole_number(&Value::Float(3.0)).is_some());
        assert!(whole_number(&Value::Float(3.5)).is_none());
        assert!(whole_number(&Value::Text("3".into())).is_none());
        assert_eq!(truth(&Value::Text("t".into())), Some(true));
    }
}
