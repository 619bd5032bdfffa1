//! Requests to one repository of a registry: encryption, logins, redirects, and what its refusals mean.

use std::io::{self, Read};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bowline_http::Origin;
use bowline_words::Redactor;
use bowline_words::beginning;
use serde_json::Value as Json;
use ureq::http::header;
use ureq::http::{self, Method, StatusCode};

use super::address::{absolute, is_loopback, shown_address};
use super::challenge::Challenge;
use super::request::{Body, Fetched, Request, Response, Scope, text};
use super::retry::{FailedAttempt, retrying};
use super::token::Tokens;
use super::{Access, Login, Reference};
use crate::{OciError, OciErrorKind};

/// How long it may take until a connection stands.
const CONNECT: Duration = Duration::from_secs(30);
/// How much of a refusal is read, in bytes.
const REFUSAL_READ: u64 = 64 << 10;
/// How much of a registry's words is shown, in characters.
const WORDS_SHOWN: usize = 400;
const MOST_REDIRECTS: usize = 5;

/// Speaks to one repository. Connections are kept and used again; all threads may share it.
pub(super) struct Client {
    pub(super) access: Access,
    pub(super) reference: Reference,
    agent: ureq::Agent,
    /// The scheme and host that answer, once they are known.
    base: OnceLock<Base>,
    login: Mutex<Option<Login>>,
    tokens: Tokens,
    secrets: Mutex<Vec<String>>,
}

struct Base {
    address: String,
    origin: Origin,
}

impl Client {
    /// Sends nothing yet.
    pub(super) fn new(reference: &Reference, access: &Access) -> Self {
        let config = bowline_http::agent_config();
        // No proxy reaches what is on this machine.
        let config = if is_loopback(reference.host()) {
            config.proxy(None)
        } else {
            config
        };
        let agent = config
            // A layer packed on the way would come out as other bytes than its digest names.
            .accept_encoding("identity")
            .timeout_connect(Some(CONNECT.min(access.limits.silence)))
            .timeout_per_read(Some(access.limits.silence))
            .timeout_per_write(Some(access.limits.silence))
            .max_idle_connections_per_host(access.limits.in_flight)
            .max_idle_connections(access.limits.in_flight * 2)
            .build()
            .new_agent();
        Self {
            access: access.clone(),
            reference: reference.clone(),
            agent,
            base: OnceLock::new(),
            login: Mutex::default(),
            tokens: Tokens::default(),
            secrets: Mutex::default(),
        }
    }

    /// Sends a request until it succeeds or there is no point in another try, and reads at most so many bytes.
    pub(super) fn fetch(&self, request: &Request<'_>, limit: u64) -> Result<Fetched, OciError> {
        retrying(&self.access, || {
            let mut answer = self.send(request)?;
            let bytes = answer
                .body
                .with_config()
                .limit(limit)
                .read_to_vec()
                .map_err(|error| match error {
                    ureq::Error::BodyExceedsLimit(_) => self
                        .error(OciErrorKind::Refused, request)
                        .because(format!("the answer has more than {limit} bytes"))
                        .into(),
                    error => self.transport_failure(error, request),
                })?;
            Ok(Fetched {
                status: answer.status,
                headers: answer.headers,
                address: answer.address,
                bytes,
            })
        })
    }

    /// Sends a request once, and once more with a login when one is asked for.
    pub(super) fn send(&self, request: &Request<'_>) -> Result<Response, FailedAttempt> {
        let base = self.base()?;
        let address = if request.address.contains("://") {
            request.address.clone()
        } else {
            let repository = self.reference.repository();
            format!("{}/v2/{repository}/{}", base.address, request.address)
        };
        let authorization = self.authorization(&request.scope)?;
        let trusted = (&base.origin, authorization.clone());
        let mut answer = self.follow(request, &address, Some(trusted))?;
        // Only who is asked by the registry itself shows a login.
        let asked =
            answer.status == 401 && Origin::of(&answer.address) == Some(base.origin.clone());
        if asked && self.challenged(&answer, request, authorization.as_deref())? {
            let authorization = self.authorization(&request.scope)?;
            answer = self.follow(request, &address, Some((&base.origin, authorization)))?;
        }
        self.judge(request, answer)
    }

    /// Sends a request without a login of the registry's, such as to a token service; `authorization` goes to that
    /// address alone.
    pub(super) fn send_aside(
        &self,
        request: &Request<'_>,
        authorization: Option<String>,
    ) -> Result<Response, FailedAttempt> {
        let origin = Origin::of(&request.address);
        let trusted = origin.as_ref().map(|origin| (origin, authorization));
        let answer = self.follow(request, &request.address, trusted)?;
        self.judge(request, answer)
    }

