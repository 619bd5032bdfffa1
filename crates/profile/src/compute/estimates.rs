//! Numbers of different values as the database's own statistics have them: told without reading the table, and estimates.

use std::collections::BTreeMap;

use bowline_driver::{ResultSet, SqlErrorKind, Value};
use bowline_query::Literal;

use super::Asking;
use crate::request::{Estimates, ProfileError};
use crate::statement::{Parts, names};
use crate::unit::{Unit, by_column, number};

/// Of how many columns the values are counted all the same, to tell how far the statistics are off.
const COUNTED: usize = 3;

/// Writes what gives a row for each column with its name, the share of rows without a value and how many values differ, the
/// latter as a share of the rows where it is below 0, either of which may be NULL: of a table, its schema and its name, all as SQL's texts, the schema NULL where it is not
/// named. Which of them an engine knows is found by trying.
const STATISTICS: [fn(&str, &str, &str) -> String; 2] = [of_postgres, of_mariadb];

fn of_postgres(table: &str, _: &str, _: &str) -> String {
    format!(
        "SELECT s.attname, s.null_frac, NULLIF(s.n_distinct, 0) \
         FROM pg_catalog.pg_stats s JOIN pg_catalog.pg_namespace n ON n.nspname = s.schemaname \
         JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = s.tablename \
         WHERE c.oid = CAST({table} AS regclass) \
         AND s.inherited = EXISTS (SELECT 1 FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid)"
    )
}

fn of_mariadb(_: &str, schema: &str, name: &str) -> String {
    format!(
        "SELECT s.column_name, s.nulls_ratio, t.cardinality * (1 - s.nulls_ratio) / NULLIF(s.avg_frequency, 0) \
         FROM mysql.column_stats s JOIN mysql.table_stats t ON t.db_name = s.db_name AND t.table_name = s.table_name \
         WHERE s.db_name = COALESCE({schema}, DATABASE()) AND s.table_name = {name}"
    )
}

/// What the statistics say of a column.
struct Told {
    /// The share of rows without a value.
    missing: f64,
    /// How many values differ; below 0 the share of the rows that they are.
    different: f64,
}

/// What was taken from the statistics.
#[derive(Default)]
pub(super) struct Taken {
    /// The estimates of metrics that are not computed.
    pub(super) values: BTreeMap<Parts, Value>,
    /// The estimates of those that are, to tell how far they are off.
    compared: BTreeMap<Parts, Value>,
    columns: usize,
    counted: usize,
}

impl Asking<'_> {
    /// Takes what the statistics tell; gives what is to be computed still.
    pub(super) fn estimated(&mut self, units: Vec<Unit>) -> Result<Vec<Unit>, ProfileError> {
        let told = self.statistics()?;
        if told.is_empty() {
            return Ok(units);
        }
        self.count()?;
        let by_column: Vec<&[Unit]> = by_column(&units).collect();
        let estimates: Vec<BTreeMap<Parts, Value>> = by_column
            .iter()
            .map(|units| self.estimates(units[0].column, &told))
            .collect();
        let known: Vec<usize> = (0..estimates.len())
            .filter(|place| !estimates[*place].is_empty())
            .collect();
        let counted = spread(&known);
        self.taken.columns += known.len();
        self.taken.counted += counted.len();
        let mut left = Vec::new();
        for (place, (units, own)) in by_column.into_iter().zip(estimates).enumerate() {
            if counted.contains(&place) {
                self.taken.compared.extend(own);
                left.extend_from_slice(units);
                continue;
            }
            let unknown = |unit: &&Unit| !unit.parts.iter().all(|parts| own.contains_key(parts));
            left.extend(units.iter().filter(unknown).cloned());
            self.taken.values.extend(own);
        }
        Ok(left)
    }

    /// The estimates of a column's metrics, as far as there are any.
    fn estimates(&self, column: usize, told: &BTreeMap<String, Told>) -> BTreeMap<Parts, Value> {
        let column = &self.columns[column];
        let Some(Told { missing, different }) = told.get(&column.name) else {
            return BTreeMap::new();
        };
        #[expect(clippy::cast_precision_loss, reason = "it is an estimate")]
        let rows = self.total() as f64;
        let there = rows * (1.0 - missing);
        let different = if *different < 0.0 {
            -different * rows
        } else {
            *different
        };
        let different = different.min(there).round();
        let metrics = column.metrics.iter();
        let estimates = metrics.filter_map(|(metric, parts)| {
            let value = match metric.name {
                #[expect(clippy::cast_possible_truncation, reason = "it is rounded")]
                "approx_distinct_count" => Value::from(different as i64),
                "approx_distinctness" if there > 0.0 => Value::Float(different / there),
                _ => return None,
            };
            Some((parts.clone(), value))
        });
        estimates.collect()
    }

    /// What the statistics say of each column; nothing where the database keeps none, or none that is known here.
    fn statistics(&mut self) -> Result<BTreeMap<String, Told>, ProfileError> {
        let [schema, name] = names(&self.request.table);
        let text = |value: Option<&String>| match value {
            Some(value) => self.from.literal(&Literal::Text(value.clone())).ok(),
            None => Some("NULL".to_owned()),
        };
        let of = [Some(&self.request.table), schema.as_ref(), name.as_ref()];
        let [Some(table), Some(schema), Some(name)] = of.map(text) else {
            return Ok(BTreeMap::new());
        };
        for statement in STATISTICS {
            let sql = statement(&table, &schema, &name);
            match self.run(&sql) {
                // What knows the catalogue is that engine, whether or not it has looked at the table.
                Ok(answer) => return Ok(read(&answer)),
                Err(error) if error.kind == SqlErrorKind::Cancelled => {
                    return Err(ProfileError::Interrupted);
                }
                Err(_) => {}
            }
        }
        Ok(BTreeMap::new())
    }

    /// How much came from the statistics, and how far they were off.
    pub(super) fn told_estimates(&self) -> Option<Estimates> {
        let Taken {
            compared,
            columns,
            counted,
            ..
        } = &self.taken;
        let off = compared.iter().filter_map(|(parts, estimate)| {
            let found = self.answers.get(parts)?.as_ref().ok()?.values().next()?;
            let (found, estimate) = (number(found)?, number(estimate)?);
            let largest = found.max(estimate);
            (largest > 0.0).then(|| (found - estimate).abs() / largest)
        });
        self.request.estimates.then(|| Estimates {
            columns: columns - counted,
            counted: *counted,
            off: off.max_by(f64::total_cmp),
        })
    }
}

fn read(answer: &ResultSet) -> BTreeMap<String, Told> {
    let columns = answer.rows.iter().filter_map(|row| {
        let [name, missing, different] = row.as_slice() else {
            return None;
        };
        let told = Told {
            missing: number(missing).unwrap_or_default(),
            different: number(different)?,
        };
        Some((name.to_string(), told))
    });
    columns.collect()
}

/// Some of these, from the first to the last: no more than a half.
fn spread(places: &[usize]) -> Vec<usize> {
    let count = COUNTED.min(places.len() / 2);
    (0..count)
        .map(|number| places[number * (places.len() - 1) / (count - 1).max(1)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_that_are_counted_lie_apart_and_are_no_more_than_a_half() {
        assert_eq!(spread(&[]), [0; 0]);
        assert_eq!(spread(&[7]), [0; 0]);
        assert_eq!(spread(&[1, 2]), [1]);
        assert_eq!(spread(&[1, 2, 3]), [1]);
        assert_eq!(spread(&[1, 2, 3, 4]), [1, 4]);
        assert_eq!(spread(&(0..101).collect::<Vec<_>>()), [0, 50, 100]);
    }
}
