//! Every style of paging, on lists that stand still and on lists that change while they are read.

use std::collections::BTreeSet;
use std::sync::Mutex;

use bowline_pipeline::SourceErrorKind;
use serde_json::{Value, json};

use crate::vendor::{Answer, Asked, Vendor, always, described, description, ids, ok, runs, source};

const OFFSET: &str = r#"
path = "/runs"
query = { limit = "{{ page.size }}", offset = "{{ page.offset }}" }
records = "response.runs"
pages = { style = "offset", size = 4 }
"#;
const NUMBER: &str = r#"
path = "/runs"
query = { limit = "{{ page.size }}", page = "{{ page.number }}" }
records = "response.runs"
pages = { style = "number", size = 4, last = "response.page >= response.pages" }
"#;
const CURSOR: &str = r#"
path = "/runs"
json = { size = "{{ page.size }}", cursor = "{{ page.cursor }}" }
records = "response.runs"
pages = { style = "cursor", size = 4, first = "", next = "response.next" }
"#;
const AFTER: &str = r#"
path = "/runs"
query = { limit = "{{ page.size }}", after = "{{ page.cursor }}" }
records = "response.runs"
pages = { style = "cursor", size = 4, next = "last.id" }
"#;
const LINK: &str = r#"
path = "/runs"
query = { limit = "{{ page.size }}" }
records = "response.runs"
pages = { style = "link", size = 4, next = "response.next" }
"#;
const HEADER: &str = r#"
path = "/runs"
query = { limit = "{{ page.size }}" }
records = "response.runs"
pages = { style = "link", size = 4, next = "headers.link | default('') | next_link" }
"#;

fn named(number: usize) -> Value {
    json!({"id": format!("r{number:03}")})
}

/// Answers every style over a list at once.
fn page_of(list: &[Value], asked: &Asked, most: usize) -> Answer {
    let size = asked
        .number("limit")
        .or_else(|| asked.body["size"].as_u64().map(|size| size as usize))
        .unwrap_or(most)
        .min(most);
    let cursor = asked.body["cursor"].as_str().unwrap_or_default();
    let after = asked.query.get("after").map(|ids| ids[0].clone());
    let start = asked
        .number("offset")
        .or_else(|| asked.number("page").map(|page| (page - 1) * size))
        .or_else(|| cursor.parse().ok())
        .or_else(|| {
            let after = after?;
            list.iter()
                .position(|run| run["id"] == after.as_str())
                .map(|at| at + 1)
        })
        .unwrap_or(0);
    let runs: Vec<&Value> = list.iter().skip(start).take(size).collect();
    let next = start + runs.len();
    let more = next < list.len();
    let link = format!("/runs?limit={size}&offset={next}");
    let body = json!({
        "runs": runs,
        "total": list.len(),
        "page": asked.number("page"),
        "pages": list.len().div_ceil(size),
        "next": match (more, asked.method.as_str()) {
            (false, _) => Value::Null,
            (true, "POST") => json!(next.to_string()),
            (true, _) => json!(link),
        },
    });
    let mut answer = ok(body);
    if more {
        answer
            .headers
            .push(("link", format!("<{link}>; rel=\"next\"")));
    }
    answer
}

#[test]
fn every_style_gives_every_run_once() {
    for style in [OFFSET, NUMBER, CURSOR, AFTER, LINK, HEADER] {
        for count in [0, 1, 3, 4, 5, 8, 11] {
            let list: Vec<Value> = (0..count).map(named).collect();
            let expected: Vec<String> = list
                .iter()
                .map(|run| run["id"].as_str().unwrap().to_owned())
                .collect();
            let vendor = Vendor::start(move |asked| Some(page_of(&list, asked, 100)));
            let source = source(&vendor.url, &description(style));
            let (events, _) = runs(&source, &always()).unwrap_or_else(|e| panic!("{style}: {e}"));
            assert_eq!(ids(&events), expected, "{style}");
        }
    }
}

