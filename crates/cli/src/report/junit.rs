//! The report as JUnit XML: a test suite per section, a test case per check.

use bowline_conformance::{CheckReport, Outcome, Proof, Report, Step};
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::words;
use crate::error::CliError;

/// Writes the report. Wrong and refused checks are failures, unknown ones errors, the others skipped with their reason.
pub(crate) fn junit(report: &Report, connector: &str) -> Result<String, CliError> {
    let mut junit = quick_junit::Report::new(format!("bowline test {connector}"));
    junit.set_time(report.elapsed);
    for section in &report.sections {
        let mut suite = TestSuite::new(section.name());
        suite.add_test_cases(
            report
                .checks
                .iter()
                .filter(|check| check.info.section == *section)
                .map(|check| case(check, connector)),
        );
        junit.add_test_suite(suite);
    }
    junit
        .to_string()
        .map_err(|error| CliError::Internal(format!("the JUnit report cannot be written: {error}")))
}

fn case(check: &CheckReport, connector: &str) -> TestCase {
    let mut case = TestCase::new(check.info.id.as_str(), status(check));
    case.set_classname(connector);
    case.set_time(check.steps.iter().map(|step| step.answer.elapsed).sum());
    case
}

fn status(check: &CheckReport) -> TestCaseStatus {
    let mut status = match &check.outcome {
        Outcome::Supported => return TestCaseStatus::success(),
        Outcome::Wrong(_) | Outcome::Unsupported(Proof::Refused(_)) => {
            TestCaseStatus::non_success(NonSuccessKind::Failure)
        }
        Outcome::Unknown(_) => TestCaseStatus::non_success(NonSuccessKind::Error),
        Outcome::Unsupported(_) | Outcome::Blocked { .. } => TestCaseStatus::skipped(),
    };
    status.set_type(check.outcome.verdict().name());
    if let Some(reason) = words::reason(&check.outcome) {
        status.set_message(reason.lines().next().unwrap_or_default());
        status.set_description(description(check, &reason));
    }
    status
}

fn description(check: &CheckReport, reason: &str) -> String {
    let statements = check.steps.iter().map(statement);
    [format!("{}\n{reason}", check.info.title)]
        .into_iter()
        .chain(statements)
        .collect::<Vec<_>>()
        .join("\n\n")
}

fn statement(step: &Step) -> String {
    match &step.answer.result {
        Ok(_) => step.sql.clone(),
        Err(error) => format!("{}\n{error}", step.sql),
    }
}
