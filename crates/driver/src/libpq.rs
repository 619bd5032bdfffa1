//! Files that PostgreSQL's client library is told of: relative paths begin in the folder that the caller names.

#[cfg(any(feature = "adbc", feature = "odbc"))]
use std::path::Path;

#[cfg(any(feature = "adbc", feature = "odbc"))]
use crate::paths::{whole, whole_in_uri};

/// The parameters of PostgreSQL's client library that name files and folders.
pub(crate) const FILES: [&str; 6] = [
    "passfile",
    "sslcert",
    "sslcrl",
    "sslcrldir",
    "sslkey",
    "sslrootcert",
];

/// Where PostgreSQL's client library connects to, as a URI or as `key=value` pairs.
#[cfg(any(feature = "adbc", feature = "odbc"))]
pub(crate) fn connection(directory: &Path, text: &str) -> String {
    let is_uri = ["postgresql://", "postgres://"]
        .iter()
        .any(|scheme| text.starts_with(scheme));
    if is_uri {
        uri(directory, text)
    } else {
        pairs(directory, text)
    }
}

#[cfg(any(feature = "adbc", feature = "odbc"))]
fn uri(directory: &Path, uri: &str) -> String {
    let Some((server, query)) = uri.split_once('?') else {
        return uri.to_owned();
    };
    let parameters: Vec<String> = query
        .split('&')
        .map(|parameter| match parameter.split_once('=') {
            Some((key, path)) if is_file(key, path) => {
                format!("{key}={}", whole_in_uri(directory, path))
            }
            _ => parameter.to_owned(),
        })
        .collect();
    format!("{server}?{}", parameters.join("&"))
}

#[cfg(any(feature = "adbc", feature = "odbc"))]
fn pairs(directory: &Path, text: &str) -> String {
    let mut written = String::new();
    let mut rest = text;
    while let Some((key, after)) = rest.split_once('=') {
        let value = after.trim_start();
        let (value, next) = value.split_at(value_length(value));
        written.push_str(key);
        written.push('=');
        let path = unquoted(value);
        if is_file(key.trim(), &path) {
            written.push_str(&quoted(&whole(directory, &path)));
        } else {
            written.push_str(value);
        }
        rest = next;
    }
    written + rest
}

/// Whether the value of a parameter is a path.
pub(crate) fn is_file(key: &str, value: &str) -> bool {
    // `system` means the machine's own certificates, and a key with a colon is kept by a device.
    FILES.contains(&key) && value != "system" && !value.contains(':')
}

/// The keys and values of `key=value` pairs; none where they are something else.
#[cfg(feature = "postgres")]
pub(crate) fn read_pairs(text: &str) -> Option<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=')?;
        let (value, next) = after
            .trim_start()
            .split_at(value_length(after.trim_start()));
        let key = key.trim();
        if key.is_empty() || key.contains(char::is_whitespace) {
            return None;
        }
        pairs.push((key.to_owned(), unquoted(value)));
        rest = next.trim_start();
    }
    Some(pairs)
}

/// How long the value at the start of a text is.
fn value_length(text: &str) -> usize {
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

#[cfg(any(feature = "adbc", feature = "odbc"))]
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "\\'"))
}

#[cfg(all(test, any(feature = "adbc", feature = "odbc")))]
mod tests {
    use super::*;

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
            assert_eq!(connection(Path::new("/w s"), text), is);
        }
    }
}
