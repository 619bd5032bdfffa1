//! Lists below lists, several accounts as one list, and windows that a vendor takes in pieces only.

use serde_json::{Value, json};

use crate::vendor::{
    Answer, Asked, Vendor, always, described, ids, ok, runs, source, status, window,
};

fn description(sources: &str, job: &str) -> String {
    format!(
        r#"
version = 1
[http]
base_url = "{{{{ credentials.url }}}}"
limits = {{ retries = 0, timeout_seconds = 10 }}
{sources}
[assets]
from = "runs"
fields = {{ job_source_id = "record.id", name = "record.id" }}
[runs]
from = "runs"
[runs.fields]
job_source_id = "{job}"
run_source_id = "record.id"
status = "'done'"
event_time = "record.at"
end_time = "record.at"
"#
    )
}

const AT: &str = "2026-01-01T10:00:00Z";

fn day() -> bowline_pipeline::RunQuery {
    window("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")
}

#[test]
fn a_record_knows_its_parents_parent() {
    let sources = r#"
[sources.workspaces]
for_each = { list = "['w1', 'w2']" }
path = "/w/{{ parent }}"
[sources.projects]
for_each = "workspaces"
path = "/w/{{ parent.id }}/p"
[sources.runs]
for_each = "projects"
path = "/w/{{ parent.parent.id }}/p/{{ parent.id }}/r"
flatten = "record.runs"
"#;
    let vendor = Vendor::start(|asked| {
        let parts: Vec<&str> = asked.path.trim_matches('/').split('/').collect();
        Some(match parts.as_slice() {
            ["w", name] => ok(json!([{"id": name}])),
            ["w", name, "p"] => ok(json!([{"id": format!("{name}-p")}])),
            ["w", name, "p", project, "r"] if project.starts_with(name) => {
                ok(json!([{"group": "g", "runs": [{"id": format!("{project}-r"), "at": AT}]}]))
            }
            _ => status(404, json!({})),
        })
    });
    let job = "parent.parent.parent.id ~ '/' ~ parent.parent.id ~ '/' ~ parent.group";
    let (events, _) = runs(&source(&vendor.url, &description(sources, job)), &day()).unwrap();
    assert_eq!(ids(&events), ["w1-p-r", "w2-p-r"]);
    assert_eq!(events[1]["job_source_id"], "w2/w2-p/g");
}

#[test]
fn a_records_own_field_comes_before_its_parent() {
    let sources = r#"
[sources.groups]
for_each = { list = "['x']" }
path = "/groups"
[sources.runs]
for_each = "groups"
path = "/runs"
"#;
    let vendor = Vendor::start(|asked| {
        Some(ok(match asked.path.as_str() {
            "/groups" => json!([{"id": "g", "parent": "mine"}]),
            _ => json!([{"id": "1", "at": AT}]),
        }))
    });
    let (events, _) = runs(
        &source(&vendor.url, &description(sources, "parent.parent")),
        &day(),
    )
    .unwrap();
    assert_eq!(events[0]["job_source_id"], "mine");
}

#[test]
fn every_parent_has_a_cursor_of_its_own() {
    let sources = r#"
[sources.runs]
for_each = { list = "['a', 'b', 'c']" }
path = "/{{ parent }}/runs"
query = { cursor = "{{ page.cursor }}" }
records = "response.runs"
pages = { style = "cursor", next = "response.next" }
"#;
    let vendor = Vendor::start(|asked| {
        let name = asked
            .path
            .trim_matches('/')
            .split('/')
            .next()
            .unwrap_or_default()
            .to_owned();
        let at: usize = match asked.query.get("cursor").map(|cursor| cursor[0].as_str()) {
            None => 0,
            Some(cursor) => match cursor.strip_prefix(&name) {
                Some(at) => at.parse().unwrap(),
                None => return Some(status(400, json!({"error": "no cursor of this list"}))),
            },
        };
        let next = (at < 2).then(|| format!("{name}{}", at + 1));
        Some(ok(
            json!({"runs": [{"id": format!("{name}{at}"), "at": AT}], "next": next}),
        ))
    });
    let (events, _) = runs(
        &source(&vendor.url, &description(sources, "parent")),
        &day(),
    )
    .unwrap();
    let names = ["a", "b", "c"];
    let expected: Vec<String> = names
        .iter()
        .flat_map(|name| (0..3).map(move |at| format!("{name}{at}")))
        .collect();
    assert_eq!(ids(&events), expected);
}

