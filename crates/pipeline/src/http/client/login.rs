//! Who asks: keys, passwords, and tokens that are got or made and that expire.

use std::collections::BTreeSet;
use std::sync::PoisonError;
use std::time::Duration;

use bowline_template::{Kind, Scope, Value};
use bowline_words::beginning;
use serde_json::Value as Json;

use super::judging::{Expiry, Failed, Judged, Rules};
use super::sending::Carried;
use super::{Answer, Client, Response, basic};
use crate::description::{Assertion, Auth, Aws, Login};
use crate::error::{SourceError, SourceErrorKind};
use crate::expression::{Expression, Template, headers_value};
use crate::http::address::Base;
use crate::http::excerpt::SHOWN;
use crate::http::prepared::{Prepared, Signs};
use crate::http::signature::{self, AwsKeys};
use crate::http::transport::Incoming;

/// How many tokens one request is tried with beyond the first, when others use them up.
const MOST_RENEWALS: usize = 8;
/// How long before its end a token is not used any more, at most.
const MARGIN: Duration = Duration::from_secs(60);

#[derive(Clone)]
pub(super) struct Token {
    value: String,
    /// Until when it is used.
    until: Option<Duration>,
    /// The base address that came with it.
    base: Option<Base>,
    /// Whether it let anybody in.
    accepted: bool,
}

impl Client {
    /// The request with the login; again with a fresh token when the old one is refused. A fresh token that is refused
    /// is the end, unless others used it up meanwhile.
    pub(super) fn authorized(
        &self,
        request: &Prepared,
        rules: &Rules<'_>,
    ) -> Result<Judged, SourceError> {
        if request.signs != Signs::Yes {
            return self.retrying(request, Some(&Carried::default()), rules);
        }
        let Auth::Login(login) = &self.auth else {
            return self.retrying(request, Some(&self.own_login()?), rules);
        };
        let mut token = self.token(login, None)?.value;
        let mut renewals = 0;
        loop {
            let carried = Carried {
                headers: login.headers.clone(),
                query: login.query.clone(),
                token: Some(token.clone()),
            };
            let judged = self.retrying(request, Some(&carried), rules)?;
            let Judged::Failed(failed) = &judged else {
                self.accept(&token);
                return Ok(judged);
            };
            if self.is_final(failed, &token, renewals) {
                return Ok(judged);
            }
            token = self.token(login, Some(&token))?.value;
            renewals += 1;
        }
    }

    /// Whether a new token would not help either.
    fn is_final(&self, failed: &Failed, token: &str, renewals: usize) -> bool {
        match failed.expiry {
            Expiry::No => true,
            Expiry::Yes => renewals == MOST_RENEWALS || (renewals > 0 && !self.was_accepted(token)),
            Expiry::Maybe => {
                let mut unhelped = self.unhelped.lock().unwrap_or_else(PoisonError::into_inner);
                if renewals > 0 {
                    unhelped.insert(failed.status);
                }
                unhelped.contains(&failed.status)
            }
        }
    }

    /// Remembers that a token lets us in.
    fn accept(&self, token: &str) {
        let mut slot = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = slot.as_mut().filter(|known| known.value == token) {
            known.accepted = true;
        }
    }

    /// Whether a token let anybody in; one that another has taken the place of did.
    fn was_accepted(&self, token: &str) -> bool {
        let slot = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        slot.as_ref()
            .is_none_or(|known| known.value != token || known.accepted)
    }

    fn own_login(&self) -> Result<Carried, SourceError> {
        let headers = match &self.auth {
            Auth::None | Auth::Login(_) | Auth::Aws(_) => Vec::new(),
            Auth::Basic(pair) => {
                let username = self.credential(&pair.username, "http.auth.username")?;
                let password = self.credential(&pair.password, "http.auth.password")?;
                let value = basic(&username, &password);
                vec![(
                    "authorization".to_owned(),
                    Template::Constant(Json::from(value)),
                )]
            }
            Auth::Header { name, value } => vec![(name.clone(), value.clone())],
        };
        Ok(Carried {
            headers,
            ..Carried::default()
        })
    }

    pub(super) fn aws_keys(&self, aws: &Aws) -> Result<AwsKeys, SourceError> {
        let key = |template: &Template, name: &str| {
            self.credential(template, &format!("http.auth.{name}"))
        };
        Ok(AwsKeys {
            region: key(&aws.region, "region")?,
            service: key(&aws.service, "service")?,
            access_key: key(&aws.access_key, "access_key")?,
            secret_key: key(&aws.secret_key, "secret_key")?,
            session_token: match &aws.session_token {
                Some(token) => Some(key(token, "session_token")?),
                None => None,
            },
        })
    }

