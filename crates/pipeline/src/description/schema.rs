//! JSON Schemas of what authors of pipeline connectors write.
//!
//! The reader is by hand, for its errors; a test walks the schema and compares its keys with those that the reader
//! asks for.

use bowline_connector::manifest_schema;
use bowline_contract::AssetClass;
use bowline_contract::pipeline::{Asset, AssetRef, Field, Run, Shape};
use serde_json::{Map, Value, json};

use super::request_schema::{http, reject, request};

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";
const TASK_RUNS: &str = "#/$defs/task_runs";

/// Every schema: the file name it is kept under, and its text. Stable to the byte.
#[must_use]
pub fn schemas() -> Vec<(&'static str, String)> {
    [
        ("pipeline-connector.schema.json", connector()),
        (
            "pipeline-manifest.schema.json",
            manifest_schema(AssetClass::Pipeline),
        ),
    ]
    .map(|(name, schema)| (name, format!("{schema:#}\n")))
    .to_vec()
}

/// A table of exactly these keys.
pub(super) fn table(description: &str, keys: Vec<(&str, Value)>, required: &[&str]) -> Value {
    let properties: Map<String, Value> = keys
        .into_iter()
        .map(|(key, schema)| (key.to_owned(), schema))
        .collect();
    let mut table = json!({
        "description": description,
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    });
    if !required.is_empty() {
        table["required"] = required.iter().copied().collect();
    }
    table
}

pub(super) fn described(description: &str, mut schema: Value) -> Value {
    schema["description"] = Value::from(description);
    schema
}

pub(super) fn expression(description: &str) -> Value {
    described(description, json!({ "type": "string" }))
}

pub(super) fn text(description: &str) -> Value {
    described(description, json!({ "type": "string" }))
}

pub(super) fn template(description: &str) -> Value {
    described(
        description,
        json!({ "type": ["string", "number", "boolean", "array", "object"] }),
    )
}

pub(super) fn templates(description: &str) -> Value {
    described(description, json!({ "type": "object" }))
}

pub(super) fn count(description: &str, least: u64) -> Value {
    described(description, json!({ "type": "integer", "minimum": least }))
}

pub(super) fn above_zero(description: &str) -> Value {
    described(
        description,
        json!({ "type": "number", "exclusiveMinimum": 0 }),
    )
}

fn expressions(description: &str) -> Value {
    described(
        description,
        json!({ "type": "object", "additionalProperties": { "type": "string" } }),
    )
}

pub(super) fn list_of(description: &str, item: Value) -> Value {
    described(description, json!({ "type": "array", "items": item }))
}

pub(super) fn connector() -> Value {
    let mut schema = table(
        "How a pipeline connector reads its vendor: described over HTTP, or by a program of its own.",
        vec![
            (
                "version",
                described("The format's version.", json!({ "const": 1 })),
            ),
            ("driver", driver()),
            ("http", http()),
            (
                "check",
                table(
                    "A request that shows whether the vendor can be reached and lets us in.",
                    request(),
                    &[],
                ),
            ),
            (
                "sources",
                described(
                    "The vendor's lists, by the names that expressions know them by.",
                    json!({ "type": "object", "additionalProperties": source() }),
                ),
            ),
            (
                "assets",
                table(
                    "How jobs become assets.",
                    mapping(Asset::FIELDS),
                    &["from", "fields"],
                ),
            ),
            ("runs", runs()),
            (
                "warnings",
                list_of(
                    "What the vendor has to complain about itself.",
                    table(
                        "A source whose records are complaints.",
                        vec![
                            ("from", text("The source.")),
                            ("when", expression("Which of its records count.")),
                            ("message", expression("What to say.")),
                        ],
                        &["from", "message"],
                    ),
                ),
            ),
        ],
        &["version"],
    );
    schema["$schema"] = Value::from(DRAFT);
    schema["title"] = Value::from("connector.toml of a pipeline connector");
    schema["oneOf"] = json!([
        { "required": ["driver"] },
        { "required": ["http", "sources", "assets", "runs"] },
    ]);
    schema["$defs"] = json!({ "task_runs": entries("The runs of the job's tasks.", Run::FIELDS) });
    schema
}

fn driver() -> Value {
    table(
        "A program that reads the vendor, instead of a description.",
        vec![
            (
                "kind",
                described(
                    "It speaks the process protocol.",
                    json!({ "const": "process" }),
                ),
            ),
            (
                "command",
                list_of(
                    "The program and its arguments.",
                    json!({ "type": "string" }),
                ),
            ),
        ],
        &["kind", "command"],
    )
}

