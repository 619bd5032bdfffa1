//! The columns of a table, and which metrics fit them.

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

/// Whether a column surely is of its kind. Drivers write values of many types as text, such as a UUID's, and the name of
/// a type that nobody knows tells little.
pub(crate) fn is_certain(sample: &ResultSet, place: usize) -> bool {
    let Some(column) = sample.columns.get(place) else {
        return false;
    };
    let word = column.type_name.split(['(', ' ']).next();
    let is_text = word.is_some_and(|word| TEXTS.contains(&&*word.to_uppercase()));
    let values = sample.rows.iter().filter_map(|row| row.get(place));
    let mut kinds = values.filter(|value| !value.is_null()).map(of_value);
    match kinds.next() {
        Some(Some(ColumnKind::Text)) | None => is_text,
        Some(_) => true,
    }
}

/// The kind of a column: by its values, else by the name of its type. None for what has no metrics but those of any column.
#[must_use]
pub fn kind_of(sample: &ResultSet, place: usize) -> Option<ColumnKind> {
    let values = sample.rows.iter().filter_map(|row| row.get(place));
    let mut kinds = values.filter(|value| !value.is_null()).map(of_value);
    match kinds.next() {
        // A column of several kinds, as SQLite has them, is none of them.
        Some(first) => kinds.all(|kind| kind == first).then_some(first)?,
        None => of_type(sample.columns.get(place)?),
    }
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
