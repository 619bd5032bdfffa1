//! Where drivers are installed, and found in without any setting.

use std::path::PathBuf;

/// Names the folder to use instead of the user's standard one.
pub const DRIVER_FOLDER_VARIABLE: &str = "BOWLINE_DRIVER_DIR";

/// The folder drivers are installed in, and found in without any setting: what the variable
/// `BOWLINE_DRIVER_DIR` names, else the user's standard folder of ADBC drivers. `None` without a home folder.
#[must_use]
pub fn driver_folder() -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(folder) = variable(DRIVER_FOLDER_VARIABLE) {
        return std::path::absolute(folder).ok();
    }
    if cfg!(windows) {
        variable("LOCALAPPDATA").map(|data| PathBuf::from(data).join("ADBC/Drivers"))
    } else if cfg!(target_os = "macos") {
        variable("HOME")
            .map(|home| PathBuf::from(home).join("Library/Application Support/ADBC/Drivers"))
    } else {
        variable("XDG_CONFIG_HOME")
            .map(PathBuf::from)
            .or_else(|| variable("HOME").map(|home| PathBuf::from(home).join(".config")))
            .map(|config| config.join("adbc/drivers"))
    }
}
