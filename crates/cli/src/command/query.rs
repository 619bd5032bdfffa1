//! `bowline query`: SQL through a connector.

use std::io::Read;
use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;

use bowline_contract::reading::without_mark;
use bowline_driver::{Limits, ResultSet, SqlErrorKind, Surplus};
use bowline_warehouse::Connector;

use super::test::{USUAL_TIMEOUT, at_least_one};
use crate::complete;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;
use crate::rows::{self, RowFormat};
use crate::terminal::{self, waiting};

/// How many rows a table shows when nothing else was asked for.
const SHOWN: usize = 100;

/// How many MiB of a result are held.
const USUAL_MIB: NonZeroUsize = NonZeroUsize::new(32).unwrap();

/// Run one SQL statement through a connector and see its result.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: bowline query \"SELECT 1 AS one\" --format json")]
pub(crate) struct QueryArgs {
    /// The statement; `-` reads it from standard input
    sql: String,
    /// The connector; not needed when there is only one
    #[arg(short, long, add = complete::warehouses())]
    connector: Option<String>,
    /// How the rows are written
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: RowFormat,
    /// Write at most this many rows; without it a table shows 100, and the other formats hold all that `--max-mib` lets in
    #[arg(long, value_name = "ROWS")]
    limit: Option<usize>,
    /// Hold at most this many MiB of the result in memory; a larger one is refused, and nothing is written
    #[arg(long, value_name = "MIB", default_value_t = USUAL_MIB, value_parser = at_least_one::<NonZeroUsize>)]
    max_mib: NonZeroUsize,
    /// Stop the statement after this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = USUAL_TIMEOUT, value_parser = at_least_one::<NonZeroU64>)]
    timeout: NonZeroU64,
}

impl QueryArgs {
    pub(crate) fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        let connector = context.warehouse(self.connector.as_deref())?;
        let query = Query {
            sql: self.statement()?,
            format: self.format,
            most_rows: self.most_rows(),
            most_mib: self.max_mib,
            timeout: self.timeout,
        };
        query.run(context, &connector)
    }

    /// What is written for programs is not cut unless they ask for that: they would not notice.
    fn most_rows(&self) -> usize {
        self.limit.unwrap_or(match self.format {
            RowFormat::Table => SHOWN,
            RowFormat::Csv | RowFormat::Json => usize::MAX,
        })
    }

    fn statement(&self) -> Result<String, CliError> {
        let mut sql = String::new();
        if self.sql == "-" {
            std::io::stdin()
                .read_to_string(&mut sql)
                .map_err(CliError::Input)?;
        } else {
            sql.push_str(&self.sql);
        }
        let sql = without_mark(sql);
        if sql.trim().is_empty() {
            return Err(CliError::usage(
                "the statement is empty",
                "give SQL, or `-` to read it from standard input",
            ));
        }
        Ok(sql)
    }
}

/// A statement, and how its result is written.
pub(super) struct Query {
    sql: String,
    format: RowFormat,
    most_rows: usize,
    most_mib: NonZeroUsize,
    timeout: NonZeroU64,
}

impl Query {
    /// A statement whose first rows are shown to people.
    pub(super) fn of(sql: String) -> Self {
        Self {
            sql,
            format: RowFormat::Table,
            most_rows: SHOWN,
            most_mib: USUAL_MIB,
            timeout: USUAL_TIMEOUT,
        }
    }

    /// Runs it and shows what comes.
    pub(super) fn run(&self, context: &Context, connector: &Connector) -> Result<Ended, CliError> {
        let limits = Limits {
            timeout: Duration::from_secs(self.timeout.get()),
            max_rows: self.most_rows,
            max_bytes: self.most_mib.get().saturating_mul(1024 * 1024),
            surplus: Surplus::Leave,
            ..Limits::default()
        };
        let result = context.connected(connector, &limits, |reached| {
            Ok(waiting(
                &context.printer,
                "waiting for the database",
                || reached.connection.run(&self.sql, &limits),
            ))
        })?;
        match result {
            Ok(result) => {
                self.show(context, result)?;
                Ok(Ended::Fine)
            }
            Err(error)
                if error.kind == SqlErrorKind::Cancelled
                    && context.interruptible()?.is_stopped() =>
            {
                Ok(Ended::Interrupted)
            }
            Err(error) => Err(CliError::Statement(error)),
        }
    }

    fn show(&self, context: &Context, result: ResultSet) -> Result<(), CliError> {
        let printer = &context.printer;
        let left_out = left_out(&result);
        if result.columns.is_empty() {
            printer.say(match result.rows_affected {
                Some(1) => "done: 1 row changed".to_owned(),
                Some(count) => format!("done: {count} rows changed"),
                None => "done".to_owned(),
            });
            left_out.into_iter().for_each(|line| printer.say(line));
            return Ok(());
        }
        let text = rows::write(&result, self.format, terminal::width())?;
        match self.format {
            RowFormat::Table => printer.text(&text)?,
            RowFormat::Csv | RowFormat::Json => printer.data(&text)?,
        }
        if result.has_more {
            printer.say(format!(
                "the first {} rows; there are more, and `bowline query --limit` says how many are shown",
                result.rows.len()
            ));
        }
        left_out.into_iter().for_each(|line| printer.say(line));
        Ok(())
    }
}

/// What a text of several statements gave that is not shown.
fn left_out(result: &ResultSet) -> Option<String> {
    let what = match (result.others, result.columns.is_empty()) {
        (0, _) => return None,
        (1, true) => "a result with rows is not shown".to_owned(),
        (others, true) => format!("{others} results with rows are not shown"),
        (1, false) => "the last result with rows; another one before it is not shown".to_owned(),
        (others, false) => {
            format!("the last result with rows; {others} before it are not shown")
        }
    };
    Some(format!(
        "{what}: give a statement that has rows a text of its own"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_that_are_not_shown_are_counted() {
        let told = |others, columns: &[&str]| {
            left_out(&ResultSet {
                others,
                ..ResultSet::with_rows(columns.iter().copied(), [])
            })
        };
        assert_eq!(told(0, &["a"]), None);
        assert_eq!(
            told(2, &["a"]).unwrap(),
            "the last result with rows; 2 before it are not shown: give a statement that has rows a text of its own"
        );
        assert_eq!(
            told(1, &[]).unwrap(),
            "a result with rows is not shown: give a statement that has rows a text of its own"
        );
    }
}
