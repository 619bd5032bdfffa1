//! Texts that say nothing: what languages write for nothing, and for records, where people should read something.

use std::collections::{BTreeMap, BTreeSet};

use bowline_contract::pipeline::RunEvent;
use serde_json::Value as Json;

use super::reading::datasets;

/// What languages write for nothing, and for what has no text.
const NOTHING: [&str; 7] = [
    "None",
    "null",
    "undefined",
    "nan",
    "NaN",
    "[object Object]",
    "<nil>",
];
/// With so many it is no accident, whatever the others say.
const SEVERAL: usize = 3;
/// Where a connector puts whatever the vendor says.
const VENDORS_OWN: [&str; 6] = [
    "attributes",
    "properties",
    "raw",
    "raw_status",
    "structured_fields",
    "event_trigger",
];

/// Whether a text is what a language writes for nothing.
pub(super) fn is_nothing(text: &str) -> bool {
    NOTHING.contains(&text)
}

/// Fields whose texts are nothing written as text, in several records or in all that have the field: a line each.
pub(super) fn empty_texts<'e>(events: impl Iterator<Item = &'e Json>) -> Vec<String> {
    let mut fields: BTreeMap<String, Told> = BTreeMap::new();
    for event in events {
        walk(event, "", &mut fields);
    }
    fields
        .into_iter()
        .filter(|(_, told)| told.empty >= SEVERAL || told.empty > 0 && told.empty == told.all)
        .filter_map(|(field, told)| {
            let example = told.example?;
            let what = if is_unfilled(&field, &example) {
                "an address that was not filled in"
            } else {
                "nothing written as text"
            };
            Some(format!(
                "`{field}` is `{example}` in {} of {}, which is {what}",
                told.empty, told.all
            ))
        })
        .collect()
}

/// What the records say in a field.
#[derive(Default)]
struct Told {
    all: usize,
    empty: usize,
    example: Option<String>,
}

fn walk(value: &Json, field: &str, fields: &mut BTreeMap<String, Told>) {
    match value {
        Json::Object(record) => {
            for (key, value) in record {
                if VENDORS_OWN.contains(&key.as_str()) {
                    continue;
                }
                let path = match field {
                    "" => key.clone(),
                    field => format!("{field}.{key}"),
                };
                walk(value, &path, fields);
            }
        }
        Json::Array(items) => items.iter().for_each(|item| walk(item, field, fields)),
        Json::String(text) => {
            let told = fields.entry(field.to_owned()).or_default();
            told.all += 1;
            if has_nothing(field, text) {
                told.empty += 1;
                told.example.get_or_insert_with(|| text.clone());
            }
        }
        _ => {}
    }
}

/// Whether a text is nothing, or a name or address has nothing for one of its parts.
fn has_nothing(field: &str, text: &str) -> bool {
    let separators: &[char] = match field.rsplit('.').next() {
        Some("primary_email" | "run_as_email" | "timezone") => {
            return text.trim().is_empty() || is_nothing(text);
        }
        Some("fully_qualified_name") if text.contains("{{") && text.contains("}}") => return true,
        Some("fully_qualified_name") => &['.'],
        Some("mcon") => &['+'],
        Some("job_url" | "run_url") => &['/', '=', '?', '&', '#'],
        _ => return is_nothing(text),
    };
    text.split(separators).any(is_nothing) || is_unfilled(field, text)
}

/// Whether an address has the name of something in place of it, as templates write it.
fn is_unfilled(field: &str, text: &str) -> bool {
    let names = [("{", "}"), ("%7B", "%7D"), ("<", ">")];
    let holds = |(open, close): (&str, &str)| {
        text.split_once(open)
            .is_some_and(|(_, rest)| rest.contains(close))
    };
    (field.ends_with("job_url") || field.ends_with("run_url")) && names.into_iter().any(holds)
}

/// Fields whose addresses all lack what they begin with, such as `https://`: a line each.
pub(super) fn bare_addresses<'e>(events: impl Iterator<Item = &'e Json>) -> Vec<String> {
    let mut told: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for event in events {
        for field in ["job_url", "run_url"] {
            told.entry(field).or_default().extend(event[field].as_str());
        }
    }
    told.into_iter()
        .filter(|(_, texts)| {
            texts.len() >= SEVERAL && !texts.iter().any(|text| text.contains("://"))
        })
        .map(|(field, texts)| {
            let (first, all) = (texts[0], texts.len());
            format!("`{field}` is `{first}` and the like in all of {all}, which leads nowhere")
        })
        .collect()
}

