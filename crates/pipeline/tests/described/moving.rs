//! Lists that contradict themselves: what may be asked for them is bounded, and what may be missing is told.

use bowline_pipeline::{SourceErrorKind, Summary};
use serde_json::{Value, json};

use crate::vendor::{
    Answer, Asked, Vendor, always, description, ids, ok, runs, source, status, window,
};

fn listed(pages: &str) -> String {
    description(&format!(
        "path = \"/runs\"\nrecords = \"response.items\"\n{pages}"
    ))
}

fn offset(more: &str) -> String {
    listed(&format!(
        "query = {{ limit = \"{{{{ page.size }}}}\", offset = \"{{{{ page.offset }}}}\" }}\npages = {{ style = \"offset\", size = 50{more} }}"
    ))
}

fn number(more: &str) -> String {
    listed(&format!(
        "query = {{ limit = \"{{{{ page.size }}}}\", page = \"{{{{ page.number }}}}\" }}\npages = {{ style = \"number\", size = 50{more} }}"
    ))
}

/// What a list that stands still costs by offset.
const STILL: usize = 5;

fn all() -> Vec<usize> {
    (0..150).collect()
}

fn answer(list: &[usize], from: usize, size: usize) -> Answer {
    let items: Vec<Value> = list
        .iter()
        .skip(from)
        .take(size)
        .map(|number| json!({"id": format!("r{number:03}")}))
        .collect();
    ok(json!({"items": items, "total": list.len(), "more": from + size < list.len(), "pages": 3}))
}

/// A vendor that gives a page by offset or number, and how often it was asked before.
fn vendor(respond: impl Fn(usize, usize, usize) -> Answer + Send + Sync + 'static) -> Vendor {
    let count = std::sync::atomic::AtomicUsize::new(0);
    Vendor::start(move |asked: &Asked| {
        let size = asked.number("limit").unwrap_or(50);
        let page = asked
            .number("page")
            .map(|page| (page.saturating_sub(1)) * size);
        let from = asked.number("offset").or(page).unwrap_or(0);
        let before = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Some(respond(from, size, before))
    })
}

fn read(vendor: &Vendor, text: &str) -> (Vec<String>, Summary, usize) {
    let (events, summary) = runs(&source(&vendor.url, text), &always())
        .unwrap_or_else(|error| panic!("{error}\n{text}"));
    let mut ids = ids(&events);
    ids.sort();
    (ids, summary, vendor.asked().len())
}

fn expected(list: impl IntoIterator<Item = usize>) -> Vec<String> {
    list.into_iter()
        .map(|number| format!("r{number:03}"))
        .collect()
}

/// The list with its first 60 and its other 90 records each in an order that hangs on `seed`.
fn shuffled(seed: usize) -> Vec<usize> {
    let mut list = all();
    let mut state = seed as u64 * 2 + 1;
    let mut next = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for range in [0..60, 60..150] {
        let start = range.start;
        for at in (1..range.len()).rev() {
            list.swap(start + at, start + next(at + 1));
        }
    }
    list
}

#[test]
fn an_order_that_changes_costs_no_more_than_three_times_as_much_and_is_told() {
    let by_request = || vendor(|from, size, before| answer(&shuffled(before), from, size));
    let by_offset = || vendor(|from, size, _| answer(&shuffled(from), from, size));
    for (vendor, text) in [
        (by_request(), offset("")),
        (by_offset(), offset("")),
        (by_request(), offset(", total = \"response.total\"")),
    ] {
        let (ids, summary, requests) = read(&vendor, &text);
        assert!(requests <= 3 * STILL, "{requests} requests");
        assert!(ids.len() > 120, "{}", ids.len());
        let is_told = !summary.incomplete.is_empty();
        assert!(ids.len() == 150 || is_told, "{:?}", summary.notes);
        let notes = summary.notes.iter();
        assert_eq!(
            is_told,
            notes
                .into_iter()
                .any(|note| note.contains("may be missing"))
        );
    }
}

