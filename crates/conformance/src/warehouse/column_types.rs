//! What kind of values a type is for by its name, and whether the catalogue's can be the one that the driver tells.

use std::collections::BTreeMap;

use bowline_driver::Column;

use crate::warehouse::metadata::Hidden;

/// What kind of values a type is for; many types are none of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Text,
    Number,
    Boolean,
    Date,
    TimeOfDay,
    Timestamp,
}

impl Family {
    fn is_moment(self) -> bool {
        matches!(self, Self::Date | Self::TimeOfDay | Self::Timestamp)
    }
}

/// Reads a type's name, the database's, the driver's or that of Python's class.
pub(crate) fn family(name: &str) -> Option<Family> {
    let name = name.trim().to_lowercase();
    let wrapped = ["nullable(", "lowcardinality("]
        .iter()
        .find_map(|outer| name.strip_prefix(outer));
    if let Some(inner) = wrapped {
        return family(inner);
    }
    let begins = |words: &[&str]| words.iter().any(|word| name.starts_with(word));
    if is_composed(&name)
        || begins(&[
            "interval", "internal", "array", "list", "map", "struct", "\"",
        ])
    {
        None
    } else if ["char", "text", "string", "clob", "utf8"]
        .iter()
        .any(|part| name.contains(part))
    {
        Some(Family::Text)
    } else if begins(&["bool"]) {
        Some(Family::Boolean)
    } else if name == "str" {
        Some(Family::Text)
    } else if begins(&["timestamp", "datetime", "smalldatetime"]) {
        Some(Family::Timestamp)
    } else if begins(&["date"]) {
        Some(Family::Date)
    } else if begins(&["time"]) {
        Some(Family::TimeOfDay)
    } else if begins(&[
        "int",
        "bigint",
        "smallint",
        "tinyint",
        "mediumint",
        "hugeint",
        "uint",
        "uhugeint",
        "utinyint",
        "usmallint",
        "ubigint",
        "uinteger",
        "serial",
        "bigserial",
        "number",
        "numeric",
        "decimal",
        "float",
        "double",
        "real",
    ]) {
        Some(Family::Number)
    } else {
        None
    }
}

/// Whether a type's values are made of others.
fn is_composed(name: &str) -> bool {
    let name = name.trim().to_lowercase();
    let mut words = ["array", "list", "map", "struct"].iter();
    let is_named = |word: &&str| {
        let rest = name.strip_prefix(*word);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['(', '<']))
    };
    name.ends_with("[]") || words.any(is_named)
}

/// A column whose listed type cannot be the one that selecting it tells, with what was expected instead.
///
/// A driver may hand out as text what has no type of its own there, so that text proves nothing.
pub(crate) fn contradiction<'l>(
    selected: &[Column],
    listed: impl Iterator<Item = &'l str> + Clone,
    hidden: Hidden,
) -> Option<(usize, String)> {
    // Unless it calls types as the catalogue does; somebody else's types may be called anything.
    let mut named = selected.iter().zip(listed.clone());
    let is_of_catalogue = hidden == Hidden::No
        && named.any(|(column, listed)| column.type_name.eq_ignore_ascii_case(listed));
    let mut seen: BTreeMap<&str, (Family, usize)> = BTreeMap::new();
    for (place, (column, listed)) in selected.iter().zip(listed).enumerate() {
        let Some(told) = family(&column.type_name) else {
            continue;
        };
        let fits = match (told, family(listed)) {
            (Family::Text, named) => {
                let may_be = |named: Family| named == Family::Text || named.is_moment();
                !is_of_catalogue || named.is_none_or(may_be)
            }
            (_, None) => !is_composed(listed),
            (Family::Number | Family::Boolean, Some(named)) => {
                matches!(named, Family::Number | Family::Boolean)
            }
            (Family::Date | Family::TimeOfDay | Family::Timestamp, Some(named)) => {
                named.is_moment()
            }
        };
        if !fits || is_of_another_kind(listed, &column.type_name, hidden) {
            return Some((
                place,
                format!("a type for what the driver calls {}", column.type_name),
            ));
        }
        let (before, other) = *seen.entry(listed).or_insert((told, place));
        if (before == Family::Text) != (told == Family::Text) {
            let other = &selected[other];
            return Some((
                place,
                format!(
                    "another type than that of `{}`, which the driver calls {}",
                    other.name, other.type_name
                ),
            ));
        }
    }
    None
}

/// Whether a type of more bits is listed for what the driver says are whole numbers, or one of fractions or of two values
/// for those of a table that was made here.
fn is_of_another_kind(listed: &str, told: &str, hidden: Hidden) -> bool {
    let [listed, told] = [listed, told].map(|name| name.trim().to_lowercase());
    let is_of = |names: &[&str]| names.contains(&told.as_str());
    let begins = |name: &&str| listed.starts_with(name);
    is_of(&["int32", "int16", "integer", "int4", "int2", "smallint"]) && begins(&"bigint")
        || hidden == Hidden::No
            && is_of(&["integer", "int", "bigint", "int32", "int64"])
            && ["real", "double", "float", "bool"].iter().any(begins)
}

