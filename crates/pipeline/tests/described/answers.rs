//! Answers that look like the end of a list, or like an empty one, and are neither.

use bowline_pipeline::SourceErrorKind;
use bowline_words::Diagnose as _;
use serde_json::{Value, json};

use crate::vendor::{
    Answer, Asked, Vendor, always, described, description, ids, ok, raw, runs, source, status,
};

/// Three pages of two runs; `headers` are those of an answer, by its page.
fn pages(headers: impl Fn(usize) -> Vec<(&'static str, String)> + Send + Sync + 'static) -> Vendor {
    Vendor::start(move |asked| {
        let page = asked.number("page").unwrap_or(1);
        let mut answer = ok(json!([{"id": format!("{page}a")}, {"id": format!("{page}b")}]));
        answer.headers.extend(headers(page));
        Some(answer)
    })
}

const SIX: [&str; 6] = ["1a", "1b", "2a", "2b", "3a", "3b"];

fn read(vendor: &Vendor, text: &str) -> Vec<String> {
    let (events, _) = runs(&source(&vendor.url, &description(text)), &always()).unwrap();
    ids(&events)
}

fn refused(vendor: &Vendor, text: &str) -> (SourceErrorKind, String) {
    let error = runs(&source(&vendor.url, &description(text)), &always()).unwrap_err();
    (error.kind, error.diagnose().to_string())
}

const LINK: &str = r#"
path = "/runs"
pages = { style = "link", next = "headers.Link | default(none) | next_link" }
"#;

#[test]
fn link_headers_are_read_as_they_are_written() {
    let several = pages(|page| {
        let first = ("Link", "</runs?page=1>; rel=\"first\"".to_owned());
        let next = format!(
            "</runs?x=1,2;3&page={}>; title=\"a, b\"; rel=\"next last\"",
            page + 1
        );
        match page {
            3 => vec![first],
            _ => vec![first, ("LINK", next)],
        }
    });
    assert_eq!(read(&several, LINK), SIX);
    let (kind, told) = refused(&pages(|_| vec![("link", "/runs?page=2".to_owned())]), LINK);
    assert_eq!(kind, SourceErrorKind::Expression);
    assert!(
        told.contains("not a `Link` header: `/runs?page=2`"),
        "{told}"
    );
}

#[test]
fn a_header_ends_a_list_only_when_it_was_there_before() {
    let cursor = |name: &str| {
        format!(
            "path = \"/runs\"\nquery = {{ page = \"{{{{ page.cursor }}}}\" }}\npages = {{ style = \"cursor\", next = \"headers['{name}']\" }}"
        )
    };
    let vendor = || {
        pages(|page| match page {
            3 => Vec::new(),
            _ => vec![("x-next-page", (page + 1).to_string())],
        })
    };
    assert_eq!(read(&vendor(), &cursor("X-Next-Page")), SIX);
    let (kind, told) = refused(&vendor(), &cursor("X-Nxt-Page"));
    assert_eq!(kind, SourceErrorKind::Expression);
    assert!(
        told.contains("the answer has no header `x-nxt-page`")
            && told.contains("did you mean `x-next-page`?"),
        "{told}"
    );
}

const GRAPHQL: &str = r#"
path = "/graphql"
graphql = "query Runs { runs { id } }"
records = "response.data.runs"
"#;

fn answering(body: Value) -> Vendor {
    Vendor::start(move |_: &Asked| -> Option<Answer> { Some(ok(body.clone())) })
}

#[test]
fn an_answer_without_data_is_no_empty_list() {
    for (body, words) in [
        (
            json!({"data": null, "errors": [{"message": "too deep"}]}),
            "too deep",
        ),
        (json!({"errors": [{"message": "too deep"}]}), "too deep"),
        (
            json!({"data": {"runs": null}, "errors": [{"message": "too deep"}]}),
            "too deep",
        ),
        (json!({"data": null}), "no `data`"),
    ] {
        let (kind, told) = refused(&answering(body), GRAPHQL);
        assert_eq!(kind, SourceErrorKind::Refused);
        assert!(told.contains(words), "{told}");
    }
    // Whoever asks by hand gets the same.
    let by_hand =
        "path = \"/q\"\njson = { query = \"{ runs { id } }\" }\nrecords = \"response.data.runs\"";
    let body = json!({"data": null, "errors": [{"message": "too deep"}]});
    assert!(refused(&answering(body), by_hand).1.contains("too deep"));
}

#[test]
fn partial_data_counts_and_is_told() {
    let body = json!({"data": {"runs": [{"id": "1"}]}, "errors": [{"message": "steps lost"}, {"message": "x"}]});
    let vendor = answering(body);
    let (events, summary) = runs(&source(&vendor.url, &description(GRAPHQL)), &always()).unwrap();
    assert_eq!(ids(&events), ["1"]);
    assert_eq!(
        summary.notes,
        ["parts of answers are missing, as the vendor says: steps lost (and 1 other error)"]
    );
}

#[test]
fn missing_means_that_there_is_no_list_and_not_that_it_ends() {
    let text = "path = \"/runs\"\nmissing = [404, 403]\nquery = { page = \"{{ page.number }}\" }\npages = { style = \"number\" }";
    let gone_at = |page, code| {
        Vendor::start(move |asked| {
            Some(match asked.number("page") {
                asked if asked == Some(page) => status(code, json!({})),
                asked => ok(json!([{"id": format!("{asked:?}")}])),
            })
        })
    };
    let (kind, told) = refused(&gone_at(2, 404), text);
    assert_eq!(kind, SourceErrorKind::NotFound, "{told}");
    for (code, notes) in [
        (404, &[][..]),
        (
            403,
            &["`/runs` was taken for empty at status 403".to_owned()][..],
        ),
    ] {
        let vendor = gone_at(1, code);
        let (events, summary) = runs(&source(&vendor.url, &description(text)), &always()).unwrap();
        assert_eq!((events.len(), summary.notes.as_slice()), (0, notes));
    }
}

#[test]
fn a_number_and_the_same_text_are_two_records() {
    let text = "path = \"/runs\"\nquery = { offset = \"{{ page.offset }}\" }\npages = { style = \"offset\", size = 3 }";
    let list = [json!(1), json!("1"), json!(2), json!("2"), json!("3")];
    let vendor = Vendor::start(move |asked| {
        let from = asked.number("offset").unwrap_or(0);
        let page = list.iter().skip(from).take(3);
        Some(ok(page.map(|id| json!({"id": id})).collect()))
    });
    let reading = runs(&source(&vendor.url, &description(text)), &always());
    assert_eq!(reading.unwrap().1.records, 5);
}

/// Where the records are looked for, there is something else: that is no empty list.
#[test]
fn records_are_not_looked_for_in_what_is_no_record() {
    let nested = "path = \"/runs\"\nrecords = \"response.data.runs\"";
    for body in [
        json!({"data": [{"id": "1"}]}),
        json!({"data": "maintenance"}),
        json!({"data": 0}),
        json!([{"id": "1"}]),
        json!("maintenance"),
        Value::Null,
    ] {
        let (kind, told) = refused(&answering(body.clone()), nested);
        assert!(
            matches!(kind, SourceErrorKind::Expression | SourceErrorKind::Format),
            "{body}: {told}"
        );
    }
    // Null is walked through, and some write an empty record as an empty list.
    for body in [
        json!({"data": null}),
        json!({"data": []}),
        json!({"data": {"runs": null}}),
    ] {
        assert!(read(&answering(body), nested).is_empty());
    }
    let whole = "path = \"/runs\"\nrecords = \"response\"";
    assert!(read(&answering(Value::Null), whole).is_empty());
}

#[test]
fn what_is_one_line_and_no_table_is_no_empty_one() {
    let csv = "path = \"/runs\"\nformat = \"csv\"";
    for text in [
        "{\"error\": \"quota\", \"code\": 7}",
        "<html>log in</html>",
        " [1]",
    ] {
        let vendor = Vendor::start(move |_| Some(raw("text/csv", text.as_bytes())));
        let (kind, told) = refused(&vendor, csv);
        assert_eq!(kind, SourceErrorKind::Format, "{told}");
    }
    let vendor = Vendor::start(|_| Some(raw("text/csv", b"id,state\n")));
    assert!(read(&vendor, csv).is_empty());
}

#[test]
fn ids_of_any_size_stay_apart() {
    let body = br#"[{"id": 18446744073709551616}, {"id": 18446744073709551617}, {"id": 340282366920938463463}]"#;
    let vendor = Vendor::start(move |_| Some(raw("application/json", body)));
    let list = "path = \"/runs\"";
    let found = read(&vendor, list);
    assert_eq!(
        found,
        [
            "18446744073709551616",
            "18446744073709551617",
            "340282366920938463463"
        ]
    );
}

#[test]
fn next_pages_are_named_in_many_ways() {
    let link = "path = \"/runs\"\npages = { style = \"link\", next = \"response.next\" }\nrecords = \"response.runs\"";
    for (next, last) in [
        (json!("//HOST/runs?page=2"), json!(false)),
        (json!("/runs?name=a b é&page=2"), Value::Null),
        (json!("/runs?from=http://elsewhere/&page=2"), json!("")),
    ] {
        let vendor = Vendor::start(move |asked| {
            let page = asked.number("page").unwrap_or(1);
            let host = asked.headers["host"].clone();
            let next = match (page, next.as_str()) {
                (1, Some(next)) => json!(next.replace("HOST", &host)),
                _ => last.clone(),
            };
            Some(ok(
                json!({"runs": [{"id": page.to_string()}], "next": next}),
            ))
        });
        assert_eq!(read(&vendor, link), ["1", "2"]);
    }
    let quoted = pages(|page| match page {
        3 => Vec::new(),
        _ => vec![("link", format!("</runs?page={}>; rel='next'", page + 1))],
    });
    assert_eq!(read(&quoted, LINK), SIX);
}

#[test]
fn whether_a_page_is_the_last_may_be_said_as_text() {
    let numbered = "path = \"/runs\"\nquery = { page = \"{{ page.number }}\" }\nrecords = \"response.runs\"\npages = { style = \"number\", size = 1, last = \"response.last\" }";
    let vendor = Vendor::start(|asked| {
        let page = asked.number("page").unwrap();
        let last = if page < 3 { "false" } else { "true" };
        Some(ok(
            json!({"runs": [{"id": page.to_string()}], "last": last}),
        ))
    });
    let mut found = read(&vendor, numbered);
    found.sort();
    found.dedup();
    assert_eq!(found, ["1", "2", "3"]);
}

/// A plain list in one answer.
const PLAIN: &str = "path = \"/runs\"\nrecords = \"response.data.runs\"";

#[test]
fn the_reason_that_a_vendor_gives_for_a_missing_list_is_told() {
    let text = "path = \"/runs\"\nrecords = \"response.data\"";
    for (body, words) in [
        (
            json!({"data": null, "error": {"code": 7, "reason": "quota used up"}}),
            "quota used up",
        ),
        (
            json!({"data": null, "errors": {"workspace": ["is unknown"]}}),
            "is unknown",
        ),
        (
            json!({"data": null, "code": 10_001, "msg": "user not exist"}),
            "user not exist (code 10001)",
        ),
        (
            json!({"errors": [{"message": "boom"}]}),
            "the vendor says: boom",
        ),
        (
            json!({"message": "moved to v2"}),
            "the vendor says: moved to v2",
        ),
        (
            json!({"result": {"__typename": "PythonError", "message": "the pool is used up"}}),
            "the vendor says: the pool is used up",
        ),
        (
            json!({"data": null, "code": "AuthFailed", "message": "the key is revoked"}),
            "the key is revoked (code AuthFailed)",
        ),
        (json!({"error": "x".repeat(5000)}), "the vendor says: xxx"),
        (json!({"data": null, "error": "x".repeat(5000)}), "xxx"),
        (
            json!({"error": {"why": format!("not {}", crate::vendor::SECRET)}}),
            "not ***",
        ),
    ] {
        let (_, told) = refused(&answering(body), text);
        assert!(told.contains(words) && told.len() < 2500, "{told}");
        assert!(!told.contains(crate::vendor::SECRET), "{told}");
    }
    let (_, told) = refused(
        &answering(json!({"data": null, "error": "no quota"})),
        PLAIN,
    );
    assert!(told.contains("no quota"), "{told}");
    for body in [
        json!({"data": null}),
        json!({"data": null, "code": 0, "msg": "success", "error": ""}),
        json!({"data": null, "code": "Success", "message": "none yet"}),
        json!({"data": null, "code": "OK", "message": "none yet"}),
        json!({"data": null, "code": 200, "message": "ok", "errors": {}}),
        json!({"data": [], "error": {"code": 0}}),
    ] {
        assert!(read(&answering(body), text).is_empty());
    }
}

/// Five runs, two to a page, with this instead of pages behind the last.
fn by_number(count: usize, behind: Answer) -> Vendor {
    Vendor::start(move |asked| {
        let page = asked.number("page")?;
        let ids: Vec<usize> = (1..=count).skip(2 * (page - 1)).take(2).collect();
        Some(match ids.as_slice() {
            [] => behind.clone(),
            ids => ok(ids.iter().map(|id| json!({"id": id.to_string()})).collect()),
        })
    })
}

#[test]
fn a_page_that_is_not_there_behind_the_last_ends_the_list() {
    let text = "path = \"/runs\"\nquery = { page = \"{{ page.number }}\" }\npages = { style = \"number\", size = 2 }";
    let invalid = || status(404, json!({"detail": "Invalid page."}));
    // The vendor says so, or the last page had fewer records than others.
    let not_found = || status(404, json!({"error": "Page not found"}));
    for (count, behind) in [
        (4, invalid()),
        (5, invalid()),
        (4, not_found()),
        (5, status(404, json!({}))),
    ] {
        let vendor = by_number(count, behind);
        let (events, summary) = runs(&source(&vendor.url, &description(text)), &always()).unwrap();
        assert_eq!(events.len(), count);
        assert!(
            summary.notes[0].contains("was taken for its end"),
            "{:?}",
            summary.notes
        );
    }
    for (count, behind, as_kind) in [
        (4, status(404, json!({})), SourceErrorKind::NotFound),
        (
            5,
            status(400, json!({"detail": "Invalid page."})),
            SourceErrorKind::Refused,
        ),
    ] {
        let (kind, told) = refused(&by_number(count, behind), text);
        assert_eq!(kind, as_kind);
        assert!(
            told.contains("say with `last` or `total` in `pages`"),
            "{told}"
        );
    }
    let (kind, _) = refused(&by_number(5, status(403, json!({}))), text);
    assert_eq!(kind, SourceErrorKind::Unauthorized);
    let expired = by_number(5, status(404, json!({"error": "page expired"})));
    assert_eq!(refused(&expired, text).0, SourceErrorKind::PlaceExpired);
}

#[test]
fn times_as_vendors_write_them_are_told_with_what_reads_them() {
    for (at, filter, moment) in [
        (
            json!("2026-01-01T00:00:00Z[UTC]"),
            Some("`| time`"),
            "2026-01-01T00:00:00Z",
        ),
        (
            json!("2026-07-01T10:00:00.25+02:00[Europe/Berlin]"),
            Some("`| time`"),
            "2026-07-01T08:00:00.25Z",
        ),
        (
            json!("2026-01-01 00:00:00.000 +0000 UTC"),
            Some("`| time`"),
            "2026-01-01T00:00:00Z",
        ),
        (
            json!("2026-01-01 00:00:00 UTC"),
            Some("`| time`"),
            "2026-01-01T00:00:00Z",
        ),
        (
            json!("Thu, 01 Jan 2026 00:00:00 GMT"),
            Some("`| time`"),
            "2026-01-01T00:00:00Z",
        ),
        (
            json!("/Date(1767225600000)/"),
            Some("`| time`"),
            "2026-01-01T00:00:00Z",
        ),
        (
            json!(1_767_225_600),
            Some("`| time`"),
            "2026-01-01T00:00:00Z",
        ),
        (
            json!(1_767_225_600_123_i64),
            Some("`| time('ms')`"),
            "2026-01-01T00:00:00.123Z",
        ),
        (
            json!("2026-01-01 00:00:00"),
            Some("`| time(none, 'Europe/Berlin')`"),
            "2025-12-31T23:00:00Z",
        ),
        (json!("2026-01-01T00:00:00Z"), None, "2026-01-01T00:00:00Z"),
    ] {
        let vendor = answering(json!([{"id": "1", "at": at}]));
        let runs_of = |filter: &str| {
            let text = description("path = \"/runs\"").replace(
                "\"'2026-01-01T00:00:00Z'\"",
                &format!("\"record.at {filter}\""),
            );
            runs(&source(&vendor.url, &text), &always()).unwrap()
        };
        let (_, summary) = runs_of("");
        let told: Vec<bool> = summary
            .notes
            .iter()
            .map(|note| filter.is_some_and(|filter| note.contains(filter)))
            .collect();
        let expected: &[bool] = if filter.is_some() { &[true, true] } else { &[] };
        assert_eq!(told, expected, "{at}: {:?}", summary.notes);
        let (events, summary) = runs_of(filter.unwrap_or_default().trim_matches('`'));
        assert_eq!(summary.notes, [""; 0], "{at}");
        let time = serde_json::to_value(&events[0]).unwrap()["event_time"].clone();
        assert_eq!(time, json!(moment), "{at}");
    }
}

#[test]
fn what_is_no_table_is_no_empty_list() {
    for (format, body, told) in [
        ("csv", &b"PK\x03\x04\x14\0\0\0"[..], "a ZIP archive"),
        ("csv", b"\x28\xb5\x2f\xfd\x04\0", "zstd"),
        ("ndjson", b"%PDF-1.7\n", "a PDF"),
        (
            "csv",
            b"ERROR: Query exceeded timeout of 300s\n",
            "Query exceeded timeout",
        ),
        (
            "xml",
            b"<s:Envelope><s:Body><s:Fault><faultcode>s:Client</faultcode><faultstring>no such session</faultstring></s:Fault></s:Body></s:Envelope>",
            "no such session",
        ),
        (
            "xml",
            b"<env:Envelope><env:Body><env:Fault><env:Reason><env:Text xml:lang='en'>too busy</env:Text></env:Reason></env:Fault></env:Body></env:Envelope>",
            "too busy",
        ),
        (
            "xml",
            b"<html><head><title>Maintenance</title></head><body><p>later</p></body></html>",
            "Maintenance",
        ),
    ] {
        let vendor = Vendor::start(move |_| Some(raw("application/octet-stream", body)));
        let records = match format {
            "xml" => "records = \"response.list | default([])\"",
            _ => "",
        };
        let text = format!("path = \"/runs\"\nformat = \"{format}\"\n{records}");
        let (_, said) = refused(&vendor, &text);
        assert!(said.contains(told), "{said}");
    }
    for table in [
        "id\n",
        "run id,at\n",
        "Name of the job\n",
        "Run: id\n",
        "error message\n",
    ] {
        let vendor = Vendor::start(move |_| Some(raw("text/csv", table.as_bytes())));
        let none: [String; 0] = [];
        assert_eq!(read(&vendor, "path = \"/runs\"\nformat = \"csv\""), none);
    }
}

#[test]
fn a_stream_that_ends_with_an_error_is_not_whole() {
    let incomplete = |last: &'static str| {
        let body = format!("{{\"result\": {{\"id\": \"a\"}}}}\n{last}");
        let vendor = Vendor::start(move |_| Some(raw("application/x-ndjson", body.as_bytes())));
        let text =
            "path = \"/runs\"\nformat = \"ndjson\"\nrecords = \"response | pluck('result')\"";
        let (events, summary) = runs(&source(&vendor.url, &description(text)), &always()).unwrap();
        assert!(
            summary.failed.is_empty() && !events.is_empty(),
            "{:?}",
            summary.failed
        );
        summary.incomplete
    };
    let told = incomplete("{\"error\": {\"code\": 8, \"message\": \"message too large\"}}");
    assert!(told[0].contains("message too large"), "{told:?}");
    assert!(incomplete("{\"result\": {\"id\": \"b\"}}").is_empty());
}

