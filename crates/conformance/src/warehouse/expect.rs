//! What must come back, and whether it did.

use std::str::FromStr;

use bigdecimal::{BigDecimal, Zero};
use bowline_driver::{ResultSet, Value};
use jiff::Timestamp;
use jiff::civil::{DateTime, Time};
use serde::Deserialize;

use crate::warehouse::judge::{Judged, wrong};
use crate::warehouse::reading;
use crate::warehouse::success::Yield;
use crate::warehouse::value_kind::ValueKind;
use bowline_query::read_flag;

/// What a statement must give. Every key that is set must hold.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    /// This number, at most `within` away.
    pub(crate) number: Option<f64>,
    #[serde(default)]
    pub(crate) within: f64,
    /// Exactly this number, which is compared digit by digit.
    pub(crate) exact: Option<String>,
    /// Text in which these whole numbers stand, in this order, and no others.
    pub(crate) numbers: Option<Vec<String>>,
    /// Whether it is as good when the database refuses the statement.
    #[serde(default)]
    pub(crate) or_refused: bool,
    /// One of these numbers, at most `within` away.
    pub(crate) either: Option<Vec<f64>>,
    /// A number between these two, both included.
    pub(crate) between: Option<[f64; 2]>,
    /// NULL; with another key, NULL is as good.
    pub(crate) null: Option<bool>,
    /// Exactly this text.
    pub(crate) text: Option<String>,
    /// Text that holds all of these.
    pub(crate) contains: Option<Vec<String>>,
    /// Text that holds none of these.
    pub(crate) lacks: Option<Vec<String>>,
    /// Some text that is not blank.
    pub(crate) some_text: Option<bool>,
    /// Something that is not NULL.
    pub(crate) something: Option<bool>,
    /// This truth value.
    pub(crate) truth: Option<bool>,
    /// A timestamp that shows one of these wall clocks, to the second.
    pub(crate) wall_clock: Option<Vec<toml::value::Datetime>>,
    /// A timestamp that shows this wall clock, with the fraction of the second.
    pub(crate) exact_clock: Option<toml::value::Datetime>,
    /// This instant, in whatever zone it is shown.
    pub(crate) instant: Option<toml::value::Datetime>,
    /// A value of this kind by its type; text that spells one is none.
    pub(crate) kind: Option<ValueKind>,
    /// A timestamp that shows midnight, or a date.
    pub(crate) midnight: Option<bool>,
    /// An instant at most this many seconds from when it was asked for.
    pub(crate) near_now: Option<u32>,
    /// A date at most this many days from the day on which it was asked for.
    pub(crate) near_today: Option<u32>,
    /// A timestamp later than this one.
    pub(crate) later_than: Option<toml::value::Datetime>,
    /// These first columns of all rows, in this order, compared as numbers or text.
    pub(crate) rows: Option<Vec<Vec<toml::Value>>>,
    /// This many rows.
    pub(crate) row_count: Option<usize>,
    /// This many columns in every row.
    pub(crate) columns: Option<usize>,
    /// At least two different values in the first column.
    pub(crate) varies: Option<bool>,
    /// Seven weekday numbers in the first column that count up and start again after the seventh.
    pub(crate) weekdays: Option<bool>,
    /// Text that is a flag, as the contract reads flags.
    pub(crate) flag: Option<bool>,
    /// The statement succeeds exactly when the flag template of this name renders to true.
    pub(crate) succeeds_when: Option<String>,
    /// The statement fails exactly when the flag template of this name renders to true.
    pub(crate) fails_when: Option<String>,
}

const DIFFERENT: &str = "different values";
const WEEKDAYS: &str = "seven weekday numbers that count up by one and start again once";

impl Expect {
    /// Judges a text as if a statement had given it.
    pub(crate) fn judge_text(&self, text: &str) -> Judged<()> {
        let result = ResultSet {
            rows: vec![vec![Value::Text(text.to_owned())]],
            ..ResultSet::default()
        };
        self.judge(&result, None)
    }

    /// Judges the result of a statement that was asked at a moment; what was only rendered has none.
    pub(crate) fn judge(&self, result: &ResultSet, asked: Option<Timestamp>) -> Judged<()> {
        match self.mismatch(result, asked) {
            None => Ok(()),
            Some(expected) => Err(wrong(expected, describe(result))),
        }
    }

