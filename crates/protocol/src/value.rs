//! Values of results, with one tagged form for everything that JSON lacks.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One value of a result as a message carries it.
///
/// What JSON has is written as it is. Everything else is an object with one key that begins with `$`:
///
/// | value | JSON |
/// |---|---|
/// | NULL, boolean, text | the same |
/// | whole number of at most 53 bits | a number without `.` and exponent |
/// | any whole number | `{"$int": "170141183460469231731687303715884105727"}` |
/// | finite float | a number with `.` or exponent, the shortest that reads back the same |
/// | any float | `{"$float": "NaN"}`, `{"$float": "-Infinity"}`, `{"$float": "1.0"}` |
/// | decimal | `{"$decimal": "10.50"}`, trailing zeros kept |
/// | bytes | `{"$bytes": "AKs="}`, base64 with padding |
/// | date | `{"$date": "2024-02-29"}` |
/// | time of day | `{"$time": "14:30:00.25"}` |
/// | timestamp without a zone | `{"$timestamp": "2024-02-29T14:30:00"}` |
/// | instant | `{"$timestamptz": "2024-02-29T14:30:00-05:00"}` |
/// | length of time | `{"$interval": [months, days, "nanoseconds"]}` |
/// | UUID | `{"$uuid": "00000000-0000-0000-0000-000000000000"}` |
/// | list | an array |
/// | named values in order | `{"$struct": [["name", value], …]}` |
/// | anything else | `{"$other": ["its type", "its text"]}` |
#[derive(Debug, Clone, PartialEq)]
pub enum WireValue {
    /// SQL NULL.
    Null,
    /// A boolean.
    Boolean(bool),
    /// A whole number of up to 128 bits.
    Integer(i128),
    /// A binary floating point number, NaN and infinities included.
    Float(f64),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// An exact decimal's digits, with an exponent if need be.
    Decimal(String),
    /// A calendar date, ISO 8601.
    Date(String),
    /// A time of day, ISO 8601.
    Time(String),
    /// A timestamp without a zone, ISO 8601 with `T`.
    Timestamp(String),
    /// An instant with its offset, ISO 8601 with `T`.
    TimestampTz(String),
    /// A length of time in the three units SQL keeps apart.
    Interval {
        /// Whole months.
        months: i32,
        /// Whole days.
        days: i32,
        /// Nanoseconds.
        nanoseconds: i64,
    },
    /// A UUID with hyphens.
    Uuid(String),
    /// A list.
    List(Vec<WireValue>),
    /// Named values in order.
    Struct(Vec<(String, WireValue)>),
    /// A value none of the others fits.
    Other {
        /// The name of its type.
        type_name: String,
        /// The value as text.
        text: String,
    },
}

/// The largest whole number that every JSON reader keeps exact.
const EXACT: u128 = (1 << 53) - 1;

impl Serialize for WireValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Boolean(value) => serializer.serialize_bool(*value),
            Self::Integer(value) => match i64::try_from(*value) {
                Ok(small) if value.unsigned_abs() <= EXACT => serializer.serialize_i64(small),
                _ => tagged(serializer, "$int", &value.to_string()),
            },
            Self::Float(value) if value.is_finite() => serializer.serialize_f64(*value),
            Self::Float(value) if value.is_nan() => tagged(serializer, "$float", "NaN"),
            Self::Float(value) if *value > 0.0 => tagged(serializer, "$float", "Infinity"),
            Self::Float(_) => tagged(serializer, "$float", "-Infinity"),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Bytes(bytes) => tagged(serializer, "$bytes", &STANDARD.encode(bytes)),
            Self::Decimal(text) => tagged(serializer, "$decimal", text),
            Self::Date(text) => tagged(serializer, "$date", text),
            Self::Time(text) => tagged(serializer, "$time", text),
            Self::Timestamp(text) => tagged(serializer, "$timestamp", text),
            Self::TimestampTz(text) => tagged(serializer, "$timestamptz", text),
            Self::Interval {
                months,
                days,
                nanoseconds,
            } => tagged(
                serializer,
                "$interval",
                &(months, days, nanoseconds.to_string()),
            ),
            Self::Uuid(text) => tagged(serializer, "$uuid", text),
            Self::List(items) => items.serialize(serializer),
            Self::Struct(fields) => tagged(serializer, "$struct", fields),
            Self::Other { type_name, text } => tagged(serializer, "$other", &(type_name, text)),
        }
    }
}

fn tagged<S: Serializer, T: Serialize + ?Sized>(
    serializer: S,
    tag: &str,
    content: &T,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(tag, content)?;
    map.end()
}

