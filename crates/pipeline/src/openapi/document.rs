//! An OpenAPI document as JSON, whatever it was written in, and its schemas without their indirections.

use std::collections::{BTreeSet, HashSet};

use bowline_words::{Diagnose, Diagnostic};
use percent_encoding::percent_decode_str;
use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value as Json};

/// How many references are followed from one schema to the next, so that one that means itself ends.
const DEPTH: usize = 16;

/// Why an OpenAPI document gives no proposal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenApiError {
    /// The text is neither JSON nor YAML.
    #[error("cannot read the OpenAPI document: {0}")]
    Syntax(String),
    /// It is something else than an OpenAPI document.
    #[error(
        "not an OpenAPI document: it has neither `openapi` nor `swagger` with a version that is known"
    )]
    OtherFormat,
    /// No endpoint gives a list of records.
    #[error(
        "the OpenAPI document has no list: none of its {endpoints} endpoints gives a list of records by itself"
    )]
    NoLists {
        /// How many endpoints there are.
        endpoints: usize,
    },
    /// No endpoint gives a list of records, and parts of the document are elsewhere.
    #[error("the OpenAPI document is not whole: `{reference}` is in another file")]
    Elsewhere {
        /// What it refers to.
        reference: String,
    },
}

impl Diagnose for OpenApiError {
    fn diagnose(&self) -> Diagnostic {
        let hint = match self {
            Self::Syntax(_) => None,
            Self::OtherFormat => Some("versions 2 and 3 are read".to_owned()),
            Self::NoLists { .. } => Some(
                "write connector.toml by hand; `bowline new --pipeline` gives you a start"
                    .to_owned(),
            ),
            Self::Elsewhere { .. } => Some("bundle the document into one file first".to_owned()),
        };
        Diagnostic::of(self).hint(hint)
    }
}

/// An OpenAPI document.
#[derive(Debug)]
pub(super) struct Document {
    root: Json,
}

/// The members of an object's schema.
#[derive(Debug, Default)]
pub(super) struct Members<'d> {
    /// Their names and schemas, in the document's order.
    pub(super) all: Vec<(&'d str, &'d Json)>,
    /// The names of those that are always there.
    pub(super) required: BTreeSet<&'d str>,
}

impl<'d> Members<'d> {
    pub(super) fn get(&self, name: &str) -> Option<&'d Json> {
        let found = self.all.iter().find(|(known, _)| *known == name);
        found.map(|(_, schema)| *schema)
    }
}

impl Document {
    /// Reads a document in JSON or YAML.
    pub(super) fn parse(text: &str) -> Result<Self, OpenApiError> {
        let root = match serde_json::from_str::<Json>(text) {
            Ok(root) => root,
            Err(error) if text.trim_start().starts_with(['{', '[']) => {
                return Err(OpenApiError::Syntax(error.to_string()));
            }
            Err(_) => from_yaml(text)?,
        };
        let version = |key: &str, major: &str| match root.get(key) {
            Some(Json::String(version)) => version.starts_with(major),
            Some(Json::Number(version)) => version.to_string().starts_with(major),
            _ => false,
        };
        if version("openapi", "3") || version("swagger", "2") {
            Ok(Self { root })
        } else {
            Err(OpenApiError::OtherFormat)
        }
    }

    /// The value at a path of keys.
    pub(super) fn at(&self, keys: &[&str]) -> &Json {
        keys.iter().fold(&self.root, |value, key| &value[*key])
    }

    /// The thing itself behind its references.
    pub(super) fn resolved<'d>(&'d self, mut node: &'d Json) -> &'d Json {
        for _ in 0..DEPTH {
            let Some(reference) = node.get("$ref").and_then(Json::as_str) else {
                break;
            };
            let Some(pointer) = reference.strip_prefix('#') else {
                break;
            };
            let pointer = percent_decode_str(pointer).decode_utf8_lossy();
            let Some(found) = self.root.pointer(&pointer) else {
                break;
            };
            node = found;
        }
        node
    }

