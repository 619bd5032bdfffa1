//! The words of a connection as they are written: as options, as a URI, as `key=value` pairs, in the environment.

use std::collections::BTreeMap;
use std::path::Path;

use bowline_words::nearest::hint_or;
use percent_encoding::percent_decode_str;

use super::error::{THROUGH_ADBC, driver};
use super::parameters::wrong;
use crate::SqlError;
use crate::libpq::{FILES, is_file, read_pairs};
use crate::paths::whole;

/// The option that holds many.
const URI: &str = "uri";

/// What is understood, with the environment's word for it.
const KNOWN: [(&str, &str); 29] = [
    ("application_name", "PGAPPNAME"),
    ("channel_binding", "PGCHANNELBINDING"),
    ("client_encoding", ""),
    ("connect_timeout", "PGCONNECT_TIMEOUT"),
    ("dbname", "PGDATABASE"),
    ("fallback_application_name", ""),
    ("gssencmode", "PGGSSENCMODE"),
    ("host", "PGHOST"),
    ("hostaddr", "PGHOSTADDR"),
    ("keepalives", ""),
    ("keepalives_count", ""),
    ("keepalives_idle", ""),
    ("keepalives_interval", ""),
    ("load_balance_hosts", "PGLOADBALANCEHOSTS"),
    ("options", "PGOPTIONS"),
    ("passfile", "PGPASSFILE"),
    ("password", "PGPASSWORD"),
    ("port", "PGPORT"),
    ("sslcert", "PGSSLCERT"),
    ("sslcompression", "PGSSLCOMPRESSION"),
    ("sslkey", "PGSSLKEY"),
    ("sslmode", "PGSSLMODE"),
    ("sslnegotiation", "PGSSLNEGOTIATION"),
    ("sslrootcert", "PGSSLROOTCERT"),
    ("sslsni", "PGSSLSNI"),
    ("ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION"),
    ("target_session_attrs", "PGTARGETSESSIONATTRS"),
    ("tcp_user_timeout", ""),
    ("user", "PGUSER"),
];

/// What PostgreSQL's client library understands and this client does not, with the environment's word for it.
const FOREIGN: [(&str, &str); 17] = [
    ("gssdelegation", "PGGSSDELEGATION"),
    ("gsslib", "PGGSSLIB"),
    ("krbsrvname", "PGKRBSRVNAME"),
    ("max_protocol_version", "PGMAXPROTOCOLVERSION"),
    ("min_protocol_version", "PGMINPROTOCOLVERSION"),
    ("replication", ""),
    ("require_auth", "PGREQUIREAUTH"),
    ("requirepeer", "PGREQUIREPEER"),
    ("requiressl", "PGREQUIRESSL"),
    ("service", "PGSERVICE"),
    ("servicefile", ""),
    ("ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION"),
    ("sslcertmode", "PGSSLCERTMODE"),
    ("sslcrl", "PGSSLCRL"),
    ("sslcrldir", "PGSSLCRLDIR"),
    ("sslkeylogfile", ""),
    ("sslpassword", ""),
];

/// Options of which one value is what this client does anyway.
const SETTLED: [(&str, &[&str]); 5] = [
    ("gssencmode", &["disable", "prefer"]),
    ("load_balance_hosts", &["disable"]),
    ("sslcompression", &["0"]),
    ("sslnegotiation", &["postgres"]),
    ("ssl_min_protocol_version", &["TLSv1", "TLSv1.1", "TLSv1.2"]),
];

/// The words of a connection, by their keys. Those without a value are not there.
pub(super) struct Words(BTreeMap<String, String>);

impl Words {
    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// The number that is the value of a key.
    pub(super) fn number(&self, key: &str) -> Result<Option<u64>, SqlError> {
        let Some(text) = self.get(key) else {
            return Ok(None);
        };
        // The library takes what is negative for nothing given.
        match text.trim().parse::<i64>() {
            Ok(number) => Ok(u64::try_from(number).ok()),
            Err(_) => Err(wrong(key, "a whole number")),
        }
    }

    /// What the value of a key stands for, which is one of a few words.
    pub(super) fn one_of<T: Copy>(
        &self,
        key: &str,
        choices: &[(&str, T)],
    ) -> Result<Option<T>, SqlError> {
        let Some(text) = self.get(key) else {
            return Ok(None);
        };
        let found = choices.iter().find(|(word, _)| *word == text);
        found.map(|(_, choice)| Some(*choice)).ok_or_else(|| {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            driver(
                format!("the compiled-in PostgreSQL client does not know this value of `{key}`"),
                format!("it knows {}; {THROUGH_ADBC}", words.join(", ")),
            )
        })
    }
}

