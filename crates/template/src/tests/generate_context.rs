//! Makes the values up that templates are given.

use serde_json::{Map, Value as Json, json};

use super::generate::Generator;
use super::generate_text::Kind;

/// Texts with something to trip over.
pub(super) const TEXTS: &[&str] = &[
    "",
    "a",
    "abc",
    "Hello World",
    "it's",
    "say \"hi\"",
    "both ' and \"",
    "tab\there",
    "line\nbreak",
    "back\\slash",
    "äöü",
    "ÀÉ",
    "日本語",
    "naïve café",
    "🎉 party",
    "  padded  ",
    "%d percent",
    "{braces}",
    "x,y,,z",
    "one two  three",
    "-42",
    "+7",
    "3.14",
    "1e3",
    "0x1f",
    "12_000",
    "inf",
    "UPPER",
    "foo-bar baz",
    "<b>&amp;</b>",
    "a/b?c=d",
    "\u{a0}nbsp",
    "ß",
    "null\u{1}",
    "ab ab ab",
    "a.b.c",
];

/// A value for a context.
fn context_value(generator: &mut Generator, kind: Kind, depth: usize) -> Json {
    let inner = |generator: &mut Generator| {
        let kinds = [
            Kind::Int,
            Kind::Text,
            Kind::Float,
            Kind::Bool,
            Kind::None,
            Kind::List,
        ];
        let kind = kinds[generator.below(if depth > 1 { 5 } else { 6 })];
        context_value(generator, kind, depth + 1)
    };
    match kind {
        Kind::Text => json!(generator.pick(TEXTS)),
        Kind::Int => {
            let small = i64::try_from(generator.below(21)).unwrap_or(0) - 10;
            let large = [i64::MAX, i64::MIN, 1 << 53, 255, 256, 1_000_000, -1000];
            json!(if generator.chance(80) {
                small
            } else {
                large[generator.below(large.len())]
            })
        }
        Kind::Float => {
            let choices = [
                "0.0",
                "-0.0",
                "0.5",
                "1.5",
                "2.5",
                "-2.5",
                "3.14159",
                "1e16",
                "1e-5",
                "123456789.123",
                "2.675",
                "1e300",
                "5e-324",
                "inf",
                "-inf",
                "nan",
                "0.1",
                "100.0",
                "-7.25",
            ];
            json!({ "$float": generator.pick(&choices) })
        }
        Kind::Bool => json!(generator.chance(50)),
        Kind::None => Json::Null,
        Kind::List => Json::Array((0..generator.below(5)).map(|_| inner(generator)).collect()),
        Kind::Tuple => {
            let items: Vec<Json> = (0..generator.below(4)).map(|_| inner(generator)).collect();
            json!({ "$tuple": items })
        }
        Kind::Texts => {
            let count = generator.below(5);
            Json::Array((0..count).map(|_| json!(generator.pick(TEXTS))).collect())
        }
        Kind::Ints => {
            let count = generator.below(6);
            Json::Array(
                (0..count)
                    .map(|_| context_value(generator, Kind::Int, depth))
                    .collect(),
            )
        }
        Kind::Dict => {
            let mut entries = Map::new();
            for _ in 0..generator.below(4) {
                let key = generator.pick(&["a", "b", "B", "items", "key with space", "0", "x"]);
                entries.insert(key.to_owned(), inner(generator));
            }
            Json::Object(entries)
        }
        Kind::Rows => {
            let count = generator.below(5);
            Json::Array(
                (0..count)
                    .map(|_| {
                        let name = generator.pick(&["x", "y", "X", "zed"]);
                        let size = generator.below(4);
                        json!({ "name": name, "size": size, "inner": { "deep": size * 2 } })
                    })
                    .collect(),
            )
        }
        Kind::Date => {
            json!({ "$date": generator.pick(&["2024-02-29", "1999-12-31", "2021-01-03", "9999-12-31", "1000-01-01"]) })
        }
        Kind::DateTime => json!({ "$datetime": generator.pick(&[
            "2024-02-29T00:00:00", "1999-12-31T23:59:59.999999", "2021-01-03T04:05:06.070000",
            "2024-03-31T02:30:00", "1970-01-01T00:00:00", "2024-12-30T12:00:00.000001",
        ]) }),
        Kind::Zoned => json!({ "$zoned": generator.pick(&[
            "2024-02-29T12:34:56.789000+00:00[UTC]", "2024-07-01T00:00:00+02:00[Europe/Paris]",
            "2024-10-27T02:30:00+01:00[Europe/Paris]", "2024-10-27T02:30:00+02:00[Europe/Paris]",
            "2024-01-01T00:00:00-05:00[America/New_York]", "2024-05-05T05:05:05+05:30[Asia/Kolkata]",
            "2024-01-01T00:00:00+03:30[+03:30]", "1995-06-15T08:00:00-08:00[-08:00]",
        ]) }),
    }
}

/// The variables of every generated context.
pub(super) const VARIABLES: &[(&str, Kind)] = &[
    ("t", Kind::Text),
    ("s", Kind::Text),
    ("i", Kind::Int),
    ("j", Kind::Int),
    ("f", Kind::Float),
    ("ok", Kind::Bool),
    ("nothing", Kind::None),
    ("xs", Kind::List),
    ("pair", Kind::Tuple),
    ("words", Kind::Texts),
    ("numbers", Kind::Ints),
    ("d", Kind::Dict),
    ("rows", Kind::Rows),
    ("day", Kind::Date),
    ("at", Kind::DateTime),
    ("at2", Kind::DateTime),
    ("zoned", Kind::Zoned),
    ("zoned2", Kind::Zoned),
];

/// A context with all variables.
pub(super) fn context(generator: &mut Generator) -> Json {
    let mut context = Map::new();
    for (name, kind) in VARIABLES {
        context.insert((*name).to_owned(), context_value(generator, *kind, 0));
    }
    Json::Object(context)
}
