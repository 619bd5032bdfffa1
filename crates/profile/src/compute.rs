//! Asks a database for the metrics of a table.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bowline_contract::{ColumnKind, Metric, Template};
use bowline_driver::{Connection, Limits, ResultSet, SqlError, SqlErrorKind, Surplus, Value};
use bowline_query::{Clock, ComposeError, Composer, ExpressionError, Expressions};
use bowline_template::TemplateValue;
use bowline_warehouse::template::{Arguments, TemplateSet};
use bowline_words::{Diagnose, Diagnostic};
use jiff::Timestamp;

use crate::columns::{is_certain, kind_of};
use crate::statement::{Parts, ROWS, parts};

/// How many rows are looked at to tell what the columns hold.
const SAMPLE: i64 = 100;

/// How many aggregates one statement asks for. Engines limit their number and the statement's length.
const TOGETHER: usize = 100;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The table as SQL names it.
    pub table: String,
    /// The columns by their names; all when none is named.
    pub columns: Vec<String>,
    /// A condition in SQL on the rows.
    pub condition: Option<String>,
    /// The metrics.
    pub metrics: Vec<&'static Metric>,
    /// The moment that counts as now.
    pub now: Timestamp,
    /// What one statement may use.
    pub limits: Limits,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            table: String::new(),
            columns: Vec::new(),
            condition: None,
            metrics: Metric::all().iter().collect(),
            now: Timestamp::now(),
            limits: Limits::default(),
        }
    }
}

/// The metrics of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// How many rows there are.
    pub rows: i128,
    /// The columns, in the table's order.
    pub columns: Vec<ColumnProfile>,
    /// How many statements computed it.
    pub statements: usize,
}

/// The metrics of a column.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnProfile {
    /// Its name.
    pub name: String,
    /// What it holds, where that has metrics of its own.
    pub kind: Option<ColumnKind>,
    /// Why the metrics of what it seems to hold are left out.
    pub refused: Option<Refused>,
    /// What came of each metric that fits, by name.
    pub outcomes: Vec<(&'static Metric, Outcome)>,
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
    /// The database refused it.
    Failed(SqlError),
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// How many aggregates are computed.
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
            Self::Expression(_) | Self::Count { .. } | Self::Interrupted => told,
        }
    }
}

/// Computes the metrics of a table.
///
/// A metric whose templates the connector lacks is left out. A statement that fails is asked again in halves, so that what
/// one metric cannot do costs no other.
///
/// # Errors
/// [`ProfileError`], when the table cannot be read at all.
pub fn profile(
    templates: Arc<TemplateSet>,
    connection: &mut dyn Connection,
    request: &Request,
    on_progress: &mut dyn FnMut(Progress),
) -> Result<Profile, ProfileError> {
    let composer = Composer::new(Arc::clone(&templates));
    let sample = sample(&composer, connection, request)?;
    let chosen = chosen(&sample, request)?;
    let expressions = Expressions::new(composer.clone(), Clock::at(request.now));
    let (mut wanted, mut doubtful) = (Vec::new(), Vec::new());
    for place in chosen {
        let name = &sample.columns[place].name;
        let kind = kind_of(&sample, place);
        let column = escaped(&composer, name).map_err(ExpressionError::from)?;
        let mut metrics = Vec::new();
        for metric in &request.metrics {
            let over = metric.definition().over;
            let fits = over == ColumnKind::Any || Some(over) == kind;
            if !fits || !is_implemented(&templates, metric) {
                continue;
            }
            let parts = match parts(&expressions, metric, &column, request.now.as_second()) {
                Ok(parts) => parts,
                Err(ExpressionError::Compose(ComposeError::Render(_))) => continue,
                Err(error) => return Err(error.into()),
            };
            metrics.push((*metric, parts));
        }
        wanted.push(Wanted {
            name: name.clone(),
            kind,
            refused: None,
            metrics,
        });
        doubtful
            .push((!is_certain(&sample, place)).then(|| sample.columns[place].type_name.clone()));
    }

    let mut asking = Asking {
        composer,
        connection,
        request,
        answers: BTreeMap::new(),
        statements: 0,
        all: 0,
        on_progress,
    };
    for (column, type_name) in wanted.iter_mut().zip(doubtful) {
        if let Some(type_name) = type_name {
            asking.try_kind(column, type_name)?;
        }
    }
    let columns = wanted.iter().flat_map(|column| &column.metrics);
    let aggregates: BTreeSet<String> = columns
        .flat_map(|(_, parts)| [parts.whole.clone()].into_iter().chain(parts.of.clone()))
        .chain([ROWS.to_owned()])
        .collect();
    asking.all = aggregates.len();
    let aggregates: Vec<String> = aggregates.into_iter().collect();
    for together in aggregates.chunks(TOGETHER) {
        asking.ask(together)?;
    }
    let Asking {
        answers,
        statements,
        ..
    } = asking;
    let table = request.table.clone();
    let rows = match &answers[ROWS] {
        // Some drivers give a count as a decimal.
        Ok(count) => count.to_string().parse().map_err(|_| {
            let got = count.clone();
            ProfileError::Count { table, got }
        })?,
        Err(source) => {
            let source = source.clone();
            return Err(ProfileError::Table { table, source });
        }
    };
    let columns = wanted.into_iter().map(|wanted| ColumnProfile {
        name: wanted.name,
        kind: wanted.kind,
        refused: wanted.refused,
        outcomes: wanted
            .metrics
            .into_iter()
            .map(|(metric, parts)| (metric, outcome(&answers, &parts)))
            .collect(),
    });
    Ok(Profile {
        rows,
        columns: columns.collect(),
        statements,
    })
}

