//! The columns of a table, and which metrics fit them.

use std::collections::HashSet;

use bowline_contract::ColumnKind;
use bowline_driver::{Column, ResultSet, Value};

/// Parts of names of types, and the kind of column that each tells; the first that fits counts.
const NAMES: [(&str, Option<ColumnKind>); 17] = [
    ("[]", Some(ColumnKind::Array)),
    ("LIST", Some(ColumnKind::Array)),
    ("ARRAY", Some(ColumnKind::Array)),
    ("INTERVAL", None),
    ("TIMESTAMP", Some(ColumnKind::Moment)),
    ("DATETIME", Some(ColumnKind::Moment)),
    ("BOOL", Some(ColumnKind::Boolean)),
    ("CHAR", Some(ColumnKind::Text)),
    ("TEXT", Some(ColumnKind::Text)),
    ("STRING", Some(ColumnKind::Text)),
    ("CLOB", Some(ColumnKind::Text)),
    ("INT", Some(ColumnKind::Number)),
    ("DEC", Some(ColumnKind::Number)),
    ("NUM", Some(ColumnKind::Number)),
    ("FLOAT", Some(ColumnKind::Number)),
    ("DOUBLE", Some(ColumnKind::Number)),
    ("REAL", Some(ColumnKind::Number)),
];

/// The names of types that hold nothing but text, whatever the engine.
const TEXTS: [&str; 11] = [
    "BPCHAR",
    "CHAR",
    "CHARACTER",
    "LARGEUTF8",
    "NCHAR",
    "NVARCHAR",
    "STRING",
    "TEXT",
    "UTF8",
    "UTF8VIEW",
    "VARCHAR",
];

/// The names of types that hold nothing but moments. What is none that a driver knows, such as `infinity` or a date of zeros,
/// comes as text; and some engines have moments as texts alone.
const MOMENTS: [&str; 12] = [
    "DATETIME",
    "DATETIME2",
    "DATETIMEOFFSET",
    "SMALLDATETIME",
    "TIMESTAMP",
    "TIMESTAMPTZ",
    "TIMESTAMP_LTZ",
    "TIMESTAMP_MS",
    "TIMESTAMP_NS",
    "TIMESTAMP_NTZ",
    "TIMESTAMP_S",
    "TIMESTAMP_TZ",
];

/// Whether the name of a column's type is one of these, whatever follows it.
fn is_named(column: &Column, names: &[&str]) -> bool {
    let word = column.type_name.split(['(', ' ']).next();
    word.is_some_and(|word| names.contains(&&*word.to_uppercase()))
}

/// Whether a column surely is of its kind. Drivers write values of many types as text, such as a UUID's, and the name of
/// a type that nobody knows tells little.
pub(crate) fn is_certain(sample: &ResultSet, place: usize) -> bool {
    let Some(column) = sample.columns.get(place) else {
        return false;
    };
    let values = sample.rows.iter().filter_map(|row| row.get(place));
    let mut kinds = values.filter(|value| !value.is_null()).map(of_value);
    match kinds.next() {
        Some(Some(ColumnKind::Text)) | None => is_named(column, &TEXTS),
        Some(_) => true,
    }
}

/// The kind of a column: by its values, else by the name of its type. None for what has no metrics but those of any column.
#[must_use]
pub fn kind_of(sample: &ResultSet, place: usize) -> Option<ColumnKind> {
    let column = sample.columns.get(place)?;
    let values = sample.rows.iter().filter_map(|row| row.get(place));
    let mut values = values.filter(|value| !value.is_null());
    let kinds: HashSet<_> = values.clone().map(of_value).collect();
    let mut others = kinds.iter().filter(|kind| **kind != Some(ColumnKind::Text));
    match (others.next(), others.next()) {
        (None, _) if kinds.is_empty() => of_type(column),
        (None, _) if is_named(column, &MOMENTS) => Some(ColumnKind::Moment),
        (None, _) => Some(ColumnKind::Text),
        (Some(kind), None) if kinds.len() == 1 => *kind,
        (Some(kind), None) if *kind == of_type(column) && values.all(is_special) => *kind,
        // A column of several kinds, as SQLite has them, is none of them.
        _ => None,
    }
}

