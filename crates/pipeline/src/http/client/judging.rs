//! What becomes of an answer.

use std::collections::BTreeSet;
use std::time::Duration;

use bowline_http::{parse_date, wait_of_reset, wait_of_retry_after};
use bowline_template::{Scope, Value};
use bowline_words::{beginning, counted};

use super::incomplete::{ACCEPTED, holds_records};
use super::refusal_words::{
    SEARCHED, asks_for_patience, beginning_of, later_page, speaks_of_clock, speaks_of_expiry,
    speaks_of_pace,
};
use super::{Answer, Client, Response};
use crate::decoding::{Budget, DecodeError, decode};
use crate::description::{Auth, BodyFormat, RejectRule, Then};
use crate::error::{SourceError, SourceErrorKind};
use crate::expression::{Expression, headers_value, text_of, to_json};
use crate::http::excerpt::SHOWN;
use crate::http::prepared::{Prepared, Signs};
use crate::http::transport::{Incoming, TransportError};

/// What to do about an answer that is a page for people, often the one to log in.
const PAGE_HINT: &str = "see that the base address is the API's, not that of pages for people, and that the credentials are let in";

/// Headers of refusals in which vendors say when to come back, in the order in which they are believed.
const RESET_HEADERS: [&str; 9] = [
    "retry-after-ms",
    "x-ms-retry-after-ms",
    "x-retry-after",
    "x-ratelimit-reset-after",
    "x-ratelimit-reset",
    "x-rate-limit-reset",
    "ratelimit-reset",
    "ratelimit",
    "x-ratelimit-retry-after",
];

/// Headers in which they say how many requests are left.
const REMAINING_HEADERS: [&str; 3] = [
    "x-ratelimit-remaining",
    "x-rate-limit-remaining",
    "ratelimit-remaining",
];

/// What one request has of its own to judge answers by.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rules<'r> {
    /// It asks for records.
    Records {
        /// Statuses that mean that there is no such thing.
        missing: &'r [u16],
        /// Answers that are failures although their status says success.
        reject: &'r [RejectRule],
        /// Where the records are, and what that expression sees; nothing when none are asked for.
        records: Option<(Option<&'r Expression>, &'r Scope)>,
    },
    /// It asks for a token, which may be the answer's text.
    Login,
}

/// What an answer comes to.
pub(in crate::http) enum Judged {
    /// No failure.
    Answer(Answer),
    /// Failure.
    Failed(Failed),
}

/// A failure, and what may be done about it.
pub(in crate::http) struct Failed {
    pub(in crate::http) error: SourceError,
    pub(super) status: u16,
    pub(super) passing: Passing,
    pub(super) expiry: Expiry,
}

/// Whether a failure may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passing {
    /// It does not.
    No,
    /// It may.
    Failure,
    /// The vendor wants fewer requests, with its word on how long to wait if there is one.
    Refusal(Option<Duration>),
}

/// Whether the token was refused because it is not good any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expiry {
    /// It was not.
    No,
    /// It may have been: a new one tells.
    Maybe,
    /// It was.
    Yes,
}

