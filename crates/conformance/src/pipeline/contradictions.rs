//! What jobs and their runs say that cannot both be so: schedules, lineage, what triggers what, which tasks failed.

use std::collections::{BTreeMap, BTreeSet};

use bowline_contract::pipeline::{AssetEvent, RunEvent};
use bowline_words::counted;
use serde_json::Value as Json;

use super::outcome::Outcome;
use super::reading::run_label;
use super::schedules::{goes_on, is_twice_due, too_often};
use super::times::SHOWN;

/// With so many it is no accident.
pub(super) const SEVERAL: usize = 3;
/// The first contradiction, if there is one.
pub(super) fn contradiction(assets: &[AssetEvent], runs: &[RunEvent]) -> Option<Outcome> {
    let jobs = by_id(assets);
    first([
        (
            jobs_by_name(&jobs, "triggers", |job| &job["triggered_job_source_ids"]),
            "jobs that the metadata has, for those that others trigger",
            "give as `triggered_job_source_ids` the jobs' ids",
        ),
        (
            jobs_by_name(
                &jobs,
                "runs after",
                |job| &job["schedule"]["upstream_job_source_ids"],
            ),
            "jobs that the metadata has, for those that others run after",
            "give as `upstream_job_source_ids` the jobs' ids",
        ),
        (
            jobs_for_runs(&jobs, runs, "triggered_by_run_source_id"),
            "runs that were triggered by other runs",
            "give as `triggered_by_run_source_id` the id of the run before",
        ),
        (
            jobs_for_runs(&jobs, runs, "parent_attempt_run_source_id"),
            "attempts that follow other runs",
            "give as `parent_attempt_run_source_id` the id of the attempt before",
        ),
        (
            too_often(&jobs, runs),
            "jobs that run as often as their schedules say",
            "give `interval_seconds` in seconds",
        ),
        (
            turned_triggers(&jobs, runs),
            "jobs with a schedule that begins runs, and none without",
            "see whether `trigger` says the opposite of what began the run",
        ),
    ])
}

/// The jobs that have an id.
pub(super) fn by_id(assets: &[AssetEvent]) -> BTreeMap<&str, &Json> {
    let jobs = assets.iter();
    jobs.filter_map(|job| Some((job.job_source_id()?, job.json())))
        .collect()
}

/// The first of several sorts of contradictions that there are any of: those found, what was expected, and a hint.
pub(super) fn first(
    found: impl IntoIterator<Item = (Vec<String>, &'static str, &'static str)>,
) -> Option<Outcome> {
    let (lines, expected, hint) = found.into_iter().find(|(lines, ..)| !lines.is_empty())?;
    Some(
        Outcome::wrong(expected, counted(lines.len(), "contradiction"))
            .with_evidence(lines.into_iter().take(SHOWN))
            .with_hint(hint),
    )
}

pub(super) fn texts(list: &Json) -> impl Iterator<Item = &str> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(Json::as_str)
}

pub(super) fn label(run: &RunEvent) -> String {
    run_label(run).unwrap_or_default()
}

/// Jobs that others name by their names, where none is named by its id and most by names. Others may be elsewhere.
fn jobs_by_name(jobs: &BTreeMap<&str, &Json>, verb: &str, list: fn(&Json) -> &Json) -> Vec<String> {
    let named: Vec<(&str, &str)> = jobs
        .iter()
        .flat_map(|(id, job)| texts(list(job)).map(move |other| (*id, other)))
        .collect();
    if named.iter().any(|(_, other)| jobs.contains_key(other)) {
        return Vec::new();
    }
    let names: BTreeSet<&str> = jobs
        .values()
        .filter_map(|job| job["name"].as_str())
        .collect();
    let by_name = named.iter().filter(|(_, other)| names.contains(other));
    let lines: Vec<String> = by_name
        .map(|(id, other)| format!("job `{id}` {verb} `{other}`, which is a job's name and no id"))
        .collect();
    if lines.len() < 2 || 2 * lines.len() <= named.len() {
        return Vec::new();
    }
    lines
}

