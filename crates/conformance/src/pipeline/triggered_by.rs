//! The runs that others name as those that triggered them.

use std::collections::{BTreeMap, BTreeSet};

use bowline_contract::pipeline::RunEvent;
use jiff::Timestamp;
use serde_json::Value as Json;

use super::contradictions::{SEVERAL, label, texts};

/// Runs that are there, each with the one that triggered it and before it.
pub(super) fn triggered(runs: &[RunEvent]) -> Vec<(&RunEvent, &RunEvent)> {
    let by_id: BTreeMap<&str, &RunEvent> = runs
        .iter()
        .filter_map(|run| Some((run.run_source_id()?, run)))
        .collect();
    runs.iter()
        .filter_map(|run| Some((*by_id.get(by(run)?)?, run)))
        .collect()
}

fn by(run: &RunEvent) -> Option<&str> {
    run.json()["triggered_by_run_source_id"].as_str()
}

/// Runs that others should have triggered by `trigger` and that name runs of their own jobs, where all do, of several
/// jobs. It is certain of such as another triggers by the metadata.
pub(super) fn by_their_own_jobs(jobs: &BTreeMap<&str, &Json>, runs: &[RunEvent]) -> Vec<String> {
    let mut pairs = triggered(runs);
    pairs.retain(|(_, run)| run.trigger() == Some("UPSTREAM"));
    // What lists itself goes round and round.
    let follows = |job: &str| {
        let triggers = |one: &Json| texts(&one["triggered_job_source_ids"]).any(|id| id == job);
        let is_loop = jobs.get(job).is_some_and(|own| {
            let mut before = texts(&own["schedule"]["upstream_job_source_ids"]);
            triggers(own) || before.any(|id| id == job)
        });
        !is_loop && jobs.values().any(|other| triggers(other))
    };
    let is_own = |(before, run): &(&RunEvent, &RunEvent)| {
        before.job_source_id() == run.job_source_id() && run.job_source_id().is_some_and(follows)
    };
    let of: BTreeSet<Option<&str>> = pairs.iter().map(|(_, run)| run.job_source_id()).collect();
    if pairs.len() < SEVERAL || of.len() < 2 || !pairs.iter().all(is_own) {
        return Vec::new();
    }
    let lines = pairs.iter().filter_map(|(before, run)| {
        let before = before.run_source_id()?;
        Some(format!(
            "{}: names `{before}`, a run of the same job",
            label(run)
        ))
    });
    lines.collect()
}

/// Runs of several jobs that had ended before the one began that they all name, of each job several, where most are such:
/// the last run of a job was taken for the one that triggered them, though one was there that could have been it. What is
/// started anew under its id, from a step that failed, did trigger them.
pub(super) fn by_the_latest(runs: &[RunEvent]) -> Vec<String> {
    let pairs = triggered(runs);
    let mut first: BTreeMap<Option<&str>, Timestamp> = BTreeMap::new();
    for run in runs {
        if let Some(start) = run.start_time() {
            let known = first.entry(run.job_source_id()).or_insert(start);
            *known = start.min(*known);
        }
    }
    let had_another = |before: &RunEvent, run: &RunEvent| {
        let first = first.get(&before.job_source_id());
        first
            .zip(run.start_time())
            .is_some_and(|(first, start)| *first <= start)
    };
    let mut early: BTreeMap<(Option<&str>, Option<&str>), Vec<&RunEvent>> = BTreeMap::new();
    for (before, run) in &pairs {
        if before
            .start_time()
            .zip(run.end_time())
            .is_some_and(|(start, end)| start > end)
            && had_another(before, run)
        {
            let who = (before.run_source_id(), run.job_source_id());
            early.entry(who).or_default().push(run);
        }
    }
    early.retain(|_, runs| runs.len() >= SEVERAL);
    let jobs: BTreeSet<Option<&str>> = early.keys().map(|(_, job)| *job).collect();
    let lines: Vec<String> = early
        .iter()
        .flat_map(|((before, _), runs)| {
            runs.iter()
                .map(move |run| (before.unwrap_or_default(), run))
        })
        .map(|(before, run)| {
            format!(
                "{}: had ended when run `{before}` began, which it names",
                label(run)
            )
        })
        .collect();
    if jobs.len() < 2 || 2 * lines.len() <= pairs.len() {
        return Vec::new();
    }
    lines
}

