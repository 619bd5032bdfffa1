//! Reading the tags of SQL statements.

use std::fmt;

use bowline_words::{listed, nearest};
use serde_json::{Map, Value};

use super::comment::{Comment, statements};
use super::table::{Integration, QUERY_TAGS, QueryTag};
use crate::json::{Node, kind_of};

/// A statement, as far as its tags are concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The line in which it begins, from 1.
    pub line: usize,
    /// What its comments say about where it belongs, in their order.
    pub tags: Vec<Tag>,
    /// What is malformed about them.
    pub mistakes: Vec<PlacedMistake>,
}

/// One identifier that a statement carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// Which identifier.
    pub tag: &'static QueryTag,
    /// The id or the name.
    pub value: String,
    /// The line of the comment it stands in, from 1.
    pub line: usize,
}

/// A mistake, and the comment it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedMistake {
    /// The line of the comment, from 1.
    pub line: usize,
    /// What is wrong.
    pub mistake: TagMistake,
}

/// Why a tag will not be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagMistake {
    /// The comment names a key but holds no JSON object.
    NotJson {
        /// The key.
        key: &'static str,
        /// Why it is none.
        cause: NotObject,
    },
    /// The value is not a text or a number.
    NotText {
        /// The key.
        key: String,
        /// What it is instead.
        found: &'static str,
    },
    /// The value is empty.
    Empty {
        /// The key.
        key: String,
    },
    /// One object has the key twice, and readers differ in which of the two counts.
    Repeated {
        /// The key.
        key: String,
    },
    /// No identifier goes by this key, though one goes by nearly the same, or all that begin so are tags.
    UnknownKey {
        /// The key.
        key: String,
        /// The one that was meant, where one is near.
        near: Option<&'static str>,
    },
    /// A custom connector's task without its job.
    TaskWithoutJob,
    /// A connection, and nothing in it that is named.
    ConnectionAlone {
        /// The connection's key.
        key: &'static str,
    },
    /// One identifier has two values.
    Twice {
        /// Its usual key.
        key: &'static str,
        /// The values.
        values: [String; 2],
    },
}

/// Why a comment holds no JSON object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotObject {
    /// It has no braces.
    NoBraces,
    /// It is a list.
    List,
    /// Its keys are in single quotes, as Python prints them.
    SingleQuotes,
    /// Its keys have no quotes.
    NoQuotes,
    /// Its brace is not closed.
    Open,
    /// A comma stands before its last brace.
    Comma,
    /// A line break stands within quotes.
    LineBreak,
    /// It goes wrong where this begins.
    Broken(String),
}

impl fmt::Display for NotObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoBraces => f.write_str("it has no braces"),
            Self::List => f.write_str("it is a list"),
            Self::SingleQuotes => f.write_str("its keys are in single quotes, not in double ones"),
            Self::NoQuotes => f.write_str("its keys are not in double quotes"),
            Self::Open => f.write_str("its brace or a quote is not closed"),
            Self::Comma => f.write_str("a comma stands before its last brace"),
            Self::LineBreak => f.write_str("a line break stands within quotes"),
            Self::Broken(rest) => write!(f, "it goes wrong at `{rest}`"),
        }
    }
}

impl fmt::Display for TagMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson { key, cause } => write!(
                f,
                "the comment names `{key}`, and what stands there is not a JSON object: {cause}"
            ),
            Self::NotText { key, found } => {
                write!(f, "`{key}` is {found}, neither a text nor a number")
            }
            Self::Empty { key } => write!(f, "`{key}` is empty"),
            Self::Repeated { key } => write!(f, "`{key}` comes twice in one object"),
            Self::UnknownKey {
                key,
                near: Some(near),
            } => {
                write!(f, "`{key}` is not a key; did you mean `{near}`?")
            }
            Self::UnknownKey { key, near: None } => {
                let known: Vec<&str> = own_keys().collect();
                write!(f, "`{key}` is not a key; there are {}", listed(&known))
            }
            Self::TaskWithoutJob => write!(
                f,
                "`mcd_task_id` without `mcd_job_id`: a task is found by its job only"
            ),
            Self::ConnectionAlone { key } => {
                write!(f, "`{key}` names a connection, and no job stands beside it")
            }
            Self::Twice {
                key,
                values: [first, second],
            } => write!(f, "`{key}` is both `{first}` and `{second}`"),
        }
    }
}

