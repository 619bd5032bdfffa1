//! Connectors made with the SDK, asked everything the protocol asks. This program is its own connector: with an
//! argument it serves the one of that name.
#![expect(
    clippy::print_stderr,
    reason = "standard error is where connectors say what they do"
)]

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};

use bowline_conformance::protocol::{CaseVerdict, CheckOptions, check};
use bowline_process::Program;
use bowline_sdk::{
    Answer, Cancel, Credentials, Error, ErrorKind, Json, Map, Page, Pipeline, PipelineSession,
    Value, Wanted, Warehouse, WarehouseSession, json, pipeline, warehouse,
};

/// A database that knows a few statements.
struct Shop;

struct ShopSession {
    statements: i128,
}

impl Warehouse for Shop {
    type Session = ShopSession;

    fn name(&self) -> &str {
        "shop"
    }

    fn connect(&self, credentials: &Credentials) -> Result<ShopSession, Error> {
        match credentials.text("password")? {
            "right" => Ok(ShopSession { statements: 0 }),
            _ => Err(Error::new(ErrorKind::Permission, "wrong password").with_sqlstate("28P01")),
        }
    }

    fn templates(&self) -> Vec<(String, String)> {
        vec![("get_avg_function_template".into(), "AVG({x})".into())]
    }
}

impl WarehouseSession for ShopSession {
    fn product(&self) -> Option<String> {
        Some("Shop 1".into())
    }

    fn query(&mut self, sql: &str, answer: &mut Answer) -> Result<(), Error> {
        self.statements += 1;
        match sql {
            "SELECT 1 AS n" => {
                answer.column("n", "INTEGER");
                answer.row(&[Value::Integer(1)])
            }
            "COUNT" => {
                answer.column("n", "INTEGER");
                answer.row(&[Value::Integer(self.statements)])
            }
            "CHANGE" => {
                answer.rows_affected(3);
                Ok(())
            }
            "PANIC" => panic!("the shop is on fire"),
            "HANG" => {
                eprintln!("hanging");
                loop {
                    std::thread::park();
                }
            }
            _ => Err(Error::new(ErrorKind::Syntax, "what?")),
        }
    }

    fn cancel(&self) -> Option<Cancel> {
        Some(Box::new(|| eprintln!("cancelled")))
    }
}

/// An orchestrator with one job that ran once.
struct Jobs;

struct JobsSession;

impl Pipeline for Jobs {
    type Session = JobsSession;

    fn name(&self) -> &str {
        "jobs"
    }

    fn setup(&self, _credentials: &Credentials) -> Result<JobsSession, Error> {
        Ok(JobsSession)
    }
}

impl PipelineSession for JobsSession {
    fn fetch_metadata(&mut self, page: Page) -> Result<Vec<Json>, Error> {
        let all = [json!({"job_source_id": "j", "name": "J"})];
        let from = usize::try_from(page.offset).unwrap_or(usize::MAX);
        Ok(all.into_iter().skip(from).collect())
    }

    fn fetch_run_details(&mut self, wanted: &Wanted, _page: Page) -> Result<Vec<Json>, Error> {
        Ok(match wanted {
            Wanted::Ids(ids) => ids.iter().map(|id| json!({"run_source_id": id})).collect(),
            Wanted::Window { start, .. } => vec![json!({"event_time": start})],
        })
    }
}

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("serve-shop") => return warehouse::serve(Shop),
        Some("serve-jobs") => return pipeline::serve(Jobs),
        _ => {}
    }
    protocol_check("serve-shop", &["no_setup", "assets", "runs"]);
    protocol_check(
        "serve-jobs",
        &[
            "no_login",
            "no_credentials",
            "templates",
            "query",
            "execute",
            "failing_statement",
            "too_many_rows",
            "too_many_bytes",
        ],
    );
    errors_keep_their_words();
    a_panic_is_an_error_and_the_next_statement_runs();
    a_running_statement_ends_with_the_input();
    ExitCode::SUCCESS
}

fn own_program() -> OsString {
    std::env::current_exe()
        .expect("this program")
        .into_os_string()
}

