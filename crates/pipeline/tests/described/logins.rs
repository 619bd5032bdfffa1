//! How one says who asks, against vendors that look closely.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bowline_pipeline::SourceErrorKind;
use serde_json::{Value, json};

use crate::vendor::{
    Answer, Asked, SECRET, Vendor, always, described, ids, ok, raw, run_ids, runs, source, status,
    two,
};

const RUNS: &str = "path = \"/runs\"\nkey = \"record.id\"";

fn form(asked: &Asked) -> BTreeMap<String, String> {
    let decoded = |text: &str| {
        percent_encoding::percent_decode_str(&text.replace('+', " "))
            .decode_utf8_lossy()
            .into_owned()
    };
    let pairs = asked
        .text
        .split('&')
        .filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

fn header<'a>(asked: &'a Asked, name: &str) -> &'a str {
    asked.headers.get(name).map_or("", String::as_str)
}

/// A vendor whose API lets in what this accepts, and whose `/token` answers like that.
fn vendor(
    login: impl Fn(&Asked) -> Answer + Send + Sync + 'static,
    lets_in: impl Fn(&Asked) -> bool + Send + Sync + 'static,
) -> Vendor {
    Vendor::start(move |asked| {
        Some(match asked.path.as_str() {
            "/token" => login(asked),
            _ if lets_in(asked) => two(),
            _ => status(401, json!({})),
        })
    })
}

#[test]
fn clients_get_tokens_as_oauth_says() {
    for client in ["form", "basic"] {
        let vendor = vendor(
            move |asked| {
                let form = form(asked);
                let pair = STANDARD.encode(format!("me:{SECRET}"));
                let is_known = match client {
                    "form" => {
                        form.get("client_id").is_some_and(|id| id == "me")
                            && form["client_secret"] == SECRET
                    }
                    _ => {
                        header(asked, "authorization") == format!("Basic {pair}")
                            && !form.contains_key("client_secret")
                    }
                };
                let is_form = header(asked, "content-type") == "application/x-www-form-urlencoded";
                if is_known
                    && is_form
                    && form["grant_type"] == "client_credentials"
                    && form["scope"] == "read all"
                    && form["audience"] == "x"
                {
                    ok(json!({"access_token": "T", "expires_in": 3599, "token_type": "Bearer"}))
                } else {
                    status(400, json!({"error": "invalid_request"}))
                }
            },
            |asked| header(asked, "authorization") == "Bearer T",
        );
        let http = format!(
            r#"auth = {{ kind = "client_credentials", url = "{{{{ credentials.url }}}}/token", client_id = "me", client_secret = "{{{{ credentials.secret }}}}", scope = "read all", form = {{ audience = "x" }}, client = "{client}" }}"#
        );
        assert_eq!(
            run_ids(&vendor, &http, RUNS).unwrap(),
            ["a", "b"],
            "{client}"
        );
    }
}

type Answers = fn() -> Answer;

#[test]
fn tokens_come_as_texts_headers_and_cookies() {
    let answers: [(&str, Answers); 5] = [
        ("token = \"response\"", || raw("text/plain", b"T0ken.abc\n")),
        ("token = \"response.session | b64decode\"", || {
            ok(json!({"session": STANDARD.encode("T0ken.abc")}))
        }),
        ("token = \"headers['X-Token']\"", || {
            ok(json!({})).with("x-token", "T0ken.abc")
        }),
        ("token = \"cookies.SID\"", || {
            ok(json!({}))
                .with(
                    "set-cookie",
                    "other=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT",
                )
                .with("set-cookie", "SID=T0ken.abc; Path=/; HttpOnly")
        }),
        (
            "token = \"headers['set-cookie'] | capture('SID=([^;]+)')\"",
            || raw("text/html", b"").with("set-cookie", "SID=T0ken.abc; Path=/"),
        ),
    ];
    for (token, answer) in answers {
        let vendor = vendor(
            move |_| answer(),
            |asked| header(asked, "cookie") == "SID=T0ken.abc",
        );
        let format = if token.contains("capture") {
            ", format = \"text\""
        } else {
            ""
        };
        let http = format!(
            r#"auth = {{ kind = "login", {token}, header = "Cookie", value = "SID={{{{ token }}}}", request = {{ url = "{{{{ credentials.url }}}}/token", form = {{ user = "ann" }}{format} }} }}"#
        );
        assert_eq!(
            run_ids(&vendor, &http, RUNS).unwrap(),
            ["a", "b"],
            "{token}"
        );
    }
}

