//! Jinja over connect_args: how `connector.toml` turns credentials into driver options.

use std::collections::BTreeMap;

use bowline_driver::Redactor;
use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior};
use serde_json::{Map, Value as Json};

/// Why an expression over credentials gives no text. Its words hold no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpressionError {
    /// It names a credential that is not there.
    #[error(
        "missing credential `{credential}`\nhint: add `{credential}` to `connect_args` in credentials.json"
    )]
    MissingCredential {
        /// The credential's name.
        credential: String,
    },
    /// It is not valid Jinja, or failed.
    #[error("{message}")]
    Invalid {
        /// What is wrong.
        message: String,
        /// The line in the expression, from 1.
        line: usize,
        /// The bytes in the expression, if known.
        range: Option<std::ops::Range<usize>>,
    },
}

impl ExpressionError {
    pub(super) fn redacted(self, redactor: &Redactor) -> Self {
        match self {
            Self::Invalid {
                message,
                line,
                range,
            } => Self::Invalid {
                message: redactor.redact(&message),
                line,
                range,
            },
            missing @ Self::MissingCredential { .. } => missing,
        }
    }
}

/// Whether the expression is valid Jinja.
///
/// # Errors
/// `Invalid`.
pub(crate) fn check(text: &str) -> Result<(), ExpressionError> {
    environment()
        .template_from_str(text)
        .map(|_| ())
        .map_err(|error| invalid(&error))
}

/// The expression's text for these connect_args; a null counts as missing.
pub(super) fn evaluate(
    text: &str,
    connect_args: &Map<String, Json>,
) -> Result<String, ExpressionError> {
    let environment = environment();
    let template = environment
        .template_from_str(text)
        .map_err(|error| invalid(&error))?;
    let given: BTreeMap<String, minijinja::Value> = connect_args
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.clone(), jinja_value(value)))
        .collect();
    let error = match template.render(minijinja::Value::from_pairs(given.clone())) {
        Ok(text) => return Ok(text),
        Err(error) if error.kind() == ErrorKind::UndefinedError => error,
        Err(error) => return Err(invalid(&error)),
    };
    let mut missing: Vec<String> = template
        .undeclared_variables(false)
        .into_iter()
        .filter(|name| !given.contains_key(name))
        .collect();
    missing.sort();
    // A credential with a default may be missing too: the one to blame is the one whose absence alone still fails.
    let blamed = missing.iter().find(|name| {
        let mut filled = given.clone();
        let others = missing.iter().filter(|other| other != name);
        filled.extend(others.map(|other| (other.clone(), minijinja::Value::from(""))));
        template
            .render(minijinja::Value::from_pairs(filled))
            .is_err()
    });
    match blamed {
        Some(name) => Err(ExpressionError::MissingCredential {
            credential: name.clone(),
        }),
        None => Err(invalid(&error)),
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    // Drivers write booleans small.
    environment.set_formatter(|out, state, value| match bool::try_from(value.clone()) {
        Ok(flag) if value.kind() == ValueKind::Bool => out
            .write_str(if flag { "true" } else { "false" })
            .map_err(Into::into),
        _ => minijinja::escape_formatter(out, state, value),
    });
    environment.add_filter("uri_encode", uri_encode);
    environment.add_filter("stem", stem);
    environment
}

fn invalid(error: &minijinja::Error) -> ExpressionError {
    let message = match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    };
    ExpressionError::Invalid {
        message,
        line: error.line().unwrap_or(1),
        range: error.range(),
    }
}

fn jinja_value(value: &Json) -> minijinja::Value {
    match value {
        Json::Null => minijinja::Value::from(()),
        Json::Bool(flag) => minijinja::Value::from(*flag),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => minijinja::Value::from(integer),
            (None, Some(float)) => minijinja::Value::from(float),
            (None, None) => minijinja::Value::from(number.to_string()),
        },
        Json::String(text) => minijinja::Value::from(text.as_str()),
        Json::Array(items) => items.iter().map(jinja_value).collect(),
        Json::Object(members) => minijinja::Value::from_pairs(
            members
                .iter()
                .map(|(name, member)| (name.clone(), jinja_value(member))),
        ),
    }
}

/// Percent-encodes everything but letters, digits, `-`, `.`, `_` and `~`, so that the text fits any part of a URI.
fn uri_encode(value: &minijinja::Value) -> String {
    use std::fmt::Write;
    let mut out = String::new();
    for byte in value.to_string().bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

/// A path's file name up to its first dot: what DuckDB calls the database in a file.
fn stem(path: &str) -> String {
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
    match file {
        ":memory:" | "" => "memory".to_owned(),
        _ => file.split('.').next().unwrap_or(file).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(json: &str) -> Map<String, Json> {
        serde_json::from_str(json).unwrap()
    }

    fn text(template: &str, json: &str) -> String {
        evaluate(template, &args(json)).unwrap()
    }

    #[test]
    fn values_become_text() {
        let given = r#"{"host": "db", "port": 5432, "tls": true, "ratio": 0.5}"#;
        assert_eq!(
            text("{{ host }}:{{ port }} {{ tls }} {{ ratio }}", given),
            "db:5432 true 0.5"
        );
        assert_eq!(text("plain", "{}"), "plain");
    }

    #[test]
    fn every_part_of_a_uri_survives() {
        assert_eq!(
            text("{{ p | uri_encode }}", r#"{"p": "a/b:c@d%é ü"}"#),
            "a%2Fb%3Ac%40d%25%C3%A9%20%C3%BC"
        );
        assert_eq!(text("{{ p | uri_encode }}", r#"{"p": 5432}"#), "5432");
    }

    #[test]
    fn a_stem_is_what_duckdb_calls_the_file() {
        for (path, stem) in [
            ("/data/shop.duckdb", "shop"),
            ("shop.v2.db", "shop"),
            (":memory:", "memory"),
            ("plain", "plain"),
        ] {
            let given = serde_json::json!({ "path": path }).to_string();
            assert_eq!(text("{{ path | stem }}", &given), stem);
        }
    }

    #[test]
    fn a_missing_credential_is_named() {
        let error = evaluate("{{ host }}:{{ port | default(1) }}", &args("{}")).unwrap_err();
        assert_eq!(
            error,
            ExpressionError::MissingCredential {
                credential: "host".into()
            }
        );
        let error = evaluate("{{ host }}", &args(r#"{"host": null}"#)).unwrap_err();
        assert!(error.to_string().starts_with("missing credential `host`"));
    }

    #[test]
    fn what_may_be_missing_is_said_with_if_or_default() {
        assert_eq!(text("a{% if tls %}b{% endif %}", "{}"), "a");
        assert_eq!(text("{{ port | default(5432) }}", "{}"), "5432");
        assert_eq!(text("{{ 'x' if tls is defined else 'y' }}", "{}"), "y");
    }

    #[test]
    fn broken_expressions_say_where() {
        let error = check("ab\n{{ host").unwrap_err();
        assert!(
            matches!(error, ExpressionError::Invalid { line: 2, .. }),
            "{error:?}"
        );
    }
}
