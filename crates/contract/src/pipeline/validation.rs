//! What is checked about the events of a pipeline connector.
//!
//! Events are looked at as JSON, so that everything wrong with them is found, not the first thing only. An event without
//! an error can be read as its type. Null counts as absent and keys that the model does not name are passed over.

use serde_json::{Map, Value};

use super::event_time::timestamp;
use super::record::{Field, MAX_FIELDS, Presence, Shape};
use super::{Asset, AssetEvent, AssetRef, AssetRole, EventTimeError, Run, RunEvent, RunStatus};
use crate::json::kind_of;
use bowline_words::beginning;
use bowline_words::nearest;

/// How many errors are collected; the rest of the events is not looked at after that many.
pub const MAX_EVENT_ERRORS: usize = 50;

/// The key of an object that a connector's host sends in place of a value that JSON does not have; it names the type.
const NOT_JSON: &str = "$not_json";

/// How much of a value an error shows, in characters.
const SHOWN: usize = 60;

/// Something wrong with one field of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventError {
    /// The event: its index, then where inside: `3`, `3.tasks.0`, `3.inputs.1`, and `3.0` for a run's first task run.
    pub path: String,
    /// The field, with those it stands in: `status`, `schedule.kind`. Empty when the event itself is wrong.
    pub field: String,
    /// What is wrong.
    pub problem: EventProblem,
}

impl std::fmt::Display for EventError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.field.is_empty() {
            write!(f, "event {}: {}", self.path, self.problem)
        } else {
            write!(f, "event {}: `{}`: {}", self.path, self.field, self.problem)
        }
    }
}

impl std::error::Error for EventError {}

/// What can be wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventProblem {
    /// It must be there and is not.
    #[error("required, but missing")]
    Missing,
    /// It must be there and holds nothing but blanks.
    #[error("required, but empty")]
    Empty,
    /// It is of the wrong type.
    #[error("expected {expected}, found {found}")]
    WrongType {
        /// What it should be.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// It holds a value that JSON does not have.
    #[error("`{found}` is none of JSON's types")]
    NotJson {
        /// The type, in the connector's language.
        found: String,
    },
    /// It is a word that the contract does not have.
    #[error("unknown word `{word}`: {hint}")]
    UnknownWord {
        /// The word, cut short.
        word: String,
        /// The nearest word, or all of them.
        hint: String,
    },
    /// It is not a time of the contract.
    #[error("{reason}: `{text}`")]
    Time {
        /// The text, cut short.
        text: String,
        /// Why not.
        reason: EventTimeError,
    },
    /// It is less than it may be.
    #[error("must be at least {least}, found {found}")]
    TooSmall {
        /// The least allowed.
        least: i64,
        /// What it is.
        found: i64,
    },
    /// A run that has ended says no end.
    #[error("required, because the status is `{0}`")]
    RequiredBy(RunStatus),
    /// An asset ref stands on the wrong side of its job.
    #[error("must be `{0}` here")]
    WrongSide(AssetRole),
    /// An asset ref names nothing.
    #[error("either `fully_qualified_name` or `mcon` is required")]
    Nameless,
}

/// Checks assets; gives at most [`MAX_EVENT_ERRORS`] errors, none when all is well.
#[must_use]
pub fn validate_assets(events: &[AssetEvent]) -> Vec<EventError> {
    let mut validation = Validation::default();
    for (index, event) in events.iter().enumerate() {
        if validation.is_full() {
            break;
        }
        validation.path.push(PathPart::Index(index));
        if let Some(event) = validation.object(event.json()) {
            validation.fields(Asset::FIELDS, event);
        }
        validation.path.pop();
    }
    validation.errors
}

/// Checks runs; gives at most [`MAX_EVENT_ERRORS`] errors, none when all is well.
#[must_use]
pub fn validate_runs(events: &[RunEvent]) -> Vec<EventError> {
    let mut validation = Validation::default();
    validation.runs(events.iter().map(RunEvent::json));
    validation.errors
}

