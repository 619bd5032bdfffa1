//! What a `connector.toml` needs from outside its text: a driver, a library, a program.

use std::path::Path;

use bowline_contract::layout::CONNECTOR_FILE;
use bowline_contract::toml_text;
use toml::{Table, Value};

use crate::error::{ImageError, ImageErrorKind};

/// What a connector's driver is, as far as an image has to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Needs {
    /// Nothing that is not in the program: SQLite, HTTP, or what the base has to bring, such as an ODBC driver.
    Nothing,
    /// The ADBC driver of this name.
    Driver(String),
    /// A library or a driver of the connector's own, in its folder.
    File(String),
    /// A program, and what its command gives it.
    Program {
        /// The command's first word.
        program: String,
        /// The others.
        arguments: Vec<String>,
    },
}

/// Reads what a connector needs. Its file was loaded before, by the suite that proved it: what is wrong in it is told
/// there.
///
/// # Errors
/// When the file cannot be read, or is not TOML any more.
pub(super) fn needs(dir: &Path) -> Result<Needs, ImageError> {
    let path = dir.join(CONNECTOR_FILE);
    let thing = || format!("`{}`", path.display());
    let text = bowline_contract::reading::read_text(&path).map_err(|error| {
        ImageError::new(ImageErrorKind::Unreadable, thing()).because(error.to_string())
    })?;
    toml_text::check_brackets(&text)
        .map_err(|odd| ImageError::new(ImageErrorKind::Invalid, thing()).because(odd.words()))?;
    let table: Table = text.parse().map_err(|error: toml::de::Error| {
        ImageError::new(ImageErrorKind::Invalid, thing()).because(error.message())
    })?;
    let driver = table.get("driver");
    let get = |key: &str| driver.and_then(|driver| driver.get(key));
    let words = |key: &str| get(key).and_then(Value::as_str).map(str::to_owned);
    Ok(match words("kind").as_deref() {
        Some("adbc") => match (words("path"), words("name")) {
            (Some(path), _) => Needs::File(path),
            (None, Some(name)) => Needs::Driver(name),
            (None, None) => Needs::Nothing,
        },
        Some("odbc") => words("path").map_or(Needs::Nothing, Needs::File),
        Some("process") => {
            let command = get("command").and_then(Value::as_array);
            let words = command.into_iter().flatten().filter_map(Value::as_str);
            let mut words = words.map(str::to_owned);
            words
                .next()
                .map_or(Needs::Nothing, |program| Needs::Program {
                    program,
                    arguments: words.collect(),
                })
        }
        _ => Needs::Nothing,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_needed_is_read() {
        let dir = tempfile::tempdir().unwrap();
        for (text, expected) in [
            ("[driver]\nkind = \"sqlite\"", Needs::Nothing),
            ("[driver]\nkind = \"odbc\"\nname = \"X\"", Needs::Nothing),
            (
                "[driver]\nkind = \"adbc\"\nname = \"duckdb\"",
                Needs::Driver("duckdb".to_owned()),
            ),
            (
                "[driver]\nkind = \"adbc\"\npath = \"lib/x.so\"",
                Needs::File("lib/x.so".to_owned()),
            ),
            (
                "[driver]\nkind = \"process\"\ncommand = [\"./serve\", \"--fast\"]",
                Needs::Program {
                    program: "./serve".to_owned(),
                    arguments: vec!["--fast".to_owned()],
                },
            ),
            ("[http]\nbase = \"x\"", Needs::Nothing),
        ] {
            std::fs::write(dir.path().join("connector.toml"), text).unwrap();
            assert_eq!(needs(dir.path()).unwrap(), expected, "{text}");
        }
        std::fs::write(dir.path().join("connector.toml"), "[driver").unwrap();
        assert_eq!(needs(dir.path()).unwrap_err().kind, ImageErrorKind::Invalid);
    }
}
