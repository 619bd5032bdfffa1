//! A vendor in a thread: answers requests with a function, and writes down what it was asked.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

use bowline_connector::Credentials;
use bowline_contract::pipeline::Window;
use bowline_pipeline::{
    DescribedPipeline, Pipeline as _, PipelineConnector, PipelineKind, RunQuery, SourceError,
    Summary,
};
use bowline_words::Diagnose;
use serde_json::{Value, json};

/// A request as the vendor sees it.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, Vec<String>>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Value,
    /// The body as it came.
    pub(crate) text: String,
}

impl Asked {
    /// A query parameter as a number.
    pub(crate) fn number(&self, name: &str) -> Option<usize> {
        self.query.get(name)?.first()?.parse().ok()
    }
}

/// What the vendor answers.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

pub(crate) fn ok(body: Value) -> Answer {
    status(200, body)
}

pub(crate) fn status(status: u16, body: Value) -> Answer {
    Answer {
        status,
        headers: vec![("content-type", "application/json".to_owned())],
        body: body.to_string().into_bytes(),
    }
}

/// Any bytes, of this type.
pub(crate) fn raw(kind: &str, body: &[u8]) -> Answer {
    Answer {
        status: 200,
        headers: vec![("content-type", kind.to_owned())],
        body: body.to_vec(),
    }
}

impl Answer {
    /// The same with a header more.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

type Respond = dyn Fn(&Asked) -> Option<Answer> + Send + Sync;

pub(crate) struct Vendor {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Vendor {
    /// Starts a vendor on a free port; an answer of nothing leaves the caller waiting.
    pub(crate) fn start(
        respond: impl Fn(&Asked) -> Option<Answer> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        let respond: Arc<Respond> = Arc::new(respond);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, respond) = (Arc::clone(&log), Arc::clone(&respond));
                std::thread::spawn(move || serve(stream, &log, &*respond));
            }
        });
        Self { url, asked }
    }

    /// The requests so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, log: &Mutex<Vec<Asked>>, respond: &Respond) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while let Some(asked) = read_request(&mut reader) {
        log.lock().unwrap().push(asked.clone());
        let Some(answer) = respond(&asked) else {
            // Waits until the caller hangs up.
            let _ = reader.read(&mut [0; 1]);
            return;
        };
        let mut head = format!("HTTP/1.1 {} X\r\n", answer.status);
        for (name, value) in &answer.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\n\r\n", answer.body.len()));
        // In one piece: two would wait for each other's acknowledgement.
        let mut whole = head.into_bytes();
        whole.extend(&answer.body);
        if stream.write_all(&whole).is_err() {
            return;
        }
    }
}

fn read_request(reader: &mut impl BufRead) -> Option<Asked> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end_matches(['\r', '\n']).split_once(": ") else {
            break;
        };
        headers
            .entry(name.to_lowercase())
            .and_modify(|before: &mut String| before.push_str(&format!(" AND {value}")))
            .or_insert_with(|| value.to_owned());
    }
    let length = headers
        .get("content-length")
        .and_then(|text| text.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let (path, text) = target.split_once('?').unwrap_or((&target, ""));
    let mut query: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        query
            .entry(name.to_owned())
            .or_default()
            .push(value.to_owned());
    }
    Some(Asked {
        method,
        path: path.to_owned(),
        query,
        headers,
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
        text: String::from_utf8_lossy(&body).into_owned(),
    })
}

pub(crate) const MANIFEST: &str = r#"{
    "connection_type": "custom-etl-connector-abc1234",
    "connection_name": "Test",
    "asset_class": "etl",
    "run_status_mapping": {"done": "success", "running": "in_progress", "broken": "failed", "broken/late": "timed_out"}
}"#;

/// A source for a vendor, from the text of its `connector.toml`; credentials are `url`, `user` and `secret`.
pub(crate) fn source(url: &str, description: &str) -> DescribedPipeline {
    try_source(url, description).unwrap()
}

pub(crate) const SECRET: &str = "s3cret-Passw0rd";

pub(crate) fn try_source(url: &str, description: &str) -> Result<DescribedPipeline, String> {
    let credentials = json!({"connect_args": {"url": url, "user": "ann", "secret": SECRET}});
    try_loaded(description, &credentials)
}

