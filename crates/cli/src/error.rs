//! What can stop a command, and how it is told.

use std::io;
use std::path::{Path, PathBuf};

use bowline_collect::{CollectError, StateError};
use bowline_connector::{CredentialsError, ScaffoldError, WorkspaceError};
use bowline_contract::{NameError, UnknownSection};
use bowline_driver::{SqlError, SqlErrorKind};
use bowline_fit::FitError;
use bowline_image::ImageError;
use bowline_image::plan::PlanError;
use bowline_installer::InstallError;
use bowline_pipeline::{OpenApiError, RecordingError, SourceError};
use bowline_profile::ProfileError;
use bowline_report::ReportError;
use bowline_warehouse::folder::OverlayError;
use bowline_words::{Diagnose, Diagnostic};
use bowline_workbench::{QueryLogError, WorkbenchError};

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// The command line does not fit.
    #[error("{what}")]
    Usage {
        /// What does not fit.
        what: String,
        /// What to do instead.
        hint: String,
    },
    /// A section filter names no section.
    #[error(transparent)]
    Section(UnknownSection),
    /// A text cannot name a connector.
    #[error(transparent)]
    Name(NameError),
    /// A connector cannot be scaffolded.
    #[error(transparent)]
    Scaffold(Box<ScaffoldError>),
    /// Something cannot be done with a connector.
    #[error(transparent)]
    Workbench(#[from] WorkbenchError),
    /// Credentials from elsewhere than a connector's folder cannot be used.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// An OpenAPI document gives no proposal.
    #[error(transparent)]
    OpenApi(#[from] OpenApiError),
    /// A recording of a vendor cannot be made or read.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// A connector cannot be fitted.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// Templates cannot be written into a connector's folder.
    #[error(transparent)]
    Overlay(#[from] OverlayError),
    /// A driver cannot be installed.
    #[error(transparent)]
    Install(InstallError),
    /// A statement failed.
    #[error("the statement failed")]
    Statement(#[source] SqlError),
    /// The metrics of a table cannot be computed.
    #[error(transparent)]
    Profile(ProfileError),
    /// A report cannot be read.
    #[error(transparent)]
    Report(ReportError),
    /// A query log cannot be read.
    #[error("cannot read the query log of connector `{connector}`")]
    QueryLog {
        /// The connector's name.
        connector: String,
        /// Why.
        source: QueryLogError,
    },
    /// A template cannot be rendered.
    #[error("cannot render the template: `{template}`\n{words}")]
    Render {
        /// Its short name.
        template: &'static str,
        /// Why, with the place and a window on the source.
        words: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// An image cannot be built as asked.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// An image cannot be built, moved or read.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// A file cannot be written.
    #[error("cannot write `{}`", .path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Standard input cannot be read.
    #[error("cannot read standard input")]
    Input(#[source] io::Error),
    /// Standard output cannot be written.
    #[error("cannot write standard output")]
    Output(#[source] io::Error),
    /// A collection stopped.
    #[error(transparent)]
    Collect(Box<CollectError>),
    /// What earlier collections wrote down cannot be used.
    #[error(transparent)]
    CollectState(#[from] StateError),
    /// The user stopped a question.
    #[error("stopped")]
    Interrupted,
    /// The program itself is at fault.
    #[error("{0}")]
    Internal(String),
}

impl Diagnose for CliError {
    fn diagnose(&self) -> Diagnostic {
        let told = || Diagnostic::of(self);
        match self {
            Self::Usage { hint, .. } => told().hint(hint.clone()),
            Self::Section(error) => error.diagnose(),
            Self::Name(error) => error.diagnose(),
            Self::Scaffold(error) => error.diagnose(),
            Self::Workbench(error) => error.diagnose(),
            Self::Credentials(error) => error.diagnose(),
            Self::OpenApi(error) => error.diagnose(),
            Self::Recording(error) => error.diagnose(),
            Self::Fit(error) => error.diagnose(),
            Self::Overlay(error) => error.diagnose(),
            Self::Install(error) => error.diagnose(),
            Self::Statement(source) => told().hint(statement_hint(source)).because_of(source),
            Self::Profile(error) => error.diagnose(),
            Self::Report(error) => error.diagnose(),
            Self::QueryLog { source, .. } => told().because_of(source),
            Self::Render { hint, .. } => told().hint(hint.clone()),
            Self::Plan(error) => error.diagnose(),
            Self::Image(error) => error.diagnose(),
            Self::Collect(error) => error.diagnose(),
            Self::CollectState(error) => error.diagnose(),
            Self::Internal(_) => {
                told().hint("this is a fault of the program; please report it".to_owned())
            }
            Self::Write { .. } | Self::Input(_) | Self::Output(_) | Self::Interrupted => told(),
        }
    }
}

/// What can be done about a statement that wanted more than it may have.
fn statement_hint(error: &SqlError) -> Option<String> {
    let hint = match error.kind {
        // The server's own limits, which none of ours lengthens.
        SqlErrorKind::Timeout if error.sqlstate.as_deref() == Some("57014") => {
            "the server stopped it: let the login have more time there (`statement_timeout`)"
        }
        SqlErrorKind::Timeout if error.sqlstate.as_deref() == Some("55P03") => {
            "another session holds a lock: wait for it to end, or give the login more time there (`lock_timeout`)"
        }
        SqlErrorKind::TooLarge => {
            "ask for less, such as with `LIMIT` in the statement, or let in more with `bowline query --max-mib`"
        }
        SqlErrorKind::Timeout => "give it more time with `bowline query --timeout`",
        SqlErrorKind::Syntax
        | SqlErrorKind::MissingObject
        | SqlErrorKind::Permission
        | SqlErrorKind::Data
        | SqlErrorKind::Busy
        | SqlErrorKind::Cancelled
        | SqlErrorKind::Connection
        | SqlErrorKind::UnsupportedType
        | SqlErrorKind::Driver
        | SqlErrorKind::Other => return None,
    };
    Some(hint.to_owned())
}

impl From<ScaffoldError> for CliError {
    fn from(error: ScaffoldError) -> Self {
        Self::Scaffold(Box::new(error))
    }
}

impl From<SourceError> for CliError {
    fn from(error: SourceError) -> Self {
        Self::Workbench(error.into())
    }
}

impl From<CollectError> for CliError {
    fn from(error: CollectError) -> Self {
        match error {
            CollectError::Source(error) => error.into(),
            CollectError::State(error) => error.into(),
            CollectError::Write { path, source } => Self::Write { path, source },
            CollectError::Output(error) => Self::Output(error),
            other => Self::Collect(Box::new(other)),
        }
    }
}

impl From<WorkspaceError> for CliError {
    fn from(error: WorkspaceError) -> Self {
        Self::Workbench(error.into())
    }
}

impl CliError {
    pub(crate) fn usage(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage {
            what: what.into(),
            hint: hint.into(),
        }
    }

    pub(crate) fn write(path: &Path, source: io::Error) -> Self {
        Self::Write {
            path: path.to_path_buf(),
            source,
        }
    }
}
