//! Requests on their way: what says who asks, redirects, and trying again.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bowline_http::Origin;
use bowline_template::{Scope, Value};

use super::Client;
use super::judging::{Failed, Judged, Passing, Rules};
use crate::description::Auth;
use crate::error::{SourceError, SourceErrorKind};
use crate::expression::Template;
use crate::http::excerpt::is_secret_key;
use crate::http::exchange::Exchange;
use crate::http::prepared::{Prepared, Signs, set, with_query};
use crate::http::signature;
use crate::http::transport::{Incoming, Outgoing, TransportError};

/// A try and the wait after it that take as long as this are worth a word.
const TOLD: Duration = Duration::from_secs(2);
/// How often a request is sent at most while others get through.
const MOST_TRIES: u32 = 100;
/// How many redirects are followed in a row.
const MOST_REDIRECTS: usize = 5;
/// What the path of a redirect to a page for people to log in has in it.
const LOGIN_PATHS: [&str; 5] = ["login", "signin", "sign_in", "sign-in", "sso"];

/// What says who asks: headers, and query parameters.
#[derive(Debug, Clone, Default)]
pub(super) struct Carried {
    pub(super) headers: Vec<(String, Template)>,
    pub(super) query: Vec<(String, Template)>,
    /// The token that they are made with.
    pub(super) token: Option<String>,
}

impl Client {
    /// Sends a request until it is answered or there is no point in another try.
    pub(super) fn retrying(
        &self,
        request: &Prepared,
        carried: Option<&Carried>,
        rules: &Rules<'_>,
    ) -> Result<Judged, SourceError> {
        let (mut retry, mut tries) = (0, 0);
        let mut through = self.pace.through();
        loop {
            let slot = self.pace.take(request.turn);
            self.wait_for_turn()?;
            let began = self.transport.elapsed();
            let outcome = self.once(request, carried)?;
            drop(slot);
            let judged = self.judge(request, outcome, rules)?;
            let now = self.transport.elapsed();
            let Judged::Failed(failed) = &judged else {
                self.pace.answered(now);
                return Ok(judged);
            };
            let wait = match failed.passing {
                Passing::No => {
                    self.pace.answered(now);
                    return Ok(judged);
                }
                Passing::Failure => {
                    let longest = self.limits.longest_wait;
                    let clock = self.transport.now();
                    Some(bowline_http::backoff_by(clock, retry, None, None, longest))
                }
                Passing::Refusal(asked) => {
                    let longest = self.limits.longest_wait;
                    let wait = self.pace.refused(began, now, asked, longest);
                    // While others get through, it is only a matter of time.
                    let others = self.pace.through();
                    if others > through {
                        retry = 0;
                        through = others;
                    }
                    wait
                }
            };
            if retry >= self.limits.retries || tries >= MOST_TRIES {
                return Ok(judged);
            }
            retry += 1;
            tries += 1;
            if let (Some(on_retry), Some(wait)) = (&self.on_retry, wait)
                && now.saturating_sub(began) + wait >= TOLD
            {
                on_retry(&self.why_again(request, failed), wait);
            }
            if failed.passing == Passing::Failure {
                self.pause(wait.unwrap_or_default())?;
            }
        }
    }

    fn why_again(&self, request: &Prepared, failed: &Failed) -> String {
        match failed.status {
            0 => failed
                .error
                .to_string()
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned(),
            status => {
                let address = self.shown_address(&request.address);
                format!("`{} {address}`: status {status}", request.method)
            }
        }
    }

    /// Sends a request once, and follows where it is redirected to on the same host.
    fn once(
        &self,
        request: &Prepared,
        carried: Option<&Carried>,
    ) -> Result<Result<Incoming, TransportError>, SourceError> {
        let mut outgoing = Outgoing {
            method: request.method.clone().into_owned(),
            address: request.address.clone(),
            headers: Vec::new(),
            body: request.body.clone(),
        };
        for _ in 0..MOST_REDIRECTS {
            self.sign(request, carried, &mut outgoing)?;
            let answer = self.exchange(request, carried, &outgoing);
            // A login that ends with a page to go to has let us in before.
            if carried.is_none() && answer.as_ref().is_ok_and(|raw| self.holds_session(raw)) {
                return Ok(answer);
            }
            let Some(place) = answer
                .as_ref()
                .ok()
                .and_then(|raw| self.redirected(raw, &outgoing))
            else {
                return Ok(answer);
            };
            let status = answer.as_ref().map_or(0, |raw| raw.status);
            // As every client does: what is not asked to stay a POST becomes a GET.
            if matches!(status, 301..=303) && outgoing.method == "POST" {
                outgoing.method = "GET".to_owned();
                outgoing.body = None;
            }
            outgoing.address = place;
        }
        let error = self.error(SourceErrorKind::Refused, request);
        Err(error.because(format!("redirected more than {MOST_REDIRECTS} times")))
    }