/// Whether what is listed stands beside types in catalogues and is none: the beginning of a name, a function that reads
/// or writes values, a collation, or brackets for a length that there is not.
pub(crate) fn is_no_name(listed: &str) -> bool {
    let listed = listed.trim().to_lowercase();
    let ends = |ends: &[&str]| ends.iter().any(|end| listed.ends_with(end));
    let is_function = ["in", "out", "recv", "send"].iter().any(|end| {
        let of_type = listed
            .strip_suffix(end)
            .map(|name| name.trim_end_matches('_'));
        of_type.is_some_and(|name| family(name).is_some() && !name.contains([' ', '(']))
    });
    is_cut(&listed)
        || is_function
        || !listed.contains("collate") && ends(&["_ci", "_cs", "_bin", ".utf8", ".utf-8"])
        || ["default", "posix", "nocase", "rtrim"].contains(&listed.as_str())
        || listed.ends_with("()")
}

/// Whether what is listed for a type says as well that a column may, or may not, be NULL.
pub(crate) fn tells_of_null(listed: &str) -> bool {
    let mut words = listed.split_whitespace();
    words
        .next_back()
        .is_some_and(|last| last.eq_ignore_ascii_case("null"))
        && words.next().is_some()
}

/// Whether what is listed is the beginning of a type's name, and no shorter name for one.
fn is_cut(listed: &str) -> bool {
    let whole = "integer bigint smallint varchar character timestamp datetime decimal numeric boolean double float string text";
    let shorter = ["int", "char", "time", "date", "dec", "bool", "str"];
    let begins = |name: &str| name.starts_with(listed) && name != listed;
    whole.split(' ').any(begins) && !shorter.contains(&listed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contradicts(columns: &[(&str, &str)]) -> Option<usize> {
        let selected: Vec<Column> = columns
            .iter()
            .map(|(told, _)| Column {
                name: "c".to_owned(),
                type_name: (*told).to_owned(),
            })
            .collect();
        let listed = columns.iter().map(|(_, listed)| *listed);
        contradiction(&selected, listed, Hidden::No).map(|(place, _)| place)
    }

    #[test]
    fn types_that_fit_are_left_alone() {
        for columns in [
            [
                ("Int32", "integer"),
                ("Utf8", "character varying(40)"),
                ("Timestamp(Microsecond, None)", "timestamp"),
            ],
            [
                ("Boolean", "tinyint(1)"),
                ("Utf8", "numeric(10,2)"),
                ("Utf8", "text"),
            ],
            [("", "ANY"), ("text", "ANY"), ("Int64", "oid")],
            [
                ("Int64", "integer"),
                ("Int64", "bigint"),
                ("INTEGER", "INT64"),
            ],
            [
                ("INTEGER", "Nullable(Int32)"),
                ("Date32", "DATE"),
                ("month_day_nano", "interval"),
            ],
        ] {
            assert_eq!(contradicts(&columns), None, "{columns:?}");
        }
    }

    #[test]
    fn what_is_no_type_alone_is_found() {
        let names = "inte varc INTEGE times int4in timestamp_in textrecv utf8mb4_general_ci default integer()";
        for listed in names.split(' ') {
            assert!(is_no_name(listed), "{listed}");
        }
        assert!(is_no_name("varchar(40) utf8mb4_general_ci"));
        for listed in ["integer NOT NULL", "varchar(40) null"] {
            assert!(tells_of_null(listed), "{listed}");
        }
        for listed in [
            "int",
            "char",
            "TEXT",
            "date",
            "time",
            "INT64",
            "dec",
            "NULL",
            "\"NULL\"",
            "Nullable(Int32)",
            "double precision",
            "character varying(40)",
            "bigint",
            "varbinary(8)",
            "varchar(40) collate utf8mb4_bin",
            "decimal(10, 2)",
        ] {
            assert!(!is_no_name(listed) && !tells_of_null(listed), "{listed}");
        }
    }

    #[test]
    fn types_that_cannot_be_are_found() {
        assert_eq!(contradicts(&[("Utf8", "text"), ("Int32", "text")]), Some(1));
        assert_eq!(
            contradicts(&[("Timestamp(Microsecond, None)", "integer")]),
            Some(0)
        );
        assert_eq!(contradicts(&[("Int32", "integer[]")]), Some(0));
        assert_eq!(contradicts(&[("Int32", "bigint")]), Some(0));
        assert_eq!(contradicts(&[("INTEGER", "REAL")]), Some(0));
        assert_eq!(contradicts(&[("Int64", "boolean")]), Some(0));
        assert_eq!(
            contradicts(&[("INTEGER", "integer"), ("TEXT", "NUMERIC")]),
            Some(1)
        );
        // Older protocols have no such types and tell texts.
        assert_eq!(
            contradicts(&[("int", "int"), ("nvarchar", "datetime2")]),
            None
        );
        assert_eq!(contradicts(&[("Int32", "blub"), ("Utf8", "blub")]), Some(1));
    }
}
