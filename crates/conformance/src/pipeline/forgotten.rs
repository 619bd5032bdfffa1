//! Runs that came once and never again, although the vendor still has them.

use std::collections::{BTreeMap, BTreeSet};

use bowline_contract::pipeline::RunEvent;

use super::ledger::Comparison;
use super::reading::{Reading, run_label};
use super::runner::Suite;
use super::times::SHOWN;

/// Runs that no reading gives any more, though most of the runs are such and they are still there by their ids: a line
/// each. A vendor that forgets its oldest runs meanwhile is no such case.
pub(super) fn forgotten(
    suite: &mut Suite<'_>,
    comparison: &Comparison,
    readings: &[&Reading<RunEvent>],
) -> Vec<String> {
    let gone: BTreeSet<&String> = comparison.gone.iter().map(|one| &one.label).collect();
    let known: BTreeMap<String, &RunEvent> = readings
        .iter()
        .flat_map(|reading| &reading.events)
        .filter_map(|run| Some((run_label(run)?, run)))
        .collect();
    let is_whole = readings.iter().all(|reading| reading.is_whole());
    if !is_whole || 2 * gone.len() <= known.len() {
        return Vec::new();
    }
    let asked: Vec<(&String, &RunEvent)> = gone
        .into_iter()
        .filter_map(|label| Some((label, *known.get(label)?)))
        .take(SHOWN)
        .collect();
    let ids: Vec<String> = asked
        .iter()
        .filter_map(|(_, run)| run.run_source_id().map(str::to_owned))
        .collect();
    let Ok(reading) = suite.reader.by_id(&ids) else {
        return Vec::new();
    };
    asked
        .iter()
        .filter(|(_, run)| {
            reading.events.iter().any(|other| {
                other.run_source_id() == run.run_source_id()
                    && other.event_time() == run.event_time()
            })
        })
        .map(|(label, _)| format!("{label} came once, is there by its id, and came no more"))
        .collect()
}
