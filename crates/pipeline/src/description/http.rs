//! `[http]`: base address, login, limits, and what counts as failure.

use std::time::Duration;

use bowline_connector::folder::ProblemKind;

use super::section::Section;
use super::sources::{self, Request};
use crate::expression::{Expression, Template};

/// `[http]`.
#[derive(Debug, Clone)]
pub struct Http {
    /// The address that paths are appended to.
    pub base_url: Template,
    /// How to say who asks.
    pub auth: Auth,
    /// Headers of every request.
    pub headers: Vec<(String, Template)>,
    /// What counts as failure although the status says success.
    pub reject: Vec<RejectRule>,
    /// How hard the vendor may be asked.
    pub limits: Limits,
}

/// How to say who asks.
#[derive(Debug, Clone)]
pub enum Auth {
    /// Not at all.
    None,
    /// A user name and a password.
    Basic {
        /// The user's name.
        username: Template,
        /// The password.
        password: Template,
    },
    /// A header with a key or token in it.
    Header {
        /// The header's name.
        name: String,
        /// Its value.
        value: Template,
    },
    /// A request that gives a token.
    Login(Box<Login>),
}

/// A request that gives a token, which a header then carries.
#[derive(Debug, Clone)]
pub struct Login {
    /// The request; its path may be a whole address outside the base address.
    pub request: Request,
    /// The token in the answer, called `response`.
    pub token: Expression,
    /// The header that carries the token.
    pub header: String,
    /// The header's value, with `token` in it.
    pub value: Template,
    /// How long a token is used before a new one is asked for; until it is refused when not said.
    pub lifetime: Option<Duration>,
}

/// An answer that counts as failure although its status says success.
#[derive(Debug, Clone)]
pub struct RejectRule {
    /// Whether it does.
    pub when: Expression,
    /// What to say then.
    pub message: Option<Expression>,
}

/// How hard the vendor may be asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// How long one request may take, in all.
    pub timeout: Duration,
    /// How often a request is tried again after 429, 5xx, a cut connection or a timeout.
    pub retries: u32,
    /// The longest wait before another try, whatever the vendor asks for.
    pub longest_wait: Duration,
    /// Requests under way at the same time.
    pub in_flight: usize,
    /// Requests begun per second; any number when not said.
    pub per_second: Option<f64>,
    /// The largest answer, in bytes.
    pub body: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            retries: 4,
            longest_wait: Duration::from_secs(60),
            in_flight: 8,
            per_second: None,
            body: 64 << 20,
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
        let reject = section.tables("reject", |rule| {
            let message = rule.expression("message");
            Some(RejectRule {
                when: rule.required_expression("when")?,
                message,
            })
        });
        let standard = Limits::default();
        let limits = section
            .table("limits", |limits| {
                Some(Limits {
                    timeout: limits
                        .seconds("timeout_seconds")
                        .unwrap_or(standard.timeout),
                    retries: limits
                        .count("retries", 0)
                        .and_then(|count| u32::try_from(count).ok())
                        .unwrap_or(standard.retries),
                    longest_wait: limits
                        .seconds("longest_wait_seconds")
                        .unwrap_or(standard.longest_wait),
                    in_flight: limits.count("in_flight", 1).unwrap_or(standard.in_flight),
                    per_second: limits.number("per_second"),
                    body: limits
                        .count("body_mb", 1)
                        .map_or(standard.body, |mega| (mega as u64) << 20),
                })
            })
            .flatten()
            .unwrap_or(standard);
        Some(Self {
            base_url: base_url?,
            auth: auth?,
            headers,
            reject,
            limits,
        })
    }
}

impl Auth {
    const KINDS: [&str; 4] = ["none", "basic", "header", "login"];

    fn read(section: &mut Section<'_, '_, '_>) -> Option<Self> {
        let kind = section.required_text("kind")?;
        match kind.as_str() {
            "none" => Some(Self::None),
            "basic" => {
                let username = section.required_template("username");
                let password = section.required_template("password");
                Some(Self::Basic {
                    username: username?,
                    password: password?,
                })
            }
            "header" => {
                let name = section.text("name");
                Some(Self::Header {
                    name: name.unwrap_or_else(|| "Authorization".to_owned()),
                    value: section.required_template("value")?,
                })
            }
            "login" => {
                let request = section.table("request", sources::read_request);
                let token = section.required_expression("token");
                let header = section.text("header");
                let value = section.template("value");
                let lifetime = section.seconds("lifetime_seconds");
                if request.is_none() {
                    section.missing("request");
                }
                let bearer = || Template::compile("Bearer {{ token }}", 0).ok();
                Some(Self::Login(Box::new(Login {
                    request: request??,
                    token: token?,
                    header: header.unwrap_or_else(|| "Authorization".to_owned()),
                    value: value.or_else(bearer)?,
                    lifetime,
                })))
            }
            other => {
                let hint = bowline_words::nearest::hint(other, Self::KINDS);
                section.report_at(
                    "kind",
                    ProblemKind::InvalidValue,
                    format!("unknown kind of auth: `{other}`"),
                    Some(hint),
                );
                section.forget_unknown();
                None
            }
        }
    }
}
