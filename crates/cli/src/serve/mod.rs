//! Connectors that need no code, behind the connector's side of the process protocol.

mod pipeline;
mod warehouse;

pub(crate) use pipeline::pipeline;
pub(crate) use warehouse::warehouse;

use bowline_sdk::Error;
use bowline_words::Diagnose;

/// The same error for the other side, with the hint of what is behind it.
fn hinted(told: Error, error: &impl Diagnose) -> Error {
    match error.diagnose().hints.pop() {
        Some(hint) => told.with_hint(hint),
        None => told,
    }
}
