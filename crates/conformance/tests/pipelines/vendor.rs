//! An orchestrator in memory, and a connector to it that may be wrong in one of many ways.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use bowline_conformance::pipeline::{Options, Report, run};
use bowline_contract::pipeline::PipelineManifest;
use bowline_pipeline::{FetchMethods, Page, PagedPipeline, RunQuery, SourceError, SourceErrorKind};
use jiff::Timestamp;
use serde_json::{Value as Json, json};

const MINUTE: i64 = 60;
/// When the suite begins, in seconds since 1970.
const BEGIN: i64 = 1_767_225_600;

/// What is wrong with a connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    Nothing,
    IgnoresOffset,
    DropsLastPage,
    GivesFirstPageOnly,
    GivesOneTooMany,
    OverlapsPages,
    SortsByPageSize,
    IncludesEnd,
    ExcludesStart,
    CountsFromNow,
    FiltersByStart,
    SwallowsRefusals,
    DropsRunning,
    MixesRetries,
    ChangesIds,
    SharesIds,
    SharesIdsOfRetries,
    SwapsTaskRuns,
    IgnoresIds,
    RefusesUnknownIds,
    LosesIds,
    AcceptsNothing,
    LeavesStatusUnmapped,
    ForgetsEnd,
    TimesByStart,
    SwapsTimes,
    IgnoresOffsetOfJobs,
    DropsLastJobs,
    ChangesJobIds,
    ForgetsJobNames,
    LeadsNowhere,
    GivesNothing,
}

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
    fn now(&self) -> i64 {
        self.clock.load(Ordering::SeqCst)
    }

    /// Run `index` began this long ago when the suite began; the first is the newest.
    fn begin(&self, index: i64) -> i64 {
        BEGIN - index * self.every * MINUTE - 30
    }

    /// A run as it stands now.
    fn run(&self, index: i64) -> Json {
        let (start, end) = (self.begin(index), self.begin(index) + self.lasts * MINUTE);
        let has_ended = end <= self.now();
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
        run
    }

    fn assets(&self) -> Vec<Json> {
        (0..self.jobs)
            .map(|index| {
                json!({
                    "job_source_id": format!("job-{index}"),
                    "name": format!("Job {index}"),
                    "schedule": {"kind": "manual"},
                    "tasks": [
                        {"task_source_id": "load", "name": "load"},
                        {"task_source_id": "check", "name": "check", "upstream_task_source_ids": ["load"]},
                    ],
                })
            })
            .collect()
    }
}

fn time(second: i64) -> String {
    Timestamp::from_second(second)
        .expect("a time within reach")
        .to_string()
}

fn second(run: &Json, field: &str) -> i64 {
    run[field]
        .as_str()
        .and_then(|text| text.parse::<Timestamp>().ok())
        .map_or(0, Timestamp::as_second)
}

pub(crate) fn refused(kind: SourceErrorKind, why: &str) -> SourceError {
    SourceError {
        kind,
        thing: "`fetch_run_details`".to_owned(),
        causes: vec![why.to_owned()],
        hint: None,
    }
}

/// A connector with the contract's methods. At offset 0 it takes note of what there is, and pages through that.
pub(crate) struct Methods {
    vendor: Arc<Vendor>,
    flaw: Flaw,
    noted: Mutex<Vec<Json>>,
    calls: AtomicI64,
}

impl Methods {
    fn runs(&self, query: &RunQuery, page: Page) -> Result<Vec<Json>, SourceError> {
        let vendor = &self.vendor;
        let mut runs: Vec<Json> = (0..vendor.runs).map(|index| vendor.run(index)).collect();
        match query {
            RunQuery::Ids(ids) => {
                let known =
                    |id: &String| runs.iter().any(|run| run["run_source_id"] == id.as_str());
                if self.flaw == Flaw::RefusesUnknownIds && !ids.iter().all(known) {
                    return Err(refused(SourceErrorKind::Connector, "KeyError"));
                }
                if self.flaw != Flaw::IgnoresIds {
                    runs.retain(|run| ids.iter().any(|id| run["run_source_id"] == id.as_str()));
                }
                if self.flaw == Flaw::LosesIds {
                    runs.truncate(1);
                }
            }
            RunQuery::Window { start, end } => {
                let (mut start, mut end) = (start.as_second(), end.as_second());
                if self.flaw == Flaw::CountsFromNow {
                    (start, end) = (vendor.now() - (end - start), vendor.now());
                }
                let field = match self.flaw {
                    Flaw::FiltersByStart => "start_time",
                    _ => "event_time",
                };
                runs.retain(|run| {
                    let at = second(run, field);
                    match self.flaw {
                        Flaw::IncludesEnd => start <= at && at <= end,
                        Flaw::ExcludesStart => start < at && at < end,
                        _ => start <= at && at < end,
                    }
                });
            }
        }
        if self.flaw == Flaw::DropsRunning {
            runs.retain(|run| run["status"] != "RUNNING");
        }
        runs.sort_by_key(|run| std::cmp::Reverse(second(run, "event_time")));
        if self.flaw == Flaw::SortsByPageSize && page.limit < 100 {
            // One page is sorted by one key, the next by another.
            if page.offset % 2 == 1 {
                runs.reverse();
            }
        }
        let mut last_event_time = Json::Null;
        for run in &mut runs {
            self.spoil(run, page, &mut last_event_time);
        }
        Ok(runs)
    }

