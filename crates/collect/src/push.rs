//! The push API: events in batches over HTTP.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bowline_words::Redactor;
use bowline_words::beginning;
use serde_json::{Value as Json, json};
use ureq::http;
use uuid::Uuid;

use crate::error::{CollectError, PushError, PushErrorKind};
use crate::event::{Event, Kind};
use crate::sink::{Refused, Sink};

const METADATA_PATH: &str = "/ingest/v1/etl/metadata";
const RUNS_PATH: &str = "/ingest/v1/etl/runs";
const TIMEOUT: Duration = Duration::from_secs(60);
const RETRIES: u32 = 6;
const LONGEST_WAIT: Duration = Duration::from_secs(120);
/// How much of an answer is read.
const MOST_ANSWER: u64 = 1024 * 1024;
/// How much of an answer is shown, in characters.
const SHOWN: usize = 300;

/// Where events are pushed, and who pushes them.
#[derive(Clone)]
pub struct PushTarget {
    /// The address before the API's own paths.
    pub base_url: String,
    /// The key's id.
    pub key_id: String,
    /// The key's secret.
    pub token: String,
    /// What the events are about.
    pub resource: Resource,
}

/// What the platform knows the vendor's installation by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Its identifier.
    pub uuid: Uuid,
    /// Its type.
    pub resource_type: String,
}

/// A client of the push API.
pub struct Push {
    agent: ureq::Agent,
    target: PushTarget,
    redactor: Redactor,
    cancel: Arc<AtomicBool>,
    on_retry: Option<OnRetry>,
}

/// What is told why a batch is about to be sent again, and how long that waits.
pub type OnRetry = Box<dyn Fn(&str, Duration) + Send>;

/// What an answer means.
enum Response {
    Taken,
    /// The batch is refused for what is in it.
    Refused(String),
}

impl Push {
    /// A client; nothing is sent yet. Setting `cancel` ends a wait soon.
    ///
    /// # Errors
    /// When the base address is none.
    pub fn new(target: PushTarget, cancel: Arc<AtomicBool>) -> Result<Self, PushError> {
        let base_url = target.base_url.trim_end_matches('/').to_owned();
        if bowline_http::Origin::of(&base_url)
            .is_none_or(|origin| !matches!(origin.scheme.as_str(), "http" | "https"))
        {
            let thing = format!("`{base_url}` is no address");
            return Err(PushError::new(PushErrorKind::Refused, thing)
                .hint("write it as `https://host`".to_owned()));
        }
        let agent = bowline_http::agent_config()
            .timeout_global(Some(TIMEOUT))
            .build()
            .new_agent();
        let redactor = Redactor::new([target.token.clone()]);
        Ok(Self {
            agent,
            target: PushTarget { base_url, ..target },
            redactor,
            cancel,
            on_retry: None,
        })
    }

    /// The same, with every retry told to this.
    #[must_use]
    pub fn telling(mut self, on_retry: OnRetry) -> Self {
        self.on_retry = Some(on_retry);
        self
    }

    /// Delivers a batch; one that is refused is halved until the events at fault are found.
    fn halving(
        &self,
        kind: Kind,
        events: &[Event],
        first: usize,
        refused: &mut Vec<Refused>,
    ) -> Result<(), PushError> {
        let Response::Refused(reason) = self.post(kind, events)? else {
            return Ok(());
        };
        if events.len() == 1 {
            refused.push(Refused {
                index: first,
                reason,
            });
            return Ok(());
        }
        let (left, right) = events.split_at(events.len() / 2);
        self.halving(kind, left, first, refused)?;
        self.halving(kind, right, first + left.len(), refused)
    }

