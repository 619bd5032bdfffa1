//! Every check of the suite, for readers who want to know what is asked before anything runs.

use bowline_contract::SuiteSection;

use crate::Tier;
use crate::warehouse::Check;
use crate::warehouse::chain::Spec;
use crate::warehouse::record_files::records;
use crate::warehouse::{connection, functional, metadata, query_logs};

/// The checks that are code, by section.
const CHAINS: [(SuiteSection, &[&Spec]); 3] = [
    (
        SuiteSection::Connection,
        &[
            &connection::QUERY,
            &connection::ROWS,
            &connection::DESCRIPTION,
            &connection::PERCENT,
            &connection::VALUES,
        ],
    ),
    (
        SuiteSection::Metadata,
        &[
            &metadata::DATABASES,
            &metadata::SCHEMA_NAMES,
            &metadata::TABLES,
            &metadata::TABLES_BY_NAMES,
            &metadata::ROW_COUNT,
            &metadata::BYTE_COUNT,
            &metadata::LAST_UPDATE_TIME,
            &metadata::TABLE_COLUMNS,
            &metadata::WELL_FORMED,
            &metadata::ORDERED,
            &metadata::PAGES,
            &metadata::OTHER_SCHEMA,
            &metadata::OTHER_DATABASE,
            &metadata::IDENTIFIED,
            &metadata::ALL_COLUMNS,
            &query_logs::WITH_DATETIMES,
            &query_logs::WITH_TEXTS,
            &query_logs::SOUND,
            &query_logs::LIMITED,
            &query_logs::BOUNDED,
        ],
    ),
    (SuiteSection::Functional, &functional::ALL),
];

/// Every check there is, by section, of both tiers.
#[must_use]
pub fn checks() -> Vec<Check> {
    let chains = CHAINS
        .iter()
        .flat_map(|(section, specs)| specs.iter().map(|spec| spec.check(*section)));
    let questions = records()
        .iter()
        .map(|(section, record)| record.check(*section));
    let mut checks: Vec<Check> = chains.chain(questions).collect();
    checks.sort_by_key(|check| check.section);
    checks
}

/// The checks of a section that are code, in a tier.
pub(crate) fn in_section(section: SuiteSection, tier: Tier) -> Vec<Check> {
    let chains = CHAINS.iter().filter(|(of, _)| *of == section);
    chains
        .flat_map(|(section, specs)| specs.iter().map(|spec| spec.check(*section)))
        .filter(|check| check.tier <= tier)
        .collect()
}

/// How many of the checks that are code a run of these sections asks at most.
pub(crate) fn in_chains(sections: &[SuiteSection], tier: Tier) -> usize {
    let counts = sections
        .iter()
        .map(|section| in_section(*section, tier).len());
    counts.sum()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use bowline_contract::SuiteSection;

    use super::*;

    #[test]
    fn every_section_has_checks_and_every_name_stands_once() {
        let checks = checks();
        let names: BTreeSet<_> = checks.iter().map(|check| check.id.clone()).collect();
        assert_eq!(names.len(), checks.len());
        for section in SuiteSection::ALL {
            assert!(checks.iter().any(|check| check.section == *section));
        }
    }
}
