//! Secrets that are written into texts of any kind, line by line: programs, scripts, markup and prose.
//!
//! A file that is refused stands in the way, and texts speak of secrets more often than they hold one: examples in
//! comments, names of fields, what stands where a secret is to be written. So a value counts only where it reads as
//! something that was made up to be secret, and what is doubtful passes.

use base64::prelude::{BASE64_STANDARD, Engine as _};

use super::secret::{folded, is_connection_string, named_values};
use super::written::{address_password, is_open, is_path, names_a_secret, without_fillings};

/// How much of a text's grammar is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextKind {
    /// A program: quoted texts stand behind names.
    Program,
    /// A script of a shell, or instructions for an image: words stand behind options.
    Script,
    /// Tags around values.
    Markup,
    /// Anything else.
    Prose,
}

/// The first line of a text with a secret in it, from 1, and what it is.
pub(super) fn literal_secret(kind: TextKind, text: &str) -> Option<(String, usize)> {
    let mut lines = Lines::default();
    text.lines().enumerate().find_map(|(at, line)| {
        let is_code = kind != TextKind::Program || lines.is_code(line);
        let found = secret_anywhere(line, is_code)
            .map(str::to_owned)
            .or_else(|| {
                let key = match kind {
                    _ if !is_code => None,
                    TextKind::Program => named_literal(line),
                    TextKind::Script if !is_comment(line) => {
                        word_of_command(line).or_else(|| named_literal(line))
                    }
                    TextKind::Markup => tagged(line).or_else(|| named_literal(line)),
                    _ => None,
                };
                key.map(|key| format!("a secret under `{key}`"))
            });
        found.map(|what| (what, at + 1))
    })
}

/// Which lines of a program are code: no comment, and in no text of several lines, which documentation is.
#[derive(Default)]
struct Lines {
    inside: Option<&'static str>,
}

impl Lines {
    fn is_code(&mut self, line: &str) -> bool {
        let was_inside = self.inside.is_some();
        let mut rest = line;
        loop {
            let quotes = match self.inside {
                Some(quote) => vec![quote],
                None => vec!["\"\"\"", "'''"],
            };
            let next = quotes
                .iter()
                .filter_map(|quote| Some((rest.find(quote)?, *quote)))
                .min();
            let Some((at, quote)) = next else {
                return !was_inside && !is_comment(line);
            };
            rest = &rest[at + quote.len()..];
            self.inside = match self.inside {
                Some(_) => None,
                None => Some(quote),
            };
        }
    }
}

fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    ["#", "//", "/*", "* ", "--", ">>>", "REM ", "rem ", "::"]
        .iter()
        .any(|mark| line.starts_with(mark))
}

/// What stands in a line of any text and says of itself that it is secret. Where a program is explained, headers are those
/// of examples.
fn secret_anywhere(line: &str, is_code: bool) -> Option<&'static str> {
    let line = without_fillings(line);
    if line.contains("://") && words(&line).any(has_secret_address) {
        Some("a secret in an address")
    } else if has_connection_string(&line) {
        Some("a secret in a connection string")
    } else if is_code && has_authorization(&line) {
        Some("an `Authorization` header")
    } else {
        None
    }
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|letter: char| letter.is_whitespace() || "'\"`,;()<>".contains(letter))
}

/// Parts of an address's query that log in, beside those that are secret wherever they stand.
const LOGINS_OF_QUERIES: [&str; 4] = ["token", "sig", "signature", "privatetoken"];

fn has_secret_address(word: &str) -> bool {
    let Some((_, rest)) = word.split_once("://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    if is_example_host(host) {
        return false;
    }
    address_password(word).is_some_and(is_telling)
        || rest.split_once('?').is_some_and(|(path, query)| {
            !is_picture(path) && query.split('&').any(is_login_of_query)
        })
}

/// Whether an address is that of a picture such as a badge, whose token everybody may have.
fn is_picture(path: &str) -> bool {
    path.contains("badge") || path.ends_with(".svg") || path.ends_with(".png")
}

fn is_login_of_query(part: &str) -> bool {
    part.split_once('=').is_some_and(|(key, value)| {
        let is_login = names_a_secret(key) || LOGINS_OF_QUERIES.contains(&folded(key).as_str());
        is_login && is_telling(value)
    })
}

