//! The reference page of what pipeline connectors give: events, words, and both manifests key by key.

use std::fmt::Write as _;

use super::{
    Asset, AssetRef, AssetRole, AssetType, Field, Group, Owner, PipelineManifest, Presence,
    Property, Run, RunError, RunStatus, RunTrigger, Schedule, ScheduleKind, Shape, Task,
};
use crate::manifest::SourceManifest;

/// The records of the model: what each is called, what it is, and its fields.
pub const RECORDS: &[(&str, &str, &[Field])] = &[
    ("asset", "A job: what an orchestrator runs.", Asset::FIELDS),
    ("task", "One step of a job.", Task::FIELDS),
    (
        "group",
        "What a vendor groups jobs under: a folder, a pool, a code location.",
        Group::FIELDS,
    ),
    (
        "schedule",
        "What decides when a job runs.",
        Schedule::FIELDS,
    ),
    ("owner", "Who answers for a job.", Owner::FIELDS),
    (
        "property",
        "A tag or property of a job or a run.",
        Property::FIELDS,
    ),
    (
        "asset_ref",
        "Something a job reads or writes. At least one of `mcon` and `fully_qualified_name` is there.",
        AssetRef::FIELDS,
    ),
    (
        "run",
        "One run of a job, or as one of `task_runs` of one of its tasks.",
        Run::FIELDS,
    ),
    ("error", "What went wrong with a run.", RunError::FIELDS),
];

/// The keys of both manifests that connectors bring: whether the warehouse's and the pipeline's have them, whether they
/// must be there, and what they mean.
pub const MANIFEST_KEYS: &[(&str, &str)] = &[
    (
        "connection_type",
        "Must be there. The connector's own type, unique to it: `custom-connector-` or `custom-etl-connector-` and \
         seven hex digits, which `bowline new` makes.",
    ),
    (
        "connection_name",
        "Must be there. What people call the connection.",
    ),
    ("asset_class", "Must be there: `warehouse` or `etl`."),
    (
        "terminology",
        "The vendor's words for what jobs are grouped under (`group`), what is run (`job`) and one step of it (`task`); \
         `Group`, `Job` and `Task` when not said.",
    ),
    (
        "icon_url",
        "Where the vendor's picture is: an address that begins with `http://` or `https://`.",
    ),
    (
        "run_status_mapping",
        "Must be there. From each of the vendor's words for how a run stands to one of the contract's statuses. Words are \
         matched without case. An empty one loads, so that the words can be looked for; the whole suite and `bowline \
         build` refuse it.",
    ),
    (
        "task_run_status_mapping",
        "The same for task runs, where it differs; absent or empty, that of runs holds.",
    ),
    (
        "credentials_schema",
        "What `credentials.json` must look like, in Cerberus' format.",
    ),
];

const ASSET: &str = r#"{
  "job_source_id": "nightly-load",
  "name": "Nightly load",
  "group": {"source_id": "sales", "name": "Sales", "group_type": "folder"},
  "schedule": {"kind": "cron", "cron_expression": "0 2 * * *", "timezone": "Europe/Berlin"},
  "owner": {"primary_email": "ann@example.com", "team": "data"},
  "properties": [{"key": "tier", "value": "gold"}, {"key": "daily"}],
  "inputs": [{"asset_type": "TABLE", "role": "INPUT", "fully_qualified_name": "shop.public.orders"}],
  "tasks": [
    {"task_source_id": "extract", "name": "Extract"},
    {"task_source_id": "load", "name": "Load", "upstream_task_source_ids": ["extract"]}
  ]
}"#;

const RUN: &str = r#"{
  "job_source_id": "nightly-load",
  "run_source_id": "nightly-load/812",
  "status": "failed",
  "event_time": "2026-03-01T02:14:09Z",
  "start_time": "2026-03-01T02:00:01Z",
  "end_time": "2026-03-01T02:14:09Z",
  "trigger": "SCHEDULE",
  "error": {"message": "disk full", "code": "ENOSPC", "retryable": true},
  "task_runs": [
    {
      "job_source_id": "nightly-load",
      "run_source_id": "nightly-load/812/load",
      "task_source_id": "load",
      "status": "failed",
      "event_time": "2026-03-01T02:14:09Z",
      "start_time": "2026-03-01T02:03:00Z",
      "end_time": "2026-03-01T02:14:09Z",
      "error": {"message": "disk full"}
    }
  ]
}"#;

