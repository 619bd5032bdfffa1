//! What a run found out about a warehouse connector.

use std::fmt;

use bowline_contract::{AssetClass, Capability, Template};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::catalogue::{CatalogueResult, Lag, ToldNumber};
use crate::{Conclusion, Milliseconds, Summary, Tier, Verdict};

/// What `bowline test --format json` writes about a warehouse connector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "Report about a warehouse connector")]
pub struct WarehouseReport {
    /// The version of this format.
    pub version: u32,
    /// The version of the program that wrote it.
    pub bowline_version: String,
    /// `warehouse`, which tells this report from that about a pipeline connector.
    #[schemars(with = "String")]
    pub asset_class: AssetClass,
    /// The connector's name.
    pub connector: String,
    /// What is on the other end, as the server names itself; empty when it was not reached.
    pub product: String,
    /// How much was asked: `reference` or `strict`.
    pub tier: Tier,
    /// When the run began, ISO 8601; absent where an older program wrote the report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began: Option<String>,
    /// The sections that ran.
    pub sections: Vec<String>,
    /// Whether the run was stopped before its end.
    pub interrupted: bool,
    /// Statements that would remove what functional checks made and could not remove; empty as a rule.
    pub left_behind: Vec<String>,
    /// How far the catalogue is from the truth, and how long behind it; absent where functional checks did not get so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalogue: Option<CatalogueResult>,
    /// How many connections were used.
    pub connections: usize,
    /// How long the run took, in milliseconds.
    pub elapsed_ms: Milliseconds,
    /// How many checks have each verdict.
    pub summary: Summary,
    /// The dialect pack that the connector extends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extends: Option<String>,
    /// The file in which a template of the connector's own stands, or would.
    #[serde(default)]
    pub home: String,
    /// The templates at fault, the one that stands in most checks' way first.
    pub culprits: Vec<Culprit>,
    /// Every check, in the order of the sections.
    pub checks: Vec<CheckResult>,
    /// Every template of the contract.
    pub templates: Vec<TemplateResult>,
    /// The ten capabilities.
    pub capabilities: Vec<CapabilityResult>,
    /// Every metric, by name.
    pub metrics: Vec<MetricResult>,
}

impl WarehouseReport {
    /// What was found out about the check of that name.
    #[must_use]
    pub fn check(&self, id: &str) -> Option<&CheckResult> {
        self.checks.iter().find(|check| check.id == id)
    }

    /// Whether another fit would find no more for a template than the last one did.
    #[must_use]
    pub fn is_searched(&self, template: &str) -> bool {
        let asked = Template::find(template);
        let mut found = self.templates.iter();
        found.any(|found| found.searched && Template::find(&found.name) == asked)
    }

    /// Why the platform will use none of the metrics that are supported, in words; nothing when it will, or there are none.
    #[must_use]
    pub fn idle_metrics(&self) -> Option<&'static str> {
        let language = Capability::FullQueryLanguage.name();
        let mut capabilities = self.capabilities.iter();
        let found = capabilities.find(|found| found.name == language)?;
        let is_without = !matches!(found.verdict, None | Some(Verdict::Supported));
        (is_without && self.metrics.iter().any(|metric| metric.supported))
            .then_some("the platform computes none of them without `supports_full_query_language`")
    }

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

    /// What the run comes to.
    #[must_use]
    pub fn conclusion(&self) -> Conclusion {
        Conclusion::of(
            self.interrupted,
            self.shortfalls().next().is_some()
                || self.culprits.iter().any(|each| !each.checks.is_empty()),
            self.checks.iter().any(CheckResult::is_open),
        )
    }
}

/// A template at fault: its own check fell short, or it stands in the way of others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Culprit {
    /// The template, without `_template`.
    pub template: String,
    /// The check that shows the fault best.
    pub check: String,
    /// The checks that fell short because of it.
    pub checks: Vec<String>,
    /// The checks that it blocks.
    pub blocks: Vec<String>,
    /// Where its text stands; null when the connector lacks it.
    pub place: Option<TextOrigin>,
    /// Where a spelling of the connector's own belongs: the file, and the line of its class where it has one.
    #[serde(default)]
    pub home: String,
    /// Its text; null when the connector lacks it.
    pub text: Option<String>,
    /// What the dialect pack's spelling needs that not every server has, in words.
    pub needs: Option<String>,
    /// One thing to do about its text, where something in it is plainly mistaken.
    pub hint: Option<String>,
    /// A spelling with which the check passes.
    pub mend: Option<Mend>,
}

