//! What jobs say of themselves that cannot be so.

use std::collections::{BTreeMap, BTreeSet};

use bowline_contract::pipeline::AssetEvent;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;

use super::addresses::{bare_addresses, foreign};
use super::garbled::garbled_names;
use super::lineage::sides;
use super::properties::turned_properties;
use super::reading::asset_label;
use super::texts::{doubled, empty_texts, shown_in_python};

/// With so many jobs it is no accident.
const SEVERAL: usize = 3;
/// With so many jobs that read and write the same they cannot all be one.
const MANY: usize = 5;
/// How long ago a run to come may have been due.
const OVERDUE: SignedDuration = SignedDuration::from_hours(24);

/// What cannot be so, a line each.
pub(super) fn claims(assets: &[AssetEvent], now: Timestamp) -> Vec<String> {
    let mut lines = empty_texts(assets.iter().map(AssetEvent::json));
    lines.extend(bare_addresses(assets.iter().map(AssetEvent::json)));
    lines.extend(shown_in_python(assets.iter().map(AssetEvent::json)));
    lines.extend(foreign(assets.iter().map(AssetEvent::json), "job"));
    lines.extend(garbled_names(assets));
    lines.extend(schedules(assets, now));
    lines.extend(addresses(assets));
    lines.extend(doubled(assets.iter().map(AssetEvent::json)));
    lines.extend(turned_properties(assets));
    lines
}

/// What is so at few vendors, and where connectors take one thing for another, an advice each.
pub(super) fn doubts(assets: &[AssetEvent]) -> Vec<String> {
    let first = assets.first().map(|job| sides(job.json()));
    let first = first.filter(|first| first.iter().all(|side| !side.is_empty()));
    let as_first = |job: &Json| Some(first.as_ref() == Some(&sides(job)));
    let name = assets.first().and_then(AssetEvent::name);
    let named = |job: &Json| Some(Some(job["name"].as_str()?) == name);
    let tasks_named_alike = |job: &Json| {
        let tasks = job["tasks"].as_array()?;
        let names: BTreeSet<&str> = tasks
            .iter()
            .filter_map(|task| task["name"].as_str())
            .collect();
        (tasks.len() > 1).then_some(names.len() == 1)
    };
    // Each group may have a job of that name, or each folder one job.
    let differ = |part: fn(&Json) -> &Json| {
        let parts: BTreeSet<&str> = assets
            .iter()
            .filter_map(|job| part(job.json()).as_str())
            .collect();
        parts.len() == assets.len()
    };
    let names = if differ(|job| &job["group"]["source_id"]) {
        Vec::new()
    } else {
        all(assets, SEVERAL, named, "has the same name as all jobs")
    };
    let found = [
        all(
            assets,
            MANY,
            as_first,
            "reads and writes what all other jobs do",
        ),
        names,
        all(
            assets,
            SEVERAL,
            tasks_named_alike,
            "has one name for all its tasks",
        ),
        pauses(assets),
        groups_named_alike(assets),
    ];
    let advice = found.into_iter().filter_map(|lines| {
        let (first, all) = (lines.first()?, lines.len());
        Some(format!(
            "{first}, and so on in all of {all}: see that the vendor means it so"
        ))
    });
    advice.collect()
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
        lines.extend(all(assets, SEVERAL, is_missing, &what));
    }
    let is_blank = |job: &&AssetEvent| {
        let expression = job.json()["schedule"]["cron_expression"].as_str();
        expression.is_some_and(|text| text.trim().is_empty())
    };
    let blank = assets.iter().filter(is_blank).filter_map(asset_label);
    lines.extend(blank.map(|label| format!("{label} has a blank `schedule.cron_expression`")));
    let impossible: Vec<String> = assets
        .iter()
        .filter_map(|job| {
            let text = job.json()["schedule"]["cron_expression"].as_str()?;
            let label = asset_label(job).filter(|_| never_fires(text))?;
            Some(format!(
                "{label} has the `schedule.cron_expression` `{text}`, which never comes"
            ))
        })
        .collect();
    let says_when = |job: &&AssetEvent| job.json()["schedule"]["cron_expression"].is_string();
    if impossible.len() >= SEVERAL && 2 * impossible.len() > assets.iter().filter(says_when).count()
    {
        lines.extend(impossible);
    }
    let is_no_cron = |job: &Json| Some(!is_cron(job["schedule"]["cron_expression"].as_str()?));
    let what = "has for `schedule.cron_expression` what is none";
    lines.extend(all(assets, SEVERAL, is_no_cron, what));
    let is_unknown_zone = |job: &Json| {
        let zone = job["schedule"]["timezone"].as_str()?;
        let is_known = jiff::tz::db().get(zone).is_ok() || !zone.contains(['/', '*']);
        Some(!is_known)
    };
    let what = "has for `schedule.timezone` what no zone is called";
    lines.extend(all(assets, SEVERAL, is_unknown_zone, what));
    let is_overdue = |job: &Json| {
        let schedule = &job["schedule"];
        let is_paused = job["is_paused"] == true || schedule["paused"] == true;
        let next: Timestamp = schedule["next_run_at"].as_str()?.parse().ok()?;
        (!is_paused).then(|| now.duration_since(next) > OVERDUE)
    };
    let what = "has its next run, `next_run_at`, behind it";
    lines.extend(all(assets, SEVERAL, is_overdue, what));
    lines
}

