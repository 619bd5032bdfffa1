//! New pipeline connectors: what `bowline new --pipeline` writes is read as it is, and what `bowline inspect` shows and saves
//! holds no secret.

use std::path::Path;
use std::process::{Command, Stdio};

use bowline_contract::exit_code;
use bowline_servers::{Answer, HttpServer, Request};
use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use crate::connector::build_rust;
use crate::needs::{Need, python, trial};
use crate::sandbox::{MARK, Sandbox};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("pipeline_scaffold/like", &[], like),
        trial("pipeline_scaffold/asked", &[Need::Python], asked),
        trial("pipeline_scaffold/python", &[Need::Python], in_python),
        trial("pipeline_scaffold/rust", &[], in_rust),
        trial("pipeline_scaffold/openapi", &[], openapi),
        trial("pipeline_scaffold/nothing_recent", &[], nothing_recent),
        trial("pipeline_scaffold/save_and_replay", &[], save_and_replay),
    ]
}

fn like() -> Result<(), Failed> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/etl_connectors");
    let sandbox = Sandbox::new();
    for name in ["airflow", "dagster", "prefect"] {
        sandbox
            .bowline(&[
                "new",
                name,
                "--pipeline",
                "--like",
                name,
                "--icon-url",
                "https://a.example/i.png",
            ])
            .exits(exit_code::OK);
        let written = |file: &str| sandbox.read(format!("etl_connectors/{name}/{file}"));
        let example = |file: &str| std::fs::read_to_string(examples.join(name).join(file)).unwrap();
        let description = written("connector.toml");
        let (schema, rest) = description.split_once('\n').unwrap();
        assert!(schema.starts_with("#:schema "), "{schema}");
        assert_eq!(rest, example("connector.toml"));
        let mut made: Value = serde_json::from_str(&written("manifest.json"))?;
        let mut known: Value = serde_json::from_str(&example("manifest.json"))?;
        assert_ne!(made["connection_type"], known["connection_type"]);
        assert_eq!(made["icon_url"], "https://a.example/i.png");
        for manifest in [&mut made, &mut known] {
            let manifest = manifest.as_object_mut().unwrap();
            for own in ["connection_type", "connection_name", "icon_url"] {
                manifest.remove(own);
            }
        }
        assert_eq!(made, known);
        sandbox
            .bowline(&["credentials", "check", name])
            .exits(exit_code::OK);
    }
    Ok(())
}

/// Whoever is asked for the vendor's picture is told what is no address of the web, and what may be no picture.
fn asked() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    let answers = [
        "grouped under=",
        "what is run=Flow",
        "one step=",
        "picture=ftp://vendor.example/i.png",
        "begin it with=https://vendor.example/i",
        "an assistant=",
        "--",
    ];
    let plain = sandbox.command(&["new", "loads", "--pipeline"]);
    let mut command = Command::new(python().expect("a Python"));
    command
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("python/answer.py"))
        .args(answers)
        .arg(plain.get_program())
        .args(plain.get_args())
        .current_dir(sandbox.work())
        .envs(
            plain
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .env("TERM", "xterm")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let ran = sandbox.finish(&mut command, None).exits(exit_code::OK);
    let warning = "`icon_url` may be no picture: `https://vendor.example/i`";
    assert!(ran.stdout.contains(warning), "{}", ran.said());
    let made: Value = serde_json::from_str(&sandbox.read("etl_connectors/loads/manifest.json"))?;
    assert_eq!(made["icon_url"], "https://vendor.example/i");
    assert_eq!(made["terminology"]["job"], "Flow");
    Ok(())
}

/// A dataclass with an enumeration, a time and something that is not set.
const RUNS: &str = r#"import dataclasses, datetime, enum, typing

        class Status(enum.Enum):
            RUNNING = "RUNNING"

        @dataclasses.dataclass
        class Run:
            run_source_id: str
            event_time: datetime.datetime
            job_source_id: str = "1"
            status: Status = Status.RUNNING
            error: typing.Optional[dict] = None
            inputs: list = dataclasses.field(default_factory=list)

        at = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
        if window_end:
            at = window_end - datetime.timedelta(hours=30)
        found = run_ids or (["r1"] if window_start <= at else [])
        return [Run(run, at) for run in found][offset:offset + limit]"#;

