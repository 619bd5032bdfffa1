//! SQL taken apart into tokens, as far as all engines write them alike: enough to compare two texts and to find a clause.

use crate::warehouse::judge::{Judged, wrong};

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A keyword, or a name without quotes.
    Word,
    /// Something in double quotes, backticks or square brackets.
    Quoted,
    /// Something in single quotes.
    Text,
    /// A number.
    Number,
    /// What stands for a constant in normalized text: `?`, `$1`, `:1`.
    Parameter,
    /// Any other sign.
    Sign,
}

/// A piece of SQL; blanks and comments are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'s> {
    /// What it is.
    pub kind: TokenKind,
    /// As it is written, quotes included.
    pub text: &'s str,
    /// Where it begins, in bytes.
    pub at: usize,
}

impl Token<'_> {
    /// Whether it is this keyword.
    #[must_use]
    pub fn is_word(&self, word: &str) -> bool {
        self.kind == TokenKind::Word && self.text.eq_ignore_ascii_case(word)
    }

    /// Whether it is this sign.
    #[must_use]
    pub fn is_sign(&self, sign: &str) -> bool {
        self.kind == TokenKind::Sign && self.text == sign
    }
}

/// Takes SQL apart.
#[must_use]
pub fn tokens(sql: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(first) = sql[at..].chars().next() {
        let rest = &sql[at..];
        let (kind, length) = match first {
            _ if first.is_whitespace() => (None, first.len_utf8()),
            '-' if rest.starts_with("--") => (None, rest.find('\n').unwrap_or(rest.len())),
            '/' if rest.starts_with("/*") => {
                (None, rest.find("*/").map_or(rest.len(), |end| end + 2))
            }
            '\'' => (Some(TokenKind::Text), quoted(rest, '\'')),
            '"' | '`' => (Some(TokenKind::Quoted), quoted(rest, first)),
            '[' => (Some(TokenKind::Quoted), quoted(rest, ']')),
            '?' => (Some(TokenKind::Parameter), 1),
            '$' | ':' if digits(&rest[1..]) > 0 => {
                (Some(TokenKind::Parameter), 1 + digits(&rest[1..]))
            }
            _ if first.is_ascii_digit() => {
                let is_part = |sign: char| sign.is_ascii_alphanumeric() || sign == '.';
                (Some(TokenKind::Number), run(rest, is_part))
            }
            _ if is_name(first) => (Some(TokenKind::Word), run(rest, is_name)),
            _ => (Some(TokenKind::Sign), first.len_utf8()),
        };
        found.extend(kind.map(|kind| Token {
            kind,
            text: &rest[..length],
            at,
        }));
        at += length;
    }
    found
}

fn is_name(sign: char) -> bool {
    sign.is_alphanumeric() || sign == '_'
}

fn run(text: &str, is_part: impl Fn(char) -> bool) -> usize {
    text.find(|sign| !is_part(sign)).unwrap_or(text.len())
}

fn digits(text: &str) -> usize {
    run(text, |sign| sign.is_ascii_digit())
}

/// How long what stands in quotes is; a doubled quote does not end it.
fn quoted(text: &str, end: char) -> usize {
    let mut signs = text.char_indices().skip(1).peekable();
    while let Some((at, sign)) = signs.next() {
        if sign == end && signs.next_if(|(_, next)| *next == end).is_none() {
            return at + end.len_utf8();
        }
    }
    text.len()
}

/// How a text holds another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Likeness {
    /// Token by token.
    Verbatim,
    /// But for constants, in whose place parameters stand.
    Normalized,
}

/// Whether and how `text` holds `wanted`; blanks, comments and a semicolon at the end do not count. With a condition behind
/// it, it is another statement. What normalizes texts may keep one for all that mean the same, whatever they qualify names
/// with.
pub(crate) fn holds(text: &[Token<'_>], wanted: &[Token<'_>]) -> Option<Likeness> {
    holds_written(text, wanted).or_else(|| {
        holds_written(&unqualified(text), &unqualified(wanted))
            .filter(|likeness| *likeness == Likeness::Normalized)
    })
}

