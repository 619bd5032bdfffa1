//! Texts that say nothing: what languages write for nothing, and for records, where people should read something.

use std::collections::{BTreeMap, BTreeSet};

use bowline_contract::pipeline::RunEvent;
use serde_json::Value as Json;

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

/// Fields whose texts are nothing written as text, in several records: a line each. Where people write what they like,
/// it is no accident only if all are.
pub(super) fn empty_texts<'e>(events: impl Iterator<Item = &'e Json>) -> Vec<String> {
    let mut fields: BTreeMap<String, Told> = BTreeMap::new();
    for event in events {
        walk(event, "", &mut fields, &|field, texts| {
            texts.len() == 1 && has_nothing(field, texts[0])
        });
    }
    fields
        .into_iter()
        .filter(|(field, told)| told.is_no_accident(field))
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

impl Told {
    fn is_no_accident(&self, field: &str) -> bool {
        self.empty >= SEVERAL
            && match field.rsplit('.').next() {
                Some("name" | "description" | "message") => self.empty == self.all,
                // Here nobody writes what they like.
                Some(
                    "primary_email" | "run_as_email" | "timezone" | "fully_qualified_name" | "mcon",
                ) => true,
                _ => 2 * self.empty > self.all,
            }
    }
}

/// Counts the texts of each field, and those that are such; the letters of a text in a list are one.
fn walk(
    value: &Json,
    field: &str,
    fields: &mut BTreeMap<String, Told>,
    is_such: &dyn Fn(&str, &[&str]) -> bool,
) {
    let mut tell = |texts: &[&str]| {
        let told = fields.entry(field.to_owned()).or_default();
        told.all += 1;
        if is_such(field, texts) {
            told.empty += 1;
            told.example.get_or_insert_with(|| texts.concat());
        }
    };
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
                walk(value, &path, fields, is_such);
            }
        }
        Json::Array(items) => match letters(items) {
            Some(texts) => tell(&texts),
            None => items
                .iter()
                .for_each(|item| walk(item, field, fields, is_such)),
        },
        Json::String(text) => tell(&[text]),
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
    let is_name = |text: &str| {
        let is_of_name = |letter: char| letter.is_ascii_alphabetic() || "_.".contains(letter);
        !text.is_empty() && text.chars().all(is_of_name)
    };
    let holds = |(open, close): (&str, &str)| {
        let within = text
            .split_once(open)
            .and_then(|(_, rest)| rest.split_once(close));
        within.is_some_and(|(name, _)| is_name(name))
    };
    let names = [("{", "}"), ("%7B", "%7D"), ("<", ">")];
    (field.ends_with("job_url") || field.ends_with("run_url")) && names.into_iter().any(holds)
}

/// Fields whose texts are all values as Python shows them, lists and bytes, or the letters of one in a list: a line each.
pub(super) fn shown_in_python<'e>(events: impl Iterator<Item = &'e Json>) -> Vec<String> {
    let mut fields: BTreeMap<String, Told> = BTreeMap::new();
    for event in events {
        let is_one = |_: &str, texts: &[&str]| texts.len() > 1 || is_shown(texts[0]);
        walk(event, "", &mut fields, &is_one);
    }
    fields
        .into_iter()
        .filter(|(_, told)| told.empty >= SEVERAL && told.empty == told.all)
        .filter_map(|(field, told)| {
            let (first, all) = (told.example?, told.all);
            Some(format!(
                "`{field}` is `{first}` and the like in all of {all}, a value as Python shows it"
            ))
        })
        .collect()
}

/// Lists that hold everything more than once, where all do that a field has: a line each.
pub(super) fn doubled<'e>(events: impl Iterator<Item = &'e Json>) -> Vec<String> {
    let mut fields: BTreeMap<String, Lists> = BTreeMap::new();
    for event in events {
        lists(event, "", &mut fields);
    }
    // One thing twice may be for two reasons.
    let doubled = fields.into_iter().filter(|(_, lists)| {
        lists.all >= SEVERAL && lists.doubled == lists.all && lists.of_several > 0
    });
    let line = |(field, lists): (String, Lists)| {
        let all = lists.all;
        format!("`{field}` has everything more than once in all of {all}")
    };
    doubled.map(line).collect()
}

/// How many lists a field has, how many of them hold everything more than once, and how many of these more than one thing.
#[derive(Default)]
struct Lists {
    all: usize,
    doubled: usize,
    of_several: usize,
}

/// Counts the lists of each field.
fn lists(value: &Json, field: &str, fields: &mut BTreeMap<String, Lists>) {
    match value {
        Json::Object(record) => {
            let own = record.iter().filter(|(key, _)| {
                key.as_str() == "properties" || !VENDORS_OWN.contains(&key.as_str())
            });
            for (key, value) in own {
                let below = format!("{field}.{key}");
                lists(value, below.trim_start_matches('.'), fields);
            }
        }
        Json::Array(items) if !items.is_empty() => {
            let different: BTreeSet<String> = items.iter().map(Json::to_string).collect();
            let lists_of = fields.entry(field.to_owned()).or_default();
            let is_doubled = items.len() >= 2 * different.len();
            lists_of.all += 1;
            lists_of.doubled += usize::from(is_doubled);
            lists_of.of_several += usize::from(is_doubled && different.len() > 1);
            items.iter().for_each(|item| lists(item, field, fields));
        }
        _ => {}
    }
}

