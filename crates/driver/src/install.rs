//! Installing drivers.

use std::path::PathBuf;

/// The folder drivers are installed in, and found in without any setting.
#[must_use]
pub fn driver_folder() -> Option<PathBuf> {
    std::env::var_os("BOWLINE_DRIVER_DIR").map(PathBuf::from)
}
