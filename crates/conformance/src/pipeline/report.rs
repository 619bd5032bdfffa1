//! Everything a run of the suite for pipelines found out.

use std::time::Duration;

use bowline_contract::PipelineSection;
use bowline_contract::pipeline::PipelineFeature;
use bowline_pipeline::Unmapped;
use bowline_report::pipeline::FeatureAnswer;
use jiff::Timestamp;

use super::{Check, Doubt, Outcome};
use crate::{Conclusion, Tier, Verdict};

/// The result of a run of the suite.
#[derive(Debug, Clone)]
pub struct Report {
    /// How much was asked.
    pub tier: Tier,
    /// The sections that ran, in their order.
    pub sections: Vec<PipelineSection>,
    /// The window that runs were looked for in: `[start, end)`.
    pub window: (Timestamp, Timestamp),
    /// Every check that was asked, in the order of [`CHECKS`](super::CHECKS).
    pub checks: Vec<CheckReport>,
    /// The optional features, in the contract's order.
    pub features: Vec<FeatureReport>,
    /// The vendor's words for statuses that no mapping has, and how often each was seen.
    pub unmapped: Unmapped,
    /// What the vendor has to complain about itself.
    pub warnings: Vec<String>,
    /// Every reading that was made, in order.
    pub readings: Vec<ReadingReport>,
    /// How long the run took.
    pub elapsed: Duration,
    /// Whether it was interrupted.
    pub interrupted: bool,
}

impl Report {
    /// How many checks of a section have this verdict.
    #[must_use]
    pub fn count(&self, section: PipelineSection, verdict: Verdict) -> usize {
        self.checks
            .iter()
            .filter(|report| report.check.section == section && report.outcome.verdict() == verdict)
            .count()
    }

    /// The report of the check with this name.
    #[must_use]
    pub fn check(&self, id: &str) -> Option<&CheckReport> {
        self.checks.iter().find(|report| report.check.id == id)
    }

    /// What the run comes to.
    #[must_use]
    pub fn conclusion(&self) -> Conclusion {
        Conclusion::of(self.interrupted, self.has_shortfall(), self.open() > 0)
    }

    /// Whether any check fell short.
    #[must_use]
    pub fn has_shortfall(&self) -> bool {
        let is_wrong = |report: &CheckReport| report.outcome.verdict() == Verdict::Wrong;
        self.checks.iter().any(is_wrong)
    }

    /// How many answers are unknown, beside those for which the vendor gave [no occasion](Doubt::NoOccasion).
    #[must_use]
    pub fn open(&self) -> usize {
        let is_open = |report: &&CheckReport| match &report.outcome {
            Outcome::Unknown(doubt) => !matches!(doubt, Doubt::NoOccasion(_)),
            _ => false,
        };
        self.checks.iter().filter(is_open).count()
    }
}

/// One check's result.
#[derive(Debug, Clone)]
pub struct CheckReport {
    /// The check.
    pub check: &'static Check,
    /// What it found.
    pub outcome: Outcome,
    /// What it rests on, in words; empty when it did not get that far.
    pub basis: String,
    /// What would be better, though nothing is wrong: it costs no verdict.
    pub advice: Vec<String>,
    /// How long it took from the answer before to this one, readings included; none when there was no answer.
    pub elapsed: Option<Duration>,
}

/// Whether a connector has an optional feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureReport {
    /// The feature.
    pub feature: PipelineFeature,
    /// Whether it is there.
    pub answer: FeatureAnswer,
    /// Why: what it was seen in, or why it was not seen.
    pub why: String,
    /// The first of what it was seen in, as JSON: what tells which it is, and the feature's own fields.
    pub records: Vec<String>,
}

/// One reading of the vendor: the evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadingReport {
    /// What was read, in words.
    pub what: String,
    /// Records that the vendor gave, or events that the methods did.
    pub records: usize,
    /// Those that were asked for, each counted once.
    pub events: usize,
    /// Records that the description leaves out.
    pub passed_over: usize,
    /// Runs outside the window, or not asked for.
    pub outside: usize,
    /// Events that came before in the same reading.
    pub repeated: usize,
    /// Requests sent, retries included; calls, for connectors that send their own.
    pub requests: u64,
    /// How long it took.
    pub elapsed: Duration,
    /// Why it ended early, if it did.
    pub error: Option<String>,
}
