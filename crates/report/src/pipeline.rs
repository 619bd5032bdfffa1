//! What a run found out about a pipeline connector.

use std::fmt;

use bowline_contract::AssetClass;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Conclusion, Milliseconds, Summary, Tier, Verdict};

/// What `bowline test --format json` writes about a pipeline connector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "Report about a pipeline connector")]
pub struct PipelineReport {
    /// The version of this format.
    pub version: u32,
    /// The version of the program that wrote it.
    pub bowline_version: String,
    /// `etl`, which tells this report from that about a warehouse.
    #[schemars(with = "String")]
    pub asset_class: AssetClass,
    /// The connector's name.
    pub connector: String,
    /// How much was asked: `reference` or `strict`.
    pub tier: Tier,
    /// The sections that ran.
    pub sections: Vec<String>,
    /// The window that runs were looked for in.
    pub window: Window,
    /// Whether the run was stopped before its end.
    pub interrupted: bool,
    /// How long the run took, in milliseconds.
    pub elapsed_ms: Milliseconds,
    /// How many checks have each verdict.
    pub summary: Summary,
    /// Every check that was asked, in the order of the sections.
    pub checks: Vec<CheckResult>,
    /// The optional features; they never fail a run.
    pub features: Vec<FeatureResult>,
    /// The vendor's words for statuses that the manifest does not map.
    pub unmapped: Vec<UnmappedStatus>,
    /// What the vendor has to complain about itself.
    pub warnings: Vec<String>,
    /// Every reading that was made, in order: what the verdicts rest on.
    pub readings: Vec<Reading>,
}

impl PipelineReport {
    /// How many checks of a section have each verdict.
    #[must_use]
    pub fn section_summary(&self, section: &str) -> Summary {
        let checks = self.checks.iter();
        let checks = checks.filter(|check| check.section == section);
        Summary::of(checks.map(|check| check.verdict))
    }

    /// The checks that fell short, in the order of the sections.
    pub fn shortfalls(&self) -> impl Iterator<Item = &CheckResult> {
        self.checks.iter().filter(|check| check.is_shortfall())
    }

    /// How many checks are [open](CheckResult::is_open).
    #[must_use]
    pub fn open(&self) -> usize {
        self.checks.iter().filter(|check| check.is_open()).count()
    }

    /// What the run comes to.
    #[must_use]
    pub fn conclusion(&self) -> Conclusion {
        Conclusion::of(
            self.interrupted,
            self.shortfalls().next().is_some(),
            self.open() > 0,
        )
    }
}

/// A window of time, `[start, end)`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Window {
    /// The first moment in it, ISO 8601.
    pub start: String,
    /// The first moment after it, ISO 8601.
    pub end: String,
}

/// What was found out by one check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PipelineCheckResult")]
pub struct CheckResult {
    /// Its name, such as `etl_run_details/pages`.
    pub id: String,
    /// The section it stands in.
    pub section: String,
    /// What it asks, in one line.
    pub title: String,
    /// The tier it belongs to.
    pub tier: Tier,
    /// What it found.
    pub verdict: Verdict,
    /// What the verdict rests on, in words; empty when the check did not get that far.
    pub basis: String,
    /// Why, when it is not supported.
    pub reason: Option<Reason>,
    /// What would be better, though nothing is wrong: it costs no verdict.
    #[serde(default)]
    pub advice: Vec<String>,
    /// How long it took from the answer before to this one, readings included, in milliseconds; absent when there was
    /// no answer, or an older program wrote the report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elapsed_ms: Option<Milliseconds>,
}

impl CheckResult {
    /// Whether somebody has to mend something.
    #[must_use]
    pub fn is_shortfall(&self) -> bool {
        self.verdict == Verdict::Wrong
    }

    /// Whether the answer is unknown, though the vendor gave [occasion](Reason::NoOccasion) for one.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.verdict == Verdict::Unknown && !matches!(self.reason, Some(Reason::NoOccasion { .. }))
    }
}

/// Why a check was not answered with supported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schemars(rename = "PipelineReason")]
pub enum Reason {
    /// The answer is not what was expected.
    Answer {
        /// What was expected, in words.
        expected: String,
        /// What came instead, in words.
        got: String,
        /// What shows it, a line each; the first few where there are many.
        evidence: Vec<String>,
        /// One thing to do about it.
        hint: Option<String>,
    },
    /// The vendor's answer leaves it open.
    Vendor {
        /// The error, in words.
        what: String,
    },
    /// There was nothing to look at.
    NothingToSee {
        /// What was not there, in words.
        what: String,
    },
    /// What is asked about was not going on just then, as is common at this vendor. It does not count for the exit code.
    NoOccasion {
        /// What was not going on, in words.
        what: String,
    },
    /// The vendor's records changed while they were compared.
    Changed {
        /// What changed, in words.
        what: String,
    },
    /// Something that comes before could not be found out.
    NotReached {
        /// What could not, in words.
        what: String,
    },
    /// The run was interrupted first.
    Interrupted,
    /// This check is wrong, and leaves nothing to judge by.
    Blocked {
        /// The check.
        by: String,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer { expected, got, .. } => write!(f, "expected {expected}, got {got}"),
            Self::Vendor { what }
            | Self::NothingToSee { what }
            | Self::NoOccasion { what }
            | Self::Changed { what }
            | Self::NotReached { what } => f.write_str(what),
            Self::Interrupted => f.write_str("the run was interrupted first"),
            Self::Blocked { by } => write!(f, "blocked by {by}"),
        }
    }
}

/// What was found out about an optional feature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FeatureResult {
    /// Its name.
    pub name: String,
    /// Whether it is there.
    pub answer: FeatureAnswer,
    /// What it was seen in, or why it was not.
    pub why: String,
    /// The first of what it was seen in, as JSON: what tells which it is, and the feature's own fields. Long ones are cut.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<String>,
}

/// Whether a feature is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FeatureAnswer {
    /// It was seen.
    Yes,
    /// There was enough to see it in, and it was not there.
    No,
    /// There was nothing to see it in.
    Unknown,
}

impl FeatureAnswer {
    /// The answer as reports write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unknown => "unknown",
        }
    }
}

/// A status that no mapping has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnmappedStatus {
    /// The vendor's word.
    pub word: String,
    /// How often it was seen.
    pub seen: usize,
}

/// One reading of the vendor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reading {
    /// What was read, in words.
    pub what: String,
    /// Records that the vendor gave, or events that the connector's methods did.
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
    /// How long it took, in milliseconds.
    pub elapsed_ms: Milliseconds,
    /// Why it ended early, if it did.
    pub error: Option<String>,
}