fn in_python() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    sandbox
        .bowline_with_python(&["new", "nights", "--pipeline", "--lang", "python"])
        .exits(exit_code::OK);
    fill_in(&sandbox);
    let first = sandbox
        .bowline_with_python(&["inspect", "nights"])
        .exits(exit_code::FELL_SHORT);
    assert!(
        first
            .stderr
            .contains("fetch_metadata in connector.py does not read the orchestrator yet"),
        "{}",
        first.said()
    );
    let file = "etl_connectors/nights/connector.py";
    let code = sandbox
        .read(file)
        .replace(
            "raise NotImplementedError(\"fetch_metadata in connector.py does not read the orchestrator yet\")",
            "return [{\"job_source_id\": str(n), \"name\": \"job %d\" % n} for n in range(offset, min(offset + limit, 250))]",
        )
        .replace(
            "raise NotImplementedError(\"fetch_run_details in connector.py does not read the orchestrator yet\")",
            RUNS,
        );
    sandbox.write(file, &code);
    // The vendor's words are found before the manifest maps any, with lines to paste.
    let unmapped = sandbox
        .bowline_with_python(&["inspect", "nights"])
        .exits(exit_code::FELL_SHORT);
    let line = "\"RUNNING\": \"in_progress\"";
    assert!(unmapped.stderr.contains(line), "{}", unmapped.said());
    let whole = sandbox
        .bowline_with_python(&["test", "nights"])
        .exits(exit_code::INVALID);
    assert!(
        whole.stderr.contains("it maps no word") && whole.stderr.contains("bowline inspect nights"),
        "{}",
        whole.said()
    );
    let manifest = "etl_connectors/nights/manifest.json";
    let pasted = sandbox.read(manifest).replace(
        "\"run_status_mapping\": {}",
        &format!("\"run_status_mapping\": {{{line}}}"),
    );
    sandbox.write(manifest, &pasted);
    let shown = sandbox
        .bowline_with_python(&[
            "inspect", "nights", "--asset", "job 249", "--format", "json",
        ])
        .exits(exit_code::OK);
    let document = shown.json();
    assert_eq!(
        document["asset"],
        json!({"job_source_id": "249", "name": "job 249"})
    );
    assert_eq!(document["run"]["status"], "in_progress");
    assert_eq!(document["run"]["raw_status"], "RUNNING");
    assert!(
        shown.stderr.contains("looking at the last week"),
        "{}",
        shown.said()
    );
    let asked = sandbox
        .bowline_with_python(&["inspect", "nights", "--run", "r7", "--format", "json"])
        .exits(exit_code::OK);
    let document = asked.json();
    assert_eq!(
        document["run"],
        json!({
            "run_source_id": "r7", "event_time": "2026-01-01T00:00:00+00:00", "job_source_id": "1",
            "status": "in_progress", "raw_status": "RUNNING"
        })
    );
    let none = sandbox
        .bowline_with_python(&["inspect", "nights", "--asset", "none"])
        .exits(exit_code::INCONCLUSIVE);
    assert!(
        none.stderr.contains("no job was found among 250"),
        "{}",
        none.said()
    );
    let traced = sandbox
        .bowline_with_python(&["inspect", "nights", "--trace"])
        .exits(exit_code::USAGE);
    assert!(
        traced.stderr.contains("sends its own requests"),
        "{}",
        traced.said()
    );
    Ok(())
}

fn fill_in(sandbox: &Sandbox) {
    sandbox.write(
        "etl_connectors/nights/credentials.json",
        r#"{"connect_args": {"api_url": "http://127.0.0.1:1", "api_key": "k"}}"#,
    );
}

fn in_rust() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    sandbox
        .bowline(&["new", "nights", "--pipeline", "--lang", "rust"])
        .exits(exit_code::OK);
    fill_in(&sandbox);
    let project = sandbox.work().join("etl_connectors/nights");
    build_rust(&project)?;
    let shown = sandbox
        .bowline(&["inspect", "nights"])
        .exits(exit_code::FELL_SHORT);
    assert!(
        shown
            .stderr
            .contains("`fetch_metadata` in src/main.rs does not read http://127.0.0.1:1 yet"),
        "{}",
        shown.said()
    );
    Ok(())
}

/// A vendor's OpenAPI document, and the vendor.
const OPENAPI: &str = include_str!("../fixtures/openapi/vendor.yaml");

fn builder(request: &Request) -> Answer {
    if request.headers.get("x-key").map(String::as_str) != Some("open-sesame") {
        return Answer::new(401, json!({"error": "no key"}));
    }
    let build = |id: u32| {
        json!({
            "id": id, "pipeline_id": 3, "state": "BROKEN", "message": "out of paint",
            "started_at": "2026-01-31T06:00:00Z", "finished_at": "2026-01-31T06:05:00Z"
        })
    };
    match request.path.as_str() {
        "/v1/pipelines" => {
            let all: Vec<Value> = (1..=3)
                .map(|id| json!({"id": id, "name": format!("pipeline {id}"), "cron": "0 6 * * *", "paused": false}))
                .collect();
            let offset = request.number("offset").unwrap_or(0);
            let limit = request.number("limit").unwrap_or(2).min(2);
            let page: Vec<&Value> = all.iter().skip(offset).take(limit).collect();
            Answer::new(200, json!(page))
        }
        "/v1/builds/77" => Answer::new(200, build(77)),
        _ => Answer::new(404, json!({})),
    }
}