    /// Whether another try with a login may be let in.
    fn challenged(
        &self,
        answer: &Response,
        request: &Request<'_>,
        refused: Option<&str>,
    ) -> Result<bool, OciError> {
        let headers = answer.headers.get_all(header::WWW_AUTHENTICATE);
        let Some(challenge) = Challenge::best(headers.iter().filter_map(|each| each.to_str().ok()))
        else {
            return Ok(false);
        };
        let same_password = refused.is_some() && challenge == Challenge::Basic;
        let no_password = challenge == Challenge::Basic && self.login()? == Login::Anonymous;
        self.tokens.set_challenge(challenge);
        if let Some(refused) = refused {
            self.tokens.forget(&request.scope, refused);
        }
        Ok(!same_password && !no_password)
    }

    /// What to show with a request for this; nothing as long as nothing was asked for.
    fn authorization(&self, scope: &Scope) -> Result<Option<String>, FailedAttempt> {
        let authorization = self.tokens.authorization(self, scope)?;
        if let Some(text) = &authorization {
            let (_, secret) = text.split_once(' ').unwrap_or_default();
            self.keep_secret(secret);
        }
        Ok(authorization)
    }

    /// The user's login for this registry, looked up once.
    pub(super) fn login(&self) -> Result<Login, OciError> {
        let mut slot = self.login.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(login) = &*slot {
            return Ok(login.clone());
        }
        let login = self.access.logins.login(&self.reference)?;
        match &login {
            Login::Anonymous => {}
            Login::Password { password, .. } => self.keep_secret(password),
            Login::IdentityToken(token) => self.keep_secret(token),
        }
        Ok(slot.insert(login).clone())
    }

    /// What somebody who was refused may do about it, as far as a login was looked up.
    fn login_hint(&self) -> String {
        let program = self.access.logins.program();
        let registry = self.reference.registry();
        let slot = self.login.lock().unwrap_or_else(PoisonError::into_inner);
        match &*slot {
            Some(Login::Anonymous) => {
                format!("log in with `{program} login {registry}`: no login for it is there")
            }
            Some(_) => format!(
                "`{program} login {registry}` as somebody who may do this: the login that is there may not"
            ),
            None => format!("log in with `{program} login {registry}` as somebody who may do this"),
        }
    }

    /// From now on no message shows this.
    pub(super) fn keep_secret(&self, secret: &str) {
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        if !secrets.iter().any(|known| known == secret) {
            secrets.push(secret.to_owned());
        }
    }

    /// Where the registry answers. One on this machine is asked whether it speaks without encryption.
    fn base(&self) -> Result<&Base, FailedAttempt> {
        if let Some(base) = self.base.get() {
            return Ok(base);
        }
        let host = self.reference.host();
        let plain = if self.access.insecure.iter().any(|each| each == host) {
            true
        } else if is_loopback(host) {
            self.speaks_plainly(host)?
        } else {
            false
        };
        let address = format!("{}://{host}", if plain { "http" } else { "https" });
        let origin = Origin::of(&address).ok_or_else(|| {
            OciError::new(OciErrorKind::Invalid, format!("the registry `{host}`"))
        })?;
        Ok(self.base.get_or_init(|| Base { address, origin }))
    }

    /// A server that speaks with encryption answers a plain request with status 400, or not at all.
    fn speaks_plainly(&self, host: &str) -> Result<bool, FailedAttempt> {
        let request = Request::new(Method::GET, format!("http://{host}/v2/"), Scope::Pull);
        match self.exchange(&request, &request.address, None) {
            Ok(answer) => Ok(answer.status != 400),
            Err(failure) if failure.error.kind == OciErrorKind::Unreachable => {
                let refused = failure.passing && self.is_closed(host);
                if refused { Err(failure) } else { Ok(false) }
            }
            Err(failure) => Err(failure),
        }
    }

    /// Whether nobody listens there at all, with encryption or without.
    fn is_closed(&self, host: &str) -> bool {
        let request = Request::new(Method::GET, format!("https://{host}/v2/"), Scope::Pull);
        match self.exchange(&request, &request.address, None) {
            Ok(_) => false,
            Err(failure) => failure.passing,
        }
    }

