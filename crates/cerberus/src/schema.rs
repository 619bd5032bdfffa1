//! A schema in typed form: parsed once, then used on documents.

use bowline_words::{Diagnose, Diagnostic};
use serde_json::{Map, Value};

use super::errors::{Crumb, Errors};
use super::expand::{self, Halt};
use super::explain;
use super::fault::{Fault, Stop, dotted};
use super::meta;
use super::normalize::normalize;
use super::rules::{CompileError, Fields, Vocabulary};
use super::scope::{Document, FieldSet, Run, Scope, UnknownRef};

/// A Cerberus schema.
#[derive(Debug)]
pub struct Schema {
    fields: Fields,
}

/// Why a schema cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// It is something else than a dict.
    #[error("a schema must be a dict, found {found}")]
    NotADict {
        /// What it is instead.
        found: &'static str,
    },
    /// Cerberus refuses it; the errors are those of its `SchemaError`.
    #[error("not a valid schema:{}", explain::listing(.0))]
    Invalid(Errors),
    /// Cerberus stops with an exception of Python's before it has a verdict.
    #[error("{0}")]
    Unprocessable(Fault),
    /// A rule that cannot be honoured exactly, and therefore not at all.
    #[error("`{place}`: unusable rule `{rule}`: {reason}")]
    Refused {
        /// The path to the set of rules.
        place: String,
        /// The rule.
        rule: &'static str,
        /// What about it; a lowercase fragment.
        reason: String,
    },
}

impl Diagnose for SchemaError {
    fn diagnose(&self) -> Diagnostic {
        let hint = match self {
            Self::Invalid(errors) => explain::hint(errors),
            Self::NotADict { .. } | Self::Unprocessable(_) | Self::Refused { .. } => None,
        };
        Diagnostic::of(self).hint(hint)
    }
}

/// The settings of a validator.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// What happens to unknown keys at the root.
    pub unknown: RootUnknown,
    /// Which declared fields must be there.
    pub presence: Presence,
}

/// What happens to keys at the root that the schema does not declare.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RootUnknown {
    /// They are errors.
    #[default]
    Refuse,
    /// They are ignored, as in credentials.
    Allow,
    /// They are taken out, here and in nested dicts.
    Purge,
}

/// Which declared fields must be there when their rules do not say so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Presence {
    /// None.
    #[default]
    AsDeclared,
    /// All.
    All,
}

/// What a validation found.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// What is wrong; empty when the document is valid.
    pub errors: Errors,
    /// The document with defaults set and keys renamed or purged.
    pub document: Map<String, Value>,
}

impl Schema {
    /// Reads a schema.
    ///
    /// # Errors
    /// When it is no dict, when Cerberus refuses it or stops over it, or when one of its rules
    /// cannot be honoured.
    pub fn parse(schema: &Value) -> Result<Self, SchemaError> {
        let Value::Object(schema) = schema else {
            return Err(SchemaError::NotADict {
                found: kind_of(schema),
            });
        };
        let unprocessable =
            |reason: &str| SchemaError::Unprocessable(Fault::new(Vec::new(), reason));
        let mut schema = schema.clone();
        expand::expand(&mut schema).map_err(|Halt(reason)| unprocessable(&reason))?;
        if let Some(path) = list_in_list(&Value::Object(schema.clone())) {
            return Err(SchemaError::Unprocessable(Fault::new(
                path,
                "a list directly in a list has no place in a schema",
            )));
        }
        let errors = meta::check(&schema).map_err(SchemaError::Unprocessable)?;
        if !errors.is_empty() {
            return Err(SchemaError::Invalid(errors));
        }
        match Vocabulary::User.fields(&schema) {
            Ok(fields) => Ok(Self { fields }),
            Err(CompileError::Refused {
                place,
                rule,
                reason,
            }) => Err(SchemaError::Refused {
                place: place.join("."),
                rule,
                reason,
            }),
            Err(CompileError::NotRules) => Err(unprocessable(
                "a set of rules is given by name, and no name refers to one here",
            )),
        }
    }

    /// Whether it declares a field of that name at the root.
    #[must_use]
    pub fn declares(&self, field: &str) -> bool {
        self.fields.contains_key(&Crumb::from(field))
    }

    /// Normalizes and validates a document.
    ///
    /// # Errors
    /// When Cerberus would stop with an exception instead of a verdict.
    pub fn validate(
        &self,
        document: &Map<String, Value>,
        options: Options,
    ) -> Result<Outcome, Fault> {
        self.evaluate(document, options).map_err(|stop| match stop {
            Stop::Fault(fault) => fault,
            Stop::NotFields => Fault::new(Vec::new(), "a schema is no dict of fields"),
        })
    }

    fn evaluate(&self, document: &Map<String, Value>, options: Options) -> Result<Outcome, Stop> {
        let unknown = match options.unknown {
            RootUnknown::Allow => UnknownRef::Allow,
            RootUnknown::Refuse | RootUnknown::Purge => UnknownRef::Refuse,
        };
        let (document, violations) = normalize(
            document,
            FieldSet::Declared(&self.fields),
            unknown,
            options.unknown == RootUnknown::Purge,
        )?;
        let root: Document<'_> = document
            .iter()
            .map(|(name, value)| (Crumb::Name(name.clone()), value))
            .collect();
        let run = Run::over_document(&root, unknown);
        let mut scope = Scope::root(&run, &root, FieldSet::Declared(&self.fields), unknown);
        scope.require_all = options.presence == Presence::All;
        scope.violations = violations;
        scope.validate()?;
        let errors = Errors::new(&scope.violations);
        Ok(Outcome { errors, document })
    }
}

/// A path for people: `connect_args.hosts[0]`.
#[must_use]
pub fn display_path(path: &[Crumb]) -> String {
    dotted(path)
}

/// What a JSON value is, in Cerberus' words for types.
pub fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a dict",
    }
}

/// Finds what Cerberus cannot hash when it remembers a schema.
fn list_in_list(value: &Value) -> Option<Vec<Crumb>> {
    let (crumb, path) = match value {
        Value::Object(map) => map
            .iter()
            .find_map(|(name, inner)| Some((Crumb::Name(name.clone()), list_in_list(inner)?)))?,
        Value::Array(items) => items.iter().enumerate().find_map(|(index, inner)| {
            let path = if inner.is_array() {
                Vec::new()
            } else {
                list_in_list(inner)?
            };
            Some((Crumb::Index(index), path))
        })?,
        _ => return None,
    };
    Some([vec![crumb], path].concat())
}