/// Fields whose texts are all values as Python shows them, lists and bytes: a line each. What a vendor says in
/// properties counts, for they are not the vendor's own lists any more.
pub(super) fn shown_in_python<'e>(events: impl Iterator<Item = &'e Json>) -> Vec<String> {
    let mut fields: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for event in events {
        for field in ["name", "description", "folder"] {
            fields
                .entry(field)
                .or_default()
                .extend(event[field].as_str());
        }
        let properties = event["properties"].as_array().into_iter().flatten();
        let values = properties.filter_map(|property| property["value"].as_str());
        fields.entry("properties.value").or_default().extend(values);
        let names = datasets(event);
        fields
            .entry("fully_qualified_name")
            .or_default()
            .extend(names);
    }
    fields
        .into_iter()
        .filter(|(_, texts)| texts.len() >= SEVERAL && texts.iter().all(|text| is_shown(text)))
        .map(|(field, texts)| {
            let (first, all) = (texts[0], texts.len());
            format!(
                "`{field}` is `{first}` and the like in all of {all}, a value as Python shows it"
            )
        })
        .collect()
}

/// Whether a text is what stands around a message: the first line of where it came from, a page, or words before nothing.
fn is_around(text: &str) -> bool {
    let text = text.trim();
    let start = text.get(..9).unwrap_or(text).to_lowercase();
    text.ends_with("(most recent call last):")
        || start.starts_with("<html")
        || start == "<!doctype"
        || text.ends_with(": None")
}

/// Whether a text is a value as Python shows it.
fn is_shown(text: &str) -> bool {
    let text = text.trim();
    let is_within = |open: &str, close: &str| text.starts_with(open) && text.ends_with(close);
    is_within("{'", "}")
        || is_within("['", "']")
        || is_within("b'", "'")
        || is_within("b\"", "\"")
        || text.starts_with('<') && text.contains(" object at 0x")
}

/// Messages that are words without a blank where all codes are sentences: the two were taken for each other.
pub(super) fn turned_codes(runs: &[RunEvent]) -> Vec<String> {
    let both: Vec<(&RunEvent, &str, &str)> = runs
        .iter()
        .filter_map(|run| {
            let error = &run.json()["error"];
            Some((run, error["message"].as_str()?, error["code"].as_str()?))
        })
        .collect();
    let is_turned = |(_, message, code): &(&RunEvent, &str, &str)| {
        !message.trim().contains(char::is_whitespace) && code.split_whitespace().count() > 2
    };
    if both.len() < SEVERAL || !both.iter().all(is_turned) {
        return Vec::new();
    }
    let line = |(run, message, code): (&RunEvent, &str, &str)| {
        let label = super::reading::run_label(run).unwrap_or_default();
        format!("{label}: `error.message` is `{message}`, and `error.code` is `{code}`")
    };
    both.into_iter().map(line).collect()
}

/// Messages that are all cut at one length: each is the beginning of what a task of its run says.
pub(super) fn cut_messages(runs: &[RunEvent]) -> Vec<String> {
    let message = |run: &RunEvent| -> Option<String> {
        Some(run.json()["error"]["message"].as_str()?.to_owned())
    };
    let judged: Vec<(&RunEvent, String, bool)> = runs
        .iter()
        .filter_map(|run| {
            let own = message(run)?;
            let of_tasks: Vec<String> = run.task_runs().filter_map(message).collect();
            let is_cut = |other: &String| other.len() > own.len() && other.starts_with(&own);
            let is_cut = of_tasks.iter().any(is_cut);
            (!of_tasks.is_empty()).then_some((run, own, is_cut))
        })
        .collect();
    let cut: Vec<&(&RunEvent, String, bool)> = judged.iter().filter(|one| one.2).collect();
    let lengths: BTreeSet<usize> = cut.iter().map(|(_, own, _)| own.chars().count()).collect();
    if cut.len() < SEVERAL || 2 * cut.len() <= judged.len() || lengths.len() > 1 {
        return Vec::new();
    }
    let line = |(run, own, _): &&(&RunEvent, String, bool)| {
        let label = super::reading::run_label(run).unwrap_or_default();
        format!("{label}: `error.message` is `{own}`, and its task says more")
    };
    cut.iter().map(line).collect()
}