/// Whether a host is the reader's own machine, or of those that stand for others in examples.
fn is_example_host(host: &str) -> bool {
    let name = host.split(':').next().unwrap_or(host).to_lowercase();
    let is_of = |domain: &str| name == domain || name.ends_with(&format!(".{domain}"));
    name.is_empty()
        || name.starts_with("127.")
        || ["0.0.0.0", "[", "host", "hostname"].contains(&name.as_str())
        || [
            "localhost",
            "example",
            "example.com",
            "example.org",
            "example.net",
            "invalid",
            "test",
        ]
        .iter()
        .any(|domain| is_of(domain))
}

/// Whether a line, or a quoted text in it, is `Server=x;Uid=y;Pwd=z` or `host=x user=y password=z`.
fn has_connection_string(line: &str) -> bool {
    if !line.contains('=') {
        return false;
    }
    let trimmed = line.trim();
    // Behind a key, as settings and prose have it.
    let behind = trimmed
        .split_once(": ")
        .map_or(trimmed, |(_, text)| text.trim());
    let quoted = quoted(line).map(|(_, text)| text);
    quoted.chain([trimmed, behind]).any(|text| {
        let is_one = text.contains(';') && PUBLIC_PARTS.iter().any(|part| has_part(text, part))
            || is_connection_string(text);
        is_one
            && !named_values(text).any(|(key, value)| {
                ["server", "host", "datasource"]
                    .iter()
                    .any(|end| key.ends_with(end))
                    && is_example_host(value)
            })
            && named_values(text).any(|(key, value)| names_a_secret(&key) && is_telling(value))
    })
}

/// The parts that connection strings have beside the secret.
const PUBLIC_PARTS: [&str; 7] = [
    "server=",
    "host=",
    "driver=",
    "dsn=",
    "uid=",
    "user id=",
    "data source=",
];

fn has_part(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(part)
}

/// Whether a line holds `Bearer` or `Basic` with what logs in.
fn has_authorization(line: &str) -> bool {
    let schemes = ["Bearer ", "bearer ", "Basic ", "Token "];
    schemes.iter().any(|scheme| {
        line.match_indices(scheme).any(|(at, _)| {
            let is_of_token =
                |letter: char| letter.is_ascii_alphanumeric() || "._~+/=-".contains(letter);
            let rest = &line[at + scheme.len()..];
            let end = rest
                .find(|letter| !is_of_token(letter))
                .unwrap_or(rest.len());
            let token = rest[..end].trim_end_matches('.');
            if *scheme == "Basic " {
                let login = BASE64_STANDARD
                    .decode(token)
                    .ok()
                    .and_then(|login| String::from_utf8(login).ok());
                return login.is_some_and(|login| {
                    login
                        .split_once(':')
                        .is_some_and(|(_, password)| is_telling(password))
                });
            }
            token.len() >= SHORTEST_TOKEN && is_telling(token)
        })
    })
}

/// Shorter words behind `Bearer` and names of tokens are prose and settings.
const SHORTEST_TOKEN: usize = 10;

/// The quoted texts of a line, and where each begins: at its quote.
fn quoted(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let begin = from + line[from..].find(['"', '\''])?;
        let quote = line[begin..].chars().next()?;
        let mut is_escaped = false;
        let end = line[begin + 1..].char_indices().find(|(_, letter)| {
            let ends = *letter == quote && !is_escaped;
            is_escaped = *letter == '\\' && !is_escaped;
            ends
        });
        let end = begin + 1 + end.map_or(line.len() - begin - 1, |(at, _)| at);
        from = (end + 1).min(line.len());
        Some((begin, &line[begin + 1..end]))
    })
}

/// The name of a secret that a quoted text in a line of a program is given to.
fn named_literal(line: &str) -> Option<String> {
    quoted(line).find_map(|(at, text)| {
        if !is_telling(text) {
            return None;
        }
        // `r"…"` and the like.
        let before = &line[..at];
        let bare = before.trim_end_matches(['r', 'b', 'f', 'u', 'R', 'B', 'F', 'U']);
        let before = if bare.ends_with(|letter: char| letter.is_alphanumeric() || letter == '_') {
            before
        } else {
            bare
        };
        name_of_value(before, text)
    })
}

