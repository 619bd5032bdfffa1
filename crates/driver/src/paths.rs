//! Relative paths in a driver's options begin in the folder that the caller names, not where the program was started.

use std::path::Path;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stands in a URI's path as it is.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The parameters of PostgreSQL's client library that name files and folders.
const LIBPQ_FILES: [&str; 6] = [
    "passfile",
    "sslcert",
    "sslcrl",
    "sslcrldir",
    "sslkey",
    "sslrootcert",
];

/// A path that begins in a folder; as it is where the folder is empty, or the path needs none.
pub(crate) fn whole(directory: &Path, path: &str) -> String {
    if path.is_empty() || directory.as_os_str().is_empty() {
        return path.to_owned();
    }
    directory.join(path).to_string_lossy().into_owned()
}

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

/// A path whose special characters are percent-encoded.
fn whole_in_uri(directory: &Path, path: &str) -> String {
    let absolute = path.starts_with('/') || path.to_ascii_uppercase().starts_with("%2F");
    if path.is_empty() || absolute || directory.as_os_str().is_empty() {
        return path.to_owned();
    }
    let directory = directory.to_string_lossy();
    let directory = utf8_percent_encode(directory.trim_end_matches('/'), PATH);
    format!("{directory}/{path}")
}

/// Where PostgreSQL's client library connects to, as a URI or as `key=value` pairs.
pub(crate) fn libpq(directory: &Path, text: &str) -> String {
    let is_uri = ["postgresql://", "postgres://"]
        .iter()
        .any(|scheme| text.starts_with(scheme));
    if is_uri {
        libpq_uri(directory, text)
    } else {
        libpq_pairs(directory, text)
    }
}

fn libpq_uri(directory: &Path, uri: &str) -> String {
    let Some((server, query)) = uri.split_once('?') else {
        return uri.to_owned();
    };
    let parameters: Vec<String> = query
        .split('&')
        .map(|parameter| match parameter.split_once('=') {
            Some((key, path)) if is_libpq_file(key, path) => {
                format!("{key}={}", whole_in_uri(directory, path))
            }
            _ => parameter.to_owned(),
        })
        .collect();
    format!("{server}?{}", parameters.join("&"))
}

fn libpq_pairs(directory: &Path, text: &str) -> String {
    let mut written = String::new();
    let mut rest = text;
    while let Some((key, after)) = rest.split_once('=') {
        let value = after.trim_start();
        let (value, next) = value.split_at(libpq_value(value));
        written.push_str(key);
        written.push('=');
        let path = unquoted(value);
        if is_libpq_file(key.trim(), &path) {
            written.push_str(&quoted(&whole(directory, &path)));
        } else {
            written.push_str(value);
        }
        rest = next;
    }
    written + rest
}

fn is_libpq_file(key: &str, value: &str) -> bool {
    // `system` means the machine's own certificates, and a key with a colon is kept by a device.
    LIBPQ_FILES.contains(&key) && value != "system" && !value.contains(':')
}

/// How long the value at the start of a text is.
fn libpq_value(text: &str) -> usize {
    let is_quoted = text.starts_with('\'');
    let mut characters = text.char_indices();
    if is_quoted {
        characters.next();
    }
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => {
                characters.next();
            }
            '\'' if is_quoted => return at + 1,
            blank if blank.is_whitespace() && !is_quoted => return at,
            _ => {}
        }
    }
    text.len()
}

fn unquoted(value: &str) -> String {
    let inner = value
        .strip_prefix('\'')
        .map_or(value, |rest| rest.strip_suffix('\'').unwrap_or(rest));
    let mut text = String::new();
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        text.extend(if character == '\\' {
            characters.next()
        } else {
            Some(character)
        });
    }
    text
}

fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "\\'"))
}

#[cfg(test)]
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

    #[test]
    fn the_files_of_postgresqls_library_begin_in_the_folder() {
        for (text, is) in [
            ("postgresql://u@h:1/d", "postgresql://u@h:1/d"),
            (
                "postgres:///d?sslrootcert=ca.pem&sslmode=require&sslcert=%2Fx%2Fc.pem",
                "postgres:///d?sslrootcert=/w%20s/ca.pem&sslmode=require&sslcert=%2Fx%2Fc.pem",
            ),
            (
                "postgresql://h/d?sslrootcert=system",
                "postgresql://h/d?sslrootcert=system",
            ),
            (
                "host=h passfile=secret/pass dbname='a b=c'",
                "host=h passfile='/w s/secret/pass' dbname='a b=c'",
            ),
            (
                r"sslkey = 'it\'s.key' user=o\ k  ",
                r"sslkey ='/w s/it\'s.key' user=o\ k  ",
            ),
            ("sslcert=/x/c.pem port=1", "sslcert='/x/c.pem' port=1"),
            ("", ""),
        ] {
            assert_eq!(libpq(Path::new("/w s"), text), is);
        }
    }
}
