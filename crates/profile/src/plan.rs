//! Which aggregates share a statement.
//!
//! Aggregates that look at a row and forget it cost little beside the scan, so that as many as the engine takes go into
//! one statement. Those that keep the values, to tell how many differ or which lies in the middle, are dearer together
//! on one engine and dearer one by one on another: that is measured, over some of the table's rows.

use std::collections::BTreeMap;

use bowline_contract::Metric;
use serde::{Deserialize, Serialize};

use crate::statement::Parts;

/// The most aggregates that a statement asks for; PostgreSQL takes 1,664 columns in a result. An engine that takes fewer is
/// asked again in halves.
const TOGETHER: usize = 1_500;

/// Of so many rows on, it matters how dear aggregates are asked.
pub(crate) const MANY_ROWS: i128 = 100_000;

/// How many rows are measured with.
pub(crate) const MEASURED_ROWS: i64 = 50_000;

/// How many columns are measured with; where there are fewer, they are asked together.
pub(crate) const MEASURED_COLUMNS: usize = 8;

/// What aggregates keep of the rows that they see, and so what they cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Nothing: counts, sums, averages, the least and the greatest.
    Simple,
    /// Which values there are.
    Distinct,
    /// All values, in order.
    Percentiles,
}

impl Family {
    /// Every family whose aggregates are dear.
    pub const DEAR: [Self; 2] = [Self::Distinct, Self::Percentiles];

    pub(crate) fn of(metric: &Metric) -> Self {
        const DEAR: [(&str, Family); 3] = [
            ("get_distinct_count_func", Family::Distinct),
            ("get_approx_percentile_func", Family::Percentiles),
            ("get_approx_quantiles_func", Family::Percentiles),
        ];
        let needs = |name: &str| {
            metric
                .tested_templates()
                .any(|template| template.short_name() == name)
        };
        let dear = DEAR.iter().find(|(name, _)| needs(name));
        dear.map_or(Self::Simple, |(_, family)| *family)
    }

    /// What its aggregates are called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Simple => "counts, sums and averages",
            Self::Distinct => "numbers of different values",
            Self::Percentiles => "percentiles",
        }
    }
}

/// What asking for the aggregates of a family took, over a part of the table.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// How many columns were asked for.
    pub columns: usize,
    /// In seconds, all of them in one statement.
    pub together: f64,
    /// In seconds, a statement for each column.
    pub apart: f64,
}

impl Cost {
    /// Whether a statement for each column is the better way. Together, an engine holds the values of all columns at a
    /// time, so that this must be worth it.
    #[must_use]
    pub fn is_better_apart(&self) -> bool {
        self.together > 0.8 * self.apart
    }
}

/// What was measured of an engine, by family. It holds as long as the engine and the templates are the same.
pub type Costs = BTreeMap<Family, Cost>;

/// How a table is asked for its metrics.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// How many rows there are.
    pub rows: i128,
    /// The statements, in their order.
    pub steps: Vec<Step>,
}

/// Why the aggregates of a family share a statement, or why each column has one of its own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Way {
    /// Together, as they cost little, or there are few rows or columns.
    Cheap,
    /// As was measured.
    Measured(Cost),
    /// A column at a time, as the database would not be measured.
    Unmeasured,
}

impl Way {
    pub(crate) fn is_apart(&self) -> bool {
        match self {
            Self::Cheap => false,
            Self::Measured(cost) => cost.is_better_apart(),
            Self::Unmeasured => true,
        }
    }
}

/// One statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The family of its aggregates.
    pub family: Family,
    /// Why they share their statement with others, or do not.
    pub way: Way,
    /// How many columns it asks for.
    pub columns: usize,
    /// How many metrics come of it.
    pub metrics: usize,
}

/// What is asked for one column: what several metrics share is there once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unit {
    /// Which of the columns.
    pub(crate) column: usize,
    pub(crate) parts: Parts,
}

/// The aggregates of a family, by statements.
pub(crate) fn statements(units: &[Unit], way: Way) -> Vec<Vec<Unit>> {
    let mut statements: Vec<Vec<Unit>> = Vec::new();
    for column in units.chunk_by(|one, other| one.column == other.column) {
        match statements.last_mut() {
            Some(last) if !way.is_apart() && last.len() + column.len() <= TOGETHER => {
                last.extend_from_slice(column);
            }
            _ => statements.push(column.to_vec()),
        }
    }
    statements
}

impl Step {
    pub(crate) fn of(family: Family, way: Way, units: &[Unit]) -> Self {
        Self {
            family,
            way,
            columns: units
                .chunk_by(|one, other| one.column == other.column)
                .count(),
            metrics: units.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(columns: usize, each: usize) -> Vec<Unit> {
        let unit = |column, number| Unit {
            column,
            parts: Parts {
                whole: format!("f{number}(c{column})"),
                of: None,
            },
        };
        (0..columns)
            .flat_map(|column| (0..each).map(move |number| unit(column, number)))
            .collect()
    }

    #[test]
    fn a_statement_is_as_large_as_engines_take_and_cuts_no_column() {
        let sizes = |way| -> Vec<usize> {
            statements(&units(100, 40), way)
                .iter()
                .map(Vec::len)
                .collect()
        };
        assert_eq!(sizes(Way::Cheap), [1_480, 1_480, 1_040]);
        assert_eq!(sizes(Way::Unmeasured), [40; 100]);
        let step = Step::of(Family::Simple, Way::Cheap, &units(3, 4));
        assert_eq!((step.columns, step.metrics), (3, 12));
    }

    #[test]
    fn metrics_that_keep_values_are_dear() {
        let family = |name: &str| Family::of(Metric::find(name).unwrap());
        assert_eq!(family("approx_distinctness"), Family::Distinct);
        assert_eq!(family("percentile_20"), Family::Percentiles);
        assert_eq!(family("approx_quantiles"), Family::Percentiles);
        assert_eq!(family("numeric_mean"), Family::Simple);
    }

    #[test]
    fn together_must_be_worth_what_it_holds() {
        let cost = |together, apart| Cost {
            columns: 8,
            together,
            apart,
        };
        assert!(cost(1.0, 1.0).is_better_apart());
        assert!(cost(2.0, 1.0).is_better_apart());
        assert!(!cost(0.3, 1.0).is_better_apart());
    }
}