#[test]
fn records_without_a_key_are_not_taken_for_one() {
    for style in [OFFSET, NUMBER, CURSOR, LINK, HEADER] {
        let nameless = |name: &str| json!({"id": null, "name": name});
        let list = vec![
            named(1),
            nameless("a"),
            named(2),
            nameless("b"),
            named(3),
            nameless("c"),
        ];
        let vendor = Vendor::start(move |asked| Some(page_of(&list, asked, 3)));
        let source = source(&vendor.url, &description(style));
        let (events, summary) = runs(&source, &always()).unwrap_or_else(|e| panic!("{style}: {e}"));
        assert_eq!((events.len(), summary.records), (6, 6), "{style}");
    }
}

#[test]
fn text_is_no_list_of_records() {
    for records in [json!("none"), json!(7), json!(true)] {
        let vendor = Vendor::start(move |_| Some(ok(json!({"runs": records}))));
        let error = runs(&source(&vendor.url, &description(OFFSET)), &always()).unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::Format, "{error}");
        assert!(
            error.to_string().contains("the records are no list but "),
            "{error}"
        );
    }
}

#[test]
fn a_page_shorter_than_asked_is_not_the_last() {
    let numbered = NUMBER.replace(", last = \"response.page >= response.pages\"", "");
    for style in [OFFSET, &numbered, CURSOR, AFTER, LINK] {
        let list: Vec<Value> = (0..11).map(named).collect();
        // The vendor gives three at a time, whatever it is asked for.
        let vendor = Vendor::start(move |asked| Some(page_of(&list, asked, 3)));
        let source = source(&vendor.url, &description(style));
        let (events, _) = runs(&source, &always()).unwrap();
        assert_eq!(events.len(), 11, "{style}");
    }
}

#[test]
fn a_total_saves_the_last_request() {
    let list: Vec<Value> = (0..8).map(named).collect();
    let vendor = Vendor::start(move |asked| Some(page_of(&list, asked, 100)));
    let total = OFFSET.replace("size = 4", "size = 4, total = \"response.total\"");
    runs(&source(&vendor.url, &description(&total)), &always()).unwrap();
    let with_total = vendor.asked().len();
    runs(&source(&vendor.url, &description(OFFSET)), &always()).unwrap();
    assert!(with_total < vendor.asked().len() - with_total);
}

/// Reads a list of twelve that `change` changes before the request of that number.
fn read_while(change: impl Fn(usize, &mut Vec<Value>) + Send + Sync + 'static) -> Vec<String> {
    let state = Mutex::new((0, (100..112).map(named).collect::<Vec<Value>>()));
    let vendor = Vendor::start(move |asked| {
        let (requests, list) = &mut *state.lock().unwrap();
        change(*requests, list);
        *requests += 1;
        Some(page_of(list, asked, 100))
    });
    let (events, _) = runs(&source(&vendor.url, &description(OFFSET)), &always()).unwrap();
    let read = ids(&events);
    assert_eq!(
        read.iter().collect::<BTreeSet<_>>().len(),
        read.len(),
        "doubled: {read:?}"
    );
    read
}

#[test]
fn runs_that_begin_meanwhile_double_none() {
    let read = read_while(|request, list| list.insert(0, named(request)));
    assert_eq!(read.iter().filter(|id| id.as_str() >= "r100").count(), 12);
}

#[test]
fn runs_that_leave_the_list_lose_none() {
    for gone_at_once in 1..4 {
        let read = read_while(move |request, list| {
            if (1..3).contains(&request) {
                list.drain(..gone_at_once);
            }
        });
        let gone = 2 * gone_at_once;
        let left: Vec<&String> = read
            .iter()
            .filter(|id| **id >= format!("r{}", 100 + gone))
            .collect();
        assert_eq!(left.len(), 12 - gone, "{gone_at_once} at once: {read:?}");
    }
}

#[test]
fn a_list_that_empties_while_it_is_read_ends() {
    let read = read_while(|request, list| {
        if request == 2 {
            list.clear();
        }
    });
    assert!(read.len() >= 4, "{read:?}");
}

