//! What is looked for: a secret, a part of it, or what an encoding makes of it.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use unicode_normalization::UnicodeNormalization;

use super::writing::{self, Case};

/// Secrets shorter than this many characters are masked only where a password is written.
pub(super) const SHORT: usize = 4;
/// A part of a secret (a line, a piece of an address, a stretch of base64) counts as a secret of its own from this length.
const PART: usize = 8;
/// One that no word looks like counts from this length.
const ODD_PART: usize = 6;
/// From this length on, half a secret gives it away.
const HALVED: usize = 12;
/// Longer ones are looked for from their beginnings only.
const MOST_BEGINNINGS: usize = 200;

/// What parts an address: where a password stands in one unescaped, a client library takes it apart there and
/// repeats a piece as if it were a host or a port.
const ADDRESS_PARTS: [char; 6] = ['/', '?', '#', '@', ':', '&'];

/// What may stand between the characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Gaps {
    None,
    /// Line breaks and what lists of bytes are written with.
    Breaks,
}

/// Characters that are looked for one after the other, each in any of its writings.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Pattern {
    pub(super) wanted: Vec<char>,
    /// How many of them, from the first on, are enough.
    least: usize,
    case: Case,
    gaps: Gaps,
}

impl Pattern {
    fn new(text: &str, case: Case, gaps: Gaps) -> Self {
        let wanted: Vec<char> = text.chars().collect();
        Self {
            least: wanted.len(),
            wanted,
            case,
            gaps,
        }
    }

    /// A secret as it is.
    fn secret(text: &str) -> Self {
        let is_word = text.chars().count() < PART && text.chars().all(char::is_alphabetic);
        let case = if is_word { Case::Told } else { Case::Ignored };
        Self::new(text, case, Gaps::None)
    }

    /// Where the longest match that begins at a place ends.
    pub(super) fn end(&self, text: &str, from: usize) -> Option<usize> {
        if self.ends_after_one(text.as_bytes(), from) {
            return None;
        }
        self.longest(text, from)
    }

    /// Whether two plain characters tell that it does not stand here: what is asked at nearly every place of a text.
    fn ends_after_one(&self, text: &[u8], from: usize) -> bool {
        let (Some(first), Some(second)) = (text.get(from), text.get(from + 1)) else {
            return false;
        };
        let &[one, two, ..] = self.wanted.as_slice() else {
            return false;
        };
        // A letter or digit is no part of an escape, a gap or a doubled sign that did not begin before it.
        let is_plain = first.is_ascii() && !writing::is_lead(*first) && one.is_ascii();
        let is_other = second.is_ascii_alphanumeric()
            && two.is_ascii()
            && !two.eq_ignore_ascii_case(&char::from(*second));
        is_plain && is_other && self.least > 1
    }

    fn longest(&self, text: &str, from: usize) -> Option<usize> {
        let mut places = vec![from];
        let mut next = Vec::new();
        let mut found = None;
        for (index, wanted) in self.wanted.iter().enumerate() {
            for place in places.drain(..) {
                let place = match self.gaps {
                    Gaps::Breaks if index > 0 => after_gap(text, place),
                    Gaps::Breaks | Gaps::None => place,
                };
                writing::ends(text, place, *wanted, self.case, &mut next);
            }
            next.sort_unstable();
            next.dedup();
            std::mem::swap(&mut places, &mut next);
            let Some(last) = places.last() else {
                break;
            };
            if index + 1 >= self.least {
                found = Some(*last);
            }
        }
        found
    }
}

fn after_gap(text: &str, from: usize) -> usize {
    let mut rest = &text[from..];
    loop {
        let trimmed = rest.trim_start_matches([' ', '\t', '\r', '\n', ':']);
        let trimmed = ["\\r", "\\n", "%0A", "%0D", "&#10;", "&#13;"]
            .into_iter()
            .find_map(|escape| trimmed.strip_prefix(escape))
            .unwrap_or(trimmed);
        if trimmed.len() == rest.len() {
            return text.len() - rest.len();
        }
        rest = trimmed;
    }
}

/// What is looked for of a secret that is looked for everywhere.
pub(super) fn anywhere(secret: &str) -> Vec<Pattern> {
    let mut patterns = Vec::new();
    for line in secret.lines().map(str::trim) {
        if line.starts_with("-----") {
            continue;
        }
        let pieces = beside_host(line).into_iter();
        let pieces = pieces.flat_map(|beside| beside.split(ADDRESS_PARTS));
        for part in pieces.chain([line]) {
            if part != secret && is_telling(part) {
                patterns.extend(whole(part));
            }
        }
    }
    patterns.extend(whole(secret));
    patterns.extend(halves(secret));
    patterns.extend(encoded(secret.as_bytes()));
    let latin: Option<Vec<u8>> = secret
        .chars()
        .map(|c| u8::try_from(u32::from(c)).ok())
        .collect();
    if let Some(latin) = latin.filter(|_| !secret.is_ascii()) {
        patterns.extend(encoded(&latin));
    }
    patterns
}

