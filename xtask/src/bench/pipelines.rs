//! Pipelines: how fast run events are checked, and how fast and in how much memory runs are collected, beside the same
//! work in Python with pycarlo's models.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use bowline_servers::{Answer, HttpServer, Request};

use super::measure::{Clock, repeat};
use super::record::{Goal, Row};
use super::{Bowline, write};
use crate::process::{self, Failure, cargo, step, target};

/// Collecting and checking in Python take long and vary little.
const SLOW_RUNS: usize = 5;
const LATENCY: Duration = Duration::from_millis(20);
const PAGE: usize = 100;
const RUNS: usize = 10_000;
const MANY_RUNS: usize = 300_000;
/// One run of so many failed, and its log is asked for.
const FAILED: usize = 10;
const EVENTS: usize = 2_000;
/// How often the events are checked: 200,000 checks.
const ROUNDS: &str = "100";
/// Python takes milliseconds an event.
const PYTHON_ROUNDS: &str = "1";
const SINCE: &str = "2026-11-22T00:00:00Z";
const UNTIL: &str = "2026-11-23T00:00:00Z";

const MANIFEST: &str = r#"{
  "connection_type": "custom-etl-connector-abc1234",
  "connection_name": "Bench",
  "asset_class": "etl",
  "run_status_mapping": {"done": "success", "failed": "failed"}
}"#;

const CONNECTOR: &str = r#"version = 1

[http]
base_url = "{{ credentials.url }}"
limits = { in_flight = 8 }

[sources.runs]
path = "/runs"
query = { since = "{{ window.start }}", until = "{{ window.end }}", limit = "{{ page.size }}", offset = "{{ page.offset }}" }
records = "response.items"
pages = { style = "offset", size = 100, total = "response.total" }
id = "record.id"

[sources.logs]
path = "/runs/{{ parent.id }}/log"
for_each = { source = "runs", when = "parent.state == 'failed'" }
key = "record.run"

[assets]
from = "runs"
[assets.fields]
job_source_id = "record.job"
name = "record.job"

[runs]
from = "runs"
[runs.fields]
job_source_id = "record.job"
run_source_id = "record.id"
status = "record.state"
event_time = "record.ended"
start_time = "record.started"
end_time = "record.ended"
trigger = "'SCHEDULE'"
error = { message = "logs[record.id].text", code = "logs[record.id].type" }
run_url = "credentials.url ~ '/runs/' ~ record.id"
attributes = { pool = "record.pool" }
"#;

/// Measures everything about pipelines.
pub(super) fn rows(
    bowline: &Bowline,
    python: &Path,
    workspace: &Path,
    runs: usize,
) -> Result<Vec<Row>, Failure> {
    let slow_runs = runs.min(SLOW_RUNS);
    let mut rows = Vec::new();

    step("checking run events");
    process::run(&mut cargo(&[
        "build",
        "--release",
        "--package",
        "bowline-contract",
        "--example",
        "validate_runs",
    ]))?;
    let validate = target()?.join("release/examples/validate_runs");
    let events = workspace.join("events.jsonl");
    write(&events, &event_lines())?;
    let told = Clock::Told;
    let figures = repeat(slow_runs, &[0], told, || {
        let mut command = Command::new(&validate);
        command.arg(&events).arg(ROUNDS);
        command
    })?;
    let goal = Goal::time(Duration::from_secs(1));
    rows.push(Row::new(
        "200,000 run events checked, one core",
        goal,
        figures,
    ));
    step("checking run events in Python");
    let script = script(
        workspace,
        "validate_runs.py",
        include_str!("validate_runs.py"),
    )?;
    let figures = repeat(slow_runs, &[0], told, || {
        let mut command = Command::new(python);
        command.arg(&script).arg(&events).arg(PYTHON_ROUNDS);
        command
    })?;
    rows.push(Row::new(
        "2,000 of them with pycarlo's models in Python",
        Goal::none(),
        figures,
    ));

    let collect = |vendor: &HttpServer, connector: &str, clock| {
        collected(bowline, workspace, vendor, connector, clock, slow_runs)
    };
    step("collecting runs");
    let vendor = vendor(RUNS, LATENCY)?;
    let goal = Goal::new(Duration::from_secs(3), 64);
    let what = "10,000 runs collected, 1,000 of them with a request of their own, 20 ms latency, 8 at once";
    rows.push(Row::new(
        what,
        goal,
        collect(&vendor, CONNECTOR, Clock::Process)?,
    ));
    step("collecting runs in Python");
    let script = self::script(workspace, "collect.py", include_str!("collect.py"))?;
    let figures = repeat(slow_runs, &[0], Clock::Process, || {
        let mut command = Command::new(python);
        command.arg(&script).args([&vendor.url(), SINCE, UNTIL]);
        command
    })?;
    let what = "the same with urllib3 and pycarlo's models in Python";
    rows.push(Row::new(what, Goal::none(), figures));
    step("collecting many runs");
    let vendor = self::vendor(MANY_RUNS, Duration::ZERO)?;
    let figures = collect(&vendor, CONNECTOR, Clock::Process)?;
    let what = "300,000 runs collected, 30,000 of them with a request of their own, no latency";
    rows.push(Row::new(what, Goal::memory(64), figures));

    step("the processor time of pages");
    let vendor = self::vendor(RUNS, Duration::ZERO)?;
    let plain = self::script(workspace, "pages.py", include_str!("pages.py"))?;
    let in_python = repeat(slow_runs, &[0], Clock::Processor, || {
        let mut command = Command::new(python);
        command.arg(&plain).args([&vendor.url(), SINCE, UNTIL]);
        command
    })?;
    let figures = collect(&vendor, &without_logs(), Clock::Processor)?;
    rows.push(Row::new(
        "processor time: 10,000 paged records collected and checked, no request of their own",
        Goal::time(in_python.median),
        figures,
    ));
    rows.push(Row::new(
        "processor time: the same pages with urllib3 and json, neither mapped nor checked",
        Goal::none(),
        in_python,
    ));
    Ok(rows)
}

