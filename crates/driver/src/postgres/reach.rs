//! The way to a server: its hosts and addresses one after the other, encrypted or not.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use postgres_protocol::message::frontend;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;

use super::error::{driver, lost};
use super::login::log_in;
use super::parameters::{Host, Parameters, SslMode};
use super::passwords::{self, Found};
use super::statement::Connected;
use super::stream::{Address, Encryption, Keepalive, Socket, Stream};
use super::types::TypesSeen;
use super::wire::Wire;
use crate::{SqlError, SqlErrorKind};

/// How a server was reached, which is how it is told to stop.
#[derive(Clone)]
pub(super) struct Way {
    address: Address,
    encryption: Option<Encryption>,
    limit: Duration,
}

impl Way {
    /// Asks the server to stop what a session does, and waits until it has passed that on. Says whether it could be
    /// asked.
    pub(super) fn stop(&self, (process, secret): (i32, i32)) -> bool {
        let ask = || -> io::Result<()> {
            let socket = Socket::reach(&self.address, self.limit, &Keepalive::default())?;
            let mut stream = match &self.encryption {
                None => Stream::Plain(socket),
                Some(encryption) => match Stream::encrypted(socket, encryption)? {
                    Ok(stream) => stream,
                    Err(_) => return Err(io::ErrorKind::ConnectionRefused.into()),
                },
            };
            let mut request = BytesMut::new();
            frontend::cancel_request(process, secret, &mut request);
            stream.write_all(&request)?;
            stream.flush()?;
            // The server says nothing, and closes once the signal is on its way. How it closes does not matter.
            let _ = stream.read(&mut [0]);
            Ok(())
        };
        ask().is_ok()
    }
}

/// How long the server may take to hear that it has to stop: whoever waits for that waits for the statement too.
const STOPPING: Duration = Duration::from_secs(2);

/// Whether an attempt is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attempt {
    Plain,
    /// Where the server cannot, the attempt goes on in the clear.
    EncryptedIfItCan,
    Encrypted,
}

/// Why an attempt failed.
struct Failed {
    error: SqlError,
    /// Whether it may fare better with or without encryption.
    other: bool,
    /// Whether another server may do.
    next: bool,
}

/// What every attempt needs.
pub(super) struct Reaching<'a> {
    /// Where and how to connect.
    pub(super) parameters: &'a Parameters,
    /// What encrypted connections believe and show.
    pub(super) tls: Option<&'a Arc<ClientConfig>>,
    /// The longest that one server may take.
    pub(super) limit: Duration,
    /// What is known of the database's types.
    pub(super) types: &'a TypesSeen,
}

/// Reaches the first server that will do, as `suits` sees it.
///
/// # Errors
/// Those of all servers in one, or that of a login which was refused.
pub(super) fn reach(
    reaching: &Reaching<'_>,
    suits: &dyn Fn(&mut Connected) -> Result<(), SqlError>,
) -> Result<(Connected, Way), SqlError> {
    let mut tried = Vec::new();
    for host in &reaching.parameters.hosts {
        let addresses = match addresses(host) {
            Ok(addresses) => addresses,
            Err(error) => {
                tried.push((host, error));
                continue;
            }
        };
        let reaching = &Reaching {
            limit: match reaching.parameters.timeout {
                Some(_) => reaching.limit,
                // What is left has to do for the addresses behind one that does not answer.
                None => reaching.limit / u32::try_from(addresses.len()).unwrap_or(1).max(1),
            },
            ..*reaching
        };
        for address in addresses {
            match at_address(reaching, host, &address) {
                Ok((mut connected, way)) => match suits(&mut connected) {
                    Ok(()) => return Ok((connected, way)),
                    Err(error) => tried.push((host, error)),
                },
                Err(failed) if failed.next => tried.push((host, failed.error)),
                Err(failed) => return Err(failed.error),
            }
        }
    }
    Err(told(tried))
}

/// The errors of several servers and addresses in one; those of one server that say the same are told once.
fn told(tried: Vec<(&Host, SqlError)>) -> SqlError {
    let mut words: Vec<String> = Vec::new();
    for (host, error) in &tried {
        let server = shown(host);
        let line = if error.message.contains(&server) {
            error.message.clone()
        } else {
            format!("{server}: {}", error.message)
        };
        if !words.contains(&line) {
            words.push(line);
        }
    }
    match tried.into_iter().next_back() {
        None => driver("there is no server to connect to", "name one as `host`"),
        Some((_, last)) if words.len() == 1 => last,
        Some((_, last)) => SqlError {
            message: format!("no server will do: {}", words.join("; ")),
            ..last
        },
    }
}

fn addresses(host: &Host) -> Result<Vec<Address>, SqlError> {
    if let Some(folder) = host.folder() {
        return Ok(vec![Address::Unix(
            folder.join(format!(".s.PGSQL.{}", host.port)),
        )]);
    }
    if let Some(address) = host.address {
        return Ok(vec![Address::Tcp(SocketAddr::new(address, host.port))]);
    }
    let found = (host.name.as_str(), host.port).to_socket_addrs();
    let found: Vec<Address> = found
        .map_err(|error| {
            SqlError::new(
                SqlErrorKind::Connection,
                format!("host is unknown: `{}`: {error}", host.name),
            )
        })?
        .map(Address::Tcp)
        .collect();
    Ok(found)
}

