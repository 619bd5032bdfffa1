//! Secrets that are written into texts of any kind: addresses, what programs quote, and what images are given.
//!
//! A file that is refused stands in the way, and texts speak of secrets more often than they hold one. So a value counts
//! only where it reads as something that was made up to be secret, and what is doubtful passes.

mod program;
#[cfg(test)]
mod tests;

use super::secret::folded;
use super::written::{is_open, is_path, names_a_secret};
pub(super) use program::{Program, secret_in_program};

/// The place of the first address with a password that others may use.
pub(super) fn address_with_secret(text: &str) -> Option<usize> {
    let ends = |letter: char| letter.is_whitespace() || "'\"`,;()<>/?#\\".contains(letter);
    text.match_indices("://").find_map(|(at, mark)| {
        let authority = text[at + mark.len()..].split(ends).next()?;
        let (login, host) = authority.rsplit_once('@')?;
        let (user, password) = login.split_once(':')?;
        let host = host.split(':').next()?;
        let is_one_word = !host.contains('.');
        (!is_one_word && !is_example_host(host) && is_telling(password) && !is_of(user, password))
            .then_some(at)
    })
}

/// Whether a password is the name of its user, with digits and signs.
fn is_of(user: &str, password: &str) -> bool {
    letters(user) == letters(password)
}

fn letters(text: &str) -> String {
    let letters = text.chars().filter(|letter| letter.is_alphabetic());
    letters.flat_map(char::to_lowercase).collect()
}

/// What hosts of examples are called, alone or before `.com` and the like.
const EXAMPLE_HOSTS: [&str; 12] = [
    "host",
    "hostname",
    "myhost",
    "server",
    "myserver",
    "db",
    "postgres",
    "domain",
    "mydomain",
    "company",
    "acme",
    "host.docker.internal",
];
/// What such names stand before.
const PUBLIC_ENDS: [&str; 3] = [".com", ".org", ".net"];

/// Whether a host is the reader's own machine, one of those that stand for others in examples, or filled in.
fn is_example_host(host: &str) -> bool {
    let name = host.to_lowercase();
    let is_of_host = |letter: char| letter.is_alphanumeric() || "._-".contains(letter);
    let labels: Vec<&str> = name.split('.').collect();
    let public = PUBLIC_ENDS.iter().find_map(|end| name.strip_suffix(end));
    let named = public.map_or(name.as_str(), |rest| {
        rest.rsplit('.').next().unwrap_or(rest)
    });
    !name.chars().all(is_of_host)
        || name.is_empty()
        || name.starts_with("127.")
        || name == "0.0.0.0"
        || name.starts_with("your")
        || EXAMPLE_HOSTS.contains(&named)
        || labels.iter().any(|label| label.contains("example"))
        || labels
            .last()
            .is_some_and(|end| ["invalid", "test", "localhost"].contains(end))
}

/// The name that `ENV NAME value` or `ENV NAME=value` of an image's instructions gives a secret, and its line, from 1.
pub(super) fn secret_of_image(text: &str) -> Option<(String, usize)> {
    let mut goes_on = false;
    text.lines().enumerate().find_map(|(at, line)| {
        let line = line.trim();
        let instruction = line.split_once(char::is_whitespace);
        let given = match instruction {
            _ if goes_on => Some(line),
            Some((word, given)) if word.eq_ignore_ascii_case("env") => Some(given.trim()),
            _ => None,
        };
        goes_on = given.is_some() && line.ends_with('\\');
        let given = given?.trim_end_matches('\\');
        let one = given
            .split_once(char::is_whitespace)
            .filter(|(name, _)| !name.contains('='));
        let several = given
            .split_whitespace()
            .filter_map(|word| word.split_once('='));
        let mut pairs = one.into_iter().chain(several);
        let (name, _) = pairs.find(|(name, value)| {
            names_a_secret_or_token(name) && is_telling(value.trim().trim_matches(['"', '\'']))
        })?;
        Some((name.to_owned(), at + 1))
    })
}

/// What stands before `_TOKEN` where it is none that logs in.
const OTHER_TOKENS: [&str; 6] = ["NEXT", "PAGE", "CSRF", "XSRF", "CONTINUATION", "SYNC"];