/// The way from the list of events to a value. Texts are only made of it for an error.
#[derive(Debug, Clone, Copy)]
enum PathPart {
    /// An event, or a task run of one.
    Index(usize),
    /// A record in a list of the event.
    Item(&'static str, usize),
    /// A record that is the value of a field.
    Field(&'static str),
}

#[derive(Default)]
struct Validation {
    path: Vec<PathPart>,
    errors: Vec<EventError>,
}

impl Validation {
    fn is_full(&self) -> bool {
        self.errors.len() >= MAX_EVENT_ERRORS
    }

    fn report(&mut self, field: &str, problem: EventProblem) {
        if self.is_full() {
            return;
        }
        let mut path = String::new();
        let mut within = String::new();
        for step in &self.path {
            match step {
                PathPart::Index(index) => push_part(&mut path, &index.to_string()),
                PathPart::Item(list, index) => {
                    push_part(&mut path, list);
                    push_part(&mut path, &index.to_string());
                }
                PathPart::Field(name) => push_part(&mut within, name),
            }
        }
        push_part(&mut within, field);
        self.errors.push(EventError {
            path,
            field: within,
            problem,
        });
    }

    fn wrong_type(&mut self, field: &str, expected: &'static str, found: &Value) {
        self.report(
            field,
            match stands_for(found) {
                Some(found) => EventProblem::NotJson {
                    found: found.to_owned(),
                },
                None => EventProblem::WrongType {
                    expected,
                    found: kind_of(found),
                },
            },
        );
    }

    /// Tells of the first value, however deep, that stands for one that JSON does not have.
    fn not_json(&mut self, field: &str, value: &Value) {
        let mut inner = field.to_owned();
        if let Some(found) = not_json(value, &mut inner) {
            let found = found.to_owned();
            self.report(&inner, EventProblem::NotJson { found });
        }
    }

    fn object<'v>(&mut self, value: &'v Value) -> Option<&'v Map<String, Value>> {
        let object = value.as_object().filter(|_| stands_for(value).is_none());
        if object.is_none() {
            self.wrong_type("", "an object", value);
        }
        object
    }

