//! What the answers mean for templates, capabilities and metrics.

use std::time::Duration;

use bowline_contract::{Capability, Metric, SuiteSection, Template};
use bowline_warehouse::template::TemplateSet;

use jiff::Timestamp;

use crate::warehouse::finding::Finding;
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
}

/// Draws the conclusions.
pub(crate) fn report(ran: Ran<'_>) -> Report {
    let checks: Vec<CheckReport> = ran
        .findings
        .into_iter()
        .map(|finding| CheckReport {
            check: finding.check,
            outcome: finding.outcome,
            uses: finding.uses.into_iter().collect(),
            steps: finding.steps,
        })
        .collect();
    let templates: Vec<TemplateReport> = Template::all()
        .map(|template| template_report(template, ran.templates, &checks))
        .collect();
    let capabilities = Capability::ALL
        .iter()
        .map(|capability| capability_report(*capability, &checks))
        .collect();
    let metrics = Metric::all()
        .iter()
        .map(|metric| metric_report(metric, &templates))
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
        checks
            .iter()
            .filter(|check| check.check.judges.contains(&template))
    };
    TemplateReport {
        template,
        implemented: templates.get(template).is_some(),
        verdict: overall(judging().map(|check| check.outcome.verdict())),
        checks: judging().map(|check| check.check.id.clone()).collect(),
    }
}

fn capability_report(capability: Capability, checks: &[CheckReport]) -> CapabilityReport {
    let carrying = || {
        checks
            .iter()
            .filter(|check| check.check.carries.contains(&capability))
    };
    CapabilityReport {
        capability,
        verdict: overall(carrying().map(|check| check.outcome.verdict())),
        because: carrying()
            .filter(|check| check.outcome.verdict() != Verdict::Supported)
            .map(|check| check.check.id.clone())
            .collect(),
    }
}

fn metric_report(metric: &'static Metric, templates: &[TemplateReport]) -> MetricReport {
    let tested: Vec<&TemplateReport> = metric
        .tested_templates()
        .filter_map(|template| templates.iter().find(|report| report.template == template))
        .filter(|report| report.verdict.is_some())
        .collect();
    let because: Vec<&'static Template> = tested
        .iter()
        .filter(|report| report.verdict != Some(Verdict::Supported))
        .map(|report| report.template)
        .collect();
    MetricReport {
        metric,
        supported: !tested.is_empty() && because.is_empty(),
        because,
    }
}
