//! Which values in credentials are secret.
//!
//! The rule leans to the safe side: a value is secret unless its key plainly names something
//! public. Too many secrets only make output harder to read; one too few would leak.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::check::CONNECT_ARGS;

/// Keys whose values may be shown. Compared without case and separators.
const PUBLIC_KEYS: &[&str] = &[
    "account",
    "apiurl",
    "applicationname",
    "authenticator",
    "authmethod",
    "authtype",
    "autocommit",
    "baseurl",
    "catalog",
    "charset",
    "clientid",
    "cluster",
    "clusterid",
    "connecttimeout",
    "database",
    "dataset",
    "db",
    "dbname",
    "dialect",
    "driver",
    "drivername",
    "dsn",
    "encoding",
    "encrypt",
    "endpoint",
    "engine",
    "environment",
    "file",
    "filename",
    "fetchsize",
    "host",
    "hostname",
    "hosts",
    "httppath",
    "instance",
    "kind",
    "location",
    "logintimeout",
    "maxconnections",
    "name",
    "organization",
    "path",
    "pool",
    "poolsize",
    "port",
    "project",
    "projectid",
    "protocol",
    "querytimeout",
    "readonly",
    "region",
    "retries",
    "role",
    "schema",
    "schemas",
    "scheme",
    "server",
    "servername",
    "service",
    "servicename",
    "sid",
    "site",
    "sockettimeout",
    "ssl",
    "sslca",
    "sslcert",
    "sslmode",
    "sslrootcert",
    "tenant",
    "tenantid",
    "timeout",
    "timezone",
    "tls",
    "trustservercertificate",
    "type",
    "user",
    "userid",
    "username",
    "uid",
    "validatecert",
    "verify",
    "verifyssl",
    "version",
    "warehouse",
    "workspace",
    "workspaceid",
    "zone",
];

/// Parts of key names that mark a secret, whatever its value looks like.
const SECRET_WORDS: &[&str] = &[
    "auth",
    "credential",
    "key",
    "pass",
    "private",
    "pwd",
    "sas",
    "secret",
    "sign",
    "token",
];

/// Words that mean a setting rather than a secret, unless the key says secret.
const PLAIN_WORDS: &[&str] = &["true", "false", "yes", "no", "on", "off", "none", "null"];

/// Shorter values under keys that do not say secret would hide half of any output.
const SHORTEST: usize = 4;

/// Whether values under this key may be shown: hosts, users, databases and the like.
#[must_use]
pub fn is_public_key(key: &str) -> bool {
    PUBLIC_KEYS.contains(&folded(key).as_str())
}