/// A vendor of a run an hour, that refuses windows longer than `hours` and gives at most `most` runs of one.
fn hourly(hours: i64, most: usize) -> Vendor {
    Vendor::start(move |asked: &Asked| -> Option<Answer> {
        let time = |name: &str| -> jiff::Timestamp {
            asked.query[name][0].replace("%3A", ":").parse().unwrap()
        };
        let (since, until) = (time("since"), time("until"));
        if until.duration_since(since) > jiff::SignedDuration::from_hours(hours) {
            return Some(status(400, json!({"error": "the range is too long"})));
        }
        let all = (0..48).map(|hour| {
            let at: jiff::Timestamp = "2025-12-31T12:00:00Z".parse().unwrap();
            (hour, at + jiff::SignedDuration::from_hours(hour))
        });
        let runs = all.filter(|(_, at)| since <= *at && *at < until).take(most);
        let runs: Vec<Value> = runs
            .map(|(hour, at)| json!({"id": hour.to_string(), "at": at.to_string()}))
            .collect();
        Some(ok(Value::from(runs)))
    })
}

#[test]
fn windows_that_the_vendor_caps_are_split() {
    let sources = |cap: &str| {
        format!(
            "[sources.runs]\npath = \"/runs\"\nquery = {{ since = \"{{{{ window.start }}}}\", until = \"{{{{ window.end }}}}\" }}\nkey = \"record.id\"\n{cap}"
        )
    };
    let read = |vendor: &Vendor, cap: &str| {
        runs(
            &source(&vendor.url, &description(&sources(cap), "'j'")),
            &day(),
        )
    };
    assert!(read(&hourly(6, 100), "").is_err());
    for (hours, most, cap) in [
        (6, 100, "window = { most_hours = 6 }"),
        (100, 5, "window = { most_records = 5 }"),
        (8, 3, "window = { most_hours = 8, most_records = 3 }"),
    ] {
        let (events, summary) = read(&hourly(hours, most), cap).unwrap();
        assert_eq!(events.len(), 24, "{cap}");
        assert!(summary.notes.is_empty(), "{:?}", summary.notes);
    }
}

#[test]
fn a_record_that_nothing_can_be_asked_for_leaves_the_others() {
    let text = described(
        "",
        r#"for_each = "jobs"
path = "/jobs/{{ parent.id }}/runs"
key = "record.id""#,
    );
    let vendor = Vendor::start(|asked| {
        Some(ok(match asked.path.as_str() {
            "/api/jobs" => {
                json!([{"id": "a"}, {"name": "b"}, {"id": null}, {"id": ""}, {"id": ".."}, {"id": "c/d"}])
            }
            path => json!([{"id": path}]),
        }))
    });
    let (events, summary) = runs(&source(&vendor.url, &text), &always()).unwrap();
    assert_eq!(ids(&events), ["/api/jobs/a/runs", "/api/jobs/c%2Fd/runs"]);
    assert_eq!(summary.failed.len(), 4);
}

#[test]
fn one_record_that_is_in_no_list_is_a_list_of_one() {
    let text = described("", "path = \"/folders\"\nflatten = \"record.runs\"");
    let vendor = Vendor::start(|_| {
        Some(ok(
            json!([{"runs": {"id": "1"}}, {"runs": [{"id": "2"}, {"id": "3"}]}, {"runs": null}]),
        ))
    });
    let (events, _) = runs(&source(&vendor.url, &text), &always()).unwrap();
    assert_eq!(ids(&events), ["1", "2", "3"]);
}

#[test]
fn a_parent_that_is_no_record_has_one_too() {
    let sources = |parent: &str| {
        format!(
            r#"
[sources.regions]
path = "/regions"
[sources.names]
for_each = "regions"
path = "/{{{{ parent.id }}}}/jobs"
records = "response.JobNames"
[sources.runs]
for_each = "names"
path = "/{{{{ {parent}.id }}}}/jobs/{{{{ parent }}}}/runs"
flatten = "record.runs"
"#
        )
    };
    let vendor = Vendor::start(|asked| {
        let parts: Vec<&str> = asked.path.trim_matches('/').split('/').collect();
        Some(match parts.as_slice() {
            ["regions"] => ok(json!([{"id": "eu"}, {"id": "us"}])),
            [region, "jobs"] => ok(json!({"JobNames": [format!("{region}-load")]})),
            [region, "jobs", name, "runs"] => {
                ok(json!([{"runs": [{"id": format!("{region}:{name}"), "at": AT}]}]))
            }
            _ => status(404, json!({})),
        })
    });
    let job = "parent.parent ~ '/' ~ grandparent";
    let text = description(&sources("grandparent"), job);
    let (events, _) = runs(&source(&vendor.url, &text), &day()).unwrap();
    assert_eq!(ids(&events), ["eu:eu-load", "us:us-load"]);
    assert_eq!(events[0]["job_source_id"], "eu-load/eu-load");
    let text = description(&sources("parent.parent"), "grandparent");
    let error = runs(&source(&vendor.url, &text), &day()).unwrap_err();
    assert!(error.hint.unwrap_or_default().contains("`grandparent`"));
}
