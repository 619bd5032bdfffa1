use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use super::*;

fn redact(secret: &str, text: &str) -> String {
    Redactor::new([secret.to_owned()]).redact(text)
}

#[test]
fn a_secret_is_masked_in_every_writing() {
    let secret = "p@ss \"w'ö/rd\\1";
    let base64 = |text: &str| STANDARD_NO_PAD.encode(text);
    for written in [
        secret.to_owned(),
        "p%40ss%20%22w%27%C3%B6%2Frd%5C1".to_owned(),
        "p%40ss%20%22w%27%c3%b6%2frd%5c1".to_owned(),
        "p%40ss+%22w%27%C3%B6%2Frd%5C1".to_owned(),
        "p@ss \\\"w'ö/rd\\\\1".to_owned(),
        "p@ss \\\"w'\\u00f6/rd\\\\1".to_owned(),
        "p@ss \"w''ö/rd\\1".to_owned(),
    ] {
        assert_eq!(
            redact(secret, &format!("login failed: <{written}> refused")),
            "login failed: <***> refused",
            "{written}"
        );
    }
    for user in ["", "u", "us", "someone"] {
        let header = base64(&format!("{user}:{secret}!tail"));
        let masked = redact(secret, &header);
        assert!(masked.contains(MASK), "{header} became {masked}");
        // What is left on either side of the mask is less than a group of three bytes of the secret.
        let left = masked.replace(MASK, "");
        assert!(left.len() <= base64(&format!("{user}:")).len() + 2 + base64("!tail").len() + 2);
    }
}

#[test]
fn secrets_that_overlap_or_touch_leave_nothing() {
    let redactor = Redactor::new(["abcdef".to_owned(), "defghi".to_owned(), "abcd".to_owned()]);
    assert_eq!(redactor.redact("x abcdefghi y"), "x *** y");
    assert_eq!(redactor.redact("abcdabcd"), "***");
    assert_eq!(redact("aaaa", "aaaaaa b"), "*** b");
}

#[test]
fn each_line_of_a_private_key_is_masked() {
    let key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----\n";
    assert_eq!(
        redact(key, "bad key near kqhkiG9w0BAQEFAASC, line 2"),
        "bad key near ***, line 2"
    );
    assert_eq!(
        redact(key, "-----BEGIN PRIVATE KEY-----"),
        "-----BEGIN PRIVATE KEY-----"
    );
}

#[test]
fn each_long_piece_of_an_address_is_masked() {
    assert_eq!(
        redact(
            "hunter2hunter2/x@y",
            "invalid port: \"hunter2hunter2\", no host \"y\""
        ),
        "invalid port: \"***\", no host \"y\""
    );
}

#[test]
fn a_secret_that_is_shown_anyway_is_masked_only_where_a_password_is_written() {
    let redactor = Redactor::beside(["shop".to_owned(), "sho1".to_owned()], "shop");
    assert_eq!(
        redactor.redact("connectors/shop/x.json: pg://ann:shop@db/sho1, password=shop"),
        "connectors/shop/x.json: pg://ann:***@db/***, password=***"
    );
    // A part of it is a secret as any other.
    let redactor = Redactor::beside(["shop".to_owned()], "shop_eu");
    assert_eq!(redactor.redact("login by shop"), "login by ***");
}

#[test]
fn a_short_secret_is_masked_only_where_a_password_is_written() {
    for (text, expected) in [
        ("password=abc host=abc", "password=*** host=abc"),
        ("PASSWORD = 'abc'", "PASSWORD = '***'"),
        ("{\"api_token\": \"abc\"}", "{\"api_token\": \"***\"}"),
        (
            "postgresql://me:abc@db:5432/abc",
            "postgresql://me:***@db:5432/abc",
        ),
        ("no such table: abc", "no such table: abc"),
        ("password=abcd", "password=abcd"),
        ("the password: abc.", "the password: ***."),
        ("user:abc", "user:abc"),
    ] {
        assert_eq!(redact("abc", text), expected);
    }
    assert_eq!(redact("", "nothing to hide"), "nothing to hide");
    assert_eq!(redact("  ", "a  b"), "a  b");
}

