//! The records of a vendor that has something of everything, and what a right connector makes of them.

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value as Json, json};

use super::vendor::{Events, Given};

/// How a vendor writes its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Everything about a job or run in one record, times as texts.
    Whole,
    /// Steps and people in lists of their own, other names, times as numbers.
    Apart,
}

/// When it stands still.
pub(super) fn now() -> Timestamp {
    "2026-05-01T12:00:00Z".parse().unwrap()
}

/// What the vendor has, as it writes it in [`Shape::Whole`].
#[derive(Debug, Clone)]
pub(super) struct Records {
    pub(super) jobs: Vec<Json>,
    pub(super) runs: Vec<Json>,
}

pub(super) fn text<'r>(record: &'r Json, name: &str) -> &'r str {
    record[name].as_str().unwrap_or_default()
}

pub(super) fn moment(run: &Json) -> Option<Timestamp> {
    let said = ["endTime", "startTime", "queuedTime"];
    let first = said.iter().find_map(|name| run[*name].as_str());
    first?.parse().ok()
}

const WORDS: [&str; 8] = [
    "orders",
    "Invoices",
    "customers",
    "stock",
    "Payments",
    "returns",
    "Budgets",
    "visits",
];

const PEOPLE: [&str; 5] = ["Ann", "Bob", "Cem", "Dee", "Eve"];

fn pick<'w>(words: &[&'w str], number: usize) -> &'w str {
    words[number % words.len()]
}

/// A sentence of so many words that no other number gives.
fn sentence(number: usize, words: usize) -> String {
    let of = |nth: usize| WORDS[(number * 7 + nth * 5 + nth * nth) % WORDS.len()];
    let words: Vec<&str> = (0..words).map(of).collect();
    format!("Reads no. {number}: {}", words.join(" "))
}

impl Records {
    /// Twelve jobs and what they did within three days.
    pub(super) fn new() -> Self {
        let mut records = Self {
            jobs: (0..12).map(job).collect(),
            runs: Vec::new(),
        };
        let mut rng = Rng::with_seed(20_260_501);
        let gone = job(12);
        for number in 0..13 {
            let job = records.jobs.get(number).unwrap_or(&gone).clone();
            for (queued, cause, by) in occasions(number, &mut rng, &records.runs) {
                records.run(&job, number, queued, (cause, by), &mut rng);
            }
        }
        records
    }

