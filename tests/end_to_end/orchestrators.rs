//! The example connectors against the orchestrators themselves, as their vendors ship them.
//!
//! What was collected is compared with `tests/orchestrators/<name>/events.json`, in which ids, times and addresses have
//! names in brackets and lists are sorted. `BOWLINE_UPDATE_CASES=1` rewrites it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use bowline_contract::exit_code;
use bowline_servers::{Orchestrator, Vendor};
use libtest_mimic::{Failed, Trial};
use regex::Regex;
use serde_json::{Value, json};
use similar::TextDiff;

use crate::redact::redact;
use crate::sandbox::Sandbox;

const UPDATE: &str = "BOWLINE_UPDATE_CASES";

pub(crate) fn trials() -> Vec<Trial> {
    Vendor::ALL.into_iter().filter_map(trial).collect()
}

/// The test of one orchestrator; none for one that has to be asked for and was not.
fn trial(vendor: Vendor) -> Option<Trial> {
    let name = format!("orchestrators/{}", vendor.name());
    if let Some(python) = std::env::var_os(vendor.variable()) {
        let python = PathBuf::from(python);
        return Some(Trial::test(name, move || proven(vendor, &python)));
    }
    if !vendor.is_cheap() {
        return None;
    }
    let reason = format!(
        "`{}` is not set; `cargo xtask test` sets it",
        vendor.variable()
    );
    Some(match std::env::var_os("CI") {
        Some(_) => Trial::test(name, move || Err(reason.into())),
        None => {
            Trial::test(format!("{name} (not run: {reason})"), || Ok(())).with_ignored_flag(true)
        }
    })
}

fn proven(vendor: Vendor, python: &Path) -> Result<(), Failed> {
    let name = vendor.name();
    let server = Orchestrator::start(vendor, python)?;
    let sandbox = Sandbox::new();
    sandbox
        .bowline(&["new", name, "--pipeline", "--like", name])
        .exits(exit_code::OK);
    let connect_args: BTreeMap<_, _> = server.connect_args().into_iter().collect();
    sandbox.write(
        format!("etl_connectors/{name}/credentials.json"),
        &json!({ "connect_args": connect_args }).to_string(),
    );
    sandbox
        .bowline(&["credentials", "check", name])
        .exits(exit_code::OK);

    let tested = sandbox
        .bowline(&["test", name, "--format", "json"])
        .exits(exit_code::OK);
    let report: Value = serde_json::from_str(&tested.stdout)?;
    assert_eq!(report["unmapped"], json!([]), "{}", tested.said());
    // What the files that do not load say.
    let told = report["warnings"]
        .to_string()
        .contains("the shop is closed");
    assert_eq!(told, vendor != Vendor::Prefect, "{}", tested.said());

    let inspected = sandbox.bowline(&["inspect", name]).exits(exit_code::OK);
    assert!(!inspected.stdout.is_empty(), "{}", inspected.said());

    sandbox
        .bowline(&["collect", name, "--since", "2h", "--output", "events.jsonl"])
        .exits(exit_code::OK);
    let events = settled(&sandbox, &server, &sandbox.read("events.jsonl"))?;
    sandbox.assert_clean();
    same_as_before(vendor, &events)
}

/// Events as they would be from any other server with the same history.
fn settled(sandbox: &Sandbox, server: &Orchestrator, lines: &str) -> Result<String, Failed> {
    let uuid = Regex::new(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")?;
    // Airflow names runs after their time, some with letters that it draws, and processes in the words of an error.
    let time_in_name = Regex::new(r"__\d{4}-\d\d-\d\dT[\d:.]+\+00:00(_[0-9A-Za-z]{8}\b)?")?;
    let process = Regex::new(r"\bPID: \d+\b")?;
    let mut text = lines
        .replace(&server.url(), "[SERVER]")
        .replace(&*server.folder().to_string_lossy(), "[FOLDER]");
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line)?;
        let event = &line["event"];
        // Runs keep saying which job they are of.
        if let (Some(id), Some(name)) = (event["job_source_id"].as_str(), event["name"].as_str())
            && uuid.is_match(id)
        {
            text = text.replace(id, &format!("[JOB {name}]"));
        }
    }
    let text = uuid.replace_all(&text, "[ID]");
    let text = time_in_name.replace_all(&text, "__[TIMESTAMP]");
    let text = redact(sandbox, &process.replace_all(&text, "PID: [PID]"));
    let events = text
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<Vec<Value>, _>>()?;
    let mut events = Value::Array(events);
    sort_lists(&mut events);
    Ok(serde_json::to_string_pretty(&events)? + "\n")
}

fn sort_lists(value: &mut Value) {
    match value {
        Value::Array(items) => {
            items.iter_mut().for_each(sort_lists);
            items.sort_by_cached_key(Value::to_string);
        }
        Value::Object(fields) => fields.values_mut().for_each(sort_lists),
        _ => {}
    }
}

fn same_as_before(vendor: Vendor, events: &str) -> Result<(), Failed> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("orchestrators")
        .join(vendor.name())
        .join("events.json");
    let before = fs::read_to_string(&path).unwrap_or_default();
    if before == events {
        return Ok(());
    }
    if std::env::var_os(UPDATE).is_some() {
        return Ok(fs::write(&path, events)?);
    }
    let difference = TextDiff::from_lines(before.as_str(), events);
    let difference = difference
        .unified_diff()
        .header("expected", "collected")
        .to_string();
    Err(format!(
        "{}: what was collected differs\n{difference}\nhint: `{UPDATE}=1` rewrites it",
        path.display()
    )
    .into())
}
