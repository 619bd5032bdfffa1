//! Runs of the vendor that have one id together, of which the connector gives one.

use std::collections::{BTreeMap, HashMap};

use bowline_contract::pipeline::RunEvent;
use bowline_words::counted;

use super::SEVERAL;
use super::given::moments;
use super::records::{Record, Records};
use crate::pipeline::outcome::Outcome;
use crate::pipeline::reading::run_label;
use crate::pipeline::times::SHOWN;

/// Lists that have several records under the id of a run, one with its start and its end, and others that speak of earlier
/// times only: tries that were merged. What is told of a run as it goes on has its start, too, and its parts lie within it.
pub(super) fn merged(runs: &[RunEvent], records: &Records) -> Option<Outcome> {
    let ended = runs.iter().filter(|run| run.has_ended());
    let by_id: HashMap<&str, &RunEvent> = ended
        .filter_map(|run| Some((run.run_source_id()?, run)))
        .collect();
    let mut lines = BTreeMap::new();
    for kind in &records.kinds {
        for place in kind.places() {
            let mut of: BTreeMap<(&str, usize), Vec<&Record>> = BTreeMap::new();
            for (list, records) in kind.lists.iter().enumerate() {
                for record in records {
                    let id = record.said(place).and_then(|said| said.first());
                    if let Some((id, _)) = id.and_then(|id| by_id.get_key_value(id.as_str())) {
                        of.entry((*id, list)).or_default().push(record);
                    }
                }
            }
            let several = of.into_iter().filter(|(_, records)| records.len() > 1);
            lines
                .extend(several.filter_map(|((id, _), records)| {
                    Some((id, earlier(by_id[id], id, &records)?))
                }));
        }
    }
    (lines.len() >= SEVERAL).then(|| {
        let got = format!("{} that several share", counted(lines.len(), "id"));
        Outcome::wrong("an id of its own for every run that the vendor lists", got)
            .with_evidence(lines.into_values().take(SHOWN))
            .with_hint("put the number of the try, or its start, into `run_source_id`")
    })
}

/// How many others of these records speak of earlier times, where one of them is the run's. Those that have the id at fewer
/// places only name it, as attempts may name the last one.
fn earlier(run: &RunEvent, id: &str, records: &[&Record]) -> Option<String> {
    let (start, end) = (run.start_time()?.as_second(), run.end_time()?.as_second());
    let bearing = |record: &Record| -> Vec<String> {
        let bearing = record.fields.iter().filter(|(_, said)| said.contains(id));
        bearing.map(|(place, _)| place.clone()).collect()
    };
    let times = |record: &&Record| -> Vec<i64> {
        let said = record
            .fields
            .values()
            .flatten()
            .flat_map(|said| moments(said));
        said.map(|one| one.at.as_second()).collect()
    };
    let all: Vec<Vec<i64>> = records.iter().map(times).collect();
    let (own, others): (Vec<_>, Vec<_>) = all
        .iter()
        .partition(|times| times.contains(&start) && times.contains(&end));
    let are_earlier = others
        .iter()
        .all(|times| times.len() > 1 && times.iter().all(|at| *at < start));
    let are_alike = records
        .windows(2)
        .all(|two| bearing(two[0]) == bearing(two[1]));
    let label = run_label(run).filter(|_| own.len() == 1 && are_earlier && are_alike)?;
    let count = counted(others.len(), "record");
    Some(format!(
        "{label}: {count} of the vendor with its id are over before it begins"
    ))
}
