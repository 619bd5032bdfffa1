//! Which values in credentials are secret.
//!
//! The rule leans to the safe side: a value is secret unless its key plainly names something
//! public. Too many secrets only make output harder to read; one too few would leak.

use percent_encoding::percent_decode_str;
use serde_json::Value;

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

pub(super) fn folded(key: &str) -> String {
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
pub(super) fn is_connection_string(text: &str) -> bool {
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

pub(super) fn percent_decoded(text: &str) -> Option<String> {
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
pub(super) fn named_values(text: &str) -> impl Iterator<Item = (String, &str)> {
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
        assert_eq!(secrets("token", " geheim\n"), [" geheim\n", "geheim"]);
        assert_eq!(secrets("token", "geheim"), ["geheim"]);
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
            "ab=c;de=f",
            "host=c",
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
