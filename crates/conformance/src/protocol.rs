//! The conformance test of the process protocol: every case in a fresh process, over any program.

mod cases;

use std::fmt;
use std::time::Duration;

use bowline_contract::Template;
use bowline_driver::{Limits, ResultSet};
use bowline_process::{CallLimits, Fault, Process, Program};
use bowline_protocol::{
    ConnectResult, ConnectorKind, ErrorKind, ErrorObject, ExecuteResult, FetchMetadataResult,
    FetchRunDetailsResult, InitializeResult, Method, QueryResult, TemplatesResult, VERSION,
    read_answer,
};
use bowline_words::{Diagnose, Redactor, nearest};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json, json};

use cases::{Begin, CASES, Case, Expect, Of, Say};

/// What a conformance test may use.
#[derive(Clone)]
pub struct CheckOptions {
    /// The connect_args to log in with; without them no case that needs a login runs.
    pub credentials: Option<Map<String, Json>>,
    /// A statement that gives at least one row.
    pub sql: String,
    /// The longest one answer may take.
    pub timeout: Duration,
}

impl fmt::Debug for CheckOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckOptions")
            .field("sql", &self.sql)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

impl Default for CheckOptions {
    fn default() -> Self {
        Self {
            credentials: None,
            sql: "SELECT 1 AS n".to_owned(),
            timeout: Duration::from_secs(30),
        }
    }
}

/// How one case ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseReport {
    /// The case's name, such as `unknown_method`.
    pub id: &'static str,
    /// What the case asks, in one line.
    pub title: &'static str,
    /// How it ended.
    pub verdict: CaseVerdict,
}

/// The ways a case can end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaseVerdict {
    /// The program did what the protocol asks.
    Passed,
    /// It did not; what it did instead.
    Failed(String),
    /// It was not asked; why.
    NotAsked(&'static str),
}

/// Asks a program every case, and tells each as it ends. Every process is gone afterwards.
pub fn check(
    program: &Program,
    options: &CheckOptions,
    on_case: &mut dyn FnMut(&CaseReport),
) -> Vec<CaseReport> {
    let redactor = Redactor::new(options.credentials.iter().flat_map(secrets));
    let mut kind = None;
    let mut reports = Vec::new();
    for case in CASES {
        let mut talk = None;
        let verdict = match not_asked(case, kind.as_ref(), options) {
            Some(reason) => CaseVerdict::NotAsked(reason),
            None => match Talk::start(program, options, &redactor) {
                Err(reason) => CaseVerdict::Failed(reason),
                Ok(started) => match talk.insert(started).play(case) {
                    Ok(()) => CaseVerdict::Passed,
                    Err(reason) => CaseVerdict::Failed(redactor.redact(&reason)),
                },
            },
        };
        kind = kind.or_else(|| talk.and_then(|talk| talk.hello));
        let report = CaseReport {
            id: case.id,
            title: case.title,
            verdict,
        };
        on_case(&report);
        reports.push(report);
    }
    reports
}

