//! The report for programs: versioned wire types, apart from the suite's own so that those can change.

use std::time::Duration;

use bowline_conformance as suite;
use bowline_conformance::{Doubt, Fault, Outcome, Proof, Report};
use bowline_contract::{AssetClass, Template};
use bowline_driver::SqlError;
use schemars::JsonSchema;
use serde::Serialize;

use super::About;
use super::pipeline::json::PipelineReport;
use super::words::{self, Place};
use crate::error::CliError;

/// The version of the format; it grows when a reader of the one before could misunderstand.
pub(super) const VERSION: u32 = 1;

/// What `bowline test --format json` writes.
#[derive(JsonSchema)]
#[schemars(title = "Report of `bowline test`")]
#[serde(untagged)]
#[expect(
    dead_code,
    reason = "it stands for what is written, in the schema only"
)]
enum AnyReport {
    Warehouse(TestReport),
    Pipeline(PipelineReport),
}

/// What `bowline test --format json` writes about a warehouse connector.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Report about a warehouse connector")]
struct TestReport {
    /// The version of this format.
    version: u32,
    /// The version of the program that wrote it.
    bowline_version: &'static str,
    /// `warehouse`, which tells this report from that about a pipeline connector.
    asset_class: &'static str,
    /// The connector's name.
    connector: String,
    /// What is on the other end, as the server names itself; empty when it was not reached.
    product: String,
    /// How much was asked: `reference` or `strict`.
    tier: &'static str,
    /// The sections that ran.
    sections: Vec<&'static str>,
    /// Whether the run was stopped before its end.
    interrupted: bool,
    /// Statements that would remove what functional checks made and could not remove; empty as a rule.
    left_behind: Vec<String>,
    /// How many connections were used.
    connections: usize,
    /// How long the run took, in milliseconds.
    elapsed_ms: f64,
    /// How many checks have each verdict.
    summary: Summary,
    /// The templates at fault, the one that stands in most checks' way first.
    culprits: Vec<Culprit>,
    /// Every check, in the order of the sections.
    checks: Vec<Check>,
    /// Every template of the contract.
    templates: Vec<TemplateResult>,
    /// The ten capabilities.
    capabilities: Vec<Capability>,
    /// Every metric, by name.
    metrics: Vec<Metric>,
}

/// How many checks have each verdict.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Summary {
    supported: usize,
    unsupported: usize,
    wrong: usize,
    unknown: usize,
    blocked: usize,
}

impl Summary {
    /// Counts the verdicts.
    pub(super) fn of(verdicts: impl Iterator<Item = suite::Verdict> + Clone) -> Self {
        let count = |verdict| verdicts.clone().filter(|one| *one == verdict).count();
        Self {
            supported: count(suite::Verdict::Supported),
            unsupported: count(suite::Verdict::Unsupported),
            wrong: count(suite::Verdict::Wrong),
            unknown: count(suite::Verdict::Unknown),
            blocked: count(suite::Verdict::Blocked),
        }
    }
}

/// The kinds of answer a check can give.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    /// It ran and the answer was right.
    Supported,
    /// The connector lacks it, or the database refused it or does not have it.
    Unsupported,
    /// It ran and the answer is wrong, or a template breaks a rule of the contract.
    Wrong,
    /// It could not be found out.
    Unknown,
    /// A template it builds on is at fault or not implemented.
    Blocked,
}

impl From<suite::Verdict> for Verdict {
    fn from(verdict: suite::Verdict) -> Self {
        match verdict {
            suite::Verdict::Supported => Self::Supported,
            suite::Verdict::Unsupported => Self::Unsupported,
            suite::Verdict::Wrong => Self::Wrong,
            suite::Verdict::Unknown => Self::Unknown,
            suite::Verdict::Blocked => Self::Blocked,
        }
    }
}

/// A template at fault.
#[derive(Debug, Serialize, JsonSchema)]
struct Culprit {
    /// The template, without `_template`.
    template: &'static str,
    /// The check that shows the fault best.
    check: String,
    /// The checks that fell short because of it.
    checks: Vec<String>,
    /// The checks that it blocks.
    blocks: Vec<String>,
    /// Where its text stands.
    place: Option<TextPlace>,
    /// A spelling with which the check passes.
    mend: Option<Mend>,
}

/// Where a template's text stands.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum TextPlace {
    /// A file of the connector, and the line.
    File(String),
    /// A dialect pack.
    Pack(String),
}

/// Another spelling of a template, tried on the live database.
#[derive(Debug, Serialize, JsonSchema)]
struct Mend {
    /// The dialect pack it is from.
    pack: String,
    /// The template's text there.
    text: String,
}

/// One check.
#[derive(Debug, Serialize, JsonSchema)]
struct Check {
    /// Its name, such as `ql_metrics/avg`.
    id: String,
    /// The section it stands in.
    section: &'static str,
    /// What it asks, in one line.
    title: String,
    /// The tier it belongs to.
    tier: &'static str,
    /// What it found.
    verdict: Verdict,
    /// Why, when it is not supported.
    reason: Option<Reason>,
    /// The templates its answer speaks about.
    judges: Vec<&'static str>,
    /// Every template its statements were rendered from.
    uses: Vec<&'static str>,
    /// The capabilities that hang on it.
    carries: Vec<&'static str>,
    /// The statements it ran.
    steps: Vec<Step>,
}

