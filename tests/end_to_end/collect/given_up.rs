//! What was given up, and what vanished: never taken for delivered.

use bowline_contract::exit_code;
use bowline_servers::Answer;
use libtest_mimic::Failed;
use serde_json::Value;

use super::ALL;
use super::stage::{self, Platform, Stage};

const TO_FILE: [&str; 4] = ["--output", "events.jsonl", "--only", "runs"];
const LATER: [&str; 2] = ["--until", "2026-11-22T12:00:00Z"];

/// What was written there is nowhere, and must not count as delivered.
pub(super) fn an_output_that_keeps_nothing() -> Result<(), Failed> {
    let stage = Stage::with_runs(1);
    let to = ["--output", "/dev/null"];
    let ran = stage
        .collect(&[&to[..], &ALL].concat())
        .exits(exit_code::USAGE);
    assert!(
        ran.stderr
            .contains("no file that keeps events: `/dev/null`"),
        "{}",
        ran.said()
    );
    let ran = stage.collect(&["--since", "-1h"]).exits(exit_code::USAGE);
    assert!(
        ran.stderr.contains("without a sign: `1h`"),
        "{}",
        ran.said()
    );
    Ok(())
}

pub(super) fn an_output_that_vanished() -> Result<(), Failed> {
    let stage = Stage::with_runs(20);
    stage
        .collect(&[&TO_FILE[..], &ALL].concat())
        .exits(exit_code::OK);
    let output = stage.sandbox.work().join("events.jsonl");
    let whole = std::fs::read(&output)?;
    let later = [&TO_FILE[..], &LATER].concat();
    for now in [None, Some(&whole[..whole.len() - 5])] {
        match now {
            Some(bytes) => std::fs::write(&output, bytes)?,
            None => std::fs::remove_file(&output)?,
        }
        let ran = stage.collect(&later).exits(exit_code::FILES);
        assert!(
            ran.stderr.contains("the output has vanished"),
            "{}",
            ran.said()
        );
        assert_eq!(output.exists(), now.is_some());
    }
    std::fs::write(&output, &whole)?;
    stage.collect(&later).exits(exit_code::OK);
    std::fs::rename(&output, stage.sandbox.work().join("events.1.jsonl"))?;
    let on = [
        &TO_FILE[..],
        &["--until", "2026-11-22T13:00:00Z", "--rotated"],
    ]
    .concat();
    stage.collect(&on).exits(exit_code::OK);
    assert!(output.exists());
    Ok(())
}

pub(super) fn a_checkpoint_that_vanished() -> Result<(), Failed> {
    let stage = Stage::with_runs(20);
    let command = [&TO_FILE[..], &ALL].concat();
    stage.collect(&command).exits(exit_code::OK);
    let folder = stage.sandbox.work().join(".bowline/collect/shop");
    std::fs::remove_file(folder.join("checkpoint.json"))?;
    let ran = stage.collect(&command).exits(exit_code::FILES);
    assert!(
        ran.stderr.contains("the checkpoint is gone"),
        "{}",
        ran.said()
    );
    Ok(())
}

/// More runs at one moment than the vendor gives of any window: what came is delivered, and what may lack is not called
/// whole, then or later.
pub(super) fn a_window_that_may_lack_some() -> Result<(), Failed> {
    let stage = Stage::with_vendor(25, |run| {
        for time in ["at", "ended"] {
            run[time] = "2026-11-22T10:30:00Z".into();
        }
    });
    let connector = "etl_connectors/shop/connector.toml";
    let whole = stage.sandbox.read(connector);
    let pages = "pages = { style = \"offset\"";
    let capped = whole.replace(pages, &format!("window = {{ most_records = 20 }}\n{pages}"));
    stage.sandbox.write(connector, &capped);
    let ran = stage
        .collect(&[&TO_FILE[..], &ALL].concat())
        .exits(exit_code::FELL_SHORT);
    assert!(ran.stderr.contains("may be missing"), "{}", ran.said());
    let delivered = || stage.sandbox.read("events.jsonl").lines().count();
    let first = delivered();
    assert!(first >= 24, "{first}");
    let later = [&TO_FILE[..], &LATER].concat();
    stage.collect(&later).exits(exit_code::FELL_SHORT);
    stage.sandbox.write(connector, &whole);
    stage.collect(&later).exits(exit_code::OK);
    assert_eq!(delivered(), first, "nothing is delivered twice");
    Ok(())
}

