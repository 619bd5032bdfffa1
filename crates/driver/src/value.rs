//! Values as databases give them, exact.

use std::fmt;

use bigdecimal::BigDecimal;
use jiff::civil::{Date, DateTime, Time};

/// One value of a result, exactly as the database gave it.
///
/// `Display` is for people; [`Value::to_json`] is for programs.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// A boolean.
    Boolean(bool),
    /// A whole number of any width up to 128 bits.
    Integer(i128),
    /// A binary floating point number, NaN and infinities included.
    Float(f64),
    /// An exact decimal, its scale kept.
    Decimal(BigDecimal),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A calendar date.
    Date(Date),
    /// A time of day.
    Time(Time),
    /// A timestamp without a zone.
    Timestamp(DateTime),
    /// An instant, shown in the zone the database gave.
    TimestampTz(jiff::Zoned),
    /// An interval of months, days and nanoseconds.
    Interval(Interval),
    /// A list.
    List(Vec<Value>),
    /// Named values in order.
    Struct(Vec<(String, Value)>),
}

/// A length of time in the three units SQL keeps apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// Whole months.
    pub months: i32,
    /// Whole days.
    pub days: i32,
    /// Nanoseconds.
    pub nanoseconds: i64,
}

impl Value {
    /// Whether it is SQL NULL.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// About how many bytes it holds in memory.
    pub(crate) fn memory(&self) -> usize {
        let held = match self {
            Self::Decimal(decimal) => usize::try_from(decimal.digits()).unwrap_or(usize::MAX) / 2,
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
            Self::List(items) => items.iter().map(Self::memory).sum(),
            Self::Struct(fields) => fields
                .iter()
                .map(|(name, value)| size_of::<String>() + name.len() + value.memory())
                .sum(),
            _ => 0,
        };
        size_of::<Self>().saturating_add(held)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Float(value) => f.write_str(&float_text(*value)),
            Self::Decimal(value) => f.write_str(&value.to_plain_string()),
            Self::Text(value) => f.write_str(value),
            Self::Bytes(value) => {
                f.write_str("\\x")?;
                value.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
            Self::Date(value) => write!(f, "{value}"),
            Self::Time(value) => write!(f, "{value}"),
            Self::Timestamp(value) => write!(f, "{} {}", value.date(), value.time()),
            Self::TimestampTz(value) => {
                write!(f, "{} {}", value.date(), value.time())?;
                f.write_str(&offset_text(value.offset()))
            }
            Self::Interval(value) => write!(f, "{value}"),
            Self::List(items) => {
                f.write_str("[")?;
                for (position, item) in items.iter().enumerate() {
                    let comma = if position > 0 { ", " } else { "" };
                    write!(f, "{comma}{item}")?;
                }
                f.write_str("]")
            }
            Self::Struct(fields) => {
                f.write_str("{")?;
                for (position, (name, value)) in fields.iter().enumerate() {
                    let comma = if position > 0 { ", " } else { "" };
                    write!(f, "{comma}{name}: {value}")?;
                }
                f.write_str("}")
            }
        }
    }
}

/// Prints an ISO 8601 duration such as `P1Y2M3DT4H5M6.5S`; `PT0S` when nothing is in it.
///
/// Each unit keeps its own sign, so `1 month - 1 day` is `P1M-1D`.
impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SECOND: i64 = 1_000_000_000;
        let (years, months) = (self.months / 12, self.months % 12);
        let (hours, rest) = (
            self.nanoseconds / (3600 * SECOND),
            self.nanoseconds % (3600 * SECOND),
        );
        let (minutes, rest) = (rest / (60 * SECOND), rest % (60 * SECOND));
        f.write_str("P")?;
        for (count, unit) in [(years, 'Y'), (months, 'M'), (self.days, 'D')] {
            if count != 0 {
                write!(f, "{count}{unit}")?;
            }
        }
        let empty = self.months == 0 && self.days == 0 && self.nanoseconds == 0;
        if self.nanoseconds != 0 || empty {
            f.write_str("T")?;
        }
        for (count, unit) in [(hours, 'H'), (minutes, 'M')] {
            if count != 0 {
                write!(f, "{count}{unit}")?;
            }
        }
        if rest != 0 || empty {
            let sign = if rest < 0 { "-" } else { "" };
            let fraction = format!("{:09}", (rest % SECOND).abs());
            write!(f, "{sign}{}", (rest / SECOND).abs())?;
            match fraction.trim_end_matches('0') {
                "" => {}
                digits => write!(f, ".{digits}")?,
            }
            f.write_str("S")?;
        }
        Ok(())
    }
}

