//! Wrong connectors of the kinds that people write, over a vendor whose answers show it: two fields that make an id
//! together, tries under one order, local times of several hosts, Quartz expressions, steps within runs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bowline_conformance::Verdict;
use bowline_conformance::pipeline::{Options, Report, run};
use bowline_contract::pipeline::{AssetEvent, PipelineManifest, RunEvent};
use bowline_pipeline::{
    FetchMethods, MethodsPipeline, PageQuery, RunQuery, SourceError, SourceErrorKind, VendorAnswers,
};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};

use crate::mutants::{told, wrong};

/// What is wrong with a connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Right,
    /// It keeps the last try of an order, under the order's id.
    TriesMerged,
    /// It reads the local times of all hosts in the zone of one.
    OneZone,
    /// It gives minutes for seconds.
    Minutes,
    /// The same, and nothing says what began runs.
    MinutesAlone,
    /// It takes the first five fields of a Quartz expression.
    FirstFields,
    /// It gives the first steps of every run.
    FirstSteps,
    /// It takes when the job was made for when the run was queued.
    JobsTime,
    /// It gives the last problem of the job for that of each run.
    JobsProblem,
    /// It takes what somebody began for what a program did.
    OtherCause,
    /// It puts every step after the one that is listed before it.
    OneAfterAnother,
    /// It takes the time at work for the whole time.
    TimeAtWork,
    /// It says of all steps what became of their run.
    StepsAsRun,
    /// It takes `NOT OK` for `OK`.
    Fate,
}

/// How the vendor writes times and ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clock {
    /// With the zone, and with an id for each try.
    Utc,
    /// By the clock of the host, with no zone; an order and a number are an id together.
    OfHost,
}

const HOSTS: [(&str, &str); 2] = [
    ("host-ber", "Europe/Berlin"),
    ("host-nyc", "America/New_York"),
];
const MINUTES: [i64; 6] = [180, 95, 240, 130, 300, 200];
const BEFORE: [&[usize]; 4] = [&[], &[0], &[0], &[1, 2]];

fn now() -> Timestamp {
    "2026-05-01T12:00:00Z".parse().unwrap()
}

/// A try of an order.
#[derive(Debug, Clone)]
struct Try {
    job: usize,
    order: String,
    number: i64,
    start: Timestamp,
    end: Timestamp,
    paused: i64,
    /// The step that failed.
    failed: Option<usize>,
    cause: &'static str,
}

fn tries() -> Vec<Try> {
    let mut all = Vec::new();
    for (job, minutes) in MINUTES.into_iter().enumerate() {
        let mut start =
            now() - SignedDuration::from_hours(70) + SignedDuration::from_mins(job as i64 * 7);
        let mut place = job;
        while start < now() - SignedDuration::from_mins(90) {
            let next = start + SignedDuration::from_mins(minutes);
            let order = format!("LBA:{:05}", 10_000 + all.len() * 7 + job);
            for number in 1..=3 {
                place += 1;
                let paused = if place % 4 == 0 { 40 + place as i64 } else { 0 };
                let end =
                    start + SignedDuration::from_secs(120 + (place as i64 * 37) % 400 + paused);
                let failed = (place % 4 == 1 || place % 8 == 2).then_some(place % 4);
                let cause = match (number, place % 7) {
                    (1, 3) => "MANUAL",
                    (1, 5) => "API",
                    (1, _) => "SCHEDULE",
                    _ => "RETRY",
                };
                all.push(Try {
                    job,
                    order: order.clone(),
                    number,
                    start,
                    end,
                    paused,
                    failed,
                    cause,
                });
                if failed.is_none() {
                    break;
                }
                start = end + SignedDuration::from_secs(60);
            }
            start = next;
        }
    }
    all
}

fn job_id(job: usize) -> String {
    format!("flow-{}", 700 + job * 13)
}

fn step_id(job: usize, step: usize) -> String {
    format!("st-{job}-{step}")
}

fn made(job: usize) -> Timestamp {
    now() - SignedDuration::from_hours(4000 + job as i64 * 31)
}

fn last_problem(job: usize) -> String {
    format!("table T{job} of the stock was locked")
}

