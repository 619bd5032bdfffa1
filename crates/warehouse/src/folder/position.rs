//! From a place in a string's value back to its place in the TOML file.

use std::ops::Range;

/// The byte in the file where a line and column of a string's value stand.
///
/// `token` is the string's range in `file`, quotes included; `line` and `column` count characters of the value from 1.
/// Escapes are followed, so the answer is right for every kind of TOML string; one that is not closed, holds wrong
/// escapes or stands without quotes is followed as far as it goes.
pub(crate) fn position_in_file(
    file: &str,
    token: Range<usize>,
    line: usize,
    column: usize,
) -> usize {
    let raw = &file[token.clone()];
    let (quotes, multiline) = match raw.as_bytes() {
        [b'"', b'"', b'"', ..] | [b'\'', b'\'', b'\'', ..] => (3, true),
        [b'"' | b'\'', ..] => (1, false),
        _ => (0, false),
    };
    let escapes = raw.starts_with('"');
    let mut at = quotes.min(raw.len());
    if multiline {
        at += leading_newline(&raw[at..]);
    }
    let closed = raw[at..].strip_suffix(&raw[..quotes.min(raw.len())]);
    let end = at + closed.unwrap_or(&raw[at..]).len();
    let (mut here_line, mut here_column) = (1, 1);
    while at < end && (here_line, here_column) < (line, column) {
        let rest = &raw[at..end];
        let (length, character) = if escapes && rest.starts_with('\\') {
            match escaped(rest) {
                (length, Some(character)) => (length, character),
                (length, None) => {
                    at += length;
                    continue;
                }
            }
        } else {
            let character = rest.chars().next().unwrap_or_default();
            (character.len_utf8(), character)
        };
        if character == '\n' {
            if here_line == line {
                break;
            }
            here_line += 1;
            here_column = 1;
        } else {
            here_column += 1;
        }
        at += length;
    }
    token.start + at
}

/// The line in the file, from 1, where the first line of a string's value stands.
pub(crate) fn first_line_in_file(file: &str, token: Range<usize>) -> usize {
    let start = position_in_file(file, token, 1, 1);
    file[..start].matches('\n').count() + 1
}

fn leading_newline(text: &str) -> usize {
    if text.starts_with("\r\n") {
        2
    } else {
        usize::from(text.starts_with('\n'))
    }
}

/// The length of an escape and the character it stands for; none for a line ending that is folded away.
fn escaped(text: &str) -> (usize, Option<char>) {
    let mut characters = text[1..].chars();
    let digits = match characters.next() {
        Some('x') => 2,
        Some('u') => 4,
        Some('U') => 8,
        Some('n') => return (2, Some('\n')),
        Some(' ' | '\t' | '\n' | '\r') => {
            let folded = text[1..].trim_start_matches([' ', '\t', '\n', '\r']);
            return (text.len() - folded.len(), None);
        }
        _ => 0,
    };
    let rest = characters.as_str();
    let found = rest.bytes().take(digits);
    let digits = found.take_while(u8::is_ascii_hexdigit).count();
    (text.len() - rest.len() + digits, Some('\u{fffd}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text that stands in the file where the value's line and column point.
    fn pointed(file: &str, line: usize, column: usize) -> &str {
        let start = file.find(['"', '\'']).unwrap();
        let at = position_in_file(file, start..file.trim_end().len(), line, column);
        &file[at..]
    }

    #[test]
    fn one_line_strings() {
        assert_eq!(pointed("k = 'abc'", 1, 3), "c'");
        assert_eq!(pointed("k = \"abc\"", 1, 1), "abc\"");
        assert_eq!(pointed(r#"k = "a\"\u00e9c""#, 1, 4), "c\"");
        assert_eq!(pointed(r#"k = "a\nbc""#, 2, 2), "c\"");
    }

    #[test]
    fn multi_line_strings() {
        assert_eq!(pointed("k = '''\none\ntwo'''", 2, 2), "wo'''");
        assert_eq!(pointed("k = '''one\r\ntwo'''", 2, 1), "two'''");
        assert_eq!(
            pointed("k = \"\"\"\nab\\\n   cd\nef\"\"\"", 1, 3),
            "\\\n   cd\nef\"\"\""
        );
        assert_eq!(
            pointed("k = \"\"\"\nab\\\n   cd\nef\"\"\"", 1, 4),
            "d\nef\"\"\""
        );
        assert_eq!(
            pointed("k = \"\"\"\nab\\\n   cd\nef\"\"\"", 2, 1),
            "ef\"\"\""
        );
    }

    #[test]
    fn past_the_end_is_the_closing_quote() {
        assert_eq!(pointed("k = 'abc'", 9, 9), "'");
        assert_eq!(pointed("k = '''ab\ncd'''", 1, 99), "\ncd'''");
    }

    #[test]
    fn what_is_no_toml_is_followed_as_far_as_it_goes() {
        for file in [
            "k = '''{%\u{35c}e\r",
            "k = \"\\u\u{35c}\\\u{35c}\\",
            "k = \"",
            "k = '''",
        ] {
            for column in 1..9 {
                let start = file.find(['"', '\'']).unwrap();
                let at = position_in_file(file, start..file.len(), 1, column);
                assert!(file.is_char_boundary(at), "{file}");
            }
        }
    }

    #[test]
    fn the_first_line_skips_the_opening_one() {
        let file = "a = 1\nk = '''\none'''";
        assert_eq!(first_line_in_file(file, 10..file.len()), 3);
        let file = "a = 1\nk = '''one'''";
        assert_eq!(first_line_in_file(file, 10..file.len()), 2);
    }
}
