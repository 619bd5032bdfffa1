//! What the answers mean for templates, capabilities and metrics.

use std::collections::BTreeSet;
use std::time::Duration;

use bowline_contract::{Capability, Metric, SuiteSection, Template, capabilities_of};
use bowline_warehouse::template::TemplateSet;

use jiff::Timestamp;

use crate::warehouse::Check;
use crate::warehouse::accuracy::Accuracy;
use crate::warehouse::checks as suite;
use crate::warehouse::finding::Finding;
use crate::warehouse::outcome::{Outcome, Proof};
use crate::warehouse::report::{
    CapabilityReport, CheckReport, Culprit, MetricReport, Report, TemplateReport,
};
use crate::{Tier, Verdict};

/// Everything a run gave.
pub(crate) struct Ran<'a> {
    pub(crate) product: String,
    pub(crate) templates: &'a TemplateSet,
    pub(crate) tier: Tier,
    pub(crate) sections: &'a [SuiteSection],
    pub(crate) findings: Vec<Finding>,
    pub(crate) culprits: Vec<Culprit>,
    pub(crate) connections: usize,
    pub(crate) now: Timestamp,
    pub(crate) elapsed: Duration,
    pub(crate) interrupted: bool,
    pub(crate) left_behind: Vec<String>,
    pub(crate) accuracy: Accuracy,
}

/// Draws the conclusions.
pub(crate) fn report(ran: Ran<'_>) -> Report {
    let checks: Vec<CheckReport> = ran
        .findings
        .into_iter()
        .map(|finding| CheckReport {
            check: finding.check,
            outcome: finding.outcome,
            expected: finding.expected,
            uses: finding.uses.into_iter().collect(),
            steps: finding.steps,
            advice: finding.advice,
        })
        .collect();
    let templates: Vec<TemplateReport> = Template::all()
        .map(|template| template_report(template, ran.templates, &checks))
        .collect();
    let not_asked: Vec<Check> = suite::checks()
        .into_iter()
        .filter(|check| check.tier <= ran.tier && !ran.sections.contains(&check.section))
        .collect();
    let at_fault = ran.culprits.iter().filter(|each| each.is_at_fault());
    let at_fault: Vec<_> = at_fault.map(|culprit| culprit.template).collect();
    let capabilities = Capability::ALL
        .iter()
        .map(|capability| capability_report(*capability, &checks, &not_asked, &at_fault))
        .collect();
    let metrics = Metric::all()
        .iter()
        .map(|metric| metric_report(metric, &templates, &checks, &not_asked))
        .collect();
    let mut sections = ran.sections.to_vec();
    sections.sort();
    Report {
        product: ran.product,
        tier: ran.tier,
        sections,
        checks,
        culprits: ran.culprits,
        templates,
        capabilities,
        metrics,
        connections: ran.connections,
        now: ran.now,
        elapsed: ran.elapsed,
        interrupted: ran.interrupted,
        left_behind: ran.left_behind,
        accuracy: ran.accuracy,
    }
}

/// The verdict over several: the worst, and none over nothing.
fn overall(verdicts: impl Iterator<Item = Verdict>) -> Option<Verdict> {
    verdicts.max_by_key(|verdict| match verdict {
        Verdict::Supported => 0,
        Verdict::Unknown => 1,
        Verdict::Blocked => 2,
        Verdict::Unsupported => 3,
        Verdict::Wrong => 4,
    })
}

fn template_report(
    template: &'static Template,
    templates: &TemplateSet,
    checks: &[CheckReport],
) -> TemplateReport {
    let judging = || {
        checks.iter().filter(|check| {
            let is_wrong = check.outcome.verdict() == Verdict::Wrong;
            check.check.judges.contains(&template) && (check.check.metrics.is_empty() || is_wrong)
        })
    };
    let verdict = |check: &CheckReport| check.outcome.verdict();
    // A template is not at fault for what the database does not have, such as a size of its tables.
    let is_there =
        |check: &&CheckReport| !matches!(check.outcome, Outcome::Unsupported(Proof::Absent(_)));
    TemplateReport {
        template,
        implemented: templates.get(template).is_some(),
        verdict: overall(judging().filter(is_there).map(verdict))
            .or_else(|| overall(judging().map(verdict))),
        checks: judging().map(|check| check.check.id.clone()).collect(),
    }
}