fn collected(
    bowline: &Bowline,
    workspace: &Path,
    vendor: &HttpServer,
    connector: &str,
    clock: Clock,
    runs: usize,
) -> Result<super::Figures, Failure> {
    let folder = workspace.join("etl_connectors/bench");
    fs::create_dir_all(&folder)
        .map_err(|error| format!("cannot make `{}`: {error}", folder.display()))?;
    write(&folder.join("manifest.json"), MANIFEST)?;
    write(&folder.join("connector.toml"), connector)?;
    let credentials = format!(r#"{{"connect_args": {{"url": "{}"}}}}"#, vendor.url());
    write(&folder.join("credentials.json"), &credentials)?;
    repeat(runs, &[0], clock, || {
        let mut command = bowline.command(workspace);
        command.args(["collect", "etl_connectors/bench", "--only", "runs"]);
        command.args(["--since", SINCE, "--until", UNTIL]);
        command
    })
}

/// The connector, but for what asks for the errors of failed runs.
fn without_logs() -> String {
    let (before, rest) = CONNECTOR
        .split_once("[sources.logs]")
        .unwrap_or((CONNECTOR, ""));
    let after = rest.find("[assets]").map_or(rest, |at| &rest[at..]);
    // A failed run has to say why.
    let lines = after.lines().map(|line| {
        if line.starts_with("error =") {
            r#"error = { message = "'failed'" }"#
        } else {
            line
        }
    });
    format!("{before}{}\n", lines.collect::<Vec<_>>().join("\n"))
}

fn script(workspace: &Path, name: &str, text: &str) -> Result<PathBuf, Failure> {
    let path = workspace.join(name);
    write(&path, text)?;
    Ok(path)
}

/// A vendor with so many runs, each of whose answers takes so long.
///
/// It keeps none of them: the kernel counts the bench's own memory into the peak of what it starts.
fn vendor(runs: usize, latency: Duration) -> Result<HttpServer, Failure> {
    HttpServer::start(move |request| {
        thread::sleep(latency);
        answer(request, runs)
    })
    .map_err(|error| format!("cannot start the vendor: {error}"))
}

fn answer(request: &Request, runs: usize) -> Answer {
    if let Some(run) = request.path.strip_prefix("/runs/") {
        let run = run.trim_end_matches("/log");
        return Answer::new(
            200,
            format!(
                r#"{{"run": "{run}", "type": "ValueError", "text": "column `amount` is missing in {run}"}}"#
            ),
        );
    }
    let from = request.number("offset").unwrap_or(0).min(runs);
    let limit = request.number("limit").unwrap_or(PAGE).min(PAGE);
    let to = (from + limit).min(runs);
    let records: Vec<String> = (from..to).map(|index| record(index, runs)).collect();
    let items = records.join(",");
    Answer::new(200, format!(r#"{{"items": [{items}], "total": {runs}}}"#))
}

fn record(index: usize, runs: usize) -> String {
    let seconds = index * 86_000 / runs;
    let time = |seconds: usize| {
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        format!("2026-11-22T{hours:02}:{minutes:02}:{:02}Z", seconds % 60)
    };
    let state = if index.is_multiple_of(FAILED) {
        "failed"
    } else {
        "done"
    };
    format!(
        r#"{{"id": "run-{index:06}", "job": "job-{}", "state": "{state}", "started": "{}", "ended": "{}", "pool": "default", "created_by": null, "tags": ["nightly", "tier-1"]}}"#,
        index % 50,
        time(seconds),
        time(seconds + 300),
    )
}

/// Run events like those of a real vendor: each with a task run, one in ten with an error.
fn event_lines() -> String {
    let mut lines = String::new();
    for index in 0..EVENTS {
        let (status, error) = match index % FAILED {
            0 => (
                "failed",
                r#", "error": {"message": "column `amount` is missing", "code": "ValueError"}"#,
            ),
            _ => ("success", ""),
        };
        let common = format!(
            r#""job_source_id": "job-{}", "status": "{status}", "event_time": "2026-11-22T10:05:00Z", "start_time": "2026-11-22T10:00:00.123456Z", "end_time": "2026-11-22T10:05:00Z"{error}"#,
            index % 50
        );
        let _ = writeln!(
            lines,
            r#"{{{common}, "run_source_id": "run-{index}", "trigger": "SCHEDULE", "attempt_number": 1, "run_url": "https://vendor.example.com/runs/{index}", "task_runs": [{{{common}, "run_source_id": "run-{index}/load", "task_source_id": "load"}}], "outputs": [{{"asset_type": "TABLE", "role": "OUTPUT", "fully_qualified_name": "shop.public.orders"}}], "attributes": {{"pool": "default"}}}}"#
        );
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_hold_every_run_once() {
        let page = |offset: usize| {
            let query = [("offset", offset.to_string()), ("limit", "1000".to_owned())];
            let request = Request {
                method: "GET".to_owned(),
                path: "/runs".to_owned(),
                query: query.map(|(name, value)| (name.to_owned(), value)).into(),
                headers: std::collections::BTreeMap::new(),
                body: Vec::new(),
            };
            answer(&request, 250).body.matches("\"id\"").count()
        };
        assert_eq!(
            [page(0), page(100), page(200), page(300)],
            [100, 100, 50, 0]
        );
    }
}
