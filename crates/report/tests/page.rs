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
    assert!(page.contains("expected") && page.contains("<pre>"));
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
    let page = page::html(&read(WAREHOUSE), None);
    for outside in ["http://", "https://", "src=", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
}

/// What is left of a line of Markdown beside its code.
fn beside_code(line: &str) -> String {
    let mut left = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('`') {
        left += &rest[..at];
        let length = rest[at..]
            .chars()
            .take_while(|letter| *letter == '`')
            .count();
        let fence = "`".repeat(length);
        let inside = &rest[at + length..];
        let runs = inside.match_indices(&fence).find(|(end, _)| {
            !inside[..*end].ends_with('`') && !inside[end + length..].starts_with('`')
        });
        let (end, _) = runs.unwrap_or_else(|| panic!("code without an end: {line}"));
        rest = &inside[end + length..];
    }
    left + rest
}

#[test]
fn a_summary_calls_nobody_and_links_nothing() {
    let hostile =
        "@ann #1 !2 ~~gone~~ https://x.example www.x.example <img src=x> ``` | \\ ` a@b.example";
    let of_warehouse = changed(WAREHOUSE, |report| {
        report["product"] = json!(hostile);
        for culprit in report["culprits"].as_array_mut().unwrap() {
            culprit["template"] = json!(hostile);
        }
        for check in report["checks"].as_array_mut().unwrap() {
            check["id"] = json!(hostile);
            check["verdict"] = json!("unknown");
            check["reason"] = json!({"kind": "nothing_to_see", "what": hostile});
        }
    });
    let of_pipeline = changed(PIPELINE, |report| {
        for check in report["checks"].as_array_mut().unwrap() {
            check["id"] = json!(hostile);
            check["verdict"] = json!("wrong");
            check["reason"] = json!({"kind": "answer", "expected": hostile, "got": "`", "evidence": [], "hint": null});
        }
    });
    for report in [of_warehouse, of_pipeline] {
        let summary = markdown(&report, None);
        assert!(summary.contains("@ann"), "{summary}");
        for line in summary.lines().filter(|line| !line.starts_with("### ")) {
            let left = beside_code(line);
            for active in ["@", "#", "!", "~", "://", "www", "<"] {
                assert!(!left.contains(active), "{active} in {line}");
            }
        }
    }
}

#[test]
fn a_check_that_is_supported_shows_what_was_expected_and_what_came() {
    let report = changed(WAREHOUSE, |report| {
        let check = &mut report["checks"][0];
        check["verdict"] = json!("supported");
        check["reason"] = Value::Null;
        check["expected"] = json!("17 ± 3");
        check["steps"] = json!([{
            "label": null, "sql": "SELECT 18", "elapsed_ms": 1.0, "shared_with": 0, "error": null,
            "result": {"columns": [], "rows": [[18]], "total_rows": 1},
        }]);
    });
    let page = page::html(&report, None);
    assert!(page.contains("expected: <code>17 ± 3</code>"), "{page}");
    assert!(page.contains("came back: <code>18</code>"), "{page}");
}

#[test]
fn a_check_of_several_statements_tells_in_words_what_was_expected() {
    for text in [WAREHOUSE, PIPELINE] {
        let report = changed(text, |report| {
            let check = &mut report["checks"][0];
            check["verdict"] = json!("supported");
            check["reason"] = Value::Null;
            check["title"] = json!("a new table is listed");
        });
        let page = page::html(&report, None);
        assert!(
            page.contains("<span>a new table is listed</span>"),
            "{page}"
        );
        assert!(page.contains("expected: as the title says"), "{page}");
    }
}

#[test]
fn a_long_statement_that_answers_several_checks_stands_once() {
    let sql = format!("SELECT '{}'", "x".repeat(400));
    let report = changed(WAREHOUSE, |report| {
        for check in report["checks"].as_array_mut().unwrap().iter_mut().take(2) {
            check["verdict"] = json!("supported");
            check["reason"] = Value::Null;
            check["steps"] = json!([{
                "label": null, "sql": sql, "elapsed_ms": 1.0, "shared_with": 0, "error": null,
                "result": {"columns": [], "rows": [[18]], "total_rows": 1},
            }]);
        }
    });
    let first = serde_json::to_value(&report).unwrap()["checks"][0]["id"].clone();
    let first = first.as_str().unwrap();
    let page = page::html(&report, None);
    let (_, page) = page.split_once("id=\"checks\"").unwrap();
    assert_eq!(
        page.matches(&format!("<pre>{sql}</pre>")).count(),
        1,
        "{page}"
    );
    let told = format!("the statement of <a href=\"#check-{first}\">");
    assert!(page.contains(&told), "{page}");
}

