//! The suite for pipelines over an orchestrator in memory: a right connector passes it, and each wrong one is caught by
//! the check that is about its fault.

mod anew;
mod failing;
mod vendor;

use std::sync::{Arc, Mutex};

use bowline_conformance::pipeline::{
    Activity, AskedOf, CHECKS, Doubt, Event, Options, Outcome, Report, run,
};
use bowline_conformance::{Tier, Verdict};
use bowline_contract::PipelineSection;
use bowline_contract::pipeline::PipelineFeature;
use bowline_report::Report as Written;
use bowline_report::pipeline::FeatureAnswer;
use bowline_simulator::planted::Mistake;
use jiff::SignedDuration;

use crate::vendor::{Vendor, options, pipeline, tested, vendor};

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
    let report = tested(vendor(), None);
    assert_eq!(report.checks.len(), 25);
    for one in &report.checks {
        assert_eq!(
            one.outcome,
            Outcome::Supported,
            "{}\n{}",
            one.check.id,
            told(&report)
        );
    }
    assert_eq!(
        report.count(PipelineSection::Metadata, Verdict::Supported),
        6
    );
    assert!(!report.has_shortfall() && report.open() == 0 && !report.interrupted);
    let written = Written::Pipeline(report.written("nights"));
    let text = written.to_json().expect("a report is JSON");
    assert_eq!(Written::from_json(&text, "report.json"), Ok(written));
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
    let report = tested(busy, None);
    assert_eq!(wrong(&report), Vec::<&str>::new(), "{}", told(&report));
}