/// Where a template's text stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TextOrigin {
    /// A file of the connector or of a dialect pack of the workspace, and the line.
    File(String),
    /// A dialect pack that the program brings.
    Pack(String),
}

/// Another spelling of a template, tried on the live database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Mend {
    /// The dialect pack it is from.
    pub pack: String,
    /// The template's text there.
    pub text: String,
}

/// What was found out by one check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CheckResult {
    /// Its name, such as `ql_metrics/avg`.
    pub id: String,
    /// The section it stands in.
    pub section: String,
    /// What it asks, in one line.
    pub title: String,
    /// The tier it belongs to.
    pub tier: Tier,
    /// What it found.
    pub verdict: Verdict,
    /// Why, when it is not supported.
    pub reason: Option<Reason>,
    /// What must come back, in words, where that was settled before it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// The templates its answer speaks about.
    pub judges: Vec<String>,
    /// Every template its statements were rendered from.
    pub uses: Vec<String>,
    /// The capabilities that hang on it.
    pub carries: Vec<String>,
    /// The statements it ran.
    pub steps: Vec<Step>,
    /// What is not wrong and worth a word, whatever the verdict.
    #[serde(default)]
    pub advice: Vec<String>,
}

impl CheckResult {
    /// Whether somebody has to mend something: a wrong answer, or SQL that the database refused.
    ///
    /// A template that is not implemented is a choice, not a shortfall.
    #[must_use]
    pub fn is_shortfall(&self) -> bool {
        self.verdict == Verdict::Wrong || matches!(self.reason, Some(Reason::Refused { .. }))
    }

    /// Whether the answer is unknown.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.verdict == Verdict::Unknown
    }

    /// The statement that shows best why the verdict is what it is: the first that failed, else the last.
    #[must_use]
    pub fn telling_step(&self) -> Option<&Step> {
        self.steps
            .iter()
            .find(|step| step.error.is_some())
            .or_else(|| self.steps.last())
    }
}

/// Why a check was not answered with supported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Reason {
    /// The connector does not implement these templates.
    NotImplemented {
        /// The templates.
        templates: Vec<String>,
    },
    /// The database refused the statement.
    Refused {
        /// Its error.
        error: DatabaseError,
    },
    /// The database answered, and what was looked for is not there.
    Absent {
        /// What is not there, in words.
        what: String,
    },
    /// The answer is not what was expected.
    Answer {
        /// What was expected, in words.
        expected: String,
        /// What came back, in words.
        got: String,
    },
    /// A template could not be rendered as the contract asks.
    Render {
        /// The template.
        template: String,
        /// What is wrong with it, place and source window included.
        message: String,
    },
    /// The database's answer leaves it open.
    Database {
        /// Its error.
        error: DatabaseError,
    },
    /// There was nothing to look at.
    NothingToSee {
        /// What was not there, in words.
        what: String,
    },
    /// An earlier step did not succeed.
    NotReached {
        /// What did not, in words.
        what: String,
    },
    /// The run was interrupted first.
    Interrupted,
    /// These templates stand in its way.
    Blocked {
        /// The templates.
        by: Vec<String>,
    },
}

impl Reason {
    /// What to do about it, where the database's error says so.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Refused { error } | Self::Database { error } => error.hint.as_deref(),
            Self::NotImplemented { .. }
            | Self::Absent { .. }
            | Self::Answer { .. }
            | Self::Render { .. }
            | Self::NothingToSee { .. }
            | Self::NotReached { .. }
            | Self::Interrupted
            | Self::Blocked { .. } => None,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotImplemented { templates } => {
                write!(f, "not implemented: {}", templates.join(", "))
            }
            Self::Refused { error } => write!(f, "the database refused it: {error}"),
            Self::Absent { what } | Self::NothingToSee { what } | Self::NotReached { what } => {
                f.write_str(what)
            }
            Self::Answer { expected, got } => write!(f, "expected {expected}, got {got}"),
            Self::Render { message, .. } => f.write_str(message),
            Self::Database { error } => write!(f, "{}: {error}", error.kind.words()),
            Self::Interrupted => f.write_str("the run was interrupted first"),
            Self::Blocked { by } => write!(f, "blocked by {}", by.join(", ")),
        }
    }
}

