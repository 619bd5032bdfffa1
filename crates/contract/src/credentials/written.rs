//! Secrets that are written down where none should be: in documents, settings and statements.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Map, Value};

use super::secret::{folded, is_connection_string, is_plain_word, named_values, percent_decoded};

/// The ends of keys whose literal values are secrets wherever they stand.
const SECRET_ENDS: &[&str] = &[
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "secret",
    "apikey",
    "secretkey",
    "accesskey",
    "privatekey",
    "accesstoken",
    "apitoken",
    "authtoken",
];

/// What stands before such an end where a setting says what is done with the secret: `EncryptPassword=2`.
const ABOUT_SECRETS: &[&str] = &["encrypt", "save", "change", "reset"];

/// Shorter words behind `Bearer` are prose.
const SHORTEST_TOKEN: usize = 8;

/// The first key of a document under which a secret is written down: a password and the like as it is, or the password
/// inside an address. Values that are filled in from elsewhere, such as `{{ password }}`, are none.
pub(super) fn written_secret(document: &Value) -> Option<String> {
    match document {
        Value::Object(map) => map.iter().find_map(|(key, value)| match value {
            Value::String(text) => is_written_secret(key, text).then(|| key.clone()),
            Value::Array(items) if items.iter().all(Value::is_string) => items
                .iter()
                .filter_map(Value::as_str)
                .any(|text| is_written_secret(key, text))
                .then(|| key.clone()),
            // What a schema gives where nothing is said.
            Value::Object(field) if is_default_of(key, field) => Some(key.clone()),
            value => written_secret(value),
        }),
        Value::Array(items) => items.iter().find_map(written_secret),
        _ => None,
    }
}

/// The first key of lines such as `KEY=value` or `key: value` under which a secret is written down.
pub(super) fn setting_with_secret(text: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(['=', ':'])?;
        let key = key
            .trim()
            .trim_start_matches("export ")
            .trim_start_matches("- ");
        let value = value.trim().trim_matches(['"', '\'']);
        let is_comment = key.starts_with(['#', ';']);
        (!is_comment && is_written_secret(key, value)).then(|| key.trim().to_owned())
    })
}

/// How keys end that name a secret where arguments of a connection are given, beside those that do everywhere.
const SECRET_ARGUMENTS: [&str; 3] = ["key", "pass", "token"];

/// Whether a secret is written down among the arguments of a connection.
pub(super) fn has_secret_argument(arguments: &Value) -> bool {
    let Value::Object(arguments) = arguments else {
        return false;
    };
    let names_one = |text: &str| {
        let text = folded(text);
        SECRET_ARGUMENTS.iter().any(|end| text.ends_with(end))
    };
    arguments.iter().any(|(key, value)| match value {
        Value::String(text) => {
            names_one(key) && !names_one(text) && !is_open(text) && !is_path(text)
        }
        value => has_secret_argument(value),
    })
}

/// The first variable that a script gives a secret that is written down, or option that it gives one.
pub(super) fn assignment_of_secret(text: &str) -> Option<String> {
    // `set /p` asks for a value, and says how.
    let lines = text.lines().filter(|line| {
        !line.trim_start().starts_with('#') && !line.to_lowercase().contains("set /p")
    });
    let is_of_name = |letter: char| letter.is_ascii_alphanumeric() || "_-".contains(letter);
    lines.flat_map(str::split_whitespace).find_map(|word| {
        let (key, value) = word.trim_start_matches(['"', '\'']).split_once('=')?;
        // PowerShell takes a word without quotes for a command.
        let is_command = key.starts_with('$') && !value.starts_with(['"', '\'']);
        let key = key.trim_start_matches(['-', '$']);
        let value = value.trim_matches(['"', '\'', ';']);
        let is_assigned = !key.is_empty() && key.chars().all(is_of_name);
        // What a command or another variable gives.
        let is_computed =
            is_command || value.starts_with(['$', '`', '%', '(', '=', '!']) || is_path(value);
        let is_usage = names_a_secret(key) && is_open(value);
        (is_assigned && !is_computed && !is_usage && is_written_secret(key, value))
            .then(|| key.to_owned())
    })
}

fn is_default_of(key: &str, field: &Map<String, Value>) -> bool {
    let default = field.get("default").and_then(Value::as_str);
    default.is_some_and(|default| is_written_secret(key, default))
}

