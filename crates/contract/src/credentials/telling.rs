//! Which secrets of a connector's credentials are looked for in its files.
//!
//! Output is masked on the safe side; a file that is refused stands in the way. So names, numbers and words that stand
//! in many texts are left out here, unless their keys say that they are secret.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;

use serde_json::Value;

use super::secret::{Said, SecretValue, is_plain_word, is_public_key, secrets, settings};
use crate::{layout, reading, toml_text};

/// From this length on, a value counts although its key does not say that it is secret.
const SHORTEST_UNSAID: usize = 8;
/// Shorter words and numbers are parts of longer ones by chance.
const SHORTEST_IN_WORD: usize = 12;
/// What passwords are called, which stands where one is to be written.
const STAND_INS: [&str; 7] = ["key", "pass", "passwd", "password", "pw", "secret", "token"];
/// What keys end in that name something public in words of their own, such as `default_schema`.
const PUBLIC_ENDS: [&str; 6] = ["catalog", "database", "host", "name", "schema", "user"];

/// What a connector is called, as are its pack and its driver, and the keys of its manifest.
pub(super) fn names_of(connector: &Path) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    if let Some(name) = connector.file_name() {
        names.insert(name.to_string_lossy().to_lowercase());
    }
    let read = |file: &str| reading::read_text(&connector.join(file)).ok();
    let file = read(layout::CONNECTOR_FILE);
    let file = file.and_then(|text| toml_text::read::<Value>(&text));
    for place in ["/dialect/extends", "/driver/kind", "/driver/name"] {
        let name = file.as_ref().and_then(|file| file.pointer(place)?.as_str());
        // A pack may be named by its path.
        names.extend(name.and_then(|name| Some(name.rsplit('/').next()?.to_lowercase())));
    }
    let manifest = read(layout::MANIFEST_FILE);
    if let Some(manifest) = manifest.and_then(|text| serde_json::from_str(&text).ok()) {
        each(&manifest, "", &mut |key, _| {
            names.insert(key.to_lowercase());
        });
    }
    names
}

/// The secrets of a credentials document that are looked for, where these words are names.
pub(super) fn telling_secrets(document: &Value, names: &BTreeSet<String>) -> Vec<String> {
    let mut open = names.clone();
    open.extend(STAND_INS.map(str::to_owned));
    each(document, "", &mut |key, value| {
        open.insert(key.to_lowercase());
        match value {
            Value::String(text) => {
                let public = is_public_key(key).then_some(text.as_str());
                let public = public.into_iter().chain(public_parts(text));
                open.extend(public.map(|text| text.trim().to_lowercase()));
            }
            Value::Number(number) if is_public_key(key) => {
                open.insert(number.to_string());
            }
            _ => {}
        }
    });
    let is_telling = |secret: &SecretValue| match &secret.said {
        Said::Secret => true,
        Said::Nothing { key } => {
            !PUBLIC_ENDS.iter().any(|end| key.ends_with(end)) && looks_secret(&secret.text)
        }
    };
    let found = secrets(document).into_iter().filter(is_telling);
    let found = found.map(|secret| secret.text);
    found
        .filter(|text| !is_plain_word(text) && !open.contains(&text.trim().to_lowercase()))
        .collect()
}

/// Whether a text is neither a word, a number nor a name of several words.
fn looks_secret(text: &str) -> bool {
    let is_sign = |letter: char| !letter.is_alphabetic() && !" _-./".contains(letter);
    text.chars().count() >= SHORTEST_UNSAID
        && text.contains(char::is_alphabetic)
        && text.contains(is_sign)
}

/// Every key in a document, with what stands under it.
fn each<'v>(value: &'v Value, key: &'v str, on: &mut dyn FnMut(&'v str, &'v Value)) {
    on(key, value);
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| each(value, key, on)),
        Value::Array(items) => items.iter().for_each(|item| each(item, key, on)),
        _ => {}
    }
}

/// The user, hosts and database of an address, and the public settings of a connection string.
fn public_parts(text: &str) -> Vec<&str> {
    let rest = text.split_once("://").map(|(_, rest)| rest);
    if let Some((login, place)) = rest.and_then(|rest| rest.rsplit_once('@')) {
        let place = place.split(['?', '#']).next().unwrap_or_default();
        let user = login.split(':').next();
        return user
            .into_iter()
            .chain(place.split(['/', ':', ',']))
            .collect();
    }
    let settings = settings(text).into_iter();
    let settings = settings.filter_map(|setting| setting.split_once('='));
    settings
        .filter(|(key, _)| is_public_key(key))
        .map(|(_, value)| value.trim().trim_matches(['"', '\'']))
        .collect()
}

/// Whether a secret is a word or number that stands in longer ones by chance.
pub(super) fn is_word(secret: &str) -> bool {
    secret.chars().count() < SHORTEST_IN_WORD
        && (secret.chars().all(char::is_alphabetic)
            || secret.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether what stands there is part of a longer word.
pub(super) fn is_in_longer_word(text: &str, at: &Range<usize>) -> bool {
    let is_of_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let before = text[..at.start].trim_end_matches(is_of_word);
    let head = &text[before.len()..at.start];
    let hexadecimal = head.trim_start_matches(['x', 'u', 'U']);
    let is_hexadecimal = hexadecimal.bytes().all(|byte| byte.is_ascii_hexdigit());
    // A line's end or another sign may be written as an escape.
    let is_escape = match before.chars().next_back() {
        Some('\\') => {
            head.len() == 1
                || (is_hexadecimal
                    && matches!(
                        (head.bytes().next(), head.len()),
                        (Some(b'x'), 3) | (Some(b'u'), 5) | (Some(b'U'), 9)
                    ))
        }
        Some('%') => head.len() == 2 && is_hexadecimal,
        _ => false,
    };
    (!head.is_empty() && !is_escape) || text[at.end..].starts_with(is_of_word)
}
