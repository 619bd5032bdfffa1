//! A case, done.

use std::fmt::Write;
use std::fs;
use std::process::Command;

use libtest_mimic::Failed;

use super::compare::{difference, matches};
use super::parse::{Action, Case, Run, Step, words};
use crate::connector::write_sqlite;
use crate::needs::Need;
use crate::redact::redact;
use crate::sandbox::Sandbox;

const UPDATE: &str = "BOWLINE_UPDATE_CASES";

pub(crate) fn run(case: &Case) -> Result<(), Failed> {
    let sandbox = if case.needs.contains(&Need::Postgres) {
        Sandbox::with_postgres()
    } else {
        Sandbox::new()
    };
    let update = std::env::var_os(UPDATE).is_some();
    let mut rewritten = Vec::new();
    for step in &case.steps {
        let Some(mismatch) = perform(&sandbox, step)? else {
            continue;
        };
        if !update {
            return Err(format!(
                "{}:{}: {}\nhint: `{UPDATE}=1` rewrites what is expected",
                case.file.display(),
                step.lines.start + 1,
                mismatch.report
            )
            .into());
        }
        rewritten.push((step, mismatch.section));
    }
    sandbox.assert_clean();
    if rewritten.is_empty() {
        return Ok(());
    }
    let text = fs::read_to_string(&case.file)?;
    let mut lines: Vec<&str> = text.lines().collect();
    for (step, section) in rewritten.iter().rev() {
        lines.splice(step.lines.clone(), section.lines());
    }
    fs::write(&case.file, lines.join("\n") + "\n")?;
    Ok(())
}

/// What a step did instead of what it should have.
struct Mismatch {
    report: String,
    /// The step's lines as they would have to be.
    section: String,
}

fn perform(sandbox: &Sandbox, step: &Step) -> Result<Option<Mismatch>, Failed> {
    match &step.action {
        Action::Connector { name } => {
            write_sqlite(sandbox, name);
            Ok(None)
        }
        Action::File { path, text } => {
            sandbox.write(path, &filled(sandbox, text));
            Ok(None)
        }
        Action::Run(run) => perform_run(sandbox, run),
        Action::Sql { text, rows } => {
            let actual = redact(sandbox, &sandbox.sql(&filled(sandbox, text)));
            let section = format!("=== sql\n{text}=== rows\n{actual}");
            Ok(compared("rows", rows, &actual, section))
        }
        Action::Holds { path, text } => {
            let actual = redact(sandbox, &sandbox.read(path));
            let section = format!("=== holds {path}\n{actual}");
            Ok(compared(path, text, &actual, section))
        }
        Action::Files { path, list } => {
            let mut actual = String::new();
            for file in sandbox.files(path) {
                actual.push_str(&file);
                actual.push('\n');
            }
            let section = format!("=== files {path}\n{actual}");
            Ok(compared("the list of files", list, &actual, section))
        }
        Action::Absent { path } => {
            if sandbox.work().join(path).exists() {
                return Err(format!("`{path}` should not be there").into());
            }
            Ok(None)
        }
    }
}

fn compared(what: &str, expected: &str, actual: &str, section: String) -> Option<Mismatch> {
    (!matches(expected, actual)).then(|| Mismatch {
        report: difference(what, expected, actual),
        section,
    })
}

fn perform_run(sandbox: &Sandbox, run: &Run) -> Result<Option<Mismatch>, Failed> {
    let mut command = prepared(sandbox, &filled(sandbox, &run.line))?;
    let input = run.stdin.as_ref().map(|text| filled(sandbox, text));
    let ran = sandbox.finish(&mut command, input.as_deref());
    let Some(exit) = ran.exit else {
        return Err(format!("a signal ended `{}`\n{}", run.line, ran.said()).into());
    };
    let stdout = redact(sandbox, &ran.stdout);
    let stderr = redact(sandbox, &ran.stderr);
    let mut report = String::new();
    if exit != run.exit {
        let _ = writeln!(
            report,
            "`{}` ended with {exit}, expected {}",
            run.line, run.exit
        );
    }
    let mut kept_stdout = stdout.as_str();
    let mut kept_stderr = stderr.as_str();
    for (what, expected, actual) in [
        ("stdout", &run.stdout, &mut kept_stdout),
        ("stderr", &run.stderr, &mut kept_stderr),
    ] {
        if matches(expected, actual) {
            *actual = expected;
        } else {
            report.push_str(&difference(what, expected, actual));
        }
    }
    if report.is_empty() {
        return Ok(None);
    }
    let mut section = format!("=== run {}\n", run.line);
    if let Some(input) = &run.stdin {
        let _ = write!(section, "=== stdin\n{input}");
    }
    if exit != 0 {
        let _ = writeln!(section, "=== exit {exit}");
    }
    for (name, text) in [("stdout", kept_stdout), ("stderr", kept_stderr)] {
        if !text.is_empty() {
            let _ = write!(section, "=== {name}\n{text}");
            if !text.ends_with('\n') {
                section.push('\n');
            }
        }
    }
    Ok(Some(Mismatch { report, section }))
}

fn prepared(sandbox: &Sandbox, line: &str) -> Result<Command, Failed> {
    let words = words(line)?;
    let program = words
        .iter()
        .position(|word| word == "bowline")
        .ok_or_else(|| format!("only `bowline` is run, not `{line}`"))?;
    let args: Vec<&str> = words[program + 1..].iter().map(String::as_str).collect();
    let mut command = sandbox.command(&args);
    for variable in &words[..program] {
        let (name, value) = variable
            .split_once('=')
            .ok_or_else(|| format!("not a variable: `{variable}`"))?;
        command.env(name, value);
    }
    Ok(command)
}

/// The text with the names of the case's database filled in.
fn filled(sandbox: &Sandbox, text: &str) -> String {
    let Some(database) = sandbox.database() else {
        return text.to_owned();
    };
    let quoted = serde_json::Value::from(database.password.as_str()).to_string();
    // Longer names first: one is the beginning of another.
    [
        ("$PG_PASSWORD_JSON", quoted.as_str()),
        ("$PG_PASSWORD", &database.password),
        ("$PG_DATABASE", &database.name),
        ("$PG_HOST", "127.0.0.1"),
        ("$PG_PORT", &database.port.to_string()),
        ("$PG_USER", &database.user),
    ]
    .iter()
    .fold(text.to_owned(), |text, (name, value)| {
        text.replace(name, value)
    })
}