/// Reads the tags of every statement of a SQL text, in order; statements without one have none.
#[must_use]
pub fn read(text: &str) -> Vec<Statement> {
    statements(text)
        .into_iter()
        .map(|commented| {
            let mut statement = Statement {
                line: commented.line,
                tags: Vec::new(),
                mistakes: Vec::new(),
            };
            for comment in &commented.comments {
                read_comment(*comment, &mut statement);
            }
            judge(&mut statement);
            statement
        })
        .collect()
}

fn read_comment(comment: Comment<'_>, statement: &mut Statement) {
    let mut mistake = |mistake| {
        statement.mistakes.push(PlacedMistake {
            line: comment.line,
            mistake,
        });
    };
    let (object, repeated) = match object(comment.text) {
        Ok(found) => found,
        Err(cause) => {
            // Other comments are none of our business.
            if let Some(key) = named_key(comment.text) {
                mistake(TagMistake::NotJson { key, cause });
            }
            return;
        }
    };
    if let Some(key) = repeated {
        mistake(TagMistake::Repeated { key });
    }
    for (key, value) in object {
        let Some(tag) = QueryTag::find(&key) else {
            let near = meant(&key);
            if near.is_some() || is_own(&key) {
                mistake(TagMistake::UnknownKey { key, near });
            }
            continue;
        };
        let value = match value {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                let found = kind_of(&value);
                mistake(TagMistake::NotText { key, found });
                continue;
            }
        };
        if value.trim().is_empty() {
            mistake(TagMistake::Empty { key });
            continue;
        }
        statement.tags.push(Tag {
            tag,
            value,
            line: comment.line,
        });
    }
}

/// The JSON object in a comment, and the first tag's key that it has twice; words may stand around it.
fn object(comment: &str) -> Result<(Map<String, Value>, Option<String>), NotObject> {
    let from = comment
        .find('{')
        .ok_or(if comment.trim_start().starts_with('[') {
            NotObject::List
        } else {
            NotObject::NoBraces
        })?;
    let text = comment.get(from..).unwrap_or_default();
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Map<String, Value>>();
    match values.next() {
        Some(Ok(object)) => {
            let whole = text.get(..values.byte_offset()).unwrap_or_default();
            Ok((object, repeated_tag(whole)))
        }
        Some(Err(error)) if !error.is_eof() => Err(why_broken(text, &error)),
        _ => Err(NotObject::Open),
    }
}

/// The first key of a tag that an object itself has twice.
fn repeated_tag(object: &str) -> Option<String> {
    let Ok(Node::Object(members)) = Node::parse(object) else {
        return None;
    };
    let mut keys = members.iter().map(|member| &member.key).enumerate();
    let again = keys.find(|(at, key)| {
        let is_tag = QueryTag::find(key).is_some();
        is_tag && members[..*at].iter().any(|known| known.key == **key)
    });
    again.map(|(_, key)| key.clone())
}

/// Why a text that begins with a brace is no object.
fn why_broken(text: &str, error: &serde_json::Error) -> NotObject {
    let lines = text.split_inclusive('\n');
    let lines = lines.take(error.line().saturating_sub(1));
    // A line break that is wrong itself is told as the column before the next line.
    let at = (lines.map(str::len).sum::<usize>() + error.column()).saturating_sub(1);
    let (before, rest) = text.split_at_checked(at).unwrap_or((text, ""));
    let first = text.trim_start_matches(['{', ' ', '\t', '\n', '\r']);
    match (first.chars().next(), rest.chars().next()) {
        (Some('\''), _) => NotObject::SingleQuotes,
        (Some(sign), _) if sign != '"' => NotObject::NoQuotes,
        (_, Some('}')) if before.trim_end().ends_with(',') => NotObject::Comma,
        (_, Some('\n' | '\r')) if ends_in_quotes(before) => NotObject::LineBreak,
        _ => {
            let line = rest.trim_start().lines().next().unwrap_or_default();
            NotObject::Broken(line.trim_end().chars().take(20).collect())
        }
    }
}

/// Whether a beginning of JSON ends between quotes.
fn ends_in_quotes(json: &str) -> bool {
    let plain = json.replace("\\\\", "").replace("\\\"", "");
    plain.matches('"').count() % 2 == 1
}

/// A key that nobody writes by chance, which a comment names.
fn named_key(comment: &str) -> Option<&'static str> {
    let lower = comment.to_lowercase();
    QUERY_TAGS
        .iter()
        .flat_map(|tag| tag.keys)
        .find(|key| {
            let distinct =
                key.starts_with("mcd_") || key.starts_with("adf_") || lower.contains('{');
            distinct && key.contains('_') && lower.contains(**key)
        })
        .copied()
}

