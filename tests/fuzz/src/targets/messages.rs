//! The process protocol, both directions.

use bowline_driver::{Limits, ResultSet};
use bowline_protocol::{
    ConnectResult, Done, ErrorObject, FetchMetadataResult, FetchRunDetailsResult, InitializeResult,
    QueryResult, Response, TemplatesResult, WireValue,
};
use bowline_sdk::{
    Answer, Credentials, Error, ErrorKind, Json, Page, Pipeline, PipelineSession, Value, Wanted,
    Warehouse, WarehouseSession, json, pipeline, warehouse,
};
use serde::de::DeserializeOwned;

use super::{text, told};
use crate::Target;
use crate::seeds::files;

/// The messages of the protocol's page that go in one direction, and the values and errors in it.
fn messages(arrow: char) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    for page in files("docs", "protocol.md") {
        for line in page.lines() {
            if let Some(message) = line.strip_prefix(arrow) {
                messages.push(message.trim().as_bytes().to_vec());
            }
            let values = line.split('`').filter(|part| part.starts_with("{\"$"));
            messages.extend(values.map(|value| {
                format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"columns":[{{"name":"a","type":""}}],"rows":[[{value}]]}}}}"#)
                    .into_bytes()
            }));
        }
    }
    messages
}

fn read<R: DeserializeOwned>(line: &str, check: impl FnOnce(&R)) -> String {
    let read = serde_json::from_str::<Response<R>>(line);
    told(read.map(|response| {
        if let Some(result) = &response.result {
            check(result);
        }
        response
            .error
            .map(|error: ErrorObject| error.message)
            .unwrap_or_default()
    }))
}

/// A value that was read is written and read again without loss, in the protocol and in the program.
fn come_back(result: &QueryResult) {
    for value in result.rows.iter().flatten() {
        let written = serde_json::to_string(value).expect("a value can be written");
        let again: WireValue = serde_json::from_str(&written).expect("what is written can be read");
        assert_eq!(format!("{again:?}"), format!("{value:?}"), "{written}");
    }
    let Ok(set) = ResultSet::from_wire(result.clone(), &Limits::default()) else {
        return;
    };
    let rows = set
        .rows
        .iter()
        .map(|row| row.iter().cloned().map(WireValue::from).collect());
    let again = QueryResult {
        rows: rows.collect(),
        ..result.clone()
    };
    let again =
        ResultSet::from_wire(again, &Limits::default()).expect("what is written can be read");
    assert_eq!(format!("{:?}", again.rows), format!("{:?}", set.rows));
}

pub(super) static ANSWERS: Target = Target {
    name: "protocol-answers",
    about: "a connector's answers in the process protocol",
    run: |input| {
        let line = text(input);
        let mut words = read::<QueryResult>(&line, come_back);
        words += &read::<InitializeResult>(&line, |_| ());
        words += &read::<ConnectResult>(&line, |_| ());
        words += &read::<TemplatesResult>(&line, |_| ());
        words += &read::<FetchMetadataResult>(&line, |_| ());
        words += &read::<FetchRunDetailsResult>(&line, |_| ());
        words + &read::<Done>(&line, |_| ())
    },
    seeds: || {
        let error = br#"{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"no such table","data":{"kind":"missing_object","sqlstate":"42P01","trace":["x.py:3"],"hint":"look"}}}"#;
        let mut seeds = messages('←');
        seeds.push(error.to_vec());
        seeds
    },
    words: &[
        "\"jsonrpc\":\"2.0\"",
        "\"id\":",
        "\"result\":",
        "\"error\":",
        "\"columns\":",
        "\"rows\":[[",
        "\"rows_affected\":",
        "\"not_json\":",
        "\"templates\":[",
        "\"assets\":[",
        "\"runs\":[",
        "\"data\":",
        "{\"$int\":\"",
        "{\"$float\":\"NaN\"}",
        "{\"$decimal\":\"",
        "{\"$bytes\":\"AA==\"}",
        "{\"$date\":\"2024-02-29\"}",
        "{\"$time\":\"",
        "{\"$timestamp\":\"",
        "{\"$timestamptz\":\"",
        "{\"$interval\":[1,-2,\"3\"]}",
        "{\"$uuid\":\"",
        "{\"$struct\":[[\"a\",1]]}",
        "{\"$other\":[\"t\",\"x\"]}",
        "null",
        "true",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "\"",
        "-0.0",
        "1e308",
        "1E+999999999",
        "1e-99999",
        "\\ud800",
        "+24:00",
        "-25:59:59",
    ],
};

