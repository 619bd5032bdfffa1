//! What can stop a command, and how it is told.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use bowline_collect::{CollectError, StateError};
use bowline_connector::{CredentialsError, ScaffoldError, WorkspaceError};
use bowline_contract::{NameError, UnknownSection};
use bowline_driver::{SqlError, SqlErrorKind};
use bowline_image::ImageError;
use bowline_image::plan::PlanError;
use bowline_installer::InstallError;
use bowline_pipeline::{OpenApiError, RecordingError, SourceError};
use bowline_workbench::WorkbenchError;

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// The command line does not fit.
    #[error("{what}\nhint: {hint}")]
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
    /// A driver cannot be installed.
    #[error(transparent)]
    Install(InstallError),
    /// A statement failed.
    #[error("the statement failed{}", statement_hint(.0))]
    Statement(#[source] SqlError),
    /// A template cannot be rendered.
    #[error("cannot render the template: `{template}`\n{words}")]
    Render {
        /// Its short name.
        template: &'static str,
        /// Why, with the place and a window on the source.
        words: String,
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
    #[error("{0}\nhint: this is a fault of the program; please report it")]
    Internal(String),
}

/// What can be done about a statement that wanted more than it may have.
fn statement_hint(error: &SqlError) -> &'static str {
    match error.kind {
        SqlErrorKind::TooLarge => "\nhint: ask for less, such as with `LIMIT` in the statement",
        SqlErrorKind::Timeout => "\nhint: give it more time with `--timeout`",
        _ => "",
    }
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

/// An error taken apart for showing: what failed, the causes, the hints.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Problem {
    /// What failed, and which thing.
    pub(crate) what: String,
    /// Why, each a line or a block of lines.
    pub(crate) causes: Vec<String>,
    /// One action each.
    pub(crate) hints: Vec<String>,
}

const HINT: &str = "hint: ";

impl Problem {
    /// Takes an error and its sources apart. A line that begins with `hint: ` is the hint; a source
    /// whose words its parent has already said is not said again.
    pub(crate) fn of(error: &dyn Error) -> Self {
        let mut problem = Self::default();
        let mut said = String::new();
        let mut next = Some(error);
        while let Some(error) = next {
            let text = error.to_string();
            next = error.source();
            if said.contains(text.trim()) {
                continue;
            }
            said.push_str(&text);
            problem.add(&text);
        }
        problem
    }

    fn add(&mut self, text: &str) {
        let (mut hints, mut words): (Vec<&str>, Vec<&str>) =
            text.lines().partition(|line| line.starts_with(HINT));
        if hints.len() > 1 {
            // Several mistakes in one error: each hint stays with its own.
            hints.clear();
            words = text.lines().collect();
        }
        for hint in hints {
            let hint = hint[HINT.len()..].to_owned();
            if !self.hints.contains(&hint) {
                self.hints.push(hint);
            }
        }
        let words = words.join("\n");
        let words = words.trim_end();
        if !self.what.is_empty() {
            self.causes.push(words.to_owned());
            return;
        }
        match words.split_once('\n') {
            Some((what, cause)) => {
                self.what = what.to_owned();
                self.causes.push(cause.to_owned());
            }
            None => self.what = words.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Link {
        text: &'static str,
        #[source]
        source: Option<Box<Link>>,
    }

    #[test]
    fn hints_of_several_mistakes_stay_with_them() {
        let error = Link {
            text: "two mistakes\none\nhint: a\ntwo\nhint: b",
            source: None,
        };
        let problem = Problem::of(&error);
        assert_eq!(problem.causes, ["one\nhint: a\ntwo\nhint: b"]);
        assert_eq!(problem.hints, Vec::<String>::new());
    }

    #[test]
    fn an_error_is_taken_apart() {
        let error = Link {
            text: "connector is not valid: `shop`\n  line 3\nhint: say `a`",
            source: Some(Box::new(Link {
                text: "line 3",
                source: Some(Box::new(Link {
                    text: "no such file\nhint: say `a`",
                    source: None,
                })),
            })),
        };
        assert_eq!(
            Problem::of(&error),
            Problem {
                what: "connector is not valid: `shop`".to_owned(),
                causes: vec!["  line 3".to_owned(), "no such file".to_owned()],
                hints: vec!["say `a`".to_owned()],
            }
        );
    }
}
