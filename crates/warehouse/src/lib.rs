//! Warehouse connectors: a folder in memory, its templates over those of a dialect pack, and its database.

mod connector;
pub mod dialect;
pub mod folder;
mod scaffold;
mod schemas;
pub mod template;

pub use connector::{Connector, Driver, FunctionalTarget, OpenError};
pub use scaffold::{Draft, Scaffold, Scaffolded};
pub use schemas::schemas;
