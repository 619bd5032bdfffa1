//! Characters that nobody sees and that change what is seen.

/// Text from a database, a vendor or a file, fit to be shown: control characters other than line ends and tabs are spelt
/// out, as is what turns the direction of writing and so lets text look like another.
#[must_use]
pub fn visible(text: &str) -> String {
    spelt(text, |character| {
        is_direction(character) || (character.is_control() && !matches!(character, '\n' | '\t'))
    })
}

/// The same for text that may hold colours already: only what turns the direction of writing is spelt out.
#[must_use]
pub fn with_directions_spelt(text: &str) -> String {
    spelt(text, is_direction)
}

/// Text from a database, a vendor or a file in one line without control characters, fit for a comment.
#[must_use]
pub fn in_one_line(text: &str) -> String {
    let text = text.replace(char::is_control, " ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn spelt(text: &str, is_spelt: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_spelt(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Whether a character is one of Unicode's property `Bidi_Control`.
fn is_direction(character: char) -> bool {
    matches!(
        character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_cannot_steer_the_terminal() {
        assert_eq!(
            visible("a\x1b[31mb\nc\td\u{9b}"),
            "a\\u{1b}[31mb\nc\td\\u{9b}"
        );
    }

    #[test]
    fn one_line_has_no_breaks_and_no_control_characters() {
        assert_eq!(in_one_line(" a\r\nb\u{85}c\u{2028}d\0  e\n"), "a b c d e");
        assert_eq!(in_one_line("\n"), "");
    }

    #[test]
    fn nothing_turns_the_direction_of_writing_unseen() {
        let turning = "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}";
        for shown in [visible(turning), with_directions_spelt(turning)] {
            assert!(shown.is_ascii() && shown.ends_with("\\u{2069}"), "{shown}");
            assert_eq!(shown.matches("\\u{").count(), 12, "{shown}");
        }
        assert_eq!(visible("שלום é\u{200d}"), "שלום é\u{200d}");
        assert_eq!(with_directions_spelt("\x1b[1m\u{202e}"), "\x1b[1m\\u{202e}");
    }
}
