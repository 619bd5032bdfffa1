//! The rows that spellings are compared over, and whether two answers say the same.

use bigdecimal::{BigDecimal, ToPrimitive};
use bowline_driver::{ResultSet, SqlError, Value};
use bowline_query::{Clock, Literal, Rows};
use jiff::civil::DateTime;
use jiff::{Timestamp, ToSpan};
use serde::Deserialize;

/// Names of rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Over {
    #[default]
    One,
    /// `n` and `i`: numbers.
    Numbers,
    /// `f`: numbers with a NaN.
    Floats,
    /// `t`: texts.
    Texts,
    /// `t`: texts that spell numbers.
    Spelled,
    /// `t`: texts that spell timestamps.
    Stamps,
    /// `t`: texts that spell timestamps, and texts that do not.
    SpelledStamps,
    /// `d` and `e`: timestamps.
    Times,
    /// `d`: dates.
    Dates,
    /// `n`: seconds since 1970.
    Epochs,
    /// `d`: timestamps around now.
    Recent,
}

const NUMBERS: &[(&str, &str)] = &[
    ("1", "1"),
    ("2", "2"),
    ("2", "3"),
    ("2.5", "-2"),
    ("0", "0"),
    ("-1", "5"),
    ("NULL", "4"),
    ("3", "NULL"),
    ("-0.5", "2"),
    ("100", "7"),
    ("1.0000001", "9"),
    ("123456.789", "10"),
    ("0.125", "3"),
    ("7", "100"),
    ("-100", "-100"),
    ("NULL", "NULL"),
    ("9", "2"),
    ("10", "3"),
    ("99999", "8"),
    ("16777217", "33554433"),
    ("0.001", "1"),
    ("3", "3"),
    ("1", "-7"),
    ("-3.75", "6"),
];

const TEXTS: &[Option<&str>] = &[
    Some("abc"),
    Some("ABC"),
    Some("abc"),
    None,
    Some(""),
    Some(" "),
    Some("  ab"),
    Some("ab  "),
    Some("a1"),
    Some("12"),
    Some("ä"),
    Some("Ä"),
    Some("東京"),
    Some("it's"),
    Some("a-b"),
    Some("x\"y"),
    Some("100%"),
    Some("a_b"),
    Some("\\d"),
    Some("D"),
    Some("d"),
    Some("Abc"),
    Some("a\nb"),
    Some("a.c"),
    Some("{2}"),
    Some("NULL"),
    Some("0"),
    Some("🪢"),
    Some("a text that is longer than thirty letters, by some"),
    Some("b"),
    Some("B"),
    Some("a\tb"),
    Some("null"),
    Some("abcabc"),
];

const SPELLED: &[Option<&str>] = &[
    Some("1"),
    Some("2.5"),
    None,
    Some("-3"),
    Some("0"),
    Some("0.1"),
    Some("0.2"),
    Some("123456.789"),
    Some("3.14159"),
    Some("16777217"),
    Some("123456789012"),
    Some("1234567.891"),
    Some("0.000001"),
    Some("-0.5"),
    Some("99999.99999"),
    Some("2147483648"),
    Some("12345678.12345"),
];

const STAMPS: &[Option<&str>] = &[
    Some("2024-06-15 10:30:45"),
    Some("2024-06-15 00:00:00"),
    None,
    Some("1969-12-31 23:59:59"),
    Some("2039-01-02 03:04:05"),
    Some("2024-02-29 12:00:00"),
    Some("2024-12-31 23:59:59"),
    Some("2024-06-15 10:30:45.123456"),
    Some("2024-06-15 10:30:45.5"),
    Some("1900-01-01 00:00:01"),
    Some("2024-06-15"),
    Some("2024-06-15 10:30:45+02:00"),
    Some("2024-06-15 10:30:45-05:30"),
];

const NO_STAMPS: &[Option<&str>] = &[
    Some("hello"),
    Some(""),
    Some(" "),
    Some("2024-13-01"),
    Some("2024-02-30"),
    Some("2024-06-31 10:00:00"),
    Some("2023-02-29"),
    Some("2024 apples"),
    Some("12"),
    Some("2024"),
    Some("10:30"),
    Some("infinity"),
    Some("now"),
    Some("epoch"),
    Some("2024-06-15 25:00:00"),
    Some("2024-06-15 10:60:00"),
    Some("2024-06-15 10:30:61"),
    Some("15.06.2024"),
    Some("2024-06-15x"),
    Some("x2024-06-15"),
    Some("2024-06-15 10:30:45 more"),
    Some("2000-02-29"),
    Some("1900-02-29"),
    Some("2024-00-10"),
    Some("2024-01-00"),
    Some("NULL"),
    Some("2024-06-15T10:30:45Z"),
];

