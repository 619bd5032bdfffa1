//! The layout of pages that people read: lines, indents, prose, labelled blocks.

use std::fmt::Display;

use bowline_words::visible;

use crate::fitted::{NARROWEST, between_words};
use crate::style::{CODE, HEADING, QUIET, STRONG, paint};
use crate::terminal;

/// The widest a line of prose gets.
const WIDTH: usize = 100;
/// How far labelled blocks are indented, label included.
const LABEL: usize = 12;
/// The most lines a block shows.
const LINES: usize = 40;

/// A text that grows by lines.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    text: String,
}

impl Listing {
    /// The whole text.
    pub(crate) fn finish(self) -> String {
        self.text
    }

    /// Adds a line.
    pub(crate) fn line(&mut self, line: impl Display) {
        let line = line.to_string();
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    /// Adds an empty line, unless one stands there or nothing does.
    pub(crate) fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// Adds a heading, with space before it.
    pub(crate) fn heading(&mut self, heading: &str) {
        self.gap();
        self.line(paint(HEADING, heading));
    }

    /// Adds prose, wrapped: `first` stands before its first line, `others` before the rest. What stands in backticks
    /// is to be copied, and stays in one line.
    pub(crate) fn prose(&mut self, first: &str, others: &str, text: &str) {
        let width = terminal::width().map_or(WIDTH, |width| width.clamp(NARROWEST, WIDTH));
        let options = between_words(width)
            .initial_indent(first)
            .subsequent_indent(others);
        for line in textwrap::wrap(&glued(&visible(text)), options) {
            self.line(line.replace(GLUE, " "));
        }
    }

    /// Adds lines to be copied into a file.
    pub(crate) fn code(&mut self, text: &str) {
        for line in text.lines() {
            match line {
                "" => self.line(""),
                line => self.line(format!("  {}", paint(CODE, line))),
            }
        }
    }

    /// Adds names with what they mean behind them, one under the other.
    pub(crate) fn terms<'a>(&mut self, terms: impl IntoIterator<Item = (&'a str, &'a str)>) {
        let terms: Vec<(&str, &str)> = terms.into_iter().collect();
        let width = terms.iter().map(|(name, _)| name.len()).max();
        let width = width.unwrap_or_default();
        for (name, meaning) in terms {
            let first = format!("  {}  ", paint(STRONG, format!("{name:<width$}")));
            self.prose(&first, &" ".repeat(6), meaning);
        }
    }

    /// Adds prose behind a label, wrapped.
    pub(crate) fn field(&mut self, label: &str, text: &str) {
        let first = format!(
            "  {}",
            paint(QUIET, format!("{label:<width$}", width = LABEL - 2))
        );
        self.prose(&first, &" ".repeat(LABEL), text);
    }

    /// Adds a block of verbatim text behind a label, as far as it is worth showing.
    pub(crate) fn block(&mut self, label: &str, text: &str, style: anstyle::Style) {
        let shown = within_quotes_whole(&visible(text));
        let lines: Vec<&str> = shown.trim_end().lines().collect();
        let indent = " ".repeat(LABEL);
        for (position, line) in lines.iter().take(LINES).enumerate() {
            if line.is_empty() && position > 0 {
                self.line("");
                continue;
            }
            let before = if position == 0 {
                format!(
                    "  {}",
                    paint(QUIET, format!("{label:<width$}", width = LABEL - 2))
                )
            } else {
                indent.clone()
            };
            self.line(format!("{before}{}", paint(style, line)));
        }
        if lines.len() > LINES {
            let more = format!("… {} more lines", lines.len() - LINES);
            self.line(format!("{indent}{}", paint(QUIET, more)));
        }
        if lines.is_empty() {
            self.line(format!("  {}", paint(QUIET, format!("{label:<10}(empty)"))));
        }
    }
}

