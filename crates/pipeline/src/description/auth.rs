//! `[http.auth]`: how to say who asks.

use std::time::Duration;

use bowline_connector::folder::ProblemKind;

use super::section::{Form, Section};
use super::sources::{self, Request};
use crate::expression::{Expression, Template};

/// How to say who asks.
#[derive(Debug, Clone)]
pub enum Auth {
    /// Not at all.
    None,
    /// A user name and a password.
    Basic(Pair),
    /// A header with a key or token in it.
    Header {
        /// The header's name.
        name: String,
        /// Its value.
        value: Template,
    },
    /// A token that has to be got, or made, first.
    Login(Box<Login>),
    /// A signature over each request, as AWS asks for it.
    Aws(Box<Aws>),
}

/// A user name and a password.
#[derive(Debug, Clone)]
pub struct Pair {
    /// The user's name.
    pub username: Template,
    /// The password.
    pub password: Template,
}

/// A token, and how it is come by.
#[derive(Debug, Clone)]
pub struct Login {
    /// The request that gives it, whose path may be a whole address outside the base address; when there is none, the
    /// assertion is the token.
    pub request: Option<Request>,
    /// What is signed for the request, called `assertion` there.
    pub assertion: Option<Assertion>,
    /// The token in the answer, which is called `response`, with `headers` and `cookies`.
    pub token: Expression,
    /// The headers that carry the token, with `token` in them.
    pub headers: Vec<(String, Template)>,
    /// The query parameters that carry it.
    pub query: Vec<(String, Template)>,
    /// How long a token is used before a new one is asked for, whatever the answer says.
    pub lifetime: Option<Duration>,
    /// How many seconds the answer says that it is good for; `expires_in` when not said.
    pub expires_in: Option<Expression>,
    /// The base address that the answer names for all other requests.
    pub base_url: Option<Expression>,
    /// Whether an answer to another request says that the token has expired.
    pub expired: Option<Expression>,
    /// The next refresh token in the answer, kept until the next login, where it is called `refresh_token`.
    pub refresh_token: Option<Expression>,
}

/// A JSON Web Token that is signed here.
#[derive(Debug, Clone)]
pub struct Assertion {
    /// What it claims, beside when it was issued and expires.
    pub claims: Vec<(String, Template)>,
    /// The private key in PEM, or the shared secret.
    pub key: Template,
    /// The key's name.
    pub key_id: Option<Template>,
    /// How it is signed.
    pub algorithm: Algorithm,
    /// How long it is good for.
    pub lifetime: Duration,
}

/// How a JSON Web Token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// With a private key of RSA.
    Rs256,
    /// With a private key of the curve P-256.
    Es256,
    /// With a shared secret.
    Hs256,
}

/// What AWS signatures are made with.
#[derive(Debug, Clone)]
pub struct Aws {
    /// The region, such as `eu-central-1`.
    pub region: Template,
    /// The service, such as `states`.
    pub service: Template,
    /// The id of the access key.
    pub access_key: Template,
    /// The secret of the access key.
    pub secret_key: Template,
    /// The session's token, of keys that are lent.
    pub session_token: Option<Template>,
}

/// How long a signed token is good for when nothing is said: short, but longer than clocks differ.
const ASSERTION_LIFETIME: Duration = Duration::from_secs(300);
const AUTHORIZATION: &str = "Authorization";
const KINDS: [&str; 7] = [
    "none",
    "basic",
    "header",
    "login",
    "client_credentials",
    "jwt",
    "aws",
];
const ALGORITHMS: [&str; 3] = ["RS256", "ES256", "HS256"];
const CLIENT_IN: [&str; 2] = ["form", "basic"];

