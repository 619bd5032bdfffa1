//! `bowline profile`: the metrics of a table, computed as the platform would.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use bowline_contract::{AssetClass, ColumnKind, Metric};
use bowline_driver::{Column, Limits, ResultSet, Value};
use bowline_profile::{Outcome, Profile, Refused, Request, profile};
use bowline_report::Report;
use bowline_warehouse::Connector;
use bowline_words::counted;

use super::test::{USUAL_TIMEOUT, at_least_one};
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;
use crate::kept::Kept;
use crate::named::NamedConnector;
use crate::rows::{self, RowFormat};
use crate::terminal;

/// Compute every proven metric of a table's columns.
///
/// Only reads. The metrics are those that the last `bowline test` found supported; without one, all those whose
/// templates the connector has. A metric that the database refuses for a column costs no other.
#[derive(Debug, clap::Args)]
#[command(
    allow_missing_positional = true,
    after_help = "Example: bowline profile shop main.orders --where \"status = 'open'\""
)]
pub(crate) struct ProfileArgs {
    #[command(flatten)]
    connector: NamedConnector,
    /// The table, as the database's SQL names it
    table: String,
    /// Only these columns, separated by commas
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    columns: Vec<String>,
    /// Only rows for which this SQL condition holds
    #[arg(long = "where", value_name = "CONDITION")]
    condition: Option<String>,
    /// How the metrics are written
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: RowFormat,
    /// Stop a statement after this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = USUAL_TIMEOUT, value_parser = at_least_one::<NonZeroU64>)]
    timeout: NonZeroU64,
}

impl ProfileArgs {
    pub(crate) fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        let connector = context.warehouse(self.connector.name())?;
        let printer = &context.printer;
        let request = Request {
            table: self.table.clone(),
            columns: self.columns.clone(),
            condition: self.condition.clone(),
            metrics: proven(context, &connector)?,
            limits: Limits {
                timeout: Duration::from_secs(self.timeout.get()),
                ..Limits::default()
            },
            ..Request::default()
        };
        let templates = Arc::new(connector.templates.clone());
        let found = context.connected(&connector, &request.limits, |connection| {
            let bar = printer.bar("{spinner} {msg} {wide_bar} {pos}/{len}");
            bar.set_message("computing the metrics");
            let found = profile(templates, connection, &request, &mut |progress| {
                bar.set_length(progress.all as u64);
                bar.set_position(progress.done as u64);
            });
            bar.finish_and_clear();
            Ok(found)
        })?;
        let found = match found {
            Ok(found) => found,
            Err(bowline_profile::ProfileError::Interrupted) => return Ok(Ended::Interrupted),
            Err(error) => return Err(CliError::Profile(error)),
        };
        let mut set = set(&found);
        let is_whole = set
            .rows
            .iter()
            .all(|row| row.last().is_none_or(Value::is_null));
        if self.format == RowFormat::Table && is_whole {
            // People need no column of errors where there is none.
            set.columns.pop();
            set.rows.iter_mut().for_each(|row| drop(row.pop()));
        }
        let text = rows::write(&set, self.format, terminal::width())?;
        match self.format {
            RowFormat::Table => printer.text(&text)?,
            RowFormat::Csv | RowFormat::Json => printer.data(&text)?,
        }
        for column in &found.columns {
            if let Some(refused) = &column.refused {
                printer.say(left_out(&column.name, refused));
            }
        }
        printer.say(format!(
            "{} of {} in {}",
            counted(found.rows, "row"),
            self.table,
            counted(found.statements, "statement")
        ));
        Ok(Ended::Fine)
    }
}

/// The metrics that the connector's last test found supported; all where there was none.
fn proven(context: &Context, connector: &Connector) -> Result<Vec<&'static Metric>, CliError> {
    let kept = Kept::of(
        &connector.dir,
        AssetClass::Warehouse,
        connector.name.as_str(),
    )?;
    let supported: Vec<&'static Metric> = match kept.read().ok().flatten() {
        Some((Report::Warehouse(report), _)) => report
            .metrics
            .iter()
            .filter(|metric| metric.supported)
            .filter_map(|metric| Metric::find(&metric.name))
            .collect(),
        _ => Vec::new(),
    };
    if !supported.is_empty() {
        return Ok(supported);
    }
    context.printer.say(format!(
        "no metric is proven yet, so that these numbers may be wrong: run `bowline test {}`",
        connector.name
    ));
    Ok(Metric::all().iter().collect())
}

/// Why a column has no metrics of what it seems to hold.
fn left_out(column: &str, refused: &Refused) -> String {
    let kind = match refused.kind {
        ColumnKind::Any => "every column",
        ColumnKind::Array => "lists",
        ColumnKind::Boolean => "booleans",
        ColumnKind::Moment => "timestamps",
        ColumnKind::Number => "numbers",
        ColumnKind::Text => "text",
    };
    let of_type = match refused.type_name.as_str() {
        "" => String::new(),
        name => format!(", of type `{name}`"),
    };
    let words = refused.error.message.lines().next().unwrap_or_default();
    format!(
        "`{column}`{of_type}: the metrics of {kind} are left out, as the database refuses them: {words}"
    )
}

/// A row for each metric of each column.
fn set(found: &Profile) -> ResultSet {
    let columns = ["column", "metric", "value", "error"].map(|name| Column {
        name: name.to_owned(),
        type_name: String::new(),
    });
    let rows = found.columns.iter().flat_map(|column| {
        column.outcomes.iter().map(|(metric, outcome)| {
            let (value, error) = match outcome {
                Outcome::Value(value) => (value.clone(), Value::Null),
                Outcome::Failed(error) => (Value::Null, Value::Text(error.text())),
            };
            vec![
                Value::Text(column.name.clone()),
                Value::Text(metric.name.to_owned()),
                value,
                error,
            ]
        })
    });
    ResultSet {
        rows: rows.collect(),
        columns: columns.to_vec(),
        ..ResultSet::default()
    }
}