const TIMES: &[Option<(&str, &str)>] = &[
    Some(("2024-06-15 10:30:45", "2024-06-16 09:00:00")),
    Some(("2024-06-15 00:00:00", "2024-06-15 23:59:59")),
    None,
    Some(("2024-12-31 23:59:59", "2025-01-01 00:00:00")),
    Some(("1969-12-31 23:59:59", "1970-01-01 00:00:00")),
    Some(("2039-01-02 03:04:05", "2024-02-29 12:00:00")),
    Some(("2024-06-16 12:00:00", "2024-06-17 00:00:00")),
    Some(("2024-06-10 00:00:00", "2024-06-09 23:59:59")),
    Some(("2024-06-11 08:00:00", "2024-06-18 07:00:00")),
    Some(("2024-06-12 08:00:00", "2024-07-11 07:00:00")),
    Some(("2024-06-13 08:00:00", "2025-06-12 07:00:00")),
    Some(("2024-06-14 08:15:30", "2024-06-14 08:15:29")),
    Some(("2024-03-31 02:30:00", "2024-01-01 00:00:00")),
    Some(("2024-06-15 10:30:45.123456", "2024-06-15 10:30:45.9")),
    Some(("2024-05-31 23:00:00", "2024-06-30 00:00:00")),
    Some(("2023-01-01 00:00:00", "2022-12-31 00:00:00")),
    Some(("1900-01-01 05:06:07", "2000-01-01 00:00:00")),
    Some(("2024-10-27 02:30:00", "2024-04-01 00:00:00")),
];

/// Hours from now, most of them where a window begins or ends.
const HOURS: &[i64] = &[
    0,
    -1,
    -2,
    -5,
    -8,
    -9,
    -12,
    -20,
    -23,
    -25,
    -26,
    -30,
    -31,
    -36,
    -47,
    -49,
    -72,
    -24 * 6,
    -24 * 7 + 1,
    -24 * 7 - 1,
    -24 * 8,
    -24 * 10,
    -24 * 13,
    -24 * 15,
    -24 * 17,
    -24 * 20,
    -24 * 24,
    -24 * 28,
    -24 * 29,
    -24 * 31,
    -24 * 33,
    -24 * 36,
    -24 * 45,
    -24 * 50,
    -24 * 61,
    -24 * 65,
    -24 * 90,
    -24 * 400,
    1,
    2,
    12,
    24,
    30,
    24 * 7,
    24 * 32,
];

fn text(text: &str) -> Literal {
    Literal::Text(text.to_owned())
}

fn moment(text: &str) -> Literal {
    let at: DateTime = text
        .parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"));
    Literal::DateTime(at)
}