/// What the vendor says of a job, and what a connector makes of it.
fn job(job: usize, kind: Kind) -> (Json, AssetEvent) {
    let (minutes, label) = (MINUTES[job], ["extract", "orders", "stock", "publish"]);
    let quartz = format!("0 {} */{} * * ?", job * 7, minutes / 60);
    let steps = (0..4).map(|step| {
        let before: Vec<String> = BEFORE[step]
            .iter()
            .map(|step| step_id(job, *step))
            .collect();
        json!({"stepId": step_id(job, step), "label": label[step], "dependsOn": before})
    });
    let record = json!({
        "flowId": job_id(job), "title": format!("Flow {job}"), "createdAt": made(job).to_string(),
        "host": HOSTS[job % 2].0, "everyMinutes": minutes, "quartz": (job > 2).then_some(&quartz),
        "lastProblem": last_problem(job), "steps": steps.clone().collect::<Json>(),
    });
    let tasks: Vec<Json> = steps
        .enumerate()
        .map(|(place, step)| {
            let before = match (kind, place) {
                (Kind::OneAfterAnother, 1..) => json!([step_id(job, place - 1)]),
                _ => step["dependsOn"].clone(),
            };
            let mut task = json!({"task_source_id": step["stepId"], "name": step["label"]});
            if place > 0 {
                task["upstream_task_source_ids"] = before;
            }
            task
        })
        .collect();
    let fields: Vec<&str> = quartz.split(' ').collect();
    let schedule = match kind {
        _ if job > 2 => {
            let five = if kind == Kind::FirstFields {
                &fields[..5]
            } else {
                &fields[1..]
            };
            json!({"kind": "cron", "cron_expression": five.join(" ").replace('?', "*"), "timezone": "UTC"})
        }
        Kind::Minutes | Kind::MinutesAlone => {
            json!({"kind": "interval", "interval_seconds": minutes})
        }
        _ => json!({"kind": "interval", "interval_seconds": minutes * 60}),
    };
    let event = json!({"job_source_id": job_id(job), "name": record["title"], "schedule": schedule, "tasks": tasks});
    (record, AssetEvent::new(event))
}

fn state(failed: bool) -> &'static str {
    if failed { "Ended NOT OK" } else { "Ended OK" }
}

/// What the vendor says of a try, and what a connector makes of it.
fn one(run: &Try, kind: Kind, clock: Clock) -> (Json, Json) {
    let (host, zone) = HOSTS[run.job % 2];
    let zone_of = |name: &str| TimeZone::get(name).unwrap();
    let local = |at: Timestamp| at.to_zoned(zone_of(zone)).datetime();
    let said = |at: Timestamp| match clock {
        Clock::Utc => at.to_string(),
        Clock::OfHost => local(at).strftime("%Y%m%d%H%M%S").to_string(),
    };
    let read = |at: Timestamp| match kind {
        Kind::OneZone => local(at)
            .to_zoned(zone_of(HOSTS[0].1))
            .unwrap()
            .timestamp()
            .to_string(),
        _ => at.to_string(),
    };
    let problem = |step: usize| format!("step {step} refused row {}", run.end.as_second() % 9973);
    let id = format!("{}#{}", run.order, run.number);
    let length = run.end.duration_since(run.start);
    let (mut steps, mut task_runs) = (Vec::new(), Vec::new());
    for step in 0..4 {
        let share = |nth: usize| run.start + length * i32::try_from(nth).unwrap() / 4;
        let is_skipped = run.failed.is_some_and(|failed| step > failed);
        let is_failed = run.failed == Some(step);
        let own = if is_skipped {
            "SKIPPED"
        } else {
            state(is_failed)
        };
        let times =
            (!is_skipped).then(|| (share(step) + SignedDuration::from_secs(1), share(step + 1)));
        let text = is_failed.then(|| problem(step));
        steps.push(json!({
            "stepRun": format!("{id}.{step}"), "stepId": step_id(run.job, step), "state": own,
            "startTime": times.map(|(start, _)| said(start)), "endTime": times.map(|(_, end)| said(end)), "problem": text,
        }));
        let end = read(times.map_or(run.end, |(_, end)| end));
        let mut given = json!({
            "job_source_id": job_id(run.job), "run_source_id": format!("{id}.{step}"), "task_source_id": step_id(run.job, step),
            "status": own, "event_time": end, "end_time": end,
        });
        if let Some((start, _)) = times {
            given["start_time"] = read(start).into();
        }
        if kind == Kind::StepsAsRun {
            given["status"] = state(run.failed.is_some()).into();
        }
        if given["status"] == state(true) {
            given["error"] = json!({"message": problem(step)});
        }
        task_runs.push(given);
    }
    let record = json!({
        "orderId": run.order, "runId": (clock == Clock::Utc).then_some(&id), "numberOfRuns": run.number, "flow": job_id(run.job), "host": host,
        "state": state(run.failed.is_some()), "startTime": said(run.start), "endTime": said(run.end),
        "createdAt": said(run.start - SignedDuration::from_secs(9)), "cause": run.cause,
        "activeMs": length.as_millis() - i128::from(run.paused) * 1000,
        "problem": run.failed.map(|step| json!({"title": "A step failed", "detail": problem(step)})), "steps": steps,
    });
    let end = match kind {
        Kind::TimeAtWork => run.end - SignedDuration::from_secs(run.paused),
        _ => run.end,
    };
    let queued = match kind {
        Kind::JobsTime => made(run.job).to_string(),
        _ => read(run.start - SignedDuration::from_secs(9)),
    };
    if kind == Kind::FirstSteps {
        task_runs.truncate(2);
    }
    if kind == Kind::TimeAtWork {
        task_runs.clear();
    }
    let is_ill = run.failed.is_some() && kind != Kind::Fate;
    let mut event = json!({
        "job_source_id": job_id(run.job), "run_source_id": id, "status": state(is_ill), "start_time": read(run.start),
        "end_time": read(end), "event_time": read(end), "queued_at": queued, "attempt_number": run.number,
        "trigger": if kind == Kind::OtherCause && run.cause == "MANUAL" { "API" } else { run.cause },
    });
    if !task_runs.is_empty() {
        event["task_runs"] = task_runs.into();
    }
    if let (Some(step), true) = (run.failed, is_ill) {
        let text = if kind == Kind::JobsProblem {
            last_problem(run.job)
        } else {
            problem(step)
        };
        event["error"] = json!({"message": text});
    }
    if run.number > 1 {
        event["parent_attempt_run_source_id"] = format!("{}#{}", run.order, run.number - 1).into();
    }
    if kind == Kind::MinutesAlone {
        event.as_object_mut().unwrap().remove("trigger");
    }
    (record, event)
}

