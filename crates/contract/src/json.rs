//! JSON as the contract's files are read: what values are called, and objects that keep repeated keys and where each
//! stands.

use std::cell::Cell;
use std::fmt;
use std::io::{self, Read};

use serde::Deserializer;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// What a value is, in messages.
pub(crate) const fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// How many bytes of the line were read: up to the end of the key, or of what is no JSON.
    pub column: usize,
}

/// JSON that keeps every member of an object, so that repeated keys are seen.
pub(crate) enum Node {
    /// An object, in the order of the text.
    Object(Vec<Member>),
    /// Anything else.
    Other(Value),
}

/// A member of an object.
pub(crate) struct Member {
    pub(crate) key: String,
    /// Where the key ends.
    pub(crate) place: Place,
    pub(crate) value: Node,
}

impl Node {
    /// Reads a text.
    ///
    /// # Errors
    /// What the parser says, and where.
    pub(crate) fn parse(text: &str) -> Result<Self, (String, Place)> {
        let place = Cell::new(Place { line: 1, column: 0 });
        let counted = Counted {
            rest: text.as_bytes(),
            place: &place,
        };
        let mut reader = serde_json::Deserializer::from_reader(counted);
        let node = NodeSeed(&place).deserialize(&mut reader);
        node.and_then(|node| reader.end().map(|()| node))
            .map_err(|error| {
                let place = Place {
                    line: error.line(),
                    column: error.column(),
                };
                let words = error.to_string();
                let end = format!(" at line {} column {}", place.line, place.column);
                (words.strip_suffix(&end).unwrap_or(&words).to_owned(), place)
            })
    }

    /// The same as a value; of members with one key the last stays.
    pub(crate) fn into_value(self) -> Value {
        match self {
            Self::Object(members) => into_map(members).into(),
            Self::Other(value) => value,
        }
    }
}

/// The first key that an object of a text has twice, and where it stands again; nothing where the text is no JSON.
#[must_use]
pub fn repeated_key(text: &str) -> Option<(String, Place)> {
    fn search(node: &Node) -> Option<&Member> {
        let Node::Object(members) = node else {
            return None;
        };
        members.iter().enumerate().find_map(|(at, member)| {
            let is_again = members[..at].iter().any(|known| known.key == member.key);
            is_again.then_some(member).or_else(|| search(&member.value))
        })
    }
    let node = Node::parse(text).ok()?;
    search(&node).map(|member| (member.key.clone(), member.place))
}

/// Members as a map; of those with one key the last stays.
pub(crate) fn into_map(members: Vec<Member>) -> Map<String, Value> {
    members
        .into_iter()
        .map(|member| (member.key, member.value.into_value()))
        .collect()
}

/// Text that is given byte by byte, so that what was read of it says where the reader is.
struct Counted<'t> {
    rest: &'t [u8],
    place: &'t Cell<Place>,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (Some((byte, rest)), Some(slot)) = (self.rest.split_first(), buffer.first_mut()) else {
            return Ok(0);
        };
        self.rest = rest;
        *slot = *byte;
        let Place { line, column } = self.place.get();
        self.place.set(match byte {
            b'\n' => Place {
                line: line + 1,
                column: 0,
            },
            _ => Place {
                line,
                column: column + 1,
            },
        });
        Ok(1)
    }
}

#[derive(Clone, Copy)]
struct NodeSeed<'p>(&'p Cell<Place>);

impl<'de> DeserializeSeed<'de> for NodeSeed<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for NodeSeed<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Other(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Other(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Other(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Other(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Other(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Other(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item.into_value());
        }
        Ok(Node::Other(list.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut members = Vec::new();
        while let Some(key) = map.next_key()? {
            let place = self.0.get();
            let value = map.next_value_seed(self)?;
            members.push(Member { key, place, value });
        }
        Ok(Node::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_what_the_text_says() {
        let text = r#"{"a": {"b": [null, true, -1, 18446744073709551615, 1.5, "x", {"c": []}]}, "d": false}"#;
        let read = Node::parse(text).map(Node::into_value);
        assert_eq!(read.ok(), serde_json::from_str(text).ok());
        let last = Node::parse(r#"{"a": 1, "a": 2}"#).map(Node::into_value);
        assert_eq!(last.ok(), serde_json::from_str(r#"{"a": 2}"#).ok());
    }

    #[test]
    fn a_key_that_comes_again_is_found_however_deep() {
        let found =
            |text: &str| repeated_key(text).map(|(key, place)| (key, place.line, place.column));
        let again = |key: &str, line, column| Some((key.to_owned(), line, column));
        assert_eq!(found("{\"a\": 1,\n \"a\": 2}"), again("a", 2, 4));
        assert_eq!(
            found("{\"a\": {\"b\": 1, \"c\": 2, \"b\": 3}}"),
            again("b", 1, 26)
        );
        for text in [
            r#"{"a": {"b": 1}, "b": {"a": 1}}"#,
            r#"[{"a": 1}, {"a": 2}]"#,
            r#"{"a": 1, "a": 2"#,
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