fn source() -> Value {
    let mut keys = vec![(
        "for_each",
        described(
            "What it is asked for: a source, or `run_ids`.",
            json!({ "anyOf": [
                { "type": "string" },
                table(
                    "A source, and which of its records.",
                    vec![
                        ("source", text("The source.")),
                        ("list", expression("A list that is no source, such as one among the credentials, instead of `source`.")),
                        ("when", expression("For which of its records, each called `parent`.")),
                        ("batch", count("How many at once, together called `batch`; one by one when not said.", 1)),
                    ],
                    &[],
                ),
            ] }),
        ),
    )];
    keys.extend(request());
    keys.extend([
        ("pages", pages()),
        (
            "records",
            expression("Where the records are in an answer, called `response`; the answer itself when not said."),
        ),
        (
            "flatten",
            expression("The records within each of those records, which is their `parent` then."),
        ),
        ("when", expression("Which records count.")),
        ("key", expression("What expressions find a record by.")),
        ("keys", expression("Keys that each find a record, instead of `key`.")),
        (
            "many",
            described("Whether a key finds a list of records.", json!({ "type": "boolean" })),
        ),
        ("id", expression("What tells records apart, where the key does not.")),
        (
            "missing",
            list_of(
                "Statuses that mean that there is no such thing.",
                json!({ "type": "integer", "minimum": 0, "maximum": 65535 }),
            ),
        ),
        ("reject", reject()),
        (
            "failing",
            described(
                "What becomes of the reading when a list of a source with `for_each` cannot be read: `stop` when not said; \
                 `leave_out` goes on without it and tells of it.",
                json!({ "enum": ["stop", "leave_out"] }),
            ),
        ),
        (
            "window",
            table(
                "The longest window that the vendor takes; longer ones are asked for in pieces.",
                vec![
                    ("most_hours", above_zero("How many hours it may have; any when not said.")),
                    (
                        "most_records",
                        count("How many records the vendor gives of a window at most: where it gave as many, the window is split.", 1),
                    ),
                ],
                &[],
            ),
        ),
    ]);
    table("A list of the vendor's records.", keys, &[])
}

fn pages() -> Value {
    table(
        "How a long list is read.",
        vec![
            (
                "style",
                described(
                    "By `page.offset`, by `page.number`, by `page.cursor`, or by the address of the next page.",
                    json!({ "enum": ["offset", "number", "cursor", "link"] }),
                ),
            ),
            (
                "size",
                count(
                    "How many records a page is asked for, as `page.size`; 100 when not said.",
                    1,
                ),
            ),
            (
                "most",
                count("How many pages are read at most; 10,000 when not said.", 1),
            ),
            (
                "total",
                expression("The number of records in all, where an answer says it."),
            ),
            (
                "last",
                expression(
                    "Whether the page is the last one, where an answer says it; null where it does not. While it is false, an empty page is not the end.",
                ),
            ),
            (
                "aligned",
                described(
                    "Whether the vendor takes no offsets but multiples of the page size; `false` when not said.",
                    json!({ "type": "boolean" }),
                ),
            ),
            (
                "first",
                described(
                    "The number of the first page, 1 when not said; the cursor of the first page, null when not said.",
                    json!({ "type": ["integer", "string"] }),
                ),
            ),
            (
                "next",
                expression("The next cursor or address; null ends the list."),
            ),
            (
                "keep",
                list_of(
                    "What of the first request goes with the address of the next page: its method and `body`, and what \
                     of its `query` the address lacks.",
                    json!({ "enum": ["body", "query"] }),
                ),
            ),
            (
                "hosts",
                described(
                    "Names of other hosts that the address may be on; or `ignore`, when a proxy stands in front and the \
                     vendor names itself.",
                    json!({ "anyOf": [
                        { "const": "ignore" },
                        { "type": "array", "items": { "type": "string" } },
                    ] }),
                ),
            ),
        ],
        &["style"],
    )
}

fn mapping(fields: &'static [Field]) -> Vec<(&'static str, Value)> {
    vec![
        ("from", text("The source.")),
        ("when", expression("Which of its records count.")),
        ("let", expressions("Values that several fields share.")),
        (
            "fields",
            table(
                "The event's fields, those of the contract.",
                fields_of(fields),
                &[],
            ),
        ),
    ]
}

fn runs() -> Value {
    let mut keys = mapping(Run::FIELDS);
    keys.extend([
        (
            "also",
            list_of(
                "Further sources with runs: those that have not ended.",
                json!({ "type": "string" }),
            ),
        ),
        ("by_id", text("The source for runs by their ids.")),
    ]);
    table("How runs become run events.", keys, &["from", "fields"])
}

fn fields_of(fields: &'static [Field]) -> Vec<(&'static str, Value)> {
    let all = fields.iter();
    all.map(|field| (field.name, shape(&field.shape))).collect()
}

/// What may stand for a value of this shape.
fn shape(shape: &'static Shape) -> Value {
    let text = json!({ "type": "string" });
    match shape {
        Shape::Record(fields) => {
            let mut rule = fields_of(fields);
            rule.insert(0, ("when", expression("Whether this rule is the one.")));
            json!({ "anyOf": [
                text,
                table("Its fields.", fields_of(fields), &[]),
                list_of("The first rule that holds.", table("A rule.", rule, &[])),
            ] })
        }
        Shape::Dict => json!({ "anyOf": [
            text,
            { "type": "object", "additionalProperties": { "type": "string" } },
        ] }),
        Shape::Records(fields) => entries_or_text(entries("An entry per item.", fields)),
        Shape::Refs(_) => entries_or_text(entries("An entry per item.", AssetRef::FIELDS)),
        Shape::TaskRuns => entries_or_text(json!({ "$ref": TASK_RUNS })),
        Shape::Text
        | Shape::Time
        | Shape::Flag
        | Shape::Integer(_)
        | Shape::Word(_)
        | Shape::Texts => text,
    }
}

fn entries_or_text(entries: Value) -> Value {
    json!({ "anyOf": [{ "type": "string" }, entries, { "type": "array", "items": entries }] })
}

fn entries(description: &str, fields: &'static [Field]) -> Value {
    let mut keys = vec![
        (
            "each",
            expression("What there is an entry for, each called `item`; one entry when not said."),
        ),
        (
            "let",
            expressions("Values that the fields of an entry share."),
        ),
        ("when", expression("For which items.")),
        (
            "distinct",
            expression("Of entries that are the same by this, the first is kept."),
        ),
    ];
    keys.extend(fields_of(fields));
    table(description, keys, &[])
}

#[cfg(test)]
pub(super) mod tests;
