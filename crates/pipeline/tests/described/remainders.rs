//! Answers that say that there is more than what came, and lists that end before they are over: none is a silent loss.

use std::sync::atomic::{AtomicUsize, Ordering};

use bowline_pipeline::{SourceErrorKind, Summary};
use bowline_words::Diagnose as _;
use serde_json::{Value, json};

use crate::vendor::{
    Answer, Vendor, always, described, description, ids, ok, raw, runs, source, status,
};

fn read(vendor: &Vendor, text: &str) -> (Vec<String>, Summary) {
    let (events, summary) = runs(&source(&vendor.url, &description(text)), &always())
        .unwrap_or_else(|error| panic!("{error}\n{text}"));
    (ids(&events), summary)
}

fn refused(vendor: &Vendor, text: &str) -> (SourceErrorKind, String) {
    let error = runs(&source(&vendor.url, &description(text)), &always()).unwrap_err();
    (error.kind, error.diagnose().to_string())
}

const PLAIN: &str = "path = \"/runs\"\nrecords = \"response.items\"";
const OFFSET: &str = "path = \"/runs\"\nquery = { offset = \"{{ page.offset }}\" }\nrecords = \"response.items\"\npages = { style = \"offset\", size = 2 }";
const NUMBER: &str = "path = \"/runs\"\nquery = { page = \"{{ page.number }}\" }\nrecords = \"response.items\"\npages = { style = \"number\", size = 2 }";
const CURSOR: &str = "path = \"/runs\"\nquery = { c = \"{{ page.cursor }}\" }\nrecords = \"response.items\"\npages = { style = \"cursor\", next = \"response.next\" }";
const OWN_CURSOR: &str = "path = \"/runs\"\nquery = { c = \"{{ page.cursor }}\" }\nrecords = \"response.items\"\npages = { style = \"cursor\", next = \"last.id\" }";

#[test]
fn a_list_whose_next_page_expires_again_and_again_is_an_error() {
    for text in [CURSOR, OWN_CURSOR, OFFSET, NUMBER] {
        let vendor = Vendor::start(move |asked| {
            let place = ["c", "offset", "page"]
                .iter()
                .find_map(|name| asked.query.get(*name));
            Some(match place.map(|place| place[0].as_str()) {
                None | Some("0") => ok(json!({"items": [{"id": "a"}, {"id": "b"}], "next": "1"})),
                Some("1") if text == NUMBER => {
                    ok(json!({"items": [{"id": "a"}, {"id": "b"}], "next": "1"}))
                }
                Some(_) => status(410, json!({})),
            })
        });
        let (kind, told) = refused(&vendor, text);
        assert_eq!(kind, SourceErrorKind::PlaceExpired, "{text}: {told}");
        assert!(told.contains("hint: ask for larger pages"), "{told}");
        assert!(vendor.asked().len() < 12, "{text}");
    }
}

/// Four runs behind each other, `most` to an answer, with what it says of its part.
fn parts(code: u16, range: fn(usize, usize) -> Option<String>) -> Vendor {
    Vendor::start(move |asked| {
        let from = asked.number("offset").or(asked.number("c")).unwrap_or(0);
        let items: Vec<Value> = (from..4)
            .take(2)
            .map(|id| json!({"id": id.to_string()}))
            .collect();
        let to = from + items.len();
        let answer = status(code, json!({"items": items, "next": null}));
        Some(match range(from, to) {
            Some(range) => answer.with("content-range", &range),
            None => answer,
        })
    })
}