fn folded(key: &str) -> String {
    key.chars()
        .filter(|character| character.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// Every secret text in a credentials document, longest first and without repeats.
///
/// Looks under `connect_args`, or at the whole document when that wrapper was forgotten. Secret are:
/// texts and numbers except under plainly public keys; the password inside a URI under any key, as
/// written and percent-decoded; the values of `password=...` parts in a connection string; and the
/// leaves of JSON written into a text, such as a service account's key file.
#[must_use]
pub fn secret_values(credentials: &Value) -> Vec<String> {
    let found = secrets(credentials).into_iter();
    let mut found: Vec<String> = found.map(|secret| secret.text).collect();
    found.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    found.dedup();
    found
}

/// A secret text in credentials.
pub(super) struct SecretValue {
    pub(super) text: String,
    pub(super) said: Said,
}

/// What says that a value is secret.
pub(super) enum Said {
    /// Its key, or the address or connection string that it stands in.
    Secret,
    /// Nothing, and nothing that it is public; the key without case and separators.
    Nothing { key: String },
}

impl SecretValue {
    fn said(text: String) -> Self {
        let said = Said::Secret;
        Self { text, said }
    }

    fn under(key: &str, text: &str) -> Self {
        let key = folded(key);
        let said = if says_secret(&key) {
            Said::Secret
        } else {
            Said::Nothing { key }
        };
        let text = text.to_owned();
        Self { text, said }
    }
}

/// The secrets that [`secret_values`] tells, with what says so.
pub(super) fn secrets(credentials: &Value) -> Vec<SecretValue> {
    let mut found = Vec::new();
    collect(
        "",
        credentials.get(CONNECT_ARGS).unwrap_or(credentials),
        &mut found,
    );
    found
}

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

/// A text without what is filled in: what is left was written down.
fn without_fillings(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        let filling = FILLINGS
            .into_iter()
            .filter_map(|(begin, end, stand_in)| {
                let from = rest.find(begin)?;
                let to = from + begin.len() + rest[from + begin.len()..].find(end)? + end.len();
                Some((from, to, stand_in))
            })
            .min();
        let Some((from, to, stand_in)) = filling else {
            written.push_str(rest);
            return written;
        };
        written.push_str(&rest[..from]);
        written.push_str(stand_in);
        rest = &rest[to..];
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

fn names_a_secret(key: &str) -> bool {
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

/// Whether a value is no secret under a key that says so: what stands in for one, a setting, or what examples and programs
/// come with.
fn is_open(value: &str) -> bool {
    let is_variable = value.starts_with('$')
        || value.starts_with('%') && percent_decoded(value).as_deref() == Some(value);
    is_stand_in(value)
        || is_plain_word(value)
        || is_variable
        || value.chars().count() == 1
        || value == "changeit"
        || value.starts_with("YOUR")
}

fn collect(key: &str, value: &Value, found: &mut Vec<SecretValue>) {
    match value {
        Value::Object(map) => {
            for (inner_key, inner) in map {
                collect(inner_key, inner, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(key, item, found)),
        Value::String(text) => collect_text(key, text, found),
        Value::Number(number) => {
            let text = number.to_string();
            if is_secret(key, &text) {
                found.push(SecretValue::under(key, &text));
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

fn collect_text(key: &str, text: &str, found: &mut Vec<SecretValue>) {
    let is_open = is_connection_string(text) && !says_secret(&folded(key));
    if is_secret(key, text) && !is_open {
        found.push(SecretValue::under(key, text));
        let trimmed = text.trim();
        if trimmed != text && !trimmed.is_empty() {
            found.push(SecretValue::under(key, trimmed));
        }
    }
    let parts = uri_secrets(text).into_iter();
    let parts = parts.chain(connection_string_secrets(text));
    found.extend(parts.map(SecretValue::said));
    if text.trim_start().starts_with('{')
        && let Ok(inner @ Value::Object(_)) = serde_json::from_str(text)
    {
        collect(key, &inner, found);
    }
}

fn is_secret(key: &str, text: &str) -> bool {
    if text.trim().is_empty() || is_public_key(key) {
        return false;
    }
    says_secret(&folded(key)) || (text.len() >= SHORTEST && !is_plain_word(text))
}

/// Whether a text is a word such as `true`, which is a setting.
pub(super) fn is_plain_word(text: &str) -> bool {
    PLAIN_WORDS.contains(&text.trim().to_lowercase().as_str())
}

fn says_secret(folded_key: &str) -> bool {
    SECRET_WORDS.iter().any(|word| folded_key.contains(word))
}

/// Whether a text is `Server=x;Uid=y`, `host=x user=y` or the address of a database, whose secrets are named in it. What
/// is under addresses of the web may itself be the secret.
fn is_connection_string(text: &str) -> bool {
    let text = text.trim();
    if let Some((scheme, _)) = text.split_once("://") {
        let is_scheme = |letter: char| letter.is_ascii_alphanumeric() || "+-.:".contains(letter);
        return !scheme.is_empty()
            && scheme.chars().all(is_scheme)
            && !["http", "https"].contains(&scheme.to_lowercase().as_str());
    }
    let settings = settings(text);
    let keys = settings.iter().map(|part| {
        let (key, _) = part.split_once('=')?;
        Some(folded(key))
    });
    match keys.collect::<Option<Vec<String>>>() {
        Some(keys) => keys.len() > 1 && keys.iter().any(|key| is_public_key(key)),
        None => false,
    }
}

/// The settings of a connection string: parted by `;`, or by blanks where there is none; quotes and braces hold together.
pub(super) fn settings(text: &str) -> Vec<&str> {
    let by_semicolon = parted(text, |letter| letter == ';');
    if by_semicolon.len() > 1 {
        by_semicolon
    } else {
        parted(text, char::is_whitespace)
    }
}

fn parted(text: &str, is_separator: impl Fn(char) -> bool) -> Vec<&str> {
    let mut closing = None;
    let parts = text.split(|letter| {
        match (closing, letter) {
            (Some(close), letter) if letter == close => closing = None,
            (Some(_), _) => {}
            (None, '{') => closing = Some('}'),
            (None, '\'' | '"') => closing = Some(letter),
            (None, letter) => return is_separator(letter),
        }
        false
    });
    parts
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect()
}

/// The password of `scheme://user:password@host`, as written and decoded.
fn uri_secrets(text: &str) -> Vec<String> {
    let Some((_, rest)) = text.split_once("://") else {
        return Vec::new();
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    // A password may hold an unescaped `/`, `?` or `#`; the last `@` then comes later.
    let login = authority.rsplit_once('@').or_else(|| rest.rsplit_once('@'));
    let Some((_, password)) = login.and_then(|(login, _)| login.split_once(':')) else {
        return Vec::new();
    };
    let decoded = percent_decoded(password);
    [Some(password.to_owned()), decoded]
        .into_iter()
        .flatten()
        .filter(|secret| !secret.is_empty())
        .collect()
}

fn percent_decoded(text: &str) -> Option<String> {
    let decoded = percent_decode_str(text).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

/// How the names of secret parts of connection strings and addresses end.
const SECRET_PARTS: [&str; 13] = [
    "password",
    "passwd",
    "pwd",
    "secret",
    "token",
    "passphrase",
    "key",
    "auth",
    "credential",
    "credentials",
    "pass",
    "sas",
    "signature",
];

/// The values of secret parts in `Server=x;Pwd=y`, `host=x password=y` or `?password=y`.
fn connection_string_secrets(text: &str) -> Vec<String> {
    let is_secret = |key: &str| SECRET_PARTS.iter().any(|word| key.ends_with(word));
    let mut found = Vec::new();
    for (_, value) in named_values(text).filter(|(key, _)| is_secret(key)) {
        found.push(value.to_owned());
        found.extend(percent_decoded(value).filter(|decoded| decoded != value));
    }
    found
}

/// What stands before and behind each `=`; the names without case and separators, the values without quotes.
fn named_values(text: &str) -> impl Iterator<Item = (String, &str)> {
    text.match_indices('=').filter_map(|(at, _)| {
        let key: String = text[..at]
            .chars()
            .rev()
            .take_while(|character| character.is_alphanumeric() || "_- ".contains(*character))
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect();
        // A space may part two settings or stand inside a key, so only the last words count.
        let value = text[at + 1..].trim_start();
        let value = match value.chars().next() {
            Some(quote @ ('\'' | '"')) => value[1..].split(quote).next().unwrap_or_default(),
            // A filling that was taken out.
            Some('{') if value.starts_with("{}") => "{}",
            Some('{') => value[1..].split('}').next().unwrap_or_default(),
            _ => value
                .split([';', '&', ' ', '\n'])
                .next()
                .unwrap_or_default(),
        };
        (!value.is_empty()).then(|| (folded(&key), value))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn everything_is_secret_but_what_is_plainly_public() {
        let credentials = json!({"connect_args": {
            "host": "db.example", "Port": 5432, "user_name": "ann", "password": "pw",
            "pin": 123456, "attempts": 3, "verbose": "yes", "ssl-mode": "require",
            "options": {"hosts": ["a.example"], "extra": ["alpha", "beta"]},
            "enabled": true, "nothing": null, "token": "",
        }});
        assert_eq!(
            secret_values(&credentials),
            ["123456", "alpha", "beta", "pw"]
        );
    }

    #[test]
    fn finds_passwords_inside_longer_texts() {
        let secrets = |key: &str, text: &str| secret_values(&json!({"connect_args": {key: text}}));
        assert_eq!(
            secrets("host", "postgres://ann:p%40ss@db/x"),
            ["p%40ss", "p@ss"]
        );
        assert_eq!(secrets("host", "postgres://ann:a/b@db"), ["a/b"]);
        assert_eq!(secrets("host", "https://db.example/x"), [""; 0]);
        assert_eq!(secrets("server", "Server=x;PWD={a;b};Uid=ann"), ["a;b"]);
        assert_eq!(
            secrets("server", "host=x password='two words' user=ann"),
            ["two words"]
        );
        let key_file = json!({"private_key": "-----BEGIN\nabc", "type": "service_account"});
        let found = secrets("file", &key_file.to_string());
        assert_eq!(found, ["-----BEGIN\nabc"]);
    }

    #[test]
    fn a_connection_string_is_read_where_it_says_what_is_secret() {
        let secrets = |key: &str, text: &str| secret_values(&json!({"connect_args": {key: text}}));
        for (text, secret) in [
            ("Driver={A;B};Server=db;Uid=ann;Pwd=geheim;", "geheim"),
            ("host=db user=ann password='two words'", "two words"),
            ("postgres://ann:geheim@db/shop", "geheim"),
            ("jdbc:sqlserver://db;user=ann;password=geheim", "geheim"),
        ] {
            assert_eq!(secrets("connection_string", text), [secret], "{text}");
            assert_eq!(secrets("dsn", text), [secret], "{text}");
        }
        for text in [
            "https://hooks.example/T0/B0/XYZ",
            "ab=c;de",
            "QUJD==",
            "ab=c",
        ] {
            assert_eq!(secrets("connection_string", text), [text], "{text}");
        }
        let whole = "host=db password=geheim";
        assert_eq!(secrets("auth_string", whole), [whole, "geheim"]);
    }

    #[test]
    fn looks_at_the_root_when_the_wrapper_is_missing() {
        assert_eq!(
            secret_values(&json!({"password": "pw", "host": "h"})),
            ["pw"]
        );
    }
}
