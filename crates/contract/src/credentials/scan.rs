//! Secrets in files that others shall have: images, exports and dialect packs.

use std::collections::BTreeSet;
use std::fs::DirEntry;
use std::ops::Range;
use std::path::{Path, PathBuf};

use bowline_words::Redactor;
use serde_json::Value;

use super::check::CONNECT_ARGS;
use super::literal::{Program, address_with_secret, secret_in_program, secret_of_image};
use super::secret::secret_values;
use super::telling::{is_in_longer_word, is_word, names_of, telling_secrets};
use super::written::{
    assignment_of_secret, has_secret_argument, setting_with_secret, stated_secret, written_secret,
};
use crate::{layout, reading, toml_text};

/// How lines begin and end that hold a private key.
const PRIVATE_KEY: (&str, &str) = ("-----BEGIN ", "PRIVATE KEY-----");

/// Finds secrets in files that others shall have.
#[derive(Debug, Clone)]
pub struct SecretScan {
    redactor: Redactor,
    /// The secrets that count only where they are no part of a longer word, in small letters.
    words: BTreeSet<String>,
}

/// Credentials whose secrets cannot be looked for: nobody knows them.
#[derive(Debug, thiserror::Error)]
#[error("cannot look for the secrets of `{}`: {why}", .path.display())]
pub struct UnreadCredentials {
    /// The file.
    pub path: PathBuf,
    /// Why they are not known.
    pub why: String,
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
    /// Finds the secrets of a connector's own credentials in any writing, and what files say is a secret. Of the
    /// credentials count values whose keys say that they are secret, and others that are no words, names or numbers; what
    /// is a name there too, or the name of the connector, its pack, its driver or a key, is none.
    ///
    /// # Errors
    /// [`UnreadCredentials`] when credentials cannot be read, or are not JSON.
    pub fn of(connector: &Path) -> Result<Self, UnreadCredentials> {
        let names = names_of(connector);
        let entries = connector.read_dir().into_iter().flatten().flatten();
        let is_credentials = |entry: &DirEntry| {
            entry
                .file_name()
                .to_str()
                .is_some_and(layout::is_credentials_file)
        };
        let mut secrets = Vec::new();
        for entry in entries.filter(is_credentials) {
            let path = entry.path();
            match document_of(&path) {
                Ok(document) => secrets.extend(telling_secrets(&document, &names)),
                // A link that leads nowhere has no secrets, nor has what shows how credentials are written.
                Err(_) if !path.exists() || is_sample(&path) => {}
                Err(why) => return Err(UnreadCredentials { path, why }),
            }
        }
        let words = secrets.iter().filter(|secret| is_word(secret));
        Ok(Self {
            words: words.map(|word| word.to_lowercase()).collect(),
            redactor: Redactor::new(secrets),
        })
    }

    /// The first secret in a file's text.
    #[must_use]
    pub fn find(&self, path: &Path, text: &str) -> Option<FoundSecret> {
        let mut places = self.redactor.places(text).into_iter();
        // Programs hold every short word and number somewhere.
        let is_text = !text.contains('\0');
        let counts = |at: &Range<usize>| {
            let is_word = self.words.contains(&text[at.clone()].to_lowercase());
            !is_word || (is_text && !is_in_longer_word(text, at))
        };
        match places.find(counts) {
            Some(at) => Some(FoundSecret {
                what: "a value of its credentials".to_owned(),
                line: line_at(text, at.start),
            }),
            None => written(path, text),
        }
    }
}

/// What a file of credentials holds; an empty one holds nothing.
fn document_of(path: &Path) -> Result<Value, String> {
    let text = reading::read_text(path).map_err(|error| error.to_string())?;
    if text.trim().is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(&text).map_err(|error| format!("not JSON: {error}"))
}

/// What copies of credentials are called that are for people to fill in: `credentials.example.json`.
const SAMPLES: [&str; 3] = [
    "credentials.example",
    "credentials.sample",
    "credentials.template",
];

