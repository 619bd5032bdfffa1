//! Requests as they go over the wire: login, retries, limits, and what becomes of an answer.

mod address;
mod client;
mod connection;
mod content_range;
mod excerpt;
mod exchange;
pub(crate) mod graphql;
mod kept;
mod pace;
mod prepared;
mod signature;
mod transport;

pub(crate) use client::{Answer, Client, Response, Rules, is_empty, speaks_of_no_page};
pub(crate) use connection::Network;
pub(crate) use content_range::Extent;
pub(crate) use excerpt::trimmed;
pub use exchange::{Exchange, OnExchange, OnRetry};
pub(crate) use pace::Turn;
pub(crate) use prepared::Prepared;
pub(crate) use signature::fingerprint;
pub use transport::{Incoming, Outgoing, Transport, TransportError};
