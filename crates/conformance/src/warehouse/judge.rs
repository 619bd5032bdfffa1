//! What answers mean for a check. Nothing here asks a database or reads the time.

use bowline_contract::Template;
use bowline_driver::{SqlError, SqlErrorKind};
use bowline_query::{ComposeError, ExpressionError};
use bowline_warehouse::template::RenderError;
use bowline_words::Diagnose;

use crate::warehouse::Check;
use crate::warehouse::answers::{Answers, Halt};
use crate::warehouse::outcome::{Doubt, Fault, Outcome, Proof};
use crate::warehouse::question::Question;
use crate::warehouse::success::judge_success;

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
        // The log of some servers has the statements of all their databases, in whatever encodings.
        Some(Halt::Failed(error)) if error.is_unreadable_text() && reads_log(check) => {
            Err(Outcome::Unknown(Doubt::Answer(error.clone())))
        }
        Some(Halt::Failed(error)) => Err(refusal(error)),
        Some(Halt::Unasked(error)) => Err(Outcome::Unknown(Doubt::Unasked(error.message.clone()))),
        None => read(answers).map_err(|outcome| only_shown(outcome, answers)),
    }
}

fn reads_log(check: &Check) -> bool {
    check
        .judges
        .contains(&Template::known("get_query_logs_query"))
}

/// A catalogue that can only be shown gives columns under names of its own: the engine's way, and no mistake.
fn only_shown(outcome: Outcome, answers: &Answers) -> Outcome {
    let sql = answers.steps.last().map_or("", |step| &step.sql);
    let word = sql.split_whitespace().next().unwrap_or_default();
    let shows = |shown: &&str| word.eq_ignore_ascii_case(shown);
    match (
        outcome,
        ["SHOW", "DESCRIBE", "DESC"]
            .into_iter()
            .find(|word| shows(word)),
    ) {
        (Outcome::Wrong(Fault::Answer { .. }), Some(word)) => {
            Outcome::Unsupported(Proof::Absent(format!(
                "`{word}` gives columns under names of its own, and what it shows cannot be selected from"
            )))
        }
        (outcome, _) => outcome,
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
    match (question.asked(answers), answer) {
        (Question::Rendered { text, expect, .. }, answer) => {
            match answer.map(|answer| &answer.result) {
                Some(Err(error)) if makes_no_sense(error.kind) => Ok(()),
                _ => expect.judge_text(text),
            }
        }
        (Question::Statement { expect, .. }, Some(answer)) => match &answer.result {
            Ok(result) => expect.judge(result, Some(answer.asked)),
            Err(error) if expect.or_refused && !leaves_open(error.kind) => Ok(()),
            Err(error) => Err(refusal(error)),
        },
        (
            Question::Success {
                must_succeed,
                yields,
                ..
            },
            Some(answer),
        ) => match &answer.result {
            Err(error) if leaves_open(error.kind) => Err(refusal(error)),
            result => judge_success(*must_succeed, *yields, result),
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

/// Whether an error says that the engine's language has no such statement: what is only not there would be named.
fn makes_no_sense(kind: SqlErrorKind) -> bool {
    kind != SqlErrorKind::MissingObject && !leaves_open(kind)
}

/// Whether an error says nothing about the statement itself.
fn leaves_open(kind: SqlErrorKind) -> bool {
    match kind {
        SqlErrorKind::Permission
        | SqlErrorKind::Timeout
        | SqlErrorKind::Busy
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
    let Some(template) = error.template() else {
        return Outcome::Unknown(Doubt::NotReached(error.diagnose().to_string()));
    };
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use bowline_contract::SuiteSection;
    use bowline_driver::{Answer, ResultSet};
    use jiff::Timestamp;

    use super::*;
    use crate::Verdict;
    use crate::warehouse::outcome::Step;
    use crate::warehouse::record_files::records;

    fn answered(sql: &str, result: Result<ResultSet, SqlError>) -> Answers {
        Answers::of(Step {
            label: None,
            sql: sql.to_owned(),
            answer: Answer {
                result: result.map(Arc::new),
                asked: Timestamp::UNIX_EPOCH,
                elapsed: Duration::ZERO,
            },
            shared_with: 0,
        })
    }

    #[test]
    fn a_catalogue_that_is_only_shown_is_no_mistake() {
        let judged = |sql| {
            let (_, record) = records().first().unwrap();
            let check = record.check(SuiteSection::Metadata);
            let answers = answered(sql, Ok(ResultSet::default()));
            outcome(judge::<()>(&check, &answers, |_| {
                Err(wrong("names", "others"))
            }))
        };
        assert_eq!(judged("SELECT 1").verdict(), Verdict::Wrong);
        assert_eq!(judged("showcase").verdict(), Verdict::Wrong);
        for sql in ["SHOW TABLES", "show schemas", "DESCRIBE TABLE t"] {
            assert_eq!(judged(sql).verdict(), Verdict::Unsupported, "{sql}");
        }
    }

    #[test]
    fn only_an_engine_without_schemas_excuses_an_identifier_without_one() {
        let question = Question::Rendered {
            text: "\"a_table\"".to_owned(),
            expect: toml::from_str("contains = [\"a_schema\"]").unwrap(),
            excused_by: Some("SELECT 1 FROM a_schema.a_table".to_owned()),
        };
        let judged = |result| read_question(&question, &answered("", result)).is_ok();
        assert!(judged(Err(SqlError::new(
            SqlErrorKind::Syntax,
            "no dots here"
        ))));
        assert!(judged(Err(SqlError::new(
            SqlErrorKind::Other,
            "no dots here"
        ))));
        assert!(!judged(Err(SqlError::new(
            SqlErrorKind::MissingObject,
            "no such schema"
        ))));
        assert!(!judged(Err(SqlError::new(SqlErrorKind::Timeout, "slow"))));
        assert!(!judged(Err(SqlError::new(SqlErrorKind::Busy, "full"))));
        assert!(!judged(Ok(ResultSet::default())));
        assert!(read_question(&question, &Answers::default()).is_err());
    }

    #[test]
    fn what_is_not_about_the_statement_leaves_it_open() {
        for kind in SqlErrorKind::ALL {
            let verdict = refusal(&SqlError::new(kind, "no")).verdict();
            let is_about_it = [
                SqlErrorKind::Syntax,
                SqlErrorKind::MissingObject,
                SqlErrorKind::Data,
                SqlErrorKind::Other,
            ]
            .contains(&kind);
            assert_eq!(verdict == Verdict::Unsupported, is_about_it, "{kind:?}");
        }
    }

    #[test]
    fn a_table_that_nobody_named_leaves_open_what_needed_it() {
        let outcome = unwritten(&ComposeError::NoOneRowTable, &[]);
        assert!(
            matches!(outcome, Outcome::Unknown(Doubt::NotReached(words)) if words.contains("one_row_table"))
        );
    }
}
