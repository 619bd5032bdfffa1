//! Layers: writing new ones so that the same files give the same bytes, and reading those that are there.

mod gzip;
mod read;
mod tree;
mod write;

pub use read::{LayerEntry, read_layer};
pub use tree::{Node, OPAQUE, Tree};
pub(crate) use write::unpacked_digest;
pub use write::{Content, Entry, NewLayer, write_layer};