/// Messages that a task of another run says and none of the run's own, where most are that can be judged.
pub(super) fn foreign_messages(runs: &[RunEvent]) -> Vec<String> {
    let message = |run: &'_ RunEvent| -> Option<String> {
        Some(run.json()["error"]["message"].as_str()?.to_owned())
    };
    let of_tasks =
        |run: &RunEvent| -> BTreeSet<String> { run.task_runs().filter_map(message).collect() };
    let all: BTreeSet<String> = runs.iter().flat_map(of_tasks).collect();
    let mut judged = 0;
    let mut lines = Vec::new();
    for run in runs {
        let (Some(own), tasks) = (message(run), of_tasks(run)) else {
            continue;
        };
        if tasks.is_empty() || !all.contains(&own) {
            continue;
        }
        judged += 1;
        if !tasks.contains(&own) {
            let label = super::reading::run_label(run).unwrap_or_default();
            lines.push(format!(
                "{label}: `error.message` is `{own}`, which a task of another run says"
            ));
        }
    }
    if lines.len() < SEVERAL || 2 * lines.len() <= judged {
        lines.clear();
    }
    lines
}

/// Addresses with the id of another run in place of the run's own, where all are such that can be judged.
pub(super) fn foreign_addresses(runs: &[RunEvent]) -> Vec<String> {
    // Short numbers may count something else.
    let is_telling = |id: &&str| id.len() > 3 && id.contains(|letter: char| letter.is_alphabetic());
    let ids = || runs.iter().filter_map(RunEvent::run_source_id);
    let known: BTreeSet<&str> = ids().filter(is_telling).collect();
    let mut judged = 0;
    let mut lines = Vec::new();
    for run in runs {
        let (Some(id), Some(address)) = (run.run_source_id(), run.json()["run_url"].as_str())
        else {
            continue;
        };
        let mut parts = address.split(['/', '=', '?', '&', '#']);
        if address.contains(id) {
            judged += 1;
        } else if let Some(other) = parts.find(|part| known.contains(part)) {
            judged += 1;
            let label = super::reading::run_label(run).unwrap_or_default();
            lines.push(format!("{label}: `run_url` leads to run `{other}`"));
        }
    }
    if lines.len() < SEVERAL || lines.len() < judged {
        lines.clear();
    }
    lines
}

