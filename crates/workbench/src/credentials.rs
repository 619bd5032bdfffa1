//! The credentials of a connector, of either class.

use std::path::Path;

use bowline_connector::Credentials;
use bowline_contract::credentials;
use bowline_contract::layout::{CONNECTOR_FILE, MANIFEST_FILE, PYTHON_FILE};
use bowline_contract::reading::read_text;
use serde_json::{Map, Value};

use crate::{Event, WorkbenchError};

/// Reads credentials in a connector's folder, tells what is secret, and checks them against a schema.
pub(crate) fn read(
    dir: &Path,
    file: &str,
    schema: Option<&Map<String, Value>>,
    on_event: &dyn Fn(Event<'_>),
) -> Result<Credentials, WorkbenchError> {
    let path = dir.join(file);
    let keys = || -> Vec<String> {
        let fields = schema.and_then(|schema| schema.get("connect_args")?["schema"].as_object());
        fields.into_iter().flat_map(Map::keys).cloned().collect()
    };
    let credentials = Credentials::read(&path).map_err(|source| WorkbenchError::Credentials {
        source,
        keys: keys(),
    })?;
    on_event(Event::Secrets(credentials.redactor()));
    if !credentials.redactor().is_empty() && is_open_to_others(&path) {
        on_event(Event::OpenCredentials { path: &path });
    }
    let near = credentials::near_misses(schema, credentials.document());
    let rules = schema.cloned().map(Value::Object);
    credentials::check(rules.as_ref(), credentials.document()).map_err(|source| {
        use credentials::CredentialsError::{Schema, SchemaWithoutWrapper};
        let schema_is_wrong = matches!(source, Schema(_) | SchemaWithoutWrapper { .. });
        WorkbenchError::CredentialsCheck {
            path: if schema_is_wrong {
                dir.join(MANIFEST_FILE)
            } else {
                path
            },
            source: Box::new(source),
            keys: keys(),
        }
    })?;
    for near in &near {
        on_event(Event::OddCredential(near));
    }
    let uses = CredentialUses::of(dir);
    for name in credentials.connect_args().keys() {
        // What is nearly called so was told.
        let is_near = near.iter().any(|near| near.given == *name);
        if !is_near && uses.of_credential(name) == Use::Nowhere {
            on_event(Event::UnusedCredential(name));
        }
    }
    Ok(credentials)
}

/// Whether a connector's files use a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// They name it.
    Named,
    /// They do not, and nothing else is given it.
    Nowhere,
    /// They do not, and code of the connector is given all credentials.
    Unknown,
}

/// What a connector's files say of the credentials that they use.
#[derive(Debug)]
pub struct CredentialUses {
    /// Where a name is a use: every value of `connector.toml`, or the whole of a `connector.py`.
    text: String,
    /// Whether all credentials are used as they are, without being named.
    takes_all: bool,
}

impl CredentialUses {
    /// Reads the files of a connector's folder.
    #[must_use]
    pub fn of(dir: &Path) -> Self {
        let Ok(text) = read_text(&dir.join(CONNECTOR_FILE)) else {
            return Self {
                text: read_text(&dir.join(PYTHON_FILE)).unwrap_or_default(),
                takes_all: true,
            };
        };
        Self::of_connector_file(text.parse().unwrap_or_default())
    }

    fn of_connector_file(file: toml::Table) -> Self {
        let driver = file.get("driver");
        let is_program = driver.is_some_and(|driver| driver.get("command").is_some());
        let mut text = String::new();
        add_texts(&toml::Value::Table(file), &mut text);
        let takes_all = is_program || words(&text, WHOLE).any(|after| !after.starts_with('.'));
        Self { text, takes_all }
    }

    /// Whether a credential of this name is used.
    #[must_use]
    pub fn of_credential(&self, name: &str) -> Use {
        match words(&self.text, name).next() {
            Some(_) => Use::Named,
            None if self.takes_all => Use::Unknown,
            None => Use::Nowhere,
        }
    }
}

/// What expressions of pipelines call all credentials together.
const WHOLE: &str = "credentials";

/// Adds every text among a value's own, each in a line: comments and keys are none.
fn add_texts(value: &toml::Value, all: &mut String) {
    match value {
        toml::Value::String(text) => {
            all.push_str(text);
            all.push('\n');
        }
        toml::Value::Array(values) => values.iter().for_each(|value| add_texts(value, all)),
        toml::Value::Table(table) => table.values().for_each(|value| add_texts(value, all)),
        _ => {}
    }
}

/// What stands behind each place where a text holds a name as a word of its own.
fn words<'t>(text: &'t str, name: &str) -> impl Iterator<Item = &'t str> {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    text.match_indices(name).filter_map(move |(at, found)| {
        let (before, after) = (&text[..at], &text[at + found.len()..]);
        (!before.ends_with(is_part) && !after.starts_with(is_part)).then_some(after)
    })
}

#[cfg(unix)]
fn is_open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|about| about.permissions().mode() & 0o077 != 0)
}

/// Elsewhere who may read a file is not told by its mode.
#[cfg(not(unix))]
fn is_open_to_others(_path: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn use_in(file: &str, name: &str) -> Use {
        CredentialUses::of_connector_file(file.parse().unwrap()).of_credential(name)
    }

    #[test]
    fn a_credential_is_used_where_a_value_names_it() {
        let file = "[driver.options]\n# uri = \"{{ uri }}\"\nhost = \"{{ server }}\"\n\
                    init = [\"SET ROLE {{ role }}\"]";
        for (name, expected) in [
            ("server", Use::Named),
            ("role", Use::Named),
            ("uri", Use::Nowhere),
            ("host", Use::Nowhere),
            ("serve", Use::Nowhere),
        ] {
            assert_eq!(use_in(file, name), expected, "{name}");
        }
    }

    #[test]
    fn what_takes_all_credentials_may_use_any() {
        let program = "[driver]\nkind = \"process\"\ncommand = [\"run\"]";
        assert_eq!(use_in(program, "host"), Use::Unknown);
        for (value, expected) in [
            ("{{ credentials.key }}", Use::Nowhere),
            ("client_credentials", Use::Nowhere),
            ("credentials | tojson", Use::Unknown),
            ("credentials['x-y']", Use::Unknown),
        ] {
            let file = format!("[http]\nvalue = \"{value}\"");
            assert_eq!(use_in(&file, "host"), expected, "{value}");
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(
            folder.path().join(PYTHON_FILE),
            "connect(**args, user=user)",
        )
        .unwrap();
        let uses = CredentialUses::of(folder.path());
        assert_eq!(uses.of_credential("user"), Use::Named);
        assert_eq!(uses.of_credential("host"), Use::Unknown);
    }
}
