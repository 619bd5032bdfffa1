//! Requests as they go over the wire: login, retries, limits, and what becomes of an answer.

mod address;
mod client;
mod excerpt;
mod retry;

pub(crate) use address::resolve;
pub(crate) use client::{Answer, Client, Prepared};
