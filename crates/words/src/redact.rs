//! Keeps credentials out of everything people read.

use std::ops::Range;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use crate::percent::{encoded, percent_encode};

/// What stands in a text where a secret stood.
const MASK: &str = "***";

/// Secrets shorter than this many characters are masked only where a password is written.
const SHORT: usize = 4;

/// A part of a secret (a line, a piece of an address, a stretch of base64) counts as a secret of its own from this length.
const PART: usize = 8;

/// What parts an address: where a password stands in one unescaped, a client library takes it apart there and
/// repeats a piece as if it were a host or a port.
const ADDRESS_PARTS: [char; 6] = ['/', '?', '#', '@', ':', '&'];

/// Words before `=` or `:` that say a secret follows.
const SECRET_WORDS: [&str; 8] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "key",
    "credential",
];

/// Replaces every known secret in a text by `***`. Cheap to clone and to share.
///
/// A secret is found as it is and as it looks after the usual writings: percent-encoded, JSON-escaped,
/// with doubled quotes, and inside base64. Each long line of a secret of several lines (a private key)
/// is a secret of its own, and so is each long piece of a secret that an address would be parted into. A secret of up to three characters would blank out ordinary words, so it is
/// masked only where a password is written: `password=abc`, `"token": "abc"`, `user:abc@host`.
#[derive(Clone, Default)]
pub struct Redactor {
    secrets: usize,
    /// Spellings masked wherever they stand.
    anywhere: Arc<[String]>,
    /// Spellings masked only where a password is written.
    in_place: Arc<[String]>,
}

impl Redactor {
    /// A redactor for these secret values; empty ones are ignored.
    #[must_use]
    pub fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        let mut count = 0;
        let mut anywhere = Vec::new();
        let mut in_place = Vec::new();
        for secret in secrets {
            if secret.trim().is_empty() {
                continue;
            }
            count += 1;
            if secret.chars().count() < SHORT {
                in_place.extend(spellings(&secret));
                continue;
            }
            for line in secret.lines().map(str::trim) {
                if line.starts_with("-----") {
                    continue;
                }
                for part in line.split(ADDRESS_PARTS).chain([line]) {
                    if part.len() >= PART && part != secret {
                        anywhere.extend(spellings(part));
                    }
                }
            }
            anywhere.extend(spellings(&secret));
            anywhere.extend(base64_cores(&secret));
        }
        anywhere.sort();
        anywhere.dedup();
        Self {
            secrets: count,
            anywhere: anywhere.into(),
            in_place: in_place.into(),
        }
    }

    /// The same redactor, for more secrets.
    #[must_use]
    pub fn with(&self, secrets: impl IntoIterator<Item = String>) -> Self {
        let more = Self::new(secrets);
        let joined = |ours: &[String], theirs: &[String]| [ours, theirs].concat().into();
        Self {
            secrets: self.secrets + more.secrets,
            anywhere: joined(&self.anywhere, &more.anywhere),
            in_place: joined(&self.in_place, &more.in_place),
        }
    }

    /// The text with every secret replaced by `***`.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        let mut found: Vec<Range<usize>> = Vec::new();
        for secret in &*self.anywhere {
            found.extend(occurrences(text, secret));
        }
        for secret in &*self.in_place {
            found.extend(occurrences(text, secret).filter(|at| is_password_place(text, at)));
        }
        found.sort_by_key(|at| at.start);
        let mut masked = String::with_capacity(text.len());
        let mut done = 0;
        for at in found {
            if at.start >= done {
                // A secret that starts where the last one ended shares its mask.
                if at.start > done || done == 0 {
                    masked.push_str(&text[done..at.start]);
                    masked.push_str(MASK);
                }
                done = at.end;
            } else {
                done = done.max(at.end);
            }
        }
        masked.push_str(&text[done..]);
        masked
    }
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Redactor({} secrets)", self.secrets)
    }
}

/// Every place the needle stands at, overlapping ones included.
fn occurrences<'a>(text: &'a str, needle: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + text.get(from..)?.find(needle)?;
        from = start + needle.chars().next().map_or(1, char::len_utf8);
        Some(start..start + needle.len())
    })
}

/// The secret as it is and as escaping writes it.
fn spellings(secret: &str) -> Vec<String> {
    let json = |text: &str| {
        let quoted = serde_json::Value::from(text).to_string();
        quoted[1..quoted.len() - 1].to_owned()
    };
    let ascii_json: String = json(secret)
        .chars()
        .map(|c| match c {
            c if c.is_ascii() => c.to_string(),
            c => c
                .encode_utf16(&mut [0; 2])
                .iter()
                .map(|unit| format!("\\u{unit:04x}"))
                .collect(),
        })
        .collect();
    let debug = format!("{secret:?}");
    let all = [
        secret.to_owned(),
        percent_encode(secret),
        percent_encode_small(secret),
        percent_encode(secret).replace("%20", "+"),
        json(secret),
        json(secret).replace('/', "\\/"),
        ascii_json,
        debug[1..debug.len() - 1].to_owned(),
        secret.replace('\'', "''"),
        secret.replace('"', "\"\""),
        secret.replace('\\', "\\\\").replace('\'', "\\'"),
    ];
    let mut distinct: Vec<String> = Vec::new();
    for spelling in all {
        if !distinct.contains(&spelling) {
            distinct.push(spelling);
        }
    }
    distinct
}

/// Percent-encoded with small hexadecimal digits.
fn percent_encode_small(text: &str) -> String {
    encoded(text)
        .map(|stretch| {
            if stretch.starts_with('%') {
                stretch.to_ascii_lowercase()
            } else {
                stretch.to_owned()
            }
        })
        .collect()
}