/// Gathers the words: what is an option of its own goes before what stands in the URI, and both before the
/// environment.
pub(super) fn gather(
    directory: &Path,
    options: &BTreeMap<String, String>,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Words, SqlError> {
    let mut words = BTreeMap::new();
    if let Some(text) = options.get(URI) {
        words.extend(read(text)?);
    }
    let others = options.iter().filter(|(key, _)| *key != URI);
    words.extend(others.map(|(key, value)| (key.clone(), value.clone())));
    for (key, value) in &mut words {
        check_key(key, key)?;
        if FILES.contains(&key.as_str()) && is_file(key, value) {
            *value = whole(directory, value);
        }
    }
    // Whose host is named is not sent elsewhere by whoever runs it.
    let is_placed = words.get("host").is_some_and(|host| !host.is_empty());
    for (key, name) in KNOWN.into_iter().chain(FOREIGN) {
        if !name.is_empty()
            && (key != "hostaddr" || !is_placed)
            && words.get(key).is_none_or(String::is_empty)
            && let Some(value) = environment(name).filter(|value| !value.is_empty())
        {
            check_key(key, name)?;
            words.insert(key.to_owned(), value);
        }
    }
    words.retain(|_, value| !value.is_empty());
    for (key, settled) in SETTLED {
        if let Some(value) = words.get(key)
            && !settled.contains(&value.as_str())
        {
            return Err(driver(
                format!("the compiled-in PostgreSQL client does not know this value of `{key}`"),
                THROUGH_ADBC,
            ));
        }
    }
    Ok(Words(words))
}

/// Refuses a key that is not understood; `named` is where it comes from.
fn check_key(key: &str, named: &str) -> Result<(), SqlError> {
    let known = || KNOWN.into_iter().map(|(known, _)| known);
    if known().any(|known| known == key) {
        return Ok(());
    }
    if FOREIGN.into_iter().any(|(foreign, _)| foreign == key) || key.starts_with("oauth_") {
        return Err(driver(
            format!("the compiled-in PostgreSQL client does not know `{named}`"),
            THROUGH_ADBC,
        ));
    }
    Err(driver(
        format!("unknown PostgreSQL option: `{key}`"),
        hint_or(key, known().chain([URI]), || {
            "options are `uri` and the keywords of PostgreSQL's client library, such as `host` and `sslmode`".to_owned()
        }),
    ))
}

/// Reads a URI or `key=value` pairs.
fn read(text: &str) -> Result<Vec<(String, String)>, SqlError> {
    let rest = ["postgresql://", "postgres://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme));
    match rest {
        Some(rest) => read_uri(rest),
        None => read_pairs(text).ok_or_else(|| {
            wrong(
                URI,
                "a URI such as `postgresql://me@host/database` nor `key=value` pairs",
            )
        }),
    }
}

/// Reads what follows the scheme of a URI.
fn read_uri(rest: &str) -> Result<Vec<(String, String)>, SqlError> {
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (servers, database) = place.split_once('/').unwrap_or((place, ""));
    let (login, servers) = match servers.split_once('@') {
        Some((login, servers)) => (login, servers),
        None => ("", servers),
    };
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    let mut words = Vec::new();
    let mut push = |key: &str, value: &str| -> Result<(), SqlError> {
        if !value.is_empty() {
            words.push((key.to_owned(), decoded(value)?));
        }
        Ok(())
    };
    push("user", user)?;
    push("password", password)?;
    let (mut hosts, mut ports) = (Vec::new(), Vec::new());
    for server in servers.split(',') {
        let (host, port) = match server.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']').ok_or_else(|| wrong(URI, "a URI"))?;
                (host, port.strip_prefix(':').unwrap_or(port))
            }
            None => server.split_once(':').unwrap_or((server, "")),
        };
        hosts.push(host);
        ports.push(port);
    }
    if hosts.iter().any(|host| !host.is_empty()) {
        push("host", &hosts.join(","))?;
    }
    if ports.iter().any(|port| !port.is_empty()) {
        push("port", &ports.join(","))?;
    }
    push("dbname", database)?;
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        let (key, value) = parameter
            .split_once('=')
            .ok_or_else(|| wrong(URI, "a URI: a parameter has no value"))?;
        let key = decoded(key)?;
        match (key.as_str(), value) {
            // An alias that other clients made common.
            ("ssl", "true") => push("sslmode", "require")?,
            (key, value) => push(key, value)?,
        }
    }
    Ok(words)
}

fn decoded(text: &str) -> Result<String, SqlError> {
    let bytes = percent_decode_str(text).collect::<Vec<u8>>();
    String::from_utf8(bytes).map_err(|_| wrong(URI, "text in UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_book_lists_every_keyword() {
        let book = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/drivers.md");
        let book = std::fs::read_to_string(book).unwrap();
        let names = KNOWN.map(|(name, _)| format!("`{name}`")).join(", ");
        assert!(
            book.contains(&format!("The keywords are {names}.\n")),
            "{names}"
        );
    }
}