    fn spoil(&self, run: &mut Json, page: Page, last: &mut Json) {
        match self.flaw {
            Flaw::MixesRetries if run["attempt_number"] == 2 => {
                run["parent_attempt_run_source_id"] = run["run_source_id"].clone();
            }
            Flaw::ChangesIds => {
                let calls = self.calls.load(Ordering::SeqCst) / 100;
                let pages = if page.limit == 100 { calls } else { 0 };
                let id = format!("{}-{pages}-{}", run["run_source_id"], page.limit);
                run["run_source_id"] = json!(id);
            }
            Flaw::SharesIds => {
                run["run_source_id"] = json!((second(run, "event_time") % 5).to_string())
            }
            Flaw::SharesIdsOfRetries if run["attempt_number"] == 2 => {
                run["run_source_id"] = run["parent_attempt_run_source_id"].clone();
            }
            Flaw::SwapsTaskRuns if page.limit < 100 => {
                std::mem::swap(last, &mut run["task_runs"]);
                if run["task_runs"].is_null() {
                    run["task_runs"] = json!([]);
                }
            }
            Flaw::LeavesStatusUnmapped if run["status"] == "BAD" => run["status"] = json!("AWFUL"),
            Flaw::ForgetsEnd => {
                run.as_object_mut().map(|run| run.remove("end_time"));
            }
            Flaw::TimesByStart => run["event_time"] = run["start_time"].clone(),
            Flaw::SwapsTimes => {
                let queued = run["queued_at"].clone();
                run["queued_at"] = run["start_time"].clone();
                run["start_time"] = queued;
            }
            _ => {}
        }
    }
}

impl FetchMethods for Methods {
    fn setup_connection(&self) -> Result<(), SourceError> {
        Ok(())
    }

    fn fetch_metadata(&self, page: Page) -> Result<Vec<Json>, SourceError> {
        let mut assets = self.vendor.assets();
        match self.flaw {
            Flaw::GivesNothing => assets.clear(),
            Flaw::DropsLastJobs => assets.truncate(assets.len() / page.limit * page.limit),
            Flaw::ChangesJobIds => {
                for asset in &mut assets {
                    asset["job_source_id"] =
                        json!(format!("{}-{}", asset["job_source_id"], page.limit));
                }
            }
            Flaw::ForgetsJobNames => assets[0]["name"] = json!(" "),
            Flaw::LeadsNowhere => {
                assets[1]["tasks"][1]["upstream_task_source_ids"] = json!(["extract"]);
            }
            _ => {}
        }
        let offset = match self.flaw {
            Flaw::IgnoresOffsetOfJobs => 0,
            _ => page.offset,
        };
        Ok(assets.into_iter().skip(offset).take(page.limit).collect())
    }

    fn fetch_run_details(
        &self,
        query: Option<&RunQuery>,
        page: Page,
    ) -> Result<Vec<Json>, SourceError> {
        self.vendor
            .clock
            .fetch_add(self.vendor.pace, Ordering::SeqCst);
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        let Some(query) = query else {
            return match self.flaw {
                Flaw::AcceptsNothing => Ok(Vec::new()),
                _ => Err(refused(SourceErrorKind::Connector, "ValueError")),
            };
        };
        if self.flaw == Flaw::GivesNothing {
            return Ok(Vec::new());
        }
        let mut noted = self.noted.lock().expect("no test has panicked");
        if page.offset == 0 || self.flaw == Flaw::SortsByPageSize {
            *noted = self.runs(query, page)?;
        }
        let (mut offset, mut limit) = (page.offset, page.limit);
        match self.flaw {
            Flaw::IgnoresOffset => offset = 0,
            Flaw::GivesFirstPageOnly if offset > 0 => limit = 0,
            Flaw::DropsLastPage if offset + limit > noted.len() => limit = 0,
            Flaw::GivesOneTooMany => limit += 1,
            Flaw::OverlapsPages => offset = offset.saturating_sub(offset / limit),
            // Every eleventh request is refused, and nobody looks.
            Flaw::SwallowsRefusals if call % 11 == 10 => limit = 0,
            _ => {}
        }
        Ok(noted.iter().skip(offset).take(limit).cloned().collect())
    }

    fn cancel(&self) {}
}

fn manifest() -> PipelineManifest {
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

pub(crate) fn pipeline(vendor: &Arc<Vendor>, flaw: Flaw) -> PagedPipeline<Methods> {
    PagedPipeline::new(
        manifest(),
        Methods {
            vendor: Arc::clone(vendor),
            flaw,
            noted: Mutex::default(),
            calls: AtomicI64::new(0),
        },
    )
}

pub(crate) fn options(vendor: &Arc<Vendor>) -> Options {
    let vendor = Arc::clone(vendor);
    Options {
        clock: Arc::new(move || Timestamp::from_second(vendor.now()).expect("a time within reach")),
        ..Options::default()
    }
}

pub(crate) fn tested(vendor: Vendor, flaw: Flaw) -> Report {
    let vendor = Arc::new(vendor);
    run(&pipeline(&vendor, flaw), &options(&vendor), &|_| ()).expect("the vendor is there")
}