    /// Sends a request and goes where redirects lead. The login goes to the trusted origin and nowhere else.
    fn follow(
        &self,
        request: &Request<'_>,
        address: &str,
        trusted: Option<(&Origin, Option<String>)>,
    ) -> Result<Response, FailedAttempt> {
        let mut address = address.to_owned();
        for _ in 0..=MOST_REDIRECTS {
            let origin = self.allowed(&address, request)?;
            let authorization = match &trusted {
                Some((trusted, authorization)) if **trusted == origin => authorization.as_deref(),
                _ => None,
            };
            let answer = self.exchange(request, &address, authorization)?;
            let reads = matches!(request.method, Method::GET | Method::HEAD);
            let leads_on = match answer.status {
                301..=303 => reads,
                307 | 308 => true,
                _ => false,
            };
            let Some(place) = text(&answer.headers, header::LOCATION).filter(|_| leads_on) else {
                return Ok(answer);
            };
            address = absolute(place, &address);
        }
        Err(self
            .error(OciErrorKind::Refused, request)
            .because(format!("redirected more than {MOST_REDIRECTS} times"))
            .into())
    }

    /// The origin of an address, if requests may go there: never without encryption, unless the registry itself is
    /// spoken to without.
    fn allowed(&self, address: &str, request: &Request<'_>) -> Result<Origin, OciError> {
        let refused = |cause: &str| {
            self.error(OciErrorKind::Refused, request)
                .because(format!("it leads to `{}`, {cause}", shown_address(address)))
        };
        let origin = Origin::of(address).ok_or_else(|| refused("which is no address"))?;
        let plain_registry = self
            .base
            .get()
            .is_some_and(|base| base.origin.scheme == "http");
        match origin.scheme.as_str() {
            "https" => Ok(origin),
            "http" if plain_registry => Ok(origin),
            "http" => Err(refused("which is not encrypted").hint(
                "have the registry told that it is reached with `https`, often `X-Forwarded-Proto`"
                    .to_owned(),
            )),
            _ => Err(refused("which is no address of a registry")),
        }
    }

    fn exchange(
        &self,
        request: &Request<'_>,
        address: &str,
        authorization: Option<&str>,
    ) -> Result<Response, FailedAttempt> {
        self.access.cancel.check(&format!(
            "what was asked of `{}`",
            self.reference.registry()
        ))?;
        let mut builder = http::Request::builder()
            .method(request.method.clone())
            .uri(address);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        if let Some(authorization) = authorization {
            builder = builder.header(header::AUTHORIZATION, authorization);
        }
        let invalid = |error| self.transport_failure(ureq::Error::Http(error), request);
        let mut nothing = io::empty();
        let mut bytes: &[u8];
        let mut stream: Box<dyn Read + Send + '_>;
        let writes = !matches!(request.method, Method::GET | Method::HEAD);
        let (reader, length): (&mut dyn Read, u64) = match request.body {
            Body::None => (&mut nothing, 0),
            Body::Bytes(all) => {
                bytes = all;
                (&mut bytes, all.len() as u64)
            }
            Body::Stream(open, length) => {
                stream = open()?;
                (&mut stream, length)
            }
        };
        let response = if writes {
            let builder = builder.header(header::CONTENT_LENGTH, length);
            let body = ureq::SendBody::from_reader(reader);
            self.agent.run(builder.body(body).map_err(invalid)?)
        } else {
            self.agent.run(builder.body(()).map_err(invalid)?)
        };
        let response = response.map_err(|error| self.transport_failure(error, request))?;
        let (parts, body) = response.into_parts();
        Ok(Response {
            status: parts.status.as_u16(),
            headers: parts.headers,
            address: address.to_owned(),
            body,
        })
    }

    /// The answer, if it is none of refusal.
    fn judge(
        &self,
        request: &Request<'_>,
        mut answer: Response,
    ) -> Result<Response, FailedAttempt> {
        let status = answer.status;
        if (200..300).contains(&status) || request.expected.contains(&status) {
            return Ok(answer);
        }
        let words = answer
            .body
            .with_config()
            .limit(REFUSAL_READ)
            .read_to_vec()
            .map(|bytes| self.words(&bytes))
            .unwrap_or_default();
        let (kind, hint) = match status {
            401 | 403 => (OciErrorKind::Unauthorized, Some(self.login_hint())),
            404 => (
                OciErrorKind::Missing,
                Some("check the name and the tag".to_owned()),
            ),
            429 => (
                OciErrorKind::Refused,
                Some("try again later, or log in: registries limit who is not known".to_owned()),
            ),
            500.. => (
                OciErrorKind::Refused,
                Some("try again later, or look into the registry's log".to_owned()),
            ),
            _ => (OciErrorKind::Refused, None),
        };
        let reason = StatusCode::from_u16(status)
            .ok()
            .and_then(|status| status.canonical_reason())
            .unwrap_or_default();
        let mut cause = format!("status {status} {reason}");
        if !words.is_empty() {
            cause = format!("{}: {words}", cause.trim_end());
        }
        let error = self
            .error(kind, request)
            .because(cause.trim_end())
            .hint(hint);
        Err(FailedAttempt {
            error,
            passing: bowline_http::is_transient(status),
            retry_after: text(&answer.headers, header::RETRY_AFTER).map(str::to_owned),
        })
    }