#[test]
fn what_is_at_fault_stands_with_its_statement_above_the_checks() {
    let page = page::html(&read(WAREHOUSE), None);
    let report: Value = serde_json::from_str(WAREHOUSE).unwrap();
    let (above, _) = page.split_once("id=\"checks\"").unwrap();
    let culprit = &report["culprits"][0]["check"];
    let checks = report["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["id"] == *culprit).unwrap();
    let sql = check["steps"][0]["sql"].as_str().unwrap();
    assert!(above.contains(&format!("<pre>{sql}</pre>")), "{above}");

    let without_blame = changed(WAREHOUSE, |report| report["culprits"] = json!([]));
    let page = page::html(&without_blame, None);
    let (above, _) = page.split_once("id=\"checks\"").unwrap();
    assert!(above.contains(&format!("<pre>{sql}</pre>")), "{above}");
}

#[test]
fn a_page_tells_when_it_was_and_what_is_next() {
    let report = changed(WAREHOUSE, |report| {
        report["began"] = json!("2026-11-29T08:00:00Z")
    });
    let page = page::html(&report, None);
    assert!(page.contains("begun 2026-11-29T08:00:00Z"), "{page}");
    let pipeline = changed(PIPELINE, |report| {
        report["window"]["end"] = json!("2026-11-29T09:00:00Z")
    });
    let pipeline = page::html(&pipeline, None);
    assert!(
        pipeline.contains("begun 2026-11-29T09:00:00Z"),
        "{pipeline}"
    );
    let step = report.next_step().unwrap();
    let (plain, code) = step.words().split_once('`').unwrap();
    let code = code.trim_end_matches('`');
    assert!(
        page.contains(&format!("{plain}<code>{code}</code>")),
        "{page}"
    );
}

#[test]
fn the_next_step_of_a_pipeline_names_the_check() {
    let report = read(PIPELINE);
    let Report::Pipeline(pipeline) = &report else {
        panic!("a report of a pipeline");
    };
    let first = pipeline.shortfalls().next().unwrap();
    let step = report.next_step().unwrap();
    assert!(step.words().contains(&first.id), "{}", step.words());
}

#[test]
fn features_and_checks_of_a_pipeline_show_what_is_behind_them() {
    let report = changed(PIPELINE, |report| {
        report["features"][0]["records"] = json!(["{\"name\":\"nightly\"}"]);
        report["checks"][0]["elapsed_ms"] = json!(1234.0);
        report["checks"][0]["advice"] = json!(["ask for larger pages"]);
    });
    let page = page::html(&report, None);
    for shown in [
        "{&quot;name&quot;:&quot;nightly&quot;}",
        "1.23 s",
        "ask for larger pages",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
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
    assert!(!page.contains("<th>"));
    assert!(with_columns(json!(["name"])).contains("<th>name<"));
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
fn a_page_of_a_thousand_checks_is_small() {
    let report = changed(WAREHOUSE, |report| {
        let checks = report["checks"].as_array().unwrap().clone();
        let many = (0..1_000).map(|number: usize| {
            let mut check = checks[number % checks.len()].clone();
            check["id"] = json!(format!("ql_metrics/number_{number}"));
            check
        });
        report["checks"] = many.collect();
    });
    let page = page::html(&report, None);
    assert_eq!(page.matches("<details class=\"check").count(), 1_000);
    assert!(page.len() < 1_000_000, "{} bytes", page.len());
}

#[test]
fn long_lists_beside_the_checks_are_cut() {
    let many = |report: &mut Value, verdict: &str| {
        let check = report["checks"][0].clone();
        let many = (0..1_000).map(|number: usize| {
            let mut check = check.clone();
            check["id"] = json!(format!("ql_metrics/number_{number}"));
            check["verdict"] = json!(verdict);
            check
        });
        report["checks"] = many.collect();
    };
    let before = changed(WAREHOUSE, |report| many(report, "supported"));
    let now = changed(WAREHOUSE, |report| {
        many(report, "unknown");
        let ids: Vec<Value> = report["checks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|check| check["id"].clone())
            .collect();
        report["culprits"][0]["blocks"] = json!(ids);
    });
    let page = page::html(&now, Some(&before));
    assert_eq!(page.matches("supported → unknown").count(), 100);
    assert_eq!(page.matches("and 900 more").count(), 2, "{page}");
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

#[test]
fn metrics_are_idle_without_the_query_language_alone() {
    let idle = |verdict: Value, is_supported: bool| {
        let report = changed(WAREHOUSE, |report| {
            report["capabilities"][0]["verdict"] = verdict;
            for metric in report["metrics"].as_array_mut().unwrap() {
                metric["supported"] = json!(is_supported);
            }
        });
        markdown(&report, None).contains("computes none of them")
    };
    assert!(idle(json!("wrong"), true));
    assert!(!idle(json!("wrong"), false));
    assert!(!idle(json!("supported"), true));
    assert!(!idle(Value::Null, true));
}