fn failure(
    style: &str,
    respond: impl Fn(&Asked) -> Answer + Send + Sync + 'static,
) -> (SourceErrorKind, String) {
    let vendor = Vendor::start(move |asked| Some(respond(asked)));
    let error = runs(&source(&vendor.url, &description(style)), &always()).unwrap_err();
    (error.kind, error.to_string())
}

#[test]
fn a_vendor_that_ignores_the_offset_is_an_error() {
    let page: Vec<Value> = (0..4).map(named).collect();
    let (kind, told) = failure(OFFSET, move |_| ok(json!({"runs": page})));
    assert_eq!(kind, SourceErrorKind::Pages);
    assert!(told.contains("same as the ones before"), "{told}");
}

#[test]
fn a_cursor_that_comes_again_is_an_error() {
    let (kind, told) = failure(CURSOR, |asked| {
        let next = if asked.body["cursor"] == "a" {
            "b"
        } else {
            "a"
        };
        ok(json!({"runs": [named(1)], "next": next}))
    });
    assert_eq!(kind, SourceErrorKind::Pages);
    assert!(told.contains("the same next page twice"), "{told}");
}

#[test]
fn a_next_page_on_another_host_is_not_asked() {
    let (kind, told) = failure(LINK, |_| {
        ok(json!({"runs": [named(1)], "next": "http://elsewhere.example.com/runs?t=1"}))
    });
    assert_eq!(kind, SourceErrorKind::ForeignHost);
    assert!(told.contains("elsewhere.example.com"), "{told}");
}

#[test]
fn pages_without_end_are_cut() {
    let endless = CURSOR.replace("size = 4", "size = 4, most = 5");
    let counter = Mutex::new(0);
    let (kind, told) = failure(&endless, move |_| {
        let mut counter = counter.lock().unwrap();
        *counter += 1;
        ok(json!({"runs": [named(*counter)], "next": counter.to_string()}))
    });
    assert_eq!(kind, SourceErrorKind::Pages);
    assert!(told.contains("5 pages were read"), "{told}");
}

#[test]
fn empty_pages_that_each_name_a_next_one_come_to_an_end() {
    let counter = Mutex::new(0);
    let (kind, told) = failure(CURSOR, move |_| {
        let mut counter = counter.lock().unwrap();
        *counter += 1;
        ok(json!({"runs": [], "next": counter.to_string()}))
    });
    assert_eq!(kind, SourceErrorKind::Pages);
    assert!(told.contains("250 pages in a row were empty"), "{told}");
}

#[test]
fn a_last_page_that_comes_again_is_told_from_an_offset_that_is_ignored() {
    let number = NUMBER.replace(", last = \"response.page >= response.pages\"", "");
    let vendor = Vendor::start(move |asked| {
        let page = asked.number("page").unwrap_or(1).min(3);
        let runs: Vec<Value> = (page * 4..page * 4 + 4).map(named).collect();
        Some(ok(json!({"runs": runs})))
    });
    let error = runs(&source(&vendor.url, &description(&number)), &always()).unwrap_err();
    let hint = error.hint.unwrap_or_default();
    assert!(hint.contains("earlier pages differed"), "{hint}");
}

#[test]
fn a_last_page_that_is_short_ends_the_list_when_it_comes_again() {
    let number = NUMBER.replace(", last = \"response.page >= response.pages\"", "");
    let vendor = Vendor::start(move |asked| {
        let page = asked.number("page").unwrap_or(1).min(3);
        let runs: Vec<Value> = (page * 4..(page * 4 + 4).min(14)).map(named).collect();
        Some(ok(json!({"runs": runs})))
    });
    let (events, summary) = runs(&source(&vendor.url, &description(&number)), &always()).unwrap();
    assert_eq!(events.len(), 10);
    let again = "the vendor gives the last page of a list again for pages behind it";
    assert!(summary.notes.iter().all(|note| note.starts_with(again)));
    // Once to read, and once to be sure: three pages, and one behind them.
    assert_eq!(vendor.asked().len(), 8);
}