/// A list of texts that holds the letters of one: each a letter, and one of them no part of a word.
fn letters(items: &[Json]) -> Option<Vec<&str>> {
    /// A text of so many letters is no list of short names.
    const LETTERS: usize = 5;
    let texts: Option<Vec<&str>> = items.iter().map(Json::as_str).collect();
    texts.filter(|texts| {
        texts.len() >= LETTERS
            && texts.iter().all(|text| text.chars().count() == 1)
            && texts
                .iter()
                .any(|text| text.contains(['.', '@', '/', '_', '-']))
    })
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
    // A vendor's codes may be a few words.
    let is_sentence = |(_, _, code): &&(&RunEvent, &str, &str)| code.split_whitespace().count() > 4;
    if both.iter().filter(is_sentence).count() < SEVERAL || !both.iter().all(is_turned) {
        return Vec::new();
    }
    let line = |(run, message, code): (&RunEvent, &str, &str)| {
        let label = super::reading::run_label(run).unwrap_or_default();
        format!("{label}: `error.message` is `{message}`, and `error.code` is `{code}`")
    };
    both.into_iter().map(line).collect()
}

/// Messages of errors that are records as a language shows them, or the ids of their runs, where several are and all of
/// them: a line each.
pub(super) fn shown_records(runs: &[RunEvent]) -> Vec<String> {
    let messages: Vec<(&RunEvent, &str)> = runs
        .iter()
        .filter_map(|run| Some((run, run.error()?.message()?)))
        .collect();
    let is_none =
        |(run, text): &(&RunEvent, &str)| is_shown(text) || run.run_source_id() == Some(*text);
    if messages.len() < SEVERAL || !messages.iter().all(is_none) {
        return Vec::new();
    }
    let line = |(run, _): (&RunEvent, &str)| {
        let label = super::reading::run_label(run)?;
        Some(format!(
            "{label}: `error.message` is what stands around a message, and not the message"
        ))
    };
    messages.into_iter().filter_map(line).collect()
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
        assert_eq!(told(&vec![job.clone(); 2]), [""; 0]);
        assert_eq!(
            told(&vec![job; 3])[1],
            "`owner.primary_email` is `None` in 3 of 3, which is nothing written as text"
        );
        let urls = json!({"job_url": "https://v.example/jobs/undefined"});
        assert_eq!(told(&vec![urls; 3]).len(), 1);
        let unfilled = json!({"run_url": "https://v.example/runs/{run_id}"});
        assert_eq!(
            told(&vec![unfilled.clone(); 3]),
            [
                "`run_url` is `https://v.example/runs/{run_id}` in 3 of 3, which is an address that was not filled in"
            ]
        );
        let filled = json!({"run_url": "https://v.example/runs?filter={\"id\":7}"});
        assert_eq!(told(&vec![filled.clone(); 3]), [""; 0]);
        let some = [vec![unfilled; 3], vec![filled; 3]].concat();
        assert_eq!(told(&some), [""; 0]);
        let people = |text: &str| json!({"description": text, "error": {"message": text}});
        let some = [vec![people("None"); 3], vec![people("loads")]].concat();
        assert_eq!(told(&some), [""; 0]);
        assert_eq!(told(&some[..3]).len(), 2);
    }

    #[test]
    fn what_python_shows_and_texts_in_letters_are_told() {
        let shown = |job: Json| shown_in_python(vec![job; 3].iter()).len();
        assert_eq!(shown(json!({"owner": {"primary_name": "{'id': 17}"}})), 1);
        assert_eq!(shown(json!({"attributes": {"raw": "{'id': 17}"}})), 0);
        let notices = |entries: Json| shown(json!({"owner": {"notification_emails": entries}}));
        assert_eq!(notices(json!(["a", "@", "b", ".", "c"])), 1);
        assert_eq!(notices(json!(["a", "b", "c", "d", "e"])), 0, "short names");
    }

    #[test]
    fn lists_that_hold_everything_twice_are_told() {
        let job = |mails: Json| json!({"owner": {"notification_emails": mails}, "attributes": {"raw": ["a", "a"]}});
        let twice = json!(["a@e.example", "b@e.example", "a@e.example", "b@e.example"]);
        let jobs = vec![job(twice); SEVERAL];
        assert_eq!(
            doubled(jobs.iter()),
            ["`owner.notification_emails` has everything more than once in all of 3"]
        );
        assert_eq!(doubled(jobs[1..].iter()), [""; 0]);
        let one_is_not = [
            jobs,
            vec![job(json!(["a@e.example", "a@e.example", "b@e.example"]))],
        ]
        .concat();
        assert_eq!(doubled(one_is_not.iter()), [""; 0]);
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
    fn the_id_of_its_run_is_no_message() {
        let run = |id: &str, message: &str| failed(id, json!({"error": {"message": message}}));
        let told = |messages: [&str; 3]| {
            let runs = ["1", "2", "3"].into_iter().zip(messages);
            let runs: Vec<RunEvent> = runs.map(|(id, message)| run(id, message)).collect();
            shown_records(&runs).len()
        };
        assert_eq!(told(["1", "2", "3"]), 3);
        assert_eq!(told(["2", "1", "1"]), 0, "codes may be numbers of runs");
    }

    #[test]
    fn codes_are_no_messages() {
        let run = |message: &str, code: &str| {
            failed("r", json!({"error": {"message": message, "code": code}}))
        };
        let named = run("E17", "user code error");
        assert_eq!(turned_codes(&vec![named; 3]).len(), 0, "the vendor's code");
        let turned = run("E_TASK", "there is no such table: orders");
        assert_eq!(turned_codes(&vec![turned.clone(); 3]).len(), 3);
        assert_eq!(turned_codes(&vec![turned.clone(); 2]).len(), 0);
        let right = run("no such table: orders", "E_TASK");
        assert_eq!(
            turned_codes(&[turned.clone(), turned, right.clone()]).len(),
            0
        );
        assert_eq!(turned_codes(&vec![right; 3]).len(), 0);
    }
}
