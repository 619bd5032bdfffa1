//! The statements of a SQL text and their comments, told apart as every engine does alike.

/// A statement, and the comments within and before it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Commented<'t> {
    /// The line of its first word, from 1.
    pub(super) line: usize,
    pub(super) comments: Vec<Comment<'t>>,
}

/// A comment, without what opens and closes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Comment<'t> {
    pub(super) text: &'t str,
    /// The line it begins in, from 1.
    pub(super) line: usize,
}

/// Takes a text apart. A comment belongs to the statement it stands in or before; behind the last statement, or in the
/// same line as a statement's semicolon, to the one that ended.
pub(super) fn statements(text: &str) -> Vec<Commented<'_>> {
    let mut scanner = Scanner {
        text,
        at: 0,
        line: 1,
    };
    let mut done: Vec<Commented<'_>> = Vec::new();
    let mut current = Commented::default();
    // The line in which a statement was closed, as long as it goes on.
    let mut closed_in = None;
    while let Some(piece) = scanner.next_piece() {
        match piece {
            Piece::Blank => {}
            Piece::Comment(comment) => match done.last_mut() {
                Some(last) if current.line == 0 && closed_in == Some(comment.line) => {
                    last.comments.push(comment);
                }
                _ => current.comments.push(comment),
            },
            Piece::End(line) => {
                if current.line > 0 {
                    done.push(std::mem::take(&mut current));
                    closed_in = Some(line);
                }
            }
            Piece::Word(line) => {
                if current.line == 0 {
                    current.line = line;
                }
            }
        }
    }
    if current.line > 0 {
        done.push(current);
    } else if let Some(last) = done.last_mut() {
        last.comments.append(&mut current.comments);
    } else if let Some(first) = current.comments.first() {
        current.line = first.line;
        done.push(current);
    }
    done
}

enum Piece<'t> {
    Blank,
    Comment(Comment<'t>),
    /// A semicolon, or a line `GO`.
    End(usize),
    /// Anything else; a quoted text is one.
    Word(usize),
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
    line: usize,
}

impl<'t> Scanner<'t> {
    fn next_piece(&mut self) -> Option<Piece<'t>> {
        let rest = self.text.get(self.at..)?;
        let first = rest.chars().next()?;
        let line = self.line;
        let (length, piece) = if first.is_whitespace() {
            (first.len_utf8(), Piece::Blank)
        } else if rest.starts_with("--") || is_hash_comment(rest) {
            let length = rest.find('\n').unwrap_or(rest.len());
            let opening = if first == '#' { 1 } else { 2 };
            let text = rest.get(opening..length).unwrap_or_default();
            (length, Piece::Comment(Comment { text, line }))
        } else if rest.starts_with("/*") {
            let length = block_length(rest);
            let text = rest.get(2..length).unwrap_or_default();
            let text = text.strip_suffix("*/").unwrap_or(text);
            (length, Piece::Comment(Comment { text, line }))
        } else if first == ';' {
            (1, Piece::End(line))
        } else if let Some(length) = self.batch_end() {
            (length, Piece::End(line))
        } else if let '\'' | '"' | '`' = first {
            (quoted_length(rest, first), Piece::Word(line))
        } else {
            let length = dollar_quoted_length(rest).unwrap_or(first.len_utf8());
            (length, Piece::Word(line))
        };
        let passed = rest.get(..length).unwrap_or(rest);
        self.line += passed.matches('\n').count();
        self.at += passed.len();
        Some(piece)
    }
}

impl Scanner<'_> {
    /// The length of what ends a batch of T-SQL, where it begins here: `GO` alone in its line, or with how often.
    fn batch_end(&self) -> Option<usize> {
        let (before, rest) = self.text.split_at_checked(self.at)?;
        let (word, _) = rest.split_at_checked(2)?;
        let begins = before.trim_end_matches([' ', '\t']);
        if !word.eq_ignore_ascii_case("go") || !(begins.is_empty() || begins.ends_with('\n')) {
            return None;
        }
        // Only now: a line may be long.
        let line = rest.lines().next()?.trim_end();
        let count = line.get(word.len()..)?;
        let is_alone = count.is_empty()
            || (count.starts_with([' ', '\t'])
                && count.trim().bytes().all(|byte| byte.is_ascii_digit()));
        is_alone.then_some(line.len())
    }
}

