//! Errors without their words: a server names in them tables that are nobody's business, values, users and hosts.

use std::sync::Arc;

use bowline_conformance::warehouse::CONFIDENTIAL;
use bowline_driver::{RecordedTogether, Recording, SqlError};

/// The SQLSTATE for letters that an encoding lacks.
const UNENCODABLE: &str = "22P05";
/// How many characters a SQLSTATE has.
const STATE_LENGTH: usize = 5;

/// A recording in which errors tell no more than their kind and their code.
pub(crate) fn without_words(mut recording: Recording) -> Recording {
    for statement in &mut recording.statements {
        if let Some(answer) = &mut statement.answer {
            answer.result = answer.result.as_ref().map(Arc::clone).map_err(withheld);
        }
    }
    recording.together.iter_mut().for_each(withhold_together);
    recording
}

fn withhold_together(together: &mut RecordedTogether) {
    match together {
        None => {}
        Some(Err(error)) => *error = withheld(error),
        Some(Ok(threads)) => {
            for words in threads.iter_mut().filter_map(|rows| rows.as_mut().err()) {
                CONFIDENTIAL.clone_into(words);
            }
        }
    }
}

fn withheld(error: &SqlError) -> SqlError {
    let is_code = |state: &&String| {
        state.len() == STATE_LENGTH && state.chars().all(|each| each.is_ascii_alphanumeric())
    };
    SqlError {
        // Some servers tell this by words alone, and checks judge by it.
        sqlstate: if error.is_unencodable() {
            Some(UNENCODABLE.to_owned())
        } else {
            error.sqlstate.as_ref().filter(is_code).cloned()
        },
        ..SqlError::new(error.kind, CONFIDENTIAL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bowline_driver::{Answer, RecordedStatement, SqlErrorKind};
    use jiff::Timestamp;
    use std::time::Duration;

    fn refused(error: SqlError) -> RecordedStatement {
        RecordedStatement {
            work: "scalar".into(),
            sql: "SELECT 1".to_owned(),
            answer: Some(Answer {
                result: Err(error),
                asked: Timestamp::UNIX_EPOCH,
                elapsed: Duration::ZERO,
            }),
        }
    }

    #[test]
    fn errors_keep_what_is_judged_and_lose_their_words() {
        let named = SqlError {
            sqlstate: Some("42P01".to_owned()),
            ..SqlError::new(SqlErrorKind::MissingObject, "no such table")
                .hint("Did you mean \"order_items\"?".to_owned())
        };
        let letters = SqlError::new(SqlErrorKind::Data, "Incorrect string value: 'Ada'");
        let talkative = SqlError {
            sqlstate: Some("user ada@db7".to_owned()),
            ..SqlError::new(SqlErrorKind::Permission, "denied to ada@db7")
        };
        let recording = without_words(Recording {
            statements: [&named, &letters, &talkative]
                .map(|error| refused(error.clone()))
                .into(),
            together: vec![
                Some(Err(named.clone())),
                Some(Ok(vec![
                    Ok(Vec::new()),
                    Err("denied to ada@db7".to_owned()),
                ])),
            ],
            ..Recording::default()
        });
        let told = format!("{recording:?}");
        for name in ["order_items", "ada", "Ada", "no such"] {
            assert!(!told.contains(name), "{name}: {told}");
        }
        let errors: Vec<&SqlError> = recording
            .statements
            .iter()
            .filter_map(|each| each.answer.as_ref()?.result.as_ref().err())
            .collect();
        let kinds = errors.iter().map(|error| error.kind);
        assert!(kinds.eq([named.kind, letters.kind, talkative.kind]));
        assert_eq!(errors[0].sqlstate, named.sqlstate);
        assert!(errors[1].is_unencodable());
        assert_eq!(errors[2].sqlstate, None);
    }
}