/// What the checks of a run say of a capability; they cannot say that it is supported while others that carry it were not
/// asked.
fn capability_report(
    capability: Capability,
    checks: &[CheckReport],
    not_asked: &[Check],
    at_fault: &[&'static Template],
) -> CapabilityReport {
    let mut carried = not_asked.iter().flat_map(|check| &check.carries);
    let is_whole = !carried.any(|carried| *carried == capability);
    // What the suite's own statements get in the way of is no matter of the database.
    let is_in_the_way = |template: &&'static Template| {
        at_fault.contains(template) && template.judged_in != SuiteSection::Functional
    };
    let is_about = |check: &CheckReport| {
        let mut judges = check.check.judges.iter();
        judges.any(|template| capabilities_of(template).contains(&capability))
    };
    // A check that carries nothing shows all the same what a template's fault costs, its own or one in its way.
    let tells_against = |check: &CheckReport| match &check.outcome {
        Outcome::Blocked { by } => check.check.metrics.is_empty() && by.iter().any(is_in_the_way),
        outcome => outcome.is_shortfall(),
    };
    let speaking = || {
        checks.iter().filter(|check| {
            check.check.carries.contains(&capability) || is_about(check) && tells_against(check)
        })
    };
    CapabilityReport {
        capability,
        verdict: overall(speaking().map(|check| check.outcome.verdict()))
            .filter(|verdict| is_whole || *verdict != Verdict::Supported),
        because: speaking()
            .filter(|check| check.outcome.verdict() != Verdict::Supported)
            .map(|check| check.check.id.clone())
            .collect(),
    }
}

/// What the templates' verdicts and its own number say of a metric; they cannot say that it is supported while checks of
/// one were not asked.
fn metric_report(
    metric: &'static Metric,
    templates: &[TemplateReport],
    checks: &[CheckReport],
    not_asked: &[Check],
) -> MetricReport {
    let is_whole = |template| {
        let mut judged = not_asked.iter().flat_map(|check| &check.judges);
        !judged.any(|judged| *judged == template)
    };
    let tested: Vec<&TemplateReport> = metric
        .tested_templates()
        .filter_map(|template| templates.iter().find(|report| report.template == template))
        .filter(|report| report.verdict.is_some())
        .collect();
    // What blocks a formula of ours is no more than that: the contract asks for the metric's own templates alone.
    let has_no_number = |check: &&CheckReport| {
        let verdict = check.outcome.verdict();
        !matches!(verdict, Verdict::Supported | Verdict::Blocked)
    };
    let short = checks
        .iter()
        .filter(|check| check.check.metrics.contains(&metric))
        .filter(has_no_number);
    let because: BTreeSet<&'static Template> = tested
        .iter()
        .filter(|report| report.verdict != Some(Verdict::Supported))
        .flat_map(|report| in_the_way_of(report, checks))
        .chain(short.flat_map(|check| match &check.outcome {
            Outcome::Unsupported(Proof::NotImplemented(missing)) => missing.clone(),
            _ => check.check.judges.clone(),
        }))
        .collect();
    MetricReport {
        metric,
        supported: !tested.is_empty()
            && because.is_empty()
            && metric.tested_templates().all(is_whole),
        because: because.into_iter().collect(),
    }
}

