//! `bowline test` on pipeline connectors: described, in Python and in Rust, all through the same suite.

use bowline_contract::exit_code;
use jiff::{SignedDuration, Timestamp};
use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use crate::connector::{build_rust, checks_with, simulated};
use crate::needs::{Need, trial};
use crate::sandbox::{MARK, Sandbox};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("pipelines/described", &[], described),
        trial("pipelines/python", &[Need::Python], in_python),
        trial("pipelines/python_mistakes", &[Need::Python], mistakes),
        trial("pipelines/not_json", &[Need::Python], not_json),
        trial("pipelines/witness", &[Need::Python], witness),
        trial("pipelines/rust", &[], in_rust),
        trial("pipelines/out_of_reach", &[], out_of_reach),
        trial("pipelines/usage", &[], usage),
    ]
}

const NAME: &str = "nights";

fn described() -> Result<(), Failed> {
    let (sandbox, _server) = simulated(NAME)?;
    let folder = format!("etl_connectors/{NAME}");

    let ran = sandbox.bowline_with_python(&["test", NAME, "--format", "json"]);
    let found = ran.json();
    assert_eq!(
        checks_with(&found, "wrong"),
        Vec::<String>::new(),
        "{}",
        ran.said()
    );
    assert_eq!(checks_with(&found, "blocked"), Vec::<String>::new());
    assert!(
        checks_with(&found, "supported").len() > 15,
        "{}",
        ran.said()
    );
    assert_eq!(found["asset_class"], "etl");
    assert_eq!(found["features"].as_array().map(Vec::len), Some(17));
    assert!(!ran.stdout.contains(bowline_simulator::SECRET));

    // A status that the manifest does not map is the connector's fault.
    let mut manifest = bowline_simulator::manifest();
    let mapping = manifest["run_status_mapping"]
        .as_object_mut()
        .expect("a mapping");
    mapping.remove("SUCCEEDED");
    sandbox.write(format!("{folder}/manifest.json"), &manifest.to_string());
    let ran = sandbox
        .bowline_with_python(&["test", NAME, "-m", "etl_run_details"])
        .exits(exit_code::FELL_SHORT);
    let first = ran.stdout.lines().next().unwrap_or_default();
    assert_eq!(
        first,
        "✗ etl_run_details/statuses is wrong",
        "{}",
        ran.said()
    );
    assert!(ran.stdout.contains("`SUCCEEDED`, seen "), "{}", ran.said());
    assert!(
        ran.stdout
            .contains("next: mend what etl_run_details/statuses tells, then run `bowline test nights -m etl_run_details`"),
        "{}",
        ran.said()
    );
    Ok(())
}

/// A vendor in a file: a run a line, its id, job, status, start and end.
fn runs() -> String {
    let now = Timestamp::from_second(Timestamp::now().as_second()).expect("a whole second");
    let at = |minutes: i64| now - SignedDuration::from_mins(minutes);
    let ended = (1..=60).map(|number| {
        let end = number * 17;
        let status = if number % 7 == 0 { "BAD" } else { "GOOD" };
        let job = number % 3;
        format!(
            "run-{number:03} job-{job} {status} {} {}\n",
            at(end + 5),
            at(end)
        )
    });
    ended
        .chain([format!("run-000 job-1 RUNNING {} -\n", at(10))])
        .collect()
}

/// A sandbox with a new connector in a language, its manifest and the vendor's file.
fn stage(language: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox
        .bowline_with_python(&["new", NAME, "--pipeline", "--lang", language])
        .exits(exit_code::OK);
    sandbox.write("runs.txt", &runs());
    let file = sandbox.work().join("runs.txt");
    let credentials = json!({"connect_args": {"api_url": file, "api_key": format!("{MARK}-key")}});
    sandbox.write(
        format!("etl_connectors/{NAME}/credentials.json"),
        &credentials.to_string(),
    );
    let path = format!("etl_connectors/{NAME}/manifest.json");
    let mut manifest: Value = serde_json::from_str(&sandbox.read(&path)).expect("a manifest");
    manifest["run_status_mapping"] =
        json!({"GOOD": "success", "BAD": "failed", "RUNNING": "in_progress"});
    sandbox.write(&path, &manifest.to_string());
    sandbox
}

const PYTHON: &str = r#"
from datetime import datetime


