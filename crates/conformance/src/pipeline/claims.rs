//! What jobs say of themselves that cannot be so.

use std::collections::BTreeSet;

use bowline_contract::pipeline::AssetEvent;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;

use super::reading::asset_label;
use super::texts::empty_texts;

/// With so many jobs it is no accident.
const SEVERAL: usize = 3;
/// How long ago a run to come may have been due.
const OVERDUE: SignedDuration = SignedDuration::from_hours(24);

/// What cannot be so, a line each.
pub(super) fn claims(assets: &[AssetEvent], now: Timestamp) -> Vec<String> {
    let mut lines = empty_texts(assets.iter().map(AssetEvent::json));
    lines.extend(schedules(assets, now));
    lines.extend(addresses(assets));
    let triggers = |job: &Json| {
        let jobs = job["triggered_job_source_ids"].as_array()?;
        Some(jobs.contains(&job["job_source_id"]))
    };
    lines.extend(all(assets, 2, triggers, "triggers itself"));
    let sides = |job: &Json| {
        let names = |side: &str| -> BTreeSet<String> {
            let refs = job[side].as_array().into_iter().flatten();
            refs.filter_map(|one| one["fully_qualified_name"].as_str())
                .map(str::to_owned)
                .collect()
        };
        let (read, written) = (names("inputs"), names("outputs"));
        (!read.is_empty() && !written.is_empty()).then(|| read == written)
    };
    let what = "reads and writes the same, as all jobs do";
    lines.extend(all(assets, SEVERAL, sides, what));
    let first = assets.first().and_then(AssetEvent::name);
    let named = |job: &Json| Some(Some(job["name"].as_str()?) == first);
    lines.extend(all(assets, SEVERAL, named, "has the same name as all jobs"));
    let tasks_named_alike = |job: &Json| {
        let tasks = job["tasks"].as_array()?;
        let names: BTreeSet<&str> = tasks
            .iter()
            .filter_map(|task| task["name"].as_str())
            .collect();
        (tasks.len() > 1).then_some(names.len() == 1)
    };
    let what = "has one name for all its tasks, as all jobs do";
    lines.extend(all(assets, SEVERAL, tasks_named_alike, what));
    lines
}

/// A line for each job, where all that can be judged are at fault, and so many.
fn all(
    assets: &[AssetEvent],
    least: usize,
    is_at_fault: impl Fn(&Json) -> Option<bool>,
    what: &str,
) -> Vec<String> {
    let judged: Vec<(&AssetEvent, bool)> = assets
        .iter()
        .filter_map(|job| Some((job, is_at_fault(job.json())?)))
        .collect();
    if judged.len() < least || !judged.iter().all(|(_, is_at_fault)| *is_at_fault) {
        return Vec::new();
    }
    let labels = judged.iter().filter_map(|(job, _)| asset_label(job));
    labels.map(|label| format!("{label} {what}")).collect()
}

/// Schedules that do not say when, although nothing else does, and runs to come that lie behind.
fn schedules(assets: &[AssetEvent], now: Timestamp) -> Vec<String> {
    let mut lines = Vec::new();
    for (kind, field) in [
        ("cron", "cron_expression"),
        ("interval", "interval_seconds"),
    ] {
        let is_missing = |job: &Json| {
            let schedule = job["schedule"].as_object()?;
            let is_of_kind = schedule.get("kind").is_some_and(|given| given == kind);
            let says_more = schedule.contains_key("raw") || schedule.contains_key("next_run_at");
            is_of_kind.then(|| !schedule.contains_key(field) && !says_more)
        };
        let what = format!("has a schedule of kind `{kind}` without `{field}`");
        lines.extend(all(assets, 1, is_missing, &what));
    }
    let is_no_cron = |job: &Json| Some(!is_cron(job["schedule"]["cron_expression"].as_str()?));
    let what = "has for `schedule.cron_expression` what is none";
    lines.extend(all(assets, 1, is_no_cron, what));
    // The names of some vendors' zones have blanks.
    let is_no_zone = |job: &Json| {
        let zone = job["schedule"]["timezone"].as_str()?;
        let has_letters = zone.contains(char::is_alphabetic);
        Some(zone.contains('*') || (zone.contains(' ') && !has_letters))
    };
    let what = "has for `schedule.timezone` what is none";
    lines.extend(all(assets, SEVERAL, is_no_zone, what));
    let is_overdue = |job: &Json| {
        let schedule = &job["schedule"];
        let is_paused = job["is_paused"] == true || schedule["paused"] == true;
        let next: Timestamp = schedule["next_run_at"].as_str()?.parse().ok()?;
        (!is_paused).then(|| now.duration_since(next) > OVERDUE)
    };
    let what = "has its next run, `next_run_at`, behind it";
    lines.extend(all(assets, 2, is_overdue, what));
    lines
}

