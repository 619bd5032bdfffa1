//! What can stop a command, and how it is told.

use std::io;
use std::path::{Path, PathBuf};

use bowline_collect::{CollectError, StateError};
use bowline_conformance::ExportError;
use bowline_connector::{CredentialsError, LoadError, OpenError, ScaffoldError, WorkspaceError};
use bowline_contract::{NameError, UnknownSection, credentials};
use bowline_driver::install::InstallError;
use bowline_driver::{SqlError, SqlErrorKind};
use bowline_image::ImageError;
use bowline_image::plan::PlanError;
use bowline_pipeline::{OpenApiError, RecordingError, SourceError};
use bowline_words::{Diagnose, Diagnostic};

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
    /// The workspace cannot say which connector is meant.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// The connector's folder is not valid.
    #[error(transparent)]
    Connector(Box<LoadError>),
    /// The credentials cannot be used.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The credentials do not fit the manifest's schema, or the schema is none.
    #[error("cannot use the credentials: `{}`", .path.display())]
    CredentialsCheck {
        /// The credentials file.
        path: PathBuf,
        /// What does not fit; no secret is in it.
        source: credentials::CredentialsError,
    },
    /// A value of `connector.toml` cannot be worked out.
    #[error(transparent)]
    Expression(OpenError),
    /// The database cannot be reached.
    #[error("cannot connect to the database of connector `{connector}`")]
    Connect {
        /// The connector's name.
        connector: String,
        /// The driver's words.
        source: SqlError,
    },
    /// An OpenAPI document gives no proposal.
    #[error(transparent)]
    OpenApi(#[from] OpenApiError),
    /// A recording of a vendor cannot be made or read.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// A pipeline connector cannot be read.
    #[error(transparent)]
    Source(Box<SourceError>),
    /// A driver cannot be installed.
    #[error(transparent)]
    Install(InstallError),
    /// A statement failed.
    #[error("the statement failed")]
    Statement(#[source] SqlError),
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
    /// There is no export.
    #[error("cannot export the connector")]
    Export(#[source] ExportError),
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
            Self::Workspace(error) => error.diagnose(),
            Self::Connector(error) => error.diagnose(),
            Self::Credentials(error) => error.diagnose(),
            Self::CredentialsCheck { source, .. } => told().because_of(source),
            Self::Expression(error) => error.diagnose(),
            Self::Connect { source, .. } => told().hint(connect_hint(source)).because_of(source),
            Self::OpenApi(error) => error.diagnose(),
            Self::Recording(error) => error.diagnose(),
            Self::Source(error) => error.diagnose(),
            Self::Install(error) => error.diagnose(),
            Self::Statement(source) => told().hint(statement_hint(source)).because_of(source),
            Self::Render { hint, .. } => told().hint(hint.clone()),
            Self::Plan(error) => error.diagnose(),
            Self::Image(error) => error.diagnose(),
            Self::Collect(error) => error.diagnose(),
            Self::CollectState(error) => error.diagnose(),
            Self::Internal(_) => {
                told().hint("this is a fault of the program; please report it".to_owned())
            }
            Self::Export(_)
            | Self::Write { .. }
            | Self::Input(_)
            | Self::Output(_)
            | Self::Interrupted => told(),
        }
    }
}

/// What usually helps; the driver's own hint is better where it gives one.
fn connect_hint(error: &SqlError) -> Option<String> {
    let hint = match error.kind {
        _ if error.hint.is_some() => return None,
        SqlErrorKind::Connection | SqlErrorKind::Timeout => {
            "see that the database runs, and that `connect_args` in credentials.json says where"
        }
        SqlErrorKind::Permission => {
            "see that the login in `connect_args` of credentials.json is right"
        }
        SqlErrorKind::Syntax
        | SqlErrorKind::MissingObject
        | SqlErrorKind::Data
        | SqlErrorKind::Cancelled
        | SqlErrorKind::TooLarge
        | SqlErrorKind::UnsupportedType
        | SqlErrorKind::Driver
        | SqlErrorKind::Other => return None,
    };
    Some(hint.to_owned())
}

/// What can be done about a statement that wanted more than it may have.
fn statement_hint(error: &SqlError) -> Option<String> {
    let hint = match error.kind {
        SqlErrorKind::TooLarge => "ask for less, such as with `LIMIT` in the statement",
        SqlErrorKind::Timeout => "give it more time with `--timeout`",
        SqlErrorKind::Syntax
        | SqlErrorKind::MissingObject
        | SqlErrorKind::Permission
        | SqlErrorKind::Data
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
        Self::Source(Box::new(error))
    }
}

impl From<CollectError> for CliError {
    fn from(error: CollectError) -> Self {
        match error {
            CollectError::Source(error) => error.into(),
            CollectError::Write { path, source } => Self::Write { path, source },
            CollectError::Output(error) => Self::Output(error),
            other => Self::Collect(Box::new(other)),
        }
    }
}

impl From<LoadError> for CliError {
    fn from(error: LoadError) -> Self {
        Self::Connector(Box::new(error))
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
