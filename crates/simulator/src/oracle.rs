//! What a correct reading gives, given what happened meanwhile.
//!
//! A run that stood still from the reading's beginning to its end must be given exactly if it is asked for. One that
//! changed meanwhile may be given as it was at any moment of the reading, or not at all. None may be given twice.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use bowline_contract::pipeline::{AssetEvent, GivenOwner, GivenRunError, RunEvent, RunStatus};
use bowline_pipeline::RunQuery;
use jiff::Timestamp;

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
pub fn run_flaws(vendor: &Vendor, span: Span, query: &RunQuery, events: &[RunEvent]) -> Vec<Flaw> {
    let world = &vendor.world;
    let mut flaws = Vec::new();
    let mut given = BTreeSet::new();
    for event in events {
        let id = event.run_source_id().unwrap_or_default().to_owned();
        if !given.insert(id.clone()) {
            flaws.push(Flaw::Doubled(id));
            continue;
        }
        let Some(number) = world.number(&id) else {
            flaws.push(Flaw::Invented(id));
            continue;
        };
        let is_asked = match query {
            RunQuery::Window(window) => event.event_time().is_some_and(|at| window.contains(at)),
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
            RunQuery::Window(window) => window.contains(run.at()),
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
pub fn asset_flaws(world: &World, span: Span, events: &[AssetEvent]) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let mut given = BTreeSet::new();
    let known: BTreeMap<&str, usize> = (0..world.jobs.len())
        .map(|number| (world.job_id(number), number))
        .collect();
    for event in events {
        let id = event.job_source_id().unwrap_or_default().to_owned();
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

fn is_true(vendor: &Vendor, run: &Run, event: &RunEvent, span: Span) -> bool {
    event.job_source_id() == Some(vendor.world.job_id(run.job))
        && event.status().map(RunStatus::name) == Some(run.state.status())
        && event.attempt_number() == Some(i64::from(run.attempt))
        && event.parent_attempt_run_source_id() == run.retry_of.as_deref()
        && event.error().and_then(GivenRunError::message) == run.error.as_deref()
        && event.event_time() == Some(run.at())
        && event.queued_at() == Some(run.queued)
        && event.start_time() == run.started
        && event.end_time() == run.ended
        && are_steps_true(vendor, run, event, span)
}

/// Whether the task runs are those of the run. How many there are is known of runs and jobs that stood still.
fn are_steps_true(vendor: &Vendor, run: &Run, event: &RunEvent, span: Span) -> bool {
    let are_its_own = event.task_runs().enumerate().all(|(index, step)| {
        step.run_source_id() == Some(&format!("{}.{}", run.id, index + 1))
            && step.job_source_id() == Some(vendor.world.job_id(run.job))
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
    are_its_own
        && (!is_stable || expected.is_none_or(|expected| event.task_runs().count() == expected))
}

fn is_true_job(job: &Job, event: &AssetEvent) -> bool {
    let json = event.json();
    event.name() == Some(&job.name)
        && json["is_paused"].as_bool() == Some(job.paused)
        && event.owner().and_then(GivenOwner::primary_email) == job.owner.as_deref()
        && json["schedule"]["cron_expression"].as_str() == job.cron.as_deref()
        && event.tasks().count() == usize::from(job.steps)
}

fn shortened(event: &impl fmt::Display) -> String {
    event.to_string().chars().take(600).collect()
}
