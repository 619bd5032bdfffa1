//! The suite for pipelines over an orchestrator in memory: a right connector passes it, and each wrong one is caught by
//! the check that is about its fault.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use bowline_conformance::pipeline::{Answer, Doubt, Event, Options, Outcome, Report, run};
use bowline_conformance::{Tier, Verdict};
use bowline_contract::EtlSection;
use bowline_contract::etl::{EtlFeature, EtlSourceManifest};
use bowline_etl::{
    FetchMethods, Page, PagedPipeline, Pipeline, RunQuery, SourceError, SourceErrorKind,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};

const MINUTE: i64 = 60;
/// When the suite begins, in seconds since 1970.
const BEGIN: i64 = 1_767_225_600;

/// What is wrong with a connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
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
struct Vendor {
    clock: AtomicI64,
    /// Seconds that a call takes.
    pace: i64,
    /// Minutes between runs, and how long each goes on.
    every: i64,
    lasts: i64,
    runs: i64,
    jobs: usize,
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

fn refused(kind: SourceErrorKind, why: &str) -> SourceError {
    SourceError {
        kind,
        thing: "`fetch_run_details`".to_owned(),
        causes: vec![why.to_owned()],
        hint: None,
    }
}

/// A connector with the contract's methods. At offset 0 it takes note of what there is, and pages through that.
struct Methods {
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

fn manifest() -> EtlSourceManifest {
    EtlSourceManifest::parse(
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

fn vendor() -> Vendor {
    Vendor {
        clock: AtomicI64::new(BEGIN),
        pace: 1,
        every: 7,
        lasts: 5,
        runs: 180,
        jobs: 17,
    }
}

fn pipeline(vendor: &Arc<Vendor>, flaw: Flaw) -> PagedPipeline<Methods> {
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

fn options(vendor: &Arc<Vendor>) -> Options {
    let vendor = Arc::clone(vendor);
    Options {
        clock: Arc::new(move || Timestamp::from_second(vendor.now()).expect("a time within reach")),
        ..Options::default()
    }
}

fn tested(vendor: Vendor, flaw: Flaw) -> Report {
    let vendor = Arc::new(vendor);
    run(&pipeline(&vendor, flaw), &options(&vendor), &|_| ()).expect("the vendor is there")
}

fn wrong(report: &Report) -> Vec<&'static str> {
    with(report, Verdict::Wrong)
}

fn with(report: &Report, verdict: Verdict) -> Vec<&'static str> {
    let found = report.checks.iter();
    let found = found.filter(|one| one.outcome.verdict() == verdict);
    found.map(|one| one.check.id).collect()
}

fn told(report: &Report) -> String {
    let mut text = String::new();
    for one in &report.checks {
        if one.outcome != Outcome::Supported {
            text.push_str(&format!("{}: {:#?}\n", one.check.id, one.outcome));
        }
    }
    text
}

#[test]
fn a_right_connector_passes() {
    let report = tested(vendor(), Flaw::Nothing);
    assert_eq!(report.checks.len(), 24);
    for one in &report.checks {
        assert_eq!(
            one.outcome,
            Outcome::Supported,
            "{}\n{}",
            one.check.id,
            told(&report)
        );
    }
    assert_eq!(report.count(EtlSection::Metadata, Verdict::Supported), 6);
    assert!(!report.has_shortfall() && report.open() == 0 && !report.interrupted);
    let calls: u64 = report.readings.iter().map(|one| one.requests).sum();
    assert!(calls < 200, "{calls} calls for 180 runs");
}

#[test]
fn a_right_connector_passes_while_runs_end() {
    // Runs of an hour, one every seven minutes, and a minute for every call: many end while the suite reads.
    let busy = Vendor {
        pace: 60,
        lasts: 60,
        ..vendor()
    };
    let report = tested(busy, Flaw::Nothing);
    assert_eq!(wrong(&report), Vec::<&str>::new(), "{}", told(&report));
}

#[test]
fn every_wrong_connector_is_caught_by_the_check_about_its_fault() {
    for (flaw, check) in [
        (Flaw::IgnoresOffset, "etl_run_details/pages"),
        (Flaw::DropsLastPage, "etl_run_details/pages"),
        (Flaw::GivesFirstPageOnly, "etl_run_details/pages"),
        (Flaw::GivesOneTooMany, "etl_run_details/limit"),
        (Flaw::OverlapsPages, "etl_run_details/pages"),
        (Flaw::SortsByPageSize, "etl_run_details/pages"),
        (Flaw::IncludesEnd, "etl_run_details/bounds"),
        (Flaw::ExcludesStart, "etl_run_details/bounds"),
        (Flaw::CountsFromNow, "etl_run_details/window"),
        (Flaw::FiltersByStart, "etl_run_details/window"),
        (Flaw::SwallowsRefusals, "etl_run_details/pages"),
        (Flaw::MixesRetries, "etl_run_details/retries"),
        (Flaw::ChangesIds, "etl_run_details/again"),
        (Flaw::SharesIds, "etl_run_details/ids"),
        (Flaw::SharesIdsOfRetries, "etl_run_details/ids"),
        (Flaw::SwapsTaskRuns, "etl_run_details/again"),
        (Flaw::IgnoresIds, "etl_run_details/by_id"),
        (Flaw::RefusesUnknownIds, "etl_run_details/unknown_id"),
        (Flaw::LosesIds, "etl_run_details/by_id"),
        (Flaw::AcceptsNothing, "etl_run_details/no_query"),
        (Flaw::LeavesStatusUnmapped, "etl_run_details/statuses"),
        (Flaw::ForgetsEnd, "etl_run_details/valid"),
        (Flaw::TimesByStart, "etl_run_details/times"),
        (Flaw::SwapsTimes, "etl_run_details/times"),
        (Flaw::IgnoresOffsetOfJobs, "etl_metadata/pages"),
        (Flaw::DropsLastJobs, "etl_metadata/pages"),
        (Flaw::ChangesJobIds, "etl_metadata/again"),
        (Flaw::ForgetsJobNames, "etl_metadata/valid"),
        (Flaw::LeadsNowhere, "etl_metadata/tasks"),
    ] {
        let report = tested(vendor(), flaw);
        assert!(
            wrong(&report).contains(&check),
            "{flaw:?} is not caught by {check}\n{}",
            told(&report)
        );
    }
}

#[test]
fn a_page_that_is_the_last_and_the_only_one_is_missed() {
    let few = Vendor {
        runs: 20,
        ..vendor()
    };
    let report = tested(few, Flaw::DropsLastPage);
    assert_eq!(
        wrong(&report)[0],
        "etl_run_details/pages",
        "{}",
        told(&report)
    );
}

#[test]
fn runs_that_are_hidden_until_they_end_are_missed() {
    // Runs of twenty minutes and a quarter of a minute for every call: some end while the suite reads.
    let slow = || Vendor {
        pace: 15,
        lasts: 20,
        ..vendor()
    };
    let report = tested(slow(), Flaw::DropsRunning);
    assert_eq!(
        wrong(&report),
        ["etl_run_details/running"],
        "{}",
        told(&report)
    );
    let report = tested(slow(), Flaw::Nothing);
    assert_eq!(wrong(&report), Vec::<&str>::new(), "{}", told(&report));
}

#[test]
fn a_vendor_at_rest_proves_nothing_about_running_runs() {
    let rested = Vendor {
        lasts: 0,
        ..vendor()
    };
    let report = tested(rested, Flaw::Nothing);
    assert_eq!(wrong(&report), Vec::<&str>::new(), "{}", told(&report));
    assert_eq!(with(&report, Verdict::Unknown), ["etl_run_details/running"]);
    assert_eq!(report.open(), 0, "being at rest is no doubt");
}

#[test]
fn a_busy_vendor_without_runs_under_way_is_a_doubt() {
    // One run after the other, and the one under way ends long after the suite has.
    let busy = Vendor {
        every: 60,
        lasts: 58,
        ..vendor()
    };
    let report = tested(busy, Flaw::DropsRunning);
    assert_eq!(with(&report, Verdict::Unknown), ["etl_run_details/running"]);
    assert_eq!(report.open(), 1, "{}", told(&report));
}

#[test]
fn nothing_is_told_with_its_reason() {
    let report = tested(vendor(), Flaw::GivesNothing);
    assert_eq!(wrong(&report), Vec::<&str>::new());
    let runs = report.check("etl_run_details/runs").expect("it was asked");
    let Outcome::Unknown(Doubt::NothingToSee(why)) = &runs.outcome else {
        panic!("{:?}", runs.outcome);
    };
    assert!(
        why.starts_with("the vendor gave nothing for runs of ["),
        "{why}"
    );
    let features = report
        .features
        .iter()
        .filter(|one| one.answer == Answer::Yes);
    let seen: Vec<EtlFeature> = features.map(|one| one.feature).collect();
    assert_eq!(seen, [EtlFeature::ManifestRunStatusMapping]);
}

#[test]
fn features_are_seen_in_what_was_read() {
    let report = tested(vendor(), Flaw::Nothing);
    let answer = |feature| {
        let found = report.features.iter().find(|one| one.feature == feature);
        found.map(|one| (one.answer, one.why.as_str()))
    };
    assert_eq!(report.features.len(), 17);
    assert_eq!(
        answer(EtlFeature::MetadataTasks),
        Some((Answer::Yes, "17 of 17 jobs"))
    );
    assert_eq!(
        answer(EtlFeature::MetadataOwner),
        Some((Answer::No, "none of 17 jobs"))
    );
    assert_eq!(
        answer(EtlFeature::RunWebhookMode),
        Some((Answer::Yes, "3 runs asked for by id"))
    );
    assert_eq!(
        answer(EtlFeature::ManifestTaskStatusMapping),
        Some((Answer::No, "`run_status_mapping` serves for both"))
    );
}

#[test]
fn the_reference_tier_asks_the_contracts_questions_only() {
    let vendor = Arc::new(vendor());
    let options = Options {
        tier: Tier::Reference,
        sections: vec![EtlSection::RunDetails],
        ..options(&vendor)
    };
    let report =
        run(&pipeline(&vendor, Flaw::IncludesEnd), &options, &|_| ()).expect("the vendor is there");
    let ids: Vec<&str> = report.checks.iter().map(|one| one.check.id).collect();
    assert_eq!(
        ids,
        [
            "etl_run_details/runs",
            "etl_run_details/valid",
            "etl_run_details/statuses",
            "etl_run_details/by_id"
        ]
    );
    assert_eq!(wrong(&report), Vec::<&str>::new());
    let metadata = report
        .features
        .iter()
        .find(|one| one.feature == EtlFeature::MetadataGroup);
    assert_eq!(
        metadata.map(|one| one.why.as_str()),
        Some("`etl_metadata` was not asked")
    );
}

/// A vendor that fails from some reading on.
struct Failing {
    inner: PagedPipeline<Methods>,
    left: AtomicI64,
    kind: SourceErrorKind,
}

impl Failing {
    fn next(&self) -> Result<(), SourceError> {
        if self.left.fetch_sub(1, Ordering::SeqCst) > 0 {
            Ok(())
        } else {
            Err(refused(self.kind, "gone"))
        }
    }
}

impl Pipeline for Failing {
    fn manifest(&self) -> &EtlSourceManifest {
        self.inner.manifest()
    }

    fn check(&self) -> Result<Json, SourceError> {
        self.next().map(|()| Json::Null)
    }

    fn assets(
        &self,
        now: Timestamp,
        page_size: Option<std::num::NonZeroUsize>,
        on_event: &mut dyn FnMut(Json),
    ) -> Result<bowline_etl::Summary, SourceError> {
        self.next()?;
        self.inner.assets(now, page_size, on_event)
    }

    fn runs(
        &self,
        query: &RunQuery,
        page_size: Option<std::num::NonZeroUsize>,
        on_event: &mut dyn FnMut(Json),
    ) -> Result<bowline_etl::Summary, SourceError> {
        self.next()?;
        self.inner.runs(query, page_size, on_event)
    }

    fn cancel(&self) {}
}

fn failing(after: i64, kind: SourceErrorKind) -> Result<Report, SourceError> {
    let vendor = Arc::new(vendor());
    let pipeline = Failing {
        inner: pipeline(&vendor, Flaw::Nothing),
        left: AtomicI64::new(after),
        kind,
    };
    run(&pipeline, &options(&vendor), &|_| ())
}

#[test]
fn a_vendor_out_of_reach_is_no_finding() {
    for after in [0, 1] {
        let error = failing(after, SourceErrorKind::Unreachable).expect_err("nothing was read");
        assert_eq!(error.kind, SourceErrorKind::Unreachable);
    }
    let report = failing(0, SourceErrorKind::Refused).expect("a finding");
    assert_eq!(wrong(&report), ["etl_connection/connects"]);
    assert_eq!(
        with(&report, Verdict::Blocked).len(),
        report.checks.len() - 2
    );
}

#[test]
fn a_vendor_that_goes_away_leaves_the_rest_unknown() {
    for after in (2..20).step_by(3) {
        let report = failing(after, SourceErrorKind::Vendor).expect("something was read");
        assert_eq!(
            wrong(&report),
            Vec::<&str>::new(),
            "after {after}\n{}",
            told(&report)
        );
        assert!(report.open() > 0, "after {after}");
        assert!(!report.interrupted, "after {after}");
    }
}

#[test]
fn an_interruption_ends_the_run_soon() {
    for after in (0..24).step_by(3) {
        let report = failing(after, SourceErrorKind::Cancelled).expect("a report");
        assert!(report.interrupted, "after {after}");
        assert_eq!(wrong(&report), Vec::<&str>::new(), "after {after}");
    }
}

#[test]
fn events_tell_of_every_check_and_reading() {
    let vendor = Arc::new(vendor());
    let told = Mutex::new((0, 0, 0));
    let report = run(
        &pipeline(&vendor, Flaw::Nothing),
        &options(&vendor),
        &|event| {
            let mut told = told.lock().expect("no test has panicked");
            match event {
                Event::Started { checks } => told.0 = checks,
                Event::Reading { .. } => told.1 += 1,
                Event::Finished { .. } => told.2 += 1,
                _ => {}
            }
        },
    )
    .expect("the vendor is there");
    let (planned, readings, finished) = *told.lock().expect("no test has panicked");
    assert_eq!(planned, report.checks.len());
    assert_eq!(finished, report.checks.len());
    assert_eq!(readings, report.readings.len());
}

#[test]
fn a_short_lookback_is_honoured() {
    let vendor = Arc::new(vendor());
    let options = Options {
        lookback: SignedDuration::from_hours(2),
        ..options(&vendor)
    };
    let report = run(&pipeline(&vendor, Flaw::Nothing), &options, &|_| ()).expect("a report");
    let (start, end) = report.window;
    assert_eq!(end.duration_since(start), SignedDuration::from_hours(2));
    assert_eq!(wrong(&report), Vec::<&str>::new(), "{}", told(&report));
}
