//! Events that show up late, and clocks that are apart.

use bowline_contract::exit_code;
use jiff::{SignedDuration, Timestamp};
use libtest_mimic::Failed;

use super::stage::{self, Stage};
use crate::sandbox::Ran;

const TO_FILE: [&str; 4] = ["--output", "events.jsonl", "--only", "runs"];

/// A vendor with ten runs, each so long before the next, the last that long ago.
fn recent(apart: SignedDuration) -> Stage {
    let now = Timestamp::now();
    Stage::with_vendor(10, |run| {
        let id = run["id"].as_str().unwrap_or_default();
        let number: i32 = id.trim_start_matches("run-").parse().unwrap_or_default();
        let at = (now - apart * (10 - number)).strftime("%Y-%m-%dT%H:%M:%SZ");
        run["at"] = at.to_string().into();
        run["ended"] = run["at"].clone();
    })
}

fn collect(stage: &Stage, args: &[&str]) -> Ran {
    let ran = stage.collect(&[&TO_FILE[..], args].concat());
    ran.exits(exit_code::OK)
}

/// The runs in the output, in order.
fn runs(stage: &Stage) -> Vec<String> {
    let events = stage::parsed(&stage.sandbox.read("events.jsonl"));
    let ids = events
        .iter()
        .filter_map(|event| Some(event["event"]["run_source_id"].as_str()?.to_owned()));
    ids.collect()
}

fn all() -> Vec<String> {
    (0..10).map(|number| format!("run-{number}")).collect()
}

/// A run that the vendor shows only after its time is collected with the next window, and no other one twice.
pub(super) fn late_events() -> Result<(), Failed> {
    let stage = recent(SignedDuration::from_secs(20));
    stage.vendor.show_late(2);
    collect(&stage, &["--since", "1h"]);
    assert_eq!(runs(&stage), all()[..8]);
    stage.vendor.show_late(0);
    let ran = collect(&stage, &[]);
    assert_eq!(runs(&stage), all(), "{}", ran.said());
    assert!(ran.stderr.contains("8 delivered before"), "{}", ran.said());
    Ok(())
}

/// A vendor whose clock is two hours behind ours, or ours ahead of everybody's: what it shows later is not lost.
pub(super) fn a_vendor_behind() -> Result<(), Failed> {
    let stage = recent(SignedDuration::from_mins(10));
    let now = Timestamp::now();
    stage.vendor.set_clock(now - SignedDuration::from_hours(2));
    stage.vendor.show_late(10);
    let ran = collect(&stage, &["--since", "48h"]);
    assert!(
        ran.stderr.contains("the vendor's clock is 2h behind ours")
            || ran.stderr.contains("the vendor's clock is 1h 59m"),
        "{}",
        ran.said()
    );
    stage.vendor.show_late(0);
    stage.vendor.set_clock(now);
    let ran = collect(&stage, &[]);
    assert_eq!(runs(&stage), all(), "{}", ran.said());
    assert!(!ran.stderr.contains("clock"), "{}", ran.said());
    Ok(())
}

pub(super) fn twice_in_a_second() -> Result<(), Failed> {
    let stage = recent(SignedDuration::from_secs(20));
    collect(&stage, &["--since", "1h", "--settle", "0s"]);
    for _ in 0..3 {
        collect(&stage, &["--settle", "0s"]);
    }
    assert_eq!(runs(&stage), all());
    Ok(())
}

/// The command that broke off, given again: it finishes its window, and does not read it once more.
pub(super) fn the_same_command_again() -> Result<(), Failed> {
    let stage = Stage::with_runs(250);
    let command = ["--output", "events.jsonl", "--since", "8760h"];
    stage.vendor.break_off_at(200);
    stage.collect(&command).exits(exit_code::FELL_SHORT);
    stage.vendor.mend();
    let before = stage.vendor.asked();
    stage.collect(&command).exits(exit_code::OK);
    let requests = stage.vendor.asked() - before;
    let ids = runs(&stage);
    assert_eq!(ids.len(), 250);
    // Six pages, the jobs, and little besides for what came since.
    assert!(requests <= 12, "{requests} requests");
    // The one that broke off, what of it is over, and what was too young besides what came since.
    assert_eq!(stage.vendor.windows().len(), 3);
    Ok(())
}
