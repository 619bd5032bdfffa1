//! The suite for pipeline connectors over the simulated vendor: right connectors pass it in every style, and every wrong
//! one is caught. What catches which stands in the documents.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bowline_conformance::Verdict;
use bowline_conformance::pipeline::{CheckReport, Options, Outcome, Report, run};
use bowline_contract::pipeline::{AssetEvent, PipelineManifest, RunEvent};
use bowline_pipeline::{
    DescribedPipeline, MethodsPipeline, Outgoing, Pipeline, RunQuery, SourceError, Transport as _,
    unmap_run,
};
use bowline_simulator::planted::{Mistake, Planted, Truth};
use bowline_simulator::{
    ADDRESS, Form, InProcess, PagingStyle, SECRET, Scenario, Steps, Vendor, description, manifest,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value as Json, json};

use crate::reading::{shared, source};

/// A vendor with enough of everything for the suite to see.
fn scenario(seed: u64) -> Scenario {
    Scenario {
        runs: 90,
        jobs: 9,
        hours: 60,
        steps: Steps::Batch,
        page: 40,
        latency: 50_000,
        ..Scenario::calm(seed, "2026-10-25T12:00:00.25Z".parse().unwrap())
    }
}

/// The simulated vendor, read by the connector that fits it.
struct Known {
    source: DescribedPipeline,
    transport: InProcess,
}

impl Truth for Known {
    fn now(&self) -> Timestamp {
        self.transport.now()
    }

    fn generation(&self) -> u64 {
        self.transport.vendor().world.generation
    }

    fn pass(&self) {
        let _ = self.transport.exchange(&Outgoing {
            method: "GET".to_owned(),
            address: format!("{ADDRESS}/api/version"),
            headers: vec![("authorization".to_owned(), format!("Bearer {SECRET}"))],
            body: None,
        });
    }

    fn assets(&self) -> Result<Vec<AssetEvent>, SourceError> {
        let mut assets = Vec::new();
        self.source
            .assets(self.now(), None, &mut |asset| assets.push(asset))?;
        for asset in &mut assets {
            let job = asset.job_source_id().unwrap_or_default().to_owned();
            asset.fields_mut().into_iter().for_each(|fields| {
                fields.extend(surroundings(&job));
                one_after_another(fields);
            });
        }
        Ok(assets)
    }

    fn runs(&self, query: &RunQuery) -> Result<Vec<RunEvent>, SourceError> {
        let mut runs = Vec::new();
        self.source.runs(query, None, &mut |mut run| {
            unmap_run(self.source.manifest(), &mut run);
            let job = run.job_source_id().unwrap_or_default().to_owned();
            run.fields_mut().into_iter().for_each(|fields| {
                fields.extend(surroundings(&job));
                begin_by_hand(&job, fields);
                share_out(fields);
            });
            runs.push(run);
        })?;
        Ok(runs)
    }

    fn cancel(&self) {
        self.source.cancel();
    }
}

/// What a job and its runs stand among: the group, and what is read and written. The simulated vendor has none.
fn surroundings(job: &str) -> Map<String, Json> {
    let number = job.bytes().last().unwrap_or_default() % 3;
    let dataset = |role: &str, name: &str| json!([{"asset_type": "TABLE", "role": role, "fully_qualified_name": format!("shop.{name}.{job}")}]);
    Map::from_iter([
        (
            "group".to_owned(),
            json!({"source_id": format!("folder-{number}")}),
        ),
        ("inputs".to_owned(), dataset("INPUT", "raw")),
        ("outputs".to_owned(), dataset("OUTPUT", "clean")),
        (
            "properties".to_owned(),
            json!([{"key": "team", "value": format!("team of {job}")}, {"key": "tier", "value": format!("tier {number}")}]),
        ),
    ])
}

/// Says of runs of jobs without a schedule that somebody began them. The simulated vendor runs those by schedules, too.
fn begin_by_hand(job: &str, run: &mut Map<String, Json>) {
    let number: Option<u32> = job
        .rsplit('-')
        .next()
        .and_then(|number| number.parse().ok());
    if number.is_some_and(|number| number % 3 == 2) {
        run.insert("trigger".to_owned(), "MANUAL".into());
    }
}

/// Lets each task of a job follow the one before it. The simulated vendor says nothing of their order.
fn one_after_another(job: &mut Map<String, Json>) {
    let tasks = job.get_mut("tasks").and_then(Json::as_array_mut);
    let mut before: Option<Json> = None;
    for task in tasks.into_iter().flatten() {
        if let Some(before) = before.replace(task["task_source_id"].clone()) {
            task["upstream_task_source_ids"] = json!([before]);
        }
    }
}

