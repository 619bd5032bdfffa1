//! Secrets that programs quote.

use std::ops::Range;

use super::{folded, is_example_host, is_of, is_telling, names_a_secret_or_token};

/// How a program's comments and quotes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Program {
    /// Comments behind `#`, texts of several lines in `"""` and `'''`.
    Python,
    /// Comments behind `//` and in `/* */`, texts also in backquotes.
    Braced,
}

/// Longer lines were written by programs that pack others.
const LONGEST_LINE: usize = 2_000;
/// Shorter words behind `Bearer` are prose.
const SHORTEST_TOKEN: usize = 20;

/// The first secret that a program quotes, outside comments and texts of several lines, and its line, from 1.
pub(in super::super) fn secret_in_program(program: Program, text: &str) -> Option<(String, usize)> {
    let mut previous: Option<Literal<'_>> = None;
    Literals::of(program, text).find_map(|literal| {
        let found = if is_bearer(literal.text) {
            Some("an `Authorization` header".to_owned())
        } else if is_connection_with_secret(literal.text) {
            Some("a secret in a connection string".to_owned())
        } else if is_telling(literal.text) {
            let beside = previous.filter(|before| before.line == literal.line);
            let name = name_of(program, &literal, beside);
            name.map(|name| format!("a secret under `{name}`"))
        } else {
            None
        };
        previous = Some(literal);
        Some((found?, literal.line))
    })
}

fn is_bearer(text: &str) -> bool {
    let is_of_token = |letter: char| letter.is_ascii_alphanumeric() || "._~+/=-".contains(letter);
    text.strip_prefix("Bearer ").is_some_and(|token| {
        token.len() >= SHORTEST_TOKEN && token.chars().all(is_of_token) && is_telling(token)
    })
}

/// Whether a text is `Server=x;Uid=y;Pwd=z`, or a part of one.
fn is_connection_with_secret(text: &str) -> bool {
    let parts = || {
        let parts = text.split(';').filter_map(|part| part.split_once('='));
        parts.map(|(key, value)| (folded(key), value.trim()))
    };
    let has = |keys: &[&str], is: &dyn Fn(&str) -> bool| {
        parts().any(|(key, value)| keys.contains(&key.as_str()) && is(value))
    };
    let is_example = |value: &str| {
        let host = value.trim_start_matches("tcp:").split([',', ':']).next();
        host.is_some_and(is_example_host)
    };
    text.contains(';')
        && has(&["pwd"], &|password| {
            is_telling(password) && !has(&["uid"], &|user| is_of(user, password))
        })
        && !has(&["server", "host", "datasource"], &is_example)
}

/// The name of a secret that a text is given to.
fn name_of(
    program: Program,
    literal: &Literal<'_>,
    previous: Option<Literal<'_>>,
) -> Option<String> {
    let before = without_prefix(literal.before).trim_end();
    if let Some(between) = before.strip_suffix(',') {
        // What is taken where nothing is given: `get("NAME", "…")`.
        let key = previous.filter(|_| between.trim().is_empty())?;
        let called = identifier(key.before.trim_end().strip_suffix('(')?).to_lowercase();
        let is_asked = called.ends_with("get") || called.ends_with("env");
        return (is_asked && names_in_quotes(key.text)).then(|| key.text.to_owned());
    }
    let (given, is_assigned) = match before.strip_suffix('=') {
        Some(given) => (given.strip_suffix(':').unwrap_or(given).trim_end(), true),
        None => (before.strip_suffix(':')?.trim_end(), false),
    };
    if given.is_empty() || (given == "]" && is_assigned) {
        let key = previous?.text;
        return names_in_quotes(key).then(|| key.to_owned());
    }
    // `name: type = …`, too.
    let typed = given
        .rsplit_once(':')
        .filter(|(_, kind)| is_assigned && !kind.contains([',', '(', ')']));
    let typed = typed.map(|(name, _)| name.trim_end()).filter(|name| {
        // `if name: …`
        let start = name[..name.len() - identifier(name).len()].trim_end();
        program != Program::Python || !start.ends_with(char::is_alphanumeric)
    });
    [Some(given), typed]
        .into_iter()
        .flatten()
        .find_map(|given| {
            let name = identifier(given);
            let is_path = given[..given.len() - name.len()].ends_with("::");
            (!is_path && names_a_secret_or_token(name)).then(|| name.to_owned())
        })
}

