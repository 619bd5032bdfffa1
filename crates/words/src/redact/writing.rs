//! A character as escaping, quoting and misreading write it.

/// Reads an escape at a place: the character it stands for, and how long it is.
type Escape<'a> = dyn Fn(&[u8], usize) -> Option<(u32, usize)> + 'a;

/// How often an escape may be escaped again.
const DEEPEST: usize = 5;

/// The bytes of cp1252 that are not the character of the same number.
const CP1252: [(u8, char); 27] = [
    (0x80, '€'),
    (0x82, '‚'),
    (0x83, 'ƒ'),
    (0x84, '„'),
    (0x85, '…'),
    (0x86, '†'),
    (0x87, '‡'),
    (0x88, 'ˆ'),
    (0x89, '‰'),
    (0x8a, 'Š'),
    (0x8b, '‹'),
    (0x8c, 'Œ'),
    (0x8e, 'Ž'),
    (0x91, '‘'),
    (0x92, '’'),
    (0x93, '“'),
    (0x94, '”'),
    (0x95, '•'),
    (0x96, '–'),
    (0x97, '—'),
    (0x98, '˜'),
    (0x99, '™'),
    (0x9a, 'š'),
    (0x9b, '›'),
    (0x9c, 'œ'),
    (0x9e, 'ž'),
    (0x9f, 'Ÿ'),
];

/// Whether letters count in small and in capitals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Case {
    Told,
    Ignored,
}

/// Whether a writing of any character may begin with this byte, whatever the character.
pub(super) const fn is_lead(byte: u8) -> bool {
    matches!(byte, b'%' | b'\\' | b'&' | b'=')
}

/// Puts every place where a writing of `wanted` that begins at `from` may end into `ends`.
pub(super) fn ends(text: &str, from: usize, wanted: char, case: Case, ends: &mut Vec<usize>) {
    plain(text, from, wanted, case, ends);
    let rest = &text[from..];
    if wanted.is_ascii_punctuation() {
        let doubled = rest.strip_prefix(wanted);
        if doubled.is_some_and(|rest| rest.starts_with(wanted)) {
            ends.push(from + 2);
        }
        if wanted == '\'' && rest.starts_with('\'') {
            for quoted in ["'\\''", "'\"'\"'"] {
                sequence(text, from, quoted.chars(), case, ends);
            }
        }
    } else if wanted == ' ' && rest.starts_with('+') {
        ends.push(from + 1);
    } else if wanted == '\n' && rest.starts_with("\r\n") {
        ends.push(from + 2);
    } else if !wanted.is_ascii() {
        let mut bytes = [0; 4];
        let bytes = wanted.encode_utf8(&mut bytes).as_bytes();
        let misread = |byte: u8| char::from(byte);
        sequence(text, from, bytes.iter().copied().map(misread), case, ends);
        let misread = |byte: u8| {
            let known = CP1252.iter().find(|(code, _)| *code == byte);
            known.map_or(char::from(byte), |(_, letter)| *letter)
        };
        sequence(text, from, bytes.iter().copied().map(misread), case, ends);
        if case == Case::Ignored && wanted.to_uppercase().count() > 1 {
            sequence(text, from, wanted.to_uppercase(), case, ends);
        }
        // What could not be read or written at all.
        for lost in ['?', '\u{fffd}'] {
            let mut at = from;
            for _ in 0..bytes.len() {
                if text[at..].starts_with(lost) {
                    at += lost.len_utf8();
                    ends.push(at);
                }
            }
        }
    }
}

/// A sequence of characters, each in any of its plain writings.
fn sequence(
    text: &str,
    from: usize,
    wanted: impl Iterator<Item = char>,
    case: Case,
    ends: &mut Vec<usize>,
) {
    let mut places = vec![from];
    for wanted in wanted {
        let mut next = Vec::new();
        for place in places {
            plain(text, place, wanted, case, &mut next);
        }
        next.sort_unstable();
        next.dedup();
        places = next;
    }
    ends.extend(places);
}

/// As it is, or escaped, however often.
fn plain(text: &str, from: usize, wanted: char, case: Case, ends: &mut Vec<usize>) {
    let rest = &text[from..];
    let Some(first) = rest.chars().next() else {
        return;
    };
    if is_same(first, wanted, case) {
        ends.push(from + first.len_utf8());
    }
    if !first.is_ascii() {
        return;
    }
    let bytes = text.as_bytes();
    match first {
        '%' => percent(bytes, from, wanted, case, ends),
        '\\' => backslash(text, from, wanted, case, ends),
        '&' => entity(bytes, from, wanted, case, ends),
        '=' => byte_escapes(bytes, from, wanted, case, ends, &|bytes, at| {
            hexadecimal(bytes, literal(bytes, at, b"=")?, 2)
        }),
        _ => {}
    }
}