class Connector:
    def setup_connection(self):
        with open(self.credentials["api_url"]) as file:
            self.lines = [line.split() for line in file]

    def fetch_metadata(self, limit, offset):
        jobs = [{"job_source_id": "job-%d" % n, "name": "Job %d" % n} for n in range(3)]
        return jobs[offset:offset + limit]

    def fetch_run_details(self, run_ids=None, window_start=None, window_end=None, limit=100, offset=0):
        if run_ids is None and (window_start is None or window_end is None):
            raise ValueError("either run_ids, or both window_start and window_end, must be given")
        runs = [self.run(*line) for line in self.lines]
        if run_ids is not None:
            runs = [run for run in runs if run["run_source_id"] in run_ids]
        else:
            runs = [run for run in runs if window_start <= run["event_time"] < window_end]
        return runs[offset:offset + limit]

    def run(self, run_id, job, status, start, end):
        start = datetime.fromisoformat(start.replace("Z", "+00:00"))
        run = {
            "job_source_id": job, "run_source_id": run_id, "status": status,
            "start_time": start, "event_time": start,
        }
        if end != "-":
            run["end_time"] = run["event_time"] = datetime.fromisoformat(end.replace("Z", "+00:00"))
        if status == "BAD":
            run["error"] = {"message": ["no space left", "no such table"][int(run_id[-1]) % 2]}
        return run
"#;

fn in_python() -> Result<(), Failed> {
    let sandbox = stage("python");
    sandbox.write(format!("etl_connectors/{NAME}/connector.py"), PYTHON);
    proven(&sandbox);
    // What nobody calls is told, and costs no verdict.
    let path = format!("etl_connectors/{NAME}/connector.py");
    let close = "\n    def close_conection(self):\n        pass\n";
    sandbox.write(&path, &format!("{PYTHON}{close}"));
    let told = sandbox
        .bowline_with_python(&["test", NAME])
        .exits(exit_code::OK);
    for expected in [
        "the agent does not call `close_conection`",
        "hint: did you mean `close_connection`?",
    ] {
        assert!(told.stderr.contains(expected), "{}", told.said());
    }
    // Helpers have names like it, and what else stands in a class answers as it likes.
    let others = "
    class Lazy:
        def __getattr__(self, name):
            raise RuntimeError('not yet')
        def __call__(self):
            pass
    lazy = Lazy()
    def open_connection(self):
        pass
    def check_connection(self):
        pass
    def get_connection(self):
        pass
    def reset_connection(self):
        pass
    @staticmethod
    def close_conection():
        pass
    @property
    def closed(self):
        return self.close_conection()
";
    sandbox.write(&path, &format!("{PYTHON}{others}"));
    let told = sandbox
        .bowline_with_python(&["test", NAME])
        .exits(exit_code::OK);
    assert!(!told.stderr.contains("does not call"), "{}", told.said());
    let renamed = PYTHON.replace("def fetch_metadata", "def fetch_job");
    sandbox.write(&path, &format!("{renamed}{others}"));
    let told = sandbox.bowline_with_python(&["test", NAME]);
    assert_ne!(told.exit, Some(exit_code::OK), "{}", told.said());
    for expected in [
        "the agent does not call `fetch_job`",
        "hint: did you mean `fetch_metadata`?",
    ] {
        assert!(told.stderr.contains(expected), "{}", told.said());
    }
    sandbox.write(&path, PYTHON);
    let junit = sandbox
        .bowline_with_python(&["test", NAME, "--format", "junit"])
        .exits(exit_code::OK);
    assert!(
        junit
            .stdout
            .contains("<testsuite name=\"etl_run_details\" tests=\"17\""),
        "{}",
        junit.stdout
    );
    let exported = sandbox
        .bowline_with_python(&["export", NAME])
        .exits(exit_code::USAGE);
    assert!(
        exported
            .stderr
            .contains("export is for warehouse connectors: `nights` is a pipeline connector"),
        "{}",
        exported.said()
    );
    sandbox.assert_clean();
    Ok(())
}

/// The whole suite finds a connector over the vendor's file right.
#[track_caller]
fn proven(sandbox: &Sandbox) {
    let ran = sandbox
        .bowline_with_python(&["test", NAME, "--format", "json"])
        .exits(exit_code::OK);
    let found = ran.json();
    assert_eq!(checks_with(&found, "supported").len(), 25, "{}", ran.said());
    let human = sandbox
        .bowline_with_python(&["test", NAME])
        .exits(exit_code::OK);
    assert!(
        human
            .stdout
            .starts_with("✓ nights: 25 supported of 25 checks, "),
        "{}",
        human.said()
    );
    assert!(
        human
            .stdout
            .contains("✓ run_error                       yes"),
        "{}",
        human.said()
    );
    assert!(
        human
            .stdout
            .contains("- metadata_owner                  no       none of 3 jobs"),
        "{}",
        human.said()
    );
}