/// Whether a value is none that is a text, or a number or a moment that drivers do not know and give as one: `NaN`,
/// `-infinity`, `0000-00-00`.
fn is_special(value: &Value) -> bool {
    let Value::Text(text) = value else {
        return true;
    };
    let text = text.trim_start_matches(['-', '+']).to_lowercase();
    ["nan", "inf", "infinity"].contains(&text.as_str()) || text.starts_with("0000-00-00")
}

fn of_value(value: &Value) -> Option<ColumnKind> {
    match value {
        Value::Integer(_) | Value::Float(_) | Value::Decimal(_) => Some(ColumnKind::Number),
        Value::Text(_) => Some(ColumnKind::Text),
        Value::Boolean(_) => Some(ColumnKind::Boolean),
        Value::Timestamp(_) | Value::TimestampTz(_) => Some(ColumnKind::Moment),
        Value::List(_) => Some(ColumnKind::Array),
        Value::Null
        | Value::Bytes(_)
        | Value::Date(_)
        | Value::Time(_)
        | Value::Interval(_)
        | Value::Struct(_) => None,
    }
}

fn of_type(column: &Column) -> Option<ColumnKind> {
    let name = column.type_name.to_uppercase();
    NAMES
        .iter()
        .find(|(part, _)| name.contains(part))
        .and_then(|(_, kind)| *kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(type_name: &str, values: Vec<Value>) -> Option<ColumnKind> {
        kind_of(&sample(type_name, values), 0)
    }

    fn sample(type_name: &str, values: Vec<Value>) -> ResultSet {
        ResultSet {
            columns: vec![Column {
                name: "c".to_owned(),
                type_name: type_name.to_owned(),
            }],
            rows: values.into_iter().map(|value| vec![value]).collect(),
            ..ResultSet::default()
        }
    }

    #[test]
    fn values_tell_more_than_types() {
        assert_eq!(
            kind("", vec![Value::Null, 1_i64.into()]),
            Some(ColumnKind::Number)
        );
        assert_eq!(kind("INTEGER", vec!["a".into()]), Some(ColumnKind::Text));
        assert_eq!(kind("", vec!["a".into(), 1_i64.into()]), None);
        assert_eq!(kind("TEXT", vec!["a".into(), 1_i64.into()]), None);
        assert_eq!(
            kind("timestamp with time zone", vec![]),
            Some(ColumnKind::Moment)
        );
        assert_eq!(
            kind("INTEGER[]", vec![Value::Null]),
            Some(ColumnKind::Array)
        );
        assert_eq!(kind("INTERVAL", vec![]), None);
        assert_eq!(kind("BLOB", vec![]), None);
    }

    #[test]
    fn what_a_driver_writes_as_text_hides_no_number_and_no_moment() {
        let at: jiff::Timestamp = "2024-01-31T12:00:00Z".parse().unwrap();
        let at = at.to_zoned(jiff::tz::TimeZone::UTC);
        let moments = || vec![Value::TimestampTz(at.clone()), "infinity".into()];
        let moment = Some(ColumnKind::Moment);
        assert_eq!(kind("timestamp with time zone", moments()), moment);
        for name in ["timestamptz", "timestamp(6)", "datetime"] {
            assert_eq!(kind(name, vec!["0000-00-00".into()]), moment, "{name}");
        }
        assert_eq!(kind("", moments()), None);
        let numbers = vec!["NaN".into(), 1_i64.into()];
        assert_eq!(kind("numeric", numbers), Some(ColumnKind::Number));
        for name in ["timestamp_kind", "timetable"] {
            let text = Some(ColumnKind::Text);
            assert_eq!(kind(name, vec!["a".into()]), text, "{name}");
        }
    }

    #[test]
    fn text_is_sure_by_the_name_of_its_type_alone() {
        let certain =
            |type_name: &str, values: Vec<Value>| is_certain(&sample(type_name, values), 0);
        for name in ["text", "VARCHAR(40)", "character varying", "Utf8"] {
            assert!(
                certain(name, vec!["a".into()]) && certain(name, vec![]),
                "{name}"
            );
        }
        for name in [
            "uuid",
            "jsonb",
            "context",
            "charge_kind",
            "money",
            "int4range",
            "",
        ] {
            assert!(!certain(name, vec!["a".into()]), "{name}");
        }
        assert!(certain("anything", vec![1_i64.into()]));
        assert!(!certain("point", vec![]));
    }
}
