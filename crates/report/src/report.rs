//! A report about a connector of either kind.

use bowline_contract::{AssetClass, ConnectorName, PipelineSection, SuiteSection};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Conclusion, PipelineReport, ReportError, ReportErrorKind, WarehouseReport};

/// The version of the format; it grows when a reader of the one before could misunderstand.
pub const VERSION: u32 = 1;

/// What `bowline test --format json` writes.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(title = "Report of `bowline test`")]
#[serde(untagged)]
pub enum Report {
    /// About a warehouse connector.
    Warehouse(WarehouseReport),
    /// About a pipeline connector.
    Pipeline(PipelineReport),
}

/// What tells a reader whether it can read the rest. Every version has it.
#[derive(Deserialize)]
#[serde(expecting = "a report")]
struct Head {
    version: u32,
    bowline_version: Option<String>,
}

/// What tells the two kinds of report apart.
#[derive(Deserialize)]
#[serde(expecting = "a report")]
struct Subject {
    asset_class: AssetClass,
    connector: String,
}

impl Report {
    /// Reads what [`to_json`](Self::to_json) wrote; errors name it `origin`, such as a file's name.
    ///
    /// # Errors
    /// When the text is no report, or one of a newer version.
    pub fn from_json(text: &str, origin: &str) -> Result<Self, ReportError> {
        // Editors and shells on some systems put a byte order mark before what they write.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let head: Head = read(text, origin)?;
        if head.version > VERSION {
            return Err(newer(&head, origin));
        }
        let subject: Subject = read(text, origin)?;
        // Files are named after it.
        ConnectorName::parse(&subject.connector).map_err(|error| malformed(&error, origin))?;
        match subject.asset_class {
            AssetClass::Warehouse => read(text, origin).map(Self::Warehouse),
            AssetClass::Pipeline => read(text, origin).map(Self::Pipeline),
        }
    }

    /// The report as JSON, a line for each thing.
    ///
    /// # Errors
    /// None that is known; what it holds can be said in JSON.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

    /// Whether every section of the suite ran to its end: only then a run without a fault is a proof of the connector.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        match self {
            Self::Warehouse(report) => {
                !report.interrupted && report.sections.len() >= SuiteSection::ALL.len()
            }
            Self::Pipeline(report) => {
                !report.interrupted && report.sections.len() >= PipelineSection::ALL.len()
            }
        }
    }

    /// What the run comes to.
    #[must_use]
    pub fn conclusion(&self) -> Conclusion {
        match self {
            Self::Warehouse(report) => report.conclusion(),
            Self::Pipeline(report) => report.conclusion(),
        }
    }
}

fn read<T: DeserializeOwned>(text: &str, origin: &str) -> Result<T, ReportError> {
    serde_json::from_str(text).map_err(|error| malformed(&error, origin))
}

fn malformed(why: &impl std::fmt::Display, origin: &str) -> ReportError {
    ReportError::new(ReportErrorKind::Malformed, format!("`{origin}`"))
        .because(why.to_string())
        .hint("give what `bowline test --format json` wrote".to_owned())
}

fn newer(head: &Head, origin: &str) -> ReportError {
    let kind = ReportErrorKind::Newer {
        version: head.version,
        known: VERSION,
    };
    let hint = match &head.bowline_version {
        Some(program) => format!("read it with bowline {program}, which wrote it, or a newer one"),
        None => "read it with the bowline that wrote it, or a newer one".to_owned(),
    };
    ReportError::new(kind, format!("`{origin}`"))
        .because(format!(
            "it is of version {}, and this program reads up to version {VERSION}",
            head.version
        ))
        .hint(hint)
}
