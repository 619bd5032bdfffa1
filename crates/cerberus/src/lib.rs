//! Cerberus, the schema language of `credentials_schema`: the verdicts, texts and nesting that
//! the Python package gives, for everything JSON can say.
//!
//! A schema is expanded (shorthands, former rule names), checked against the schema of schemas
//! and compiled to typed rules. A document is normalized, then validated; what is found is a list
//! of violations, from which the error dict is put together.
//!
//! ```
//! use bowline_cerberus::{Options, Schema};
//! use serde_json::{Map, json};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let schema = Schema::parse(&json!({
//!     "host": { "type": "string", "required": true },
//!     "port": { "type": "integer", "min": 1, "max": 65535, "default": 5432 },
//! }))?;
//!
//! let document = Map::from_iter([("host".to_owned(), json!("localhost"))]);
//! let outcome = schema.validate(&document, Options::default())?;
//! assert!(outcome.errors.is_empty());
//! assert_eq!(outcome.document["port"], 5432);
//!
//! let document = Map::from_iter([("port".to_owned(), json!(0))]);
//! let outcome = schema.validate(&document, Options::default())?;
//! assert_eq!(
//!     outcome.errors.to_string(),
//!     "{'host': ['required field'], 'port': ['min value is 1']}"
//! );
//! # Ok(())
//! # }
//! ```

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