/// Whether a name is a secret's, also as variables of the environment have it: `GITHUB_TOKEN`.
fn names_a_secret_or_token(name: &str) -> bool {
    let token = name.strip_suffix("_TOKEN");
    names_a_secret(name)
        || token.is_some_and(|before| {
            !before.contains(char::is_lowercase)
                && !OTHER_TOKENS.iter().any(|other| before.ends_with(other))
        })
}

/// What examples call secrets, and what stands where one is to be written.
const SAMPLES: [&str; 20] = [
    "pass",
    "secret",
    "token",
    "apikey",
    "credential",
    "example",
    "sample",
    "dummy",
    "fake",
    "mock",
    "test",
    "change",
    "placeholder",
    "replace",
    "insert",
    "foobar",
    "xxx",
    "abc123",
    "12345",
    "...",
];

/// Shorter values are words.
const SHORTEST: usize = 8;

/// Whether a value reads as one that was made up to be secret: letters with digits, and nothing that names, samples,
/// versions, paths and expressions are made of.
fn is_telling(value: &str) -> bool {
    let is_odd = |letter: char| {
        letter.is_whitespace() || letter.is_control() || "()[]{}<>\"'`,;\\…".contains(letter)
    };
    let has = |is: fn(char) -> bool| value.contains(is);
    if value.chars().count() < SHORTEST
        || !has(|letter| letter.is_ascii_digit())
        || !has(char::is_alphabetic)
        || value.contains(is_odd)
        || value.contains("://")
        || value.contains("::")
        || value.contains("%s")
        || is_open(value)
        || is_path(value)
    {
        return false;
    }
    let (small, plain) = (value.to_lowercase(), unmasked(value));
    let is_sample = |sample: &&str| small.contains(*sample) || plain.contains(*sample);
    !SAMPLES.iter().any(is_sample) && !is_sequence(value) && !is_name(value)
}

/// A text in small letters, without the digits and signs that stand for letters, as in `p4ssw0rd`.
fn unmasked(value: &str) -> String {
    let letter = |letter: char| match letter {
        '0' => 'o',
        '1' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        other => other.to_ascii_lowercase(),
    };
    value.chars().map(letter).collect()
}

/// Whether the letters of a value stand as in the alphabet, as in `1a2b3c4d`.
fn is_sequence(value: &str) -> bool {
    let letters: Vec<u32> = letters(value).chars().map(u32::from).collect();
    letters
        .windows(2)
        .all(|pair| pair[1] == pair[0] || pair[1] == pair[0] + 1)
}

/// In names, parts have as many letters on average.
const LETTERS_OF_WORDS: usize = 3;
/// Names have fewer numbers in them.
const NUMBERS_OF_RANDOM: usize = 3;

/// Whether a text is made of words and numbers, as names and versions are: `OAuth2Session`, `aes-256-gcm`, `v1.2.3-beta4`.
fn is_name(value: &str) -> bool {
    let is_part = |part: &str| {
        let letters = part.trim_end_matches(|letter: char| letter.is_ascii_digit());
        let is_small = letters.chars().skip(1).all(char::is_lowercase);
        let is_large = letters.chars().all(char::is_uppercase);
        letters.chars().all(char::is_alphabetic)
            && (is_small || is_large)
            && part.len() - letters.len() <= 4
    };
    let parts = || value.split(|letter: char| !letter.is_alphanumeric());
    if parts().count() > 1 && parts().all(is_part) {
        return true;
    }
    let (mut letters, mut words, mut numbers) = (0, 0, 0);
    let mut before = ' ';
    let mut following = value.chars().skip(1);
    for letter in value.chars() {
        let next = following.next().unwrap_or(' ');
        if letter.is_alphabetic() {
            letters += 1;
            // `OAuth` is `O` and `Auth`.
            let begins = !before.is_alphabetic()
                || letter.is_uppercase() && (before.is_lowercase() || next.is_lowercase());
            words += usize::from(begins);
        } else if letter.is_ascii_digit() {
            numbers += usize::from(!before.is_ascii_digit());
        }
        before = letter;
    }
    letters >= LETTERS_OF_WORDS * words && numbers < NUMBERS_OF_RANDOM
}