#[test]
fn two_records_that_change_places_cost_a_step() {
    let vendor = vendor(|from, size, _| {
        let mut list = all();
        if from > 0 {
            list.swap(49, 50);
        }
        answer(&list, from, size)
    });
    let (ids, summary, requests) = read(&vendor, &offset(""));
    assert_eq!(ids, expected(0..150));
    assert!(
        summary.notes.is_empty() && requests <= 7,
        "{requests} {:?}",
        summary.notes
    );
}

#[test]
fn offsets_that_are_no_multiples_of_the_page_size_are_not_needed() {
    let rounding = || vendor(|from, size, _| answer(&all(), from / size * size, size));
    let refusing = || {
        vendor(|from, size, _| match from % size {
            0 => answer(&all(), from, size),
            _ => status(400, json!({"error": "offset must be a multiple of limit"})),
        })
    };
    for (vendor, more) in [
        (rounding(), ""),
        (rounding(), ", total = \"response.total\""),
        (rounding(), ", aligned = true"),
        (refusing(), ""),
        (refusing(), ", aligned = true"),
    ] {
        let (ids, _, requests) = read(&vendor, &offset(more));
        assert_eq!(ids, expected(0..150), "{more}");
        assert!(requests <= 3 * STILL, "{more}: {requests}");
    }
}

#[test]
fn a_total_is_looked_behind() {
    let says = |total: Value| {
        vendor(move |from, size, _| {
            let mut answer = answer(&all(), from, size);
            let mut body: Value = serde_json::from_slice(&answer.body).unwrap();
            body["total"] = total.clone();
            answer.body = body.to_string().into_bytes();
            answer
        })
    };
    for text in [
        offset(", total = \"response.total\""),
        number(", total = \"response.total\""),
    ] {
        for total in [
            json!(50),
            json!(100),
            json!(150),
            json!("150"),
            json!(-1),
            json!(null),
        ] {
            let (ids, summary, _) = read(&says(total.clone()), &text);
            assert_eq!(ids, expected(0..150), "{total}");
            assert!(summary.notes.is_empty(), "{total}: {:?}", summary.notes);
        }
        let (ids, summary, requests) = read(&says(json!(400)), &text);
        assert_eq!(ids, expected(0..150));
        assert!(requests <= 3 * STILL, "{requests}");
        assert!(summary.notes[0].contains("400"), "{:?}", summary.notes);
    }
}

#[test]
fn an_empty_page_is_not_the_end_where_the_vendor_says_that_more_follows() {
    let gap = || {
        vendor(|from, size, _| {
            let whole = answer(&all(), from, size);
            let mut body: Value = serde_json::from_slice(&whole.body).unwrap();
            if (50..99).contains(&from) {
                body["items"] = json!([]);
            }
            ok(body)
        })
    };
    let behind = expected((0..50).chain(100..150));
    for text in [
        number(", last = \"not response.more\""),
        number(", last = \"page.number >= response.pages\""),
        offset(", aligned = true, last = \"not response.more\""),
    ] {
        assert_eq!(read(&gap(), &text).0, behind, "{text}");
    }
    for more in [
        ", last = \"not response.more\"",
        ", total = \"response.total\"",
    ] {
        let (ids, _, requests) = read(&gap(), &offset(more));
        assert!(behind.iter().all(|id| ids.contains(id)), "{more}");
        assert!(requests <= 3 * STILL, "{requests}");
    }
}

#[test]
fn more_without_end_is_an_error() {
    let empty = vendor(|_, _, _| ok(json!({"items": [], "more": true})));
    let text = number(", last = \"not response.more\"");
    let error = runs(&source(&empty.url, &text), &always()).unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Pages, "{error}");
    assert!(empty.asked().len() <= 101);
    let text = listed(
        "pages = { style = \"cursor\", next = \"response.next | default(none)\", last = \"not response.more\" }",
    );
    let lost = vendor(|from, size, _| answer(&all(), from, size));
    let error = runs(&source(&lost.url, &text), &always()).unwrap_err();
    assert!(error.to_string().contains("not where"), "{error}");
}