fn is_written_secret(key: &str, text: &str) -> bool {
    // `<yours>` is for people to replace.
    if text.trim().is_empty() || text.contains('<') {
        return false;
    }
    let written = without_fillings(text);
    (names_a_secret(key) && !is_filled_in(text) && !is_plain_word(text))
        || address_password(&written).is_some_and(|password| !is_stand_in(password))
        || has_address_with_secret(&written)
        || has_setting_with_secret(&written)
        || has_authorization(&written)
        || fallbacks(text).any(|value| !is_open(value))
}

/// How what is filled in from elsewhere begins and ends, and what stands in its place when it is taken out.
const FILLINGS: [(&str, &str, &str); 3] = [("{{", "}}", "{}"), ("{%", "%}", ""), ("${", "}", "{}")];

/// The places of a mark in a text, each looked for once.
struct Places<'t> {
    text: &'t str,
    mark: &'static str,
    next: Option<usize>,
}

impl<'t> Places<'t> {
    fn of(mark: &'static str, text: &'t str) -> Self {
        let next = text.find(mark);
        Self { text, mark, next }
    }

    /// The first place from `at` on, which never goes back.
    fn from(&mut self, at: usize) -> Option<usize> {
        if self.next.is_some_and(|next| next < at) {
            self.next = self.text[at..].find(self.mark).map(|found| at + found);
        }
        self.next
    }
}

/// A text without what is filled in: what is left was written down.
fn without_fillings(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    let mut fillings = FILLINGS
        .map(|(begin, end, stand_in)| (Places::of(begin, text), Places::of(end, text), stand_in));
    let mut at = 0;
    loop {
        let filling = fillings
            .iter_mut()
            .filter_map(|(begins, ends, stand_in)| {
                let from = begins.from(at)?;
                let end = ends.from(from + begins.mark.len())?;
                Some((from, end + ends.mark.len(), *stand_in))
            })
            .min();
        let Some((from, to, stand_in)) = filling else {
            written.push_str(&text[at..]);
            return written;
        };
        written.push_str(&text[at..from]);
        written.push_str(stand_in);
        at = to;
    }
}

/// What `{{ password | default('…') }}`, `{{ password or '…' }}` and `${PASSWORD:-…}` take where nothing is given.
fn fallbacks(text: &str) -> impl Iterator<Item = &str> {
    let fillings = text.split("{{").skip(1);
    let fillings = fillings.filter_map(|rest| Some(rest.split_once("}}")?.0.trim_start()));
    let variables = text.split("${").skip(1);
    let variables = variables.filter_map(|rest| rest.split_once('}')?.0.split_once(":-"));
    fillings
        .filter_map(fallback)
        .chain(variables)
        .filter(|(name, value)| names_a_secret(name) && !value.trim().is_empty())
        .map(|(_, value)| value)
}

/// The name that an expression of Jinja begins with, and the text that it takes in its place.
fn fallback(expression: &str) -> Option<(&str, &str)> {
    let is_name = |letter: char| letter.is_alphanumeric() || "_.[]'\"".contains(letter);
    let (name, rest) = expression.split_at(expression.find(|letter| !is_name(letter))?);
    let rest = rest.trim_start();
    let value = match rest.strip_prefix("or ") {
        Some(value) => value,
        None => rest.strip_prefix('|')?.split('|').find_map(|filter| {
            let filter = filter.trim_start();
            filter
                .strip_prefix("default(")
                .or_else(|| filter.strip_prefix("d("))
        })?,
    };
    let value = value
        .trim_start_matches("value")
        .trim_start_matches([' ', '=']);
    let quote = value
        .chars()
        .next()
        .filter(|letter| "'\"".contains(*letter))?;
    Some((name, value[1..].split(quote).next()?))
}

/// Whether a text is a whole `Authorization` header. Prose says `Basic authentication` and `Bearer token`, too.
fn has_authorization(text: &str) -> bool {
    let Some((scheme, token)) = text.trim().split_once(' ') else {
        return false;
    };
    match scheme.to_lowercase().as_str() {
        "basic" => BASE64_STANDARD
            .decode(token)
            .is_ok_and(|login| login.contains(&b':')),
        "bearer" => {
            token.len() >= SHORTEST_TOKEN
                && !token.contains(char::is_whitespace)
                && token.contains(|letter: char| letter.is_ascii_digit())
                && !is_open(token)
        }
        _ => false,
    }
}

/// Whether `Server=x;Pwd=y` or the query of an address holds a secret.
fn has_setting_with_secret(text: &str) -> bool {
    (text.contains("://") || is_connection_string(text))
        && named_values(text).any(|(key, value)| names_a_secret(&key) && !is_open(value))
}