#[test]
fn a_part_is_not_taken_for_the_whole() {
    let counted =
        |from: usize, to: usize| (to > from).then(|| format!("items {from}-{}/4", to - 1));
    for code in [200, 206] {
        let (kind, told) = refused(&parts(code, counted), PLAIN);
        assert_eq!(kind, SourceErrorKind::Pages);
        assert!(
            told.contains("`Content-Range: items 0-1/4`")
                && told.contains("hint: say with `pages`"),
            "{told}"
        );
        // A cursor that ends there contradicts it.
        let (kind, told) = refused(&parts(code, counted), CURSOR);
        assert_eq!(kind, SourceErrorKind::Pages);
        assert!(told.contains("more follows, and not where"), "{told}");
        let (found, summary) = read(&parts(code, counted), OFFSET);
        assert_eq!((found.len(), summary.notes.len()), (4, 0));
    }
    // All that there is, in one part.
    let (found, summary) = read(&parts(206, |_, _| Some("items 0-1/2".to_owned())), PLAIN);
    assert_eq!((found.len(), summary.notes.len()), (2, 0));
    // Nobody knows of what.
    for range in [(|_, _| None) as fn(usize, usize) -> _, |_, _| {
        Some("items 0-1/*".to_owned())
    }] {
        let (found, summary) = read(&parts(206, range), PLAIN);
        assert_eq!(found.len(), 2);
        assert!(
            summary.notes[0].contains("(status 206)"),
            "{:?}",
            summary.notes
        );
    }
}

#[test]
fn bytes_that_did_not_come_are_asked_for_again_and_then_an_error() {
    let lines = "path = \"/runs\"\nformat = \"ndjson\"";
    let vendor = Vendor::start(|_| {
        let mut part = raw("application/x-ndjson", b"{\"id\": \"a\"}\n");
        part.status = 206;
        Some(part.with("content-range", "bytes 0-11/24"))
    });
    let (kind, told) = refused(&vendor, lines);
    assert_eq!(kind, SourceErrorKind::Broken);
    assert!(told.contains("`Content-Range: bytes 0-11/24`"), "{told}");
    // Whoever asks for a part gets one.
    let asked_for = format!(
        "{lines}\nheaders = {{ Range = \"bytes=0-11\" }}\npages = {{ style = \"number\", last = \"true\" }}"
    );
    assert_eq!(read(&vendor, &asked_for).0, ["a"]);
}

/// A vendor that takes a request and answers it only when it is asked for the third time.
fn at_last(pending: Answer) -> Vendor {
    let count = AtomicUsize::new(0);
    Vendor::start(move |_| {
        Some(match count.fetch_add(1, Ordering::SeqCst) {
            0 | 1 => pending.clone(),
            _ => ok(json!({"items": [{"id": "a"}]})),
        })
    })
}

#[test]
fn an_answer_to_come_back_for_is_no_empty_list() {
    let retrying = described("limits = { retries = 2 }", PLAIN);
    let mut bare = raw("text/plain", b"");
    bare.status = 202;
    for pending in [
        status(202, json!({"items": []})),
        status(202, json!({"items": null, "message": "queued"})),
        status(202, json!({"status": "queued"})),
        status(202, json!({"items": []})).with("retry-after", "0"),
        bare,
    ] {
        let vendor = at_last(pending.clone());
        let (events, _) = runs(&source(&vendor.url, &retrying), &always()).unwrap();
        assert_eq!(
            (ids(&events), vendor.asked().len()),
            (vec!["a".to_owned()], 3)
        );
        let (kind, told) = refused(&at_last(pending.clone()), PLAIN);
        assert_eq!(kind, SourceErrorKind::Broken);
        assert!(told.contains("gives no records yet"), "{told}");
        // It may mean that there is nothing.
        let missing = format!("{PLAIN}\nmissing = [202]");
        assert!(read(&at_last(pending), &missing).0.is_empty());
    }
    // With records it is an answer as any other, whatever is said of it.
    let vendor = Vendor::start(|_| Some(status(202, json!({"items": [{"id": "a"}]}))));
    for text in [PLAIN.to_owned(), format!("{PLAIN}\nmissing = [202]")] {
        assert_eq!(read(&vendor, &text).0, ["a"]);
    }
    // Where the answer itself is the list, too.
    let whole = "path = \"/runs\"";
    let vendor = Vendor::start(|_| Some(status(202, json!([{"id": "a"}]))));
    assert_eq!(read(&vendor, whole).0, ["a"]);
    let (kind, _) = refused(&Vendor::start(|_| Some(status(202, json!([])))), whole);
    assert_eq!(kind, SourceErrorKind::Broken);
}