fn openapi() -> Result<(), Failed> {
    let vendor = HttpServer::start(builder)?;
    let sandbox = Sandbox::new();
    sandbox.write("vendor.yaml", OPENAPI);
    let new = sandbox
        .bowline(&["new", "nights", "--pipeline", "--openapi", "vendor.yaml"])
        .exits(exit_code::OK);
    assert!(
        new.stderr
            .contains("jobs from `GET /v1/pipelines`, runs from `GET /v1/builds`"),
        "{}",
        new.said()
    );
    let manifest: Value =
        serde_json::from_str(&sandbox.read("etl_connectors/nights/manifest.json"))?;
    // What nobody has confirmed is offered, and maps nothing.
    assert_eq!(manifest["run_status_mapping"], json!({}));
    let file = "etl_connectors/nights/connector.toml";
    for guess in [
        "#       \"RUNNING\": \"in_progress\",",
        "#       \"BROKEN\": \"unknown\"",
    ] {
        assert!(sandbox.read(file).contains(guess), "{guess}");
    }
    let mut manifest = manifest;
    manifest["run_status_mapping"] =
        json!({"RUNNING": "in_progress", "PASSED": "unknown", "BROKEN": "failed"});
    sandbox.write("etl_connectors/nights/manifest.json", &manifest.to_string());
    let reviewed = sandbox
        .read(file)
        .replace("['failed', 'error']", "['broken']");
    sandbox.write(file, &reviewed);
    sandbox.write(
        "etl_connectors/nights/credentials.json",
        &json!({"connect_args": {"api_url": vendor.url(), "api_key": "open-sesame"}}).to_string(),
    );
    let shown = sandbox
        .bowline(&[
            "inspect", "nights", "--asset", "3", "--run", "77", "--format", "json", "--trace",
        ])
        .exits(exit_code::OK);
    let document = shown.json();
    assert_eq!(
        document["asset"],
        json!({
            "job_source_id": "3", "name": "pipeline 3", "is_paused": false,
            "schedule": {"kind": "cron", "cron_expression": "0 6 * * *"}
        })
    );
    let run = &document["run"];
    assert_eq!(
        [
            &run["job_source_id"],
            &run["run_source_id"],
            &run["status"],
            &run["event_time"]
        ],
        ["3", "77", "failed", "2026-01-31T06:05:00Z"]
    );
    assert_eq!(run["error"]["message"], "out of paint");
    let fields = document["explained"]["asset"]["fields"].as_array().unwrap();
    let cron = fields
        .iter()
        .find(|field| field["field"] == "schedule.cron_expression");
    let cron = cron.ok_or("the cron expression is not explained")?;
    assert_eq!(cron["expression"], "record.cron");
    assert_eq!(cron["values"], json!(["0 6 * * *"]));
    let line = cron["line"].as_u64().unwrap() as usize;
    assert!(
        reviewed
            .lines()
            .nth(line - 1)
            .unwrap()
            .contains("record.cron")
    );
    for traced in [
        "/v1/pipelines?limit=2&offset=0 → 200,",
        "page 2,",
        "/v1/builds/77 → 200,",
    ] {
        assert!(
            shown.stderr.contains(traced),
            "no `{traced}` in\n{}",
            shown.said()
        );
    }
    let test = sandbox.bowline(&["test", "nights", "--verbose"]);
    assert!(
        test.stderr
            .contains("/v1/pipelines?limit=2&offset=0 → 200,"),
        "{}",
        test.said()
    );
    Ok(())
}

fn nothing_recent() -> Result<(), Failed> {
    let vendor = HttpServer::start(|request| match request.path.as_str() {
        "/jobs" | "/runs" => Answer::new(200, json!({"items": []})),
        _ => Answer::new(404, json!({})),
    })?;
    let sandbox = Sandbox::new();
    sandbox
        .bowline(&["new", "nights", "--pipeline"])
        .exits(exit_code::OK);
    sandbox.write(
        "etl_connectors/nights/credentials.json",
        &json!({"connect_args": {"api_url": vendor.url(), "api_key": "k"}}).to_string(),
    );
    let shown = sandbox
        .bowline(&["inspect", "nights"])
        .exits(exit_code::INCONCLUSIVE);
    for said in [
        "looking at the last day",
        "looking at the last thirty days",
        "no job was found among 0",
        "no run was found among 0",
    ] {
        assert!(
            shown.stderr.contains(said),
            "no `{said}` in\n{}",
            shown.said()
        );
    }
    Ok(())
}

