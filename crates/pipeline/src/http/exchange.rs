//! A request and its answer as people may see them: without any secret.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;

use super::client::Client;
use super::transport::{Incoming, Outgoing, TransportError};
use crate::decoding::{Oddities, decoded_text};

/// What is shown every exchange of a connector with its vendor, retries included; from several threads.
pub type OnExchange = Arc<dyn Fn(&Exchange<'_>) + Send + Sync>;

/// What is told why a request is about to be tried again, and how long that waits, when all of it takes seconds; from
/// several threads.
pub type OnRetry = Arc<dyn Fn(&str, Duration) + Send + Sync>;

/// A request and what came of it.
pub struct Exchange<'c> {
    pub(super) client: &'c Client,
    pub(super) outgoing: &'c Outgoing,
    pub(super) outcome: Result<&'c Incoming, &'c TransportError>,
    pub(super) page: Option<usize>,
    pub(super) elapsed: Duration,
}

/// Headers of answers that the reading itself may need; in addresses, logins are hidden.
const KEPT_HEADERS: [&str; 5] = ["content-type", "date", "link", "location", "retry-after"];

impl Exchange<'_> {
    /// The method, in capitals.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.outgoing.method
    }

    /// The whole address.
    #[must_use]
    pub fn address(&self) -> String {
        self.client.masked_address(&self.outgoing.address)
    }

    /// Which page of a list was asked for, from 1; none when the list is not read in pages.
    #[must_use]
    pub fn page(&self) -> Option<usize> {
        self.page
    }

    /// How long the answer took.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// The status of the answer and its size in bytes.
    ///
    /// # Errors
    /// Why there is no whole answer, in one line.
    pub fn outcome(&self) -> Result<(u16, usize), String> {
        match self.outcome {
            Ok(answer) => Ok((answer.status, answer.body.len())),
            Err(error) => Err(self.client.masked(&error.message)),
        }
    }

    /// What the vendor's clock showed when the answer was made, in whole seconds; nothing where the answer does not say
    /// it. An answer from a cache says how old it is.
    #[must_use]
    pub fn vendor_time(&self) -> Option<Timestamp> {
        let headers = &self.outcome.ok()?.headers;
        let shown = jiff::fmt::rfc2822::parse(headers.get("date")?.as_str()).ok()?;
        let age = headers
            .get("age")
            .and_then(|age| age.trim().parse::<u32>().ok());
        let age = SignedDuration::from_secs(age.unwrap_or_default().into());
        shown.timestamp().checked_add(age).ok()
    }

    /// The body of the request.
    #[must_use]
    pub fn body(&self) -> Option<Json> {
        let body = self.outgoing.body.as_deref()?;
        Some(self.text_or_json(body))
    }

    /// The body of the answer: JSON, or else its text.
    #[must_use]
    pub fn answer(&self) -> Option<Json> {
        let answer = self.outcome.ok()?;
        let kind = answer.headers.get("content-type").map(String::as_str);
        let text = decoded_text(&answer.body, kind, &Oddities::default());
        Some(self.text_or_json(&text))
    }

    /// The headers of the answer that matter to the reading.
    #[must_use]
    pub fn headers(&self) -> BTreeMap<String, String> {
        let Ok(answer) = self.outcome else {
            return BTreeMap::new();
        };
        let kept = answer.headers.iter().filter(|(name, _)| {
            KEPT_HEADERS.contains(&name.as_str()) || self.client.reads_header(name)
        });
        kept.map(|(name, value)| {
            let value = match name.as_str() {
                "location" => self.client.masked_address(value),
                _ => self.client.masked(value),
            };
            (name.clone(), value)
        })
        .collect()
    }

    fn text_or_json(&self, body: &str) -> Json {
        // What the reading itself refuses for its size is not taken apart here either.
        let values = body
            .bytes()
            .filter(|byte| matches!(byte, b',' | b'[' | b'{'));
        let memory = u64::try_from(values.count() * size_of::<Json>()).unwrap_or(u64::MAX);
        let json = (memory <= self.client.most_memory()).then(|| serde_json::from_str(body).ok());
        match json.flatten() {
            Some(json) => self.client.masked_json(json),
            None => Json::from(self.client.masked(body)),
        }
    }
}
