//! Everything a run found out.

use std::time::Duration;

use bowline_contract::{Capability, Metric, SuiteSection, Template};

use jiff::Timestamp;

use crate::warehouse::{Accuracy, Check, CheckId, Outcome, Step};
use crate::{Conclusion, Tier, Verdict};

/// The result of a run of the suite.
#[derive(Debug, Clone)]
pub struct Report {
    /// What is on the other end, as the server names itself.
    pub product: String,
    /// How much was asked.
    pub tier: Tier,
    /// The sections that ran, in their order.
    pub sections: Vec<SuiteSection>,
    /// Every check, in the order of the sections.
    pub checks: Vec<CheckReport>,
    /// The templates at fault, the one that stands in most checks' way first.
    pub culprits: Vec<Culprit>,
    /// Every template of the contract, in its order.
    pub templates: Vec<TemplateReport>,
    /// The ten capabilities, in the contract's order.
    pub capabilities: Vec<CapabilityReport>,
    /// Every metric, sorted by name.
    pub metrics: Vec<MetricReport>,
    /// How many connections were used.
    pub connections: usize,
    /// The moment that statements meant by now: a replay means the same.
    pub now: Timestamp,
    /// How long the run took.
    pub elapsed: Duration,
    /// Statements that would remove what functional checks made and could not remove; empty as a rule.
    pub left_behind: Vec<String>,
    /// Whether it was interrupted: a statement was stopped, or left out.
    pub interrupted: bool,
    /// How far the catalogue is from the truth and how long behind it; empty where no functional check got so far.
    pub accuracy: Accuracy,
}

impl Report {
    /// How many checks of a section have this verdict.
    #[must_use]
    pub fn count(&self, section: SuiteSection, verdict: Verdict) -> usize {
        self.checks
            .iter()
            .filter(|check| check.check.section == section && check.outcome.verdict() == verdict)
            .count()
    }

    /// What the run comes to.
    #[must_use]
    pub fn conclusion(&self) -> Conclusion {
        Conclusion::of(self.interrupted, self.has_shortfall(), self.has_unknown())
    }

    /// What the run comes to for a connector of which these templates ship. What fell short and was left out does not
    /// count, be it a template or a metric alone; the connection cannot be left out.
    #[must_use]
    pub fn conclusion_of_what_ships(&self, ships: &dyn Fn(&Template) -> bool) -> Conclusion {
        // A metric whose statement is refused is left out, and its templates ship.
        let counts = |CheckReport { check, outcome, .. }: &&CheckReport| {
            check.section == SuiteSection::Connection
                || (check.judges.iter().any(|template| ships(template))
                    && (check.metrics.is_empty() || outcome.verdict() == Verdict::Wrong))
        };
        let mut ships_so = self.checks.iter().filter(counts);
        Conclusion::of(
            self.interrupted,
            ships_so.clone().any(|each| each.outcome.is_shortfall()),
            ships_so.any(|each| {
                each.check.section == SuiteSection::Connection
                    && each.outcome.verdict() == Verdict::Unknown
            }),
        )
    }

    /// Whether any check fell short, or would have but for a template at fault that it only uses.
    #[must_use]
    pub fn has_shortfall(&self) -> bool {
        let mut checks = self.checks.iter();
        checks.any(|check| check.outcome.is_shortfall())
            || self.culprits.iter().any(Culprit::is_at_fault)
    }

    /// Whether any check's answer is unknown.
    #[must_use]
    pub fn has_unknown(&self) -> bool {
        self.checks
            .iter()
            .any(|check| check.outcome.verdict() == Verdict::Unknown)
    }
}

/// One check's result.
#[derive(Debug, Clone)]
pub struct CheckReport {
    /// The check.
    pub check: Check,
    /// What it found.
    pub outcome: Outcome,
    /// What must come back, in words, where that was settled before it was asked.
    pub expected: Option<String>,
    /// Every template its statements were rendered from, judged ones included; sorted by name.
    pub uses: Vec<&'static Template>,
    /// The statements it ran.
    pub steps: Vec<Step>,
    /// What is not wrong and worth a word, whatever the outcome.
    pub advice: Vec<String>,
}

/// A template that is at fault: its own check fell short, or it stands in the way of others.
#[derive(Debug, Clone)]
pub struct Culprit {
    /// The template.
    pub template: &'static Template,
    /// The check that shows the fault best.
    pub check: CheckId,
    /// Checks that fell short because of it, `check` among them.
    pub checks: Vec<CheckId>,
    /// Checks that it blocks.
    pub blocks: Vec<CheckId>,
    /// A spelling with which the check passes, and the dialect pack it is from, when one was found.
    pub mend: Option<Mend>,
}