#[test]
fn what_a_vendor_says_beside_no_list_is_told() {
    for (body, words) in [
        (
            json!({"items": null, "warnings": ["one of three shards did not answer"]}),
            "the vendor warns: one of three shards did not answer",
        ),
        (
            json!({"items": [], "meta": {"warnings": [{"code": 7, "message": "runs are archived"}]}}),
            "the vendor warns: runs are archived",
        ),
        (
            json!({"items": [{"id": "a"}], "warning": "results were cut at 10,000"}),
            "the vendor warns: results were cut at 10,000",
        ),
        (
            json!({"items": null, "code": 0, "message": "the workspace is being moved"}),
            "a list is null, and the vendor says: the workspace is being moved",
        ),
    ] {
        let vendor = Vendor::start(move |_| Some(ok(body.clone())));
        assert_eq!(read(&vendor, PLAIN).1.notes, [words]);
    }
    for body in [
        json!({"items": null, "code": 0, "message": "success", "warnings": []}),
        json!({"items": null, "message": "OK", "warnings": null}),
        json!({"items": [], "message": "no runs in this window"}),
    ] {
        let vendor = Vendor::start(move |_| Some(ok(body.clone())));
        assert_eq!(read(&vendor, PLAIN).1.notes, [""; 0]);
    }
}

#[test]
fn a_cursor_that_stands_for_the_end_is_told_with_how_to_say_so() {
    let last = |end: &Value| match end {
        Value::String(text) => format!("last = \\\"response.next == '{text}'\\\""),
        number => format!("last = \\\"response.next == {number}\\\""),
    };
    for end in [json!(-1), json!("END"), json!(0)] {
        // Asked for it, vendors give nothing, begin again, or refuse.
        for beyond in 0..3 {
            let cursor = match &end {
                Value::String(text) => text.clone(),
                number => number.to_string(),
            };
            let named = end.clone();
            let vendor = Vendor::start(move |asked| {
                let c = asked.query.get("c").map(|c| c[0].as_str());
                Some(match c {
                    Some("2") => ok(json!({"items": [{"id": "b"}], "next": named})),
                    Some(c) if c == cursor && beyond == 0 => {
                        ok(json!({"items": [], "next": named}))
                    }
                    Some(c) if c == cursor && beyond == 2 => {
                        status(400, json!({"error": "bad cursor"}))
                    }
                    _ => ok(json!({"items": [{"id": "a"}], "next": "2"})),
                })
            });
            let (_, told) = refused(&vendor, CURSOR);
            let option = last(&end).replace('\\', "");
            let is_itself = beyond == 0 && end == json!("END");
            let option = if is_itself {
                "last = \"response.next == page.cursor\"".to_owned()
            } else {
                option
            };
            assert!(told.contains(&option), "{beyond}: {told}");
            // And what is told helps.
            let mended = CURSOR.replace(
                "next = \"response.next\"",
                &format!("next = \"response.next\", {option}"),
            );
            assert_eq!(read(&vendor, &mended).0, ["a", "b"], "{mended}");
        }
    }
}