/// Runs that name a job as the run before them, or themselves as what triggered them, where all do that name one. What is
/// counted may have the number of another job.
fn jobs_for_runs(jobs: &BTreeMap<&str, &Json>, runs: &[RunEvent], field: &str) -> Vec<String> {
    let ids: BTreeSet<&str> = runs.iter().filter_map(RunEvent::run_source_id).collect();
    let named: Vec<(&RunEvent, &str)> = runs
        .iter()
        .filter_map(|run| Some((run, run.json()[field].as_str()?)))
        .collect();
    let is_counted = |id: &str| id.bytes().all(|byte| byte.is_ascii_digit());
    // Attempts that name themselves are told where attempts are judged.
    let is_itself = |run: &RunEvent, by: &str| {
        field == "triggered_by_run_source_id" && run.run_source_id() == Some(by)
    };
    let is_wrong = |(run, by): &(&RunEvent, &str)| {
        is_itself(run, by)
            || jobs.contains_key(by)
                && !ids.contains(by)
                && (!is_counted(by) || run.job_source_id() == Some(*by))
    };
    if named.len() < SEVERAL || !named.iter().all(is_wrong) {
        return Vec::new();
    }
    let lines = named.into_iter().map(|(run, by)| {
        let what = if is_itself(run, by) {
            "itself"
        } else {
            "a job"
        };
        format!("{}: `{field}` is `{by}`, which is {what}", label(run))
    });
    lines.collect()
}

