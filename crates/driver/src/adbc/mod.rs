//! Drivers that speak ADBC: shared libraries found through the standard manifests and search paths.
//!
//! Each connection lives on a thread of its own, and the caller waits for it with the time limit in hand.
//! So a statement, a connection attempt or a driver that hangs can always be left behind. Connections
//! are opened from one ADBC database, which is set up by the first of them.

mod arrow;
mod calendar;
mod database;
mod error;
mod library;
mod opaque;
mod session;
mod statement;

pub(crate) use database::open;
