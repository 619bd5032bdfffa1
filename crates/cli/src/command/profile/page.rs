//! Metrics as a page with small charts.

use bowline_contract::{ColumnKind, Metric, Unit};
use bowline_profile::{Outcome, Profile, Slice};
use bowline_report::page::{self, ProfiledColumn, ProfiledMetric, ProfiledNumber, ProfiledTable};

use super::NOT_COMPUTED;

pub(super) fn page(
    connector: &str,
    table: &str,
    found: &Profile,
    about: &str,
    notes: &[String],
    is_grouped: bool,
) -> String {
    // Rows without a time have no place among the others.
    let slices: Vec<&Slice> = found
        .slices
        .iter()
        .filter(|slice| !is_grouped || slice.start.is_some())
        .collect();
    let buckets = slices
        .iter()
        .filter_map(|slice| Some((slice.start.clone()?, slice.rows)));
    page::profile(&ProfiledTable {
        connector,
        bowline_version: env!("BOWLINE_VERSION"),
        table,
        about: about.to_owned(),
        notes: notes.to_vec(),
        buckets: buckets.collect(),
        columns: found
            .columns
            .iter()
            .enumerate()
            .map(|(place, column)| ProfiledColumn {
                name: &column.name,
                kind: column.kind.map(ColumnKind::name),
                metrics: column
                    .metrics
                    .iter()
                    .enumerate()
                    .map(|(number, metric)| metric_of(&slices, metric, place, number))
                    .collect(),
            })
            .collect(),
    })
}

fn metric_of(
    slices: &[&Slice],
    metric: &'static Metric,
    column: usize,
    number: usize,
) -> ProfiledMetric<'static> {
    ProfiledMetric {
        name: metric.name,
        measures: metric.description,
        is_share: metric.definition().unit == Unit::Share,
        numbers: slices
            .iter()
            .map(|slice| number_of(&slice.outcomes[column][number]))
            .collect(),
    }
}

fn number_of(outcome: &Outcome) -> ProfiledNumber {
    let text = match outcome {
        Outcome::Value(value) if value.is_null() => "NULL".to_owned(),
        Outcome::Value(value) => value.to_string(),
        Outcome::Estimated(value) => format!("about {value}"),
        Outcome::Failed(error) => error.text(),
        Outcome::NotReached => NOT_COMPUTED.to_owned(),
    };
    ProfiledNumber {
        number: match outcome {
            Outcome::Value(value) | Outcome::Estimated(value) => value.to_string().parse().ok(),
            Outcome::Failed(_) | Outcome::NotReached => None,
        },
        text,
    }
}
