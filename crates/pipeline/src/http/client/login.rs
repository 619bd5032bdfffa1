//! Who asks: keys, passwords, and tokens that a login gives and that expire.

use std::sync::PoisonError;
use std::time::Duration;

use base64::Engine;
use serde_json::Value as Json;

use super::{Client, Prepared};
use crate::description::{Auth, Login};
use crate::error::{SourceError, SourceErrorKind};
use crate::expression::to_value;
use crate::http::transport::Incoming;

/// How many tokens one request is tried with beyond the first, when others use them up.
const MOST_RENEWALS: usize = 8;

#[derive(Clone)]
pub(super) struct Token {
    value: String,
    since: Duration,
    /// Whether it let anybody in.
    accepted: bool,
}

impl Client {
    /// The request with the login; again with a fresh token when the old one is refused. A fresh token that is refused
    /// is the end, unless others used it up meanwhile.
    pub(super) fn authorized(&self, request: &Prepared) -> Result<Incoming, SourceError> {
        let Auth::Login(login) = &self.auth else {
            return self.retrying(request, self.own_login()?);
        };
        let mut token = self.token(login, None)?;
        let mut renewals = 0;
        loop {
            let raw = self.retrying(request, Some(self.carried(login, &token)?))?;
            if raw.status != 401 {
                self.accept(&token);
                return Ok(raw);
            }
            if renewals == MOST_RENEWALS || (renewals > 0 && !self.was_accepted(&token)) {
                return Ok(raw);
            }
            token = self.token(login, Some(&token))?;
            renewals += 1;
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

    fn own_login(&self) -> Result<Option<(String, String)>, SourceError> {
        match &self.auth {
            Auth::None | Auth::Login(_) => Ok(None),
            Auth::Basic { username, password } => {
                let username = self.credential(username, "http.auth.username")?;
                let password = self.credential(password, "http.auth.password")?;
                let pair = base64::engine::general_purpose::STANDARD
                    .encode(format!("{username}:{password}"));
                Ok(Some(("authorization".to_owned(), format!("Basic {pair}"))))
            }
            Auth::Header { name, value } => Ok(Some((
                name.clone(),
                self.credential(value, "http.auth.value")?,
            ))),
        }
    }

    fn carried(&self, login: &Login, token: &str) -> Result<(String, String), SourceError> {
        let scope = self
            .scope
            .with([("token", bowline_template::Value::from(token))]);
        let value = login.value.text(&scope, str::to_owned);
        value
            .map(|value| (login.header.clone(), value))
            .map_err(|(expression, problem)| {
                self.expression_error(expression, &problem, &Json::Null)
            })
    }

    /// The token in use, or a new one when there is none, it is too old, or it is the `refused` one.
    fn token(&self, login: &Login, refused: Option<&str>) -> Result<String, SourceError> {
        // Held while logging in, so that many threads log in once.
        let mut slot = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(token) = &*slot {
            let young = login
                .lifetime
                .is_none_or(|lifetime| self.transport.elapsed() - token.since < lifetime);
            if young && refused != Some(token.value.as_str()) {
                return Ok(token.value.clone());
            }
        }
        let request = self
            .prepare(&login.request, &self.scope)
            .map_err(|(_, problem)| {
                SourceError::new(SourceErrorKind::Credentials, "`http.auth.request`")
                    .because(self.masked(&problem.message))
                    .hint(problem.hint)
            })?;
        let raw = self.retrying(&request, None)?;
        self.judge_status(&request, &raw)?;
        let answer = self.read(&request, raw)?;
        let scope = self.scope.with([("response", to_value(answer.body))]);
        // The answer holds a token, so no error shows it.
        let token = login
            .token
            .evaluate(&scope)
            .map_err(|problem| self.expression_error(&login.token, &problem, &Json::Null))?;
        let Some(text) = token.as_text() else {
            return Err(self
                .error(SourceErrorKind::Unauthorized, &request)
                .because("the answer holds no token"));
        };
        self.issued
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(text.to_owned());
        *slot = Some(Token {
            value: text.to_owned(),
            since: self.transport.elapsed(),
            accepted: false,
        });
        Ok(text.to_owned())
    }
}