#[test]
fn cursors_that_give_the_same_again_and_again_come_to_an_end() {
    let text = listed(
        "query = { cursor = \"{{ page.cursor }}\" }\npages = { style = \"cursor\", next = \"response.next\" }",
    );
    let vendor = vendor(|_, _, before| {
        let items: Vec<Value> = (0..10).map(|number| json!({"id": number})).collect();
        ok(json!({"items": items, "next": before.to_string()}))
    });
    let error = runs(&source(&vendor.url, &text), &always()).unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Pages);
    assert!(vendor.asked().len() < 20);
}

#[test]
fn a_record_that_comes_in_the_place_of_another_is_told_and_one_that_is_pushed_on_is_not() {
    let tied = vendor(|from, size, _| {
        let mut list = all();
        if from > 0 {
            list.swap(49, 50);
        }
        answer(&list, from, size)
    });
    let (ids, summary, requests) = read(&tied, &number(""));
    assert!(!ids.contains(&"r050".to_owned()));
    assert!(
        summary.notes[0].contains("may be missing"),
        "{:?}",
        summary.notes
    );
    // Three pages and an empty one, twice, is what it costs when it stands still.
    assert!(requests <= 3 * 8, "{requests}");

    let growing = vendor(|from, size, before| {
        let list: Vec<usize> = (0..before)
            .map(|new| 200 + new)
            .rev()
            .chain(all())
            .collect();
        answer(&list, from, size)
    });
    let (ids, summary, _) = read(&growing, &number(""));
    assert!(expected(0..150).iter().all(|id| ids.contains(id)));
    assert!(summary.notes.is_empty(), "{:?}", summary.notes);
}

#[test]
fn one_record_on_every_page_is_told() {
    let same = vendor(|_, _, _| answer(&[7], 0, 1));
    let (ids, summary, _) = read(&same, &number(""));
    assert_eq!(ids, ["r007"]);
    assert!(
        summary.notes[0].contains("the same record"),
        "{:?}",
        summary.notes
    );
}

#[test]
fn a_run_that_changes_between_two_pages_counts_as_it_stood_later() {
    let text = listed(
        "query = { c = \"{{ page.cursor }}\" }\npages = { style = \"cursor\", next = \"response.next\" }",
    )
    .replace("\"'done'\"", "\"record.status\"")
    .replacen("\"'2026-01-01T00:00:00Z'\"", "\"record.at\"", 1);
    let run = |status: &str, hour: usize| json!({"id": "a", "status": status, "at": format!("2026-01-01T0{hour}:00:00Z")});
    let read = |before: Value, after: Value, query: &bowline_pipeline::RunQuery| {
        let vendor = Vendor::start(move |asked: &Asked| {
            Some(match asked.query.get("c") {
                None => ok(
                    json!({"items": [before, {"id": "b", "status": "done", "at": "2026-01-01T01:00:00Z"}], "next": "2"}),
                ),
                Some(_) => ok(json!({"items": [after], "next": null})),
            })
        });
        let (events, summary) = runs(&source(&vendor.url, &text), query).unwrap();
        let newer: Vec<Value> = summary
            .newer
            .iter()
            .map(|run| run.json()["status"].clone())
            .collect();
        let first = events.iter().find(|event| event["run_source_id"] == "a");
        let first = first.map(|event| event["status"].clone());
        (first.unwrap_or_default(), newer, summary.notes.len())
    };
    let running = json!("in_progress");
    // By its time, or as it came later at the same time.
    for hour in [1, 2] {
        let (first, newer, notes) = read(run("running", 1), run("done", hour), &always());
        assert_eq!(
            (first, newer, notes),
            (running.clone(), vec![json!("success")], 1)
        );
    }
    // What is older than what came first, or the same, is no news.
    for (status, hour) in [("done", 1), ("done", 2), ("running", 1)] {
        let (first, newer, notes) = read(run("done", 2), run(status, hour), &always());
        assert_eq!(
            (first, newer.len(), notes),
            (json!("success"), 0, 0),
            "{status} {hour}"
        );
    }
    // What was not asked for as it stood first is as it stands later.
    let late = window("2026-01-01T02:00:00Z", "2026-01-01T03:00:00Z");
    let (first, newer, _) = read(run("running", 1), run("done", 2), &late);
    assert_eq!((first, newer.len()), (json!("success"), 0));
}