impl<'de> Deserialize<'de> for WireValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = WireValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<WireValue, E> {
        Ok(WireValue::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<WireValue, E> {
        Ok(WireValue::Boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<WireValue, E> {
        Ok(WireValue::Integer(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<WireValue, E> {
        Ok(WireValue::Integer(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<WireValue, E> {
        Ok(WireValue::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<WireValue, E> {
        Ok(WireValue::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<WireValue, E> {
        Ok(WireValue::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<WireValue, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(WireValue::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<WireValue, A::Error> {
        let Some(tag) = map.next_key::<String>()? else {
            return Err(A::Error::custom("an object without a tag is no value"));
        };
        let value = tagged_value(&tag, &mut map)?;
        match map.next_key::<String>()? {
            None => Ok(value),
            Some(second) => Err(A::Error::custom(format!(
                "a tagged value has one key, this one has `{tag}` and `{second}`"
            ))),
        }
    }
}

fn tagged_value<'de, A: MapAccess<'de>>(tag: &str, map: &mut A) -> Result<WireValue, A::Error> {
    let wrong = |text: &str| A::Error::custom(format!("`{tag}` cannot be `{text}`"));
    Ok(match tag {
        "$int" => {
            let text: String = map.next_value()?;
            WireValue::Integer(text.parse().map_err(|_| wrong(&text))?)
        }
        "$float" => {
            let text: String = map.next_value()?;
            WireValue::Float(text.parse().map_err(|_| wrong(&text))?)
        }
        "$bytes" => {
            let text: String = map.next_value()?;
            WireValue::Bytes(STANDARD.decode(&text).map_err(|_| wrong(&text))?)
        }
        "$decimal" => WireValue::Decimal(map.next_value()?),
        "$date" => WireValue::Date(map.next_value()?),
        "$time" => WireValue::Time(map.next_value()?),
        "$timestamp" => WireValue::Timestamp(map.next_value()?),
        "$timestamptz" => WireValue::TimestampTz(map.next_value()?),
        "$interval" => {
            let (months, days, text): (i32, i32, String) = map.next_value()?;
            let nanoseconds = text.parse().map_err(|_| wrong(&text))?;
            WireValue::Interval {
                months,
                days,
                nanoseconds,
            }
        }
        "$uuid" => WireValue::Uuid(map.next_value()?),
        "$struct" => WireValue::Struct(map.next_value()?),
        "$other" => {
            let (type_name, text) = map.next_value()?;
            WireValue::Other { type_name, text }
        }
        _ => return Err(A::Error::custom(format!("unknown tag `{tag}`"))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples() -> Vec<(WireValue, &'static str)> {
        let integer = WireValue::Integer;
        vec![
            (WireValue::Null, "null"),
            (WireValue::Boolean(true), "true"),
            (integer(9_007_199_254_740_991), "9007199254740991"),
            (
                integer(-9_007_199_254_740_992),
                r#"{"$int":"-9007199254740992"}"#,
            ),
            (
                integer(i128::MAX),
                r#"{"$int":"170141183460469231731687303715884105727"}"#,
            ),
            (WireValue::Float(1.0), "1.0"),
            (WireValue::Float(-0.0), "-0.0"),
            (WireValue::Float(5e-324), "5e-324"),
            (WireValue::Float(0.1 + 0.2), "0.30000000000000004"),
            (
                WireValue::Float(f64::NEG_INFINITY),
                r#"{"$float":"-Infinity"}"#,
            ),
            (
                WireValue::Text("{\"$int\":1}\n\u{2028}🪢".into()),
                "\"{\\\"$int\\\":1}\\n\u{2028}🪢\"",
            ),
            (WireValue::Bytes(vec![0, 171]), r#"{"$bytes":"AKs="}"#),
            (
                WireValue::Decimal("10.50".into()),
                r#"{"$decimal":"10.50"}"#,
            ),
            (
                WireValue::Date("2024-02-29".into()),
                r#"{"$date":"2024-02-29"}"#,
            ),
            (
                WireValue::Time("14:30:00.25".into()),
                r#"{"$time":"14:30:00.25"}"#,
            ),
            (
                WireValue::Timestamp("2024-02-29T14:30:00".into()),
                r#"{"$timestamp":"2024-02-29T14:30:00"}"#,
            ),
            (
                WireValue::TimestampTz("2024-02-29T14:30:00-05:00".into()),
                r#"{"$timestamptz":"2024-02-29T14:30:00-05:00"}"#,
            ),
            (
                WireValue::Interval {
                    months: -1,
                    days: 2,
                    nanoseconds: i64::MIN,
                },
                r#"{"$interval":[-1,2,"-9223372036854775808"]}"#,
            ),
            (WireValue::Uuid("0".into()), r#"{"$uuid":"0"}"#),
            (
                WireValue::List(vec![WireValue::Null, integer(1)]),
                "[null,1]",
            ),
            (
                WireValue::Struct(vec![
                    ("a".into(), integer(1)),
                    ("a".into(), WireValue::Null),
                ]),
                r#"{"$struct":[["a",1],["a",null]]}"#,
            ),
            (
                WireValue::Other {
                    type_name: "Range".into(),
                    text: "[1,2)".into(),
                },
                r#"{"$other":["Range","[1,2)"]}"#,
            ),
        ]
    }

    #[test]
    fn every_value_comes_back_the_same() {
        for (value, text) in samples() {
            assert_eq!(serde_json::to_string(&value).unwrap(), text);
            assert_eq!(serde_json::from_str::<WireValue>(text).unwrap(), value);
        }
        let nan: WireValue = serde_json::from_str(r#"{"$float":"NaN"}"#).unwrap();
        assert!(matches!(nan, WireValue::Float(value) if value.is_nan()));
        assert_eq!(serde_json::to_string(&nan).unwrap(), r#"{"$float":"NaN"}"#);
    }

    #[test]
    fn floats_are_read_to_the_last_bit() {
        for text in [
            "0.30000000000000004",
            "2.2250738585072014e-308",
            "1.7976931348623157e308",
        ] {
            let value: WireValue = serde_json::from_str(text).unwrap();
            assert_eq!(value, WireValue::Float(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn what_is_no_value_is_refused_by_name() {
        let cases = [
            (r#"{}"#, "without a tag"),
            (r#"{"a":1}"#, "unknown tag `a`"),
            (r#"{"$money":"1"}"#, "unknown tag `$money`"),
            (r#"{"$int":"1","$float":"1"}"#, "`$int` and `$float`"),
            (r#"{"$int":"1.5"}"#, "`$int` cannot be `1.5`"),
            (r#"{"$bytes":"!"}"#, "`$bytes` cannot be `!`"),
            (r#"{"$interval":[1]}"#, "invalid length"),
        ];
        for (text, expected) in cases {
            let error = serde_json::from_str::<WireValue>(text)
                .unwrap_err()
                .to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