fn secrets(credentials: &Map<String, Json>) -> Vec<String> {
    fn texts(value: &Json, found: &mut Vec<String>) {
        match value {
            Json::String(text) => found.push(text.clone()),
            Json::Array(items) => items.iter().for_each(|item| texts(item, found)),
            Json::Object(members) => members.values().for_each(|member| texts(member, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    credentials
        .values()
        .for_each(|value| texts(value, &mut found));
    found
}

/// Why a case is not asked of this program.
fn not_asked(
    case: &Case,
    hello: Option<&InitializeResult>,
    options: &CheckOptions,
) -> Option<&'static str> {
    let serves = |method: Method| {
        hello.is_none_or(|hello| hello.capabilities.iter().any(|name| name == method.name()))
    };
    let is = |kind| hello.is_none_or(|hello| hello.kind == kind);
    match case.of {
        Of::Warehouse if !is(ConnectorKind::Warehouse) => {
            return Some("it is no warehouse connector");
        }
        Of::Pipeline if !is(ConnectorKind::Pipeline) => return Some("it is no pipeline connector"),
        Of::Templates if !serves(Method::Templates) => {
            return Some("it does not serve `templates`");
        }
        _ => {}
    }
    let needs_login = matches!(case.begin, Begin::Connected);
    (needs_login && options.credentials.is_none()).then_some("it needs credentials")
}

/// One process under test.
struct Talk<'a> {
    process: Process,
    options: &'a CheckOptions,
    hello: Option<InitializeResult>,
    last_id: u64,
}

impl<'a> Talk<'a> {
    fn start(
        program: &Program,
        options: &'a CheckOptions,
        redactor: &Redactor,
    ) -> Result<Self, String> {
        Ok(Self {
            process: Process::spawn(program, redactor)
                .map_err(|error| error.diagnose().to_string())?,
            options,
            hello: None,
            last_id: 0,
        })
    }

    fn play(&mut self, case: &Case) -> Result<(), String> {
        if !matches!(case.begin, Begin::Cold) {
            self.step(
                &Say::Call(Method::Initialize, cases::initialize),
                &Expect::Hello,
            )?;
        }
        if matches!(case.begin, Begin::Connected) {
            let pipeline = self
                .hello
                .as_ref()
                .is_some_and(|hello| hello.kind == ConnectorKind::Pipeline);
            if pipeline {
                self.step(&Say::Call(Method::Setup, cases::credentials), &Expect::Done)?
            } else {
                self.step(
                    &Say::Call(Method::Connect, cases::credentials),
                    &Expect::Connected,
                )?
            }
        }
        for (number, (send, expect)) in (1..).zip(case.steps) {
            self.step(send, expect)
                .map_err(|reason| match case.steps.len() {
                    1 => reason,
                    _ => format!("step {number}: {reason}"),
                })?;
        }
        Ok(())
    }

    fn step(&mut self, send: &Say, expect: &Expect) -> Result<(), String> {
        let limits = CallLimits {
            timeout: self.options.timeout,
            max_bytes: 64 * 1024 * 1024,
        };
        let (line, id, method) = match send {
            Say::EndOfInput => {
                return self.ended(Process::ends_without_input, "its standard input ended");
            }
            Say::Nothing => return self.ended(Process::ends, "`close`"),
            Say::Line(line) => ((*line).to_owned(), None, Method::Initialize),
            Say::Unknown => {
                self.last_id += 1;
                let id = self.last_id;
                let line =
                    json!({"jsonrpc": "2.0", "id": id, "method": "no_such_method", "params": {}});
                (line.to_string(), Some(id), Method::Initialize)
            }
            Say::Call(method, params) => {
                // A number that does not fit 32 bits, as any may be.
                self.last_id += 1_000_000_007;
                let id = self.last_id;
                let params = params(self.options);
                let line =
                    json!({"jsonrpc": "2.0", "id": id, "method": method.name(), "params": params});
                (line.to_string(), Some(id), *method)
            }
        };
        let answer = self.process.exchange(&line, method, limits).map_err(told)?;
        self.judge(&answer, id, expect)
    }

    fn ended(
        &mut self,
        ends: fn(&mut Process, Duration) -> bool,
        after: &str,
    ) -> Result<(), String> {
        if ends(&mut self.process, self.options.timeout) {
            Ok(())
        } else {
            Err(format!("the process still ran after {after}"))
        }
    }

    fn judge(&mut self, answer: &[u8], id: Option<u64>, expect: &Expect) -> Result<(), String> {
        match expect {
            Expect::Hello => {
                let hello: InitializeResult = result(answer, id)?;
                check_hello(&hello)?;
                self.hello = Some(hello);
                Ok(())
            }
            Expect::Done => result::<bowline_protocol::Done>(answer, id).map(drop),
            Expect::Connected => result::<ConnectResult>(answer, id).map(drop),
            Expect::Executed => result::<ExecuteResult>(answer, id).map(drop),
            Expect::Rows => {
                let rows: QueryResult = result(answer, id)?;
                let rows = ResultSet::from_wire(rows, &Limits::default())
                    .map_err(|error| error.message)?;
                if rows.rows.is_empty() {
                    Err("the statement gave no row".to_owned())
                } else {
                    Ok(())
                }
            }
            Expect::Templates => check_templates(&result(answer, id)?),
            Expect::Assets => {
                at_most_one(&result::<FetchMetadataResult>(answer, id)?.assets, "assets")
            }
            Expect::Runs => at_most_one(&result::<FetchRunDetailsResult>(answer, id)?.runs, "runs"),
            Expect::Error(code) => {
                let error = refusal(answer, id)?;
                if code.is_none_or(|code| code == error.code) {
                    Ok(())
                } else {
                    Err(format!(
                        "the error's code is {}, not {}: {}",
                        error.code,
                        code.unwrap_or_default(),
                        error.message
                    ))
                }
            }
            Expect::TooLarge => {
                let error = refusal(answer, id)?;
                match error.data.kind {
                    ErrorKind::TooLarge => Ok(()),
                    other => Err(format!(
                        "the error's kind is `{}`, not `too_large`: {}",
                        other.name(),
                        error.message
                    )),
                }
            }
        }
    }
}

/// What a fault means for a case.
fn told(fault: Fault) -> String {
    match fault {
        Fault::Ended { how, .. } => format!("no answer: the process ended: {how}"),
        Fault::TimedOut { limit, .. } => format!("no answer within {} s", limit.as_secs_f64()),
        Fault::TooLong { limit, .. } => format!("the answer is longer than {limit} bytes"),
        _ => "no answer".to_owned(),
    }
}

fn answer<R: DeserializeOwned>(
    answer: &[u8],
    id: Option<u64>,
) -> Result<Result<R, ErrorObject>, String> {
    let line = || {
        String::from_utf8_lossy(answer)
            .chars()
            .take(200)
            .collect::<String>()
    };
    let read = read_answer::<R>(answer)
        .map_err(|error| format!("the answer is not as it must be: {error}: {}", line()))?;
    if read.id != id {
        let shown = |id: Option<u64>| id.map_or("null".to_owned(), |id| id.to_string());
        return Err(format!(
            "the answer's id is {}, not {}",
            shown(read.id),
            shown(id)
        ));
    }
    match (read.result, read.error) {
        (Some(result), None) => Ok(Ok(result)),
        (None, Some(error)) => Ok(Err(error)),
        _ => Err(format!(
            "the answer has not exactly one of `result` and `error`: {}",
            line()
        )),
    }
}

fn result<R: DeserializeOwned>(line: &[u8], id: Option<u64>) -> Result<R, String> {
    answer(line, id)?.map_err(|error| format!("it answers with an error: {}", error.message))
}

fn refusal(line: &[u8], id: Option<u64>) -> Result<ErrorObject, String> {
    match answer::<Map<String, Json>>(line, id)? {
        Ok(_) => Err("it answers with a result, not with an error".to_owned()),
        Err(error) if error.message.trim().is_empty() => Err("the error has no message".to_owned()),
        Err(error) => Ok(error),
    }
}

fn check_hello(hello: &InitializeResult) -> Result<(), String> {
    if hello.protocol != VERSION {
        return Err(format!(
            "it answers version {}, asked for {VERSION}",
            hello.protocol
        ));
    }
    let needed: &[Method] = match hello.kind {
        ConnectorKind::Warehouse => &[Method::Connect, Method::Query, Method::Execute],
        ConnectorKind::Pipeline => &[
            Method::Setup,
            Method::FetchMetadata,
            Method::FetchRunDetails,
        ],
    };
    match needed
        .iter()
        .find(|method| !hello.capabilities.iter().any(|name| name == method.name()))
    {
        Some(missing) => Err(format!("its capabilities lack `{missing}`")),
        None => Ok(()),
    }
}

fn check_templates(given: &TemplatesResult) -> Result<(), String> {
    if let Some(problem) = given.problems.first() {
        return Err(format!("`{}`: {}", problem.name, problem.message));
    }
    let unknown = given.templates.iter().find(|text| {
        Template::all().all(|template| template.name != text.name) && text.class.is_none()
    });
    match unknown {
        None => Ok(()),
        Some(text) => {
            let near = nearest(&text.name, Template::all().map(|template| template.name));
            let near = near.map_or(String::new(), |near| format!("; `{near}` is near"));
            Err(format!(
                "`{}` is no template of the contract{near}",
                text.name
            ))
        }
    }
}

fn at_most_one(events: &[Json], what: &str) -> Result<(), String> {
    match events {
        [] => Ok(()),
        [event] if event.is_object() => Ok(()),
        [event] => Err(format!("one of the {what} is not an object: {event}")),
        _ => Err(format!(
            "asked for at most 1 of the {what}, it gave {}",
            events.len()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_holds_objects() {
        assert_eq!(at_most_one(&[], "runs"), Ok(()));
        assert_eq!(at_most_one(&[json!({"run_id": "a"})], "runs"), Ok(()));
        let told = |event: Json| at_most_one(&[event], "runs").unwrap_err();
        assert_eq!(
            told(json!(["j0", "x"])),
            r#"one of the runs is not an object: ["j0","x"]"#
        );
        let two = [json!({}), json!({})];
        assert!(at_most_one(&two, "runs").unwrap_err().contains("it gave 2"));
    }
}
