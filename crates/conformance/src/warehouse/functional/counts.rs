//! What is told of tables with rows: their counts, sizes and times of change.

use bigdecimal::{BigDecimal, ToPrimitive, Zero};
use bowline_driver::{ResultSet, Value};
use jiff::{SignedDuration, Timestamp};

use super::table::Rows;
use crate::warehouse::judge::{Judged, wrong};
use crate::warehouse::metadata::Table;
use crate::warehouse::outcome::{Outcome, Proof};

/// Few enough to tell what rounds, and in the one table enough to tell what stops at a hundred.
pub(super) const ROWS: i64 = 107;
pub(super) const KEPT_ROWS: i64 = 3;
/// How many times as many, or as few, rows a count of a few may say: it may be an estimate.
const ESTIMATE: f64 = 1.5;
/// How much smaller than its values' texts a table may be.
const COMPRESSED: usize = 8;
/// The least bytes that a row takes, compressed.
pub(super) const ROW_BYTES: i64 = 2;
/// How far a time may be off: clocks are read, rounded and carried.
const LEEWAY: SignedDuration = SignedDuration::from_secs(2);

/// The signs that a result's values have as text.
pub(super) fn text_length(result: &ResultSet) -> usize {
    let length = |value: &Value| match value {
        Value::Text(text) => text.len(),
        Value::Null => 0,
        other => crate::warehouse::spell(other).len(),
    };
    result.rows.iter().flatten().map(length).sum()
}

/// Judges counts of empty tables and of the same with rows.
pub(super) fn are_near(empty: &Rows, filled: &Rows) -> Judged<()> {
    for row in [&empty.changed, &empty.kept] {
        if let Some(count) = row.row_count.as_ref().filter(|count| !count.is_zero()) {
            return Err(wrong(
                format!("a row_count of 0 for the empty table `{}`", row.name),
                count.to_string(),
            ));
        }
    }
    let filled = [(&filled.changed, ROWS), (&filled.kept, KEPT_ROWS)];
    let said = filled.map(|(row, rows)| {
        (
            row,
            rows,
            row.row_count.as_ref().and_then(BigDecimal::to_f64),
        )
    });
    let mut off = Vec::new();
    for (row, rows, said) in said {
        let (Some(said), Some(there)) = (said, rows.to_f64()) else {
            continue;
        };
        if said > there * ESTIMATE || said < there / ESTIMATE {
            return Err(near(row, rows, said));
        }
        off.push((row, rows, said, said - there));
    }
    match off.as_slice() {
        // An estimate is not off by the same each time.
        [(row, rows, said, first), (.., second)]
            if *first != 0.0 && (first - second).abs() < f64::EPSILON =>
        {
            Err(near(row, *rows, *said))
        }
        _ => Ok(()),
    }
}

fn near(row: &Table, rows: i64, said: f64) -> Outcome {
    wrong(
        format!("a row_count near {rows} for `{}`", row.name),
        said.to_string(),
    )
}

/// Judges sizes: `size` is the length of the first rows as text, `rows` how many there are now.
pub(super) fn are_bytes(seen: &Rows, size: usize, rows: i64) -> Judged<()> {
    let least = BigDecimal::from(i64::try_from(size / COMPRESSED).unwrap_or(i64::MAX))
        .max(BigDecimal::from(rows * ROW_BYTES));
    match &seen.changed.byte_count {
        Some(bytes) if *bytes < least => Err(wrong(
            format!(
                "a byte_count of {least} or more for {rows} rows: bytes, not pages or kilobytes"
            ),
            bytes.to_string(),
        )),
        _ => Ok(()),
    }
}

/// Judges times of the last update: before the last change and after it. `created` is when the first table was made.
pub(super) fn are_timed(
    filled: &Rows,
    now: &Rows,
    [created, from, until]: [Timestamp; 3],
) -> Judged<()> {
    let tables = [&filled.changed, &filled.kept, &now.changed, &now.kept];
    for row in tables.into_iter().chain(&filled.view).chain(&now.view) {
        is_after(row, created)?;
    }
    if let Some(at) = now.changed.last_update_time
        && (at < from - LEEWAY || at > until + LEEWAY)
    {
        return Err(wrong(
            format!(
                "a last_update_time of `{}` from {from} to {until}, when it was changed",
                now.changed.name
            ),
            at.to_string(),
        ));
    }
    stays(&filled.kept, &now.kept)?;
    match (&filled.view, &now.view) {
        (Some(before), Some(now)) => stays(before, now),
        _ => Ok(()),
    }
}

/// Judges that something is said to have changed after it was made.
pub(super) fn is_after(row: &Table, made: Timestamp) -> Judged<()> {
    match row.last_update_time.filter(|at| *at < made - LEEWAY) {
        Some(at) => Err(wrong(
            format!(
                "a last_update_time of `{}` after {made}, when it was made",
                row.name
            ),
            at.to_string(),
        )),
        None => Ok(()),
    }
}

/// Judges that the time of what did not change stays as it was.
pub(super) fn stays(before: &Table, now: &Table) -> Judged<()> {
    match (before.last_update_time, now.last_update_time) {
        (Some(before), Some(after)) if before != after => Err(wrong(
            format!(
                "the last_update_time of `{}` as it was, {before}: it has not changed",
                now.name
            ),
            after.to_string(),
        )),
        _ => Ok(()),
    }
}

pub(super) fn absent(column: &str) -> Outcome {
    Outcome::Unsupported(Proof::Absent(format!("the tables query gives no {column}")))
}

pub(super) fn number(number: Option<&BigDecimal>) -> String {
    number.map_or("NULL".to_owned(), ToString::to_string)
}
