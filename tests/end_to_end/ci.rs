//! What pipelines of others run: the script of the action and the template, and what they keep.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bowline_contract::exit_code;
use libtest_mimic::{Failed, Trial};

use crate::connector::{Engine, spell, write_sqlite};
use crate::needs::{binary, trial};
use crate::sandbox::{Ran, Sandbox};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("ci/reports", &[], reports),
        trial("ci/no_stale_reports", &[], no_stale_reports),
        trial("ci/drivers_come_first", &[], drivers_come_first),
        trial("ci/evidence_is_not_kept", &[], evidence_is_not_kept),
    ]
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Runs the script with these variables; its reports go to `reports`.
fn script(sandbox: &Sandbox, variables: &[(&str, &str)]) -> Ran {
    let bin = binary().parent().expect("a folder of binaries");
    let mut command = Command::new("bash");
    command
        .arg(repository().join("packages/ci/test.sh"))
        .current_dir(sandbox.work())
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", bin.display()))
        .env("HOME", sandbox.folder().join("home"))
        .env("REPORTS", "reports")
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    sandbox.finish(&mut command, None)
}

fn reports() -> Result<(), Failed> {
    let sandbox = Engine::Sqlite.shop();
    spell(&sandbox, "sqlite", "get_avg_function", "SUM({x})");
    let summary = ("GITHUB_STEP_SUMMARY", "step.md");
    let ran = script(&sandbox, &[summary]).exits(exit_code::FELL_SHORT);
    assert!(ran.stdout.contains("get_avg_function"), "{}", ran.said());
    for (file, holds) in [
        ("report.json", "\"version\""),
        ("junit.xml", "<testsuites"),
        ("summary.md", "`get_avg_function`"),
        ("report.html", "<!DOCTYPE html>"),
    ] {
        let text = sandbox.read(format!("reports/{file}"));
        assert!(text.contains(holds), "{file}: {} bytes", text.len());
    }
    assert_eq!(sandbox.read("step.md"), sandbox.read("reports/summary.md"));
    let pages = sandbox.files("");
    let pages: Vec<&String> = pages
        .iter()
        .filter(|file| file.ends_with(".html"))
        .collect();
    assert_eq!(pages, ["reports/report.html"]);
    Ok(())
}

fn no_stale_reports() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    write_sqlite(&sandbox, "sales");
    let reports = sandbox.work().join("reports");
    let section = ("SECTION", "connection");
    script(&sandbox, &[("CONNECTOR_NAME", "sales"), section]).exits(0);
    std::fs::write(reports.join("mine.txt"), "kept")?;
    for file in ["report.json", "junit.xml", "summary.md", "report.html"] {
        assert!(reports.join(file).is_file(), "{file}");
    }
    script(&sandbox, &[("CONNECTOR_NAME", "nope"), section]).exits(2);
    for file in ["junit.xml", "summary.md", "report.html"] {
        assert!(!reports.join(file).exists(), "{file}");
    }
    assert!(reports.join("mine.txt").is_file());
    Ok(())
}

fn drivers_come_first() -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    write_sqlite(&sandbox, "sales");
    let drivers = ("BOWLINE_DRIVERS", "nope, duckdb");
    let ran = script(&sandbox, &[("CONNECTOR_NAME", "sales"), drivers]).exits(2);
    assert!(ran.stderr.contains("`nope`"), "{}", ran.said());
    assert!(!sandbox.work().join("reports/report.json").exists());
    Ok(())
}

fn evidence_is_not_kept() -> Result<(), Failed> {
    for (file, kept, left) in [
        (
            "action.yml",
            "&& 'output' ||",
            "\n          !output/*/evidence/**\n",
        ),
        (
            "packages/gitlab/bowline.yml",
            "- output/\n",
            "exclude:\n      # Statements of others stand in it.\n      - output/*/evidence/**/*\n",
        ),
    ] {
        let text = std::fs::read_to_string(repository().join(file))?;
        assert!(text.contains(kept) && text.contains(left), "{file}");
    }
    Ok(())
}