/// Runs that name task runs of others as what triggered them, where none names a run.
pub(super) fn by_task_runs(runs: &[RunEvent]) -> Vec<String> {
    let tasks: BTreeMap<&str, &RunEvent> = runs
        .iter()
        .flat_map(|run| {
            run.task_runs()
                .filter_map(move |task| Some((task.run_source_id()?, run)))
        })
        .collect();
    let lines = runs.iter().filter_map(|run| {
        let before = by(run)?;
        let of = label(tasks.get(before)?);
        Some(format!(
            "{}: names `{before}`, a task run of {of}",
            label(run)
        ))
    });
    let lines: Vec<String> = lines.collect();
    if lines.len() < SEVERAL || !triggered(runs).is_empty() {
        return Vec::new();
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::contradictions::by_id;
    use super::super::samples::{job, run};
    use super::*;

    /// Runs of the jobs `a` and `b` each hour, triggered by these.
    fn children(trigger: &str, by: fn(&str, u8) -> String) -> Vec<RunEvent> {
        let child = |job: &'static str, hour: u8| {
            run(
                job,
                hour,
                json!({
                    "trigger": trigger, "triggered_by_run_source_id": by(job, hour),
                    "start_time": format!("2026-01-01T{hour:02}:00:00Z"), "end_time": format!("2026-01-01T{hour:02}:00:00Z"),
                }),
            )
        };
        ["a", "b"]
            .into_iter()
            .flat_map(|job| (2..6).map(move |hour| child(job, hour)))
            .collect()
    }

    fn parents() -> Vec<RunEvent> {
        let parent = |hour: u8| {
            run(
                "p",
                hour,
                json!({"start_time": format!("2026-01-01T{hour:02}:00:00Z")}),
            )
        };
        (1..8).map(parent).collect()
    }

    #[test]
    fn the_last_run_of_a_job_did_not_trigger_those_before_it() {
        let told = |by| by_the_latest(&[parents(), children("UPSTREAM", by)].concat()).len();
        assert_eq!(told(|_, _| "p-7".to_owned()), 8);
        assert_eq!(told(|_, hour| format!("p-{}", hour - 1)), 0);
        assert_eq!(
            told(|_, hour| format!("p-{}", hour + 1)),
            0,
            "each was started anew"
        );
        let restarted = [
            parents()[6..].to_vec(),
            children("UPSTREAM", |_, _| "p-7".to_owned()),
        ];
        assert_eq!(
            by_the_latest(&restarted.concat()),
            [""; 0],
            "the only run of its job was started anew"
        );
    }

    #[test]
    fn a_task_run_is_not_the_run_that_triggered_another() {
        let told = |by: fn(u8) -> String| {
            let tasks = |hour: u8| json!({"task_runs": [{"run_source_id": format!("t-{hour}")}]});
            let mut runs: Vec<RunEvent> = (1..5).map(|hour| run("p", hour, tasks(hour))).collect();
            runs.extend(
                (1..5).map(|hour| run("c", hour, json!({"triggered_by_run_source_id": by(hour)}))),
            );
            by_task_runs(&runs).len()
        };
        assert_eq!(told(|hour| format!("t-{hour}")), 4);
        assert_eq!(told(|hour| format!("p-{hour}")), 0);
        let some = |hour: u8| format!("{}-{hour}", if hour == 1 { "p" } else { "t" });
        assert_eq!(told(some), 0, "the vendor may call both alike");
    }

    #[test]
    fn the_job_that_triggers_another_is_not_that_one() {
        let own = [runs_of("a", "a"), runs_of("b", "b"), parents()].concat();
        let by_another = [
            job("p", json!({"triggered_job_source_ids": ["a", "b"]})),
            job("a", json!({})),
            job("b", json!({})),
        ];
        let told = |jobs: &[_], runs: &[RunEvent]| by_their_own_jobs(&by_id(jobs), runs).len();
        assert_eq!(told(&by_another, &own), 8);
        assert_eq!(told(&by_another, &own[..5]), 0, "one job");
        for field in [
            json!({"triggered_job_source_ids": ["a"]}),
            json!({"schedule": {"upstream_job_source_ids": ["a"]}}),
        ] {
            let round = [by_another[0].clone(), job("a", field), job("b", json!({}))];
            assert_eq!(told(&round, &own), 0, "it builds itself again");
        }
        assert_eq!(told(&by_another[1..], &own), 0, "it may go round and round");
        let right = [runs_of("a", "p"), runs_of("b", "p"), parents()].concat();
        assert_eq!(told(&by_another, &right), 0);
    }

    fn runs_of(job: &str, by: &str) -> Vec<RunEvent> {
        let before = |hour: u8| format!("{by}-{}", hour - 1);
        let child = |hour: u8| {
            run(
                job,
                hour,
                json!({"trigger": "UPSTREAM", "triggered_by_run_source_id": before(hour), "start_time": format!("2026-01-01T{hour:02}:00:00Z")}),
            )
        };
        let all = (2..6).map(child).collect::<Vec<_>>();
        let first = run(job, 1, json!({"start_time": "2026-01-01T01:00:00Z"}));
        [all, vec![first]].concat()
    }
}