/// What a record with these fields is called.
pub(super) fn record_name(fields: &[Field]) -> &'static str {
    let is_it = |of: &[Field]| {
        let names = |fields: &[Field]| fields.iter().map(|field| field.name).collect::<Vec<_>>();
        names(of) == names(fields)
    };
    let found = RECORDS.iter().find(|(.., of)| is_it(of));
    found.map_or("record", |(name, ..)| name)
}

/// What a value of that shape looks like, in words.
#[must_use]
pub fn shape_words(shape: &Shape) -> String {
    match shape {
        Shape::Text => "text".to_owned(),
        Shape::Time => "a date and time with a zone (ISO 8601)".to_owned(),
        Shape::Flag => "true or false".to_owned(),
        Shape::Integer(i64::MIN) => "a whole number".to_owned(),
        Shape::Integer(least) => format!("a whole number of at least {least}"),
        Shape::Word(words) if words.len() > 8 => "a status, below".to_owned(),
        Shape::Word(words) => words.join(", "),
        Shape::Texts => "a list of texts".to_owned(),
        Shape::Dict => "keys and values of any kind".to_owned(),
        Shape::Record(fields) => format!("a record: {}", record_name(fields)),
        Shape::Records(fields) => format!("a list of records: {}", record_name(fields)),
        Shape::Refs(role) => format!("a list of asset refs whose `role` is {role}"),
        Shape::TaskRuns => "a list of runs".to_owned(),
    }
}

/// The page on what pipeline connectors give, and on both manifests.
#[must_use]
pub fn events_markdown() -> String {
    let mut page = String::from(
        "<!-- Written by `cargo xtask generate`; change the tables, not this page. -->\n\n# Events and manifests\n\n\
         What a pipeline connector gives, key by key. Records are sparse: a key without a value is left out, not null \
         and not an empty list. A key with a ✓ must be there. Lineage (`inputs` and `outputs`) may stand at a job, at \
         its tasks, at a run and at its task runs; a run may say its `group` where jobs move between groups. \
         The suite checks that ✓ keys are there, the type of all keys, that words are of their lists and times of ISO \
         8601 with a zone, and what [its page](../pipeline-suite.md) says of what keys have to do with each other. \
         `failure_type` and `code` of an error are the vendor's own words.\n\nA job:\n\n",
    );
    put(
        &mut page,
        format_args!("```json\n{ASSET}\n```\n\nA run:\n\n```json\n{RUN}\n```\n"),
    );
    for (name, about, fields) in RECORDS {
        put(
            &mut page,
            format_args!(
                "\n## `{name}`\n\n{about}\n\n| key | | value | what |\n|---|---|---|---|\n"
            ),
        );
        for field in *fields {
            let must = match field.presence {
                Presence::Required => "✓",
                Presence::Optional => "",
            };
            let value = shape_words(&field.shape);
            put(
                &mut page,
                format_args!(
                    "| `{}` | {must} | {value} | {} |\n",
                    field.name, field.about
                ),
            );
        }
    }
    page.push_str("\n## Statuses\n\nA run whose status ends it has an `end_time`.\n\n| status | ends it | has an `error` | what |\n|---|---|---|---|\n");
    for status in RunStatus::ALL {
        let yes = |is: bool| if is { "✓" } else { "" };
        put(
            &mut page,
            format_args!(
                "| `{status}` | {} | {} | {} |\n",
                yes(status.is_terminal()),
                yes(status.needs_error()),
                status.description()
            ),
        );
    }
    let words = [
        (
            "Triggers",
            described(RunTrigger::ALL, |word| (word.name(), word.description())),
        ),
        (
            "Kinds of schedule",
            described(ScheduleKind::ALL, |word| (word.name(), word.description())),
        ),
        (
            "Types of asset",
            described(AssetType::ALL, |word| (word.name(), word.description())),
        ),
        (
            "Roles",
            described(AssetRole::ALL, |word| (word.name(), word.description())),
        ),
    ];
    for (title, rows) in words {
        put(
            &mut page,
            format_args!("\n## {title}\n\n| word | what |\n|---|---|\n{rows}"),
        );
    }
    page.push_str("\n## Manifests\n\n`manifest.json` of a connector's folder. Keys that are not here are told; a pipeline's manifest keeps them, for it ships as it is.\n\n| key | warehouse | pipeline | what |\n|---|---|---|---|\n");
    for (key, about) in MANIFEST_KEYS {
        let has = |keys: &[&str]| if keys.contains(key) { "✓" } else { "" };
        put(
            &mut page,
            format_args!(
                "| `{key}` | {} | {} | {about} |\n",
                has(SourceManifest::KEYS),
                has(PipelineManifest::KEYS)
            ),
        );
    }
    page.push_str(
        "\nWhat `bowline export` writes for a warehouse has `connection_type`, `connection_name` and `credentials_schema` \
         as they are, `setup_version`, and under `capabilities` and `metrics` true for what was proven and false for the \
         rest.\n",
    );
    page.push_str(CREDENTIALS_SCHEMA);
    page
}

