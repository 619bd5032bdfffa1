//! The report as JUnit XML: a test suite per section, a test case per check.

use std::fmt::Display;
use std::time::Duration;

use bowline_report::warehouse::{Reason, TextOrigin};
use bowline_report::{Report, Verdict, WarehouseReport, pipeline, warehouse};
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use crate::error::CliError;

/// Writes the report. Checks that fell short are failures, open ones errors, the others skipped with their reason.
pub(super) fn junit(report: &Report) -> Result<String, CliError> {
    let (connector, elapsed, sections, cases): (_, _, _, Vec<(&str, TestCase)>) = match report {
        Report::Warehouse(report) => {
            let checks = report.checks.iter();
            let cases = checks.map(|check| (check.section.as_str(), warehouse_case(report, check)));
            (
                &report.connector,
                report.elapsed_ms,
                &report.sections,
                cases.collect(),
            )
        }
        Report::Pipeline(report) => {
            let checks = report.checks.iter();
            let cases = checks.map(|check| (check.section.as_str(), pipeline_case(check)));
            (
                &report.connector,
                report.elapsed_ms,
                &report.sections,
                cases.collect(),
            )
        }
    };
    let mut junit = quick_junit::Report::new(format!("bowline test {connector}"));
    junit.set_time(Duration::from(elapsed));
    for section in sections {
        let mut suite = TestSuite::new(section);
        let cases = cases.iter().filter(|(stands_in, _)| stands_in == section);
        suite.add_test_cases(cases.map(|(_, case)| {
            let mut case = case.clone();
            case.set_classname(connector);
            case
        }));
        junit.add_test_suite(suite);
    }
    junit
        .to_string()
        .map_err(|error| CliError::Internal(format!("the JUnit report cannot be written: {error}")))
}

fn warehouse_case(report: &WarehouseReport, check: &warehouse::CheckResult) -> TestCase {
    let fault = fault(check.is_shortfall(), check.is_open());
    let status = status(check.verdict, fault, check.reason.as_ref(), |reason| {
        let statements = check.steps.iter().map(statement);
        [format!("{}\n{reason}", check.title)]
            .into_iter()
            .chain(statements)
            .collect::<Vec<_>>()
            .join("\n\n")
    });
    let mut case = TestCase::new(&check.id, status);
    let steps = check.steps.iter();
    case.set_time(
        steps
            .map(|step| Duration::from(step.elapsed_ms))
            .sum::<Duration>(),
    );
    if check.verdict != Verdict::Supported {
        place(&mut case, report, check);
    }
    case
}

/// Says which templates keep a check from being supported, and where the first of them stands or would.
fn place(case: &mut TestCase, report: &WarehouseReport, check: &warehouse::CheckResult) {
    let mut culprits = report.culprits.iter();
    let culprit = culprits.find(|culprit| {
        culprit.check == check.id
            || culprit.checks.contains(&check.id)
            || culprit.blocks.contains(&check.id)
    });
    let named: Vec<&str> = match (&check.reason, culprit) {
        (_, Some(culprit)) => vec![&culprit.template],
        (Some(Reason::NotImplemented { templates } | Reason::Blocked { by: templates }), None) => {
            templates.iter().map(String::as_str).collect()
        }
        (_, None) => check.judges.iter().map(String::as_str).collect(),
    };
    for template in named {
        case.add_property(("template", template));
    }
    let at = match culprit {
        Some(culprit) => match &culprit.place {
            Some(TextOrigin::File(at)) => at,
            Some(TextOrigin::Pack(_)) | None => &culprit.home,
        },
        None => &report.home,
    };
    let (file, line) = match at.rsplit_once(':') {
        Some((file, line)) if line.bytes().all(|digit| digit.is_ascii_digit()) => {
            (file, Some(line))
        }
        _ => (at.as_str(), None),
    };
    if !file.is_empty() {
        case.extra.insert("file".into(), file.into());
        if let Some(line) = line {
            case.extra.insert("line".into(), line.into());
        }
    }
}

fn statement(step: &warehouse::Step) -> String {
    match &step.error {
        None => step.sql.clone(),
        Some(error) => format!("{}\n{error}", step.sql),
    }
}

fn pipeline_case(check: &pipeline::CheckResult) -> TestCase {
    let fault = fault(check.is_shortfall(), check.is_open());
    let status = status(check.verdict, fault, check.reason.as_ref(), |reason| {
        let mut lines = vec![check.title.clone(), reason.to_owned()];
        if let Some(pipeline::Reason::Answer { evidence, hint, .. }) = &check.reason {
            lines.extend(evidence.iter().cloned());
            lines.extend(hint.iter().map(|hint| format!("hint: {hint}")));
        }
        lines.join("\n")
    });
    TestCase::new(&check.id, status)
}

/// What kind of failure it is; none for what is only skipped.
fn fault(is_shortfall: bool, is_open: bool) -> Option<NonSuccessKind> {
    if is_shortfall {
        Some(NonSuccessKind::Failure)
    } else if is_open {
        Some(NonSuccessKind::Error)
    } else {
        None
    }
}

fn status(
    verdict: Verdict,
    fault: Option<NonSuccessKind>,
    reason: Option<&impl Display>,
    describe: impl FnOnce(&str) -> String,
) -> TestCaseStatus {
    if verdict == Verdict::Supported {
        return TestCaseStatus::success();
    }
    let mut status = fault.map_or_else(TestCaseStatus::skipped, TestCaseStatus::non_success);
    status.set_type(verdict.name());
    if let Some(reason) = reason {
        let reason = reason.to_string();
        status.set_message(reason.lines().next().unwrap_or_default());
        status.set_description(describe(&reason));
    }
    status
}