impl Client {
    /// What an answer, or that there is none, comes to.
    pub(super) fn judge(
        &self,
        request: &Prepared,
        outcome: Result<Incoming, TransportError>,
        rules: &Rules<'_>,
    ) -> Result<Judged, SourceError> {
        let raw = match outcome {
            Ok(raw) => raw,
            Err(error) => {
                let passing = match error.kind {
                    SourceErrorKind::Unreachable
                    | SourceErrorKind::Broken
                    | SourceErrorKind::Timeout => Passing::Failure,
                    _ => Passing::No,
                };
                return Ok(Judged::Failed(Failed {
                    error: self.transport_error(error, request),
                    status: 0,
                    passing,
                    expiry: Expiry::No,
                }));
            }
        };
        let may_miss =
            matches!(rules, Rules::Records { missing, .. } if missing.contains(&raw.status));
        if may_miss && raw.status != ACCEPTED {
            return Ok(Judged::Answer(Answer::Missing(raw.status)));
        }
        if let Some(cut) = self.cut_short(request, &raw) {
            return Ok(Judged::Failed(cut));
        }
        let is_session = matches!(rules, Rules::Login) && self.holds_session(&raw);
        let is_success = (200..300).contains(&raw.status) || is_session;
        let is_page = !is_session && content_type(&raw).is_some_and(|kind| kind.contains("html"));
        let may_be_text = matches!(rules, Rules::Login) && request.format.is_none() && !is_page;
        let decoded = is_success.then(|| {
            if may_be_text {
                Ok(self.loosely_decoded(&raw))
            } else {
                self.decoded(request, &raw)
            }
        });
        let body = match decoded {
            Some(Ok(body)) => body,
            Some(Err(error)) => {
                let expiry = if is_page { Expiry::Maybe } else { Expiry::No };
                let passing = if error.kind == SourceErrorKind::Broken {
                    Passing::Failure
                } else {
                    Passing::No
                };
                return Ok(Judged::Failed(self.failed(error, &raw, passing, expiry)));
            }
            None => self.loosely_decoded(&raw),
        };
        if let Rules::Records { reject, .. } = rules
            && let Some(failed) = self.rejected(request, &raw, &body, reject)?
        {
            return Ok(Judged::Failed(failed));
        }
        if let Auth::Login(login) = &self.auth
            && let Some(expired) = &login.expired
        {
            let scope = answer_scope(&self.scope, &raw, &body);
            let expired = expired.evaluate(&scope).is_ok_and(|value| value.is_true());
            if expired {
                let error = self
                    .error(SourceErrorKind::Unauthorized, request)
                    .because(format!("status {}: `expired` holds", raw.status));
                return Ok(Judged::Failed(self.failed(
                    error,
                    &raw,
                    Passing::No,
                    Expiry::Yes,
                )));
            }
        }
        if raw.status == ACCEPTED
            && let Rules::Records {
                records: Some((records, scope)),
                ..
            } = rules
            && !holds_records(*records, &answer_scope(scope, &raw, &body), &body)
        {
            return Ok(if may_miss {
                Judged::Answer(Answer::Missing(raw.status))
            } else {
                Judged::Failed(self.pending(request, &raw))
            });
        }
        if is_success {
            self.heed_remaining(&raw);
            return Ok(Judged::Answer(Answer::Found(Response {
                status: raw.status,
                headers: raw.headers,
                body,
            })));
        }
        let passing = self.passing(&raw);
        let expiry = self.expiry(&raw);
        let error = self.status_error(request, &raw, passing);
        Ok(Judged::Failed(self.failed(error, &raw, passing, expiry)))
    }

    pub(super) fn failed(
        &self,
        error: SourceError,
        raw: &Incoming,
        passing: Passing,
        expiry: Expiry,
    ) -> Failed {
        Failed {
            error,
            status: raw.status,
            passing,
            expiry,
        }
    }

    /// The failure that a rule makes of an answer, if one does. The rules are about answers that say success: what they
    /// look for need not be in others.
    fn rejected(
        &self,
        request: &Prepared,
        raw: &Incoming,
        body: &Value,
        reject: &[RejectRule],
    ) -> Result<Option<Failed>, SourceError> {
        let mut all = self.reject.iter().chain(reject).peekable();
        if all.peek().is_none() {
            return Ok(None);
        }
        let scope = answer_scope(&self.scope, raw, body);
        let is_success = (200..300).contains(&raw.status);
        for rule in all {
            let evaluate = |expression: &Expression| match expression.evaluate(&scope) {
                Err(_) if !is_success => Ok(Value::NONE),
                Err(problem) => Err(self.expression_error(expression, &problem, &to_json(body))),
                Ok(value) => Ok(value),
            };
            if !evaluate(&rule.when)?.is_true() {
                continue;
            }
            let words = rule.message.as_ref();
            let words = match words.and_then(|message| message.evaluate(&scope).ok()) {
                Some(words) => self.masked(&beginning(&text_of(&to_json(&words)), SHOWN)),
                // Where its words are not where they are looked for, all that the vendor says is shown.
                None => self.shown(&text_of(&to_json(body))),
            };
            let (kind, passing, expiry) = match rule.then {
                Then::Fail => {
                    let expiry = if speaks_of_expiry(&words) {
                        Expiry::Maybe
                    } else {
                        Expiry::No
                    };
                    (SourceErrorKind::Refused, Passing::No, expiry)
                }
                Then::Retry => {
                    let is_hurried = matches!(raw.status, 429 | 503)
                        || raw.headers.contains_key("retry-after")
                        || self.remaining(raw) == Some(0.0)
                        || asks_for_patience(&beginning_of(raw))
                        || asks_for_patience(&words);
                    // What is not ready yet is no reason to ask for something else later.
                    if is_hurried {
                        let passing = Passing::Refusal(self.asked(raw));
                        (SourceErrorKind::RateLimited, passing, Expiry::No)
                    } else {
                        (SourceErrorKind::Vendor, Passing::Failure, Expiry::No)
                    }
                }
                Then::LogIn => (SourceErrorKind::Unauthorized, Passing::No, Expiry::Yes),
            };
            let hint = (passing == Passing::Failure).then(|| {
                "where it takes longer, raise `retries` and `longest_wait_seconds` in `[http.limits]`"
                    .to_owned()
            });
            let error = self.error(kind, request).because(words).hint(hint);
            return Ok(Some(self.failed(error, raw, passing, expiry)));
        }
        Ok(None)
    }