#[test]
fn records_without_a_key_do_not_come_for_ever() {
    let number = "path = \"/runs\"\nquery = { page = \"{{ page.number }}\" }\nrecords = \"response.runs\"\npages = { style = \"number\" }";
    let vendor = Vendor::start(move |_| Some(ok(json!({"runs": [named(1), named(2)]}))));
    let error = runs(&source(&vendor.url, &described("", number)), &always()).unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Pages);
    assert!(vendor.asked().len() < 20);
}

/// A list that could not be read is not an empty one, whatever its status says.
#[test]
fn an_answer_without_records_that_says_what_went_wrong_is_an_error() {
    for (answer, reason) in [
        (json!({"runs": [], "error": "quota"}), "quota"),
        (json!({"runs": [], "error": {"message": "quota"}}), "quota"),
        (
            json!({"runs": [], "errors": [{"message": "shard 2 failed"}]}),
            "shard 2 failed",
        ),
        (
            json!({"runs": [], "success": false, "message": "quota"}),
            "quota",
        ),
        (json!({"runs": [], "ok": false}), "`ok` is false"),
        (
            json!({"runs": [], "status": "error", "message": "quota"}),
            "quota",
        ),
        (
            json!({"runs": null, "code": 401, "msg": "who are you"}),
            "who are you",
        ),
        (json!({"runs": [], "errorMessage": "quota"}), "quota"),
        (json!({"runs": [], "error": true}), "`error` is true"),
        (
            json!({"runs": [], "error": true, "message": "quota"}),
            "quota",
        ),
        (
            json!({"runs": [], "error": {"code": 17}}),
            "`error` is {\"code\":17}",
        ),
        (json!({"runs": [], "error": 17}), "`error` is 17"),
        (json!({"runs": [], "Error": "quota"}), "quota"),
        (
            json!({"runs": [], "hasErrors": true}),
            "`haserrors` is true",
        ),
        (
            json!({"runs": [], "success": "false"}),
            "`success` is \"false\"",
        ),
        (
            json!({"runs": [], "Success": 0, "Message": "quota"}),
            "quota",
        ),
        (
            json!({"runs": [], "meta": {"success": false, "error": "quota"}}),
            "quota",
        ),
    ] {
        let (kind, told) = failure(OFFSET, move |_| ok(answer.clone()));
        assert_eq!(kind, SourceErrorKind::Refused);
        assert!(told.contains(reason), "{told}");
    }
    for answer in [
        json!({"runs": [], "error": null, "success": true}),
        json!({"runs": [], "error": "", "errors": []}),
        json!({"runs": [], "error": false, "has_errors": false, "success": 1, "meta": {"success": "true"}}),
        json!({"runs": [], "error": {"code": 0, "message": ""}, "Error": 0}),
        json!({"runs": [], "error": "none", "is_error": "no"}),
        json!({"runs": [], "status": "ok", "code": 0, "message": "nothing yet"}),
    ] {
        let vendor = Vendor::start(move |_| Some(ok(answer.clone())));
        assert!(
            runs(&source(&vendor.url, &description(OFFSET)), &always())
                .unwrap()
                .0
                .is_empty()
        );
    }
}

#[test]
fn only_what_may_be_the_end_is_named_as_one() {
    // Behind its last page the vendor begins anew.
    let hint = |last: &'static str| {
        let vendor = Vendor::start(move |asked| {
            let next = match asked.body["cursor"].as_str() {
                None => "10",
                Some("10") => "20",
                Some("20") => last,
                Some(_) => "10",
            };
            Some(ok(json!({"runs": [named(1)], "next": next})))
        });
        let error = runs(&source(&vendor.url, &description(CURSOR)), &always()).unwrap_err();
        error.hint.unwrap_or_default()
    };
    assert!(
        hint("-1").contains("`-1` in the place of the next cursor"),
        "{}",
        hint("-1")
    );
    assert!(!hint("10").contains("in the place of"), "{}", hint("10"));
}
