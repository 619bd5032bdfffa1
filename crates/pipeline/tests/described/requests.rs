//! What is asked, to the byte, and what answers are written in.

use std::sync::atomic::{AtomicUsize, Ordering};

use bowline_pipeline::SourceErrorKind;
use serde_json::json;

use crate::vendor::{
    SECRET, Vendor, always, described, ids, ok, raw, run_ids, runs, source, status, try_source, two,
};

const RUNS: &str = "path = \"/runs\"\nkey = \"record.id\"";

#[test]
fn a_header_is_there_once_and_the_most_special_one_counts() {
    let vendor = Vendor::start(|_| Some(two()));
    let http = r#"
headers = { Accept = "application/vnd.v2+json", X-One = "http", X-Two = "http", authorization = "http" }
auth = { kind = "header", value = "auth" }"#;
    let source = "path = \"/runs\"\nmethod = \"POST\"\njson = { a = 1 }\nheaders = { x-two = \"own\", content-type = \"application/x-amz-json-1.0\" }";
    assert_eq!(run_ids(&vendor, http, source).unwrap(), ["a", "b"]);
    let asked = &vendor.asked()[0].headers;
    for (name, value) in [
        ("accept", "application/vnd.v2+json"),
        ("x-one", "http"),
        ("x-two", "own"),
        ("authorization", "auth"),
        ("content-type", "application/x-amz-json-1.0"),
    ] {
        assert_eq!(asked[name], value, "{name}");
    }
}

#[test]
fn a_post_without_a_body_says_so() {
    let vendor = Vendor::start(|_| Some(two()));
    run_ids(&vendor, "", "path = \"/runs\"\nmethod = \"POST\"").unwrap();
    let asked = &vendor.asked()[0];
    assert_eq!(asked.headers["content-length"], "0");
    assert!(!asked.headers.contains_key("content-type"));
}

#[test]
fn parameters_of_all_requests_stand_in_each() {
    let vendor = Vendor::start(|_| Some(two()));
    let text = described(
        "query = { \"api-version\" = \"2018-06-01\", key = \"{{ credentials.secret }}\", own = \"no\" }",
        "path = \"/runs?fixed=1\"\nquery = { own = \"yes\", list = [\"x\", \"y z\"] }",
    )
    .replace("}}/api\"", "}}/api?tenant=7\"");
    runs(&source(&vendor.url, &text), &always()).unwrap();
    let asked = &vendor.asked()[0];
    assert_eq!(asked.path, "/api/runs");
    let query: Vec<String> = asked
        .query
        .iter()
        .map(|(name, values)| format!("{name}={}", values.join("+")))
        .collect();
    let secret = format!("key={SECRET}");
    assert_eq!(
        query,
        [
            "api-version=2018-06-01",
            "fixed=1",
            &secret,
            "list=x+y%20z",
            "own=yes",
            "tenant=7"
        ]
    );
}

#[test]
fn credentials_in_addresses_are_encoded_behind_the_host() {
    let vendor = Vendor::start(|_| Some(two()));
    let text = described(
        "",
        "url = \"{{ credentials.url }}/x/{{ 'a/b c' }}?q={{ 'd&e' }}\"",
    )
    .replace("}}/api\"", "}}/{{ 'org/1' }}\"");
    runs(&source(&vendor.url, &text), &always()).unwrap();
    let asked = &vendor.asked()[0];
    assert_eq!(asked.path, "/x/a%2Fb%20c");
    assert_eq!(asked.query["q"], ["d%26e"]);
}

