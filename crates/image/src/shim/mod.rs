//! Connectors without Python in a Python agent: a `connector.py` that runs Bowline's own program beside the agent and
//! speaks the process protocol with it, and the files that takes.
//!
//! ```text
//! /opt/bowline/bin/bowline                     the program, for the image's platform
//! /opt/bowline/drivers/libduckdb.so            the ADBC drivers that connectors name
//! /opt/custom-connectors/<name>/connector.py   ours
//! /opt/custom-connectors/<name>/source/        the connector's own folder, which the program reads
//! /opt/custom-connectors/<name>/manifest.json, templates/   the export, which the agent reads
//! /opt/custom-etl-connectors/<name>/           the connector's own folder, and connector.py in it
//! ```
//!
//! Everything is found by its place beside `connector.py`, so that the tree works wherever it is unpacked.

mod declared;
mod drivers;
mod program;
mod runtime;
mod text;

pub(crate) use drivers::{DriverBuild, built_driver, driver_of, installed_driver};
pub(crate) use program::PROGRAM;
pub use runtime::BowlineRuntime;
pub(crate) use runtime::shipped_files;
