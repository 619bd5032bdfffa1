//! Keeps credentials out of everything people read.

mod pattern;
mod writing;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use pattern::Pattern;

/// What stands in a text where a secret stood.
const MASK: &str = "***";

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
/// A secret is found as it is and as libraries write it, character by character, so that writings may be mixed and
/// applied to each other: percent-encoded, with escapes of JSON, Python, shells and HTML, with doubled quotes, in capitals,
/// with its accents apart, misread as Latin-1; and as a whole in base64 at any place, in hexadecimal, and as a list of
/// bytes. Half of a long secret is found too, wherever it was cut off. Each long line of a secret of several lines (a
/// private key) is a secret of its own, and so is each long piece of a secret that an address would be parted into. A
/// secret of up to three characters would blank out ordinary words, so it is masked only where a password is written:
/// `password=abc`, `"token": "abc"`, `user:abc@host`.
#[derive(Clone, Default)]
pub struct Redactor {
    secrets: usize,
    /// Masked wherever they stand.
    anywhere: Arc<Index>,
    /// Masked only where a password is written.
    in_place: Arc<Index>,
}

/// Patterns by what they may begin with.
#[derive(Default)]
struct Index {
    patterns: Vec<Pattern>,
    /// By each character of ASCII: those of which a writing may begin with it.
    by_ascii: Vec<Vec<usize>>,
    /// By other first characters, as small letters.
    by_first: HashMap<char, Vec<usize>>,
    /// Those whose first character may be lost or misread.
    foreign: Vec<usize>,
}

impl Index {
    fn new(mut patterns: Vec<Pattern>) -> Self {
        let mut seen = std::collections::HashSet::new();
        patterns.retain(|pattern| !pattern.wanted.is_empty() && seen.insert(pattern.clone()));
        let mut by_first: HashMap<char, Vec<usize>> = HashMap::new();
        let mut foreign = Vec::new();
        for (index, pattern) in patterns.iter().enumerate() {
            let first = pattern.wanted[0];
            if !first.is_ascii() {
                foreign.push(index);
            }
            by_first.entry(small(first)).or_default().push(index);
        }
        let named = |letter: char| by_first.get(&small(letter)).map_or(&[][..], Vec::as_slice);
        let by_ascii = (0..128_u8).map(|byte| match byte {
            _ if writing::is_lead(byte) => (0..patterns.len()).collect(),
            b'+' => [named('+'), named(' ')].concat(),
            b'?' => [named('?'), &foreign].concat(),
            _ => named(char::from(byte)).to_vec(),
        });
        Self {
            by_ascii: by_ascii.collect(),
            patterns,
            by_first,
            foreign,
        }
    }

    fn with(&self, other: &Self) -> Self {
        Self::new([&self.patterns[..], &other.patterns].concat())
    }

    /// Every place where one of them stands, by where it begins.
    fn places(&self, text: &str, on_place: &mut dyn FnMut(Range<usize>)) {
        if self.patterns.is_empty() {
            return;
        }
        for (from, first) in text.char_indices() {
            let (named, foreign) = match self.by_ascii.get(first as usize) {
                Some(named) => (named.as_slice(), &[][..]),
                None => (
                    self.by_first
                        .get(&small(first))
                        .map_or(&[][..], Vec::as_slice),
                    self.foreign.as_slice(),
                ),
            };
            let end = named
                .iter()
                .chain(foreign)
                .filter_map(|index| self.patterns[*index].end(text, from))
                .max();
            if let Some(end) = end {
                on_place(from..end);
            }
        }
    }
}

fn small(letter: char) -> char {
    letter.to_lowercase().next().unwrap_or(letter)
}

impl Redactor {
    /// A redactor for these secret values; empty ones are ignored.
    #[must_use]
    pub fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        Self::beside(secrets, "")
    }

    /// The same, for texts that show this name anyway: a secret that is it is masked only where a password is written.
    /// Blanked out everywhere, it would be told by where it is missing.
    #[must_use]
    pub fn beside(secrets: impl IntoIterator<Item = String>, name: &str) -> Self {
        let name = name.to_lowercase();
        let mut count = 0;
        let mut anywhere = Vec::new();
        let mut in_place = Vec::new();
        for secret in secrets {
            if secret.trim().is_empty() {
                continue;
            }
            count += 1;
            let is_open = secret.trim().to_lowercase() == name;
            if is_open || secret.chars().count() < pattern::SHORT {
                in_place.extend(pattern::in_place(&secret));
            } else {
                anywhere.extend(pattern::anywhere(&secret));
            }
        }
        Self {
            secrets: count,
            anywhere: Arc::new(Index::new(anywhere)),
            in_place: Arc::new(Index::new(in_place)),
        }
    }

    /// The same redactor, for more secrets.
    #[must_use]
    pub fn with(&self, secrets: impl IntoIterator<Item = String>) -> Self {
        let more = Self::new(secrets);
        Self {
            secrets: self.secrets + more.secrets,
            anywhere: Arc::new(self.anywhere.with(&more.anywhere)),
            in_place: Arc::new(self.in_place.with(&more.in_place)),
        }
    }

    /// Whether it hides nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.secrets == 0
    }

    /// Where the first secret stands in the text, in bytes; nothing when there is none.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<usize> {
        Some(self.places(text).first()?.start)
    }

    /// The text with every secret replaced by `***`.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        let mut masked = String::with_capacity(text.len());
        let mut done = 0;
        for at in self.places(text) {
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

    /// Every place of a secret, in bytes, by where it begins.
    #[must_use]
    pub fn places(&self, text: &str) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        self.anywhere.places(text, &mut |at| found.push(at));
        self.in_place.places(text, &mut |at| {
            if is_password_place(text, &at) {
                found.push(at);
            }
        });
        found.sort_by_key(|at| at.start);
        found
    }
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Redactor({} secrets)", self.secrets)
    }
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
mod tests;