#[test]
fn forms_and_texts_are_bodies_too() {
    let vendor = Vendor::start(|_| Some(two()));
    let form = "path = \"/runs\"\nform = { a = \"x y&z\", b = [1, 2], c = \"{{ none }}\" }";
    run_ids(&vendor, "", form).unwrap();
    run_ids(&vendor, "", "path = \"/runs\"\nbody = \"<ask id='{{ 7 }}'/>\"\nheaders = { Content-Type = \"text/xml\" }").unwrap();
    let asked = vendor.asked();
    assert_eq!(asked[0].text, "a=x%20y%26z&b=1&b=2");
    assert_eq!(
        asked[0].headers["content-type"],
        "application/x-www-form-urlencoded"
    );
    assert_eq!(asked[1].text, "<ask id='7'/>");
    assert_eq!(asked[1].headers["content-type"], "text/xml");
    let refused = try_source(
        &vendor.url,
        &described("", "path = \"/runs\"\njson = {}\nform = {}"),
    );
    let told = refused.err().unwrap();
    assert!(told.contains("both `json` and `form` are given"), "{told}");
}

#[test]
fn redirects_are_followed_on_the_same_host_and_nowhere_else() {
    let vendor = Vendor::start(|asked| {
        Some(match asked.path.as_str() {
            "/api/runs" => status(307, json!({})).with("location", "/api/v2/runs?x=1"),
            "/api/v2/runs" => status(301, json!({})).with("location", "runs/"),
            "/api/v2/runs/" => two(),
            "/api/away" => status(302, json!({})).with("location", "http://elsewhere.invalid/"),
            _ => status(302, json!({})).with("location", &asked.path),
        })
    });
    let http = "auth = { kind = \"header\", value = \"{{ credentials.secret }}\" }";
    let post = "path = \"/runs\"\njson = { a = 1 }";
    assert_eq!(run_ids(&vendor, http, post).unwrap(), ["a", "b"]);
    let asked = vendor.asked();
    let methods: Vec<&str> = asked.iter().map(|asked| asked.method.as_str()).collect();
    assert_eq!(methods, ["POST", "POST", "GET"]);
    assert!(
        asked
            .iter()
            .all(|asked| asked.headers["authorization"] == SECRET)
    );
    let away = run_ids(&vendor, http, "path = \"/away\"").unwrap_err();
    assert!(
        away.to_string()
            .contains("redirected to `http://elsewhere.invalid/`"),
        "{away}"
    );
    assert!(run_ids(&vendor, http, "path = \"/circle\"").is_err());
}

#[test]
fn links_keep_what_the_description_says() {
    let vendor = Vendor::start(|asked| {
        Some(match asked.query.get("p") {
            None => ok(json!({"items": [{"id": "a"}], "next": "/api/runs?p=2&own=theirs"})),
            Some(_) => ok(json!({"items": [{"id": "b"}], "next": null})),
        })
    });
    let source = |keep: &str| {
        format!(
            "path = \"/runs\"\njson = {{ f = 1 }}\nquery = {{ own = \"ours\", more = \"1\" }}\nrecords = \"response.items\"\nkey = \"record.id\"\npages = {{ style = \"link\", next = \"response.next\"{keep} }}"
        )
    };
    let http = "query = { all = \"x\" }";
    for (keep, method, more) in [
        ("", "GET", false),
        (", keep = [\"body\"]", "POST", false),
        (", keep = [\"body\", \"query\"]", "POST", true),
    ] {
        assert_eq!(run_ids(&vendor, http, &source(keep)).unwrap(), ["a", "b"]);
        let asked = vendor.asked().pop().unwrap();
        assert_eq!(asked.method, method);
        assert_eq!(asked.body == json!({"f": 1}), method == "POST");
        assert_eq!(asked.query["own"], ["theirs"]);
        assert_eq!(asked.query["all"], ["x"]);
        assert_eq!(asked.query.contains_key("more"), more);
    }
}

