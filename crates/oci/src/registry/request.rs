//! Requests to a repository, and what comes back.

use std::io::Read;

use ureq::http::Method;
use ureq::http::header::{self, HeaderMap, HeaderName};

use crate::OciError;

/// What a request may do, as registries count it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
    /// Read the repository.
    Pull,
    /// Write to it.
    Push,
    /// Write to it what another repository of the registry holds.
    Mount(String),
}

impl Scope {
    /// In the words of token services.
    pub(super) fn words(&self, repository: &str) -> Vec<String> {
        match self {
            Self::Pull => vec![format!("repository:{repository}:pull")],
            Self::Push => vec![format!("repository:{repository}:pull,push")],
            Self::Mount(from) => vec![
                format!("repository:{repository}:pull,push"),
                format!("repository:{from}:pull"),
            ],
        }
    }
}

/// Gives the bytes of a body, each time it has to be sent.
pub(super) type OpenBody<'a> = &'a dyn Fn() -> Result<Box<dyn Read + Send + 'a>, OciError>;

/// What goes out with a request.
#[derive(Clone, Copy)]
pub(super) enum Body<'a> {
    /// Nothing.
    None,
    /// These bytes.
    Bytes(&'a [u8]),
    /// So many bytes from a reader.
    Stream(OpenBody<'a>, u64),
}

/// A request, which may be sent several times.
#[derive(Clone)]
pub(super) struct Request<'a> {
    pub(super) method: Method,
    /// A whole address, or one that begins behind the repository's own, such as `manifests/latest`.
    pub(super) address: String,
    pub(super) scope: Scope,
    pub(super) headers: Vec<(HeaderName, String)>,
    pub(super) body: Body<'a>,
    /// Statuses above 299 that are answers and no refusals.
    pub(super) expected: &'static [u16],
}

impl<'a> Request<'a> {
    pub(super) fn new(method: Method, address: impl Into<String>, scope: Scope) -> Self {
        Self {
            method,
            address: address.into(),
            scope,
            headers: Vec::new(),
            body: Body::None,
            expected: &[],
        }
    }

    pub(super) fn header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn body(mut self, body: Body<'a>) -> Self {
        self.body = body;
        self
    }

    pub(super) fn expecting(mut self, expected: &'static [u16]) -> Self {
        self.expected = expected;
        self
    }
}

/// An answer whose body was not read yet.
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    /// Where it came from in the end.
    pub(super) address: String,
    pub(super) body: ureq::Body,
}

/// An answer that was read to its end.
pub(super) struct Fetched {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) address: String,
    pub(super) bytes: Vec<u8>,
}

/// The text of a header; nothing when it is not there or no text.
pub(super) fn text(headers: &HeaderMap, name: impl header::AsHeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}
