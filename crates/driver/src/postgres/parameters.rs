//! What a connection needs to know, in the words of PostgreSQL's client library.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::{THROUGH_ADBC, driver};
use super::parameters_text::{Words, gather};
use super::stream::Keepalive;
use crate::SqlError;

const PORT: u16 = 5432;

/// Where and how to connect. It holds a password, and so cannot be shown.
pub(super) struct Parameters {
    /// The servers, of which the first that answers is taken.
    pub(super) hosts: Vec<Host>,
    /// Who logs in.
    pub(super) user: String,
    /// Into which database.
    pub(super) database: String,
    /// With which password, where it stands among the parameters.
    pub(super) password: Option<String>,
    /// The file of passwords.
    pub(super) passwords: Option<PathBuf>,
    /// What the session starts with, such as `application_name`.
    pub(super) session: Vec<(&'static str, String)>,
    /// Whether and how connections are encrypted.
    pub(super) tls: TlsParameters,
    /// Whether a login is tied to the server's certificate.
    pub(super) binds: Binding,
    /// The longest that one server may take.
    pub(super) timeout: Option<Duration>,
    /// How an idle connection is watched.
    pub(super) keepalive: Keepalive,
    /// Which servers will do.
    pub(super) target: Target,
}

/// A server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Host {
    /// Its name or address, or the folder of its socket.
    pub(super) name: String,
    /// Its address, where it is not looked up.
    pub(super) address: Option<IpAddr>,
    /// Its port.
    pub(super) port: u16,
}

impl Host {
    /// The folder of its socket, for a server of this machine.
    pub(super) fn folder(&self) -> Option<&Path> {
        let is_folder = cfg!(unix) && self.address.is_none() && self.name.starts_with('/');
        is_folder.then(|| Path::new(&self.name))
    }
}

/// Whether connections are encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SslMode {
    /// Never.
    Disable,
    /// Where the server wants no others.
    Allow,
    /// Where the server can.
    Prefer,
    /// Always.
    Require,
    /// Always, and the certificate must be believed.
    VerifyCa,
    /// Always, and the certificate must be believed and name the server.
    VerifyFull,
}

/// What is proven of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// Nothing.
    None,
    /// That somebody believed vouches for it.
    Chain,
    /// That somebody believed vouches for its name.
    Name,
}

/// Whether and how connections are encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TlsParameters {
    /// Whether at all.
    pub(super) mode: SslMode,
    /// Who is believed.
    pub(super) roots: Option<Roots>,
    /// The certificate that is shown to the server, and its key.
    pub(super) shown: Option<(PathBuf, PathBuf)>,
    /// Whether the server is told which name it is reached by.
    pub(super) names_server: bool,
}

impl TlsParameters {
    /// What has to be proven. Roots that are there are held against the server, also where nobody asked for it.
    pub(super) fn proof(&self) -> Proof {
        match (self.mode, &self.roots) {
            (SslMode::VerifyFull, _) => Proof::Name,
            (SslMode::VerifyCa, _) | (SslMode::Require, Some(_)) => Proof::Chain,
            _ => Proof::None,
        }
    }
}

/// Who is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Roots {
    /// Those in a file.
    File(PathBuf),
    /// Those that this machine believes.
    System,
}

/// Whether a login is tied to the server's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binding {
    /// It is not.
    Disable,
    /// Where the server can.
    Prefer,
    /// It must be.
    Require,
}

/// Which servers will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// Every one.
    Any,
    /// Those that take changes.
    ReadWrite,
    /// Those that take none.
    ReadOnly,
    /// Those that follow no other.
    Primary,
    /// Those that follow another.
    Standby,
}

impl Parameters {
    /// How many servers there are to try.
    pub(super) fn servers(&self) -> u32 {
        u32::try_from(self.hosts.len()).unwrap_or(1).max(1)
    }

