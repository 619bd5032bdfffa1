//! Asks a database for the metrics of a table.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bowline_contract::{ColumnKind, Metric};
use bowline_driver::{Connection, Limits, ResultSet, SqlError, SqlErrorKind, Surplus, Value};
use bowline_query::{Clock, ComposeError, Composer, ExpressionError, Expressions};
use bowline_template::TemplateValue;
use bowline_warehouse::template::TemplateSet;

use crate::columns::{is_certain, kind_of};
use crate::plan::{
    Cost, Costs, Family, MANY_ROWS, MEASURED_COLUMNS, MEASURED_ROWS, Plan, Step, Unit, Way,
    statements,
};
use crate::request::{
    Outcome, Profile, ProfileError, ProfiledColumn, Progress, Refused, Request, Slice,
};
use crate::statement::{From, Parts, ROWS, parts};

/// How many rows are looked at to tell what the columns hold.
const SAMPLE: i64 = 100;

/// Computes the metrics of a table.
///
/// A metric whose templates the connector lacks is left out. A statement that fails is asked again in halves, so that what
/// one metric cannot do costs no other. What was measured of the engine is used, and what is measured now added.
///
/// # Errors
/// [`ProfileError`], when the table cannot be read at all.
pub fn profile(
    templates: Arc<TemplateSet>,
    connection: &mut dyn Connection,
    request: &Request,
    costs: &mut Costs,
    on_progress: &mut dyn FnMut(Progress),
) -> Result<Profile, ProfileError> {
    let mut asking = Asking::prepare(templates, connection, request, on_progress)?;
    let families = asking.families();
    asking.all = families.values().map(Vec::len).sum();
    for (family, units) in families {
        let way = asking.way(family, &units, costs)?;
        for statement in statements(&units, way) {
            asking.ask(&statement)?;
        }
    }
    asking.count()?;
    Ok(asking.finish())
}

/// Tells how a table would be asked for its metrics. Only the columns, the rows and what is not measured yet are asked
/// for.
///
/// # Errors
/// [`ProfileError`], when the table cannot be read at all.
pub fn plan(
    templates: Arc<TemplateSet>,
    connection: &mut dyn Connection,
    request: &Request,
    costs: &mut Costs,
) -> Result<Plan, ProfileError> {
    let mut unseen = |_| ();
    let mut asking = Asking::prepare(templates, connection, request, &mut unseen)?;
    asking.count()?;
    let mut steps = Vec::new();
    for (family, units) in asking.families() {
        let way = asking.way(family, &units, costs)?;
        let statements = statements(&units, way);
        steps.extend(statements.iter().map(|units| Step::of(family, way, units)));
    }
    Ok(Plan {
        rows: asking.rows.values().sum(),
        steps,
    })
}

/// What came of an aggregate: its value in each slice.
type Answer = Result<BTreeMap<Start, Value>, SqlError>;

/// When a bucket begins, as the database writes it.
type Start = Option<String>;

/// What the database is asked, and what it said so far.
struct Asking<'a> {
    from: From,
    connection: &'a mut dyn Connection,
    request: &'a Request,
    columns: Vec<Column>,
    rows: BTreeMap<Start, i128>,
    answers: BTreeMap<Parts, Answer>,
    statements: usize,
    has_changed: bool,
    until: Option<Instant>,
    all: usize,
    on_progress: &'a mut dyn FnMut(Progress),
}

