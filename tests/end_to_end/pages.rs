//! Pages for a browser, in one: they render, filter and open, and the browser has nothing to complain about.

use std::path::Path;
use std::process::Command;

use bowline_contract::exit_code;
use bowline_servers::find_program;
use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use crate::connector::{Engine, simulated, spell};
use crate::needs::{Need, trial};
use crate::sandbox::Sandbox;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("pages/report", &[Need::Browser], report_page),
        trial("pages/narrow", &[Need::Browser], narrow_page),
        trial("pages/printed", &[Need::Browser], printed_page),
        trial("pages/forms_of_a_report", &[], forms),
        trial("pages/not_kept", &[], not_kept),
        trial("pages/inspection", &[Need::Browser], inspection_page),
        trial("pages/metrics", &[Need::Browser], metrics_page),
    ]
}

/// What is done to the page by a script of ours, whose finding is the title afterwards.
const VISIT: &str = r##"<script>
addEventListener("load", () => {
  const visible = () => [...document.querySelectorAll(".check")].filter((check) => !check.hidden);
  const all = visible().length;
  document.querySelector('.tile[data-verdict="wrong"]').click();
  const wrong = visible();
  const filtered = wrong.length > 0 && wrong.length < all && wrong.every((check) => check.dataset.verdict === "wrong");
  const unfold = document.getElementById("unfold");
  unfold.click();
  const closes = unfold.textContent === "Close all" && wrong.every((check) => check.open);
  document.querySelector('.tile[data-verdict="wrong"]').click();
  const unfolds = closes && unfold.textContent === "Open all";
  const search = document.getElementById("search");
  search.value = "ql_metrics/avg";
  search.dispatchEvent(new Event("input"));
  const found = visible();
  const searched = found.length > 0 && found.every((check) => check.textContent.includes("ql_metrics/avg"));
  search.value = "";
  search.dispatchEvent(new Event("input"));
  const whole = visible().length === all;
  const avg = document.getElementById("check-ql_metrics/avg");
  location.hash = "#check-ql_metrics/avg";
  setTimeout(() => {
    const opened = avg.open;
    search.value = "no such check";
    search.dispatchEvent(new Event("input"));
    avg.open = false;
    const filteredAgain = avg.hidden;
    document.querySelector('a[href="#check-ql_metrics/avg"]').click();
    const again = filteredAgain && avg.open && !avg.hidden;
    const counted = document.getElementById("shown").textContent === `${all} checks`;
    location.hash = "#%zz";
    setTimeout(() => {
      document.title = JSON.stringify({ all, filtered, unfolds, searched, whole, opened, again, counted });
    }, 100);
  }, 100);
});
</script>"##;

/// Says in the title how wide the page and what is in it are on a narrow screen.
const NARROW: &str = r#"<script>
addEventListener("load", () => {
  const body = document.body;
  body.style.width = "375px";
  for (const details of document.querySelectorAll("details")) details.open = true;
  document.title = JSON.stringify({ screen: body.clientWidth, page: body.scrollWidth });
});
</script>"#;

/// A report with every kind of verdict.
const WRITTEN: &str = include_str!("../../crates/report/tests/written/warehouse.json");

/// A report of a wrong connector in the workspace of a new sandbox.
fn reported() -> Sandbox {
    let sandbox = Engine::Sqlite.shop();
    spell(&sandbox, "sqlite", "get_avg_function", "SUM({x})");
    sandbox
        .bowline(&["test", "sqlite"])
        .exits(exit_code::FELL_SHORT);
    sandbox
}

fn report_page() -> Result<(), Failed> {
    let sandbox = reported();
    sandbox.bowline(&["report", "sqlite"]).exits(exit_code::OK);
    let page = sandbox.read("sqlite-report.html");
    assert!(page.len() < 1_000_000, "{} bytes", page.len());
    let found = visited(&sandbox, &page, VISIT)?;
    let did = [
        "filtered", "unfolds", "searched", "whole", "opened", "again", "counted",
    ];
    for what in did {
        assert_eq!(found[what], true, "{what}: {found}");
    }
    assert!(found["all"].as_u64() > Some(100), "{found}");
    Ok(())
}

/// Says in the title whether anything of a table lies outside of a sheet, by the rules for paper.
const PRINTED: &str = r#"<script>
addEventListener("load", () => {
  for (const sheet of document.styleSheets)
    for (const rule of [...sheet.cssRules])
      if (rule.media && rule.media.mediaText === "print")
        for (const inner of rule.cssRules) sheet.insertRule(inner.cssText, sheet.cssRules.length);
  const body = document.body;
  body.style.width = "700px";
  for (const details of document.querySelectorAll("details")) details.open = true;
  const edge = body.getBoundingClientRect().right;
  const outside = [...document.querySelectorAll("td, th")].filter((cell) => cell.getBoundingClientRect().right > edge + 1);
  document.title = JSON.stringify({ cells: document.querySelectorAll("td").length, outside: outside.length });
});
</script>"#;