impl Over {
    pub(crate) fn rows(self, now: Timestamp) -> Rows {
        let texts = |texts: &[Option<&str>]| -> Vec<Vec<Literal>> {
            let cells = texts.iter();
            cells
                .map(|cell| vec![cell.map_or(Literal::Null, text)])
                .collect()
        };
        let numbers = |numbers: &[&str]| -> Vec<Vec<Literal>> {
            let cells = numbers.iter();
            cells
                .map(|number| vec![Literal::Number((*number).to_owned())])
                .collect()
        };
        let (columns, cells): (&[&str], Vec<Vec<Literal>>) = match self {
            Self::One => (&[], vec![vec![]]),
            Self::Numbers => {
                let number = |number: &&str| Literal::Number((*number).to_owned());
                let pairs = NUMBERS.iter();
                (
                    &["n", "i"],
                    pairs.map(|(n, i)| vec![number(n), number(i)]).collect(),
                )
            }
            Self::Floats => {
                let nan = || Literal::Sql("CAST('NaN' AS DOUBLE PRECISION)".to_owned());
                let float =
                    |number: &str| Literal::Sql(format!("CAST({number} AS DOUBLE PRECISION)"));
                let cells = [
                    float("1.5"),
                    nan(),
                    float("NULL"),
                    float("0"),
                    float("-1"),
                    nan(),
                    float("'Infinity'"),
                    float("'-Infinity'"),
                    float("1e300"),
                ];
                (&["f"], cells.map(|cell| vec![cell]).to_vec())
            }
            Self::Texts => (&["t"], texts(TEXTS)),
            Self::Spelled => (&["t"], texts(SPELLED)),
            Self::Stamps => (&["t"], texts(STAMPS)),
            Self::SpelledStamps => (&["t"], texts(&[STAMPS, NO_STAMPS].concat())),
            Self::Times => {
                let pairs = TIMES.iter();
                let cells = pairs.map(|pair| match pair {
                    Some((d, e)) => vec![moment(d), moment(e)],
                    None => vec![Literal::Null, Literal::Null],
                });
                (&["d", "e"], cells.collect())
            }
            Self::Dates => {
                let days = [
                    "2024-06-15",
                    "1969-12-31",
                    "2039-01-02",
                    "2024-02-29",
                    "2000-01-01",
                ];
                let date = |day: &str| Literal::Date(day.parse().unwrap_or_default());
                let cells = days.iter().map(|day| vec![date(day)]);
                (&["d"], cells.chain([vec![Literal::Null]]).collect())
            }
            Self::Epochs => (
                &["n"],
                numbers(&[
                    "1718447445",
                    "0",
                    "NULL",
                    "-1",
                    "1718447445.5",
                    "1718447445.123456",
                    "2177452800",
                    "-86400.25",
                    "1",
                    "86400",
                ]),
            ),
            Self::Recent => {
                let now = Clock::at(now).moment("now").unwrap_or_default();
                let at = |hours: &i64| {
                    Literal::DateTime(
                        now.saturating_add(hours.hours())
                            .saturating_add(7.minutes()),
                    )
                };
                let midnight = |days: i64, seconds: i64| {
                    let day = now.date().to_datetime(jiff::civil::Time::midnight());
                    Literal::DateTime(
                        day.saturating_add(days.days())
                            .saturating_add(seconds.seconds()),
                    )
                };
                let mut cells: Vec<Literal> = HOURS.iter().map(at).collect();
                cells.push(Literal::Null);
                let last_tenth = |days: i64| {
                    let next = now.date().to_datetime(jiff::civil::Time::midnight());
                    let next = next.saturating_add(days.days());
                    Literal::DateTime(next.saturating_sub(100.milliseconds()))
                };
                cells.extend([last_tenth(0), last_tenth(-1)]);
                for days in -35..=2 {
                    cells.extend([midnight(days, 0), midnight(days, -1)]);
                }
                (&["d"], cells.into_iter().map(|cell| vec![cell]).collect())
            }
        };
        let columns = std::iter::once("id").chain(columns.iter().copied());
        let values = cells.into_iter().enumerate().map(|(number, cells)| {
            let id = Literal::Number((number + 1).to_string());
            std::iter::once(id).chain(cells).collect()
        });
        Rows {
            columns: columns.map(str::to_owned).collect(),
            values: values.collect(),
        }
    }
}

/// What a database answered, or that it refused.
pub(crate) type Answer = Result<ResultSet, SqlError>;

/// Whether two answers say the same; what is refused says nothing, whatever the words.
pub(crate) fn same(ours: &Answer, theirs: &Answer) -> bool {
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => {
            let rows = ours.rows.iter().zip(&theirs.rows);
            ours.rows.len() == theirs.rows.len()
                && rows.into_iter().all(|(ours, theirs)| {
                    let cells = ours.iter().zip(theirs);
                    ours.len() == theirs.len() && cells.into_iter().all(|(a, b)| same_value(a, b))
                })
        }
        (Err(_), Err(_)) => true,
        _ => false,
    }
}

/// The same value; the types that hold numbers are one.
fn same_value(ours: &Value, theirs: &Value) -> bool {
    match (number(ours), number(theirs)) {
        (Some(ours), Some(theirs)) => {
            (ours.is_nan() && theirs.is_nan())
                || ours == theirs
                || (ours - theirs).abs() <= 1e-12 * ours.abs().max(theirs.abs())
        }
        _ => ours == theirs,
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(number) => BigDecimal::from(*number).to_f64(),
        Value::Decimal(number) => number.to_f64(),
        Value::Float(number) => Some(*number),
        Value::Boolean(flag) => Some(f64::from(u8::from(*flag))),
        _ => None,
    }
}