    /// The headers of a request: each by its name once, the most special one.
    fn sign(
        &self,
        request: &Prepared,
        carried: Option<&Carried>,
        outgoing: &mut Outgoing,
    ) -> Result<(), SourceError> {
        let mut headers = Vec::new();
        for (name, value) in &request.standard {
            if *name != "content-type" || outgoing.body.is_some() {
                set(&mut headers, name, (*value).to_owned());
            }
        }
        let scope = self.request_scope(outgoing);
        let is_told = request.signs == Signs::Yes;
        let carried = carried.filter(|_| is_told);
        // What a header says of the request and not of who asks, goes anywhere.
        let is_harmless = |(name, template): &&(String, Template)| {
            matches!(template, Template::Constant(_)) && !is_secret_key(name)
        };
        let told = self
            .headers
            .iter()
            .filter(|header| is_told || is_harmless(header));
        for (name, template) in told {
            let value = template.text(&scope);
            let place = format!("http.headers.{name}");
            set(
                &mut headers,
                name,
                value.map_err(|failed| self.credential_error(&place, failed))?,
            );
        }
        let filled = |template: &Template| {
            let token = carried.and_then(|carried| carried.token.as_deref());
            let scope = match token {
                Some(token) => scope.with([("token", Value::from(token))]),
                None => scope.clone(),
            };
            let value = template.text(&scope);
            value.map_err(|failed| self.credential_error("http.auth", failed))
        };
        for (name, template) in carried.iter().flat_map(|carried| &carried.headers) {
            set(&mut headers, name, filled(template)?);
        }
        let query = carried.iter().flat_map(|carried| &carried.query);
        let query: Vec<(String, String)> = query
            .map(|(name, template)| Ok((name.clone(), filled(template)?)))
            .collect::<Result<_, SourceError>>()?;
        outgoing.address = with_query(std::mem::take(&mut outgoing.address), &query);
        for (name, value) in &request.headers {
            set(&mut headers, name, value.clone());
        }
        outgoing.headers = headers;
        if let (Auth::Aws(aws), Some(_)) = (&self.auth, carried) {
            let keys = self.aws_keys(aws)?;
            signature::sign_aws(&keys, self.transport.now(), outgoing).map_err(|reason| {
                SourceError::new(SourceErrorKind::Credentials, "`http.auth`").because(reason)
            })?;
        }
        Ok(())
    }

    /// What expressions in headers see of the request.
    fn request_scope(&self, outgoing: &Outgoing) -> Scope {
        let address = outgoing.address.as_str();
        let host = address.find("://").map_or(0, |at| at + 3);
        let path = address[host..]
            .find('/')
            .map_or("/", |at| &address[host + at..]);
        let request = Value::mapping([
            ("method", Value::from(outgoing.method.as_str())),
            ("address", Value::from(address)),
            ("path", Value::from(path)),
            (
                "body",
                Value::from(outgoing.body.as_deref().unwrap_or_default()),
            ),
        ]);
        let now = Value::from(self.transport.now().to_string());
        self.scope.with([("request", request), ("now", now)])
    }

    fn exchange(
        &self,
        request: &Prepared,
        carried: Option<&Carried>,
        outgoing: &Outgoing,
    ) -> Result<Incoming, TransportError> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let before = self.transport.elapsed();
        let answer = self.transport.exchange(outgoing);
        if let Some(watch) = &self.watch {
            if let (None, Ok(raw)) = (carried, &answer) {
                self.note_tokens(raw);
            }
            watch(&Exchange {
                client: self,
                outgoing,
                outcome: answer.as_ref(),
                page: request.page,
                elapsed: self.transport.elapsed().saturating_sub(before),
            });
        }
        answer
    }

    /// Where an answer sends us, if that is on the same host and no page to log in.
    fn redirected(&self, raw: &Incoming, outgoing: &Outgoing) -> Option<String> {
        if !matches!(raw.status, 301 | 302 | 303 | 307 | 308) {
            return None;
        }
        let place = raw.headers.get("location")?;
        let place = match bowline_http::resolve(place, &outgoing.address) {
            Ok(place) => place,
            Err(place) if is_secured(&outgoing.address, &place) => place,
            Err(_) => return None,
        };
        let path = place.split(['?', '#']).next()?.to_ascii_lowercase();
        let is_login = LOGIN_PATHS.iter().any(|word| path.contains(word));
        let has_token = matches!(self.auth, Auth::Login(_));
        (place != outgoing.address && !(is_login && has_token)).then_some(place)
    }

    /// Waits until another request may begin.
    fn wait_for_turn(&self) -> Result<(), SourceError> {
        loop {
            let wait = match self.pace.begin(self.transport.elapsed()) {
                Ok(()) => Duration::ZERO,
                Err(wait) => wait,
            };
            self.pause(wait)?;
            if wait.is_zero() {
                return Ok(());
            }
        }
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
}

/// Whether an address is another one with TLS around it: the same host, each at its usual port.
fn is_secured(from: &str, to: &str) -> bool {
    let (Some(from), Some(to)) = (Origin::of(from), Origin::of(to)) else {
        return false;
    };
    from.host == to.host
        && (from.scheme.as_str(), from.port) == ("http", 80)
        && (to.scheme.as_str(), to.port) == ("https", 443)
}
