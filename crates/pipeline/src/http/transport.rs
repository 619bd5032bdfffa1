//! What carries requests to a vendor, and the clock that waits go by.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

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
    /// The headers, by their names in small letters: those of the same name joined by commas, cookies by line ends.
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
