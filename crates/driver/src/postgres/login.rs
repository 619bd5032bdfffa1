//! From a fresh stream to a session that takes statements.

use std::collections::BTreeMap;
use std::io;

use fallible_iterator::FallibleIterator;
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{
    ChannelBinding, SCRAM_SHA_256, SCRAM_SHA_256_PLUS, ScramSha256,
};
use postgres_protocol::message::backend::{AuthenticationSaslBody, Message};
use postgres_protocol::message::frontend;

use super::error::{Refusal, Stage, THROUGH_ADBC, lost, refusal, unexpected};
use super::parameters::{Binding, Parameters};
use super::passwords::Found;
use super::tls;
use super::wire::Wire;
use crate::{SqlError, SqlErrorKind};

/// A session that takes statements.
pub(super) struct Session {
    /// What the messages go over.
    pub(super) wire: Wire,
    /// The server's process, and what it wants to hear before it stops.
    pub(super) key: Option<(i32, i32)>,
    /// What the server said of itself and of the session.
    pub(super) status: BTreeMap<String, String>,
}

/// Why there is no session.
pub(super) struct Refused {
    /// The error.
    pub(super) error: SqlError,
    /// Whether the server had asked for a password or let somebody in by then.
    pub(super) asked: bool,
}

/// Logs in.
pub(super) fn log_in(
    mut wire: Wire,
    parameters: &Parameters,
    password: &Found,
) -> Result<Session, Refused> {
    let mut asked = false;
    let result = start(&mut wire, parameters, password, &mut asked);
    match result {
        Ok((key, status)) => {
            wire.trust();
            Ok(Session { wire, key, status })
        }
        Err(Failure::Broken(error)) => Err(Refused {
            error: lost(&error),
            asked,
        }),
        Err(Failure::Told(error)) => Err(Refused { error, asked }),
    }
}

enum Failure {
    Broken(io::Error),
    Told(SqlError),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Told(refusal.error)
    }
}

type Started = (Option<(i32, i32)>, BTreeMap<String, String>);

fn start(
    wire: &mut Wire,
    parameters: &Parameters,
    password: &Found,
    asked: &mut bool,
) -> Result<Started, Failure> {
    let session = parameters.session.iter();
    let words = [
        ("user", parameters.user.as_str()),
        ("database", parameters.database.as_str()),
    ]
    .into_iter()
    .chain(session.map(|(key, value)| (*key, value.as_str())));
    frontend::startup_message(words, &mut wire.output)?;
    wire.send()?;
    let (mut key, mut status) = (None, BTreeMap::new());
    let mut is_bound = parameters.binds != Binding::Require;
    loop {
        match wire.receive_message()? {
            Message::AuthenticationOk
            | Message::AuthenticationCleartextPassword
            | Message::AuthenticationMd5Password(_)
            | Message::ReadyForQuery(_)
                if !is_bound =>
            {
                *asked = true;
                return Err(Failure::Told(SqlError::new(
                    SqlErrorKind::Permission,
                    "`channel_binding` is `require`, and the server asks for a login that cannot be tied to its certificate",
                )));
            }
            Message::AuthenticationOk => *asked = true,
            Message::AuthenticationCleartextPassword => {
                *asked = true;
                let password = known(password)?;
                frontend::password_message(password.as_bytes(), &mut wire.output)?;
                wire.send()?;
            }
            Message::AuthenticationMd5Password(body) => {
                *asked = true;
                let password = known(password)?;
                let user = parameters.user.as_bytes();
                let hash = md5_hash(user, password.as_bytes(), body.salt());
                frontend::password_message(hash.as_bytes(), &mut wire.output)?;
                wire.send()?;
            }
            Message::AuthenticationSasl(body) => {
                *asked = true;
                prove(wire, &body, parameters.binds, known(password)?)?;
                is_bound = true;
            }
            Message::AuthenticationGss
            | Message::AuthenticationSspi
            | Message::AuthenticationKerberosV5
            | Message::AuthenticationScmCredential => {
                *asked = true;
                return Err(Failure::Told(
                    SqlError::new(
                        SqlErrorKind::Permission,
                        "the server asks for a kind of login that the compiled-in PostgreSQL client does not have, such as Kerberos",
                    )
                    .hint("reach the server through ADBC: `kind = \"adbc\"`, `name = \"postgresql\"`".to_owned()),
                ));
            }
            Message::BackendKeyData(body) => key = Some((body.process_id(), body.secret_key())),
            Message::ParameterStatus(body) => {
                if let (Ok(name), Ok(value)) = (body.name(), body.value()) {
                    status.insert(name.to_owned(), value.to_owned());
                }
            }
            Message::NoticeResponse(_) | Message::NotificationResponse(_) => {}
            Message::ErrorResponse(body) => return Err(refusal(&body, Stage::Connect).into()),
            Message::ReadyForQuery(_) => return Ok((key, status)),
            _ => return Err(unexpected("a message that has no place in a login").into()),
        }
    }
}

