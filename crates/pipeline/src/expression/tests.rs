use bowline_template::Scope;
use serde_json::{Value as Json, json};

use super::*;

fn scope(record: Json) -> Scope {
    Scope::new([("record", to_value(record))])
}

fn value(expression: &str, record: Json) -> Json {
    let value = Expression::compile(expression, 1)
        .unwrap()
        .evaluate(&scope(record));
    to_json(&value.unwrap_or_else(|problem| panic!("{expression}: {problem:?}")))
}

fn problem(expression: &str, record: Json) -> String {
    let problem = Expression::compile(expression, 1)
        .unwrap()
        .evaluate(&scope(record))
        .expect_err(expression);
    format!("{} ({})", problem.message, problem.hint.unwrap_or_default())
}

#[test]
fn values_keep_their_types() {
    let record =
        json!({"n": 3, "f": 1.5, "t": "x", "l": [1, null], "o": {"a": {"b": true}}, "z": null});
    assert_eq!(value("record", record.clone()), record);
    assert_eq!(value("record.n + 1", record.clone()), json!(4));
    assert_eq!(value("record.o.a.b", record.clone()), json!(true));
    assert_eq!(
        value("{'a': record.l, 'b': none}", record),
        json!({"a": [1, null], "b": null})
    );
}

#[test]
fn null_is_walked_through_and_a_missing_field_is_not() {
    let record = json!({"owner": null, "state": {"message": "m"}});
    assert_eq!(
        value("record.owner.email.domain", record.clone()),
        Json::Null
    );
    assert_eq!(value("'x' if record.owner", record.clone()), Json::Null);
    assert_eq!(
        problem("record.stat.message", record.clone()),
        "the record has no field `stat` (did you mean `state`?)"
    );
    assert!(
        problem("record.state.xyz and true", record.clone()).contains("it has `message`"),
        "{}",
        problem("record.state.xyz and true", record)
    );
}

#[test]
fn what_may_be_missing_is_said_with_default_or_defined() {
    let record = json!({"a": null});
    assert_eq!(
        value("record.b | default(none)", record.clone()),
        Json::Null
    );
    assert_eq!(value("record.a | default(7)", record.clone()), json!(7));
    assert_eq!(value("record.b is defined", record.clone()), json!(false));
    assert!(problem("record.b is defined and record.b or record.c", record).contains("`c`"));
}