/// Whether a key in quotes is nothing but the name of a secret.
fn names_in_quotes(key: &str) -> bool {
    let is_of_name = |letter: char| letter.is_alphanumeric() || "_-. ".contains(letter);
    key.chars().all(is_of_name) && names_a_secret_or_token(key)
}

/// The name that a text ends with.
fn identifier(text: &str) -> &str {
    let is_of_name = |letter: char| letter.is_alphanumeric() || letter == '_';
    &text[text.trim_end_matches(is_of_name).len()..]
}

/// What stands before a quote, without the letters of `rb"…"`.
fn without_prefix(before: &str) -> &str {
    let word = identifier(before);
    let is_prefix = word.len() <= 2 && word.chars().all(|letter| "rbfuRBFU".contains(letter));
    if is_prefix {
        &before[..before.len() - word.len()]
    } else {
        before
    }
}

/// A quoted text of one line.
#[derive(Debug, Clone, Copy)]
struct Literal<'t> {
    /// The program between it and what was quoted before it, or the line's begin.
    before: &'t str,
    text: &'t str,
    line: usize,
}

/// The quoted texts of a program, without those of several lines.
struct Literals<'t> {
    program: Program,
    text: &'t str,
    at: usize,
    /// Where the program goes on behind the last quoted text.
    code: usize,
    line: Range<usize>,
    number: usize,
}

impl<'t> Literals<'t> {
    fn of(program: Program, text: &'t str) -> Self {
        let mut literals = Self {
            program,
            text,
            at: 0,
            code: 0,
            line: 0..0,
            number: 1,
        };
        literals.line = literals.line_from(0);
        literals
    }

    fn line_from(&self, begin: usize) -> Range<usize> {
        let length = self.text[begin..].find('\n');
        begin..length.map_or(self.text.len(), |length| begin + length)
    }

    /// Sees which line is reached.
    fn follow(&mut self) {
        while self.at > self.line.end {
            self.line = self.line_from(self.line.end + 1);
            self.number += 1;
            self.code = self.code.max(self.line.start);
        }
    }

    /// Goes behind the mark that ends what `begin` bytes begin.
    fn skip(&mut self, begin: usize, end: &str) {
        self.at += begin;
        let bytes = self.text.as_bytes();
        while self.at < bytes.len() && !bytes[self.at..].starts_with(end.as_bytes()) {
            self.at += if bytes[self.at] == b'\\' { 2 } else { 1 };
        }
        self.at = (self.at + end.len()).min(bytes.len());
        self.code = self.at;
    }

    /// Goes behind a quoted text that ends with its line at the latest.
    fn quoted(&mut self, quote: u8) -> Literal<'t> {
        self.follow();
        let (before, begin) = (self.code..self.at, self.at + 1);
        let bytes = self.text.as_bytes();
        let mut end = begin;
        while end < self.line.end && bytes[end] != quote {
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        let end = end.min(self.line.end);
        self.at = (end + 1).min(bytes.len());
        self.code = end.max(begin);
        if bytes.get(end) == Some(&quote) {
            self.code = self.at;
        }
        Literal {
            before: self.text.get(before).unwrap_or_default(),
            // An escaped letter may be one of several bytes.
            text: self.text.get(begin..end).unwrap_or_default(),
            line: self.number,
        }
    }
}

impl<'t> Iterator for Literals<'t> {
    type Item = Literal<'t>;

    fn next(&mut self) -> Option<Literal<'t>> {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at).copied() {
            let rest = &bytes[self.at..];
            match (self.program, byte) {
                (Program::Python, b'#') => {
                    self.follow();
                    self.at = self.line.end;
                }
                (Program::Braced, b'/') if rest.starts_with(b"//") => {
                    self.follow();
                    self.at = self.line.end;
                }
                (Program::Braced, b'/') if rest.starts_with(b"/*") => self.skip(2, "*/"),
                (Program::Python, b'"') if rest.starts_with(b"\"\"\"") => self.skip(3, "\"\"\""),
                (Program::Python, b'\'') if rest.starts_with(b"'''") => self.skip(3, "'''"),
                (_, b'"' | b'\'') | (Program::Braced, b'`') => {
                    let literal = self.quoted(byte);
                    if self.line.len() <= LONGEST_LINE {
                        return Some(literal);
                    }
                }
                _ => self.at += 1,
            }
        }
        None
    }
}