/// An error of the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DatabaseError {
    /// What kind of error it is.
    pub kind: DatabaseErrorKind,
    /// The SQLSTATE, where the database gave one.
    pub sqlstate: Option<String>,
    /// The database's words, and what to do about it where that is known.
    pub message: String,
    /// What to do about it alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl fmt::Display for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.sqlstate {
            Some(code) => write!(f, " (SQLSTATE {code})"),
            None => Ok(()),
        }
    }
}

/// The kinds of error that a database gives. A kind that this version does not know is read as `other`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DatabaseErrorKind {
    /// The statement is not valid SQL there.
    Syntax,
    /// A table, column, function or type that it names does not exist.
    MissingObject,
    /// The user may not do this, or the login was refused.
    Permission,
    /// The database ran it and refused the data.
    Data,
    /// A time limit passed.
    Timeout,
    /// The database had no room or no turn for it: memory, disk, locks, a quota, too many at once.
    Busy,
    /// It was cancelled.
    Cancelled,
    /// The database cannot be reached, or the connection was lost.
    Connection,
    /// The result is larger than the limit.
    TooLarge,
    /// A value's type cannot be carried exactly.
    UnsupportedType,
    /// The driver or the connector's own code is at fault.
    Driver,
    /// Anything else.
    #[serde(other)]
    Other,
}

impl DatabaseErrorKind {
    /// The kind in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Syntax => "not valid SQL there",
            Self::MissingObject => "no such thing there",
            Self::Permission => "not permitted",
            Self::Data => "the data was refused",
            Self::Timeout => "out of time",
            Self::Busy => "the database was busy",
            Self::Cancelled => "cancelled",
            Self::Connection => "no connection",
            Self::TooLarge => "too large a result",
            Self::UnsupportedType => "a type that cannot be carried",
            Self::Driver => "the driver failed",
            Self::Other => "the database failed",
        }
    }
}

/// One statement and what came back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// What it is for, when a check has several.
    pub label: Option<String>,
    /// The statement as sent.
    pub sql: String,
    /// How long it took, in milliseconds.
    pub elapsed_ms: Milliseconds,
    /// With how many other checks it was asked in one statement, each as a scalar subquery; 0 when alone.
    pub shared_with: usize,
    /// The beginning of the result, when there was one.
    pub result: Option<Rows>,
    /// The error, when there was one.
    pub error: Option<DatabaseError>,
}

/// The beginning of a result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rows {
    /// The columns' names.
    pub columns: Vec<String>,
    /// The first rows. Decimals, dates, timestamps and numbers beyond 64 bits are text.
    pub rows: Vec<Vec<serde_json::Value>>,
    /// How many rows there were in all.
    pub total_rows: usize,
}

/// What was found out about one template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TemplateResult {
    /// The template's method name.
    pub name: String,
    /// Whether the connector has it.
    pub implemented: bool,
    /// The verdict over all checks that judge it; null when none of this run does.
    pub verdict: Option<Verdict>,
    /// The checks that judge it.
    pub checks: Vec<String>,
    /// Whether a fit found no spelling of it that is right, when the connector and the server were as they are.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub searched: bool,
}

/// What was found out about one capability.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CapabilityResult {
    /// Its name in the exported manifest.
    pub name: String,
    /// The verdict; null when the checks that carry it were not all asked, and none that was fell short.
    pub verdict: Option<Verdict>,
    /// The checks that keep it from being supported.
    pub because: Vec<String>,
}

/// What was found out about one metric.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MetricResult {
    /// Its name in the exported manifest.
    pub name: String,
    /// Whether every check of every template it needs was asked and none fell short, and its own number was right.
    pub supported: bool,
    /// The templates that keep it from being supported.
    pub because: Vec<String>,
}

impl MetricResult {
    /// Whether the run asked enough to tell.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.supported || !self.because.is_empty()
    }
}
