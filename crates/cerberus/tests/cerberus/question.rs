//! One schema with one document, and what came of it.

use bowline_cerberus::{Options, Presence, RootUnknown};
use bowline_cerberus::{Schema, SchemaError};
use serde_json::{Map, Value, json};

/// A schema, a document, and the validator's settings.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) schema: Value,
    pub(crate) document: Map<String, Value>,
    pub(crate) options: Options,
}

/// What a validator said, comparable across implementations.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    /// Errors as Python represents them, `{}` when valid; and the normalized document.
    Validated { errors: String, document: Value },
    /// The schema is refused with these errors.
    SchemaErrors(String),
    /// No verdict: an exception there, a fault here. The words are nobody's business.
    Stops,
    /// A rule this implementation declines; Cerberus never answers so.
    Declined(String),
}

impl Question {
    pub(crate) fn answer(&self) -> Answer {
        let schema = match Schema::parse(&self.schema) {
            Ok(schema) => schema,
            Err(SchemaError::Invalid(errors)) => return Answer::SchemaErrors(errors.to_string()),
            Err(SchemaError::Unprocessable(_)) => return Answer::Stops,
            Err(other) => return Answer::Declined(other.to_string()),
        };
        match schema.validate(&self.document, self.options) {
            Ok(outcome) => Answer::Validated {
                errors: outcome.errors.to_string(),
                document: Value::Object(outcome.document),
            },
            Err(_) => Answer::Stops,
        }
    }

    /// The question as the oracle reads it.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "schema": self.schema,
            "document": self.document,
            "unknown": match self.options.unknown {
                RootUnknown::Refuse => json!(false),
                RootUnknown::Allow => json!(true),
                RootUnknown::Purge => json!("purge"),
            },
            "require_all": self.options.presence == Presence::All,
        })
    }
}

/// Reads settings by the names the oracle uses.
pub(crate) fn options(unknown: Option<&Value>, require_all: Option<&Value>) -> Options {
    Options {
        unknown: match unknown {
            None | Some(Value::Bool(false)) => RootUnknown::Refuse,
            Some(Value::Bool(true)) => RootUnknown::Allow,
            Some(other) => {
                assert_eq!(other, "purge");
                RootUnknown::Purge
            }
        },
        presence: match require_all {
            Some(Value::Bool(true)) => Presence::All,
            _ => Presence::AsDeclared,
        },
    }
}