#[test]
fn more_that_the_last_answer_tells_of_is_told() {
    let told = |name: &str| {
        format!(
            "the vendor says by `{name}` that `/runs` has more than what came: see what `pages` of it says"
        )
    };
    let one = |more: Value| {
        let mut body = json!({"items": [{"id": "a"}]});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let vendor = Vendor::start(move |_| Some(ok(body.clone())));
        read(&vendor, PLAIN).1.notes
    };
    for (more, name) in [
        (json!({"has_more": true}), "has_more"),
        (json!({"incomplete_results": true}), "incomplete_results"),
        (json!({"paging": {"count": 1, "total": 45}}), "total"),
        (
            json!({"metadata": {"remainingItemCount": 4}}),
            "remainingItemCount",
        ),
        (json!({"next_cursor": "abc"}), "next_cursor"),
        (json!({"paging": {"next": "/runs?page=2"}}), "next"),
        (json!({"total": "45"}), "total"),
        (json!({"last": false, "number": 0}), "last"),
        (json!({"page": 1, "pages": 3}), "pages"),
    ] {
        assert_eq!(one(more.clone()), [told(name)], "{more}");
    }
    // By headers too, where the answer itself is the list.
    for (name, value, by) in [
        ("x-total-count", "45", Some("x-total-count")),
        ("x-total-pages", "3", Some("x-total-pages")),
        ("x-next-page", "2", Some("x-next-page")),
        (
            "x-ms-continuationtoken",
            "abc",
            Some("x-ms-continuationtoken"),
        ),
        (
            "link",
            "</runs?page=2>; rel=\"next\"",
            Some("link: rel=next"),
        ),
        ("link", "</runs>; rel=\"last\"", None),
        ("x-total-count", "1", None),
        ("x-next-page", "", None),
        ("x-ratelimit-remaining", "45", None),
    ] {
        let list = Vendor::start(move |_| Some(ok(json!([{"id": "a"}])).with(name, value)));
        let notes = read(&list, "path = \"/runs\"").1.notes;
        assert_eq!(
            notes,
            by.map(told).into_iter().collect::<Vec<_>>(),
            "{name}: {value}"
        );
    }
    // Only some of the list are records.
    let some =
        "path = \"/runs\"\nrecords = \"response.items | selectattr('id', 'equalto', 'a') | list\"";
    let counted = json!({"items": [{"id": "a"}, {"id": "b"}], "count": 2});
    let vendor = Vendor::start(move |_| Some(ok(counted.clone())));
    assert_eq!(read(&vendor, some).1.notes, [""; 0]);
    // One record that is no list says it of itself.
    let alone = Vendor::start(|_| Some(ok(json!({"id": "a", "total": 7, "has_more": true}))));
    assert_eq!(read(&alone, "path = \"/runs\"").1.notes, [""; 0]);
    for more in [
        json!({"has_more": false, "total": 1, "next_cursor": null}),
        json!({"last": true, "pages": 1, "total": "1"}),
        json!({"job": {"next_run": "2026-01-01", "total": 7}}),
    ] {
        assert_eq!(one(more.clone()), [""; 0], "{more}");
    }
    // A vendor that gives no more than two of many, by whatever pages.
    for text in [OFFSET, NUMBER, CURSOR] {
        let capped = || {
            Vendor::start(|asked| {
                let page = asked.number("page").unwrap_or(1) - 1;
                let from = asked.number("offset").unwrap_or(2 * page);
                let given = ["a", "b"].iter().skip(from);
                let items: Vec<Value> = given.map(|id| json!({"id": id})).collect();
                Some(ok(
                    json!({"items": items, "next": null, "total_count": 200}),
                ))
            })
        };
        assert_eq!(
            read(&capped(), text).1.notes,
            [told("total_count")],
            "{text}"
        );
        // Where the description reads how far the list goes, it knows better.
        let last = text.replace(
            "pages = { ",
            "pages = { last = \"response['items'] | length == 0 or none\", ",
        );
        assert_eq!(read(&capped(), &last).1.notes, [""; 0], "{text}");
    }
    // A few more are what began and what went meanwhile.
    let moving = Vendor::start(|asked| {
        let items = match asked.number("page") {
            Some(1) => json!([{"id": "a"}, {"id": "b"}]),
            _ => json!([]),
        };
        Some(ok(json!({"items": items, "total_count": 3})))
    });
    assert_eq!(read(&moving, NUMBER).1.notes, [""; 0]);
}

#[test]
fn failures_that_vendors_wrap_are_no_empty_lists() {
    for (body, words) in [
        (
            json!({"status": {"code": 500, "is_success": false, "user_message": "the server had an error"}, "items": []}),
            "the server had an error",
        ),
        (
            json!({"error": true, "errorCode": "api.error", "message": "the database is locked", "items": []}),
            "the database is locked",
        ),
        (
            json!({"code": "InternalError", "message": "try it later", "items": []}),
            "try it later",
        ),
    ] {
        let vendor = Vendor::start(move |_| Some(ok(body.clone())));
        let (kind, told) = refused(&vendor, PLAIN);
        assert_eq!(kind, SourceErrorKind::Refused);
        assert!(told.contains(words), "{told}");
    }
    for body in [
        json!({"status": {"code": 200, "is_success": true, "user_message": "Success!"}, "items": []}),
        json!({"error": false, "message": "nothing here", "items": []}),
        json!({"code": "NoContent", "message": "nothing here", "items": []}),
    ] {
        let vendor = Vendor::start(move |_| Some(ok(body.clone())));
        assert_eq!(
            read(&vendor, PLAIN),
            (
                Vec::new(),
                Summary {
                    requests: 1,
                    ..Summary::default()
                }
            )
        );
    }
}

