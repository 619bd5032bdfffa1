//! The network.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bowline_http::{Identity, tls_config};
use bowline_template::Scope;
use bowline_words::counted;
use jiff::Timestamp;
use ureq::config::ConfigBuilder;
use ureq::http;
use ureq::typestate::AgentScope;

use super::transport::{Incoming, Outgoing, Transport, TransportError};
use crate::description::{Http, Limits};
use crate::error::{SourceError, SourceErrorKind};
use crate::expression::Template;

/// The largest file that certificates and keys are read from, in bytes.
const LARGEST_PEM: u64 = 1 << 20;

/// The network. Connections are kept and used again.
pub(crate) struct Network {
    agent: ureq::Agent,
    proxy: Option<ureq::Proxy>,
    /// For addresses without TLS, and the proxy that is asked for them.
    forwarding: Option<(ureq::Agent, ureq::Proxy)>,
    most: u64,
    since: Instant,
}

impl Network {
    /// The way to a vendor; `scope` knows the credentials, and paths are taken from `dir`.
    pub(crate) fn new(http: &Http, scope: &Scope, dir: &Path) -> Result<Self, SourceError> {
        let limits = &http.limits;
        let refused = |place: &str, reason: String| {
            SourceError::new(SourceErrorKind::Credentials, format!("`http.{place}`"))
                .because(reason)
        };
        let text = |template: &Option<Template>, place: &str| match template {
            None => Ok(None),
            Some(template) => template
                .text(scope)
                .map(|text| Some(text).filter(|text| !text.is_empty()))
                .map_err(|(_, problem)| refused(place, problem.message).hint(problem.hint)),
        };
        let pem = |template: &Option<Template>, place: &str| {
            let text = text(template, place)?;
            let pem = text.map(|text| pem(&text, dir)).transpose();
            pem.map_err(|reason| refused(place, reason))
        };
        let mut config = agent_config(limits);
        let ca = pem(&http.tls.ca, "tls.ca")?;
        let certificate = pem(&http.tls.certificate, "tls.certificate")?;
        let key = pem(&http.tls.private_key, "tls.private_key")?;
        let identity = match (&certificate, &key) {
            (Some(certificate), Some(key)) => Some(Identity { certificate, key }),
            (None, None) => None,
            _ => {
                let reason = "a certificate and its private key belong together".to_owned();
                return Err(refused("tls", reason));
            }
        };
        let tls = tls_config(ca.as_deref(), identity)
            .map_err(|(place, reason)| refused(&format!("tls.{place}"), reason))?;
        config = config.tls_config(tls);
        if let Some(proxy) = text(&http.proxy, "proxy")? {
            let proxy = ureq::Proxy::new(&proxy);
            // The address may hold a password.
            let proxy = proxy.map_err(|_| refused("proxy", "it is no address".to_owned()))?;
            config = config.proxy(Some(proxy));
        }
        let config = config.build();
        let named = config.proxy().cloned();
        let proxy = named.clone();
        let proxy = proxy.filter(|proxy| proxy.protocol() == ureq::ProxyProtocol::Http);
        let forwarding = proxy.map(|proxy| {
            let config = without_proxy(limits);
            (bowline_http::forwarding_agent(config, &proxy), proxy)
        });
        Ok(Self {
            agent: config.new_agent(),
            proxy: named,
            forwarding,
            most: limits.body,
            since: Instant::now(),
        })
    }

    /// Sends a request and waits for the head of the answer.
    fn run(&self, request: &Outgoing) -> Result<http::Response<ureq::Body>, ureq::Error> {
        let mut builder = http::Request::builder()
            .method(request.method.as_str())
            .uri(&request.address);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let forwarding = self.forwarding.as_ref().filter(|(_, proxy)| {
            let uri = request.address.parse::<http::Uri>();
            let is_plain = |uri: &http::Uri| uri.scheme() == Some(&http::uri::Scheme::HTTP);
            uri.is_ok_and(|uri| is_plain(&uri) && !proxy.is_no_proxy(&uri))
        });
        let agent = match forwarding {
            None => &self.agent,
            Some((agent, proxy)) => {
                if let Some(username) = proxy.username() {
                    let pair = super::client::basic(username, proxy.password().unwrap_or_default());
                    builder = builder.header("proxy-authorization", pair);
                }
                agent
            }
        };
        match &request.body {
            Some(body) => agent.run(builder.body(body.as_str())?),
            None => agent.run(builder.body(())?),
        }
    }

