//! The schema of what is said about requests: `[http]` and the keys of a request.

use serde_json::{Value, json};

use super::schema::{
    above_zero, count, described, expression, list_of, table, template, templates, text,
};

pub(super) fn http() -> Value {
    table(
        "How to talk to the vendor.",
        vec![
            (
                "base_url",
                template(
                    "The address that paths are appended to. It may have a query, which all requests then have.",
                ),
            ),
            ("auth", auth()),
            (
                "headers",
                templates(
                    "Headers of every request. They see `request` (`method`, `address`, `path`, `body`) and `now`.",
                ),
            ),
            (
                "query",
                templates(
                    "Query parameters of every request below the base address; those of the request itself take their place.",
                ),
            ),
            ("tls", tls()),
            (
                "proxy",
                template(
                    "The proxy that requests go through; that of the environment (`HTTPS_PROXY`) when not said.",
                ),
            ),
            ("reject", reject()),
            ("limits", limits()),
        ],
        &["base_url"],
    )
}

fn tls() -> Value {
    table(
        "Certificates and keys: each in PEM, or the path of a file that holds it, from the connector's folder.",
        vec![
            (
                "ca",
                template(
                    "The authorities that the vendor's certificate is checked against, instead of the system's.",
                ),
            ),
            (
                "certificate",
                template("Our own certificate, with those behind it."),
            ),
            ("private_key", template("Its private key.")),
        ],
        &[],
    )
}

fn auth() -> Value {
    let mut keys = vec![
        (
            "kind",
            described(
                "`none`; `basic`, with `username` and `password`; `header`, with `name` and `value`; `login`, with \
                 `request` and `token`; `client_credentials` (OAuth 2), with `url`, `client_id` and `client_secret`; \
                 `jwt`, with `private_key` and claims, used itself or sent to `url` for a token (RFC 7523); `aws`, with \
                 `region`, `service`, `access_key` and `secret_key`.",
                json!({ "enum": ["none", "basic", "header", "login", "client_credentials", "jwt", "aws"] }),
            ),
        ),
        ("username", template("The user's name.")),
        ("password", template("The password.")),
        (
            "name",
            text("The header's name; `Authorization` when not said."),
        ),
        (
            "value",
            template("The header's value; of a token `Bearer {{ token }}` when not said."),
        ),
        (
            "request",
            table("The request that gives a token.", request(), &[]),
        ),
        ("url", template("The whole address that gives tokens.")),
        ("client_id", template("The client's id.")),
        ("client_secret", template("The client's secret.")),
        (
            "client",
            described(
                "Where the two are sent: in the `form`, when not said, or as `basic`.",
                json!({ "enum": ["form", "basic"] }),
            ),
        ),
        ("scope", template("The scope that is asked for.")),
        (
            "form",
            templates("Further fields of the form that is sent for a token."),
        ),
        (
            "assertion",
            table(
                "A token that is signed here, called `assertion` in the request.",
                assertion(),
                &["private_key"],
            ),
        ),
        (
            "token",
            expression(
                "The token in the answer, called `response`; `headers` and `cookies` are its others parts.",
            ),
        ),
        (
            "header",
            text("The header that carries the token; `Authorization` when not said."),
        ),
        (
            "headers",
            templates("Several headers, instead of `header` and `value`."),
        ),
        (
            "query",
            templates("Query parameters that carry the token, instead of a header."),
        ),
        (
            "expires_in",
            expression(
                "For how many seconds the answer says that the token is good; `response.expires_in`, if there is one, when not said.",
            ),
        ),
        (
            "base_url",
            expression("The base address that the answer names for all other requests."),
        ),
        (
            "expired",
            expression(
                "Whether an answer says that the token has expired, by its `status`, `headers` and `response`; as 401 \
                 always does. When not said, a new token is tried once for other refusals that look like it.",
            ),
        ),
        (
            "refresh_token",
            expression(
                "The next refresh token in the answer. It is kept between runs, and is `refresh_token` in the request; \
                 the first is `credentials.refresh_token`.",
            ),
        ),
        ("region", template("The region of AWS.")),
        ("service", template("The service of AWS.")),
        ("access_key", template("The id of the access key.")),
        ("secret_key", template("The secret of the access key.")),
        (
            "session_token",
            template("The session's token, of keys that are lent."),
        ),
    ];
    keys.extend(assertion());
    table("How to say who asks.", keys, &["kind"])
}

