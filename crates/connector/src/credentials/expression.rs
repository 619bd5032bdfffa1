//! Jinja over connect_args: how `connector.toml` turns credentials into driver options.

use std::sync::{Arc, LazyLock};

use bowline_template::{
    Absent, Call, CompiledTemplate, Environment, Failure, Function, Kind, Parameters, Scope,
    TemplateError, Value,
};
use bowline_words::{Diagnose, Diagnostic, Redactor, percent_encode};
use serde_json::{Map, Value as Json};

/// Why an expression over credentials gives no text. Its words hold no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// It names a credential that is not there.
    #[error("missing credential `{credential}`")]
    MissingCredential {
        /// The credential's name.
        credential: String,
    },
    /// It is not valid Jinja, or failed.
    #[error("{message}")]
    Invalid {
        /// What is wrong.
        message: String,
        /// One action that may help.
        hint: Option<String>,
        /// The line in the expression, from 1.
        line: usize,
    },
}

impl Diagnose for ExpressionError {
    fn diagnose(&self) -> Diagnostic {
        let hint = match self {
            Self::MissingCredential { credential } => Some(format!(
                "add `{credential}` to `connect_args` in credentials.json"
            )),
            Self::Invalid { hint, .. } => hint.clone(),
        };
        Diagnostic::of(self).hint(hint)
    }
}

impl ExpressionError {
    pub(super) fn redacted(self, redactor: &Redactor) -> Self {
        match self {
            Self::Invalid {
                message,
                hint,
                line,
            } => Self::Invalid {
                message: redactor.redact(&message),
                hint: hint.map(|hint| redactor.redact(&hint)),
                line,
            },
            missing @ Self::MissingCredential { .. } => missing,
        }
    }
}

/// What errors call an expression.
const NAME: &str = "expression";

/// A credential that is not there is an error, except where an `if` asks for it.
static ENVIRONMENT: LazyLock<Arc<Environment>> = LazyLock::new(|| {
    let environment = Environment::new(Absent::Falsy)
        .with_filters([
            Function::new("uri_encode", Parameters::NONE, uri_encode),
            Function::new("stem", Parameters::NONE, stem),
        ])
        .with_finalize(in_drivers_words);
    Arc::new(environment)
});

/// Whether the expression is valid Jinja.
///
/// # Errors
/// `Invalid`.
pub fn check_expression(text: &str) -> Result<(), ExpressionError> {
    compile(text).map(|_| ())
}

/// The expression's text for these connect_args; a null counts as missing.
pub(super) fn evaluate(
    text: &str,
    connect_args: &Map<String, Json>,
) -> Result<String, ExpressionError> {
    let given = connect_args
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.as_str(), jinja_value(value)));
    compile(text)?
        .render_with(&Scope::new(given))
        .map_err(|error| match error.undefined() {
            Some(credential) => ExpressionError::MissingCredential {
                credential: credential.to_owned(),
            },
            None => invalid(error),
        })
}

fn compile(text: &str) -> Result<CompiledTemplate, ExpressionError> {
    CompiledTemplate::compile_in(&ENVIRONMENT, NAME, text).map_err(invalid)
}

fn invalid(error: TemplateError) -> ExpressionError {
    ExpressionError::Invalid {
        line: error.line.unwrap_or(1),
        message: error.message,
        hint: error.hint,
    }
}

fn jinja_value(value: &Json) -> Value {
    match value {
        Json::Null => Value::NONE,
        Json::Bool(flag) => Value::from(*flag),
        Json::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(integer), _, _) => Value::from(integer),
            (None, Some(integer), _) => Value::from(integer),
            (None, None, Some(float)) => Value::from(float),
            (None, None, None) => Value::from(number.to_string()),
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => Value::list(items.iter().map(jinja_value).collect()),
        Json::Object(members) => Value::mapping(
            members
                .iter()
                .map(|(name, member)| (name.as_str(), jinja_value(member))),
        ),
    }
}

/// Drivers write booleans small.
fn in_drivers_words(value: Value) -> Value {
    match value.kind() {
        Kind::Boolean(flag) => Value::from(if flag { "true" } else { "false" }),
        _ => value,
    }
}

fn uri_encode(call: &mut Call<'_>) -> Result<Value, Failure> {
    let text = in_drivers_words(call.value().clone()).to_string();
    Ok(Value::from(percent_encode(&text)))
}

/// A path's file name up to its first dot: what DuckDB calls the database in a file.
fn stem(call: &mut Call<'_>) -> Result<Value, Failure> {
    let path = call.value();
    let path = path.as_text().ok_or_else(|| {
        Failure::new(format!("`stem` takes a path, not a `{}`", path.type_name()))
    })?;
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
    Ok(Value::from(match file {
        ":memory:" | "" => "memory",
        _ => file.split('.').next().unwrap_or(file),
    }))
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
        assert_eq!(text("a{{ ';tls' if tls and host }}", "{}"), "a");
        assert_eq!(text("{{ 'x' if mode == 'tls' else 'y' }}", "{}"), "y");
    }

    #[test]
    fn an_unknown_filter_is_told_with_the_nearest() {
        assert_eq!(
            check_expression("{{ host | uri_encod }}")
                .unwrap_err()
                .diagnose()
                .to_string(),
            "unknown filter `uri_encod`\nhint: did you mean `uri_encode`?"
        );
    }

    #[test]
    fn an_expression_without_end_is_an_error() {
        let endless =
            "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}";
        let error = evaluate(endless, &args("{}")).unwrap_err();
        // On a busy machine the clock behind the fuel is the first to end it.
        let ends = ["too much work", "takes longer than"];
        assert!(
            ends.iter().any(|end| error.to_string().contains(end)),
            "{error}"
        );
    }

    #[test]
    fn broken_expressions_say_where() {
        let error = check_expression("ab\n{{ host").unwrap_err();
        assert!(
            matches!(error, ExpressionError::Invalid { line: 2, .. }),
            "{error:?}"
        );
    }
}
