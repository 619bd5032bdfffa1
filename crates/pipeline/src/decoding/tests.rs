use bowline_template::Value;
use serde_json::{Value as Json, json};

use super::*;
use crate::expression::to_json;

const ROOM: u64 = 1 << 20;

fn read_typed(
    bytes: &[u8],
    kind: &str,
    format: BodyFormat,
) -> (Result<Value, DecodeError>, Vec<String>) {
    let oddities = Oddities::default();
    let value = decode(bytes, Some(kind), format, Budget::new(ROOM), &oddities);
    (value, oddities.take())
}

fn read(bytes: &[u8], format: BodyFormat) -> (Json, Vec<String>) {
    let (value, notes) = read_typed(bytes, "application/json", format);
    (to_json(&value.unwrap()), notes)
}

fn reason(text: &str, format: BodyFormat) -> String {
    match read_typed(text.as_bytes(), "application/json", format).0 {
        Err(DecodeError::Malformed(reason) | DecodeError::Ended(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

const CSV: BodyFormat = BodyFormat::Csv { delimiter: b',' };

#[test]
fn json_is_read_as_it_is_written() {
    let text = r#" {"b": [1, -2, 2.5, true, null, {}], "a": "x\u00e4\ud83d\ude00", "b2": []} "#;
    let (value, notes) = read(text.as_bytes(), BodyFormat::Json);
    assert_eq!(
        value,
        json!({"a": "xä😀", "b": [1, -2, 2.5, true, null, {}], "b2": []})
    );
    assert!(notes.is_empty());
}

#[test]
fn whole_numbers_of_any_size_keep_every_digit() {
    let text =
        "[9223372036854775807, 18446744073709551617, -340282366920938463463374607431768211457]";
    let (value, _) = read_typed(text.as_bytes(), "application/json", BodyFormat::Json);
    assert_eq!(value.unwrap().to_string(), text);
}

#[test]
fn what_is_no_json_is_told_with_its_place() {
    assert_eq!(
        reason("{\"a\": 1,\n \"b\" 2}", BodyFormat::Json),
        "expected `:` at 2:6"
    );
    for text in ["", "{", "[1", "{} {}", "<html>", "[1,]", "{'a': 1}"] {
        assert!(!reason(text, BodyFormat::Json).is_empty(), "{text}");
    }
    let deep = "[".repeat(100_000);
    assert_eq!(reason(&deep, BodyFormat::Json), "nested more than 128 deep");
}

#[test]
fn what_is_nested_too_deep_is_kept_as_text() {
    let deep = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    let nested = |text: &str| {
        let (value, notes) = read(text.as_bytes(), BodyFormat::Json);
        (value["runs"][0].clone(), notes)
    };
    let blob = format!("{{\"a\": \"]\\\"[\", \"b\": {}}}", deep(60_000));
    for (config, is_flat) in [(deep(125), false), (deep(126), true), (blob, true)] {
        let (run, notes) = nested(&format!(
            "{{\"runs\": [{{\"id\": 7, \"config\": {config}}}]}}"
        ));
        assert_eq!(run["id"], 7);
        let expected: &[&str] = if is_flat {
            &["1 answer nested more than 128 deep, of which what lies deeper was kept as text"]
        } else {
            &[]
        };
        assert_eq!(notes, expected);
    }
    let (run, _) = nested(&format!("{{\"runs\": [{{\"config\": {}}}]}}", deep(200)));
    let mut config = &run["config"];
    while let Some(inner) = config.get(0) {
        config = inner;
    }
    assert_eq!(config, &json!(deep(200 - 125)));
}

#[test]
fn what_vendors_do_wrong_is_put_up_with_and_counted() {
    let expected = json!({"name": "Jürgen"});
    for (bytes, kind, note) in [
        (
            &b"\xef\xbb\xbf{\"name\": \"J\xc3\xbcrgen\"}"[..],
            "application/json",
            Some("byte order mark"),
        ),
        (
            b"{\"name\": \"J\xfcrgen\"}",
            "application/json",
            Some("not in UTF-8"),
        ),
        (
            b"{\"name\": \"J\xfcrgen\"}",
            "application/json; charset=ISO-8859-1",
            Some("not in UTF-8"),
        ),
        (
            b"{\"name\": \"J\x81rgen\"}",
            "application/json; charset=cp437",
            Some("not in UTF-8"),
        ),
        // UTF-8 that calls itself otherwise is UTF-8.
        (
            b"{\"name\": \"J\xc3\xbcrgen\"}",
            "application/json; charset=iso-8859-1",
            None,
        ),
    ] {
        let (value, notes) = read_typed(bytes, kind, BodyFormat::Json);
        assert_eq!(notes.len(), usize::from(note.is_some()), "{notes:?}");
        assert!(note.is_none_or(|note| notes[0].contains(note)), "{notes:?}");
        if !kind.contains("cp437") {
            assert_eq!(to_json(&value.unwrap()), expected, "{kind}");
        }
    }
    let wide: Vec<u8> = "\u{feff}{\"name\": \"Jürgen\"}"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(read(&wide, BodyFormat::Json).0, expected);
}

#[test]
fn half_a_surrogate_pair_costs_one_character() {
    let (value, notes) = read(
        br#"["\ud83d", "\ude00x", "\\ud83d", "\ud83d\ude00", "\uD83D\u0041", "\\\ud83d"]"#,
        BodyFormat::Json,
    );
    assert_eq!(
        value,
        json!([
            "\u{fffd}",
            "\u{fffd}x",
            "\\ud83d",
            "😀",
            "\u{fffd}A",
            "\\\u{fffd}"
        ])
    );
    assert_eq!(
        notes,
        ["1 answer with half a surrogate pair, of which U+FFFD was made"]
    );
}

#[test]
fn what_is_no_number_is_null() {
    let (value, notes) = read(br#"[NaN, -Infinity, 1]"#, BodyFormat::Json);
    assert_eq!(value, json!([null, null, 1]));
    assert_eq!(notes.len(), 1);
}

#[test]
fn control_characters_in_texts_are_put_up_with() {
    let json = b"{\"log\": \"a\nb\tc \\\" \x01\", \"n\":\n[1]}";
    let (value, notes) = read(json, BodyFormat::Json);
    assert_eq!(value, json!({"log": "a\nb\tc \" \u{1}", "n": [1]}));
    assert_eq!(
        notes,
        ["1 answer with control characters in a text that are not escaped"]
    );
    let (value, _) = read(b"{\"log\": \"a\nb\"}\n{\"log\": 2}", BodyFormat::JsonLines);
    assert_eq!(value, json!([{"log": "a\nb"}, {"log": 2}]));
    let deep = format!("[\"a\nb\", {}{}]", "[".repeat(200), "]".repeat(200));
    let (value, notes) = read(deep.as_bytes(), BodyFormat::Json);
    assert_eq!(value[0], "a\nb");
    assert_eq!(notes.len(), 2);
    for text in ["[\"a\\\nb\"]", "[1,\x01 2]", "[\"a\n"] {
        assert!(!reason(text, BodyFormat::Json).is_empty(), "{text}");
    }
}

#[test]
fn of_fields_that_are_named_alike_the_last_counts_and_that_is_told() {
    let (value, notes) = read(br#"{"items": [1], "a": {}, "items": []}"#, BodyFormat::Json);
    assert_eq!(value, json!({"items": [], "a": {}}));
    assert_eq!(
        notes,
        ["1 answer with a field twice in one record, of which the last counts"]
    );
    let (_, notes) = read(br#"[{"a": 1, "b": {}}, {"a": 1}]"#, BodyFormat::Json);
    assert!(notes.is_empty());
}

#[test]
fn small_answers_that_are_large_in_memory_are_refused() {
    for item in ["[]", "{}", "0", r#"{"id":"1"}"#, r#"[[[[]]]]"#, r#""""#] {
        let many = vec![item; 100_000].join(",");
        let (value, _) = read_typed(
            format!("{{\"items\":[{many}]}}").as_bytes(),
            "application/json",
            BodyFormat::Json,
        );
        assert_eq!(value.err(), Some(DecodeError::TooLarge), "{item}");
        let lines = vec![item; 100_000].join("\n");
        let (value, _) = read_typed(lines.as_bytes(), "", BodyFormat::JsonLines);
        assert_eq!(value.err(), Some(DecodeError::TooLarge), "{item}");
    }
    let rows = format!("a,b\n{}", "1,\n".repeat(100_000));
    let (value, _) = read_typed(rows.as_bytes(), "", CSV);
    assert_eq!(value.err(), Some(DecodeError::TooLarge));
    let elements = format!("<a>{}</a>", "<b/>".repeat(100_000));
    let (value, _) = read_typed(elements.as_bytes(), "", BodyFormat::Xml);
    assert_eq!(value.err(), Some(DecodeError::TooLarge));
}

#[test]
fn lines_are_values_one_behind_the_other() {
    let (value, _) = read(b"{\"a\": 1}\r\n\n{\"a\":\n 2} [3]\n", BodyFormat::JsonLines);
    assert_eq!(value, json!([{"a": 1}, {"a": 2}, [3]]));
    assert_eq!(read(b"", BodyFormat::JsonLines).0, json!([]));
    assert!(!reason("{\"a\": 1}\n{\"a\":", BodyFormat::JsonLines).is_empty());
}

#[test]
fn separated_values_are_records_of_texts() {
    let text =
        b"\xef\xbb\xbfid,name,note\r\n1,\"Doe, Ann\",\"two\nlines\"\r\n2,,\"say \"\"hi\"\"\"\r\n";
    assert_eq!(
        read(text, CSV).0,
        json!([
            {"id": "1", "name": "Doe, Ann", "note": "two\nlines"},
            {"id": "2", "name": "", "note": "say \"hi\""},
        ])
    );
    assert_eq!(
        read(b"id;x\n1;2\n", BodyFormat::Csv { delimiter: b';' }).0,
        json!([{"id": "1", "x": "2"}])
    );
    assert_eq!(read(b"id,x\n", CSV).0, json!([]));
    assert!(
        reason("a,b\n1\n", CSV).contains("1 fields"),
        "{}",
        reason("a,b\n1\n", CSV)
    );
    assert_eq!(reason("a,a\n1,2\n", CSV), "the first line names `a` twice");
}

#[test]
fn elements_are_records() {
    let text = r#"<?xml version="1.0"?>
        <ns:jobs xmlns:ns="urn:x" total="2">
          <job id="1"><name>A &amp; B &#228;</name><paused/></job>
          <job id="2"><name><![CDATA[<C>]]></name> text </job>
          <!-- nothing -->
          <only><job>1</job></only>
        </ns:jobs>"#;
    assert_eq!(
        read(text.as_bytes(), BodyFormat::Xml).0,
        json!({"jobs": {
            "@total": "2",
            "job": [
                {"@id": "1", "name": "A & B ä", "paused": null},
                {"@id": "2", "name": "<C>", "#text": "text"},
            ],
            "only": {"job": "1"},
        }})
    );
    for text in [
        "",
        "<a>",
        "<a></b>",
        "<a>&bomb;</a>",
        "text",
        "</a>",
        "<a/>text",
        "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
    ] {
        assert!(!reason(text, BodyFormat::Xml).is_empty(), "{text}");
    }
    assert_eq!(
        reason(&"<a>".repeat(1000), BodyFormat::Xml),
        "nested more than 128 deep"
    );
}

#[test]
fn text_is_text() {
    assert_eq!(read(b"abc.def\n", BodyFormat::Text).0, json!("abc.def\n"));
}