/// A column, and the aggregates of the metrics that are wanted of it.
struct Column {
    name: String,
    kind: Option<ColumnKind>,
    refused: Option<Refused>,
    metrics: Vec<(&'static Metric, Parts)>,
}

impl<'a> Asking<'a> {
    /// Finds out which columns there are, and which metrics fit them.
    fn prepare(
        templates: Arc<TemplateSet>,
        connection: &'a mut dyn Connection,
        request: &'a Request,
        on_progress: &'a mut dyn FnMut(Progress),
    ) -> Result<Self, ProfileError> {
        let until = request.max_time.map(|time| Instant::now() + time);
        let composer = Composer::new(Arc::clone(&templates));
        let sample = sample(&composer, connection, request)?;
        if let Some(buckets) = &request.buckets {
            place(&sample, &buckets.column)?;
        }
        let chosen = chosen(&sample, request)?;
        let expressions = Expressions::new(composer.clone(), Clock::at(request.now));
        let mut asking = Self {
            from: From::of(composer, request).map_err(ExpressionError::from)?,
            connection,
            request,
            columns: Vec::new(),
            rows: BTreeMap::new(),
            answers: BTreeMap::new(),
            statements: 1,
            has_changed: false,
            until,
            all: 0,
            on_progress,
        };
        for place in chosen {
            let name = &sample.columns[place].name;
            let mut column = Column {
                name: name.clone(),
                kind: kind_of(&sample, place),
                refused: None,
                metrics: Vec::new(),
            };
            let escaped = asking.from.escaped(name).map_err(ExpressionError::from)?;
            for metric in &request.metrics {
                let over = metric.definition().over;
                let fits = over == ColumnKind::Any || Some(over) == column.kind;
                if !fits || !is_implemented(&templates, metric) {
                    continue;
                }
                let now = request.now.as_second();
                match parts(&expressions, metric, &escaped, now) {
                    Ok(parts) => column.metrics.push((*metric, parts)),
                    Err(ExpressionError::Compose(ComposeError::Render(_))) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            if !is_certain(&sample, place) {
                let type_name = sample.columns[place].type_name.clone();
                asking.try_kind(&mut column, type_name)?;
            }
            asking.columns.push(column);
        }
        Ok(asking)
    }

    /// Leaves the metrics of a column's kind out where the database takes them for no value of its type: over no rows,
    /// only the type can be at fault.
    fn try_kind(&mut self, column: &mut Column, type_name: String) -> Result<(), ProfileError> {
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
        let sql = self
            .from
            .no_rows(&aggregates)
            .map_err(ExpressionError::from)?;
        let Err(error) = self.run(&sql) else {
            return Ok(());
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

    /// What is asked for, by family and column, once where several metrics share it.
    fn families(&self) -> BTreeMap<Family, Vec<Unit>> {
        let mut families: BTreeMap<Family, Vec<Unit>> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for (column, wanted) in self.columns.iter().enumerate() {
            for (metric, parts) in &wanted.metrics {
                if seen.insert(parts) {
                    let units = families.entry(Family::of(metric)).or_default();
                    units.push(Unit {
                        column,
                        parts: parts.clone(),
                    });
                }
            }
        }
        families
    }

    /// How a family is asked. Of dear ones that is measured, where it matters and is not known.
    fn way(
        &mut self,
        family: Family,
        units: &[Unit],
        costs: &mut Costs,
    ) -> Result<Way, ProfileError> {
        let columns: Vec<&[Unit]> = units
            .chunk_by(|one, other| one.column == other.column)
            .collect();
        if family == Family::Simple || columns.len() < MEASURED_COLUMNS {
            return Ok(Way::Cheap);
        }
        self.count()?;
        if self.rows.values().sum::<i128>() < MANY_ROWS {
            return Ok(Way::Cheap);
        }
        let cost = match costs.get(&family) {
            Some(cost) => Some(*cost),
            None => self.measured(&columns[..MEASURED_COLUMNS])?,
        };
        costs.extend(cost.map(|cost| (family, cost)));
        // What cannot be measured is asked so that the engine need not hold all columns at a time.
        Ok(cost.map_or(Way::Unmeasured, Way::Measured))
    }

    /// What these columns take together and apart, over some of the rows; nothing where the database refuses.
    fn measured(&mut self, columns: &[&[Unit]]) -> Result<Option<Cost>, ProfileError> {
        let mut takes = |units: &[&[Unit]]| -> Result<Option<Duration>, ProfileError> {
            let aggregates: Vec<String> = units
                .concat()
                .into_iter()
                .flat_map(|unit| unit.parts.all())
                .collect();
            let sql = self.from.first_rows(&aggregates, MEASURED_ROWS);
            let sql = sql.map_err(ExpressionError::from)?;
            let begun = Instant::now();
            match self.run(&sql) {
                Ok(_) => Ok(Some(begun.elapsed())),
                Err(error) if error.kind == SqlErrorKind::Cancelled => {
                    Err(ProfileError::Interrupted)
                }
                Err(_) => Ok(None),
            }
        };
        // Once to warm up: what is read first is read from the disk.
        if takes(&columns[..1])?.is_none() {
            return Ok(None);
        }
        let Some(together) = takes(columns)? else {
            return Ok(None);
        };
        let mut apart = Duration::ZERO;
        for column in columns {
            match takes(&[column])? {
                Some(taken) => apart += taken,
                None => return Ok(None),
            }
        }
        Ok(Some(Cost {
            columns: columns.len(),
            together: together.as_secs_f64(),
            apart: apart.as_secs_f64(),
        }))
    }

    /// How long the next statement may take; nothing when the time is up.
    fn limits(&self) -> Option<Limits> {
        let mut limits = self.request.limits.clone();
        if let Some(until) = self.until {
            let left = until.checked_duration_since(Instant::now())?;
            limits.timeout = limits.timeout.min(left);
        }
        (!limits.timeout.is_zero()).then_some(limits)
    }

    fn run(&mut self, sql: &str) -> Result<ResultSet, SqlError> {
        let limits = self.limits().ok_or_else(|| {
            let words = "the time for the whole profile was up";
            SqlError::new(SqlErrorKind::Timeout, words)
        })?;
        self.statements += 1;
        self.connection.run(sql, &limits)
    }

    fn ask(&mut self, units: &[Unit]) -> Result<(), ProfileError> {
        if self.limits().is_none() {
            return Ok(());
        }
        let aggregates: Vec<String> = units.iter().flat_map(|unit| unit.parts.all()).collect();
        let sql = self.from.select(&aggregates);
        match self.run(&sql.map_err(ExpressionError::from)?) {
            Ok(answer) => self.learn(units, answer)?,
            Err(error) if error.kind == SqlErrorKind::Cancelled => {
                return Err(ProfileError::Interrupted);
            }
            Err(_) if self.limits().is_none() => {}
            Err(error) if units.len() == 1 => {
                self.answers.insert(units[0].parts.clone(), Err(error));
            }
            Err(_) => {
                let (one, other) = units.split_at(units.len() / 2);
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

    /// Takes the values that a statement gave: a row for each bucket, which begins with the bucket and ends with its rows.
    fn learn(&mut self, units: &[Unit], answer: ResultSet) -> Result<(), ProfileError> {
        let mut rows = BTreeMap::new();
        for unit in units {
            self.answers.insert(unit.parts.clone(), Ok(BTreeMap::new()));
        }
        for row in answer.rows {
            let mut values = row.into_iter();
            let start = match &self.request.buckets {
                Some(_) => values.next().filter(|start| !start.is_null()),
                None => None,
            };
            let start = start.map(|start| start.to_string());
            let count = values.next_back().unwrap_or(Value::Null);
            // Some drivers give a count as a decimal.
            let count_read = count.to_string().parse().map_err(|_| ProfileError::Count {
                table: self.request.table.clone(),
                got: count.clone(),
            })?;
            rows.insert(start.clone(), count_read);
            for unit in units {
                let mut next = || values.next().unwrap_or(Value::Null);
                let whole = next();
                let value = match unit.parts.of.as_deref() {
                    None => whole,
                    Some(ROWS) => share(&whole, &count),
                    Some(_) => share(&whole, &next()),
                };
                if let Some(Ok(slices)) = self.answers.get_mut(&unit.parts) {
                    slices.insert(start.clone(), value);
                }
            }
        }
        if self.rows.is_empty() {
            self.rows = rows;
        } else if self.rows != rows {
            self.has_changed = true;
            for (start, count) in rows {
                self.rows.entry(start).or_insert(count);
            }
        }
        Ok(())
    }

    /// Counts the rows, where no statement did.
    fn count(&mut self) -> Result<(), ProfileError> {
        if !self.rows.is_empty() {
            return Ok(());
        }
        let sql = self.from.select(&[]).map_err(ExpressionError::from)?;
        match self.run(&sql) {
            Ok(answer) => self.learn(&[], answer),
            Err(error) if error.kind == SqlErrorKind::Cancelled => Err(ProfileError::Interrupted),
            Err(source) => Err(ProfileError::Table {
                table: self.request.table.clone(),
                source,
            }),
        }
    }

    fn finish(self) -> Profile {
        let Self {
            columns,
            rows,
            answers,
            ..
        } = self;
        let outcome = |start: &Start, parts: &Parts| match answers.get(parts) {
            Some(Ok(slices)) => slices
                .get(start)
                .map_or(Outcome::NotReached, |value| Outcome::Value(value.clone())),
            Some(Err(error)) => Outcome::Failed(error.clone()),
            None => Outcome::NotReached,
        };
        let slices = rows.into_iter().map(|(start, rows)| Slice {
            outcomes: columns
                .iter()
                .map(|column| {
                    let parts = column.metrics.iter().map(|(_, parts)| parts);
                    parts.map(|parts| outcome(&start, parts)).collect()
                })
                .collect(),
            start,
            rows,
        });
        Profile {
            slices: slices.collect(),
            columns: columns
                .into_iter()
                .map(|column| ProfiledColumn {
                    name: column.name,
                    kind: column.kind,
                    refused: column.refused,
                    metrics: column.metrics.iter().map(|(metric, _)| *metric).collect(),
                })
                .collect(),
            statements: self.statements,
            has_changed: self.has_changed,
        }
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
    let limited = composer.render_with(
        "add_row_limit",
        vec![
            ("query", TemplateValue::Text(whole.clone())),
            ("limit", TemplateValue::Integer(SAMPLE)),
        ],
    );
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
    request
        .columns
        .iter()
        .map(|name| place(sample, name))
        .collect()
}

fn place(sample: &ResultSet, name: &str) -> Result<usize, ProfileError> {
    sample.position(name).ok_or_else(|| ProfileError::Column {
        name: name.to_owned(),
        there: sample
            .columns
            .iter()
            .map(|column| column.name.clone())
            .collect(),
    })
}

/// Whether the connector has every template of a metric that a connector can have.
fn is_implemented(templates: &TemplateSet, metric: &Metric) -> bool {
    metric
        .tested_templates()
        .all(|template| templates.get(template).is_some())
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
