//! Files that would carry a secret into an image.

use std::fs::DirEntry;
use std::path::Path;

use bowline_contract::layout;
use bowline_contract::{credentials, reading};
use bowline_oci::layer::Content;
use bowline_words::Redactor;
use serde_json::Value;

use super::{Candidate, PlannedFile};

/// Shorter values of credentials stand in texts by chance.
const SHORTEST_SECRET: usize = 8;
/// What is larger, in bytes, is no text that somebody wrote.
const LARGEST_READ: u64 = 4 << 20;

/// How lines begin that hold a private key.
const PRIVATE_KEY: (&str, &str) = ("-----BEGIN ", "PRIVATE KEY-----");

/// The files that hold a secret, each with what it holds.
pub(super) fn files_with_secrets<'f>(
    candidate: &Candidate,
    files: &'f [PlannedFile],
) -> Vec<(&'f Path, String)> {
    let redactor = redactor(candidate);
    files
        .iter()
        .filter_map(|file| match &file.content {
            Content::File(path) => Some(path.as_path()),
            Content::Bytes(_) => None,
        })
        .filter_map(|path| {
            let about = path.metadata().ok()?;
            let small = about.len() <= LARGEST_READ;
            let bytes = small.then(|| reading::read_bounded(path, LARGEST_READ).ok())??;
            // Bytes that are no text may hold one all the same.
            let text = String::from_utf8_lossy(&bytes);
            let found = if redactor
                .as_ref()
                .is_some_and(|redactor| redactor.find(&text).is_some())
            {
                "a value of its credentials".to_owned()
            } else {
                written_secret(path, &text)?
            };
            Some((path, found))
        })
        .collect()
}

/// What finds the secrets of the connector's own credentials, in any writing.
fn redactor(candidate: &Candidate) -> Option<Redactor> {
    let entries = candidate.dir.read_dir().ok()?;
    let secrets_of = |entry: DirEntry| {
        let name = entry.file_name();
        let text = layout::is_credentials_file(name.to_str()?).then(|| entry.path())?;
        let text = reading::read_text(&text).ok()?;
        let document = serde_json::from_str::<Value>(&text).ok()?;
        Some(credentials::secret_values(&document))
    };
    let secrets: Vec<String> = entries
        .flatten()
        .filter_map(secrets_of)
        .flatten()
        .filter(|secret| secret.len() >= SHORTEST_SECRET)
        .collect();
    (!secrets.is_empty()).then(|| Redactor::new(secrets))
}

/// What a file says is a secret, whoever's it is.
fn written_secret(path: &Path, text: &str) -> Option<String> {
    let is_key = |line: &str| {
        let line = line.trim();
        line.starts_with(PRIVATE_KEY.0) && line.ends_with(PRIVATE_KEY.1)
    };
    if text.lines().any(is_key) {
        return Some("a private key".to_owned());
    }
    let name = path.file_name()?.to_string_lossy().to_lowercase();
    let document = serde_json::from_str::<Value>(text)
        .ok()
        .or_else(|| toml::from_str(text).ok());
    if name.starts_with("credentials") {
        let holds = document
            .as_ref()
            .is_none_or(|document| !credentials::secret_values(document).is_empty());
        return holds.then(|| "credentials".to_owned());
    }
    let key = match &document {
        Some(document) => credentials::written_secret(document),
        None if is_settings(&name) => credentials::setting_with_secret(text),
        None => None,
    }?;
    Some(format!("a secret under `{key}`"))
}

/// Whether a file of this name holds lines of keys and values, and no program text.
fn is_settings(name: &str) -> bool {
    const ENDINGS: [&str; 9] = [
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
    name.rsplit('.')
        .next()
        .is_some_and(|ending| ENDINGS.contains(&ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_down_is_seen_and_what_is_asked_for_is_not() {
        let found = |name: &str, text: &str| written_secret(Path::new(name), text);
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
        ] {
            assert_eq!(found(name, text), None, "{name}");
        }
    }
}