/// Whether a text can be a cron expression in some vendor's way: fields, `@daily`, or `cron(...)`.
fn is_cron(text: &str) -> bool {
    text.contains(['*', '@', '(']) || text.split_whitespace().count() >= 5
}

/// Whether an expression is in quotes as a whole, or of five fields has one beyond what it may be, as when they stand in another order.
fn never_fires(text: &str) -> bool {
    // Some vendors call midnight 24.
    const MOST: [u32; 5] = [59, 24, 31, 12, 7];
    let is_within = |quote: char| text.starts_with(quote) && text.ends_with(quote);
    if is_within('\'') || is_within('"') {
        return true;
    }
    let fields: Vec<&str> = text.split_whitespace().collect();
    // Some vendors have a field for seconds, or for years.
    fields.len() == MOST.len()
        && fields.iter().zip(MOST).any(|(field, most)| {
            let steps_left_out = field.split(',').filter_map(|part| part.split('/').next());
            let mut numbers = steps_left_out.flat_map(|part| part.split('-'));
            numbers.any(|number| {
                let number = number.parse::<u32>();
                number.is_ok_and(|number| number > most && number <= MOST[0])
            })
        })
}

/// Jobs and their schedules that are paused where the other is not, in both ways, where all that say both disagree.
fn pauses(assets: &[AssetEvent]) -> Vec<String> {
    let both: Vec<(&AssetEvent, bool, bool)> = assets
        .iter()
        .filter_map(|job| {
            let (own, schedule) = (&job.json()["is_paused"], &job.json()["schedule"]["paused"]);
            Some((job, own.as_bool()?, schedule.as_bool()?))
        })
        .collect();
    let ways: BTreeSet<bool> = both.iter().map(|(_, own, _)| *own).collect();
    if both.len() < SEVERAL || ways.len() < 2 || both.iter().any(|(_, own, other)| own == other) {
        return Vec::new();
    }
    let labels = both.iter().filter_map(|(job, own, _)| {
        let (own, other) = if *own {
            ("is", "is not")
        } else {
            ("is not", "is")
        };
        Some(format!(
            "{} {own} paused, and its schedule {other}",
            asset_label(job)?
        ))
    });
    labels.collect()
}

/// Groups with ids of their own that all have one name, which is no part of the ids.
fn groups_named_alike(assets: &[AssetEvent]) -> Vec<String> {
    let names: BTreeMap<&str, &str> = named_groups(assets).collect();
    let different: BTreeSet<&&str> = names.values().collect();
    let is_of_id = names.iter().any(|(id, name)| id.contains(name));
    if names.len() < SEVERAL || different.len() > 1 || is_of_id {
        return Vec::new();
    }
    let lines = names
        .iter()
        .map(|(id, name)| format!("group `{id}` is named `{name}`"));
    lines.collect()
}

fn named_groups(assets: &[AssetEvent]) -> impl Iterator<Item = (&str, &str)> {
    assets.iter().filter_map(|job| {
        let group = &job.json()["group"];
        Some((group["source_id"].as_str()?, group["name"].as_str()?))
    })
}