/// A vendor that gives a token for a password, and answers with both of them.
const GUARDED: &str = r#"
version = 1
[http]
base_url = "{{ credentials.api_url }}"
[http.auth]
kind = "login"
request = { path = "/login", json = { user = "{{ credentials.username }}", password = "{{ credentials.password }}" } }
token = "response.value"
[sources.jobs]
path = "/jobs"
query = { sig = "{{ credentials.password }}" }
records = "response.items"
pages = { style = "link", next = "headers['x-next'] | default(none)" }
key = "record.id"
[sources.runs]
path = "/runs"
json = { since = "{{ window.start }}", sig = "{{ credentials.password }}" }
records = "response"
key = "record.id"
[assets]
from = "jobs"
fields = { job_source_id = "record.id", name = "record.name" }
[runs]
from = "runs"
[runs.fields]
job_source_id = "'1'"
run_source_id = "record.id"
status = "'success'"
event_time = "window.start"
end_time = "window.start"
properties = [{ key = "'echo'", value = "record.echo" }]
"#;

fn save_and_replay() -> Result<(), Failed> {
    let password = format!("{MARK}/pass word");
    let token = format!("{MARK}-token-1");
    let (known, issued) = (password.clone(), token.clone());
    let vendor = HttpServer::start(move |request| {
        if request.path == "/login" {
            let mut answer = Answer::new(
                200,
                json!({"value": issued, "again": issued, "client_secret": MARK}),
            );
            answer
                .headers
                .push(("set-cookie", format!("session={MARK}")));
            return answer;
        }
        if request.headers.get("authorization") != Some(&format!("Bearer {issued}")) {
            return Answer::new(401, json!({}));
        }
        match request.path.as_str() {
            "/jobs" if request.query.get("page").is_some_and(|page| page == "2") => Answer::new(
                200,
                json!({"items": [{"id": "2", "name": format!("with {known}")}]}),
            ),
            "/jobs" => {
                let mut answer = Answer::new(200, json!({"items": [{"id": "1", "name": "first"}]}));
                answer.headers.push(("x-next", "/jobs?page=2".to_owned()));
                answer.headers.push(("x-other", MARK.to_owned()));
                answer
            }
            _ => Answer::new(200, json!([{"id": "r1", "echo": known, "seen": issued}])),
        }
    })?;
    let sandbox = Sandbox::new();
    sandbox
        .bowline(&["new", "nights", "--pipeline"])
        .exits(exit_code::OK);
    sandbox.write("etl_connectors/nights/connector.toml", GUARDED);
    sandbox.write(
        "etl_connectors/nights/credentials.json",
        &json!({"connect_args": {"api_url": vendor.url(), "username": "ann", "password": password}}).to_string(),
    );
    sandbox.write(
        "etl_connectors/nights/manifest.json",
        r#"{"connection_type": "custom-etl-connector-abc1234", "connection_name": "x", "asset_class": "etl", "run_status_mapping": {"success": "success"}}"#,
    );
    let wanted = [
        "inspect", "nights", "--asset", "2", "--format", "json", "--trace",
    ];
    let with = |more: &[&str]| sandbox.bowline(&[&wanted[..], more].concat());
    let live = with(&["--save", "recorded"]).exits(exit_code::OK);
    assert!(
        live.stderr.contains("saved 4 exchanges in `recorded`"),
        "{}",
        live.said()
    );
    assert!(
        live.stderr.contains("/jobs?sig=*** → 200,"),
        "{}",
        live.said()
    );
    let login = sandbox.read("recorded/0001.json");
    assert!(login.contains("***") && login.contains("ann"), "{login}");
    sandbox.assert_clean();
    with(&["--save", "recorded"]).exits(exit_code::USAGE);

    drop(vendor);
    sandbox.write("etl_connectors/nights/credentials.json", "gone");
    let replayed = with(&["--replay", "recorded"]).exits(exit_code::OK);
    assert_eq!(replayed.stdout, live.stdout);
    let document = replayed.json();
    assert_eq!(document["asset"]["name"], "with ***");
    assert_eq!(document["run"]["properties"][0]["value"], "***");
    let changed = GUARDED.replace("path = \"/jobs\"", "path = \"/all-jobs\"");
    sandbox.write("etl_connectors/nights/connector.toml", &changed);
    for more in [&[][..], &["--run", "r9"]] {
        let missing =
            with(&[&["--replay", "recorded"], more].concat()).exits(exit_code::FELL_SHORT);
        assert!(
            missing
                .stderr
                .contains("the recording `recorded` has no answer to this request"),
            "{}",
            missing.said()
        );
    }
    Ok(())
}