#[test]
fn a_next_page_that_is_refused_says_what_may_be_lacking() {
    let vendor = Vendor::start(|asked| {
        let is_first = !asked.query.contains_key("p");
        Some(match (is_first, asked.method.as_str()) {
            (true, _) => ok(json!({"items": [{"id": "a"}], "next": "/api/runs?p=2"})),
            (false, "POST") => status(401, json!({"error": "no key"})),
            (false, _) => status(400, json!({"error": "no body"})),
        })
    });
    let hint = |request: &str, keep: &str| {
        let source = format!(
            "path = \"/runs\"\n{request}\nrecords = \"response.items\"\nkey = \"record.id\"\npages = {{ style = \"link\", next = \"response.next\"{keep} }}"
        );
        run_ids(&vendor, "", &source).unwrap_err().hint.unwrap()
    };
    let post = "json = { f = 1 }";
    assert!(hint(post, "").contains("keep = [\"body\"]"));
    assert!(hint(post, ", keep = [\"body\"]").contains("keep = [\"query\"]"));
    assert!(hint("query = { key = 1 }", "").contains("keep = [\"query\"]"));
    let all = hint(post, ", keep = [\"body\", \"query\"]");
    assert!(!all.contains("keep"), "{all}");
}

#[test]
fn other_hosts_are_asked_when_the_description_names_them() {
    let other = Vendor::start(|_| Some(ok(json!({"items": [{"id": "other"}], "next": null}))));
    let elsewhere = other.url.replace("127.0.0.1", "localhost");
    let vendor = Vendor::start(move |asked| {
        Some(match asked.query.get("p") {
            None => {
                ok(json!({"items": [{"id": "a"}], "next": format!("{elsewhere}/api/runs?p=2")}))
            }
            Some(_) => ok(json!({"items": [{"id": "own"}], "next": null})),
        })
    });
    let source = |hosts: &str| {
        format!(
            "path = \"/runs\"\nrecords = \"response.items\"\nkey = \"record.id\"\npages = {{ style = \"link\", next = \"response.next\"{hosts} }}"
        )
    };
    let error = run_ids(&vendor, "", &source("")).unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::ForeignHost);
    assert!(
        error.hint.as_ref().unwrap().contains("\"ignore\""),
        "{:?}",
        error.hint
    );
    assert!(run_ids(&vendor, "", &source(", hosts = [\"example.com\"]")).is_err());
    assert_eq!(
        run_ids(&vendor, "", &source(", hosts = [\"LOCALHOST\"]")).unwrap(),
        ["a", "other"]
    );
    assert_eq!(
        run_ids(&vendor, "", &source(", hosts = \"ignore\"")).unwrap(),
        ["a", "own"]
    );
}

#[test]
fn a_host_that_only_a_record_names_is_not_told_who_asks() {
    let other = Vendor::start(|_| Some(ok(json!([{"id": "x"}]))));
    let place = other.url.clone();
    let vendor = Vendor::start(move |asked| {
        Some(match asked.path.as_str() {
            "/api/jobs" => ok(json!([{"id": "j", "url": format!("{place}/runs")}])),
            _ => two(),
        })
    });
    let auths = [
        "auth = { kind = \"header\", value = \"Bearer {{ credentials.secret }}\" }",
        "auth = { kind = \"basic\", username = \"ann\", password = \"{{ credentials.secret }}\" }",
        "headers = { X-Api-Key = \"{{ credentials.secret }}\" }",
    ];
    let asks = |http: &str, source: &str| {
        let runs = run_ids(&vendor, http, &format!("{source}\nkey = \"record.id\""));
        assert_eq!(runs.unwrap(), ["x"], "{http} {source}");
        let asked = other.asked().pop().unwrap();
        let told = format!("{:?} {:?}", asked.headers, asked.query);
        told.contains(SECRET) || told.contains("Basic ")
    };
    let each = "for_each = \"jobs\"\nurl = \"{{ parent.url }}\"";
    for http in auths {
        assert!(!asks(http, each), "{http}");
        assert!(
            asks(http, &format!("{each}\nhosts = [\"127.0.0.1\"]")),
            "{http}"
        );
        let listed = format!(
            "for_each = {{ list = \"['{}']\" }}\nurl = \"{{{{ parent }}}}/runs\"",
            other.url
        );
        assert!(asks(http, &listed), "{http}");
    }
    let below = format!(
        "for_each = \"jobs\"\nurl = \"{}{{{{ parent.url | replace('{0}', '') }}}}\"",
        other.url
    );
    assert!(asks(auths[0], &below), "the host stands in the description");
    let version = "headers = { X-Api-Version = \"7\", X-Api-Key = \"{{ credentials.secret }}\" }";
    assert!(!asks(version, each));
    assert_eq!(other.asked().pop().unwrap().headers["x-api-version"], "7");
    let told = |hosts: &str| {
        let text = described(auths[0], &format!("{each}\n{hosts}\nkey = \"record.id\""));
        let (_, summary) = runs(&source(&vendor.url, &text), &always()).unwrap();
        summary
            .notes
            .iter()
            .any(|note| note.contains("without credentials"))
    };
    assert!(told("") && !told("hosts = []") && !told("hosts = [\"127.0.0.1\"]"));
    let own = "for_each = \"jobs\"\nurl = \"{{ parent.url }}\"\nheaders = { X-Own = \"{{ credentials.secret }}\" }";
    assert!(asks(auths[0], own), "what the source itself says is said");
    let refusing = Vendor::start(|_| Some(status(401, json!({}))));
    let place = refusing.url.clone();
    let vendor = Vendor::start(move |_| Some(ok(json!([{"id": "j", "url": place}]))));
    let error = run_ids(&vendor, auths[0], each).unwrap_err();
    assert!(
        error.hint.as_ref().unwrap().contains("`hosts`"),
        "{error:?}"
    );
}