fn is_same(one: char, other: char, case: Case) -> bool {
    one == other
        || (case == Case::Ignored
            && one.is_alphabetic()
            && one.to_lowercase().eq(other.to_lowercase()))
}

fn literal(bytes: &[u8], at: usize, wanted: &[u8]) -> Option<usize> {
    bytes
        .get(at..)?
        .starts_with(wanted)
        .then_some(at + wanted.len())
}

/// A number of so many hexadecimal digits, and where it ends.
fn hexadecimal(bytes: &[u8], at: usize, digits: usize) -> Option<(u32, usize)> {
    number(bytes, at, digits, 16)
}

fn number(bytes: &[u8], at: usize, digits: usize, radix: u32) -> Option<(u32, usize)> {
    let digits = bytes.get(at..at + digits)?;
    let text = str::from_utf8(digits).ok()?;
    if !text.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    Some((u32::from_str_radix(text, radix).ok()?, at + digits.len()))
}

/// A number of one to eight digits before an end.
fn number_until(bytes: &[u8], at: usize, radix: u32, end: u8) -> Option<(u32, usize)> {
    let length = bytes
        .get(at..)?
        .iter()
        .take(9)
        .position(|byte| *byte == end)?;
    let (code, at) = number(bytes, at, length, radix)?;
    (length > 0).then_some((code, at + 1))
}

/// The bytes of a character one after the other, each escaped the same way: those of UTF-8, or the one of Latin-1.
fn byte_escapes(
    bytes: &[u8],
    from: usize,
    wanted: char,
    case: Case,
    ends: &mut Vec<usize>,
    escape: &Escape<'_>,
) {
    let mut first = None;
    let mut at = from;
    let mut encoded = [0; 4];
    let encoded = wanted.encode_utf8(&mut encoded).as_bytes();
    let mut is_whole = true;
    for byte in encoded {
        // Escapes and bytes that need none may be mixed.
        let Some((code, end)) = escape(bytes, at) else {
            is_whole = false;
            break;
        };
        first.get_or_insert((code, end));
        if code != u32::from(*byte) {
            is_whole = false;
            break;
        }
        at = end;
    }
    if is_whole {
        ends.push(at);
    }
    if let Some((code, end)) = first
        && let Some(letter) = char::from_u32(code)
        && (!is_whole || encoded.len() > 1)
        && is_same(letter, wanted, case)
    {
        ends.push(end);
    }
}

/// `%41`, `%2541`, `%u0041`.
fn percent(bytes: &[u8], from: usize, wanted: char, case: Case, ends: &mut Vec<usize>) {
    let after_sign = |bytes: &[u8], at: usize| {
        let mut at = literal(bytes, at, b"%")?;
        for _ in 0..DEEPEST {
            match literal(bytes, at, b"25") {
                // The sign itself is wanted where nothing but a sign stands there.
                Some(next) if hexadecimal(bytes, next, 2).is_some() || is_unit(bytes, next) => {
                    at = next;
                }
                _ => break,
            }
        }
        Some(at)
    };
    byte_escapes(bytes, from, wanted, case, ends, &|bytes, at| {
        hexadecimal(bytes, after_sign(bytes, at)?, 2)
    });
    utf16(bytes, from, wanted, case, ends, &|bytes, at| {
        hexadecimal(bytes, literal(bytes, after_sign(bytes, at)?, b"u")?, 4)
    });
    if wanted == '%' {
        let mut at = from + 1;
        for _ in 0..DEEPEST {
            let Some(next) = literal(bytes, at, b"25") else {
                break;
            };
            ends.push(next);
            at = next;
        }
    }
}

fn is_unit(bytes: &[u8], at: usize) -> bool {
    literal(bytes, at, b"u").is_some_and(|at| hexadecimal(bytes, at, 4).is_some())
}

/// One unit of UTF-16, or two, each escaped the same way.
fn utf16(
    bytes: &[u8],
    from: usize,
    wanted: char,
    case: Case,
    ends: &mut Vec<usize>,
    escape: &Escape<'_>,
) {
    let Some((first, mut end)) = escape(bytes, from) else {
        return;
    };
    let mut units = vec![u16::try_from(first).unwrap_or_default()];
    if (0xd800..0xdc00).contains(&first)
        && let Some((second, next)) = escape(bytes, end)
    {
        units.push(u16::try_from(second).unwrap_or_default());
        end = next;
    }
    if let Some(Ok(letter)) = char::decode_utf16(units).next()
        && is_same(letter, wanted, case)
    {
        ends.push(end);
    }
}