/// A run that the platform refuses and one that is not valid count until they are retried or discarded.
pub(super) fn retry_and_discard() -> Result<(), Failed> {
    let stage = Stage::with_vendor(120, |run| {
        if run["id"] == "run-7" {
            run["ended"] = Value::Null;
        }
    });
    let refuses = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let mood = std::sync::Arc::clone(&refuses);
    let platform = Platform::start(move |_, body| {
        if mood.load(std::sync::atomic::Ordering::SeqCst) && body.contains("\"run-42\"") {
            Answer::new(400, r#"{"message": "run-42 is odd"}"#)
        } else {
            Answer::new(202, "{}")
        }
    });
    stage.push(&platform, &ALL).exits(exit_code::FELL_SHORT);
    // A window that is well does not make them forgotten.
    let ran = stage.push(&platform, &LATER).exits(exit_code::FELL_SHORT);
    assert!(
        ran.stderr
            .contains("2 dead letters not delivered, 2 from before"),
        "{}",
        ran.said()
    );
    refuses.store(false, std::sync::atomic::Ordering::SeqCst);
    let ran = stage
        .push_action(&platform, "retry")
        .exits(exit_code::FELL_SHORT);
    assert!(
        ran.stderr.contains("1 dead letter not delivered"),
        "{}",
        ran.said()
    );
    assert!(platform.run_ids().contains("run-42"));
    assert!(!platform.run_ids().contains("run-7"));
    // Though the file is gone.
    let letters = stage
        .sandbox
        .work()
        .join(".bowline/collect/shop/dead-letters.jsonl");
    std::fs::remove_file(&letters)?;
    let ran = stage.push(&platform, &["--until", "2026-11-22T13:00:00Z"]);
    let ran = ran.exits(exit_code::FELL_SHORT);
    assert!(ran.stderr.contains("1 no longer there"), "{}", ran.said());
    let ran = stage
        .sandbox
        .bowline(&["collect", "discard", "shop"])
        .exits(exit_code::OK);
    assert!(
        ran.stderr.contains("discarded 1 dead letter"),
        "{}",
        ran.said()
    );
    stage
        .push(&platform, &["--until", "2026-11-22T14:00:00Z"])
        .exits(exit_code::OK);
    Ok(())
}

pub(super) fn verify() -> Result<(), Failed> {
    let stage = Stage::with_runs(60);
    stage.vendor.show_late(10);
    stage
        .collect(&[&TO_FILE[..], &ALL].concat())
        .exits(exit_code::OK);
    let verify = |args: &[&str]| {
        let command = [&["collect", "verify", "shop"], &TO_FILE[..2], args].concat();
        stage.sandbox.bowline(&command)
    };
    let ran = verify(&ALL).exits(exit_code::OK);
    assert!(ran.stderr.contains("50 runs"), "{}", ran.said());
    // Lines that somebody has taken out.
    let output = stage.sandbox.read("events.jsonl");
    let fewer: Vec<&str> = output
        .lines()
        .filter(|line| !line.contains("\"run-7\""))
        .collect();
    stage
        .sandbox
        .write("events.jsonl", &(fewer.join("\n") + "\n"));
    let ran = verify(&ALL).exits(exit_code::FELL_SHORT);
    assert!(
        ran.stderr
            .contains("1 delivered and no longer in the output")
            && ran.stderr.contains("run-7"),
        "{}",
        ran.said()
    );
    stage.sandbox.write("events.jsonl", &output);
    // Runs that the vendor showed too late.
    stage.vendor.show_late(0);
    let ran = verify(&ALL).exits(exit_code::FELL_SHORT);
    assert!(
        ran.stderr.contains("10 never collected") && ran.stderr.contains("run-50"),
        "{}",
        ran.said()
    );
    assert!(!stage::parsed(&output).is_empty());
    Ok(())
}

/// The failed window does not stand in the way of later ones, and is asked for again so often.
pub(super) fn a_window_that_fails() -> Result<(), Failed> {
    let stage = Stage::with_runs(200);
    let collect = |from: &str, until: &str| {
        let window = ["--since", from, "--until", until];
        stage.collect(&[&TO_FILE[..], &window].concat())
    };
    let delivered = || {
        let text = stage.sandbox.read("events.jsonl");
        let ids = stage::parsed(&text).into_iter();
        ids.map(|event| event["event"]["run_source_id"].to_string())
            .collect::<std::collections::BTreeSet<_>>()
            .len()
    };
    // What is behind the first page of an hour cannot be read.
    stage.vendor.break_off_at(40);
    let hour = ("2026-11-22T10:00:00Z", "2026-11-22T11:00:00Z");
    collect(hour.0, hour.1).exits(exit_code::FELL_SHORT);
    let first = delivered();
    assert!((1..200).contains(&first), "{first}");
    for tries in 2..=5 {
        let (from, until) = (format!("2026-11-22T{}:00:00Z", 9 + tries), 10 + tries);
        let ran = collect(&from, &format!("2026-11-22T{until}:00:00Z"));
        let ran = ran.exits(exit_code::FELL_SHORT);
        let words = match tries {
            5 => "is a dead letter now".to_owned(),
            _ => format!("tried {tries} times"),
        };
        assert!(ran.stderr.contains(&words), "{}", ran.said());
        assert!(ran.stderr.contains("status 400"), "{}", ran.said());
    }
    // From now on it is left alone, and never called delivered.
    let asked = stage.vendor.asked();
    collect("2026-11-22T15:00:00Z", "2026-11-22T16:00:00Z").exits(exit_code::FELL_SHORT);
    assert_eq!(stage.vendor.asked(), asked + 1);
    stage.vendor.mend();
    let retry = ["collect", "retry", "shop", "--output", "events.jsonl"];
    stage.sandbox.bowline(&retry).exits(exit_code::OK);
    assert_eq!(delivered(), 200);
    collect("2026-11-22T16:00:00Z", "2026-11-22T17:00:00Z").exits(exit_code::OK);
    Ok(())
}
