//! `bowline profile`: the metrics of a table, computed as the platform would.

mod page;
mod parquet;
mod plan;

use std::io::IsTerminal;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bowline_contract::{AssetClass, ColumnKind, Metric};
use bowline_driver::{Column, ConnectionCost, Limits, ResultSet, Value};
use bowline_profile::{
    Bucket, Buckets, Costs, Estimates, Outcome, Profile, ProfileError, Refused, Request, profile,
};
use bowline_report::Report;
use bowline_warehouse::Connector;
use bowline_words::counted;

use super::moment::{self, Moment};
use super::report::{check_place, is_standard_output};
use super::test::{USUAL_TIMEOUT, at_least_one};
use crate::context::{Context, Reached};
use crate::error::CliError;
use crate::exit::Ended;
use crate::kept::Kept;
use crate::named::{self, NamedConnector};
use crate::pipeline;
use crate::remembered::Remembered;
use crate::rows::{self, RowFormat};
use crate::terminal;

/// Compute every proven metric of a table's columns.
///
/// Only reads. The metrics are those that the last `bowline test` found supported; without one, all those whose
/// templates the connector has. A metric that the database refuses for a column costs no other.
#[derive(Debug, clap::Args)]
#[command(
    allow_missing_positional = true,
    after_help = "Examples:\n  bowline profile shop main.orders --where \"status = 'open'\"\n  bowline profile shop main.orders \
                  --group-by ordered_at --bucket day --since 30d --html orders.html\n  bowline profile shop main.orders --format \
                  parquet > orders.parquet"
)]
#[command(mut_args(named::warehouses))]
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
    /// At most so many rows, the first that the database gives
    #[arg(long, value_name = "ROWS", value_parser = at_least_one::<NonZeroU64>)]
    sample: Option<NonZeroU64>,
    /// Put rows into buckets by the time in this column, as a monitor does
    #[arg(long, value_name = "COLUMN", conflicts_with = "sample")]
    group_by: Option<String>,
    /// How long a bucket is
    #[arg(
        long,
        value_name = "LENGTH",
        default_value = "day",
        requires = "group_by"
    )]
    bucket: BucketArg,
    /// Only rows from then on: `30d`, or a time such as `2026-11-22T10:00:00Z`
    #[arg(long, value_name = "TIME", value_parser = moment::parse, allow_hyphen_values = true, requires = "group_by")]
    since: Option<Moment>,
    /// How the metrics are written
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: ProfileFormat,
    /// Write a page with small charts to this file too; `-` for standard output, in place of the metrics
    #[arg(long = "html", value_name = "FILE")]
    page: Option<PathBuf>,
    /// Take numbers of different values from the database's own statistics, where it keeps them: estimates, marked as such
    #[arg(long, conflicts_with_all = ["condition", "sample", "group_by"])]
    estimates: bool,
    /// Show how the table would be asked, and compute nothing
    #[arg(long, conflicts_with_all = ["format", "page"])]
    plan: bool,
    /// How many connections a server is asked over at once for a large table
    #[arg(short, long, value_name = "CONNECTIONS", default_value_t = USUAL_JOBS)]
    jobs: NonZeroUsize,
    /// Stop a statement after this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = USUAL_TIMEOUT, value_parser = at_least_one::<NonZeroU64>)]
    timeout: NonZeroU64,
    /// Stop after this many seconds altogether, and give what is computed by then
    #[arg(long, value_name = "SECONDS", value_parser = at_least_one::<NonZeroU64>)]
    max_time: Option<NonZeroU64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum BucketArg {
    /// From hour to hour
    Hour,
    /// From midnight to midnight
    Day,
}

/// How the metrics are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum ProfileFormat {
    /// A table for people; control characters are spelt out
    Table,
    /// CSV with a header; NULL is an empty field, and empty text is `""`
    Csv,
    /// A JSON array with an object for each row
    Json,
    /// A Parquet file with a row for each metric of each column
    Parquet,
}

/// One for the numbers of different values, and one for the percentiles.
const USUAL_JOBS: NonZeroUsize = NonZeroUsize::new(2).unwrap();

/// The engines that run in a process of this machine, and keep what they aggregate in its memory.
const EMBEDDED: [&str; 2] = ["DuckDB", "SQLite"];