/// Shares the time of a run that has ended out among its steps, of which the last one fares as the run does. The
/// simulated vendor has them all begin and end with the run.
fn share_out(run: &mut Map<String, Json>) {
    let time = |field: &str| -> Option<Timestamp> { run.get(field)?.as_str()?.parse().ok() };
    let (Some(start), Some(end)) = (time("start_time"), time("end_time")) else {
        return;
    };
    let steps = run.get_mut("task_runs").and_then(Json::as_array_mut);
    let steps = steps.map_or(&mut [][..], Vec::as_mut_slice);
    let count = i32::try_from(steps.len()).unwrap();
    for (place, step) in (0..).zip(steps) {
        let step = step.as_object_mut().unwrap();
        let at = |place: i32| (start + end.duration_since(start) * place / count).to_string();
        step.insert("start_time".to_owned(), at(place).into());
        step.insert("end_time".to_owned(), at(place + 1).into());
        step.insert("event_time".to_owned(), at(place + 1).into());
        if place + 1 < count {
            step.insert("status".to_owned(), "SUCCEEDED".into());
            step.shift_remove("error");
        }
    }
}

/// The manifest of a connector with a mistake.
fn manifest_for(mistake: Option<Mistake>) -> PipelineManifest {
    let mut manifest = manifest();
    let words = &mut manifest["run_status_mapping"];
    match mistake {
        Some(Mistake::FailureIsSuccess) => words["FAILED"] = json!("success"),
        Some(Mistake::FailureIsWarning) => words["FAILED"] = json!("warn"),
        Some(Mistake::CancelledIsFailure) => words["CANCELLED"] = json!("failed"),
        Some(Mistake::CancelledIsSuccess) => words["CANCELLED"] = json!("success"),
        Some(Mistake::TimedOutIsCancelled) => words["TIMED_OUT"] = json!("cancelled"),
        Some(Mistake::FailureIsTimedOut) => words["FAILED"] = json!("timed_out"),
        Some(Mistake::TimedOutIsSuccess) => words["TIMED_OUT"] = json!("success"),
        Some(Mistake::RunningIsUnknown) => words["RUNNING"] = json!("unknown"),
        Some(Mistake::RunningIsQueued) => words["RUNNING"] = json!("queued"),
        Some(Mistake::WordForgotten) => {
            words.as_object_mut().unwrap().shift_remove("TIMED_OUT");
        }
        _ => {}
    }
    PipelineManifest::parse(&manifest.to_string()).unwrap()
}

fn prove(pipeline: &dyn Pipeline, transport: &InProcess) -> Report {
    let clock = transport.clone();
    let options = Options {
        lookback: SignedDuration::from_hours(72),
        clock: Arc::new(move || clock.now()),
        ..Options::default()
    };
    run(pipeline, &options, &|_| ()).unwrap()
}

/// What goes on at the vendor's while a connector with a mistake is proven. That running runs are left out shows only
/// when one of them ends.
fn changes_for(mistake: Option<Mistake>) -> u8 {
    match mistake {
        Some(Mistake::DropsRunning) => 10,
        _ => 0,
    }
}

fn planted(mistake: Option<Mistake>, changes: u8) -> Report {
    let scenario = Scenario {
        changes,
        ..scenario(12)
    };
    let text = description(&scenario);
    let transport = InProcess::new(Vendor::new(scenario));
    let source = source(&text, ADDRESS, Some(shared(&transport)));
    let vendor = Known {
        source,
        transport: transport.clone(),
    };
    let methods = Planted::new(mistake, vendor);
    let pipeline = MethodsPipeline::new(manifest_for(mistake), methods);
    prove(&pipeline, &transport)
}

pub(crate) fn wrong(report: &Report) -> Vec<&CheckReport> {
    let checks = report.checks.iter();
    checks
        .filter(|check| check.outcome.verdict() == Verdict::Wrong)
        .collect()
}

