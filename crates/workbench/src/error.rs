//! Why something cannot be done with a connector.

use std::io;
use std::path::PathBuf;

use bowline_conformance::warehouse::ExportError;
use bowline_connector::{CredentialsError, LoadError, WorkspaceError};
use bowline_contract::credentials::{self, FoundSecret, UnreadCredentials};
use bowline_driver::{SqlError, SqlErrorKind};
use bowline_evidence::EvidenceError;
use bowline_pipeline::SourceError;
use bowline_warehouse::OpenError;
use bowline_warehouse::dialect::NewPackError;
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
    #[error("{source}")]
    Credentials {
        /// Why not.
        source: CredentialsError,
        /// The names that the manifest's schema has for `connect_args`.
        keys: Vec<String>,
    },
    /// The credentials do not fit the manifest's schema, or the schema is none.
    #[error("cannot use the credentials: `{}`", .path.display())]
    CredentialsCheck {
        /// The credentials file.
        path: PathBuf,
        /// What does not fit; no secret is in it.
        source: Box<credentials::CredentialsError>,
        /// The names that the manifest's schema has for `connect_args`.
        keys: Vec<String>,
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
    /// What was found cannot be written as a dialect pack.
    #[error(transparent)]
    Pack(#[from] NewPackError),
    /// A file that others shall have holds a secret.
    #[error("cannot write what others shall have: `{place}` holds {}", .secret.what)]
    Secret {
        /// The file and the line, and the template where it is one.
        place: String,
        /// What stands there.
        secret: FoundSecret,
    },
    /// Whether what others shall have holds a secret cannot be found out.
    #[error(transparent)]
    UnreadCredentials(#[from] UnreadCredentials),
    /// The database gives nobody rights.
    #[error("no rights to find: {product} has no accounts")]
    NoAccounts {
        /// The database.
        product: String,
    },
    /// Another run works with the connector's database, and is not waited for.
    #[error("connector in use: `{connector}`: another run works with its database")]
    InUse {
        /// The connector's name.
        connector: String,
    },
    /// An export cannot be read.
    #[error("cannot read the export: `{place}`")]
    ExportRead {
        /// Where it is.
        place: String,
        /// Why not.
        why: String,
    },
    /// There is no evidence to judge by.
    #[error("cannot judge without the database: `{connector}`")]
    NoEvidence {
        /// The connector's name.
        connector: String,
    },
    /// A file of evidence cannot be read or written.
    #[error("cannot keep or read the evidence: `{}`", .path.display())]
    EvidenceFile {
        /// The file.
        path: PathBuf,
        /// The system's words.
        #[source]
        error: io::Error,
    },
    /// Evidence cannot be used.
    #[error(transparent)]
    Evidence(EvidenceError),
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
            Self::Credentials { source, keys } => match source {
                CredentialsError::Missing { .. } | CredentialsError::Shape { .. }
                    if !keys.is_empty() =>
                {
                    let mut told = source.diagnose();
                    told.hints = vec![format!("write {} there", expected(keys))];
                    told
                }
                _ => source.diagnose(),
            },
            Self::CredentialsCheck { source, keys, .. } => {
                let told = told().because_of(source.as_ref());
                if told.hints.is_empty() && !keys.is_empty() {
                    told.hint(format!("it takes {}", expected(keys)))
                } else {
                    told
                }
            }
            Self::Expression(error) => error.diagnose(),
            Self::Connect { source, .. } => told().hint(connect_hint(source)).because_of(source),
            Self::Source(error) => error.diagnose(),
            Self::Pack(error) => error.diagnose(),
            Self::Secret { .. } => told().hint(
                "take it out of connector.toml, the templates or manifest.json; who runs the connector has credentials of their own".to_owned(),
            ),
            Self::UnreadCredentials(_) => told().hint("mend the file, or remove it".to_owned()),
            Self::NoAccounts { .. } => told().hint(
                "let the system's user that the agent runs as read its file, and write it where functional checks run"
                    .to_owned(),
            ),
            Self::InUse { .. } => told().hint("wait for it to end, or stop it".to_owned()),
            Self::NoEvidence { .. } => {
                let mut told = told();
                told.causes.push("no whole run left evidence".to_owned());
                told.hint("run `bowline test` once with the database, without `-m`".to_owned())
            }
            Self::Evidence(error) => error.diagnose(),
            Self::ExportRead { why, .. } => {
                let mut told = told();
                told.causes.push(why.clone());
                told.hint("`bowline export` writes one".to_owned())
            }
            Self::Export(_) | Self::Interrupted | Self::EvidenceFile { .. } => told(),
            Self::CtrlC(_) | Self::Served => {
                told().hint("this is a fault of the program; please report it".to_owned())
            }
        }
    }
}

/// Credentials as a file holds them, without values.
fn expected(keys: &[String]) -> String {
    let keys: Vec<String> = keys.iter().map(|key| format!("\"{key}\": …")).collect();
    format!(r#"`{{"connect_args": {{{}}}}}`"#, keys.join(", "))
}

/// What usually helps; the driver's own hint is better where it gives one.
fn connect_hint(error: &SqlError) -> Option<String> {
    let hint = match error.kind {
        _ if error.hint.is_some() => return None,
        SqlErrorKind::Connection | SqlErrorKind::Timeout => match error.sqlstate.as_deref() {
            Some("3D000") => {
                "see that `connect_args` in credentials.json names a database that is there"
            }
            Some("53300") => "wait until a session of another ends, or let the server have more",
            Some("57P01" | "57P02" | "57P03") => "wait until the server takes sessions",
            // The server answered: other states than these are its own, and not a driver's that reached nobody.
            Some(state) if !state.starts_with("08") && !state.starts_with("HY") => return None,
            _ => {
                "see that the database runs, and that `connect_args` in credentials.json says where"
            }
        },
        SqlErrorKind::Permission => {
            "see that the login in `connect_args` of credentials.json is right"
        }
        SqlErrorKind::Syntax
        | SqlErrorKind::MissingObject
        | SqlErrorKind::Data
        | SqlErrorKind::Busy
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_follows_what_the_server_says() {
        let hint = |sqlstate: Option<&str>| {
            let mut error = SqlError::new(SqlErrorKind::Connection, "no session");
            error.sqlstate = sqlstate.map(str::to_owned);
            connect_hint(&error)
        };
        for (sqlstate, told) in [
            (None, "database runs"),
            // ODBC drivers that reach nobody.
            (Some("08001"), "database runs"),
            (Some("HY000"), "database runs"),
            (Some("3D000"), "a database that is there"),
            (Some("53300"), "a session of another"),
            (Some("57P03"), "takes sessions"),
        ] {
            let hint = hint(sqlstate).unwrap();
            assert!(hint.contains(told), "{sqlstate:?}: {hint}");
        }
        assert_eq!(hint(Some("XX000")), None);
    }
}