const CREDENTIALS_SCHEMA: &str = r#"
## The credentials schema

```json
{
  "connect_args": {
    "type": "dict",
    "required": true,
    "schema": {
      "host": {"type": "string", "required": true, "empty": false},
      "port": {"type": "integer", "min": 1, "max": 65535},
      "mode": {"type": "string", "allowed": ["read", "write"]}
    }
  }
}
```

- It holds for the whole of `credentials.json`: what a connector takes stands under `connect_args`, as above. To leave that level out is the commonest mistake.
- Absent or `{}`, nothing is checked but that `connect_args` is there. Anything but an object is an error.
- `required` is false when not said; `nullable` lets null in, `empty: false` keeps empty texts and lists out.
- `type` is one of `string`, `integer`, `float`, `number`, `boolean`, `list`, `dict`, or a list of them. `"5432"` is no integer.
- `min` and `max` bound numbers, `minlength` and `maxlength` texts and lists, `allowed` and `forbidden` name values, `regex` holds for the whole text.
- `schema` says what is in a dict, key by key, or what each item of a list is; `valuesrules` and `keysrules` hold for all of a dict.
- Keys that it does not name are allowed, unless the rules of the dict say `allow_unknown: false`; one that is near a name in it is told.
- `dependencies` and `excludes` tie keys together; `anyof`, `oneof`, `allof`, `noneof` give alternatives.
- Rules that are functions of Python cannot be written as JSON.
- `bowline credentials check NAME` says what does not fit, in Cerberus' own words and without the values ([how far it is Cerberus](../compatibility-cerberus.md)).
"#;

fn described<T: Copy>(all: &[T], of: impl Fn(T) -> (&'static str, &'static str)) -> String {
    all.iter().fold(String::new(), |mut rows, word| {
        let (name, about) = of(*word);
        put(&mut rows, format_args!("| `{name}` | {about} |\n"));
        rows
    })
}

fn put(page: &mut String, text: std::fmt::Arguments<'_>) {
    page.write_fmt(text)
        .expect("a String takes all that is written to it");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::{AssetEvent, RunEvent, validate_assets, validate_runs};

    #[test]
    fn every_key_has_its_place() {
        let page = events_markdown();
        for (_, _, fields) in RECORDS {
            for field in *fields {
                assert!(!field.about.is_empty(), "{}", field.name);
                assert!(page.contains(&format!("| `{}` |", field.name)));
            }
        }
        let named: Vec<&str> = MANIFEST_KEYS.iter().map(|(key, _)| *key).collect();
        assert_eq!(named, PipelineManifest::KEYS);
        assert!(SourceManifest::KEYS.iter().all(|key| named.contains(key)));
        assert!(page.contains("| `job_source_id` | ✓ | text | The vendor's identifier of the job; the same in every reading. |"));
        assert!(page.contains("| `group` |  | a record: group |"));
    }

    #[test]
    fn the_examples_are_valid() {
        let asset: AssetEvent = serde_json::from_str(ASSET).unwrap();
        let run: RunEvent = serde_json::from_str(RUN).unwrap();
        assert_eq!(validate_assets(&[asset]), []);
        assert_eq!(validate_runs(&[run]), []);
    }
}