/// Why a template is not supported: those that are in its way, or itself.
fn in_the_way_of(report: &TemplateReport, checks: &[CheckReport]) -> Vec<&'static Template> {
    if report.verdict != Some(Verdict::Blocked) {
        return vec![report.template];
    }
    let own = checks
        .iter()
        .filter(|check| report.checks.contains(&check.check.id));
    let by = own.filter_map(|check| match &check.outcome {
        Outcome::Blocked { by } => Some(by),
        _ => None,
    });
    by.flatten().copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::warehouse::outcome::{Doubt, Fault};
    use crate::warehouse::record_files::records;

    /// A report in which every check of the mean is supported but that of its number.
    fn mean(number: Outcome) -> (TemplateReport, MetricReport) {
        let metric = Metric::find("numeric_mean").unwrap();
        let avg = Template::find("get_avg_function").unwrap();
        let judging = records().iter().filter_map(|(section, record)| {
            let check = record.check(*section);
            check.judges.contains(&avg).then_some(check)
        });
        let checks: Vec<CheckReport> = judging
            .map(|check| CheckReport {
                outcome: if check.metrics.contains(&metric) {
                    number.clone()
                } else {
                    Outcome::Supported
                },
                check,
                expected: None,
                uses: Vec::new(),
                steps: Vec::new(),
                advice: Vec::new(),
            })
            .collect();
        let template = template_report(avg, &TemplateSet::default(), &checks);
        let metric = metric_report(metric, std::slice::from_ref(&template), &checks, &[]);
        (template, metric)
    }

    #[test]
    fn a_metric_is_supported_only_with_its_own_number() {
        let (_, right) = mean(Outcome::Supported);
        assert!(right.supported);
        let wrong = Fault::Answer {
            expected: "2".to_owned(),
            got: "3".to_owned(),
        };
        let (template, metric) = mean(Outcome::Wrong(wrong));
        assert!(!metric.supported);
        assert_eq!(metric.because, [template.template]);
        assert_eq!(template.verdict, Some(Verdict::Wrong));
    }

    #[test]
    fn what_is_in_the_way_of_a_number_is_no_fault_of_the_template() {
        let other = Template::find("get_stddev_function").unwrap();
        let (template, metric) = mean(Outcome::Blocked { by: vec![other] });
        assert_eq!(template.verdict, Some(Verdict::Supported));
        assert!(metric.supported);
    }

    #[test]
    fn a_check_that_carries_nothing_tells_against_a_capability() {
        let log = suite::checks()
            .into_iter()
            .find(|check| check.id.as_str() == "functional/query_logged");
        let check = log.unwrap();
        let by = Template::known("build_cte");
        let verdict = |outcome: Outcome, at_fault: &[&'static Template]| {
            let checks = [CheckReport {
                check: check.clone(),
                outcome,
                expected: None,
                uses: Vec::new(),
                steps: Vec::new(),
                advice: Vec::new(),
            }];
            capability_report(Capability::QueryLogs, &checks, &[], at_fault).verdict
        };
        let blocked = || Outcome::Blocked { by: vec![by] };
        assert_eq!(verdict(blocked(), &[by]), Some(Verdict::Blocked));
        assert_eq!(verdict(blocked(), &[]), None, "it is only not there");
        let not_asked = Outcome::Unknown(Doubt::NotReached(String::new()));
        assert_eq!(verdict(not_asked, &[]), None);
    }

    #[test]
    fn a_metric_names_what_is_in_its_way() {
        let other = Template::find("get_stddev_function").unwrap();
        let missing = Outcome::Unsupported(Proof::NotImplemented(vec![other]));
        assert_eq!(mean(missing).1.because, [other]);
        let mut blocked = mean(Outcome::Supported);
        blocked.0.verdict = Some(Verdict::Blocked);
        let check = &blocked.0.checks[0];
        let (section, record) = records()
            .iter()
            .find(|(section, record)| record.check(*section).id == *check)
            .unwrap();
        let checks = [CheckReport {
            check: record.check(*section),
            outcome: Outcome::Blocked { by: vec![other] },
            expected: None,
            uses: Vec::new(),
            steps: Vec::new(),
            advice: Vec::new(),
        }];
        assert_eq!(in_the_way_of(&blocked.0, &checks), [other]);
    }
}
