//! A template's text taken apart: SQL, the Jinja in it, and the texts in either.
//!
//! Tokens may lie inside others: a text in quotes is a token, and so is every word in it.

use std::ops::Range;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Word,
    Number,
    /// An operator: one or more signs.
    Sign,
    Comma,
    Open,
    Close,
    /// A text in single quotes, or in either quotes in Jinja.
    Text,
    /// A name in double quotes or backticks.
    Name,
    /// `{x}`
    Placeholder,
    /// `{{ … }}`
    Value,
    /// `{% … %}`
    Statement,
}

/// In what a token stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Sql,
    /// In a text or name of SQL.
    SqlText,
    Jinja,
    /// In a text of Jinja.
    JinjaText,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) place: Place,
    /// The bytes it takes in.
    pub(crate) range: Range<usize>,
}

/// A template's text with its tokens, in the order of their starts; what holds others comes before them.
#[derive(Debug, Clone)]
pub(crate) struct Source<'t> {
    pub(crate) text: &'t str,
    pub(crate) tokens: Vec<Token>,
}

impl<'t> Source<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let mut scanner = Scanner {
            text,
            tokens: Vec::new(),
        };
        scanner.scan(0..text.len(), Place::Sql);
        Self {
            text,
            tokens: scanner.tokens,
        }
    }

    pub(crate) fn of(&self, token: &Token) -> &'t str {
        &self.text[token.range.clone()]
    }

    /// The tokens of one kind in any place.
    pub(crate) fn all(&self, kind: Kind) -> impl Iterator<Item = &Token> {
        self.tokens.iter().filter(move |token| token.kind == kind)
    }

    /// The tokens of SQL itself, whatever is in its texts left out.
    pub(crate) fn sql(&self) -> Vec<&Token> {
        let in_sql = self.tokens.iter();
        in_sql.filter(|token| token.place == Place::Sql).collect()
    }

    /// Whether a token of SQL is this word.
    pub(crate) fn is_word(&self, token: &Token, word: &str) -> bool {
        token.kind == Kind::Word && self.of(token).eq_ignore_ascii_case(word)
    }

    /// The text with parts of it replaced; the parts do not overlap.
    pub(crate) fn with(&self, mut parts: Vec<(Range<usize>, String)>) -> String {
        parts.sort_by_key(|(range, _)| range.start);
        let mut text = String::with_capacity(self.text.len());
        let mut end = 0;
        for (range, part) in parts {
            text.push_str(&self.text[end..range.start]);
            text.push_str(&part);
            end = range.end;
        }
        text.push_str(&self.text[end..]);
        text
    }

    /// The pairs of brackets in SQL, by the positions of their tokens in [`Source::sql`].
    pub(crate) fn brackets(&self, sql: &[&Token]) -> Vec<(usize, usize)> {
        let mut open = Vec::new();
        let mut pairs = Vec::new();
        for (position, token) in sql.iter().enumerate() {
            match token.kind {
                Kind::Open => open.push(position),
                Kind::Close => pairs.extend(open.pop().map(|start| (start, position))),
                _ => {}
            }
        }
        pairs.sort_unstable();
        pairs
    }

    /// The ranges of what commas part between two brackets.
    pub(crate) fn arguments(&self, sql: &[&Token], pair: (usize, usize)) -> Vec<Range<usize>> {
        let mut depth = 0;
        let mut start = sql[pair.0].range.end;
        let mut arguments = Vec::new();
        for token in &sql[pair.0 + 1..pair.1] {
            match token.kind {
                Kind::Open => depth += 1,
                Kind::Close => depth -= 1,
                Kind::Comma if depth == 0 => {
                    arguments.push(start..token.range.start);
                    start = token.range.end;
                }
                _ => {}
            }
        }
        arguments.push(start..sql[pair.1].range.start);
        arguments
    }
}

struct Scanner<'t> {
    text: &'t str,
    tokens: Vec<Token>,
}

impl Scanner<'_> {
    fn scan(&mut self, range: Range<usize>, place: Place) {
        let in_text = matches!(place, Place::SqlText | Place::JinjaText);
        let mut at = range.start;
        while at < range.end {
            let rest = &self.text[at..range.end];
            let first = rest.chars().next().unwrap_or(' ');
            let (kind, length) = match first {
                '{' if place != Place::Jinja && place != Place::JinjaText => match hole(rest) {
                    Some((None, length)) => {
                        at += length;
                        continue;
                    }
                    Some((Some(kind), length)) => (kind, length),
                    None => {
                        at += 1;
                        continue;
                    }
                },
                '\'' if !in_text => (Kind::Text, quoted(rest, '\'', place)),
                '"' if place == Place::Jinja => (Kind::Text, quoted(rest, '"', place)),
                '"' | '`' if place == Place::Sql => (Kind::Name, quoted(rest, first, place)),
                '(' | '[' => (Kind::Open, 1),
                ')' | ']' => (Kind::Close, 1),
                ',' => (Kind::Comma, 1),
                _ if first.is_ascii_digit() => (Kind::Number, run(rest, |c| c.is_ascii_digit())),
                _ if first.is_alphabetic() || first == '_' => {
                    (Kind::Word, run(rest, |c| c.is_alphanumeric() || c == '_'))
                }
                _ if "<>=!|+-*/%~:&^".contains(first) => {
                    (Kind::Sign, run(rest, |c| "<>=!|+-*/%~:&^".contains(c)))
                }
                _ => {
                    at += first.len_utf8();
                    continue;
                }
            };
            self.tokens.push(Token {
                kind,
                place,
                range: at..at + length,
            });
            let inner = |margin: usize| at + margin..(at + length).saturating_sub(margin);
            match (kind, place) {
                (Kind::Value | Kind::Statement, _) => self.scan(inner(2), Place::Jinja),
                (Kind::Text, Place::Jinja) => self.scan(inner(1), Place::JinjaText),
                (Kind::Text | Kind::Name, _) => self.scan(inner(1), Place::SqlText),
                _ => {}
            }
            at += length;
        }
    }
}