    /// What a refusal says: the codes and messages of the registries' common form, or its beginning.
    fn words(&self, bytes: &[u8]) -> String {
        let listed = serde_json::from_slice::<Json>(bytes).ok().and_then(|body| {
            let errors = body.get("errors")?.as_array()?.iter().map(|error| {
                let part = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
                format!("{}: {}", part("code"), part("message"))
            });
            Some(errors.collect::<Vec<_>>().join("; "))
        });
        let words = listed.unwrap_or_else(|| String::from_utf8_lossy(bytes).into_owned());
        let masked = self.masked(&words).replace(char::is_control, " ");
        beginning(&masked, WORDS_SHOWN).trim().to_owned()
    }

    /// A text without any secret.
    fn masked(&self, text: &str) -> String {
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        Redactor::new(secrets.iter().cloned()).redact(text)
    }

    /// An error about a request.
    pub(super) fn error(&self, kind: OciErrorKind, request: &Request<'_>) -> OciError {
        let address = if request.address.contains("://") {
            shown_address(&request.address).to_owned()
        } else {
            let (host, repository) = (self.reference.host(), self.reference.repository());
            format!("{host}/v2/{repository}/{}", shown_address(&request.address))
        };
        OciError::new(kind, format!("`{} {address}`", request.method))
    }

    /// What became of a connection, as a failure.
    pub(super) fn transport_failure(
        &self,
        error: ureq::Error,
        request: &Request<'_>,
    ) -> FailedAttempt {
        let error = match error {
            ureq::Error::Io(error) => match error.downcast::<OciError>() {
                // What was to be sent could not be read.
                Ok(own) => return own.into(),
                Err(error) => ureq::Error::Io(error),
            },
            other => other,
        };
        let (passing, hint) = match &error {
            // What was received is no answer, or the other side is not who it should be.
            ureq::Error::Io(error) if error.kind() != io::ErrorKind::InvalidData => (true, None),
            ureq::Error::Timeout(_)
            | ureq::Error::ConnectionFailed
            | ureq::Error::Protocol(_) => (true, None),
            ureq::Error::Io(_) | ureq::Error::Tls(_) | ureq::Error::Rustls(_) => (
                false,
                Some(
                    "if its certificate is your own, name your authorities' file in `SSL_CERT_FILE`"
                        .to_owned(),
                ),
            ),
            ureq::Error::HostNotFound => (false, Some("check the registry's name".to_owned())),
            _ => (false, None),
        };
        let cause = self.masked(&error.to_string());
        FailedAttempt {
            error: self
                .error(OciErrorKind::Unreachable, request)
                .because(cause)
                .hint(hint),
            passing,
            retry_after: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::LoginFiles;

    fn client(image: &str, insecure: &[&str]) -> Client {
        let mut access = Access::new(LoginFiles::default());
        access.insecure = insecure.iter().map(|&name| name.to_owned()).collect();
        Client::new(&image.parse().unwrap(), &access)
    }

    #[test]
    fn only_who_is_named_is_spoken_to_without_encryption() {
        let base = |image: &str, insecure: &[&str]| {
            let client = client(image, insecure);
            client.base().map(|base| base.address.clone()).unwrap()
        };
        let near = ["r.example.com", "r.example.com:80"];
        for (image, insecure, address) in [
            ("agent", &[][..], "https://registry-1.docker.io"),
            ("r.example.com:5000/a", &near, "https://r.example.com:5000"),
            ("r.example.com/a", &near, "http://r.example.com"),
            (
                "localhost.example.com/a",
                &[],
                "https://localhost.example.com",
            ),
        ] {
            assert_eq!(base(image, insecure), address);
        }
    }

    #[test]
    fn nothing_leads_out_of_encryption() {
        let leads = |image: &str, insecure: &[&str], address: &str| {
            let client = client(image, insecure);
            client.base().map(drop).unwrap();
            let request = Request::new(Method::GET, "blobs/x", Scope::Pull);
            client.allowed(address, &request).is_ok()
        };
        let image = "r.example.com/a";
        assert!(leads(image, &[], "https://store.example.com/x"));
        assert!(!leads(image, &[], "http://r.example.com/x"));
        assert!(!leads(image, &[], "http://127.0.0.1/x"));
        assert!(leads(
            image,
            &["r.example.com"],
            "http://store.example.com/x"
        ));
        for address in ["file:///etc/passwd", "ftp://r.example.com/x", "/x", ""] {
            assert!(!leads(image, &["r.example.com"], address), "{address}");
        }
    }
}
