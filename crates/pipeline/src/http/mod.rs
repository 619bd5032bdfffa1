//! Requests as they go over the wire: login, retries, limits, and what becomes of an answer.

mod client;
mod excerpt;
mod exchange;
mod slots;
mod transport;

pub(crate) use bowline_http::resolve;
pub(crate) use client::{Client, JsonResponse, Prepared};
pub(crate) use excerpt::trimmed;
pub use exchange::{Exchange, OnExchange, OnRetry};
pub(crate) use transport::Network;
pub use transport::{Incoming, Outgoing, Transport, TransportError};
