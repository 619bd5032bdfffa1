//! Why something cannot be done with a connector.

use std::path::PathBuf;

use bowline_conformance::warehouse::ExportError;
use bowline_connector::{CredentialsError, LoadError, WorkspaceError};
use bowline_contract::credentials;
use bowline_driver::{SqlError, SqlErrorKind};
use bowline_pipeline::SourceError;
use bowline_warehouse::OpenError;
use bowline_words::{Diagnose, Diagnostic};

/// Why something cannot be done with a connector.
#[derive(Debug, thiserror::Error)]
pub enum WorkbenchError {
    /// The workspace cannot say which connector is meant.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// The connector's folder is not valid.
    #[error(transparent)]
    Load(Box<LoadError>),
    /// The credentials cannot be read.
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
    /// A pipeline connector cannot be read.
    #[error(transparent)]
    Source(Box<SourceError>),
    /// There is no export.
    #[error("cannot export the connector")]
    Export(#[source] ExportError),
    /// The run was stopped before it could begin.
    #[error("stopped")]
    Interrupted,
    /// The process's signals cannot be listened to.
    #[error("Ctrl-C cannot be handled: {0}")]
    CtrlC(String),
    /// A served connector did not come to its end.
    #[error("the connection could not be closed")]
    Served,
}

impl Diagnose for WorkbenchError {
    fn diagnose(&self) -> Diagnostic {
        let told = || Diagnostic::of(self);
        match self {
            Self::Workspace(error) => error.diagnose(),
            Self::Load(error) => error.diagnose(),
            Self::Credentials(error) => error.diagnose(),
            Self::CredentialsCheck { source, .. } => told().because_of(source),
            Self::Expression(error) => error.diagnose(),
            Self::Connect { source, .. } => told().hint(connect_hint(source)).because_of(source),
            Self::Source(error) => error.diagnose(),
            Self::Export(_) | Self::Interrupted => told(),
            Self::CtrlC(_) | Self::Served => {
                told().hint("this is a fault of the program; please report it".to_owned())
            }
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

impl From<LoadError> for WorkbenchError {
    fn from(error: LoadError) -> Self {
        Self::Load(Box::new(error))
    }
}

impl From<SourceError> for WorkbenchError {
    fn from(error: SourceError) -> Self {
        Self::Source(Box::new(error))
    }
}