/// What stands before and behind the host of an address, which is no secret; a text that is no address is returned whole.
fn beside_host(text: &str) -> Vec<&str> {
    let Some((_, rest)) = text.split_once("://") else {
        return vec![text];
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, behind) = rest.split_at(end);
    let user = authority.rsplit_once('@').map(|(user, _)| user);
    user.into_iter().chain([behind]).collect()
}

/// What is looked for of a secret that is masked only where a password is written.
pub(super) fn in_place(secret: &str) -> Vec<Pattern> {
    whole(secret)
}

fn is_telling(part: &str) -> bool {
    let length = part.chars().count();
    length >= PART || (length >= ODD_PART && part.chars().any(|c| !c.is_alphabetic()))
}

/// The text, also with its accents apart or joined.
fn whole(text: &str) -> Vec<Pattern> {
    let mut forms = vec![text.to_owned()];
    if !text.is_ascii() {
        let others = [
            text.nfd().collect(),
            text.nfc().collect(),
            text.nfkc().collect(),
        ];
        forms.extend(others.into_iter().filter(|other: &String| other != text));
        forms.dedup();
    }
    forms.iter().map(|form| Pattern::secret(form)).collect()
}

/// Half of a long secret that looks like one, wherever it was cut off. Addresses begin alike, and words stand in texts.
fn halves(secret: &str) -> Vec<Pattern> {
    let wanted: Vec<char> = secret.chars().collect();
    let is_word = !secret.contains(|c: char| c.is_ascii_digit())
        && (secret.to_lowercase() == secret || secret.to_uppercase() == secret);
    if wanted.len() < HALVED || secret.contains("://") || is_word {
        return Vec::new();
    }
    let half = wanted.len().div_ceil(2).max(PART);
    let beginnings = if wanted.len() <= MOST_BEGINNINGS {
        wanted.len() - half + 1
    } else {
        1
    };
    (0..beginnings)
        .map(|first| Pattern {
            wanted: wanted[first..].to_vec(),
            least: half,
            case: Case::Ignored,
            gaps: Gaps::None,
        })
        .collect()
}

/// What encodings make of bytes as a whole.
fn encoded(bytes: &[u8]) -> Vec<Pattern> {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
    let mut patterns = vec![
        Pattern::new(&hex, Case::Ignored, Gaps::Breaks),
        Pattern::new(&numbers.join(","), Case::Told, Gaps::Breaks),
    ];
    let cores = base64_cores(bytes);
    patterns.extend(
        cores
            .iter()
            .map(|core| Pattern::new(core, Case::Told, Gaps::Breaks)),
    );
    patterns
}

/// What base64 makes of the secret wherever it stands in a longer text: the characters that depend on
/// nothing but the secret, for each of the three ways it can fall on the groups of three bytes.
fn base64_cores(secret: &[u8]) -> Vec<String> {
    let mut cores = Vec::new();
    for offset in 0..3_usize {
        let bytes = [&[0; 3][..offset], secret].concat();
        let first = (offset * 8).div_ceil(6);
        let last = bytes.len() * 8 / 6;
        for text in [
            STANDARD_NO_PAD.encode(&bytes),
            URL_SAFE_NO_PAD.encode(&bytes),
        ] {
            if let Some(core) = text.get(first..last)
                && core.len() >= ODD_PART
            {
                cores.push(core.to_owned());
            }
        }
        if offset == 0 {
            cores.push(STANDARD_NO_PAD.encode(&bytes));
            cores.push(URL_SAFE_NO_PAD.encode(&bytes));
        }
    }
    cores.sort();
    cores.dedup();
    cores
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_place_is_passed_over_for_its_second_character() {
        let letters: Vec<char> = "aB4\u{e9}%\\'+&;?x".chars().collect();
        let mut texts = vec![String::new()];
        for _ in 0..4 {
            texts = texts
                .iter()
                .flat_map(|text| letters.iter().map(move |letter| format!("{text}{letter}")))
                .collect();
        }
        let mut passed_over = 0;
        for secret in ["aba4", "a'b'", "a b ", "+a4a", "\u{e9}aba", "b\u{e9}ba"] {
            for pattern in anywhere(secret) {
                for text in &texts {
                    passed_over += usize::from(pattern.ends_after_one(text.as_bytes(), 0));
                    assert_eq!(
                        pattern.end(text, 0),
                        pattern.longest(text, 0),
                        "{secret} in {text}"
                    );
                }
            }
        }
        assert!(passed_over > 0);
    }
}