/// What a value that is not given is taken from.
const FALLBACKS: [&str; 3] = ["default", "fallback", "value"];
/// What is called with a name and a value, or with what is taken in its place.
const NAMED_CALLS: [&str; 6] = ["get", "env", "default", "argument", "option", "set"];

/// The name that the text before a value gives it, where that is a secret's.
fn name_of_value(before: &str, value: &str) -> Option<String> {
    let mut rest = before.trim_end();
    loop {
        if let Some(call) = rest.strip_suffix('(') {
            // `SecretStr("…")` is what its argument is.
            let name = identifier(call);
            if name.is_empty() {
                return None;
            }
            rest = call[..call.len() - name.len()].trim_end();
            continue;
        }
        if let Some(arguments) = rest.strip_suffix(',') {
            let name = name_in_quotes(arguments)?;
            let call = arguments[..arguments.rfind(name)?]
                .trim_end_matches(['"', '\'', '-'])
                .trim_end();
            let called = identifier(call.strip_suffix('(')?).to_lowercase();
            let is_named = NAMED_CALLS.iter().any(|word| called.contains(word));
            return (is_named && gives_secret(name, value)).then(|| name.to_owned());
        }
        let is_compared = ["==", "!=", "<=", ">=", "~="]
            .iter()
            .any(|sign| rest.ends_with(sign));
        let given = ["=>", ":=", "=", ":", "||", "??", " or"]
            .iter()
            .find_map(|sign| rest.strip_suffix(sign));
        let given = given
            .filter(|_| !is_compared)?
            .trim_end_matches([' ', '"', '\'', ']', ')']);
        let name = identifier(given);
        if FALLBACKS.contains(&name) {
            rest = given[..given.len() - name.len()].trim_end();
            if !rest.ends_with(['(', ',']) {
                return None;
            }
            continue;
        }
        // `name: type = …`, too.
        let typed = given[..given.len() - name.len()]
            .trim_end()
            .strip_suffix(':')
            .map(str::trim_end);
        let names = [name, typed.map_or("", identifier)];
        return names
            .into_iter()
            .find(|name| gives_secret(name, value))
            .map(str::to_owned);
    }
}

/// The name that a text ends with.
fn identifier(text: &str) -> &str {
    let is_of_name = |letter: char| letter.is_alphanumeric() || "_-".contains(letter);
    &text[text.trim_end_matches(is_of_name).len()..]
}

/// The name in quotes that a text ends with.
fn name_in_quotes(text: &str) -> Option<&str> {
    let text = text.trim_end();
    let name = identifier(text.strip_suffix(['"', '\''])?).trim_start_matches('-');
    (!name.is_empty()).then_some(name)
}

fn gives_secret(name: &str, value: &str) -> bool {
    names_a_secret(name) || is_named_token(name, value)
}

/// What stands before `_TOKEN` where it is none that logs in.
const OTHER_TOKENS: [&str; 12] = [
    "next",
    "page",
    "csrf",
    "xsrf",
    "continuation",
    "sync",
    "cancel",
    "pad",
    "special",
    "start",
    "end",
    "unknown",
];

/// Whether a name as variables of the environment have it, such as `GITHUB_TOKEN`, is given what reads as a token.
pub(super) fn is_named_token(name: &str, value: &str) -> bool {
    let Some(before) = name.trim().strip_suffix("_TOKEN") else {
        return false;
    };
    let is_variable = !before.contains(char::is_lowercase);
    let before = before.to_lowercase();
    is_variable
        && !OTHER_TOKENS.iter().any(|other| before.ends_with(other))
        && value.len() >= SHORTEST_TOKEN
        && is_telling(value)
}

/// The option or variable of a command that a word behind it, without `=` between them, makes a secret of.
fn word_of_command(line: &str) -> Option<String> {
    let mut words = line
        .split_whitespace()
        .map(|word| word.trim_matches(['"', '\'', ';', ',', '[', ']']));
    let mut command = "";
    let mut before = "";
    words.find_map(|word| {
        let (option, value) = match (before, word) {
            (option, value) if names_value(command, option) => (option, value),
            // `mysql -pgeheim`
            (_, word)
                if ["-p", "-P"]
                    .iter()
                    .any(|short| takes_password(command, short) && word.starts_with(short)) =>
            {
                word.split_at(2)
            }
            _ => ("", ""),
        };
        let value = if is_login(command, option) {
            value.split_once(':').map_or("", |(_, password)| password)
        } else {
            value
        };
        let name = word
            .rsplit('/')
            .next()
            .unwrap_or(word)
            .trim_end_matches(".exe");
        if COMMANDS.iter().any(|(command, _)| *command == name) {
            command = name;
        }
        before = word;
        (is_telling(value) && !is_path(value)).then(|| option.to_owned())
    })
}

