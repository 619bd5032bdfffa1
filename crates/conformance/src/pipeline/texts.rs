//! Texts that say nothing: what languages write for nothing, and for records, where people should read something.

use std::collections::BTreeMap;

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
        Some("fully_qualified_name") => &['.'],
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

/// Messages of errors that are records as a language shows them, where several are and all of them: a line each.
pub(super) fn shown_records(runs: &[RunEvent]) -> Vec<String> {
    let messages: Vec<(&RunEvent, &str)> = runs
        .iter()
        .filter_map(|run| Some((run, run.error()?.message()?)))
        .collect();
    let shown = |text: &str| {
        let text = text.trim();
        text.starts_with("{'") && text.ends_with('}')
            || (text.starts_with("b'") && text.ends_with('\''))
            || (text.starts_with("b\"") && text.ends_with('"'))
            || text.starts_with("<") && text.contains(" object at 0x")
    };
    if messages.len() < SEVERAL || !messages.iter().all(|(_, text)| shown(text)) {
        return Vec::new();
    }
    messages
        .into_iter()
        .map(|(run, _)| {
            let label = super::reading::run_label(run).unwrap_or_default();
            format!("{label}: `error.message` is a value as Python shows it, and not its message")
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
        assert_eq!(shown_records(&vec![shown.clone(); 2]).len(), 0);
        assert_eq!(shown_records(&[shown.clone(), shown, run("no")]).len(), 0);
        assert_eq!(
            shown_records(&vec![run(r#"{"message": "no"}"#); 3]).len(),
            0
        );
    }
}
