//! What errors show of answers and records: enough to see what is meant, and no secrets.

use bowline_words::beginning;
use serde_json::Value as Json;

/// How much of a text an error shows, in characters.
pub(super) const SHOWN: usize = 600;

/// How much of one text in a record is shown, in characters.
const TEXT_SHOWN: usize = 60;
/// How many entries of a list in a record are shown.
const ENTRIES_SHOWN: usize = 3;
/// Words in a key that say that its value is nobody's business, without what parts words.
const SECRET_WORDS: [&str; 9] = [
    "password",
    "passwd",
    "secret",
    "token",
    "credential",
    "apikey",
    "accesskey",
    "privatekey",
    "authorization",
];

/// Words in such a key that say that it leads to the next page instead.
const PAGE_WORDS: [&str; 4] = ["page", "next", "continu", "cursor"];

/// Whether a key sounds as if its value were nobody's business.
pub(super) fn is_secret_key(key: &str) -> bool {
    let letters = key.chars().filter(|letter| letter.is_alphanumeric());
    let key: String = letters.flat_map(char::to_lowercase).collect();
    let has = |words: &[&str]| words.iter().any(|word| key.contains(word));
    has(&SECRET_WORDS) && !has(&PAGE_WORDS)
}

/// A record made short for people, without the values of keys that sound like secrets.
pub(crate) fn trimmed(record: &Json) -> Json {
    match record {
        Json::String(text) => Json::from(beginning(text, TEXT_SHOWN)),
        Json::Array(items) => items.iter().take(ENTRIES_SHOWN).map(trimmed).collect(),
        Json::Object(members) => members
            .iter()
            .map(|(key, value)| {
                let shown = if value.is_string() && is_secret_key(key) {
                    Json::from("***")
                } else {
                    trimmed(value)
                };
                (key.clone(), shown)
            })
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_sound_secret_are_known_however_they_are_written() {
        for key in [
            "api_key",
            "apiKey",
            "X-Api-Key",
            "Authorization",
            "db_passwd",
            "private-key",
            "accessToken",
        ] {
            assert!(is_secret_key(key), "{key}");
        }
        for key in [
            "next_page_token",
            "continuationToken",
            "key",
            "cursor",
            "author",
        ] {
            assert!(!is_secret_key(key), "{key}");
        }
    }
}