    /// Posts a batch, again and again while that may help.
    fn post(&self, kind: Kind, events: &[Event]) -> Result<Response, PushError> {
        let path = match kind {
            Kind::Asset => METADATA_PATH,
            Kind::Run => RUNS_PATH,
        };
        let address = format!("{}{path}", self.target.base_url);
        let body = self.body(kind, events);
        let key = batch_key(events).to_string();
        let error = |kind, cause: &str| {
            PushError::new(kind, format!("`POST {}`", shown_address(&address)))
                .because(self.redactor.redact(cause))
        };
        let mut retry = 0;
        loop {
            if self.cancel.load(Ordering::Relaxed) {
                return Err(error(PushErrorKind::Cancelled, ""));
            }
            let (status, retry_after, words) = match self.once(&address, &key, &body) {
                Ok(answer) => answer,
                Err(words) if retry >= RETRIES => {
                    let hint =
                        "see that the address is right, and that it can be reached from here";
                    return Err(error(PushErrorKind::Unreachable, &words).hint(hint.to_owned()));
                }
                Err(words) => {
                    let wait = bowline_http::backoff(retry, None, LONGEST_WAIT);
                    self.pause(
                        &format!("`POST {}`: {words}", shown_address(&address)),
                        wait,
                    );
                    retry += 1;
                    continue;
                }
            };
            // Before it is cut: half a secret is none that anybody would find.
            let words = self.redactor.redact(words.trim());
            let cause = format!("status {status}: {}", beginning(&words, SHOWN));
            match status {
                200..=299 => return Ok(Response::Taken),
                400 | 413 | 422 => return Ok(Response::Refused(self.redactor.redact(&cause))),
                401 | 403 => {
                    let hint =
                        "see that the key is one for ingestion, and that it is written right";
                    return Err(error(PushErrorKind::Unauthorized, &cause).hint(hint.to_owned()));
                }
                _ if !bowline_http::is_transient(status) => {
                    let hint = "see that the address is the push API's, without its paths";
                    return Err(error(PushErrorKind::Refused, &cause).hint(hint.to_owned()));
                }
                _ if retry >= RETRIES => {
                    return Err(error(PushErrorKind::Failing, &cause));
                }
                _ => {
                    let wait = bowline_http::backoff(retry, retry_after.as_deref(), LONGEST_WAIT);
                    let why = format!("`POST {}`: status {status}", shown_address(&address));
                    self.pause(&why, wait);
                    retry += 1;
                }
            }
        }
    }

    /// The status, what `Retry-After` says, and the answer's text; or why there is none.
    fn once(
        &self,
        address: &str,
        key: &str,
        body: &str,
    ) -> Result<(u16, Option<String>, String), String> {
        let request = http::Request::post(address)
            .header("content-type", "application/json")
            .header("x-mcd-id", &self.target.key_id)
            .header("x-mcd-token", &self.target.token)
            .header("idempotency-key", key)
            .body(body)
            .map_err(|error| error.to_string())?;
        let mut response = self.agent.run(request).map_err(|error| error.to_string())?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get("retry-after");
        let retry_after = retry_after.and_then(|value| Some(value.to_str().ok()?.to_owned()));
        let body = response
            .body_mut()
            .with_config()
            .limit(MOST_ANSWER)
            .read_to_vec();
        // An answer that broke off after its status still says whether the batch was taken.
        let words = match response.headers().get("location") {
            Some(place) if (300..400).contains(&status) => {
                format!(
                    "redirected to `{}`",
                    String::from_utf8_lossy(place.as_bytes())
                )
            }
            _ => String::from_utf8_lossy(&body.unwrap_or_default()).into_owned(),
        };
        Ok((status, retry_after, words))
    }

    fn body(&self, kind: Kind, events: &[Event]) -> String {
        let event_type = match kind {
            Kind::Asset => "ETL_METADATA",
            Kind::Run => "ETLRUN",
        };
        let resource: Json = json!({
            "uuid": self.target.resource.uuid.to_string(),
            "resource_type": self.target.resource.resource_type,
        });
        let mut body = format!(r#"{{"event_type":"{event_type}","resource":{resource},"events":["#);
        for (index, event) in events.iter().enumerate() {
            if index > 0 {
                body.push(',');
            }
            body.push_str(&event.text);
        }
        body.push_str("]}");
        body
    }

    /// Says why and sleeps, but notices when the collection is cancelled.
    fn pause(&self, why: &str, wait: Duration) {
        if let Some(on_retry) = &self.on_retry {
            on_retry(&self.redactor.redact(why), wait);
        }
        // The next try sees to it that nothing is sent then.
        let _cancelled = bowline_http::pause(wait, || self.cancel.load(Ordering::Relaxed));
    }

    /// Where it pushes to, in words that hold no secret.
    #[must_use]
    pub fn place(&self) -> String {
        let Resource {
            uuid,
            resource_type,
        } = &self.target.resource;
        let address = shown_address(&self.target.base_url);
        format!("{address} as {resource_type} {uuid}")
    }
}

impl Sink for Push {
    fn deliver(&mut self, kind: Kind, events: &[Event]) -> Result<Vec<Refused>, CollectError> {
        let mut refused = Vec::new();
        self.halving(kind, events, 0, &mut refused)
            .map_err(CollectError::Push)?;
        Ok(refused)
    }
}

/// The key of a batch: the same for the same events in the same order.
fn batch_key(events: &[Event]) -> Uuid {
    let keys: Vec<u8> = events
        .iter()
        .flat_map(|event| *event.key.as_bytes())
        .collect();
    Uuid::new_v5(&Uuid::NAMESPACE_OID, &keys)
}

/// An address without the login that may stand in it.
fn shown_address(address: &str) -> String {
    match address.split_once("://") {
        Some((scheme, rest)) => {
            let host = rest.split(['/', '?']).next().unwrap_or(rest);
            let login = host.rfind('@').map_or(0, |at| at + 1);
            format!("{scheme}://{}", &rest[login..])
        }
        None => address.to_owned(),
    }
}

#[cfg(test)]
mod tests;