impl Auth {
    pub(super) fn read(section: &mut Section<'_, '_, '_>) -> Option<Self> {
        let kind = section.required_text("kind")?;
        match kind.as_str() {
            "none" => Some(Self::None),
            "basic" => Pair::read(section).map(Self::Basic),
            "header" => {
                let name = section.text("name");
                Some(Self::Header {
                    name: name.unwrap_or_else(|| AUTHORIZATION.to_owned()),
                    value: section.required_template("value")?,
                })
            }
            "login" => Login::read(section),
            "client_credentials" => Login::of_client(section),
            "jwt" => Login::of_assertion(section),
            "aws" => {
                let region = section.required_template("region");
                let service = section.required_template("service");
                let access_key = section.required_template("access_key");
                let secret_key = section.required_template("secret_key");
                let session_token = section.template("session_token");
                Some(Self::Aws(Box::new(Aws {
                    region: region?,
                    service: service?,
                    access_key: access_key?,
                    secret_key: secret_key?,
                    session_token,
                })))
            }
            other => {
                let hint = bowline_words::nearest::hint(other, KINDS);
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

    /// Shows every expression, with the names that it sees beside those that all see.
    pub(super) fn visit(&self, visit: &mut impl FnMut(&Expression, &[&str])) {
        let templates: Vec<&Template> = match self {
            Self::None => Vec::new(),
            Self::Basic(pair) => pair.templates().to_vec(),
            Self::Header { value, .. } => vec![value],
            Self::Aws(aws) => aws.templates(),
            Self::Login(login) => return login.visit(visit),
        };
        for expression in templates.into_iter().flat_map(Template::expressions) {
            visit(expression, &REQUEST);
        }
    }
}

/// What is known of a request whose headers are made.
pub(super) const REQUEST: [&str; 2] = ["request", "now"];

impl Pair {
    pub(super) fn read(section: &mut Section<'_, '_, '_>) -> Option<Self> {
        let username = section.required_template("username");
        let password = section.required_template("password");
        Some(Self {
            username: username?,
            password: password?,
        })
    }

    pub(super) fn templates(&self) -> [&Template; 2] {
        [&self.username, &self.password]
    }
}

impl Aws {
    fn templates(&self) -> Vec<&Template> {
        let needed = [
            &self.region,
            &self.service,
            &self.access_key,
            &self.secret_key,
        ];
        needed.into_iter().chain(&self.session_token).collect()
    }
}

impl Login {
    fn read(section: &mut Section<'_, '_, '_>) -> Option<Auth> {
        let request = section.table("request", sources::read_request);
        if request.is_none() {
            section.missing("request");
        }
        let assertion = match section.form("assertion") {
            Form::Table => section.table("assertion", Assertion::read).flatten(),
            Form::Text | Form::List => {
                section.text("assertion");
                None
            }
        };
        let token = section.required_expression("token");
        let refresh_token = section.expression("refresh_token");
        Self::common(section, request??, token?, assertion, refresh_token)
    }

    /// OAuth 2: the grant for clients.
    fn of_client(section: &mut Section<'_, '_, '_>) -> Option<Auth> {
        let url = section.required_template("url");
        let username = section.required_template("client_id");
        let password = section.required_template("client_secret");
        let place = section.choice("client", CLIENT_IN).unwrap_or(CLIENT_IN[0]);
        let mut form = granted("client_credentials");
        form.extend(scope_and_more(section));
        let (username, password) = (username?, password?);
        let mut request = Request::form(url?, form);
        if place == CLIENT_IN[0] {
            request.form.push(("client_id".to_owned(), username));
            request.form.push(("client_secret".to_owned(), password));
        } else {
            request.basic = Some(Pair { username, password });
        }
        Self::common(section, request, access_token()?, None, None)
    }

    /// A signed token, which is used itself, or for the grant of RFC 7523.
    fn of_assertion(section: &mut Section<'_, '_, '_>) -> Option<Auth> {
        let assertion = Assertion::read(section);
        let Some(url) = section.template("url") else {
            let token = Expression::compile("assertion", 0).ok()?;
            return Self::with_token(section, None, token, assertion, None);
        };
        let mut form = granted("urn:ietf:params:oauth:grant-type:jwt-bearer");
        form.push((
            "assertion".to_owned(),
            Template::compile("{{ assertion }}", 0).ok()?,
        ));
        form.extend(scope_and_more(section));
        let request = Request::form(url, form);
        Self::with_token(section, Some(request), access_token()?, assertion, None)
    }

    fn common(
        section: &mut Section<'_, '_, '_>,
        request: Request,
        token: Expression,
        assertion: Option<Assertion>,
        refresh_token: Option<Expression>,
    ) -> Option<Auth> {
        let lifetime = section.seconds("lifetime_seconds");
        let Auth::Login(login) =
            Self::with_token(section, Some(request), token, assertion, refresh_token)?
        else {
            return None;
        };
        Some(Auth::Login(Box::new(Self { lifetime, ..*login })))
    }

    /// The keys that every kind of token has, once it is there.
    fn with_token(
        section: &mut Section<'_, '_, '_>,
        request: Option<Request>,
        token: Expression,
        assertion: Option<Assertion>,
        refresh_token: Option<Expression>,
    ) -> Option<Auth> {
        let header = section.text("header");
        let value = section.template("value");
        let mut headers = section.templates("headers");
        let query = section.templates("query");
        let expires_in = section.expression("expires_in");
        let base_url = section.expression("base_url");
        let expired = section.expression("expired");
        if header.is_some() || value.is_some() || (headers.is_empty() && query.is_empty()) {
            let bearer = || Template::compile("Bearer {{ token }}", 0).ok();
            let name = header.unwrap_or_else(|| AUTHORIZATION.to_owned());
            headers.push((name, value.or_else(bearer)?));
        }
        Some(Auth::Login(Box::new(Self {
            request,
            assertion,
            token,
            headers,
            query,
            lifetime: None,
            expires_in,
            base_url,
            expired,
            refresh_token,
        })))
    }

    fn visit(&self, visit: &mut impl FnMut(&Expression, &[&str])) {
        if let Some(request) = &self.request {
            for expression in request.templates().flat_map(Template::expressions) {
                visit(expression, &["refresh_token", "assertion", "now"]);
            }
        }
        if let Some(assertion) = &self.assertion {
            let claims = assertion.claims.iter().map(|(_, claim)| claim);
            let templates = claims.chain([&assertion.key]).chain(&assertion.key_id);
            for expression in templates.flat_map(Template::expressions) {
                visit(expression, &["now"]);
            }
        }
        let answered = [&self.expires_in, &self.base_url, &self.refresh_token];
        for expression in answered.into_iter().flatten().chain([&self.token]) {
            visit(expression, &["response", "headers", "cookies", "assertion"]);
        }
        if let Some(expression) = &self.expired {
            visit(expression, &["response", "headers", "status"]);
        }
        let carrying = self.headers.iter().chain(&self.query);
        for expression in carrying.flat_map(|(_, template)| template.expressions()) {
            visit(expression, &["token", "request", "now"]);
        }
    }
}

impl Assertion {
    fn read(section: &mut Section<'_, '_, '_>) -> Option<Self> {
        let key = section.required_template("private_key");
        let key_id = section.template("key_id");
        let algorithm = match section.choice("algorithm", ALGORITHMS) {
            None | Some("RS256") => Algorithm::Rs256,
            Some("ES256") => Algorithm::Es256,
            Some(_) => Algorithm::Hs256,
        };
        let lifetime = section.seconds("lifetime_seconds");
        let mut claims = section.templates("claims");
        for (key, claim) in [("issuer", "iss"), ("subject", "sub"), ("audience", "aud")] {
            if let Some(value) = section.template(key) {
                claims.push((claim.to_owned(), value));
            }
        }
        Some(Self {
            claims,
            key: key?,
            key_id,
            algorithm,
            lifetime: lifetime.unwrap_or(ASSERTION_LIFETIME),
        })
    }
}

fn granted(grant: &str) -> Vec<(String, Template)> {
    let grant = Template::Constant(grant.into());
    vec![("grant_type".to_owned(), grant)]
}

fn scope_and_more(section: &mut Section<'_, '_, '_>) -> Vec<(String, Template)> {
    let scope = section.template("scope");
    let scope = scope.map(|scope| ("scope".to_owned(), scope));
    scope.into_iter().chain(section.templates("form")).collect()
}

fn access_token() -> Option<Expression> {
    Expression::compile("response.access_token", 0).ok()
}
