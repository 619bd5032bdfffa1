//! A logged query, as the query log query gives it.

use bigdecimal::BigDecimal;
use bowline_driver::{ResultSet, Value};
use jiff::Timestamp;

use crate::warehouse::expect::spell;
use crate::warehouse::judge::{Judged, wrong};
use crate::warehouse::metadata::{is_timestamp, require_columns};
use crate::warehouse::reading;

const REQUIRED: [&str; 4] = ["query_id", "start_time", "end_time", "query_text"];
const OPTIONAL: [&str; 4] = ["user", "error_code", "error_text", "returned_rows"];

/// A query, as the log gave it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LoggedQuery {
    pub(crate) id: String,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) text: String,
    pub(crate) user: Option<String>,
    /// The error's code and text, where there are any.
    pub(crate) errors: [Option<String>; 2],
    pub(crate) returned_rows: Option<BigDecimal>,
}

impl LoggedQuery {
    /// Whether this is the same query: what a log sums up of it, such as the rows of an average execution, may move
    /// from page to page.
    pub(crate) fn is(&self, other: &Self) -> bool {
        (&self.id, &self.text, &self.user, self.start)
            == (&other.id, &other.text, &other.user, other.start)
    }
}

/// Reads and checks a result.
pub(crate) fn read_logs(result: &ResultSet) -> Judged<Vec<LoggedQuery>> {
    require_columns(result, &REQUIRED, &OPTIONAL)?;
    let position = |name: &str| result.position(name);
    let optional_texts = ["user", "error_code", "error_text"].map(|name| (name, position(name)));
    let required = REQUIRED.map(position);
    result
        .rows
        .iter()
        .map(|row| {
            let at = |position: Option<usize>| {
                position
                    .and_then(|position| row.get(position))
                    .unwrap_or(&Value::Null)
            };
            let [id, start, end, query] = required.map(at);
            let Value::Text(id) = id else {
                return Err(wrong("text as query_id", spell(id)));
            };
            let instant = |name: &str, value: &Value| {
                let instant = is_timestamp(value)
                    .then(|| reading::instant(value))
                    .flatten();
                instant.ok_or_else(|| wrong(format!("a timestamp as {name}"), spell(value)))
            };
            let (start, end) = (instant("start_time", start)?, instant("end_time", end)?);
            let mut texts = [const { None }; 3];
            for (text, (name, position)) in texts.iter_mut().zip(optional_texts) {
                *text = match at(position) {
                    Value::Text(value) => Some(value.clone()),
                    Value::Null => None,
                    value => return Err(wrong(format!("text or NULL as {name}"), spell(value))),
                };
            }
            let returned = at(position("returned_rows"));
            let returned_rows = reading::whole_number(returned);
            if !returned.is_null() && returned_rows.is_none() {
                return Err(wrong(
                    "a whole number or NULL as returned_rows",
                    spell(returned),
                ));
            }
            let Value::Text(text) = query else {
                return Err(wrong("text as query_text", spell(query)));
            };
            let [user, code, error] = texts;
            Ok(LoggedQuery {
                id: id.clone(),
                start,
                end,
                text: text.clone(),
                user,
                errors: [code, error],
                returned_rows,
            })
        })
        .collect()
}
