//! Running one text on a connection and reading its result.

use super::handle::{Form, Link, Long, Statement, Unread};
use super::running::Running;
use super::value::Shape;
use crate::connection::ResultBuilder;
use crate::{Column, Limits, ResultSet, SqlError, SqlErrorKind, Value};

/// Runs a text and reads its result within the limits. Of several results the last one with columns counts, and says
/// how many others there were; where none has columns, their rows are added up.
pub(super) fn run(
    link: &Link,
    sql: &str,
    limits: &Limits,
    running: &Running,
) -> Result<ResultSet, SqlError> {
    SqlError::without_nul(sql)?;
    let mut statement =
        Statement::new(link, limits.timeout, running).map_err(|failure| failure.running())?;
    statement
        .execute(sql)
        .map_err(|failure| failure.running())?;
    let mut result = ResultSet::default();
    loop {
        let next = match read(&mut statement, limits) {
            Ok(next) => next,
            Err(error) => {
                // Freeing the statement may wait for the rest of the result, which may be endless.
                statement.cancel();
                return Err(error);
            }
        };
        result = joined(result, next);
        if !statement
            .next_result()
            .map_err(|failure| failure.running())?
        {
            return Ok(result);
        }
    }
}

/// What two results of one text come to.
fn joined(before: ResultSet, next: ResultSet) -> ResultSet {
    match (before.columns.is_empty(), next.columns.is_empty()) {
        (true, true) => ResultSet {
            rows_affected: match (before.rows_affected, next.rows_affected) {
                (Some(before), Some(next)) => Some(before.saturating_add(next)),
                (before, next) => before.or(next),
            },
            ..next
        },
        (true, false) => next,
        (false, true) => before,
        (false, false) => ResultSet {
            others: before.others + 1,
            ..next
        },
    }
}

fn read(statement: &mut Statement<'_>, limits: &Limits) -> Result<ResultSet, SqlError> {
    let described = statement.describe().map_err(|failure| failure.running())?;
    if described.is_empty() {
        return Ok(ResultSet {
            rows_affected: statement.rows_affected(),
            ..ResultSet::default()
        });
    }
    let shapes: Vec<Shape> = described.iter().map(Shape::of).collect();
    let columns: Vec<Column> = described
        .into_iter()
        .map(|column| Column {
            name: column.name,
            type_name: column.type_name,
        })
        .collect();
    let mut result = ResultBuilder::new(columns.clone(), limits);
    while statement.next_row().map_err(|failure| failure.running())? {
        let values = (1..).zip(&shapes).zip(&columns);
        let values = values
            .map(|((number, shape), column)| value(statement, number, *shape, column, limits));
        if result.push(values.collect::<Result<_, _>>()?)?.is_break() {
            break;
        }
    }
    Ok(result.finish(None))
}

fn value(
    statement: &mut Statement<'_>,
    number: u16,
    shape: Shape,
    column: &Column,
    limits: &Limits,
) -> Result<Value, SqlError> {
    Ok(match shape {
        Shape::Single => statement
            .plain::<f32>(number)
            .map_err(|failure| failure.running())?
            .map(f64::from)
            .into(),
        Shape::Double => statement
            .plain::<f64>(number)
            .map_err(|failure| failure.running())?
            .into(),
        Shape::Bit => statement
            .plain::<u8>(number)
            .map_err(|failure| failure.running())?
            .map(|bit| bit != 0)
            .into(),
        Shape::Bytes => long(statement, number, Form::Bytes, column, limits)?
            .map(bytes)
            .into(),
        shape => match long(statement, number, Form::Text, column, limits)? {
            None => Value::Null,
            Some(read) => {
                let text = String::from_utf16(&read.units)
                    .map_err(|error| inexact(column, &error.to_string()))?;
                let reason = match shape {
                    Shape::Decimal if text.contains(',') && !text.contains('.') => {
                        format!(
                            "`{text}` has a comma; set the driver's locale to one with a decimal point"
                        )
                    }
                    _ => format!("`{text}` is not one"),
                };
                shape.value(text).ok_or_else(|| inexact(column, &reason))?
            }
        },
    })
}

fn long(
    statement: &mut Statement<'_>,
    number: u16,
    form: Form,
    column: &Column,
    limits: &Limits,
) -> Result<Option<Long>, SqlError> {
    // UTF-16 takes at most twice the bytes that the text takes in the end.
    let longest = limits.max_bytes.saturating_mul(2);
    statement
        .long(number, form, longest)
        .map_err(|unread| match unread {
            Unread::Failed(failure) => failure.running(),
            Unread::TooLong => SqlError::new(
                SqlErrorKind::TooLarge,
                format!(
                    "result is too large: one value of column `{}` is over {} bytes",
                    column.name, limits.max_bytes
                ),
            ),
            Unread::Cut => inexact(column, "the driver gave less of it than it had announced"),
        })
}

fn bytes(read: Long) -> Vec<u8> {
    let mut bytes: Vec<u8> = read
        .units
        .iter()
        .flat_map(|unit| unit.to_ne_bytes())
        .collect();
    bytes.truncate(read.bytes);
    bytes
}

fn inexact(column: &Column, reason: &str) -> SqlError {
    SqlError::new(
        SqlErrorKind::UnsupportedType,
        format!(
            "value cannot be carried exactly: column `{}` of type `{}`: {reason}",
            column.name, column.type_name
        ),
    )
}
