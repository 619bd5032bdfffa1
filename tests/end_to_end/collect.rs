//! `bowline collect` between a vendor and a platform that are both played here, over real HTTP.

mod callbacks;
mod clocks;
mod given_up;
mod lineage;
mod stage;

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use bowline_contract::exit_code;
use bowline_servers::Answer;
use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use crate::needs::{Need, trial};
use crate::sandbox::{many, wait};
use stage::{Platform, RESOURCE, Stage, TOKEN};

/// A window that holds all of the vendor's runs.
const ALL: [&str; 4] = [
    "--since",
    "2026-11-22T10:00:00Z",
    "--until",
    "2026-11-22T11:00:00Z",
];

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("collect/lines", &[], lines),
        trial("collect/a_reader_that_leaves", &[], a_reader_that_leaves),
        trial("collect/nothing_has_a_reason", &[], nothing_has_a_reason),
        trial("collect/push", &[], push),
        trial("collect/dead_letters", &[], dead_letters),
        trial("collect/a_wrong_key", &[], a_wrong_key),
        trial("collect/a_wrong_resource", &[], a_wrong_resource),
        trial("collect/a_busy_platform", &[], a_busy_platform),
        trial(
            "collect/a_vendor_that_breaks_off",
            &[],
            a_vendor_that_breaks_off,
        ),
        trial("collect/killed_at_any_moment", &[], killed_at_any_moment),
        trial("collect/again_and_again", &[], again_and_again),
        trial("collect/two_at_once", &[], two_at_once),
        trial(
            "collect/windows_follow_each_other",
            &[],
            windows_follow_each_other,
        ),
        trial("collect/by_name", &[], callbacks::by_name),
        trial(
            "collect/callbacks_survive_a_kill",
            &[],
            callbacks::survive_a_kill,
        ),
        trial(
            "collect/callbacks_without_a_vendor",
            &[],
            callbacks::without_a_vendor,
        ),
        trial(
            "collect/callbacks_without_an_output",
            &[],
            callbacks::without_an_output,
        ),
        trial(
            "collect/an_output_that_keeps_nothing",
            &[],
            given_up::an_output_that_keeps_nothing,
        ),
        trial(
            "collect/callbacks_need_the_secret",
            &[],
            callbacks::need_the_secret,
        ),
        trial("collect/late_events", &[], clocks::late_events),
        trial("collect/a_vendor_behind", &[], clocks::a_vendor_behind),
        trial("collect/twice_in_a_second", &[], clocks::twice_in_a_second),
        trial(
            "collect/the_same_command_again",
            &[],
            clocks::the_same_command_again,
        ),
        trial(
            "collect/a_window_that_fails",
            &[],
            given_up::a_window_that_fails,
        ),
        trial(
            "collect/an_output_that_vanished",
            &[],
            given_up::an_output_that_vanished,
        ),
        trial(
            "collect/a_checkpoint_that_vanished",
            &[],
            given_up::a_checkpoint_that_vanished,
        ),
        trial(
            "collect/retry_and_discard",
            &[],
            given_up::retry_and_discard,
        ),
        trial("collect/verify", &[], given_up::verify),
        trial(
            "collect/a_window_that_may_lack_some",
            &[],
            given_up::a_window_that_may_lack_some,
        ),
        trial(
            "collect/open_lineage",
            &[Need::PythonPackages],
            lineage::valid,
        ),
    ]
}

fn lines() -> Result<(), Failed> {
    let stage = Stage::with_runs(250);
    let ran = stage.collect(&ALL).exits(exit_code::OK);
    let events = stage::parsed(&ran.stdout);
    assert_eq!(events.len(), 252, "{}", ran.said());
    let kinds: Vec<&Value> = events.iter().map(|event| &event["kind"]).collect();
    assert!(kinds[..2].iter().all(|kind| *kind == "asset"));
    assert!(kinds[2..].iter().all(|kind| *kind == "run"));
    let keys: BTreeSet<String> = events
        .iter()
        .map(|event| event["key"].to_string())
        .collect();
    assert_eq!(keys.len(), 252);
    assert!(
        ran.stderr.contains("2 jobs and 250 runs") && ran.stderr.contains("`odd` (2)"),
        "{}",
        ran.said()
    );
    // The vendor's data, whatever of it stands among the credentials.
    let address = format!("{}/runs/run-0", stage.vendor.server.url());
    assert_eq!(events[2]["event"]["run_url"], address);
    // The same again has the same keys, and leaves nothing behind.
    let again = stage.collect(&ALL).exits(exit_code::OK);
    assert_eq!(again.stdout, ran.stdout);
    assert!(stage.sandbox.files(".bowline").is_empty());
    Ok(())
}

