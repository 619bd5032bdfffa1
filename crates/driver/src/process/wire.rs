//! From the values of messages to values, and back.

use bigdecimal::BigDecimal;
use bowline_protocol::{QueryResult, ThreadAnswer, WireColumn, WireValue};
use bowline_words::beginning;
use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::TimeZone;

use crate::connection::ResultBuilder;
use crate::value::offset_text;
use crate::{Column, Interval, Limits, ResultSet, SqlError, SqlErrorKind, ThreadRows, Value};

/// How many digits a decimal may have before its point or after it: more than any database gives.
const MOST_DIGITS: u64 = 200_000;

impl ResultSet {
    /// Reads the result that a process answered, within the limits.
    ///
    /// # Errors
    /// Kind `Driver` for a row of another length or a malformed value, which is the connector's mistake;
    /// `TooLarge` when the limits do not allow it.
    pub fn from_wire(result: QueryResult, limits: &Limits) -> Result<Self, SqlError> {
        let columns: Vec<Column> = result
            .columns
            .into_iter()
            .map(|column| Column {
                name: column.name,
                type_name: column.type_name,
            })
            .collect();
        let width = columns.len();
        let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
        let mut built = ResultBuilder::new(columns, limits);
        for (number, row) in (1usize..).zip(result.rows) {
            if row.len() != width {
                return Err(SqlError::new(
                    SqlErrorKind::Driver,
                    format!("row {number} has {} values for {width} columns", row.len()),
                ));
            }
            let row: Result<Vec<Value>, SqlError> = row
                .into_iter()
                .zip(&names)
                .map(|(wire, column)| {
                    Value::try_from(wire).map_err(|reason| {
                        SqlError::new(
                            SqlErrorKind::Driver,
                            format!(
                                "row {number} holds no such value: column `{column}`: {reason}"
                            ),
                        )
                    })
                })
                .collect();
            if built.push(row?)?.is_break() {
                break;
            }
        }
        let mut built = built.finish(result.rows_affected);
        built.not_json = result.not_json;
        Ok(built)
    }
}

impl From<ResultSet> for QueryResult {
    /// The result as a message carries it. That there is more is not said in a message.
    fn from(result: ResultSet) -> Self {
        let columns = result.columns.into_iter().map(|column| WireColumn {
            name: column.name,
            type_name: column.type_name,
        });
        Self {
            columns: columns.collect(),
            rows: result.rows.into_iter().map(wire_row).collect(),
            rows_affected: result.rows_affected,
            not_json: result.not_json,
        }
    }
}

fn wire_row(row: Vec<Value>) -> Vec<WireValue> {
    row.into_iter().map(WireValue::from).collect()
}

/// Reads what one of several threads saw.
pub fn thread_rows(answer: ThreadAnswer) -> ThreadRows {
    match answer {
        ThreadAnswer::Error(words) => Err(words),
        ThreadAnswer::Rows(rows) => rows
            .into_iter()
            .map(|row| row.into_iter().map(Value::try_from).collect())
            .collect(),
    }
}

/// What one of several threads saw, as a message carries it.
#[must_use]
pub fn thread_answer(rows: ThreadRows) -> ThreadAnswer {
    match rows {
        Err(words) => ThreadAnswer::Error(words),
        Ok(rows) => ThreadAnswer::Rows(rows.into_iter().map(wire_row).collect()),
    }
}

impl TryFrom<WireValue> for Value {
    type Error = String;

    /// Reads one value; the error says what is wrong with it.
    fn try_from(wire: WireValue) -> Result<Self, String> {
        Ok(match wire {
            WireValue::Null => Value::Null,
            WireValue::Boolean(value) => value.into(),
            WireValue::Integer(value) => value.into(),
            WireValue::Float(value) => value.into(),
            WireValue::Text(text) | WireValue::Uuid(text) | WireValue::Other { text, .. } => {
                text.into()
            }
            WireValue::Bytes(bytes) => bytes.into(),
            WireValue::Decimal(text) => decimal(&text)?.into(),
            WireValue::Date(text) => read::<Date>("date", &text)?.into(),
            WireValue::Time(text) => read::<Time>("time of day", &text)?.into(),
            WireValue::Timestamp(text) => read::<DateTime>("timestamp", &text)?.into(),
            WireValue::TimestampTz(text) => instant(&text)?.into(),
            WireValue::Interval {
                months,
                days,
                nanoseconds,
            } => Interval {
                months,
                days,
                nanoseconds,
            }
            .into(),
            WireValue::List(items) => Value::List(
                items
                    .into_iter()
                    .map(Self::try_from)
                    .collect::<Result<_, _>>()?,
            ),
            WireValue::Struct(fields) => Value::Struct(
                fields
                    .into_iter()
                    .map(|(name, field)| Ok((name, Self::try_from(field)?)))
                    .collect::<Result<_, String>>()?,
            ),
        })
    }
}

fn read<T: std::str::FromStr>(what: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("`{text}` is no {what}"))
}

/// A decimal that can be written out.
fn decimal(text: &str) -> Result<BigDecimal, String> {
    let decimal: BigDecimal = read("decimal", text)?;
    if decimal.fractional_digit_count().unsigned_abs() > MOST_DIGITS {
        return Err(format!(
            "`{}` has more than {MOST_DIGITS} digits",
            beginning(text, 40)
        ));
    }
    Ok(decimal)
}