/// Commands whose short options take a password, and which: alone, or behind a user and a colon.
const COMMANDS: [(&str, &str); 8] = [
    ("curl", "-u"),
    ("sqlcmd", "-P"),
    ("bcp", "-P"),
    ("mysql", "-p"),
    ("mysqldump", "-p"),
    ("mariadb", "-p"),
    ("isql", "-P"),
    ("sshpass", "-p"),
];

fn takes_password(command: &str, option: &str) -> bool {
    COMMANDS.contains(&(command, option))
}

fn is_login(command: &str, option: &str) -> bool {
    command == "curl" && ["-u", "--user"].contains(&option)
}

/// Whether an option or the word before a value says that the value is a secret: `--password`, `ENV PGPASSWORD`, and
/// `password` as `.netrc` has it.
fn names_value(command: &str, option: &str) -> bool {
    let is_short = takes_password(command, option) && !option.starts_with("-p");
    is_short
        || command == "sshpass" && option == "-p"
        || is_login(command, option)
        || names_a_secret(option) && !option.contains(['=', ':', '$', '/', '.'])
}

/// The name of a tag around a secret.
fn tagged(line: &str) -> Option<String> {
    line.match_indices('>').find_map(|(at, _)| {
        let (_, tag) = line[..at].rsplit_once('<')?;
        let name = tag.split_whitespace().next()?;
        let value = line[at + 1..].split("</").next()?.trim();
        (names_a_secret(name) && line[at..].contains("</") && is_telling(value))
            .then(|| name.to_owned())
    })
}

/// What examples call secrets, and what stands where one is to be written.
const SAMPLES: [&str; 22] = [
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
    "changeme",
    "change-me",
    "change_me",
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
const SHORTEST: usize = 6;

/// Whether a value reads as one that was made up to be secret: letters with digits, and nothing that names, samples,
/// versions, paths and expressions are made of.
fn is_telling(value: &str) -> bool {
    let is_odd = |letter: char| {
        letter.is_whitespace() || "()[]{}<>\"'`,;\\".contains(letter) || letter.is_control()
    };
    if value.chars().count() < SHORTEST
        || value.contains(is_odd)
        || is_open(value)
        || is_path(value)
    {
        return false;
    }
    let has = |is: fn(&char) -> bool| value.chars().any(|letter| is(&letter));
    if !has(char::is_ascii_digit) || !has(|letter| letter.is_alphabetic()) || value.contains("://")
    {
        return false;
    }
    let plain = unmasked(value);
    !SAMPLES
        .iter()
        .any(|sample| plain.contains(sample) || value.to_lowercase().contains(sample))
        && !is_name(value)
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

/// Whether a text is made of words and small numbers, as names and versions are: `oauth2_user`, `aes-256-gcm`, `v1.2`.
fn is_name(value: &str) -> bool {
    let parts: Vec<&str> = value
        .split(|letter: char| !letter.is_alphanumeric())
        .collect();
    let is_word = |part: &&str| {
        let letters = part.trim_end_matches(|letter: char| letter.is_ascii_digit());
        let digits = part.len() - letters.len();
        let is_small = letters.chars().skip(1).all(char::is_lowercase);
        let is_large = letters.chars().all(char::is_uppercase);
        letters.chars().all(char::is_alphabetic)
            && (is_small || is_large)
            && digits <= if letters.is_empty() { 4 } else { 3 }
    };
    let is_one = parts.len() == 1;
    let known = [
        "sha256", "sha384", "sha512", "base64", "oauth2", "hs256", "rs256", "pbkdf2", "argon2",
    ];
    if is_one {
        known.contains(&value.to_lowercase().as_str())
    } else {
        parts.iter().all(|part| part.is_empty() || is_word(part))
    }
}

#[cfg(test)]
mod tests;