fn a_reader_that_leaves() -> Result<(), Failed> {
    let stage = Stage::with_runs(5_000);
    let mut child = stage.command(&ALL).spawn()?;
    // Closes the pipe with most of the events still to come.
    drop(child.stdout.take());
    let ran = wait(child).exits(exit_code::OK);
    assert!(!ran.stderr.contains("error"), "{}", ran.said());
    Ok(())
}

fn nothing_has_a_reason() -> Result<(), Failed> {
    let stage = Stage::with_runs(5);
    let empty = [
        "--since",
        "2026-01-01T00:00:00Z",
        "--until",
        "2026-01-02T00:00:00Z",
    ];
    let ran = stage.collect(&[&empty[..], &["--only", "runs"]].concat());
    let ran = ran.exits(exit_code::OK);
    assert_eq!(ran.stdout, "");
    assert!(
        ran.stderr.contains("no runs: the vendor gave no records"),
        "{}",
        ran.said()
    );
    let ran = stage.collect(&[]).exits(exit_code::USAGE);
    assert!(
        ran.stderr.contains("say with `--since` from when"),
        "{}",
        ran.said()
    );
    let ran = stage.collect(&["--since", "1h", "--until", "2h"]);
    assert!(
        ran.exits(exit_code::USAGE)
            .stderr
            .contains("the window is empty")
    );
    Ok(())
}

fn push() -> Result<(), Failed> {
    let stage = Stage::with_runs(250);
    let platform = Platform::start(|_, _| Answer::new(202, "{}"));
    let ran = stage.push(&platform, &ALL).exits(exit_code::OK);
    assert_eq!(ran.stdout, "");
    let posts = platform.posts();
    let sizes: Vec<(&str, usize)> = posts
        .iter()
        .map(|post| (post.path.as_str(), post.events().len()))
        .collect();
    assert_eq!(
        sizes,
        [
            ("/ingest/v1/etl/metadata", 2),
            ("/ingest/v1/etl/runs", 100),
            ("/ingest/v1/etl/runs", 100),
            ("/ingest/v1/etl/runs", 50)
        ]
    );
    let keys: BTreeSet<&String> = posts
        .iter()
        .map(|post| &post.headers["idempotency-key"])
        .collect();
    assert_eq!(keys.len(), posts.len());
    for post in &posts {
        assert_eq!(post.headers["x-mcd-id"], "key-id");
        assert_eq!(post.headers["x-mcd-token"], TOKEN);
        let body = post.body();
        assert_eq!(
            body["resource"],
            json!({"uuid": RESOURCE, "resource_type": "custom-etl-connector-abc1234"})
        );
    }
    assert_eq!(posts[0].body()["event_type"], "ETL_METADATA");
    assert_eq!(posts[0].events()[0]["etl_asset"]["job_source_id"], "ingest");
    assert_eq!(posts[1].body()["event_type"], "ETLRUN");
    let run = &posts[1].events()[0];
    assert_eq!(run["attributes"]["raw_status"], "done");
    assert!(run["attributes"]["event_key"].is_string());
    // What is collected is collected: without `--since` the next window begins where this one ended.
    let ran = stage.push(&platform, &["--until", "2026-11-22T12:00:00Z"]);
    let ran = ran.exits(exit_code::OK);
    assert!(
        ran.stderr
            .contains("[2026-11-22T11:00:00Z, 2026-11-22T12:00:00Z)"),
        "{}",
        ran.said()
    );
    // Another platform must not inherit what this one has.
    let other = Platform::start(|_, _| Answer::new(202, "{}"));
    let ran = stage.push(&other, &ALL).exits(exit_code::USAGE);
    assert!(
        ran.stderr.contains("is of another collection"),
        "{}",
        ran.said()
    );
    stage.sandbox.assert_clean();
    Ok(())
}

