//! How vendors are described, and what they answer.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bowline_connector::Credentials;
use bowline_contract::pipeline::{PipelineManifest, Window, validate_assets, validate_runs};
use bowline_pipeline::description::{self, File};
use bowline_pipeline::{
    DescribedPipeline, Incoming, Outgoing, Pipeline, Proposal, RunQuery, SourceErrorKind,
    Transport, TransportError,
};
use bowline_simulator::{ADDRESS, InProcess, Scenario, Vendor};
use jiff::Timestamp;

use super::{text, told};
use crate::Target;
use crate::seeds::{bytes, files, files_in_cases};

pub(super) static DESCRIPTION: Target = Target {
    name: "description",
    about: "connector.toml of pipeline connectors",
    run: |input| {
        let parsed = description::parse(Path::new("connector.toml"), &text(input));
        told(parsed.map(|file| format!("{file:?}")))
    },
    seeds: || {
        let examples = files("examples", "connector.toml");
        let simulated =
            (0..20).map(|seed| bowline_simulator::description(&Scenario::of_seed(seed)));
        bytes(
            [
                examples,
                simulated.collect(),
                files_in_cases("connector.toml"),
            ]
            .concat(),
        )
    },
    words: &[
        "version = 1",
        "\n[http]\n",
        "base_url = ",
        "auth = { kind = \"header\" }",
        "\n[http.limits]\n",
        "retries = ",
        "timeout = ",
        "reject = [{ when = ",
        "\n[sources.jobs]\n",
        "path = ",
        "query = {",
        "json = {",
        "graphql = ",
        "records = ",
        "pages = { style = \"cursor\" }",
        "\"offset\"",
        "\"link\"",
        "size = ",
        "next = ",
        "for_each = { source = \"jobs\" }",
        "batch = ",
        "key = ",
        "missing = ",
        "\n[assets]\n",
        "from = \"jobs\"",
        "\n[assets.fields]\n",
        "name = \"record.name\"",
        "\n[runs]\n",
        "also = [",
        "by_id = ",
        "when = ",
        "\n[runs.fields]\n",
        "let = {",
        "record",
        "response",
        "headers",
        "credentials",
        "window.start",
        " | time",
        " | default('')",
        " | next_link",
        "{{ ",
        " }}",
        "= ",
        "[",
        "]",
        "{",
        "}",
        "\"",
        "'''",
        "\n",
    ],
};

/// A vendor that gives the answers in an input, one after the other, and then is not there any more. No time passes
/// but what is waited.
struct Recorded {
    answers: Mutex<std::vec::IntoIter<Incoming>>,
    waited: AtomicU64,
}

/// What parts the answers in an input.
const BETWEEN: &str = "\n===\n";

/// The word that the first line of an input begins with; then comes the seed of the vendor.
const SEED: &str = "vendor ";

impl Transport for Recorded {
    fn exchange(&self, _: &Outgoing) -> Result<Incoming, TransportError> {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.next().ok_or_else(|| TransportError {
            kind: SourceErrorKind::Unreachable,
            message: "the recording is over".to_owned(),
        })
    }

    fn now(&self) -> Timestamp {
        let start = Timestamp::UNIX_EPOCH + Duration::from_secs(1_795_000_000);
        start.saturating_add(self.elapsed()).unwrap_or(start)
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.waited.load(Ordering::Relaxed))
    }

    fn sleep(&self, wait: Duration) {
        let wait = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1);
        self.waited.fetch_add(wait, Ordering::Relaxed);
    }
}

/// An answer as it stands in an input: the status, the headers, an empty line, the body.
fn answer(text: &str) -> Incoming {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let status = lines.next().and_then(|status| status.trim().parse().ok());
    let headers = lines.filter_map(|line| line.split_once(": "));
    Incoming {
        status: status.unwrap_or(200),
        headers: headers
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect(),
        body: body.as_bytes().to_vec(),
    }
}

fn source(seed: u64, transport: Arc<dyn Transport>) -> DescribedPipeline {
    let text = bowline_simulator::description(&Scenario::of_seed(seed));
    let file = description::parse(Path::new("connector.toml"), &text);
    let Ok(File::Described(description)) = file else {
        panic!("the simulator describes its vendors: {file:?}");
    };
    let manifest = PipelineManifest::parse(&bowline_simulator::manifest().to_string())
        .expect("the simulator's manifest is right");
    let credentials = bowline_simulator::credentials(ADDRESS);
    let credentials = credentials["connect_args"]
        .as_object()
        .cloned()
        .unwrap_or_default();
    let credentials = Credentials::of_connect_args(credentials);
    let cancel = Arc::new(AtomicBool::new(false));
    DescribedPipeline::over(transport, manifest, *description, &credentials, cancel)
        .expect("the simulator's description fits")
}

/// Reads everything there is, and validates it.
fn read_all(source: &DescribedPipeline) -> String {
    let (mut assets, mut runs) = (Vec::new(), Vec::new());
    let now = Timestamp::UNIX_EPOCH + Duration::from_secs(1_795_000_000);
    let window = RunQuery::Window(Window {
        start: "2020-01-01T00:00:00Z".parse().expect("a time"),
        end: "2030-01-01T00:00:00Z".parse().expect("a time"),
    });
    let first = source.assets(now, None, &mut |asset| assets.push(asset));
    let second = source.runs(&window, None, &mut |run| runs.push(run));
    let mut words = told(first.map(|summary| format!("{summary:?}")));
    words += &told(second.map(|summary| format!("{summary:?}")));
    for error in validate_assets(&assets)
        .into_iter()
        .chain(validate_runs(&runs))
    {
        let _ = write!(words, "{error:?}");
    }
    words
}

