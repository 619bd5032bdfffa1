//! Running one statement on an ADBC connection and reading its result.

use std::sync::Arc;

use adbc_core::options::OptionStatement;
use adbc_core::{Connection as _, Optionable as _, Statement as _};
use adbc_driver_manager::ManagedConnection;
use arrow_array::RecordBatchReader;

use super::arrow::{self, Vendor};
use super::error::{Stage, from_adbc, from_stream, without_statement};
use super::validate;
use crate::changes::{CHANGES, is_change, leading_word, returns_changes};
use crate::connection::ResultBuilder;
use crate::session::Stopper;
use crate::{Column, Limits, ResultSet, ResultSize, SqlError, SqlErrorKind, Value};

/// Whether PostgreSQL's driver reads a result through COPY.
pub(super) const USE_COPY: &str = "adbc.postgresql.use_copy";

/// Statements PostgreSQL can wrap in COPY, which streams but takes three round trips instead of one; it collects all
/// other results first.
const COPYABLE: [&str; 4] = ["SELECT", "WITH", "VALUES", "TABLE"];

/// Runs a statement and reads its result within the limits.
pub(super) fn run(
    connection: &mut ManagedConnection,
    sql: &str,
    limits: &Limits,
    vendor: Vendor,
    options: &[(String, String)],
    stopper: &Stopper,
) -> Result<ResultSet, SqlError> {
    let execute = |error| without_statement(from_adbc(&error, Stage::Execute), sql);
    let word = leading_word(sql);
    if word.is_empty() {
        return Err(SqlError::new(
            SqlErrorKind::Syntax,
            "the text holds no statement",
        ));
    }
    let mut statement = connection.new_statement().map_err(execute)?;
    let streams = limits.expect == ResultSize::Any && COPYABLE.contains(&word.as_str());
    if vendor == Vendor::PostgreSql && !streams {
        let key = OptionStatement::Other(USE_COPY.to_owned());
        statement.set_option(key, "false".into()).map_err(execute)?;
    }
    for (key, value) in options {
        let key = OptionStatement::Other(key.clone());
        statement
            .set_option(key, value.as_str().into())
            .map_err(execute)?;
    }
    statement.set_sql_query(sql).map_err(execute)?;
    let handle = statement.get_cancel_handle();
    stopper.running(Arc::new(move || handle.try_cancel().is_ok()));
    if vendor != Vendor::DuckDb && is_change(&word, sql) {
        let rows = statement.execute_update().map_err(execute)?;
        return Ok(ResultSet {
            rows_affected: rows.and_then(|rows| u64::try_from(rows).ok()),
            ..ResultSet::default()
        });
    }
    let mut reader = validate::guarded(|| statement.execute())?.map_err(execute)?;
    let result = read(&mut *reader, limits, vendor);
    let changes = CHANGES.contains(&word.as_str()) || returns_changes(sql);
    if result.as_ref().is_ok_and(|result| result.has_more) && changes {
        // To stop a change is to undo it.
        for batch in reader.by_ref() {
            batch.map_err(|error| from_stream(&error))?;
        }
    } else if result.as_ref().map_or(true, |result| result.has_more) {
        // Dropping the reader waits for the rest of the result, which may be endless.
        stopper.stop();
    }
    let result = result?;
    Ok(match vendor {
        Vendor::DuckDb if is_change(&word, sql) => counted(result),
        _ => result,
    })
}

fn read(
    reader: &mut (dyn RecordBatchReader + Send),
    limits: &Limits,
    vendor: Vendor,
) -> Result<ResultSet, SqlError> {
    let schema = reader.schema();
    let fields = schema.fields();
    // PostgreSQL's driver cannot read a row without a named type and fails in words that do not tell.
    if let Some(field) = fields
        .iter()
        .find(|field| arrow::type_name(field) == "record")
    {
        return Err(arrow::unsupported(field));
    }
    let columns = fields.iter().map(|field| Column {
        name: field.name().clone(),
        type_name: arrow::type_name(field),
    });
    let mut result = ResultBuilder::new(columns.collect(), limits);
    let mut rows = 0;
    while let Some(batch) = validate::guarded(|| reader.next())? {
        let batch = batch.map_err(|error| from_stream(&error))?;
        validate::columns(batch.columns(), fields, rows)?;
        rows += batch.num_rows();
        for row in 0..batch.num_rows() {
            let values = fields
                .iter()
                .zip(batch.columns())
                .map(|(field, column)| arrow::value(column, row, field, vendor));
            if result.push(values.collect::<Result<_, _>>()?)?.is_break() {
                return Ok(result.finish(None));
            }
        }
    }
    Ok(result.finish(None))
}

/// DuckDB answers a change with a column `Count` that no one asked for.
fn counted(result: ResultSet) -> ResultSet {
    match result.columns.as_slice() {
        [column] if column.name == "Count" => ResultSet {
            rows_affected: match result.scalar() {
                Some(Value::Integer(count)) => u64::try_from(*count).ok(),
                _ => None,
            },
            ..ResultSet::default()
        },
        _ => result,
    }
}