#[test]
fn a_login_may_name_the_base_address_and_two_headers_may_carry_its_token() {
    let vendor = Vendor::start(|asked| {
        let host = header(asked, "host").to_owned();
        Some(match asked.path.as_str() {
            "/api/login" => {
                ok(json!({"sessionId": "S", "serverUrl": format!("http://{host}/saas/42?pod=7")}))
            }
            "/saas/42/runs"
                if header(asked, "x-session") == "S"
                    && header(asked, "x-again") == "S!"
                    && asked.query["pod"] == ["7"] =>
            {
                ok(json!({"items": [{"id": "a"}], "next": "/saas/42/more"}))
            }
            "/saas/42/more" => ok(json!({"items": [{"id": "b"}], "next": null})),
            _ => status(404, json!({})),
        })
    });
    let http = r#"auth = { kind = "login", token = "response.sessionId", base_url = "response.serverUrl", headers = { X-Session = "{{ token }}", X-Again = "{{ token }}!" }, request = { path = "/login", json = { user = "ann" } } }"#;
    let pages = "path = \"/runs\"\nrecords = \"response.items\"\nkey = \"record.id\"\npages = { style = \"link\", next = \"response.next\" }";
    assert_eq!(run_ids(&vendor, http, pages).unwrap(), ["a", "b"]);
}

const LOGIN: &str = r#"kind = "login", token = "response.access_token", request = { url = "{{ credentials.url }}/token", json = {} }"#;

/// A vendor whose first token is refused in this way, and how often one logged in.
fn expiring(refusal: impl Fn() -> Answer + Send + Sync + 'static) -> Vendor {
    let logins = AtomicUsize::new(0);
    Vendor::start(move |asked| {
        Some(match asked.path.as_str() {
            "/token" => {
                ok(json!({"access_token": format!("T{}", logins.fetch_add(1, Ordering::SeqCst))}))
            }
            _ if header(asked, "authorization") == "Bearer T0" => refusal(),
            _ => two(),
        })
    })
}

fn logins(vendor: &Vendor) -> usize {
    vendor
        .asked()
        .iter()
        .filter(|asked| asked.path == "/token")
        .count()
}

#[test]
fn an_expired_token_is_renewed_however_that_is_told() {
    let refusals: [fn() -> Answer; 8] = [
        || status(401, json!({})),
        || {
            status(
                403,
                json!({"message": "The security token included in the request is expired"}),
            )
        },
        || status(400, json!({"__type": "ExpiredTokenException"})),
        || status(419, json!({})),
        || status(302, json!({})),
        || status(302, json!({})).with("location", "/login?next=x"),
        || raw("text/html; charset=utf-8", b"<html>Log in</html>"),
        || ok(json!({"error": {"code": "invalid_session"}})),
    ];
    let rule =
        "reject = [{ when = \"response.error is defined\", message = \"response.error.code\" }]\n";
    for refusal in refusals {
        let vendor = expiring(refusal);
        let http = format!("{rule}auth = {{ {LOGIN} }}");
        assert_eq!(run_ids(&vendor, &http, RUNS).unwrap(), ["a", "b"]);
        assert_eq!(logins(&vendor), 2);
    }
    for (refusal, expired) in [
        (
            (|| ok(json!({"code": 17}))) as fn() -> Answer,
            "response.code | default(0) == 17",
        ),
        (|| status(409, json!({})), "status == 409"),
        (
            || status(400, json!({})).with("x-auth", "stale"),
            "headers['X-Auth'] == 'stale'",
        ),
    ] {
        let vendor = expiring(refusal);
        let http = format!("auth = {{ {LOGIN}, expired = \"{expired}\" }}");
        assert_eq!(
            run_ids(&vendor, &http, RUNS).unwrap(),
            ["a", "b"],
            "{expired}"
        );
    }
    let vendor = expiring(|| ok(json!({"code": 17})));
    let http = format!(
        "reject = [{{ when = \"response.code is defined\", then = \"log_in\" }}]\nauth = {{ {LOGIN} }}"
    );
    assert_eq!(run_ids(&vendor, &http, RUNS).unwrap(), ["a", "b"]);
}

#[test]
fn what_is_forbidden_is_not_asked_for_with_ever_new_tokens() {
    let vendor = Vendor::start(|asked| {
        Some(match asked.path.as_str() {
            "/token" => ok(json!({"access_token": "T"})),
            "/api/list" => ok((0..20).map(|id| json!({"id": id.to_string()})).collect()),
            _ => status(403, json!({"message": "forbidden"})),
        })
    });
    let sources =
        "for_each = \"list\"\npath = \"/one/{{ parent.id }}\"\n[sources.list]\npath = \"/list\"";
    let error = run_ids(&vendor, &format!("auth = {{ {LOGIN} }}"), sources).unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Unauthorized);
    assert!(logins(&vendor) <= 10, "{} logins", logins(&vendor));
}