    /// What was expected, where the result does not have it.
    fn mismatch(&self, result: &ResultSet, asked: Option<Timestamp>) -> Option<String> {
        if let Some(count) = self.row_count
            && result.rows.len() != count
        {
            return Some(format!("{count} rows"));
        }
        if let Some(columns) = self.columns
            && result.rows.iter().any(|row| row.len() != columns)
        {
            return Some(format!("{columns} columns"));
        }
        if let Some(rows) = &self.rows
            && !same_rows(rows, result)
        {
            return Some(format!("the rows {}", spell_rows(rows)));
        }
        let firsts = || result.rows.iter().filter_map(|row| row.first());
        if self.varies == Some(true) && !firsts().any(|value| Some(value) != result.scalar()) {
            return Some(DIFFERENT.to_owned());
        }
        if self.weekdays == Some(true) && !are_weekdays(&firsts().collect::<Vec<_>>()) {
            return Some(WEEKDAYS.to_owned());
        }
        if !self.asks_for_a_value() {
            return None;
        }
        let Some(value) = result.scalar() else {
            return Some(self.in_words());
        };
        let fits = match (value, self.null) {
            (Value::Null, Some(true)) => true,
            (Value::Null, _) => false,
            (_, Some(true)) if !self.asks_beyond_null() => false,
            (value, _) => {
                let column = result.columns.first();
                self.fits(value, column.map_or("", |column| &column.type_name), asked)
            }
        };
        (!fits).then(|| self.in_words())
    }

    /// What a statement that a flag speaks of must give to count as a success.
    pub(crate) fn yields(&self) -> Yield {
        if self.something == Some(true) {
            Yield::Value
        } else if self.row_count == Some(0) {
            Yield::NoRows
        } else {
            Yield::Anything
        }
    }

    /// Whether one value that is not NULL decides it.
    pub(crate) fn is_about_one_value(&self) -> bool {
        let Self {
            rows,
            row_count,
            columns,
            varies,
            weekdays,
            succeeds_when,
            fails_when,
            ..
        } = self;
        let about_rows = rows.is_some()
            || row_count.is_some()
            || columns.is_some()
            || varies.is_some()
            || weekdays.is_some();
        let about_success = succeeds_when.is_some() || fails_when.is_some();
        self.asks_beyond_null() && self.null.is_none() && !about_rows && !about_success
    }

    fn asks_for_a_value(&self) -> bool {
        self.null.is_some() || self.asks_beyond_null()
    }

    fn asks_beyond_null(&self) -> bool {
        let Self {
            number,
            either,
            between,
            text,
            contains,
            lacks,
            some_text,
            something,
            truth,
            wall_clock,
            ..
        } = self;
        number.is_some()
            || self.exact.is_some()
            || self.numbers.is_some()
            || either.is_some()
            || self.flag.is_some()
            || between.is_some()
            || text.is_some()
            || contains.is_some()
            || lacks.is_some()
            || some_text.is_some()
            || something.is_some()
            || truth.is_some()
            || wall_clock.is_some()
            || self.exact_clock.is_some()
            || self.instant.is_some()
            || self.kind.is_some()
            || self.midnight.is_some()
            || self.near_now.is_some()
            || self.near_today.is_some()
            || self.later_than.is_some()
    }

    fn fits(&self, value: &Value, type_name: &str, asked: Option<Timestamp>) -> bool {
        let text = || reading::text(value);
        let number = || reading::float(value);
        self.number
            .is_none_or(|wanted| number().is_some_and(|got| close(got, wanted, self.within)))
            && self
                .exact
                .as_ref()
                .is_none_or(|wanted| reading::digits(value) == BigDecimal::from_str(wanted).ok())
            && self
                .numbers
                .as_ref()
                .is_none_or(|wanted| text().is_some_and(|text| numbers_in(&text) == *wanted))
            && self.either.as_ref().is_none_or(|wanted| {
                number()
                    .is_some_and(|got| wanted.iter().any(|wanted| close(got, *wanted, self.within)))
            })
            && self
                .flag
                .is_none_or(|_| text().is_some_and(|text| read_flag(&text).is_some()))
            && self
                .between
                .is_none_or(|[low, high]| number().is_some_and(|got| (low..=high).contains(&got)))
            && self
                .text
                .as_ref()
                .is_none_or(|wanted| text().as_ref() == Some(wanted))
            && self.contains.as_ref().is_none_or(|parts| {
                text().is_some_and(|text| parts.iter().all(|part| text.contains(part.as_str())))
            })
            && self.lacks.as_ref().is_none_or(|parts| {
                text().is_some_and(|text| !parts.iter().any(|part| text.contains(part.as_str())))
            })
            && self
                .some_text
                .is_none_or(|_| text().is_some_and(|text| !text.trim().is_empty()))
            && self
                .truth
                .is_none_or(|wanted| reading::truth(value) == Some(wanted))
            && self.wall_clock.as_ref().is_none_or(|wanted| {
                reading::wall_clock(value)
                    .map(to_second)
                    .is_some_and(|got| wanted.iter().any(|wanted| civil(wanted) == Some(got)))
            })
            && self.exact_clock.as_ref().is_none_or(|wanted| {
                reading::wall_clock(value).is_some_and(|got| civil(wanted) == Some(got))
            })
            && self.instant.as_ref().is_none_or(|wanted| {
                let wanted = civil(wanted).map(Value::Timestamp);
                reading::instant(value) == wanted.as_ref().and_then(reading::instant)
            })
            && self.kind.is_none_or(|kind| kind.holds(value, type_name))
            && self.midnight.is_none_or(|_| {
                reading::wall_clock(value).is_some_and(|at| at.time() == Time::midnight())
            })
            && self.near_now.is_none_or(|seconds| {
                reading::instant(value).zip(asked).is_some_and(|(at, now)| {
                    at.duration_since(now).as_secs().unsigned_abs() <= u64::from(seconds)
                })
            })
            && self.near_today.is_none_or(|days| {
                reading::wall_clock(value)
                    .zip(asked)
                    .is_some_and(|(at, now)| {
                        let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
                        at.date().duration_since(today).as_secs().unsigned_abs()
                            <= u64::from(days) * 86_400
                    })
            })
            && self.later_than.as_ref().is_none_or(|start| {
                reading::wall_clock(value)
                    .is_some_and(|at| civil(start).is_some_and(|start| at > start))
            })
    }

