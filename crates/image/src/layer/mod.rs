//! Layers: writing new ones so that the same files give the same bytes, and reading those of a base.

mod gzip;
mod read;
mod tree;
mod write;

pub use read::{LayerEntry, read_layer};
pub use tree::{Node, Tree};
pub(crate) use write::{Entry, NewLayer, unpacked_digest, write_layer};
