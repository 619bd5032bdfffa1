//! Character classes and the escapes that mean sets of characters.

use super::PatternError;
use super::translate::{Flags, Source, fault};

/// The characters of Python's `\d`, `\w` or `\s`, as the inside of a class.
pub(super) fn members(letter: char, flags: Flags) -> Option<&'static str> {
    Some(match (letter.to_ascii_lowercase(), flags.ascii) {
        ('d', false) => r"\p{Nd}",
        ('d', true) => "0-9",
        ('w', false) => r"\p{L}\p{N}_",
        ('w', true) => "a-zA-Z0-9_",
        ('s', false) => {
            r"\x{9}-\x{d}\x{1c}-\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}"
        }
        ('s', true) => r"\x{9}-\x{d}\x{20}",
        _ => return None,
    })
}

/// `[members]`, or its opposite for an upper-case letter.
pub(super) fn set(letter: char, flags: Flags) -> Option<String> {
    let members = members(letter, flags)?;
    let negation = if letter.is_ascii_uppercase() { "^" } else { "" };
    Some(format!("[{negation}{members}]"))
}

/// A character written so that no engine reads it as syntax.
pub(super) fn literal(character: char) -> String {
    if character.is_ascii_alphanumeric() {
        character.to_string()
    } else {
        format!("\\x{{{:x}}}", u32::from(character))
    }
}

enum Member {
    One(char),
    Set(String),
}

/// Translates a class whose `[` was read already.
pub(super) fn translate(source: &mut Source, flags: Flags) -> Result<String, PatternError> {
    let mut out = String::from("[");
    if source.take('^') {
        out.push('^');
    }
    let mut is_first = true;
    loop {
        let character = source
            .next()
            .ok_or_else(|| fault("a character class is not closed"))?;
        if character == ']' && !is_first {
            out.push(']');
            return Ok(out);
        }
        is_first = false;
        let low = member(character, source, flags)?;
        if source.peek() != Some('-') {
            push(&mut out, low);
            continue;
        }
        source.next();
        match source.next() {
            None => return Err(fault("a character class is not closed")),
            Some(']') => {
                push(&mut out, low);
                out.push_str(&literal('-'));
                out.push(']');
                return Ok(out);
            }
            Some(character) => match (low, member(character, source, flags)?) {
                (Member::One(low), Member::One(high)) if low <= high => {
                    out.push_str(&format!("{}-{}", literal(low), literal(high)));
                }
                _ => return Err(fault("a character class holds a bad range")),
            },
        }
    }
}

fn push(out: &mut String, member: Member) {
    match member {
        Member::One(character) => out.push_str(&literal(character)),
        Member::Set(set) => out.push_str(&set),
    }
}

fn member(character: char, source: &mut Source, flags: Flags) -> Result<Member, PatternError> {
    if character != '\\' {
        return Ok(Member::One(character));
    }
    let escaped = source
        .next()
        .ok_or_else(|| fault("a character class is not closed"))?;
    if let Some(set) = set(escaped, flags) {
        return Ok(Member::Set(set));
    }
    Ok(Member::One(match escaped {
        'b' => '\u{8}',
        '0'..='7' => octal(escaped, source)?,
        _ => character_escape(escaped, source)?,
    }))
}

/// Up to three octal digits, the first of which was read already.
pub(super) fn octal(first: char, source: &mut Source) -> Result<char, PatternError> {
    let mut value = first.to_digit(8).unwrap_or(0);
    for _ in 0..2 {
        let Some(digit) = source.peek().and_then(|next| next.to_digit(8)) else {
            break;
        };
        source.next();
        value = value * 8 + digit;
    }
    char::from_u32(value)
        .filter(|_| value <= 0o377)
        .ok_or_else(|| fault("an octal escape is beyond `\\377`"))
}

/// An escape that stands for one character, whose letter was read already.
pub(super) fn character_escape(letter: char, source: &mut Source) -> Result<char, PatternError> {
    let digits = match letter {
        'a' => return Ok('\u{7}'),
        'f' => return Ok('\u{c}'),
        'n' => return Ok('\n'),
        'r' => return Ok('\r'),
        't' => return Ok('\t'),
        'v' => return Ok('\u{b}'),
        'x' => 2,
        'u' => 4,
        'U' => 8,
        'N' => return Err(fault("`\\N` names a character; write the character itself")),
        _ if letter.is_ascii_alphanumeric() => {
            return Err(fault(&format!("the escape `\\{letter}` is unknown")));
        }
        _ => return Ok(letter),
    };
    let mut value = 0;
    for _ in 0..digits {
        let digit = source.next().and_then(|digit| digit.to_digit(16));
        value = value * 16
            + digit.ok_or_else(|| {
                fault(&format!(
                    "the escape `\\{letter}` needs {digits} hexadecimal digits"
                ))
            })?;
    }
    char::from_u32(value)
        .ok_or_else(|| fault(&format!("the escape `\\{letter}` names no character")))
}
