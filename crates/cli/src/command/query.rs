//! `bowline query`: SQL through a connector.

use std::io::Read;
use std::time::Duration;

use bowline_driver::{Limits, ResultSet, SqlErrorKind};

use crate::connector;
use crate::error::CliError;
use crate::exit::Ended;
use crate::interrupt::on_interrupt;
use crate::rows::{self, RowFormat};
use crate::run::Context;

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
    /// Write at most this many rows
    #[arg(long, value_name = "ROWS", default_value_t = 100)]
    limit: usize,
    /// Stop the statement after this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    timeout: u64,
}

impl QueryArgs {
    pub(crate) fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        let sql = self.statement()?;
        let connector = connector::load(context, self.connector.as_deref())?;
        let credentials = connector::credentials(context, &connector)?;
        let database = connector::open(&connector, &credentials)?;
        let mut connection = connector::connect(&connector, database.as_ref())?;
        let canceller = connection.canceller();
        on_interrupt(move || canceller.cancel())?;
        let limits = Limits {
            timeout: Duration::from_secs(self.timeout),
            ..Limits::default()
        };
        match connection.run(&sql, &limits) {
            Ok(result) => {
                self.show(context, result)?;
                Ok(Ended::Fine)
            }
            Err(error) if error.kind == SqlErrorKind::Cancelled => Ok(Ended::Interrupted),
            Err(error) => Err(CliError::Statement(error)),
        }
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

    fn show(&self, context: &Context, mut result: ResultSet) -> Result<(), CliError> {
        let printer = &context.printer;
        if result.columns.is_empty() {
            printer.say(match result.rows_affected {
                Some(1) => "done: 1 row changed".to_owned(),
                Some(count) => format!("done: {count} rows changed"),
                None => "done".to_owned(),
            });
            return Ok(());
        }
        let total = result.rows.len();
        result.rows.truncate(self.limit);
        let text = rows::write(&result, self.format)?;
        match self.format {
            RowFormat::Table => printer.text(&text)?,
            RowFormat::Csv | RowFormat::Json => printer.data(&text)?,
        }
        if total > self.limit {
            printer.say(format!(
                "{} of {total} rows; `--limit {total}` shows all",
                self.limit
            ));
        }
        Ok(())
    }
}