/// Messages of errors that are records as a language shows them, where several are and all of them: a line each.
pub(super) fn shown_records(runs: &[RunEvent]) -> Vec<String> {
    let messages: Vec<(&RunEvent, &str)> = runs
        .iter()
        .filter_map(|run| Some((run, run.error()?.message()?)))
        .collect();
    let is_none = |text: &str| is_shown(text) || is_around(text);
    if messages.len() < SEVERAL || !messages.iter().all(|(_, text)| is_none(text)) {
        return Vec::new();
    }
    messages
        .into_iter()
        .map(|(run, _)| {
            let label = super::reading::run_label(run).unwrap_or_default();
            format!("{label}: `error.message` is what stands around a message, and not the message")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(events: &[Json]) -> Vec<String> {
        empty_texts(events.iter())
    }

    #[test]
    fn nothing_that_was_written_as_text_is_shown() {
        let job = json!({"name": "a", "owner": {"primary_email": "None"}, "inputs": [
            {"fully_qualified_name": "None.public.a"}, {"fully_qualified_name": "db.public.b"},
        ]});
        assert_eq!(
            told(std::slice::from_ref(&job)),
            ["`owner.primary_email` is `None` in 1 of 1, which is nothing written as text"]
        );
        assert_eq!(told(&vec![job; 3]).len(), 2);
        let urls = json!({"job_url": "https://v.example/jobs/undefined"});
        assert_eq!(told(&[urls]).len(), 1);
        let unfilled = json!({"run_url": "https://v.example/runs/{run_id}"});
        assert_eq!(
            told(&[unfilled]),
            [
                "`run_url` is `https://v.example/runs/{run_id}` in 1 of 1, which is an address that was not filled in"
            ]
        );
    }

    #[test]
    fn names_and_what_the_vendor_says_may_be_anything() {
        let jobs = [
            json!({"name": "None", "attributes": {"a": "None"}, "properties": [{"key": "k", "value": "null"}]}),
            json!({"name": "None of the above", "description": "undefined behaviour"}),
        ];
        assert_eq!(told(&jobs), [""; 0]);
    }

    #[test]
    fn records_are_no_messages() {
        let run = |message: &str| {
            RunEvent::new(json!({
                "job_source_id": "j", "run_source_id": "r", "status": "failed", "error": {"message": message},
            }))
        };
        let shown = run("{'message': 'no', 'code': 'E1'}");
        assert_eq!(shown_records(&vec![shown.clone(); 3]).len(), 3);
        assert_eq!(shown_records(&vec![run("b'no such table'"); 3]).len(), 3);
        for around in [
            "Traceback (most recent call last):",
            "<!DOCTYPE html><p>",
            "<HTML>",
            "Error: None",
        ] {
            assert_eq!(shown_records(&vec![run(around); 3]).len(), 3, "{around}");
        }
        assert_eq!(shown_records(&vec![shown.clone(); 2]).len(), 0);
        assert_eq!(shown_records(&[shown.clone(), shown, run("no")]).len(), 0);
        assert_eq!(
            shown_records(&vec![run(r#"{"message": "no"}"#); 3]).len(),
            0
        );
    }

    fn failed(id: &str, fields: Json) -> RunEvent {
        let mut run = json!({"job_source_id": "j", "run_source_id": id, "status": "failed"});
        run.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        RunEvent::new(run)
    }

    #[test]
    fn codes_are_no_messages() {
        let run = |message: &str, code: &str| {
            failed("r", json!({"error": {"message": message, "code": code}}))
        };
        let turned = run("E_TASK", "no such table: orders");
        assert_eq!(turned_codes(&vec![turned.clone(); 3]).len(), 3);
        assert_eq!(turned_codes(&vec![turned.clone(); 2]).len(), 0);
        let right = run("no such table: orders", "E_TASK");
        assert_eq!(
            turned_codes(&[turned.clone(), turned, right.clone()]).len(),
            0
        );
        assert_eq!(turned_codes(&vec![right; 3]).len(), 0);
    }

    #[test]
    fn a_message_says_as_much_as_its_tasks() {
        let run = |message: &str, of_task: &str| {
            failed(
                "r",
                json!({"error": {"message": message}, "task_runs": [{"error": {"message": of_task}}]}),
            )
        };
        let cut = run("no such ta", "no such table: orders");
        assert_eq!(cut_messages(&vec![cut.clone(); 3]).len(), 3);
        assert_eq!(cut_messages(&vec![cut.clone(); 2]).len(), 0);
        let other = run("no such", "no such table: orders");
        assert_eq!(
            cut_messages(&[cut.clone(), cut, other]).len(),
            0,
            "of two lengths"
        );
        assert_eq!(cut_messages(&vec![run("no", "no"); 3]).len(), 0);
    }

    #[test]
    fn a_message_is_of_a_task_of_the_run() {
        let run = |message: &str, of_task: &str| {
            failed(
                "r",
                json!({"error": {"message": message}, "task_runs": [{"error": {"message": of_task}}]}),
            )
        };
        let first = run("a", "a");
        let told = |others: [(&str, &str); 3]| {
            let others = others.map(|(message, of_task)| run(message, of_task));
            foreign_messages(&[std::slice::from_ref(&first), &others[..]].concat()).len()
        };
        assert_eq!(told([("a", "b"), ("a", "c"), ("a", "d")]), 3);
        assert_eq!(told([("a", "b"), ("a", "c"), ("d", "d")]), 0);
        assert_eq!(
            told([("x", "b"), ("x", "c"), ("x", "d")]),
            0,
            "words of the run's own"
        );
    }

    #[test]
    fn an_address_leads_to_its_own_run() {
        let run = |id: &str, to: &str| {
            failed(
                id,
                json!({"run_url": format!("https://v.example/runs/{to}")}),
            )
        };
        let ids = ["run-1", "run-2", "run-3"];
        let told = |to: [&str; 3]| {
            let runs: Vec<RunEvent> = ids.iter().zip(to).map(|(id, to)| run(id, to)).collect();
            foreign_addresses(&runs).len()
        };
        assert_eq!(told(["run-2", "run-3", "run-1"]), 3);
        assert_eq!(told(["run-2", "run-3", "run-3"]), 0, "one is its own");
        assert_eq!(told(["7", "8", "9"]), 0);
        let counted: Vec<RunEvent> = [("1001", "1002"), ("1002", "1003"), ("1003", "1001")]
            .iter()
            .map(|(id, to)| run(id, to))
            .collect();
        assert_eq!(
            foreign_addresses(&counted).len(),
            0,
            "numbers may count something else"
        );
    }
}
