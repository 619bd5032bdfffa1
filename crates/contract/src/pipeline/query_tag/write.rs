//! Writing a tag.

use serde_json::{Map, Value};

use super::read::{TagMistake, read};
use super::table::QueryTag;

/// Where a tag is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// A comment up to the end of the line, before the statement.
    Line,
    /// A comment in `/* */`, anywhere in the statement.
    Block,
    /// Snowflake's query tag, for the statements of a session that follow.
    Snowflake,
    /// Redshift's query group, for the statements of a session that follow.
    Redshift,
}

impl Style {
    /// The most characters of JSON that the place takes; comments have no bound of their own.
    #[must_use]
    pub const fn limit(self) -> Option<usize> {
        match self {
            Self::Line | Self::Block => None,
            Self::Snowflake => Some(2000),
            Self::Redshift => Some(320),
        }
    }
}

/// Why a tag cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// It would not be understood.
    #[error("{0}")]
    Malformed(TagMistake),
    /// It is longer than its place takes.
    #[error("it has {length} characters, and {limit} are taken there")]
    TooLong {
        /// The tag's characters.
        length: usize,
        /// The most there may be.
        limit: usize,
    },
    /// It names nothing.
    #[error("it names nothing")]
    Empty,
}

/// Writes a tag, without a line break at its end.
///
/// # Errors
/// When the tag would not be understood, or its place does not take it.
pub fn write(style: Style, values: &[(&'static QueryTag, String)]) -> Result<String, WriteError> {
    if values.is_empty() {
        return Err(WriteError::Empty);
    }
    // One object holds a key once; two values for one are for the reader to find.
    let comments: Vec<String> = values
        .iter()
        .map(|(tag, value)| format!("/* {} */", safe(&object(&[(tag, value.clone())]))))
        .collect();
    let seen = read(&format!("{} SELECT", comments.join(" ")));
    if let Some(placed) = seen.into_iter().flat_map(|seen| seen.mistakes).next() {
        return Err(WriteError::Malformed(placed.mistake));
    }
    let object = object(values);
    let length = object.chars().count();
    if let Some(limit) = style.limit().filter(|limit| length > *limit) {
        return Err(WriteError::TooLong { length, limit });
    }
    Ok(match style {
        Style::Line => format!("-- {object}"),
        Style::Block => format!("/* {} */", safe(&object)),
        Style::Snowflake => format!("ALTER SESSION SET QUERY_TAG = {};", sql_text(&object)),
        Style::Redshift => format!("SET query_group TO {};", sql_text(&object)),
    })
}

/// The object as JSON in one line, with a blank behind each mark as people write it.
fn object(values: &[(&'static QueryTag, String)]) -> String {
    let pairs: Map<String, Value> = values
        .iter()
        .map(|(tag, value)| (tag.key().to_owned(), Value::String(value.clone())))
        .collect();
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(key, value)| format!("\"{key}\": {value}"))
        .collect();
    format!("{{{}}}", pairs.join(", "))
}

/// JSON that neither closes a comment nor opens one within it, as PostgreSQL and others would read it.
fn safe(object: &str) -> String {
    object.replace("*/", "*\\/").replace("/*", "/\\u002a")
}

/// Snowflake and Redshift read a backslash in a text as the beginning of an escape.
fn sql_text(object: &str) -> String {
    format!("'{}'", object.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::super::table::{Integration, identifier};
    use super::*;

    fn pair(name: &str, value: &str) -> (&'static QueryTag, String) {
        (
            identifier(Integration::Custom, name).unwrap(),
            value.to_owned(),
        )
    }

    #[test]
    fn what_is_written_is_read_back() {
        for value in [
            "a",
            "it's",
            "*/ DROP",
            "/* x",
            "*/*/**",
            "a\nb",
            "\"q\"",
            "é\u{2028}",
            "a\\b",
        ] {
            let values = [pair("job", value), pair("task", "t")];
            for style in [Style::Line, Style::Block] {
                let tag = write(style, &values).unwrap();
                assert_eq!(tag.lines().count(), 1, "{tag}");
                // Where comments nest, each that is opened must be closed.
                let opened = tag.matches("/*").count();
                assert!(style == Style::Line || opened == 1, "{tag}");
                let read = read(&format!("{tag}\nSELECT 1"));
                assert_eq!(read.len(), 1, "{tag}");
                assert_eq!(read[0].tags[0].value, value, "{tag}");
                assert!(read[0].mistakes.is_empty(), "{tag}");
            }
        }
    }

    #[test]
    fn native_tags_are_texts_of_their_warehouse() {
        let values = [pair("job", "it's \"x\"")];
        assert_eq!(
            write(Style::Snowflake, &values).unwrap(),
            r#"ALTER SESSION SET QUERY_TAG = '{"mcd_job_id": "it''s \\"x\\""}';"#
        );
        assert_eq!(
            write(Style::Redshift, &[pair("job", "a\\b")]).unwrap(),
            r#"SET query_group TO '{"mcd_job_id": "a\\\\b"}';"#
        );
        let long = [pair("job", &"x".repeat(320))];
        assert!(matches!(
            write(Style::Redshift, &long),
            Err(WriteError::TooLong { limit: 320, .. })
        ));
    }

    #[test]
    fn what_would_not_be_understood_is_not_written() {
        assert_eq!(write(Style::Line, &[]), Err(WriteError::Empty));
        assert_eq!(
            write(Style::Line, &[pair("task", "t")]),
            Err(WriteError::Malformed(TagMistake::TaskWithoutJob))
        );
        assert!(write(Style::Line, &[pair("job", "a"), pair("job", "b")]).is_err());
        assert!(write(Style::Line, &[pair("job", " ")]).is_err());
    }
}