/// The tokens without what stands before the last part of a name.
pub(crate) fn unqualified<'s>(tokens: &[Token<'s>]) -> Vec<Token<'s>> {
    let is_dot = |at: usize| tokens.get(at).is_some_and(|token| token.is_sign("."));
    (0..tokens.len())
        .filter(|at| !is_dot(*at) && !is_dot(at + 1))
        .map(|at| tokens[at])
        .collect()
}

fn holds_written(text: &[Token<'_>], wanted: &[Token<'_>]) -> Option<Likeness> {
    let wanted = match wanted.split_last() {
        Some((last, rest)) if last.is_sign(";") => rest,
        _ => wanted,
    };
    if wanted.is_empty() {
        return None;
    }
    let windows = text.windows(wanted.len());
    let alike = windows.enumerate().filter_map(|(at, window)| {
        let next = text.get(at + wanted.len());
        if next.is_some_and(|next| next.is_word("WHERE")) {
            return None;
        }
        let mut likeness = Likeness::Verbatim;
        for (there, wanted) in window.iter().zip(wanted) {
            let is_constant = matches!(wanted.kind, TokenKind::Text | TokenKind::Number);
            if is_constant && there.kind == TokenKind::Parameter {
                likeness = Likeness::Normalized;
            } else if there.text != wanted.text
                && !(wanted.kind == TokenKind::Word && there.is_word(wanted.text))
            {
                return None;
            }
        }
        Some(likeness)
    });
    alike.min()
}

/// By what a statement's pages are ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Order<'s> {
    /// The statement orders nothing, or by what is the same for all rows, or by chance.
    Nothing,
    /// By these columns of the result, or of what it selects from.
    By(Vec<Term<'s>>),
    /// By something that only the database can tell.
    Untold,
}

/// A term of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Term<'s> {
    /// The column of the result at this place, from 1.
    Place(usize),
    /// A column's name, without quotes and without what it is a column of.
    Name(&'s str),
}

/// The order in which a statement's outermost pages come.
pub(crate) fn order<'s>(tokens: &[Token<'s>]) -> Order<'s> {
    let begins = |at: usize| {
        tokens[at].is_word("ORDER") && tokens.get(at + 1).is_some_and(|next| next.is_word("BY"))
    };
    if !(0..tokens.len()).any(begins) {
        return Order::Nothing;
    }
    let depths = depths(tokens);
    let Some(end) = (0..tokens.len())
        .filter(|at| is_page(&tokens[*at]))
        .min_by_key(|at| depths[*at])
    else {
        return Order::Untold;
    };
    let Some(start) = (0..end).rfind(|at| begins(*at) && depths[*at] == depths[end]) else {
        return Order::Untold;
    };
    let mut written = Vec::new();
    let mut first = start + 2;
    for at in start + 2..=end {
        if at == end || depths[at] == depths[end] && tokens[at].is_sign(",") {
            written.push(&tokens[first..at]);
            first = at + 1;
        }
    }
    if written.iter().any(|term| is_chance(term)) || written.iter().all(|term| is_constant(term)) {
        return Order::Nothing;
    }
    let terms: Option<Vec<Term<'s>>> = written.into_iter().map(term).collect();
    terms.map_or(Order::Untold, Order::By)
}

