//! PostgreSQL through a client that is compiled in, over the wire protocol of the crate `postgres-protocol`.
//!
//! A statement takes one round trip: it is parsed, bound, described and executed in one go, and its values come in
//! binary, which no setting of the session changes. What they are is learnt from the server only for types that are
//! not built in; what has no value of ours is written as text by the server itself. The asynchronous client over the
//! same crate does either in three round trips, or asks what a type is while the result waits, which never ends where
//! the result is long.

mod convert;
mod database;
mod error;
mod heard;
mod login;
mod parameters;
mod parameters_text;
mod passwords;
mod reach;
mod statement;
mod stream;
mod tls;
mod together;
mod types;
mod value;
mod wire;

pub(crate) use database::open;
