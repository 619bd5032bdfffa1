//! What is asked of the database for a check record.

use bowline_query::{ExpressionError, Expressions};

use crate::warehouse::answers::Answers;
use crate::warehouse::expect::Expect;
use crate::warehouse::letters::takes_bytes;
use crate::warehouse::success::{Yield, success_in_words};

/// What a record asks of the database, rendered with a connector's templates.
#[derive(Debug, Clone)]
pub(crate) enum Question {
    /// A statement and what must come back.
    Statement {
        sql: String,
        expect: Expect,
        in_fewer_letters: Option<Box<InFewerLetters>>,
    },
    /// A statement that must succeed, or must fail, by what a flag says.
    Success {
        sql: String,
        must_succeed: bool,
        yields: Yield,
    },
    /// A text that is judged without the database. Where it falls short, the check may have a statement that excuses
    /// it when the database makes no sense of it.
    Rendered {
        text: String,
        expect: Expect,
        excused_by: Option<String>,
    },
}

/// A question for a database that cannot hold the letters of another.
#[derive(Debug, Clone)]
pub(crate) struct InFewerLetters {
    pub(crate) question: Question,
    /// A statement that gives 1 where the database takes bytes for letters.
    pub(crate) takes_bytes: String,
}

impl Question {
    /// The same in fewer letters.
    pub(crate) fn in_fewer_letters(&self) -> Option<&InFewerLetters> {
        match self {
            Self::Statement {
                in_fewer_letters, ..
            } => in_fewer_letters.as_deref(),
            Self::Success { .. } | Self::Rendered { .. } => None,
        }
    }

    /// The question as it was asked in the end.
    pub(crate) fn asked(&self, answers: &Answers) -> &Self {
        let sql = answers.steps.last().map(|step| step.sql.as_str());
        match self.in_fewer_letters() {
            Some(fewer) if sql != self.sql() => fewer.question.asked(answers),
            _ => self,
        }
    }

    /// The same where nothing but an answer will do.
    pub(crate) fn answered(mut self) -> Self {
        match &mut self {
            Self::Statement { expect, .. } | Self::Rendered { expect, .. } => {
                expect.or_refused = false;
            }
            Self::Success { .. } => {}
        }
        self
    }

    /// What must come back, in words.
    pub(crate) fn expected(&self) -> String {
        match self {
            Self::Statement { expect, .. } | Self::Rendered { expect, .. } => expect.in_words(),
            Self::Success {
                must_succeed,
                yields,
                ..
            } => success_in_words(*must_succeed, *yields).to_owned(),
        }
    }

    /// The statement; a text that is only rendered has none, but where it needs an excuse.
    pub(crate) fn sql(&self) -> Option<&str> {
        match self {
            Self::Statement { sql, .. } | Self::Success { sql, .. } => Some(sql),
            Self::Rendered { excused_by, .. } => excused_by.as_deref(),
        }
    }
}

/// A question with a statement that tells whether the database takes bytes for letters.
///
/// # Errors
/// When that statement cannot be written.
pub(crate) fn in_fewer_letters(
    question: Question,
    expressions: &Expressions,
) -> Result<Box<InFewerLetters>, ExpressionError> {
    Ok(Box::new(InFewerLetters {
        question,
        takes_bytes: takes_bytes(expressions.composer())?,
    }))
}
