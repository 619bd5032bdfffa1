//! The report about a pipeline connector for programs.

use bowline_conformance::pipeline as suite;
use bowline_conformance::pipeline::{Answer, Doubt, Outcome, Report};
use bowline_contract::AssetClass;
use schemars::JsonSchema;
use serde::Serialize;

use super::reason;
use crate::error::CliError;
use crate::report::json::{Summary, VERSION, Verdict, milliseconds, text};

/// What `bowline test --format json` writes about a pipeline connector.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Report about a pipeline connector")]
pub(in crate::report) struct PipelineReport {
    /// The version of this format.
    version: u32,
    /// The version of the program that wrote it.
    bowline_version: &'static str,
    /// `etl`, which tells this report from that about a warehouse.
    asset_class: &'static str,
    /// The connector's name.
    connector: String,
    /// How much was asked: `reference` or `strict`.
    tier: &'static str,
    /// The sections that ran.
    sections: Vec<&'static str>,
    /// The window that runs were looked for in.
    window: Window,
    /// Whether the run was stopped before its end.
    interrupted: bool,
    /// How long the run took, in milliseconds.
    elapsed_ms: f64,
    /// How many checks have each verdict.
    summary: Summary,
    /// Every check that was asked, in the order of the sections.
    checks: Vec<Check>,
    /// The optional features; they never fail a run.
    features: Vec<Feature>,
    /// The vendor's words for statuses that the manifest does not map.
    unmapped: Vec<UnmappedStatus>,
    /// What the vendor has to complain about itself.
    warnings: Vec<String>,
    /// Every reading that was made, in order: what the verdicts rest on.
    readings: Vec<Reading>,
}

/// A window of time, `[start, end)`.
#[derive(Debug, Serialize, JsonSchema)]
struct Window {
    /// The first moment in it, ISO 8601.
    start: String,
    /// The first moment after it, ISO 8601.
    end: String,
}

/// One check.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PipelineCheck")]
struct Check {
    /// Its name, such as `etl_run_details/pages`.
    id: &'static str,
    /// The section it stands in.
    section: &'static str,
    /// What it asks, in one line.
    title: &'static str,
    /// The tier it belongs to.
    tier: &'static str,
    /// What it found.
    verdict: Verdict,
    /// What the verdict rests on, in words; empty when the check did not get that far.
    basis: String,
    /// Why, when it is not supported.
    reason: Option<Reason>,
}

/// Why a check was not answered with supported.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schemars(rename = "PipelineReason")]
enum Reason {
    /// The answer is not what was expected.
    Answer {
        expected: String,
        got: String,
        /// What shows it, a line each; the first few where there are many.
        evidence: Vec<String>,
        hint: Option<String>,
    },
    /// The vendor's answer leaves it open.
    Vendor { what: String },
    /// There was nothing to look at.
    NothingToSee { what: String },
    /// What is asked about was not going on just then, as is common at this vendor. It does not count for the exit code.
    NoOccasion { what: String },
    /// The vendor's records changed while they were compared.
    Changed { what: String },
    /// Something that comes before could not be found out.
    NotReached { what: String },
    /// The run was interrupted first.
    Interrupted,
    /// This check is wrong, and leaves nothing to judge by.
    Blocked { by: &'static str },
}

/// An optional feature.
#[derive(Debug, Serialize, JsonSchema)]
struct Feature {
    /// Its name.
    name: &'static str,
    /// Whether it is there.
    answer: FeatureAnswer,
    /// What it was seen in, or why it was not.
    why: String,
}

/// Whether a feature is there.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum FeatureAnswer {
    /// It was seen.
    Yes,
    /// There was enough to see it in, and it was not there.
    No,
    /// There was nothing to see it in.
    Unknown,
}

/// A status that no mapping has.
#[derive(Debug, Serialize, JsonSchema)]
struct UnmappedStatus {
    /// The vendor's word.
    word: String,
    /// How often it was seen.
    seen: usize,
}