/// A source with these credentials.
pub(crate) fn loaded(description: &str, credentials: &Value) -> DescribedPipeline {
    try_loaded(description, credentials).unwrap()
}

/// The same, or why it cannot be opened.
pub(crate) fn try_loaded(
    description: &str,
    credentials: &Value,
) -> Result<DescribedPipeline, String> {
    let workspace = tempfile::tempdir().unwrap();
    let dir = workspace.path().join("vendor");
    std::fs::create_dir(&dir).unwrap();
    std::fs::write(dir.join("connector.toml"), description).unwrap();
    std::fs::write(dir.join("manifest.json"), MANIFEST).unwrap();
    let connector = PipelineConnector::load(&dir).map_err(|error| error.diagnose().to_string())?;
    try_open(connector, credentials).map_err(|error| error.to_string())
}

pub(crate) fn open(connector: PipelineConnector, credentials: &Value) -> DescribedPipeline {
    try_open(connector, credentials).unwrap()
}

fn try_open(
    connector: PipelineConnector,
    credentials: &Value,
) -> Result<DescribedPipeline, SourceError> {
    let credentials =
        Credentials::parse(Path::new("credentials.json"), &credentials.to_string()).unwrap();
    let PipelineKind::Described(description) = connector.kind else {
        panic!("not described");
    };
    DescribedPipeline::new(
        connector.manifest,
        *description,
        &credentials,
        Arc::default(),
    )
}

pub(crate) fn window(start: &str, end: &str) -> RunQuery {
    RunQuery::Window(Window {
        start: start.parse().unwrap(),
        end: end.parse().unwrap(),
    })
}

/// A window that holds everything.
pub(crate) fn always() -> RunQuery {
    window("2000-01-01T00:00:00Z", "2100-01-01T00:00:00Z")
}

pub(crate) fn runs(
    source: &DescribedPipeline,
    query: &RunQuery,
) -> Result<(Vec<Value>, Summary), SourceError> {
    let mut events = Vec::new();
    let summary = source.runs(query, None, &mut |event| events.push(event.into_json()))?;
    Ok((events, summary))
}

pub(crate) fn ids(events: &[Value]) -> Vec<String> {
    let id = |event: &Value| event["run_source_id"].as_str().unwrap().to_owned();
    events.iter().map(id).collect()
}

/// A description with one source of runs, and what `[http]` has beside the base address.
pub(crate) fn described(http: &str, runs: &str) -> String {
    format!(
        r#"
version = 1
[http]
base_url = "{{{{ credentials.url }}}}/api"
{http}
[sources.jobs]
path = "/jobs"
[sources.runs]
{runs}
[assets]
from = "jobs"
[assets.fields]
job_source_id = "record.id"
[runs]
from = "runs"
[runs.fields]
run_source_id = "record.id"
event_time = "'2026-01-01T00:00:00Z'"
"#
    )
}

/// The ids of the runs that a described vendor gives.
pub(crate) fn run_ids(
    vendor: &Vendor,
    http: &str,
    sources: &str,
) -> Result<Vec<String>, SourceError> {
    let source = source(&vendor.url, &described(http, sources));
    runs(&source, &always()).map(|(events, _)| ids(&events))
}

/// A list of two runs.
pub(crate) fn two() -> Answer {
    ok(json!([{"id": "a"}, {"id": "b"}]))
}

/// A described vendor whose runs come from a source that is written so; what else there is does not matter.
pub(crate) fn description(source: &str) -> String {
    format!(
        r#"
version = 1
[http]
base_url = "{{{{ credentials.url }}}}"
limits = {{ retries = 0, timeout_seconds = 10 }}
[sources.jobs]
path = "/jobs"
[sources.runs]
key = "record.id"
{source}
[assets]
from = "jobs"
fields = {{ job_source_id = "record.id", name = "record.id" }}
[runs]
from = "runs"
[runs.fields]
job_source_id = "'job'"
run_source_id = "record.id"
status = "'done'"
event_time = "'2026-01-01T00:00:00Z'"
end_time = "'2026-01-01T00:00:00Z'"
"#
    )
}