    /// A run of a job, and the attempts that follow it.
    fn run(
        &mut self,
        job: &Json,
        number: usize,
        queued: Timestamp,
        why: (&str, Json),
        rng: &mut Rng,
    ) {
        let (mut cause, mut by) = why;
        let (mut queued, mut before) = (queued, Json::Null);
        for attempt in 1..=3 {
            let place = self.runs.len();
            let millis = |least: i64, most: i64, rng: &mut Rng| {
                SignedDuration::from_millis(rng.i64(least..most))
            };
            let start = queued + millis(1_500, 190_000, rng);
            let mut end = start + millis(70_000, 2_700_000, rng);
            let mut state = ["FAILED", "FAILED", "CANCELLED", "TIMED_OUT", "SUCCEEDED"]
                [rng.usize(0..14).min(4)];
            let is_open = end > now();
            if is_open {
                end = now();
                state = if start > now() { "QUEUED" } else { "RUNNING" };
            }
            let steps = job["steps"].as_array().map_or(0, Vec::len);
            let lost = if state == "SUCCEEDED" {
                steps
            } else {
                rng.usize(0..steps)
            };
            let failure = (state == "FAILED").then(|| json!({
                "kind": pick(&["UserError", "SystemError", "DataError"], place),
                "code": format!("E-{}", 1000 + place % 7),
                "text": format!("{}; line {place} is unreadable", sentence(place, if place.is_multiple_of(5) { 60 } else { 9 })),
                "temporary": place.is_multiple_of(2),
                "step": job["steps"][lost]["stepId"],
                "fields": {"line": place},
            }));
            let length = end.duration_since(start);
            let share = |nth: usize, of: usize| {
                start + length * i32::try_from(nth).unwrap() / i32::try_from(of).unwrap()
            };
            let known = lost.min(steps - 1) + 1;
            let has_begun = state != "QUEUED";
            let step_runs: Vec<Json> = (0..if has_begun { known } else { 0 })
                .map(|nth| {
                    let is_last = nth + 1 == known;
                    let began = share(nth, known) + SignedDuration::from_millis(20);
                    let ended = share(nth + 1, known) - SignedDuration::from_millis(30);
                    json!({
                        "stepRunId": format!("sr-{}", 500_000 + place * 10 + nth), "stepId": job["steps"][nth]["stepId"],
                        "state": if is_last { state } else { "SUCCEEDED" },
                        "queuedTime": (began - SignedDuration::from_millis(15)).to_string(),
                        "startTime": began.to_string(), "endTime": (!(is_open && is_last)).then(|| ended.to_string()),
                        "failure": is_last.then(|| failure.clone()), "attempt": attempt,
                        "link": format!("https://vendor.example/Logs/{}", 500_000 + place * 10 + nth),
                    })
                })
                .collect();
            let id = format!("rn-{}", 900_000 + place * 3);
            self.runs.push(json!({
                "runId": id, "jobId": job["jobId"], "state": state, "attempt": attempt, "retryOf": before,
                "createdTime": (queued - SignedDuration::from_millis(700)).to_string(),
                "queuedTime": queued.to_string(), "startTime": has_begun.then(|| start.to_string()),
                "endTime": (!is_open).then(|| end.to_string()),
                "expectedTime": has_begun.then(|| (start + SignedDuration::from_secs(1800)).to_string()),
                "cause": cause, "causeRun": by,
                "backfill": (cause == "backfill").then(|| format!("bf-{}", place % 3)),
                "failure": failure, "link": format!("https://vendor.example/Runs/{id}"),
                "projectId": job["projectId"], "projectName": job["projectName"],
                "reads": job["reads"], "writes": job["writes"], "stepRuns": step_runs,
                "labels": [{"name": "commit", "value": format!("{:07x}", place * 7919)}, {"name": "Pool", "value": format!("Pool {number}")}],
                "machine": format!("Node-{}", place % 9),
            }));
            if state != "FAILED" || rng.bool() {
                return;
            }
            (cause, by, before) = ("retry", Json::Null, json!(id));
            queued = end + SignedDuration::from_secs(61);
        }
    }

    /// What a right connector gives.
    pub(super) fn right(&self) -> Events {
        let given = |event: Json, id: &str, at| Given {
            event,
            id: id.to_owned(),
            at,
        };
        let jobs = self.jobs.iter();
        let runs = self.runs.iter();
        Events {
            jobs: jobs
                .map(|job| given(asset(job), text(job, "jobId"), None))
                .collect(),
            runs: runs
                .map(|one| given(run(one), text(one, "runId"), moment(one)))
                .collect(),
        }
    }
}

/// When runs of a job were asked for, why, and by which run.
fn occasions(number: usize, rng: &mut Rng, runs: &[Json]) -> Vec<(Timestamp, &'static str, Json)> {
    let first = now() - SignedDuration::from_hours(70);
    let at = |minutes: i64| first + SignedDuration::from_mins(minutes);
    let offset = i64::try_from(number).unwrap() * 11;
    match number {
        // It was deleted on the first day.
        12 => (0..3)
            .map(|nth| (at(30 + 90 * nth), "user", Json::Null))
            .collect(),
        _ if number.is_multiple_of(4) => (0..18)
            .map(|nth| (at(offset + 240 * nth + 60), "timer", Json::Null))
            .collect(),
        _ if number % 4 == 1 => (0..12)
            .map(|nth| (at(offset + 360 * nth), "timer", Json::Null))
            .collect(),
        _ if number % 4 == 2 => {
            let of = format!("jb-{}", 7000 + (number - 2) * 13);
            let parents = runs
                .iter()
                .filter(|run| run["jobId"] == of.as_str() && run["state"] == "SUCCEEDED");
            let after = |run: &Json| moment(run).unwrap() + SignedDuration::from_millis(900);
            parents
                .map(|run| (after(run), "upstream", run["runId"].clone()))
                .collect()
        }
        _ => (0..8)
            .map(|nth| {
                let cause = ["user", "api", "backfill"][rng.usize(0..3)];
                let at = at(offset + 500 * nth + rng.i64(0..400))
                    + SignedDuration::from_millis(rng.i64(0..60_000));
                (at, cause, Json::Null)
            })
            .filter(|(at, ..)| *at < now())
            .collect(),
    }
}

