//! From a driver's options to the text a connection is opened with.

use std::collections::BTreeMap;
use std::path::Path;

use super::paths;
use crate::{SqlError, SqlErrorKind};

/// The option that names a data source of the machine.
const DSN: &str = "dsn";

/// The option that holds a connection string, or the start of one.
const CONNECTION_STRING: &str = "connection_string";

/// Characters that mean something in a connection string, so that a value with one goes into braces.
const SPECIAL: [char; 15] = [
    '[', ']', '{', '}', '(', ')', ',', ';', '?', '*', '=', '!', '@', '%', '+',
];

/// Puts the driver and the options together: `dsn` or `connection_string` first, every other option as `key=value`.
/// Relative paths begin in the folder.
///
/// # Errors
/// Kind `Driver` when the options contradict each other, name nothing to connect to, or cannot be written.
pub(super) fn connection_string(
    driver: Option<&str>,
    directory: &Path,
    options: &BTreeMap<String, String>,
) -> Result<String, SqlError> {
    let option = |name: &str| {
        let mut options = options.iter();
        options.find(|(key, _)| key.eq_ignore_ascii_case(name))
    };
    let named = option("driver").map(|(_, value)| value);
    let text = option(CONNECTION_STRING).map(|(_, text)| text.trim().trim_end_matches(';'));
    let in_text = text.and_then(paths::driver_of);
    let has_file_databases = [driver, named.map(String::as_str), in_text.as_deref()]
        .into_iter()
        .flatten()
        .any(paths::has_file_databases);
    let begin = match (option(DSN), text) {
        (Some(_), Some(_)) => {
            return Err(refused(
                "two ODBC options for one thing: `dsn` and `connection_string`",
                "keep one; other options are added to either",
            ));
        }
        (Some((_, dsn)), None) => format!("DSN={}", escaped("dsn", dsn)?),
        (None, Some(text)) => paths::connection_string(directory, has_file_databases, text),
        (None, None) if driver.is_none() && named.is_none() => {
            return Err(refused(
                "missing ODBC option: nothing says what to connect to",
                "give `dsn` or `connection_string` in `[driver.options]`, or the ODBC driver's `name` in `[driver]`",
            ));
        }
        (None, None) => String::new(),
    };
    let mut parts: Vec<String> = (!begin.is_empty()).then_some(begin).into_iter().collect();
    if let Some(driver) = driver {
        if named.is_some() {
            return Err(refused(
                "two ODBC drivers are named: by `[driver]` and by the option `driver`",
                "keep one of them",
            ));
        }
        // The manager does not take a name in quotes or doubled braces, only in plain ones.
        parts.push(format!("Driver={{{driver}}}"));
    }
    for (key, value) in options {
        if [DSN, CONNECTION_STRING]
            .iter()
            .any(|known| key.eq_ignore_ascii_case(known))
        {
            continue;
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ' ' | '.');
        if key.trim().is_empty() || !key.chars().all(is_plain) {
            return Err(refused(
                &format!("ODBC option cannot be written: `{key}`"),
                "options are keywords of the ODBC driver, such as `Server`",
            ));
        }
        let value = paths::value(directory, has_file_databases, key, value);
        parts.push(format!("{key}={}", escaped(key, &value)?));
    }
    Ok(parts.join(";"))
}

/// A value as a connection string has it: in braces where a character of it would mean something.
fn escaped(key: &str, value: &str) -> Result<String, SqlError> {
    if value.contains('\0') {
        return Err(SqlError::new(
            SqlErrorKind::Driver,
            format!("ODBC option cannot be written: `{key}` holds a NUL character"),
        ));
    }
    let is_plain = !value.contains(SPECIAL) && value.trim() == value;
    Ok(match is_plain {
        true => value.to_owned(),
        false => format!("{{{}}}", value.replace('}', "}}")),
    })
}

fn refused(message: &str, hint: &str) -> SqlError {
    SqlError::new(SqlErrorKind::Driver, message).hint(hint.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(driver: Option<&str>, options: &[(&str, &str)]) -> Result<String, String> {
        let options = options
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        connection_string(driver, Path::new("/w"), &options).map_err(|error| error.text())
    }

    #[test]
    fn options_follow_what_is_connected_to() {
        let pairs = [("Server", "h"), ("dsn", "shop"), ("Port", "3306")];
        assert_eq!(text(None, &pairs).unwrap(), "DSN=shop;Port=3306;Server=h");
        let pairs = [("connection_string", "DRIVER={X};A=1; "), ("B", "2")];
        assert_eq!(text(None, &pairs).unwrap(), "DRIVER={X};A=1;B=2");
        assert_eq!(
            text(Some("MariaDB Unicode"), &[("Server", "h")]).unwrap(),
            "Driver={MariaDB Unicode};Server=h"
        );
        assert_eq!(text(None, &[("Driver", "X")]).unwrap(), "Driver=X");
    }

    #[test]
    fn the_file_of_a_database_begins_in_the_folder() {
        assert_eq!(
            text(Some("SQLite3"), &[("Database", "shop.db")]).unwrap(),
            "Driver={SQLite3};Database=/w/shop.db"
        );
        assert_eq!(
            text(
                Some("MariaDB Unicode"),
                &[("Database", "shop"), ("SSLCA", "ca.pem")]
            )
            .unwrap(),
            "Driver={MariaDB Unicode};Database=shop;SSLCA=/w/ca.pem"
        );
        assert_eq!(
            text(
                None,
                &[("connection_string", "Driver=SQLite3;Database=shop.db")]
            )
            .unwrap(),
            "Driver=SQLite3;Database={/w/shop.db}"
        );
    }

    #[test]
    fn values_cannot_break_out() {
        for (value, written) in [
            ("plain-1_x", "plain-1_x"),
            ("a;Server=evil", "{a;Server=evil}"),
            ("}", "{}}}"),
            ("{a}b", "{{a}}b}"),
            (" pad ", "{ pad }"),
            ("p@ss=w!", "{p@ss=w!}"),
            ("", ""),
        ] {
            assert_eq!(
                text(Some("X"), &[("PWD", value)]).unwrap(),
                format!("Driver={{X}};PWD={written}")
            );
        }
        assert!(text(Some("X"), &[("PWD", "a\0b")]).is_err());
        assert!(text(Some("X"), &[("A;B", "1")]).is_err());
    }

    #[test]
    fn one_thing_is_said_once() {
        let both = [("dsn", "a"), ("connection_string", "b")];
        assert!(text(None, &both).unwrap_err().contains("keep one"));
        assert!(
            text(Some("X"), &[("driver", "Y")])
                .unwrap_err()
                .contains("keep one")
        );
        assert!(
            text(None, &[("Server", "h")])
                .unwrap_err()
                .contains("`dsn`")
        );
    }
}
