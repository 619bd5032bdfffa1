//! PyPI's Cerberus, asked through a Python process.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::question::{Answer, Question};

/// Asks all questions; `None` when no Python with Cerberus is named.
///
/// `BOWLINE_ORACLE_PYTHON` names it; `cargo xtask test` sets that. With `CI` set it must be there.
pub(crate) fn ask(questions: &[Question]) -> Option<Vec<Answer>> {
    let Some(python) = std::env::var_os("BOWLINE_ORACLE_PYTHON") else {
        assert!(
            std::env::var_os("CI").is_none(),
            "BOWLINE_ORACLE_PYTHON is not set, so nothing was compared with PyPI's Cerberus"
        );
        let message = "NOT RUN against PyPI's Cerberus: BOWLINE_ORACLE_PYTHON is not set\n";
        // Written past the test harness, which would keep it from sight when the test passes.
        std::io::stderr().write_all(message.as_bytes()).ok();
        return None;
    };
    let script =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/oracles/cerberus_oracle.py");
    let mut oracle = Command::new(python)
        .arg(script)
        .env("PYTHONHASHSEED", "0")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the oracle starts");
    let mut stdin = oracle.stdin.take().expect("stdin is piped");
    let lines: String = questions
        .iter()
        .map(|question| format!("{}\n", question.to_json()))
        .collect();
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = oracle.wait_with_output().expect("the oracle ends");
    writer
        .join()
        .expect("the writer does not panic")
        .expect("the oracle reads every question");
    assert!(
        output.status.success(),
        "the oracle failed: {}",
        output.status
    );
    let text = String::from_utf8(output.stdout).expect("the oracle writes UTF-8");
    let answers: Vec<Answer> = text.lines().map(read).collect();
    assert_eq!(answers.len(), questions.len());
    Some(answers)
}

fn read(line: &str) -> Answer {
    let answer: Value = serde_json::from_str(line).expect("the oracle writes JSON");
    let errors = answer["errors"].as_str().unwrap_or_default().to_owned();
    match answer["verdict"].as_str() {
        Some("valid" | "invalid") => Answer::Validated {
            errors,
            document: answer["document"].clone(),
        },
        Some("schema") => Answer::SchemaErrors(errors),
        Some("stops") => Answer::Stops,
        other => panic!("the oracle knows no verdict {other:?}"),
    }
}
