//! What carries requests to a vendor, and the clock that waits go by.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use ureq::http;

use crate::description::Limits;
use crate::error::SourceErrorKind;

/// What carries requests to a vendor: the network, or something that stands in for it, with a clock of its own.
pub trait Transport: Send + Sync {
    /// Sends a request and gives the whole answer, whatever its status.
    ///
    /// # Errors
    /// When there is no whole answer.
    fn exchange(&self, request: &Outgoing) -> Result<Incoming, TransportError>;

    /// What our clock shows.
    fn now(&self) -> Timestamp;

    /// The time since some moment; it never goes back.
    fn elapsed(&self) -> Duration;

    /// Lets time pass.
    fn sleep(&self, wait: Duration);
}

/// A request as it goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The method, in capitals.
    pub method: String,
    /// The whole address, with its query.
    pub address: String,
    /// The headers, with the login.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Option<String>,
}

/// A vendor's answer as it comes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// The status.
    pub status: u16,
    /// The headers, by their names in small letters.
    pub headers: BTreeMap<String, String>,
    /// The body, whole.
    pub body: Vec<u8>,
}

/// Why there is no whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportError {
    /// The kind.
    pub kind: SourceErrorKind,
    /// What happened, in one line.
    pub message: String,
}

/// The network. Connections are kept and used again.
pub(crate) struct Network {
    agent: ureq::Agent,
    most: u64,
    since: Instant,
}

impl Network {
    pub(crate) fn new(limits: &Limits) -> Self {
        let config = bowline_http::agent_config()
            .timeout_global(Some(limits.timeout))
            .max_idle_connections_per_host(limits.in_flight)
            .max_idle_connections(limits.in_flight)
            .build();
        Self {
            agent: config.new_agent(),
            most: limits.body,
            since: Instant::now(),
        }
    }

    fn run(&self, request: &Outgoing) -> Result<Incoming, ureq::Error> {
        let mut builder = http::Request::builder()
            .method(request.method.as_str())
            .uri(&request.address);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let mut response = match &request.body {
            Some(body) => {
                let builder = builder.header("content-type", "application/json");
                self.agent.run(builder.body(body.as_str())?)?
            }
            None => self.agent.run(builder.body(())?)?,
        };
        let headers = response
            .headers()
            .iter()
            .filter_map(|(name, value)| {
                Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
            })
            .collect();
        Ok(Incoming {
            status: response.status().as_u16(),
            headers,
            body: response
                .body_mut()
                .with_config()
                .limit(self.most)
                .read_to_vec()?,
        })
    }
}

impl Transport for Network {
    fn exchange(&self, request: &Outgoing) -> Result<Incoming, TransportError> {
        self.run(request).map_err(|error| TransportError {
            kind: match error {
                ureq::Error::Timeout(_) => SourceErrorKind::Timeout,
                ureq::Error::BodyExceedsLimit(_) => SourceErrorKind::TooLarge,
                ureq::Error::Http(_) | ureq::Error::BadUri(_) => SourceErrorKind::Refused,
                _ => SourceErrorKind::Unreachable,
            },
            message: error.to_string(),
        })
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
