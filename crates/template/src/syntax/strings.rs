//! The escapes of string literals.

use crate::python::fault::{Outcome, runtime, unsupported};

/// The text between the quotes of a literal with its escapes carried out.
pub(super) fn unescape(literal: &str) -> Outcome<String> {
    let mut out = String::with_capacity(literal.len());
    let mut rest = literal;
    while let Some(place) = rest.find('\\') {
        out.push_str(&rest[..place]);
        rest = escape(&rest[place + 1..], &mut out)?;
    }
    out.push_str(rest);
    Ok(out)
}

/// Carries out the escape that follows a backslash; gives what comes after it.
fn escape<'t>(text: &'t str, out: &mut String) -> Outcome<&'t str> {
    let Some(letter) = text.chars().next() else {
        return runtime("a string that ends in a backslash");
    };
    let rest = &text[letter.len_utf8()..];
    let plain = match letter {
        '\n' => return Ok(rest),
        '\\' | '\'' | '"' => letter,
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        'x' => return hexadecimal(rest, 2, out),
        'u' => return hexadecimal(rest, 4, out),
        'U' => return hexadecimal(rest, 8, out),
        '0'..='7' => {
            let length = text
                .bytes()
                .take(3)
                .take_while(|byte| (b'0'..=b'7').contains(byte))
                .count();
            let code = u32::from_str_radix(&text[..length], 8).unwrap_or(0);
            out.extend(char::from_u32(code));
            return Ok(&text[length..]);
        }
        'N' => return unsupported("characters by name (`\\N{...}`) in a string"),
        _ if letter.is_ascii() => {
            out.push('\\');
            letter
        }
        _ => {
            // Jinja2 spells other scripts as escapes first, so that this backslash escapes that one.
            let mut spelled = String::new();
            crate::python::form::write_escape(letter, &mut spelled);
            out.push_str(&spelled);
            return Ok(rest);
        }
    };
    out.push(plain);
    Ok(rest)
}

fn hexadecimal<'t>(text: &'t str, length: usize, out: &mut String) -> Outcome<&'t str> {
    let digits = text
        .get(..length)
        .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let Some(code) = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) else {
        return runtime("an escape in a string that is cut off");
    };
    match char::from_u32(code) {
        Some(c) => out.push(c),
        None if (0xd800..0xe000).contains(&code) => {
            return unsupported("half of a surrogate pair in a string");
        }
        None => return runtime("an escape in a string that is no character"),
    }
    Ok(&text[length..])
}
