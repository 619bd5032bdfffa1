//! Which keywords of ODBC connection strings name files.

use std::ops::Range;
use std::path::Path;

use crate::libpq;
use crate::paths::{database_file, whole};

/// Keywords that name a file or a folder whatever the driver is.
const FILES: [&str; 6] = [
    "sslca",
    "sslcapath",
    "sslcert",
    "sslcrl",
    "sslcrlpath",
    "sslkey",
];

/// Keywords that name the database's file where a database is a file.
const DATABASES: [&str; 3] = ["database", "dbq", "defaultdir"];

/// Parts of the names of drivers whose databases are files.
const FILE_DRIVERS: [&str; 4] = ["sqlite", "duckdb", "access", "excel"];

/// psqlODBC's keyword for what it hands to PostgreSQL's client library.
const LIBPQ: &str = "pqopt";

/// Whether the databases of the driver of that name, or in that library, are files.
pub(super) fn has_file_databases(driver: &str) -> bool {
    let driver = driver.to_lowercase();
    FILE_DRIVERS.iter().any(|part| driver.contains(part))
}

/// The value of a keyword, in which a relative path begins in the folder.
pub(super) fn value(directory: &Path, has_file_databases: bool, key: &str, value: &str) -> String {
    let key = key.trim().to_lowercase();
    if FILES.contains(&key.as_str()) {
        whole(directory, value)
    } else if key == LIBPQ {
        libpq::connection(directory, value)
    } else if has_file_databases && DATABASES.contains(&key.as_str()) {
        database_file(directory, value)
    } else if key == "driver" && value.contains('/') {
        whole(directory, value)
    } else {
        value.to_owned()
    }
}

/// A connection string in which relative paths begin in the folder; everything else is left as it is.
pub(super) fn connection_string(directory: &Path, has_file_databases: bool, text: &str) -> String {
    let mut written = String::new();
    let mut copied = 0;
    for pair in pairs(text) {
        let resolved = value(directory, has_file_databases, pair.key, &pair.value);
        if resolved != pair.value {
            written.push_str(&text[copied..pair.stands_at.start]);
            written.push_str(&format!("{{{}}}", resolved.replace('}', "}}")));
            copied = pair.stands_at.end;
        }
    }
    written + &text[copied..]
}

/// The driver that a connection string names.
pub(super) fn driver_of(text: &str) -> Option<String> {
    let named = pairs(text).find(|pair| pair.key.eq_ignore_ascii_case("driver"));
    named.map(|pair| pair.value)
}

/// A keyword of a connection string and its value, without the braces that may be around it.
struct Pair<'a> {
    key: &'a str,
    value: String,
    stands_at: Range<usize>,
}

fn pairs(text: &str) -> impl Iterator<Item = Pair<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (key, after) = rest.split_once('=')?;
        let start = text.len() - after.len();
        let (value, length) = first_value(after);
        let next = &after[length..];
        rest = next.split_once(';').map_or("", |(_, rest)| rest);
        Some(Pair {
            key: key.trim_start_matches(';').trim(),
            value,
            stands_at: start..start + length,
        })
    })
}

/// The value at the start of a text, and how long it is there.
fn first_value(text: &str) -> (String, usize) {
    let Some(braced) = text.trim_start().strip_prefix('{') else {
        let end = text.find(';').unwrap_or(text.len());
        return (text[..end].trim().to_owned(), end);
    };
    let mut value = String::new();
    let mut characters = braced.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        if character == '}' && characters.next_if(|(_, next)| *next == '}').is_none() {
            return (value, text.len() - braced.len() + at + 1);
        }
        value.push(character);
    }
    (value, text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_string_is_taken_apart() {
        let text = "Driver={A;B};PWD={x}}=y} ; Port = 1;;End=";
        let found: Vec<_> = pairs(text).map(|pair| (pair.key, pair.value)).collect();
        assert_eq!(
            found,
            [
                ("Driver", "A;B".to_owned()),
                ("PWD", "x}=y".to_owned()),
                ("Port", "1".to_owned()),
                ("End", String::new()),
            ]
        );
        assert_eq!(driver_of(text).as_deref(), Some("A;B"));
    }

    #[test]
    fn only_files_begin_in_the_folder() {
        for (has_file_databases, text, is) in [
            (
                true,
                "Driver={SQLite3};Database=shop.db;Timeout=5",
                "Driver={SQLite3};Database={/w/shop.db};Timeout=5",
            ),
            (
                false,
                "Driver={X Y};Database=shop;",
                "Driver={X Y};Database=shop;",
            ),
            (
                false,
                "SSLCA={my ca.pem};DSN=shop;sslkey=/x/k.pem",
                "SSLCA={/w/my ca.pem};DSN=shop;sslkey=/x/k.pem",
            ),
            (
                false,
                "Driver=lib/x.so;pqopt={passfile=p}",
                "Driver={/w/lib/x.so};pqopt={passfile='/w/p'}",
            ),
        ] {
            let directory = Path::new("/w");
            assert_eq!(connection_string(directory, has_file_databases, text), is);
        }
    }
}
