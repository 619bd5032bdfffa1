//! The Python process that says what Jinja2 gives.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value as Json;

/// Names the Python that has the oracles' packages; the project's test command sets it.
const PYTHON: &str = "BOWLINE_ORACLE_PYTHON";

/// What the oracle says about one request.
pub(super) struct Answer {
    /// The text, or the name of the exception and its message.
    pub(super) text: Result<String, String>,
    pub(super) variables: Option<Vec<String>>,
}

/// Asks the oracle about all requests; `None` when there is none and none is demanded.
pub(super) fn ask(requests: &[Json]) -> Option<Vec<Answer>> {
    let Some(python) = std::env::var_os(PYTHON) else {
        assert!(
            std::env::var_os("CI").is_none(),
            "`{PYTHON}` is not set: in CI the comparison with Jinja2 must run"
        );
        let message = format!("NOT RUN against PyPI's Jinja2: {PYTHON} is not set\n");
        // Written past the test harness, which would keep it from sight when the test passes.
        std::io::stderr().write_all(message.as_bytes()).ok();
        return None;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/oracles/jinja2_oracle.py");
    let processes = std::thread::available_parallelism().map_or(1, usize::from);
    let share = requests.len().div_ceil(processes).max(1);
    let answers = std::thread::scope(|scope| {
        let shares: Vec<_> = requests
            .chunks(share)
            .map(|requests| scope.spawn(|| run(Command::new(&python).arg(&script), requests)))
            .collect();
        shares
            .into_iter()
            .flat_map(|share| share.join().expect("the oracle answers"))
            .collect()
    });
    Some(answers)
}

fn run(oracle: &mut Command, requests: &[Json]) -> Vec<Answer> {
    let mut child = oracle
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the oracle starts");
    let answers = converse(&mut child, requests);
    assert!(child.wait().expect("the oracle ends").success());
    answers
}

fn converse(child: &mut Child, requests: &[Json]) -> Vec<Answer> {
    let mut input = child.stdin.take().expect("an input");
    let output = BufReader::new(child.stdout.take().expect("an output"));
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for request in requests {
                writeln!(input, "{request}").expect("the oracle reads");
            }
        });
        let answers: Vec<Answer> = output
            .lines()
            .map(|line| answer(&line.expect("the oracle writes")))
            .collect();
        assert_eq!(answers.len(), requests.len(), "one answer for each request");
        answers
    })
}

fn answer(line: &str) -> Answer {
    let reply: Json = serde_json::from_str(line).expect("the oracle answers in JSON");
    let text = match reply["text"].as_str() {
        Some(text) => Ok(text.to_owned()),
        None => Err(format!(
            "{}: {}",
            reply["error"].as_str().unwrap_or_default(),
            reply["message"].as_str().unwrap_or_default()
        )),
    };
    let variables = reply["variables"].as_array().map(|names| {
        let names = names.iter().filter_map(Json::as_str);
        names.map(str::to_owned).collect()
    });
    Answer { text, variables }
}
