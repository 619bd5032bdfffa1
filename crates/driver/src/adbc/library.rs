//! Finding and loading a driver's shared library.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::path::Path;

use adbc_core::options::AdbcVersion;
use adbc_core::{
    LOAD_FLAG_DEFAULT, LOAD_FLAG_SEARCH_ENV, LOAD_FLAG_SEARCH_SYSTEM, LOAD_FLAG_SEARCH_USER,
};
use adbc_driver_manager::ManagedDriver;
use bowline_words::nearest::hint_or;

use crate::{AdbcLibrary, SqlError, SqlErrorKind};
use bowline_installer::catalogue::{self, catalogue};
use bowline_installer::{InstallState, driver_folder, install_state};

/// Loads a driver's library and runs its entry point.
///
/// # Errors
/// Kind `Driver`, with what to do about it.
pub(super) fn load(
    library: &AdbcLibrary,
    entrypoint: Option<&str>,
) -> Result<ManagedDriver, SqlError> {
    match library {
        AdbcLibrary::Named(name) => load_named(name, entrypoint),
        AdbcLibrary::File(path) => load_file(path, entrypoint),
    }
}

fn load_named(name: &str, entrypoint: Option<&str>) -> Result<ManagedDriver, SqlError> {
    let entry = catalogue::find(name);
    let state = entry.zip(driver_folder());
    let state = state.map(|(entry, folder)| install_state(entry, &folder));
    if let Some(InstallState::Broken { manifest }) = state {
        // A library that was cut short ends the whole process when it is loaded.
        return Err(driver_error(format!(
            "driver cannot be loaded: the library of `{}` is not there or not whole",
            manifest.display()
        ))
        .hint(format!(
            "install it again with `bowline driver install {name}`"
        )));
    }
    let entrypoint = entrypoint.or(entry.map(|entry| entry.entrypoint));
    let flags = LOAD_FLAG_SEARCH_ENV | LOAD_FLAG_SEARCH_USER | LOAD_FLAG_SEARCH_SYSTEM;
    let folder = driver_folder();
    let folders = folder.as_deref().map(|folder| vec![folder.to_owned()]);
    ManagedDriver::load_from_name(
        name,
        entrypoint.map(str::as_bytes),
        AdbcVersion::V110,
        flags,
        folders,
    )
    .map_err(|error| {
        // An image holds drivers as bare libraries.
        let library = format!("{DLL_PREFIX}{name}{DLL_SUFFIX}");
        let there = folder.and_then(|folder| {
            [format!("{name}.toml"), library]
                .map(|file| folder.join(file))
                .into_iter()
                .find(|file| file.is_file())
        });
        if let Some(there) = there {
            return driver_error(format!(
                "driver cannot be loaded: `{name}` from `{}`\n{}",
                there.display(),
                reasons(&error),
            ))
            .hint(format!(
                "install it again with `bowline driver install {name}`"
            ));
        }
        let hint = match entry {
            Some(entry) => format!("install it with `bowline driver install {}`", entry.name),
            None => hint_or(name, catalogue().iter().map(|entry| entry.name), || {
                "name an installed driver or give its library with `path`; `bowline driver list` shows those that can be installed".to_owned()
            }),
        };
        driver_error(format!("driver is not installed: `{name}`")).hint(hint)
    })
}

fn load_file(path: &Path, entrypoint: Option<&str>) -> Result<ManagedDriver, SqlError> {
    let shown = path.display();
    if !path.is_file() {
        return Err(
            driver_error(format!("driver library is not there: `{shown}`"))
                .hint("give the path of a shared library or of a driver manifest".to_owned()),
        );
    }
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    ManagedDriver::load_from_name(
        absolute,
        entrypoint.map(str::as_bytes),
        AdbcVersion::V110,
        LOAD_FLAG_DEFAULT,
        None,
    )
    .map_err(|error| {
        driver_error(format!(
            "driver cannot be loaded: `{shown}`\n{}",
            reasons(&error)
        ))
        .hint("check that it is an ADBC driver for this platform, and its `entrypoint`".to_owned())
    })
}

/// What the driver manager tried and why each try failed.
fn reasons(error: &adbc_core::error::Error) -> String {
    let tried = error.details.iter().flatten();
    let mut told: Vec<String> = Vec::new();
    for (_, text) in tried {
        let text = String::from_utf8_lossy(text);
        let text = reason(&text);
        if !told.iter().any(|before| before == text) {
            told.push(text.to_owned());
        }
    }
    if told.is_empty() {
        error.message.clone()
    } else {
        told.join("\n")
    }
}

/// One reason without the status and the codes, which say nothing here, that the driver manager puts around it.
fn reason(text: &str) -> &str {
    let text = text.split(" (sqlstate: ").next().unwrap_or(text);
    match text.split_once(": ") {
        Some((status, rest)) if status.chars().all(char::is_alphanumeric) => rest,
        _ => text,
    }
}

fn driver_error(message: String) -> SqlError {
    SqlError::new(SqlErrorKind::Driver, message)
}

#[cfg(test)]
mod tests {
    use adbc_core::error::{Error, Status};

    use super::*;

    #[test]
    fn what_was_tried_is_told_once() {
        let tried = |text: &str| ("tried".to_owned(), text.as_bytes().to_vec());
        let mut error = Error::with_message_and_status("not found", Status::NotFound);
        assert_eq!(reasons(&error), "not found");
        let denied = "InvalidArguments: Could not read manifest 'a.toml': Permission denied (sqlstate: 00000, vendor_code: 0)";
        error.details = Some(vec![
            tried(denied),
            tried("Internal: Error with dynamic library: a.so: no such file"),
            tried(denied),
        ]);
        assert_eq!(
            reasons(&error),
            "Could not read manifest 'a.toml': Permission denied\nError with dynamic library: a.so: no such file"
        );
    }
}
