//! Values as JSON, without losing anything.

use serde_json::Value as Json;

use crate::Value;
use crate::value::{float_text, offset_text};

impl Value {
    /// The value as JSON. Nothing is rounded: what a JSON number may not carry becomes text.
    ///
    /// | value | JSON |
    /// |---|---|
    /// | NULL, boolean, text | the same |
    /// | whole number | a number when it fits 64 bits, else its digits as text |
    /// | float | a number; `"NaN"`, `"Infinity"`, `"-Infinity"` as text |
    /// | decimal | its digits as text, trailing zeros kept |
    /// | bytes | lower-case hexadecimal text |
    /// | date, time, timestamp | ISO 8601 text, such as `"2024-03-10T01:30:00.25"` |
    /// | instant | ISO 8601 text with its offset, such as `"2024-03-10T01:30:00-05:00"` |
    /// | interval | ISO 8601 duration text, such as `"P1Y2M3DT4H"` |
    /// | list, struct | an array, an object; of two fields with one name the last stays |
    #[must_use]
    pub fn to_json(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Boolean(value) => Json::Bool(*value),
            Self::Integer(value) => match (i64::try_from(*value), u64::try_from(*value)) {
                (Ok(small), _) => small.into(),
                (_, Ok(small)) => small.into(),
                _ => value.to_string().into(),
            },
            Self::Float(value) => serde_json::Number::from_f64(*value)
                .map_or_else(|| float_text(*value).into(), Json::Number),
            Self::Text(value) => value.as_str().into(),
            Self::Bytes(value) => value
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
                .into(),
            Self::Decimal(_) | Self::Date(_) | Self::Time(_) | Self::Interval(_) => {
                self.to_string().into()
            }
            Self::Timestamp(value) => value.to_string().into(),
            Self::TimestampTz(value) => {
                format!("{}{}", value.datetime(), offset_text(value.offset())).into()
            }
            Self::List(items) => items.iter().map(Self::to_json).collect(),
            Self::Struct(fields) => fields
                .iter()
                .map(|(name, value)| (name.clone(), value.to_json()))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bigdecimal::BigDecimal;
    use serde_json::json;

    #[test]
    fn json_loses_no_digit() {
        let decimal: BigDecimal = "12345678901234567890.10".parse().unwrap();
        let zoned: jiff::Zoned = "2024-01-02T03:04:05.123456789+01:00[+01:00]"
            .parse()
            .unwrap();
        let cases: [(Value, Json); 12] = [
            (Value::Null, Json::Null),
            (i64::MIN.into(), json!(i64::MIN)),
            (u64::MAX.into(), json!(u64::MAX)),
            (
                (i128::from(u64::MAX) + 1).into(),
                json!("18446744073709551616"),
            ),
            (0.1.into(), json!(0.1)),
            (f64::NAN.into(), json!("NaN")),
            (f64::NEG_INFINITY.into(), json!("-Infinity")),
            (decimal.into(), json!("12345678901234567890.10")),
            (vec![0u8, 171].into(), json!("00ab")),
            (zoned.into(), json!("2024-01-02T03:04:05.123456789+01:00")),
            (
                jiff::civil::datetime(2024, 1, 2, 3, 4, 5, 500_000_000).into(),
                json!("2024-01-02T03:04:05.5"),
            ),
            (
                Value::Struct(vec![("k".into(), Value::List(vec![1i64.into()]))]),
                json!({"k": [1]}),
            ),
        ];
        for (value, expected) in cases {
            assert_eq!(value.to_json(), expected, "{value:?}");
        }
    }
}