/// A column, and the aggregates of the metrics that are wanted of it.
struct Wanted {
    name: String,
    kind: Option<ColumnKind>,
    refused: Option<Refused>,
    metrics: Vec<(&'static Metric, Parts)>,
}

/// What the database is asked, and what it said so far.
struct Asking<'a> {
    composer: Composer,
    connection: &'a mut dyn Connection,
    request: &'a Request,
    answers: BTreeMap<String, Result<Value, SqlError>>,
    statements: usize,
    all: usize,
    on_progress: &'a mut dyn FnMut(Progress),
}

impl Asking<'_> {
    /// Leaves the metrics of a column's kind out where the database takes them for no value of its type: over no rows,
    /// only the type can be at fault.
    fn try_kind(&mut self, column: &mut Wanted, type_name: String) -> Result<(), ProfileError> {
        let is_general = |metric: &Metric| metric.definition().over == ColumnKind::Any;
        let special = column
            .metrics
            .iter()
            .filter(|(metric, _)| !is_general(metric));
        let aggregates: BTreeSet<String> = special.map(|(_, parts)| parts.whole.clone()).collect();
        let (Some(kind), false) = (column.kind, aggregates.is_empty()) else {
            return Ok(());
        };
        let aggregates: Vec<String> = aggregates.into_iter().collect();
        let mut sql = self
            .composer
            .select_from(&aggregates, self.request.table.clone())
            .map_err(ExpressionError::from)?;
        sql.push_str(" WHERE 1 = 0");
        self.statements += 1;
        let error = match self.connection.run(&sql, &self.request.limits) {
            Ok(_) => return Ok(()),
            Err(error) => error,
        };
        match error.kind {
            SqlErrorKind::Cancelled => return Err(ProfileError::Interrupted),
            SqlErrorKind::Connection | SqlErrorKind::Timeout | SqlErrorKind::Permission => {}
            _ => {
                column.metrics.retain(|(metric, _)| is_general(metric));
                column.kind = None;
                column.refused = Some(Refused {
                    kind,
                    type_name,
                    error,
                });
            }
        }
        Ok(())
    }

    fn ask(&mut self, aggregates: &[String]) -> Result<(), ProfileError> {
        let mut sql = self
            .composer
            .select_from(aggregates, self.request.table.clone())
            .map_err(ExpressionError::from)?;
        if let Some(condition) = &self.request.condition {
            sql.push_str(&format!(" WHERE ({condition})"));
        }
        self.statements += 1;
        match self.connection.run(&sql, &self.request.limits) {
            Ok(answer) => {
                let row = answer.rows.into_iter().next().unwrap_or_default();
                let values = row.into_iter().chain(std::iter::repeat(Value::Null));
                let answers = aggregates.iter().cloned().zip(values.map(Ok));
                self.answers.extend(answers);
            }
            Err(error) if error.kind == SqlErrorKind::Cancelled => {
                return Err(ProfileError::Interrupted);
            }
            Err(error) if aggregates.len() == 1 => {
                self.answers.insert(aggregates[0].clone(), Err(error));
            }
            Err(_) => {
                let (one, other) = aggregates.split_at(aggregates.len() / 2);
                self.ask(one)?;
                return self.ask(other);
            }
        }
        (self.on_progress)(Progress {
            done: self.answers.len(),
            all: self.all,
        });
        Ok(())
    }
}

