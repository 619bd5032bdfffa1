//! Requests with everything filled in, and the addresses that they go to.

use std::borrow::Cow;

use bowline_http::Origin;
use bowline_template::Scope;
use bowline_words::{percent_encode, percent_encode_foreign};
use serde_json::Value as Json;

use super::address::Base;
use super::client::Client;
use super::pace::Turn;
use crate::description::{BodyFormat, Follow, Hosts, Keep, Request};
use crate::error::{SourceError, SourceErrorKind};
use crate::expression::{Template, text_of};

/// A request with everything filled in but what says who asks.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    pub(crate) method: Cow<'static, str>,
    pub(crate) address: String,
    /// The query parameters in the address that are not part of its path.
    pub(super) query: Vec<(String, String)>,
    /// How many of them, from the first, all requests have.
    pub(super) shared: usize,
    /// The headers that it has unless somebody else sets them.
    pub(super) standard: Vec<(&'static str, &'static str)>,
    /// The headers of its own.
    pub(super) headers: Vec<(String, String)>,
    pub(crate) body: Option<String>,
    pub(crate) format: Option<BodyFormat>,
    /// Which page of a list it asks for, from 1.
    pub(crate) page: Option<usize>,
    /// Before whom it goes.
    pub(crate) turn: Turn,
    /// Whether it says who asks.
    pub(super) signs: Signs,
}

/// Whether a request says who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signs {
    Yes,
    /// A vendor's record sends us to a host that the description does not name.
    No,
    /// It does to one that may know, but in the clear, where the base address does not go.
    Unsecured,
}

impl Prepared {
    /// The request for the page at another address; this is that for the first.
    pub(crate) fn at(&self, address: String, body: Keep) -> Self {
        let mut next = Self {
            address,
            ..self.clone()
        };
        if body == Keep::No {
            next.method = Cow::Borrowed("GET");
            next.body = None;
        }
        next
    }
}

impl Client {
    /// The address of the next page that a link on the page of a request stands for.
    pub(crate) fn next_address(
        &self,
        request: &Prepared,
        link: &str,
        follow: &Follow,
    ) -> Result<String, SourceError> {
        let address = match bowline_http::resolve(link, &request.address) {
            Ok(address) => address,
            Err(foreign) => self.elsewhere(request, foreign, &follow.hosts)?,
        };
        let given = address.split_once('?').map_or("", |(_, query)| query);
        let given: Vec<Cow<'_, str>> = given
            .split('&')
            .map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name))
            .map(|name| percent_encoding::percent_decode_str(name).decode_utf8_lossy())
            .collect();
        let of_all = match follow.query {
            Keep::Yes => request.query.len(),
            Keep::No => request.shared,
        };
        let lacking = request.query[..of_all].iter();
        let lacking: Vec<(String, String)> = lacking
            .filter(|(name, _)| !given.iter().any(|given| given == name))
            .cloned()
            .collect();
        Ok(with_query(address, &lacking))
    }

    /// An address on another host, if the description lets it be.
    fn elsewhere(
        &self,
        request: &Prepared,
        address: String,
        hosts: &Hosts,
    ) -> Result<String, SourceError> {
        let origin = Origin::of(&address);
        let is_web = origin
            .as_ref()
            .is_some_and(|origin| matches!(origin.scheme.as_str(), "http" | "https"));
        let host = origin.map(|origin| origin.host).unwrap_or_default();
        match hosts {
            Hosts::Ignored if is_web => {
                let path = path_of(&address);
                let page = &request.address;
                return Ok(format!(
                    "{}{path}",
                    &page[..page.len() - path_of(page).len()]
                ));
            }
            // A login that goes over TLS goes nowhere without it.
            Hosts::Named(names)
                if is_web
                    && names_host(names, &host)
                    && (address.starts_with("https:") || request.address.starts_with("http:")) =>
            {
                return Ok(address);
            }
            _ => {}
        }
        Err(SourceError::new(
            SourceErrorKind::ForeignHost,
            format!("`{}`", self.shown_address(&address)),
        )
        .hint(format!(
            "use the address that the vendor itself uses as the base address, or write `hosts` in `pages`: \
             `[\"{host}\"]` if that is the vendor too, `\"ignore\"` if a proxy stands in front of it"
        )))
    }
}

