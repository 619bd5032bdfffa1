//! The page of differences, kept true: every example on it is rendered, and every outcome checked.

use std::path::Path;

use serde_json::json;

use super::differential::render;
use crate::TemplateErrorKind;

/// One row of the page.
struct Row {
    template: String,
    outcome: String,
}

/// The rows of all tables whose first column is an example.
fn rows(page: &str) -> Vec<Row> {
    page.lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| {
            let line = line.replace("\\|", "\u{0}");
            let cells: Vec<String> = line
                .split('|')
                .map(|cell| cell.trim().replace('\u{0}', "|"))
                .collect();
            let template = cells[1].trim_matches('`').trim().replace("⏎", "\n");
            Row {
                template,
                outcome: cells[2].clone(),
            }
        })
        .collect()
}

#[test]
fn every_example_on_the_page_of_differences_does_what_it_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/COMPATIBILITY.md");
    let page = std::fs::read_to_string(path).expect("the page");
    let rows = rows(&page);
    assert!(rows.len() > 60, "only {} examples", rows.len());
    let context = json!({
        "x": "a b", "word": "a", "n": 42, "xs": [1, 2, 3], "d": { "a": 1 }, "big": 1_000_000_000,
        "nan": { "$float": "nan" }, "inf": { "$float": "inf" }, "tenths": [{ "$float": "0.1" }, { "$float": "0.2" }, { "$float": "0.3" }],
        "at": { "$datetime": "2024-03-31T12:00:00" }, "old": { "$datetime": "0987-01-01T00:00:00" },
        "paris": { "$zoned": "2024-07-01T12:00:00+02:00[Europe/Paris]" },
        "fixed": { "$zoned": "2024-07-01T12:00:00+02:00[+02:00]" },
    });
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|row| {
            let request = json!({ "template": row.template, "context": context });
            let found = match render(&request) {
                Ok((text, _)) => format!("`{text}`"),
                Err(error) => match error.kind {
                    TemplateErrorKind::Unsupported => "refused".to_owned(),
                    TemplateErrorKind::OutOfFuel => "out of fuel".to_owned(),
                    TemplateErrorKind::Security => "security".to_owned(),
                    _ => format!("error: {error}"),
                },
            };
            (found != row.outcome)
                .then(|| format!("{}: {found}, not {}", row.template, row.outcome))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
