//! The drivers that can be installed, and installing them.

pub mod catalogue;
mod client;
mod error;
mod fetch;
mod folder;
mod install;
mod manifest;
mod unpack;

pub use client::{last_lines, run_client};
pub use error::InstallError;
pub use folder::{DRIVER_FOLDER_VARIABLE, driver_folder};
pub use install::{
    InstallEvent, InstallOptions, InstallOutcome, InstallState, Installed, install, install_for,
    install_state, remove,
};
