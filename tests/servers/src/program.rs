//! Where the programs of others are.

use std::path::PathBuf;

/// Where servers' programs stand that are not on everybody's path.
const BESIDE_THE_PATH: [&str; 5] = [
    "/usr/bin",
    "/usr/sbin",
    "/sbin",
    "/usr/libexec",
    "/opt/homebrew/bin",
];

/// The folders in which programs are looked for, in this order.
pub(crate) fn folders() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(BESIDE_THE_PATH.map(PathBuf::from))
        .collect()
}

/// Where a program is: on the path, or where servers' programs usually stand.
#[must_use]
pub fn find_program(name: &str) -> Option<PathBuf> {
    let mut places = folders().into_iter().map(|folder| folder.join(name));
    places.find(|place| place.is_file())
}