    /// Why nobody was reached, with the proxy that was asked if one was.
    fn unreached(&self, request: &Outgoing, error: &ureq::Error) -> String {
        let uri = request.address.parse::<http::Uri>().ok();
        let proxy = self.proxy.as_ref().zip(uri);
        match proxy.filter(|(proxy, uri)| !proxy.is_no_proxy(uri)) {
            Some((proxy, _)) => {
                let (host, port) = (proxy.host(), proxy.port());
                format!("through the proxy {host}:{port}: {error}")
            }
            None => error.to_string(),
        }
    }

    /// The whole answer behind a head.
    fn received(
        &self,
        mut response: http::Response<ureq::Body>,
    ) -> Result<Incoming, TransportError> {
        let status = response.status().as_u16();
        let mut headers: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in response.headers() {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            // A cookie may hold commas.
            let between = if name == "set-cookie" { "\n" } else { ", " };
            headers
                .entry(name.as_str().to_owned())
                .and_modify(|before| {
                    before.push_str(between);
                    before.push_str(&value);
                })
                .or_insert(value);
        }
        let whole = response.body().content_length();
        let mut body = Vec::new();
        let reader = response.body_mut().with_config().limit(self.most);
        let read = reader.reader().read_to_end(&mut body);
        read.map_err(|error| broken(status, body.len(), whole, &error.into()))?;
        let came = body.len();
        let encoding = headers.get("content-encoding").map(String::as_str);
        let body = self.inflated(body, encoding);
        Ok(Incoming {
            status,
            body: body.map_err(|error| broken(status, came, None, &error))?,
            headers,
        })
    }

    /// The body of an answer that is compressed in a way that was not asked for.
    fn inflated(&self, body: Vec<u8>, encoding: Option<&str>) -> Result<Vec<u8>, ureq::Error> {
        let is_deflated = encoding.is_some_and(|encoding| encoding.eq_ignore_ascii_case("deflate"));
        if body.starts_with(&[0x1f, 0x8b]) {
            self.limited("gzip", flate2::read::MultiGzDecoder::new(body.as_slice()))
        } else if is_deflated && body.first().is_some_and(|first| first & 0x0f == 8) {
            self.limited("deflate", flate2::read::ZlibDecoder::new(body.as_slice()))
                // Some mean the stream without a frame, which may begin like one.
                .or_else(|error| match error {
                    ureq::Error::BodyExceedsLimit(_) => Err(error),
                    _ => self.limited(
                        "deflate",
                        flate2::read::DeflateDecoder::new(body.as_slice()),
                    ),
                })
        } else if is_deflated && !body.is_empty() {
            self.limited(
                "deflate",
                flate2::read::DeflateDecoder::new(body.as_slice()),
            )
        } else {
            Ok(body)
        }
    }

    fn limited(&self, packing: &'static str, decoder: impl Read) -> Result<Vec<u8>, ureq::Error> {
        let mut body = Vec::new();
        let read = decoder.take(self.most + 1).read_to_end(&mut body);
        read.map_err(|error| ureq::Error::Decompress(packing, error))?;
        if u64::try_from(body.len()).unwrap_or(u64::MAX) > self.most {
            return Err(ureq::Error::BodyExceedsLimit(self.most));
        }
        Ok(body)
    }
}

fn agent_config(limits: &Limits) -> ConfigBuilder<AgentScope> {
    bowline_http::agent_config()
        .timeout_global(Some(limits.timeout))
        .max_idle_connections_per_host(limits.in_flight)
        .max_idle_connections(limits.in_flight)
}

fn without_proxy(limits: &Limits) -> ureq::config::Config {
    agent_config(limits).proxy(None).build()
}