/// Everything that begins with one backslash or, where it was escaped again, with several.
fn backslash(text: &str, from: usize, wanted: char, case: Case, ends: &mut Vec<usize>) {
    let bytes = text.as_bytes();
    let slashes = bytes[from..]
        .iter()
        .take_while(|byte| **byte == b'\\')
        .count();
    if wanted == '\\' {
        let powers = (1..=DEEPEST).map(|power| 1_usize << power);
        ends.extend(
            powers
                .take_while(|power| *power <= slashes)
                .map(|power| from + power),
        );
    }
    let after_slashes = |bytes: &[u8], at: usize| {
        let rest = bytes.get(at..)?;
        let count = rest.iter().take_while(|byte| **byte == b'\\').count();
        (1..=1 << DEEPEST).contains(&count).then_some(at + count)
    };
    let Some(after) = after_slashes(bytes, from) else {
        return;
    };
    let Some(letter) = text[after..].chars().next() else {
        return;
    };
    match letter {
        'u' => {
            utf16(bytes, from, wanted, case, ends, &|bytes, at| {
                hexadecimal(bytes, literal(bytes, after_slashes(bytes, at)?, b"u")?, 4)
            });
            let code =
                literal(bytes, after, b"u{").and_then(|at| number_until(bytes, at, 16, b'}'));
            one(code, wanted, case, ends);
            // An entity or a percent sign that was written like this, with the rest as it is.
            if let Some(end) = literal(bytes, after, b"u0026") {
                rest_of_entity(bytes, end, wanted, case, ends);
            }
        }
        'U' => one(hexadecimal(bytes, after + 1, 8), wanted, case, ends),
        'x' => byte_escapes(bytes, from, wanted, case, ends, &|bytes, at| {
            hexadecimal(bytes, literal(bytes, after_slashes(bytes, at)?, b"x")?, 2)
        }),
        '0'..='7' => byte_escapes(bytes, from, wanted, case, ends, &|bytes, at| {
            number(bytes, after_slashes(bytes, at)?, 3, 8)
        }),
        _ => {}
    }
    let named = match letter {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'a' => '\u{7}',
        'v' => '\u{b}',
        'e' => '\u{1b}',
        '0' => '\0',
        other => other,
    };
    if named == wanted && (wanted != '\\') && (named != letter || !letter.is_alphanumeric()) {
        ends.push(after + letter.len_utf8());
    }
    // A doubled quote, or one of a shell, in a text that was escaped then.
    if wanted == letter
        && wanted.is_ascii_punctuation()
        && let Some(second) = after_slashes(bytes, after + 1)
        && text[second..].starts_with(wanted)
    {
        ends.push(second + 1);
    }
}

fn one(code: Option<(u32, usize)>, wanted: char, case: Case, ends: &mut Vec<usize>) {
    if let Some((code, end)) = code
        && let Some(letter) = char::from_u32(code)
        && is_same(letter, wanted, case)
    {
        ends.push(end);
    }
}

/// `&#65;`, `&#x41;`, `&amp;`, and those whose sign was written so again.
fn entity(bytes: &[u8], from: usize, wanted: char, case: Case, ends: &mut Vec<usize>) {
    rest_of_entity(bytes, from + 1, wanted, case, ends);
}

/// An entity after its sign.
fn rest_of_entity(bytes: &[u8], mut at: usize, wanted: char, case: Case, ends: &mut Vec<usize>) {
    for _ in 0..DEEPEST {
        let decimal = literal(bytes, at, b"#").and_then(|at| number_until(bytes, at, 10, b';'));
        one(decimal, wanted, case, ends);
        let hex = literal(bytes, at, b"#x").or_else(|| literal(bytes, at, b"#X"));
        one(
            hex.and_then(|at| number_until(bytes, at, 16, b';')),
            wanted,
            case,
            ends,
        );
        for (name, letter) in [
            (&b"lt;"[..], '<'),
            (b"gt;", '>'),
            (b"quot;", '"'),
            (b"apos;", '\''),
            (b"amp;", '&'),
            (b"nbsp;", ' '),
            (b"sol;", '/'),
        ] {
            if letter == wanted
                && let Some(end) = literal(bytes, at, name)
            {
                ends.push(end);
            }
        }
        match literal(bytes, at, b"amp;") {
            Some(next) => at = next,
            None => break,
        }
    }
}