/// A source whose answers may repeat what is asked for.
const FILTERED: &str =
    "path = \"/runs\"\nquery = { state = \"failed\" }\nrecords = \"response.items\"";

#[test]
fn an_empty_list_beside_a_failure_of_any_spelling_is_an_error() {
    for (said, words) in [
        (
            json!({"code": 40101, "msg": "token expired"}),
            "token expired (code 40101)",
        ),
        (
            json!({"errcode": 41001, "errmsg": "access_token missing"}),
            "access_token missing (code 41001)",
        ),
        (
            json!({"errcode": 41001, "errmsg": "no"}),
            "`errcode` is 41001",
        ),
        (json!({"ret_code": 1, "ret_msg": "auth"}), "auth (code 1)"),
        (json!({"code": -1, "msg": "暂时不可用"}), "暂时不可用"),
        (
            json!({"code": "40101", "error": "none", "msg": "Login unsuccessful"}),
            "Login unsuccessful",
        ),
        (
            json!({"code": 403, "msg": "No permission found"}),
            "No permission found",
        ),
        (json!({"status": "ERROR"}), "`status` is \"ERROR\""),
        (
            json!({"state": "error", "reason": "the node is gone"}),
            "the node is gone",
        ),
        (
            json!({"result": "failed", "errorMsg": "the node is gone"}),
            "the node is gone",
        ),
        (json!({"unauthorized": true}), "`unauthorized` is true"),
        (
            json!({"code": "INTERNAL", "status": 500, "message": "boom"}),
            "boom",
        ),
        (
            json!({"code": 503, "message": "No healthy nodes to run jobs"}),
            "No healthy nodes to run jobs",
        ),
    ] {
        let mut body = said;
        body["items"] = json!([]);
        let shown = body.to_string();
        let vendor = Vendor::start(move |_| Some(ok(body.clone())));
        let (kind, told) = refused(&vendor, PLAIN);
        assert_eq!(kind, SourceErrorKind::Refused, "{shown}");
        assert!(told.contains(words), "{shown}: {told}");
    }
}

#[test]
fn what_may_be_why_a_list_is_empty_is_told() {
    let told = |words: &str| format!("a list is empty, and the vendor says: {words}");
    let lacks =
        |name: &str| format!("the vendor says by `{name}` that parts of an answer are missing");
    for (said, note) in [
        (
            json!({"message": "You have exceeded your quota"}),
            told("You have exceeded your quota"),
        ),
        (json!({"code": 1, "msg": "查询完毕"}), told("查询完毕")),
        (
            json!({"code": -1, "msg": "暂无数据"}),
            told("暂无数据 (code -1)"),
        ),
        (
            json!({"retCode": 4, "retMsg": "Keine Daten vorhanden"}),
            told("Keine Daten vorhanden (code 4)"),
        ),
        (
            json!({"code": 404, "message": "No jobs found"}),
            told("No jobs found (code 404)"),
        ),
        (json!({"code": 40101}), told("code 40101")),
        (
            json!({"timed_out": true, "_shards": {"total": 5, "failed": 5}}),
            lacks("_shards.failed"),
        ),
        (
            json!({"timed_out": true, "_shards": {"total": 5, "failed": 0}}),
            lacks("timedout"),
        ),
        (json!({"partial": true}), lacks("partial")),
    ] {
        let mut body = said;
        body["items"] = json!([]);
        let is_sure = body.get("_shards").is_some();
        let vendor = Vendor::start(move |_| Some(ok(body.clone())));
        let summary = read(&vendor, PLAIN).1;
        assert_eq!(summary.notes, [note]);
        assert_eq!(!summary.incomplete.is_empty(), is_sure);
    }
    // Beside records, too.
    let some = Vendor::start(|_| {
        Some(ok(
            json!({"items": [{"id": "a"}], "_shards": {"failed": 1}}),
        ))
    });
    assert_eq!(read(&some, PLAIN).1.notes, [lacks("_shards.failed")]);
}

