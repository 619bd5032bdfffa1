//! Reads manifests of every class: all mistakes at once, each with its place.

use serde_json::{Map, Value};

use super::connection_type::{AssetClass, ConnectionType};
use super::problem::{ManifestError, ManifestFault, ManifestProblem};
use super::{ASSET_CLASS, CONNECTION_NAME, CONNECTION_TYPE, CREDENTIALS_SCHEMA};
use crate::json::{Member, Node, Place, into_map, kind_of};

/// A manifest under way: its members, each to be taken once, and what was wrong so far.
pub(crate) struct ManifestReader {
    class: AssetClass,
    members: Vec<Member>,
    other: Map<String, Value>,
    advices: Vec<ManifestProblem>,
    problems: Vec<ManifestProblem>,
}

impl ManifestReader {
    /// Opens a text that must hold an object with these keys at most.
    pub(crate) fn open(
        class: AssetClass,
        text: &str,
        keys: &'static [&'static str],
    ) -> Result<Self, ManifestError> {
        let mut reader = Self {
            class,
            members: Vec::new(),
            other: Map::new(),
            advices: Vec::new(),
            problems: Vec::new(),
        };
        match Node::parse(text) {
            Ok(Node::Object(members)) => {
                reader.keep(members, keys);
                return Ok(reader);
            }
            Ok(Node::Other(value)) => reader.report(None, wrong_type("", "an object", &value)),
            Err((words, place)) => reader.report(Some(place), ManifestFault::Json(words)),
        }
        Err(reader.into_error())
    }

    fn keep(&mut self, members: Vec<Member>, keys: &'static [&'static str]) {
        for member in members {
            let fault = match keys.iter().find(|key| **key == member.key) {
                None => {
                    self.advise(
                        member.place,
                        ManifestFault::UnknownKey {
                            key: member.key.clone(),
                            parent: None,
                            known: keys,
                        },
                    );
                    self.other.insert(member.key, member.value.into_value());
                    continue;
                }
                Some(key) if self.members.iter().any(|kept| kept.key == *key) => {
                    ManifestFault::RepeatedKey(key)
                }
                Some(_) => {
                    self.members.push(member);
                    continue;
                }
            };
            self.report(Some(member.place), fault);
        }
    }

    pub(crate) fn report(&mut self, place: Option<Place>, fault: ManifestFault) {
        self.problems.push(self.problem(place, fault));
    }

    /// Says what is worth a word and makes no manifest wrong.
    pub(crate) fn advise(&mut self, place: Place, fault: ManifestFault) {
        self.advices.push(self.problem(Some(place), fault));
    }

    /// A fault of this manifest, at its place.
    pub(crate) fn problem(&self, place: Option<Place>, fault: ManifestFault) -> ManifestProblem {
        ManifestProblem {
            class: self.class,
            fault,
            place,
        }
    }

    /// The keys that the contract does not know, and everything that is worth a word.
    pub(crate) fn rest(&mut self) -> (Map<String, Value>, Vec<ManifestProblem>) {
        let mut advices = self.advices.clone();
        advices.sort_by_key(|advice| advice.place);
        (std::mem::take(&mut self.other), advices)
    }

    /// The member at a key, if it is there and was not taken yet.
    pub(crate) fn take(&mut self, key: &str) -> Option<Member> {
        let at = self.members.iter().position(|member| member.key == key)?;
        Some(self.members.remove(at))
    }

    /// The member at a key that must be there.
    pub(crate) fn require(&mut self, key: &'static str) -> Option<Member> {
        let member = self.take(key);
        if member.is_none() {
            self.report(None, ManifestFault::MissingKey(key));
        }
        member
    }

    /// What a value was read as, unless something is wrong with it.
    pub(crate) fn kept<T>(&mut self, place: Place, read: Result<T, ManifestFault>) -> Option<T> {
        read.map_err(|fault| self.report(Some(place), fault)).ok()
    }

    /// The connection's type.
    pub(crate) fn connection_type(&mut self) -> Option<ConnectionType> {
        let member = self.require(CONNECTION_TYPE)?;
        let read = text(CONNECTION_TYPE, member.value)
            .and_then(|text| Ok(ConnectionType::parse_for(self.class, &text)?));
        self.kept(member.place, read)
    }

    /// The connection's name.
    pub(crate) fn connection_name(&mut self) -> Option<String> {
        let member = self.require(CONNECTION_NAME)?;
        self.kept(member.place, filled(CONNECTION_NAME, member.value))
    }

    /// Sees that the asset class is the manifest's.
    pub(crate) fn asset_class(&mut self) {
        let Some(member) = self.require(ASSET_CLASS) else {
            return;
        };
        let read = match text(ASSET_CLASS, member.value) {
            Ok(found) if found != self.class.name() => Err(ManifestFault::AssetClass(found)),
            read => read,
        };
        self.kept(member.place, read);
    }

    /// The schema of credentials, if there is one.
    pub(crate) fn credentials_schema(&mut self) -> Option<Map<String, Value>> {
        let member = self.take(CREDENTIALS_SCHEMA)?;
        let read = object(CREDENTIALS_SCHEMA, member.value);
        self.kept(member.place, read).map(into_map)
    }

    /// The manifest, unless something was wrong with it.
    pub(crate) fn finish<T>(self, manifest: Option<T>) -> Result<T, ManifestError> {
        match manifest {
            Some(manifest) if self.problems.is_empty() => Ok(manifest),
            _ => Err(self.into_error()),
        }
    }

    fn into_error(self) -> ManifestError {
        let mut problems = self.problems;
        // A key that is not known is often one that is missing, misspelt.
        problems.extend(self.advices);
        problems.sort_by_key(|problem| (problem.place.is_none(), problem.place));
        ManifestError { problems }
    }
}

/// A text.
pub(crate) fn text(key: &str, node: Node) -> Result<String, ManifestFault> {
    match node.into_value() {
        Value::String(text) => Ok(text),
        other => Err(wrong_type(key, "text", &other)),
    }
}

/// A text of more than blanks.
pub(crate) fn filled(key: &str, node: Node) -> Result<String, ManifestFault> {
    let text = text(key, node)?;
    if text.trim().is_empty() {
        return Err(ManifestFault::Empty(key.to_owned()));
    }
    Ok(text)
}

/// An object's members.
pub(crate) fn object(key: &str, node: Node) -> Result<Vec<Member>, ManifestFault> {
    match node {
        Node::Object(members) => Ok(members),
        Node::Other(other) => Err(wrong_type(key, "an object", &other)),
    }
}

fn wrong_type(key: &str, expected: &'static str, found: &Value) -> ManifestFault {
    ManifestFault::WrongType {
        key: key.to_owned(),
        expected,
        found: kind_of(found),
    }
}