#[test]
fn every_wrong_connector_is_caught_by_the_check_about_its_fault() {
    for (mistake, check) in [
        (Mistake::IgnoresOffset, "etl_run_details/pages"),
        (Mistake::DropsLastPage, "etl_run_details/pages"),
        (Mistake::GivesFirstPageOnly, "etl_run_details/pages"),
        (Mistake::OneTooMany, "etl_run_details/limit"),
        (Mistake::RepeatsOnShift, "etl_run_details/pages"),
        (Mistake::OrderChanges, "etl_run_details/pages"),
        (Mistake::ClosedEnd, "etl_run_details/bounds"),
        (Mistake::OpenStart, "etl_run_details/bounds"),
        (Mistake::WindowFromNow, "etl_run_details/window"),
        (Mistake::FiltersByStart, "etl_run_details/window"),
        (Mistake::SwallowsRefusals, "etl_run_details/pages"),
        (Mistake::RetriesOfItself, "etl_run_details/retries"),
        (Mistake::IdsNotStable, "etl_run_details/again"),
        (Mistake::IdsShared, "etl_run_details/ids"),
        (Mistake::SharesIdOfRetries, "etl_run_details/ids"),
        (Mistake::StepsOfAnother, "etl_run_details/again"),
        (Mistake::IdsIgnored, "etl_run_details/by_id"),
        (Mistake::UnknownIdFails, "etl_run_details/unknown_id"),
        (Mistake::IdsWithinWindow, "etl_run_details/by_id"),
        (Mistake::NothingAskedGivesAll, "etl_run_details/no_query"),
        (Mistake::StatusUnmapped, "etl_run_details/statuses"),
        (Mistake::NoEnd, "etl_run_details/valid"),
        (Mistake::TimeOfStart, "etl_run_details/times"),
        (Mistake::TimesSwapped, "etl_run_details/times"),
        (Mistake::JobsIgnoreOffset, "etl_metadata/pages"),
        (Mistake::JobsDropLast, "etl_metadata/pages"),
        (Mistake::JobIdsNotStable, "etl_metadata/again"),
        (Mistake::NamesMissing, "etl_metadata/valid"),
        (Mistake::TasksLeadNowhere, "etl_metadata/tasks"),
    ] {
        let report = tested(vendor(), Some(mistake));
        assert!(
            wrong(&report).contains(&check),
            "{mistake:?} is not caught by {check}\n{}",
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
    let report = tested(few, Some(Mistake::DropsShortPages));
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
    let report = tested(slow(), Some(Mistake::DropsRunning));
    assert_eq!(
        wrong(&report),
        ["etl_run_details/running"],
        "{}",
        told(&report)
    );
    let report = tested(slow(), None);
    assert_eq!(wrong(&report), Vec::<&str>::new(), "{}", told(&report));
}

#[test]
fn a_vendor_at_rest_proves_nothing_about_running_runs() {
    let rested = Vendor {
        lasts: 0,
        ..vendor()
    };
    let report = tested(rested, None);
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
    let report = tested(busy, Some(Mistake::DropsRunning));
    assert_eq!(with(&report, Verdict::Unknown), ["etl_run_details/running"]);
    assert_eq!(report.open(), 1, "{}", told(&report));
}

#[test]
fn nothing_is_told_with_its_reason() {
    let empty = Vendor {
        runs: 0,
        jobs: 0,
        ..vendor()
    };
    let report = tested(empty, None);
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
        .filter(|one| one.answer == FeatureAnswer::Yes);
    let seen: Vec<PipelineFeature> = features.map(|one| one.feature).collect();
    assert_eq!(seen, [PipelineFeature::ManifestRunStatusMapping]);
}

#[test]
fn features_are_seen_in_what_was_read() {
    let report = tested(vendor(), None);
    let answer = |feature| {
        let found = report.features.iter().find(|one| one.feature == feature);
        found.map(|one| (one.answer, one.why.as_str()))
    };
    assert_eq!(report.features.len(), 17);
    assert_eq!(
        answer(PipelineFeature::MetadataTasks),
        Some((FeatureAnswer::Yes, "17 of 17 jobs"))
    );
    assert_eq!(
        answer(PipelineFeature::MetadataOwner),
        Some((FeatureAnswer::No, "none of 17 jobs"))
    );
    assert_eq!(
        answer(PipelineFeature::RunWebhookMode),
        Some((FeatureAnswer::Yes, "3 runs asked for by id"))
    );
    assert_eq!(
        answer(PipelineFeature::ManifestTaskStatusMapping),
        Some((FeatureAnswer::No, "`run_status_mapping` serves for both"))
    );
}

#[test]
fn the_reference_tier_asks_the_contracts_questions_only() {
    let vendor = Arc::new(vendor());
    let options = Options {
        tier: Tier::Reference,
        sections: vec![PipelineSection::RunDetails],
        ..options(&vendor)
    };
    let report = run(
        &pipeline(&vendor, Some(Mistake::ClosedEnd)),
        &options,
        &|_| (),
    )
    .expect("the vendor is there");
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
        .find(|one| one.feature == PipelineFeature::MetadataGroup);
    assert_eq!(
        metadata.map(|one| one.why.as_str()),
        Some("`etl_metadata` was not asked")
    );
}

#[test]
fn events_tell_of_every_check_and_reading() {
    let vendor = Arc::new(vendor());
    let told = Mutex::new((0, 0, 0));
    let report = run(&pipeline(&vendor, None), &options(&vendor), &|event| {
        let mut told = told.lock().expect("no test has panicked");
        match event {
            Event::Started { checks } => told.0 = checks,
            Event::Doing(Activity::Reading { .. }) => told.1 += 1,
            Event::Finished { .. } => told.2 += 1,
            _ => {}
        }
    })
    .expect("the vendor is there");
    let (planned, readings, finished) = *told.lock().expect("no test has panicked");
    // Whether there are answers to compare with is not known before the vendor is read.
    let of_answers = CHECKS
        .iter()
        .filter(|check| check.asked_of == AskedOf::Telling);
    assert_eq!(planned, report.checks.len() + of_answers.count());
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
    let report = run(&pipeline(&vendor, None), &options, &|_| ()).expect("a report");
    let (start, end) = report.window;
    assert_eq!(end.duration_since(start), SignedDuration::from_hours(2));
    assert_eq!(wrong(&report), Vec::<&str>::new(), "{}", told(&report));
}