/// Stands for a blank at which no line ends; a private character that no text means anything by.
const GLUE: char = '\u{e0a0}';
/// The longest text in backticks that is kept in one line.
const LONGEST_GLUED: usize = 60;

/// The text with lines that a narrow terminal has no room for ended outside of quotes, where a statement means the same.
fn within_quotes_whole(text: &str) -> String {
    let Some(room) = terminal::width().map(|width| width.max(NARROWEST) - LABEL) else {
        return text.to_owned();
    };
    parted(text, room)
}

fn parted(text: &str, room: usize) -> String {
    let mut quote = None;
    let glued: String = text
        .chars()
        .map(|letter| {
            match (quote, letter) {
                (Some(open), letter) if letter == open => quote = None,
                (None, '\'' | '"' | '`') => quote = Some(letter),
                (Some(_), ' ') => return GLUE,
                _ => {}
            }
            letter
        })
        .collect();
    let lines = glued.lines().flat_map(|line| {
        let indent = line.len() - line.trim_start_matches(' ').len();
        let hanging = " ".repeat((indent + 2).min(room / 2));
        let lines = textwrap::wrap(line, between_words(room).subsequent_indent(&hanging));
        lines
            .into_iter()
            .map(std::borrow::Cow::into_owned)
            .collect::<Vec<_>>()
    });
    let lines: Vec<String> = lines.map(|line| line.replace(GLUE, " ")).collect();
    lines.join("\n")
}

/// The text with the blanks between backticks glued.
fn glued(text: &str) -> String {
    let mut parts = text.split('`').peekable();
    let mut result = String::with_capacity(text.len());
    let mut quoted = false;
    while let Some(part) = parts.next() {
        let closed = parts.peek().is_some();
        if quoted && closed && part.chars().count() <= LONGEST_GLUED {
            result.extend(part.chars().map(|c| if c == ' ' { GLUE } else { c }));
        } else {
            result.push_str(part);
        }
        if closed {
            result.push('`');
        }
        quoted = !quoted;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(listing: Listing) -> String {
        anstream::adapter::strip_str(&listing.finish()).to_string()
    }

    #[test]
    fn blocks_stand_under_each_other() {
        let mut listing = Listing::default();
        listing.block("sql", "SELECT 1\nFROM t", anstyle::Style::new());
        assert_eq!(plain(listing), "  sql       SELECT 1\n            FROM t\n");
    }

    #[test]
    fn empty_lines_are_empty() {
        let mut listing = Listing::default();
        listing.block("error", "no\n\nLINE 1", anstyle::Style::new());
        listing.code("[a]\n\n[b]");
        assert_eq!(
            plain(listing),
            "  error     no\n\n            LINE 1\n  [a]\n\n  [b]\n"
        );
    }

    #[test]
    fn a_long_block_says_how_much_is_missing() {
        let mut listing = Listing::default();
        listing.block("sql", &"x\n".repeat(50), anstyle::Style::new());
        assert!(plain(listing).ends_with("            … 10 more lines\n"));
    }

    #[test]
    fn what_is_to_be_copied_stays_in_one_line() {
        let mut listing = Listing::default();
        let words = "word ".repeat(18);
        listing.prose("", "  ", &format!("{words}`bowline test shop` a`b"));
        assert_eq!(
            plain(listing),
            format!("{}\n  `bowline test shop` a`b\n", words.trim_end())
        );
    }

    #[test]
    fn statements_end_their_lines_outside_of_quotes() {
        assert_eq!(
            parted("SELECT 'one two three four' AS a\n\nFROM t", 20),
            "SELECT\n  'one two three four'\n  AS a\n\nFROM t"
        );
    }

    #[test]
    fn gaps_do_not_add_up() {
        let mut listing = Listing::default();
        listing.gap();
        listing.line("a");
        listing.gap();
        listing.gap();
        listing.line("b");
        assert_eq!(listing.finish(), "a\n\nb\n");
    }
}
