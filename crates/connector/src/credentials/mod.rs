//! `credentials.json`: the one file with secrets, and what is made from it.

mod expression;

use std::path::{Path, PathBuf};

use bowline_contract::credentials::secret_values;
use bowline_words::{Diagnose, Diagnostic, Redactor};
use serde_json::{Map, Value};

pub use expression::{ExpressionError, check_expression};

/// The credentials of one connector, read from its `credentials.json`.
///
/// Debug output and errors never show a value.
#[derive(Clone)]
pub struct Credentials {
    document: Value,
    redactor: Redactor,
}

/// Why credentials cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// There is no such file.
    #[error("no credentials: `{}` does not exist", .path.display())]
    Missing {
        /// The file looked for.
        path: PathBuf,
    },
    /// The file could not be read.
    #[error("cannot read credentials: `{}`: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not JSON. The line itself is not shown: it may hold a secret.
    #[error("invalid credentials: `{}:{line}:{column}`: {message}", .path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong.
        message: String,
        /// What to do about it.
        hint: Option<&'static str>,
    },
    /// The JSON does not have the shape of credentials.
    #[error("invalid credentials: `{}`: {message}", .path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
        /// What to do about it.
        hint: String,
    },
}

impl Diagnose for CredentialsError {
    fn diagnose(&self) -> Diagnostic {
        let hint = match self {
            Self::Missing { .. } => Some(r#"write `{"connect_args": {…}}` there"#.to_owned()),
            Self::Shape { hint, .. } => Some(hint.clone()),
            Self::Syntax { hint, .. } => {
                let usual = "write JSON there: texts in double quotes, commas between values alone";
                Some(hint.unwrap_or(usual).to_owned())
            }
            Self::Unreadable { .. } => {
                Some("let it be a text file in UTF-8 that this user may read".to_owned())
            }
        };
        Diagnostic::of(self).hint(hint)
    }
}

impl Credentials {
    /// Reads a credentials file.
    ///
    /// # Errors
    /// [`CredentialsError`]: no file, not readable, not JSON, or without the `connect_args` object.
    pub fn read(path: &Path) -> Result<Self, CredentialsError> {
        match bowline_contract::reading::read_text(path) {
            Ok(text) => Self::parse(path, &text),
            Err(source) => {
                let path = path.to_path_buf();
                Err(if source.kind() == std::io::ErrorKind::NotFound {
                    CredentialsError::Missing { path }
                } else {
                    CredentialsError::Unreadable { path, source }
                })
            }
        }
    }

    /// Reads credentials from text; `path` is what errors call it.
    ///
    /// # Errors
    /// As [`Credentials::read`].
    pub fn parse(path: &Path, text: &str) -> Result<Self, CredentialsError> {
        if text.trim().is_empty() {
            return Err(CredentialsError::Shape {
                path: path.to_path_buf(),
                message: "the file is empty".to_owned(),
                hint: r#"write `{"connect_args": {…}}` there"#.to_owned(),
            });
        }
        let document: Value = serde_json::from_str(text).map_err(|error| {
            // The parser counts a line break to the line after it, as column 0.
            let (line, column) = match (error.line(), error.column()) {
                (line, 0) => (
                    line.saturating_sub(1).max(1),
                    width_of(text, line.saturating_sub(1)) + 1,
                ),
                place => place,
            };
            let message = json_message(&error);
            CredentialsError::Syntax {
                path: path.to_path_buf(),
                line,
                column,
                hint: hint_for(text, line, &message),
                message,
            }
        })?;
        if let Some((key, place)) = bowline_contract::manifest::repeated_key(text) {
            return Err(CredentialsError::Syntax {
                path: path.to_path_buf(),
                line: place.line,
                column: place.column,
                message: format!("repeated key: `{key}`"),
                hint: Some("keep one of them"),
            });
        }
        let shape = |message: &str, hint: &str| CredentialsError::Shape {
            path: path.to_path_buf(),
            message: message.to_owned(),
            hint: hint.to_owned(),
        };
        let Some(root) = document.as_object() else {
            return Err(shape(
                "the file must hold an object",
                "wrap the values in `{\"connect_args\": {…}}`",
            ));
        };
        match root.get("connect_args") {
            Some(Value::Object(_)) => {
                // Messages and kept reports name the connector, whatever its password is.
                let folder = path.parent().unwrap_or(path);
                let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
                let name = folder.file_name().unwrap_or_default().to_string_lossy();
                let redactor = Redactor::beside(secret_values(&document), &name);
                Ok(Self { document, redactor })
            }
            Some(_) => Err(shape(
                "`connect_args` must be an object",
                "write its values between `{` and `}`",
            )),
            None => Err(shape(
                "`connect_args` is missing",
                "wrap the values in `{\"connect_args\": {…}}`",
            )),
        }
    }

    /// Credentials of these `connect_args`, that did not come from a file.
    #[must_use]
    pub fn of_connect_args(connect_args: Map<String, Value>) -> Self {
        let document = serde_json::json!({ "connect_args": connect_args });
        let redactor = Redactor::new(secret_values(&document));
        Self { document, redactor }
    }

    /// The values under `connect_args`.
    #[must_use]
    pub fn connect_args(&self) -> &Map<String, Value> {
        static EMPTY: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
        self.document["connect_args"].as_object().unwrap_or(&EMPTY)
    }