/// The password, which the server wants.
fn known(password: &Found) -> Result<&str, Failure> {
    let hint = match password {
        Found::Password(password) => return Ok(password),
        Found::Nothing => "give `password`, or a file of passwords as `passfile`".to_owned(),
        Found::Unread(file) => format!(
            "give `password`, or a file of passwords as `passfile`: `{}` cannot be read",
            file.display()
        ),
        Found::Unlisted(file) => format!(
            "give `password`: the file of passwords `{}` has none for this server, database and user",
            file.display()
        ),
        Found::Open => {
            "the file of passwords is not read while others can: take their rights away (`chmod 600`)"
                .to_owned()
        }
    };
    Err(Failure::Told(
        SqlError::new(
            SqlErrorKind::Permission,
            "the server asks for a password, and none is given",
        )
        .hint(hint),
    ))
}

/// What the server asks for in a login cannot be done: nothing is wrong with the connection.
fn unproven(error: io::Error) -> Failure {
    Failure::Told(
        SqlError::new(
            SqlErrorKind::Permission,
            format!("the server asks for what the compiled-in PostgreSQL client does not do: {error}"),
        )
        .hint("store the password with fewer iterations (`scram_iterations`), or reach the server through ADBC: `kind = \"adbc\"`, `name = \"postgresql\"`".to_owned()),
    )
}

/// Proves to know the password without saying it, and that the server knows it too.
fn prove(
    wire: &mut Wire,
    offer: &AuthenticationSaslBody,
    binds: Binding,
    password: &str,
) -> Result<(), Failure> {
    let offered: Vec<String> = offer
        .mechanisms()
        .map(|name| Ok(name.to_owned()))
        .collect()?;
    let has = |name: &str| offered.iter().any(|offered| offered == name);
    let certificate = match binds {
        Binding::Disable => None,
        Binding::Prefer | Binding::Require => wire.stream().certificate().and_then(tls::binding),
    };
    let (mechanism, binding) = match certificate {
        Some(hash) if has(SCRAM_SHA_256_PLUS) => (
            SCRAM_SHA_256_PLUS,
            ChannelBinding::tls_server_end_point(hash),
        ),
        _ if binds == Binding::Require => {
            return Err(Failure::Told(SqlError::new(
                SqlErrorKind::Permission,
                "`channel_binding` is `require`, and the login cannot be tied to the server's certificate",
            )));
        }
        _ if !has(SCRAM_SHA_256) => {
            return Err(Failure::Told(
                SqlError::new(
                    SqlErrorKind::Permission,
                    format!(
                        "the server asks for a login of an unknown kind: {}",
                        offered.join(", ")
                    ),
                )
                .hint(THROUGH_ADBC.to_owned()),
            ));
        }
        Some(_) => (SCRAM_SHA_256, ChannelBinding::unrequested()),
        None => (SCRAM_SHA_256, ChannelBinding::unsupported()),
    };
    let mut proof = ScramSha256::new(password.as_bytes(), binding);
    frontend::sasl_initial_response(mechanism, proof.message(), &mut wire.output)?;
    wire.send()?;
    loop {
        match wire.receive_message()? {
            Message::AuthenticationSaslContinue(body) => {
                proof.update(body.data()).map_err(unproven)?;
                frontend::sasl_response(proof.message(), &mut wire.output)?;
                wire.send()?;
            }
            Message::AuthenticationSaslFinal(body) => {
                proof.finish(body.data())?;
                return Ok(());
            }
            Message::ErrorResponse(body) => return Err(refusal(&body, Stage::Connect).into()),
            Message::NoticeResponse(_) => {}
            _ => return Err(unexpected("a message that has no place in a login").into()),
        }
    }
}
