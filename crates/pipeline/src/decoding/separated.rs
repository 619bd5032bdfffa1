//! CSV, and what else has a record a line: the first line names the fields.

use std::collections::HashSet;

use bowline_template::Value;

use super::{Budget, DecodeError};

/// The records of a text whose first line names their fields.
pub(super) fn read(text: &str, delimiter: u8, mut budget: Budget) -> Result<Value, DecodeError> {
    let malformed = |error: csv::Error| DecodeError::Malformed(error.to_string());
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let names = reader.headers().map_err(malformed)?.clone();
    let mut known = HashSet::new();
    if let Some(twice) = names.iter().find(|name| !known.insert(*name)) {
        let message = format!("the first line names `{twice}` twice");
        return Err(DecodeError::Malformed(message));
    }
    let mut records = Vec::new();
    let mut row = csv::StringRecord::new();
    while reader.read_record(&mut row).map_err(malformed)? {
        budget.item()?;
        let mut fields = Vec::with_capacity(names.len());
        for (name, value) in names.iter().zip(&row) {
            fields.push((budget.name(name)?, budget.text(value)?));
        }
        records.push(budget.record(fields)?);
    }
    if records.is_empty()
        && let Some(first) = names.get(0)
        && (is_no_name(first) || names.len() == 1 && is_sentence(first))
    {
        let message = format!("the first line names no fields but begins with `{first}`");
        return Err(DecodeError::Malformed(message));
    }
    budget.list(records)
}

/// Whether the first of the names that nothing follows is none: an answer that is no table often is one line, and would
/// else be a table without records.
fn is_no_name(first: &str) -> bool {
    let first = first.trim_start_matches(['"', ' ', '\t']);
    first.starts_with(['{', '[', '<'])
}

/// Whether the only name is none but a sentence about a failure: `ERROR: query exceeded its time`.
fn is_sentence(only: &str) -> bool {
    const FAILURES: [&str; 6] = [
        "error",
        "exception",
        "fail",
        "denied",
        "timeout",
        "timed out",
    ];
    let words = only.split_whitespace().count();
    let small = only.to_lowercase();
    let is_long = words > 3 || only.contains(": ");
    words > 6 || is_long && FAILURES.iter().any(|word| small.contains(word))
}
