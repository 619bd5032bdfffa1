//! An orchestrator in memory, and a connector to it that may have a planted mistake.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bowline_conformance::pipeline::{Options, Report, run};
use bowline_contract::pipeline::{AssetEvent, PipelineManifest, RunEvent};
use bowline_pipeline::{MethodsPipeline, RunQuery, SourceError};
use bowline_simulator::planted::{Mistake, Planted, Truth};
use jiff::Timestamp;
use serde_json::json;

const MINUTE: i64 = 60;
/// When the suite begins, in seconds since 1970.
const BEGIN: i64 = 1_767_225_600;

/// An orchestrator whose clock goes on with every call.
pub(crate) struct Vendor {
    pub(crate) clock: AtomicI64,
    /// Seconds that a call takes.
    pub(crate) pace: i64,
    /// Minutes between runs, and how long each goes on.
    pub(crate) every: i64,
    pub(crate) lasts: i64,
    pub(crate) runs: i64,
    pub(crate) jobs: usize,
}

impl Vendor {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.clock.load(Ordering::SeqCst)).expect("a time within reach")
    }

    /// Run `index` began this long ago when the suite began; the first is the newest.
    fn begin(&self, index: i64) -> i64 {
        BEGIN - index * self.every * MINUTE - 30
    }

    /// A run as it stands now.
    fn run(&self, index: i64) -> RunEvent {
        let (start, end) = (self.begin(index), self.begin(index) + self.lasts * MINUTE);
        let has_ended = end <= self.clock.load(Ordering::SeqCst);
        let failed = index % 5 == 3;
        // Where runs outlast the time between them, none is another attempt at the one before.
        let retry = index % 5 == 2 && self.lasts < self.every;
        let id = format!("run-{index:04}");
        let mut run = json!({
            "job_source_id": format!("job-{}", index / 5 % 3),
            "run_source_id": id,
            "queued_at": time(start - 2),
            "start_time": time(start),
            "event_time": time(if has_ended { end } else { start }),
            "status": match (has_ended, failed) {
                (false, _) => "RUNNING",
                (true, true) => "BAD",
                (true, false) => "GOOD",
            },
            "attempt_number": if retry { 2 } else { 1 },
            "task_runs": [{
                "job_source_id": format!("job-{}", index / 5 % 3),
                "run_source_id": format!("{id}/load"),
                "task_source_id": "load",
                "status": if has_ended { "GOOD" } else { "RUNNING" },
                "start_time": time(start),
                "event_time": time(if has_ended { end } else { start }),
            }],
        });
        if retry {
            run["parent_attempt_run_source_id"] = json!(format!("run-{:04}", index + 1));
        }
        if has_ended {
            run["end_time"] = json!(time(end));
            run["task_runs"][0]["end_time"] = json!(time(end));
        }
        if has_ended && failed {
            run["error"] = json!({"message": "no space left"});
        }
        RunEvent::new(run)
    }
}

fn asset(index: usize) -> AssetEvent {
    AssetEvent::new(json!({
        "job_source_id": format!("job-{index}"),
        "name": format!("Job {index}"),
        "schedule": {"kind": "manual"},
        "tasks": [
            {"task_source_id": "load", "name": "load"},
            {"task_source_id": "check", "name": "check", "upstream_task_source_ids": ["load"]},
        ],
    }))
}

fn time(second: i64) -> String {
    Timestamp::from_second(second)
        .expect("a time within reach")
        .to_string()
}

/// The vendor, whose whole lists are at hand.
pub(crate) struct Known(Arc<Vendor>);

impl Truth for Known {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn generation(&self) -> u64 {
        self.0.clock.load(Ordering::SeqCst).unsigned_abs()
    }

    fn pass(&self) {
        self.0.clock.fetch_add(self.0.pace, Ordering::SeqCst);
    }

    fn assets(&self) -> Result<Vec<AssetEvent>, SourceError> {
        Ok((0..self.0.jobs).map(asset).collect())
    }

    fn runs(&self, query: &RunQuery) -> Result<Vec<RunEvent>, SourceError> {
        let mut runs: Vec<RunEvent> = (0..self.0.runs).map(|index| self.0.run(index)).collect();
        runs.retain(|run| match query {
            RunQuery::Ids(ids) => ids.iter().any(|id| run.run_source_id() == Some(id)),
            RunQuery::Window(window) => run.event_time().is_some_and(|at| window.contains(at)),
        });
        Ok(runs)
    }
}

pub(crate) fn manifest() -> PipelineManifest {
    PipelineManifest::parse(
        &json!({
            "connection_type": "custom-etl-connector-0a1b2c3",
            "connection_name": "Orchestrator",
            "asset_class": "etl",
            "run_status_mapping": {"GOOD": "success", "BAD": "failed", "RUNNING": "in_progress"},
        })
        .to_string(),
    )
    .expect("a valid manifest")
}

pub(crate) fn vendor() -> Vendor {
    Vendor {
        clock: AtomicI64::new(BEGIN),
        pace: 1,
        every: 7,
        lasts: 5,
        runs: 180,
        jobs: 17,
    }
}

pub(crate) fn pipeline(
    vendor: &Arc<Vendor>,
    mistake: Option<Mistake>,
) -> MethodsPipeline<Planted<Known>> {
    MethodsPipeline::new(manifest(), planted(vendor, mistake))
}

pub(crate) fn planted(vendor: &Arc<Vendor>, mistake: Option<Mistake>) -> Planted<Known> {
    Planted::new(mistake, Known(Arc::clone(vendor)))
}

pub(crate) fn options(vendor: &Arc<Vendor>) -> Options {
    let vendor = Arc::clone(vendor);
    Options {
        clock: Arc::new(move || vendor.now()),
        ..Options::default()
    }
}

pub(crate) fn tested(vendor: Vendor, mistake: Option<Mistake>) -> Report {
    let vendor = Arc::new(vendor);
    run(&pipeline(&vendor, mistake), &options(&vendor), &|_| ()).expect("the vendor is there")
}