fn at_address(
    reaching: &Reaching<'_>,
    host: &Host,
    address: &Address,
) -> Result<(Connected, Way), Failed> {
    let attempts: &[Attempt] = match (reaching.parameters.tls.mode, address) {
        (SslMode::Disable, _) | (_, Address::Unix(_)) => &[Attempt::Plain],
        (SslMode::Allow, _) => &[Attempt::Plain, Attempt::Encrypted],
        (SslMode::Prefer, _) => &[Attempt::EncryptedIfItCan, Attempt::Plain],
        _ => &[Attempt::Encrypted],
    };
    let mut first: Option<Failed> = None;
    for attempt in attempts {
        match once(reaching, host, address, *attempt) {
            Ok(reached) => return Ok(reached),
            Err(failed) if !failed.other => return Err(failed),
            // What the first attempt met tells more than that the second had no encryption, or had.
            Err(failed) => first = first.or(Some(failed)),
        }
    }
    Err(first.unwrap_or_else(|| Failed {
        error: driver("there is no way to the server", "say another `sslmode`"),
        other: false,
        next: true,
    }))
}

fn once(
    reaching: &Reaching<'_>,
    host: &Host,
    address: &Address,
    attempt: Attempt,
) -> Result<(Connected, Way), Failed> {
    let (parameters, limit) = (reaching.parameters, reaching.limit);
    let named = |error: SqlError| SqlError {
        message: format!("{} cannot be reached: {}", shown(host), error.message),
        ..error
    };
    let socket = Socket::reach(address, limit, &parameters.keepalive).map_err(|error| Failed {
        error: named(match error.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => lost(&error),
            _ => SqlError::new(SqlErrorKind::Connection, error.to_string()),
        }),
        other: false,
        next: true,
    })?;
    let mut encryption = None;
    let stream = match (attempt, reaching.tls) {
        (Attempt::Plain, _) | (_, None) => Stream::Plain(socket),
        (attempt, Some(config)) => {
            let wanted = encrypt_with(config, host)?;
            let stream = Stream::encrypted(socket, &wanted).map_err(|error| Failed {
                error: named(not_encrypted(&error)),
                // A server that is slow to answer is not spoken to in the clear for that.
                other: !matches!(
                    error.kind(),
                    io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock
                ),
                next: true,
            })?;
            match stream {
                Ok(stream) => {
                    encryption = Some(wanted);
                    stream
                }
                Err(socket) if attempt == Attempt::EncryptedIfItCan => Stream::Plain(socket),
                Err(_) => {
                    return Err(Failed {
                        error: named(
                            SqlError::new(
                                SqlErrorKind::Connection,
                                "the server does not encrypt, and `sslmode` asks for it",
                            )
                            .hint("have the server encrypt, or say another `sslmode`".to_owned()),
                        ),
                        other: true,
                        next: true,
                    });
                }
            }
        }
    };
    let is_encrypted = encryption.is_some();
    let password = match (&parameters.password, &parameters.passwords) {
        (Some(password), _) => Found::Password(password.clone()),
        (None, Some(file)) => passwords::find(file, host, &parameters.database, &parameters.user),
        (None, None) => Found::Nothing,
    };
    let session = log_in(Wire::new(stream), parameters, &password).map_err(|refused| Failed {
        // A password is not said again, least of all in the clear.
        other: !refused.asked && (is_encrypted || attempt == Attempt::Plain),
        next: !refused.asked && refused.error.kind != SqlErrorKind::Permission,
        error: match refused.error.sqlstate {
            Some(_) => refused.error,
            None if refused.error.kind == SqlErrorKind::Permission => SqlError {
                message: format!("login at {} failed: {}", shown(host), refused.error.message),
                ..refused.error
            },
            None => named(refused.error),
        },
    })?;
    let way = Way {
        address: address.clone(),
        encryption,
        limit: limit.min(STOPPING),
    };
    let connected = Connected::new(session, way.clone(), reaching.types.clone());
    Ok((connected, way))
}

fn encrypt_with(config: &Arc<ClientConfig>, host: &Host) -> Result<Encryption, Failed> {
    let server = ServerName::try_from(host.name.clone()).map_err(|_| Failed {
        error: driver(
            format!("no name for a certificate: `{}`", host.name),
            "say the server's name as `host`",
        ),
        other: true,
        next: true,
    })?;
    Ok(Encryption {
        config: Arc::clone(config),
        server,
    })
}

fn not_encrypted(error: &io::Error) -> SqlError {
    let is_judged = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match is_judged {
        None => lost(error),
        Some(judged) => {
            let told = SqlError::new(
                SqlErrorKind::Connection,
                format!("no encryption was agreed on: {judged}"),
            );
            match judged {
                rustls::Error::InvalidCertificate(_) => told.hint(
                    "the certificate is held against `sslrootcert`, and with `verify-full` against the name of the host"
                        .to_owned(),
                ),
                _ => told,
            }
        }
    }
}

/// A server for people.
fn shown(host: &Host) -> String {
    match host.folder() {
        Some(folder) => format!("socket {}/.s.PGSQL.{}", folder.display(), host.port),
        None => format!("server {}:{}", host.name, host.port),
    }
}