fn job(number: usize) -> Json {
    let id = format!("jb-{}", 7000 + number * 13);
    let other = |number: usize| format!("jb-{}", 7000 + number * 13);
    let person = number % 5;
    let tables = |role: &str, count: usize| -> Vec<Json> {
        (0..count)
            .map(|nth| {
                json!(format!(
                    "Shop.{role}.{}_{number}_{nth}",
                    WORDS[(number + nth) % 8]
                ))
            })
            .collect()
    };
    let steps: Vec<Json> = (0..number % 4 + 2)
        .map(|nth| json!({
            "stepId": format!("st-{number}-{nth}"), "title": format!("{} Part {nth}", WORDS[(number + nth * 3) % 8]),
            "kind": pick(&["Query", "Script", "Copy"], number + nth), "about": sentence(number * 10 + nth, 14),
            "dependsOn": if nth == 0 { json!([]) } else { json!([format!("st-{number}-{}", nth - 1)]) },
            "starts": if nth == 1 && number.is_multiple_of(4) { json!([other(number + 2)]) } else { json!([]) },
            "reads": if nth == 0 { json!(tables("Raw", 2)) } else { json!([]) },
            "writes": if nth == 1 { json!(tables("Clean", 2)) } else { json!([]) },
            "image": format!("Image-{}", nth + number),
        }))
        .collect();
    // Hours of Berlin and of New York, each every four hours of the same minute.
    let (zone, hours) = [
        ("Europe/Berlin", "1,5,9,13,17,21"),
        ("America/New_York", "3,7,11,15,19,23"),
    ][number / 4 % 2];
    let next = now() + SignedDuration::from_mins(17 + i64::try_from(number).unwrap() * 9);
    let timer = match number % 4 {
        0 => {
            json!({"cron": format!("{} {hours} * * *", number * 11 % 60), "zone": zone, "next": next.to_string(), "off": number == 8})
        }
        1 => json!({"everySeconds": 21_600, "next": next.to_string(), "off": number == 9}),
        2 => json!({"after": [other(number - 2)], "off": false}),
        _ => Json::Null,
    };
    json!({
        "jobId": id, "title": format!("Load {} {}", WORDS[number % 8], if number % 5 == 1 { sentence(number, 8) } else { format!("No. {number}") }),
        "about": sentence(100 + number, if number.is_multiple_of(3) { 50 } else { 12 }), "path": format!("/Finance/{}", WORDS[number % 3]),
        "projectId": format!("prj-{}", 31 + number % 4), "projectName": format!("Project {}", WORDS[number % 4]),
        "disabled": number == 8 || number == 9 || number == 3, "link": format!("https://vendor.example/Jobs/{id}"),
        "timer": timer, "steps": steps, "reads": tables("Raw", 2), "writes": tables("Clean", 2),
        "starts": if number.is_multiple_of(4) { json!([other(number + 2)]) } else { json!([]) },
        "owner": {
            "userId": format!("usr-{}", 41 + person), "fullName": format!("{} Lee", pick(&PEOPLE, person)),
            "mail": format!("{}.Lee@Shop.example", pick(&PEOPLE, person)),
            "team": format!("Team {}", WORDS[person]), "service": format!("Svc-{person}@Shop.example"),
        },
        "notify": [format!("Desk-{}@Shop.example", number % 5), format!("On-Call-{}@Shop.example", number % 3)],
        "labels": [{"name": "Tier", "value": pick(&["Gold", "Silver", "Iron"], number)}, {"name": "Cost", "value": format!("CC-{}", 300 + number)}],
        "version": 4 + number,
    })
}

