//! The first rows of a table, which tell its columns.

use bowline_driver::{Connection, Limits, ResultSet, SqlErrorKind, Surplus, Value};
use bowline_query::Composer;
use bowline_template::TemplateValue;

use crate::request::{ProfileError, Request};
use crate::statement::escaped;

/// How many rows are looked at to tell what the columns hold.
const SAMPLE: i64 = 100;

/// The first rows, which tell the columns.
pub(super) fn sample(
    composer: &Composer,
    connection: &mut dyn Connection,
    request: &Request,
) -> Result<ResultSet, ProfileError> {
    let limits = Limits {
        max_rows: usize::try_from(SAMPLE).unwrap_or(usize::MAX),
        surplus: Surplus::Leave,
        ..request.limits.clone()
    };
    let mut first = |columns: &str| {
        let whole = format!("SELECT {columns} FROM {}", request.table);
        let limited = composer.render_with(
            "add_row_limit",
            vec![
                ("query", TemplateValue::Text(whole.clone())),
                ("limit", TemplateValue::Integer(SAMPLE)),
            ],
        );
        connection.run(&limited.unwrap_or(whole), &limits)
    };
    let found = match first("*") {
        // An account may have the right to read some columns alone.
        Err(error) if error.kind == SqlErrorKind::Permission && !request.columns.is_empty() => {
            let columns = request.columns.iter().chain(bucket_column(request));
            let columns: Option<Vec<String>> =
                columns.map(|name| escaped(composer, name).ok()).collect();
            match columns {
                Some(columns) => first(&columns.join(", ")),
                None => Err(error),
            }
        }
        found => found,
    };
    found.map_err(|source| match source.kind {
        SqlErrorKind::Cancelled => ProfileError::Interrupted,
        _ => ProfileError::Table {
            table: request.table.clone(),
            source,
        },
    })
}

/// The column whose times put rows into buckets, where it is not among those that are asked for.
fn bucket_column(request: &Request) -> Option<&String> {
    let column = &request.buckets.as_ref()?.column;
    (!request.columns.contains(column)).then_some(column)
}

/// The places of the columns that are asked for.
pub(super) fn chosen(sample: &ResultSet, request: &Request) -> Result<Vec<usize>, ProfileError> {
    if request.columns.is_empty() {
        return Ok((0..sample.columns.len()).collect());
    }
    request
        .columns
        .iter()
        .map(|name| place(sample, name))
        .collect()
}

pub(super) fn place(sample: &ResultSet, name: &str) -> Result<usize, ProfileError> {
    sample.position(name).ok_or_else(|| ProfileError::Column {
        name: name.to_owned(),
        there: sample
            .columns
            .iter()
            .map(|column| column.name.clone())
            .collect(),
    })
}

/// How many bytes the texts and bytes of a column hold on average.
pub(super) fn width(sample: &ResultSet, place: usize) -> usize {
    let values = sample.rows.iter().filter_map(|row| row.get(place));
    let bytes = values.map(|value| match value {
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        _ => 0,
    });
    bytes.sum::<usize>() / sample.rows.len().max(1)
}