/// Why the body of an answer is not whole, of which so many bytes came; `whole` is how many it was to have.
fn broken(status: u16, came: usize, whole: Option<u64>, error: &ureq::Error) -> TransportError {
    let kind = match error {
        ureq::Error::Timeout(_) => SourceErrorKind::Timeout,
        ureq::Error::BodyExceedsLimit(_) => SourceErrorKind::TooLarge,
        _ => SourceErrorKind::Broken,
    };
    let message = match error {
        _ if kind != SourceErrorKind::Broken => error.to_string(),
        ureq::Error::Decompress(packing, error) if error.kind() == ErrorKind::UnexpectedEof => {
            format!("status {status}: its {packing} is cut off: {error}")
        }
        ureq::Error::Decompress(packing, error) => {
            format!("status {status}: it says that it is {packing}, and is not: {error}")
        }
        _ => {
            let came = match whole {
                Some(whole) => format!("{came} of {}", counted(whole, "byte")),
                None => counted(came, "byte"),
            };
            format!("status {status}: cut off after {came}: {error}")
        }
    };
    TransportError { kind, message }
}

/// PEM that stands in a text, or in the file that the text names.
fn pem(text: &str, dir: &Path) -> Result<Vec<u8>, String> {
    if text.contains("-----BEGIN") {
        return Ok(text.replace("\\n", "\n").into_bytes());
    }
    let path: PathBuf = dir.join(text);
    bowline_contract::reading::read_bounded(&path, LARGEST_PEM)
        .map_err(|error| format!("cannot read `{}`: {error}", path.display()))
}

/// Why a header cannot be sent; its value may be a secret.
fn unsendable(name: &str, value: &str) -> Option<String> {
    let reason = if http::HeaderName::from_bytes(name.as_bytes()).is_err() {
        "that is no name of a header"
    } else {
        match http::HeaderValue::from_str(value) {
            // The name of whoever asks may not be written so, though other headers may.
            Ok(value) if value.to_str().is_err() && name.eq_ignore_ascii_case("authorization") => {
                "its value has letters that are not ASCII"
            }
            Ok(_) => return None,
            Err(_) if value.contains(['\r', '\n']) => "its value has a line end",
            Err(_) => "its value has a control character",
        }
    };
    Some(format!("header `{name}`: {reason}"))
}

impl Transport for Network {
    fn exchange(&self, request: &Outgoing) -> Result<Incoming, TransportError> {
        let mut headers = request.headers.iter();
        if let Some(message) = headers.find_map(|(name, value)| unsendable(name, value)) {
            return Err(TransportError {
                kind: SourceErrorKind::Unsendable,
                message,
            });
        }
        let response = self.run(request).map_err(|error| {
            let kind = match error {
                ureq::Error::Timeout(_) => SourceErrorKind::Timeout,
                ureq::Error::Http(_) | ureq::Error::BadUri(_) => SourceErrorKind::Unsendable,
                // Something answered, though not as a vendor does.
                ureq::Error::Protocol(_) | ureq::Error::LargeResponseHeader(..) => {
                    SourceErrorKind::Broken
                }
                _ => SourceErrorKind::Unreachable,
            };
            let message = match kind {
                SourceErrorKind::Unreachable => self.unreached(request, &error),
                _ => error.to_string(),
            };
            TransportError { kind, message }
        })?;
        self.received(response)
    }

    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn elapsed(&self) -> Duration {
        self.since.elapsed()
    }

    fn sleep(&self, wait: Duration) {
        std::thread::sleep(wait);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_header_may_hold_is_told_without_its_value() {
        for (name, value, part) in [
            (
                "Authorization",
                "Bearer s3cret\n",
                "`Authorization`: its value has a line end",
            ),
            ("X-Key", "s3cret\0", "control character"),
            ("authorization", "Basic s3cr\u{e9}t", "not ASCII"),
            ("X Key", "s3cret", "no name of a header"),
        ] {
            let told = unsendable(name, value).unwrap();
            assert!(told.contains(part), "{told}");
            assert!(!told.contains("s3cr"), "{told}");
        }
        for (name, value) in [
            ("X-Key", "J\u{fc}rgen"),
            ("Authorization", "a\tb"),
            ("X", ""),
        ] {
            assert_eq!(unsendable(name, value), None);
        }
    }
}