#[test]
fn a_list_whose_place_expires_is_begun_again() {
    for (code, body) in [
        (410, json!({})),
        (400, json!({"error": "The continuation token has expired"})),
    ] {
        let later = AtomicUsize::new(0);
        let vendor = Vendor::start(move |asked| {
            let round = asked
                .query
                .get("c")
                .map_or("0".to_owned(), |cursor| cursor[0].clone());
            Some(match round.as_str() {
                "0" => ok(json!({"items": [{"id": "a"}], "next": "1"})),
                _ if later.fetch_add(1, Ordering::SeqCst).is_multiple_of(2) => {
                    status(code, body.clone())
                }
                _ => ok(json!({"items": [{"id": "b"}], "next": null})),
            })
        });
        let pages = "path = \"/runs\"\nquery = { c = \"{{ page.cursor }}\" }\nrecords = \"response.items\"\npages = { style = \"cursor\", next = \"response.next\" }\n";
        let with_key = format!("{pages}key = \"record.id\"");
        let source = source(&vendor.url, &described("", &with_key));
        let (events, summary) = runs(&source, &always()).unwrap();
        assert_eq!(ids(&events), ["a", "b"]);
        assert!(
            summary
                .notes
                .iter()
                .any(|note| note.contains("begun again")),
            "{:?}",
            summary.notes
        );
        // Without a key a record that comes twice would be two.
        let error = run_ids(&vendor, "", pages).unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::PlaceExpired);
        assert!(error.hint.unwrap().contains("`key`"));
    }
}

