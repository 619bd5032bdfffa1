//! `[http]`: base address, login, limits, and what counts as failure.

use std::time::Duration;

use super::auth::{Auth, REQUEST};
use super::section::Section;
use crate::expression::{Expression, Template};

/// `[http]`.
#[derive(Debug, Clone)]
pub struct Http {
    /// The address that paths are appended to.
    pub base_url: Template,
    /// How to say who asks.
    pub auth: Auth,
    /// Headers of every request; those of a login and of the request itself take their place.
    pub headers: Vec<(String, Template)>,
    /// Query parameters of every request below the base address; those of the request itself take their place.
    pub query: Vec<(String, Template)>,
    /// Who is trusted, and who we are, where certificates say it.
    pub tls: Tls,
    /// The proxy that all requests go through; that of the environment when not said.
    pub proxy: Option<Template>,
    /// What counts as failure although the status says success.
    pub reject: Vec<RejectRule>,
    /// How hard the vendor may be asked.
    pub limits: Limits,
}

/// Certificates and keys: each in PEM, or the path of a file that holds it.
#[derive(Debug, Clone, Default)]
pub struct Tls {
    /// The authorities that the vendor's certificate is checked against, instead of the system's.
    pub ca: Option<Template>,
    /// Our own certificate, with those that stand behind it.
    pub certificate: Option<Template>,
    /// The private key of our certificate.
    pub private_key: Option<Template>,
}

/// An answer that counts as failure although its status says success.
#[derive(Debug, Clone)]
pub struct RejectRule {
    /// Whether it does.
    pub when: Expression,
    /// What to say then.
    pub message: Option<Expression>,
    /// What to do then.
    pub then: Then,
}

/// What to do about an answer that counts as failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// It is a failure.
    Fail,
    /// The request is tried again, as after too many requests.
    Retry,
    /// The token has expired: the request is tried again with a new one.
    LogIn,
}

/// How hard the vendor may be asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// How long one request may take, in all.
    pub timeout: Duration,
    /// How often a request is tried again after a status that may pass, a cut connection or a timeout.
    pub retries: u32,
    /// The statuses that may pass; those that usually do when not said.
    pub retry_statuses: Option<Vec<u16>>,
    /// Headers of refusals that say when to come back, beside those that many vendors have.
    pub reset_headers: Vec<String>,
    /// A header that says how many requests are left: at 0 all wait until the limit is lifted.
    pub remaining_header: Option<String>,
    /// The longest wait before another try, whatever the vendor asks for.
    pub longest_wait: Duration,
    /// Requests under way at the same time.
    pub in_flight: usize,
    /// Requests begun per second; any number when not said.
    pub per_second: Option<f64>,
    /// The largest answer, in bytes.
    pub body: u64,
    /// How much memory the values of one answer may take, in bytes.
    pub memory: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            retries: 4,
            retry_statuses: None,
            reset_headers: Vec::new(),
            remaining_header: None,
            longest_wait: Duration::from_secs(60),
            in_flight: 8,
            per_second: None,
            body: 64 << 20,
            memory: 256 << 20,
        }
    }
}

impl Http {
    pub(super) fn read(section: &mut Section<'_, '_, '_>) -> Option<Self> {
        let base_url = section.required_template("base_url");
        let auth = section
            .table("auth", |auth| Auth::read(auth))
            .unwrap_or(Some(Auth::None));
        let headers = section.templates("headers");
        let query = section.templates("query");
        let reject = RejectRule::read_all(section);
        let limits = section.table("limits", |limits| Limits::read(limits));
        let tls = section.table("tls", |tls| Tls {
            ca: tls.template("ca"),
            certificate: tls.template("certificate"),
            private_key: tls.template("private_key"),
        });
        let proxy = section.template("proxy");
        Some(Self {
            base_url: base_url?,
            auth: auth?,
            headers,
            query,
            tls: tls.unwrap_or_default(),
            proxy,
            reject,
            limits: limits.unwrap_or_default(),
        })
    }

    /// Shows every expression, with the names that it sees beside those that all see.
    pub(super) fn visit(&self, visit: &mut impl FnMut(&Expression, &[&str])) {
        let Tls {
            ca,
            certificate,
            private_key,
        } = &self.tls;
        let queries = self.query.iter().map(|(_, template)| template);
        let templates = std::iter::once(&self.base_url)
            .chain(
                [&self.proxy, ca, certificate, private_key]
                    .into_iter()
                    .flatten(),
            )
            .chain(queries);
        for expression in templates.flat_map(Template::expressions) {
            visit(expression, &[]);
        }
        let headers = self.headers.iter().map(|(_, template)| template);
        for expression in headers.flat_map(Template::expressions) {
            visit(expression, &REQUEST);
        }
        for rule in &self.reject {
            rule.visit(visit);
        }
        self.auth.visit(visit);
    }
}

impl Limits {
    fn read(section: &mut Section<'_, '_, '_>) -> Self {
        let standard = Self::default();
        let megabytes = |count: usize| (count as u64) << 20;
        let given = section.has("retry_statuses");
        let statuses = section.counts("retry_statuses");
        Self {
            timeout: section
                .seconds("timeout_seconds")
                .unwrap_or(standard.timeout),
            retries: section
                .count("retries", 0)
                .and_then(|count| u32::try_from(count).ok())
                .unwrap_or(standard.retries),
            retry_statuses: given.then_some(statuses),
            reset_headers: lowered(section.texts("reset_headers")),
            remaining_header: section
                .text("remaining_header")
                .map(|name| name.to_ascii_lowercase()),
            longest_wait: section
                .seconds("longest_wait_seconds")
                .unwrap_or(standard.longest_wait),
            in_flight: section.count("in_flight", 1).unwrap_or(standard.in_flight),
            per_second: section.number("per_second"),
            body: section.count("body_mb", 1).map_or(standard.body, megabytes),
            memory: section
                .count("memory_mb", 1)
                .map_or(standard.memory, megabytes),
        }
    }
}

fn lowered(names: Vec<String>) -> Vec<String> {
    let names = names.into_iter();
    names.map(|name| name.to_ascii_lowercase()).collect()
}

impl RejectRule {
    pub(super) fn read_all(section: &mut Section<'_, '_, '_>) -> Vec<Self> {
        section.tables("reject", |rule| {
            let message = rule.expression("message");
            let then = match rule.choice("then", ["fail", "retry", "log_in"]) {
                None | Some("fail") => Then::Fail,
                Some("retry") => Then::Retry,
                Some(_) => Then::LogIn,
            };
            Some(Self {
                when: rule.required_expression("when")?,
                message,
                then,
            })
        })
    }

    pub(super) fn visit(&self, visit: &mut impl FnMut(&Expression, &[&str])) {
        for expression in std::iter::once(&self.when).chain(&self.message) {
            visit(expression, &["response", "headers", "status"]);
        }
    }
}
