//! What is tried over some of the rows, to learn how an engine is asked best.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bowline_driver::{ResultSet, SqlErrorKind, Value};

use super::{Asking, MANY_ROWS};
use crate::plan::{Cost, Costs, Family, MOST_KEPT, TOGETHER, Way};
use crate::request::ProfileError;
use crate::statement::Parts;
use crate::unit::{Unit, aggregates, by_column};

/// How many rows are measured with.
const MEASURED_ROWS: i64 = 50_000;

/// How many columns are measured with; where there are fewer, they are asked together.
const MEASURED_COLUMNS: usize = 8;

/// Over how many rows a list of percentiles must have the values that they have one by one.
const LISTED_ROWS: i64 = 1_000;

impl Asking<'_> {
    /// How a family is asked. Of dear ones that is measured, where it matters and is not known, and percentiles become
    /// lists where the database has them.
    pub(super) fn way(
        &mut self,
        family: Family,
        units: &mut Vec<Unit>,
        costs: &mut Costs,
    ) -> Result<Way, ProfileError> {
        if family == Family::Simple {
            return Ok(Way::Cheap);
        }
        self.count()?;
        if self.total() < MANY_ROWS {
            return Ok(Way::Cheap);
        }
        if family == Family::Percentiles {
            *units = self.listed(units)?;
        }
        let columns: Vec<&[Unit]> = by_column(units).take(MEASURED_COLUMNS).collect();
        if columns.len() < MEASURED_COLUMNS {
            return Ok(Way::Cheap);
        }
        let cost = match costs.get(&family) {
            Some(cost) => Some(*cost),
            None => self.measured(&columns)?,
        };
        costs.extend(cost.map(|cost| (family, cost)));
        // What cannot be measured is asked so that the engine need not hold all columns at a time.
        Ok(cost.map_or(Way::Unmeasured, Way::Measured))
    }

    /// What these columns take together and apart, over some of the rows; nothing where the database refuses.
    fn measured(&mut self, columns: &[&[Unit]]) -> Result<Option<Cost>, ProfileError> {
        let units = columns.concat();
        let kept: i128 = units.iter().map(|unit| unit.kept).sum();
        let rows = i64::try_from(MOST_KEPT / kept.max(1)).unwrap_or(i64::MAX);
        let mut takes = |units: &[Unit]| -> Result<Option<Duration>, ProfileError> {
            let begun = Instant::now();
            let tried = self.tried(&aggregates(units), rows.min(MEASURED_ROWS))?;
            Ok(tried.map(|_| begun.elapsed()))
        };
        // Once to warm up: what is read first is read from the disk.
        if takes(columns[0])?.is_none() {
            return Ok(None);
        }
        let Some(together) = takes(&units)? else {
            return Ok(None);
        };
        let mut apart = Duration::ZERO;
        for column in columns {
            match takes(column)? {
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

    /// The percentiles of each column as one list, where the database has such lists and they are what the percentiles are
    /// one by one: an engine that shares nothing between them orders the values once then.
    fn listed(&mut self, units: &[Unit]) -> Result<Vec<Unit>, ProfileError> {
        let lists: Vec<Unit> = by_column(units).filter_map(|own| self.list(own)).collect();
        let most = lists.iter().map(|list| 1 + list.parts.len()).max();
        let mut good = Vec::new();
        // Where all percentiles are one value, their order is not known.
        let mut is_telling = false;
        for lists in lists.chunks((TOGETHER / most.unwrap_or(1)).max(1)) {
            let both = |list: &Unit| [vec![list.clone()], list.apart()].concat();
            let asked: Vec<Vec<Unit>> = lists.iter().map(both).collect();
            let Some(answer) = self.tried(&aggregates(&asked.concat()), LISTED_ROWS)? else {
                continue;
            };
            let row = answer.rows.into_iter().next().unwrap_or_default();
            let mut values = row.into_iter();
            for (list, asked) in lists.iter().zip(asked) {
                let mut read = asked
                    .iter()
                    .map(|unit| unit.read(&mut values, &Value::Null).unwrap_or_default());
                let listed = read.next().unwrap_or_default();
                if listed == read.collect::<Vec<_>>().concat() {
                    is_telling |= listed.first() != listed.last();
                    good.push(list);
                }
            }
        }
        if !is_telling {
            return Ok(units.to_vec());
        }
        let listed = by_column(units).flat_map(|own| {
            let Some(list) = good.iter().find(|list| list.column == own[0].column) else {
                return own.to_vec();
            };
            let others = own
                .iter()
                .filter(|unit| !list.parts.contains(&unit.parts[0]));
            let mut all = vec![(*list).clone()];
            all.extend(others.cloned());
            all
        });
        Ok(listed.collect())
    }

    /// A list of what percentiles are wanted of a column, where there are several and templates to write it with.
    fn list(&self, own: &[Unit]) -> Option<Unit> {
        let column = &self.columns[own[0].column];
        let metrics = column.metrics.iter();
        let shares: BTreeMap<&Parts, &str> = metrics
            .filter_map(|(metric, parts)| Some((parts, metric.definition().percentile()?)))
            .collect();
        let wanted = own.iter().map(|unit| &unit.parts[0]);
        let mut wanted: Vec<(&str, &Parts)> = wanted
            .filter_map(|parts| Some((*shares.get(parts)?, parts)))
            .collect();
        wanted.sort_unstable();
        let (shares, parts): (Vec<&str>, Vec<&Parts>) = wanted.into_iter().unzip();
        if parts.len() < 2 {
            return None;
        }
        Some(Unit {
            parts: parts.into_iter().cloned().collect(),
            list: Some(self.from.percentiles(&column.name, &shares).ok()?),
            ..own[0].clone()
        })
    }

    /// What the database says over some of the rows; nothing where it refuses.
    fn tried(
        &mut self,
        aggregates: &[String],
        rows: i64,
    ) -> Result<Option<ResultSet>, ProfileError> {
        let Ok(sql) = self.from.first_rows(aggregates, rows) else {
            return Ok(None);
        };
        match self.run(&sql) {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if error.kind == SqlErrorKind::Cancelled => Err(ProfileError::Interrupted),
            Err(_) => Ok(None),
        }
    }
}