impl ProfileArgs {
    pub(crate) fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        let connector = context.warehouse(self.connector.name())?;
        if self.format == ProfileFormat::Parquet && std::io::stdout().is_terminal() {
            return Err(CliError::usage(
                "a Parquet file is nothing for a terminal",
                "write it to a file: `> metrics.parquet`",
            ));
        }
        check_place(context, self.page.as_deref())?;
        let request = self.request(proven(context, &connector)?);
        let limits = request.limits.clone();
        context.connected(&connector, &limits, |reached| {
            let mut engines = EMBEDDED.iter();
            let keeps_in_memory = engines.any(|engine| reached.product.starts_with(engine));
            let is_server = !keeps_in_memory && reached.cost == ConnectionCost::Login;
            let request = Request {
                keeps_in_memory,
                connections: if is_server { self.jobs.get() } else { 1 },
                ..request
            };
            match self.run(context, &connector, reached, &request) {
                Err(CliError::Profile(ProfileError::Interrupted)) => Ok(Ended::Interrupted),
                ended => ended,
            }
        })
    }

    /// The table's name. Who copies one from a statement copies its end, too.
    fn table(&self) -> &str {
        self.table.trim().trim_end_matches([';', ' '])
    }

    fn request(&self, metrics: Vec<&'static Metric>) -> Request {
        let now = pipeline::now();
        Request {
            table: self.table().to_owned(),
            columns: self.columns.clone(),
            condition: self.condition.clone(),
            sample: self.sample.map(NonZeroU64::get),
            buckets: self.group_by.clone().map(|column| Buckets {
                column,
                each: match self.bucket {
                    BucketArg::Hour => Bucket::Hour,
                    BucketArg::Day => Bucket::Day,
                },
                since: self.since.as_ref().map(|since| since.at(now)),
            }),
            metrics,
            now,
            limits: Limits {
                timeout: Duration::from_secs(self.timeout.get()),
                ..Limits::default()
            },
            keeps_in_memory: true,
            connections: 1,
            estimates: self.estimates,
            max_time: self
                .max_time
                .map(|seconds| Duration::from_secs(seconds.get())),
        }
    }

    fn run(
        &self,
        context: &Context,
        connector: &Connector,
        reached: Reached<'_>,
        request: &Request,
    ) -> Result<Ended, CliError> {
        let Reached {
            connection,
            another,
            product,
            ..
        } = reached;
        let printer = &context.printer;
        let templates = Arc::new(connector.templates.clone());
        let remembered = Remembered::of(COSTS, connector, product, &templates);
        let before: Costs = serde_json::from_value(remembered.read(COSTS)).unwrap_or_default();
        let mut costs = before.clone();
        if self.plan {
            let found = bowline_profile::plan(templates, connection, request, &mut costs);
            keep_costs(context, &remembered, &before, &costs);
            let found = found.map_err(CliError::Profile)?;
            printer.text(&plan::page(self.table(), &found))?;
            found
                .estimates
                .map(estimated)
                .iter()
                .for_each(|note| printer.say(note));
            return Ok(Ended::Fine);
        }
        let bar = printer.bar("{spinner} {msg} {wide_bar} {pos}/{len}");
        bar.set_message("computing the metrics");
        let found = profile(
            templates,
            connection,
            another,
            request,
            &mut costs,
            &mut |progress| {
                bar.set_length(progress.all as u64);
                bar.set_position(progress.done as u64);
            },
        );
        bar.finish_and_clear();
        keep_costs(context, &remembered, &before, &costs);
        let found = found.map_err(CliError::Profile)?;
        let notes = self.notes(&found);
        let about = self.about(&found);
        if !self.page.as_deref().is_some_and(is_standard_output) {
            self.write(context, &found)?;
        }
        if let Some(file) = &self.page {
            let page = page::page(
                connector.name.as_str(),
                self.table(),
                &found,
                &about,
                &notes,
                self.group_by.is_some(),
            );
            super::report::write(context, file, &page)?;
        }
        notes.iter().for_each(|note| printer.say(note));
        printer.say(format!(
            "{about} in {}",
            counted(found.statements, "statement")
        ));
        Ok(if found.is_whole() {
            Ended::Fine
        } else {
            Ended::Inconclusive
        })
    }

    fn write(&self, context: &Context, found: &Profile) -> Result<(), CliError> {
        let printer = &context.printer;
        let mut set = set(found, self.group_by.is_some(), self.estimates);
        let format = match self.format {
            ProfileFormat::Parquet => {
                let bytes = parquet::bytes(found, |text| printer.redact(text))
                    .map_err(|error| CliError::Output(std::io::Error::other(error)))?;
                return printer.bytes(&bytes);
            }
            ProfileFormat::Table => RowFormat::Table,
            ProfileFormat::Csv => RowFormat::Csv,
            ProfileFormat::Json => RowFormat::Json,
        };
        let has_no_error = set
            .rows
            .iter()
            .all(|row| row.last().is_none_or(Value::is_null));
        if format == RowFormat::Table && has_no_error {
            // People need no column of errors where there is none.
            set.columns.pop();
            set.rows.iter_mut().for_each(|row| drop(row.pop()));
        }
        let text = rows::write(&set, format, terminal::width())?;
        match format {
            RowFormat::Table => printer.text(&text),
            RowFormat::Csv | RowFormat::Json => printer.data(&text),
        }
    }

    /// What it was computed of.
    fn about(&self, found: &Profile) -> String {
        let rows = counted(found.rows(), "row");
        let first = self.sample.map_or("", |_| "the first ");
        if self.group_by.is_some() {
            let buckets = counted(found.slices.len(), "bucket");
            format!("{rows} of {} in {buckets}", self.table())
        } else {
            format!("{first}{rows} of {}", self.table())
        }
    }

    /// What is to be known of the numbers.
    fn notes(&self, found: &Profile) -> Vec<String> {
        let estimated = found.estimates.map(estimated);
        let refused = found
            .columns
            .iter()
            .filter_map(|column| Some(left_out(&column.name, column.refused.as_ref()?)));
        let changed = found.has_changed.then(|| {
            "the table changed meanwhile: numbers of different columns may be of different rows"
                .to_owned()
        });
        let unreached = match (found.is_whole(), self.max_time) {
            (true, _) => None,
            (false, Some(seconds)) => Some(format!(
                "{seconds} s were not enough: some metrics are not computed"
            )),
            (false, None) => Some("some metrics are not computed".to_owned()),
        };
        let untimed = found.slices.iter().filter(|slice| slice.start.is_none());
        let untimed = untimed
            .filter(|_| self.group_by.is_some())
            .map(|slice| format!("{} without a time", counted(slice.rows, "row")));
        refused
            .chain(untimed)
            .chain(estimated)
            .chain(changed)
            .chain(unreached)
            .collect()
    }
}

