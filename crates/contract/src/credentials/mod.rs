//! Credentials: what a connector's manifest demands of them, and which parts of them are secret.
//!
//! `credentials.json` holds everything under a top-level `connect_args` dict, and so does the
//! `credentials_schema` that describes it. Leaving that wrapper out is the commonest mistake in
//! both, and is therefore reported by name before anything else.

mod check;
mod literal;
mod scan;
mod secret;
mod telling;
mod written;

pub use bowline_cerberus::{Schema, SchemaError};
pub use check::{
    CONNECT_ARGS, CredentialsError, NearMiss, Problem, check, near_misses, parse_schema,
};
pub use scan::{FoundSecret, SecretScan, UnreadCredentials};
pub use secret::{is_public_key, secret_values};