/// A connector of both kinds that gives what it is asked for.
struct Echo;

impl Warehouse for Echo {
    type Session = Self;

    fn name(&self) -> &str {
        "echo"
    }

    fn connect(&self, credentials: &Credentials) -> Result<Self, Error> {
        credentials.text("user").map(|_| Self)
    }
}

impl WarehouseSession for Echo {
    fn query(&mut self, sql: &str, answer: &mut Answer) -> Result<(), Error> {
        if sql.is_empty() {
            return Err(Error::new(ErrorKind::Syntax, "nothing is asked"));
        }
        answer.column("sql", "text");
        answer.row(&[Value::Text(sql.to_owned())])
    }
}

impl Pipeline for Echo {
    type Session = Self;

    fn name(&self) -> &str {
        "echo"
    }

    fn setup(&self, credentials: &Credentials) -> Result<Self, Error> {
        credentials.text("user").map(|_| Self)
    }
}

impl PipelineSession for Echo {
    fn fetch_metadata(&mut self, page: Page) -> Result<Vec<Json>, Error> {
        Ok(vec![json!({ "limit": page.limit, "offset": page.offset })])
    }

    fn fetch_run_details(&mut self, wanted: &Wanted, _: Page) -> Result<Vec<Json>, Error> {
        Ok(vec![json!(format!("{wanted:?}"))])
    }
}

pub(super) static REQUESTS: Target = Target {
    name: "protocol-requests",
    about: "what is asked of a connector in the process protocol, line by line",
    run: |input| {
        let mut answers = Vec::new();
        warehouse::converse(Echo, input, &mut answers).expect("memory can be written");
        pipeline::converse(Echo, input, &mut answers).expect("memory can be written");
        let answers = text(&answers).into_owned();
        for line in answers.lines() {
            serde_json::from_str::<Response<Json>>(line).expect("an answer is a response");
        }
        answers
    },
    seeds: || {
        let conversation = concat!(
            r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocol":1,"client":"x"}}"#,
            "\n",
            r#"{"jsonrpc":"2.0","id":2,"method":"connect","params":{"credentials":{"user":"a"}}}"#,
            "\n",
            r#"{"jsonrpc":"2.0","id":3,"method":"query","params":{"sql":"SELECT 1","max_rows":1,"max_bytes":99,"timeout_ms":1}}"#,
            "\n",
            r#"{"jsonrpc":"2.0","id":4,"method":"setup","params":{"credentials":{"user":"a"}}}"#,
            "\n",
            r#"{"jsonrpc":"2.0","id":5,"method":"fetch_metadata","params":{"limit":1,"offset":0}}"#,
            "\n",
            r#"{"jsonrpc":"2.0","id":6,"method":"fetch_run_details","params":{"run_ids":["a"],"limit":1,"offset":0}}"#,
            "\n",
            r#"{"jsonrpc":"2.0","id":7,"method":"templates"}"#,
            "\n",
            r#"{"jsonrpc":"2.0","id":8,"method":"close","params":{}}"#,
            "\n",
        );
        let mut seeds = messages('→');
        seeds.push(conversation.as_bytes().to_vec());
        seeds
    },
    words: &[
        "\"jsonrpc\":\"2.0\"",
        "\"id\":",
        "\"method\":",
        "\"params\":{",
        "\"initialize\"",
        "\"connect\"",
        "\"query\"",
        "\"execute\"",
        "\"templates\"",
        "\"setup\"",
        "\"fetch_metadata\"",
        "\"fetch_run_details\"",
        "\"close\"",
        "\"sql\":",
        "\"max_rows\":",
        "\"max_bytes\":",
        "\"window_start\":",
        "\"window_end\":",
        "\"run_ids\":",
        "\"limit\":",
        "null",
        "{",
        "}",
        "\n",
        "[]",
        "\"",
    ],
};
