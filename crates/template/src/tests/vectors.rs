//! Jinja2's own test vectors, where the shared ones are at hand.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::context::variables;
use crate::syntax::{PLAIN, Whitespace};
use crate::{Absent, CompiledTemplate, Environment, TemplateError, TemplateErrorKind};

/// The vectors that were recorded under other settings, or with objects of Python in the context.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exceptions {
    vector: Vec<Exception>,
}

/// A vector that is run otherwise, or not at all.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    template: String,
    /// What was recorded: the text, or the name of the exception.
    recorded: String,
    setting: Setting,
}

/// What the vector was recorded with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Setting {
    /// `trim_blocks` on.
    Trim,
    /// `lstrip_blocks` on.
    Lstrip,
    /// Both on.
    TrimLstrip,
    /// Text is escaped by itself.
    Autoescape,
    /// Other delimiters, or line statements.
    Delimiters,
    /// Newlines that are kept or written otherwise.
    Newlines,
    /// An extension of Jinja2 or of its tests.
    Extension,
    /// Another class of undefined values.
    Undefined,
    /// A `finalize` function over everything printed.
    Finalize,
    /// Operators that the sandbox intercepts.
    Intercepted,
    /// A context class of the test's own.
    ContextClass,
    /// Filters, tests, functions or classes of the test's own, or a policy of its environment.
    PythonObjects,
    /// A sandbox that allows changes.
    Mutable,
}

impl Setting {
    /// How blank text was treated, where that is all that differs.
    fn whitespace(self) -> Option<Whitespace> {
        let whitespace = |trim_blocks, lstrip_blocks| {
            Some(Whitespace {
                trim_blocks,
                lstrip_blocks,
            })
        };
        match self {
            Setting::Trim => whitespace(true, false),
            Setting::Lstrip => whitespace(false, true),
            Setting::TrimLstrip => whitespace(true, true),
            _ => None,
        }
    }
}

fn render(vector: &Json, whitespace: Whitespace) -> Result<String, TemplateError> {
    let mut environment = Environment::new(Absent::Blank);
    environment.whitespace = whitespace;
    let text = vector["src"].as_str().unwrap_or_default();
    let template = CompiledTemplate::compile_in(&Arc::new(environment), "vector", text)?;
    let values = variables(&vector["ctx"]);
    let values: Vec<_> = values
        .iter()
        .map(|(name, value)| (name.as_str(), value.clone()))
        .collect();
    template.render(&values)
}

/// Whether the page of differences names what an error refuses.
fn listed(page: &str, error: &TemplateError) -> bool {
    let construct = error.message.split('`').nth(1).unwrap_or(&error.message);
    page.contains(&format!("`{construct}`"))
}

#[test]
fn jinja2s_own_vectors_give_the_same_or_are_refused_by_name() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let Ok(vectors) =
        std::fs::read_to_string(root.join("../../../shared/vectors/jinja2_vectors.json"))
    else {
        return;
    };
    let vectors: Vec<Json> = serde_json::from_str(&vectors).expect("the vectors are JSON");
    let exceptions = include_str!("../../tests/jinja2/exceptions.toml");
    let exceptions: Exceptions = toml::from_str(exceptions).expect("the exceptions are TOML");
    let page = std::fs::read_to_string(root.join("../../docs/COMPATIBILITY.md")).expect("the page");
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for vector in &vectors {
        let recorded = vector["out"]
            .as_str()
            .or(vector["err"].as_str())
            .unwrap_or_default();
        let exception = exceptions.vector.iter().find(|exception| {
            Some(exception.template.as_str()) == vector["src"].as_str()
                && exception.recorded == recorded
        });
        let whitespace = match exception.map(|exception| exception.setting) {
            None => PLAIN,
            Some(setting) => match setting.whitespace() {
                Some(whitespace) => whitespace,
                None => {
                    *counts
                        .entry(format!("recorded with {setting:?}"))
                        .or_default() += 1;
                    continue;
                }
            },
        };
        let fails = vector["out"].is_null();
        let outcome = match render(vector, whitespace) {
            Ok(text) if !fails && text == recorded => "same text",
            Err(_) if fails => "fails in both",
            Err(error) if error.kind == TemplateErrorKind::Unsupported && listed(&page, &error) => {
                "refused by name"
            }
            found => {
                let found = found.map_err(|error| error.to_string());
                wrong.push(format!("{}\n  found {found:?}", json!(vector)));
                continue;
            }
        };
        *counts.entry(outcome.to_owned()).or_default() += 1;
    }
    assert!(wrong.is_empty(), "{counts:?}\n{}", wrong.join("\n"));
    let expected = [("fails in both", 70), ("same text", 380)];
    for (outcome, least) in expected {
        assert!(
            counts.get(outcome).is_some_and(|count| *count >= least),
            "{counts:?}"
        );
    }
}
