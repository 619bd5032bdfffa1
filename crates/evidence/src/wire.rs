//! Statements and their answers as lines of JSON. Results are written as the process protocol carries them.

use std::sync::Arc;
use std::time::Duration;

use bowline_driver::{
    Answer, Limits, RecordedStatement, RecordedTogether, ResultSet, SqlError, SqlErrorKind,
    thread_answer, thread_rows,
};
use bowline_protocol::{QueryResult, ThreadAnswer, WireValue};
use bowline_words::Redactor;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A statement, and what came of it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Statement {
    /// The piece of work that asked it.
    work: String,
    sql: String,
    /// None where the statement was left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer: Option<WrittenAnswer>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenAnswer {
    #[serde(with = "as_text")]
    asked: Timestamp,
    ns: u64,
    outcome: Outcome,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Result(QueryResult),
    /// The first rows of more.
    Beginning(QueryResult),
    Error(WrittenError),
}

/// An error of a database.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WrittenError {
    kind: SqlErrorKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sqlstate: Option<String>,
    message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

/// What came of statements that were asked at the same time.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WrittenTogether {
    Threads(Vec<ThreadAnswer>),
    Error(WrittenError),
    /// The connection cannot do that.
    Unable,
}

impl WrittenTogether {
    pub(crate) fn of(together: &RecordedTogether, redactor: &Redactor) -> Self {
        match together.clone() {
            None => Self::Unable,
            Some(Err(error)) => Self::Error(WrittenError::of(&error, redactor)),
            Some(Ok(threads)) => {
                let mut threads: Vec<ThreadAnswer> =
                    threads.into_iter().map(thread_answer).collect();
                for thread in &mut threads {
                    match thread {
                        ThreadAnswer::Error(words) => *words = redactor.redact(words),
                        ThreadAnswer::Rows(rows) => mask_rows(rows, redactor),
                    }
                }
                Self::Threads(threads)
            }
        }
    }

    pub(crate) fn read(self) -> RecordedTogether {
        match self {
            Self::Unable => None,
            Self::Error(error) => Some(Err(error.read())),
            Self::Threads(threads) => Some(Ok(threads.into_iter().map(thread_rows).collect())),
        }
    }
}

/// What has a text and is read from it.
pub(crate) mod as_text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<T: Display, S: Serializer>(
        value: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(crate) fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(Error::custom)
    }
}

impl WrittenError {
    pub(crate) fn of(error: &SqlError, redactor: &Redactor) -> Self {
        let SqlError {
            kind,
            sqlstate,
            message,
            hint,
        } = error.clone().redacted(redactor);
        Self {
            kind,
            sqlstate,
            message,
            hint,
        }
    }

    pub(crate) fn read(self) -> SqlError {
        SqlError {
            kind: self.kind,
            sqlstate: self.sqlstate,
            message: self.message,
            hint: self.hint,
        }
    }
}

impl Statement {
    pub(crate) fn of(statement: &RecordedStatement, redactor: &Redactor) -> Self {
        let answer = statement.answer.as_ref().map(|answer| WrittenAnswer {
            asked: answer.asked,
            ns: u64::try_from(answer.elapsed.as_nanos()).unwrap_or(u64::MAX),
            outcome: match &answer.result {
                Err(error) => Outcome::Error(WrittenError::of(error, redactor)),
                Ok(result) if result.has_more => Outcome::Beginning(masked(result, redactor)),
                Ok(result) => Outcome::Result(masked(result, redactor)),
            },
        });
        Self {
            work: statement.work.as_ref().into(),
            sql: redactor.redact(&statement.sql),
            answer,
        }
    }

    /// What was recorded, or what is wrong with the line.
    pub(crate) fn read(self) -> Result<RecordedStatement, SqlError> {
        let read_answer = |answer: WrittenAnswer| {
            let result = match answer.outcome {
                Outcome::Result(result) => Ok(read(result)?),
                Outcome::Beginning(result) => Ok(ResultSet {
                    has_more: true,
                    ..read(result)?
                }),
                Outcome::Error(error) => Err(error.read()),
            };
            Ok::<_, SqlError>(Answer {
                result: result.map(Arc::new),
                asked: answer.asked,
                elapsed: Duration::from_nanos(answer.ns),
            })
        };
        Ok(RecordedStatement {
            work: self.work.into(),
            sql: self.sql,
            answer: self.answer.map(read_answer).transpose()?,
        })
    }
}

/// A result that was within its limits when it was recorded.
fn read(result: QueryResult) -> Result<ResultSet, SqlError> {
    let limits = Limits {
        max_rows: usize::MAX,
        max_bytes: usize::MAX,
        ..Limits::default()
    };
    ResultSet::from_wire(result, &limits)
}

/// A result in which secrets are masked.
fn masked(result: &ResultSet, redactor: &Redactor) -> QueryResult {
    let mut written = QueryResult::from(result.clone());
    for column in &mut written.columns {
        column.name = redactor.redact(&column.name);
    }
    mask_rows(&mut written.rows, redactor);
    let not_json = &mut written.not_json;
    for why in [&mut not_json.rows, &mut not_json.columns] {
        *why = why.as_deref().map(|why| redactor.redact(why));
    }
    written
}

fn mask_rows(rows: &mut [Vec<WireValue>], redactor: &Redactor) {
    let values = rows.iter_mut().flatten();
    values.for_each(|value| mask(value, redactor));
}

fn mask(value: &mut WireValue, redactor: &Redactor) {
    match value {
        WireValue::Text(text) | WireValue::Uuid(text) | WireValue::Other { text, .. } => {
            *text = redactor.redact(text);
        }
        WireValue::List(items) => items.iter_mut().for_each(|item| mask(item, redactor)),
        WireValue::Struct(fields) => {
            for (_, field) in fields {
                mask(field, redactor);
            }
        }
        WireValue::Null
        | WireValue::Boolean(_)
        | WireValue::Integer(_)
        | WireValue::Float(_)
        | WireValue::Bytes(_)
        | WireValue::Decimal(_)
        | WireValue::Date(_)
        | WireValue::Time(_)
        | WireValue::Timestamp(_)
        | WireValue::TimestampTz(_)
        | WireValue::Interval { .. } => {}
    }
}
