//! Letters that a database cannot hold, which is no template's fault: what is written with them is asked in others.

use bowline_driver::SqlError;
use bowline_query::{ComposeError, Composer, Literal};

use crate::warehouse::answers::Answers;
use crate::warehouse::reading::float;
use crate::warehouse::session::Session;

/// What is said of a check that was asked so.
pub(super) const ADVICE: &str = "asked in fewer letters: the encoding of the database, or of the connection, lacks some of \
    those that the check is written with, or takes their bytes for letters";

/// A statement that gives 1 where the bytes of a letter are taken for letters of their own.
pub(super) fn takes_bytes(composer: &Composer) -> Result<String, ComposeError> {
    let [letter, two] = ["é", "__"].map(|text| composer.literal(&Literal::Text(text.to_owned())));
    composer.bare(&[format!(
        "CASE WHEN {} LIKE {} THEN 1 ELSE 0 END",
        letter?, two?
    )])
}

/// Whether the database lacks the letters of what was asked.
///
/// # Errors
/// Where nobody could say.
pub(super) fn are_lacking(
    answers: &Answers,
    takes_bytes: &str,
    session: &mut Session,
) -> Result<bool, SqlError> {
    match answers.steps.last().map(|step| &step.answer.result) {
        Some(Err(error)) if error.is_unencodable() => Ok(true),
        // A connection that was lost says nothing of letters.
        Some(Err(error)) if error.kind.is_no_answer() => Ok(false),
        None => Ok(false),
        Some(_) => match session.ask(takes_bytes)?.result {
            Ok(result) => Ok(result.scalar().and_then(float) == Some(1.0)),
            Err(error) if error.kind.is_no_answer() => Err(error),
            Err(_) => Ok(false),
        },
    }
}