    fn runs<'e>(&mut self, events: impl Iterator<Item = &'e Value>) {
        for (index, event) in events.enumerate() {
            if self.is_full() {
                break;
            }
            self.path.push(PathPart::Index(index));
            if let Some(event) = self.object(event) {
                self.fields(Run::FIELDS, event);
                self.needs_of_status(event);
            }
            self.path.pop();
        }
    }

    fn needs_of_status(&mut self, run: &Map<String, Value>) {
        let status = run.get("status").and_then(Value::as_str);
        let Some(status) = status.and_then(RunStatus::from_name) else {
            return;
        };
        let absent = |key: &str| run.get(key).is_none_or(Value::is_null);
        if status.is_terminal() && absent("end_time") {
            self.report("end_time", EventProblem::RequiredBy(status));
        }
        if status.needs_error() && absent("error") {
            self.report("error", EventProblem::RequiredBy(status));
        }
    }

    fn fields(&mut self, fields: &'static [Field], object: &Map<String, Value>) {
        let mut found = [None; MAX_FIELDS];
        // Most events have their keys in the order of the model, so that the search hits at once; a look-up by name
        // would hash each name of the model for each event.
        let mut next = 0;
        for (key, value) in object {
            let mut from_next = (next..fields.len()).chain(0..next);
            if let Some(index) = from_next.find(|index| fields[*index].name == key) {
                found[index] = Some(value);
                next = index + 1;
            } else {
                self.not_json(key, value);
            }
        }
        for (field, value) in fields.iter().zip(found) {
            match value {
                None | Some(Value::Null) => {
                    if field.presence == Presence::Required {
                        self.report(field.name, EventProblem::Missing);
                    }
                }
                Some(value) => self.value(field, value),
            }
        }
    }

    fn value(&mut self, field: &'static Field, value: &Value) {
        let name = field.name;
        match (&field.shape, value) {
            (Shape::Dict, Value::Object(_)) => self.not_json(name, value),
            (Shape::Text, Value::String(text)) => {
                if field.presence == Presence::Required && text.trim().is_empty() {
                    self.report(name, EventProblem::Empty);
                }
            }
            (Shape::Time, Value::String(text)) => {
                if let Err(reason) = timestamp(text) {
                    let text = beginning(text, SHOWN);
                    self.report(name, EventProblem::Time { text, reason });
                }
            }
            (Shape::Word(words), Value::String(word)) => {
                if !words.contains(&word.as_str()) {
                    let hint = nearest::hint(word, words.iter().copied());
                    let word = beginning(word, SHOWN);
                    self.report(name, EventProblem::UnknownWord { word, hint });
                }
            }
            (Shape::Integer(least), Value::Number(number)) => match number.as_i64() {
                Some(found) if found < *least => {
                    let least = *least;
                    self.report(name, EventProblem::TooSmall { least, found });
                }
                Some(_) => {}
                None => self.report(
                    name,
                    EventProblem::WrongType {
                        expected: "a whole number",
                        found: if number.is_f64() {
                            "a number with a fraction"
                        } else {
                            "a number out of range"
                        },
                    },
                ),
            },
            (Shape::Flag, Value::Bool(_)) => {}
            (Shape::Texts, Value::Array(items)) => {
                if let Some(odd) = items.iter().find(|item| !item.is_string()) {
                    self.wrong_type(name, "a list of texts", odd);
                }
            }
            (Shape::Record(fields), Value::Object(record)) if stands_for(value).is_none() => {
                self.path.push(PathPart::Field(name));
                self.fields(fields, record);
                self.path.pop();
            }
            (Shape::Records(fields), Value::Array(items)) => {
                self.items(name, items, |this, record| this.fields(fields, record));
            }
            (Shape::Refs(side), Value::Array(items)) => {
                self.items(name, items, |this, record| this.asset_ref(*side, record));
            }
            (Shape::TaskRuns, Value::Array(items)) => self.runs(items.iter()),
            (shape, found) => self.wrong_type(name, expected(shape), found),
        }
    }

    fn items(
        &mut self,
        list: &'static str,
        items: &[Value],
        check: impl Fn(&mut Self, &Map<String, Value>),
    ) {
        for (index, item) in items.iter().enumerate() {
            if self.is_full() {
                break;
            }
            self.path.push(PathPart::Item(list, index));
            if let Some(record) = self.object(item) {
                check(self, record);
            }
            self.path.pop();
        }
    }

    fn asset_ref(&mut self, side: AssetRole, record: &Map<String, Value>) {
        self.fields(AssetRef::FIELDS, record);
        let text = |key: &str| record.get(key).and_then(Value::as_str);
        let role = text("role").and_then(AssetRole::from_name);
        if role.is_some_and(|role| role != side) {
            self.report("role", EventProblem::WrongSide(side));
        }
        let empty = |key: &str| record.get(key).is_none_or(Value::is_null) || text(key) == Some("");
        if empty("fully_qualified_name") && empty("mcon") {
            self.report("fully_qualified_name", EventProblem::Nameless);
        }
    }
}

/// The type of what JSON does not have, where a value stands for such.
fn stands_for(value: &Value) -> Option<&str> {
    value.get(NOT_JSON).and_then(Value::as_str)
}

/// The first value in a value that stands for what JSON does not have; `path` is led to it.
fn not_json<'v>(value: &'v Value, path: &mut String) -> Option<&'v str> {
    let mut within = |part: &str, item: &'v Value| {
        let length = path.len();
        push_part(path, part);
        let found = not_json(item, path);
        if found.is_none() {
            path.truncate(length);
        }
        found
    };
    match value {
        Value::Object(object) => {
            let found = stands_for(value);
            found.or_else(|| object.iter().find_map(|(key, item)| within(key, item)))
        }
        Value::Array(items) => {
            let mut items = items.iter().enumerate();
            items.find_map(|(index, item)| within(&index.to_string(), item))
        }
        _ => None,
    }
}

fn push_part(path: &mut String, part: &str) {
    if !path.is_empty() && !part.is_empty() {
        path.push('.');
    }
    path.push_str(part);
}

const fn expected(shape: &Shape) -> &'static str {
    match shape {
        Shape::Text => "text",
        Shape::Time => "an ISO 8601 date and time as text",
        Shape::Flag => "true or false",
        Shape::Integer(_) => "a whole number",
        Shape::Word(_) => "a word as text",
        Shape::Texts => "a list of texts",
        Shape::Dict | Shape::Record(_) => "an object",
        Shape::Records(_) | Shape::Refs(_) | Shape::TaskRuns => "a list of objects",
    }
}

#[cfg(test)]
mod tests;
