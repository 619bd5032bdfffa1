//! What a check found, with its evidence.

use bowline_contract::Template;
use bowline_driver::{Answer, SqlError, SqlErrorKind};

use crate::Verdict;

/// What one check found.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// See [`Verdict::Supported`].
    Supported,
    /// See [`Verdict::Unsupported`].
    Unsupported(Proof),
    /// See [`Verdict::Wrong`].
    Wrong(Fault),
    /// See [`Verdict::Unknown`].
    Unknown(Doubt),
    /// See [`Verdict::Blocked`].
    Blocked {
        /// The templates at fault, or not implemented; never empty.
        by: Vec<&'static Template>,
    },
}

impl Outcome {
    /// The kind of answer.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Supported => Verdict::Supported,
            Self::Unsupported(_) => Verdict::Unsupported,
            Self::Wrong(_) => Verdict::Wrong,
            Self::Unknown(_) => Verdict::Unknown,
            Self::Blocked { .. } => Verdict::Blocked,
        }
    }

    /// Whether somebody has to mend something: a wrong answer, or SQL that the database refused.
    ///
    /// A template that is not implemented is a choice, not a shortfall.
    #[must_use]
    pub fn is_shortfall(&self) -> bool {
        matches!(self, Self::Wrong(_) | Self::Unsupported(Proof::Refused(_)))
    }

    /// The doubt of a check that had no answer: the connection was lost, the time was over, or the run was stopped. What
    /// was to be told from it is open then, too.
    #[must_use]
    pub fn unanswered(&self) -> Option<&Doubt> {
        match self {
            Self::Unknown(doubt @ Doubt::Interrupted) => Some(doubt),
            Self::Unknown(doubt @ Doubt::Answer(error)) if error.kind.is_no_answer() => Some(doubt),
            _ => None,
        }
    }

    /// Whether the engine does not know the words. That is excused by nothing: what it lacks is left out of a connector.
    #[must_use]
    pub fn is_not_understood(&self) -> bool {
        let Self::Unsupported(Proof::Refused(error)) = self else {
            return false;
        };
        matches!(
            error.kind,
            SqlErrorKind::Syntax | SqlErrorKind::MissingObject
        )
    }
}

/// Why a check says unsupported.
#[derive(Debug, Clone, PartialEq)]
pub enum Proof {
    /// The connector does not implement these templates.
    NotImplemented(Vec<&'static Template>),
    /// The database refused the statement.
    Refused(SqlError),
    /// The database answered, and what was looked for is not there (no table has a row count, say).
    Absent(String),
}

/// Why a check says wrong.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
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
        template: &'static Template,
        /// What is wrong with it, place and source window included.
        message: String,
    },
}

/// Why a check says unknown; the error is the database's.
pub type Doubt = crate::Doubt<SqlError>;

/// One statement that a check ran, with what came back: the evidence.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What the statement is for, when a check has several.
    pub label: Option<&'static str>,
    /// The statement as sent.
    pub sql: String,
    /// What came back, whole, and when.
    pub answer: Answer,
    /// With how many other checks it was asked in one statement, each as a scalar subquery; 0 when alone.
    pub shared_with: usize,
}