fn printed_page() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    let mut report: Value = serde_json::from_str(WRITTEN)?;
    let columns: Vec<String> = (0..14)
        .map(|number| format!("a_long_name_{number}"))
        .collect();
    let row: Vec<f64> = (0..14)
        .map(|number| 598_799.5 + f64::from(number))
        .collect();
    for check in report["checks"].as_array_mut().into_iter().flatten() {
        for step in check["steps"].as_array_mut().into_iter().flatten() {
            step["result"] = json!({"columns": columns, "rows": [row], "total_rows": 1});
        }
    }
    sandbox.write("wide.json", &report.to_string());
    sandbox
        .bowline(&["report", "wide.json", "-o", "wide.html"])
        .exits(exit_code::OK);
    let found = visited(&sandbox, &sandbox.read("wide.html"), PRINTED)?;
    assert!(found["cells"].as_u64() >= Some(14), "{found}");
    assert_eq!(found["outside"], 0, "{found}");
    Ok(())
}

fn narrow_page() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    let mut report: Value = serde_json::from_str(WRITTEN)?;
    let word = "x".repeat(400);
    report["product"] = json!(word);
    report["left_behind"] = json!([word]);
    report["culprits"][0]["hint"] = json!(word);
    for check in report["checks"].as_array_mut().into_iter().flatten() {
        check["title"] = json!(word);
        check["advice"] = json!([word]);
        for step in check["steps"].as_array_mut().into_iter().flatten() {
            step["label"] = json!(word);
            step["result"] = json!({"columns": [word], "rows": [[word]], "total_rows": 1});
        }
    }
    sandbox.write("long.json", &report.to_string());
    sandbox
        .bowline(&["report", "long.json", "-o", "long.html"])
        .exits(exit_code::OK);
    let found = visited(&sandbox, &sandbox.read("long.html"), NARROW)?;
    assert_eq!(found["screen"], 375, "{found}");
    assert_eq!(found["page"], 375, "{found}");
    Ok(())
}

/// What a script of ours says in the title of a page, about which the browser complains of nothing.
fn visited(sandbox: &Sandbox, page: &str, script: &str) -> Result<Value, Failed> {
    let visited = page.replace("</body>", &format!("{script}</body>"));
    sandbox.write("visited.html", &visited);
    let (dom, complaints) = browse(&sandbox.work().join("visited.html"));
    assert!(complaints.is_empty(), "{complaints:?}");
    let title = dom
        .split_once("<title>")
        .and_then(|(_, rest)| rest.split_once("</title>"))
        .map(|(title, _)| title.replace("&quot;", "\""))
        .ok_or("the browser shows no title")?;
    Ok(serde_json::from_str(&title).map_err(|_| title)?)
}

/// What shows the last report would show an older one.
fn not_kept() -> Result<(), Failed> {
    let sandbox = Engine::Sqlite.shop();
    sandbox.write(".bowline/reports", "in the way");
    let ran = sandbox.bowline(&["test", "sqlite", "-m", "connection"]);
    let warning = "warning: the report cannot be kept in `.bowline/reports/connectors/sqlite.json`";
    assert!(ran.stderr.contains(warning), "{}", ran.said());
    assert_eq!(sandbox.read(".bowline/reports"), "in the way");
    Ok(())
}

fn inspection_page() -> Result<(), Failed> {
    let (sandbox, _server) = simulated("nights")?;
    sandbox
        .bowline(&["inspect", "nights", "--html", "nights.html"])
        .exits(exit_code::OK);
    let (dom, complaints) = browse(&sandbox.work().join("nights.html"));
    for words in [
        "<h2>Run</h2>",
        "Where its fields come from",
        "The vendor's record",
        "job_source_id",
    ] {
        assert!(dom.contains(words), "{words}");
    }
    assert!(!dom.contains(bowline_simulator::SECRET));
    assert!(complaints.is_empty(), "{complaints:?}");
    Ok(())
}

/// Says in the title which charts there are, and whether any is wider than a narrow screen.
const CHARTS: &str = r#"<script>
addEventListener("load", () => {
  document.body.style.width = "375px";
  const charts = [...document.querySelectorAll(".chart")];
  document.title = JSON.stringify({
    charts: charts.length, strips: document.querySelectorAll(".strip").length,
    bars: document.querySelectorAll(".part title").length, page: document.body.scrollWidth,
    drawn: charts.every((chart) => chart.getBoundingClientRect().height > 5),
  });
});
</script>"#;

