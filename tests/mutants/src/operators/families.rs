//! Words taken for others of their family.

use crate::operators::{Right, Wrong};
use crate::tokens::{Kind, Place};

/// Words and signs that are taken for each other. What a database does not know, it refuses.
const FAMILIES: &[&[&str]] = &[
    &[
        "AVG",
        "SUM",
        "MIN",
        "MAX",
        "COUNT",
        "MEDIAN",
        "MODE",
        "ANY_VALUE",
        "FIRST",
        "LAST",
        "STDDEV",
        "TOTAL",
        "BOOL_AND",
    ],
    &[
        "STDDEV_SAMP",
        "STDDEV_POP",
        "VAR_SAMP",
        "VAR_POP",
        "STDDEV",
        "VARIANCE",
        "STD",
        "SUM",
        "AVG",
        "MAX",
    ],
    &[
        "QUANTILE_CONT",
        "QUANTILE_DISC",
        "PERCENTILE_CONT",
        "PERCENTILE_DISC",
        "APPROX_QUANTILE",
        "MAX",
        "MIN",
        "AVG",
    ],
    &[
        "FLOOR", "CEIL", "ROUND", "TRUNC", "TRUNCATE", "ABS", "SIGN", "SQRT",
    ],
    &[
        "LENGTH",
        "CHAR_LENGTH",
        "OCTET_LENGTH",
        "BIT_LENGTH",
        "LEN",
        "STRLEN",
        "UNICODE",
        "ASCII",
    ],
    &["SUBSTR", "SUBSTRING", "LEFT", "RIGHT"],
    &[
        "ARRAY_LENGTH",
        "CARDINALITY",
        "JSON_LENGTH",
        "JSON_ARRAY_LENGTH",
        "LEN",
        "LENGTH",
        "COUNT",
    ],
    &[
        "JSON_ARRAY",
        "JSON_OBJECT",
        "JSON_ARRAY_LENGTH",
        "JSON_QUOTE",
    ],
    &["RANDOM", "RAND", "PI", "NOW"],
    &[
        "DOW",
        "DOY",
        "ISODOW",
        "DAY",
        "DAYOFWEEK",
        "DAYOFYEAR",
        "DAYOFMONTH",
        "WEEKDAY",
        "HOUR",
        "MONTH",
        "QUARTER",
        "YEAR",
        "WEEK",
        "MINUTE",
        "SECOND",
        "EPOCH",
        "MICROSECOND",
        "MICROSECONDS",
        "MILLISECOND",
        "DECADE",
    ],
    &[
        "DAYS", "HOURS", "WEEKS", "MONTHS", "YEARS", "MINUTES", "SECONDS",
    ],
    &["<", "<=", ">", ">=", "=", "<>"],
    &["+", "-", "*"],
    &["/", "*", "%", "DIV", "//"],
    &["AND", "OR"],
    &["ASC", "DESC"],
    &["~", "~*", "!~", "LIKE", "=", "SIMILAR TO", "REGEXP", "GLOB"],
    &["TRUE", "FALSE", "NULL"],
    &["UNION", "EXCEPT", "INTERSECT"],
    &["ALL", "DISTINCT"],
    &["CAST", "TRY_CAST"],
    &["NULLIF", "COALESCE", "GREATEST", "LEAST", "IFNULL"],
    &[
        "CASE", "UPPER", "LOWER", "TRIM", "LTRIM", "RTRIM", "REVERSE",
    ],
    &["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"],
    &[
        "CURRENT_DATE",
        "CURRENT_TIMESTAMP",
        "LOCALTIMESTAMP",
        "CURRENT_TIME",
    ],
    &["UTC_TIMESTAMP", "UTC_DATE", "UTC_TIME", "NOW", "CURDATE"],
    &["date_expr1", "date_expr2"],
    &["first", "last"],
    &["index", "index0", "length", "revindex"],
    &["isoformat", "date", "ctime"],
    &["lower", "upper", "trim", "title", "capitalize"],
    &[
        "subsec",
        "localtime",
        "utc",
        "start of day",
        "start of month",
        "start of year",
    ],
];

/// A word or sign taken for another of its family, wherever it stands.
pub(super) fn swapped(right: &Right<'_>) -> Vec<Wrong> {
    let source = &right.source;
    let mut wrong = Vec::new();
    for (number, token) in source.tokens.iter().enumerate() {
        let is_word = matches!(token.kind, Kind::Word);
        let is_sign = token.kind == Kind::Sign && token.place == Place::Sql;
        if !is_word && !is_sign {
            continue;
        }
        let own = source.of(token);
        let families = FAMILIES
            .iter()
            .filter(|family| family.iter().any(|word| word.eq_ignore_ascii_case(own)));
        for other in families.flat_map(|family| family.iter()) {
            if other.eq_ignore_ascii_case(own) {
                continue;
            }
            // Jinja's names and the words that it compares are small.
            let is_small = token.place != Place::Sql && !own.chars().any(char::is_uppercase);
            let other = if is_small && is_word {
                other.to_lowercase()
            } else {
                (*other).to_owned()
            };
            let text = source.with(vec![(token.range.clone(), other.clone())]);
            wrong.push((format!("{own} is {other} (token {})", number + 1), text));
        }
    }
    wrong
}
