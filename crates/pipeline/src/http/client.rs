//! The client of one vendor.

mod login;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bowline_template::Scope;
use bowline_words::{Redactor, beginning, percent_encode};
use serde_json::{Map, Value as Json};

use super::excerpt::{SHOWN, is_secret_key, trimmed};
use super::exchange::{Exchange, OnExchange, OnRetry};
use super::slots::Slots;
use super::transport::{Incoming, Outgoing, Transport, TransportError};
use crate::description::{
    Auth, BodyFormat, Description, Limits, Login, PagingStyle, RejectRule, Request,
};
use crate::error::{SourceError, SourceErrorKind};
use crate::expression::{Expression, ExpressionProblem, Template, text_of, to_json, to_value};

/// What to do about an answer that is a page for people, often the one to log in.
const PAGE_HINT: &str = "see that the base address is the API's, not that of pages for people, and that the credentials are let in";
/// A try and the wait after it that take as long as this are worth a word.
const TOLD: Duration = Duration::from_secs(2);

/// A request with everything filled in.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    pub(crate) method: String,
    pub(crate) address: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
    format: BodyFormat,
    /// Which page of a list it asks for, from 1.
    pub(crate) page: Option<usize>,
}

impl Prepared {
    /// The same request for the page at another address.
    pub(crate) fn at(&self, address: String) -> Self {
        Self {
            method: "GET".to_owned(),
            address,
            headers: self.headers.clone(),
            body: None,
            format: self.format,
            page: None,
        }
    }
}

/// A vendor's answer that counts as success.
#[derive(Debug, Clone)]
pub(crate) struct JsonResponse {
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Json,
}

/// The client of one vendor; all threads may share it.
pub(crate) struct Client {
    transport: Arc<dyn Transport>,
    limits: Limits,
    slots: Slots,
    redactor: Redactor,
    base: String,
    auth: Auth,
    headers: Vec<(String, Template)>,
    reject: Vec<RejectRule>,
    scope: Scope,
    token: Mutex<Option<login::Token>>,
    /// Every token that a login gave: secrets that the redactor cannot know.
    issued: Mutex<Vec<String>>,
    next_start: Mutex<Duration>,
    requests: AtomicU64,
    cancel: Arc<AtomicBool>,
    watch: Option<OnExchange>,
    on_retry: Option<OnRetry>,
    /// The expressions that may read an answer's headers.
    header_readers: String,
}

impl Client {
    /// A client; nothing is sent yet. `scope` knows the credentials.
    pub(crate) fn new(
        transport: Arc<dyn Transport>,
        description: &Description,
        scope: Scope,
        redactor: Redactor,
        cancel: Arc<AtomicBool>,
    ) -> Result<Self, SourceError> {
        let http = &description.http;
        let mut client = Self {
            transport,
            limits: http.limits,
            slots: Slots::new(http.limits.in_flight),
            redactor,
            base: String::new(),
            auth: http.auth.clone(),
            headers: http.headers.clone(),
            reject: http.reject.clone(),
            scope,
            token: Mutex::new(None),
            issued: Mutex::new(Vec::new()),
            next_start: Mutex::new(Duration::ZERO),
            requests: AtomicU64::new(0),
            cancel,
            watch: None,
            on_retry: None,
            header_readers: header_readers(description),
        };
        let base = client.credential(&http.base_url, "http.base_url")?;
        client.base = base.trim_end_matches('/').to_owned();
        if !client.base.starts_with("http://") && !client.base.starts_with("https://") {
            let hint = if client.base.is_empty() {
                "fill in the credentials that it is made of"
            } else {
                "begin it with `https://` or `http://`"
            };
            return Err(SourceError::new(
                SourceErrorKind::Credentials,
                format!("`http.base_url` is `{}`", client.masked(&client.base)),
            )
            .hint(hint.to_owned()));
        }
        Ok(client)
    }

    /// Shows every exchange to this from now on.
    pub(crate) fn watched(&mut self, watch: OnExchange) {
        self.watch = Some(watch);
    }

    /// Tells this from now on what takes seconds.
    pub(crate) fn telling(&mut self, on_retry: OnRetry) {
        self.on_retry = Some(on_retry);
    }

    /// How many requests were sent so far, retries included.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// How many requests may be under way at once.
    pub(crate) fn in_flight(&self) -> usize {
        self.limits.in_flight
    }

    /// A text without any secret.
    pub(crate) fn masked(&self, text: &str) -> String {
        let issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        let tokens = issued.iter().filter(|token| !token.is_empty());
        // Before the redactor: what it masks may be a part of a token.
        let masked = tokens.fold(text.to_owned(), |text, token| {
            text.replace(token.as_str(), "***")
        });
        self.redactor.redact(&masked)
    }

