//! The rules for a whole credentials document, on top of its schema.

use std::fmt;

use serde_json::{Map, Value};

use super::secret::{is_public_key, secret_values};
use bowline_cerberus::{
    Crumb, Errors, Fault, Options, Presence, RootUnknown, Schema, SchemaError, kind_of,
};
use bowline_words::{Diagnose, Diagnostic, listed, nearest};

/// The key at the root under which every credential stands.
pub const CONNECT_ARGS: &str = "connect_args";

/// Why credentials, or the schema they are held against, cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// `credentials_schema` is not a schema.
    #[error("failed to read `credentials_schema`: {0}")]
    Schema(#[from] SchemaError),
    /// The schema's fields stand at the root.
    #[error(
        "failed to read `credentials_schema`: {} at the top level instead of under `connect_args`",
        stands(.keys)
    )]
    SchemaWithoutWrapper {
        /// The fields found at the root.
        keys: Vec<String>,
    },
    /// The credentials are something else than a dict.
    #[error("failed to read credentials: the document must be a dict, found {found}")]
    NotADict {
        /// What they are instead.
        found: &'static str,
    },
    /// `connect_args` is missing.
    #[error("failed to read credentials: {}", lacks_wrapper(.keys))]
    WithoutWrapper {
        /// The keys found at the root instead.
        keys: Vec<String>,
    },
    /// `connect_args` is something else than a dict.
    #[error("failed to read credentials: `connect_args` must be a dict, found {found}")]
    ConnectArgsNotADict {
        /// What it is instead.
        found: &'static str,
    },
    /// The credentials break their schema.
    #[error("credentials do not fit `credentials_schema`:{}", lines(.problems))]
    Invalid {
        /// Every problem, fit to be shown.
        problems: Vec<Problem>,
        /// The credentials that nearly have the name of one that is asked for.
        near: Vec<NearMiss>,
        /// What to do about values whose quotes alone give them another type.
        slips: Vec<String>,
        /// Cerberus' error dict; it may show values of the credentials.
        raw: Errors,
    },
    /// Cerberus gives no verdict on these credentials.
    #[error("failed to check credentials: {0}")]
    Unprocessable(Fault),
}

impl Diagnose for CredentialsError {
    fn diagnose(&self) -> Diagnostic {
        let told = Diagnostic::of(self);
        match self {
            Self::Schema(error) => told.because_of(error),
            Self::SchemaWithoutWrapper { .. } => told.hint(
                r#"wrap the schema as `{"connect_args": {"type": "dict", "schema": {...}}}`"#
                    .to_owned(),
            ),
            Self::WithoutWrapper { .. } => {
                told.hint(r#"write them as `{"connect_args": {...}}`"#.to_owned())
            }
            Self::Invalid { near, slips, .. } => {
                let near = near.iter().map(ToString::to_string);
                near.chain(slips.iter().cloned())
                    .fold(told, Diagnostic::hint)
            }
            Self::NotADict { .. } | Self::ConnectArgsNotADict { .. } | Self::Unprocessable(_) => {
                told
            }
        }
    }
}

/// One thing that is wrong, fit to be shown: no secret value is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The path to the field: `connect_args.port`.
    pub path: String,
    /// Cerberus' text, with the value left out where it may be secret.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.path, self.message)
    }
}

/// A credential whose name the schema does not have, and nearly does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearMiss {
    /// Its name.
    pub given: String,
    /// The name in the schema, which no other credential has.
    pub meant: String,
}

impl fmt::Display for NearMiss {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "`{}` is not in the schema: did you mean `{}`?",
            self.given, self.meant
        )
    }
}

/// The credentials whose names the schema does not have, and nearly does; `schema` is the manifest's
/// `credentials_schema`.
#[must_use]
pub fn near_misses(schema: Option<&Map<String, Value>>, credentials: &Value) -> Vec<NearMiss> {
    let levels = levels(
        schema.and_then(|schema| schema.get(CONNECT_ARGS)),
        credentials,
    );
    let of_level = |level: &Level<'_>| -> Vec<NearMiss> {
        let (rules, given) = (level.rules, level.given);
        let missing = || {
            let names = rules.keys().map(String::as_str);
            names.filter(|name| !given.contains_key(*name))
        };
        let unknown = given.keys().filter(|name| !rules.contains_key(*name));
        let near = unknown.filter_map(|name| {
            Some(NearMiss {
                given: level.named(name),
                meant: level.named(nearest(name, missing())?),
            })
        });
        near.collect()
    };
    levels.iter().flat_map(of_level).collect()
}