#[test]
fn a_list_that_gives_less_than_its_total_is_not_whole() {
    let vendor = Vendor::start(|asked| {
        let offset = asked.number("offset").unwrap_or(0);
        let all = if offset == 0 {
            vec!["a", "b"]
        } else {
            Vec::new()
        };
        let items: Vec<Value> = all.iter().map(|id| json!({"id": id})).collect();
        Some(ok(json!({"items": items, "total": 5})))
    });
    let text = "path = \"/runs\"\nquery = { offset = \"{{ page.offset }}\" }\nrecords = \"response.items\"\npages = { style = \"offset\", size = 2, total = \"response.total\" }";
    let (events, summary) = runs(&source(&vendor.url, &description(text)), &always()).unwrap();
    assert_eq!(ids(&events), ["a", "b"]);
    assert!(
        summary
            .incomplete
            .iter()
            .any(|note| note.contains("has 5 records, and gave 2")),
        "{:?} {:?}",
        summary.incomplete,
        summary.notes
    );
}

#[test]
fn a_record_that_does_not_count_needs_no_key() {
    let vendor = Vendor::start(|_| Some(ok(json!([{"id": "a"}, {"sum": 1}, {"id": "b"}]))));
    let read = |when: &str| {
        let text = described(
            "limits = { retries = 0 }",
            &format!("path = \"/runs\"\nkey = \"record.id\"\n{when}"),
        );
        let (events, summary) = runs(&source(&vendor.url, &text), &always()).unwrap();
        (ids(&events), summary.failed.len())
    };
    let both = ["a".to_owned(), "b".to_owned()];
    assert_eq!(read("when = \"'id' in record\""), (both.to_vec(), 0));
    let (given, failed) = read("");
    assert_eq!(given, both);
    assert!(failed > 0, "one that counts is told");
}