    /// The whole document, as validation against a credentials schema wants it. Mind the secrets in it.
    #[must_use]
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// What hides these credentials' secrets in texts for their user: one that is the connector's name only where a
    /// password is written.
    #[must_use]
    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// What hides every secret wherever it stands, in what others may read.
    #[must_use]
    pub fn strict_redactor(&self) -> Redactor {
        Redactor::new(secret_values(&self.document))
    }

    /// Evaluates Jinja over the connect_args.
    ///
    /// # Errors
    /// [`ExpressionError`]; its text holds no secret.
    pub fn evaluate(&self, text: &str) -> Result<String, ExpressionError> {
        expression::evaluate(text, self.connect_args())
            .map_err(|error| error.redacted(&self.redactor))
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&String> = self.connect_args().keys().collect();
        f.debug_struct("Credentials")
            .field("connect_args", &names)
            .finish_non_exhaustive()
    }
}

/// How many characters a line has, counted from 1; none for a line that is not there.
fn width_of(text: &str, line: usize) -> usize {
    text.lines()
        .nth(line.saturating_sub(1))
        .map_or(0, |line| line.chars().count())
}

/// What to do about a line that is no JSON, where it shows one of the usual slips.
fn hint_for(text: &str, line: usize, message: &str) -> Option<&'static str> {
    let line = text.lines().nth(line.saturating_sub(1))?.trim_start();
    if message == "invalid escape" {
        Some("a backslash in a text is written twice: `\\\\`")
    } else if line.contains(['\u{201c}', '\u{201d}', '\u{201e}'])
        || !line.contains('"') && line.contains('\'')
    {
        Some("write plain double quotes: `\"`")
    } else if line.starts_with(['#', '/']) {
        Some("JSON has no comments: take the line out")
    } else {
        None
    }
}

/// The JSON parser's message without the place it appends.
fn json_message(error: &serde_json::Error) -> String {
    let message = error.to_string();
    match message.rfind(" at line ") {
        Some(at) => message[..at].to_owned(),
        None => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        Credentials::parse(Path::new("credentials.json"), text)
            .unwrap_err()
            .diagnose()
            .to_string()
    }

    #[test]
    fn broken_json_is_placed_and_not_shown() {
        let text = told("{\n  \"connect_args\": {\"password\": \"hunter2\n\"}}");
        assert!(
            text.starts_with("invalid credentials: `credentials.json:2:"),
            "{text}"
        );
        assert!(!text.contains("hunter2"), "{text}");
    }

    #[test]
    fn usual_slips_have_a_hint() {
        for (text, hint) in [
            (r#"{"connect_args": {"path": "C:\data"}}"#, "written twice"),
            ("{'connect_args': {'host': 'db'}}", "plain double quotes"),
            ("{\u{201c}connect_args\u{201d}: {}}", "plain double quotes"),
            ("// mine\n{\"connect_args\": {}}", "no comments"),
            (
                "{\"connect_args\": {\"host\": \"a\",\n  \"host\": \"b\"}}",
                "credentials.json:2:8`: repeated key: `host`",
            ),
            (
                "{\"connect_args\": {}, \"connect_args\": {}}",
                "keep one of them",
            ),
        ] {
            assert!(told(text).contains(hint), "{}", told(text));
        }
        let other = told("{\"connect_args\": {\"path\": \"C:\\\\data\",}}");
        assert!(other.contains("hint: write JSON there"), "{other}");
    }

    #[test]
    fn the_wrapper_is_asked_for() {
        for text in ["{\"host\": \"db\"}", "[]"] {
            assert!(told(text).contains("{\"connect_args\": {…}}"), "{text}");
        }
        assert!(told("{\"connect_args\": 3}").contains("`connect_args` must be an object"));
    }

    #[test]
    fn debug_output_has_names_and_no_values() {
        let text = r#"{"connect_args": {"host": "db", "password": "hunter2"}}"#;
        let credentials = Credentials::parse(Path::new("c.json"), text).unwrap();
        let shown = format!("{credentials:?}");
        assert!(
            shown.contains("password") && !shown.contains("hunter2"),
            "{shown}"
        );
        assert_eq!(
            credentials.redactor().redact("at db: hunter2"),
            "at db: ***"
        );
    }

    #[test]
    fn a_password_that_names_the_folder_does_not_blank_it_out() {
        let text = r#"{"connect_args": {"password": "shop"}}"#;
        let path = Path::new("connectors/shop/credentials.json");
        let credentials = Credentials::parse(path, text).unwrap();
        assert_eq!(
            credentials
                .redactor()
                .redact("connectors/shop/credentials.json: password=shop"),
            "connectors/shop/credentials.json: password=***"
        );
        assert_eq!(credentials.strict_redactor().redact("by shop"), "by ***");
        let path = Path::new("/srv/hunter2/connectors/shop/credentials.json");
        let text = r#"{"connect_args": {"password": "hunter2"}}"#;
        let credentials = Credentials::parse(path, text).unwrap();
        assert_eq!(credentials.redactor().redact("by hunter2"), "by ***");
    }

    #[test]
    fn a_missing_file_says_what_to_write() {
        let error = Credentials::read(Path::new("no/such/credentials.json")).unwrap_err();
        assert!(matches!(error, CredentialsError::Missing { .. }));
        assert!(error.diagnose().to_string().contains("hint: write"));
    }
}
