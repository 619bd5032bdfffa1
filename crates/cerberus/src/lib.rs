//! Cerberus, the schema language of `credentials_schema`: the verdicts, texts and nesting that
//! the Python package gives, for everything JSON can say.
//!
//! A schema is expanded (shorthands, former rule names), checked against the schema of schemas
//! and compiled to typed rules. A document is normalized, then validated; what is found is a list
//! of violations, from which the error dict is put together.

mod checks;
mod errors;
mod expand;
mod explain;
mod fault;
mod meta;
mod nested;
mod normalize;
mod pattern;
mod python;
mod rules;
mod schema;
mod scope;

pub use errors::{Crumb, Errors, FieldErrors, Message};
pub use fault::Fault;
pub use schema::kind_of;
pub use schema::{Options, Outcome, Presence, RootUnknown, Schema, SchemaError, display_path};