/// The first rows, which tell the columns.
fn sample(
    composer: &Composer,
    connection: &mut dyn Connection,
    request: &Request,
) -> Result<ResultSet, ProfileError> {
    let limits = Limits {
        max_rows: usize::try_from(SAMPLE).unwrap_or(usize::MAX),
        surplus: Surplus::Leave,
        ..request.limits.clone()
    };
    let whole = format!("SELECT * FROM {}", request.table);
    let limited = Arguments {
        variables: vec![
            ("query", TemplateValue::Text(whole.clone())),
            ("limit", TemplateValue::Integer(SAMPLE)),
        ],
        placeholders: Vec::new(),
    };
    let limited = composer.render(Template::known("add_row_limit"), limited);
    let sql = limited.unwrap_or(whole);
    connection
        .run(&sql, &limits)
        .map_err(|source| match source.kind {
            SqlErrorKind::Cancelled => ProfileError::Interrupted,
            _ => ProfileError::Table {
                table: request.table.clone(),
                source,
            },
        })
}

/// The places of the columns that are asked for.
fn chosen(sample: &ResultSet, request: &Request) -> Result<Vec<usize>, ProfileError> {
    if request.columns.is_empty() {
        return Ok((0..sample.columns.len()).collect());
    }
    let place = |name: &String| {
        sample.position(name).ok_or_else(|| ProfileError::Column {
            name: name.clone(),
            there: sample
                .columns
                .iter()
                .map(|column| column.name.clone())
                .collect(),
        })
    };
    request.columns.iter().map(place).collect()
}

/// A column's name as SQL takes it.
fn escaped(composer: &Composer, name: &str) -> Result<String, ComposeError> {
    let arguments = Arguments {
        variables: vec![("field_name", TemplateValue::Text(name.to_owned()))],
        placeholders: Vec::new(),
    };
    composer.render(Template::known("escape_field_name"), arguments)
}

/// Whether the connector has every template of a metric that a connector can have.
fn is_implemented(templates: &TemplateSet, metric: &Metric) -> bool {
    metric
        .tested_templates()
        .all(|template| templates.get(template).is_some())
}

/// A metric from the aggregates that it takes.
fn outcome(answers: &BTreeMap<String, Result<Value, SqlError>>, parts: &Parts) -> Outcome {
    let whole = match &answers[&parts.whole] {
        Ok(value) => value,
        Err(error) => return Outcome::Failed(error.clone()),
    };
    let Some(of) = &parts.of else {
        return Outcome::Value(whole.clone());
    };
    match &answers[of] {
        Ok(of) => Outcome::Value(share(whole, of)),
        Err(error) => Outcome::Failed(error.clone()),
    }
}

/// A share of two counts; NULL of none.
fn share(part: &Value, whole: &Value) -> Value {
    match (number(part), number(whole)) {
        (Some(part), Some(whole)) if whole != 0.0 => Value::Float(part / whole),
        _ => Value::Null,
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(_) | Value::Float(_) | Value::Decimal(_) => value.to_string().parse().ok(),
        _ => None,
    }
}
