//! What is asked for, and what came of it.

use std::time::Duration;

use bowline_contract::{ColumnKind, Metric};
use bowline_driver::{Limits, SqlError, Value};
use bowline_query::ExpressionError;
use bowline_words::{Diagnose, Diagnostic};
use jiff::Timestamp;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The table as SQL names it.
    pub table: String,
    /// The columns by their names; all when none is named.
    pub columns: Vec<String>,
    /// A condition in SQL on the rows.
    pub condition: Option<String>,
    /// At most so many rows, the first that the database gives.
    pub sample: Option<u64>,
    /// How the rows are put into buckets of time; one for all where they are not.
    pub buckets: Option<Buckets>,
    /// The metrics.
    pub metrics: Vec<&'static Metric>,
    /// The moment that counts as now.
    pub now: Timestamp,
    /// What one statement may use.
    pub limits: Limits,
    /// Whether the engine keeps what its aggregates need in this machine's memory, as one of this process does: then a
    /// statement keeps no more than [`MOST_KEPT`](crate::MOST_KEPT). A server writes to its disk what it cannot keep.
    pub keeps_in_memory: bool,
    /// How long it may take altogether; what is not computed by then is left.
    pub max_time: Option<Duration>,
    /// Over how many connections it may be asked at once.
    pub connections: usize,
    /// Whether what the database's own statistics tell is taken from them, where they are of all that is asked for: of a
    /// whole table, without a condition.
    pub estimates: bool,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            table: String::new(),
            columns: Vec::new(),
            condition: None,
            sample: None,
            buckets: None,
            metrics: Metric::all().iter().collect(),
            now: Timestamp::now(),
            limits: Limits::default(),
            keeps_in_memory: true,
            max_time: None,
            connections: 1,
            estimates: false,
        }
    }
}

/// Rows by the time in a column, as a monitor looks at them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buckets {
    /// The column's name.
    pub column: String,
    /// How long a bucket is.
    pub each: Bucket,
    /// Only rows from then on.
    pub since: Option<Timestamp>,
}

/// How long a bucket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bucket {
    /// From hour to hour.
    Hour,
    /// From midnight to midnight.
    Day,
}

/// The metrics of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// The columns, in the table's order.
    pub columns: Vec<ProfiledColumn>,
    /// The buckets, earliest first; one where the rows are not put into buckets.
    pub slices: Vec<Slice>,
    /// How many statements computed it, and found out how to ask.
    pub statements: usize,
    /// The number of rows was not the same in all of them: somebody wrote meanwhile.
    pub has_changed: bool,
    /// What was taken from the database's statistics; none where nobody asked for it.
    pub estimates: Option<Estimates>,
}

/// How much was taken from the database's statistics.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimates {
    /// Of how many columns the numbers of different values are estimates.
    pub columns: usize,
    /// Of how many others, of which there are statistics as well, they were counted.
    pub counted: usize,
    /// How far the statistics of these were off at most, as a share of the larger number.
    pub off: Option<f64>,
}

impl Profile {
    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> i128 {
        self.slices.iter().map(|slice| slice.rows).sum()
    }

    /// Whether everything was asked that there was to ask.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let mut outcomes = self
            .slices
            .iter()
            .flat_map(|slice| &slice.outcomes)
            .flatten();
        outcomes.all(|outcome| *outcome != Outcome::NotReached)
    }
}

/// A column that metrics were computed of.
#[derive(Debug, Clone, PartialEq)]
pub struct ProfiledColumn {
    /// Its name.
    pub name: String,
    /// What it holds, where that has metrics of its own.
    pub kind: Option<ColumnKind>,
    /// Why the metrics of what it seems to hold are left out.
    pub refused: Option<Refused>,
    /// The metrics that fit, by name.
    pub metrics: Vec<&'static Metric>,
}

/// Some of the rows, or all.
#[derive(Debug, Clone, PartialEq)]
pub struct Slice {
    /// When the bucket begins, as the database writes it; none where the time is missing, or there are no buckets.
    pub start: Option<String>,
    /// How many rows there are.
    pub rows: i128,
    /// What came of each column's metrics, in their order.
    pub outcomes: Vec<Vec<Outcome>>,
}

/// The database takes the metrics of a kind for no values of a column's type.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// What the column's values look like.
    pub kind: ColumnKind,
    /// The driver's word for its type.
    pub type_name: String,
    /// The database's words.
    pub error: SqlError,
}

/// What came of a metric.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Its number; NULL where there is nothing to compute it from.
    Value(Value),
    /// What the database's statistics say of it.
    Estimated(Value),
    /// The database refused it.
    Failed(SqlError),
    /// The time was up before it was computed, or the rows came while the others were computed.
    NotReached,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// How many metrics are computed.
    pub done: usize,
    /// How many there are.
    pub all: usize,
}

/// Why there is no profile.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The table cannot be read.
    #[error("cannot read the table: `{table}`")]
    Table {
        /// The table.
        table: String,
        /// The database's words.
        source: SqlError,
    },
    /// The time was up before anything was known of the table.
    #[error("cannot profile the table: `{table}`: the time was up before the first number")]
    NotInTime {
        /// The table.
        table: String,
    },
    /// There is no such column.
    #[error("no such column: `{name}`")]
    Column {
        /// The name that was given.
        name: String,
        /// Those that there are.
        there: Vec<String>,
    },
    /// The SQL cannot be written.
    #[error("cannot write the SQL of the metrics")]
    Expression(#[from] ExpressionError),
    /// The database says how many rows there are in no number.
    #[error("cannot count the rows of the table: `{table}`: got {got}")]
    Count {
        /// The table.
        table: String,
        /// What it said.
        got: Value,
    },
    /// The work was stopped.
    #[error("stopped")]
    Interrupted,
}

impl Diagnose for ProfileError {
    fn diagnose(&self) -> Diagnostic {
        let told = Diagnostic::of(self);
        match self {
            Self::Table { source, .. } => told.hint(source.hint.clone()),
            Self::Column { name, there } => {
                let near = bowline_words::nearest(name, there.iter().map(String::as_str));
                told.hint(match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("there are {}", bowline_words::listed(there)),
                })
            }
            Self::NotInTime { .. } => {
                told.hint("give it more time, fewer columns, or the first rows alone".to_owned())
            }
            Self::Expression(_) | Self::Count { .. } | Self::Interrupted => told,
        }
    }
}