#[test]
fn an_empty_list_is_right_beside_what_is_no_failure() {
    for said in [
        json!({"message": "No jobs found"}),
        json!({"message": "no records found"}),
        json!({"message": "There are no runs yet"}),
        json!({"message": "Found 0 runs"}),
        json!({"message": "success", "code": 20000}),
        json!({"msg": "ok", "code": 1}),
        json!({"msg": "请求成功", "code": 10000}),
        json!({"msg": "no data", "code": 1}),
        json!({"errcode": 0, "errmsg": "ok"}),
        json!({"errorCode": "00000", "errorMessage": "Success"}),
        json!({"error_code": "NO_ERROR"}),
        json!({"errorCode": 0, "errorMessage": "No data found"}),
        json!({"error": {"code": 0, "message": "OK"}}),
        json!({"error": {"code": "ok", "message": "", "log_id": "2026"}}),
        json!({"retCode": 1, "retMsg": "success", "detail": "runs of project X"}),
        json!({"code": 200, "statusCode": 200, "status": 1, "message": "OK"}),
        json!({"status": "failed"}),
        json!({"filter": {"state": "failed"}, "state": "FAILED"}),
        json!({"timed_out": false, "_shards": {"total": 5, "successful": 5, "failed": 0}}),
        json!({"partial": false, "title": "Runs of a project"}),
    ] {
        let mut body = said;
        body["items"] = json!([]);
        let shown = body.to_string();
        let vendor = Vendor::start(move |_| Some(ok(body.clone())));
        let (found, summary) = read(&vendor, FILTERED);
        assert_eq!((found.len(), summary.notes), (0, Vec::new()), "{shown}");
    }
}

#[test]
fn a_later_page_that_is_out_of_range_is_the_end_and_another_failure_is_not() {
    for (said, is_end) in [
        (json!({"code": 1003, "msg": "page out of range"}), true),
        (json!({"code": 1003, "msg": "invalid token"}), false),
        (
            json!({"code": 400, "msg": "Invalid offset: the maximum is 10000"}),
            false,
        ),
        (
            json!({"code": 401, "msg": "Session invalid, go to the login page"}),
            false,
        ),
    ] {
        let mut none = said;
        none["items"] = json!([]);
        let vendor = Vendor::start(move |asked| {
            Some(ok(match asked.number("page") {
                Some(1) => json!({"items": [{"id": "a"}]}),
                _ => none.clone(),
            }))
        });
        if is_end {
            assert_eq!(read(&vendor, NUMBER).0, ["a"]);
        } else {
            assert_eq!(refused(&vendor, NUMBER).0, SourceErrorKind::Refused);
        }
    }
}

#[test]
fn a_run_without_steps_says_of_itself_that_it_failed() {
    let steps = "for_each = \"list\"\npath = \"/runs/{{ parent.id }}\"\nrecords = \"response.items\"\n[sources.list]\npath = \"/runs\"";
    let vendor = |own: Value| {
        Vendor::start(move |asked| {
            Some(ok(if asked.path.ends_with("/runs") {
                json!([{"id": "a"}])
            } else {
                own.clone()
            }))
        })
    };
    let failed = json!({"id": "a", "status": "FAILED", "code": 137, "message": "out of memory", "timed_out": true, "items": []});
    let why = json!({"jid": "a", "name": "nightly", "state": "FAILED", "error": "no memory", "items": []});
    for failed in [failed, why] {
        let (found, summary) = read(&vendor(failed), steps);
        assert_eq!((found.len(), summary.notes), (0, Vec::new()));
    }
    let down = json!({"jobId": "a", "code": 500, "message": "the store is away", "items": []});
    assert_eq!(refused(&vendor(down), steps).0, SourceErrorKind::Refused);
    let refusal = json!({"status": "FAILED", "message": "token expired", "items": []});
    let (kind, told) = refused(&vendor(refusal), steps);
    assert_eq!(kind, SourceErrorKind::Refused);
    assert!(told.contains("token expired"), "{told}");
}
