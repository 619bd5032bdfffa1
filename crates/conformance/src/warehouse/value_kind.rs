//! What kind of value an answer is by its type.

use bowline_driver::Value;
use serde::Deserialize;

use crate::warehouse::column_types::{Family, family};

/// Kinds of values that text is sometimes taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ValueKind {
    Number,
    Text,
    Date,
    TimeOfDay,
    /// With a zone or without.
    Timestamp,
    ZonedTimestamp,
    ZonelessTimestamp,
}

impl ValueKind {
    /// Whether a value is of this kind. Where the connector hands it out as text, the driver's word for the column's type
    /// tells what it was.
    pub(super) fn holds(self, value: &Value, type_name: &str) -> bool {
        let told = matches!(value, Value::Text(_))
            .then(|| family(type_name))
            .flatten();
        match (self, told) {
            (Self::Date, Some(told)) => told == Family::Date,
            // Whether there is a zone in it is not in every driver's word.
            (Self::Timestamp | Self::ZonedTimestamp | Self::ZonelessTimestamp, Some(told)) => {
                told == Family::Timestamp
            }
            (Self::Text, Some(told)) => told == Family::Text,
            (Self::Number, Some(told)) => told == Family::Number,
            // Times of day are young in some engines, whose users write texts.
            _ => self.is_of(value),
        }
    }

    fn is_of(self, value: &Value) -> bool {
        match self {
            Self::Number => matches!(
                value,
                Value::Integer(_) | Value::Decimal(_) | Value::Float(_)
            ),
            Self::Text => matches!(value, Value::Text(_)),
            Self::Date => matches!(value, Value::Date(_)),
            Self::TimeOfDay => matches!(value, Value::Time(_)),
            Self::Timestamp => matches!(value, Value::Timestamp(_) | Value::TimestampTz(_)),
            Self::ZonedTimestamp => matches!(value, Value::TimestampTz(_)),
            Self::ZonelessTimestamp => matches!(value, Value::Timestamp(_)),
        }
    }

    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Number => "a number by type",
            Self::Text => "text by type",
            Self::Date => "a date by type",
            Self::TimeOfDay => "a time of day by type",
            Self::Timestamp => "a timestamp by type",
            Self::ZonedTimestamp => "a timestamp with a zone by type",
            Self::ZonelessTimestamp => "a timestamp without a zone by type",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_what_the_driver_says_its_column_was() {
        let text = Value::Text("2024-03-15".to_owned());
        for (kind, told, is_held) in [
            (ValueKind::Date, "Date", true),
            (ValueKind::Date, "Nullable(Date32)", true),
            (ValueKind::Date, "String", false),
            (ValueKind::Date, "timestamp[us]", false),
            (ValueKind::Date, "1082", false),
            (ValueKind::Timestamp, "datetime", true),
            (ValueKind::ZonedTimestamp, "DateTime64(6, 'UTC')", true),
            (ValueKind::Timestamp, "str", false),
            (ValueKind::TimeOfDay, "String", false),
            (ValueKind::Text, "String", true),
            (ValueKind::Text, "", true),
            (ValueKind::Text, "date", false),
            (ValueKind::Number, "decimal(12, 2)", true),
        ] {
            assert_eq!(kind.holds(&text, told), is_held, "{kind:?} {told}");
        }
        let date = Value::Date(jiff::civil::date(2024, 3, 15));
        assert!(ValueKind::Date.holds(&date, "anything"));
        assert!(!ValueKind::Text.holds(&date, "text"));
    }
}
