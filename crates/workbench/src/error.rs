//! Why something cannot be done with a connector.

use std::path::PathBuf;

use bowline_conformance::ExportError;
use bowline_connector::{CredentialsError, LoadError, WorkspaceError};
use bowline_contract::credentials;
use bowline_driver::{SqlError, SqlErrorKind};
use bowline_pipeline::SourceError;
use bowline_warehouse::OpenError;

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
    #[error("cannot connect to the database of connector `{connector}`{}", connect_hint(.source))]
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
    #[error(
        "Ctrl-C cannot be handled: {0}\nhint: this is a fault of the program; please report it"
    )]
    CtrlC(String),
    /// A served connector did not come to its end.
    #[error(
        "the connection could not be closed\nhint: this is a fault of the program; please report it"
    )]
    Served,
}

const HINT: &str = "hint: ";

/// What usually helps; the driver's own hint is better where it gives one.
fn connect_hint(error: &SqlError) -> &'static str {
    match error.kind {
        SqlErrorKind::Connection | SqlErrorKind::Timeout if !error.message.contains(HINT) => {
            "\nhint: see that the database runs, and that `connect_args` in credentials.json says where"
        }
        SqlErrorKind::Permission if !error.message.contains(HINT) => {
            "\nhint: see that the login in `connect_args` of credentials.json is right"
        }
        _ => "",
    }
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
