//! Callbacks over HTTP: taken, written down, and answered at once.

use std::io::{self, Read};
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use sha2::Sha256;
use tiny_http::{Method, Request, Response, Server};

use crate::inbox::{Admission, Callback, Inbox};

/// How many callbacks are taken at once.
const THREADS: usize = 4;
/// The longest body, in bytes. It says nothing that is read, but is signed.
const LONGEST_BODY: u64 = 1024 * 1024;
/// The longest identifier.
const LONGEST_ID: usize = 1024;
/// How old a signature may be, in seconds, or how far ahead.
const OLDEST: i64 = 300;
/// How secrets of the Standard Webhooks begin.
const SIGNING: &str = "whsec_";

/// What shows that a callback is the vendor's.
#[derive(Clone)]
pub enum WebhookSecret {
    /// It comes with the callback, as `Authorization: Bearer` or `x-mcd-token`.
    Shared(String),
    /// It signs the callback, as the Standard Webhooks say.
    Signing(Vec<u8>),
}

impl WebhookSecret {
    /// A secret as it is written down: one that begins with `whsec_` signs.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.trim().strip_prefix(SIGNING) {
            Some("") => Err(format!("nothing follows `{SIGNING}`")),
            Some(key) => STANDARD
                .decode(key)
                .map(Self::Signing)
                .map_err(|_| format!("what follows `{SIGNING}` is not base64")),
            None if text.trim().is_empty() => Err("it is empty".to_owned()),
            None => Ok(Self::Shared(text.trim().to_owned())),
        }
    }

    /// Whether the headers, by their names in small letters, show that the body is the vendor's.
    fn admits(&self, header: &dyn Fn(&str) -> Option<String>, body: &[u8], now: Timestamp) -> bool {
        match self {
            Self::Shared(secret) => {
                let bearer = header("authorization").and_then(|value| {
                    let (scheme, token) = value.trim().split_once(' ')?;
                    scheme
                        .eq_ignore_ascii_case("bearer")
                        .then(|| token.to_owned())
                });
                bearer
                    .into_iter()
                    .chain(header("x-mcd-token"))
                    .any(|given| is_same(given.trim().as_bytes(), secret.as_bytes()))
            }
            Self::Signing(key) => {
                let (Some(id), Some(at), Some(signatures)) = (
                    header("webhook-id"),
                    header("webhook-timestamp"),
                    header("webhook-signature"),
                ) else {
                    return false;
                };
                let is_fresh = at
                    .parse::<i64>()
                    .is_ok_and(|at| now.as_second().abs_diff(at) <= OLDEST.unsigned_abs());
                let signed = [id.as_bytes(), b".", at.as_bytes(), b".", body].concat();
                is_fresh
                    && signatures
                        .split(' ')
                        .filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok())
                        .any(|signature| mac(key, &signed).verify_slice(&signature).is_ok())
            }
        }
    }
}

fn mac(key: &[u8], text: &[u8]) -> Hmac<Sha256> {
    let mac = Hmac::<Sha256>::new_from_slice(key);
    let mut mac = mac.unwrap_or_else(|_| unreachable!("a key of any length will do"));
    mac.update(text);
    mac
}

/// Whether two texts are the same, in a time that does not tell where they differ.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let digest = mac(b"", other).finalize().into_bytes();
    mac(b"", one).verify_slice(&digest).is_ok()
}

/// Takes callbacks until it is dropped.
pub struct Listener {
    server: Arc<Server>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Listener {
    /// Listens at an address such as `127.0.0.1:8080`; port 0 is any that is free.
    ///
    /// # Errors
    /// When the address cannot be had.
    pub fn start(
        address: SocketAddr,
        secret: Option<WebhookSecret>,
        inbox: &Arc<Inbox>,
    ) -> io::Result<Self> {
        let server = Arc::new(Server::http(address).map_err(io::Error::other)?);
        let mut threads = Vec::new();
        for _ in 0..THREADS {
            let (server, secret, inbox) = (Arc::clone(&server), secret.clone(), Arc::clone(inbox));
            let thread = thread::Builder::new().name("callbacks".to_owned());
            threads.push(thread.spawn(move || {
                while let Ok(mut request) = server.recv() {
                    let status = take(&mut request, secret.as_ref(), &inbox);
                    // Who hangs up before the answer will send it again.
                    let _answered = request.respond(Response::empty(status));
                }
            })?);
        }
        Ok(Self { server, threads })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.server.server_addr().to_ip()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        for _ in &self.threads {
            self.server.unblock();
        }
        for thread in self.threads.drain(..) {
            let _ended = thread.join();
        }
    }
}

/// Takes a callback, and gives the status that answers it.
fn take(request: &mut Request, secret: Option<&WebhookSecret>, inbox: &Inbox) -> u16 {
    if *request.method() != Method::Post {
        return 405;
    }
    let mut body = Vec::new();
    let read = request
        .as_reader()
        .take(LONGEST_BODY + 1)
        .read_to_end(&mut body);
    if read.is_err() {
        return 400;
    }
    if body.len() as u64 > LONGEST_BODY {
        return 413;
    }
    let header = |wanted: &str| {
        let mut headers = request.headers().iter();
        let header =
            headers.find(|header| header.field.as_str().as_str().eq_ignore_ascii_case(wanted))?;
        Some(header.value.as_str().to_owned())
    };
    if secret.is_some_and(|secret| !secret.admits(&header, &body, Timestamp::now())) {
        return 401;
    }
    let Some(callback) = callback(request.url()) else {
        return 400;
    };
    match inbox.add(callback) {
        Ok(Admission::Taken) => 202,
        Ok(Admission::Full) | Err(_) => 503,
    }
}

/// The callback that an address tells of; nothing when an identifier is absurd.
fn callback(address: &str) -> Option<Callback> {
    let query = address.split_once('?').map_or("", |(_, query)| query);
    let mut callback = Callback {
        job: None,
        run: None,
    };
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = value.replace('+', " ");
        let value = percent_decode_str(&value).decode_utf8().ok()?.into_owned();
        if value.len() > LONGEST_ID {
            return None;
        }
        match name {
            "job_run_id" if !value.is_empty() => callback.run = Some(value),
            "job_source_id" if !value.is_empty() => callback.job = Some(value),
            _ => {}
        }
    }
    Some(callback)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use bowline_durable::SimulatedDisk;

