//! Lines that fit a narrow terminal: ended between words, never inside them.

use std::borrow::Cow;

use textwrap::core::display_width;
use textwrap::{Options, WordSeparator, WordSplitter};

/// The narrowest a line gets, however narrow the terminal is.
pub(crate) const NARROWEST: usize = 40;
/// How much further the rest of a line that was ended stands.
const HANGING: usize = 4;

/// Ends lines between words alone: what looks like several words to others, such as a path, is one.
pub(crate) fn between_words(width: usize) -> Options<'static> {
    Options::new(width)
        .break_words(false)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
}

/// The text with lines that are wider than the terminal ended between words. Tables and source lines stay as they are.
pub(crate) fn fitted(text: &str, terminal: Option<usize>) -> Cow<'_, str> {
    let Some(width) = terminal.map(|width| width.max(NARROWEST)) else {
        return Cow::Borrowed(text);
    };
    if text.lines().all(|line| display_width(line) <= width) {
        return Cow::Borrowed(text);
    }
    let mut fitted = String::with_capacity(text.len() + 64);
    for line in text.split_inclusive('\n') {
        let body = line.strip_suffix('\n').unwrap_or(line);
        if display_width(body) <= width || is_drawn(body) {
            fitted.push_str(line);
            continue;
        }
        let indent = body.len() - body.trim_start_matches(' ').len();
        let hanging = " ".repeat((indent + HANGING).min(width / 2));
        let lines = textwrap::wrap(body, between_words(width).subsequent_indent(&hanging));
        fitted.push_str(&lines.join("\n"));
        fitted.push_str(&line[body.len()..]);
    }
    Cow::Owned(fitted)
}

/// Whether a line is part of a table, or shows a line of a source.
fn is_drawn(line: &str) -> bool {
    let plain = anstream::adapter::strip_str(line).to_string();
    let after_number = plain
        .trim_start()
        .trim_start_matches(|letter: char| letter.is_ascii_digit());
    after_number.trim_start().starts_with('|') || plain.contains(['│', '┌', '╞', '├', '└'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_between_words_and_keep_their_indent() {
        let line = format!("  {} some/very-long/path.toml end\n", "word ".repeat(8));
        let narrow = fitted(&line, Some(45));
        assert_eq!(
            narrow,
            format!(
                "  {}\n      some/very-long/path.toml end\n",
                "word ".repeat(8).trim_end()
            )
        );
        assert_eq!(fitted(&line, None), line);
        assert_eq!(fitted(&line, Some(80)), line);
    }

    #[test]
    fn tables_and_source_lines_stay() {
        for line in [
            format!("│ {} │\n", "word ".repeat(20)),
            format!("   12 | {}\n", "word ".repeat(20)),
        ] {
            assert_eq!(fitted(&line, Some(40)), line);
        }
    }
}