/// Addresses that are none: names, say.
fn addresses(assets: &[AssetEvent]) -> Vec<String> {
    let mut lines: Vec<String> = ["primary_email", "run_as_email"]
        .into_iter()
        .flat_map(|field| {
            let is_none = |job: &Json| Some(!is_address(job["owner"][field].as_str()?));
            let what = format!("has for `owner.{field}` what is no address");
            all(assets, SEVERAL, is_none, &what)
        })
        .collect();
    // What is no address at all may be a channel.
    let holds_several = |job: &Json| {
        let mut entries = job["owner"]["notification_emails"].as_array()?.iter();
        Some(entries.any(|entry| {
            let entry = entry.as_str().unwrap_or_default();
            entry.contains([',', ';']) && entry.matches('@').count() > 1
        }))
    };
    let what = "has several addresses in one entry of `owner.notification_emails`";
    lines.extend(all(assets, SEVERAL, holds_several, what));
    lines
}

/// Whether a text can be one address.
fn is_address(text: &str) -> bool {
    // What stands before the `@` may be in quotes, with anything in them.
    if let Some((_, behind)) = text
        .strip_prefix('"')
        .and_then(|text| text.rsplit_once("\"@"))
    {
        return is_address(&format!("quoted@{behind}"));
    }
    let is_between = |character: char| {
        character.is_whitespace()
            || matches!(character, ',' | ';' | ':' | '"' | '<' | '>' | '{' | '}')
    };
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
        claims(&given(jobs), "2026-01-10T00:00:00Z".parse().unwrap())
    }

    fn given(jobs: &[Json]) -> Vec<AssetEvent> {
        jobs.iter()
            .zip(["a", "b", "c", "d", "e", "f"])
            .map(|(job, id)| {
                let mut job = job.clone();
                job["job_source_id"] = json!(id);
                if job.get("name").is_none() {
                    job["name"] = json!(id);
                }
                AssetEvent::new(job)
            })
            .collect()
    }

    #[test]
    fn what_cannot_be_so_is_told() {
        for (jobs, line) in [
            (
                vec![json!({"schedule": {"kind": "cron"}}); 3],
                "job `a` has a schedule of kind `cron` without `cron_expression`",
            ),
            (
                vec![
                    json!({"schedule": {"kind": "interval", "interval_seconds": 60,
                    "next_run_at": "2026-01-01T00:00:00Z"}});
                    3
                ],
                "job `a` has its next run, `next_run_at`, behind it",
            ),
            (
                vec![json!({"owner": {"primary_email": "airflow"}}); 3],
                "job `a` has for `owner.primary_email` what is no address",
            ),
            (
                vec![json!({"owner": {"run_as_email": "ann@v.example, bob@v.example"}}); 3],
                "job `a` has for `owner.run_as_email` what is no address",
            ),
            (
                vec![
                    json!({"schedule": {"kind": "cron", "cron_expression": "Europe/Berlin", "timezone": "0 5 * * *"}});
                    3
                ],
                "job `a` has for `schedule.cron_expression` what is none",
            ),
            (
                vec![
                    json!({"schedule": {"kind": "cron", "cron_expression": ""}}),
                    json!({"schedule": {"kind": "cron", "cron_expression": "0 5 * * *"}}),
                ],
                "job `a` has a blank `schedule.cron_expression`",
            ),
            (
                vec![
                    json!({"schedule": {"kind": "cron", "cron_expression": "* * * 5 30"}}),
                    json!({"schedule": {"kind": "cron", "cron_expression": "1-5 * * 30 0"}}),
                    json!({"schedule": {"kind": "cron", "cron_expression": "1 2 * 15 *"}}),
                    json!({"schedule": {"kind": "cron", "cron_expression": "* * * * *"}}),
                ],
                "job `a` has the `schedule.cron_expression` `* * * 5 30`, which never comes",
            ),
            (
                vec![
                    json!({"schedule": {"kind": "cron", "cron_expression": "0 5 * * 1", "timezone": "CET/Berlin"}});
                    3
                ],
                "job `a` has for `schedule.timezone` what no zone is called",
            ),
            (
                vec![
                    json!({"schedule": {"kind": "cron", "raw": "daily", "timezone": "0 5 * * *"}});
                    3
                ],
                "job `a` has for `schedule.timezone` what no zone is called",
            ),
            (
                vec![json!({"owner": {"primary_email": "mailto:ann@v.example"}}); 3],
                "job `a` has for `owner.primary_email` what is no address",
            ),
            (
                vec![json!({"schedule": {"kind": "cron", "cron_expression": "'0 5 * * 1'"}}); 3],
                "job `a` has the `schedule.cron_expression` `'0 5 * * 1'`, which never comes",
            ),
            (
                vec![json!({"inputs": [{"fully_qualified_name": "['x']"}]}); 3],
                "`inputs.fully_qualified_name` is `['x']` and the like in all of 3, a value as Python shows it",
            ),
            (
                vec![
                    json!({"properties": [{"key": "k"}, {"key": "l"}, {"key": "k"}, {"key": "l"}]});
                    3
                ],
                "`properties` has everything more than once in all of 3",
            ),
            (
                vec![json!({"owner": {"notification_emails": ["ann@v.example;bob@v.example"]}}); 3],
                "job `a` has several addresses in one entry of `owner.notification_emails`",
            ),
            (
                vec![json!({"owner": {"primary_email": "{\"mail\":\"ann@v.example\"}"}}); 3],
                "job `a` has for `owner.primary_email` what is no address",
            ),
            (
                ["1", "2", "3"]
                    .map(|id| json!({"job_url": format!("v.example/{id}")}))
                    .to_vec(),
                "`job_url` is `v.example/1` and the like in all of 3, which leads nowhere",
            ),
        ] {
            assert_eq!(told(&jobs).first().map(String::as_str), Some(line));
            assert_eq!(
                told(&jobs[..1]).len(),
                usize::from(line.contains("blank")),
                "{line}"
            );
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
        // All schedules rest, or two fields are for other things; owners may be told in a channel.
        let right = vec![
            json!({"is_paused": false, "schedule": {"kind": "cron", "cron_expression": "0 0 12 31 12 7", "paused": true,
                "timezone": "America/Argentina/Buenos_Aires"}, "owner": {"notification_emails": ["#sales, #ops"]},
                "group": {"source_id": "f", "name": "Sales"}, "properties": [{"key": "k", "value": "[1]"}]});
            4
        ];
        assert_eq!(told(&right), [""; 0]);
    }

    #[test]
    fn what_is_so_at_few_vendors_is_an_advice() {
        for (jobs, line) in [
            (
                vec![json!({"name": "Job"}); 3],
                "job `a` has the same name as all jobs",
            ),
            (
                vec![
                    json!({"tasks": [{"task_source_id": "1", "name": "Job"}, {"task_source_id": "2", "name": "Job"}]});
                    3
                ],
                "job `a` has one name for all its tasks",
            ),
            (
                vec![
                    json!({"is_paused": true, "schedule": {"kind": "manual", "paused": false}}),
                    json!({"is_paused": false, "schedule": {"kind": "manual", "paused": true}}),
                    json!({"is_paused": true, "schedule": {"kind": "manual", "paused": false}}),
                ],
                "job `a` is paused, and its schedule is not",
            ),
            (
                ["f1", "f2", "f3"]
                    .map(|id| json!({"group": {"source_id": id, "name": "Sales"}}))
                    .to_vec(),
                "group `f1` is named `Sales`",
            ),
        ] {
            let advice = doubts(&given(&jobs));
            let start = format!("{line}, and so on in all of 3");
            assert!(
                advice.iter().any(|one| one.starts_with(&start)),
                "{line}: {advice:?}"
            );
            assert_eq!(told(&jobs), [""; 0], "{line}");
        }
    }

    #[test]
    fn what_vendors_mean_is_no_matter() {
        let of = |fields: fn(&str) -> Json| ["x", "y", "z"].map(fields);
        for jobs in [
            of(|id| json!({"name": "build", "group": {"source_id": id}})),
            of(|id| json!({"name": id, "folder": id})),
            of(
                |id| json!({"group": {"source_id": format!("{id}/__repository__"), "name": "__repository__"}}),
            ),
            of(|_| json!({"schedule": {"kind": "cron", "cron_expression": "0 24 * * *"}})),
            of(|_| json!({"schedule": {"kind": "cron", "cron_expression": "0 5 * * \"MON\""}})),
            of(|_| json!({"owner": {"primary_email": "\"ann, of sales\"@v.example"}})),
            of(|_| json!({"inputs": [{"fully_qualified_name": "x"}]})),
            of(|_| json!({"properties": [{"key": "k"}, {"key": "k"}, {"key": "l"}]})),
        ] {
            assert_eq!(told(&jobs), [""; 0]);
            assert_eq!(doubts(&given(&jobs)), [""; 0]);
        }
    }
}