#[test]
fn a_token_is_not_used_beyond_what_its_answer_says() {
    for (expires, said, expected) in [
        (json!(0), "", 3),
        (json!("0"), "", 3),
        (json!(3600), "", 1),
        (Value::Null, "", 1),
        // What the description says counts more.
        (json!(0), ", lifetime_seconds = 3600", 1),
    ] {
        let vendor = vendor(
            move |_| ok(json!({"access_token": "T", "expires_in": expires})),
            |_| true,
        );
        let sources = "path = \"/runs\"\nquery = { page = \"{{ page.number }}\" }\npages = { style = \"number\" }\nkey = \"record.id\"\nwhen = \"jobs and jobs\"";
        let _ = run_ids(&vendor, &format!("auth = {{ {LOGIN}{said} }}"), sources);
        let count = logins(&vendor);
        assert!(
            if expected == 1 { count == 1 } else { count > 1 },
            "{count}"
        );
    }
}

#[test]
fn refresh_tokens_that_change_with_each_use_are_kept_between_runs() {
    let good = Mutex::new("first".to_owned());
    let vendor = Vendor::start(move |asked| {
        if asked.path != "/token" {
            return Some(two());
        }
        let mut good = good.lock().unwrap();
        if form(asked)["refresh_token"] != *good {
            return Some(status(400, json!({"error": "invalid_grant"})));
        }
        *good = format!("{good}+");
        Some(ok(json!({"access_token": "T", "refresh_token": *good})))
    });
    let text = described(
        r#"auth = { kind = "login", token = "response.access_token", refresh_token = "response.refresh_token", request = { url = "{{ credentials.url }}/token", form = { grant_type = "refresh_token", refresh_token = "{{ refresh_token }}" } } }"#,
        RUNS,
    );
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("logins/vendor.json");
    let credentials = json!({"connect_args": {"url": vendor.url, "refresh_token": "first"}});
    for _ in 0..3 {
        let source = crate::vendor::loaded(&text, &credentials).keeping(kept.clone());
        let (events, _) = runs(&source, &always()).unwrap();
        assert_eq!(ids(&events), ["a", "b"]);
    }
    // Elsewhere nobody knows what it has become.
    let error = runs(&crate::vendor::loaded(&text, &credentials), &always()).unwrap_err();
    assert!(error.to_string().contains("invalid_grant"), "{error}");
    let error = runs(&source(&vendor.url, &text), &always()).unwrap_err();
    assert!(
        error.to_string().contains("`credentials.refresh_token`"),
        "{error}"
    );
}

const RSA: &str = include_str!("keys/test-only-rsa.pem");
const RSA_PUBLIC: &[u8] = include_bytes!("keys/test-only-rsa.pub.der");

/// The header and claims of a token whose signature is right.
fn verified(token: &str) -> (Value, Value) {
    let (text, signature) = token.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let algorithm = &ring::signature::RSA_PKCS1_2048_8192_SHA256;
    let key = ring::signature::UnparsedPublicKey::new(algorithm, RSA_PUBLIC);
    key.verify(text.as_bytes(), &signature).unwrap();
    let (header, claims) = text.split_once('.').unwrap();
    let read = |part: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    (read(header), read(claims))
}

#[test]
fn signed_tokens_are_used_themselves_or_for_others() {
    let vendor = vendor(
        |asked| {
            let form = form(asked);
            assert_eq!(
                form["grant_type"],
                "urn:ietf:params:oauth:grant-type:jwt-bearer"
            );
            let (header, claims) = verified(&form["assertion"]);
            assert_eq!(header, json!({"alg": "RS256", "typ": "JWT", "kid": "k1"}));
            assert_eq!(claims["iss"], "me");
            assert_eq!(claims["aud"], "them");
            assert_eq!(claims["box"], 7);
            let lifetime = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
            assert_eq!(lifetime, 300);
            ok(json!({"access_token": "T"}))
        },
        |asked| {
            let token = header(asked, "authorization")
                .strip_prefix("Bearer ")
                .unwrap();
            if token == "T" {
                return true;
            }
            let (_, claims) = verified(token);
            // As `openssl rsa -pubout -outform DER | openssl dgst -sha256 -binary | base64` says.
            claims["iss"] == "ACCOUNT.ME.SHA256:dj7uZVVTfKTS4Fvox8uDsmemWzyPg9sJ4MZCzp+q/ME="
        },
    );
    let key = RSA.replace('\n', "\\n");
    let bearer = r#"auth = { kind = "jwt", url = "{{ credentials.url }}/token", issuer = "me", audience = "them", claims = { box = 7 }, key_id = "k1", private_key = "{{ credentials.key }}" }"#;
    let pair = r#"auth = { kind = "jwt", issuer = "ACCOUNT.ME.SHA256:{{ credentials.key | public_key_sha256 }}", private_key = "{{ credentials.key }}" }"#;
    for (http, key) in [(bearer, RSA), (bearer, &key), (pair, RSA)] {
        let credentials = json!({"connect_args": {"url": vendor.url, "key": key}});
        let source = crate::vendor::loaded(&described(http, RUNS), &credentials);
        let (events, _) = runs(&source, &always()).unwrap();
        assert_eq!(ids(&events), ["a", "b"]);
    }
    for (key, told) in [
        ("-----BEGIN ENCRYPTED PRIVATE KEY-----\n", "passphrase"),
        ("nothing", "no private key in PEM"),
    ] {
        let credentials = json!({"connect_args": {"url": vendor.url, "key": key}});
        let source = crate::vendor::loaded(&described(bearer, RUNS), &credentials);
        let error = runs(&source, &always()).unwrap_err();
        assert!(error.to_string().contains(told), "{error}");
    }
}

