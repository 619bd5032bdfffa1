//! Reading answers: objects where objects belong, and what is wrong in the protocol's words.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::Response;

/// What the reader says of a value, and what the protocol calls it.
const WORDS: [(&str, &str); 22] = [
    ("invalid type: ", "found "),
    ("invalid value: ", "found "),
    ("found sequence", "found a list"),
    ("found map", "found an object"),
    ("found string", "found text"),
    ("found integer", "found the number"),
    ("found floating point", "found the number"),
    ("found boolean", "found"),
    ("expected a sequence", "expected a list"),
    ("expected a map", "expected an object"),
    ("expected a string", "expected text"),
    ("unknown variant", "unknown word"),
    ("missing field", "missing member"),
    ("duplicate field", "two of the member"),
    ("expected value", "no value of JSON"),
    (
        "EOF while parsing an object",
        "an object that is not closed",
    ),
    ("EOF while parsing a list", "a list that is not closed"),
    ("EOF while parsing a string", "a text that is not closed"),
    (
        "EOF while parsing a value",
        "the line ends where a value belongs",
    ),
    (
        "trailing characters",
        "something behind the answer in its line",
    ),
    ("key must be a string", "a key that is no text"),
    (
        "invalid unicode code point",
        "an escape that stands for no character",
    ),
];

/// How whole numbers are called after the types that hold them.
const WHOLE: [&str; 4] = ["u8", "u32", "u64", "i64"];

/// Reads the answer of a line.
///
/// # Errors
/// What is not as the protocol says, in its words.
pub fn read_answer<R: DeserializeOwned>(line: &[u8]) -> Result<Response<R>, String> {
    let read: Result<Object<Response<R>>, _> = serde_json::from_slice(line);
    match read {
        Ok(Object(answer)) => Ok(answer),
        Err(error) => Err(words(&error)),
    }
}

fn words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let mut text = text.strip_suffix(&place).unwrap_or(&text).to_owned();
    for (from, to) in WORDS {
        text = text.replace(from, to);
    }
    if let Some((found, expected)) = text.split_once(", expected ") {
        if WHOLE.contains(&expected) {
            text = format!("{found}, expected a whole number");
        } else if expected.starts_with("struct ") {
            text = format!("{found}, expected an object");
        }
    }
    format!("{text}, at column {}", error.column())
}

/// What is read from an object alone: a list with the same values in order is none.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

/// Reads a member that is an object or is not there.
pub(crate) fn object<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let read: Option<Object<T>> = Option::deserialize(deserializer)?;
    Ok(read.map(|Object(value)| value))
}

/// Reads a member that is an object.
pub(crate) fn one<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Object::deserialize(deserializer).map(|Object(value)| value)
}

/// Reads a list of objects.
pub(crate) fn many<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let read: Vec<Object<T>> = Vec::deserialize(deserializer)?;
    Ok(read.into_iter().map(|Object(value)| value).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Done, FetchRunDetailsResult, InitializeResult, QueryResult};

    #[test]
    fn lists_are_no_objects_and_nobody_hears_of_types() {
        let read = |result: &str| {
            let line = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#);
            let line = line.as_bytes();
            [
                read_answer::<Done>(line).err(),
                read_answer::<FetchRunDetailsResult>(line).err(),
                read_answer::<InitializeResult>(line).err(),
            ]
            .map(|error| error.unwrap_or_default())
            .map(|error| {
                error
                    .split(", at column")
                    .next()
                    .unwrap_or_default()
                    .to_owned()
            })
        };
        let [done, runs, _] = read("[[]]");
        assert_eq!(done, "found a list, expected an object");
        assert_eq!(runs, done);
        let [done, runs, _] = read(r#"{"runs":{}}"#);
        assert_eq!(done, "");
        assert_eq!(runs, "found an object, expected a list");
        let [.., hello] = read(r#"{"protocol":"1"}"#);
        assert!(
            hello.starts_with(r#"found text "1", expected a whole number"#),
            "{hello}"
        );
        let [.., hello] = read("{}");
        assert!(hello.starts_with("missing member `protocol`"), "{hello}");
        for member in [
            r#""result":{"columns":[["x","int"]],"rows":[]}"#,
            r#""result":{"columns":[],"rows":[],"not_json":["a"]}"#,
            r#""error":{"code":1,"message":"no","data":["other"]}"#,
        ] {
            let line = format!(r#"{{"jsonrpc":"2.0","id":1,{member}}}"#);
            let error = read_answer::<QueryResult>(line.as_bytes()).unwrap_err();
            let expected = "found a list, expected an object";
            assert!(error.starts_with(expected), "{member}: {error}");
        }
        let list = r#"["2.0",1,{}]"#;
        let error = read_answer::<Done>(list.as_bytes()).unwrap_err();
        assert!(
            error.starts_with("found a list, expected an object"),
            "{error}"
        );
    }
}