pub(crate) fn told(checks: &[&CheckReport]) -> String {
    let lines = checks.iter().map(|check| match &check.outcome {
        Outcome::Wrong(fault) => format!("{}: {} {:?}", check.check.id, fault.got, fault.evidence),
        other => format!("{}: {other:?}", check.check.id),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_right_connector_passes() {
    let lively = planted(None, 10);
    let mistaken = wrong(&lively);
    assert!(mistaken.is_empty(), "{}", told(&mistaken));
    let report = planted(None, 0);
    let short: Vec<&CheckReport> = report
        .checks
        .iter()
        .filter(|check| check.outcome.verdict() != Verdict::Supported)
        .collect();
    assert!(short.is_empty(), "{}", told(&short));
}

#[test]
fn right_connectors_pass_in_every_style_however_the_vendor_behaves() {
    for &paging in PagingStyle::ALL {
        for &form in Form::ALL {
            if (paging, form) == (PagingStyle::Link, Form::GraphQl) {
                continue;
            }
            for (faults, changes) in [(0, 0), (15, 5)] {
                let scenario = Scenario {
                    paging,
                    form,
                    faults,
                    changes,
                    runs: 40,
                    ..scenario(5)
                };
                let text = description(&scenario);
                let transport = InProcess::new(Vendor::new(scenario.clone()));
                let source = source(&text, ADDRESS, Some(shared(&transport)));
                let report = prove(&source, &transport);
                let wrong = wrong(&report);
                assert!(wrong.is_empty(), "{scenario}\n{}", told(&wrong));
                let proven = report
                    .checks
                    .iter()
                    .filter(|check| check.outcome.verdict() == Verdict::Supported)
                    .count();
                assert!(
                    proven > report.checks.len() / 2,
                    "{scenario}: {proven} proven"
                );
            }
        }
    }
}

/// Descriptions that lose the same runs at every page size, in every window, whenever they are read.
#[test]
fn pages_where_a_description_does_not_look_are_seen() {
    for (paging, right, mistake) in [
        (
            PagingStyle::Number,
            "style = \"number\"",
            "style = \"number\", first = 2",
        ),
        (
            PagingStyle::Cursor,
            "next = \"response.next\"",
            "next = \"response.nextt | default(none)\"",
        ),
        (
            PagingStyle::Link,
            "next = \"response.links.next\"",
            "next = \"response.links.nxt | default(none)\"",
        ),
    ] {
        let scenario = Scenario {
            paging,
            form: Form::Query,
            ..scenario(12)
        };
        // The vendor is asked for pages of one size, whatever the suite wants.
        let text = description(&scenario).replace("{{ page.size }}", "40");
        let runs = text.find("[sources.runs]").unwrap();
        let (jobs, runs) = text.split_at(runs);
        assert!(runs.contains(right), "{runs}");
        for (text, is_wrong) in [
            (text.clone(), false),
            (format!("{jobs}{}", runs.replacen(right, mistake, 1)), true),
        ] {
            let transport = InProcess::new(Vendor::new(scenario.clone()));
            let source = source(&text, ADDRESS, Some(shared(&transport)));
            let report = prove(&source, &transport);
            let found: Vec<&str> = wrong(&report)
                .into_iter()
                .map(|check| check.check.id)
                .collect();
            // Attempts that follow a run on such a page may be told of, too.
            let is_told = found.contains(&"etl_run_details/pages");
            assert_eq!(
                (is_told, found.is_empty()),
                (is_wrong, !is_wrong),
                "{}: {found:?}",
                paging.word()
            );
        }
    }
}

fn one_more(next: &AtomicUsize) -> Option<(usize, Mistake)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    Some((index, *Mistake::ALL.get(index)?))
}

/// The checks that advise.
fn advised(report: &Report) -> Vec<&'static str> {
    let advising = report.checks.iter().filter(|one| !one.advice.is_empty());
    advising.map(|one| one.check.id).collect()
}

/// The features that are not claimed.
pub(crate) fn unclaimed(report: &Report) -> Vec<&'static str> {
    let features = report.features.iter();
    let unclaimed = features.filter(|one| one.answer.name() != "yes");
    unclaimed.map(|one| one.feature.name()).collect()
}

/// The table of the documents.
fn table() -> String {
    let right = planted(None, 0);
    let (at_the_right_one, never_claimed) = (&advised(&right), &unclaimed(&right));
    let next = AtomicUsize::new(0);
    let caught = Mutex::new(BTreeMap::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((index, mistake)) = one_more(&next) {
                    let report = planted(Some(mistake), changes_for(Some(mistake)));
                    let ids = wrong(&report).into_iter().map(|check| check.check.id);
                    let mut told: Vec<String> = ids.map(|id| format!("`{id}`")).collect();
                    if told.is_empty() {
                        let advised = advised(&report).into_iter();
                        let more = advised.filter(|id| !at_the_right_one.contains(id));
                        told.extend(more.map(|id| format!("`{id}` (advice)")));
                        let lost = unclaimed(&report).into_iter();
                        let lost = lost.filter(|name| !never_claimed.contains(name));
                        told.extend(lost.map(|name| format!("`{name}` (not claimed)")));
                    }
                    caught.lock().unwrap().insert(index, told);
                }
            });
        }
    });
    let mut rows = String::from("| a connector that ... | is caught by |\n|---|---|\n");
    let mut missed = Vec::new();
    for (index, ids) in caught.into_inner().unwrap() {
        let words = Mistake::ALL[index].words();
        if ids.is_empty() {
            missed.push(words);
        }
        rows.push_str(&format!("| {words} | {} |\n", ids.join(", ")));
    }
    assert!(missed.is_empty(), "not caught: {missed:#?}\n{rows}");
    rows
}

#[test]
fn every_wrong_connector_is_caught_as_the_documents_say() {
    const PAGE: &str = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/pipeline-mutants.md"
    );
    let table = table();
    let page = std::fs::read_to_string(Path::new(PAGE)).unwrap();
    let start = page.find("| a connector that ...").unwrap();
    let end = page[start..]
        .find("\n\n")
        .map_or(page.len(), |end| start + end + 1);
    if page[start..end] == table {
        return;
    }
    if std::env::var_os("BOWLINE_UPDATE_CASES").is_some() {
        let page = format!("{}{table}{}", &page[..start], &page[end..]);
        std::fs::write(PAGE, page).unwrap();
        return;
    }
    panic!(
        "docs/pipeline-mutants.md says otherwise; `BOWLINE_UPDATE_CASES=1` rewrites it\n{table}"
    );
}
