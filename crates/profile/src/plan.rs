//! Which aggregates share a statement.
//!
//! Aggregates that look at a row and forget it cost little beside the scan, so that as many as the engine takes go into
//! one statement. Those that keep the values, to tell how many differ or which lies in the middle, are dearer together
//! on one engine and dearer one by one on another: that is measured, over some of the table's rows. However that is, a
//! statement keeps no more at a time than [`MOST_KEPT`].

use std::collections::{BTreeMap, BTreeSet};

use bowline_contract::Metric;
use serde::{Deserialize, Serialize};

use crate::request::Estimates;
use crate::unit::{Unit, by_column};

/// The most aggregates that a statement asks for; PostgreSQL takes 1,664 columns in a result. An engine that takes fewer is
/// asked again in halves.
pub(crate) const TOGETHER: usize = 1_500;

/// The most bytes that the aggregates of a statement may keep of the rows, as far as that can be known: one that keeps more
/// alone has a statement of its own.
pub const MOST_KEPT: i128 = 320_000_000;

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

    /// About how many bytes an aggregate keeps of a row, whose value is so many bytes beside what every value takes; taken
    /// from DuckDB, with as much again for what texts are kept in.
    pub(crate) fn kept(self, width: usize) -> i128 {
        let fixed = match self {
            Self::Simple => return 0,
            Self::Distinct => 32,
            Self::Percentiles => 16,
        };
        fixed + 2 * width as i128
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
    /// What would be taken from the database's statistics; none where nobody asks for it.
    pub estimates: Option<Estimates>,
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
    /// Which columns it asks for, by their place.
    pub columns: BTreeSet<usize>,
    /// How many metrics come of it.
    pub metrics: usize,
    /// How many columns have all their percentiles in one list.
    pub lists: usize,
    /// About how many bytes its aggregates keep of the rows, at most.
    pub kept: i128,
}

/// The aggregates of a family over so many rows, by statements.
pub(crate) fn statements(units: &[Unit], way: Way, rows: i128) -> Vec<Vec<Unit>> {
    let fits = |one: &[Unit], other: &[Unit]| {
        let both = || one.iter().chain(other);
        let outputs: usize = both().map(|unit| unit.aggregates().len()).sum();
        outputs <= TOGETHER && both().map(|unit| unit.kept).sum::<i128>() * rows <= MOST_KEPT
    };
    let mut statements: Vec<Vec<Unit>> = Vec::new();
    for column in by_column(units) {
        match statements.last_mut() {
            Some(last) if !way.is_apart() && fits(last, column) => last.extend_from_slice(column),
            _ => {
                statements.push(Vec::new());
                for unit in column {
                    match statements.last_mut() {
                        Some(last) if last.is_empty() || fits(last, std::slice::from_ref(unit)) => {
                            last.push(unit.clone());
                        }
                        _ => statements.push(vec![unit.clone()]),
                    }
                }
            }
        }
    }
    statements
}

impl Step {
    pub(crate) fn of(family: Family, way: Way, units: &[Unit], rows: i128) -> Self {
        Self {
            family,
            way,
            columns: units.iter().map(|unit| unit.column).collect(),
            metrics: units.iter().map(|unit| unit.parts.len()).sum(),
            lists: units.iter().filter(|unit| unit.list.is_some()).count(),
            kept: units.iter().map(|unit| unit.kept).sum::<i128>() * rows,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statement::Parts;

    fn units(columns: usize, each: usize, kept: i128) -> Vec<Unit> {
        let unit = |column, number| Unit {
            column,
            parts: vec![Parts {
                whole: format!("f{number}(c{column})"),
                of: None,
            }],
            list: None,
            kept,
        };
        (0..columns)
            .flat_map(|column| (0..each).map(move |number| unit(column, number)))
            .collect()
    }

    fn sizes(units: &[Unit], way: Way, rows: i128) -> Vec<usize> {
        let statements = statements(units, way, rows);
        assert_eq!(statements.concat(), units);
        statements.iter().map(Vec::len).collect()
    }

    #[test]
    fn a_statement_is_as_large_as_engines_take_and_cuts_no_column() {
        let many = units(100, 40, 0);
        assert_eq!(sizes(&many, Way::Cheap, 1), [1_480, 1_480, 1_040]);
        assert_eq!(sizes(&many, Way::Unmeasured, 1), [40; 100]);
        let step = Step::of(Family::Simple, Way::Cheap, &units(3, 4, 0), 1);
        assert_eq!((step.columns.len(), step.metrics), (3, 12));
    }

    #[test]
    fn no_statement_keeps_more_than_it_may() {
        let many = units(100, 7, Family::Percentiles.kept(0));
        for way in [Way::Cheap, Way::Unmeasured] {
            for rows in [0, 1, 100_000, 1_000_000, 3_000_000, 20_000_000] {
                for statement in statements(&many, way, rows) {
                    let step = Step::of(Family::Percentiles, way, &statement, rows);
                    assert!(step.kept <= MOST_KEPT, "{rows} rows: {}", step.kept);
                }
            }
        }
        assert_eq!(sizes(&many, Way::Cheap, 100_000), [196, 196, 196, 112]);
        // Two columns, and a column that has to be cut.
        assert_eq!(sizes(&many, Way::Cheap, 1_400_000), [14; 50]);
        assert_eq!(sizes(&units(1, 7, 16), Way::Cheap, 5_000_000), [4, 3]);
        // One aggregate cannot be cut.
        assert_eq!(
            sizes(&units(1, 2, 16), Way::Cheap, i128::pow(10, 12)),
            [1, 1]
        );
        assert!(Family::Distinct.kept(1_000) > 1_000 + Family::Distinct.kept(0));
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