fn is_sample(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| SAMPLES.iter().any(|sample| name.starts_with(sample)))
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
    if LOGINS.contains(&name.as_str()) {
        let line = text.lines().position(|line| !is_blank(line));
        return line.and_then(|line| found("credentials".to_owned(), line + 1));
    }
    let name = original(&name);
    let document = serde_json::from_str::<Value>(text)
        .ok()
        .or_else(|| toml_text::read(text));
    let is_script = has_ending(name, &SCRIPTS) || name.starts_with("dockerfile");
    let is_named = |word: &str| {
        name.starts_with(word)
            && name != layout::CREDENTIALS_SCHEMA_FILE
            && !is_script
            && !has_ending(name, &PROSE_AND_PROGRAMS)
    };
    let holds = match &document {
        Some(document) => {
            (["credentials", "creds"].into_iter().any(is_named)
                && !secret_values(document).is_empty())
                || connect_args(document).is_some_and(has_secret_argument)
        }
        None => is_named("credentials"),
    };
    if holds {
        return found("credentials".to_owned(), 1);
    }
    let key = match &document {
        // Lines of assignments read as settings, too.
        _ if is_script => assignment_of_secret(text),
        Some(document) => written_secret(document),
        None if has_ending(name, &SETTINGS) => setting_with_secret(text),
        None => None,
    };
    if let Some(key) = key {
        let line = line_at(text, text.find(&key).unwrap_or_default());
        return found(format!("a secret under `{key}`"), line);
    }
    if has_ending(name, &STATEMENTS)
        && let Some((what, line)) = stated_secret(text)
    {
        return found(what.to_owned(), line);
    }
    // Programs that are no text hold anything by chance.
    if text.contains('\0') {
        return None;
    }
    if let Some(at) = address_with_secret(text) {
        return found("a secret in an address".to_owned(), line_at(text, at));
    }
    let (what, line) = if name.starts_with("dockerfile") {
        let (key, line) = secret_of_image(text)?;
        (format!("a secret under `{key}`"), line)
    } else if has_ending(name, &["py", "pyi"]) {
        secret_in_program(Program::Python, text)?
    } else if has_ending(name, &BRACED_PROGRAMS) {
        secret_in_program(Program::Braced, text)?
    } else {
        return None;
    };
    found(what, line)
}

/// The endings of programs with comments behind `//`.
const BRACED_PROGRAMS: [&str; 12] = [
    "js", "mjs", "cjs", "jsx", "ts", "tsx", "go", "rs", "java", "kt", "scala", "cs",
];

/// The endings of files with lines of keys and values, and no program text.
const SETTINGS: [&str; 10] = [
    "env",
    "ini",
    "cfg",
    "cnf",
    "conf",
    "config",
    "properties",
    "yaml",
    "yml",
    "bak",
];

/// The endings of scripts of shells.
const SCRIPTS: [&str; 8] = ["sh", "bash", "zsh", "ksh", "fish", "ps1", "bat", "cmd"];

/// The endings of files that may speak of credentials and hold none.
const PROSE_AND_PROGRAMS: [&str; 15] = [
    "py", "pyi", "pyc", "rs", "go", "js", "ts", "java", "kt", "rb", "so", "dll", "jar", "md", "rst",
];

/// Files in which programs look for logins, and for nothing else.
const LOGINS: [&str; 6] = [
    ".pgpass",
    "pgpass.conf",
    ".netrc",
    "_netrc",
    ".git-credentials",
    ".mylogin.cnf",
];

/// What copies of files end in, beside `.bak`, which is searched as settings are.
const COPIES: [&str; 8] = [
    ".local", ".old", ".orig", ".save", ".swp", ".swo", ".tmp", "~",
];

/// The endings of files with statements in them.
const STATEMENTS: [&str; 3] = ["toml", "sql", "j2"];

/// The name of the file that a file is a copy of, such as `env` for `.env.local`; its own where it is none.
fn original(name: &str) -> &str {
    let name = name.trim_start_matches('.');
    let ended = COPIES.iter().find_map(|end| name.strip_suffix(end));
    ended.unwrap_or(name)
}

fn is_blank(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with('#')
}

/// The arguments of a connection in a document that is written as credentials are, and is no schema of them.
fn connect_args(document: &Value) -> Option<&Value> {
    let args = document.get(CONNECT_ARGS)?;
    (!args.get("schema").is_some_and(Value::is_object)).then_some(args)
}

fn has_ending(name: &str, endings: &[&str]) -> bool {
    name.rsplit('.')
        .next()
        .is_some_and(|ending| endings.contains(&ending))
}

#[cfg(test)]
mod tests;