/// One reading of the vendor.
#[derive(Debug, Serialize, JsonSchema)]
struct Reading {
    /// What was read, in words.
    what: String,
    /// Records that the vendor gave, or events that the connector's methods did.
    records: usize,
    /// Those that were asked for, each counted once.
    events: usize,
    /// Records that the description leaves out.
    passed_over: usize,
    /// Runs outside the window, or not asked for.
    outside: usize,
    /// Events that came before in the same reading.
    repeated: usize,
    /// Requests sent, retries included; calls, for connectors that send their own.
    requests: u64,
    /// How long it took, in milliseconds.
    elapsed_ms: f64,
    /// Why it ended early, if it did.
    error: Option<String>,
}

/// Writes the report about the connector of this name.
pub(crate) fn json(report: &Report, connector: &str) -> Result<String, CliError> {
    text(&wire(report, connector))
}

fn wire(report: &Report, connector: &str) -> PipelineReport {
    let verdicts = || report.checks.iter().map(|found| found.outcome.verdict());
    PipelineReport {
        version: VERSION,
        bowline_version: env!("CARGO_PKG_VERSION"),
        asset_class: AssetClass::Pipeline.name(),
        connector: connector.to_owned(),
        tier: report.tier.name(),
        sections: report
            .sections
            .iter()
            .map(|section| section.name())
            .collect(),
        window: Window {
            start: report.window.0.to_string(),
            end: report.window.1.to_string(),
        },
        interrupted: report.interrupted,
        elapsed_ms: milliseconds(report.elapsed),
        summary: Summary::of(verdicts()),
        checks: report.checks.iter().map(check).collect(),
        features: report
            .features
            .iter()
            .map(|found| Feature {
                name: found.feature.name(),
                answer: match found.answer {
                    Answer::Yes => FeatureAnswer::Yes,
                    Answer::No => FeatureAnswer::No,
                    Answer::Unknown => FeatureAnswer::Unknown,
                },
                why: found.why.clone(),
            })
            .collect(),
        unmapped: report
            .unmapped
            .iter()
            .map(|(word, seen)| UnmappedStatus {
                word: word.clone(),
                seen: *seen,
            })
            .collect(),
        warnings: report.warnings.clone(),
        readings: report.readings.iter().map(reading).collect(),
    }
}

fn check(found: &suite::CheckReport) -> Check {
    Check {
        id: found.check.id,
        section: found.check.section.name(),
        title: found.check.title,
        tier: found.check.tier.name(),
        verdict: found.outcome.verdict().into(),
        basis: found.basis.clone(),
        reason: because(&found.outcome),
    }
}

fn because(outcome: &Outcome) -> Option<Reason> {
    let what = reason(outcome)?;
    Some(match outcome {
        Outcome::Supported => return None,
        Outcome::Wrong(fault) => Reason::Answer {
            expected: fault.expected.clone(),
            got: fault.got.clone(),
            evidence: fault.evidence.clone(),
            hint: fault.hint.clone(),
        },
        Outcome::Unknown(Doubt::Vendor(_)) => Reason::Vendor { what },
        Outcome::Unknown(Doubt::NothingToSee(_)) => Reason::NothingToSee { what },
        Outcome::Unknown(Doubt::NoOccasion(_)) => Reason::NoOccasion { what },
        Outcome::Unknown(Doubt::Changed(_)) => Reason::Changed { what },
        Outcome::Unknown(Doubt::NotReached(_)) => Reason::NotReached { what },
        Outcome::Unknown(Doubt::Interrupted) => Reason::Interrupted,
        Outcome::Blocked { by } => Reason::Blocked { by: by.id },
    })
}

fn reading(found: &suite::ReadingReport) -> Reading {
    Reading {
        what: found.what.clone(),
        records: found.records,
        events: found.events,
        passed_over: found.passed_over,
        outside: found.outside,
        repeated: found.repeated,
        requests: found.requests,
        elapsed_ms: milliseconds(found.elapsed),
        error: found.error.clone(),
    }
}