/// The vendor as a connector reads it.
struct Read {
    jobs: Vec<(Json, AssetEvent)>,
    runs: Vec<(Json, RunEvent)>,
    answers: Mutex<Vec<Json>>,
}

impl Read {
    fn new(kind: Kind, clock: Clock) -> Self {
        let mut runs: Vec<(Json, Json)> = tries().iter().map(|run| one(run, kind, clock)).collect();
        if kind == Kind::TriesMerged {
            let records = runs.clone();
            let last = runs.into_iter().map(|(record, mut event)| {
                let order = record["orderId"].as_str().unwrap().to_owned();
                event["run_source_id"] = order.clone().into();
                let fields = event.as_object_mut().unwrap();
                fields.remove("parent_attempt_run_source_id");
                fields.remove("attempt_number");
                (order, event)
            });
            let last: BTreeMap<String, Json> = last.collect();
            let event = |record: &Json| last[record["orderId"].as_str().unwrap()].clone();
            runs = records
                .into_iter()
                .map(|(record, _)| (record.clone(), event(&record)))
                .collect();
        }
        runs.sort_by_key(|(_, event)| event["event_time"].as_str().unwrap().to_owned());
        Self {
            jobs: (0..MINUTES.len()).map(|number| job(number, kind)).collect(),
            runs: runs
                .into_iter()
                .map(|(record, event)| (record, RunEvent::new(event)))
                .collect(),
            answers: Mutex::default(),
        }
    }

    fn answer(&self, answer: Json) {
        self.answers.lock().unwrap().push(answer);
    }
}

impl FetchMethods for Read {
    fn setup_connection(&self) -> Result<(), SourceError> {
        self.answer(
            HOSTS
                .iter()
                .map(|(name, zone)| json!({"name": name, "timezone": zone}))
                .collect(),
        );
        Ok(())
    }

    fn fetch_metadata(&self, page: PageQuery) -> Result<Vec<AssetEvent>, SourceError> {
        self.answer(
            json!({"flows": self.jobs.iter().map(|(record, _)| record).collect::<Vec<_>>()}),
        );
        let jobs = self.jobs.iter().skip(page.offset).take(page.limit);
        Ok(jobs.map(|(_, job)| job.clone()).collect())
    }