    /// Whether a status may pass.
    fn passing(&self, raw: &Incoming) -> Passing {
        let asked = self.asked(raw);
        let is_used_up = self.remaining(raw) == Some(0.0);
        let says_when = raw.headers.contains_key("retry-after");
        let is_hurried = matches!(raw.status, 400 | 403) && speaks_of_pace(&beginning_of(raw));
        if raw.status == 429 || is_hurried || (raw.status >= 400 && (says_when || is_used_up)) {
            let is_known = match &self.limits.retry_statuses {
                Some(statuses) => statuses.contains(&raw.status),
                None => true,
            };
            return if is_known {
                Passing::Refusal(asked)
            } else {
                Passing::No
            };
        }
        let may_pass = match &self.limits.retry_statuses {
            Some(statuses) => statuses.contains(&raw.status),
            None => bowline_http::is_transient(raw.status),
        };
        if may_pass {
            Passing::Failure
        } else {
            Passing::No
        }
    }

    /// How long the vendor asks to wait.
    pub(super) fn asked(&self, raw: &Incoming) -> Option<Duration> {
        let servers = raw.headers.get("date").and_then(|date| parse_date(date));
        let now = servers.unwrap_or_else(|| self.transport.now());
        let own = self.limits.reset_headers.iter().map(String::as_str);
        let after = raw.headers.get("retry-after");
        let after = after.and_then(|text| wait_of_retry_after(text, now));
        let mut known = own.clone().chain(RESET_HEADERS);
        let named = own.clone().next().is_some();
        let mut reset = || known.find_map(|name| wait_of_reset(name, raw.headers.get(name)?, now));
        // What the description names is believed first.
        if named {
            reset().or(after)
        } else {
            after.or_else(reset)
        }
    }

    /// How many requests the vendor says are left.
    fn remaining(&self, raw: &Incoming) -> Option<f64> {
        let own = self.limits.remaining_header.as_deref();
        let mut names = own.into_iter().chain(REMAINING_HEADERS);
        names.find_map(|name| raw.headers.get(name)?.trim().parse().ok())
    }

    /// Waits for the limit to be lifted before the vendor has to refuse, where the description says how that is told.
    fn heed_remaining(&self, raw: &Incoming) {
        if self.limits.remaining_header.is_some()
            && self.remaining(raw).is_some_and(|left| left <= 0.0)
            && let Some(wait) = self.asked(raw)
        {
            let wait = wait.min(self.limits.longest_wait);
            self.pace.hold(self.transport.elapsed(), wait);
        }
    }

    fn expiry(&self, raw: &Incoming) -> Expiry {
        let Auth::Login(login) = &self.auth else {
            return Expiry::No;
        };
        match raw.status {
            401 => Expiry::Yes,
            // The author says how expiry is told.
            _ if login.expired.is_some() => Expiry::No,
            300..=399 | 403 | 419 | 440 | 498 => Expiry::Maybe,
            400..=499 if speaks_of_expiry(&beginning_of(raw)) => Expiry::Maybe,
            _ => Expiry::No,
        }
    }

