//! Generated templates, compared with Jinja2.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::context::variables;
use super::generate::{Generator, template_request};
use super::generate_soup::format_request;
use super::oracle::{self, Answer};
use crate::{
    Absent, CompiledTemplate, Environment, TemplateError, TemplateErrorKind, format_placeholders,
};

/// How many templates are compared, unless [`COUNT`] says otherwise.
const DEFAULT_COUNT: u64 = 5_000;

/// Names a number of templates to compare in place of the default.
const COUNT: &str = "BOWLINE_DIFFERENTIAL_COUNT";

/// Names the seed to start from, to compare others than last time.
const SEED: &str = "BOWLINE_DIFFERENTIAL_SEED";

/// How many of a hundred templates may be refused before the comparison means too little.
const REFUSED_PERCENT: usize = 10;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

/// Renders a request as the oracle would.
pub(super) fn render(request: &Json) -> Result<(String, Vec<String>), TemplateError> {
    let environment = if request["plain"] == json!(true) {
        &Arc::new(Environment::new(Absent::Blank))
    } else {
        Environment::of_the_contract()
    };
    let text = request["template"].as_str().expect("a template");
    let template = CompiledTemplate::compile_in(environment, "template", text)?;
    let values = variables(&request["context"]);
    let values: Vec<_> = values
        .iter()
        .map(|(name, value)| (name.as_str(), value.clone()))
        .collect();
    let rendered = template.render(&values)?;
    Ok((rendered, template.variables().map(str::to_owned).collect()))
}

fn refused(error: &TemplateError) -> bool {
    matches!(
        error.kind,
        TemplateErrorKind::Unsupported | TemplateErrorKind::OutOfFuel
    )
}

/// Compares one request; says what differs, or whether it was refused.
fn compare(
    ours: &Result<(String, Vec<String>), TemplateError>,
    theirs: &Answer,
) -> Result<bool, String> {
    match (ours, &theirs.text) {
        (Ok((ours, variables)), Ok(text)) if ours == text => match &theirs.variables {
            Some(theirs) if theirs != variables => {
                Err(format!("variables {variables:?}\n  theirs {theirs:?}"))
            }
            _ => Ok(false),
        },
        (Ok((ours, _)), Ok(text)) => Err(format!("ours   {ours:?}\n  theirs {text:?}")),
        (Ok((ours, _)), Err(error)) => Err(format!("ours   {ours:?}\n  theirs fails: {error}")),
        (Err(error), _) if refused(error) => Ok(true),
        (Err(error), Ok(text)) => Err(format!("ours fails: {error}\n  theirs {text:?}")),
        (Err(_), Err(_)) => Ok(false),
    }
}

fn check(requests: &[Json], ours: impl Fn(&Json) -> Result<(String, Vec<String>), TemplateError>) {
    let Some(answers) = oracle::ask(requests) else {
        return;
    };
    let mut differences = Vec::new();
    let mut refusals = BTreeMap::<String, usize>::new();
    let mut failures = BTreeMap::<String, usize>::new();
    for (request, theirs) in requests.iter().zip(&answers) {
        let ours = ours(request);
        match compare(&ours, theirs) {
            Ok(true) => {
                if let Err(error) = &ours {
                    *refusals.entry(error.message.clone()).or_default() += 1;
                }
            }
            Ok(false) => {
                if let Err(error) = &ours {
                    *failures.entry(error.message.clone()).or_default() += 1;
                }
            }
            Err(difference) => differences.push(format!("{request}\n  {difference}")),
        }
    }
    let refused: usize = refusals.values().sum();
    let failed: usize = failures.values().sum();
    if std::env::var_os(COUNT).is_some() {
        for (what, messages) in [("refused", &refusals), ("failed alike", &failures)] {
            for (message, count) in messages {
                let line = format!("{count} {what}: {message}\n");
                std::io::stderr().write_all(line.as_bytes()).ok();
            }
        }
    }
    assert!(
        differences.is_empty(),
        "{} of {} differ (refused {refused}, failed alike {failed}):\n{}",
        differences.len(),
        requests.len(),
        differences[..differences.len().min(40)].join("\n")
    );
    assert!(
        refused * 100 <= requests.len() * REFUSED_PERCENT,
        "{refused} of {} are refused",
        requests.len()
    );
}

#[test]
fn generated_templates_give_what_jinja2_gives() {
    let mut generator = Generator::new(number(SEED, 1));
    let requests: Vec<Json> = (0..number(COUNT, DEFAULT_COUNT))
        .map(|_| template_request(&mut generator))
        .collect();
    check(&requests, render);
}

#[test]
fn generated_placeholders_give_what_str_format_gives() {
    let mut generator = Generator::new(number(SEED, 1));
    let requests: Vec<Json> = (0..number(COUNT, DEFAULT_COUNT) / 2)
        .map(|_| format_request(&mut generator))
        .collect();
    check(&requests, |request| {
        let given = request["placeholders"].as_object().expect("placeholders");
        let placeholders: Vec<(&str, String)> = given
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default().to_owned()))
            .collect();
        let format = request["format"].as_str().expect("a format");
        format_placeholders("template", format, &placeholders).map(|text| (text, Vec::new()))
    });
}