    fn fetch_run_details(
        &self,
        query: Option<&RunQuery>,
        page: PageQuery,
    ) -> Result<Vec<RunEvent>, SourceError> {
        let Some(query) = query else {
            return Err(SourceError::new(
                SourceErrorKind::Connector,
                "neither ids nor a window",
            ));
        };
        let is_asked = |run: &RunEvent| match query {
            RunQuery::Window(window) => run.event_time().is_some_and(|at| window.contains(at)),
            RunQuery::Ids(ids) => ids.iter().any(|id| run.run_source_id() == Some(id)),
        };
        let mut asked: Vec<&(Json, RunEvent)> =
            self.runs.iter().filter(|(_, run)| is_asked(run)).collect();
        self.answer(
            json!({"statuses": asked.iter().map(|(record, _)| record).collect::<Vec<_>>()}),
        );
        asked.dedup_by_key(|(_, run)| run.run_source_id());
        let page = asked.into_iter().skip(page.offset).take(page.limit);
        Ok(page.map(|(_, run)| run.clone()).collect())
    }

    fn vendor_answers(&self) -> Option<VendorAnswers> {
        Some(VendorAnswers {
            documents: std::mem::take(&mut *self.answers.lock().unwrap()),
            is_cut: false,
        })
    }

    fn cancel(&self) {}
}

fn prove(kind: Kind, clock: Clock) -> Report {
    let manifest = json!({
        "connection_type": "custom-etl-connector-0123abc", "connection_name": "Vendor", "asset_class": "etl",
        "run_status_mapping": {"Ended OK": "success", "Ended NOT OK": "failed", "SKIPPED": "skipped"},
    });
    let manifest = PipelineManifest::parse(&manifest.to_string()).unwrap();
    let pipeline = MethodsPipeline::new(manifest, Read::new(kind, clock));
    let options = Options {
        lookback: SignedDuration::from_hours(72),
        clock: Arc::new(now),
        ..Options::default()
    };
    run(&pipeline, &options, &|_| ()).unwrap()
}

#[test]
fn what_the_answers_show_is_told_and_the_right_connector_is_not_blamed() {
    for clock in [Clock::Utc, Clock::OfHost] {
        let report = prove(Kind::Right, clock);
        // Nothing is under way at a vendor that stands still.
        let short: Vec<_> = report
            .checks
            .iter()
            .filter(|check| check.outcome.verdict() != Verdict::Supported)
            .filter(|check| check.check.id != "etl_run_details/running")
            .collect();
        assert!(short.is_empty(), "{clock:?}: {}", told(&short));
        let advice: Vec<_> = report
            .checks
            .iter()
            .flat_map(|check| &check.advice)
            .collect();
        assert!(advice.is_empty(), "{clock:?}: {advice:?}");
    }
    let mut missed = Vec::new();
    for (kind, clock, check) in [
        (Kind::TriesMerged, Clock::Utc, "etl_run_details/vendor"),
        (Kind::TriesMerged, Clock::OfHost, "etl_run_details/vendor"),
        (Kind::OneZone, Clock::OfHost, "etl_run_details/vendor"),
        (Kind::Minutes, Clock::Utc, "etl_run_details/jobs"),
        (Kind::MinutesAlone, Clock::Utc, "etl_run_details/jobs"),
        (Kind::FirstFields, Clock::Utc, "etl_metadata/vendor"),
        (Kind::FirstSteps, Clock::Utc, "etl_run_details/vendor"),
        (Kind::JobsTime, Clock::OfHost, "etl_run_details/vendor"),
        (Kind::JobsProblem, Clock::Utc, "etl_run_details/vendor"),
        (Kind::OtherCause, Clock::Utc, "etl_run_details/vendor"),
        (Kind::OneAfterAnother, Clock::Utc, "etl_metadata/vendor"),
        (Kind::TimeAtWork, Clock::Utc, "etl_run_details/vendor"),
        (Kind::StepsAsRun, Clock::Utc, "etl_run_details/vendor"),
        (Kind::Fate, Clock::OfHost, "etl_run_details/vendor"),
    ] {
        let report = prove(kind, clock);
        let found = wrong(&report);
        if !found.iter().any(|one| one.check.id == check) {
            missed.push(format!("{kind:?} {clock:?}: {}", told(&found)));
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}