    /// What is expected, in words a person reads after "expected".
    pub(crate) fn in_words(&self) -> String {
        let mut words = Vec::new();
        if let Some(number) = self.number {
            words.push(if self.within.is_zero() {
                format!("{number}")
            } else {
                format!("{number} ± {}", self.within)
            });
        }
        if let Some(number) = &self.exact {
            words.push(format!("exactly {number}"));
        }
        if let Some(numbers) = &self.numbers {
            words.push(format!("text that lists {}", numbers.join(", ")));
        }
        if let Some(numbers) = &self.either {
            words.push(
                numbers
                    .iter()
                    .map(f64::to_string)
                    .collect::<Vec<_>>()
                    .join(" or "),
            );
        }
        if self.flag.is_some() {
            words.push("`true` or `false`".to_owned());
        }
        if let Some([low, high]) = self.between {
            words.push(format!("a number between {low} and {high}"));
        }
        if let Some(text) = &self.text {
            words.push(format!("the text '{text}'"));
        }
        if let Some(parts) = &self.contains {
            words.push(format!("text that holds {}", quoted(parts)));
        }
        if let Some(parts) = &self.lacks {
            words.push(format!("text without {}", quoted(parts)));
        }
        if self.some_text.is_some() {
            words.push("some text".to_owned());
        }
        if self.something.is_some() {
            words.push("something other than NULL".to_owned());
        }
        if let Some(truth) = self.truth {
            words.push(truth.to_string());
        }
        if let Some(moments) = &self.wall_clock {
            let moments = moments.iter().map(spell_moment).collect::<Vec<_>>();
            words.push(format!("a timestamp that shows {}", moments.join(" or ")));
        }
        if let Some(at) = &self.exact_clock {
            words.push(format!("a timestamp that shows {}", spell_moment(at)));
        }
        if let Some(at) = &self.instant {
            words.push(format!("the instant {} in UTC", spell_moment(at)));
        }
        if let Some(kind) = self.kind {
            words.push(kind.words().to_owned());
        }
        if self.midnight.is_some() {
            words.push("a date, or a timestamp that shows midnight".to_owned());
        }
        if let Some(seconds) = self.near_now {
            words.push(format!("an instant within {seconds} s of now"));
        }
        if let Some(days) = self.near_today {
            words.push(format!("a date within {days} d of today"));
        }
        if let Some(at) = &self.later_than {
            words.push(format!("a timestamp later than {}", spell_moment(at)));
        }
        if let Some(count) = self.row_count {
            words.push(format!("{count} rows"));
        }
        if let Some(columns) = self.columns {
            words.push(format!("{columns} columns"));
        }
        if let Some(rows) = &self.rows {
            words.push(format!("the rows {}", spell_rows(rows)));
        }
        if self.varies == Some(true) {
            words.push(DIFFERENT.to_owned());
        }
        if self.weekdays == Some(true) {
            words.push(WEEKDAYS.to_owned());
        }
        let mut words = words.join(", ");
        match (self.null, words.is_empty()) {
            (Some(true), true) => words.push_str("NULL"),
            (Some(true), false) => words.push_str(", or NULL"),
            (_, true) => words.push_str("no error"),
            (_, false) => {}
        }
        words
    }
}

