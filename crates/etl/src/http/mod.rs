//! Requests as they go over the wire: login, retries, limits, and what becomes of an answer.

mod client;
mod excerpt;

pub(crate) use bowline_http::resolve;
pub(crate) use client::{Answer, Client, Prepared};