/// A dict of the credentials, with the rules that the schema has for what is in it.
struct Level<'a> {
    /// The way to it from `connect_args`, such as `ssl.`.
    above: String,
    rules: &'a Map<String, Value>,
    given: &'a Map<String, Value>,
}

impl Level<'_> {
    fn named(&self, name: &str) -> String {
        format!("{}{name}", self.above)
    }
}

/// The dicts of `connect_args` whose keys the schema names, the outermost first; `rule` is that of `connect_args`.
fn levels<'a>(rule: Option<&'a Value>, credentials: &'a Value) -> Vec<Level<'a>> {
    let mut found = Vec::new();
    if let Some(rule) = rule {
        descend(rule, &credentials[CONNECT_ARGS], "", &mut found);
    }
    found
}

fn descend<'a>(rule: &'a Value, given: &'a Value, path: &str, found: &mut Vec<Level<'a>>) {
    match given {
        Value::Object(given) => {
            // The rule of a list has one for its items in this place.
            let Some(rules) = rule["schema"]
                .as_object()
                .filter(|_| rule["type"] != "list")
            else {
                return;
            };
            let above = match path {
                "" => String::new(),
                path => format!("{path}."),
            };
            let level = Level {
                above,
                rules,
                given,
            };
            let inner = given
                .iter()
                .filter_map(|(name, value)| Some((rules.get(name)?, value, level.named(name))));
            let inner: Vec<_> = inner.collect();
            found.push(level);
            for (rule, value, path) in inner {
                descend(rule, value, &path, found);
            }
        }
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                descend(&rule["schema"], item, &format!("{path}[{place}]"), found);
            }
        }
        _ => {}
    }
}

/// Reads a manifest's `credentials_schema`. Absent or `{}` means that nothing is validated.
///
/// # Errors
/// When it is no dict, is no valid schema, or declares fields outside `connect_args` only.
pub fn parse_schema(schema: Option<&Value>) -> Result<Option<Schema>, CredentialsError> {
    let Some(value) = schema else {
        return Ok(None);
    };
    if value.as_object().is_some_and(Map::is_empty) {
        return Ok(None);
    }
    let schema = Schema::parse(value).map_err(|error| match value.as_object() {
        // `{"type": "dict", "schema": {...}}` is what is left when the wrapper goes.
        Some(fields) if !fields.contains_key(CONNECT_ARGS) => without_wrapper(fields.keys()),
        _ => CredentialsError::Schema(error),
    })?;
    if schema.declares(CONNECT_ARGS) {
        return Ok(Some(schema));
    }
    Err(without_wrapper(
        value.as_object().into_iter().flat_map(Map::keys),
    ))
}

fn without_wrapper<'k>(keys: impl Iterator<Item = &'k String>) -> CredentialsError {
    CredentialsError::SchemaWithoutWrapper {
        keys: keys.cloned().collect(),
    }
}

/// Checks a whole credentials document; `schema` is the manifest's `credentials_schema`.
///
/// # Errors
/// When the schema cannot be used, when the document breaks it, or when `connect_args` is missing
/// or no dict.
pub fn check(schema: Option<&Value>, credentials: &Value) -> Result<(), CredentialsError> {
    let given = schema;
    let near = near_misses(schema.and_then(Value::as_object), credentials);
    let schema = parse_schema(schema)?;
    let Value::Object(document) = credentials else {
        return Err(CredentialsError::NotADict {
            found: kind_of(credentials),
        });
    };
    let Some(connect_args) = document.get(CONNECT_ARGS) else {
        return Err(CredentialsError::WithoutWrapper {
            keys: document.keys().cloned().collect(),
        });
    };
    if let Some(schema) = schema {
        let options = Options {
            unknown: RootUnknown::Allow,
            presence: Presence::AsDeclared,
        };
        let outcome = schema
            .validate(document, options)
            .map_err(CredentialsError::Unprocessable)?;
        if !outcome.errors.is_empty() {
            return Err(CredentialsError::Invalid {
                problems: problems(&outcome.errors, &secret_values(credentials)),
                near,
                slips: slips(given, credentials),
                raw: outcome.errors,
            });
        }
    }
    if connect_args.is_object() {
        Ok(())
    } else {
        Err(CredentialsError::ConnectArgsNotADict {
            found: kind_of(connect_args),
        })
    }
}