/// Whether a host is one of those named, or below one that is named with `*.` before it.
fn names_host(names: &[String], host: &str) -> bool {
    names.iter().any(|name| match name.strip_prefix("*.") {
        Some(name) => {
            let name = name.to_ascii_lowercase();
            host.strip_suffix(name.as_str())
                .is_some_and(|before| before.ends_with('.'))
        }
        None => name.eq_ignore_ascii_case(host),
    })
}

/// The path and query of a whole address.
fn path_of(address: &str) -> &str {
    let host = address.find("://").map_or(0, |at| at + 3);
    let path = address[host..].find(['/', '?', '#']);
    &address[path.map_or(address.len(), |at| host + at)..]
}

/// Sets a header; whatever another of that name was is gone.
pub(super) fn set(headers: &mut Vec<(String, String)>, name: &str, value: String) {
    headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    headers.push((name.to_owned(), value));
}

/// An address with these parameters behind those that it has.
pub(super) fn with_query(mut address: String, query: &[(String, String)]) -> String {
    let fragment = address.find('#');
    address.truncate(fragment.unwrap_or(address.len()));
    for (name, value) in query {
        address.push(if address.contains('?') { '&' } else { '?' });
        address.push_str(&percent_encode(name));
        address.push('=');
        address.push_str(&percent_encode(value));
    }
    address
}

/// Names and values as forms and queries have them.
pub(super) fn pairs(values: impl IntoIterator<Item = (String, Json)>) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for (name, value) in values {
        match value {
            Json::Null => {}
            Json::Array(values) => {
                let values = values.iter();
                pairs.extend(values.map(|value| (name.clone(), text_of(value))));
            }
            one => pairs.push((name, text_of(&one))),
        }
    }
    pairs
}

impl Client {
    /// Fills in a request.
    pub(crate) fn prepare(
        &self,
        request: &Request,
        scope: &Scope,
    ) -> Result<Prepared, SourceError> {
        // A login that names the base address has to come first, but not for an address of its own.
        if !request.absolute {
            return self.filled(request, scope, &self.base()?);
        }
        let mut prepared = self.filled(request, scope, &Base::default())?;
        prepared.signs = self.signs(request, &prepared.address, scope)?;
        Ok(prepared)
    }

    /// Whether the host of a whole address is one that the description or the credentials name, so that our login may go
    /// there. A vendor's record may name any.
    fn signs(&self, request: &Request, address: &str, scope: &Scope) -> Result<Signs, SourceError> {
        let failed = |(expression, problem): (&_, _)| {
            self.expression_error(expression, &problem, &Json::Null)
        };
        let own = request.path.own_beginning();
        let own = own.address(scope).map_err(failed)?;
        let own = Origin::of(&percent_encode_foreign(&own));
        let Some(origin) = Origin::of(address) else {
            return Ok(Signs::No);
        };
        if own.as_ref() == Some(&origin) {
            return Ok(Signs::Yes);
        }
        let base = Origin::of(&percent_encode_foreign(&self.base()?.address));
        if base.as_ref() == Some(&origin) {
            return Ok(Signs::Yes);
        }
        let domain = request.path.domain();
        let is_below = domain.is_some_and(|domain| origin.host.ends_with(&domain));
        let hosts = request.hosts.as_deref().unwrap_or_default();
        let is_base = base.as_ref().is_some_and(|base| base.host == origin.host);
        let is_named =
            is_below || names_host(hosts, &origin.host) || self.own_places.mention(&origin);
        let is_secured = origin.scheme == "https" || base.is_some_and(|base| base.scheme == "http");
        Ok(match (is_named, is_secured) {
            (true, true) => Signs::Yes,
            (true, false) => Signs::Unsecured,
            (false, false) if is_base => Signs::Unsecured,
            (false, _) => Signs::No,
        })
    }

