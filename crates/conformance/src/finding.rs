//! What a check found before the answers of all checks are weighed against each other.

use std::collections::BTreeSet;

use bowline_contract::Template;
use bowline_driver::{ResultSet, SqlError, SqlErrorKind, Value};
use bowline_words::Diagnose;

use crate::CheckInfo;
use crate::compose::{ComposeError, Record};
use crate::expect::{Judgement, judge_success};
use crate::expression::ExpressionError;
use crate::outcome::{Doubt, Fault, Outcome, Proof, Step};
use crate::record::Question;
use crate::session::Session;

/// One check's own answer.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    pub(crate) info: CheckInfo,
    pub(crate) outcome: Outcome,
    pub(crate) uses: BTreeSet<&'static Template>,
    pub(crate) steps: Vec<Step>,
    /// The answer is right because the statement failed: that says nothing for the templates it was built from.
    pub(crate) rests_on_failure: bool,
}

impl Finding {
    pub(crate) fn new(info: CheckInfo, outcome: Outcome, record: Record, steps: Vec<Step>) -> Self {
        let mut uses = record.uses;
        uses.extend(&info.judges);
        Self {
            info,
            outcome,
            uses,
            steps,
            rests_on_failure: false,
        }
    }
}

/// Asks a question and judges the answer.
pub(crate) fn answer(question: &Question, session: &mut Session) -> Outcome {
    match question {
        Question::Statement { sql, expect } => match session.run(None, sql) {
            Ok(result) => judged(expect.judge(&result)),
            Err(error) => refusal(error),
        },
        Question::Success {
            sql,
            must_succeed,
            value,
        } => match session.run(None, sql) {
            Err(error) if leaves_open(error.kind) => refusal(error),
            answer => judged(judge_success(*must_succeed, *value, &answer)),
        },
        Question::Rendered { text, expect } => {
            let result = ResultSet {
                rows: vec![vec![Value::Text(text.clone())]],
                ..ResultSet::default()
            };
            judged(expect.judge(&result))
        }
    }
}

/// A judgement as an outcome.
pub(crate) fn judged(judgement: Judgement) -> Outcome {
    match judgement {
        Judgement::Right => Outcome::Supported,
        Judgement::Wrong { expected, got } => wrong(expected, got),
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
pub(crate) fn refusal(error: SqlError) -> Outcome {
    match error.kind {
        SqlErrorKind::Cancelled => Outcome::Unknown(Doubt::Interrupted),
        kind if leaves_open(kind) => Outcome::Unknown(Doubt::Database(error)),
        _ => Outcome::Unsupported(Proof::Refused(error)),
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
        ComposeError::Render(bowline_warehouse::template::RenderError::NotImplemented(_)) => {
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
        ExpressionError::Record(message) => Outcome::Unknown(Doubt::NotReached(message.clone())),
    }
}