fn assertion() -> Vec<(&'static str, Value)> {
    vec![
        ("issuer", template("The claim `iss`.")),
        ("subject", template("The claim `sub`.")),
        ("audience", template("The claim `aud`.")),
        (
            "claims",
            templates("Further claims. `iat` and `exp` are there without them."),
        ),
        (
            "private_key",
            template("The private key in PEM; of HS256 the shared secret."),
        ),
        ("key_id", template("The key's name.")),
        (
            "algorithm",
            described(
                "How it is signed; RS256 when not said.",
                json!({ "enum": ["RS256", "ES256", "HS256"] }),
            ),
        ),
        (
            "lifetime_seconds",
            above_zero(
                "How long a token is used before a new one is asked for; of a login until it is refused or its answer \
                 says, of one that is signed here 300, when not said.",
            ),
        ),
    ]
}

pub(super) fn reject() -> Value {
    list_of(
        "Answers that are failures although their status says success.",
        table(
            "One kind of them.",
            vec![
                (
                    "when",
                    expression(
                        "Whether an answer, called `response`, with `headers` and `status`, is one.",
                    ),
                ),
                ("message", expression("What to say then.")),
                (
                    "then",
                    described(
                        "What to do: `fail`, when not said; `retry`, as after too many requests; `log_in` again.",
                        json!({ "enum": ["fail", "retry", "log_in"] }),
                    ),
                ),
            ],
            &["when"],
        ),
    )
}

fn statuses(description: &str) -> Value {
    let status = json!({ "type": "integer", "minimum": 0, "maximum": 65535 });
    list_of(description, status)
}

fn limits() -> Value {
    table(
        "How hard the vendor may be asked.",
        vec![
            (
                "timeout_seconds",
                above_zero("How long a request may take; 30 when not said."),
            ),
            (
                "retries",
                count("How often a request is tried again; 4 when not said.", 0),
            ),
            (
                "retry_statuses",
                statuses(
                    "The statuses after which it is; 408, 425, 429, 500, 502 to 504, 520 to 530, 598, 599 and whatever \
                     comes with `Retry-After` or speaks of a rate limit when not said.",
                ),
            ),
            (
                "reset_headers",
                list_of(
                    "Headers of refusals that say when to come back, beside `Retry-After` and those that many vendors have.",
                    json!({ "type": "string" }),
                ),
            ),
            (
                "remaining_header",
                text(
                    "A header that says how many requests are left: at 0 nobody asks until the limit is lifted.",
                ),
            ),
            (
                "longest_wait_seconds",
                above_zero("The longest wait before another try; 60 when not said."),
            ),
            (
                "in_flight",
                count("Requests under way at the same time; 8 when not said.", 1),
            ),
            (
                "per_second",
                above_zero("Requests begun per second; any number when not said."),
            ),
            (
                "body_mb",
                count("The largest answer in megabytes; 64 when not said.", 1),
            ),
            (
                "memory_mb",
                count(
                    "How much memory the values of one answer may take, in megabytes; 256 when not said.",
                    1,
                ),
            ),
        ],
        &[],
    )
}

pub(super) fn request() -> Vec<(&'static str, Value)> {
    vec![
        (
            "path",
            template(
                "The address behind the base address. What expressions give is percent-encoded.",
            ),
        ),
        (
            "url",
            template(
                "A whole address, instead of `path`. What expressions give behind its host is percent-encoded.",
            ),
        ),
        (
            "hosts",
            list_of(
                "Names of other hosts that are told who asks although a vendor's record names them in `url`; `*.name` is \
                 every host below.",
                json!({ "type": "string" }),
            ),
        ),
        (
            "method",
            described(
                "`POST` with a body and `GET` without one when not said.",
                json!({ "enum": ["GET", "POST"] }),
            ),
        ),
        (
            "query",
            templates("Query parameters: a list repeats the parameter, null leaves it out."),
        ),
        ("json", template("The body, as JSON.")),
        (
            "form",
            templates("The body, as a form: a list repeats the field, null leaves it out."),
        ),
        ("body", template("The body, as text.")),
        ("graphql", text("A GraphQL query, instead of `json`.")),
        ("variables", template("Its variables.")),
        (
            "headers",
            templates(
                "Headers of this request; they take the place of all others of the same name.",
            ),
        ),
        (
            "basic",
            table(
                "A user name and password of this request's own.",
                vec![
                    ("username", template("The user's name.")),
                    ("password", template("The password.")),
                ],
                &["username", "password"],
            ),
        ),
        (
            "format",
            described(
                "How the answer is written: `json` when not said. `csv` and `tsv` give records, `xml` a record in which \
                 attributes are `@name`.",
                json!({ "enum": ["json", "ndjson", "csv", "tsv", "xml", "text"] }),
            ),
        ),
        (
            "delimiter",
            text("What stands between the values of `csv`; a comma when not said."),
        ),
    ]
}
