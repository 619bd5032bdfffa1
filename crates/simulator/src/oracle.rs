//! What a correct reading gives, given what happened meanwhile.
//!
//! A run that stood still from the reading's beginning to its end must be given exactly if it is asked for. One that
//! changed meanwhile may be given as it was at any moment of the reading, or not at all. None may be given twice.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use bowline_contract::pipeline::EventTime;
use bowline_pipeline::RunQuery;
use jiff::Timestamp;
use serde_json::Value as Json;

use crate::scenario::Steps;
use crate::vendor::Vendor;
use crate::world::{Job, Run, World};

/// From when to when something was read, by the vendor's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Before the first request.
    pub from: Timestamp,
    /// After the last answer.
    pub to: Timestamp,
}

/// Something that a correct reading would not have given, or would have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// A record that stood still and was asked for is not there.
    Missing(String),
    /// A record is there more than once.
    Doubled(String),
    /// A run is there that was not asked for.
    NotAsked(String),
    /// There never was such a record.
    Invented(String),
    /// A record is there as it never was during the reading.
    Untrue {
        /// Which.
        id: String,
        /// As it was given.
        given: String,
    },
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(id) => write!(f, "`{id}` stood still, was asked for, and is missing"),
            Self::Doubled(id) => write!(f, "`{id}` is there more than once"),
            Self::NotAsked(id) => write!(f, "`{id}` was not asked for"),
            Self::Invented(id) => write!(f, "there never was a `{id}`"),
            Self::Untrue { id, given } => {
                write!(
                    f,
                    "`{id}` never stood like this during the reading: {given}"
                )
            }
        }
    }
}

/// The flaws of a reading of runs.
#[must_use]
pub fn run_flaws(vendor: &Vendor, span: Span, query: &RunQuery, events: &[Json]) -> Vec<Flaw> {
    let world = &vendor.world;
    let mut flaws = Vec::new();
    let mut given = BTreeSet::new();
    for event in events {
        let id = text(event, "run_source_id").to_owned();
        if !given.insert(id.clone()) {
            flaws.push(Flaw::Doubled(id));
            continue;
        }
        let Some(number) = world.number(&id) else {
            flaws.push(Flaw::Invented(id));
            continue;
        };
        let time = moment(event, "event_time");
        let is_asked = match query {
            RunQuery::Window { start, end } => {
                time.is_some_and(|time| *start <= time && time < *end)
            }
            RunQuery::Ids(ids) => ids.contains(&id),
        };
        if !is_asked {
            flaws.push(Flaw::NotAsked(id));
            continue;
        }
        let mut seen = world.runs[number].between(span.from, span.to);
        if !seen.any(|run| run.is_some_and(|run| is_true(vendor, run, event, span))) {
            flaws.push(Flaw::Untrue {
                id,
                given: shortened(event),
            });
        }
    }
    for run in &world.runs {
        let Some(run) = run.all_the_time(span.from, span.to) else {
            continue;
        };
        let is_asked = match query {
            RunQuery::Window { start, end } => *start <= run.at() && run.at() < *end,
            RunQuery::Ids(ids) => ids.contains(&run.id),
        };
        if is_asked && !given.contains(&run.id) {
            flaws.push(Flaw::Missing(run.id.clone()));
        }
    }
    flaws
}

/// The flaws of a reading of assets.
#[must_use]
pub fn asset_flaws(world: &World, span: Span, events: &[Json]) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let mut given = BTreeSet::new();
    let known: BTreeMap<&str, usize> = (0..world.jobs.len())
        .map(|number| (world.job_id(number), number))
        .collect();
    for event in events {
        let id = text(event, "job_source_id").to_owned();
        if !given.insert(id.clone()) {
            flaws.push(Flaw::Doubled(id));
            continue;
        }
        let Some(number) = known.get(id.as_str()) else {
            flaws.push(Flaw::Invented(id));
            continue;
        };
        let mut seen = world.jobs[*number].between(span.from, span.to);
        if !seen.any(|job| job.is_some_and(|job| is_true_job(job, event))) {
            flaws.push(Flaw::Untrue {
                id,
                given: shortened(event),
            });
        }
    }
    for job in &world.jobs {
        let stable = job.all_the_time(span.from, span.to);
        if let Some(job) = stable.filter(|job| !given.contains(&job.id)) {
            flaws.push(Flaw::Missing(job.id.clone()));
        }
    }
    flaws
}

fn is_true(vendor: &Vendor, run: &Run, event: &Json, span: Span) -> bool {
    let optional = |key: &str, truth: Option<Timestamp>| moment(event, key) == truth;
    let error = run.error.as_deref();
    text(event, "job_source_id") == vendor.world.job_id(run.job)
        && text(event, "status") == run.state.status()
        && event["attempt_number"].as_u64() == Some(u64::from(run.attempt))
        && event["parent_attempt_run_source_id"].as_str() == run.retry_of.as_deref()
        && event["error"]["message"].as_str() == error
        && optional("event_time", Some(run.at()))
        && optional("queued_at", Some(run.queued))
        && optional("start_time", run.started)
        && optional("end_time", run.ended)
        && are_steps_true(vendor, run, event, span)
}

/// Whether the task runs are those of the run. How many there are is known of runs and jobs that stood still.
fn are_steps_true(vendor: &Vendor, run: &Run, event: &Json, span: Span) -> bool {
    let given = event["task_runs"].as_array().map_or(&[][..], Vec::as_slice);
    let are_its_own = given.iter().enumerate().all(|(index, step)| {
        text(step, "run_source_id") == format!("{}.{}", run.id, index + 1)
            && text(step, "job_source_id") == vendor.world.job_id(run.job)
    });
    let number = vendor.world.number(&run.id);
    let is_stable = number.is_some_and(|number| {
        let run = &vendor.world.runs[number];
        run.all_the_time(span.from, span.to).is_some()
    });
    let job = vendor.world.jobs.get(run.job);
    let job = job.and_then(|job| job.all_the_time(span.from, span.to));
    let expected = match (vendor.scenario.steps, run.started, job) {
        (Steps::None, ..) | (_, None, _) => Some(0),
        (_, Some(_), Some(job)) => Some(usize::from(job.steps)),
        (_, Some(_), None) => None,
    };
    are_its_own && (!is_stable || expected.is_none_or(|expected| given.len() == expected))
}

fn is_true_job(job: &Job, event: &Json) -> bool {
    text(event, "name") == job.name
        && event["is_paused"].as_bool() == Some(job.paused)
        && event["owner"]["primary_email"].as_str() == job.owner.as_deref()
        && event["schedule"]["cron_expression"].as_str() == job.cron.as_deref()
        && event["tasks"].as_array().map_or(0, Vec::len) == usize::from(job.steps)
}

fn text<'e>(event: &'e Json, key: &str) -> &'e str {
    event[key].as_str().unwrap_or_default()
}

fn moment(event: &Json, key: &str) -> Option<Timestamp> {
    let time = EventTime::parse(event[key].as_str()?).ok()?;
    Some(time.timestamp())
}

fn shortened(event: &Json) -> String {
    event.to_string().chars().take(600).collect()
}