#[test]
fn debug_shows_no_secret() {
    let redactor = Redactor::new(["hunter22".to_owned(), "ab".to_owned()]);
    assert_eq!(format!("{redactor:?}"), "Redactor(2 secrets)");
}

/// What libraries make of a text: the standard library's of Python, JavaScript, Java, Go and PHP, shells, and databases.
fn writings(secret: &str) -> Vec<String> {
    let bytes = secret.as_bytes();
    let each =
        |write: &dyn Fn(u8) -> String| bytes.iter().map(|byte| write(*byte)).collect::<String>();
    let safe = |kept: &'static str| {
        move |byte: u8| {
            if byte.is_ascii_alphanumeric() || kept.as_bytes().contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        }
    };
    let json = |text: &str| {
        let quoted = serde_json::Value::from(text).to_string();
        quoted[1..quoted.len() - 1].to_owned()
    };
    let unicode: String = secret
        .encode_utf16()
        .map(|unit| format!("\\u{unit:04x}"))
        .collect();
    let ascii_json: String = json(secret)
        .chars()
        .map(|c| match c {
            c if c.is_ascii() => c.to_string(),
            c => c
                .encode_utf16(&mut [0; 2])
                .iter()
                .map(|unit| format!("\\u{unit:04x}"))
                .collect(),
        })
        .collect();
    let html: String = secret
        .chars()
        .map(|c| match c {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            '"' => "&quot;".to_owned(),
            '\'' => "&#x27;".to_owned(),
            c => c.to_string(),
        })
        .collect();
    let repr_bytes = each(&|byte| match byte {
        b'\\' => "\\\\".to_owned(),
        b'\'' => "\\'".to_owned(),
        0x20..0x7f => char::from(byte).to_string(),
        _ => format!("\\x{byte:02x}"),
    });
    let octal = each(&|byte| match byte {
        0x20..0x7f => char::from(byte).to_string(),
        _ => format!("\\{byte:03o}"),
    });
    let shell: String = secret
        .chars()
        .map(|c| match c {
            c if c.is_alphanumeric() => c.to_string(),
            c => format!("\\{c}"),
        })
        .collect();
    let printable = each(&|byte| match byte {
        b'!'..=b'<' | b'>'..=b'~' => char::from(byte).to_string(),
        _ => format!("={byte:02X}"),
    });
    let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
    let latin: String = secret
        .chars()
        .map(|c| match u8::try_from(u32::from(c)) {
            Ok(byte) if byte.is_ascii_alphanumeric() => c.to_string(),
            Ok(byte) => format!("%{byte:02X}"),
            Err(_) => c.to_string(),
        })
        .collect();
    let nfd: String = unicode_normalization::UnicodeNormalization::nfd(secret).collect();
    let quoted = each(&safe("_.-~"));
    vec![
        secret.to_owned(),
        quoted.clone(),
        each(&safe("_.-~/")),
        quoted.to_lowercase(),
        quoted.replace("%20", "+"),
        each(&safe("-_.!~*'()")),
        each(&|byte| format!("%{byte:02X}")),
        each(&safe("")).replace('%', "%25"),
        html.clone(),
        html.replace('&', "&amp;"),
        html.replace('&', "\\u0026"),
        secret
            .chars()
            .map(|c| format!("&#{};", u32::from(c)))
            .collect(),
        secret
            .chars()
            .map(|c| format!("&#x{:X};", u32::from(c)))
            .collect(),
        json(secret),
        json(&json(secret)),
        json(&json(&json(secret))),
        json(secret).replace('/', "\\/"),
        ascii_json.clone(),
        json(&ascii_json),
        unicode,
        secret
            .chars()
            .map(|c| format!("\\u{{{:x}}}", u32::from(c)))
            .collect(),
        secret
            .chars()
            .map(|c| format!("\\U{:08x}", u32::from(c)))
            .collect(),
        repr_bytes.clone(),
        json(&repr_bytes),
        octal,
        secret.replace('\'', "'\\''"),
        secret.replace('\'', "'\"'\"'"),
        json(&secret.replace('\'', "'\"'\"'")),
        shell,
        secret.replace('\'', "''"),
        secret.replace('"', "\"\""),
        secret.replace('%', "%%"),
        printable,
        latin,
        each(&|byte| char::from(byte).to_string()),
        nfd.clone(),
        nfd.bytes().map(|byte| safe("")(byte)).collect(),
        secret
            .chars()
            .map(|c| if c.is_ascii() { c } else { '?' })
            .collect(),
        secret
            .chars()
            .map(|c| if c.is_ascii() { c } else { '\u{fffd}' })
            .collect(),
        secret.to_uppercase(),
        secret.to_lowercase(),
        each(&|byte| format!("{byte:02x}")),
        each(&|byte| format!("{byte:02X}")),
        each(&|byte| format!("{byte:02x}:")),
        each(&|byte| format!("{byte:02x} ")),
        numbers.join(", "),
        numbers.join(","),
        STANDARD.encode(bytes),
        STANDARD
            .encode(bytes)
            .replace('+', "%2B")
            .replace('/', "%2F"),
        STANDARD.encode(bytes).replace('/', "\\/"),
        STANDARD_NO_PAD.encode(bytes),
    ]
}