    fn status_error(&self, request: &Prepared, raw: &Incoming, passing: Passing) -> SourceError {
        let (kind, hint) = match raw.status {
            300..=303 | 305..=399 => {
                let place = match raw.headers.get("location") {
                    Some(place) => format!("redirected to `{place}`"),
                    None => "redirected, and it does not say where to".to_owned(),
                };
                return self
                    .error(SourceErrorKind::Refused, request)
                    .because(self.masked(&format!("status {}: {place}", raw.status)))
                    .hint(
                        "redirects are followed on the same host only: write an address that answers by itself, and \
                         see that the credentials are let in"
                            .to_owned(),
                    );
            }
            _ if raw.status < 500 && matches!(passing, Passing::Refusal(_)) => (
                SourceErrorKind::RateLimited,
                "set `per_second` in `[http.limits]`, or raise `retries` and `longest_wait_seconds`",
            ),
            400 | 401 | 403 if speaks_of_clock(raw) => (
                SourceErrorKind::Unauthorized,
                "see that this machine's clock is right: what is signed with a wrong time is refused",
            ),
            401 | 403 if request.signs == Signs::No => (
                SourceErrorKind::Unauthorized,
                "a record names this host, so it is not told who asks: if it is the vendor's, write it in the source's \
                 `hosts`",
            ),
            401 | 403 if request.signs == Signs::Unsecured => (
                SourceErrorKind::Unauthorized,
                "a record names it by `http`, and what says who asks goes over TLS as to the base address: put `https` \
                 in its place, as with `| replace('http://', 'https://')`",
            ),
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
        let is_later = request.page.is_some_and(|page| page > 1);
        let (kind, hint) = match later_page(raw).filter(|_| is_later) {
            Some(SourceErrorKind::PlaceExpired) => (
                SourceErrorKind::PlaceExpired,
                "ask for larger pages, so that the list is read before its places expire",
            ),
            later => (later.unwrap_or(kind), hint),
        };
        self.error(kind, request)
            .because(format!("status {}: {body}", raw.status))
            .hint(hint.to_owned())
    }

    fn decoded(&self, request: &Prepared, raw: &Incoming) -> Result<Value, SourceError> {
        let kind = content_type(raw);
        // An answer that says that there is nothing has no body to read.
        if matches!(raw.status, ACCEPTED | 204 | 205) && raw.body.is_empty() {
            return Ok(Value::NONE);
        }
        let format = request.format.unwrap_or(BodyFormat::Json);
        let budget = Budget::new(self.limits.memory);
        // Where an answer does not say how long it is, a connection that breaks off is taken for its end.
        let is_measured = ["content-length", "transfer-encoding"]
            .iter()
            .any(|name| raw.headers.contains_key(*name));
        decode(&raw.body, kind, format, budget, &self.oddities).map_err(|error| match error {
            DecodeError::Ended(reason) if !is_measured => self.transport_error(
                TransportError {
                    kind: SourceErrorKind::Broken,
                    message: format!(
                        "status {}: cut off after {}, for its JSON goes on: {reason}",
                        raw.status,
                        counted(raw.body.len(), "byte")
                    ),
                },
                request,
            ),
            DecodeError::TooLarge => self
                .error(SourceErrorKind::TooLarge, request)
                .because(format!(
                    "its {} bytes take more than {} MB of memory once they are read",
                    raw.body.len(),
                    self.limits.memory >> 20
                ))
                .hint("ask for smaller pages, or raise `memory_mb` in `[http.limits]`".to_owned()),
            DecodeError::Malformed(reason) | DecodeError::Ended(reason) => {
                let shown = kind.unwrap_or("no content type");
                let hint = if shown.contains("html") {
                    Some(PAGE_HINT)
                } else if format == BodyFormat::Json && is_lines(&raw.body) {
                    Some("it is a record a line: write `format = \"ndjson\"` in the source")
                } else {
                    None
                };
                let name = name_of(format);
                self.error(SourceErrorKind::Format, request)
                    .because(format!("not {name} ({shown}): {reason}"))
                    .because(self.shown(&String::from_utf8_lossy(&raw.body)))
                    .hint(hint.map(str::to_owned))
            }
        })
    }

    /// What an answer that is no success holds: JSON, or else text.
    pub(super) fn loosely_decoded(&self, raw: &Incoming) -> Value {
        let kind = content_type(raw);
        let quiet = crate::decoding::Oddities::default();
        let budget = || Budget::new(self.limits.memory);
        decode(&raw.body, kind, BodyFormat::Json, budget(), &quiet)
            .or_else(|_| decode(&raw.body, kind, BodyFormat::Text, budget(), &quiet))
            .unwrap_or_default()
    }

    pub(super) fn transport_error(&self, error: TransportError, request: &Prepared) -> SourceError {
        let TransportError { kind, message } = error;
        let hint = match kind {
            SourceErrorKind::TooLarge => Some("raise `body_mb` in `[http.limits]`".to_owned()),
            SourceErrorKind::Unreachable => Some(
                "see that the base address is right, and that it can be reached from here"
                    .to_owned(),
            ),
            SourceErrorKind::Broken => Some(
                "try again later; where it comes again and again, look at what stands between the vendor and here, such \
                 as a proxy"
                    .to_owned(),
            ),
            SourceErrorKind::Unsendable => Some(
                "see what it is made of: a text that was pasted into credentials.json may end with a line end"
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
}

/// What expressions see of an answer.
pub(super) fn answer_scope(scope: &Scope, raw: &Incoming, body: &Value) -> Scope {
    let headers = headers_value(raw.headers.clone(), &BTreeSet::new());
    scope.with([
        ("response", body.clone()),
        ("status", Value::from(i64::from(raw.status))),
        ("headers", headers),
    ])
}

pub(super) fn content_type(raw: &Incoming) -> Option<&str> {
    raw.headers.get("content-type").map(String::as_str)
}

/// Whether a body has one record of JSON behind the other, each in a line of its own.
fn is_lines(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(&body[..body.len().min(SEARCHED)]);
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().unwrap_or_default().trim();
    let is_record = first.starts_with('{') && first.ends_with('}');
    is_record && lines.next().is_some_and(|next| next.starts_with('{'))
}

const fn name_of(format: BodyFormat) -> &'static str {
    match format {
        BodyFormat::Json | BodyFormat::JsonLines => "JSON",
        BodyFormat::Csv { .. } => "CSV",
        BodyFormat::Xml => "XML",
        BodyFormat::Text => "text",
    }
}