fn metrics_page() -> Result<(), Failed> {
    let sandbox = Engine::DuckDb.shop();
    let name = "n".repeat(80);
    let sql = format!(
        "CREATE TABLE busy AS SELECT i AS n, i AS {name}, CASE WHEN i % 3 > 0 THEN '<b>' END AS t, i % 2 = 0 AS b, \
         TIMESTAMP '2026-11-01' + to_days(CAST(i % 25 AS INTEGER)) AS at FROM range(100) r(i)"
    );
    sandbox
        .bowline(&["query", "-c", "duckdb", &sql])
        .exits(exit_code::OK);
    let visit = |arguments: &[&str]| {
        let whole = ["profile", "duckdb", "busy", "--html", "-"];
        let page = sandbox.bowline(&[&whole[..], arguments].concat());
        let page = page.exits(exit_code::OK).stdout;
        assert!(!page.contains("<b>"));
        visited(&sandbox, &page, CHARTS)
    };
    let found = visit(&[])?;
    assert_eq!(
        (&found["strips"], &found["page"]),
        (&json!(2), &json!(375)),
        "{found}"
    );
    assert!(found["charts"].as_u64() > Some(20), "{found}");
    assert_eq!(found["drawn"], true, "{found}");
    let found = visit(&["--group-by", "at"])?;
    assert!(found["bars"].as_u64() > Some(25 * 20), "{found}");
    assert_eq!(
        (&found["drawn"], &found["page"]),
        (&json!(true), &json!(375)),
        "{found}"
    );
    Ok(())
}

/// Opens a page, and gives what became of it and what the console says.
fn browse(page: &Path) -> (String, Vec<String>) {
    let browser = find_program("chromium").expect("a browser");
    let profile = tempfile::tempdir().expect("a folder");
    let output = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--enable-logging=stderr",
            "--virtual-time-budget=5000",
            "--dump-dom",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .expect("the browser's output");
    let said = String::from_utf8_lossy(&output.stderr);
    let complaints = said.lines().filter(|line| line.contains("CONSOLE"));
    (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        complaints.map(str::to_owned).collect(),
    )
}

fn forms() -> Result<(), Failed> {
    let sandbox = reported();
    let summary = sandbox
        .bowline(&["report", "--connector", "sqlite", "--format", "markdown"])
        .exits(exit_code::OK);
    assert!(
        summary.stdout.contains("`get_avg_function`"),
        "{}",
        summary.said()
    );
    let json = sandbox
        .bowline(&["report", "sqlite", "--format", "json", "-o", "kept.json"])
        .exits(exit_code::OK);
    assert!(json.stdout.is_empty(), "{}", json.said());
    let from_file = sandbox
        .bowline(&["report", "kept.json", "--format", "junit"])
        .exits(exit_code::OK);
    assert!(
        from_file.stdout.contains("<testsuites"),
        "{}",
        from_file.said()
    );

    spell(&sandbox, "sqlite", "get_avg_function", "AVG({x} * 1.0)");
    sandbox.bowline(&["test", "sqlite", "--report", "page.html"]);
    let page = sandbox.read("page.html");
    assert!(
        page.contains("wrong → supported"),
        "what changed is not told"
    );

    let listed = sandbox
        .bowline(&["list", "--format", "json"])
        .exits(exit_code::OK);
    assert_eq!(listed.json()[0]["connector"], "sqlite");
    assert_ne!(listed.json()[0]["last_test"]["conclusion"], "falls short");

    sandbox.write(
        "newer.json",
        r#"{"version": 999, "bowline_version": "9.0"}"#,
    );
    let newer = sandbox
        .bowline(&["report", "newer.json"])
        .exits(exit_code::USAGE);
    assert!(
        newer.stderr.contains("newer than this program"),
        "{}",
        newer.said()
    );
    let before = sandbox.files(".");
    let elsewhere = WRITTEN.replacen("\"connector\": \"", "\"connector\": \"../evil", 1);
    sandbox.write("elsewhere.json", &elsewhere);
    let refused = sandbox
        .bowline(&["report", "elsewhere.json"])
        .exits(exit_code::USAGE);
    assert!(
        refused.stderr.contains("invalid connector name"),
        "{}",
        refused.said()
    );
    let turned = sandbox
        .bowline(&["explain", "\u{202e}\u{9b}"])
        .exits(exit_code::USAGE);
    assert!(
        turned.stderr.contains("\\u{202e}\\u{9b}"),
        "{}",
        turned.said()
    );
    assert_eq!(before.len() + 1, sandbox.files(".").len());
    sandbox.write(".bowline/reports/connectors/sqlite.json", "{");
    let listed = sandbox.bowline(&["list"]).exits(exit_code::OK);
    assert!(
        listed.stdout.contains("cannot be read"),
        "{}",
        listed.said()
    );
    let none = sandbox
        .bowline(&["report", "none.json"])
        .exits(exit_code::USAGE);
    assert!(none.stderr.contains("no file"), "{}", none.said());
    Ok(())
}
