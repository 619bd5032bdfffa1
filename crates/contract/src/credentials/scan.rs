//! Secrets in files that others shall have: images, exports and dialect packs.

use std::fs::DirEntry;
use std::path::Path;

use bowline_words::Redactor;
use serde_json::Value;

use super::secret::{secret_values, setting_with_secret, stated_secret, written_secret};
use crate::{layout, reading};

/// How lines begin and end that hold a private key.
const PRIVATE_KEY: (&str, &str) = ("-----BEGIN ", "PRIVATE KEY-----");

/// Finds secrets in files that others shall have.
#[derive(Debug, Clone)]
pub struct SecretScan {
    redactor: Redactor,
}

/// A secret that stands in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundSecret {
    /// What it is, in words that do not show it.
    pub what: String,
    /// The line, from 1.
    pub line: usize,
}

impl SecretScan {
    /// Finds the secrets of a connector's own credentials in any writing, and what files say is a secret. Values of the
    /// credentials that are shorter than `shortest` are left out: they stand in long texts by chance.
    #[must_use]
    pub fn of(connector: &Path, shortest: usize) -> Self {
        let secrets_of = |entry: DirEntry| {
            let name = entry.file_name();
            let path = layout::is_credentials_file(name.to_str()?).then(|| entry.path())?;
            let text = reading::read_text(&path).ok()?;
            let document = serde_json::from_str::<Value>(&text).ok()?;
            Some(secret_values(&document))
        };
        let entries = connector.read_dir().into_iter().flatten().flatten();
        let secrets = entries
            .filter_map(secrets_of)
            .flatten()
            .filter(|secret| secret.len() >= shortest);
        Self {
            redactor: Redactor::new(secrets),
        }
    }

    /// The first secret in a file's text.
    #[must_use]
    pub fn find(&self, path: &Path, text: &str) -> Option<FoundSecret> {
        match self.redactor.find(text) {
            Some(at) => Some(FoundSecret {
                what: "a value of its credentials".to_owned(),
                line: line_at(text, at),
            }),
            None => written(path, text),
        }
    }
}

fn line_at(text: &str, at: usize) -> usize {
    let before = text.as_bytes().iter().take(at);
    before.filter(|byte| **byte == b'\n').count() + 1
}

/// What a file says is a secret, whoever's it is.
fn written(path: &Path, text: &str) -> Option<FoundSecret> {
    let found = |what: String, line: usize| Some(FoundSecret { what, line });
    let is_key = |line: &str| {
        let line = line.trim();
        line.starts_with(PRIVATE_KEY.0) && line.ends_with(PRIVATE_KEY.1)
    };
    if let Some(line) = text.lines().position(is_key) {
        return found("a private key".to_owned(), line + 1);
    }
    let name = path.file_name()?.to_string_lossy().to_lowercase();
    let document = serde_json::from_str::<Value>(text)
        .ok()
        .or_else(|| toml::from_str(text).ok());
    if name.starts_with("credentials") && name != layout::CREDENTIALS_SCHEMA_FILE {
        let holds = document
            .as_ref()
            .is_none_or(|document| !secret_values(document).is_empty());
        return holds.then(|| found("credentials".to_owned(), 1))?;
    }
    let key = match &document {
        Some(document) => written_secret(document),
        None if has_ending(&name, &SETTINGS) => setting_with_secret(text),
        None => None,
    };
    if let Some(key) = key {
        let line = line_at(text, text.find(&key).unwrap_or_default());
        return found(format!("a secret under `{key}`"), line);
    }
    let stated = has_ending(&name, &STATEMENTS).then(|| stated_secret(text))?;
    stated.and_then(|(what, line)| found(what.to_owned(), line))
}

/// The endings of files with lines of keys and values, and no program text.
const SETTINGS: [&str; 9] = [
    "env",
    "ini",
    "cfg",
    "conf",
    "config",
    "properties",
    "yaml",
    "yml",
    "bak",
];

/// The endings of files with statements in them.
const STATEMENTS: [&str; 3] = ["toml", "sql", "j2"];

fn has_ending(name: &str, endings: &[&str]) -> bool {
    name.rsplit('.')
        .next()
        .is_some_and(|ending| endings.contains(&ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_down_is_seen_and_what_is_asked_for_is_not() {
        let found = |name: &str, text: &str| written(Path::new(name), text).map(|found| found.what);
        for (name, text, expected) in [
            (
                "connector.toml",
                "[driver.options]\npassword = \"hunter2\"",
                "a secret under `password`",
            ),
            (
                "connector.toml",
                "[driver.options]\nuri = \"pg://ann:hunter2@db/x\"",
                "a secret under `uri`",
            ),
            (
                "credentials.json.bak",
                r#"{"connect_args": {"pin": "12345"}}"#,
                "credentials",
            ),
            ("credentials.old", "not JSON", "credentials"),
            (
                "prod.env",
                "# x\nDB_PASSWORD=hunter2\n",
                "a secret under `DB_PASSWORD`",
            ),
            (
                "settings.yaml",
                "db:\n  api_key: 'k-123456'\n",
                "a secret under `api_key`",
            ),
            (
                "key.txt",
                "-----BEGIN RSA PRIVATE KEY-----\nabc\n",
                "a private key",
            ),
            (
                "connector.toml",
                "[driver]\ninit = [\"CREATE SECRET s (TYPE http, BEARER_TOKEN 'abc')\"]",
                "a secret in a statement",
            ),
            (
                "templates.toml",
                "# as on postgres://bob:pa55word@host/x\n",
                "a secret in an address",
            ),
            (
                "get_length.sql.j2",
                "ALTER USER x IDENTIFIED BY 'hunter2'",
                "a secret in a statement",
            ),
            (
                "credentials_schema.json",
                r#"{"connect_args": {"schema": {"password": {"type": "string", "default": "hunter2"}}}}"#,
                "a secret under `password`",
            ),
        ] {
            assert_eq!(found(name, text).as_deref(), Some(expected), "{name}");
        }
        for (name, text) in [
            (
                "connector.toml",
                "[driver.options]\npassword = \"{{ password }}\"\nuri = \"pg://{{ user }}:{{ password }}@db\"",
            ),
            (
                "connector.toml",
                "[http.auth]\ntoken_path = \"/token\"\npassword_field = \"secret_word\"",
            ),
            (
                "manifest.json",
                r#"{"credentials_schema": {"connect_args": {"type": "dict", "schema": {"password": {"type": "string"}}}}}"#,
            ),
            (
                "credentials.json.example",
                r#"{"connect_args": {"password": ""}}"#,
            ),
            ("sample.env", "DB_PASSWORD=\nAPI_KEY=${API_KEY}\n"),
            ("connector.py", "password = credentials['password']\n"),
            (
                "credentials_schema.json",
                r#"{"connect_args": {"schema": {"password": {"type": "string", "default": ""}}}}"#,
            ),
            (
                "connector.toml",
                "# postgres://user:password@host, https://x:8080/@a\n[driver]\ninit = [\"SET password = '{{ password }}'\", \"SECRET '<yours>'\"]",
            ),
            (
                "templates.toml",
                "get_x = '''\nSELECT 'password', token = 'x' FROM t'''",
            ),
        ] {
            assert_eq!(found(name, text), None, "{name}");
        }
    }
}