#[test]
fn records_come_in_many_formats() {
    let vendor = Vendor::start(|asked| {
        Some(match asked.path.as_str() {
            "/api/csv" => raw(
                "text/csv; charset=iso-8859-1",
                b"id;note\na;J\xfcrgen\nb;x\n",
            ),
            "/api/xml" => raw("text/xml", b"<runs><run id=\"a\"/><run id=\"b\"/></runs>"),
            "/api/one" => raw("text/xml", b"<runs><run id=\"a\"/></runs>"),
            "/api/lines" => raw(
                "application/x-ndjson",
                b"{\"id\": \"a\"}\n{\"id\": \"b\"}\n",
            ),
            "/api/text" => raw("text/plain", b"a\nb\n"),
            _ => status(404, json!({})),
        })
    });
    for (source, expected) in [
        (
            "path = \"/csv\"\nformat = \"csv\"\ndelimiter = \";\"",
            &["a", "b"][..],
        ),
        ("path = \"/lines\"\nformat = \"ndjson\"", &["a", "b"]),
        (
            "path = \"/xml\"\nformat = \"xml\"\nrecords = \"response.runs.run\"\nflatten = \"[{'id': record['@id']}]\"",
            &["a", "b"],
        ),
        (
            "path = \"/one\"\nformat = \"xml\"\nrecords = \"response.runs.run | as_list\"\nflatten = \"[{'id': record['@id']}]\"",
            &["a"],
        ),
        (
            "path = \"/text\"\nformat = \"text\"\nrecords = \"response.split()\"\nflatten = \"[{'id': record}]\"",
            &["a", "b"],
        ),
    ] {
        assert_eq!(run_ids(&vendor, "", source).unwrap(), expected, "{source}");
    }
    let csv = source(
        &vendor.url,
        &described("", "path = \"/csv\"\nformat = \"csv\"\ndelimiter = \";\""),
    );
    let (_, summary) = runs(&csv, &always()).unwrap();
    assert_eq!(
        summary.notes,
        ["1 answer not in UTF-8, read by the encoding they name or else as Windows-1252"]
    );
    let error = run_ids(&vendor, "", "path = \"/csv\"").unwrap_err();
    assert!(
        error
            .to_string()
            .contains("not JSON (text/csv; charset=iso-8859-1)"),
        "{error}"
    );
}

#[test]
fn compressed_answers_are_read_however_they_are_marked() {
    use std::io::Write;
    let list = br#"[{"id": "a"}, {"id": "b"}]"#;
    let level = flate2::Compression::fast();
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), level);
    zlib.write_all(list).unwrap();
    let zlib = zlib.finish().unwrap();
    let mut bare = flate2::write::DeflateEncoder::new(Vec::new(), level);
    bare.write_all(list).unwrap();
    let bare = bare.finish().unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), level);
    gzip.write_all(list).unwrap();
    let gzip = gzip.finish().unwrap();
    let mut bomb = flate2::write::ZlibEncoder::new(Vec::new(), level);
    bomb.write_all(&vec![b' '; 3 << 20]).unwrap();
    let bomb = bomb.finish().unwrap();
    let vendor = Vendor::start(move |asked| {
        let (body, encoding) = match asked.path.as_str() {
            "/api/zlib" => (&zlib, "deflate"),
            "/api/bare" => (&bare, "deflate"),
            "/api/marked" => (&gzip, "gzip"),
            "/api/bomb" => (&bomb, "deflate"),
            _ => (&gzip, "identity"),
        };
        Some(raw("application/json", body).with("content-encoding", encoding))
    });
    for path in ["zlib", "bare", "marked", "unmarked"] {
        let ids = run_ids(&vendor, "", &format!("path = \"/{path}\"")).unwrap();
        assert_eq!(ids, ["a", "b"], "{path}");
    }
    let error = run_ids(&vendor, "limits = { body_mb = 1 }", "path = \"/bomb\"").unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::TooLarge);
}

#[test]
fn an_answer_that_is_large_in_memory_is_refused_with_its_reason() {
    let vendor = Vendor::start(|_| {
        let body = format!("[{}{{}}]", "{},".repeat(50_000));
        Some(raw("application/json", body.as_bytes()))
    });
    let error = run_ids(&vendor, "limits = { memory_mb = 1 }", RUNS).unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::TooLarge);
    assert!(
        error.to_string().contains("more than 1 MB of memory"),
        "{error}"
    );
    assert!(error.hint.unwrap().contains("`memory_mb`"));
}

#[test]
fn an_answer_without_content_is_an_empty_list() {
    let vendor = Vendor::start(|_| {
        let mut nothing = raw("text/plain", b"");
        nothing.status = 204;
        Some(nothing)
    });
    assert!(run_ids(&vendor, "", RUNS).unwrap().is_empty());
}