/// JSON without what says nothing.
fn sparse(json: Json) -> Json {
    match json {
        Json::Object(fields) => {
            let fields = fields
                .into_iter()
                .map(|(name, value)| (name, sparse(value)));
            let said = |value: &Json| match value {
                Json::Null => false,
                Json::Array(items) => !items.is_empty(),
                Json::Object(fields) => !fields.is_empty(),
                _ => true,
            };
            Json::Object(fields.filter(|(_, value)| said(value)).collect())
        }
        Json::Array(items) => items.into_iter().map(sparse).collect(),
        other => other,
    }
}

fn refs(names: &Json, role: &str) -> Json {
    let names = names.as_array().into_iter().flatten();
    names
        .map(|name| json!({"asset_type": "TABLE", "role": role, "fully_qualified_name": name}))
        .collect()
}

fn labels(labels: &Json) -> Json {
    let labels = labels.as_array().into_iter().flatten();
    labels
        .map(|label| json!({"key": label["name"], "value": label["value"]}))
        .collect()
}

fn asset(job: &Json) -> Json {
    let (timer, owner) = (&job["timer"], &job["owner"]);
    let kind = [
        ("cron", "cron"),
        ("everySeconds", "interval"),
        ("after", "upstream"),
    ];
    let kind = kind
        .iter()
        .find(|(name, _)| !timer[*name].is_null())
        .map_or("manual", |(_, kind)| *kind);
    let steps = job["steps"].as_array().into_iter().flatten().map(|step| json!({
        "task_source_id": step["stepId"], "name": step["title"], "task_type": step["kind"], "description": step["about"],
        "upstream_task_source_ids": step["dependsOn"], "triggered_job_source_ids": step["starts"],
        "inputs": refs(&step["reads"], "INPUT"), "outputs": refs(&step["writes"], "OUTPUT"), "attributes": {"image": step["image"]},
    }));
    sparse(json!({
        "job_source_id": job["jobId"], "name": job["title"], "description": job["about"], "folder": job["path"],
        "group": {"source_id": job["projectId"], "name": job["projectName"], "group_type": "project"},
        "is_paused": job["disabled"], "job_url": job["link"],
        "schedule": {
            "kind": kind, "cron_expression": timer["cron"], "timezone": timer["zone"], "interval_seconds": timer["everySeconds"],
            "next_run_at": timer["next"], "paused": timer["off"], "upstream_job_source_ids": timer["after"], "raw": timer,
        },
        "owner": {
            "primary_email": owner["mail"], "primary_name": owner["fullName"], "primary_external_id": owner["userId"],
            "run_as_email": owner["service"], "team": owner["team"], "notification_emails": job["notify"], "raw": {"id": owner["userId"]},
        },
        "properties": labels(&job["labels"]), "attributes": {"version": job["version"]}, "tasks": steps.collect::<Json>(),
        "inputs": refs(&job["reads"], "INPUT"), "outputs": refs(&job["writes"], "OUTPUT"), "triggered_job_source_ids": job["starts"],
    }))
}

fn failure(record: &Json) -> Json {
    let said = &record["failure"];
    json!({
        "message": said["text"], "code": said["code"], "retryable": said["temporary"], "failure_type": said["kind"],
        "upstream_failed_task_source_ids": said["step"].as_str().map(|step| [step]), "structured_fields": said["fields"],
    })
}

