//! What began runs, against what their jobs say of it.

use std::collections::{BTreeMap, BTreeSet};

use bowline_contract::pipeline::{AssetEvent, RunEvent};
use bowline_words::counted;
use serde_json::Value as Json;

use super::contradictions::{SEVERAL, by_id, first, texts};
use super::outcome::Outcome;
use super::schedules::{in_another_unit, is_twice_due};

/// What began runs otherwise than their jobs say, if anything did.
pub(super) fn begun_otherwise(assets: &[AssetEvent], runs: &[RunEvent]) -> Option<Outcome> {
    let jobs = by_id(assets);
    first([
        (
            by_those_after(&jobs, runs),
            "jobs that trigger those whose runs theirs begin",
            "give as `triggered_job_source_ids` the jobs that come after, and not those before",
        ),
        (
            all_by_hand(&jobs, runs),
            "runs that a schedule began, of jobs that have one",
            "take `trigger` from what the vendor says of the run",
        ),
        (
            in_another_unit(&jobs, runs),
            "jobs that run as often as their schedules say",
            "give `interval_seconds` in seconds",
        ),
    ])
}

/// Runs that are there, each with the one that triggered it and before it.
fn triggered(runs: &[RunEvent]) -> Vec<(&RunEvent, &RunEvent)> {
    let by_id: BTreeMap<&str, &RunEvent> = runs
        .iter()
        .filter_map(|run| Some((run.run_source_id()?, run)))
        .collect();
    let by = |run: &RunEvent| {
        let id = run.json()["triggered_by_run_source_id"].as_str()?;
        by_id.get(id).copied()
    };
    runs.iter()
        .filter_map(|run| Some((by(run)?, run)))
        .collect()
}

/// Jobs whose runs trigger those of another that says itself to trigger them, where most are such.
fn by_those_after(jobs: &BTreeMap<&str, &Json>, runs: &[RunEvent]) -> Vec<String> {
    let pairs: BTreeSet<(&str, &str)> = triggered(runs)
        .into_iter()
        .filter_map(|(before, run)| Some((before.job_source_id()?, run.job_source_id()?)))
        .filter(|(before, after)| before != after)
        .collect();
    let says = |one: &str, other: &str| {
        let job = jobs.get(one);
        job.is_some_and(|job| texts(&job["triggered_job_source_ids"]).any(|id| id == other))
    };
    let straight = pairs.iter().filter(|(before, after)| says(before, after));
    let straight = straight.count();
    let turned = pairs
        .iter()
        .filter(|(before, after)| says(after, before) && !says(before, after));
    let lines: Vec<String> = turned
        .map(|(before, after)| {
            format!("job `{after}` says that it triggers `{before}`, whose runs trigger its own")
        })
        .collect();
    if lines.len() < 2 || straight > 0 {
        return Vec::new();
    }
    lines
}

