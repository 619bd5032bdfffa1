//! What answers mean for a check. Nothing here asks a database or reads the time.

use bowline_contract::Template;
use bowline_driver::{ResultSet, SqlError, SqlErrorKind, Value};
use bowline_query::{ComposeError, ExpressionError};
use bowline_warehouse::template::RenderError;
use bowline_words::Diagnose;

use crate::warehouse::Check;
use crate::warehouse::answers::{Answers, Halt};
use crate::warehouse::expect::judge_success;
use crate::warehouse::outcome::{Doubt, Fault, Outcome, Proof};
use crate::warehouse::record::Question;

/// What a check's answers tell; the error side is the check's outcome.
pub(crate) type Judged<T> = Result<T, Outcome>;

/// Judges a check by its answers: `read` judges those of a check whose statements were all asked.
pub(crate) fn judge<T>(
    check: &Check,
    answers: &Answers,
    read: impl FnOnce(&Answers) -> Judged<T>,
) -> Judged<T> {
    match &answers.halt {
        Some(Halt::Unwritten(error)) => Err(unwritten(error, &check.judges)),
        Some(Halt::Failed(error)) => Err(refusal(error)),
        None => read(answers),
    }
}

/// What a judged check found.
pub(crate) fn outcome<T>(judged: Judged<T>) -> Outcome {
    match judged {
        Ok(_) => Outcome::Supported,
        Err(outcome) => outcome,
    }
}

/// Judges the answer to a question; a text that is only rendered has none.
pub(crate) fn read_question(question: &Question, answers: &Answers) -> Judged<()> {
    let answer = answers.steps.last().map(|step| &step.answer);
    match (question, answer) {
        (Question::Rendered { text, expect }, _) => {
            let result = ResultSet {
                rows: vec![vec![Value::Text(text.clone())]],
                ..ResultSet::default()
            };
            expect.judge(&result, None)
        }
        (Question::Statement { expect, .. }, Some(answer)) => match &answer.result {
            Ok(result) => expect.judge(result, Some(answer.asked)),
            Err(error) => Err(refusal(error)),
        },
        (
            Question::Success {
                must_succeed,
                value,
                ..
            },
            Some(answer),
        ) => match &answer.result {
            Err(error) if leaves_open(error.kind) => Err(refusal(error)),
            result => judge_success(*must_succeed, *value, result),
        },
        (Question::Statement { .. } | Question::Success { .. }, None) => Err(Outcome::Unknown(
            Doubt::NotReached("nothing was asked".to_owned()),
        )),
    }
}

/// An answer that is not the expected one.
pub(crate) fn wrong(expected: impl Into<String>, got: impl Into<String>) -> Outcome {
    Outcome::Wrong(Fault::Answer {
        expected: expected.into(),
        got: got.into(),
    })
}

/// A database's error as an outcome.
pub(crate) fn refusal(error: &SqlError) -> Outcome {
    match error.kind {
        SqlErrorKind::Cancelled => Outcome::Unknown(Doubt::Interrupted),
        kind if leaves_open(kind) => Outcome::Unknown(Doubt::Answer(error.clone())),
        _ => Outcome::Unsupported(Proof::Refused(error.clone())),
    }
}

/// Whether an error says nothing about the statement itself.
fn leaves_open(kind: SqlErrorKind) -> bool {
    match kind {
        SqlErrorKind::Permission
        | SqlErrorKind::Timeout
        | SqlErrorKind::Cancelled
        | SqlErrorKind::Connection
        | SqlErrorKind::TooLarge
        | SqlErrorKind::UnsupportedType
        | SqlErrorKind::Driver => true,
        SqlErrorKind::Syntax
        | SqlErrorKind::MissingObject
        | SqlErrorKind::Data
        | SqlErrorKind::Other => false,
    }
}

/// What it means for a check when its statement could not be written.
pub(crate) fn unwritten(error: &ComposeError, judges: &[&'static Template]) -> Outcome {
    let template = error.template();
    if !judges.contains(&template) {
        return Outcome::Blocked { by: vec![template] };
    }
    match error {
        ComposeError::Render(RenderError::NotImplemented(_)) => {
            Outcome::Unsupported(Proof::NotImplemented(vec![template]))
        }
        error => Outcome::Wrong(Fault::Render {
            template,
            message: error.diagnose().to_string(),
        }),
    }
}

/// What it means for a check when its record could not be rendered.
pub(crate) fn unrendered(error: &ExpressionError, judges: &[&'static Template]) -> Outcome {
    match error {
        ExpressionError::Compose(error) => unwritten(error, judges),
        ExpressionError::Expression(message) => {
            Outcome::Unknown(Doubt::NotReached(message.clone()))
        }
    }
}
