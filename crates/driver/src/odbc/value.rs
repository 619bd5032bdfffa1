//! Values as ODBC gives them: nearly all as text, which is exact, made into what the column's type says.

use std::str::FromStr;

use bigdecimal::BigDecimal;
use jiff::civil::{Date, DateTime, Time};

use super::handle::Description;
use crate::Value;

/// What a column's values become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// One bit.
    Bit,
    /// A boolean that the driver describes as text.
    Boolean,
    /// A whole number.
    Integer,
    /// A floating point number of 32 bits.
    Single,
    /// A floating point number of 64 bits.
    Double,
    /// An exact decimal.
    Decimal,
    /// A date.
    Date,
    /// A time of day.
    Time,
    /// A timestamp; ODBC has no zones.
    Timestamp,
    /// A UUID, which one driver writes in capitals against its database's habit.
    Uuid,
    /// Text, and everything without a better word.
    Text,
    /// Bytes.
    Bytes,
}

impl Shape {
    /// What a column as the driver describes it holds.
    pub(super) fn of(column: &Description) -> Self {
        let named = |names: &[&str]| {
            let mut names = names.iter();
            names.any(|name| column.type_name.eq_ignore_ascii_case(name))
        };
        match column.data_type {
            -7 => Self::Bit,
            1 | 12 | -1 | -8 | -9 | -10 if named(&["bool", "boolean"]) => Self::Boolean,
            -6 | -5 | 4 | 5 => Self::Integer,
            // Described as a float, which would round it; as text it has a currency sign.
            6..=8 if named(&["money"]) => Self::Text,
            2 | 3 => Self::Decimal,
            7 => Self::Single,
            6 | 8 => Self::Double,
            91 => Self::Date,
            92 => Self::Time,
            93 => Self::Timestamp,
            -4..=-2 => Self::Bytes,
            -11 if named(&["uuid"]) => Self::Uuid,
            _ => Self::Text,
        }
    }

    /// The value a text stands for. A text that is not of the shape stays text where databases have such values
    /// (a date of no calendar, a time of more than a day); `None` where it must not be.
    pub(super) fn value(self, text: String) -> Option<Value> {
        let trimmed = text.trim();
        Some(match self {
            Self::Integer => match i128::from_str(trimmed) {
                Ok(number) => number.into(),
                Err(_) => BigDecimal::from_str(trimmed).ok()?.into(),
            },
            Self::Decimal => match BigDecimal::from_str(trimmed) {
                Ok(number) => number.into(),
                Err(_) => match trimmed {
                    "NaN" => f64::NAN.into(),
                    "Infinity" => f64::INFINITY.into(),
                    "-Infinity" => f64::NEG_INFINITY.into(),
                    _ => return None,
                },
            },
            Self::Boolean => match trimmed {
                "1" | "t" | "true" => true.into(),
                "0" | "f" | "false" => false.into(),
                _ => return None,
            },
            Self::Date => parsed::<Date>(text),
            Self::Time => parsed::<Time>(text),
            Self::Timestamp => parsed::<DateTime>(text),
            Self::Uuid => text.to_lowercase().into(),
            Self::Bit | Self::Single | Self::Double | Self::Text | Self::Bytes => text.into(),
        })
    }
}

fn parsed<T: FromStr + Into<Value>>(text: String) -> Value {
    match T::from_str(text.trim()) {
        Ok(value) => value.into(),
        Err(_) => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_becomes_what_the_type_says_or_stays_text() {
        for (shape, text, shown) in [
            (
                Shape::Integer,
                "18446744073709551615",
                Some("18446744073709551615"),
            ),
            (Shape::Integer, "x", None),
            (Shape::Decimal, "-0.10", Some("-0.10")),
            (Shape::Decimal, "NaN", Some("NaN")),
            (Shape::Decimal, "$1", None),
            (Shape::Boolean, "1", Some("true")),
            (Shape::Boolean, "2", None),
            (Shape::Date, "0000-00-00", Some("0000-00-00")),
            (Shape::Time, "838:59:59", Some("838:59:59")),
            (Shape::Time, "23:59:59.123456", Some("23:59:59.123456")),
            (
                Shape::Timestamp,
                "2024-02-29 23:59:59.000001",
                Some("2024-02-29 23:59:59.000001"),
            ),
        ] {
            let value = shape.value(text.to_owned());
            assert_eq!(
                value.as_ref().map(ToString::to_string).as_deref(),
                shown,
                "{shape:?} {text}"
            );
        }
        assert!(matches!(
            Shape::Date.value("2024-02-29".into()),
            Some(Value::Date(_))
        ));
        assert!(matches!(
            Shape::Date.value("0000-00-00".into()),
            Some(Value::Text(_))
        ));
    }

    #[test]
    fn the_databases_word_counts_where_the_drivers_type_says_too_little() {
        let shape = |data_type, type_name: &str| {
            Shape::of(&Description {
                name: String::new(),
                data_type,
                type_name: type_name.to_owned(),
            })
        };
        assert_eq!(shape(12, "bool"), Shape::Boolean);
        assert_eq!(shape(12, "varchar"), Shape::Text);
        assert_eq!(shape(6, "money"), Shape::Text);
        assert_eq!(shape(-155, "datetimeoffset"), Shape::Text);
    }
}
