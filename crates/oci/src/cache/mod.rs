//! What is kept on this machine so that it need not be pulled or packed again.

mod blobs;
mod layers;
mod unused;

pub use blobs::BlobCache;
pub use layers::KeptLayers;
pub use unused::{forget_unused, note_use};