/// The password of `scheme://user:password@host`, as it is written.
fn address_password(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (login, _) = authority.rsplit_once('@')?;
    let (_, password) = login.split_once(':')?;
    (!login.contains(char::is_whitespace)).then_some(password)
}

pub(super) fn names_a_secret(key: &str) -> bool {
    // `AWS::ApiGateway::ApiKey` is a kind of thing.
    if key.contains("::") {
        return false;
    }
    let key = folded(key);
    SECRET_ENDS
        .iter()
        .filter_map(|end| key.strip_suffix(end))
        .any(|before| !ABOUT_SECRETS.iter().any(|verb| before.ends_with(verb)))
}

fn is_filled_in(text: &str) -> bool {
    ["{{", "${", "<"].iter().any(|mark| text.contains(mark))
}

/// The first line of a text, comments included, with a secret in an address or in a statement such as
/// `CREATE SECRET (BEARER_TOKEN '…')`, from 1, and which of the two it is.
pub(super) fn stated_secret(text: &str) -> Option<(&'static str, usize)> {
    text.lines().enumerate().find_map(|(number, line)| {
        let what = if has_address_with_secret(&without_fillings(line)) {
            "a secret in an address"
        } else if has_statement_with_secret(line) {
            "a secret in a statement"
        } else {
            return None;
        };
        Some((what, number + 1))
    })
}

fn has_address_with_secret(line: &str) -> bool {
    let words = line.split(|letter: char| letter.is_whitespace() || "'\"`,;()<>".contains(letter));
    words
        .filter_map(address_password)
        .any(|password| !is_stand_in(password))
}

fn has_statement_with_secret(line: &str) -> bool {
    line.match_indices(['\'', '"']).any(|(at, quote)| {
        let mut value = line[at + 1..].split(quote);
        let is_open = |value: &str| is_stand_in(value) || is_plain_word(value);
        if value.next().is_none_or(is_open) {
            return false;
        }
        let before = line[..at].trim_end_matches([' ', '=', ':', '>']);
        let between = &line[before.len()..at];
        let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
        let start = before.trim_end_matches(is_word);
        let written = &before[start.len()..];
        let is_named = names_a_secret(written);
        let is_said = match folded(written).as_str() {
            "by" => start.trim_end().to_lowercase().ends_with("identified"),
            _ if !between.trim().is_empty() => is_named,
            // Prose says `the page's token 'next'`, and comments say anything.
            word if word.ends_with("token") || is_comment(start) => {
                (is_named || word.ends_with("token")) && is_of_statement(written, line)
            }
            _ => is_named,
        };
        !between.is_empty() && is_said
    })
}

/// Whether a line is a comment by its end.
fn is_comment(line: &str) -> bool {
    ["#", "--", "/*"].iter().any(|mark| line.contains(mark))
}

/// Whether a word is written as SQL has it, or stands in a line that reads as a statement.
fn is_of_statement(word: &str, line: &str) -> bool {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let mut words = line.split(|letter| !is_word(letter));
    !word.contains(char::is_lowercase)
        || words.any(|word| {
            ["SECRET", "SET"].contains(&word)
                || ["alter", "create", "options"].contains(&word.to_lowercase().as_str())
        })
}

/// Whether a text stands where a secret is to be written.
fn is_stand_in(text: &str) -> bool {
    let names_itself = |text: &str| ["pass", "pw", "token", "key"].contains(&text);
    !text.contains(char::is_alphanumeric)
        || text.contains('{')
        || is_filled_in(text)
        || names_a_secret(text)
        || names_itself(&folded(text))
}

/// What files of keys and passwords end in.
const KEY_FILES: [&str; 9] = [
    ".pem", ".key", ".der", ".p8", ".p12", ".pfx", ".jks", ".json", ".txt",
];

/// Whether a text is where a file lies.
pub(super) fn is_path(text: &str) -> bool {
    text.starts_with(['/', '\\', '.', '~']) || KEY_FILES.iter().any(|end| text.ends_with(end))
}

/// Whether a value is no secret under a key that says so: what stands in for one, a setting, or what examples and programs
/// come with.
pub(super) fn is_open(value: &str) -> bool {
    let is_variable = value.starts_with('$')
        || value.starts_with('%') && percent_decoded(value).as_deref() == Some(value);
    is_stand_in(value)
        || is_plain_word(value)
        || is_variable
        || value.chars().count() == 1
        || value == "changeit"
        || value.to_lowercase().starts_with("your")
}
