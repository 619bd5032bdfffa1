//! The report as JUnit XML: a test suite per section, a test case per check.

use bowline_conformance::pipeline::{CheckReport, Doubt, Outcome, Report};
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::reason;
use crate::error::CliError;

/// Writes the report. Wrong checks are failures, unknown ones errors, blocked ones skipped with their reason; so are those
/// for which there was no occasion.
pub(crate) fn junit(report: &Report, connector: &str) -> Result<String, CliError> {
    let mut junit = quick_junit::Report::new(format!("bowline test {connector}"));
    junit.set_time(report.elapsed);
    for section in &report.sections {
        let mut suite = TestSuite::new(section.name());
        let found = report.checks.iter();
        suite.add_test_cases(
            found
                .filter(|found| found.check.section == *section)
                .map(|found| {
                    let mut case = TestCase::new(found.check.id, status(found));
                    case.set_classname(connector);
                    case
                }),
        );
        junit.add_test_suite(suite);
    }
    junit
        .to_string()
        .map_err(|error| CliError::Internal(format!("the JUnit report cannot be written: {error}")))
}

fn status(found: &CheckReport) -> TestCaseStatus {
    let mut status = match &found.outcome {
        Outcome::Supported => return TestCaseStatus::success(),
        Outcome::Wrong(_) => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Outcome::Unknown(Doubt::NoOccasion(_)) => TestCaseStatus::skipped(),
        Outcome::Unknown(_) => TestCaseStatus::non_success(NonSuccessKind::Error),
        Outcome::Blocked { .. } => TestCaseStatus::skipped(),
    };
    status.set_type(found.outcome.verdict().name());
    if let Some(reason) = reason(&found.outcome) {
        status.set_message(reason.lines().next().unwrap_or_default());
        let mut lines = vec![found.check.title.to_owned(), reason];
        if let Outcome::Wrong(fault) = &found.outcome {
            lines.extend(fault.evidence.iter().cloned());
            lines.extend(fault.hint.iter().map(|hint| format!("hint: {hint}")));
        }
        status.set_description(lines.join("\n"));
    }
    status
}
