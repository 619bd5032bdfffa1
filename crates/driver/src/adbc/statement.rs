//! Running one statement on an ADBC connection and reading its result.

use std::sync::Arc;

use adbc_core::options::OptionStatement;
use adbc_core::{Connection as _, Optionable as _, Statement as _};
use adbc_driver_manager::ManagedConnection;
use arrow_array::RecordBatchReader;

use super::arrow::{self, Vendor};
use super::error::{Stage, from_adbc, from_stream, without_statement};
use super::validate;
use crate::connection::ResultBuilder;
use crate::session::Stopper;
use crate::{Column, Limits, ResultSet, ResultSize, SqlError, SqlErrorKind, Value};

/// Whether PostgreSQL's driver reads a result through COPY.
pub(super) const USE_COPY: &str = "adbc.postgresql.use_copy";

/// Statements that change something and, without RETURNING, give no rows.
const CHANGES: [&str; 13] = [
    "INSERT", "UPDATE", "DELETE", "MERGE", "CREATE", "DROP", "ALTER", "TRUNCATE", "BEGIN",
    "COMMIT", "ROLLBACK", "GRANT", "REVOKE",
];

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

fn is_change(word: &str, sql: &str) -> bool {
    CHANGES.contains(&word) && !returns_changes(sql)
}

/// Whether a statement may give the rows that it changes.
fn returns_changes(sql: &str) -> bool {
    sql.to_ascii_uppercase().contains("RETURNING")
}

/// The statement's first word in capitals, past blanks, comments and opening brackets; empty when there is none.
fn leading_word(sql: &str) -> String {
    let mut rest = sql;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '(' || c == ';');
        rest = if let Some(comment) = rest.strip_prefix("--") {
            comment.split_once('\n').map_or("", |(_, rest)| rest)
        } else if let Some(comment) = rest.strip_prefix("/*") {
            after_comment(comment)
        } else {
            break;
        };
    }
    let word = rest
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .next();
    match word {
        Some("") | None => rest.chars().take(1).collect(),
        Some(word) => word.to_ascii_uppercase(),
    }
}

/// What follows a block comment, whose opening is already read; comments nest.
fn after_comment(text: &str) -> &str {
    let mut depth = 1;
    let mut rest = text;
    while let Some(at) = rest.find(['*', '/']) {
        let mark = rest.get(at..at + 2);
        depth += i32::from(mark == Some("/*")) - i32::from(mark == Some("*/"));
        let is_mark = matches!(mark, Some("/*" | "*/"));
        rest = &rest[at + 1 + usize::from(is_mark)..];
        if depth == 0 {
            return rest;
        }
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_is_found_behind_comments_and_brackets() {
        for (sql, word) in [
            ("select 1", "SELECT"),
            (" -- note\n\t((VALUES (1)))", "VALUES"),
            ("/* a /* b */ c */ show x", "SHOW"),
            ("/**/With x as (select 1) select 1", "WITH"),
            ("", ""),
            ("-- nothing", ""),
            ("/* open", ""),
            (" ; ", ""),
            ("?", "?"),
        ] {
            assert_eq!(leading_word(sql), word, "{sql}");
        }
    }

    #[test]
    fn a_change_that_returns_rows_is_read_like_a_query() {
        assert!(is_change("INSERT", "insert into t values (1)"));
        assert!(!is_change("INSERT", "insert into t values (1) returning a"));
        assert!(!is_change("SELECT", "select 1"));
    }
}
