//! Tokens of short life, as token services give them out for one repository.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bowline_words::percent_encode;
use serde_json::Value as Json;
use ureq::http::{Method, header};

use super::Login;
use super::challenge::Challenge;
use super::client::Client;
use super::request::{Body, Request, Scope};
use super::retry::{FailedAttempt, retrying};
use crate::{OciError, OciErrorKind};

/// How long a token is good for when nobody says.
const USUAL_LIFE: Duration = Duration::from_secs(60);
/// A token is not used in the last part of its life: it would end on the way.
const SPARE: Duration = Duration::from_secs(10);
const TOKEN_ANSWER: u64 = 1 << 20;
const CLIENT: &str = "bowline";

/// What the registry asked for, and the tokens got for it.
#[derive(Default)]
pub(super) struct Tokens {
    challenge: Mutex<Option<Challenge>>,
    /// Held while a token is fetched, so that many threads fetch one.
    known: Mutex<BTreeMap<Scope, Token>>,
}

struct Token {
    value: String,
    until: Instant,
}

impl Tokens {
    pub(super) fn set_challenge(&self, challenge: Challenge) {
        *self
            .challenge
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(challenge);
    }

    /// The token for this was refused: another is to be got, unless another thread has got one since.
    pub(super) fn forget(&self, scope: &Scope, refused: &str) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known
            .get(scope)
            .is_some_and(|token| refused == bearer(token))
        {
            known.remove(scope);
        }
    }

    /// The header's text that lets a request in, as far as the registry asked for one.
    pub(super) fn authorization(
        &self,
        client: &Client,
        scope: &Scope,
    ) -> Result<Option<String>, OciError> {
        let challenge = self
            .challenge
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let (realm, service, asked) = match challenge {
            None => return Ok(None),
            Some(Challenge::Basic) => return Ok(basic(&client.login()?)),
            Some(Challenge::Bearer {
                realm,
                service,
                scope,
            }) => (realm, service, scope),
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(token) = known
            .get(scope)
            .filter(|token| token.until > Instant::now())
        {
            return Ok(Some(bearer(token)));
        }
        let mut scopes = scope.words(client.reference.repository());
        scopes.extend(asked.filter(|asked| !scopes.contains(asked)));
        let token = retrying(&client.access, || {
            fetch(client, &realm, service.as_deref(), &scopes)
        })?;
        let authorization = bearer(&token);
        known.insert(scope.clone(), token);
        Ok(Some(authorization))
    }
}

fn bearer(token: &Token) -> String {
    format!("Bearer {}", token.value)
}

fn basic(login: &Login) -> Option<String> {
    match login {
        Login::Password { user, password } => {
            let pair = STANDARD.encode(format!("{user}:{password}"));
            Some(format!("Basic {pair}"))
        }
        Login::Anonymous | Login::IdentityToken(_) => None,
    }
}

/// Asks the token service: with the login as everybody does, or by exchanging the identity token.
fn fetch(
    client: &Client,
    realm: &str,
    service: Option<&str>,
    scopes: &[String],
) -> Result<Token, FailedAttempt> {
    let login = client.login()?;
    let mut parts: Vec<(&str, &str)> = service
        .map(|service| ("service", service))
        .into_iter()
        .collect();
    let joined = scopes.join(" ");
    let form;
    let request = if let Login::IdentityToken(token) = &login {
        parts.extend([
            ("scope", joined.as_str()),
            ("grant_type", "refresh_token"),
            ("refresh_token", token),
            ("client_id", CLIENT),
        ]);
        form = query(&parts);
        Request::new(Method::POST, realm, Scope::Pull)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::Bytes(form.as_bytes()))
    } else {
        parts.extend(scopes.iter().map(|scope| ("scope", scope.as_str())));
        let joint = if realm.contains('?') { '&' } else { '?' };
        let address = format!("{realm}{joint}{}", query(&parts));
        Request::new(Method::GET, address, Scope::Pull)
    };
    let begun = Instant::now();
    let mut answer = client.send_aside(&request, basic(&login))?;
    let bytes = answer
        .body
        .with_config()
        .limit(TOKEN_ANSWER)
        .read_to_vec()
        .map_err(|error| client.transport_failure(error, &request))?;
    let unusable = || {
        FailedAttempt::from(
            client
                .error(OciErrorKind::Unauthorized, &request)
                .because("the answer holds no token"),
        )
    };
    // The answer is not shown, whatever it is: it may be a token all the same.
    let body: Json = serde_json::from_slice(&bytes).map_err(|_| unusable())?;
    let value = ["token", "access_token"]
        .iter()
        .find_map(|name| body[name].as_str().filter(|token| !token.is_empty()))
        .ok_or_else(unusable)?;
    client.keep_secret(value);
    let life = body["expires_in"]
        .as_u64()
        .map_or(USUAL_LIFE, Duration::from_secs);
    Ok(Token {
        value: value.to_owned(),
        until: begun + life.saturating_sub(SPARE).min(Duration::from_secs(3600)),
    })
}

fn query(parts: &[(&str, &str)]) -> String {
    let encoded: Vec<String> = parts
        .iter()
        .map(|(name, value)| format!("{name}={}", percent_encode(value)))
        .collect();
    encoded.join("&")
}
