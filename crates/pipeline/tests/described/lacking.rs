//! What answers say that they lack, by lists of what was not looked at and by counts.

use bowline_pipeline::Summary;
use serde_json::{Value, json};

use crate::vendor::{Vendor, always, description, ids, ok, runs, source};

fn read(vendor: &Vendor, text: &str) -> (Vec<String>, Summary) {
    let (events, summary) = runs(&source(&vendor.url, &description(text)), &always())
        .unwrap_or_else(|error| panic!("{error}\n{text}"));
    (ids(&events), summary)
}

#[test]
fn what_could_not_be_looked_at_is_missing() {
    let plain = "path = \"/runs\"\nrecords = \"response.items\"";
    let summary = |said: Value, text: &str| {
        let mut body = said;
        if body.get("items").is_none() {
            body["items"] = json!([{"id": "a", "unreachable": ["x"]}]);
        }
        let vendor = Vendor::start(move |_| Some(ok(body.clone())));
        read(&vendor, text).1
    };
    for (name, said) in [
        ("unreachable", json!({"unreachable": ["projects/x"]})),
        ("failedlocations", json!({"failed_locations": ["eu"]})),
        ("partialerrors", json!({"partialErrors": [{"code": 14}]})),
        ("unprocessedids", json!({"UnprocessedIds": ["r7"]})),
        (
            "unprocessedkeys",
            json!({"UnprocessedKeys": {"t": {"k": 1}}}),
        ),
        (
            "unreachable",
            json!({"items": [], "unreachable": ["projects/x"]}),
        ),
    ] {
        let summary = summary(said, plain);
        let note = format!("the vendor says by `{name}` that parts of an answer are missing: ");
        assert_eq!(summary.incomplete.len(), 1, "{name}");
        assert!(
            summary.incomplete[0].starts_with(&note),
            "{:?}",
            summary.incomplete
        );
    }
    for said in [
        json!({}),
        json!({"unreachable": []}),
        json!({"unreachable": null, "failedLocations": [], "unprocessedIds": []}),
        json!({"UnprocessedKeys": {}, "unprocessed": 3, "failed": [{"id": "b"}]}),
        json!({"processed": [], "unprocessed": [{"id": "b"}]}),
        json!({"reachable": 4, "unreachable": ["b"]}),
    ] {
        let shown = said.to_string();
        let summary = summary(said, plain);
        assert_eq!(summary.notes, [""; 0], "{shown}");
    }
    // What the source itself reads is no loss.
    let own = "path = \"/runs\"\nrecords = \"response.unreachable\"";
    let summary = summary(json!({"unreachable": [{"id": "a"}]}), own);
    assert_eq!(summary.notes, [""; 0]);
}

#[test]
fn a_list_that_ends_at_a_round_number_before_the_count_is_not_whole() {
    let number = "path = \"/runs\"\nquery = { page = \"{{ page.number }}\" }\nrecords = \"response.items\"\npages = { style = \"number\", size = 100 }";
    let incomplete = |given: usize, total: usize, more: &str| {
        let vendor = Vendor::start(move |asked| {
            let from = (asked.number("page").unwrap_or(1) - 1) * 100;
            let items: Vec<Value> = (from..given)
                .take(100)
                .map(|id| json!({"id": id.to_string()}))
                .collect();
            Some(ok(json!({"items": items, "total_count": total})))
        });
        let (found, summary) = read(&vendor, &format!("{number}\n{more}"));
        assert_eq!(found.len(), given);
        assert!(!summary.notes.is_empty() || total < given + 100, "{total}");
        summary.incomplete
    };
    let told = incomplete(300, 802, "");
    assert!(
        told[0].contains("`total_count`") && told[0].contains("the 300 records"),
        "{told:?}"
    );
    // What may be a count of others, too, is told only.
    assert_eq!(incomplete(287, 802, ""), [""; 0]);
    assert_eq!(incomplete(300, 320, ""), [""; 0]);
    assert_eq!(incomplete(300, 802, "when = \"true\""), [""; 0]);
    assert_eq!(
        incomplete(300, 802, "headers = { since = \"{{ window.start }}\" }"),
        [""; 0]
    );
}