    /// The same below a given base address.
    pub(super) fn filled(
        &self,
        request: &Request,
        scope: &Scope,
        base: &Base,
    ) -> Result<Prepared, SourceError> {
        let failed = |(expression, problem): (&_, _)| {
            self.expression_error(expression, &problem, &Json::Null)
        };
        let named = |templates: &[(String, Template)], scope: &Scope| {
            let values = templates.iter().map(|(name, template)| {
                let value = template.evaluate(scope).map_err(failed)?;
                Ok((name.clone(), value))
            });
            values.collect::<Result<Vec<_>, SourceError>>().map(pairs)
        };
        let mut query = named(&request.query, scope)?;
        let mut shared = 0;
        let address = if request.absolute {
            request.path.address(scope).map_err(failed)?
        } else {
            let is_own = |name: &str| request.query.iter().any(|(own, _)| own == name);
            let mut all = base.query.clone();
            all.extend(named(&self.query, &self.scope)?);
            all.retain(|(name, _)| !is_own(name));
            shared = all.len();
            all.append(&mut query);
            query = all;
            let path = request.path.path(scope).map_err(failed)?;
            format!("{}/{}", base.address, path.trim_start_matches('/'))
        };
        let mut headers = Vec::new();
        for (name, template) in &request.headers {
            let value = template.text(scope).map_err(failed)?;
            set(&mut headers, name, value);
        }
        if let Some(basic) = &request.basic {
            let username = basic.username.text(scope).map_err(failed)?;
            let password = basic.password.text(scope).map_err(failed)?;
            let value = super::client::basic(&username, &password);
            set(&mut headers, "Authorization", value);
        }
        let mut standard = vec![("accept", accept(request.format))];
        let mut typed = |kind, body: String| {
            standard.push(("content-type", kind));
            Some(body)
        };
        const JSON: &str = "application/json";
        let body = if let Some(query) = &request.graphql {
            let variables = match &request.variables {
                Some(variables) => variables.evaluate(scope).map_err(failed)?,
                None => Json::Object(serde_json::Map::new()),
            };
            let body = serde_json::json!({"query": query, "variables": variables});
            typed(JSON, body.to_string())
        } else if let Some(json) = &request.json {
            let kind = headers
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
            let is_other = kind.is_some_and(|(_, kind)| !kind.contains("json"));
            match json.evaluate(scope).map_err(failed)? {
                // A text that calls itself something else is that.
                Json::String(text) if is_other => typed(JSON, text),
                json => typed(JSON, json.to_string()),
            }
        } else if !request.form.is_empty() {
            let form = with_query(String::new(), &named(&request.form, scope)?);
            let form = form.trim_start_matches('?').to_owned();
            typed("application/x-www-form-urlencoded", form)
        } else if let Some(body) = &request.body {
            let body = body.text(scope).map_err(failed)?;
            typed("text/plain; charset=utf-8", body)
        } else if request.method == "POST" {
            // Without a length some servers refuse it, by 411.
            Some(String::new())
        } else {
            None
        };
        Ok(Prepared {
            method: Cow::Owned(request.method.clone()),
            // What stands in the description is written as people write it.
            address: with_query(percent_encode_foreign(&address), &query),
            query,
            shared,
            standard,
            headers,
            body,
            format: request.format,
            page: None,
            turn: Turn::default(),
            signs: Signs::Yes,
        })
    }
}

const fn accept(format: Option<BodyFormat>) -> &'static str {
    match format {
        None | Some(BodyFormat::Json) => "application/json",
        Some(BodyFormat::JsonLines) => "application/x-ndjson",
        Some(BodyFormat::Csv { .. }) => "text/csv",
        Some(BodyFormat::Xml) => "application/xml, text/xml",
        Some(BodyFormat::Text) => "text/plain",
    }
}