#[test]
fn no_writing_of_a_library_shows_a_secret() {
    for secret in [
        "hunter2/Sea&gull",
        "pä\u{df}wörd \"x'y\" 100%<b>",
        "back\\slash'quote",
        "p@ss:w/rd?#1",
        "日本語のパスワード",
        "emoji🔑key+plus",
        "plainsecret",
        "Z3-x",
    ] {
        let redactor = Redactor::new([secret.to_owned()]);
        for written in writings(secret) {
            // Short ones that lost what tells them are no secret any more.
            if secret.is_ascii() || !written.chars().all(|c| c == '?' || c == '\u{fffd}') {
                let masked = redactor.redact(&format!("got <{written}> there"));
                let left = masked
                    .trim_end_matches(" there")
                    .trim_end_matches(['>', '=', ':', ' ']);
                assert_eq!(left, "got <***", "{secret}: {written}: {masked}");
                assert_eq!(redactor.find(&format!("got <{written}>")), Some(5));
            }
        }
    }
}

#[test]
fn half_a_secret_is_masked_wherever_it_was_cut_off() {
    let secret = "tok-48fj3kd9sl2mz8qp";
    for (text, expected) in [
        ("bad token tok-48fj3kd9...", "bad token ***..."),
        ("...fj3kd9sl2mz8 is bad", "...*** is bad"),
        ("ends in 9sl2mz8qp", "ends in 9sl2mz8qp"),
        ("ends in d9sl2mz8qp", "ends in ***"),
        ("?token=tok-48fj3k%64%39sl2", "?token=***"),
        ("tok-48", "tok-48"),
    ] {
        assert_eq!(redact(secret, text), expected);
    }
}

#[test]
fn an_address_that_begins_like_a_secret_one_is_none() {
    let secret = "http://127.0.0.1:4711/hooks/4f8a9d0c2b";
    assert_eq!(
        redact(secret, "listening at http://127.0.0.1:4000"),
        "listening at http://127.0.0.1:4000"
    );
    assert_eq!(
        redact(secret, "POST http://127.0.0.1:4711/hooks/4f8a9d0c2b"),
        "POST ***"
    );
    assert_eq!(redact(secret, "no hook 4f8a9d0c2b"), "no hook ***");
}

#[test]
fn base64_is_found_over_line_breaks() {
    let secret = "a secret that is so long that base64 is broken into lines of its own";
    let encoded = STANDARD.encode(format!("user:{secret}"));
    for lines in ["\n", "\r\n", "\\n"] {
        let mut wrapped = String::new();
        for (index, letter) in encoded.chars().enumerate() {
            if index > 0 && index % 20 == 0 {
                wrapped.push_str(lines);
            }
            wrapped.push(letter);
        }
        let masked = redact(secret, &wrapped);
        assert!(masked.len() < 20, "{masked}");
    }
}

#[test]
fn what_only_resembles_a_secret_stays() {
    let secret = "export/daily-42";
    for text in [
        "export daily",
        "the export of daily-4",
        "100% of it",
        "a\\b & c",
    ] {
        assert_eq!(redact(secret, text), text);
    }
}