/// Whether a term is another each time that it is asked for.
fn is_chance(term: &[Token<'_>]) -> bool {
    const CALLS: [&str; 8] = [
        "RAND",
        "RANDOM",
        "RANDOMBLOB",
        "UUID",
        "NEWID",
        "SYS_GUID",
        "GEN_RANDOM_UUID",
        "GENERATEUUIDV4",
    ];
    let is_call =
        |pair: &[Token<'_>]| pair[1].is_sign("(") && CALLS.iter().any(|call| pair[0].is_word(call));
    term.windows(2).any(is_call)
}

/// Whether a term is the same for every row: made of constants and their types alone, and no place.
fn is_constant(term: &[Token<'_>]) -> bool {
    const WORDS: [&str; 11] = [
        "SELECT", "NULL", "TRUE", "FALSE", "CAST", "AS", "ASC", "DESC", "NULLS", "FIRST", "LAST",
    ];
    let is_type = |at: usize| {
        let before = at.checked_sub(1).map(|before| term[before]);
        before.is_some_and(|before| before.is_word("AS") || before.is_sign(":"))
    };
    let is_same = |at: usize| match term[at].kind {
        TokenKind::Word => is_type(at) || WORDS.iter().any(|word| term[at].is_word(word)),
        TokenKind::Quoted | TokenKind::Parameter => false,
        TokenKind::Text | TokenKind::Number | TokenKind::Sign => true,
    };
    let is_value = |token: &&Token<'_>| {
        let values = ["NULL", "TRUE", "FALSE"];
        let is_told = matches!(token.kind, TokenKind::Text | TokenKind::Number);
        is_told || values.iter().any(|word| token.is_word(word))
    };
    let values: Vec<&Token<'_>> = term.iter().filter(is_value).collect();
    let is_place = matches!(values.as_slice(), [value] if value.kind == TokenKind::Number)
        && !term.iter().any(|token| token.is_word("SELECT"));
    !values.is_empty() && !is_place && (0..term.len()).all(is_same)
}

/// How many rows a statement's pages leave out, wherever it says so with a number.
pub(crate) fn offsets(tokens: &[Token<'_>]) -> Vec<i64> {
    let pairs = tokens.windows(2).filter(|pair| pair[0].is_word("OFFSET"));
    pairs.filter_map(|pair| pair[1].text.parse().ok()).collect()
}

/// Whether the pages of a statement are those of its outermost query.
pub(crate) fn is_outermost(tokens: &[Token<'_>]) -> bool {
    let depths = depths(tokens);
    (0..tokens.len()).any(|at| depths[at] == 0 && is_page(&tokens[at]))
}

/// Whether a word says where a page begins or ends.
fn is_page(token: &Token<'_>) -> bool {
    ["LIMIT", "OFFSET", "FETCH"]
        .iter()
        .any(|word| token.is_word(word))
}

/// Judges that a statement as a whole is not cut before as many rows as are asked for, as far as a number says so.
pub(crate) fn is_uncut(tokens: &[Token<'_>], asked: i64) -> Judged<()> {
    let depths = depths(tokens);
    let limits = (0..tokens.len()).filter(|at| depths[*at] == 0 && tokens[*at].is_word("LIMIT"));
    let number = |at: usize| tokens.get(at)?.text.parse::<i64>().ok();
    for at in limits {
        // How many rows of each kind there may be, as ClickHouse has it.
        let mut rest = tokens[at + 1..]
            .iter()
            .take_while(|token| !token.is_word("LIMIT"));
        if rest.any(|token| token.is_word("BY")) {
            continue;
        }
        let is_second = tokens.get(at + 2).is_some_and(|sign| sign.is_sign(","));
        let at = if is_second { at + 3 } else { at + 1 };
        let is_sum = tokens
            .get(at + 1)
            .is_some_and(|next| next.kind == TokenKind::Sign && next.text != ";");
        if let Some(limit) = number(at).filter(|limit| *limit < asked && !is_sum) {
            return Err(wrong(
                format!("{asked} rows or more, where there are so many"),
                format!("a statement that stops at {limit}"),
            ));
        }
    }
    Ok(())
}

/// In how many parentheses each token stands.
fn depths(tokens: &[Token<'_>]) -> Vec<usize> {
    let mut depth = 0_usize;
    let each = tokens.iter().map(|token| {
        if token.is_sign(")") {
            depth = depth.saturating_sub(1);
        }
        let here = depth;
        if token.is_sign("(") {
            depth += 1;
        }
        here
    });
    each.collect()
}

/// A place or a column's name, with or without a direction.
fn term<'s>(tokens: &[Token<'s>]) -> Option<Term<'s>> {
    let is_direction = |token: &Token<'_>| {
        ["ASC", "DESC", "NULLS", "FIRST", "LAST"]
            .iter()
            .any(|word| token.is_word(word))
    };
    let length = tokens.iter().rposition(|token| !is_direction(token))? + 1;
    match &tokens[..length] {
        [place] if place.kind == TokenKind::Number => place.text.parse().ok().map(Term::Place),
        [before @ .., name] if matches!(name.kind, TokenKind::Word | TokenKind::Quoted) => {
            let is_path = before
                .chunks(2)
                .all(|pair| matches!(pair, [_, dot] if dot.is_sign(".")));
            let name = name.text.trim_matches(['"', '`', '[', ']']);
            is_path.then_some(Term::Name(name))
        }
        _ => None,
    }
}

/// The query of a view's definition, which some databases give bare and some as the statement that makes the view.
pub(crate) fn view_query(definition: &str) -> Option<&str> {
    let tokens = tokens(definition);
    let first = tokens.iter().find(|token| !token.is_sign("("))?;
    if ["SELECT", "WITH", "VALUES", "TABLE", "FROM"]
        .iter()
        .any(|word| first.is_word(word))
    {
        return Some(definition);
    }
    let depths = depths(&tokens);
    let view = tokens.iter().position(|token| token.is_word("VIEW"))?;
    let makes = ["CREATE", "ALTER", "REPLACE"]
        .iter()
        .any(|word| first.is_word(word));
    let query = (view..tokens.len()).find(|at| depths[*at] == 0 && tokens[*at].is_word("AS"))?;
    let start = tokens.get(query + 1).filter(|_| makes)?;
    Some(&definition[start.at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_with_a_limit_of_its_own_is_cut() {
        for whole in [
            "SELECT a FROM t LIMIT 1000",
            "SELECT a FROM t LIMIT 5, 1000",
            "SELECT a FROM t LIMIT 5 + 995",
            "SELECT a FROM t ORDER BY a LIMIT 1 BY a LIMIT 1000 OFFSET 0",
            "SELECT a FROM t LIMIT 2 OFFSET 1 BY a",
            "SELECT (SELECT b FROM u LIMIT 1) FROM t",
        ] {
            assert_eq!(is_uncut(&tokens(whole), 1000), Ok(()), "{whole}");
        }
        for cut in ["SELECT a FROM t LIMIT 500;", "SELECT a FROM t LIMIT 0, 500"] {
            assert!(is_uncut(&tokens(cut), 1000).is_err(), "{cut}");
        }
    }

    #[test]
    fn a_log_may_hold_a_statement_another_way() {
        let run = tokens("SELECT *\n FROM t WHERE a='x' AND 1 = 0;");
        let likeness = |logged: &str| holds(&tokens(logged), &run);
        assert_eq!(
            likeness("/* app */ SELECT * FROM t WHERE a = 'x' AND 1=0 -- done"),
            Some(Likeness::Verbatim)
        );
        assert_eq!(
            likeness("select * from t where a = 'x' and 1 = 0"),
            Some(Likeness::Verbatim)
        );
        for logged in [
            "SELECT * FROM t WHERE a=$1 AND $2=$3",
            "SELECT * FROM t WHERE a = ? AND ? = ?;",
        ] {
            assert_eq!(likeness(logged), Some(Likeness::Normalized), "{logged}");
        }
        for logged in [
            "SELECT * FROM u WHERE a='x' AND 1 = 0",
            "SELECT * FROM t WHERE a='x'",
            "",
        ] {
            assert_eq!(likeness(logged), None, "{logged}");
        }
        let run = tokens("SELECT * FROM s.t WHERE 1 = 0");
        for (logged, expected) in [
            (
                "SELECT * FROM d.s.t WHERE $1 = $2",
                Some(Likeness::Normalized),
            ),
            ("SELECT * FROM \"t\" WHERE $1 = $2", None),
            ("SELECT * FROM t WHERE ? = ?", Some(Likeness::Normalized)),
            ("SELECT * FROM s.u WHERE $1 = $2", None),
            ("SELECT * FROM d.s.t WHERE 1 = 0", None),
        ] {
            assert_eq!(holds(&tokens(logged), &run), expected, "{logged}");
        }
        let all = tokens("SELECT * FROM t");
        for (logged, is_it) in [
            ("COPY (SELECT * FROM t) TO STDOUT", true),
            ("SELECT * FROM t WHERE 1 = 0", false),
        ] {
            assert_eq!(holds(&tokens(logged), &all).is_some(), is_it, "{logged}");
        }
    }

    #[test]
    fn the_order_of_the_outermost_pages_is_found() {
        let by = |terms: &[Term<'static>]| Order::By(terms.to_vec());
        for (sql, expected) in [
            ("SELECT a FROM t LIMIT 1", Order::Nothing),
            ("SELECT a FROM t -- ORDER BY a\nLIMIT 1", Order::Nothing),
            (
                "SELECT a FROM t ORDER BY 2, 1 DESC LIMIT 1",
                by(&[Term::Place(2), Term::Place(1)]),
            ),
            (
                "SELECT a FROM (SELECT b FROM u ORDER BY b) AS t ORDER BY t.\"A\" NULLS LAST OFFSET 0 ROWS FETCH NEXT 1 ROWS ONLY",
                by(&[Term::Name("A")]),
            ),
            (
                "WITH l AS (SELECT a FROM t ORDER BY n.x, c.y LIMIT 1) SELECT a FROM l ORDER BY a",
                by(&[Term::Name("x"), Term::Name("y")]),
            ),
            ("SELECT a FROM t ORDER BY lower(a) LIMIT 1", Order::Untold),
            ("SELECT a FROM t ORDER BY rand() LIMIT 1", Order::Nothing),
            (
                "SELECT a FROM t ORDER BY a, RANDOM ( ) DESC LIMIT 1",
                Order::Nothing,
            ),
            (
                "SELECT a FROM t ORDER BY (SELECT NULL) OFFSET 0 ROWS",
                Order::Nothing,
            ),
            (
                "SELECT a FROM t ORDER BY NULL::text LIMIT 1",
                Order::Nothing,
            ),
            (
                "SELECT a FROM t ORDER BY CAST(NULL AS text) DESC, 1 = 1 LIMIT 1",
                Order::Nothing,
            ),
            (
                "SELECT row_number() OVER (ORDER BY a) FROM t",
                Order::Untold,
            ),
        ] {
            assert_eq!(order(&tokens(sql)), expected, "{sql}");
        }
    }

    #[test]
    fn what_pages_leave_out_is_found() {
        let offsets = |sql: &str| super::offsets(&tokens(sql));
        assert_eq!(offsets("SELECT a FROM t LIMIT 3 OFFSET 4"), [4]);
        assert_eq!(offsets("SELECT a[OFFSET(0)] FROM t OFFSET 7 ROWS"), [7]);
        assert!(offsets("SELECT a FROM t LIMIT 3, 4").is_empty());
    }

    #[test]
    fn the_query_of_a_view_is_found() {
        for (definition, query) in [
            (" SELECT 1;", Some(" SELECT 1;")),
            (
                "(WITH a AS (SELECT 1) SELECT * FROM a)",
                Some("(WITH a AS (SELECT 1) SELECT * FROM a)"),
            ),
            (
                "CREATE VIEW \"as\" (a) AS SELECT 1 AS a",
                Some("SELECT 1 AS a"),
            ),
            (
                "CREATE OR REPLACE VIEW main.v AS WITH x AS (SELECT 1) SELECT 1",
                Some("WITH x AS (SELECT 1) SELECT 1"),
            ),
            ("named_customers", None),
            ("CREATE TABLE t (a int)", None),
            ("", None),
        ] {
            assert_eq!(view_query(definition), query, "{definition}");
        }
    }
}