fn run(run: &Json) -> Json {
    let causes = [
        ("timer", "SCHEDULE"),
        ("user", "MANUAL"),
        ("api", "API"),
        ("upstream", "UPSTREAM"),
        ("backfill", "BACKFILL"),
        ("retry", "RETRY"),
    ];
    let trigger = causes
        .iter()
        .find(|(cause, _)| run["cause"] == *cause)
        .map(|(_, trigger)| *trigger);
    let at = |record: &Json| moment(record).map(|at| at.to_string());
    let steps = run["stepRuns"].as_array().into_iter().flatten().map(|step| json!({
        "job_source_id": run["jobId"], "run_source_id": step["stepRunId"], "task_source_id": step["stepId"], "status": step["state"],
        "event_time": at(step), "queued_at": step["queuedTime"], "start_time": step["startTime"], "end_time": step["endTime"],
        "attempt_number": step["attempt"], "run_url": step["link"], "error": failure(step),
    }));
    sparse(json!({
        "job_source_id": run["jobId"], "run_source_id": run["runId"], "status": run["state"], "event_time": at(run),
        "queued_at": run["queuedTime"], "start_time": run["startTime"], "end_time": run["endTime"], "expected_end_time": run["expectedTime"],
        "group": {"source_id": run["projectId"], "name": run["projectName"], "group_type": "project"},
        "trigger": trigger, "triggered_by_run_source_id": run["causeRun"], "parent_attempt_run_source_id": run["retryOf"],
        "attempt_number": run["attempt"], "backfill_id": run["backfill"], "run_url": run["link"], "error": failure(run),
        "task_runs": steps.collect::<Json>(), "inputs": refs(&run["reads"], "INPUT"), "outputs": refs(&run["writes"], "OUTPUT"),
        "properties": labels(&run["labels"]), "attributes": {"machine": run["machine"]},
    }))
}

/// The names of [`Shape::Apart`] where they are others.
const RENAMED: [(&str, &str); 20] = [
    ("jobId", "pipeline"),
    ("runId", "id"),
    ("state", "result"),
    ("startTime", "began_at"),
    ("endTime", "finished_at"),
    ("queuedTime", "enqueued_at"),
    ("createdTime", "created_at"),
    ("failure", "problem"),
    ("text", "reason"),
    ("link", "web_url"),
    ("title", "label"),
    ("about", "notes"),
    ("path", "directory"),
    ("mail", "email"),
    ("disabled", "paused"),
    ("off", "suspended"),
    ("cron", "crontab"),
    ("zone", "tz"),
    ("retryOf", "previous_try"),
    ("fullName", "display"),
];

impl Shape {
    pub(super) fn jobs(self, records: &Records) -> Vec<Json> {
        if self == Self::Whole {
            return vec![json!({"jobs": records.jobs})];
        }
        let (mut jobs, mut people) = (records.jobs.clone(), Vec::new());
        for job in &mut jobs {
            let owner = std::mem::replace(&mut job["owner"], Json::Null);
            job["owner"] = owner["userId"].clone();
            job["id"] = job["jobId"].take();
            if !people.contains(&owner) {
                people.push(owner);
            }
        }
        vec![
            renamed(json!({"pipelines": jobs})),
            renamed(json!({"users": people})),
        ]
    }

    pub(super) fn runs<'r>(self, listed: impl Iterator<Item = &'r Json>) -> Json {
        let mut runs: Vec<Json> = listed.cloned().collect();
        if self == Self::Whole {
            return json!({"runs": runs});
        }
        let mut steps = Vec::new();
        for run in &mut runs {
            let id = run["runId"].clone();
            for mut step in run["stepRuns"]
                .take()
                .as_array()
                .cloned()
                .unwrap_or_default()
            {
                step["of_run"] = id.clone();
                steps.push(step);
            }
        }
        renamed(json!({"executions": runs, "tasks": steps}))
    }
}

/// The same with other names, and with times as numbers.
fn renamed(json: Json) -> Json {
    match json {
        Json::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| {
                let other = RENAMED.iter().find(|(own, _)| *own == name);
                (
                    other.map_or(name, |(_, other)| (*other).to_owned()),
                    renamed(value),
                )
            });
            Json::Object(fields.collect::<Map<String, Json>>())
        }
        Json::Array(items) => items.into_iter().map(renamed).collect(),
        Json::String(text) => match text.parse::<Timestamp>() {
            Ok(at) => at.as_millisecond().into(),
            Err(_) => Json::String(text),
        },
        other => other,
    }
}