    /// A value without any secret, and without what stands at keys that sound secret.
    pub(crate) fn masked_json(&self, json: Json) -> Json {
        match json {
            Json::String(text) => Json::from(self.masked(&text)),
            Json::Number(number) => {
                let text = number.to_string();
                match self.masked(&text) {
                    masked if masked == text => Json::Number(number),
                    masked => Json::from(masked),
                }
            }
            Json::Array(items) => items
                .into_iter()
                .map(|item| self.masked_json(item))
                .collect(),
            Json::Object(members) => members
                .into_iter()
                .map(|(key, value)| {
                    let masked = match value {
                        Json::String(_) if is_secret_key(&key) => Json::from("***"),
                        value => self.masked_json(value),
                    };
                    (key, masked)
                })
                .collect::<Map<_, _>>()
                .into(),
            other => other,
        }
    }

    fn credential(&self, template: &Template, place: &str) -> Result<String, SourceError> {
        template
            .text(&self.scope, str::to_owned)
            .map_err(|(_, problem)| {
                SourceError::new(SourceErrorKind::Credentials, format!("`{place}`"))
                    .because(self.masked(&problem.message))
                    .hint(problem.hint)
            })
    }

    /// Fills in a request; `Err` names the expression that has no value.
    pub(crate) fn prepare<'r>(
        &self,
        request: &'r Request,
        scope: &Scope,
    ) -> Result<Prepared, (&'r Expression, ExpressionProblem)> {
        let path = if request.absolute {
            request.path.text(scope, str::to_owned)?
        } else {
            request.path.text(scope, percent_encode)?
        };
        let mut address = if request.absolute {
            path
        } else {
            format!("{}/{}", self.base, path.trim_start_matches('/'))
        };
        for (name, template) in &request.query {
            let values = match template.evaluate(scope)? {
                Json::Null => Vec::new(),
                Json::Array(values) => values,
                one => vec![one],
            };
            for value in values {
                address.push(if address.contains('?') { '&' } else { '?' });
                address.push_str(&percent_encode(name));
                address.push('=');
                address.push_str(&percent_encode(&text_of(&value)));
            }
        }
        let mut headers = vec![("accept".to_owned(), accept(request.format).to_owned())];
        for (name, template) in &request.headers {
            let value = template.text(scope, str::to_owned)?;
            headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            headers.push((name.clone(), value));
        }
        let body = match (&request.graphql, &request.json) {
            (Some(query), _) => {
                let variables = match &request.variables {
                    Some(variables) => variables.evaluate(scope)?,
                    None => Json::Object(serde_json::Map::new()),
                };
                Some(serde_json::json!({"query": query, "variables": variables}).to_string())
            }
            (None, Some(json)) => Some(json.evaluate(scope)?.to_string()),
            (None, None) => None,
        };
        Ok(Prepared {
            method: request.method.clone(),
            address,
            headers,
            body,
            format: request.format,
            page: None,
        })
    }

    /// Sends a request until it succeeds or there is no point in another try; gives nothing for a status in `missing`.
    pub(crate) fn send(
        &self,
        request: &Prepared,
        missing: &[u16],
        reject: &[RejectRule],
    ) -> Result<Option<JsonResponse>, SourceError> {
        let raw = self.authorized(request)?;
        if missing.contains(&raw.status) {
            return Ok(None);
        }
        self.judge_status(request, &raw)?;
        let answer = self.read(request, raw)?;
        let mut rules = self.reject.iter().chain(reject).peekable();
        if rules.peek().is_none() {
            // Spares a copy of the whole answer.
            return Ok(Some(answer));
        }
        let scope = Scope::new([("response", to_value(answer.body.clone()))]);
        for rule in rules {
            let evaluate = |expression: &Expression| {
                let value = expression.evaluate(&scope);
                value.map_err(|problem| self.expression_error(expression, &problem, &answer.body))
            };
            if evaluate(&rule.when)?.is_true() {
                let error = self.error(SourceErrorKind::Refused, request);
                return Err(match &rule.message {
                    Some(message) => {
                        let words = text_of(&to_json(&evaluate(message)?));
                        error.because(self.masked(&beginning(&words, SHOWN)))
                    }
                    None => error.because(self.shown(&answer.body.to_string())),
                });
            }
        }
        Ok(Some(answer))
    }

    fn retrying(
        &self,
        request: &Prepared,
        login: Option<(String, String)>,
    ) -> Result<Incoming, SourceError> {
        let mut retry = 0;
        loop {
            self.wait_for_turn()?;
            let before = self.transport.elapsed();
            let outcome = self.once(request, login.as_ref());
            let is_transient = match &outcome {
                Ok(raw) => bowline_http::is_transient(raw.status),
                Err(error) => matches!(
                    error.kind,
                    SourceErrorKind::Unreachable | SourceErrorKind::Timeout
                ),
            };
            if !is_transient || retry >= self.limits.retries {
                return outcome;
            }
            let header = |name| Some(outcome.as_ref().ok()?.headers.get(name)?.as_str());
            let wait = bowline_http::backoff_by(
                self.transport.now(),
                retry,
                header("retry-after"),
                header("date"),
                self.limits.longest_wait,
            );
            if header("retry-after").is_some() {
                self.hold_back(wait);
            }
            let taken = self.transport.elapsed().saturating_sub(before);
            if let Some(on_retry) = &self.on_retry
                && taken + wait >= TOLD
            {
                on_retry(&self.why_again(request, &outcome), wait);
            }
            self.pause(wait)?;
            retry += 1;
        }
    }

    fn why_again(&self, request: &Prepared, outcome: &Result<Incoming, SourceError>) -> String {
        match outcome {
            Ok(raw) => {
                let address = self.shown_address(&request.address);
                format!("`{} {address}`: status {}", request.method, raw.status)
            }
            Err(error) => error
                .to_string()
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned(),
        }
    }

    fn once(
        &self,
        request: &Prepared,
        login: Option<&(String, String)>,
    ) -> Result<Incoming, SourceError> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let mut headers = Vec::new();
        for (name, template) in &self.headers {
            let value = self.credential(template, &format!("http.headers.{name}"))?;
            headers.push((name.clone(), value));
        }
        headers.extend(request.headers.iter().chain(login).cloned());
        let outgoing = Outgoing {
            method: request.method.clone(),
            address: request.address.clone(),
            headers,
            body: request.body.clone(),
        };
        let before = self.transport.elapsed();
        let answer = {
            let _slot = self.slots.take();
            self.transport.exchange(&outgoing)
        };
        if let Some(watch) = &self.watch {
            if let (None, Auth::Login(login), Ok(raw)) = (login, &self.auth, &answer) {
                self.note_token(login, raw);
            }
            watch(&Exchange {
                client: self,
                outgoing: &outgoing,
                outcome: answer.as_ref(),
                page: request.page,
                elapsed: self.transport.elapsed().saturating_sub(before),
            });
        }
        answer.map_err(|error| self.transport_error(error, request))
    }

    /// Makes the token of a login a secret before anybody sees the answer that it came in.
    fn note_token(&self, login: &Login, raw: &Incoming) {
        let body = serde_json::from_slice(&raw.body).unwrap_or(Json::Null);
        let scope = self.scope.with([("response", to_value(body))]);
        if let Ok(token) = login.token.evaluate(&scope)
            && let Some(token) = token.as_text()
        {
            self.issued
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(token.to_owned());
        }
    }

    /// Whether an expression may read an answer's header of this name, which is in small letters.
    pub(super) fn reads_header(&self, name: &str) -> bool {
        self.header_readers.contains(name)
    }

    /// Lets no request begin for a while: a vendor that wants to be left alone means all of them.
    fn hold_back(&self, wait: Duration) {
        let mut next = self
            .next_start
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *next = (*next).max(self.transport.elapsed() + wait);
    }

    /// Waits until another request may begin.
    fn wait_for_turn(&self) -> Result<(), SourceError> {
        let turn = {
            let mut next = self
                .next_start
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let turn = (*next).max(self.transport.elapsed());
            if let Some(per_second) = self.limits.per_second {
                *next = turn + Duration::from_secs_f64(1.0 / per_second);
            }
            turn
        };
        self.pause(turn.saturating_sub(self.transport.elapsed()))
    }

    /// Sleeps, but notices when the reading is cancelled.
    fn pause(&self, wait: Duration) -> Result<(), SourceError> {
        const SLICE: Duration = Duration::from_millis(50);
        let end = self.transport.elapsed() + wait;
        loop {
            if self.cancel.load(Ordering::Relaxed) {
                return Err(SourceError::new(SourceErrorKind::Cancelled, "the reading"));
            }
            let left = end.saturating_sub(self.transport.elapsed());
            if left.is_zero() {
                return Ok(());
            }
            self.transport.sleep(left.min(SLICE));
        }
    }

    fn judge_status(&self, request: &Prepared, raw: &Incoming) -> Result<(), SourceError> {
        let (kind, hint) = match raw.status {
            200..=299 => return Ok(()),
            300..=399 => {
                let place = raw.headers.get("location").map_or("", String::as_str);
                return Err(self
                    .error(SourceErrorKind::Refused, request)
                    .because(
                        self.masked(&format!("status {}: redirected to `{place}`", raw.status)),
                    )
                    .hint(
                        "redirects are not followed: write an address that answers by itself, and see that the \
                         credentials are let in"
                            .to_owned(),
                    ));
            }
            401 | 403 => (
                SourceErrorKind::Unauthorized,
                "check the credentials and what they may see",
            ),
            429 => (
                SourceErrorKind::RateLimited,
                "set `per_second` in `[http.limits]`",
            ),
            500..=599 => (
                SourceErrorKind::Vendor,
                "try again later, or look into the vendor's log",
            ),
            _ => (
                SourceErrorKind::Refused,
                "compare the request with the vendor's documentation",
            ),
        };
        let body = self.shown(&String::from_utf8_lossy(&raw.body));
        Err(self
            .error(kind, request)
            .because(format!("status {}: {body}", raw.status))
            .hint(hint.to_owned()))
    }

    fn read(&self, request: &Prepared, raw: Incoming) -> Result<JsonResponse, SourceError> {
        let body = match request.format {
            BodyFormat::Json => serde_json::from_slice(&raw.body),
            BodyFormat::JsonLines => serde_json::Deserializer::from_slice(&raw.body)
                .into_iter::<Json>()
                .collect::<Result<Vec<_>, _>>()
                .map(Json::from),
        };
        body.map(|body| JsonResponse {
            headers: raw.headers.clone(),
            body,
        })
        .map_err(|error| {
            let kind = raw
                .headers
                .get("content-type")
                .map_or("no content type", String::as_str);
            let text = String::from_utf8_lossy(&raw.body);
            let is_page = kind.contains("html").then(|| PAGE_HINT.to_owned());
            self.error(SourceErrorKind::Format, request)
                .because(format!("not JSON ({kind}): {error}"))
                .because(self.shown(&text))
                .hint(is_page)
        })
    }

    fn transport_error(&self, error: TransportError, request: &Prepared) -> SourceError {
        let TransportError { kind, message } = error;
        let hint = match kind {
            SourceErrorKind::TooLarge => Some("raise `body_mb` in `[http.limits]`".to_owned()),
            SourceErrorKind::Unreachable => Some(
                "see that the base address is right, and that it can be reached from here"
                    .to_owned(),
            ),
            SourceErrorKind::Timeout => {
                Some("raise `timeout_seconds` in `[http.limits]`".to_owned())
            }
            _ => None,
        };
        self.error(kind, request)
            .because(self.masked(&message))
            .hint(hint)
    }

    pub(crate) fn error(&self, kind: SourceErrorKind, request: &Prepared) -> SourceError {
        let address = self.shown_address(&request.address);
        SourceError::new(kind, format!("`{} {address}`", request.method))
    }

    /// An address without secrets. Where the vendor is, is none, even though it stands among the credentials.
    pub(crate) fn shown_address(&self, address: &str) -> String {
        beginning(&self.masked_address(address), SHOWN)
    }

    /// The same, however long it is.
    pub(super) fn masked_address(&self, address: &str) -> String {
        let host = address.find("://").map_or(0, |at| at + 3);
        let end = address[host..]
            .find(['/', '?', '#'])
            .map_or(address.len(), |at| host + at);
        let (place, rest) = address.split_at(end);
        let place = match place.rfind('@') {
            Some(at) => format!("{}***{}", &place[..host], &place[at..]),
            None => place.to_owned(),
        };
        format!("{place}{}", self.masked(rest))
    }

    /// An error about an expression, with the record it was evaluated over.
    pub(crate) fn expression_error(
        &self,
        expression: &Expression,
        problem: &ExpressionProblem,
        record: &Json,
    ) -> SourceError {
        let error = SourceError::new(
            SourceErrorKind::Expression,
            format!("`{}` (line {})", expression.text(), expression.line()),
        )
        .because(self.masked(&problem.message))
        .hint(problem.hint.clone());
        if record.is_null() {
            return error;
        }
        error.because(format!(
            "record: {}",
            self.shown(&trimmed(record).to_string())
        ))
    }

    fn shown(&self, text: &str) -> String {
        // Cut last: a secret that the cut went through would not be found any more.
        let much: String = text.chars().take(SHOWN * 8).collect();
        beginning(&self.masked(&much), SHOWN)
    }
}

/// The expressions that see the headers of answers.
fn header_readers(description: &Description) -> String {
    let mut readers = String::new();
    for paging in description
        .sources
        .values()
        .filter_map(|source| source.paging.as_ref())
    {
        let next = match &paging.style {
            PagingStyle::Cursor { next, .. } | PagingStyle::Link { next } => Some(next),
            PagingStyle::Offset | PagingStyle::Number { .. } => None,
        };
        for expression in next.into_iter().chain(&paging.total).chain(&paging.last) {
            readers.push_str(expression.text());
            readers.push('\n');
        }
    }
    readers
}

const fn accept(format: BodyFormat) -> &'static str {
    match format {
        BodyFormat::Json => "application/json",
        BodyFormat::JsonLines => "application/x-ndjson",
    }
}
