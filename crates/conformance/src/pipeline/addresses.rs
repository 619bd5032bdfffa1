//! Addresses of jobs and runs that do not lead to them.

use std::collections::{BTreeMap, BTreeSet};

use bowline_contract::pipeline::RunEvent;
use serde_json::Value as Json;

/// With so many it is no accident.
const SEVERAL: usize = 3;

/// Fields whose addresses all lack what they begin with, such as `https://`: a line each.
pub(super) fn bare_addresses<'e>(events: impl Iterator<Item = &'e Json>) -> Vec<String> {
    let mut told: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for event in events {
        for field in ["job_url", "run_url"] {
            told.entry(field).or_default().extend(event[field].as_str());
        }
    }
    told.into_iter()
        .filter(|(_, texts)| {
            texts.len() >= SEVERAL && !texts.iter().any(|text| text.contains("://"))
        })
        .map(|(field, texts)| {
            let (first, all) = (texts[0], texts.len());
            format!("`{field}` is `{first}` and the like in all of {all}, which leads nowhere")
        })
        .collect()
}

/// Addresses with the id of another run in place of the run's own, where all are such that can be judged.
pub(super) fn foreign_addresses(runs: &[RunEvent]) -> Vec<String> {
    foreign(runs.iter().map(RunEvent::json), "run")
}

/// The same of runs or jobs.
pub(super) fn foreign<'e>(events: impl Iterator<Item = &'e Json>, noun: &str) -> Vec<String> {
    let (id, address) = (format!("{noun}_source_id"), format!("{noun}_url"));
    let told: Vec<(&str, Option<&str>)> = events
        .filter_map(|event| Some((event[&id].as_str()?, event[&address].as_str())))
        .collect();
    // Short numbers may count something else.
    let is_telling = |id: &&str| id.len() > 3 && id.contains(|letter: char| letter.is_alphabetic());
    let known: BTreeSet<&str> = told.iter().map(|(id, _)| *id).filter(is_telling).collect();
    let mut judged = 0;
    let mut lines = Vec::new();
    for (id, given) in told {
        let Some(given) = given else { continue };
        let mut parts = given.split(['/', '=', '?', '&', '#']);
        if given.contains(id) {
            judged += 1;
        } else if let Some(other) = parts.find(|part| known.contains(part)) {
            judged += 1;
            lines.push(format!(
                "{noun} `{id}`: `{address}` leads to {noun} `{other}`"
            ));
        }
    }
    if lines.len() < SEVERAL || lines.len() < judged {
        lines.clear();
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_address_leads_to_its_own_run_or_job() {
        for noun in ["run", "job"] {
            let told = |ids: [&str; 3], to: [&str; 3]| {
                let event = |(id, to): (&str, &str)| {
                    json!({format!("{noun}_source_id"): id,
                        format!("{noun}_url"): format!("https://v.example/{noun}s/{to}")})
                };
                let events: Vec<Json> = ids.into_iter().zip(to).map(event).collect();
                foreign(events.iter(), noun).len()
            };
            let ids = ["load-1", "load-2", "load-3"];
            assert_eq!(told(ids, ["load-2", "load-3", "load-1"]), 3);
            assert_eq!(
                told(ids, ["load-2", "load-3", "load-3"]),
                0,
                "one is its own"
            );
            assert_eq!(told(ids, ["7", "8", "9"]), 0);
            let numbers = ["1001", "1002", "1003"];
            let others = ["1002", "1003", "1001"];
            assert_eq!(told(numbers, others), 0, "numbers may count something else");
        }
    }
}