fn mistakes() -> Result<(), Failed> {
    let sandbox = stage("python");
    let file = format!("etl_connectors/{NAME}/connector.py");
    for (right, wrong, check) in [
        (
            "return runs[offset:offset + limit]",
            "return runs[:limit]",
            "etl_run_details/pages",
        ),
        ("< window_end", "<= window_end", "etl_run_details/bounds"),
        (
            "window_start <= run",
            "window_start < run",
            "etl_run_details/bounds",
        ),
        (
            "if run_ids is not None:",
            "if False:",
            "etl_run_details/by_id",
        ),
        (
            "raise ValueError",
            "return [] # ",
            "etl_run_details/no_query",
        ),
        ("run[\"end_time\"] = run", "run", "etl_run_details/valid"),
        (
            "return jobs[offset:offset + limit]",
            "return jobs[:limit]",
            "etl_metadata/pages",
        ),
    ] {
        let code = PYTHON.replace(right, wrong);
        assert_ne!(code, PYTHON, "{right}");
        sandbox.write(&file, &code);
        let ran = sandbox
            .bowline_with_python(&["test", NAME, "--format", "json"])
            .exits(exit_code::FELL_SHORT);
        let found = checks_with(&ran.json(), "wrong");
        assert!(
            found.iter().any(|one| one == check),
            "{wrong}: {found:?}\n{}",
            ran.said()
        );
    }
    Ok(())
}

/// One event with values that JSON does not have is one dead letter that names them; the others are collected.
/// What a connector in Python parses is heard, and what it makes of it is compared with that.
fn witness() -> Result<(), Failed> {
    let read = "runs = [self.run(*line) for line in self.lines]";
    let names = r#"names = ("id", "job", "result", "begun_at", "ended_at")"#;
    let json = r#"
        answer = __import__("json").dumps({"runs": [dict(zip(names, line)) for line in self.lines]})
        records = __import__("json").loads(answer)["runs"]"#;
    let xml = r#"
        fields = lambda line: "".join(f"<{name}>{value}</{name}>" for name, value in zip(names, line))
        answer = "".join(f"<run>{fields(line)}</run>" for line in self.lines)
        records = [{field.tag: field.text for field in run} for run in ElementTree.XML(f"<runs>{answer}</runs>")]"#;
    for heard in [json, xml] {
        let runs = "runs = [self.run(*record.values()) for record in records]";
        let right = PYTHON.replace(read, &format!("{names}{heard}\n        {runs}"));
        let right = format!("from xml.etree import ElementTree\n{right}");
        let of_the_next = "dict(record, job=next[\"job\"]).values()) for record, next in zip(records, records[1:] + records[:1])";
        let wrong = right.replace("record.values()) for record in records", of_the_next);
        assert!(right.contains(names) && wrong != right);
        let (fine, bad) = (exit_code::OK, exit_code::FELL_SHORT);
        for (code, verdict, exit) in [(right, "supported", fine), (wrong, "wrong", bad)] {
            let sandbox = stage("python");
            sandbox.write(format!("etl_connectors/{NAME}/connector.py"), &code);
            let ran = sandbox.bowline_with_python(&["test", NAME, "--format", "json"]);
            let ran = ran.exits(exit);
            let found = checks_with(&ran.json(), verdict);
            let id = "etl_run_details/vendor".to_owned();
            assert!(found.contains(&id), "{verdict}: {}", ran.said());
        }
    }
    Ok(())
}

fn not_json() -> Result<(), Failed> {
    let page = "return runs[offset:offset + limit]";
    for (value, member, found) in [
        ("__import__('decimal').Decimal('1.5')", "", "Decimal"),
        ("b'x'", "", "bytes"),
        ("{1, 2}", "", "set"),
        ("float('nan')", "", "nan"),
        ("'a\\udc00'", "", "text that is not Unicode"),
        ("{__import__('decimal').Decimal('15'): 1}", ".15", "Decimal"),
        ("{(1, 2): 1}", ".(1, 2)", "tuple"),
    ] {
        let sandbox = stage("python");
        let odd = format!(
            "runs[:1] = [dict(run, attributes={{'costs': [{value}]}}) for run in runs[:1]]; {page}"
        );
        let code = PYTHON.replace(page, &odd);
        assert_ne!(code, PYTHON);
        sandbox.write(format!("etl_connectors/{NAME}/connector.py"), &code);
        let collect = [
            "collect",
            NAME,
            "--since",
            "24h",
            "--output",
            "events.jsonl",
        ];
        let ran = sandbox
            .bowline_with_python(&collect)
            .exits(exit_code::FELL_SHORT);
        let words = format!(
            "1 new dead letter; the first: `attributes.costs.0{member}`: `{found}` is none of JSON's types"
        );
        assert!(ran.stderr.contains(&words), "{}", ran.said());
        let events = sandbox.read("events.jsonl");
        assert!(events.contains("\"run\""), "{events}");
    }
    Ok(())
}

