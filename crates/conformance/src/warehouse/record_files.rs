//! The files that the check records stand in, and all of their records.

use std::collections::HashMap;
use std::sync::LazyLock;

use bowline_contract::SuiteSection;
use bowline_query::Alphabet;
use serde::Deserialize;

use crate::warehouse::record::CheckRecord;
use crate::warehouse::{Check, CheckId};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordFile {
    check: Vec<CheckRecord>,
}

const FILES: [(SuiteSection, &str, &str); 17] = [
    (
        SuiteSection::CustomMonitors,
        "custom_monitors.toml",
        include_str!("../../checks/custom_monitors.toml"),
    ),
    (
        SuiteSection::QlPrerequisites,
        "building_blocks.toml",
        include_str!("../../checks/building_blocks.toml"),
    ),
    (
        SuiteSection::QlPrerequisites,
        "flags.toml",
        include_str!("../../checks/flags.toml"),
    ),
    (
        SuiteSection::QlPrerequisites,
        "casts.toml",
        include_str!("../../checks/casts.toml"),
    ),
    (
        SuiteSection::QlPrerequisites,
        "literals.toml",
        include_str!("../../checks/literals.toml"),
    ),
    (
        SuiteSection::QlPrerequisites,
        "timestamps.toml",
        include_str!("../../checks/timestamps.toml"),
    ),
    (
        SuiteSection::QlPrerequisites,
        "moments.toml",
        include_str!("../../checks/moments.toml"),
    ),
    (
        SuiteSection::QlPrerequisites,
        "columns.toml",
        include_str!("../../checks/columns.toml"),
    ),
    (
        SuiteSection::QlPrerequisites,
        "windows.toml",
        include_str!("../../checks/windows.toml"),
    ),
    (
        SuiteSection::QlPrerequisites,
        "comparisons.toml",
        include_str!("../../checks/comparisons.toml"),
    ),
    (
        SuiteSection::QlPrerequisites,
        "dates.toml",
        include_str!("../../checks/dates.toml"),
    ),
    (
        SuiteSection::QlMetrics,
        "aggregates.toml",
        include_str!("../../checks/aggregates.toml"),
    ),
    (
        SuiteSection::QlMetrics,
        "texts.toml",
        include_str!("../../checks/texts.toml"),
    ),
    (
        SuiteSection::QlMetrics,
        "regexes.toml",
        include_str!("../../checks/regexes.toml"),
    ),
    (
        SuiteSection::QlMetrics,
        "values.toml",
        include_str!("../../checks/values.toml"),
    ),
    (
        SuiteSection::QlMetrics,
        "shapes.toml",
        include_str!("../../checks/shapes.toml"),
    ),
    (
        SuiteSection::QlMetrics,
        "metrics.toml",
        include_str!("../../checks/metrics.toml"),
    ),
];

/// Every record of the suite, in its order.
pub(crate) fn records() -> &'static [(SuiteSection, CheckRecord)] {
    static RECORDS: LazyLock<Vec<(SuiteSection, CheckRecord)>> = LazyLock::new(|| {
        FILES
            .iter()
            .flat_map(|(section, name, text)| {
                let records = read(name, text, &Alphabet::ALL);
                records.into_iter().map(|record| (*section, record))
            })
            .collect()
    });
    &RECORDS
}

/// The records of a file; those with letters that an alphabet lacks have themselves in it at hand.
fn read(name: &str, text: &str, alphabets: &[Alphabet]) -> Vec<CheckRecord> {
    let file: RecordFile =
        toml::from_str(text).unwrap_or_else(|error| panic!("checks/{name}: {error}"));
    let records = file.check.into_iter().map(CheckRecord::for_metrics);
    let records = records.flat_map(CheckRecord::for_each_case);
    let mut records: Vec<_> = records.flat_map(CheckRecord::for_each).collect();
    if let [alphabet, narrower @ ..] = alphabets
        && !text.is_ascii()
    {
        let fewer = read(name, &alphabet.spell(text), narrower);
        for (record, fewer) in records.iter_mut().zip(fewer) {
            record.in_fewer_letters = Some(Box::new(fewer)).filter(|fewer| **fewer != *record);
        }
    }
    records
}

/// The record that a check was made from; checks that are code have none.
pub(crate) fn record_of(check: &Check) -> Option<&'static CheckRecord> {
    static PLACES: LazyLock<HashMap<CheckId, usize>> = LazyLock::new(|| {
        let checks = records()
            .iter()
            .map(|(section, record)| record.check(*section));
        checks
            .enumerate()
            .map(|(place, check)| (check.id, place))
            .collect()
    });
    let (_, record) = &records()[*PLACES.get(&check.id)?];
    Some(record)
}
