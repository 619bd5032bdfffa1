//! Generated events, judged here and by pycarlo's dataclasses.
//!
//! Needs `BOWLINE_ORACLE_PYTHON`, a Python that has the packages of `tests/oracles/requirements.txt`.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use bowline_contract::pipeline::{
    Asset, AssetEvent, AssetRole, EventError, EventProblem, Field, Presence, Run, RunEvent, Shape,
    validate_assets, validate_runs,
};
use serde_json::{Map, Value, json};

const EVENTS: usize = 3_000;

#[test]
fn events_fare_as_with_pycarlo() {
    let Some(python) = std::env::var_os("BOWLINE_ORACLE_PYTHON") else {
        return;
    };
    let mut generator = Generator(0x9e37_79b9_7f4a_7c15);
    let cases: Vec<Value> = (0..EVENTS)
        .map(|index| {
            let (kind, fields) = if index % 3 == 0 {
                ("asset", Asset::FIELDS)
            } else {
                ("run", Run::FIELDS)
            };
            json!({"kind": kind, "event": generator.record(fields, 0)})
        })
        .collect();
    let verdicts = ask(Path::new(&python), &cases);
    assert_eq!(verdicts.len(), cases.len());

    let (mut accepted, mut refused_by_both) = (0, 0);
    for (case, verdict) in cases.iter().zip(&verdicts) {
        let event = &case["event"];
        let (errors, written) = judge(&case["kind"], event);
        let theirs = verdict.get("json");
        if errors.is_empty() {
            accepted += 1;
            assert_eq!(
                written.as_ref().map(Value::to_string),
                theirs.map(Value::to_string),
                "{event}\n{verdict}"
            );
        } else if theirs.is_some() {
            let own = errors.iter().all(only_the_contract_asks);
            assert!(own, "only refused here: {errors:?}\n{event}");
        } else {
            refused_by_both += 1;
        }
    }
    assert!(accepted > EVENTS / 20, "only {accepted} valid events");
    assert!(
        refused_by_both > EVENTS / 20,
        "only {refused_by_both} invalid events"
    );
}

/// Rules of the contract that pycarlo's dataclasses leave to others.
fn only_the_contract_asks(error: &EventError) -> bool {
    match &error.problem {
        // The dataclasses miss a key that is absent, but take null for its value.
        EventProblem::Missing
        | EventProblem::Empty
        | EventProblem::Time { .. }
        | EventProblem::RequiredBy(_)
        | EventProblem::WrongSide(_) => true,
        EventProblem::WrongType { .. }
        | EventProblem::NotJson { .. }
        | EventProblem::UnknownWord { .. }
        | EventProblem::TooSmall { .. }
        | EventProblem::Nameless => false,
    }
}

fn judge(kind: &Value, event: &Value) -> (Vec<EventError>, Option<Value>) {
    if kind == "asset" {
        let written = serde_json::from_value::<Asset>(event.clone()).map(serde_json::to_value);
        let events = [AssetEvent::new(event.clone())];
        (validate_assets(&events), written.ok().and_then(Result::ok))
    } else {
        let written = serde_json::from_value::<Run>(event.clone()).map(serde_json::to_value);
        let events = [RunEvent::new(event.clone())];
        (validate_runs(&events), written.ok().and_then(Result::ok))
    }
}

fn ask(python: &Path, cases: &[Value]) -> Vec<Value> {
    let script =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/oracles/pycarlo_oracle.py");
    let mut oracle = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the oracle starts");
    let mut stdin = oracle.stdin.take().expect("a pipe to the oracle");
    stdin
        .write_all(Value::from(cases).to_string().as_bytes())
        .expect("the oracle reads");
    drop(stdin);
    let output = oracle.wait_with_output().expect("the oracle ends");
    serde_json::from_slice(&output.stdout).expect("the oracle answers in JSON")
}

/// Events of the right types with the odd wrong word, null and gap in them; the same in every run.
struct Generator(u64);

impl Generator {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap_or(0) % below
    }

    fn one_in(&mut self, chances: usize) -> bool {
        self.next(chances) == 0
    }

    fn record(&mut self, fields: &[Field], depth: usize) -> Value {
        let mut record = Map::new();
        for field in fields {
            let present = match field.presence {
                Presence::Required => !self.one_in(80),
                Presence::Optional => self.one_in(if depth == 0 { 3 } else { 4 }),
            };
            if present {
                record.insert(field.name.to_owned(), self.value(&field.shape, depth));
            }
        }
        // Half of the ended runs would be refused for want of an end or an error.
        if record.contains_key("run_source_id") && !self.one_in(10) {
            record.insert("end_time".to_owned(), json!("2026-01-02T03:04:05Z"));
            let error = json!({"message": "it broke"});
            record.entry("error").or_insert(error);
        }
        Value::Object(record)
    }

    fn value(&mut self, shape: &Shape, depth: usize) -> Value {
        if self.one_in(60) && !matches!(shape, Shape::Records(_) | Shape::Refs(_)) {
            return Value::Null;
        }
        match shape {
            Shape::Text => self.text(),
            Shape::Time => self.pick(&[
                "2026-01-01T00:00:00Z",
                "2026-01-01T00:00:00.123456+02:00",
                "2026-06-30 23:59:59-08:00",
                "2026-01-01T00:00:00",
            ]),
            Shape::Flag => Value::from(self.one_in(2)),
            Shape::Integer(_) => Value::from(self.next(9)),
            Shape::Word(words) => {
                let word = words[self.next(words.len())];
                match self.next(60) {
                    0 => json!(word.to_uppercase()),
                    1 => json!(word.to_lowercase()),
                    2 => json!("bogus"),
                    _ => json!(word),
                }
            }
            Shape::Texts => (0..self.next(3)).map(|_| self.text()).collect(),
            Shape::Dict => {
                json!({"a": null, "b": [], "c": {"d": self.next(5)}, "e": 1.5, "é": "x"})
            }
            Shape::Record(fields) => self.record(fields, depth + 1),
            Shape::Records(fields) => (0..self.next(3))
                .map(|_| self.record(fields, depth + 1))
                .collect(),
            Shape::Refs(side) => (0..self.next(2)).map(|_| self.asset_ref(*side)).collect(),
            Shape::TaskRuns if depth > 1 => json!([]),
            Shape::TaskRuns => (0..self.next(2))
                .map(|_| self.record(Run::FIELDS, depth + 1))
                .collect(),
        }
    }

    fn asset_ref(&mut self, side: AssetRole) -> Value {
        let role = if self.one_in(30) {
            AssetRole::Output
        } else {
            side
        };
        let mut record =
            json!({"asset_type": self.pick(&["TABLE", "VIEW", "FILE", "TOPIC"]), "role": role});
        if !self.one_in(30) {
            record["fully_qualified_name"] = self.text();
        }
        if self.one_in(4) {
            record["mcon"] = self.text();
        }
        record
    }

    fn text(&mut self) -> Value {
        self.pick(&[
            "orders",
            "a/b",
            "manual__2026",
            "naïve 🪢",
            "x",
            "line\nbreak",
            "\"quoted\"",
            "42",
            "7 days",
            "true",
            "null",
            "[]",
            "d",
            "e",
            "f",
            "g",
            "h",
            "i",
            "j",
            "k",
            "l",
            "m",
            "",
        ])
    }

    fn pick(&mut self, from: &[&str]) -> Value {
        json!(from[self.next(from.len())])
    }
}