    /// The base address: that of the credentials, or what the login's answer names.
    pub(in crate::http) fn base(&self) -> Result<Base, SourceError> {
        match &self.auth {
            Auth::Login(login) if login.base_url.is_some() => {
                let base = self.token(login, None)?.base;
                Ok(base.unwrap_or_else(|| self.base.clone()))
            }
            _ => Ok(self.base.clone()),
        }
    }

    /// The token in use, or a new one when there is none, it is too old, or it is the `refused` one.
    fn token(&self, login: &Login, refused: Option<&str>) -> Result<Token, SourceError> {
        // Held while logging in, so that many threads log in once.
        let mut slot = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(token) = &*slot {
            let now = self.transport.elapsed();
            let is_young = token.until.is_none_or(|until| now < until);
            if is_young && refused != Some(token.value.as_str()) {
                return Ok(token.clone());
            }
        }
        let token = self.log_in(login)?;
        *slot = Some(token.clone());
        Ok(token)
    }

    fn log_in(&self, login: &Login) -> Result<Token, SourceError> {
        let mut scope = self
            .scope
            .with([("now", Value::from(self.transport.now().to_string()))]);
        let kept = match &login.refresh_token {
            Some(_) => Some(self.kept.lock(&self.scope)?),
            None => None,
        };
        if let Some(kept) = &kept {
            self.keep_secret(&kept.token);
            scope = scope.with([("refresh_token", Value::from(kept.token.as_str()))]);
        }
        if let Some(assertion) = &login.assertion {
            let signed = self.signed(assertion, &scope)?;
            self.keep_secret(&signed);
            scope = scope.with([("assertion", Value::from(signed))]);
        }
        let since = self.transport.elapsed();
        let Some(request) = &login.request else {
            let lifetime = login.assertion.as_ref().map(|assertion| assertion.lifetime);
            let token = self.told(&login.token, &scope)?;
            return Ok(Token {
                value: token.as_text().unwrap_or_default().to_owned(),
                until: lifetime.map(|lifetime| since + safe(lifetime)),
                base: None,
                accepted: false,
            });
        };
        let prepared = self.filled(request, &scope, &self.base)?;
        let answer = match self.retrying(&prepared, None, &Rules::Login)? {
            Judged::Answer(Answer::Found(answer)) => answer,
            Judged::Answer(Answer::Missing(_)) => Response::default(),
            Judged::Failed(failed) => return Err(failed.error),
        };
        let scope = login_scope(&scope, &answer);
        let refused = || {
            let reason = said(&answer.body).map(|words| self.masked(&beginning(&words, SHOWN)));
            let error = self.error(SourceErrorKind::Unauthorized, &prepared);
            error.because(reason.map_or_else(
                || "the answer holds no token".to_owned(),
                |words| format!("the answer holds no token, but says: {words}"),
            ))
        };
        let told = match self.told(&login.token, &scope) {
            // What has no field for a token says why, or the description names another field.
            Err(_) if said(&answer.body).is_some() => return Err(refused()),
            told => told?,
        };
        let token = match told.kind() {
            Kind::Text(token) => token.trim().to_owned(),
            Kind::Integer(token) => token.to_string(),
            _ => String::new(),
        };
        if token.is_empty() {
            return Err(refused());
        }
        self.keep_secret(&token);
        if let (Some(next), Some(kept)) = (&login.refresh_token, kept) {
            let next = self.told(next, &scope)?;
            if let Some(next) = next.as_text().filter(|next| !next.is_empty()) {
                self.keep_secret(next);
                // Written before anything else is done: the one before it is not good any more.
                kept.replace(next)?;
            }
        }
        let base = match &login.base_url {
            Some(named) => Some(self.named_base(named, &scope, &prepared)?),
            None => None,
        };
        let lifetime = match login.lifetime {
            Some(lifetime) => Some(lifetime),
            None => self.lifetime(login, &answer, &scope)?,
        };
        Ok(Token {
            value: token,
            until: lifetime.map(|lifetime| since + lifetime),
            base,
            accepted: false,
        })
    }