/// Whether a text can be a cron expression in some vendor's way: fields, `@daily`, or `cron(...)`.
fn is_cron(text: &str) -> bool {
    text.contains(['*', '@', '(']) || text.split_whitespace().count() >= 5
}

/// Addresses that are none: names, say.
fn addresses(assets: &[AssetEvent]) -> Vec<String> {
    ["primary_email", "run_as_email"]
        .into_iter()
        .flat_map(|field| {
            let is_none = |job: &Json| Some(!is_address(job["owner"][field].as_str()?));
            let what = format!("has for `owner.{field}` what is no address");
            all(assets, 1, is_none, &what)
        })
        .collect()
}

/// Whether a text can be one address.
fn is_address(text: &str) -> bool {
    let is_between = |character: char| character.is_whitespace() || matches!(character, ',' | ';');
    let parts = text.split_once('@');
    parts.is_some_and(|(before, behind)| {
        !before.is_empty() && !behind.is_empty() && !behind.contains('@')
    }) && !text.contains(is_between)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(jobs: &[Json]) -> Vec<String> {
        let jobs: Vec<AssetEvent> = jobs
            .iter()
            .zip(["a", "b", "c", "d"])
            .map(|(job, id)| {
                let mut job = job.clone();
                job["job_source_id"] = json!(id);
                if job.get("name").is_none() {
                    job["name"] = json!(id);
                }
                AssetEvent::new(job)
            })
            .collect();
        claims(&jobs, "2026-01-10T00:00:00Z".parse().unwrap())
    }

    #[test]
    fn what_cannot_be_so_is_told() {
        for (jobs, line) in [
            (
                vec![json!({"schedule": {"kind": "cron"}})],
                "job `a` has a schedule of kind `cron` without `cron_expression`",
            ),
            (
                vec![
                    json!({"schedule": {"kind": "interval", "interval_seconds": 60,
                    "next_run_at": "2026-01-01T00:00:00Z"}});
                    2
                ],
                "job `a` has its next run, `next_run_at`, behind it",
            ),
            (
                vec![json!({"owner": {"primary_email": "airflow"}})],
                "job `a` has for `owner.primary_email` what is no address",
            ),
            (
                vec![json!({"owner": {"run_as_email": "ann@v.example, bob@v.example"}})],
                "job `a` has for `owner.run_as_email` what is no address",
            ),
            (
                vec![
                    json!({"triggered_job_source_ids": ["a"]}),
                    json!({"triggered_job_source_ids": ["b"]}),
                ],
                "job `a` triggers itself",
            ),
            (
                vec![
                    json!({"inputs": [{"fully_qualified_name": "x"}], "outputs": [{"fully_qualified_name": "x"}]});
                    3
                ],
                "job `a` reads and writes the same, as all jobs do",
            ),
            (
                vec![json!({"name": "Job"}); 3],
                "job `a` has the same name as all jobs",
            ),
            (
                vec![
                    json!({"tasks": [{"task_source_id": "1", "name": "Job"}, {"task_source_id": "2", "name": "Job"}]});
                    3
                ],
                "job `a` has one name for all its tasks, as all jobs do",
            ),
            (
                vec![
                    json!({"schedule": {"kind": "cron", "cron_expression": "Europe/Berlin", "timezone": "0 5 * * *"}}),
                ],
                "job `a` has for `schedule.cron_expression` what is none",
            ),
            (
                vec![
                    json!({"schedule": {"kind": "cron", "cron_expression": "0 5 * * 1", "timezone": "0 5 * * 1"}});
                    3
                ],
                "job `a` has for `schedule.timezone` what is none",
            ),
        ] {
            assert_eq!(told(&jobs).first().map(String::as_str), Some(line));
        }
    }

    #[test]
    fn what_is_unusual_may_be_so() {
        let right = [
            json!({"schedule": {"kind": "cron", "raw": {"every": "weekday"}}, "owner": {"primary_email": "team"},
                "triggered_job_source_ids": ["a"], "inputs": [{"fully_qualified_name": "x"}],
                "outputs": [{"fully_qualified_name": "x"}]}),
            json!({"schedule": {"kind": "interval", "interval_seconds": 60, "next_run_at": "2026-01-01T00:00:00Z"},
                "owner": {"primary_email": "ann@v.example"}, "triggered_job_source_ids": ["a"]}),
            json!({"schedule": {"kind": "cron", "cron_expression": "@daily"}, "is_paused": true,
                "tasks": [{"name": "load"}, {"name": "load"}]}),
            json!({"schedule": {"kind": "cron", "cron_expression": "cron(0 12 ? 5 2 2026)", "timezone": "Etc/GMT+2"},
                "tasks": [{"name": "load"}]}),
            json!({"schedule": {"kind": "cron", "cron_expression": "0 5 * * *", "timezone": "W. Europe Standard Time"}}),
        ];
        assert_eq!(told(&right), [""; 0]);
        assert_eq!(told(&[json!({}), json!({})]), [""; 0]);
    }
}