/// What begins with a brace: its kind, none for a comment, and its length.
fn hole(text: &str) -> Option<(Option<Kind>, usize)> {
    if text.starts_with("{#") {
        return Some((None, text.find("#}").map_or(text.len(), |end| end + 2)));
    }
    let (kind, end) = match text.get(..2)? {
        "{{" => (Kind::Value, "}}"),
        "{%" => (Kind::Statement, "%}"),
        _ => {
            let length = text.find('}')? + 1;
            let name = &text[1..length - 1];
            let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
            return is_name.then_some((Some(Kind::Placeholder), length));
        }
    };
    let mut at = 2;
    let mut depth = 0;
    while at < text.len() {
        let rest = &text[at..];
        if depth == 0 && rest.starts_with(end) {
            return Some((Some(kind), at + 2));
        }
        let first = rest.chars().next()?;
        match first {
            '\'' | '"' => {
                at += quoted(rest, first, Place::Jinja);
                continue;
            }
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        at += first.len_utf8();
    }
    None
}

/// How long a text in quotes is, the quotes included.
fn quoted(text: &str, quote: char, place: Place) -> usize {
    let mut at = 1;
    while at < text.len() {
        let rest = &text[at..];
        let first = rest.chars().next().unwrap_or(quote);
        if first == quote {
            if place == Place::Jinja || !rest[1..].starts_with(quote) {
                return at + 1;
            }
            at += 1;
        } else if place == Place::Jinja && first == '\\' {
            at += 1 + rest[1..].chars().next().map_or(0, char::len_utf8);
            continue;
        } else if place == Place::Sql
            && first == '{'
            && let Some((_, length)) = hole(rest)
        {
            at += length;
            continue;
        }
        at += first.len_utf8();
    }
    text.len()
}

fn run(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<(Kind, Place, &str)> {
        let source = Source::new(text);
        let tokens = source.tokens.iter();
        tokens
            .map(|token| (token.kind, token.place, &text[token.range.clone()]))
            .collect()
    }

    #[test]
    fn a_text_of_sql_holds_jinja_that_holds_texts() {
        use Kind::{Close, Open, Placeholder, Sign, Text, Value, Word};
        use Place::{Jinja, Sql, SqlText};
        let text = "NOT ({x} ~ '{{ r | replace(\"'\", \"''\") }}d')";
        assert_eq!(
            words(text),
            [
                (Word, Sql, "NOT"),
                (Open, Sql, "("),
                (Placeholder, Sql, "{x}"),
                (Sign, Sql, "~"),
                (Text, Sql, "'{{ r | replace(\"'\", \"''\") }}d'"),
                (Value, SqlText, "{{ r | replace(\"'\", \"''\") }}"),
                (Word, Jinja, "r"),
                (Sign, Jinja, "|"),
                (Word, Jinja, "replace"),
                (Open, Jinja, "("),
                (Text, Jinja, "\"'\""),
                (Kind::Comma, Jinja, ","),
                (Text, Jinja, "\"''\""),
                (Close, Jinja, ")"),
                (Word, SqlText, "d"),
                (Close, Sql, ")"),
            ]
        );
    }

    #[test]
    fn a_dictionary_and_a_doubled_quote_end_nothing() {
        let text = "{{ {'a': 1}[b] }} 'it''s' AND";
        let found = words(text);
        assert_eq!(found.last(), Some(&(Kind::Word, Place::Sql, "AND")));
        assert_eq!(found[0].2, "{{ {'a': 1}[b] }}");
        assert!(found.contains(&(Kind::Text, Place::Sql, "'it''s'")));
    }

    #[test]
    fn arguments_are_parted_at_their_own_commas() {
        let source = Source::new("F(a, G(b, c), 'd,e')");
        let sql = source.sql();
        let pairs = source.brackets(&sql);
        let arguments = source.arguments(&sql, pairs[0]);
        let texts: Vec<&str> = arguments
            .into_iter()
            .map(|range| source.text[range].trim())
            .collect();
        assert_eq!(texts, ["a", "G(b, c)", "'d,e'"]);
    }
}
