//! `bowline query`: SQL through a connector.

use std::io::Read;
use std::num::NonZeroU64;
use std::time::Duration;

use bowline_driver::{Limits, ResultSet, SqlErrorKind, Surplus};
use bowline_workbench::warehouse;

use super::test::{USUAL_TIMEOUT, at_least_one};
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;
use crate::rows::{self, RowFormat};
use crate::terminal::{self, waiting};

/// How many rows a table shows when nothing else was asked for.
const SHOWN: usize = 100;

/// Run one SQL statement through a connector and see its result.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: bowline query \"SELECT 1 AS one\" --format json")]
pub(crate) struct QueryArgs {
    /// The statement; `-` reads it from standard input
    sql: String,
    /// The connector; not needed when there is only one
    #[arg(short, long)]
    connector: Option<String>,
    /// How the rows are written
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: RowFormat,
    /// Write at most this many rows; without it a table shows 100, and the other formats hold all
    #[arg(long, value_name = "ROWS")]
    limit: Option<usize>,
    /// Stop the statement after this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = USUAL_TIMEOUT, value_parser = at_least_one::<NonZeroU64>)]
    timeout: NonZeroU64,
}

impl QueryArgs {
    pub(crate) fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        let sql = self.statement()?;
        let connector = context.warehouse(self.connector.as_deref())?;
        let credentials = warehouse::credentials(&connector, &|event| context.tell(event))?;
        let database = warehouse::open(&connector, &credentials)?;
        let printer = &context.printer;
        let mut connection = waiting(printer, "connecting", || {
            warehouse::connect(&connector, database.as_ref())
        })?;
        let canceller = connection.canceller();
        let _on_stop = context.interruptible()?.on_stop(move || canceller.cancel());
        let limits = Limits {
            timeout: Duration::from_secs(self.timeout.get()),
            max_rows: self.most_rows(),
            surplus: Surplus::Leave,
            ..Limits::default()
        };
        match waiting(printer, "waiting for the database", || {
            connection.run(&sql, &limits)
        }) {
            Ok(result) => {
                self.show(context, result)?;
                Ok(Ended::Fine)
            }
            Err(error) if error.kind == SqlErrorKind::Cancelled => Ok(Ended::Interrupted),
            Err(error) => Err(CliError::Statement(error)),
        }
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
        if sql.trim().is_empty() {
            return Err(CliError::usage(
                "the statement is empty",
                "give SQL, or `-` to read it from standard input",
            ));
        }
        Ok(sql)
    }

    fn show(&self, context: &Context, result: ResultSet) -> Result<(), CliError> {
        let printer = &context.printer;
        if result.columns.is_empty() {
            printer.say(match result.rows_affected {
                Some(1) => "done: 1 row changed".to_owned(),
                Some(count) => format!("done: {count} rows changed"),
                None => "done".to_owned(),
            });
            return Ok(());
        }
        let text = rows::write(&result, self.format, terminal::width())?;
        match self.format {
            RowFormat::Table => printer.text(&text)?,
            RowFormat::Csv | RowFormat::Json => printer.data(&text)?,
        }
        if result.has_more {
            printer.say(format!(
                "the first {} rows; there are more, and `--limit` says how many are shown",
                result.rows.len()
            ));
        }
        Ok(())
    }
}
