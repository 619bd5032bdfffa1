//! The page and the summary: whole, safe, small.

use bowline_report::{Report, markdown, page};
use serde_json::{Value, json};

const WAREHOUSE: &str = include_str!("written/warehouse.json");
const PIPELINE: &str = include_str!("written/pipeline.json");

fn read(text: &str) -> Report {
    Report::from_json(text, "report.json").unwrap()
}

/// The same report after a change of its JSON.
fn changed(text: &str, change: impl FnOnce(&mut Value)) -> Report {
    let mut report: Value = serde_json::from_str(text).unwrap();
    change(&mut report);
    read(&report.to_string())
}

#[test]
fn every_check_and_what_shows_it_is_on_the_page() {
    for text in [WAREHOUSE, PIPELINE] {
        let page = page::html(&read(text), None);
        let report: Value = serde_json::from_str(text).unwrap();
        for check in report["checks"].as_array().unwrap() {
            let id = check["id"].as_str().unwrap();
            assert!(page.contains(&format!("id=\"check-{id}\"")), "{id}");
        }
    }
    let page = page::html(&read(WAREHOUSE), None);
    assert!(page.contains("expected") && page.contains("<pre class=\"sql\">"));
}

#[test]
fn nothing_is_fetched_and_nothing_of_a_database_becomes_markup() {
    let hostile = "<script>alert(1)</script><img src=x onerror=y>";
    let report = changed(WAREHOUSE, |report| {
        for check in report["checks"].as_array_mut().unwrap() {
            check["title"] = json!(hostile);
            for step in check["steps"].as_array_mut().unwrap() {
                step["sql"] = json!(hostile);
                step["label"] = json!(hostile);
                step["result"] =
                    json!({"columns": [hostile], "rows": [[hostile]], "total_rows": 1});
            }
        }
        report["product"] = json!(hostile);
    });
    let page = page::html(&report, None);
    assert_eq!(page.matches("<script").count(), 1);
    assert!(!page.contains("<img"));
    let summary = markdown(&report, None);
    assert!(
        !summary.contains("<script") && !summary.contains("<img"),
        "{summary}"
    );
    let page = page::html(&read(WAREHOUSE), None);
    for outside in ["http://", "https://", "src=", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
}

#[test]
fn rows_without_names_of_columns_are_shown() {
    let with_columns = |columns: Value| {
        let report = changed(WAREHOUSE, |report| {
            for check in report["checks"].as_array_mut().unwrap() {
                for step in check["steps"].as_array_mut().unwrap() {
                    step["result"] =
                        json!({"columns": columns, "rows": [["only here"]], "total_rows": 30});
                }
            }
        });
        page::html(&report, None)
    };
    let page = with_columns(json!([]));
    assert!(page.contains("<td>only here</td>") && page.contains("the first 1 of 30 rows"));
    assert!(!page.contains("<thead>"));
    assert!(with_columns(json!(["name"])).contains("<thead>"));
}

#[test]
fn nothing_turns_what_is_read_unseen() {
    let turning = "\u{202e}\u{2066}\u{200f}\u{61c}\u{1b}";
    let report = changed(WAREHOUSE, |report| {
        report["product"] = json!(turning);
        for culprit in report["culprits"].as_array_mut().unwrap() {
            culprit["template"] = json!(turning);
            culprit["text"] = json!(format!("SELECT 1\r\n{turning}"));
        }
        for check in report["checks"].as_array_mut().unwrap() {
            check["title"] = json!(turning);
        }
    });
    for written in [page::html(&report, None), markdown(&report, None)] {
        assert!(
            !written.contains(|letter| turning.contains(letter)),
            "{written}"
        );
        assert!(
            written.contains("u{202e}") && !written.contains("u{d}"),
            "{written}"
        );
    }
}

#[test]
fn a_page_of_five_hundred_checks_is_small() {
    let report = changed(WAREHOUSE, |report| {
        let checks = report["checks"].as_array().unwrap().clone();
        let many = (0..500).map(|number: usize| {
            let mut check = checks[number % checks.len()].clone();
            check["id"] = json!(format!("ql_metrics/number_{number}"));
            check
        });
        report["checks"] = many.collect();
    });
    let page = page::html(&report, None);
    assert_eq!(page.matches("class=\"check\"").count(), 500);
    assert!(page.len() < 1_000_000, "{} bytes", page.len());
}

#[test]
fn what_changed_is_told_of_the_same_connector_only() {
    let now = read(WAREHOUSE);
    let same = page::html(&now, Some(&now));
    assert!(same.contains("Every check has the verdict it had."));
    let before = changed(WAREHOUSE, |report| {
        let check = &mut report["checks"][0];
        check["verdict"] = json!("unknown");
        let more = {
            let mut gone = check.clone();
            gone["id"] = json!("ql_metrics/gone");
            gone["section"] = json!("ql_metrics");
            gone
        };
        report["checks"].as_array_mut().unwrap().push(more);
    });
    let page = page::html(&now, Some(&before));
    assert!(
        page.contains("unknown → ") && page.contains("ql_metrics/gone"),
        "{page}"
    );
    assert!(markdown(&now, Some(&before)).contains("Since the run before"));
    let other = changed(WAREHOUSE, |report| report["connector"] = json!("another"));
    assert!(!page::html(&now, Some(&other)).contains("Since the run before"));
}

#[test]
fn a_summary_is_short() {
    for text in [WAREHOUSE, PIPELINE] {
        let summary = markdown(&read(text), None);
        assert!(summary.starts_with("### `"));
        assert!(
            summary.lines().count() < 60 && summary.len() < 8_000,
            "{summary}"
        );
    }
}