/// An instant in the offset it is written with.
fn instant(text: &str) -> Result<jiff::Zoned, String> {
    static PARSER: DateTimeParser = DateTimeParser::new();
    let wrong = |_| format!("`{text}` is no timestamp with an offset");
    let pieces = PARSER.parse_pieces(text).map_err(wrong)?;
    let offset = pieces
        .to_numeric_offset()
        .or_else(|| pieces.offset().map(|_| jiff::tz::Offset::UTC));
    let (Some(time), Some(offset)) = (pieces.time(), offset) else {
        return Err(format!("`{text}` is no timestamp with an offset"));
    };
    let zone = TimeZone::fixed(offset);
    let civil = DateTime::from_parts(pieces.date(), time);
    zone.to_ambiguous_zoned(civil).unambiguous().map_err(wrong)
}

impl From<Value> for WireValue {
    /// The value as a message carries it: exact, but for the name of an instant's time zone.
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Boolean(value) => Self::Boolean(value),
            Value::Integer(value) => Self::Integer(value),
            Value::Float(value) => Self::Float(value),
            Value::Decimal(value) => Self::Decimal(value.to_plain_string()),
            Value::Text(text) => Self::Text(text),
            Value::Bytes(bytes) => Self::Bytes(bytes),
            Value::Date(date) => Self::Date(date.to_string()),
            Value::Time(time) => Self::Time(time.to_string()),
            Value::Timestamp(at) => Self::Timestamp(at.to_string()),
            Value::TimestampTz(at) => {
                Self::TimestampTz(format!("{}{}", at.datetime(), offset_text(at.offset())))
            }
            Value::Interval(Interval {
                months,
                days,
                nanoseconds,
            }) => Self::Interval {
                months,
                days,
                nanoseconds,
            },
            Value::List(items) => Self::List(items.into_iter().map(Self::from).collect()),
            Value::Struct(fields) => Self::Struct(
                fields
                    .into_iter()
                    .map(|(name, field)| (name, field.into()))
                    .collect(),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_carried_comes_back_the_same() {
        let zoned: jiff::Zoned = "2024-03-10T01:30:00.25-05:00[-05:00]".parse().unwrap();
        let old = instant("1883-11-18T12:00:00-04:56:02").unwrap();
        let values = [
            Value::Null,
            true.into(),
            i128::MIN.into(),
            0.1.into(),
            f64::INFINITY.into(),
            "1E-7".parse::<BigDecimal>().unwrap().into(),
            "10.50".parse::<BigDecimal>().unwrap().into(),
            "{\"$int\": 1}".into(),
            vec![0u8, 171].into(),
            jiff::civil::date(-44, 3, 15).into(),
            jiff::civil::time(14, 30, 0, 250_000_000).into(),
            jiff::civil::datetime(2024, 2, 29, 0, 0, 0, 1).into(),
            zoned.into(),
            old.into(),
            Interval {
                months: -1,
                days: 2,
                nanoseconds: i64::MIN,
            }
            .into(),
            Value::List(vec![1i64.into(), Value::Null]),
            Value::Struct(vec![("a".into(), 1i64.into()), ("a".into(), Value::Null)]),
        ];
        for expected in values {
            let text = serde_json::to_string(&WireValue::from(expected.clone())).unwrap();
            let read = Value::try_from(serde_json::from_str::<WireValue>(&text).unwrap()).unwrap();
            assert_eq!(format!("{read:?}"), format!("{expected:?}"), "{text}");
        }
    }

    fn text(wire: WireValue) -> String {
        Value::try_from(wire).map_or_else(
            |reason| format!("error: {reason}"),
            |value| format!("{value:?}"),
        )
    }

    #[test]
    fn values_are_read_exactly() {
        let instant = |text: &str| match Value::try_from(WireValue::TimestampTz(text.to_owned())) {
            Ok(value) => value.to_string(),
            Err(reason) => reason,
        };
        assert_eq!(
            instant("2024-03-10T01:30:00.25-05:00"),
            "2024-03-10 01:30:00.25-05:00"
        );
        assert_eq!(
            instant("1883-11-18T12:00:00-04:56:02"),
            "1883-11-18 12:00:00-04:56:02"
        );
        assert_eq!(instant("2024-03-10T01:30:00Z"), "2024-03-10 01:30:00+00:00");
        assert_eq!(
            instant("2024-03-10T01:30:00"),
            "`2024-03-10T01:30:00` is no timestamp with an offset"
        );
        let decimal = Value::try_from(WireValue::Decimal("1E+3".into())).unwrap();
        assert_eq!(decimal.to_string(), "1000");
        let decimal = Value::try_from(WireValue::Decimal("10.50".into())).unwrap();
        assert_eq!(decimal.to_string(), "10.50");
        assert!(text(WireValue::Date("2023-02-29".into())).contains("is no date"));
        assert!(text(WireValue::Time("24:01".into())).contains("is no time of day"));
        assert!(text(WireValue::Decimal("NaN".into())).contains("is no decimal"));
        assert!(text(WireValue::Decimal("1E+999999999".into())).contains("200000 digits"));
    }

    #[test]
    fn a_row_of_the_wrong_length_is_the_connectors_mistake() {
        let result = QueryResult {
            columns: vec![WireColumn {
                name: "a".into(),
                type_name: String::new(),
            }],
            rows: vec![vec![WireValue::Null], vec![]],
            ..QueryResult::default()
        };
        let error = ResultSet::from_wire(result, &Limits::default()).unwrap_err();
        assert_eq!(error.kind, SqlErrorKind::Driver);
        assert_eq!(error.message, "row 2 has 0 values for 1 columns");
    }
}