/// Runs that are all said to be begun by hand, or to be another try, though several of their jobs have schedules that are
/// at work.
fn all_by_hand(jobs: &BTreeMap<&str, &Json>, runs: &[RunEvent]) -> Vec<String> {
    let mut triggers: BTreeSet<&str> = runs.iter().filter_map(RunEvent::trigger).collect();
    triggers.remove("RETRY");
    if triggers != BTreeSet::from(["MANUAL"]) {
        return Vec::new();
    }
    let lines: Vec<String> = jobs
        .iter()
        .filter(|(id, job)| is_twice_due(job, id, runs))
        .filter_map(|(id, _)| {
            let by_hand = runs
                .iter()
                .filter(|run| run.job_source_id() == Some(id) && run.trigger() == Some("MANUAL"));
            let count = by_hand.count();
            (count >= SEVERAL).then(|| {
                format!(
                    "job `{id}` has a schedule, and somebody began {}",
                    counted(count, "run")
                )
            })
        })
        .collect();
    if lines.len() < SEVERAL {
        return Vec::new();
    }
    lines
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use serde_json::json;

    use super::*;
    use crate::pipeline::samples::job;

    fn runs(job: &str, hour: u8, fields: &Json) -> Vec<RunEvent> {
        (0..4)
            .map(|day| {
                let at = |minute: u8| format!("2026-01-0{}T{hour:02}:{minute:02}:00Z", day + 1);
                let mut run = json!({
                    "job_source_id": job, "run_source_id": format!("{job}-{day}"), "start_time": at(0),
                    "end_time": at(5), "event_time": at(5),
                });
                for (field, value) in fields.as_object().unwrap() {
                    let text = value.as_str().unwrap().replace("{day}", &day.to_string());
                    run[field] = text.into();
                }
                RunEvent::new(run)
            })
            .collect()
    }

    fn told(jobs: &[AssetEvent], runs: &[Vec<RunEvent>]) -> Option<String> {
        line(begun_otherwise(jobs, &runs.concat())?)
    }

    fn line(outcome: Outcome) -> Option<String> {
        match outcome {
            Outcome::Wrong(fault) => fault.evidence.into_iter().next(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn runs_are_triggered_by_earlier_ones_of_the_job_before() {
        let says = |one: &str, other: &str| job(one, json!({"triggered_job_source_ids": [other]}));
        let first = runs("a", 1, &json!({}));
        let second = |hour| runs("b", hour, &json!({"triggered_by_run_source_id": "a-{day}"}));
        let ab = [says("a", "b"), job("b", json!({}))];
        assert_eq!(told(&ab, &[first.clone(), second(2)]), None);
        let later = [first.clone(), second(0)];
        assert_eq!(
            told(&ab, &later),
            None,
            "the first may have been started anew"
        );
        let turned = [job("a", json!({})), says("b", "a"), says("d", "c")];
        let others = [
            runs("c", 1, &json!({})),
            runs("d", 2, &json!({"triggered_by_run_source_id": "c-{day}"})),
        ];
        let all = [first, second(2), others[0].clone(), others[1].clone()];
        assert_eq!(
            told(&turned, &all).as_deref(),
            Some("job `b` says that it triggers `a`, whose runs trigger its own")
        );
        assert_eq!(
            told(&turned[..2], &all[..2]),
            None,
            "one may go round and round"
        );
    }

    #[test]
    fn intervals_are_seconds() {
        let every = |id: &str, seconds: i64| {
            job(
                id,
                json!({"schedule": {"kind": "interval", "interval_seconds": seconds}}),
            )
        };
        let all = ["a", "b"].map(|id| runs(id, 1, &json!({"trigger": "SCHEDULE"})));
        let told = |seconds| told(&[every("a", seconds), every("b", seconds)], &all);
        assert_eq!(told(86_400), None);
        assert_eq!(told(3600), None, "nothing to do most of the time");
        assert_eq!(told(30), None);
        assert_eq!(
            told(24).as_deref(),
            Some("job `a` runs every 86400 s by its schedule, and `interval_seconds` is 24")
        );
        assert!(told(1).is_some());
        let hours_of = |trigger: &Json, hours: &[i64]| {
            let jobs = ["a", "b", "c"].into_iter().zip(hours.iter().copied());
            let evenly = |(id, hours): (&str, i64)| -> Vec<RunEvent> {
                let start =
                    |nth: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_hours(nth * hours);
                (0..5)
                    .map(|nth| {
                        RunEvent::new(
                            json!({"job_source_id": id, "run_source_id": format!("{id}{nth}"),
                            "trigger": trigger, "start_time": start(nth).to_string()}),
                        )
                    })
                    .collect()
            };
            let minutes = [every("a", 60), every("b", 120), every("c", 180)];
            let runs: Vec<RunEvent> = jobs.flat_map(evenly).collect();
            in_another_unit(&by_id(&minutes[..hours.len()]), &runs)
        };
        let hours = |hours: &[i64]| hours_of(&json!("SCHEDULE"), hours).len();
        assert_eq!(hours(&[1, 2, 3]), 3);
        assert_eq!(hours(&[1, 2]), 0, "two may be an accident");
        assert_eq!(hours(&[1, 1, 1]), 0, "nothing to do most of the time");
        let silent = hours_of(&Json::Null, &[1, 2, 3]);
        assert_eq!(
            silent[0],
            "job `a` runs every 3600 s at its median, and `interval_seconds` is 60"
        );
        assert!(hours_of(&json!("MANUAL"), &[1, 2, 3]).is_empty());
        assert!(hours_of(&Json::Null, &[1, 1, 1]).is_empty());
    }

    #[test]
    fn what_schedules_begin_is_not_begun_by_hand_though_some_is_tried_again() {
        let daily = json!({"schedule": {"kind": "interval", "interval_seconds": 86_400}});
        let jobs = ["a", "b", "c"].map(|id| job(id, daily.clone()));
        let told_of = |own: &str, others: &str| {
            let own = ["a", "b", "c"].map(|id| runs(id, 1, &json!({"trigger": own})));
            let other = runs("d", 1, &json!({"trigger": others}));
            told(&jobs, &[own.concat(), other])
        };
        assert!(told_of("MANUAL", "RETRY").is_some());
        assert_eq!(told_of("MANUAL", "SCHEDULE"), None);
        assert_eq!(told_of("RETRY", "MANUAL"), None);
    }
}
