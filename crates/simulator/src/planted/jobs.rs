//! What a connector with a mistake says of jobs.

use std::collections::HashSet;

use bowline_contract::pipeline::{AssetEvent, GivenTask};
use serde_json::{Value as Json, json};

use super::Mistake;

/// The jobs with the mistakes that are about which there are and what they say.
pub(super) fn spoil(mistake: Option<Mistake>, jobs: &mut Vec<AssetEvent>, calls: u64) {
    match mistake {
        Some(Mistake::JobsLoseUnscheduled) => {
            jobs.retain(|job| job.json()["schedule"]["kind"] != "manual");
        }
        Some(Mistake::JobsOfOneGroup) => {
            let group = jobs.first().map(|job| job.json()["group"].clone());
            jobs.retain(|job| Some(&job.json()["group"]) == group.as_ref());
        }
        Some(Mistake::FiveJobsAtMost) => jobs.truncate(5),
        Some(Mistake::JobsByGroup) => {
            let mut seen = HashSet::new();
            jobs.retain(|job| seen.insert(job.json()["group"].to_string()));
        }
        Some(Mistake::TasksAddUp) => {
            let mut tasks = Vec::new();
            for job in &mut *jobs {
                if let Some(own) = job.fields_mut().and_then(|job| job.get_mut("tasks")) {
                    tasks.extend(own.as_array().cloned().unwrap_or_default());
                    *own = tasks.clone().into();
                }
            }
        }
        Some(Mistake::JobLineageOfFirst) => {
            let first = jobs
                .first()
                .map(|job| job.json().clone())
                .unwrap_or_default();
            for job in jobs.iter_mut().filter_map(AssetEvent::fields_mut) {
                for side in ["inputs", "outputs"] {
                    job.insert(side.to_owned(), first[side].clone());
                }
            }
        }
        Some(Mistake::PropertiesOfLast) => {
            let last = jobs.last().map(|job| job.json()["properties"].clone());
            for job in jobs.iter_mut().filter_map(AssetEvent::fields_mut) {
                job.insert("properties".to_owned(), last.clone().unwrap_or_default());
            }
        }
        Some(Mistake::JobsTwice) => *jobs = jobs.iter().chain(&*jobs).cloned().collect(),
        Some(Mistake::JobsOrderChanges) if calls.is_multiple_of(2) => jobs.reverse(),
        _ => {}
    }
    for job in jobs {
        let Some(fields) = job.fields_mut() else {
            continue;
        };
        match mistake {
            Some(Mistake::NamesMissing) => {
                fields.shift_remove("name");
            }
            Some(Mistake::JobIdsNotStable) => {
                let id = fields["job_source_id"].as_str().unwrap_or_default();
                let id = format!("{id}-{calls}");
                fields.insert("job_source_id".to_owned(), id.into());
            }
            Some(Mistake::JobsByName) => {
                let name = fields["name"].clone();
                fields.insert("job_source_id".to_owned(), name);
            }
            Some(Mistake::PropertiesTwice) => {
                let pairs = fields.get_mut("properties").and_then(Json::as_array_mut);
                pairs
                    .into_iter()
                    .for_each(|pairs| pairs.extend(pairs.clone()));
            }
            Some(Mistake::PropertiesTurned) => {
                let pairs = fields.get_mut("properties").and_then(Json::as_array_mut);
                for pair in pairs.into_iter().flatten() {
                    *pair = json!({"key": pair["value"], "value": pair["key"]});
                }
            }
            Some(Mistake::JobLineageTurned) => {
                let (inputs, outputs) = (fields["inputs"].clone(), fields["outputs"].clone());
                fields.insert("inputs".to_owned(), outputs);
                fields.insert("outputs".to_owned(), inputs);
            }
            Some(Mistake::JobLineageTwice) => {
                let inputs = fields["inputs"].clone();
                fields.insert("outputs".to_owned(), inputs);
            }
            Some(Mistake::JobsNamedAlike) => {
                fields.insert("name".to_owned(), "Job".into());
            }
            Some(Mistake::GroupsNamedAlike) => fields["group"]["name"] = "Folder".into(),
            Some(Mistake::NoticesJoined) => {
                let owner = json!({"notification_emails": ["ann@example.com;bob@example.com"]});
                fields.insert("owner".to_owned(), owner);
            }
            Some(Mistake::CronBlank) if fields["schedule"]["kind"] == "manual" => {
                let schedule = json!({"kind": "cron", "cron_expression": ""});
                fields.insert("schedule".to_owned(), schedule);
            }
            Some(Mistake::PausedTurned) => {
                let paused = fields["is_paused"] == true;
                fields.insert("is_paused".to_owned(), (!paused).into());
            }
            Some(Mistake::JobNamesEncoded) => {
                let name = fields["name"].as_str().unwrap_or_default();
                let name = name.replace(' ', "%20");
                fields.insert("name".to_owned(), name.into());
            }
            Some(Mistake::JobsAfterNames) => {
                let name = &fields["name"];
                let schedule = json!({"kind": "upstream", "upstream_job_source_ids": [name]});
                fields.insert("schedule".to_owned(), schedule);
            }
            Some(Mistake::ZonesMadeUp) if fields["schedule"]["kind"] == "cron" => {
                fields["schedule"]["timezone"] = "CET/Berlin".into();
            }
            Some(Mistake::AddressesBare) => {
                let address = format!("vendor.example.com/jobs/{}", fields["job_source_id"]);
                fields.insert("job_url".to_owned(), address.into());
            }
            Some(Mistake::OwnersAsLinks) => {
                let owner = json!({"primary_email": "mailto:ann@example.com"});
                fields.insert("owner".to_owned(), owner);
            }
            Some(Mistake::OwnersAsNumbers) => {
                fields.insert("owner".to_owned(), json!({"primary_email": "17"}));
            }
            Some(Mistake::NoticesSpelt) => {
                let letters: Vec<String> = "ann@example.com".chars().map(String::from).collect();
                fields.insert("owner".to_owned(), json!({"notification_emails": letters}));
            }
            Some(Mistake::OwnersAsRecords) => {
                let owner = json!({"primary_name": "{'id': 17, 'name': 'Ann'}"});
                fields.insert("owner".to_owned(), owner);
            }
            Some(Mistake::TasksPrefixed) => {
                let job = fields["job_source_id"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned();
                let tasks = fields.get_mut("tasks").and_then(Json::as_array_mut);
                for task in tasks.into_iter().flatten() {
                    let id = task["task_source_id"].as_str().unwrap_or_default();
                    task["task_source_id"] = format!("{job}.{id}").into();
                    task.as_object_mut()
                        .map(|task| task.shift_remove("upstream_task_source_ids"));
                }
            }
            Some(Mistake::OwnersByName) => {
                fields.insert("owner".to_owned(), json!({"primary_email": "ann"}));
            }
            Some(Mistake::OwnersAsText) => {
                fields.insert("owner".to_owned(), json!({"primary_email": "None"}));
            }
            Some(Mistake::CronWithoutExpression) => {
                fields.insert("schedule".to_owned(), json!({"kind": "cron"}));
            }
            Some(Mistake::CronIsZone) => {
                let schedule = json!({"kind": "cron", "cron_expression": "Europe/Berlin"});
                fields.insert("schedule".to_owned(), schedule);
            }
            Some(Mistake::TasksNamedAlike) => {
                let name = fields["name"].clone();
                let tasks = fields.get_mut("tasks").and_then(Json::as_array_mut);
                for task in tasks.into_iter().flatten() {
                    task["name"] = name.clone();
                }
            }
            Some(Mistake::JobsTriggerByName) => {
                let triggered = json!([fields["name"]]);
                fields.insert("triggered_job_source_ids".to_owned(), triggered);
            }
            Some(Mistake::JobsLoseLastTask) => {
                let tasks = fields.get_mut("tasks").and_then(Json::as_array_mut);
                tasks.and_then(Vec::pop);
            }
            Some(Mistake::TasksFollowNames | Mistake::TasksInCircle) => {
                let tasks = fields.get_mut("tasks").and_then(Json::as_array_mut);
                follow_wrongly(mistake, tasks.map_or(&mut [][..], Vec::as_mut_slice));
            }
            Some(Mistake::JobGroupIsJob) => {
                let group = json!({"source_id": fields["job_source_id"]});
                fields.insert("group".to_owned(), group);
            }
            Some(Mistake::OwnersJoined) => {
                let address = "ann@example.com, bob@example.com";
                fields.insert("owner".to_owned(), json!({"primary_email": address}));
            }
            Some(Mistake::NextRunsBehind) => {
                let schedule = json!({"kind": "manual", "next_run_at": "2026-01-01T00:00:00Z"});
                fields.insert("schedule".to_owned(), schedule);
            }
            Some(Mistake::TasksTurned) => {
                if let Some(tasks) = fields.get_mut("tasks").and_then(Json::as_array_mut) {
                    turn(tasks);
                }
            }
            Some(Mistake::TasksAfterThemselves) => {
                let tasks = fields.get_mut("tasks").and_then(Json::as_array_mut);
                for task in tasks.into_iter().flatten() {
                    task[UPSTREAM] = json!([task["task_source_id"]]);
                }
            }
            Some(Mistake::TasksLeadNowhere | Mistake::TasksShareIds) => {
                let tasks = fields.get_mut("tasks").and_then(Json::as_array_mut);
                for task in tasks.into_iter().flatten().map(GivenTask::of_mut) {
                    let Some(task) = task.fields_mut() else {
                        continue;
                    };
                    if mistake == Some(Mistake::TasksShareIds) {
                        task.insert("task_source_id".to_owned(), "step".into());
                    } else {
                        let before = json!(["nobody's task"]);
                        task.insert("upstream_task_source_ids".to_owned(), before);
                    }
                }
            }
            _ => {}
        }
    }
}

const UPSTREAM: &str = "upstream_task_source_ids";

/// Lets tasks follow what is no task by that id, or the first one the last.
fn follow_wrongly(mistake: Option<Mistake>, tasks: &mut [Json]) {
    if mistake == Some(Mistake::TasksFollowNames) {
        for task in tasks {
            for before in task[UPSTREAM].as_array_mut().into_iter().flatten() {
                *before = before.as_str().unwrap_or_default().to_uppercase().into();
            }
        }
    } else if let [first, .., last] = tasks {
        first[UPSTREAM] = json!([last["task_source_id"]]);
    }
}

/// Turns what tasks say of those that they follow.
fn turn(tasks: &mut [Json]) {
    let follows = |task: &Json, other: &Json| {
        let upstream = task[UPSTREAM].as_array();
        upstream.is_some_and(|upstream| upstream.contains(&other["task_source_id"]))
    };
    let before = tasks.to_vec();
    for task in tasks {
        let downstream: Vec<&Json> = before
            .iter()
            .filter(|other| follows(other, task))
            .map(|other| &other["task_source_id"])
            .collect();
        task[UPSTREAM] = json!(downstream);
        if task[UPSTREAM] == json!([]) {
            task.as_object_mut().map(|task| task.shift_remove(UPSTREAM));
        }
    }
}

/// A page of jobs with the mistakes that are about what is joined to them; `all` is what it was cut from.
pub(super) fn join(mistake: Option<Mistake>, page: &mut [AssetEvent], all: &[AssetEvent]) {
    let field = match mistake {
        Some(Mistake::OwnersOfAnother) => "owner",
        Some(Mistake::JobNamesOfAnother) => "name",
        Some(Mistake::JobTasksOfAnother) => "tasks",
        Some(Mistake::JobSchedulesOfAnother) => "schedule",
        Some(Mistake::JobGroupsOfAnother) => "group",
        _ => return,
    };
    for (job, other) in page.iter_mut().zip(all) {
        if let Some(job) = job.fields_mut() {
            match other.json().get(field) {
                Some(value) => job.insert(field.to_owned(), value.clone()),
                None => job.shift_remove(field),
            };
        }
    }
}
