//! Asks a database for the metrics of a table.

mod estimates;
mod probe;
mod sample;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use bowline_contract::{ColumnKind, Metric};
use bowline_driver::{Connection, Limits, ResultSet, SqlError, SqlErrorKind, Value};
use bowline_query::{Clock, ComposeError, Composer, ExpressionError, Expressions};
use bowline_warehouse::template::TemplateSet;

use self::estimates::Taken;
use self::sample::{chosen, place, sample, width};
use crate::columns::{is_certain, kind_of};
use crate::plan::{Costs, Family, Plan, Step, Way, statements};
use crate::request::{
    Outcome, Profile, ProfileError, ProfiledColumn, Progress, Refused, Request, Slice,
};
use crate::statement::{From, Parts, parts};
use crate::unit::{Unit, aggregates};

/// Of so many rows on, it matters how metrics are asked.
const MANY_ROWS: i128 = 100_000;

/// Opens another connection to the same database.
pub type Another<'a> = dyn Fn() -> Result<Box<dyn Connection>, SqlError> + 'a;

/// Computes the metrics of a table.
///
/// A metric whose templates the connector lacks is left out. A statement that fails is asked again in halves, so that what
/// one metric cannot do costs no other. What was measured of the engine is used, and what is measured now added. Of a
/// large table several statements are asked at once, over as many connections as the request has and `another` gives.
///
/// # Errors
/// [`ProfileError`], when the table cannot be read at all.
pub fn profile(
    templates: Arc<TemplateSet>,
    connection: &mut dyn Connection,
    another: &Another<'_>,
    request: &Request,
    costs: &mut Costs,
    on_progress: &mut dyn FnMut(Progress),
) -> Result<Profile, ProfileError> {
    let mut asking = Asking::prepare(templates, connection, request, on_progress)?;
    let families = asking.families();
    let units = families.values().flatten();
    asking.all = units.map(|unit| unit.parts.len()).sum();
    // What is cheap comes first, and brings the number of rows; what is dear shares the time that is left.
    let mut dear = Vec::new();
    for (family, units) in families {
        let mut units = asking.without_estimates(family, units)?;
        let way = asking.way(family, &mut units, costs)?;
        let statements = statements(&units, way, asking.kept_rows());
        match family {
            Family::Simple => asking.ask_all(statements, another)?,
            Family::Distinct | Family::Percentiles => dear.extend(statements),
        }
    }
    asking.ask_all(dear, another)?;
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
    let (rows, kept) = (asking.total(), asking.kept_rows());
    for (family, units) in asking.families() {
        let mut units = asking.without_estimates(family, units)?;
        let way = asking.way(family, &mut units, costs)?;
        let statements = statements(&units, way, kept);
        let step = |units: &Vec<Unit>| Step::of(family, way, units, kept);
        steps.extend(statements.iter().map(step));
    }
    Ok(Plan {
        rows,
        steps,
        estimates: asking.told_estimates(),
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
    taken: Taken,
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
    /// How many bytes a value holds beside what every value takes, on average.
    width: usize,
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
            taken: Taken::default(),
            statements: 1,
            has_changed: false,
            until,
            all: 0,
            on_progress,
        };
        let mut taken_types = BTreeSet::new();
        for place in chosen {
            let name = &sample.columns[place].name;
            let mut column = Column {
                name: name.clone(),
                kind: kind_of(&sample, place),
                refused: None,
                width: width(&sample, place),
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
                asking.try_kind(&mut column, type_name, &mut taken_types)?;
            }
            asking.columns.push(column);
        }
        Ok(asking)
    }

    /// Leaves the metrics of a column's kind out where the database takes them for no value of its type: over no rows,
    /// only the type can be at fault. Types that it took are not tried for every column of theirs.
    fn try_kind(
        &mut self,
        column: &mut Column,
        type_name: String,
        taken: &mut BTreeSet<(ColumnKind, String)>,
    ) -> Result<(), ProfileError> {
        let is_general = |metric: &Metric| metric.definition().over == ColumnKind::Any;
        let special = column
            .metrics
            .iter()
            .filter(|(metric, _)| !is_general(metric));
        let aggregates: BTreeSet<String> = special.map(|(_, parts)| parts.whole.clone()).collect();
        let (Some(kind), false) = (column.kind, aggregates.is_empty()) else {
            return Ok(());
        };
        let is_taken = (kind, type_name.clone());
        if taken.contains(&is_taken) {
            return Ok(());
        }
        let aggregates: Vec<String> = aggregates.into_iter().collect();
        let sql = self
            .from
            .no_rows(&aggregates)
            .map_err(ExpressionError::from)?;
        let Err(error) = self.run(&sql) else {
            if !type_name.is_empty() {
                taken.insert(is_taken);
            }
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
        for (column, wanted) in self.columns.iter().enumerate() {
            for (metric, parts) in &wanted.metrics {
                let family = Family::of(metric);
                let units = families.entry(family).or_default();
                let own = units.iter_mut().rev();
                let mut own = own.take_while(|unit| unit.column == column);
                match own.find(|unit| unit.parts[0].whole == parts.whole) {
                    Some(unit) if unit.parts.contains(parts) => {}
                    Some(unit) => unit.parts.push(parts.clone()),
                    None => units.push(Unit {
                        column,
                        parts: vec![parts.clone()],
                        list: None,
                        kept: family.kept(wanted.width),
                    }),
                }
            }
        }
        families
    }

    /// Those of a family that are computed, where the others are taken from statistics.
    fn without_estimates(
        &mut self,
        family: Family,
        units: Vec<Unit>,
    ) -> Result<Vec<Unit>, ProfileError> {
        if self.request.estimates && family == Family::Distinct {
            return self.estimated(units);
        }
        Ok(units)
    }

    /// How many rows there are, as far as it is known.
    fn total(&self) -> i128 {
        self.rows.values().sum()
    }

    /// How many rows the memory of this machine may have to keep of.
    fn kept_rows(&self) -> i128 {
        if self.request.keeps_in_memory {
            self.total()
        } else {
            0
        }
    }

    /// What should have been in lists, aggregate by aggregate.
    fn without_lists(&self, units: &[Unit]) -> Vec<Vec<Unit>> {
        statements(units, Way::Cheap, self.kept_rows())
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

    /// Asks statements, of a large table several at once, until nothing is left to ask. What fails beside others is asked
    /// again by itself: a server may have room for one.
    fn ask_all(
        &mut self,
        mut left: Vec<Vec<Unit>>,
        another: &Another<'_>,
    ) -> Result<(), ProfileError> {
        let mut most = if self.total() < MANY_ROWS {
            1
        } else {
            self.request.connections
        };
        let mut others = Vec::new();
        while !left.is_empty() {
            while others.len() + 1 < most.min(left.len()) {
                match another() {
                    Ok(other) => others.push(other),
                    Err(error) if error.kind == SqlErrorKind::Cancelled => {
                        return Err(ProfileError::Interrupted);
                    }
                    // What was refused once is not asked for again.
                    Err(_) => most = others.len() + 1,
                }
            }
            let Some(limits) = self.limits() else {
                return Ok(());
            };
            let later = left.split_off(left.len().min(others.len() + 1));
            let sql = left
                .iter()
                .map(|units| self.from.select(&aggregates(units)));
            let sql: Result<Vec<String>, _> = sql.collect();
            let sql = sql.map_err(ExpressionError::from)?;
            self.statements += sql.len();
            let answers = together(self.connection, &mut others, &sql, &limits);
            let now = std::mem::replace(&mut left, later);
            let was_alone = now.len() == 1;
            for (units, answer) in now.into_iter().zip(answers) {
                match answer {
                    Err(error) if !was_alone && error.kind != SqlErrorKind::Cancelled => {
                        most = 1;
                        left.push(units);
                    }
                    answer => left.extend(self.took(&units, answer)?),
                }
            }
            if most == 1 {
                others.clear();
            }
        }
        Ok(())
    }

    /// Takes what came of a statement; gives what is to be asked in its place.
    fn took(
        &mut self,
        units: &[Unit],
        answer: Result<ResultSet, SqlError>,
    ) -> Result<Vec<Vec<Unit>>, ProfileError> {
        match answer {
            Ok(answer) => {
                let again = self.learn(units, answer)?;
                if !again.is_empty() {
                    return Ok(self.without_lists(&again));
                }
            }
            Err(error) if error.kind == SqlErrorKind::Cancelled => {
                return Err(ProfileError::Interrupted);
            }
            Err(_) if self.limits().is_none() => {}
            Err(error) => match units {
                [unit] if unit.list.is_some() => return Ok(self.without_lists(&unit.apart())),
                [unit] => {
                    let failed = unit.parts.iter().cloned();
                    let failed = failed.map(|parts| (parts, Err(error.clone())));
                    self.answers.extend(failed);
                }
                _ => {
                    let (one, other) = units.split_at(units.len() / 2);
                    return Ok(vec![one.to_vec(), other.to_vec()]);
                }
            },
        }
        (self.on_progress)(Progress {
            done: self.answers.len(),
            all: self.all,
        });
        Ok(Vec::new())
    }

    /// Takes the values that a statement gave: a row for each bucket, which begins with the bucket and ends with its rows.
    /// What should have been a list and is none is given back, to be asked without.
    fn learn(&mut self, units: &[Unit], answer: ResultSet) -> Result<Vec<Unit>, ProfileError> {
        let mut rows = BTreeMap::new();
        let mut unread = BTreeSet::new();
        for parts in units.iter().flat_map(|unit| &unit.parts) {
            self.answers.insert(parts.clone(), Ok(BTreeMap::new()));
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
            for (place, unit) in units.iter().enumerate() {
                let Some(found) = unit.read(&mut values, &count) else {
                    unread.insert(place);
                    continue;
                };
                for (parts, value) in unit.parts.iter().zip(found) {
                    if let Some(Ok(slices)) = self.answers.get_mut(parts) {
                        slices.insert(start.clone(), value);
                    }
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
        let unread = unread.into_iter().flat_map(|place| units[place].apart());
        Ok(unread.collect())
    }

    /// Counts the rows, where no statement did.
    fn count(&mut self) -> Result<(), ProfileError> {
        if !self.rows.is_empty() {
            return Ok(());
        }
        let sql = self.from.select(&[]).map_err(ExpressionError::from)?;
        match self.run(&sql) {
            Ok(answer) => self.learn(&[], answer).map(drop),
            Err(error) if error.kind == SqlErrorKind::Cancelled => Err(ProfileError::Interrupted),
            Err(_) if self.limits().is_none() => Err(ProfileError::NotInTime {
                table: self.request.table.clone(),
            }),
            Err(source) => Err(ProfileError::Table {
                table: self.request.table.clone(),
                source,
            }),
        }
    }

    fn finish(self) -> Profile {
        let estimates = self.told_estimates();
        let Self {
            columns,
            rows,
            answers,
            taken,
            ..
        } = self;
        let outcome = |start: &Start, parts: &Parts| match answers.get(parts) {
            Some(Ok(slices)) => slices
                .get(start)
                .map_or(Outcome::NotReached, |value| Outcome::Value(value.clone())),
            Some(Err(error)) => Outcome::Failed(error.clone()),
            None => match taken.values.get(parts) {
                Some(value) => Outcome::Estimated(value.clone()),
                None => Outcome::NotReached,
            },
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
            estimates,
        }
    }
}

/// Runs each statement over a connection of its own.
fn together(
    connection: &mut dyn Connection,
    others: &mut [Box<dyn Connection>],
    statements: &[String],
    limits: &Limits,
) -> Vec<Result<ResultSet, SqlError>> {
    let Some((first, behind)) = statements.split_first() else {
        return Vec::new();
    };
    std::thread::scope(|scope| {
        let running: Vec<_> = others
            .iter_mut()
            .zip(behind)
            .map(|(other, sql)| scope.spawn(move || other.run(sql, limits)))
            .collect();
        let first = connection.run(first, limits);
        let gone = |_| Err(SqlError::new(SqlErrorKind::Other, "its thread panicked"));
        let behind = running.into_iter();
        let behind = behind.map(|running| running.join().unwrap_or_else(gone));
        std::iter::once(first).chain(behind).collect()
    })
}

/// Whether the connector has every template of a metric that a connector can have.
fn is_implemented(templates: &TemplateSet, metric: &Metric) -> bool {
    metric
        .tested_templates()
        .all(|template| templates.get(template).is_some())
}