fn close(got: f64, wanted: f64, within: f64) -> bool {
    // Databases may compute in binary floats; a part in a million million is none of a template's making.
    (got - wanted).abs() <= within.max(wanted.abs() * 1e-12)
}

/// The runs of digits in a text.
fn numbers_in(text: &str) -> Vec<&str> {
    let parts = text.split(|character: char| !character.is_ascii_digit());
    parts.filter(|part| !part.is_empty()).collect()
}

fn to_second(at: DateTime) -> DateTime {
    at.with().subsec_nanosecond(0).build().unwrap_or(at)
}

/// A TOML date or datetime as a civil one.
pub(crate) fn civil(at: &toml::value::Datetime) -> Option<DateTime> {
    let text = at.to_string();
    text.parse::<DateTime>()
        .or_else(|_| text.parse::<jiff::civil::Date>().map(Into::into))
        .ok()
}

fn spell_moment(at: &toml::value::Datetime) -> String {
    at.to_string().replace('T', " ")
}

fn are_weekdays(values: &[&Value]) -> bool {
    let numbers: Option<Vec<BigDecimal>> =
        values.iter().map(|value| reading::number(value)).collect();
    let Some(numbers) = numbers.filter(|numbers| numbers.len() == 7) else {
        return false;
    };
    let (one, back) = (BigDecimal::from(1), BigDecimal::from(-6));
    let steps = || {
        numbers
            .iter()
            .zip(numbers.iter().cycle().skip(1))
            .map(|(day, next)| next - day)
    };
    steps().filter(|step| *step == one).count() == 6
        && steps().filter(|step| *step == back).count() == 1
}

fn same_rows(wanted: &[Vec<toml::Value>], result: &ResultSet) -> bool {
    wanted.len() == result.rows.len()
        && wanted.iter().zip(&result.rows).all(|(wanted, row)| {
            wanted.len() <= row.len()
                && wanted
                    .iter()
                    .zip(row)
                    .all(|(wanted, value)| same_cell(wanted, value))
        })
}

fn same_cell(wanted: &toml::Value, value: &Value) -> bool {
    match wanted {
        toml::Value::String(text) => reading::text(value).as_ref() == Some(text),
        toml::Value::Integer(number) => reading::number(value) == Some(BigDecimal::from(*number)),
        toml::Value::Float(number) => {
            reading::float(value).is_some_and(|got| close(got, *number, 0.0))
        }
        toml::Value::Boolean(truth) => reading::truth(value) == Some(*truth),
        toml::Value::Table(table) => table.contains_key("null") && *value == Value::Null,
        toml::Value::Datetime(_) | toml::Value::Array(_) => false,
    }
}

fn spell_rows(rows: &[Vec<toml::Value>]) -> String {
    let cell = |cell: &toml::Value| match cell {
        toml::Value::Table(_) => "NULL".to_owned(),
        toml::Value::String(text) => format!("'{text}'"),
        other => other.to_string(),
    };
    let row = |row: &Vec<toml::Value>| {
        format!("({})", row.iter().map(cell).collect::<Vec<_>>().join(", "))
    };
    rows.iter().map(row).collect::<Vec<_>>().join(", ")
}

fn quoted(parts: &[String]) -> String {
    parts
        .iter()
        .map(|part| format!("'{part}'"))
        .collect::<Vec<_>>()
        .join(" and ")
}

/// What came back, in words.
pub(crate) fn describe(result: &ResultSet) -> String {
    const ROWS: usize = 5;
    match result.rows.as_slice() {
        [] => "no rows".to_owned(),
        [row] => match row.as_slice() {
            [value] => spell(value),
            row => spell_row(row),
        },
        rows => {
            let shown = rows
                .iter()
                .take(ROWS)
                .map(|row| spell_row(row))
                .collect::<Vec<_>>()
                .join(", ");
            match rows.len() {
                count if count > ROWS => format!("{count} rows: {shown}, …"),
                count => format!("{count} rows: {shown}"),
            }
        }
    }
}

fn spell_row(row: &[Value]) -> String {
    format!("({})", row.iter().map(spell).collect::<Vec<_>>().join(", "))
}

/// A value as a person writes it, text in quotes.
pub fn spell(value: &Value) -> String {
    const CHARACTERS: usize = 200;
    match value {
        Value::Text(text) if text.chars().count() > CHARACTERS => {
            format!("'{}…'", text.chars().take(CHARACTERS).collect::<String>())
        }
        Value::Text(text) => format!("'{text}'"),
        Value::Null => "NULL".to_owned(),
        other => other.to_string(),
    }
}