    /// Reads the options of a driver, then the environment and the files that PostgreSQL's client library looks at.
    ///
    /// # Errors
    /// Kind `Driver` for what is unknown, malformed or not supported. No value is repeated but those of a few words.
    pub(super) fn read(
        directory: &Path,
        options: &BTreeMap<String, String>,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, SqlError> {
        let words = gather(directory, options, environment)?;
        let home = environment("HOME").map(PathBuf::from);
        let user = match words.get("user") {
            Some(user) => user.to_owned(),
            None => ["USER", "LOGNAME", "USERNAME"]
                .into_iter()
                .find_map(environment)
                .ok_or_else(|| driver("missing PostgreSQL option: `user`", "say who logs in"))?,
        };
        let mut session = Vec::new();
        for (key, words_key) in [
            ("application_name", "application_name"),
            ("application_name", "fallback_application_name"),
            ("options", "options"),
            ("client_encoding", "client_encoding"),
        ] {
            let is_new = session.iter().all(|(known, _)| *known != key);
            if let Some(value) = words.get(words_key)
                && is_new
            {
                session.push((key, value.to_owned()));
            }
        }
        // Nothing is lost in it. `auto` would be the system's, which is UTF-8 for us.
        match session
            .iter_mut()
            .find(|(key, _)| *key == "client_encoding")
        {
            Some((_, encoding)) if encoding == "auto" => "UTF8".clone_into(encoding),
            Some(_) => {}
            None => session.push(("client_encoding", "UTF8".to_owned())),
        }
        Ok(Self {
            hosts: hosts(&words)?,
            database: words.get("dbname").unwrap_or(&user).to_owned(),
            user,
            password: words.get("password").map(str::to_owned),
            passwords: words
                .get("passfile")
                .map(PathBuf::from)
                .or_else(|| passwords(home.as_deref(), environment)),
            session,
            tls: tls(&words, home.as_deref())?,
            binds: match words.one_of(
                "channel_binding",
                &[
                    ("prefer", Binding::Prefer),
                    ("disable", Binding::Disable),
                    ("require", Binding::Require),
                ],
            )? {
                Some(binding) => binding,
                None => Binding::Prefer,
            },
            timeout: words
                .number("connect_timeout")?
                .filter(|seconds| *seconds > 0)
                // As there: less than two seconds is too little for a login.
                .map(|seconds| Duration::from_secs(seconds.max(2))),
            keepalive: keepalive(&words)?,
            target: words
                .one_of(
                    "target_session_attrs",
                    &[
                        ("any", Target::Any),
                        ("read-write", Target::ReadWrite),
                        ("read-only", Target::ReadOnly),
                        ("primary", Target::Primary),
                        ("standby", Target::Standby),
                    ],
                )?
                .unwrap_or(Target::Any),
        })
    }
}

fn hosts(words: &Words) -> Result<Vec<Host>, SqlError> {
    let list = |key: &str| -> Vec<&str> {
        words
            .get(key)
            .map(|text| text.split(',').map(str::trim).collect())
            .unwrap_or_default()
    };
    let (names, addresses, ports) = (list("host"), list("hostaddr"), list("port"));
    let count = names.len().max(addresses.len()).max(1);
    for (key, given) in [("host", &names), ("hostaddr", &addresses)] {
        if !given.is_empty() && given.len() != count {
            return Err(driver(
                format!(
                    "wrong PostgreSQL option: `{key}` names {} of {count} servers",
                    given.len()
                ),
                "give as many of `host` as of `hostaddr`",
            ));
        }
    }
    if ports.len() > 1 && ports.len() != count {
        return Err(driver(
            format!(
                "wrong PostgreSQL option: {} ports for {count} servers",
                ports.len()
            ),
            "give one port, or one for each server",
        ));
    }
    (0..count)
        .map(|place| {
            let address: Option<IpAddr> = match addresses.get(place) {
                None | Some(&"") => None,
                Some(text) => Some(
                    text.parse()
                        .map_err(|_| wrong("hostaddr", "an IP address"))?,
                ),
            };
            let port = match ports.get(place).or(ports.first()) {
                None | Some(&"") => PORT,
                Some(text) => text
                    .parse()
                    .map_err(|_| wrong("port", "a number up to 65535"))?,
            };
            let name = match (names.get(place), address) {
                (None | Some(&""), None) => usual_host(),
                (None | Some(&""), Some(address)) => address.to_string(),
                (Some(name), _) => (*name).to_owned(),
            };
            if name.starts_with('@') {
                return Err(driver(
                    "wrong PostgreSQL option: `host` is a socket without a file",
                    THROUGH_ADBC,
                ));
            }
            Ok(Host {
                name,
                address,
                port,
            })
        })
        .collect()
}

/// Where a server is looked for when nobody says.
fn usual_host() -> String {
    let folders = ["/var/run/postgresql", "/tmp"];
    let found = folders
        .into_iter()
        .find(|folder| cfg!(unix) && Path::new(folder).is_dir());
    found.unwrap_or("localhost").to_owned()
}

fn passwords(home: Option<&Path>, environment: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    if cfg!(windows) {
        let folder = PathBuf::from(environment("APPDATA")?);
        return Some(folder.join("postgresql").join("pgpass.conf"));
    }
    Some(home?.join(".pgpass"))
}

fn tls(words: &Words, home: Option<&Path>) -> Result<TlsParameters, SqlError> {
    let modes = [
        ("disable", SslMode::Disable),
        ("allow", SslMode::Allow),
        ("prefer", SslMode::Prefer),
        ("require", SslMode::Require),
        ("verify-ca", SslMode::VerifyCa),
        ("verify-full", SslMode::VerifyFull),
    ];
    let asked = words.one_of("sslmode", &modes)?;
    let usual = |name: &str| {
        let path = home?.join(".postgresql").join(name);
        path.is_file().then_some(path)
    };
    let roots = match words.get("sslrootcert") {
        Some("system") => Some(Roots::System),
        Some(path) => Some(Roots::File(path.into())),
        None => usual("root.crt").map(Roots::File),
    };
    let mode = match (asked, &roots) {
        (None, Some(Roots::System)) => SslMode::VerifyFull,
        (Some(mode), Some(Roots::System)) if mode != SslMode::VerifyFull => {
            return Err(driver(
                "wrong PostgreSQL option: `sslrootcert` is `system`, and `sslmode` is weaker than `verify-full`",
                "leave `sslmode` out, or name a file as `sslrootcert`",
            ));
        }
        (asked, _) => asked.unwrap_or(SslMode::Prefer),
    };
    if roots.is_none() && matches!(mode, SslMode::VerifyCa | SslMode::VerifyFull) {
        return Err(driver(
            "missing PostgreSQL option: `sslrootcert`",
            "name the file with the authority's certificate, or `system` for those that this machine believes",
        ));
    }
    // What was named and is missing is told when it is read; only what nobody named is looked for.
    let shown = match (words.get("sslcert"), words.get("sslkey")) {
        (None, None) => usual("postgresql.crt").zip(usual("postgresql.key")),
        (certificate, key) => {
            let certificate = certificate
                .map(PathBuf::from)
                .or_else(|| usual("postgresql.crt"));
            let key = key.map(PathBuf::from).or_else(|| usual("postgresql.key"));
            let both = certificate.zip(key).ok_or_else(|| {
                driver(
                    "wrong PostgreSQL option: of `sslcert` and `sslkey` one is missing",
                    "give both, or neither",
                )
            })?;
            Some(both)
        }
    };
    Ok(TlsParameters {
        mode,
        roots,
        shown,
        names_server: words.number("sslsni")? != Some(0),
    })
}

fn keepalive(words: &Words) -> Result<Keepalive, SqlError> {
    let seconds = |key: &str| -> Result<Option<Duration>, SqlError> {
        let number = words.number(key)?.filter(|seconds| *seconds > 0);
        Ok(number.map(Duration::from_secs))
    };
    Ok(Keepalive {
        off: words.number("keepalives")? == Some(0),
        idle: seconds("keepalives_idle")?,
        interval: seconds("keepalives_interval")?,
        count: words
            .number("keepalives_count")?
            .and_then(|count| u32::try_from(count).ok())
            .filter(|count| *count > 0),
        user_timeout: words
            .number("tcp_user_timeout")?
            .filter(|millis| *millis > 0)
            .map(Duration::from_millis),
    })
}

/// An option whose value is malformed; the value may hold half a password, and is not repeated.
pub(super) fn wrong(key: &str, what: &str) -> SqlError {
    driver(
        format!("wrong PostgreSQL option: `{key}` is not {what}"),
        "in a URI, write what is special in a name or password with a percent sign (`@` is `%40`)",
    )
}

#[cfg(test)]
#[path = "parameters_tests.rs"]
mod tests;