/// What to do about values that are of another type only by their quotes.
fn slips(schema: Option<&Value>, credentials: &Value) -> Vec<String> {
    let levels = levels(
        schema.and_then(|schema| schema.get(CONNECT_ARGS)),
        credentials,
    );
    let of_level = |level: &Level<'_>| -> Vec<String> {
        let slip = |(name, rule): (&String, &Value)| {
            let kind = rule["type"].as_str()?;
            let shown = level.named(name);
            match (level.given.get(name)?, kind) {
                (Value::String(text), "integer") => text.trim().parse::<i64>().is_ok(),
                (Value::String(text), "float" | "number") => text.trim().parse::<f64>().is_ok(),
                (Value::String(text), "boolean") => matches!(text.trim(), "true" | "false"),
                (Value::Number(_) | Value::Bool(_), "string") => {
                    return Some(format!("write `{shown}` in quotes"));
                }
                _ => false,
            }
            .then(|| format!("write `{shown}` without quotes"))
        };
        level.rules.iter().filter_map(slip).collect()
    };
    levels.iter().flat_map(of_level).collect()
}

/// A public key's value is shown unless a secret is part of it, such as a password in a URI.
fn problems(errors: &Errors, secrets: &[String]) -> Vec<Problem> {
    errors
        .flat()
        .into_iter()
        .map(|(path, message)| {
            let mut names = path.iter().rev().filter_map(|crumb| match crumb {
                Crumb::Name(name) if !is_definition(name) => Some(name.as_str()),
                _ => None,
            });
            let is_public = names.next().is_some_and(is_public_key)
                && !secrets.iter().any(|secret| message.text.contains(secret));
            let shown = match &message.without_value {
                Some(hidden) if !is_public => hidden,
                _ => &message.text,
            };
            Problem {
                path: bowline_cerberus::display_path(
                    &path.into_iter().cloned().collect::<Vec<_>>(),
                ),
                message: shown.clone(),
            }
        })
        .collect()
}

/// Cerberus puts `anyof definition 0` between a field and what one definition says of it.
fn is_definition(name: &str) -> bool {
    name.split_once(" definition ")
        .is_some_and(|(operator, _)| matches!(operator, "allof" | "anyof" | "noneof" | "oneof"))
}

fn stands(keys: &[String]) -> String {
    let verb = if keys.len() == 1 { "stands" } else { "stand" };
    format!("{} {verb}", listed(keys))
}

fn lacks_wrapper(keys: &[String]) -> String {
    if keys.is_empty() {
        "`connect_args` is missing".to_owned()
    } else {
        format!(
            "{} at the top level instead of under `connect_args`",
            stands(keys)
        )
    }
}

