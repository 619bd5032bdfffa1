//! The result of a statement, row by row, within the limits of the request.

use std::time::Duration;

use bowline_protocol::{ErrorKind, ErrorObject, QueryParams, WireColumn, WireValue};
use serde::Serialize;

use crate::Error;

/// Where a session puts the result of one statement: first its columns, then its rows.
///
/// Rows are written down as they come, so that a result that is too large is never held.
#[derive(Debug)]
pub struct Answer {
    max_rows: u64,
    max_bytes: u64,
    timeout: Duration,
    columns: Vec<WireColumn>,
    rows: String,
    row_count: u64,
    rows_affected: Option<u64>,
    refused: Option<Error>,
}

/// What of a result stands around its rows.
#[derive(Serialize)]
struct Frame<'a> {
    columns: &'a [WireColumn],
    rows_affected: Option<u64>,
}

impl Answer {
    pub(crate) fn within(params: &QueryParams) -> Self {
        Self {
            max_rows: params.max_rows,
            max_bytes: params.max_bytes,
            timeout: Duration::from_millis(params.timeout_ms),
            columns: Vec::new(),
            rows: String::new(),
            row_count: 0,
            rows_affected: None,
            refused: None,
        }
    }

    /// How long the caller waits before it ends the process. A session that can, stops the statement before that,
    /// with an error of kind [`ErrorKind::Timeout`].
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The most rows the request allows, for a session that can tell its database.
    #[must_use]
    pub fn max_rows(&self) -> u64 {
        self.max_rows
    }

    /// The most bytes that the rows may take in the answer.
    #[must_use]
    pub fn max_bytes(&self) -> u64 {
        self.max_bytes
    }

    /// Adds a column: its name exactly as the database gives it, and the driver's word for its type, or nothing.
    /// A statement without a result set has none.
    pub fn column(&mut self, name: impl Into<String>, type_name: impl Into<String>) {
        self.columns.push(WireColumn {
            name: name.into(),
            type_name: type_name.into(),
        });
    }

    /// Adds a row: a value for each column, in their order.
    ///
    /// # Errors
    /// Of kind [`ErrorKind::TooLarge`] when the result outgrows the limits of the request, of kind
    /// [`ErrorKind::Driver`] when the row is not as long as the columns. Hand it on with `?`: the statement has failed.
    pub fn row(&mut self, values: &[WireValue]) -> Result<(), Error> {
        self.try_row(values)
            .inspect_err(|error| self.refused = Some(error.clone()))
    }

    fn try_row(&mut self, values: &[WireValue]) -> Result<(), Error> {
        let number = self.row_count + 1;
        if values.len() != self.columns.len() {
            return Err(Error::new(
                ErrorKind::Driver,
                format!(
                    "row {number} has {} values for {} columns",
                    values.len(),
                    self.columns.len()
                ),
            ));
        }
        if number > self.max_rows {
            return Err(Error::new(
                ErrorKind::TooLarge,
                format!("result is too large: more than {} rows", self.max_rows),
            ));
        }
        let row = serde_json::to_string(values)
            .map_err(|error| Error::new(ErrorKind::Driver, error.to_string()))?;
        let size = (self.rows.len() + row.len() + 1) as u64;
        if size > self.max_bytes {
            return Err(Error::new(
                ErrorKind::TooLarge,
                format!(
                    "result is too large: row {number} brings it over {} bytes",
                    self.max_bytes
                ),
            ));
        }
        if !self.rows.is_empty() {
            self.rows.push(',');
        }
        self.rows.push_str(&row);
        self.row_count = number;
        Ok(())
    }

    /// Says how many rows the statement changed.
    pub fn rows_affected(&mut self, count: u64) {
        self.rows_affected = Some(count);
    }

    pub(crate) fn affected(&self) -> Option<u64> {
        self.rows_affected
    }

    /// The whole result as JSON; an error when a row was refused, even if the session went on.
    pub(crate) fn finish(self) -> Result<String, ErrorObject> {
        if let Some(refused) = self.refused {
            return Err(refused.into());
        }
        let frame = Frame {
            columns: &self.columns,
            rows_affected: self.rows_affected,
        };
        let mut text = serde_json::to_string(&frame)
            .map_err(|error| ErrorObject::failed(ErrorKind::Driver, error.to_string()))?;
        text.pop();
        text.push_str(",\"rows\":[");
        text.push_str(&self.rows);
        text.push_str("]}");
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use bowline_protocol::QueryResult;

    use super::*;

    fn answer(max_rows: u64, max_bytes: u64) -> Answer {
        Answer::within(&QueryParams {
            sql: String::new(),
            max_rows,
            max_bytes,
            timeout_ms: 1500,
        })
    }

    #[test]
    fn what_was_put_in_comes_out() {
        let mut answer = answer(2, 100);
        assert_eq!(answer.timeout(), Duration::from_millis(1500));
        answer.column("n", "INTEGER");
        answer.column("t \"x\"", "");
        let rows = [
            vec![WireValue::Integer(1), WireValue::Null],
            vec![
                WireValue::Float(f64::INFINITY),
                WireValue::Text("é\n".into()),
            ],
        ];
        for row in &rows {
            answer.row(row).unwrap();
        }
        let read: QueryResult = serde_json::from_str(&answer.finish().unwrap()).unwrap();
        assert_eq!(read.columns[1].name, "t \"x\"");
        assert_eq!(read.rows, rows);
    }

    #[test]
    fn limits_hold_to_the_row_and_the_byte() {
        let fill = |mut answer: Answer| {
            answer.column("t", "");
            let row = [WireValue::Text("abcdef".into())];
            let refused = (0..2).find_map(|_| answer.row(&row).err());
            (refused.map(|error| error.kind), answer.finish().is_ok())
        };
        // A row is `["abcdef"]` and a comma: 11 bytes.
        assert_eq!(fill(answer(2, 22)), (None, true));
        assert_eq!(fill(answer(2, 20)), (Some(ErrorKind::TooLarge), false));
        assert_eq!(fill(answer(1, 99)), (Some(ErrorKind::TooLarge), false));
    }

    #[test]
    fn a_row_of_another_length_is_refused() {
        let mut answer = answer(9, 99);
        answer.column("a", "");
        let error = answer.row(&[]).unwrap_err();
        assert_eq!(error.message, "row 1 has 0 values for 1 columns");
        assert_eq!(answer.finish().unwrap_err().data.kind, ErrorKind::Driver);
    }
}
