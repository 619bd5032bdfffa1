//! Right connectors of vendors that are unlike most: no check may blame them.

use std::sync::Arc;

use bowline_conformance::Verdict;
use bowline_conformance::pipeline::{Options, Report, run};
use bowline_contract::pipeline::{AssetEvent, PipelineManifest, RunEvent};
use bowline_pipeline::{MethodsPipeline, RunQuery, SourceError};
use bowline_simulator::manifest;
use bowline_simulator::planted::{Planted, Truth};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};

use crate::mutants::{told, wrong};

/// A vendor that stands still.
struct Still {
    jobs: Vec<Json>,
    runs: Vec<Json>,
}

fn now() -> Timestamp {
    "2026-05-01T12:00:00Z".parse().unwrap()
}

/// So many minutes ago.
fn ago(minutes: i64) -> Timestamp {
    now() - SignedDuration::from_mins(minutes)
}

impl Truth for Still {
    fn now(&self) -> Timestamp {
        now()
    }

    fn generation(&self) -> u64 {
        0
    }

    fn pass(&self) {}

    fn assets(&self) -> Result<Vec<AssetEvent>, SourceError> {
        Ok(self.jobs.iter().cloned().map(AssetEvent::new).collect())
    }

    fn runs(&self, query: &RunQuery) -> Result<Vec<RunEvent>, SourceError> {
        let runs = self.runs.iter().cloned().map(RunEvent::new);
        let is_asked = |run: &RunEvent| match query {
            RunQuery::Window(window) => run.event_time().is_some_and(|at| window.contains(at)),
            RunQuery::Ids(ids) => ids
                .iter()
                .any(|id| run.run_source_id() == Some(id.as_str())),
        };
        Ok(runs.filter(is_asked).collect())
    }
}

fn job(number: usize) -> Json {
    json!({"job_source_id": format!("job-{number}"), "name": format!("Job {number}")})
}

/// The runs of four jobs, one every half an hour, with no more than a run must have.
fn runs(times: impl Fn(Timestamp) -> String) -> Vec<Json> {
    let runs = (0..60_i64).map(|number| {
        let end = ago(20 + 30 * number);
        let start = end - SignedDuration::from_secs(90 + number);
        json!({
            "job_source_id": format!("job-{}", number % 4), "run_source_id": format!("run-{number}"),
            "status": "SUCCEEDED", "event_time": times(end), "start_time": times(start), "end_time": times(end),
        })
    });
    runs.collect()
}

fn written(at: Timestamp) -> String {
    at.to_string()
}

/// The plain vendor, with its runs changed one by one.
fn with(change: impl Fn(usize, &mut Json)) -> Still {
    let mut runs = runs(written);
    for (number, run) in runs.iter_mut().enumerate() {
        change(number, run);
    }
    Still {
        jobs: (0..4).map(job).collect(),
        runs,
    }
}

fn prove(vendor: Still) -> Report {
    let manifest = PipelineManifest::parse(&manifest().to_string()).unwrap();
    let pipeline = MethodsPipeline::new(manifest, Planted::new(None, vendor));
    let options = Options {
        lookback: SignedDuration::from_hours(72),
        clock: Arc::new(now),
        ..Options::default()
    };
    run(&pipeline, &options, &|_| ()).unwrap()
}

/// A failure, the same for all.
fn failure() -> Json {
    json!({"message": "the command went wrong"})
}

#[test]
fn nobody_is_blamed_for_being_unlike_others() {
    let in_nanoseconds = |at: Timestamp| at.strftime("%Y-%m-%dT%H:%M:%S.123456789Z").to_string();
    let with_offset = |at: Timestamp| {
        let there = jiff::tz::Offset::constant(2);
        at.display_with_offset(there).to_string()
    };
    let of_jobs = |jobs: usize| Still {
        jobs: (0..jobs).map(job).collect(),
        runs: runs(written),
    };
    let vendors: Vec<(&str, Still)> = vec![
        ("says no more than it must", with(|_, _| ())),
        (
            "has runs of no length",
            with(|_, run| run["start_time"] = run["end_time"].clone()),
        ),
        (
            "has ids that are UUIDs",
            with(|number, run| {
                run["run_source_id"] = json!(format!("6f1c2d3e-0000-4000-8000-{number:012x}"));
            }),
        ),
        (
            "has ids that are numbers",
            with(|number, run| run["run_source_id"] = json!((7 + number).to_string())),
        ),
        (
            "has ids that are paths",
            with(|number, run| run["run_source_id"] = json!(format!("team a/{}/1", number % 60))),
        ),
        (
            "has runs that all went wrong in the same way",
            with(|_, run| {
                run["status"] = json!("FAILED");
                run["error"] = failure();
            }),
        ),
        (
            "shows the last attempt only",
            with(|number, run| run["attempt_number"] = json!(number % 3 + 1)),
        ),
        (
            "has runs that all wait for half an hour",
            with(|number, run| {
                let minutes = i64::try_from(number).unwrap() * 30 + 52;
                run["queued_at"] = json!(written(ago(minutes)));
            }),
        ),
        (
            "has runs that somebody begins, whatever the job",
            with(|_, run| run["trigger"] = json!("MANUAL")),
        ),
        (
            "has one step a run, which is the run itself",
            with(|_, run| {
                let mut step = run.clone();
                step["task_source_id"] = json!("main");
                run["task_runs"] = json!([step]);
            }),
        ),
        (
            "writes times with nine digits",
            Still {
                jobs: (0..4).map(job).collect(),
                runs: runs(in_nanoseconds),
            },
        ),
        (
            "writes times with an offset",
            Still {
                jobs: (0..4).map(job).collect(),
                runs: runs(with_offset),
            },
        ),
        ("has jobs that never ran", of_jobs(40)),
        ("has three thousand jobs", of_jobs(3000)),
        (
            "has one job",
            Still {
                jobs: vec![job(0)],
                runs: with(|_, run| run["job_source_id"] = json!("job-0")).runs,
            },
        ),
        (
            "has one run",
            Still {
                jobs: vec![job(0)],
                runs: runs(written).into_iter().take(1).collect(),
            },
        ),
        ("has a step before all others that no job has", {
            let step = |run: &Json, id: &str| {
                let mut step = run.clone();
                step["task_source_id"] = json!(id);
                step["run_source_id"] =
                    json!(format!("{}/{id}", run["run_source_id"].as_str().unwrap()));
                step
            };
            let mut vendor = with(|_, run| {
                run["task_runs"] = json!([step(run, "set up"), step(run, "load")]);
            });
            for job in &mut vendor.jobs {
                job["tasks"] = json!([{"task_source_id": "load", "name": "load"}]);
            }
            vendor
        }),
    ];
    for (what, vendor) in vendors {
        let report = prove(vendor);
        let blamed = wrong(&report);
        assert!(
            blamed.is_empty(),
            "a vendor that {what}:\n{}",
            told(&blamed)
        );
        let checks = report.checks.iter();
        let proven = checks.filter(|check| check.outcome.verdict() == Verdict::Supported);
        assert!(
            2 * proven.count() > report.checks.len(),
            "a vendor that {what}: too little is proven"
        );
    }
}
