//! Checked-in cases: a context, a template and what must come out, one text file each.

use std::path::Path;

use bowline_words::Diagnose;
use serde_json::{Value as Json, json};

use super::differential::render;
use crate::TemplateErrorKind;

/// The line between the parts of a case.
const SEPARATOR: &str = "\n---\n";

#[test]
fn every_case_gives_what_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/jinja2/cases");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("the cases are there")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    let wrong: Vec<String> = paths.iter().filter_map(|path| wrong(path)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(paths.len() > 20, "only {} cases", paths.len());
}

/// What is wrong with a case, if anything; `error: KIND` on top of the expectation asks for an error.
fn wrong(path: &Path) -> Option<String> {
    let text = std::fs::read_to_string(path).expect("a case");
    let parts: Vec<&str> = text.splitn(3, SEPARATOR).collect();
    let [context, template, expected] = parts[..] else {
        return Some(format!("{}: a case has three parts", path.display()));
    };
    let context: Json = serde_json::from_str(context).expect("a context in JSON");
    let request = json!({ "template": template, "context": context });
    let found = match render(&request) {
        Ok((text, _)) => format!("{text}\n"),
        Err(error) => {
            let kind = match error.kind {
                TemplateErrorKind::Syntax => "syntax",
                TemplateErrorKind::Unsupported => "unsupported",
                TemplateErrorKind::Render => "render",
                TemplateErrorKind::Security => "security",
                TemplateErrorKind::OutOfFuel => "out of fuel",
                TemplateErrorKind::Format => "format",
            };
            format!("error: {kind}: {}\n{}", error.diagnose(), error.window())
        }
    };
    (found != expected).then(|| format!("{}:\nfound\n{found}expected\n{expected}", path.display()))
}