    fn named_base(
        &self,
        named: &Expression,
        scope: &Scope,
        prepared: &Prepared,
    ) -> Result<Base, SourceError> {
        let value = self.told(named, scope)?;
        let text = value.as_text().unwrap_or_default();
        let whole = bowline_http::resolve(text, &prepared.address);
        let whole = whole.unwrap_or_else(|elsewhere| elsewhere);
        Base::of(&whole).map_err(|hint| {
            self.error(SourceErrorKind::Unauthorized, prepared)
                .because(format!("`{}` gives no address", named.text()))
                .hint(hint.to_owned())
        })
    }

    /// Whether the answer to a login sets the cookie that the token is looked for in.
    pub(super) fn holds_session(&self, raw: &Incoming) -> bool {
        let Auth::Login(login) = &self.auth else {
            return false;
        };
        (200..400).contains(&raw.status)
            && raw.headers.contains_key("set-cookie")
            && login.token.names().contains("cookies")
    }

    /// How long a token is used by what the answer says.
    fn lifetime(
        &self,
        login: &Login,
        answer: &Response,
        scope: &Scope,
    ) -> Result<Option<Duration>, SourceError> {
        let told = match &login.expires_in {
            Some(expires_in) => self.told(expires_in, scope)?,
            None => answer.body.get("expires_in").unwrap_or_default(),
        };
        let text = told.as_text().and_then(|text| text.trim().parse().ok());
        let seconds: Option<f64> = told.as_number().or(text);
        let lifetime = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        Ok(lifetime.map(safe))
    }

    /// The value of an expression over a login's answer. It holds a token, so no error shows it.
    fn told(&self, expression: &Expression, scope: &Scope) -> Result<Value, SourceError> {
        let value = expression.evaluate(scope);
        value.map_err(|problem| self.expression_error(expression, &problem, &Json::Null))
    }

    fn signed(&self, assertion: &Assertion, scope: &Scope) -> Result<String, SourceError> {
        let failed = |failed| self.credential_error("http.auth", failed);
        let mut claims = serde_json::Map::new();
        for (name, claim) in &assertion.claims {
            let value = claim.evaluate(scope).map_err(failed)?;
            claims.insert(name.clone(), value);
        }
        let key = assertion.key.text(scope).map_err(failed)?;
        let key_id = match &assertion.key_id {
            Some(key_id) => Some(key_id.text(scope).map_err(failed)?),
            None => None,
        };
        let now = self.transport.now();
        signature::token(assertion, claims, &key, key_id, now).map_err(|(reason, hint)| {
            SourceError::new(SourceErrorKind::Credentials, "`http.auth.private_key`")
                .because(reason)
                .hint(hint.map(str::to_owned))
        })
    }

    /// Makes the tokens of a login secrets before anybody sees the answer that they came in.
    pub(super) fn note_tokens(&self, raw: &Incoming) {
        let Auth::Login(login) = &self.auth else {
            return;
        };
        let answer = Response {
            status: raw.status,
            headers: raw.headers.clone(),
            body: self.loosely_decoded(raw),
        };
        let scope = login_scope(&self.scope, &answer);
        for expression in login.refresh_token.iter().chain([&login.token]) {
            let value = expression.evaluate(&scope);
            if let Some(text) = value.ok().as_ref().and_then(Value::as_text) {
                self.keep_secret(text.trim());
            }
        }
    }
}

/// What a login's answer without a token says went wrong.
fn said(body: &Value) -> Option<String> {
    let words = ["error_description", "error", "message", "msg", "detail"];
    words.into_iter().find_map(|name| {
        let value = body.get(name)?;
        let text = match value.get("message") {
            Some(message) => message,
            None => value,
        };
        let text = text.as_text()?.trim();
        (!text.is_empty()).then(|| text.to_owned())
    })
}

/// How long something is used that is good for so long.
fn safe(lifetime: Duration) -> Duration {
    lifetime.saturating_sub(MARGIN.min(lifetime / 10))
}

fn login_scope(scope: &Scope, answer: &Response) -> Scope {
    let headers = headers_value(answer.headers.clone(), &BTreeSet::new());
    let set = answer.headers.get("set-cookie").map_or("", String::as_str);
    let cookies = set.lines().filter_map(|cookie| {
        let (pair, _) = cookie.split_once(';').unwrap_or((cookie, ""));
        let (name, value) = pair.split_once('=')?;
        Some((name.trim(), Value::from(value.trim())))
    });
    scope.with([
        ("response", answer.body.clone()),
        ("headers", headers),
        ("cookies", Value::mapping(cookies)),
    ])
}
