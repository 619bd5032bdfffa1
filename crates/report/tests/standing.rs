//! What is known after several runs, of which not every one asked everything.

use bowline_report::{Conclusion, Report};
use serde_json::{Value, json};

const WAREHOUSE: &str = include_str!("written/warehouse.json");

fn changed(change: impl FnOnce(&mut Value)) -> Report {
    let mut report: Value = serde_json::from_str(WAREHOUSE).unwrap();
    report["interrupted"] = json!(false);
    change(&mut report);
    Report::from_json(&report.to_string(), "report.json").unwrap()
}

fn as_json(report: &Report) -> Value {
    serde_json::from_str(&report.to_json().unwrap()).unwrap()
}

/// The same run, as if it had asked only the sections named, and nothing of what is found in others.
fn only(sections: &[&str]) -> Report {
    changed(|report| {
        report["sections"] = json!(sections);
        let checks = report["checks"].as_array_mut().unwrap();
        checks.retain(|check| sections.contains(&check["section"].as_str().unwrap()));
        for template in report["templates"].as_array_mut().unwrap() {
            template["verdict"] = Value::Null;
        }
        for capability in report["capabilities"].as_array_mut().unwrap() {
            capability["verdict"] = Value::Null;
            capability["because"] = json!([]);
        }
        for metric in report["metrics"].as_array_mut().unwrap() {
            metric["supported"] = json!(false);
            metric["because"] = json!([]);
        }
        report["culprits"] = json!([]);
    })
}

fn whole() -> Report {
    changed(|report| {
        let names: Vec<&str> = bowline_contract::SuiteSection::NAMES.to_vec();
        report["sections"] = json!(names);
    })
}

#[test]
fn a_run_of_one_section_forgets_nothing_of_the_others() {
    let before = as_json(&whole());
    let known = as_json(&only(&["connection"]).over(whole()));
    for part in [
        "sections",
        "summary",
        "templates",
        "capabilities",
        "metrics",
        "culprits",
    ] {
        assert_eq!(known[part], before[part], "{part}");
    }
    let ids = |report: &Value| -> Vec<Value> {
        let checks = report["checks"].as_array().unwrap();
        checks.iter().map(|check| check["id"].clone()).collect()
    };
    assert_eq!(ids(&known), ids(&before));
}

#[test]
fn what_a_section_found_last_is_what_counts() {
    let section = "ql_metrics";
    let mended = changed(|report| {
        report["sections"] = json!([section]);
        let checks = report["checks"].as_array_mut().unwrap();
        checks.retain(|check| check["section"] == section);
        for check in checks {
            check["verdict"] = json!("supported");
            check["reason"] = Value::Null;
        }
        for template in report["templates"].as_array_mut().unwrap() {
            let is_wrong = template["verdict"] == "wrong";
            if is_wrong {
                template["verdict"] = json!("supported");
            }
        }
        report["culprits"] = json!([]);
    });
    assert_eq!(whole().conclusion(), Conclusion::FellShort);
    let known = mended.over(whole());
    assert_ne!(known.conclusion(), Conclusion::FellShort);
    assert_eq!(as_json(&known)["culprits"], json!([]));
}

#[test]
fn a_run_that_was_stopped_and_one_of_another_server_change_nothing_else() {
    let stopped = changed(|report| report["interrupted"] = json!(true));
    assert!(!stopped.is_whole());
    assert_eq!(stopped.clone().over(whole()), whole());
    assert_eq!(whole().over(stopped), whole());
    let elsewhere = changed(|report| {
        report["product"] = json!("another database");
        report["sections"] = json!([]);
        report["checks"] = json!([]);
    });
    assert_eq!(elsewhere.clone().over(whole()), elsewhere);
}

#[test]
fn what_another_section_found_wrong_stays_wrong() {
    let template = "a_template";
    let judged = |report: &mut Value, section: &str, verdict: &str| {
        let id = format!("{section}/of_two");
        let mut check = report["checks"][0].clone();
        for (name, value) in [
            ("id", json!(id)),
            ("section", json!(section)),
            ("verdict", json!(verdict)),
            ("reason", Value::Null),
        ] {
            check[name] = value;
        }
        report["checks"].as_array_mut().unwrap().push(check);
        let found = &mut report["templates"][0];
        found["name"] = json!(template);
        found["verdict"] = json!(verdict);
        found["implemented"] = json!(true);
        found["checks"] = json!([id]);
    };
    let before = changed(|report| {
        judged(report, "functional", "wrong");
        report["sections"] = json!(["metadata", "functional"]);
        report["culprits"] = json!([{"template": template, "check": "functional/of_two",
            "checks": ["functional/of_two"], "blocks": [], "place": null, "text": null,
            "needs": null, "hint": null, "mend": null}]);
    });
    let last = |section: &str| {
        changed(|report| {
            report["checks"] = json!([report["checks"][0]]);
            judged(report, section, "supported");
            report["sections"] = json!([section]);
            report["culprits"] = json!([]);
        })
    };
    let verdict = |report: &Report| {
        let report = as_json(report);
        let templates = report["templates"].as_array().unwrap().clone();
        let found = templates
            .into_iter()
            .find(|found| found["name"].as_str().unwrap().starts_with(template));
        (
            found.unwrap()["verdict"].clone(),
            report["culprits"].clone(),
        )
    };
    let (found, culprits) = verdict(&last("metadata").over(before.clone()));
    assert_eq!(found, "wrong");
    assert_eq!(culprits[0]["template"], template);
    let (found, culprits) = verdict(&last("functional").over(before));
    assert_eq!(found, "supported");
    assert_eq!(culprits, json!([]));
}