pub(super) static VENDOR: Target = Target {
    name: "vendor",
    about: "a vendor's answers: statuses, `Link` and `Retry-After` headers, records",
    run: |input| {
        let text = text(input);
        let (first, answers) = text.split_once('\n').unwrap_or((&text, ""));
        let seed = first.strip_prefix(SEED).and_then(|seed| seed.parse().ok());
        let answers: Vec<Incoming> = answers.split(BETWEEN).map(answer).collect();
        let transport = Recorded {
            answers: Mutex::new(answers.into_iter()),
            waited: AtomicU64::new(0),
        };
        read_all(&source(seed.unwrap_or(0), Arc::new(transport)))
    },
    seeds: || bytes((0..40).map(recording)),
    words: &[
        "\n===\n",
        "200\n",
        "204\n",
        "404\n",
        "429\n",
        "500\n",
        "301\n",
        "link: <http://vendor.invalid/x>; rel=\"next\"",
        "</api/runs?page=2>; rel=next, ",
        "<?a=1>;",
        "rel=\"prev next\"",
        "retry-after: ",
        "Sun, 22 Nov 2026 18:00:00 GMT",
        "date: ",
        "content-type: text/html",
        "location: ",
        "\n\n",
        "{\"items\":[",
        "\"id\":",
        "\"state\":",
        "\"started\":",
        "\"next\":",
        "\"total\":",
        "null",
        "[]",
        "{}",
        "\"2026-11-23T08:00:00Z\"",
        "\"2026-11-23T08:00:00\"",
        "1e18",
        "-1e18",
        "1e400",
        "\"\"",
        "\\u0000",
    ],
};

/// What a simulated vendor answers to a whole reading, as an input.
fn recording(seed: u64) -> String {
    struct Recorder {
        vendor: InProcess,
        text: Mutex<String>,
    }

    impl Transport for Recorder {
        fn exchange(&self, request: &Outgoing) -> Result<Incoming, TransportError> {
            let answer = self.vendor.exchange(request)?;
            let mut text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
            let headers: BTreeMap<_, _> = answer.headers.iter().collect();
            let _ = write!(text, "{}", answer.status);
            for (name, value) in headers {
                let _ = write!(text, "\n{name}: {value}");
            }
            let _ = write!(
                text,
                "\n\n{}{BETWEEN}",
                String::from_utf8_lossy(&answer.body)
            );
            Ok(answer)
        }

        fn now(&self) -> Timestamp {
            self.vendor.now()
        }

        fn elapsed(&self) -> Duration {
            self.vendor.elapsed()
        }

        fn sleep(&self, wait: Duration) {
            self.vendor.sleep(wait);
        }
    }

    let scenario = Scenario {
        runs: 12,
        page: 5,
        ..Scenario::of_seed(seed)
    };
    let recorder = Arc::new(Recorder {
        vendor: InProcess::new(Vendor::new(scenario)),
        text: Mutex::new(format!("{SEED}{seed}\n")),
    });
    read_all(&source(seed, recorder.clone()));
    let text = recorder.text.lock().unwrap_or_else(PoisonError::into_inner);
    text.clone()
}

pub(super) static OPENAPI: Target = Target {
    name: "openapi",
    about: "OpenAPI documents, in JSON and YAML",
    run: |input| told(Proposal::of(&text(input)).map(|proposal| format!("{proposal:?}"))),
    seeds: || {
        let yaml = "openapi: 3.0.0\nservers: [{ url: https://x.example.com/api }]\npaths:\n  /jobs:\n    get:\n      parameters:\n        - { name: limit, in: query, schema: { type: integer, maximum: 100 } }\n        - { name: offset, in: query, schema: { type: integer } }\n      responses:\n        '200':\n          headers: { Link: { schema: { type: string } } }\n          content:\n            application/json:\n              schema: { type: object, properties: { items: { type: array, items: { $ref: '#/components/schemas/Job' } }, total: { type: integer } } }\n  /jobs/{id}/runs:\n    get:\n      parameters: [{ name: since, in: query, schema: { type: string, format: date-time } }, { name: cursor, in: query, schema: { type: string } }]\n      responses: { '200': { content: { application/json: { schema: { type: array, items: { $ref: '#/components/schemas/Run' } } } } } }\ncomponents:\n  securitySchemes: { key: { type: http, scheme: bearer } }\n  schemas:\n    Job: { type: object, properties: { id: { type: string }, name: { type: string } } }\n    Run: { allOf: [{ type: object, properties: { id: { type: string }, status: { type: string, enum: [done, failed] }, started_at: { type: string, format: date-time } } }, { $ref: '#/components/schemas/Run' }] }\n";
        bytes(
            [
                files_in_cases("openapi.json"),
                files_in_cases("openapi.yaml"),
                vec![yaml.to_owned()],
            ]
            .concat(),
        )
    },
    words: &[
        "openapi: 3.1.0",
        "swagger: '2.0'",
        "paths:",
        "get:",
        "parameters:",
        "responses:",
        "$ref: '#/components/schemas/Run'",
        "schema: ",
        "allOf: [",
        "oneOf: [",
        "items: ",
        "properties: ",
        "type: array",
        "type: object",
        "type: [string, 'null']",
        "enum: [",
        "in: query",
        "name: cursor",
        "name: page",
        "format: date-time",
        "servers:",
        "securitySchemes: ",
        "- ",
        "  ",
        "\n",
        "&a ",
        "*a",
        "!!str ",
        "|\n",
        "? ",
        "<<: *a",
        "{",
        "}",
        "[",
        "]",
        "\"",
        ": ",
    ],
};