/// What base64 makes of the secret wherever it stands in a longer text: the characters that depend on
/// nothing but the secret, for each of the three ways it can fall on the groups of three bytes.
fn base64_cores(secret: &str) -> Vec<String> {
    let mut cores = Vec::new();
    for offset in 0..3usize {
        let bytes: Vec<u8> = std::iter::repeat_n(0, offset)
            .chain(secret.bytes())
            .collect();
        let first = (offset * 8).div_ceil(6);
        let last = bytes.len() * 8 / 6;
        for text in [
            STANDARD_NO_PAD.encode(&bytes),
            URL_SAFE_NO_PAD.encode(&bytes),
        ] {
            if let Some(core) = text.get(first..last)
                && core.len() >= PART
            {
                cores.push(core.to_owned());
            }
        }
        if offset == 0 {
            cores.push(STANDARD_NO_PAD.encode(&bytes));
        }
    }
    cores
}

/// Whether what stands there is written as a password is: after `password=`, or in `user:here@host`.
fn is_password_place(text: &str, at: &Range<usize>) -> bool {
    let (before, after) = (&text[..at.start], &text[at.end..]);
    if after.chars().next().is_some_and(char::is_alphanumeric) {
        return false;
    }
    if before.ends_with(':') && after.starts_with('@') {
        return true;
    }
    let quotes = ['"', '\'', '`'];
    let unquoted = before.trim_end_matches(quotes).trim_end();
    let Some(name) = unquoted.strip_suffix(['=', ':']) else {
        return false;
    };
    let name = name.trim_end().trim_end_matches(quotes);
    let word_start = name
        .rfind(|c: char| !c.is_alphanumeric() && c != '_' && c != '-')
        .map_or(0, |gap| {
            gap + name[gap..].chars().next().map_or(1, char::len_utf8)
        });
    let word = name[word_start..].to_lowercase();
    SECRET_WORDS.iter().any(|secret| word.contains(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redact(secret: &str, text: &str) -> String {
        Redactor::new([secret.to_owned()]).redact(text)
    }

    #[test]
    fn a_secret_is_masked_in_every_writing() {
        let secret = "p@ss \"w'ö/rd\\1";
        let base64 = |text: &str| STANDARD_NO_PAD.encode(text);
        for written in [
            secret.to_owned(),
            "p%40ss%20%22w%27%C3%B6%2Frd%5C1".to_owned(),
            "p%40ss%20%22w%27%c3%b6%2frd%5c1".to_owned(),
            "p%40ss+%22w%27%C3%B6%2Frd%5C1".to_owned(),
            "p@ss \\\"w'ö/rd\\\\1".to_owned(),
            "p@ss \\\"w'\\u00f6/rd\\\\1".to_owned(),
            "p@ss \"w''ö/rd\\1".to_owned(),
        ] {
            assert_eq!(
                redact(secret, &format!("login failed: <{written}> refused")),
                "login failed: <***> refused",
                "{written}"
            );
        }
        for user in ["", "u", "us", "someone"] {
            let header = base64(&format!("{user}:{secret}!tail"));
            let masked = redact(secret, &header);
            assert!(masked.contains(MASK), "{header} became {masked}");
            // What is left on either side of the mask is less than a group of three bytes of the secret.
            let left = masked.replace(MASK, "");
            assert!(
                left.len() <= base64(&format!("{user}:")).len() + 2 + base64("!tail").len() + 2
            );
        }
    }

    #[test]
    fn secrets_that_overlap_or_touch_leave_nothing() {
        let redactor = Redactor::new(["abcdef".to_owned(), "defghi".to_owned(), "abcd".to_owned()]);
        assert_eq!(redactor.redact("x abcdefghi y"), "x *** y");
        assert_eq!(redactor.redact("abcdabcd"), "***");
        assert_eq!(redact("aaaa", "aaaaaa b"), "*** b");
    }

    #[test]
    fn each_line_of_a_private_key_is_masked() {
        let key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----\n";
        assert_eq!(
            redact(key, "bad key near kqhkiG9w0BAQEFAASC, line 2"),
            "bad key near ***, line 2"
        );
        assert_eq!(
            redact(key, "-----BEGIN PRIVATE KEY-----"),
            "-----BEGIN PRIVATE KEY-----"
        );
    }

    #[test]
    fn each_long_piece_of_an_address_is_masked() {
        assert_eq!(
            redact(
                "hunter2hunter2/x@y",
                "invalid port: \"hunter2hunter2\", no host \"y\""
            ),
            "invalid port: \"***\", no host \"y\""
        );
    }

    #[test]
    fn a_short_secret_is_masked_only_where_a_password_is_written() {
        for (text, expected) in [
            ("password=abc host=abc", "password=*** host=abc"),
            ("PASSWORD = 'abc'", "PASSWORD = '***'"),
            ("{\"api_token\": \"abc\"}", "{\"api_token\": \"***\"}"),
            (
                "postgresql://me:abc@db:5432/abc",
                "postgresql://me:***@db:5432/abc",
            ),
            ("no such table: abc", "no such table: abc"),
            ("password=abcd", "password=abcd"),
            ("the password: abc.", "the password: ***."),
            ("user:abc", "user:abc"),
        ] {
            assert_eq!(redact("abc", text), expected);
        }
        assert_eq!(redact("", "nothing to hide"), "nothing to hide");
        assert_eq!(redact("  ", "a  b"), "a  b");
    }

    #[test]
    fn debug_shows_no_secret() {
        let redactor = Redactor::new(["hunter22".to_owned(), "ab".to_owned()]);
        assert_eq!(format!("{redactor:?}"), "Redactor(2 secrets)");
    }
}