/// Runs that a schedule began, of jobs that are run by hand, where most of those are, and most of jobs with a schedule began
/// by hand.
fn turned_triggers(jobs: &BTreeMap<&str, &Json>, runs: &[RunEvent]) -> Vec<String> {
    let counts = |(id, job): (&&str, &&Json)| match job["schedule"]["kind"].as_str() {
        Some("manual") => goes_on(runs, id),
        _ => is_twice_due(job, id, runs),
    };
    let counts: BTreeMap<&str, bool> = jobs.iter().map(|job| (*job.0, counts(job))).collect();
    let (mut scheduled, mut by_hand, mut straight) = (0, 0, 0);
    let mut lines = Vec::new();
    let mut turned = BTreeSet::new();
    for run in runs {
        let job = run.job_source_id().and_then(|id| jobs.get_key_value(id));
        let (Some((id, job)), Some(trigger)) = (job, run.trigger()) else {
            continue;
        };
        match (job["schedule"]["kind"].as_str(), trigger) {
            (Some("cron" | "interval"), "SCHEDULE") => scheduled += 1,
            (Some("cron" | "interval"), "MANUAL") if counts[id] => by_hand += 1,
            (Some("manual"), "SCHEDULE") if counts[id] => {
                turned.insert(*id);
                lines.push(format!(
                    "{}: a schedule began it, and its job is run by hand",
                    label(run)
                ));
            }
            (Some("manual"), _) => straight += 1,
            _ => {}
        }
    }
    let is_turned = lines.len() > straight && by_hand > scheduled;
    if !is_turned || lines.len() < SEVERAL || turned.len() < 2 || by_hand < SEVERAL {
        lines.clear();
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::pipeline::samples::job;

    fn runs(job: &str, fields: &Json) -> Vec<RunEvent> {
        (1..=4)
            .map(|hour| {
                let at = format!("2026-01-01T{hour:02}:00:00Z");
                let mut run = json!({
                    "job_source_id": job, "run_source_id": format!("{job}-{hour}"), "trigger": "SCHEDULE",
                    "start_time": at, "event_time": at,
                });
                let more = fields.as_object().unwrap().clone();
                run.as_object_mut().unwrap().extend(more);
                RunEvent::new(run)
            })
            .collect()
    }

    fn told(a: Json, b: Json, of_runs: &Json) -> Option<String> {
        let jobs = [job("a", a), job("b", b)];
        let runs = [runs("a", of_runs), runs("b", of_runs)].concat();
        match contradiction(&jobs, &runs)? {
            Outcome::Wrong(fault) => fault.evidence.into_iter().next(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn contradictions_are_told() {
        let none = json!({});
        let every =
            |seconds: i64| json!({"schedule": {"kind": "interval", "interval_seconds": seconds}});
        for (a, b, of_runs, line) in [
            (
                json!({"name": "Job A", "triggered_job_source_ids": ["Job B"]}),
                json!({"name": "Job B", "triggered_job_source_ids": ["Job A"]}),
                none.clone(),
                "job `a` triggers `Job B`, which is a job's name and no id",
            ),
            (
                none.clone(),
                none.clone(),
                json!({"triggered_by_run_source_id": "b"}),
                "run `a-1` of job `a`: `triggered_by_run_source_id` is `b`, which is a job",
            ),
            (
                none.clone(),
                none.clone(),
                json!({"parent_attempt_run_source_id": "b"}),
                "run `a-1` of job `a`: `parent_attempt_run_source_id` is `b`, which is a job",
            ),
            (
                every(3_600_000),
                every(3_600_000),
                none.clone(),
                "job `a` runs every 3600 s by its schedule, and `interval_seconds` is 3600000",
            ),
        ] {
            let told = told(a, b, &of_runs);
            assert_eq!(told.as_deref(), Some(line));
        }
    }

    #[test]
    fn what_catches_up_or_has_ids_of_numbers_is_right() {
        let daily = json!({"schedule": {"kind": "interval", "interval_seconds": 86_400}});
        let jobs = ["a", "b"].map(|id| job(id, daily.clone()));
        let all = ["a", "b"].map(|id| runs(id, &json!({}))).concat();
        assert!(contradiction(&jobs, &all).is_some());
        let (one, its_own) = (&jobs[..1], &all[..4]);
        assert_eq!(contradiction(one, its_own), None, "one job");
        let catching_up: Vec<RunEvent> = all
            .iter()
            .map(|run| {
                let mut run = run.json().clone();
                let start = run["start_time"]
                    .as_str()
                    .unwrap()
                    .replace(":00:00Z", ":50:00Z");
                run["end_time"] = start.clone().into();
                run["event_time"] = start.into();
                RunEvent::new(run)
            })
            .collect();
        assert_eq!(contradiction(&jobs, &catching_up), None);
        let of_runs = json!({"triggered_by_run_source_id": "3"});
        let counted = ["1", "2", "3"].map(|id| job(id, json!({})));
        let runs = ["1", "2"].map(|id| runs(id, &of_runs)).concat();
        assert_eq!(contradiction(&counted, &runs), None);
        let with_themselves: Vec<RunEvent> = all
            .iter()
            .map(|run| {
                let mut run = run.json().clone();
                run["parent_attempt_run_source_id"] = run["run_source_id"].clone();
                RunEvent::new(run)
            })
            .collect();
        let jobs = ["a", "b"].map(|id| job(id, json!({})));
        assert_eq!(
            contradiction(&jobs, &with_themselves),
            None,
            "told of attempts"
        );
        let elsewhere = json!({"triggered_job_source_ids": ["other/load"]});
        assert_eq!(told(elsewhere, json!({}), &json!({})), None);
    }

    #[test]
    fn triggers_that_say_the_opposite_are_told() {
        let hourly = json!({"schedule": {"kind": "interval", "interval_seconds": 3600}});
        let by_hand = json!({"schedule": {"kind": "manual"}});
        let jobs = [
            job("a", by_hand.clone()),
            job("b", by_hand),
            job("c", hourly),
        ];
        let told = |of_hand: &str, of_schedule: &str| {
            let runs = [("a", of_hand), ("b", of_hand), ("c", of_schedule)]
                .map(|(id, trigger)| runs(id, &json!({"trigger": trigger})));
            contradiction(&jobs, &runs.concat()).is_some()
        };
        assert!(told("SCHEDULE", "MANUAL"));
        assert!(!told("MANUAL", "SCHEDULE"));
        assert!(
            !told("SCHEDULE", "SCHEDULE"),
            "schedules of somebody else's"
        );
        assert!(!told("MANUAL", "MANUAL"));
    }

    #[test]
    fn what_fits_is_no_contradiction() {
        let a = json!({
            "triggered_job_source_ids": ["b", "gone"], "tasks": [{"task_source_id": "t1"}], "is_paused": true,
            "schedule": {"kind": "interval", "interval_seconds": 3600},
        });
        let b = json!({"schedule": {"kind": "interval", "interval_seconds": 36000}});
        let of_runs = json!({
            "triggered_by_run_source_id": "elsewhere",
            "error": {"message": "no", "upstream_failed_task_source_ids": ["t1", "t2"]},
        });
        assert_eq!(told(a, b, &of_runs), None);
    }
}