/// Why a check was not answered with supported.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Reason {
    /// The connector does not implement these templates.
    NotImplemented { templates: Vec<&'static str> },
    /// The database refused the statement.
    Refused { error: DatabaseError },
    /// The database answered, and what was looked for is not there.
    Absent { what: String },
    /// The answer is not what was expected.
    Answer { expected: String, got: String },
    /// A template could not be rendered as the contract asks.
    Render {
        template: &'static str,
        message: String,
    },
    /// The database's answer leaves it open.
    Database { error: DatabaseError },
    /// There was nothing to look at.
    NothingToSee { what: String },
    /// An earlier step did not succeed.
    NotReached { what: String },
    /// The run was interrupted first.
    Interrupted,
    /// These templates stand in its way.
    Blocked { by: Vec<&'static str> },
}

/// An error of the database.
#[derive(Debug, Serialize, JsonSchema)]
struct DatabaseError {
    /// `syntax`, `missing_object`, `permission`, `data`, `timeout`, `cancelled`, `connection`, `too_large`,
    /// `unsupported_type`, `driver` or `other`.
    kind: &'static str,
    /// The SQLSTATE, where the database gave one.
    sqlstate: Option<String>,
    /// The database's words.
    message: String,
}

impl From<&SqlError> for DatabaseError {
    fn from(error: &SqlError) -> Self {
        Self {
            kind: error.kind.name(),
            sqlstate: error.sqlstate.clone(),
            message: error.message.clone(),
        }
    }
}

/// One statement and what came back.
#[derive(Debug, Serialize, JsonSchema)]
struct Step {
    /// What it is for, when a check has several.
    label: Option<&'static str>,
    /// The statement as sent.
    sql: String,
    /// How long it took, in milliseconds.
    elapsed_ms: f64,
    /// With how many other checks it was asked in one statement, each as a scalar subquery; 0 when alone.
    shared_with: usize,
    /// The beginning of the result, when there was one.
    result: Option<Rows>,
    /// The error, when there was one.
    error: Option<DatabaseError>,
}

/// The beginning of a result.
#[derive(Debug, Serialize, JsonSchema)]
struct Rows {
    /// The columns' names.
    columns: Vec<String>,
    /// The first rows. Decimals, dates, timestamps and numbers beyond 64 bits are text.
    rows: Vec<Vec<serde_json::Value>>,
    /// How many rows there were in all.
    total_rows: usize,
}

/// What was found out about one template.
#[derive(Debug, Serialize, JsonSchema)]
struct TemplateResult {
    /// The template's method name.
    name: &'static str,
    /// Whether the connector has it.
    implemented: bool,
    /// The verdict over all checks that judge it; null when none of this run does.
    verdict: Option<Verdict>,
    /// The checks that judge it.
    checks: Vec<String>,
}

/// What was found out about one capability.
#[derive(Debug, Serialize, JsonSchema)]
struct Capability {
    /// Its name in the exported manifest.
    name: &'static str,
    /// The verdict; null when no check of this run carries it.
    verdict: Option<Verdict>,
    /// The checks that keep it from being supported.
    because: Vec<String>,
}

/// What was found out about one metric.
#[derive(Debug, Serialize, JsonSchema)]
struct Metric {
    /// Its name in the exported manifest.
    name: &'static str,
    /// Whether every template it needs was tested and none fell short.
    supported: bool,
    /// The templates that keep it from being supported.
    because: Vec<&'static str>,
}

/// Writes the report.
pub(crate) fn json(report: &Report, about: About<'_>) -> Result<String, CliError> {
    text(&wire(report, about))
}

/// A report as JSON, a line for each thing.
pub(super) fn text(report: &impl Serialize) -> Result<String, CliError> {
    serde_json::to_string_pretty(report)
        .map(|text| text + "\n")
        .map_err(|error| {
            CliError::Internal(format!("the report cannot be written as JSON: {error}"))
        })
}

/// The JSON Schema of what `bowline test --format json` writes, as text.
#[must_use]
pub fn test_report_schema() -> String {
    let schema = schemars::generate::SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<AnyReport>();
    format!("{:#}\n", schema.as_value())
}

fn wire(report: &Report, about: About<'_>) -> TestReport {
    let verdicts = report.checks.iter().map(|check| check.outcome.verdict());
    TestReport {
        version: VERSION,
        bowline_version: env!("CARGO_PKG_VERSION"),
        asset_class: AssetClass::Warehouse.name(),
        connector: about.name.to_owned(),
        product: report.product.clone(),
        tier: report.tier.name(),
        sections: report
            .sections
            .iter()
            .map(|section| section.name())
            .collect(),
        interrupted: report.interrupted,
        left_behind: report.left_behind.clone(),
        connections: report.connections,
        elapsed_ms: milliseconds(report.elapsed),
        summary: Summary::of(verdicts),
        culprits: report
            .culprits
            .iter()
            .map(|found| culprit(found, about))
            .collect(),
        checks: report.checks.iter().map(check).collect(),
        templates: report
            .templates
            .iter()
            .map(|found| TemplateResult {
                name: found.template.name,
                implemented: found.implemented,
                verdict: found.verdict.map(Verdict::from),
                checks: texts(&found.checks),
            })
            .collect(),
        capabilities: report
            .capabilities
            .iter()
            .map(|found| Capability {
                name: found.capability.name(),
                verdict: found.verdict.map(Verdict::from),
                because: texts(&found.because),
            })
            .collect(),
        metrics: report
            .metrics
            .iter()
            .map(|found| Metric {
                name: found.metric.name,
                supported: found.supported,
                because: short_names(&found.because),
            })
            .collect(),
    }
}

fn culprit(found: &suite::Culprit, about: About<'_>) -> Culprit {
    Culprit {
        template: found.template.short_name(),
        check: found.check.to_string(),
        checks: texts(&found.checks),
        blocks: texts(&found.blocks),
        place: words::place(about.templates, found.template, about.base).map(|place| match place {
            Place::File(at) => TextPlace::File(at),
            Place::Pack(name) => TextPlace::Pack(name),
        }),
        mend: found.mend.as_ref().map(|mend| Mend {
            pack: mend.pack.clone(),
            text: mend.text.clone(),
        }),
    }
}

fn check(found: &suite::CheckReport) -> Check {
    Check {
        id: found.info.id.to_string(),
        section: found.info.section.name(),
        title: found.info.title.clone(),
        tier: found.info.tier.name(),
        verdict: found.outcome.verdict().into(),
        reason: reason(&found.outcome),
        judges: short_names(&found.info.judges),
        uses: short_names(&found.uses),
        carries: found
            .info
            .carries
            .iter()
            .map(|capability| capability.name())
            .collect(),
        steps: found.steps.iter().map(step).collect(),
    }
}

fn reason(outcome: &Outcome) -> Option<Reason> {
    Some(match outcome {
        Outcome::Supported => return None,
        Outcome::Unsupported(Proof::NotImplemented(templates)) => Reason::NotImplemented {
            templates: short_names(templates),
        },
        Outcome::Unsupported(Proof::Refused(error)) => Reason::Refused {
            error: error.into(),
        },
        Outcome::Unsupported(Proof::Absent(what)) => Reason::Absent { what: what.clone() },
        Outcome::Wrong(Fault::Answer { expected, got }) => Reason::Answer {
            expected: expected.clone(),
            got: got.clone(),
        },
        Outcome::Wrong(Fault::Render { template, message }) => Reason::Render {
            template: template.short_name(),
            message: message.clone(),
        },
        Outcome::Unknown(Doubt::Database(error)) => Reason::Database {
            error: error.into(),
        },
        Outcome::Unknown(Doubt::NothingToSee(what)) => Reason::NothingToSee { what: what.clone() },
        Outcome::Unknown(Doubt::NotReached(what)) => Reason::NotReached { what: what.clone() },
        Outcome::Unknown(Doubt::Interrupted) => Reason::Interrupted,
        Outcome::Blocked { by } => Reason::Blocked {
            by: short_names(by),
        },
    })
}

fn step(found: &suite::Step) -> Step {
    let (result, error) = match found.preview() {
        Ok(preview) => (
            Some(Rows {
                columns: preview.columns.into_iter().map(str::to_owned).collect(),
                rows: preview
                    .rows
                    .iter()
                    .map(|row| row.iter().map(bowline_driver::Value::to_json).collect())
                    .collect(),
                total_rows: preview.total_rows,
            }),
            None,
        ),
        Err(error) => (None, Some(error.into())),
    };
    Step {
        label: found.label,
        sql: found.sql.clone(),
        elapsed_ms: milliseconds(found.answer.elapsed),
        shared_with: found.shared_with,
        result,
        error,
    }
}

fn texts(ids: &[suite::CheckId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

fn short_names(templates: &[&'static Template]) -> Vec<&'static str> {
    templates
        .iter()
        .map(|template| template.short_name())
        .collect()
}

/// To the microsecond: more digits would be noise.
pub(super) fn milliseconds(elapsed: Duration) -> f64 {
    (elapsed.as_secs_f64() * 1_000_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_describes_the_version() {
        let schema: serde_json::Value = serde_json::from_str(&test_report_schema()).unwrap();
        for report in ["TestReport", "PipelineReport"] {
            assert!(schema["$defs"][report]["properties"]["version"].is_object());
        }
        assert_eq!(
            schema["$defs"]["Verdict"]["oneOf"].as_array().map(Vec::len),
            Some(5)
        );
    }

    #[test]
    fn times_are_kept_to_the_microsecond() {
        assert!((milliseconds(Duration::from_nanos(1_234_567)) - 1.235).abs() < 1e-9);
    }
}
