//! OpenLineage events, judged by the classes that the format's own client makes from its published schema.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use bowline_contract::exit_code;
use libtest_mimic::Failed;
use serde_json::Value;

use super::ALL;
use super::stage::{Stage, parsed};
use crate::needs::python;

pub(super) fn valid() -> Result<(), Failed> {
    let stage = Stage::with_vendor(9, |run| match run["id"].as_str() {
        Some("run-2") => run["state"] = "failed".into(),
        Some("run-4") => {
            run["state"] = "running".into();
            run["ended"] = Value::Null;
        }
        _ => {}
    });
    let args = [&ALL[..], &["--format", "openlineage"]].concat();
    let ran = stage.collect(&args).exits(exit_code::OK);
    let events = parsed(&ran.stdout);
    let types = |wanted: &str| {
        let events = events.iter();
        events.filter(|event| event["eventType"] == wanted).count()
    };
    // Of each run its own and its task's: seven that ended well, one that failed, one that goes on. The one whose
    // status nobody knows has not started for all we know.
    assert_eq!(types("START"), 16, "{}", ran.said());
    assert_eq!(types("COMPLETE"), 12);
    assert_eq!(types("FAIL"), 2);
    assert_eq!(types("OTHER"), 2);
    let verdicts = judged(&ran.stdout)?;
    assert_eq!(verdicts.len(), events.len());
    for (verdict, event) in verdicts.iter().zip(&events) {
        assert!(verdict.is_null(), "{verdict}\n{event}");
    }
    // The oracle can say no.
    let wrong = ran
        .stdout
        .replacen("\"eventType\":\"START\"", "\"eventType\":\"BEGIN\"", 1);
    let wrong = wrong.replacen("\"errorMessage\":{", "\"errorMessage\":{\"odd\":1,", 1);
    let verdicts = judged(&wrong)?;
    assert_eq!(
        verdicts.iter().filter(|verdict| !verdict.is_null()).count(),
        2
    );
    Ok(())
}

fn judged(lines: &str) -> Result<Vec<Value>, Failed> {
    let oracle = Path::new(env!("CARGO_MANIFEST_DIR")).join("oracles/openlineage_oracle.py");
    let mut child = Command::new(python().ok_or("no Python")?)
        .arg(oracle)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    child
        .stdin
        .take()
        .ok_or("no input")?
        .write_all(lines.as_bytes())?;
    let output = child.wait_with_output()?;
    assert!(output.status.success());
    Ok(parsed(&String::from_utf8_lossy(&output.stdout)))
}
