//! Values that are made in Rust, and looked into only as far as an expression asks.

use std::fmt::Debug;

use crate::environment::Failure;
use crate::evaluated::Value;

/// What a [`Native`] value behaves like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A list: items by their place.
    Sequence,
    /// A mapping: values by their key, which also come as attributes.
    Mapping,
}

/// A list or mapping of the caller's own.
pub trait Native: Debug + Send + Sync {
    /// What it behaves like.
    fn shape(&self) -> Shape;

    /// How many items or keys it has.
    fn count(&self) -> usize;

    /// The item at a place of a sequence, the key at a place of a mapping.
    fn at(&self, place: usize) -> Option<Value>;

    /// The value of a key of a mapping.
    fn get(&self, key: &Value) -> Option<Value>;

    /// Why it is wrong to ask for a key that [`get`](Self::get) does not have; `None` when it is not.
    fn missing(&self, key: &Value) -> Option<Failure> {
        let _ = key;
        None
    }
}