/// How the keys begin that mean nothing to anybody else.
const OWN: &str = "mcd_";

fn own_keys() -> impl Iterator<Item = &'static str> {
    let keys = QUERY_TAGS.iter().flat_map(|tag| tag.keys).copied();
    keys.filter(|key| key.starts_with(OWN))
}

fn is_own(key: &str) -> bool {
    key.to_lowercase().starts_with(OWN)
}

/// The key that was meant by one which is none. dbt and others put keys of their own beside, which mean nothing here.
fn meant(key: &str) -> Option<&'static str> {
    // `mcd_job` and `mcd_job_source_id` are no slips of letters: words are missing or too many.
    let names = |known: &&str| {
        let subject = known.trim_start_matches(OWN).split('_').next();
        is_own(key) && key.to_lowercase().split('_').nth(1) == subject
    };
    if let Some(of_word) = own_keys().find(names) {
        return Some(of_word);
    }
    let keys = QUERY_TAGS.iter().flat_map(|tag| tag.keys).copied();
    let near = nearest(key, keys.filter(|known| known.contains('_')))?;
    let slip = key.to_lowercase().starts_with("mcd") || key.eq_ignore_ascii_case(near);
    slip.then_some(near)
}

/// What can only be said of all tags of a statement together.
fn judge(statement: &mut Statement) {
    let mut mistakes = Vec::new();
    for (position, tag) in statement.tags.iter().enumerate() {
        let before = statement.tags.iter().take(position);
        let twice = before
            .filter(|other| other.tag == tag.tag)
            .find(|other| other.value != tag.value);
        if let Some(other) = twice {
            mistakes.push(PlacedMistake {
                line: tag.line,
                mistake: TagMistake::Twice {
                    key: tag.tag.key(),
                    values: [other.value.clone(), tag.value.clone()],
                },
            });
        }
        let named = |identifier: &str| {
            let of = |other: &&Tag| other.tag.integration == tag.tag.integration;
            statement
                .tags
                .iter()
                .filter(of)
                .any(|other| other.tag.identifier == identifier)
        };
        let mistake = match (tag.tag.integration, tag.tag.identifier) {
            (Integration::Custom, "task") if !named("job") => TagMistake::TaskWithoutJob,
            (integration, "connection") if !names_work(&statement.tags, integration) => {
                TagMistake::ConnectionAlone { key: tag.tag.key() }
            }
            _ => continue,
        };
        mistakes.push(PlacedMistake {
            line: tag.line,
            mistake,
        });
    }
    statement.mistakes.append(&mut mistakes);
}

