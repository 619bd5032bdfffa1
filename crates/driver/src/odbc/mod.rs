//! Drivers that speak ODBC, through the driver manager of the machine.
//!
//! The manager's library is loaded when the first such driver is opened, so that neither the build nor a user
//! of other drivers needs it. Every call into it stands in `manager` (the function table), `handle` (safe
//! handles over it) and `running`; the rest of the module is ordinary code.

mod connection_string;
mod database;
mod error;
mod handle;
mod manager;
mod paths;
mod running;
mod statement;
mod units;
mod value;

pub(crate) use database::open;

use crate::SqlError;

/// The names of the drivers that are registered with the driver manager of the machine.
///
/// # Errors
/// When there is no driver manager.
pub fn installed() -> Result<Vec<String>, SqlError> {
    Ok(handle::Environment::new()?.drivers())
}