const RUST: &str = r#"
use std::process::ExitCode;

use bowline_sdk::{
    Credentials, Error, ErrorKind, Json, Page, Pipeline, PipelineSession, Wanted, json, pipeline,
};

struct Connector;

struct Session {
    lines: Vec<String>,
}

impl Pipeline for Connector {
    type Session = Session;

    fn name(&self) -> &str {
        "nights"
    }

    fn setup(&self, credentials: &Credentials) -> Result<Session, Error> {
        let text = std::fs::read_to_string(credentials.text("api_url")?)
            .map_err(|error| Error::new(ErrorKind::Connection, error.to_string()))?;
        let lines = text.lines().map(str::to_owned).collect();
        Ok(Session { lines })
    }
}

fn page_of(events: impl Iterator<Item = Json>, page: Page) -> Vec<Json> {
    events.skip(page.offset as usize).take(page.limit as usize).collect()
}

fn run(line: &str) -> Json {
    let words: Vec<&str> = line.split(' ').collect();
    let [id, job, status, start, end] = words[..] else { return Json::Null };
    let at = if end == "-" { start } else { end };
    let mut run = json!({
        "job_source_id": job, "run_source_id": id, "status": status, "start_time": start, "event_time": at,
    });
    if end != "-" {
        run["end_time"] = json!(end);
    }
    if status == "BAD" {
        let reason = if id.ends_with(['1', '3', '5', '7', '9']) { "no such table" } else { "no space left" };
        run["error"] = json!({"message": reason});
    }
    run
}

impl PipelineSession for Session {
    fn fetch_metadata(&mut self, page: Page) -> Result<Vec<Json>, Error> {
        let jobs = (0..3).map(|n| json!({"job_source_id": format!("job-{n}"), "name": format!("Job {n}")}));
        Ok(page_of(jobs, page))
    }

    fn fetch_run_details(&mut self, wanted: &Wanted, page: Page) -> Result<Vec<Json>, Error> {
        let runs = self.lines.iter().map(|line| run(line));
        let asked = runs.filter(|run| match wanted {
            Wanted::Ids(ids) => ids.iter().any(|id| run["run_source_id"] == id.as_str()),
            Wanted::Window { start, end } => {
                let at = run["event_time"].as_str().unwrap_or_default().trim_end_matches('Z');
                start.trim_end_matches('Z') <= at && at < end.trim_end_matches('Z')
            }
        });
        Ok(page_of(asked, page))
    }
}

fn main() -> ExitCode {
    pipeline::serve(Connector)
}
"#;

fn in_rust() -> Result<(), Failed> {
    let sandbox = stage("rust");
    sandbox.write(format!("etl_connectors/{NAME}/src/main.rs"), RUST);
    let project = sandbox.work().join("etl_connectors").join(NAME);
    build_rust(&project)?;
    proven(&sandbox);
    Ok(())
}

fn out_of_reach() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    sandbox
        .bowline_with_python(&["new", NAME, "--pipeline", "--like", "prefect"])
        .exits(exit_code::OK);
    let credentials = json!({"connect_args": {
        "api_url": "http://127.0.0.1:1/api", "username": "u", "password": format!("{MARK}-word"),
    }});
    sandbox.write(
        format!("etl_connectors/{NAME}/credentials.json"),
        &credentials.to_string(),
    );
    let ran = sandbox
        .bowline_with_python(&["test", NAME])
        .exits(exit_code::UNREACHABLE);
    assert!(
        ran.stderr.contains("error: cannot reach the vendor"),
        "{}",
        ran.said()
    );
    Ok(())
}

fn usage() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    sandbox
        .bowline_with_python(&["new", NAME, "--pipeline", "--like", "dagster"])
        .exits(exit_code::OK);
    for (args, told) in [
        (&["-m", "metadat"][..], "hint: did you mean `etl_metadata`?"),
        (&["--jobs", "4"], "error: `--jobs` is for databases"),
    ] {
        let args = [&["test", NAME], args].concat();
        let ran = sandbox.bowline_with_python(&args).exits(exit_code::USAGE);
        assert!(ran.stderr.contains(told), "{}", ran.said());
    }
    let mut command = sandbox.command(&["test", NAME]);
    command.env("ETL_TEST_WINDOW_HOURS", "a week");
    let ran = sandbox.finish(&mut command, None).exits(exit_code::USAGE);
    assert!(
        ran.stderr
            .contains("error: `ETL_TEST_WINDOW_HOURS` is no number of hours: `a week`"),
        "{}",
        ran.said()
    );
    Ok(())
}