/// Whether anything but a connection is named of an integration.
fn names_work(tags: &[Tag], integration: Integration) -> bool {
    tags.iter()
        .any(|tag| tag.tag.integration == integration && tag.tag.identifier != "connection")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(text: &str) -> Vec<(&'static str, String)> {
        let found = read(text).into_iter().flat_map(|found| found.tags);
        found.map(|tag| (tag.tag.key(), tag.value)).collect()
    }

    fn mistakes(text: &str) -> Vec<String> {
        let found = read(text).into_iter().flat_map(|found| found.mistakes);
        found.map(|placed| placed.mistake.to_string()).collect()
    }

    #[test]
    fn tags_of_every_integration_are_read() {
        assert_eq!(
            tags(
                "/* {\"app\": \"dbt\", \"node_id\": \"model.shop.orders\", \"TARGET\": 1, \"dbt_cloud_run_id\": 7} */\n\
                 select 1 -- from airflow {\"DAG_ID\": \"nightly\", \"task_name\": \"load\"} and more"
            ),
            [
                ("dbt_node_id", "model.shop.orders".to_owned()),
                ("dbt_cloud_run_id", "7".to_owned()),
                ("dag_id", "nightly".to_owned()),
                ("task_id", "load".to_owned()),
            ]
        );
        assert!(tags("SELECT '-- {\"mcd_job_id\": \"a\"}'").is_empty());
    }

    #[test]
    fn what_is_malformed_is_named() {
        for (comment, mistake) in [
            (
                "{\"mcd_task_id\": \"t\"}",
                "`mcd_task_id` without `mcd_job_id`: a task is found by its job only",
            ),
            (
                "{\"mcd_resource_id\": \"r\"}",
                "`mcd_resource_id` names a connection, and no job stands beside it",
            ),
            (
                "{\"mcd_job_id\": null}",
                "`mcd_job_id` is null, neither a text nor a number",
            ),
            (
                "{\"mcd_job_id\": [\"a\"]}",
                "`mcd_job_id` is a list, neither a text nor a number",
            ),
            (
                "{\"mcd_job_id\": \"a\", \"mcd_job_id\": \"a\"}",
                "`mcd_job_id` comes twice in one object",
            ),
            (
                "{\"app\": \"x\", \"app\": \"y\", \"mcd_job_id\": \"a\", \"mcd_job_id\": \"b\"}",
                "`mcd_job_id` comes twice in one object",
            ),
            ("{\"mcd_job_id\": \" \"}", "`mcd_job_id` is empty"),
            (
                "{\"mcd_jobid\": \"a\"}",
                "`mcd_jobid` is not a key; did you mean `mcd_job_id`?",
            ),
            (
                "{\"mcd_job\": \"a\"}",
                "`mcd_job` is not a key; did you mean `mcd_job_id`?",
            ),
            (
                "{\"mcd_job_id\": \"a\", \"mcd_task\": \"t\"}",
                "`mcd_task` is not a key; did you mean `mcd_task_id`?",
            ),
            (
                "{\"MCD_job_source_id\": \"a\"}",
                "`MCD_job_source_id` is not a key; did you mean `mcd_job_id`?",
            ),
            (
                "{\"Dag_Id\": \"a\"}",
                "`Dag_Id` is not a key; did you mean `dag_id`?",
            ),
            (
                "{\"dag_id\": \"a\", \"dag\": \"b\"}",
                "`dag_id` is both `a` and `b`",
            ),
            (
                "mcd_job_id=a",
                "the comment names `mcd_job_id`, and what stands there is not a JSON object: it has no braces",
            ),
        ] {
            assert_eq!(
                mistakes(&format!("SELECT 1 /* {comment} */")),
                [mistake],
                "{comment}"
            );
        }
        for (comment, cause) in [
            ("[\"mcd_job_id\"]", "it is a list"),
            (
                "{ 'mcd_job_id': 'a'}",
                "its keys are in single quotes, not in double ones",
            ),
            ("{mcd_job_id: a}", "its keys are not in double quotes"),
            (
                "{\"mcd_job_id\": \"a\"",
                "its brace or a quote is not closed",
            ),
            (
                "{\"mcd_job_id\": \"a}",
                "its brace or a quote is not closed",
            ),
            (
                "{\"mcd_job_id\": \"a\",}",
                "a comma stands before its last brace",
            ),
            (
                "{\"mcd_job_id\": \"a\",\n}",
                "a comma stands before its last brace",
            ),
            (
                "{\"mcd_job_id\": \"a\nb\"}",
                "a line break stands within quotes",
            ),
            (
                "{\"mcd_job_id\": \"a\r\nb\"}",
                "a line break stands within quotes",
            ),
            ("{\"mcd_job_id\": 'a'}", "it goes wrong at `'a'}`"),
            ("{\"mcd_job_id\":\n }", "it goes wrong at `}`"),
            ("{\"mcd_job_id\": tru\n}", "it goes wrong at `}`"),
            ("{\"mcd_job_id\"}", "it goes wrong at `}`"),
        ] {
            let told = format!(
                "the comment names `mcd_job_id`, and what stands there is not a JSON object: {cause}"
            );
            assert_eq!(
                mistakes(&format!("SELECT 1 /* {comment} */")),
                [told],
                "{comment}"
            );
        }
    }

    #[test]
    fn other_comments_are_left_alone() {
        for comment in [
            "the task_id of the row",
            "{\"app\": \"x\", \"dbt_version\": \"1.9\", \"profile_name\": \"p\"}",
            "{not json}",
            "{\"mcd_job_id\": \"j\", \"meta\": {\"mcd_task_id\": 1, \"mcd_task_id\": 2}}",
            "",
        ] {
            assert_eq!(
                mistakes(&format!("SELECT 1 /* {comment} */")),
                [""; 0],
                "{comment}"
            );
        }
    }

    #[test]
    fn a_job_and_its_task_may_stand_in_two_comments() {
        assert!(mistakes("-- {\"mcd_job_id\": 1}\nSELECT 1 -- {\"mcd_task_id\": 2}").is_empty());
        assert_eq!(
            mistakes("SELECT 1 -- {\"mcd_job_id\": 1}\n; SELECT 2 -- {\"mcd_task_id\": 2}").len(),
            1
        );
    }
}
