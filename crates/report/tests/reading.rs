//! Reports as they were written are read, and written again as they were; what is no report is refused with its reason.

use std::collections::BTreeSet;

use bowline_report::{Conclusion, Report, ReportErrorKind, VERSION, schema};
use serde_json::Value;

const WAREHOUSE: &str = include_str!("written/warehouse.json");
const PIPELINE: &str = include_str!("written/pipeline.json");

/// A report with another value for one of its members.
fn with(text: &str, member: &str, value: impl Into<Value>) -> String {
    let mut report: Value = serde_json::from_str(text).unwrap();
    report[member] = value.into();
    report.to_string()
}

#[test]
fn what_is_read_is_written_as_it_was() {
    for text in [WAREHOUSE, PIPELINE] {
        let report = Report::from_json(text, "report.json").unwrap();
        assert_eq!(report.to_json().unwrap(), text);
    }
}

/// The constants under `key` among the alternatives of a schema.
fn alternatives(definition: &Value, key: &str) -> BTreeSet<String> {
    let alternatives = definition["oneOf"].as_array().unwrap().iter();
    alternatives
        .map(|one| one.pointer(key).unwrap().as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn the_written_reports_hold_every_verdict_and_reason() {
    let schema: Value = serde_json::from_str(&schema()).unwrap();
    for (text, reasons, verdicts) in [(WAREHOUSE, "Reason", 5), (PIPELINE, "PipelineReason", 4)] {
        let report: Value = serde_json::from_str(text).unwrap();
        let checks = report["checks"].as_array().unwrap();
        let said: BTreeSet<String> = checks
            .iter()
            .filter_map(|check| check["reason"]["kind"].as_str().map(str::to_owned))
            .collect();
        let all = alternatives(&schema["$defs"][reasons], "/properties/kind/const");
        assert_eq!(said, all);
        let said: BTreeSet<&str> = checks
            .iter()
            .filter_map(|check| check["verdict"].as_str())
            .collect();
        assert_eq!(said.len(), verdicts);
    }
}

#[test]
fn a_report_comes_to_what_its_checks_say() {
    for (text, interrupted, conclusion) in [
        (WAREHOUSE, true, Conclusion::Interrupted),
        (WAREHOUSE, false, Conclusion::FellShort),
        (PIPELINE, false, Conclusion::FellShort),
    ] {
        let text = with(text, "interrupted", interrupted);
        let report = Report::from_json(&text, "report.json").unwrap();
        assert_eq!(report.conclusion(), conclusion);
    }
    let Report::Pipeline(mut report) = Report::from_json(PIPELINE, "report.json").unwrap() else {
        panic!("it is about a pipeline");
    };
    report.checks.retain(|check| !check.is_shortfall());
    assert_eq!(report.conclusion(), Conclusion::Inconclusive);
    report.checks.retain(|check| !check.is_open());
    assert_eq!(report.conclusion(), Conclusion::Fine);
    assert_eq!(report.checks.len(), 3, "one was given no occasion");
}

#[test]
fn members_that_are_not_known_are_passed_over() {
    let text = with(WAREHOUSE, "weather", "fair");
    let report = Report::from_json(&text, "report.json").unwrap();
    assert_eq!(report.to_json().unwrap(), WAREHOUSE);
}

#[test]
fn members_that_came_later_may_be_missing() {
    let mut older: Value = serde_json::from_str(WAREHOUSE).unwrap();
    for culprit in older["culprits"].as_array_mut().unwrap() {
        for later in ["text", "needs", "hint"] {
            culprit.as_object_mut().unwrap().remove(later);
        }
    }
    let Report::Warehouse(report) = Report::from_json(&older.to_string(), "report.json").unwrap()
    else {
        panic!("it is about a warehouse");
    };
    assert!(report.culprits.iter().all(|culprit| culprit.text.is_none()));
}

#[test]
fn errors_of_kinds_that_are_not_known_are_other_errors() {
    let text = WAREHOUSE.replace("\"kind\": \"syntax\"", "\"kind\": \"weather\"");
    let report = Report::from_json(&text, "report.json").unwrap();
    assert!(report.to_json().unwrap().contains("\"kind\": \"other\""));
}

#[test]
fn a_newer_report_is_refused_with_both_versions() {
    // Whatever else the newer format has.
    let text = r#"{"asset_class": ["lake"], "version": 7, "bowline_version": "9.1.0"}"#;
    let error = Report::from_json(text, "report.json").unwrap_err();
    let kind = ReportErrorKind::Newer {
        version: 7,
        known: VERSION,
    };
    assert_eq!(error.kind, kind);
    assert!(error.to_string().starts_with(
        "the report is newer than this program: `report.json`\n\
         it is of version 7, and this program reads up to version 1"
    ));
    assert_eq!(
        error.hint.as_deref(),
        Some("read it with bowline 9.1.0, which wrote it, or a newer one")
    );
}

#[test]
fn what_is_no_report_is_refused() {
    for (text, cause) in [
        (String::new(), "EOF"),
        ("[]".to_owned(), "expected a report"),
        (
            "{\"asset_class\": \"etl\"}".to_owned(),
            "missing field `version`",
        ),
        (with(WAREHOUSE, "version", "1"), "invalid type"),
        (
            with(WAREHOUSE, "asset_class", "lake"),
            "unknown variant `lake`",
        ),
        (with(WAREHOUSE, "asset_class", "etl"), "missing field"),
        (with(PIPELINE, "tier", "soft"), "unknown variant `soft`"),
    ] {
        let error = Report::from_json(&text, "report.json").unwrap_err();
        assert_eq!(error.kind, ReportErrorKind::Malformed, "{text}");
        assert!(error.causes[0].contains(cause), "{error}");
    }
}

#[test]
fn a_connector_whose_name_leads_elsewhere_is_refused() {
    for name in ["../evil", "a/b", "/tmp/evil", "..", "", "a\\b"] {
        for text in [WAREHOUSE, PIPELINE] {
            let error = Report::from_json(&with(text, "connector", name), "r.json").unwrap_err();
            assert_eq!(error.kind, ReportErrorKind::Malformed, "{name}");
        }
    }
}