#[test]
fn expressions_follow_jinja2() {
    let record = json!({"items": [1, 2], "t": null, "x": "abc", "big": u64::MAX});
    for (expression, expected) in [
        ("record.items | length", json!(2)),
        ("record.keys() | list", json!(["big", "items", "t", "x"])),
        ("record.get('y')", Json::Null),
        ("'y' in record", json!(false)),
        ("record.t | join(',')", json!("")),
        ("record.y.z | default(record.x)", json!("abc")),
        (
            "[record] | map(attribute='y', default=0) | list",
            json!([0]),
        ),
        ("[record] | selectattr('y', 'defined') | list", json!([])),
        ("record.x | default('', true) | default", json!("abc")),
        ("record.x | int", json!(0)),
        ("true ~ record.t", json!("TrueNone")),
        ("record.big", json!(u64::MAX)),
        ("record.items | map('string')", json!(["1", "2"])),
        (
            "{'n': record.items | select('odd')} | tojson",
            json!(r#"{"n":[1]}"#),
        ),
    ] {
        assert_eq!(value(expression, record.clone()), expected, "{expression}");
    }
    assert!(problem("record.t > 1", record).contains("`>` is not supported"));
}

#[test]
fn an_expression_that_works_without_end_is_stopped() {
    let endless = "range(9999) | map('center', 99999) | list";
    assert!(problem(endless, Json::Null).contains("too much work"));
}

#[test]
fn times_come_in_many_writings() {
    for (expression, time, expected) in [
        (
            "record.t | time",
            json!("2026-11-22T20:29:44+02:00"),
            json!("2026-11-22T18:29:44Z"),
        ),
        (
            "record.t | time",
            json!(1_795_373_643.29),
            json!("2026-11-22T18:54:03.29Z"),
        ),
        (
            "record.t | time('ms')",
            json!("1795373643290"),
            json!("2026-11-22T18:54:03.29Z"),
        ),
        ("record.t | time", Json::Null, Json::Null),
        (
            "record.t | epoch",
            json!("2026-11-22T18:54:03.5Z"),
            json!(1_795_373_643.5),
        ),
        (
            "record.t | epoch_ms",
            json!("2026-11-22T18:54:03.5Z"),
            json!(1_795_373_643_500_i64),
        ),
        (
            "record.t | epoch | time",
            json!("2026-11-22T18:54:03.123456Z"),
            json!("2026-11-22T18:54:03.123456Z"),
        ),
    ] {
        assert_eq!(
            value(expression, json!({"t": time})),
            expected,
            "{expression}"
        );
    }
    assert!(problem("record.t | time", json!({"t": "2026-11-22T18:00:00"})).contains("no zone"));
}

#[test]
fn times_may_say_their_zone_as_languages_do() {
    for text in [
        "2026-11-22T18:54:03Z[UTC]",
        "2026-11-22T19:54:03+01:00[Europe/Berlin]",
        "2026-11-22T19:54:03[Europe/Berlin]",
        "2026-11-22 18:54:03 UTC",
        "2026-11-22 18:54:03 +0000 UTC",
        "2026-11-22 19:54:03.000 +0100 CET",
        "2026-11-22T18:54:03 GMT",
        "2026-11-22T18:54:03.0000000000009Z",
    ] {
        let read = value("record.t | time", json!({"t": text}));
        assert_eq!(read, json!("2026-11-22T18:54:03Z"), "{text}");
    }
    for text in [
        "2026-11-22 18:54:03 CET",
        "2026-11-22 18:54:03 UTC UTC",
        "2026-11-22T18:54:03.0000000000009",
        "2026-11-22T18:54:03+01:00[Asia/Tokyo]",
    ] {
        problem("record.t | time", json!({"t": text}));
    }
}

#[test]
fn the_end_of_the_calendar_is_a_time() {
    for (expression, time) in [
        ("record.t | time", json!("9999-12-31T23:59:59Z")),
        (
            "record.t | time",
            json!("9999-12-31T00:00:00.0000000-08:00"),
        ),
        (
            "record.t | time(none, 'Asia/Tokyo')",
            json!("9999-12-31T23:59:59"),
        ),
        ("record.t | time('ms')", json!(253_402_300_799_999_i64)),
        ("record.t | time('%d.%m.%Y', 'UTC')", json!("31.12.9999")),
        ("record.t | time('%d.%m.%Y %z')", json!("31.12.9999 +0100")),
    ] {
        let read = value(expression, json!({"t": time}));
        assert_eq!(read, json!("9999-12-31T23:59:59Z"), "{expression}");
    }
    for (expression, time) in [
        ("record.t | time", json!("10000-01-01T00:00:00Z")),
        ("record.t | time('ms')", json!(253_402_300_800_000_i64)),
        ("record.t | time", json!("9999-12-31T23:59:59")),
    ] {
        problem(expression, json!({"t": time}));
    }
}

#[test]
fn what_is_no_record_has_no_fields() {
    let record = json!({"text": "a", "number": 1, "list": [1], "none": [], "flag": true});
    for expression in [
        "record.text.email",
        "record.number.email",
        "record.list.email",
        "record.flag.email",
        "record.text['email']",
    ] {
        let told = problem(expression, record.clone());
        assert!(told.contains("has no attribute `email`"), "{told}");
    }
    for expression in [
        "record.none.email",
        "record.text.email | default(none)",
        "none if record.text.email is not defined",
        "record.list[7]",
    ] {
        assert_eq!(
            value(expression, record.clone()),
            Json::Null,
            "{expression}"
        );
    }
    assert_eq!(value("record.text.upper()", record), json!("A"));
}

#[test]
fn spans_become_seconds() {
    for (span, seconds) in [
        (json!("6:00:00"), json!(21_600)),
        (json!("1 day, 0:00:00"), json!(86_400)),
        (json!("2 days, 1:02:03.5"), json!(176_523.5)),
        (json!("2.01:02:03.5000000"), json!(176_523.5)),
        (json!("01:02:03.500"), json!(3723.5)),
        (json!("-00:30:00"), json!(-1800)),
        (json!("-2.01:02:03"), json!(-176_523)),
        (json!("-1 day, 23:59:59"), json!(-1)),
        (json!("PT1M30S"), json!(90)),
        (json!("PT1M30.25S"), json!(90.25)),
        (json!("1.5"), json!(1.5)),
        (json!(3600.0), json!(3600)),
        (json!("45"), json!(45)),
        (Json::Null, Json::Null),
    ] {
        assert_eq!(
            value("record.s | duration", json!({"s": span})),
            seconds,
            "{span}"
        );
    }
    assert!(problem("record.s | duration", json!({"s": "Asset"})).contains("not a span"));
}

#[test]
fn filters_take_vendors_apart() {
    for (expression, record, expected) in [
        (
            "record.m | capture('exception: (\\w+):')",
            json!({"m": "exception: ValueError: x"}),
            json!("ValueError"),
        ),
        (
            "record.m | capture('^[a-z]+')",
            json!({"m": "abc-1"}),
            json!("abc"),
        ),
        ("record.m | capture('(q)')", json!({"m": null}), Json::Null),
        (
            "record.m is matching('^Asset')",
            json!({"m": "Asset"}),
            json!(true),
        ),
        (
            "record.t | with_prefix('owner:') | first",
            json!({"t": ["prod", "owner:a@b"]}),
            json!("a@b"),
        ),
        (
            "record.t | with_prefix('owner:') | first | default(none)",
            json!({"t": []}),
            Json::Null,
        ),
        (
            "record.t | entry('why')",
            json!({"t": [{"key": "why", "value": "demo"}]}),
            json!("demo"),
        ),
        (
            "record.t | entry('x')",
            json!({"t": [{"key": "why", "value": "demo"}]}),
            Json::Null,
        ),
        (
            "record.c | python_list",
            json!({"c": "['0 4 * * 1', \"it\\'s\"]"}),
            json!(["0 4 * * 1", "it's"]),
        ),
        (
            "record.c | python_list",
            json!({"c": "0 4 * * 1"}),
            json!(["0 4 * * 1"]),
        ),
        (
            "record.s | lookup({'STOPPED': true}, false)",
            json!({"s": "RUNNING"}),
            json!(false),
        ),
        (
            "record.p | join('/')",
            json!({"p": ["a", "b"]}),
            json!("a/b"),
        ),
        (
            "record.tasks | selectattr('down', 'containing', 'c') | map(attribute='id') | list",
            json!({"tasks": [{"id": "a", "down": ["b"]}, {"id": "b", "down": ["c"]}]}),
            json!(["b"]),
        ),
        (
            "record.l | next_link",
            json!({"l": "<http://x/1>; rel=\"prev\", <http://x/3?a=1>; rel=\"next\""}),
            json!("http://x/3?a=1"),
        ),
        (
            "[record.a, 'b'] | present",
            json!({"a": null}),
            json!(["b"]),
        ),
    ] {
        assert_eq!(value(expression, record), expected, "{expression}");
    }
}

#[test]
fn an_unknown_filter_is_told_before_it_is_reached() {
    let problem = |text: &str| Expression::compile(text, 1).err();
    let told = problem("1 if true else record.b | durationn").unwrap();
    assert_eq!(told.message, "unknown filter `durationn`");
    assert_eq!(told.hint.unwrap(), "did you mean `duration`?");
    assert!(problem("record.b | map('capture', 'a|nofilter') | list").is_none());
}

#[test]
fn templates_keep_types_alone_and_become_text_within_text() {
    let scope = scope(json!({"n": 3, "id": "a/b +", "z": null}));
    let of = |text: &str| {
        Template::compile(text, 1)
            .unwrap()
            .evaluate(&scope)
            .unwrap()
    };
    assert_eq!(of("{{ record.n }}"), json!(3));
    assert_eq!(of("n={{ record.n }}!"), json!("n=3!"));
    assert_eq!(of("plain"), json!("plain"));
    assert_eq!(of("{{ {'a': {'b': record.n}} }}"), json!({"a": {"b": 3}}));
    let path = Template::compile("/x/{{ record.id }}/~", 1).unwrap();
    assert_eq!(path.text(&scope).unwrap(), "/x/a/b +/~");
    assert_eq!(path.path(&scope).unwrap(), "/x/a%2Fb%20%2B/~");
    assert!(
        Template::compile("/x/{{ record.z }}", 1)
            .unwrap()
            .evaluate(&scope)
            .is_err()
    );
    assert!(Template::compile("{{ record.n", 1).is_err());
    assert!(Template::compile("{% if x %}", 1).is_err());
}

#[test]
fn digits_that_a_pattern_fits_are_no_seconds() {
    for (digits, pattern, at) in [
        (json!(20261130), "%Y%m%d", "2026-11-30T00:00:00Z"),
        (json!(20261130.0), "%Y%m%d", "2026-11-30T00:00:00Z"),
        (
            json!(20261130010203_i64),
            "%Y%m%d%H%M%S",
            "2026-11-30T01:02:03Z",
        ),
        (json!(2026334), "%Y%j", "2026-11-30T00:00:00Z"),
        (json!(1796000000), "%s", "2026-11-30T00:53:20Z"),
    ] {
        let expression = format!("record.t | time('{pattern}', 'UTC')");
        assert_eq!(
            value(&expression, json!({ "t": digits })),
            json!(at),
            "{pattern}"
        );
    }
    assert_eq!(
        value("record.t | time", json!({"t": 1796000000})),
        json!("2026-11-30T00:53:20Z")
    );
}

#[test]
fn spaces_that_break_no_line_are_spaces() {
    let record = json!({"t": "Nov 30, 2026 1:02:03\u{202f}AM", "u": "2026-11-30\u{a0}01:02:03Z"});
    assert_eq!(
        value(
            "record.t | time('%b %d, %Y %I:%M:%S %p', 'UTC')",
            record.clone()
        ),
        json!("2026-11-30T01:02:03Z")
    );
    assert_eq!(
        value("record.u | time", record),
        json!("2026-11-30T01:02:03Z")
    );
}

#[test]
fn a_time_that_counts_something_else_is_told_with_what() {
    let told = problem("record.t | time", json!({"t": 1796000000000_i64}));
    assert!(told.contains("write `| time('ms')`"), "{told}");
}

#[test]
fn a_record_has_no_items() {
    let record = json!({"items": [{"id": 1}], "none": []});
    assert_eq!(
        problem("record[0].items", record.clone()),
        "the record is no list, and has no item 0 (leave the number out, or name a field that is a list)"
    );
    assert_eq!(value("record['items'][0].id", record.clone()), json!(1));
    assert_eq!(value("record.none[0].id", record), Json::Null);
}

#[test]
fn the_domain_of_an_address_is_what_no_record_changes() {
    let domain = |text: &str| Template::compile(text, 1).unwrap().domain();
    for (text, found) in [
        (
            "https://{{ parent.a }}.API.example.com/x",
            Some(".api.example.com"),
        ),
        (
            "https://{{ parent.a }}-ai.example.com:8443/",
            Some("-ai.example.com"),
        ),
        ("https://{{ parent.a }}.example.com", Some(".example.com")),
        (
            "{{ parent.scheme }}://{{ parent.a }}.example.com/",
            Some(".example.com"),
        ),
        ("https://{{ parent.a }}.com/", None),
        ("https://{{ parent.a }}/x.example.com/", None),
        ("https://api.example.com{{ parent.a }}", None),
        ("{{ parent.url }}", None),
    ] {
        assert_eq!(domain(text).as_deref(), found, "{text}");
    }
}

#[test]
fn json_within_a_text_is_read() {
    let record = json!({"t": "{\"errorCode\": \"E1\", \"n\": 18446744073709551615}", "e": " ", "z": null, "o": {}, "b": "eyJhIjogWzFdfQ=="});
    assert_eq!(
        value("(record.t | fromjson).errorCode", record.clone()),
        json!("E1")
    );
    assert_eq!(
        value("(record.t | fromjson).n", record.clone()),
        json!(18_446_744_073_709_551_615_u64)
    );
    assert_eq!(
        value("(record.b | b64decode | fromjson).a", record.clone()),
        json!([1])
    );
    for nothing in ["record.e | fromjson", "record.z | fromjson"] {
        assert_eq!(value(nothing, record.clone()), Json::Null);
    }
    let missing = problem("(record.t | fromjson).errorcode", record.clone());
    assert!(missing.contains("did you mean `errorCode`?"), "{missing}");
    assert!(problem("record.o | fromjson", record.clone()).contains("reads a text"));
    assert!(problem("'{x' | fromjson", record).contains("it is no JSON"));
    for name in ["from_json", "loads", "parse_json", "json", "parseJson"] {
        let problem = Expression::compile(&format!("record.t | {name}"), 1).unwrap_err();
        let hint = problem.hint.unwrap_or_default();
        assert_eq!(hint, "it is called `fromjson` here", "{name}");
    }
}

#[test]
fn an_empty_text_is_no_time() {
    let told = problem("record.t | time('ms')", json!({"t": ""}));
    assert!(told.starts_with("the text is empty, and no time"), "{told}");
}
