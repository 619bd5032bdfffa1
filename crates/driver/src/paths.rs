//! Relative paths in a driver's options begin in the folder that the caller names, not where the program was started.

use std::path::Path;

#[cfg(any(feature = "adbc", feature = "odbc", feature = "sqlite"))]
use bowline_words::percent_encode;

/// A path that begins in a folder; as it is where the folder is empty, or the path needs none.
pub(crate) fn whole(directory: &Path, path: &str) -> String {
    if path.is_empty() || directory.as_os_str().is_empty() {
        return path.to_owned();
    }
    directory.join(path).to_string_lossy().into_owned()
}

#[cfg(any(feature = "adbc", feature = "odbc", feature = "sqlite"))]
/// The place of a database in one file: a path, `:memory:`, or a URI as SQLite writes it.
pub(crate) fn database_file(directory: &Path, place: &str) -> String {
    if let Some(uri) = place.strip_prefix("file:") {
        return format!("file:{}", file_uri(directory, uri));
    }
    if place.starts_with(':') {
        return place.to_owned();
    }
    whole(directory, place)
}

#[cfg(any(feature = "adbc", feature = "odbc", feature = "sqlite"))]
/// What follows `file:`.
fn file_uri(directory: &Path, uri: &str) -> String {
    let end = uri.find(['?', '#']).unwrap_or(uri.len());
    let (path, rest) = uri.split_at(end);
    let is_memory = path.starts_with(':')
        || rest
            .split(['?', '&', '#'])
            .any(|word| word == "mode=memory" || word == "vfs=memdb");
    if path.is_empty() || path.starts_with('/') || is_memory {
        return uri.to_owned();
    }
    format!("{}{rest}", whole_in_uri(directory, path))
}

#[cfg(any(feature = "adbc", feature = "odbc", feature = "sqlite"))]
/// A path whose special characters are percent-encoded.
pub(crate) fn whole_in_uri(directory: &Path, path: &str) -> String {
    let absolute = path.starts_with('/') || path.to_ascii_uppercase().starts_with("%2F");
    if path.is_empty() || absolute || directory.as_os_str().is_empty() {
        return path.to_owned();
    }
    let directory = directory.to_string_lossy();
    // Only a slash becomes `%2F`.
    let directory = percent_encode(directory.trim_end_matches('/')).replace("%2F", "/");
    format!("{directory}/{path}")
}

#[cfg(all(test, any(feature = "adbc", feature = "odbc", feature = "sqlite")))]
mod tests {
    use super::*;

    #[test]
    fn a_database_file_begins_in_the_folder() {
        for (place, is) in [
            ("shop.db", "/w s/shop.db"),
            ("../shop.db", "/w s/../shop.db"),
            ("/x/shop.db", "/x/shop.db"),
            ("", ""),
            (":memory:", ":memory:"),
            ("file:shop.db", "file:/w%20s/shop.db"),
            ("file:a%20b.db?mode=ro#x", "file:/w%20s/a%20b.db?mode=ro#x"),
            ("file:/x/shop.db", "file:/x/shop.db"),
            ("file:///x/shop.db?mode=ro", "file:///x/shop.db?mode=ro"),
            ("file:?mode=ro", "file:?mode=ro"),
            ("file::memory:?cache=shared", "file::memory:?cache=shared"),
            (
                "file:one?mode=memory&cache=shared",
                "file:one?mode=memory&cache=shared",
            ),
        ] {
            assert_eq!(database_file(Path::new("/w s"), place), is);
            assert_eq!(database_file(Path::new(""), place), place);
        }
    }
}
