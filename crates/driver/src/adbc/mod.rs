//! Drivers that speak ADBC: shared libraries found through the standard manifests and search paths.
//!
//! Connections are opened from one ADBC database, which is set up by the first of them.

mod arrow;
mod calendar;
mod database;
mod error;
mod library;
mod opaque;
mod paths;
mod statement;
mod validate;

pub(crate) use database::open;