/// What the measured costs are called where they are kept.
const COSTS: &str = "costs";

/// Keeps what was measured of the engine, where that is more than before.
fn keep_costs(context: &Context, remembered: &Remembered, before: &Costs, costs: &Costs) {
    if before != costs
        && let Ok(costs) = serde_json::to_value(costs)
    {
        remembered.keep(context, COSTS, costs);
    }
}

/// The metrics that the connector's last tests found supported; all where there was none.
fn proven(context: &Context, connector: &Connector) -> Result<Vec<&'static Metric>, CliError> {
    let kept = Kept::of(
        &connector.dir,
        AssetClass::Warehouse,
        connector.name.as_str(),
    )?;
    let supported: Vec<&'static Metric> = match kept.known() {
        Some(Report::Warehouse(report)) => report
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

/// What came from the database's statistics, and how far it is off.
fn estimated(told: Estimates) -> String {
    let Estimates {
        columns,
        counted: exact,
        off,
    } = told;
    if columns + exact == 0 {
        return "the database keeps no statistics of these columns that Bowline can read: all numbers were computed"
            .to_owned();
    }
    let off = match off {
        Some(off) => format!(
            "{} it was counted: the statistics are off by {:.1} % there at most",
            match exact {
                1 => "of 1 other".to_owned(),
                others => format!("of {others} others"),
            },
            100.0 * off
        ),
        None => "how far they are off is not known".to_owned(),
    };
    format!(
        "the number of different values of {} is an estimate from the database's statistics; {off}",
        counted(columns, "column")
    )
}

/// A row for each metric of each column, and of each bucket where there are any.
fn set(found: &Profile, is_grouped: bool, tells_estimates: bool) -> ResultSet {
    let names = ["bucket", "column", "metric", "value", "estimated", "error"];
    let is_left_out = |place: usize| place == 0 && !is_grouped || place == 4 && !tells_estimates;
    let columns = names.map(|name| Column {
        name: name.to_owned(),
        type_name: String::new(),
    });
    let rows = numbers(found).map(|number| {
        let (value, error) = match number.outcome {
            Outcome::Value(value) | Outcome::Estimated(value) => (value.clone(), Value::Null),
            Outcome::Failed(error) => (Value::Null, Value::Text(error.text())),
            Outcome::NotReached => (Value::Null, NOT_COMPUTED.into()),
        };
        let start = number.start.map_or(Value::Null, Value::from);
        vec![
            start,
            number.column.into(),
            number.metric.name.into(),
            value,
            Value::Boolean(matches!(number.outcome, Outcome::Estimated(_))),
            error,
        ]
    });
    ResultSet {
        rows: rows.map(|row| without(row, is_left_out)).collect(),
        columns: without(columns.to_vec(), is_left_out),
        ..ResultSet::default()
    }
}

fn without<T>(all: Vec<T>, is_left_out: impl Fn(usize) -> bool) -> Vec<T> {
    let places = all.into_iter().enumerate();
    let kept = places.filter(|(place, _)| !is_left_out(*place));
    kept.map(|(_, one)| one).collect()
}

/// What stands where the time was up.
const NOT_COMPUTED: &str = "not computed";

/// A metric's number.
struct Number<'a> {
    start: Option<&'a str>,
    column: &'a str,
    metric: &'static Metric,
    outcome: &'a Outcome,
}

/// Every number, bucket by bucket and column by column.
fn numbers(found: &Profile) -> impl Iterator<Item = Number<'_>> {
    found.slices.iter().flat_map(|slice| {
        let columns = found.columns.iter().zip(&slice.outcomes);
        columns.flat_map(|(column, outcomes)| {
            let metrics = column.metrics.iter().zip(outcomes);
            metrics.map(|(metric, outcome)| Number {
                start: slice.start.as_deref(),
                column: &column.name,
                metric,
                outcome,
            })
        })
    })
}