#[test]
fn requests_are_signed_with_what_they_are() {
    let vendor = Vendor::start(|asked| {
        let path = format!("{}?x=1", asked.path);
        let now = header(asked, "x-time");
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, SECRET.as_bytes());
        let digest = ring::digest::digest(&ring::digest::SHA256, asked.text.as_bytes());
        let digest: String = digest
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let text = format!("{}\n{path}\n{now}\n{digest}", asked.method);
        let tag = STANDARD.encode(ring::hmac::sign(&key, text.as_bytes()));
        Some(if header(asked, "x-signature") == tag && !now.is_empty() {
            two()
        } else {
            status(401, json!({}))
        })
    });
    let http = r#"
headers = { X-Time = "{{ now | epoch | int }}" }
auth = { kind = "header", name = "X-Signature", value = "{{ (request.method ~ '\n' ~ request.path ~ '\n' ~ (now | epoch | int) ~ '\n' ~ (request.body | sha256)) | hmac(credentials.secret, 'base64') }}" }"#;
    let source = "path = \"/runs\"\nquery = { x = \"1\" }\njson = { a = 1 }";
    assert_eq!(run_ids(&vendor, http, source).unwrap(), ["a", "b"]);
}

#[test]
fn requests_to_aws_are_signed() {
    let vendor = Vendor::start(|asked| {
        let signed = header(asked, "authorization");
        Some(
            if signed.starts_with("AWS4-HMAC-SHA256 Credential=AKID/")
                && signed.contains("/eu-central-1/states/aws4_request")
                && signed.contains("x-amz-target")
                && header(asked, "x-amz-security-token") == "lent"
                && header(asked, "x-amz-date").ends_with('Z')
            {
                two()
            } else {
                status(403, json!({}))
            },
        )
    });
    let http = r#"auth = { kind = "aws", region = "eu-central-1", service = "states", access_key = "AKID", secret_key = "{{ credentials.secret }}", session_token = "lent" }"#;
    let source = "path = \"/\"\njson = { a = 1 }\nheaders = { Content-Type = \"application/x-amz-json-1.0\", X-Amz-Target = \"AWSStepFunctions.ListExecutions\" }";
    assert_eq!(run_ids(&vendor, http, source).unwrap(), ["a", "b"]);
}

#[test]
fn a_session_may_come_with_a_page_to_go_to() {
    let lets_in = |asked: &Asked| header(asked, "cookie") == "sid=S1";
    let login = |asked: &Asked| {
        assert_eq!(asked.method, "POST");
        let page = Answer {
            status: 302,
            ..raw("text/html", b"<html>")
        };
        page.with("location", "/home")
            .with("set-cookie", "sid=S1; Path=/; HttpOnly")
    };
    let vendor = vendor(login, lets_in);
    let http = r#"auth = { kind = "login", token = "cookies.sid", header = "Cookie", value = "sid={{ token }}", request = { url = "{{ credentials.url }}/token", form = { user = "ann" } } }"#;
    let found = runs(&source(&vendor.url, &described(http, RUNS)), &always()).unwrap();
    assert_eq!(ids(&found.0).len(), 2);
    assert!(vendor.asked().iter().all(|asked| asked.path != "/home"));
}

#[test]
fn a_token_may_be_a_number_and_what_is_none_says_why() {
    let http = r#"auth = { kind = "login", token = "response.token", request = { url = "{{ credentials.url }}/token", json = {} } }"#;
    let open = |login: Value| {
        let vendor = vendor(
            move |_| ok(login.clone()),
            |asked| header(asked, "authorization") == "Bearer 4711",
        );
        runs(&source(&vendor.url, &described(http, RUNS)), &always())
    };
    assert_eq!(open(json!({"token": 4711})).unwrap().0.len(), 2);
    for login in [
        json!({"error": "locked out"}),
        json!({"token": null, "message": "locked out"}),
    ] {
        let error = open(login).unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::Unauthorized);
        assert!(error.to_string().contains("locked out"), "{error}");
    }
}