fn dead_letters() -> Result<(), Failed> {
    // A run without an end is not valid; run 42 is not to the platform's taste.
    let stage = Stage::with_vendor(120, |run| {
        if run["id"] == "run-7" {
            run["ended"] = Value::Null;
        }
    });
    let platform = Platform::start(|_, body| {
        if body.contains("\"run-42\"") {
            Answer::new(400, r#"{"message": "run-42 is odd"}"#)
        } else {
            Answer::new(202, "{}")
        }
    });
    let ran = stage.push(&platform, &ALL).exits(exit_code::FELL_SHORT);
    assert!(ran.stderr.contains("2 dead letters"), "{}", ran.said());
    assert_eq!(platform.run_ids().len(), 118);
    let letters = stage
        .sandbox
        .read(".bowline/collect/shop/dead-letters.jsonl");
    let letters = stage::parsed(&letters);
    assert_eq!(letters.len(), 2);
    let of = |id: &str| {
        let mut letters = letters.iter();
        letters.find(|letter| letter["event"]["run_source_id"] == id)
    };
    let invalid = of("run-7").expect("the invalid run");
    let reasons = invalid["reasons"].to_string();
    let reason = "`end_time`: required, because the status is `success`";
    assert!(reasons.contains(reason), "{reasons}");
    let refused = of("run-42").expect("the refused run");
    let reason = refused["reasons"][0].as_str().unwrap_or_default();
    assert!(reason.contains("run-42 is odd"), "{reason}");
    Ok(())
}

fn a_wrong_key() -> Result<(), Failed> {
    let stage = Stage::with_runs(5);
    let platform = Platform::start(|request, _| {
        // An answer that repeats the secret, as some do.
        Answer::new(
            401,
            format!("\"bad token {}\"", request.headers["x-mcd-token"]),
        )
    });
    let ran = stage.push(&platform, &ALL).exits(exit_code::UNREACHABLE);
    assert!(ran.stderr.contains("does not let us in"), "{}", ran.said());
    assert_eq!(platform.posts().len(), 1);
    stage.sandbox.assert_clean();
    let mut command = stage.push_command(&platform, &ALL);
    let ran = stage
        .sandbox
        .finish(command.env_remove("BOWLINE_PUSH_TOKEN"), None);
    let ran = ran.exits(exit_code::USAGE);
    assert!(
        ran.stderr.contains("`BOWLINE_PUSH_TOKEN` is not set"),
        "{}",
        ran.said()
    );
    Ok(())
}

fn a_wrong_resource() -> Result<(), Failed> {
    let stage = Stage::with_runs(300);
    let platform = Platform::start(|request, _| {
        if request.path.ends_with("runs") {
            Answer::new(400, r#"{"message": "no such resource"}"#)
        } else {
            Answer::new(422, r#"{"message": "no such resource"}"#)
        }
    });
    let ran = stage.push(&platform, &ALL).exits(exit_code::FELL_SHORT);
    assert!(
        ran.stderr.contains("the platform takes no event")
            && ran.stderr.contains("no such resource"),
        "{}",
        ran.said()
    );
    let files = stage.sandbox.files(".bowline");
    assert!(
        !files.iter().any(|file| file.contains("dead-letters")),
        "{files:?}"
    );
    Ok(())
}

fn a_busy_platform() -> Result<(), Failed> {
    let stage = Stage::with_runs(150);
    let platform = Platform::start(|_, _| Answer::new(202, "{}"));
    platform.stumble(3);
    let ran = stage.push(&platform, &ALL).exits(exit_code::OK);
    assert!(ran.stderr.contains("150 runs"), "{}", ran.said());
    assert_eq!(platform.run_ids().len(), 150);
    Ok(())
}

fn a_vendor_that_breaks_off() -> Result<(), Failed> {
    let stage = Stage::with_runs(250);
    let platform = Platform::start(|_, _| Answer::new(202, "{}"));
    stage.vendor.break_off_at(200);
    let ran = stage.push(&platform, &ALL).exits(exit_code::FELL_SHORT);
    assert!(ran.stderr.contains("status 400"), "{}", ran.said());
    let first = platform.run_ids().len();
    assert!((1..250).contains(&first), "{first}");
    stage.vendor.mend();
    let ran = stage.push(&platform, &["--until", "2026-11-22T12:00:00Z"]);
    let ran = ran.exits(exit_code::OK);
    assert!(
        ran.stderr.contains("which was not finished"),
        "{}",
        ran.said()
    );
    // Once each: what was delivered is not sent again.
    assert_eq!(platform.run_ids().len(), 250);
    assert_eq!(platform.runs_received(), 250);
    Ok(())
}

/// Kills the collection again and again until one gets through: at moments spread over its whole life, and while the
/// platform has a batch in its hands, which it then took or lost.
fn killed_at_any_moment() -> Result<(), Failed> {
    const RUNS: usize = 1_000;
    const KILLS: u32 = 8;
    let kills = many("BOWLINE_KILLS").unwrap_or(KILLS);
    let stage = Stage::with_runs(RUNS);
    let platform = Platform::start(|_, _| Answer::new(202, "{}"));
    // How long it takes unhindered, to spread the kills over it.
    let begun = std::time::Instant::now();
    let apart = [&ALL[..], &["--state", "elsewhere"]].concat();
    stage.push(&platform, &apart).exits(exit_code::OK);
    let whole = begun.elapsed();
    platform.forget();

    for kill in 1..=kills {
        let mut child = stage.push_command(&platform, &ALL).spawn()?;
        std::thread::sleep(whole * kill / kills);
        // One that was quicker is over already.
        let _over = child.kill();
        child.wait()?;
        let mut child = stage.push_command(&platform, &ALL).spawn()?;
        platform.kill_client(child.id(), kill % 4, kill % 2 == 0);
        child.wait()?;
    }
    platform.spare_clients();
    let ran = stage.push(&platform, &ALL).exits(exit_code::OK);
    let expected: BTreeSet<String> = (0..RUNS).map(|run| format!("run-{run}")).collect();
    assert_eq!(platform.run_ids(), expected, "{}", ran.said());
    // Each window asked for is the same one.
    assert_eq!(stage.vendor.windows().len(), 1);
    bowline_tally::add(bowline_tally::Kind::Kills, u64::from(2 * kills));
    Ok(())
}

fn again_and_again() -> Result<(), Failed> {
    let stage = Stage::with_runs(0);
    let platform = Platform::start(|_, _| Answer::new(202, "{}"));
    let every = [
        "--every", "1s", "--settle", "0s", "--since", "1h", "--only", "runs",
    ];
    let child = stage.push_command(&platform, &every).spawn()?;
    stage.vendor.wait_for_windows(3);
    interrupt(child.id());
    wait(child).exits(exit_code::INTERRUPTED);
    // Started anew, it goes on where it was, whatever `--since` says.
    let child = stage.push_command(&platform, &every).spawn()?;
    stage.vendor.wait_for_windows(5);
    interrupt(child.id());
    wait(child).exits(exit_code::INTERRUPTED);
    let windows = stage.vendor.windows();
    for (before, after) in windows.iter().zip(&windows[1..]) {
        assert_eq!(before.1, after.0, "{windows:?}");
    }
    Ok(())
}

fn interrupt(pid: u32) {
    let sent = Command::new("kill")
        .args(["-INT", &pid.to_string()])
        .status();
    assert!(sent.is_ok_and(|status| status.success()));
}

fn two_at_once() -> Result<(), Failed> {
    let stage = Stage::with_runs(5);
    let platform = Platform::start(|_, _| Answer::new(202, "{}"));
    stage.vendor.hold();
    let child = stage.push_command(&platform, &ALL).spawn()?;
    stage.vendor.wait_until_asked();
    let second = stage.push(&platform, &ALL).exits(exit_code::USAGE);
    assert!(
        second.stderr.contains("another collection is at work"),
        "{}",
        second.said()
    );
    stage.vendor.mend();
    wait(child).exits(exit_code::OK);
    assert_eq!(platform.run_ids().len(), 5);
    Ok(())
}

fn windows_follow_each_other() -> Result<(), Failed> {
    let stage = Stage::with_runs(60);
    let file = ["--output", "events.jsonl", "--only", "runs"];
    let first = [
        "--since",
        "2026-11-22T10:00:00Z",
        "--until",
        "2026-11-22T10:20:00Z",
    ];
    stage
        .collect(&[&file[..], &first].concat())
        .exits(exit_code::OK);
    let shown = ["--output", "-", "--only", "runs"];
    let shown = stage
        .collect(&[&shown[..], &first].concat())
        .exits(exit_code::OK);
    assert_eq!(shown.stdout, stage.sandbox.read("events.jsonl"));
    let second = ["--until", "2026-11-22T11:00:00Z"];
    // A line that was cut off when the machine died.
    let whole = stage.sandbox.read("events.jsonl");
    stage
        .sandbox
        .write("events.jsonl", &format!("{whole}{{\"kind\":\"ru"));
    stage
        .collect(&[&file[..], &second].concat())
        .exits(exit_code::OK);
    let events = stage::parsed(&stage.sandbox.read("events.jsonl"));
    let ids: Vec<&str> = events
        .iter()
        .filter_map(|event| event["event"]["run_source_id"].as_str())
        .collect();
    let expected: Vec<String> = (0..60).map(|run| format!("run-{run}")).collect();
    assert_eq!(ids, expected);
    Ok(())
}

/// No wait of these tests takes this long unless something hangs.
const PATIENCE: Duration = Duration::from_secs(60);