impl Culprit {
    /// Whether a check fell short because of it; where none did, it is only not implemented.
    pub(crate) fn is_at_fault(&self) -> bool {
        !self.checks.is_empty()
    }

    /// How many checks hang on it.
    pub(crate) fn weight(&self) -> usize {
        self.checks.len() + self.blocks.len()
    }
}

/// Another spelling of a template, tried on the live database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mend {
    /// The dialect pack it is from.
    pub pack: String,
    /// The template's text there.
    pub text: String,
}

/// What the run found out about one template.
#[derive(Debug, Clone)]
pub struct TemplateReport {
    /// The template.
    pub template: &'static Template,
    /// Whether the connector has it.
    pub implemented: bool,
    /// The verdict over all checks that judge it; none when no check of this run does.
    pub verdict: Option<Verdict>,
    /// The checks that judge it.
    pub checks: Vec<CheckId>,
}

/// What the run found out about one capability.
#[derive(Debug, Clone)]
pub struct CapabilityReport {
    /// The capability.
    pub capability: Capability,
    /// The verdict: supported only when a check that carries it passed and none fell short or was not supported.
    /// None when no check of this run carries it.
    pub verdict: Option<Verdict>,
    /// The checks that keep it from being supported.
    pub because: Vec<CheckId>,
}

/// What the run found out about one metric.
#[derive(Debug, Clone)]
pub struct MetricReport {
    /// The metric.
    pub metric: &'static Metric,
    /// True when every check of every template that it needs was asked, and none fell short.
    pub supported: bool,
    /// The templates that keep it from being supported.
    pub because: Vec<&'static Template>,
}

#[cfg(test)]
mod tests {
    use bowline_driver::{SqlError, SqlErrorKind};

    use super::*;
    use crate::warehouse::{Fault, Proof};

    /// A report on one check that is wrong.
    fn wrong(section: SuiteSection, judges: &[&str]) -> Report {
        let judges = judges.iter().filter_map(|name| Template::find(name));
        let check = Check {
            id: CheckId::new("section/check"),
            section,
            title: String::new(),
            judges: judges.collect(),
            metrics: Vec::new(),
            carries: Vec::new(),
            tier: Tier::Strict,
        };
        let outcome = Outcome::Wrong(Fault::Answer {
            expected: "1".to_owned(),
            got: "2".to_owned(),
        });
        Report {
            product: String::new(),
            tier: Tier::Strict,
            sections: SuiteSection::ALL.to_vec(),
            checks: vec![CheckReport {
                check,
                outcome,
                expected: None,
                uses: Vec::new(),
                steps: Vec::new(),
                advice: Vec::new(),
            }],
            culprits: Vec::new(),
            templates: Vec::new(),
            capabilities: Vec::new(),
            metrics: Vec::new(),
            connections: 1,
            now: Timestamp::UNIX_EPOCH,
            elapsed: Duration::ZERO,
            left_behind: Vec::new(),
            interrupted: false,
            accuracy: Accuracy::default(),
        }
    }

    #[test]
    fn what_was_left_out_of_an_export_is_not_held_against_it() {
        let ends = |section, judges: &[&str], ships: bool| {
            wrong(section, judges).conclusion_of_what_ships(&|_| ships)
        };
        let avg = &["get_avg_function_template"];
        let metrics = SuiteSection::Metadata;
        assert_eq!(ends(metrics, avg, false), Conclusion::Fine);
        assert_eq!(ends(metrics, avg, true), Conclusion::FellShort);
        let connection = SuiteSection::Connection;
        assert_eq!(ends(connection, &[], false), Conclusion::FellShort);
    }

    #[test]
    fn a_metric_that_was_left_out_is_not_held_against_its_templates() {
        let mut report = wrong(SuiteSection::QlMetrics, &["get_avg_function_template"]);
        report.checks[0].check.metrics = Metric::all().iter().take(1).collect();
        let ends = |report: &Report| report.conclusion_of_what_ships(&|_| true);
        assert_eq!(ends(&report), Conclusion::FellShort);
        let refused = SqlError::new(SqlErrorKind::Data, "no average of text");
        report.checks[0].outcome = Outcome::Unsupported(Proof::Refused(refused));
        assert!(report.has_shortfall());
        assert_eq!(ends(&report), Conclusion::Fine);
    }
}
