//! Why a connector cannot be scaffolded.

use std::path::PathBuf;

use bowline_words::{Diagnose, Diagnostic};

use crate::folder::LoadError;
use crate::python::EnvironmentError;
use crate::workspace::WorkspaceError;

/// Why a connector cannot be scaffolded. Nothing of it is left behind.
#[derive(Debug, thiserror::Error)]
pub enum ScaffoldError {
    /// There is a connector of that name already; it is not touched.
    #[error("cannot make the connector: `{}` exists already", .dir.display())]
    Exists {
        /// Its folder.
        dir: PathBuf,
    },
    /// The dialect belongs to no engine in particular, so a driver must be named.
    #[error("which driver? the dialect `{dialect}` belongs to no engine in particular")]
    NeedsDriver {
        /// The dialect.
        dialect: String,
    },
    /// Neither a dialect nor a driver was named.
    #[error("which dialect? none was named")]
    NeedsDialect {
        /// The dialects that bring their driver.
        dialects: Vec<&'static str>,
    },
    /// The workspace's connectors could not be listed.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// A file or folder could not be written.
    #[error("cannot write `{}`: {source}", .path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// There is no Python that could load a connector in Python.
    #[error(transparent)]
    Python(EnvironmentError),
    /// What was written does not load: a mistake of this program.
    #[error("the new connector does not load, which is a mistake of this program: {0}")]
    Broken(LoadError),
}

impl Diagnose for ScaffoldError {
    fn diagnose(&self) -> Diagnostic {
        let hint = match self {
            Self::Exists { .. } => "choose another name".to_owned(),
            Self::NeedsDriver { .. } => {
                "add `--driver`: one of `bowline driver list`, `odbc`, or a library's path; `--lang python` where only a Python package reaches it".to_owned()
            }
            Self::NeedsDialect { dialects } => format!(
                "add `--dialect`: {}; or `ansi` with `--driver`, for any other engine; or `--lang python`",
                dialects.join(", ")
            ),
            Self::Workspace(error) => return error.diagnose(),
            Self::Python(error) => return error.diagnose(),
            Self::Write { .. } => return Diagnostic::of(self),
            Self::Broken(error) => return Diagnostic::of(self).because_of(error),
        };
        Diagnostic::of(self).hint(hint)
    }
}

impl From<LoadError> for ScaffoldError {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Environment(error) => Self::Python(error),
            error => Self::Broken(error),
        }
    }
}