/// Everything but the named cases is asked, and passes.
fn protocol_check(serve: &str, not_asked: &[&str]) {
    let directory = std::env::current_dir().expect("a directory");
    let program = Program::new("own", [own_program(), serve.into()], directory);
    let options = CheckOptions {
        credentials: Some(Map::from_iter([("password".to_owned(), json!("right"))])),
        ..CheckOptions::default()
    };
    for report in check(&program, &options, &mut |_| ()) {
        let expected_missing = not_asked.contains(&report.id);
        match report.verdict {
            CaseVerdict::Passed => assert!(!expected_missing, "{serve}: {}", report.id),
            CaseVerdict::NotAsked(reason) => {
                assert!(expected_missing, "{serve}: {}: {reason}", report.id);
            }
            CaseVerdict::Failed(reason) => panic!("{serve}: {}: {reason}", report.id),
        }
    }
}

/// A conversation with the shop.
struct Talk {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Talk {
    fn connected() -> Self {
        let mut talk = Self::started();
        let hello = talk.ask("connect", json!({"credentials": {"password": "right"}}));
        assert_eq!(hello["result"]["product"], "Shop 1", "{hello}");
        talk
    }

    fn started() -> Self {
        let mut child = Command::new(own_program())
            .arg("serve-shop")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("this program");
        let input = child.stdin.take().expect("its input");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        let mut talk = Self {
            child,
            input,
            output,
        };
        talk.ask("initialize", json!({"protocol": 1, "client": "a test"}));
        talk
    }

    fn send(&mut self, method: &str, params: Json) {
        let request = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params});
        writeln!(self.input, "{request}").expect("it listens");
    }

    fn ask(&mut self, method: &str, params: Json) -> Json {
        self.send(method, params);
        let mut line = String::new();
        self.output.read_line(&mut line).expect("an answer");
        serde_json::from_str(&line).expect("JSON")
    }

    fn query(&mut self, sql: &str) -> Json {
        self.ask("query", statement(sql))
    }
}

fn statement(sql: &str) -> Json {
    json!({"sql": sql, "max_rows": 10, "max_bytes": 1000, "timeout_ms": 1000})
}

fn errors_keep_their_words() {
    let mut talk = Talk::started();
    let refused = talk.ask("connect", json!({"credentials": {"password": "wrong"}}));
    assert_eq!(refused["error"]["message"], "wrong password");
    assert_eq!(
        refused["error"]["data"],
        json!({"kind": "permission", "sqlstate": "28P01"})
    );
    let missing = talk.ask("connect", json!({"credentials": {}}));
    assert_eq!(
        missing["error"]["data"]["hint"],
        "put `password` under `connect_args` in credentials.json"
    );
    drop(talk.input);
    talk.child.wait().expect("its end");

    let mut talk = Talk::connected();
    let changed = talk.ask("execute", json!({"sql": "CHANGE", "timeout_ms": 1000}));
    assert_eq!(changed["result"]["rows_affected"], 3);
    drop(talk.input);
    assert!(talk.child.wait().expect("its end").success());
}

fn a_panic_is_an_error_and_the_next_statement_runs() {
    let mut talk = Talk::connected();
    talk.query("COUNT");
    let burnt = talk.query("PANIC");
    assert_eq!(
        burnt["error"]["message"],
        "the connector panicked: the shop is on fire"
    );
    assert_eq!(burnt["error"]["data"]["kind"], "driver");
    let counted = talk.query("COUNT");
    assert_eq!(counted["result"]["rows"], json!([[1]]), "a new session");
    drop(talk.input);
    talk.child.wait().expect("its end");
}

fn a_running_statement_ends_with_the_input() {
    let mut talk = Talk::connected();
    let mut errors = BufReader::new(talk.child.stderr.take().expect("its errors"));
    talk.send("query", statement("HANG"));
    let mut said = String::new();
    errors.read_line(&mut said).expect("a word");
    assert_eq!(said, "hanging\n");
    drop(talk.input);
    errors.read_to_string(&mut said).expect("the last words");
    assert_eq!(said, "hanging\ncancelled\n");
    assert_eq!(talk.child.wait().expect("its end").code(), Some(1));
}