    /// The first reference to another file, if there is one.
    pub(super) fn elsewhere(&self) -> Option<&str> {
        let mut open = vec![&self.root];
        while let Some(node) = open.pop() {
            match node {
                Json::Object(members) => {
                    let reference = node["$ref"].as_str();
                    if let Some(other) = reference.filter(|text| !text.starts_with('#')) {
                        return Some(other);
                    }
                    open.extend(members.values().rev());
                }
                Json::Array(items) => open.extend(items.iter().rev()),
                _ => {}
            }
        }
        None
    }

    /// A schema behind its references, and behind choices of which only one says something.
    pub(super) fn settled<'d>(&'d self, schema: &'d Json) -> &'d Json {
        let mut schema = self.resolved(schema);
        for _ in 0..DEPTH {
            if schema.get("properties").is_some() || schema.get("items").is_some() {
                break;
            }
            let choices = ["anyOf", "oneOf", "allOf"]
                .iter()
                .find_map(|key| schema.get(*key)?.as_array());
            let mut inner = choices
                .into_iter()
                .flatten()
                .map(|choice| self.resolved(choice))
                .filter(|choice| choice["type"] != "null");
            match (schema.get("allOf").is_some(), inner.next(), inner.next()) {
                // Parts of one thing are put together by `members`.
                (true, Some(_), Some(_)) | (_, None, _) => break,
                (_, Some(first), _) => schema = first,
            }
        }
        schema
    }

    /// The members of an object's schema, those of its parts included; none when it is no object.
    pub(super) fn members<'d>(&'d self, schema: &'d Json) -> Members<'d> {
        let mut members = Members::default();
        self.gather(schema, &mut members, &mut HashSet::new());
        members
    }

    /// Takes the members of a schema and its parts, each part once, however often it is referred to.
    fn gather<'d>(
        &'d self,
        schema: &'d Json,
        members: &mut Members<'d>,
        seen: &mut HashSet<*const Json>,
    ) {
        let schema = self.settled(schema);
        if !seen.insert(schema) || seen.len() > MOST_PARTS {
            return;
        }
        let own = schema.get("properties").and_then(Json::as_object);
        for (name, inner) in own.into_iter().flatten() {
            let known = members.all.iter_mut().find(|(known, _)| *known == name);
            match known {
                None => members.all.push((name, inner)),
                // A part that is told to be a list says more than one that only is there.
                Some((_, known)) if self.shape(known).is_none() && self.shape(inner).is_some() => {
                    *known = inner;
                }
                Some(_) => {}
            }
        }
        let required = schema.get("required").and_then(Json::as_array);
        let required = required.into_iter().flatten().filter_map(Json::as_str);
        members.required.extend(required);
        let parts = schema.get("allOf").and_then(Json::as_array);
        for part in parts.into_iter().flatten() {
            self.gather(part, members, seen);
        }
    }

    /// The schema of a list's items; none when it is no list.
    pub(super) fn items<'d>(&'d self, schema: &'d Json) -> Option<&'d Json> {
        let schema = self.settled(schema);
        let items = schema.get("items")?;
        Some(self.settled(items))
    }

    /// What says which members or items a schema has.
    fn shape<'d>(&'d self, schema: &'d Json) -> Option<&'d Json> {
        let schema = self.settled(schema);
        ["properties", "items", "allOf"]
            .iter()
            .find_map(|key| schema.get(*key))
    }

    /// The type of a schema's values.
    pub(super) fn kind<'d>(&'d self, schema: &'d Json) -> &'d str {
        let schema = self.settled(schema);
        let named = match &schema["type"] {
            Json::String(kind) => Some(kind.as_str()),
            Json::Array(kinds) => kinds
                .iter()
                .filter_map(Json::as_str)
                .find(|kind| *kind != "null"),
            _ => None,
        };
        named.unwrap_or_else(|| {
            if schema.get("properties").is_some() || schema.get("allOf").is_some() {
                "object"
            } else if schema.get("items").is_some() {
                "array"
            } else {
                "string"
            }
        })
    }

    /// The schema of a successful answer.
    pub(super) fn answer<'d>(&'d self, operation: &'d Json) -> Option<&'d Json> {
        let responses = operation.get("responses")?.as_object()?;
        let mut successes = responses
            .iter()
            .filter(|(status, _)| status.starts_with('2'))
            .peekable();
        let schema = |response: &'d Json| {
            let response = self.resolved(response);
            body(&response["content"]).or_else(|| response.get("schema"))
        };
        let found = match successes.peek() {
            Some(_) => successes.find_map(|(_, response)| schema(response)),
            None => schema(responses.get("default")?),
        };
        found.map(|schema| self.settled(schema))
    }
}