/// A float's shortest exact text, with `NaN`, `Infinity` and `-Infinity` spelled out.
pub(crate) fn float_text(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        let sign = if value < 0.0 { "-" } else { "" };
        format!("{sign}Infinity")
    } else {
        format!("{value:?}")
    }
}

/// An offset from UTC such as `+01:00`, with seconds only where it has them.
pub(crate) fn offset_text(offset: jiff::tz::Offset) -> String {
    let seconds = offset.seconds();
    let sign = if seconds < 0 { '-' } else { '+' };
    let seconds = seconds.abs();
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match rest {
        0 => format!("{sign}{hours:02}:{minutes:02}"),
        _ => format!("{sign}{hours:02}:{minutes:02}:{rest:02}"),
    }
}

macro_rules! value_from {
    ($($from:ty => $variant:ident),* $(,)?) => {$(
        impl From<$from> for Value {
            fn from(value: $from) -> Self {
                Self::$variant(value.into())
            }
        }
    )*};
}

value_from! {
    bool => Boolean,
    i32 => Integer,
    i64 => Integer,
    u64 => Integer,
    i128 => Integer,
    f64 => Float,
    BigDecimal => Decimal,
    &str => Text,
    String => Text,
    Vec<u8> => Bytes,
    Date => Date,
    Time => Time,
    DateTime => Timestamp,
    jiff::Zoned => TimestampTz,
    Interval => Interval,
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_values_without_loss() {
        let zoned: jiff::Zoned = "2024-03-10T01:30:00.25-05:00[America/New_York]"
            .parse()
            .unwrap();
        let cases: [(Value, &str); 14] = [
            (Value::Null, "NULL"),
            (true.into(), "true"),
            (i128::MIN.into(), "-170141183460469231731687303715884105728"),
            (1.0.into(), "1.0"),
            (1e300.into(), "1e300"),
            (f64::NAN.into(), "NaN"),
            (f64::NEG_INFINITY.into(), "-Infinity"),
            ("1E-7".parse::<BigDecimal>().unwrap().into(), "0.0000001"),
            ("10.50".parse::<BigDecimal>().unwrap().into(), "10.50"),
            (vec![0u8, 255].into(), "\\x00ff"),
            (zoned.into(), "2024-03-10 01:30:00.25-05:00"),
            (Value::List(vec![1i64.into(), Value::Null]), "[1, NULL]"),
            (
                Value::Struct(vec![("a".into(), "x".into()), ("b".into(), 2i64.into())]),
                "{a: x, b: 2}",
            ),
            (Value::from(None::<i64>), "NULL"),
        ];
        for (value, text) in cases {
            assert_eq!(value.to_string(), text);
        }
    }

    #[test]
    fn intervals_keep_each_sign() {
        let interval = |months, days, nanoseconds| {
            Interval {
                months,
                days,
                nanoseconds,
            }
            .to_string()
        };
        assert_eq!(interval(0, 0, 0), "PT0S");
        assert_eq!(interval(14, 3, 0), "P1Y2M3D");
        assert_eq!(interval(1, -1, 0), "P1M-1D");
        assert_eq!(interval(0, 0, 3_661_500_000_000), "PT1H1M1.5S");
        assert_eq!(interval(0, 0, -500_000_000), "PT-0.5S");
        assert_eq!(interval(0, 1, -90_000_000_000), "P1DT-1M-30S");
        assert_eq!(interval(0, 0, i64::MIN), "PT-2562047H-47M-16.854775808S");
    }

    #[test]
    fn offsets_show_seconds_only_when_there_are_any() {
        assert_eq!(
            offset_text(jiff::tz::Offset::from_seconds(-(4 * 3600 + 56 * 60 + 2)).unwrap()),
            "-04:56:02"
        );
        assert_eq!(offset_text(jiff::tz::Offset::UTC), "+00:00");
    }
}
