//! The client of one vendor.

mod incomplete;
mod judging;
mod login;
mod refusal_words;
mod sending;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bowline_template::{Scope, Value};
use bowline_words::{Redactor, beginning, listed};
use jiff::Timestamp;
use serde_json::{Map, Value as Json};

use super::address::{Base, OwnPlaces};
use super::excerpt::{SHOWN, is_secret_key, trimmed};
use super::exchange::{OnExchange, OnRetry};
use super::kept::Kept;
use super::pace::Pace;
use super::prepared::{Prepared, Signs};
use super::transport::Transport;
use crate::decoding::Oddities;
use crate::description::{Auth, Description, Limits, PagingStyle, RejectRule};
use crate::error::{SourceError, SourceErrorKind};
use crate::expression::{Expression, ExpressionProblem, Template, to_json};
pub(crate) use incomplete::is_empty;
use judging::Judged;
pub(crate) use judging::Rules;
pub(crate) use refusal_words::speaks_of_no_page;

/// What comes of a request that did not fail.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// A body.
    Found(Response),
    /// A status that means that there is no such thing.
    Missing(u16),
}

/// A vendor's answer that counts as success.
#[derive(Debug, Clone, Default)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Value,
}

/// The client of one vendor; all threads may share it.
pub(crate) struct Client {
    transport: Arc<dyn Transport>,
    limits: Limits,
    pace: Pace,
    redactor: Redactor,
    base: Base,
    pub(super) own_places: OwnPlaces,
    auth: Auth,
    headers: Vec<(String, Template)>,
    pub(super) query: Vec<(String, Template)>,
    reject: Vec<RejectRule>,
    pub(super) scope: Scope,
    token: Mutex<Option<login::Token>>,
    kept: Kept,
    /// Every token that a login gave: secrets that the redactor cannot know.
    issued: Mutex<Vec<String>>,
    /// The statuses that a new token did not help against.
    unhelped: Mutex<BTreeSet<u16>>,
    requests: AtomicU64,
    oddities: Oddities,
    cancel: Arc<AtomicBool>,
    watch: Option<OnExchange>,
    on_retry: Option<OnRetry>,
    /// The expressions that may read an answer's headers, in small letters.
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
            limits: http.limits.clone(),
            pace: Pace::new(http.limits.in_flight, http.limits.per_second),
            redactor,
            base: Base::default(),
            own_places: OwnPlaces::default(),
            auth: http.auth.clone(),
            headers: http.headers.clone(),
            query: http.query.clone(),
            reject: http.reject.clone(),
            scope,
            token: Mutex::new(None),
            kept: Kept::default(),
            issued: Mutex::new(Vec::new()),
            unhelped: Mutex::new(BTreeSet::new()),
            requests: AtomicU64::new(0),
            oddities: Oddities::default(),
            cancel,
            watch: None,
            on_retry: None,
            header_readers: header_readers(description),
        };
        let credentials = client.scope.get("credentials").map(to_json);
        client.own_places = OwnPlaces::of(&credentials.unwrap_or_default(), description);
        let base = http.base_url.address(&client.scope);
        let base = base.map_err(|failed| client.credential_error("http.base_url", failed))?;
        client.base = Base::of(&base).map_err(|hint| {
            let made_of = http.base_url.expressions();
            let made_of: Vec<&str> = made_of
                .iter()
                .map(|made_of| made_of.text().trim())
                .collect();
            let hint = if base.is_empty() {
                format!("fill in {} in credentials.json", listed(made_of))
            } else {
                hint.to_owned()
            };
            SourceError::new(
                SourceErrorKind::Credentials,
                format!("`http.base_url` is `{}`", client.masked(&base)),
            )
            .hint(hint)
        })?;
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

    /// What our clock shows.
    pub(crate) fn now(&self) -> Timestamp {
        self.transport.now()
    }

    /// Keeps refresh tokens that change with each use in this file from now on.
    pub(crate) fn keeping(&mut self, path: PathBuf) {
        self.kept = Kept::in_file(path);
    }

    /// How many requests were sent so far, retries included.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// How many requests may be under way at once.
    pub(crate) fn in_flight(&self) -> usize {
        self.limits.in_flight
    }

    /// What the vendor did wrong since this was last asked for, in words.
    pub(crate) fn oddities(&self) -> Vec<String> {
        self.oddities.take()
    }

    /// Makes a text a secret from now on.
    fn keep_secret(&self, text: &str) {
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        if !text.is_empty() && !issued.iter().any(|known| known == text) {
            issued.push(text.to_owned());
        }
    }

    /// How much memory the values of one answer may take, in bytes.
    pub(super) fn most_memory(&self) -> u64 {
        self.limits.memory
    }

    /// A text without any secret.
    pub(crate) fn masked(&self, text: &str) -> String {
        let issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        let tokens = issued.iter();
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
                    (self.masked(&key), masked)
                })
                .collect::<Map<_, _>>()
                .into(),
            other => other,
        }
    }

    fn credential(&self, template: &Template, place: &str) -> Result<String, SourceError> {
        template
            .text(&self.scope)
            .map_err(|failed| self.credential_error(place, failed))
    }

    fn credential_error(
        &self,
        place: &str,
        (_, problem): (&Expression, ExpressionProblem),
    ) -> SourceError {
        SourceError::new(SourceErrorKind::Credentials, format!("`{place}`"))
            .because(self.masked(&problem.message))
            .hint(problem.hint)
    }

    /// Whether a request goes without what says who asks though there is something.
    pub(crate) fn withholds(&self, request: &Prepared) -> bool {
        let says = |(_, template): &(String, Template)| !template.expressions().is_empty();
        request.signs != Signs::Yes
            && (!matches!(self.auth, Auth::None) || self.headers.iter().any(says))
    }

    /// Sends a request until it succeeds or there is no point in another try.
    pub(crate) fn send(
        &self,
        request: &Prepared,
        rules: &Rules<'_>,
    ) -> Result<Answer, SourceError> {
        match self.authorized(request, rules)? {
            Judged::Answer(answer) => Ok(answer),
            Judged::Failed(failed) => Err(failed.error),
        }
    }

    /// Whether an expression may read an answer's header of this name, which is in small letters.
    pub(super) fn reads_header(&self, name: &str) -> bool {
        self.header_readers.contains(name)
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
        // What a login looks for by itself stands in no line.
        let line = match expression.line() {
            0 => String::new(),
            line => format!(" (line {line})"),
        };
        let error = SourceError::new(
            SourceErrorKind::Expression,
            format!("`{}`{line}", expression.text()),
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

    /// The beginning of a text, without any secret.
    pub(crate) fn shown(&self, text: &str) -> String {
        // Cut last: a secret that the cut went through would not be found any more.
        let much: String = text.chars().take(SHOWN * 8).collect();
        beginning(&self.masked(&much), SHOWN)
    }
}

/// The expressions that see the headers of answers.
fn header_readers(description: &Description) -> String {
    let sources = || description.sources.values();
    let paging = sources().filter_map(|source| source.paging.as_ref());
    let paging = paging.flat_map(|paging| {
        let next = match &paging.style {
            PagingStyle::Cursor { next, .. } | PagingStyle::Link { next, .. } => Some(next),
            PagingStyle::Offset | PagingStyle::Number { .. } => None,
        };
        next.into_iter().chain(&paging.total).chain(&paging.last)
    });
    let rules = sources().flat_map(|source| &source.reject);
    let rules = rules.chain(&description.http.reject);
    let rules = rules.flat_map(|rule| std::iter::once(&rule.when).chain(&rule.message));
    let mut readers = String::new();
    for expression in paging.chain(rules) {
        readers.push_str(&expression.text().to_lowercase());
        readers.push('\n');
    }
    readers
}

/// The value of a header that carries a user name and a password.
pub(super) fn basic(username: &str, password: &str) -> String {
    format!(
        "Basic {}",
        STANDARD.encode(format!("{username}:{password}"))
    )
}