fn lines(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(|problem| format!("\n  {problem}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Value {
        json!({"connect_args": {"type": "dict", "required": true, "schema": {
            "host": {"type": "string", "required": true, "allowed": ["db.example"]},
            "port": {"type": "integer"},
            "password": {"type": "string", "allowed": ["a"]},
            "ssl": {"type": "dict", "schema": {"ca_file": {"type": "string"}, "on": {"type": "boolean"}}},
            "hops": {"type": "list", "schema": {"type": "dict", "schema": {
                "host": {"type": "string"}, "port": {"type": "integer"},
            }}},
        }}})
    }

    #[test]
    fn quotes_too_many_or_too_few_are_told() {
        let hints = |connect_args: Value| {
            let credentials = json!({ "connect_args": connect_args });
            check(Some(&schema()), &credentials)
                .unwrap_err()
                .diagnose()
                .hints
        };
        let host = "db.example";
        assert_eq!(
            hints(json!({"host": host, "port": "5432", "password": 5})),
            ["write `port` without quotes", "write `password` in quotes"]
        );
        assert_eq!(hints(json!({"host": host, "port": "x"})), [""; 0]);
        assert_eq!(
            hints(json!({"host": host, "ssl": {"on": "true", "ca_fil": "a"}})),
            [
                "`ssl.ca_fil` is not in the schema: did you mean `ssl.ca_file`?",
                "write `ssl.on` without quotes",
            ]
        );
    }

    #[test]
    fn a_name_that_the_schema_nearly_has_is_told() {
        let schema = schema();
        let told = |connect_args: Value| -> Vec<String> {
            let credentials = json!({ "connect_args": connect_args });
            let near = near_misses(schema.as_object(), &credentials);
            near.iter().map(ToString::to_string).collect()
        };
        assert_eq!(
            told(json!({"hosts": "db.example", "port": 1})),
            ["`hosts` is not in the schema: did you mean `host`?"]
        );
        let nested = json!({"host": "db.example", "ssl": {"ca_fil": "a"}, "hops": [{"host": "a"}, {"prot": 1}]});
        assert_eq!(
            told(nested),
            [
                "`ssl.ca_fil` is not in the schema: did you mean `ssl.ca_file`?",
                "`hops[1].prot` is not in the schema: did you mean `hops[1].port`?",
            ]
        );
        // Nobody means a name that is given as well.
        let both = json!({"host": "db.example", "hosts": "db.example"});
        assert_eq!(told(both), [""; 0]);
    }

    #[test]
    fn without_a_schema_anything_under_the_wrapper_fits() {
        let credentials = json!({"connect_args": {"anything": 1}});
        assert_eq!(check(None, &credentials), Ok(()));
        assert_eq!(check(Some(&json!({})), &credentials), Ok(()));
        assert!(matches!(
            check(Some(&json!([])), &credentials),
            Err(CredentialsError::Schema(SchemaError::NotADict {
                found: "a list"
            }))
        ));
    }

    #[test]
    fn lists_every_problem_without_secret_values() {
        let credentials = json!({"connect_args": {
            "host": "elsewhere", "port": "5432", "password": "hunter2", "more": 1,
        }, "note": "unknown keys are allowed, and nested dicts take that over"});
        let error = check(Some(&schema()), &credentials).expect_err("it breaks the schema");
        assert_eq!(
            error.to_string(),
            "credentials do not fit `credentials_schema`:\
             \n  connect_args.host: unallowed value elsewhere\
             \n  connect_args.password: unallowed value (hidden)\
             \n  connect_args.port: must be of integer type"
        );
        let CredentialsError::Invalid { raw, .. } = error else {
            panic!("{error}");
        };
        assert!(raw.to_string().contains("unallowed value hunter2"));
    }

    #[test]
    fn hides_values_inside_definitions_and_lists() {
        let schema = json!({"connect_args": {"type": "dict", "schema": {
            "token": {"anyof": [{"allowed": ["x"]}, {"type": "integer"}]},
            "keys": {"type": "list", "schema": {"forbidden": ["s3cret"]}},
            "host": {"anyof": [{"allowed": ["x"]}, {"type": "integer"}]},
        }}});
        let credentials =
            json!({"connect_args": {"token": "s3cret", "keys": ["s3cret"], "host": "db"}});
        let text = check(Some(&schema), &credentials)
            .expect_err("wrong")
            .to_string();
        assert!(!text.contains("s3cret"), "{text}");
        for told in [
            "connect_args.keys[0]: unallowed value (hidden)",
            // What stands between a field and its definition says nothing about the field.
            "unallowed value db",
        ] {
            assert!(text.contains(told), "{text}");
        }
    }

    #[test]
    fn hides_a_password_in_the_value_of_a_public_key() {
        let credentials = json!({"connect_args": {"host": "pg://ann:hunter2@db"}});
        let text = check(Some(&schema()), &credentials)
            .expect_err("no such host is allowed")
            .to_string();
        assert!(
            text.contains("connect_args.host: unallowed value (hidden)"),
            "{text}"
        );
    }

    #[test]
    fn names_the_forgotten_wrapper() {
        let bare = json!({"host": {"type": "string"}, "port": {"type": "integer"}});
        assert_eq!(
            parse_schema(Some(&bare)).expect_err("no wrapper"),
            CredentialsError::SchemaWithoutWrapper {
                keys: vec!["host".to_owned(), "port".to_owned()]
            }
        );
        let inner = json!({"type": "dict", "schema": {"host": {"type": "string"}}});
        assert!(matches!(
            parse_schema(Some(&inner)),
            Err(CredentialsError::SchemaWithoutWrapper { .. })
        ));
        let error = check(Some(&schema()), &json!({"host": "x"})).expect_err("no wrapper");
        assert_eq!(
            error.diagnose().to_string(),
            "failed to read credentials: `host` stands at the top level instead of under \
             `connect_args`\nhint: write them as `{\"connect_args\": {...}}`"
        );
        assert!(matches!(
            check(None, &json!({"connect_args": 5})),
            Err(CredentialsError::ConnectArgsNotADict { found: "a number" })
        ));
        assert!(matches!(
            check(None, &json!([])),
            Err(CredentialsError::NotADict { .. })
        ));
    }
}
