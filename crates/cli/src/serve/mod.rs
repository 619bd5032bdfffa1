//! Connectors that need no code, behind the connector's side of the process protocol.

mod pipeline;
mod warehouse;

pub(crate) use pipeline::pipeline;
pub(crate) use warehouse::warehouse;