/// Whether a hash opens a comment, as in MariaDB and BigQuery; elsewhere it is an operator, which no brace follows.
fn is_hash_comment(rest: &str) -> bool {
    rest.strip_prefix('#')
        .is_some_and(|rest| rest.trim_start_matches([' ', '\t']).starts_with('{'))
}

/// The length of a comment in `/* */`. Whether one nests in another differs between engines; a tag holds neither mark.
fn block_length(rest: &str) -> usize {
    rest.get(2..)
        .and_then(|inner| inner.find("*/"))
        .map_or(rest.len(), |end| end + 4)
}

/// The length of a quoted text; a doubled quote stands for one.
fn quoted_length(rest: &str, quote: char) -> usize {
    rest.get(1..)
        .and_then(|inner| inner.find(quote))
        .map_or(rest.len(), |end| end + 2)
}

/// The length of a text in PostgreSQL's dollar quotes, `$$…$$` or `$name$…$name$`.
fn dollar_quoted_length(rest: &str) -> Option<usize> {
    let inner = rest.strip_prefix('$')?;
    let name = inner.find('$')?;
    let is_name = |text: &str| {
        text.chars().all(|c| c.is_alphanumeric() || c == '_')
            && !text.starts_with(|c: char| c.is_ascii_digit())
    };
    let mark = rest.get(..name + 2)?;
    inner.get(..name).filter(|name| is_name(name))?;
    let end = rest.get(mark.len()..)?.find(mark)?;
    Some(mark.len() + end + mark.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(usize, Vec<(usize, &str)>)> {
        statements(text)
            .into_iter()
            .map(|statement| {
                let comments = statement.comments.iter();
                (
                    statement.line,
                    comments.map(|c| (c.line, c.text.trim())).collect(),
                )
            })
            .collect()
    }

    #[test]
    fn comments_belong_to_their_statements() {
        assert_eq!(
            found("-- a\nSELECT 1 /* b\n*/; -- c\n-- d\nSELECT 2"),
            [(2, vec![(1, "a"), (2, "b"), (3, "c")]), (5, vec![(4, "d")])]
        );
        assert_eq!(found("SELECT 1;\n\n-- last"), [(1, vec![(3, "last")])]);
        assert_eq!(found("-- alone"), [(1, vec![(1, "alone")])]);
        assert_eq!(found(" ;; \n"), []);
        // A line `GO` ends what stands before it in T-SQL; a column may be called so.
        assert_eq!(
            found("-- a\nSELECT 1\ngo 2\n-- b\nSELECT go\n, GO.x\n GO"),
            [(2, vec![(1, "a")]), (5, vec![(4, "b")])]
        );
    }

    #[test]
    fn a_long_line_takes_no_longer_than_many_short_ones() {
        let line = "x ".repeat(1_000_000);
        assert_eq!(found(&line), [(1, vec![])]);
    }

    #[test]
    fn what_is_quoted_is_no_comment() {
        let text = "SELECT '--a', 'it''s; /*b*/', \"--c\", `#{d`, $$ --e $$, $f$ ; $$ --$f$, x #> '{g}' # {\"h\": 1}";
        assert_eq!(found(text), [(1, vec![(1, "{\"h\": 1}")])]);
    }

    #[test]
    fn what_does_not_end_ends_with_the_text() {
        for text in [
            "SELECT 'a -- b",
            "SELECT 1 /* a",
            "/*",
            "--",
            "$a$ x",
            "é--é",
            "#{",
        ] {
            assert_eq!(found(text).len(), 1, "{text}");
        }
    }
}