/// The schema of a body that may be JSON: frameworks that do not say what they write tell of any media type, or of one
/// of their own.
pub(super) fn body(content: &Json) -> Option<&Json> {
    let content = content.as_object()?;
    let of_kind = |fits: &dyn Fn(&str) -> bool| content.iter().find(|(kind, _)| fits(kind));
    let (_, media) = of_kind(&|kind| kind.contains("json"))
        .or_else(|| of_kind(&|kind| kind.contains('*')))
        .or_else(|| of_kind(&|kind| content.len() == 1 && !is_other(kind)))?;
    media.get("schema")
}

/// Whether a media type is of something else than JSON for sure.
fn is_other(kind: &str) -> bool {
    ["xml", "form", "csv", "html", "event-stream"]
        .iter()
        .any(|other| kind.contains(other))
}

/// The most parts that an object's schema is put together from: each lies in the one before.
const MOST_PARTS: usize = 100;

/// The deepest column at which something may begin in YAML; every level of its blocks is further in than the one around.
const DEEPEST_COLUMN: usize = 500;

fn from_yaml(text: &str) -> Result<Json, OpenApiError> {
    let begins =
        |line: &str| line.len() - line.trim_start_matches([' ', '-', '?', ':', '\t']).len();
    if text.lines().any(|line| begins(line) > DEEPEST_COLUMN) {
        return Err(OpenApiError::Syntax(format!(
            "a line begins further in than column {DEEPEST_COLUMN}"
        )));
    }
    let documents =
        Yaml::load_from_str(text).map_err(|error| OpenApiError::Syntax(error.to_string()))?;
    Ok(documents.first().map_or(Json::Null, to_json))
}

/// The key in YAML whose value is a mapping, or a list of them, whose members belong to the one around.
const MERGE: &str = "<<";

/// YAML as JSON; keys that are no text become text, and members whose keys are lists or mappings are left out.
fn to_json(node: &Yaml<'_>) -> Json {
    match node {
        Yaml::Value(scalar) => of_scalar(scalar),
        Yaml::Representation(text, ..) => Json::from(text.as_ref()),
        Yaml::Sequence(items) => items.iter().map(to_json).collect(),
        Yaml::Mapping(members) => {
            let members = members.iter().filter_map(|(key, value)| {
                let key = match to_json(key) {
                    Json::String(key) => key,
                    Json::Array(_) | Json::Object(_) => return None,
                    key => key.to_string(),
                };
                Some((key, to_json(value)))
            });
            merged(members.collect()).into()
        }
        Yaml::Tagged(_, inner) => to_json(inner),
        Yaml::Alias(_) | Yaml::BadValue => Json::Null,
    }
}

/// A mapping with the members of those that it merges; its own come first.
fn merged(mut members: Map<String, Json>) -> Map<String, Json> {
    let others = match members.shift_remove(MERGE) {
        Some(Json::Array(others)) => others,
        Some(other) => vec![other],
        None => return members,
    };
    for other in others {
        if let Json::Object(other) = other {
            for (key, value) in other {
                members.entry(key).or_insert(value);
            }
        }
    }
    members
}

fn of_scalar(scalar: &Scalar<'_>) -> Json {
    match scalar {
        Scalar::Null => Json::Null,
        Scalar::Boolean(flag) => Json::from(*flag),
        Scalar::Integer(number) => Json::from(*number),
        Scalar::FloatingPoint(number) => Json::from(number.into_inner()),
        Scalar::String(text) => Json::from(text.as_ref()),
    }
}