    use super::*;

    #[test]
    fn addresses_say_what_happened() {
        let of = |address: &str| callback(address).map(|found| (found.job, found.run));
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            of("/x?job_run_id=a%2Fb+c&job_source_id=j&more=1"),
            Some((some("j"), some("a/b c")))
        );
        assert_eq!(of("/"), Some((None, None)));
        assert_eq!(of("/?job_run_id="), Some((None, None)));
        assert_eq!(of("/?job_run_id=%ff"), None);
        assert_eq!(of(&format!("/?job_run_id={}", "x".repeat(2000))), None);
    }

    #[test]
    fn a_callback_is_answered_by_what_became_of_it() {
        let disk = Arc::new(SimulatedDisk::new(1));
        let inbox = Arc::new(Inbox::open(disk, Path::new("/state/callbacks")).unwrap());
        let secret = WebhookSecret::parse("s3cret-of-ours").unwrap();
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = Listener::start(anywhere, Some(secret), &inbox).unwrap();
        let address = format!("http://{}", listener.address().unwrap());
        let agent = bowline_http::agent_config().build().new_agent();
        let send = |method: &str, run: &str, token: &str, length: u64| {
            let request = ureq::http::Request::builder()
                .method(method)
                .uri(format!("{address}/?job_run_id={run}"))
                .header("x-mcd-token", token)
                .body(vec![b'x'; length.try_into().unwrap()]);
            agent.run(request.unwrap()).unwrap().status().as_u16()
        };
        let ours = "s3cret-of-ours";
        for (method, run, token, length, status) in [
            ("PUT", "put", ours, 0, 405),
            ("POST", "long", ours, LONGEST_BODY + 1, 413),
            ("POST", "theirs", "s3cret-of-theirs", 0, 401),
            ("POST", "%ff", ours, 0, 400),
            ("POST", "1", ours, LONGEST_BODY, 202),
            ("POST", "2", ours, 0, 202),
        ] {
            assert_eq!(send(method, run, token, length), status, "{run}");
        }
        drop(listener);
        let due = inbox.due(10, Duration::ZERO);
        let runs: Vec<_> = due
            .into_iter()
            .filter_map(|callback| callback.run)
            .collect();
        assert_eq!(runs, ["1", "2"]);
    }

    #[test]
    fn a_shared_secret_comes_in_a_header() {
        let secret = WebhookSecret::parse("s3cret-of-ours").unwrap();
        let admits = |name: &str, value: &str| {
            let header = |wanted: &str| (wanted == name).then(|| value.to_owned());
            secret.admits(&header, b"", Timestamp::now())
        };
        assert!(admits("authorization", "Bearer s3cret-of-ours"));
        assert!(admits("authorization", "bearer  s3cret-of-ours"));
        assert!(admits("x-mcd-token", "s3cret-of-ours"));
        assert!(!admits("authorization", "Bearer s3cret-of-our"));
        assert!(!admits("authorization", "s3cret-of-ours"));
        assert!(!admits("cookie", "s3cret-of-ours"));
    }

    /// The example of the Standard Webhooks' own libraries.
    #[test]
    fn signatures_are_those_of_the_standard_webhooks() {
        let secret = WebhookSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let body = br#"{"test": 2432232314}"#;
        let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        let admits = |at: &str, signature: &str, body: &[u8], now: i64| {
            let header = |name: &str| {
                Some(match name {
                    "webhook-id" => "msg_p5jXN8AQM9LWM0D4loKWxJek".to_owned(),
                    "webhook-timestamp" => at.to_owned(),
                    "webhook-signature" => signature.to_owned(),
                    _ => return None,
                })
            };
            secret.admits(&header, body, Timestamp::from_second(now).unwrap())
        };
        let at = "1614265330";
        assert!(admits(at, signature, body, 1_614_265_340));
        let several = format!("v1,AAAA v2,x {signature}");
        assert!(admits(at, &several, body, 1_614_265_340));
        assert!(!admits(at, signature, b"{}", 1_614_265_340));
        assert!(!admits(at, signature, body, 1_614_266_000));
        assert!(!admits("1614265331", signature, body, 1_614_265_340));
        assert!(!admits(at, "v1,AAAA", body, 1_614_265_340));
        for none in ["whsec_???", "whsec_", " whsec_\n", ""] {
            assert!(WebhookSecret::parse(none).is_err(), "{none}");
        }
    }
}
